/* SPDX-License-Identifier: BSD-2-Clause */
/* The blocks that only fill the MCUs of interleaved scans, at the right and the bottom edge. No
 * sample has them; they are kept for restoring files. */
#ifndef PCRI_PADDING_H
#define PCRI_PADDING_H

#include "markers.h"

/* One component's: row by row, those right of the picture, in rows below it all of a row. */
struct pcri_padding {
    uint32_t blocks_x, blocks_y; /* the picture's */
    uint32_t padded_x, padded_y; /* with the padding */
    int16_t *coef;               /* [block * 64 + k], in zigzag order */
};

static inline size_t pcri_padding_count(const struct pcri_padding *p)
{
    return (size_t) p->padded_x * p->padded_y - (size_t) p->blocks_x * p->blocks_y;
}

/* The block at (x, y), which is outside of the picture. */
static inline int16_t *pcri_padding_block(const struct pcri_padding *p, uint32_t x, uint32_t y)
{
    const uint32_t extra = p->padded_x - p->blocks_x;
    size_t at = y < p->blocks_y ? (size_t) y * extra + (x - p->blocks_x)
                                : (size_t) p->blocks_y * extra +
                                      (size_t) (y - p->blocks_y) * p->padded_x + x;
    return p->coef + 64 * at;
}

/* All components'; start from { 0 }. */
struct pcri_padding_set {
    struct pcri_padding planes[4];
    int16_t *memory;
    size_t capacity;
};
/* Sets the geometry of a file's padding, and all blocks to 0. NOMEM. */
int pcri_padding_reserve(struct pcri_padding_set *s, const struct pcri_jpeg_file *f,
                         struct pcr_error *err);
void pcri_padding_free(struct pcri_padding_set *s);

#endif
