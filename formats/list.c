/* SPDX-License-Identifier: BSD-2-Clause */
/* Importer of lists: CSV and JSONL files that name images. */
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "importer.h"
#include "list.h"

#define LIST_MAX_NBYTES (UINT64_C(4) << 30)

static bool has_ending(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && !strcasecmp(path + n - m, ending);
}

static bool probe(const struct pcri_candidate *c)
{
    return S_ISREG(c->st.st_mode) &&
           (has_ending(c->path, ".csv") || has_ending(c->path, ".tsv") ||
            has_ending(c->path, ".jsonl"));
}

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

static int parse(const char *path, const char *text, size_t nbytes, struct pcri_list *list,
                 struct pcr_error *err)
{
    int rc = has_ending(path, ".jsonl") ? pcri_jsonl_parse(text, nbytes, list, err)
                                        : pcri_csv_parse(text, nbytes, list, err);
    if (!rc && !list->count)
        rc = pcri_fail(err, PCR_ERR_INVAL, "no images in this list");
    return rc;
}

static int open_list(const char *path, const struct pcr_source_options *opts,
                     struct pcr_source **out, struct pcr_error *err)
{
    struct pcri_entries *e = NULL;
    struct pcri_arena source = { 0 };
    struct pcri_list list = { .source = &source };
    const char *text;
    size_t nbytes;
    if (opts->layout || opts->extension_count || opts->flags & PCR_SOURCE_ALL_FILES)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: %s to folders, not to lists", path,
                         opts->layout ? "layout applies" : "choices of files apply");
    int rc = pcri_entries_create(opts->spool_folder, &e, err);
    if (rc)
        return rc;
    source.folder = e->folder;
    rc = pcri_list_read(path, LIST_MAX_NBYTES, &source, &text, &nbytes, err);
    if (rc)
        goto end;
    list.arena = &e->arena;
    const char *root = find_root(path, opts, &e->arena, err);
    rc = root ? parse(path, text, nbytes, &list, err) : PCR_ERR_NOMEM;
    if (!rc)
        rc = pcri_list_finish(&list, opts, root, e, err);
    if (rc)
        pcri_prefix(err, rc, "%s", path);
end:
    pcri_arena_free(&source);
    pcri_list_free(&list);
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
