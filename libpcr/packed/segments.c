/* SPDX-License-Identifier: BSD-2-Clause */
/* Marker segments of coding 2's own, and the spans of a sample. */
#include "segments.h"

enum { MARKER = 0xEF, LENGTH_AT = 2, NAME_AT = 4, KIND_AT = 7 };

int pcri_pk_segment_append(struct pcr_buffer *out, enum pcri_pk_segment kind, const void *data,
                           size_t nbytes, struct pcr_error *err)
{
    uint8_t head[PCRI_PK_SEGMENT_HEAD_NBYTES] = { 0xFF, MARKER };
    size_t length = nbytes + sizeof(head) - LENGTH_AT;
    if (length > UINT16_MAX)
        return pcri_fail(err, PCR_ERR_LIMIT, "%zu bytes of %s for packed samples", nbytes,
                         kind == PCRI_PK_TABLES ? "tables" : "a ladder");
    head[LENGTH_AT] = (uint8_t) (length >> 8);
    head[LENGTH_AT + 1] = (uint8_t) length;
    memcpy(head + NAME_AT, PCRI_OWN_NAME, PCRI_OWN_NAME_NBYTES);
    head[KIND_AT] = (uint8_t) kind;
    int rc = pcri_buffer_append(out, head, sizeof(head), err);
    return rc ? rc : pcri_buffer_append(out, data, nbytes, err);
}

int pcri_pk_segment_kind(const struct pcr_span *span)
{
    const uint8_t *p = span->data;
    bool ours = span->nbytes >= PCRI_PK_SEGMENT_HEAD_NBYTES && p[0] == 0xFF &&
                p[1] == MARKER && !memcmp(p + NAME_AT, PCRI_OWN_NAME, PCRI_OWN_NAME_NBYTES) &&
                ((size_t) p[LENGTH_AT] << 8 | p[LENGTH_AT + 1]) == span->nbytes - LENGTH_AT;
    return ours ? p[KIND_AT] : 0;
}

uint32_t pcri_pk_header_spans(const struct pcr_spans *spans)
{
    uint32_t n = 0;
    while (n < spans->count && pcri_pk_segment_kind(&spans->items[n]) != PCRI_PK_PARAMS)
        n++;
    return n;
}

static struct pcr_span payload(const struct pcr_span *span)
{
    const uint8_t *p = span->data;
    return (struct pcr_span) { p + PCRI_PK_SEGMENT_HEAD_NBYTES,
                               span->nbytes - PCRI_PK_SEGMENT_HEAD_NBYTES };
}

/* A span of the header, other than its last. */
static int take_span(const struct pcr_span *span, const struct pcr_limits *limits,
                     struct pcri_jpeg_file *f, struct pcri_pk_sample *out,
                     struct pcr_error *err)
{
    int kind = pcri_pk_segment_kind(span);
    if (kind != PCRI_PK_LADDER && kind != PCRI_PK_TABLES)
        return pcri_jpeg_file_add(f, span->data, span->nbytes, limits, err);
    struct pcr_span *to = kind == PCRI_PK_LADDER ? &out->ladder : &out->tables;
    if (to->data)
        return pcri_fail(err, PCR_ERR_CORRUPT, "a packed sample with %s twice",
                         kind == PCRI_PK_LADDER ? "a ladder" : "tables");
    *to = payload(span);
    return 0;
}

int pcri_pk_sample_parse(const struct pcr_spans *spans, const struct pcr_limits *limits,
                         struct pcri_jpeg_file *f, struct pcri_pk_sample *out,
                         struct pcr_error *err)
{
    *out = (struct pcri_pk_sample) { .first_chunk = 0 };
    pcri_jpeg_file_begin(f);
    for (uint32_t i = 0; i < spans->count; i++) {
        int rc;
        if (pcri_pk_segment_kind(&spans->items[i]) != PCRI_PK_PARAMS) {
            if ((rc = take_span(&spans->items[i], limits, f, out, err)))
                return rc;
            if (f->in_scans)
                return pcri_fail(err, PCR_ERR_CORRUPT, "a scan in a packed sample");
            continue;
        }
        const struct pcr_span params = payload(&spans->items[i]);
        if ((rc = pcri_pk_params_parse(params.data, params.nbytes, &out->params, err)) ||
            (rc = pcri_jpeg_file_end_header(f, err)))
            return rc;
        if (!out->ladder.data)
            return pcri_fail(err, PCR_ERR_CORRUPT, "a packed sample without its ladder");
        out->first_chunk = i + 1;
        return 0;
    }
    return pcri_fail(err, PCR_ERR_TRUNCATED, "a packed sample without its parameters");
}
