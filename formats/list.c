/* SPDX-License-Identifier: BSD-2-Clause */
/* Importer of lists: rows of a CSV or JSONL file made into samples. */
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "../libpcr/io/storage.h"
#include "importer.h"
#include "label.h"
#include "list.h"

#define LIST_MAX_NBYTES (UINT64_C(4) << 30)

static bool has_ending(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && !strcasecmp(path + n - m, ending);
}

static bool probe(const char *path, const struct stat *st)
{
    return S_ISREG(st->st_mode) && (has_ending(path, ".csv") || has_ending(path, ".tsv") ||
                                    has_ending(path, ".jsonl"));
}

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
        if (l->rows[i].split)
            list[count++] = l->rows[i].split;
    int rc = pcri_names_make(splits, list, count, l->arena, err);
    free(list);
    for (size_t i = 0; i < l->count && splits->count && !rc; i++)
        if (!l->rows[i].split)
            rc = pcri_fail_line(err, l->rows[i].line, "no split, but other lines have one");
    return rc ? rc : check_splits(splits, err);
}

/* --- entries --- */

/* The folder that relative paths start from, with its slash; "" for the current one. */
static char *find_root(const char *path, const struct pcr_source_options *opts,
                       struct pcri_arena *arena, struct pcr_error *err)
{
    const char *root = opts->root ? opts->root : path;
    const char *slash = opts->root ? root + strlen(root) : strrchr(path, '/');
    size_t n = slash ? (size_t) (slash - root) : 0;
    if (!slash || (opts->root && n == 0))
        return pcri_arena_strndup(arena, "", 0, err);
    while (n && root[n - 1] == '/')
        n--;
    return pcri_arena_join(arena, root, n, true, "", err);
}

void pcri_list_describe(const struct pcri_list_row *row, bool labels, struct pcri_input *e)
{
    e->attributes = row->attributes;
    if (!labels)
        return;
    e->labels = row->labels;
    e->float_labels = row->float_labels;
    e->label_count = row->label_count;
}

static int add_entry(struct pcri_entries *e, const struct pcri_list_row *r, const char *root,
                     const struct pcri_names *splits, struct pcr_error *err)
{
    struct pcri_input *item = pcri_entries_add(e, err);
    if (!item)
        return PCR_ERR_NOMEM;
    const char *base = r->path[0] == '/' ? "" : root;
    char *path = pcri_arena_join(&e->arena, base, strlen(base), false, r->path, err);
    if (!path)
        return PCR_ERR_NOMEM;
    item->path = path;
    item->key = r->safe_key;
    pcri_list_describe(r, true, item);
    item->split = splits->count ? pcri_names_find(splits, r->split) : 0;
    struct stat st;
    if (!PCRI_UNINTERRUPTED(stat(path, &st))) {
        item->nbytes = (uint64_t) st.st_size;
        item->revision = (uint64_t) st.st_mtim.tv_sec * 1000000000u +
                         (uint64_t) st.st_mtim.tv_nsec;
    } else if (!pcri_is_unreachable(errno)) { /* else loading it says why not */
        return pcri_fail_sys(err, errno, "%s: cannot stat", path);
    }
    return 0;
}

static int make_entries(const char *path, const struct pcr_source_options *opts,
                        struct pcri_list *l, struct pcri_entries *e, struct pcr_error *err)
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
    const char *root = find_root(path, opts, &e->arena, err);
    if (!root)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < l->count && !rc; i++)
        rc = add_entry(e, &l->rows[i], root, &splits, err);
    if (!rc)
        pcri_entries_finish(e, classes.count ? &classes : NULL, splits.count ? &splits : NULL);
    return rc;
}

static int parse(const char *path, const struct pcr_buffer *text, struct pcri_list *list,
                 struct pcr_error *err)
{
    const char *bytes = (const char *) text->data;
    int rc = has_ending(path, ".jsonl") ? pcri_jsonl_parse(bytes, text->nbytes, list, err)
                                        : pcri_csv_parse(bytes, text->nbytes, list, err);
    if (!rc && !list->count)
        rc = pcri_fail(err, PCR_ERR_INVAL, "no images in this list");
    return rc;
}

static int open_list(const char *path, const struct pcr_source_options *opts,
                     struct pcr_source **out, struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    struct pcri_entries *e = NULL;
    struct pcri_list list = { 0 };
    if (opts->layout || opts->extension_count || opts->flags)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: %s to folders, not to lists", path,
                         opts->layout ? "layout applies" : "choices of files apply");
    int rc = pcri_storage_read(&pcri_files, path, LIST_MAX_NBYTES, PCRI_TRIES_AGAIN, &text,
                               err);
    if (!rc)
        rc = pcri_entries_create(&e, err);
    if (rc)
        goto end;
    list.arena = &e->arena;
    rc = parse(path, &text, &list, err);
    if (!rc)
        rc = make_entries(path, opts, &list, e, err);
    if (rc)
        pcri_prefix(err, rc, "%s", path);
end:
    pcr_buffer_free(&text);
    free(list.rows);
    if (rc)
        pcri_entries_destroy(&e);
    else
        *out = &e->source;
    return rc;
}

const struct pcri_importer pcri_import_list = {
    .name = "list",
    .probe = probe,
    .open = open_list,
};
