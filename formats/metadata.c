/* SPDX-License-Identifier: BSD-2-Clause */
/* Files metadata.csv and metadata.jsonl in a tree of images, as Hugging Face's imagefolder
 * has them: each row names an image by its path from the file's folder, `file_name`. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../libpcr/io/storage.h"
#include "label.h"
#include "metadata.h"

enum { METADATA_MAX_NBYTES = 1 << 30 };

struct metadata {
    struct pcri_tree *tree;
    const struct pcri_layout *layout;
    const struct pcr_source_options *opts;
    const struct pcri_names *given; /* classes */
    bool sure;
    struct pcri_list list; /* rows that name a sample; safe_key is its key */
    bool *described;       /* by sample: a row names it */
};

/* The first sample whose key is not below `key`. */
static size_t find_first(const struct pcri_entries *files, const char *key)
{
    return (size_t) PCRI_FIRST(i, 0, files->count,
                               strcmp(pcri_entries_at(files, i)->key, key) >= 0);
}

/* The sample with this key; files->count: none. */
static size_t find_sample(const struct pcri_entries *files, const char *key)
{
    size_t i = find_first(files, key);
    return i < files->count && !strcmp(pcri_entries_at(files, i)->key, key) ? i : files->count;
}

/* Two names for one class are a doubt: the folder's is kept only if it was asked for. */
static int check_label(const struct metadata *m, const struct pcri_list_row *row,
                       const struct pcri_input *sample, struct pcr_error *err)
{
    if (!m->sure || !sample->label_count || !row->attributes)
        return 0;
    json_t *object;
    int rc = pcri_json_parse(row->attributes, strlen(row->attributes), 0, &object, NULL, err);
    if (rc < 0)
        return rc;
    const char *label = json_string_value(json_object_get(object, "label"));
    const char *class_name = m->layout->class_names.shown[sample->labels[0]];
    if (label && strcmp(label, class_name) != 0)
        rc = pcri_fail_line(
            err, row->line,
            "label '%.60s' of '%.100s', but its folder is '%.60s'; choose layout '%s' for "
            "the labels of the folders, '%s' for these (pcrtool: --layout)",
            label, row->path, class_name,
            m->layout->split_names.count ? "split-class" : "class",
            m->layout->split_names.count ? "split" : "flat");
    json_decref(object);
    return rc;
}

/* Finds the row's sample; *keep is false if its file exists but is not a sample. */
static int match(struct metadata *m, const char *path, size_t folder_nbytes,
                 struct pcri_list_row *row, bool *keep, struct pcr_error *err)
{
    struct pcri_arena *arena = m->list.arena;
    unsigned long long line = row->line;
    *keep = false;
    if (!row->path || !*row->path)
        return pcri_fail_line(err, line, "no file_name");
    const char *whole = pcri_arena_join(arena, path, folder_nbytes, false, row->path, err);
    row->safe_key = whole ? pcri_safe_key(whole + m->tree->root_nbytes, arena, err) : NULL;
    if (!row->safe_key)
        return PCR_ERR_NOMEM;
    const size_t sample = find_sample(m->tree->files, row->safe_key);
    const bool found = sample < m->tree->files->count;
    if (!found && !PCRI_UNINTERRUPTED(access(whole, F_OK)))
        return 0;
    if (!found && pcri_is_unreachable(errno))
        return pcri_fail_line(err, line, "there is no file '%.200s'", row->path);
    if (!found)
        return pcri_fail_sys(err, errno, "line %llu: '%.200s'", line, row->path);
    bool *described = &m->described[sample];
    if (*described)
        return pcri_fail_line(err, line, "a second row for '%.200s'", row->path);
    *keep = *described = true;
    return check_label(m, row, pcri_entries_at(m->tree->files, sample), err);
}

/* Tells of images in the file's folder that it says nothing of. */
static int count_others(const struct metadata *m, const char *path, size_t folder_nbytes,
                        struct pcr_error *err)
{
    const struct pcri_entries *files = m->tree->files;
    size_t n = folder_nbytes - m->tree->root_nbytes, others = 0, all = 0;
    const char *folder = pcri_arena_strndup(m->list.arena, path + m->tree->root_nbytes, n,
                                            err);
    if (!folder)
        return PCR_ERR_NOMEM;
    for (size_t i = find_first(files, folder); i < files->count; i++) {
        if (strncmp(pcri_entries_at(files, i)->key, folder, n) != 0)
            break;
        all++;
        others += !m->described[i];
    }
    char reason[80];
    snprintf(reason, sizeof(reason), "it has no row for %zu of the %zu images in its folder",
             others, all);
    if (others && m->opts->noted)
        m->opts->noted(m->opts->context, path, reason);
    return 0;
}

static int read_rows(struct metadata *m, const char *path, const char *text, size_t nbytes,
                     struct pcr_error *err)
{
    size_t first = m->list.count, kept = first, n = strlen(path);
    size_t folder_nbytes = (size_t) (strrchr(path, '/') - path) + 1;
    bool csv = path[n - 1] == 'v', is = false;
    int rc = csv ? pcri_csv_is_metadata(text, nbytes, &is, err)
                 : pcri_jsonl_is_metadata(text, nbytes, &is, err);
    if (rc || !is)
        return rc;
    m->tree->files->ignored_count--;
    rc = csv ? pcri_csv_parse(text, nbytes, &m->list, err)
             : pcri_jsonl_parse(text, nbytes, &m->list, err);
    for (size_t i = first; i < m->list.count && !rc; i++) {
        struct pcri_list_row *row = pcri_list_at(&m->list, i);
        bool keep;
        rc = match(m, path, folder_nbytes, row, &keep, err);
        row->split = path; /* the rows of a file go together */
        if (keep)
            m->list.rows[kept++] = row;
    }
    if (!rc) {
        m->list.count = kept;
        rc = count_others(m, path, folder_nbytes, err);
    }
    return rc;
}

static int read_file(struct metadata *m, const char *path, struct pcr_error *err)
{
    struct pcri_arena source = { .folder = m->tree->files->folder };
    const char *text;
    size_t nbytes;
    m->list.source = &source;
    int rc = pcri_list_read(path, METADATA_MAX_NBYTES, &source, &text, &nbytes, err);
    if (!rc && (rc = read_rows(m, path, text, nbytes, err)))
        pcri_prefix(err, rc, "%s", path);
    pcri_arena_free(&source);
    m->list.source = NULL;
    return rc;
}

static int apply_rows(struct metadata *m, struct pcri_names *classes, struct pcr_error *err)
{
    if (!m->list.keep_labels) {
        int rc = pcri_list_settle_labels(&m->list, m->given, classes, err);
        if (rc)
            return pcri_prefix(err, rc, "%s", m->tree->metadata.items[0]);
    }
    for (size_t i = 0; i < m->list.count; i++) {
        const struct pcri_list_row *row = pcri_list_at(&m->list, i);
        const size_t sample = find_sample(m->tree->files, row->safe_key);
        pcri_list_describe(row, !m->list.keep_labels, pcri_entries_at(m->tree->files, sample));
    }
    return 0;
}

int pcri_metadata_apply(struct pcri_tree *t, const struct pcri_layout *l, bool sure,
                        const struct pcr_source_options *opts, const struct pcri_names *given,
                        struct pcri_names *classes_out, struct pcr_error *err)
{
    struct metadata m = { .tree = t, .layout = l, .opts = opts, .given = given, .sure = sure };
    if (!t->metadata.count)
        return 0;
    m.list.arena = &t->files->arena;
    m.list.beside = true;
    m.list.keep_labels = l->class_names.count > 0;
    m.described = pcri_calloc(t->files->count, sizeof(*m.described), err);
    int rc = m.described ? 0 : PCR_ERR_NOMEM;
    for (size_t i = 0; i < t->metadata.count && !rc; i++)
        rc = read_file(&m, t->metadata.items[i], err);
    if (!rc && m.list.count)
        rc = apply_rows(&m, classes_out, err);
    free(m.described);
    pcri_list_free(&m.list);
    return rc;
}
