/* SPDX-License-Identifier: BSD-2-Clause */
/* A source made of files in the file system: what all importers of such files share. */
#include <stdalign.h>
#include <stdlib.h>
#include <zlib.h>

#include "../libpcr/base/utf8.h"
#include "../libpcr/io/io.h"
#include "entries.h"

/* --- names --- */

int pcri_compare_texts(const void *a, const void *b)
{
    const char *x = *(const char *const *) a, *y = *(const char *const *) b;
    return x == y ? 0 : strcmp(x, y);
}

static const char **find_name(const struct pcri_names *n, const char *raw)
{
    return n->count ? bsearch(&raw, n->raw, n->count, sizeof(*n->raw), pcri_compare_texts)
                    : NULL;
}

/* The name as UTF-8; itself if it is that already. */
static const char *show(const char *raw, struct pcri_arena *arena, struct pcr_error *err)
{
    size_t n = strlen(raw);
    if (pcri_utf8_valid(raw, n))
        return raw;
    struct pcr_buffer text = { 0 };
    char *shown = NULL;
    if (!pcri_utf8_escape(raw, n, &text, err))
        shown = pcri_arena_strndup(arena, text.data, text.nbytes, err);
    pcr_buffer_free(&text);
    return shown;
}

int pcri_names_make(struct pcri_names *n, const char **list, size_t count,
                    struct pcri_arena *arena, struct pcr_error *err)
{
    size_t unique = 0;
    if (count)
        qsort(list, count, sizeof(*list), pcri_compare_texts);
    for (size_t i = 0; i < count; i++)
        if (!unique || strcmp(list[unique - 1], list[i]) != 0)
            list[unique++] = list[i];
    if (unique > INT32_MAX)
        return pcri_fail(err, PCR_ERR_LIMIT, "%zu names of classes, at most %d are possible",
                         unique, INT32_MAX);

    n->count = (uint32_t) unique;
    n->raw = pcri_arena_alloc(arena, unique * sizeof(char *), alignof(char *), err);
    n->shown = pcri_arena_alloc(arena, unique * sizeof(char *), alignof(char *), err);
    if (!n->raw || !n->shown)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < unique; i++) {
        n->raw[i] = list[i];
        n->shown[i] = show(list[i], arena, err);
        if (!n->shown[i])
            return PCR_ERR_NOMEM;
    }
    return 0;
}

int pcri_names_given(struct pcri_names *n, const char *const *list, size_t count,
                     struct pcri_arena *arena, struct pcr_error *err)
{
    *n = (struct pcri_names) { 0 };
    if (!count)
        return 0;
    const char **copies = pcri_arena_alloc(arena, count * sizeof(char *), alignof(char *),
                                           err);
    const char **sorted = pcri_malloc(count, sizeof(char *), err);
    int rc = copies && sorted ? 0 : PCR_ERR_NOMEM;
    for (size_t i = 0; i < count && !rc; i++) {
        if (!list[i] || !*list[i])
            rc = pcri_fail(err, PCR_ERR_INVAL, "class %zu of those given has no name", i);
        else if (!(copies[i] = pcri_arena_strndup(arena, list[i], strlen(list[i]), err)))
            rc = PCR_ERR_NOMEM;
        else
            sorted[i] = copies[i];
    }
    if (!rc)
        rc = pcri_names_make(n, sorted, count, arena, err);
    free(sorted);
    if (!rc && !(n->numbers = pcri_arena_alloc(arena, count * sizeof(*n->numbers),
                                               alignof(uint32_t), err)))
        rc = PCR_ERR_NOMEM;
    const char **shown = n->shown;
    if (!rc &&
        !(n->shown = pcri_arena_alloc(arena, count * sizeof(char *), alignof(char *), err)))
        rc = PCR_ERR_NOMEM;
    for (size_t i = 0; i < count && !rc; i++) {
        const char **hit = find_name(n, copies[i]);
        if (*hit != copies[i] && n->count < count) /* another of the same text was kept */
            rc = pcri_fail(err, PCR_ERR_INVAL, "class '%.100s' is given twice", copies[i]);
        n->numbers[hit - n->raw] = (uint32_t) i;
        n->shown[i] = shown[hit - n->raw];
    }
    return rc;
}

bool pcri_names_has(const struct pcri_names *n, const char *raw)
{
    return find_name(n, raw) != NULL;
}

uint32_t pcri_names_find(const struct pcri_names *n, const char *raw)
{
    size_t i = (size_t) (find_name(n, raw) - n->raw);
    return n->numbers ? n->numbers[i] : (uint32_t) i;
}

/* --- the source --- */

static int describe(void *context, uint64_t index, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    const struct pcri_entries *e = context;
    if (index >= e->count)
        return pcri_fail(err, PCR_ERR_INVAL, "no sample %llu: the source has %zu",
                         (unsigned long long) index, e->count);
    const struct pcri_input *item = pcri_entries_at(e, index);
    pcri_arena_touch(&e->arena, item->key);
    pcri_arena_touch(&e->arena, item->attributes);
    const struct pcr_source_sample found = {
        .key = item->key,
        .path = item->path,
        .attributes = item->attributes,
        .labels = item->labels,
        .float_labels = item->float_labels,
        .label_count = item->label_count,
        .split = item->split,
        .nbytes = item->nbytes,
        .revision = item->revision,
        .blobs = item->blobs,
        .blob_count = item->blob_count,
        .file = item->info,
    };
    return pcri_info_copy(out, "pcr_source_sample", &found, sizeof(found), err);
}

void pcri_input_examined(struct pcri_input *e, const struct stat *st)
{
    const int64_t seconds = st->st_mtim.tv_sec;
    e->nbytes = (uint64_t) st->st_size;
    e->revision = pcri_revision(st);
    e->info = (struct pcr_file_info) { .known = PCR_FILE_MODE, .mode = st->st_mode & 0777 };
    if (seconds >= INT64_MIN / 1000000000 && seconds < INT64_MAX / 1000000000) {
        e->info.known |= PCR_FILE_TIME;
        e->info.mtime_ns = seconds * 1000000000 + st->st_mtim.tv_nsec;
    }
}

bool pcri_is_unreachable(int sys_errno)
{
    return sys_errno == ENOENT || sys_errno == ENOTDIR || sys_errno == EACCES ||
           sys_errno == ELOOP || sys_errno == ENAMETOOLONG;
}

static int load_spooled(const struct pcri_entries *e, const struct pcri_place *p,
                        uint64_t max_nbytes, struct pcr_buffer *out, struct pcr_error *err)
{
    if (p->nbytes > max_nbytes)
        return pcri_fail(err, PCR_ERR_LIMIT, "%llu bytes, the limit is %llu",
                         (unsigned long long) p->nbytes, (unsigned long long) max_nbytes);
    int rc = pcri_buffer_reserve(out, (size_t) p->nbytes + !p->nbytes, err);
    out->nbytes = rc ? 0 : (size_t) p->nbytes;
    return rc ? rc : pcri_spool_read(&e->spool, out->data, out->nbytes, p->offset, err);
}

static int load_place(const struct pcri_entries *e, const struct pcri_place *p,
                      uint64_t max_nbytes, struct pcr_buffer *out, struct pcr_error *err)
{
    int rc = p->spooled ? load_spooled(e, p, max_nbytes, out, err)
                        : pcri_read_part(p->file, p->offset, p->nbytes, max_nbytes, out, err);
    if (!rc && p->has_crc && (uint32_t) crc32_z(0, out->data, out->nbytes) != p->crc)
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "its CRC-32 is not that of the archive");
    return rc;
}

static int load(void *context, uint64_t index, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err)
{
    const struct pcri_entries *e = context;
    if (index >= e->count)
        return pcri_fail(err, PCR_ERR_INVAL, "no sample %llu: the source has %zu",
                         (unsigned long long) index, e->count);
    const struct pcri_input *item = pcri_entries_at(e, index);
    /* The writer tries again, and names it. */
    if (!item->file)
        return pcri_read_regular(item->path, max_nbytes, out, err);
    const struct pcri_place place = { item->file,    item->offset,  item->nbytes,
                                      item->spooled, item->has_crc, item->crc };
    return load_place(e, &place, max_nbytes, out, err);
}

static int load_blob(void *context, uint64_t index, uint32_t blob, uint64_t max_nbytes,
                     struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcri_entries *e = context;
    if (index >= e->count || blob >= pcri_entries_at(e, index)->blob_count)
        return pcri_fail(err, PCR_ERR_INVAL, "no blob %u of sample %llu", (unsigned) blob,
                         (unsigned long long) index);
    return load_place(e, &e->items[index]->blob_places[blob], max_nbytes, out, err);
}

static void destroy(void *context)
{
    struct pcri_entries *e = context;
    if (e->has_spool)
        pcri_spool_close(&e->spool);
    pcri_arena_free(&e->arena);
    free(e->folder);
    free(e->items);
    free(e->left_out);
    free(e);
}

int pcri_entries_create(const char *folder, struct pcri_entries **out, struct pcr_error *err)
{
    struct pcri_entries *e = pcri_calloc(1, sizeof(*e), err);
    *out = e;
    if (!e)
        return PCR_ERR_NOMEM;
    folder = pcri_spool_folder(folder);
    e->folder = pcri_strndup(folder, strlen(folder), err);
    e->arena.folder = e->folder;
    if (e->folder)
        return 0;
    pcri_entries_destroy(out);
    return PCR_ERR_NOMEM;
}

struct pcri_input *pcri_entries_add(struct pcri_entries *e, struct pcr_error *err)
{
    if (PCRI_GROW(e->items, e->capacity, e->count + 1, err))
        return NULL;
    struct pcri_input *item = pcri_arena_alloc(&e->arena, sizeof(*item),
                                               alignof(struct pcri_input), err);
    if (item) {
        memset(item, 0, sizeof(*item));
        e->items[e->count++] = item;
    }
    return item;
}

int pcri_entries_leave_out(struct pcri_entries *e, const struct pcri_input *item,
                           const char *reason, struct pcr_error *err)
{
    if (PCRI_GROW(e->left_out, e->left_out_capacity, e->left_out_count + 1, err))
        return PCR_ERR_NOMEM;
    e->left_out[e->left_out_count++] = (struct pcr_left_out) { item->path, item->key, reason };
    return 0;
}

void pcri_entries_finish(struct pcri_entries *e, const struct pcri_names *classes,
                         const struct pcri_names *splits)
{
    struct pcr_source *s = &e->source;
    s->size = sizeof(*s);
    s->context = e;
    s->sample_count = e->count;
    s->class_count = classes ? classes->count : 0;
    s->class_names = classes ? classes->shown : NULL;
    s->split_names = splits ? splits->shown : NULL;
    s->split_count = splits ? splits->count : 1;
    s->left_out = e->left_out;
    s->left_out_count = e->left_out_count;
    s->ignored_count = e->ignored_count;
    s->describe = describe;
    s->load = load;
    s->load_blob = load_blob;
    s->close = destroy;
}

void pcri_entries_destroy(struct pcri_entries **e)
{
    if (e && *e)
        destroy(*e);
    if (e)
        *e = NULL;
}
