/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders of shards with an index.json. */
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/io/io.h"
#include "../libpcr/io/storage.h"
#include "../libpcr/io/stream.h"
#include "folder_names.h"
#include "shards.h"

static const char index_name[] = "index.json";
enum { MOST_INDEX_NBYTES = 256 << 20 };

/* --- folders --- */

/* No memory is taken: whether there is some must not decide what a folder is. Errors are those of
 * the machine. */
static int find_index(const char *folder, const char *split, const char *member, bool *found,
                      struct pcr_error *err)
{
    char path[4096], text[1025] = "", quoted[32];
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    size_t n = 0;
    int length = snprintf(path, sizeof(path), "%s/%s%s%s", folder, split, *split ? "/" : "",
                          index_name);
    int rc = length < 0 || (size_t) length >= sizeof(path)
                 ? PCR_ERR_INVAL
                 : pcri_read_beginning(path, text, sizeof(text) - 1, &n, &why);
    text[rc ? 0 : n] = '\0';
    snprintf(quoted, sizeof(quoted), "\"%s\"", member);
    *found = text[strspn(text, " \t\r\n")] == '{' && strstr(text, quoted);
    if ((rc == PCR_ERR_IO || rc == PCR_ERR_NOMEM) && why.sys_errno != ENOENT &&
        why.sys_errno != ENOTDIR)
        return pcri_prefix(err, pcri_hand_on(err, rc, &why), "%s", path);
    return 0;
}

bool pcri_shards_probe(const char *folder, const char *member)
{
    static const char *const usual[] = { "", "train", "val", "test", "valid", "validation" };
    bool is = false;
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) && !is; i++)
        is = !find_index(folder, usual[i], member, &is, NULL) && is;
    return is;
}

/* The folders of a folder that are splits of one member's kind. */
struct splits {
    const char *folder, *member;
    struct pcri_arena *arena;
    const char **names;
    size_t count, capacity;
};

static int visit(void *context, const char *name, struct pcr_error *err)
{
    struct splits *f = context;
    bool found = false;
    int rc = pcri_is_split_name(name) ? find_index(f->folder, name, f->member, &found, err)
                                      : 0;
    if (rc || !found)
        return rc;
    if (PCRI_GROW(f->names, f->capacity, f->count + 1, err))
        return PCR_ERR_NOMEM;
    const char *copy = pcri_arena_strndup(f->arena, name, strlen(name), err);
    if (!copy)
        return PCR_ERR_NOMEM;
    f->names[f->count++] = copy;
    return 0;
}

int pcri_shards_folders(struct pcri_container *s, const char *member,
                        int (*scan)(struct pcri_container *s, const char *folder,
                                    const char *prefix, struct pcr_error *err),
                        struct pcr_error *err)
{
    bool found;
    int rc = find_index(s->path, "", member, &found, err);
    if (rc || found)
        return rc ? rc : scan(s, s->path, s->name, err);
    const char *given = s->split;
    struct splits f = { .folder = s->path, .member = member, .arena = &s->e->arena };
    rc = pcri_storage_list(&pcri_files, s->path, visit, &f, err);
    if (!rc && !f.count)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "%s: neither it nor a split's folder in it has an "
                       "%s with '%s'",
                       s->path, index_name, member);
    if (!rc)
        qsort(f.names, f.count, sizeof(*f.names), pcri_compare_texts);
    for (size_t i = 0; i < f.count && !rc; i++) {
        const char *path = pcri_arena_join(f.arena, s->path, strlen(s->path), true, f.names[i],
                                           err);
        const char *prefix = path ? pcri_arena_join(f.arena, s->name, strlen(s->name), true,
                                                    f.names[i], err)
                                  : NULL;
        s->split = given && !s->split_is_guess ? given : f.names[i];
        rc = prefix ? scan(s, path, prefix, err) : PCR_ERR_NOMEM;
    }
    s->split = given;
    free(f.names);
    return rc;
}

/* --- the index --- */

int pcri_shards_bad_index(struct pcri_shards *g, struct pcr_error *err, const char *what)
{
    const char *path = pcri_arena_join(&g->s->e->arena, g->folder, strlen(g->folder), true,
                                       index_name, err);
    return path ? pcri_container_damaged(g->s, path, 0, err, "%s", what) : PCR_ERR_NOMEM;
}

int pcri_shards_begin(struct pcri_shards *g, struct pcri_container *s, const char *folder,
                      const char *prefix, struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    struct pcri_json_fault fault;
    *g = (struct pcri_shards) { .s = s, .folder = folder, .x = { .prefix = prefix } };
    char *path = pcri_join(folder, index_name, err);
    int rc = path ? pcri_storage_read(&pcri_files, path, MOST_INDEX_NBYTES, PCRI_TRIES_AGAIN,
                                      &text, err)
                  : PCR_ERR_NOMEM;
    if (!rc)
        rc = pcri_json_parse((const char *) text.data, text.nbytes, PCRI_JSON_DUPLICATES,
                             &g->index, &fault, err);
    if (rc == 1)
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "%s, byte %zu: %s", path, fault.offset,
                       fault.what);
    else if (!rc && !json_is_object(g->index))
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "%s: no JSON object", path);
    free(path);
    pcr_buffer_free(&text);
    return rc;
}

void pcri_shards_end(struct pcri_shards *g)
{
    json_decref(g->index);
    free(g->columns);
    pcri_example_free(&g->x);
}

int pcri_shards_column(struct pcri_shards *g, const struct pcri_shard_column *c,
                       struct pcr_error *err)
{
    if (PCRI_GROW(g->columns, g->column_room, g->column_count + 1, err))
        return PCR_ERR_NOMEM;
    g->columns[g->column_count++] = *c;
    return 0;
}

int pcri_shards_find(struct pcri_shards *g, const char *name, struct pcri_shard_file *out,
                     bool *there, struct pcr_error *err)
{
    struct pcri_arena *arena = &g->s->e->arena;
    const char *safe = pcri_safe_key(name, arena, err);
    *there = false;
    if (!safe)
        return PCR_ERR_NOMEM;
    if (!*name || strcmp(safe, name) != 0)
        return pcri_shards_bad_index(g, err, "the name of a file leads out of the folder");
    out->path = pcri_arena_join(arena, g->folder, strlen(g->folder), true, name, err);
    if (!out->path)
        return PCR_ERR_NOMEM;
    struct pcri_file_stream *f;
    struct pcr_error why = { 0 };
    int rc = pcri_stream_open(out->path, NULL, &f, &why);
    if (rc == PCR_ERR_IO && why.sys_errno == ENOENT)
        return 0;
    *there = !rc;
    if (!rc)
        g->s->revision = pcri_stream_revision(f);
    pcri_stream_close(&f);
    return pcri_hand_on(err, rc, &why);
}

/* --- samples --- */

/* The sizes of a sample's columns; how many bytes they take themselves. UINT64_MAX: more than
 * there are, or others than there are. */
static size_t sum_up(const struct pcri_shards *g, const uint8_t *p, size_t nbytes)
{
    uint64_t sum = 0;
    size_t table = 0;
    for (size_t i = 0; i < g->column_count; i++)
        table += g->columns[i].is_fixed ? 0 : 4;
    if (table > nbytes)
        return SIZE_MAX;
    for (size_t i = 0, k = 0; i < g->column_count && sum <= nbytes; i++)
        sum += g->columns[i].is_fixed ? g->columns[i].nbytes : pcri_load32(p + 4 * k++);
    return sum == nbytes - table ? table : SIZE_MAX;
}

static int take_sample(struct pcri_shards *g, const uint8_t *p, size_t nbytes, uint64_t offset,
                       struct pcr_error *err)
{
    size_t table = sum_up(g, p, nbytes), at = table, k = 0;
    g->x.offset = offset;
    pcri_example_clear(&g->x);
    if (table == SIZE_MAX)
        return pcri_container_damaged(g->s, g->x.file, offset, err,
                                      "record %llu: the sizes of its columns are wrong",
                                      (unsigned long long) g->x.number);
    for (size_t i = 0; i < g->column_count; i++) {
        const struct pcri_shard_column *c = &g->columns[i];
        size_t n = c->is_fixed ? (size_t) c->nbytes : pcri_load32(p + 4 * k++);
        struct pcri_value *v = pcri_example_value(&g->x, c->name, strlen(c->name), err);
        bool bad = false;
        int rc = v ? g->take(c, p + at, n, v, &bad, err) : PCR_ERR_NOMEM;
        if (rc)
            return rc;
        if (bad)
            return pcri_container_damaged(
                g->s, g->x.file, offset + at, err, "record %llu: column '%.64s' is no %.64s",
                (unsigned long long) g->x.number, c->name, c->encoding);
        v->offset = offset + at;
        at += n;
    }
    return pcri_example_add(g->s, &g->x, err);
}

/* The number of samples and the places; *out is malloc'd, *count + 1 of them. NULL: damaged. */
static int read_places(struct pcri_shards *g, struct pcri_file_stream *f, uint64_t expected,
                       uint32_t **out, uint32_t *count, struct pcr_error *err)
{
    const uint8_t *p;
    size_t have;
    *out = NULL;
    int rc = pcri_stream_get(f, 0, 4, &p, &have, err);
    if (rc)
        return rc;
    *count = have < 4 ? 0 : pcri_load32(p);
    if (have < 4 || *count != expected)
        return pcri_container_damaged(g->s, g->x.file, 0, err,
                                      "it says that it has %lu samples, but index.json %llu",
                                      (unsigned long) *count, (unsigned long long) expected);
    size_t nbytes = 4 * ((size_t) *count + 1);
    rc = pcri_stream_get(f, 4, nbytes, &p, &have, err);
    if (rc)
        return rc;
    if (have < nbytes)
        return pcri_container_damaged(g->s, g->x.file, 4, err,
                                      "it ends within the places of its samples");
    *out = pcri_malloc((uint64_t) *count + 1, sizeof(**out), err);
    for (uint32_t i = 0; *out && i <= *count; i++)
        (*out)[i] = pcri_load32(p + 4 * (size_t) i);
    return *out ? 0 : PCR_ERR_NOMEM;
}

static int read_samples(struct pcri_shards *g, struct pcri_file_stream *f,
                        const uint32_t *places, uint32_t count, struct pcr_error *err)
{
    uint64_t least = 4 + 4 * ((uint64_t) count + 1), end = pcri_stream_nbytes(f);
    int rc = 0;
    for (uint32_t i = 0; i < count && !rc; i++, g->x.number++) {
        const uint8_t *p = NULL;
        size_t have, n = places[i + 1] - (size_t) places[i];
        if (places[i] < least || places[i + 1] < places[i]) {
            rc = pcri_container_damaged(g->s, g->x.file, 4 + 4 * (uint64_t) i, err,
                                        "record %llu: its place %lu is wrong",
                                        (unsigned long long) g->x.number,
                                        (unsigned long) places[i]);
            continue;
        }
        least = places[i];
        have = 0;
        if (places[i + 1] <= end && n <= PCRI_STREAM_MOST)
            rc = pcri_stream_get(f, places[i], n, &p, &have, err);
        if (!rc && have < n)
            rc = pcri_container_damaged(g->s, g->x.file, places[i], err,
                                        "record %llu: the file ends within it",
                                        (unsigned long long) g->x.number);
        else if (!rc)
            rc = take_sample(g, p, n, places[i], err);
    }
    return rc;
}

int pcri_shards_read(struct pcri_shards *g, const struct pcri_shard_file *shard,
                     struct pcr_error *err)
{
    struct pcri_file_stream *f;
    uint32_t *places = NULL, count = 0;
    struct pcr_error why = { 0 };
    uint64_t first = g->x.number;
    g->x.file = shard->path;
    g->x.spool = shard->packing != NULL;
    int rc = pcri_stream_open(shard->path, shard->packing, &f, &why);
    if (!rc)
        rc = read_places(g, f, shard->sample_count, &places, &count, &why);
    if (!rc && places)
        rc = read_samples(g, f, places, count, &why);
    if (shard->packing &&
        (rc == PCR_ERR_TRUNCATED || (rc == PCR_ERR_CORRUPT && why.offset != PCR_NO_OFFSET)))
        rc = pcri_container_damaged(g->s, shard->path, why.offset, err, "%s", why.message);
    else
        pcri_hand_on(err, rc, &why);
    g->x.number = first + shard->sample_count;
    free(places);
    pcri_stream_close(&f);
    return rc;
}
