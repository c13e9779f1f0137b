/* SPDX-License-Identifier: BSD-2-Clause */
/* Importer of folders: what is found in the tree gets its split and class from the layout. */
#include <stdalign.h>
#include <stdlib.h>

#include "folder.h"
#include "importer.h"
#include "layout.h"
#include "metadata.h"

static bool probe(const struct pcri_candidate *c)
{
    return S_ISDIR(c->st.st_mode);
}

/* One run over the tree's files. */
struct placing {
    struct pcri_tree *tree;
    const struct pcri_layout *layout;
    const struct pcr_source_options *opts;
    const int64_t *labels; /* labels[i] is i */
    size_t kept;
};

static void keep(struct placing *p, struct pcri_input *e)
{
    p->tree->files->items[p->kept++] = e;
}

/* An image next to the folders, or a file that may be anything. */
static int leave_out(struct placing *p, const struct pcri_input *e, const char *reason,
                     struct pcr_error *err)
{
    if (!e->is_image && !p->tree->no_images) {
        p->tree->files->ignored_count++;
        return 0;
    }
    if (p->opts->left_out)
        p->opts->left_out(p->opts->context, e->path, reason);
    return pcri_entries_leave_out(p->tree->files, e, reason, err);
}

/* The file's class among those of its split, if it is in one of their folders. */
static int place_in_split(struct placing *p, size_t split, struct pcri_input *e, size_t file,
                          struct pcr_error *err)
{
    const struct pcri_folders *classes = &p->layout->classes[split];
    /* The first class folder that ends after the file. */
    size_t low = (size_t) PCRI_FIRST(i, 0, classes->count, classes->items[i].end > file);
    if (classes->count && (low == classes->count || classes->items[low].begin > file))
        return leave_out(p, e, "an image next to the class folders of its split", err);
    if (classes->count) {
        e->labels = p->labels +
                    pcri_names_find(&p->layout->class_names, classes->items[low].name);
        e->label_count = 1;
    }
    keep(p, e);
    return 0;
}

static int place(struct placing *p, size_t top, struct pcri_input *e, size_t file,
                 struct pcr_error *err)
{
    const struct pcri_layout *l = p->layout;
    const char *name = l->tops.items[top].name;
    if (l->kind == PCR_FOLDERS_CLASS) {
        e->labels = p->labels + pcri_names_find(&l->class_names, name);
        e->label_count = 1;
    } else {
        e->split = pcri_names_find(&l->split_names, name);
    }
    if (l->kind == PCR_FOLDERS_SPLIT_CLASS)
        return place_in_split(p, top, e, file, err);
    keep(p, e);
    return 0;
}

static int place_all(struct placing *p, struct pcr_error *err)
{
    struct pcri_entries *files = p->tree->files;
    const struct pcri_folders *tops = &p->layout->tops;
    const char *beside = p->layout->kind == PCR_FOLDERS_CLASS
                             ? "an image next to the class folders"
                             : "an image next to the folders of splits";
    size_t top = 0, count = files->count;
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        struct pcri_input *e = pcri_entries_at(files, i);
        while (top < tops->count && tops->items[top].end <= i)
            top++;
        if (p->layout->kind == PCR_FOLDERS_FLAT)
            keep(p, e);
        else if (top < tops->count && i >= tops->items[top].begin)
            rc = place(p, top, e, i, err);
        else
            rc = leave_out(p, e, beside, err);
    }
    files->count = p->kept;
    return rc;
}

static int make_labels(struct placing *p, struct pcr_error *err)
{
    uint32_t count = p->layout->class_names.count;
    int64_t *labels = pcri_arena_alloc(&p->tree->files->arena, count * sizeof(*labels),
                                       alignof(int64_t), err);
    if (!labels)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        labels[i] = i;
    p->labels = labels;
    return 0;
}

/* The classes that the options name, in their order, must be all that there are folders of. */
static int take_given(struct pcri_layout *l, const struct pcri_names *given,
                      struct pcr_error *err)
{
    if (!given->count || !l->class_names.count)
        return 0;
    for (uint32_t i = 0; i < l->class_names.count; i++)
        if (!pcri_names_has(given, l->class_names.raw[i]))
            return pcri_fail(err, PCR_ERR_INVAL,
                             "class folder '%.200s' is not one of the %u classes given",
                             l->class_names.raw[i], (unsigned) given->count);
    l->class_names = *given;
    return 0;
}

int pcri_folder_finish(const char *path, const struct pcr_source_options *opts,
                       struct pcri_tree *tree, struct pcr_error *err)
{
    struct pcri_layout layout;
    int rc = pcri_layout_find(tree, opts->layout, &layout, err);
    if (rc)
        return pcri_prefix(err, rc, "%s", path);
    struct pcri_names given, classes = { 0 };
    struct placing p = { .tree = tree, .layout = &layout, .opts = opts };
    rc = pcri_names_given(&given, opts->classes, opts->class_count, &tree->files->arena, err);
    if (!rc)
        rc = take_given(&layout, &given, err);
    if (rc)
        return pcri_prefix(err, rc, "%s", path);
    rc = make_labels(&p, err);
    if (!rc)
        rc = place_all(&p, err);
    if (!rc)
        rc = pcri_metadata_apply(tree, &layout, !opts->layout, opts, &given, &classes, err);
    if (layout.class_names.count)
        classes = layout.class_names;
    if (!rc && given.count && !classes.count)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s: classes are given, but it has no labels",
                       path);
    if (!rc)
        pcri_entries_finish(tree->files, classes.count ? &classes : NULL,
                            layout.split_names.count ? &layout.split_names : NULL);
    return rc;
}

static int read_tree(const char *path, const struct pcr_source_options *opts,
                     struct pcri_tree *tree, struct pcr_error *err)
{
    int rc = pcri_walk(path, opts, tree, err);
    if (!rc && !tree->files->count)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s: no images in this folder (%llu other files)",
                       path, (unsigned long long) tree->files->ignored_count);
    return rc ? rc : pcri_folder_finish(path, opts, tree, err);
}

static int open_folder(const char *path, const struct pcr_source_options *opts,
                       struct pcr_source **out, struct pcr_error *err)
{
    struct pcri_tree tree = { 0 };
    if (opts->root)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: root applies to lists, not to folders",
                         path);
    int rc = pcri_entries_create(opts->spool_folder, &tree.files, err);
    if (!rc)
        rc = read_tree(path, opts, &tree, err);
    free(tree.metadata.items);
    free(tree.aliases.items);
    if (rc) {
        pcri_entries_destroy(&tree.files);
        return rc;
    }
    *out = &tree.files->source;
    return 0;
}

const struct pcri_importer pcri_import_folder = {
    .name = "folder",
    .probe = probe,
    .open = open_folder,
};
