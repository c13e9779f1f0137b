/* SPDX-License-Identifier: BSD-2-Clause */
/* An image's quantised coefficients. */
#ifndef PCRI_COEFS_H
#define PCRI_COEFS_H

#include "blocks.h"
#include "markers.h"
#include "padding.h"

/* One component's blocks, row after row, without padding. */
struct pcri_plane {
    uint32_t blocks_x, blocks_y;
    int16_t *coef;  /* [block * 64 + k], k in zigzag order; 64-byte aligned */
    uint64_t *mask; /* [level * blocks + block]: bit k set if |coef k| >> level != 0 */
};

struct pcri_coefs {
    uint32_t component_count, level_count;
    struct pcri_plane planes[4];
    uint8_t *memory;
    size_t capacity;
    bool keep_padding; /* set by the owner: pcri_coefs_read() reads these, too */
    struct pcri_padding_set padding;
};

extern const uint8_t pcri_zigzag_order[64]; /* natural position of zigzag index k */

/* Bytes that an image's coefficients take, with so many levels of masks. */
uint64_t pcri_coefs_nbytes(const struct pcri_jpeg_file *f, uint32_t levels);

/* Reads the coefficients of a whole file with libjpeg, and makes masks for levels 0..levels-1.
 * Memory is reused. *in_doubt: libjpeg skipped bytes, and whether everything is there is not
 * known (turbo.h). Codes: CORRUPT, TRUNCATED, UNSUPPORTED, NOMEM. */
int pcri_coefs_read(struct pcri_coefs *c, const struct pcri_jpeg_file *f, uint32_t levels,
                    bool *in_doubt, struct pcr_error *err);
/* The same for a damaged file, read by pcri_jpeg_file_salvage(): the coefficients that libjpeg
 * has after its warnings, and zeros elsewhere. Also CORRUPT if that is nothing. */
int pcri_coefs_salvage(struct pcri_coefs *c, struct pcri_jpeg_file *f, uint32_t levels,
                       struct pcr_error *err);
/* Allocates an image's coefficients, without setting them, and masks for levels 0..levels-1.
 * NOMEM. */
int pcri_coefs_reserve(struct pcri_coefs *c, const struct pcri_jpeg_file *f, uint32_t levels,
                       struct pcr_error *err);
/* Computes so many levels of masks of what was stored there. */
void pcri_coefs_index(struct pcri_coefs *c, uint32_t levels);
/* The planes as a decoder has them. */
void pcri_coefs_view(const struct pcri_coefs *c, struct pcri_blocks planes[4]);
void pcri_coefs_free(struct pcri_coefs *c);

#endif
