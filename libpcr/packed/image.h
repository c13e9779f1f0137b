/* SPDX-License-Identifier: BSD-2-Clause */
/* One packed image to be decoded: its header, script and tables. */
#ifndef PCRI_PK_IMAGE_H
#define PCRI_PK_IMAGE_H

#include "segments.h"

/* Start from { 0 }. Script and tables are kept from image to image, for most have the same. */
struct pcri_pk_image {
    struct pcri_jpeg_file file;
    struct pcri_pk_sample sample;
    struct pcr_buffer ladder_text; /* what `ladder` was parsed from */
    struct pcr_ladder *ladder;
    const struct pcri_script *script;
    const struct pcri_pk_tables *own;    /* of the last sample that brought some */
    const struct pcri_pk_tables *tables; /* of this one */
};

/* Parses a sample's header, and finds what it names. ladder: which it must be of; NULL: any.
 * Codes: CORRUPT, TRUNCATED, UNSUPPORTED, LIMIT, NOMEM. */
int pcri_pk_image_open(struct pcri_pk_image *m, const struct pcr_spans *spans,
                       const struct pcr_limits *limits, const struct pcr_ladder *ladder,
                       struct pcr_error *err);
/* Work is bounded by the bytes that are there: group 1 has at least one for so many blocks. */
enum { PCRI_PK_BLOCKS_A_BYTE = 4096 };

/* Its chunks in `spans`, *groups_out of them. CORRUPT: more than the ladder has groups, or fewer
 * bytes than blocks want. */
int pcri_pk_image_chunks(const struct pcri_pk_image *m, const struct pcr_spans *spans,
                         const struct pcr_span **chunks_out, uint32_t *groups_out,
                         struct pcr_error *err);
void pcri_pk_image_free(struct pcri_pk_image *m);

#endif
