/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of archives (tar, zip) made into samples: with labels as those of a list; without, as
 * files of a folder tree. */
#include <stdio.h>

#include "folder.h"
#include "folder_names.h"
#include "members.h"

static const char *key_of_entry(const void *of, size_t i)
{
    return pcri_entries_at(of, i)->key;
}

/* The key with the container's name in front. */
static const char *key_with_container(struct pcri_container *s, const char *file,
                                      const char *key, struct pcr_error *err)
{
    struct pcri_arena *arena = &s->e->arena;
    const char *name = pcri_shard_name(file + s->folder_nbytes, arena, err);
    return name ? pcri_arena_join(arena, name, strlen(name), true, key, err) : NULL;
}

/* Keys of several containers that would be equal get the containers' names: "train-0/a.jpg". */
static int tell_rows_apart(struct pcri_container *s, struct pcr_error *err)
{
    struct pcri_list *l = s->rows;
    bool repeats;
    int rc = pcri_keys_any_repeat(pcri_list_key, l, l->count, &repeats, err);
    for (size_t i = 0; !rc && i < l->count && repeats; i++) {
        struct pcri_list_row *r = pcri_list_at(l, i);
        r->key = key_with_container(s, r->file, r->key, err);
        rc = r->key ? 0 : PCR_ERR_NOMEM;
    }
    return rc;
}

static void drop_extra(struct pcri_list *l)
{
    const size_t count = l->count;
    l->count = 0;
    for (size_t i = 0; i < count; i++)
        if (!pcri_list_at(l, i)->is_extra)
            l->rows[l->count++] = l->rows[i];
}

/* Images beside those of their samples are blobs of these; where no sample has other parts, each
 * is a sample. */
static void settle_others(struct pcri_container *s)
{
    if (s->has_parts)
        drop_extra(s->rows);
    for (size_t i = 0; i < s->rows->count && !s->has_parts; i++)
        pcri_list_at(s->rows, i)->blob_count = 0;
}

static bool has_label(const struct pcri_list_row *r)
{
    return r->label_text || r->class_name || r->labels || r->float_labels;
}

static bool same_split(const struct pcri_list_row *a, const struct pcri_list_row *b)
{
    return a->split && b->split ? !strcmp(a->split, b->split) : a->split == b->split;
}

/* Whether others of the row's split have labels. `last` is where that was found out before. */
static bool lacks_label(const struct pcri_list *l, const struct pcri_list_row *r,
                        const struct pcri_list_row **last, bool *result)
{
    if (*last && same_split(*last, r))
        return *result;
    *last = r;
    *result = false;
    for (size_t i = 0; i < l->count && !*result; i++)
        *result = has_label(pcri_list_at(l, i)) && same_split(pcri_list_at(l, i), r);
    return *result;
}

/* Rows without a label among others: an error later on, or left out. */
static int check_labels(struct pcri_container *s, struct pcr_error *err)
{
    struct pcri_list *l = s->rows;
    const struct pcri_list_row *last = NULL;
    bool lacks = false;
    int rc = 0;
    for (size_t i = 0; i < l->count && !rc; i++) {
        struct pcri_list_row *r = pcri_list_at(l, i);
        r->empty_label = !has_label(r) && lacks_label(l, r, &last, &lacks);
        if (r->empty_label && s->opts->flags & PCR_SOURCE_SKIP_DAMAGED) {
            r->is_extra = true;
            rc = pcri_container_leave_out(s, r->file, r->key, err,
                                          "no label, but others have one");
        }
    }
    drop_extra(l);
    return rc;
}

/* --- as a folder tree --- */

static bool begins_with_split(const char *key)
{
    char top[64];
    size_t n = strcspn(key, "/");
    snprintf(top, sizeof(top), "%.*s", (int) (n < 63 ? n : 63), key);
    return key[n] && n < sizeof(top) && pcri_is_split_name(top);
}

/* Whether the containers' names tell the splits, and not folders in them. */
static bool uses_splits(const struct pcri_container *s)
{
    for (size_t i = 0; i < s->rows->count; i++)
        if (!pcri_list_at(s->rows, i)->split ||
            (s->split_is_guess && begins_with_split(pcri_list_at(s->rows, i)->key)))
            return false;
    return true;
}

static int compare_inputs(const void *a, const void *b)
{
    const struct pcri_input *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int add_files(struct pcri_container *s, struct pcr_error *err)
{
    const bool splits = uses_splits(s);
    for (size_t i = 0; i < s->rows->count; i++) {
        const struct pcri_list_row *r = pcri_list_at(s->rows, i);
        struct pcri_input *item = pcri_entries_add(s->e, err);
        if (!item)
            return PCR_ERR_NOMEM;
        pcri_list_locate(r, item);
        item->attributes = r->attributes;
        item->is_image = true;
        item->key = splits ? pcri_arena_join(&s->e->arena, r->split, strlen(r->split), true,
                                             r->key, err)
                           : r->key;
        if (!item->key)
            return PCR_ERR_NOMEM;
    }
    return pcri_arena_sort(&s->e->arena, s->e->items, s->e->count, compare_inputs, err);
}

static int tell_files_apart(struct pcri_container *s, struct pcr_error *err)
{
    struct pcri_entries *e = s->e;
    bool repeats;
    int rc = pcri_keys_any_repeat(key_of_entry, e, e->count, &repeats, err);
    if (rc || !repeats)
        return rc;
    for (size_t i = 0; i < e->count && !rc; i++) {
        struct pcri_input *item = pcri_entries_at(e, i);
        item->key = key_with_container(s, item->file, item->key, err);
        rc = item->key ? 0 : PCR_ERR_NOMEM;
    }
    if (!rc)
        rc = pcri_keys_any_repeat(key_of_entry, e, e->count, &repeats, err);
    if (!rc && repeats)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "%s: members of several inputs would have the same key", s->path);
    return rc;
}

static int finish_tree(struct pcri_container *s, struct pcr_error *err)
{
    struct pcri_tree tree = { .files = s->e };
    int rc = add_files(s, err);
    if (!rc)
        rc = pcri_folder_finish(s->path, s->opts, &tree, err);
    return rc ? rc : tell_files_apart(s, err);
}

int pcri_archives_finish(struct pcri_container *s, struct pcr_error *err)
{
    settle_others(s);
    if (!s->has_labels)
        return finish_tree(s, err);
    if (s->opts->layout)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: a layout is chosen, but samples have labels",
                         s->path);
    int rc = check_labels(s, err);
    if (!rc)
        rc = tell_rows_apart(s, err);
    return rc ? rc : pcri_list_finish(s->rows, s->opts, "", s->e, err);
}
