/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the blobs of a record lie: written and read. */
#include <stdlib.h>

#include "../base/utf8.h"
#include "blobs.h"

/* --- one sample's --- */

bool pcri_blob_name_ok(const char *name)
{
    return name && *name && pcri_utf8_valid(name, strlen(name));
}

int pcri_blob_list_add(struct pcri_blob_list *l, const char *name, struct pcr_buffer *bytes,
                       struct pcr_error *err)
{
    uint32_t at = 0;
    while (at < l->count && strcmp(l->items[at].name, name) < 0)
        at++;
    if (at < l->count && !strcmp(l->items[at].name, name))
        return pcri_fail(err, PCR_ERR_INVAL, "two blobs named '%.100s'", name);
    int rc = pcri_resize(&l->items, (uint64_t) l->count + 1, sizeof(*l->items), err);
    char *copy = rc ? NULL : pcri_strndup(name, strlen(name), err);
    if (!copy)
        return PCR_ERR_NOMEM;
    memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof(*l->items));
    l->items[at] = (struct pcri_blob) { copy, *bytes };
    l->count++;
    *bytes = (struct pcr_buffer) { 0 };
    return 0;
}

void pcri_blob_list_free(struct pcri_blob_list *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        free(l->items[i].name);
        pcr_buffer_free(&l->items[i].bytes);
    }
    free(l->items);
    *l = (struct pcri_blob_list) { 0 };
}

/* --- writing --- */

static const struct pcri_blob *find_in(const struct pcri_blob_list *l, const char *name)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (!strcmp(l->items[i].name, name))
            return &l->items[i];
    return NULL;
}

static int pack_names(const struct pcri_schema *names, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    int rc = pcri_buffer_append_varint(out, names->count, err);
    for (uint32_t i = 0; i < names->count && !rc; i++)
        rc = pcri_buffer_append_varint(out, strlen(names->columns[i].name), err);
    for (uint32_t i = 0; i < names->count && !rc; i++)
        rc = pcri_buffer_append(out, names->columns[i].name, strlen(names->columns[i].name),
                                err);
    return rc;
}

int pcri_blobs_pack(const struct pcri_blob_list *const lists[], uint32_t count,
                    struct pcr_buffer *out, struct pcr_error *err)
{
    static const struct pcri_type any = { PCR_ELEMENT_JSON, 0, 0, 1 };
    struct pcri_schema names = { 0 };
    bool added;
    int rc = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < lists[i]->count && !rc; k++)
            rc = pcri_schema_add(&names, lists[i]->items[k].name, &any, &added, err);
    if (!rc && names.count)
        rc = pack_names(&names, out, err);
    for (uint32_t b = 0; b < names.count; b++)
        for (uint32_t i = 0; i < count && !rc; i++) {
            const struct pcri_blob *blob = find_in(lists[i], names.columns[b].name);
            rc = pcri_buffer_append_varint(out, blob ? (uint64_t) blob->bytes.nbytes + 1 : 0,
                                           err);
        }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < lists[i]->count && !rc; k++) {
            const struct pcr_buffer *bytes = &lists[i]->items[k].bytes;
            uint8_t check[4];
            pcri_store32(check, pcri_check32(bytes->nbytes ? (const void *) bytes->data : "",
                                             bytes->nbytes));
            rc = pcri_buffer_append(out, check, sizeof(check), err);
        }
    pcri_schema_free(&names);
    return rc;
}

/* --- reading --- */

static int corrupt(struct pcr_error *err, const char *what)
{
    return pcri_fail(err, PCR_ERR_CORRUPT, "head: column blobs: %s", what);
}

static int parse_names(struct pcri_cursor *c, struct pcri_blobs *b, struct pcr_error *err)
{
    struct pcri_cursor lengths = *c;
    int rc = 0;
    for (uint32_t i = 0; i < b->count; i++)
        pcri_get_varint(c);
    size_t *at = pcri_calloc(b->count, sizeof(*at), err);
    if (!at)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < b->count && !rc; i++) {
        uint64_t n = pcri_get_varint(&lengths);
        const uint8_t *p = pcri_get_bytes(c, n);
        at[i] = b->texts.nbytes;
        if (!p || c->bad || !n || memchr(p, 0, (size_t) n) || !pcri_utf8_valid(p, (size_t) n))
            rc = corrupt(err, "a bad name");
        if (!rc)
            rc = pcri_buffer_append(&b->texts, p, (size_t) n, err);
        if (!rc)
            rc = pcri_buffer_append(&b->texts, "", 1, err);
    }
    for (uint32_t i = 0; i < b->count && !rc; i++) {
        b->names[i] = (const char *) b->texts.data + at[i];
        if (i && strcmp(b->names[i - 1], b->names[i]) >= 0)
            rc = corrupt(err, "names that are not in rising order");
    }
    free(at);
    return rc;
}

/* Sizes come by name, blobs by sample. */
static int parse_cells(struct pcri_cursor *c, struct pcri_blobs *b, uint64_t nbytes,
                       struct pcr_error *err)
{
    const size_t cells = (size_t) b->sample_count * b->count; /* each takes a byte at least */
    for (uint32_t k = 0; k < b->count; k++)
        for (uint32_t i = 0; i < b->sample_count; i++) {
            const size_t cell = (size_t) i * b->count + k;
            const uint64_t n = pcri_get_varint(c);
            b->present[cell] = n != 0;
            b->begins[cell + 1] = n ? n - 1 : 0;
        }
    for (size_t cell = 0; cell < cells; cell++) {
        if (b->begins[cell + 1] > nbytes - b->begins[cell])
            return corrupt(err, "more bytes than the blobs have");
        b->begins[cell + 1] += b->begins[cell];
        const uint8_t *check = b->present[cell] ? pcri_get_bytes(c, 4) : NULL;
        if (b->present[cell] && !check)
            return corrupt(err, "ends too early");
        b->checks[cell] = check ? pcri_load32(check) : 0;
    }
    return b->begins[cells] == nbytes && !c->bad
               ? 0
               : corrupt(err, "other sizes than the blobs have");
}

int pcri_blobs_parse(struct pcri_cursor *c, uint32_t sample_count, uint64_t nbytes,
                     struct pcri_blobs **out, struct pcr_error *err)
{
    const uint64_t count = pcri_get_varint(c);
    *out = NULL;
    if (c->bad || count > PCRI_SCHEMA_COLUMNS || count * sample_count > pcri_left(c))
        return corrupt(err, "a bad number of names");
    struct pcri_blobs *b = pcri_calloc(1, sizeof(*b), err);
    if (!b)
        return PCR_ERR_NOMEM;
    const uint64_t cells = count * sample_count;
    b->sample_count = sample_count;
    b->count = (uint32_t) count;
    b->names = pcri_calloc(count, sizeof(*b->names), err);
    b->begins = pcri_calloc(cells + 1, sizeof(*b->begins), err);
    b->present = pcri_calloc(cells, 1, err);
    b->checks = pcri_calloc(cells, sizeof(*b->checks), err);
    int rc = b->names && b->begins && b->present && b->checks ? 0 : PCR_ERR_NOMEM;
    if (!rc)
        rc = parse_names(c, b, err);
    if (!rc)
        rc = parse_cells(c, b, nbytes, err);
    if (rc)
        pcri_blobs_free(&b);
    *out = b;
    return rc;
}

void pcri_blobs_free(struct pcri_blobs **blobs)
{
    struct pcri_blobs *b = *blobs;
    if (!b)
        return;
    free(b->names);
    free(b->begins);
    free(b->present);
    free(b->checks);
    pcr_buffer_free(&b->texts);
    free(b);
    *blobs = NULL;
}

bool pcri_blobs_match(const struct pcri_blobs *b, const struct pcri_schema *names)
{
    for (uint32_t k = 0; b && k < b->count; k++)
        if (pcri_schema_find(names, b->names[k]) == names->count)
            return false;
    return true;
}

bool pcri_blobs_find(const struct pcri_blobs *b, uint32_t i, const char *name,
                     size_t *cell_out)
{
    for (uint32_t k = 0; b && k < b->count; k++) {
        *cell_out = (size_t) i * b->count + k;
        if (!strcmp(b->names[k], name))
            return b->present[*cell_out];
    }
    return false;
}
