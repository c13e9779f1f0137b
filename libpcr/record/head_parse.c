/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing a decompressed head into arrays (docs/FORMAT.md 3.2). Safe on any bytes: every count
 * is compared with the bytes of its column before memory is allocated. */
#include <math.h>

#include "columns.h"
#include "head.h"

/* What a parse works on: the head that it fills, and the columns that it reads. */
struct head_parser {
    struct pcri_head *h;
    const struct pcr_buffer *raw;
    struct pcri_cursor cols[PCRI_COLUMN_LAST + 1];
    struct pcr_error *err;
};

static const char *const column_names[PCRI_COLUMN_LAST + 1] = {
    "",           "key",           "labels",       "attributes",
    "coding",     "width",         "height",       "components",
    "sampling",   "orientation",   "script",       "ladder",
    "dictionary", "header",        "piece_string", "piece_nbytes",
    "check",      "source_nbytes", "float_labels", "quality",
    "blobs",
};

static bool has(const struct head_parser *p, enum pcri_column id)
{
    return p->cols[id].p != NULL;
}

static int bad_column(struct head_parser *p, enum pcri_column id, const char *what)
{
    return pcri_fail(p->err, PCR_ERR_CORRUPT, "head: column %s: %s", column_names[id], what);
}

/* Each column must be there to its last byte, and no further. */
static int finish_column(struct head_parser *p, enum pcri_column id)
{
    const struct pcri_cursor *c = &p->cols[id];
    if (c->bad)
        return bad_column(p, id, "ends too early, or holds a bad number");
    return c->p == c->end ? 0 : bad_column(p, id, "has bytes after its end");
}

static int require(struct head_parser *p, enum pcri_column id)
{
    return has(p, id) ? 0 : bad_column(p, id, "is missing");
}

static void *take(struct head_parser *p, uint64_t count, size_t size)
{
    void *m = pcri_calloc(count, size, p->err);
    if (m)
        p->h->footprint += count * size;
    return m;
}

/* `count` varints below 2^32; zeros if the column is absent. */
static int get_numbers(struct head_parser *p, enum pcri_column id, size_t count,
                       uint32_t **out)
{
    struct pcri_cursor *c = &p->cols[id];
    if (has(p, id) && count > pcri_left(c))
        return bad_column(p, id, "ends too early");
    if (!(*out = take(p, count, sizeof(**out))))
        return PCR_ERR_NOMEM;
    if (!has(p, id))
        return 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t v = pcri_get_varint(c);
        if (v > UINT32_MAX)
            return bad_column(p, id, "a number above 2^32 - 1");
        (*out)[i] = (uint32_t) v;
    }
    return finish_column(p, id);
}

/* N bytes from `min` to `max`; `absent` if there is no column. */
static int get_bytes(struct head_parser *p, enum pcri_column id, uint8_t min, uint8_t max,
                     uint8_t absent, uint8_t **out)
{
    size_t n = p->h->sample_count;
    const uint8_t *bytes = NULL;
    if (has(p, id) && !(bytes = pcri_get_bytes(&p->cols[id], n)))
        return bad_column(p, id, "ends too early");
    if (!(*out = take(p, n, 1)))
        return PCR_ERR_NOMEM;
    if (!bytes) {
        memset(*out, absent, n);
        return 0;
    }
    memcpy(*out, bytes, n);
    for (size_t i = 0; i < n; i++)
        if (bytes[i] < min || bytes[i] > max)
            return pcri_fail(p->err, PCR_ERR_CORRUPT,
                             "head: %s of sample %zu is %u, expected %u to %u",
                             column_names[id], i, bytes[i], min, max);
    return finish_column(p, id);
}

/* `count` little-endian u32. */
static int get_words(struct head_parser *p, enum pcri_column id, size_t count, uint32_t **out)
{
    size_t nbytes;
    const uint8_t *bytes = NULL;
    if (has(p, id) &&
        (!pcri_mul(count, 4, &nbytes) || !(bytes = pcri_get_bytes(&p->cols[id], nbytes))))
        return bad_column(p, id, "ends too early");
    if (!(*out = take(p, count, sizeof(**out))))
        return PCR_ERR_NOMEM;
    if (!bytes)
        return 0;
    for (size_t i = 0; i < count; i++)
        (*out)[i] = pcri_load32(bytes + 4 * i);
    return finish_column(p, id);
}

/* The lengths and bytes of `count` strings, which fill the rest of the column. */
static int get_strings(struct head_parser *p, enum pcri_column id, uint64_t count,
                       struct pcri_strings *out)
{
    struct pcri_cursor *c = &p->cols[id];
    uint64_t at = 0;
    if (count > pcri_left(c))
        return bad_column(p, id, "ends too early");
    if (!(out->offsets = take(p, count + 1, sizeof(*out->offsets))))
        return PCR_ERR_NOMEM;
    for (uint64_t i = 0; i < count; i++) {
        out->offsets[i] = at;
        uint64_t n = pcri_get_varint(c);
        if (n > pcri_left(c)) /* so the sum cannot overflow either */
            return bad_column(p, id, "ends too early");
        at += n;
    }
    out->offsets[count] = at;
    out->count = (uint32_t) count;
    out->bytes = pcri_get_bytes(c, at);
    return finish_column(p, id);
}

/* N strings without NUL, kept with a NUL after each. */
static int get_texts(struct head_parser *p, enum pcri_column id, struct pcri_texts *out)
{
    struct pcri_strings s = { 0 };
    uint32_t n = p->h->sample_count;
    int rc = get_strings(p, id, n, &s);
    out->offsets = s.offsets;
    if (rc)
        return rc;
    if (!(out->bytes = take(p, s.offsets[n] + n, 1)))
        return PCR_ERR_NOMEM;
    if (s.offsets[n] && memchr(s.bytes, 0, s.offsets[n]))
        return bad_column(p, id, "a NUL byte");
    for (uint32_t i = 0; i < n; i++) {
        uint64_t from = s.offsets[i];
        if (pcri_string_nbytes(&s, i))
            memcpy(out->bytes + from + i, s.bytes + from, pcri_string_nbytes(&s, i));
        s.offsets[i] += i; /* each text before this one has a NUL more */
    }
    s.offsets[n] += n;
    return 0;
}

/* N counts, made into the index of each sample's first entry; the entries follow, each at
 * least a byte. */
static int get_firsts(struct head_parser *p, enum pcri_column id, uint32_t **out)
{
    struct pcri_cursor *c = &p->cols[id];
    uint32_t n = p->h->sample_count;
    uint64_t at = 0;
    if (has(p, id) && n > pcri_left(c))
        return bad_column(p, id, "ends too early");
    if (!(*out = take(p, (uint64_t) n + 1, sizeof(**out))))
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; has(p, id) && i < n; i++) {
        uint64_t count = pcri_get_varint(c);
        if (count > pcri_left(c))
            return bad_column(p, id, "ends too early");
        at += count;
        (*out)[i + 1] = (uint32_t) at;
        if (at > pcri_left(c))
            return bad_column(p, id, "ends too early");
    }
    return 0;
}

static int parse_labels(struct head_parser *p)
{
    struct pcri_head *h = p->h;
    int rc = get_firsts(p, PCRI_COLUMN_LABELS, &h->label_first);
    if (rc || !has(p, PCRI_COLUMN_LABELS))
        return rc;
    uint32_t count = h->label_first[h->sample_count];
    if (!(h->labels = take(p, count, sizeof(*h->labels))))
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        h->labels[i] = pcri_unzigzag(pcri_get_varint(&p->cols[PCRI_COLUMN_LABELS]));
    return finish_column(p, PCRI_COLUMN_LABELS);
}

/* Finite numbers, and only of samples that have no integers. */
static int parse_float_labels(struct head_parser *p)
{
    struct pcri_head *h = p->h;
    struct pcri_cursor *c = &p->cols[PCRI_COLUMN_FLOAT_LABELS];
    size_t nbytes;
    const uint8_t *bytes = NULL;
    if (!has(p, PCRI_COLUMN_FLOAT_LABELS))
        return 0;
    int rc = get_firsts(p, PCRI_COLUMN_FLOAT_LABELS, &h->float_label_first);
    if (rc)
        return rc;
    uint32_t count = h->float_label_first[h->sample_count];
    if (!pcri_mul(count, 8, &nbytes) || !(bytes = pcri_get_bytes(c, nbytes)))
        return bad_column(p, PCRI_COLUMN_FLOAT_LABELS, "ends too early");
    if (!(h->float_labels = take(p, count, sizeof(*h->float_labels))))
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bits = pcri_load64(bytes + 8 * (size_t) i);
        memcpy(&h->float_labels[i], &bits, sizeof(bits));
        if (!isfinite(h->float_labels[i]))
            return bad_column(p, PCRI_COLUMN_FLOAT_LABELS, "a label that is not finite");
    }
    for (uint32_t i = 0; i < h->sample_count; i++)
        if (h->float_label_first[i] < h->float_label_first[i + 1] &&
            h->label_first[i] < h->label_first[i + 1])
            return bad_column(p, PCRI_COLUMN_FLOAT_LABELS,
                              "a sample that has integer labels too");
    return finish_column(p, PCRI_COLUMN_FLOAT_LABELS);
}

static int parse_items(struct head_parser *p)
{
    struct pcri_head *h = p->h;
    struct pcri_cursor *c = &p->cols[PCRI_COLUMN_HEADER];
    int rc = get_firsts(p, PCRI_COLUMN_HEADER, &h->item_first);
    if (rc || !has(p, PCRI_COLUMN_HEADER))
        return rc;
    uint32_t count = h->item_first[h->sample_count];
    if (!(h->items = take(p, count, sizeof(*h->items))))
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t v = h->items[i] = pcri_get_varint(c);
        if (!(v & 1) && v / 2 >= h->dictionary.count && !c->bad)
            return pcri_fail(p->err, PCR_ERR_CORRUPT,
                             "head: header item names string %llu of %u",
                             (unsigned long long) (v / 2), h->dictionary.count);
    }
    return finish_column(p, PCRI_COLUMN_HEADER);
}

static int parse_source_nbytes(struct head_parser *p)
{
    struct pcri_head *h = p->h;
    struct pcri_cursor *c = &p->cols[PCRI_COLUMN_SOURCE_NBYTES];
    uint32_t n = h->sample_count;
    if (has(p, PCRI_COLUMN_SOURCE_NBYTES) && n > pcri_left(c))
        return bad_column(p, PCRI_COLUMN_SOURCE_NBYTES, "ends too early");
    if (!(h->source_nbytes = take(p, n, sizeof(*h->source_nbytes))))
        return PCR_ERR_NOMEM;
    if (!has(p, PCRI_COLUMN_SOURCE_NBYTES))
        return 0;
    for (uint32_t i = 0; i < n; i++)
        h->source_nbytes[i] = pcri_get_varint(c);
    return finish_column(p, PCRI_COLUMN_SOURCE_NBYTES);
}

static int parse_quality(struct head_parser *p)
{
    struct pcri_head *h = p->h;
    const size_t n = h->sample_count;
    const size_t cells = (size_t) (h->group_count - 1) * PCRI_QUALITY_SCALES;
    size_t nbytes;
    const uint8_t *bytes = NULL;
    if (!has(p, PCRI_COLUMN_QUALITY))
        return 0;
    if (!pcri_mul(n, cells, &nbytes) ||
        !(bytes = pcri_get_bytes(&p->cols[PCRI_COLUMN_QUALITY], nbytes)))
        return bad_column(p, PCRI_COLUMN_QUALITY, "ends too early");
    if (!(h->quality = take(p, nbytes, 1)))
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        uint8_t *q = h->quality + i * cells;
        for (size_t k = 0; k < cells; k++) {
            const size_t step = pcri_quality_step(k);
            q[k] = (uint8_t) (bytes[k * n + i] + (step ? q[k - step] : 0u));
        }
    }
    return finish_column(p, PCRI_COLUMN_QUALITY);
}

static int parse_texts(struct head_parser *p)
{
    struct pcri_head *h = p->h;
    int rc = get_texts(p, PCRI_COLUMN_KEY, &h->keys);
    if (rc || !has(p, PCRI_COLUMN_LADDER))
        return rc;
    const struct pcri_cursor *c = &p->cols[PCRI_COLUMN_LADDER];
    size_t n = pcri_left(c);
    if (n && memchr(c->p, 0, n))
        return bad_column(p, PCRI_COLUMN_LADDER, "a NUL byte");
    h->ladder = pcri_strndup(c->p, n, p->err);
    h->footprint += n;
    return h->ladder ? 0 : PCR_ERR_NOMEM;
}

/* They stay packed until somebody asks for them. */
static int parse_attributes(struct head_parser *p)
{
    struct pcri_cursor *c = &p->cols[PCRI_COLUMN_ATTRIBUTES];
    if (!has(p, PCRI_COLUMN_ATTRIBUTES))
        return 0;
    p->h->footprint += pcri_left(c);
    int rc = pcri_attributes_parse(c, p->h->sample_count, &p->h->attributes, p->err);
    return rc ? rc : finish_column(p, PCRI_COLUMN_ATTRIBUTES);
}

static int parse_blobs(struct head_parser *p, uint64_t nbytes)
{
    struct pcri_cursor *c = &p->cols[PCRI_COLUMN_BLOBS];
    if (!has(p, PCRI_COLUMN_BLOBS))
        return nbytes ? bad_column(p, PCRI_COLUMN_BLOBS, "is missing") : 0;
    p->h->footprint += pcri_left(c) * 4; /* about */
    int rc = pcri_blobs_parse(c, p->h->sample_count, nbytes, &p->h->blobs, p->err);
    return rc ? rc : finish_column(p, PCRI_COLUMN_BLOBS);
}

/* N bytes for each group. Kept are those of group 1, how many groups equal it, and whether the last
 * one has a residual for them. */
static int parse_codings(struct head_parser *p)
{
    struct pcri_head *h = p->h;
    size_t n = h->sample_count, nbytes;
    const uint8_t *bytes = NULL;
    if (!pcri_mul(n, h->group_count, &nbytes) ||
        !(bytes = pcri_get_bytes(&p->cols[PCRI_COLUMN_CODING], nbytes)))
        return bad_column(p, PCRI_COLUMN_CODING, "ends too early");
    h->coding = take(p, n, 1);
    h->coded_groups = take(p, n, 1);
    h->exact = take(p, n, 1);
    if (!h->coding || !h->coded_groups || !h->exact)
        return PCR_ERR_NOMEM;
    memcpy(h->coding, bytes, n);
    for (uint32_t g = 0; g < h->group_count; g++, bytes += n)
        for (size_t i = 0; i < n; i++) {
            if (!bytes[i] != !h->coding[i])
                return pcri_fail(p->err, PCR_ERR_CORRUPT,
                                 "head: sample %zu is opaque in some of its groups", i);
            h->coded_groups[i] += h->coded_groups[i] == g && bytes[i] == h->coding[i];
            h->exact[i] = g && h->coded_groups[i] == g && bytes[i] == PCRI_CODING_RESIDUAL;
        }
    return finish_column(p, PCRI_COLUMN_CODING);
}

static int parse_image_columns(struct head_parser *p)
{
    struct pcri_head *h = p->h;
    uint32_t n = h->sample_count;
    int rc = parse_codings(p);
    if (!rc)
        rc = get_numbers(p, PCRI_COLUMN_WIDTH, n, &h->width);
    if (!rc)
        rc = get_numbers(p, PCRI_COLUMN_HEIGHT, n, &h->height);
    if (!rc)
        rc = get_bytes(p, PCRI_COLUMN_COMPONENTS, 0, 4, 0, &h->components);
    if (!rc)
        rc = get_words(p, PCRI_COLUMN_SAMPLING, n, &h->sampling);
    if (!rc)
        rc = get_bytes(p, PCRI_COLUMN_ORIENTATION, 1, 8, 1, &h->orientation);
    if (!rc)
        rc = get_bytes(p, PCRI_COLUMN_SCRIPT, 0, 255, 0, &h->script);
    if (!rc)
        rc = parse_source_nbytes(p);
    return rc ? rc : parse_quality(p);
}

static int parse_pieces(struct head_parser *p)
{
    struct pcri_head *h = p->h;
    size_t cells, checks;
    if (!pcri_mul(h->piece_count, h->sample_count, &cells) ||
        !pcri_mul(h->group_count, h->sample_count, &checks))
        return pcri_fail_nomem(p->err, SIZE_MAX);
    int rc = get_numbers(p, PCRI_COLUMN_PIECE_NBYTES, cells, &h->piece_nbytes);
    if (!rc)
        rc = get_numbers(p, PCRI_COLUMN_PIECE_STRING, cells, &h->piece_string);
    for (size_t i = 0; !rc && i < cells; i++)
        if (h->piece_string[i] > h->dictionary.count)
            rc = pcri_fail(p->err, PCR_ERR_CORRUPT, "head: a piece names string %u of %u",
                           h->piece_string[i] - 1, h->dictionary.count);
    return rc ? rc : get_words(p, PCRI_COLUMN_CHECK, checks, &h->check);
}

static int parse_dictionary(struct head_parser *p)
{
    struct pcri_strings *d = &p->h->dictionary;
    if (!has(p, PCRI_COLUMN_DICTIONARY)) {
        d->offsets = take(p, 1, sizeof(*d->offsets));
        return d->offsets ? 0 : PCR_ERR_NOMEM;
    }
    uint64_t count = pcri_get_varint(&p->cols[PCRI_COLUMN_DICTIONARY]);
    int rc = get_strings(p, PCRI_COLUMN_DICTIONARY, count, d);
    if (rc)
        return rc;
    size_t nbytes = (size_t) d->offsets[count];
    if (!(p->h->dictionary_bytes = take(p, nbytes, 1)))
        return PCR_ERR_NOMEM;
    if (nbytes)
        memcpy(p->h->dictionary_bytes, d->bytes, nbytes);
    d->bytes = p->h->dictionary_bytes;
    return 0;
}

static int parse_columns(struct head_parser *p)
{
    static const enum pcri_column required[] = {
        PCRI_COLUMN_KEY,    PCRI_COLUMN_CODING,     PCRI_COLUMN_WIDTH,
        PCRI_COLUMN_HEIGHT, PCRI_COLUMN_COMPONENTS, PCRI_COLUMN_PIECE_NBYTES,
        PCRI_COLUMN_CHECK,
    };
    int rc = pcri_columns_parse(p->raw, PCRI_COLUMN_LAST, p->cols, p->err);
    if (rc)
        return pcri_prefix(p->err, rc, "head");
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
        if ((rc = require(p, required[i])))
            return rc;
    if ((rc = parse_texts(p)) || (rc = parse_attributes(p)) || (rc = parse_labels(p)) ||
        (rc = parse_float_labels(p)) || (rc = parse_image_columns(p)) ||
        (rc = parse_dictionary(p)) || (rc = parse_items(p)))
        return rc;
    return parse_pieces(p);
}

static void copy_header(struct pcri_head *h, const struct pcri_header *header)
{
    h->sample_count = header->sample_count;
    h->group_count = header->group_count;
    h->group_begin[0] = header->header_nbytes + header->head_nbytes;
    for (uint32_t g = 0; g < header->group_count; g++) {
        h->piece_first[g] = h->piece_count;
        h->piece_count += header->groups[g].piece_count;
        h->group_begin[g + 1] = header->groups[g].end;
    }
    h->piece_first[h->group_count] = h->piece_count;
}

int pcri_head_parse(const struct pcri_header *header, struct pcr_buffer *raw,
                    const struct pcr_limits *limits, struct pcri_head **out,
                    struct pcr_error *err)
{
    struct pcri_head *h = pcri_calloc(1, sizeof(*h), err);
    if (!h) {
        pcr_buffer_free(raw);
        return PCR_ERR_NOMEM;
    }
    h->footprint = sizeof(*h);
    copy_header(h, header);

    struct head_parser p = { .h = h, .raw = raw, .err = err };
    int rc = parse_columns(&p);
    if (!rc)
        rc = parse_blobs(&p, header->blobs_nbytes);
    pcr_buffer_free(raw);
    if (!rc)
        rc = pcri_head_lay_out(h, limits, err);
    if (rc)
        pcri_head_destroy(&h);
    else
        *out = h;
    return rc;
}
