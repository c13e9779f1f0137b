/* SPDX-License-Identifier: BSD-2-Clause */
/* FFCV's .beton files, version 2, whose images are JPEG.
 *
 * Little-endian: a header (24 bytes), a description of each field (1041), a row of metadata for
 * each sample, padded like C structs, pages with the data, and at the end the table of allocations
 * {sample, place, size}. An image's row has its place, and only that table has its size. */
#include <stdlib.h>
#include <strings.h>

#include "../libpcr/io/io.h"
#include "../libpcr/io/stream.h"
#include "example.h"

enum { HEADER_NBYTES = 24, FIELD_NBYTES = 1041, NAME_NBYTES = 16, ALLOCATION_NBYTES = 24 };
enum { FLOAT, INT, IMAGE, BYTES, ARRAY, JSON, TENSOR, TYPE_COUNT };

/* What a sample's row has of each type. */
static const struct {
    uint8_t nbytes, align;
} types[TYPE_COUNT] = {
    [FLOAT] = { 8, 8 }, [INT] = { 8, 8 },   [IMAGE] = { 13, 1 }, [BYTES] = { 16, 1 },
    [ARRAY] = { 8, 8 }, [JSON] = { 16, 1 }, [TENSOR] = { 8, 8 }
};

struct beton_field {
    char name[NAME_NBYTES];
    uint8_t type;
    size_t offset; /* in the row */
    struct pcr_buffer bytes;
};

struct allocation {
    uint64_t place, nbytes;
};

struct beton {
    struct pcri_container *s;
    struct pcri_file_stream *stream;
    struct pcri_example x;
    uint64_t nbytes, samples, table, rows;
    struct beton_field *fields;
    size_t field_count, row_nbytes;
    struct allocation *allocations; /* by place */
    size_t allocation_count;
};

static bool probe(const struct pcri_candidate *c)
{
    const char *dot = strrchr(c->path, '.');
    if (!S_ISREG(c->st.st_mode))
        return false;
    if (dot && !strcasecmp(dot, ".beton"))
        return true;
    if (c->head_nbytes <= HEADER_NBYTES)
        return false;
    uint32_t page = pcri_load32(c->head + 4);
    uint64_t table = pcri_load64(c->head + 16), size = (uint64_t) c->st.st_size;
    return pcri_load16(c->head) == 2 && pcri_load16(c->head + 2) && page >= 1 << 21 &&
           !(page & (page - 1)) && table <= size && !((size - table) % ALLOCATION_NBYTES) &&
           c->head[HEADER_NBYTES] < TYPE_COUNT;
}

/* --- the header --- */

/* Bytes of the file; NULL if it has fewer. */
static int get(struct beton *b, uint64_t offset, size_t nbytes, const uint8_t **out,
               struct pcr_error *err)
{
    size_t have = 0;
    *out = NULL;
    int rc = offset <= b->nbytes && nbytes <= b->nbytes - offset
                 ? pcri_stream_get(b->stream, offset, nbytes, out, &have, err)
                 : 0;
    if (!rc && have < nbytes)
        *out = NULL;
    return rc;
}

static int read_field(struct beton *b, struct beton_field *f, const uint8_t *p, size_t *align,
                      struct pcr_error *err)
{
    f->type = p[0];
    memcpy(f->name, p + 1, NAME_NBYTES);
    if (f->type >= TYPE_COUNT)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "%s: field '%.16s' is of a type that only its program knows",
                         b->s->path, f->name);
    size_t a = types[f->type].align;
    f->offset = (b->row_nbytes + a - 1) / a * a;
    b->row_nbytes = f->offset + types[f->type].nbytes;
    *align = a > *align ? a : *align;
    return 0;
}

static int read_header(struct beton *b, bool *good, struct pcr_error *err)
{
    const uint8_t *p;
    size_t align = 1;
    int rc = get(b, 0, HEADER_NBYTES, &p, err);
    if (rc || !p)
        return rc ? rc : pcri_container_damaged(b->s, NULL, 0, err, "it has no header");
    if (pcri_load16(p) != 2)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "%s: version %u of FFCV's format, expected 2", b->s->path,
                         pcri_load16(p));
    b->field_count = pcri_load16(p + 2);
    b->samples = pcri_load64(p + 8);
    b->table = pcri_load64(p + 16);
    b->fields = pcri_calloc(b->field_count, sizeof(*b->fields), err);
    rc = b->fields ? 0 : PCR_ERR_NOMEM;
    for (size_t i = 0; i < b->field_count && !rc; i++) {
        rc = get(b, HEADER_NBYTES + i * FIELD_NBYTES, FIELD_NBYTES, &p, err);
        if (!rc && !p)
            return pcri_container_damaged(b->s, NULL, 0, err, "it ends within its fields");
        if (!rc)
            rc = read_field(b, &b->fields[i], p, &align, err);
    }
    b->row_nbytes = (b->row_nbytes + align - 1) / align * align;
    b->rows = HEADER_NBYTES + b->field_count * FIELD_NBYTES;
    *good = !rc && b->row_nbytes && b->table <= b->nbytes && b->rows <= b->table &&
            b->samples <= (b->table - b->rows) / b->row_nbytes;
    return rc || *good ? rc
                       : pcri_container_damaged(b->s, NULL, 0, err,
                                                "its header is wrong, or it is cut off");
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const struct allocation *) a)->place;
    uint64_t y = ((const struct allocation *) b)->place;
    return x < y ? -1 : x > y;
}

static int read_table(struct beton *b, struct pcr_error *err)
{
    uint64_t count = (b->nbytes - b->table) / ALLOCATION_NBYTES;
    b->allocations = pcri_malloc(count, sizeof(*b->allocations), err);
    int rc = b->allocations ? 0 : PCR_ERR_NOMEM;
    for (uint64_t i = 0; i < count && !rc; i++) {
        const uint8_t *p;
        rc = get(b, b->table + i * ALLOCATION_NBYTES, ALLOCATION_NBYTES, &p, err);
        if (rc || !p)
            break;
        b->allocations[b->allocation_count++] = (struct allocation) { pcri_load64(p + 8),
                                                                      pcri_load64(p + 16) };
    }
    if (!rc && b->allocation_count)
        qsort(b->allocations, b->allocation_count, sizeof(*b->allocations), compare);
    return rc;
}

/* --- samples --- */

/* Reads what lies at a place into the field's buffer. *bad: that is not in the file. */
static int read_bytes(struct beton *b, struct beton_field *f, uint64_t place, uint64_t nbytes,
                      struct pcri_value *v, bool *bad, struct pcr_error *err)
{
    *bad = place > b->nbytes || nbytes > b->nbytes - place;
    if (*bad)
        return 0;
    int rc = pcri_read_part(b->s->path, place, nbytes, PCRI_STREAM_MOST, &f->bytes, err);
    if (rc)
        return pcri_prefix(err, rc, "%s", b->s->path);
    v->data = f->bytes.data;
    v->nbytes = f->bytes.nbytes;
    v->offset = place;
    return 0;
}

static int take_image(struct beton *b, struct beton_field *f, const uint8_t *p,
                      struct pcri_value *v, bool *bad, struct pcr_error *err)
{
    const struct allocation key = { .place = pcri_load64(p + 5) };
    if (p[0]) {
        v->unknown = "pixels; make the dataset from the original images";
        return 0;
    }
    const struct allocation *a = b->allocation_count
                                     ? bsearch(&key, b->allocations, b->allocation_count,
                                               sizeof(key), compare)
                                     : NULL;
    *bad = !a;
    return a ? read_bytes(b, f, a->place, a->nbytes, v, bad, err) : 0;
}

static int take_json(struct pcri_value *v, bool *bad, struct pcr_error *err)
{
    size_t n = strnlen((const char *) v->data, v->nbytes);
    int rc = pcri_json_parse((const char *) v->data, n, PCRI_JSON_ANY | PCRI_JSON_DUPLICATES,
                             &v->json, NULL, err);
    *bad = rc == 1;
    v->data = NULL;
    return rc < 0 ? rc : 0;
}

static int take(struct beton *b, struct beton_field *f, const uint8_t *p, struct pcri_value *v,
                bool *bad, struct pcr_error *err)
{
    int rc = 0;
    switch (f->type) {
    case FLOAT:
        return pcri_value_number(v, 'f', p, 8, bad, err);
    case INT:
        return pcri_value_number(v, 'i', p, 8, bad, err);
    case IMAGE:
        return take_image(b, f, p, v, bad, err);
    case BYTES:
    case JSON:
        rc = read_bytes(b, f, pcri_load64(p), pcri_load64(p + 8), v, bad, err);
        return rc || *bad || f->type == BYTES ? rc : take_json(v, bad, err);
    default:
        v->unknown = "an array";
        return 0;
    }
}

static int add_sample(struct beton *b, uint64_t number, struct pcr_error *err)
{
    uint8_t row[64 * 16];
    const uint8_t *p;
    b->x.number = number;
    b->x.offset = b->rows + number * b->row_nbytes;
    pcri_example_clear(&b->x);
    for (size_t i = 0; i < b->field_count; i++) {
        struct beton_field *f = &b->fields[i];
        size_t n = types[f->type].nbytes;
        int rc = get(b, b->x.offset + f->offset, n, &p, err);
        struct pcri_value *v = rc ? NULL
                                  : pcri_example_value(&b->x, f->name,
                                                       strnlen(f->name, NAME_NBYTES), err);
        bool bad = !p;
        if (rc || !v)
            return rc ? rc : PCR_ERR_NOMEM;
        if (p)
            memcpy(row, p, n);
        rc = p ? take(b, f, row, v, &bad, err) : 0;
        if (rc)
            return rc;
        if (bad)
            return pcri_container_damaged(b->s, NULL, b->x.offset + f->offset, err,
                                          "record %llu: field '%.16s' is wrong",
                                          (unsigned long long) number, f->name);
    }
    return pcri_example_add(b->s, &b->x, err);
}

static int scan(struct pcri_container *s, struct pcr_error *err)
{
    struct beton b = { .s = s, .x = { .prefix = s->name } };
    bool good = false;
    int rc = pcri_stream_open(s->path, NULL, &b.stream, err);
    b.nbytes = rc ? 0 : pcri_stream_nbytes(b.stream);
    if (!rc)
        rc = read_header(&b, &good, err);
    if (!rc && good)
        rc = read_table(&b, err);
    for (uint64_t i = 0; i < b.samples && good && !rc; i++)
        rc = add_sample(&b, i, err);
    for (size_t i = 0; b.fields && i < b.field_count; i++)
        pcr_buffer_free(&b.fields[i].bytes);
    pcri_stream_close(&b.stream);
    pcri_example_free(&b.x);
    free(b.fields);
    free(b.allocations);
    return rc;
}

static const char *const endings[] = { ".beton", NULL };

const struct pcri_importer pcri_import_beton = {
    .name = "beton",
    .probe = probe,
    .scan = scan,
    .endings = endings,
};
