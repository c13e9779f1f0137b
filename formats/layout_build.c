/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits and classes of a tree once it is known which levels of folders they are.
 *
 * Folders are runs of the sorted list of files: nothing else of the tree is kept. A folder
 * counts only if there is an image below it. */
#include <stdalign.h>
#include <stdlib.h>
#include <strings.h>

#include <pcr/source.h>

#include "folder_names.h"
#include "layout.h"

static bool counts(const struct pcri_tree *t, size_t file)
{
    return pcri_entries_at(t->files, file)->is_image || t->no_images;
}

static void count_images(const struct pcri_tree *t, struct pcri_folder *f)
{
    f->images = f->direct = 0;
    for (size_t i = f->begin; i < f->end; i++) {
        if (!counts(t, i))
            continue;
        f->images++;
        f->direct += !strchr(pcri_entries_at(t->files, i)->key + f->key_nbytes, '/');
    }
}

/* The run of files below the next folder in `f` from *file on; false: there is none. */
static bool next_folder(const struct pcri_tree *t, const struct pcri_folder *f, size_t *file,
                        struct pcri_folder *out)
{
    const char *slash = NULL;
    while (*file < f->end &&
           !(slash = strchr(pcri_entries_at(t->files, *file)->key + f->key_nbytes, '/')))
        ++*file;
    if (*file == f->end)
        return false;
    const char *key = pcri_entries_at(t->files, *file)->key;
    size_t n = (size_t) (slash - key) + 1;
    *out = (struct pcri_folder) { .begin = *file, .key_nbytes = n };
    while (*file < f->end && !strncmp(pcri_entries_at(t->files, *file)->key, key, n))
        ++*file;
    out->end = *file;
    count_images(t, out);
    return true;
}

int pcri_folders_list(const struct pcri_tree *t, const struct pcri_folder *f,
                      struct pcri_folders *out, struct pcr_error *err)
{
    struct pcri_folder one;
    size_t count = 0;
    for (size_t file = f->begin; next_folder(t, f, &file, &one);)
        count += one.images > 0;
    out->count = 0;
    out->items = pcri_arena_alloc(&t->files->arena, count * sizeof(one),
                                  alignof(struct pcri_folder), err);
    if (!out->items)
        return PCR_ERR_NOMEM;
    for (size_t file = f->begin; next_folder(t, f, &file, &one);) {
        if (!one.images)
            continue;
        const char *name = pcri_entries_at(t->files, one.begin)->key + f->key_nbytes;
        one.name = pcri_arena_strndup(&t->files->arena, name,
                                      one.key_nbytes - f->key_nbytes - 1, err);
        if (!one.name)
            return PCR_ERR_NOMEM;
        out->items[out->count++] = one;
    }
    return 0;
}

/* --- folders that only wrap others --- */

/* Whether `f` is a lone folder that holds folders, with few or no images next to them. */
static bool is_wrapper(const struct pcri_folder *f)
{
    return f->images > f->direct && f->direct < f->images - f->direct;
}

int pcri_layout_tops(const struct pcri_tree *t, struct pcri_layout *l, struct pcr_error *err)
{
    l->base = (struct pcri_folder) { .name = "", .end = t->files->count };
    count_images(t, &l->base);
    for (;;) {
        int rc = pcri_folders_list(t, &l->base, &l->tops, err);
        if (rc || l->tops.count != 1 || l->base.direct)
            return rc;
        const struct pcri_folder *only = l->tops.items;
        if (pcri_is_split_name(only->name) || !is_wrapper(only))
            return 0;
        l->base = *only;
    }
}

/* Goes down from split `s` to the folder that holds its classes, and lists them. */
static int find_base(const struct pcri_tree *t, struct pcri_layout *l, size_t s, bool sure,
                     struct pcr_error *err)
{
    struct pcri_folder *f = &l->bases[s];
    *f = l->tops.items[s];
    for (;;) {
        int rc = pcri_folders_list(t, f, &l->classes[s], err);
        if (rc || l->classes[s].count != 1 || f->direct)
            return rc;
        const struct pcri_folder *only = l->classes[s].items;
        bool same = pcri_is_container_name(only->name) ||
                    !strcasecmp(only->name, l->tops.items[s].name);
        bool wraps = is_wrapper(only) && (same || pcri_split_kind_within(only->name));
        if (!wraps && !(sure && same))
            return 0;
        *f = *only;
    }
}

bool pcri_folders_have(const struct pcri_folders *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (!strcmp(f->items[i].name, name))
            return true;
    return false;
}

static bool share_names(const struct pcri_layout *l, const struct pcri_folders *f,
                        size_t split)
{
    enum { LOOKED_AT = 8 }; /* of the names */
    for (size_t other = 0; other < l->tops.count; other++)
        for (size_t i = 0; i < f->count && i < LOOKED_AT && other != split; i++)
            if (pcri_folders_have(&l->classes[other], f->items[i].name))
                return true;
    return false;
}

/* Goes down in a split whose only folder, or the only one in that, holds classes of another
 * split. */
static int step_to_others(const struct pcri_tree *t, struct pcri_layout *l, size_t s,
                          struct pcr_error *err)
{
    struct pcri_folder base = l->bases[s];
    struct pcri_folders found = l->classes[s];
    while (found.count == 1 && !base.direct && !share_names(l, &found, s)) {
        base = found.items[0];
        int rc = pcri_folders_list(t, &base, &found, err);
        if (rc)
            return rc;
    }
    if (!base.direct && share_names(l, &found, s)) {
        l->bases[s] = base;
        l->classes[s] = found;
    }
    return 0;
}

/* If every split with folders has only one, which holds folders, those are the classes. */
static int step_in(const struct pcri_tree *t, struct pcri_layout *l, bool *stepped,
                   struct pcr_error *err)
{
    bool any = false;
    *stepped = false; /* also when the loop returns */
    for (size_t s = 0; s < l->tops.count; s++) {
        const struct pcri_folders *c = &l->classes[s];
        if (c->count > 1 || (c->count && (l->bases[s].direct || c->items[0].direct)))
            return 0;
        any |= c->count > 0;
    }
    *stepped = any;
    for (size_t s = 0; s < l->tops.count && *stepped; s++) {
        if (!l->classes[s].count)
            continue;
        l->bases[s] = l->classes[s].items[0];
        int rc = pcri_folders_list(t, &l->bases[s], &l->classes[s], err);
        if (rc)
            return rc;
    }
    return 0;
}

/* --- names --- */

static int add_names(const struct pcri_folders *f, const char **list, size_t *count)
{
    for (size_t i = 0; i < f->count; i++)
        list[(*count)++] = f->items[i].name;
    return 0;
}

static int make_names(const struct pcri_tree *t, const struct pcri_folders *lists,
                      size_t list_count, struct pcri_names *out, struct pcr_error *err)
{
    size_t most = 0, count = 0;
    for (size_t i = 0; i < list_count; i++)
        most += lists[i].count;
    const char **names = pcri_malloc(most, sizeof(*names), err);
    if (!names)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < list_count; i++)
        add_names(&lists[i], names, &count);
    int rc = pcri_names_make(out, names, count, &t->files->arena, err);
    free(names);
    return rc;
}

int pcri_layout_splits(const struct pcri_tree *t, struct pcri_layout *l, bool sure,
                       struct pcr_error *err)
{
    size_t n = l->tops.count;
    struct pcri_arena *arena = &t->files->arena;
    l->bases = pcri_arena_alloc(arena, n * sizeof(*l->bases), alignof(struct pcri_folder),
                                err);
    l->classes = pcri_arena_alloc(arena, n * sizeof(*l->classes), alignof(struct pcri_folders),
                                  err);
    int rc = l->bases && l->classes ? 0 : PCR_ERR_NOMEM;
    for (size_t s = 0; s < n && !rc; s++)
        rc = find_base(t, l, s, sure, err);
    for (size_t s = 0; s < n && sure && !rc; s++)
        rc = step_to_others(t, l, s, err);
    for (bool stepped = sure; stepped && !rc;)
        rc = step_in(t, l, &stepped, err);
    if (!rc)
        rc = make_names(t, &l->tops, 1, &l->split_names, err);
    return rc ? rc : make_names(t, l->classes, n, &l->class_names, err);
}

int pcri_layout_build(const struct pcri_tree *t, uint32_t kind, struct pcri_layout *l,
                      struct pcr_error *err)
{
    *l = (struct pcri_layout) { .kind = kind };
    int rc = pcri_layout_tops(t, l, err);
    if (rc || kind == PCR_FOLDERS_FLAT)
        return rc;
    if (kind == PCR_FOLDERS_SPLIT_CLASS)
        return pcri_layout_splits(t, l, false, err);
    return make_names(t, &l->tops, 1,
                      kind == PCR_FOLDERS_CLASS ? &l->class_names : &l->split_names, err);
}
