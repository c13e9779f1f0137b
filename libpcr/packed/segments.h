/* SPDX-License-Identifier: BSD-2-Clause */
/* A packed sample's spans: a JPEG header with segments of its own, then chunks (docs/FORMAT.md
 * 10.7). */
#ifndef PCRI_PK_SEGMENTS_H
#define PCRI_PK_SEGMENTS_H

#include "../jpeg/coding.h"
#include "../jpeg/ladder.h"
#include "packed.h"

/* The kinds of the coding's own segments. */
enum pcri_pk_segment {
    PCRI_PK_MARK = 2,     /* the coding's number: nothing more */
    PCRI_PK_LADDER = 'L', /* a ladder's text, of one script */
    PCRI_PK_TABLES = 'T', /* tables that are not built in (10.6) */
    PCRI_PK_PARAMS = 'P', /* parameters (10.2); the header's end */
};

/* SOI and the mark. */
#define PCRI_PK_MAGIC \
    { \
        0xFF, 0xD8, 0xFF, 0xEF, 0x00, 0x06, 'P', 'C', 'R', PCRI_PK_MARK \
    }
enum { PCRI_PK_MAGIC_NBYTES = 10, PCRI_PK_SEGMENT_HEAD_NBYTES = 8 };

/* Appends a segment. LIMIT: it would be too long. */
int pcri_pk_segment_append(struct pcr_buffer *out, enum pcri_pk_segment kind, const void *data,
                           size_t nbytes, struct pcr_error *err);

/* A sample's spans, taken apart. */
struct pcri_pk_sample {
    struct pcr_span ladder, tables; /* tables: data NULL, where there are none */
    struct pcri_pk_params params;
    uint32_t first_chunk; /* among the spans: of group 1, and so on */
};

/* Parses the header into *f. Codes: CORRUPT, TRUNCATED, UNSUPPORTED, LIMIT, NOMEM. */
int pcri_pk_sample_parse(const struct pcr_spans *spans, const struct pcr_limits *limits,
                         struct pcri_jpeg_file *f, struct pcri_pk_sample *out,
                         struct pcr_error *err);
/* The kind of segment that the span is; 0 if it is none of this coding's. */
int pcri_pk_segment_kind(const struct pcr_span *span);

/* The spans before the parameters, or all if there are none. */
uint32_t pcri_pk_header_spans(const struct pcr_spans *spans);

#endif
