/* SPDX-License-Identifier: BSD-2-Clause */
/* What an exact picture has besides its JPEG: the differences of its pixels from the JPEG's
 * (docs/FORMAT.md section 11). Pixels are packed, gray or RGB. */
#ifndef PCRI_RESIDUAL_H
#define PCRI_RESIDUAL_H

#include "strip.h"
#include "tables.h"

/* A sample's spans end with these bytes, and one more span, the residual. */
#define PCRI_RS_MARK \
    { \
        0xFF, 0xEF, 0x00, 0x06, 'P', 'C', 'R', 3 \
    }
enum { PCRI_RS_MARK_NBYTES = 8 };

/* The residual of spans that have one, or one without data. */
struct pcr_span pcri_rs_find(const struct pcr_spans *spans);

/* --- reading --- */

/* Reads residuals, one after the other. Start from { 0 }. */
struct pcri_rs_reader {
    uint32_t width, height, channels, strip_rows;
    struct pcri_rs_tables tables;
    struct pcri_rs_piece {
        const uint8_t *symbols, *plain;
        uint32_t symbols_nbytes, plain_nbytes;
    } * pieces; /* of strips */
    uint32_t strip_count;
    size_t capacity;
    struct pcri_rs_strip strip;
    struct pcr_buffer padded; /* a strip's symbols */
};
/* Takes a residual, whose bytes must stay, of a picture of 1 or 3 channels. Codes: CORRUPT,
 * NOMEM. */
int pcri_rs_open(struct pcri_rs_reader *r, const struct pcr_span *residual, uint32_t width,
                 uint32_t height, uint32_t channels, struct pcr_error *err);
/* Makes strip i of the JPEG's pixels exact, in place; `pixels` are those of the strip. Codes:
 * CORRUPT, NOMEM. */
int pcri_rs_apply(struct pcri_rs_reader *r, uint32_t i, uint8_t *pixels, size_t stride_nbytes,
                  struct pcr_error *err);
void pcri_rs_free(struct pcri_rs_reader *r);

/* --- writing --- */

/* Appends to *out the residual of a picture's pixels and those of its JPEG. The same on every
 * machine. Codes: NOMEM, LIMIT. */
int pcri_rs_make(const uint8_t *exact, const uint8_t *jpeg, uint32_t width, uint32_t height,
                 uint32_t channels, struct pcr_buffer *out, struct pcr_error *err);

#endif
