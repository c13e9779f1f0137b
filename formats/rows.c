/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a list or a container made into samples: their keys, splits, classes and labels. */
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "../libpcr/io/storage.h"
#include "label.h"
#include "list.h"

/* --- splits --- */

/* Rows of one split under two names. */
static int check_splits(const struct pcri_names *n, struct pcr_error *err)
{
    for (uint32_t i = 1; i < n->count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (!strcasecmp(n->raw[i], n->raw[k]))
                return pcri_fail(
                    err, PCR_ERR_INVAL,
                    "splits '%s' and '%s' differ only in case: give them one name",
                    n->shown[k], n->shown[i]);
    return 0;
}

static int settle_splits(const struct pcri_list *l, struct pcri_names *splits,
                         struct pcr_error *err)
{
    const char **list = pcri_malloc(l->count, sizeof(*list), err);
    size_t count = 0;
    if (!list)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < l->count; i++)
        if (pcri_list_at(l, i)->split)
            list[count++] = pcri_list_at(l, i)->split;
    int rc = pcri_names_make(splits, list, count, l->arena, err);
    free(list);
    for (size_t i = 0; i < l->count && splits->count && !rc; i++)
        if (!pcri_list_at(l, i)->split)
            rc = pcri_row_fail(err, pcri_list_at(l, i), "no split, but others have one");
    return rc ? rc : check_splits(splits, err);
}

/* --- samples --- */

void pcri_list_describe(const struct pcri_list_row *row, bool labels, struct pcri_input *e)
{
    e->attributes = row->attributes;
    if (!labels)
        return;
    e->single = row->single;
    e->labels = row->labels == &row->single.i ? &e->single.i : row->labels;
    e->float_labels = row->float_labels == &row->single.d ? &e->single.d : row->float_labels;
    e->label_count = row->label_count;
}

void pcri_list_locate(const struct pcri_list_row *r, struct pcri_input *e)
{
    e->path = r->path;
    e->file = r->file;
    e->spooled = r->spooled;
    e->has_crc = r->has_crc;
    e->crc = r->crc;
    e->offset = r->offset;
    e->nbytes = r->nbytes;
    e->revision = r->revision;
    e->info = r->info;
    e->blob_count = r->blob_count;
    e->blobs = r->blobs;
    e->blob_places = r->blob_places;
}

/* Size and time of the file that the row names. */
static int examine(struct pcri_input *item, struct pcr_error *err)
{
    struct stat st;
    if (!PCRI_UNINTERRUPTED(stat(item->path, &st))) {
        pcri_input_examined(item, &st);
    } else if (!pcri_is_unreachable(errno)) { /* else loading it says why not */
        return pcri_fail_sys(err, errno, "%s: cannot stat", item->path);
    }
    return 0;
}

static int add_entry(struct pcri_entries *e, const struct pcri_list_row *r, const char *root,
                     const struct pcri_names *splits, struct pcr_error *err)
{
    struct pcri_input *item = pcri_entries_add(e, err);
    if (!item)
        return PCR_ERR_NOMEM;
    item->key = r->safe_key;
    pcri_list_describe(r, true, item);
    item->split = splits->count ? pcri_names_find(splits, r->split) : 0;
    if (r->file) {
        pcri_list_locate(r, item);
        return 0;
    }
    const char *base = r->path[0] == '/' ? "" : root;
    item->path = pcri_arena_join(&e->arena, base, strlen(base), false, r->path, err);
    return item->path ? examine(item, err) : PCR_ERR_NOMEM;
}

int pcri_list_finish(struct pcri_list *l, const struct pcr_source_options *opts,
                     const char *root, struct pcri_entries *e, struct pcr_error *err)
{
    struct pcri_names given, classes = { 0 }, splits = { 0 };
    int rc = pcri_list_make_keys(l, err);
    if (!rc)
        rc = pcri_names_given(&given, opts->classes, opts->class_count, l->arena, err);
    if (!rc)
        rc = pcri_list_settle_labels(l, &given, &classes, err);
    if (!rc)
        rc = settle_splits(l, &splits, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < l->count && !rc; i++)
        rc = add_entry(e, pcri_list_at(l, i), root, &splits, err);
    if (!rc)
        pcri_entries_finish(e, classes.count ? &classes : NULL, splits.count ? &splits : NULL);
    return rc;
}
