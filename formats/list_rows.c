/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a list, as its formats fill them in. */
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/io/stream.h"
#include "list.h"

int pcri_fail_line(struct pcr_error *err, uint64_t line, const char *format, ...)
{
    char what[PCR_MESSAGE_NBYTES];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    return pcri_fail(err, PCR_ERR_INVAL, "line %llu: %s", (unsigned long long) line, what);
}

struct pcri_row_place pcri_row_place(const struct pcri_list_row *row)
{
    struct pcri_row_place p;
    if (row->file)
        snprintf(p.text, sizeof(p.text), "%s", row->path);
    else
        snprintf(p.text, sizeof(p.text), "line %llu", (unsigned long long) row->line);
    return p;
}

struct pcri_list_row *pcri_list_add(struct pcri_list *l, uint64_t line, struct pcr_error *err)
{
    if (PCRI_GROW(l->rows, l->capacity, l->count + 1, err))
        return NULL;
    struct pcri_list_row *row = pcri_arena_alloc(l->arena, sizeof(*row),
                                                 alignof(struct pcri_list_row), err);
    if (row) {
        memset(row, 0, sizeof(*row));
        row->line = line;
        l->rows[l->count++] = row;
    }
    return row;
}

void pcri_list_free(struct pcri_list *l)
{
    free(l->rows);
    free(l->texts);
    *l = (struct pcri_list) { .arena = l->arena };
}

enum { TEXTS = 1 << 14 }; /* that are remembered */

const char *pcri_list_text(struct pcri_list *l, const void *text, size_t nbytes,
                           struct pcr_error *err)
{
    if (!l->texts && !(l->texts = pcri_calloc(TEXTS, sizeof(*l->texts), err)))
        return NULL;
    const char **place = &l->texts[pcri_xxh3(text, nbytes) % TEXTS];
    if (*place && strlen(*place) == nbytes && !memcmp(*place, text, nbytes))
        return *place;
    const char *copy = pcri_arena_strndup(l->arena, text, nbytes, err);
    if (copy)
        *place = copy;
    return copy;
}

int pcri_row_attributes(struct pcri_list *l, struct pcri_list_row *row, const json_t *object,
                        struct pcr_error *err)
{
    char *text;
    if (!json_object_size(object))
        return 0;
    if (pcri_json_text(object, &text, err))
        return PCR_ERR_NOMEM;
    row->attributes = pcri_arena_strndup(l->arena, text, strlen(text), err);
    free(text);
    return row->attributes ? 0 : PCR_ERR_NOMEM;
}

int pcri_list_read(const char *path, uint64_t max_nbytes, struct pcri_arena *arena,
                   const char **text, size_t *nbytes, struct pcr_error *err)
{
    enum { PIECE = 256 << 10 };
    struct pcri_file_stream *f;
    char *out = NULL;
    *text = NULL;
    *nbytes = 0;
    int rc = pcri_stream_open(path, NULL, &f, err);
    if (rc)
        return rc;
    const uint64_t n = pcri_stream_nbytes(f);
    if (n > max_nbytes || n >= SIZE_MAX)
        rc = pcri_fail(err, PCR_ERR_LIMIT, "%s: %llu bytes, the limit is %llu", path,
                       (unsigned long long) n, (unsigned long long) max_nbytes);
    else if (!(out = pcri_arena_alloc(arena, (size_t) n + 1, 1, err)))
        rc = PCR_ERR_NOMEM;
    for (size_t have = 1; !rc && *nbytes < n && have; *nbytes += have) {
        const uint8_t *p;
        rc = pcri_stream_get(f, *nbytes, PIECE, &p, &have, err);
        pcri_arena_touch(arena, out + *nbytes);
        if (!rc && have)
            memcpy(out + *nbytes, p, have);
    }
    pcri_stream_close(&f);
    *text = out;
    return rc;
}

const char *pcri_after_mark(const char *text, const char *end)
{
    return end - text >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? text + 3 : text;
}
