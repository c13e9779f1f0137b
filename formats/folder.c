/* SPDX-License-Identifier: BSD-2-Clause */
/* Importer of folders: class-per-folder trees, with or without splits, and flat ones. */
#include <stdalign.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "importer.h"
#include "walk.h"

/* Which levels of folders mean what. */
struct layout {
    bool splits;  /* the top folders are splits */
    bool classes; /* the folders below the splits, or else the top ones, are classes */
    struct pcri_names split_names, class_names;
};

static bool probe(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool is_split_name(const char *name)
{
    static const char *const names[] = { "train", "val", "validation", "dev", "test" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcasecmp(name, names[i]))
            return true;
    return false;
}

static bool is_top(const char *folder)
{
    return !strchr(folder, '/');
}

/* Collects the last names of the folders at one depth. */
static int collect(const struct pcri_tree *t, bool top, struct pcri_names *out,
                   struct pcr_error *err)
{
    const char **names = pcri_malloc(t->folder_count, sizeof(*names), err);
    size_t count = 0;
    if (!names)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < t->folder_count; i++)
        if (is_top(t->folders[i]) == top)
            names[count++] = top ? t->folders[i] : strchr(t->folders[i], '/') + 1;
    int rc = pcri_names_make(out, names, count, &t->files->arena, err);
    free(names);
    return rc;
}

static int find_layout(const struct pcri_tree *t, struct layout *l, struct pcr_error *err)
{
    size_t top = 0, splits = 0;
    for (size_t i = 0; i < t->folder_count; i++) {
        if (!is_top(t->folders[i]))
            continue;
        top++;
        splits += is_split_name(t->folders[i]);
    }
    l->splits = top && splits == top;
    if (l->splits) {
        int rc = collect(t, true, &l->split_names, err);
        if (rc)
            return rc;
    }
    int rc = collect(t, !l->splits, &l->class_names, err);
    l->classes = !rc && l->class_names.count;
    return rc;
}

/* Cuts the first folder's name off *path and finds it; false if there is no folder. */
static bool take_name(const char **path, const struct pcri_names *names,
                      struct pcr_buffer *scratch, uint32_t *index, int *rc,
                      struct pcr_error *err)
{
    const char *slash = strchr(*path, '/');
    if (!slash)
        return false;
    size_t n = (size_t) (slash - *path);
    scratch->nbytes = 0;
    *rc = pcri_buffer_append(scratch, *path, n, err);
    if (!*rc)
        *rc = pcri_buffer_append(scratch, "", 1, err);
    if (*rc)
        return false;
    *index = pcri_names_find(names, (const char *) scratch->data);
    *path = slash + 1;
    return true;
}

/* Sets the entry's split and label from its key; *keep is false where it has none. */
static int place(const struct layout *l, const int64_t *labels, struct pcri_entry *e,
                 struct pcr_buffer *scratch, bool *keep, struct pcr_error *err)
{
    const char *below = e->key;
    uint32_t class_index = 0;
    int rc = 0;
    *keep = true;
    if (l->splits && !take_name(&below, &l->split_names, scratch, &e->split, &rc, err))
        *keep = false;
    if (*keep && l->classes) {
        *keep = take_name(&below, &l->class_names, scratch, &class_index, &rc, err);
        e->labels = labels + class_index;
        e->label_count = 1;
    }
    return rc;
}

static int place_all(struct pcri_tree *t, const struct layout *l,
                     const struct pcr_import_options *opts, struct pcr_error *err)
{
    struct pcri_entries *files = t->files;
    struct pcr_buffer scratch = { 0 };
    size_t kept = 0;
    int64_t *labels = pcri_arena_alloc(&files->arena,
                                       l->class_names.count * sizeof(*labels),
                                       alignof(int64_t), err);
    if (!labels)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < l->class_names.count; i++)
        labels[i] = i;

    int rc = 0;
    for (size_t i = 0; i < files->count && !rc; i++) {
        struct pcri_entry e = files->items[i];
        bool keep;
        rc = place(l, labels, &e, &scratch, &keep, err);
        if (keep)
            files->items[kept++] = e;
        else if (!rc && opts->left_out)
            opts->left_out(opts->opaque, e.path,
                           "a file beside the folders of splits or classes");
    }
    files->count = kept;
    pcr_buffer_free(&scratch);
    return rc;
}

static int open_folder(const char *path, const struct pcr_import_options *opts,
                       struct pcr_source **out, struct pcr_error *err)
{
    struct pcri_tree tree = { 0 };
    struct layout layout = { 0 };
    if (opts->root)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: a root is for lists, not for folders",
                         path);
    int rc = pcri_entries_create(&tree.files, err);
    if (!rc)
        rc = pcri_walk(path, opts, &tree, err);
    if (!rc)
        rc = find_layout(&tree, &layout, err);
    if (!rc)
        rc = place_all(&tree, &layout, opts, err);
    if (!rc && !tree.files->count)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%s: no files in this folder", path);
    free(tree.folders);
    if (rc) {
        pcri_entries_destroy(&tree.files);
        return rc;
    }
    pcri_entries_finish(tree.files, layout.classes ? &layout.class_names : NULL,
                        layout.splits ? &layout.split_names : NULL);
    *out = &tree.files->source;
    return 0;
}

const struct pcri_importer pcri_import_folder = {
    .name = "folder",
    .probe = probe,
    .open = open_folder,
};
