/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a picture, its channels apart: operations for each kind of CPU. */
#ifndef PCRI_RS_ROWS_H
#define PCRI_RS_ROWS_H

#include "../base/base.h"

enum {
    PCRI_RS_CHANNELS = 3,
    PCRI_RS_CONTEXTS = 8 * 6 * 3 * 5, /* of a channel */
    PCRI_RS_LANES = 8,                /* states that take turns */
    PCRI_RS_MARGIN = 32,              /* numbers before and after a row that may be touched */
};

/* What the contexts of a channel's row depend on. */
struct pcri_rs_row {
    const int16_t *above, *jpeg, *below; /* the JPEG's pixels, with one more at each end */
    const int16_t *sizes[2]; /* magnitudes of the residuals of the rows above: 1, 2 */
    const int16_t *signs;    /* the residuals of the row above */
    const int16_t *other;    /* those of this row in the channel before; NULL: the first */
};

struct pcri_rs_kernels {
    /* Pixels to channels: G, R - G, B - G, or the gray one. */
    void (*split)(const uint8_t *pixels, size_t width, uint32_t channels,
                  int16_t *const out[PCRI_RS_CHANNELS]);
    void (*contexts)(const struct pcri_rs_row *row, size_t width, uint16_t *out);
    /* Symbols to residuals and their magnitudes. */
    void (*values)(const uint8_t *symbols, size_t width, int16_t *residual, int16_t *sizes);
    /* The other way: the exact picture's channel less the JPEG's; to symbols, too. */
    void (*symbols)(const int16_t *exact, const int16_t *jpeg, size_t width, int16_t *residual,
                    int16_t *sizes, uint8_t *symbols);
    /* Channels and residuals to pixels. */
    void (*join)(const int16_t *const jpeg[PCRI_RS_CHANNELS],
                 const int16_t *const residual[PCRI_RS_CHANNELS], size_t width,
                 uint32_t channels, uint8_t *pixels);
};

extern const struct pcri_rs_kernels pcri_rs_portable;
extern const struct pcri_rs_kernels pcri_rs_avx2;
/* For this CPU. */
const struct pcri_rs_kernels *pcri_rs_kernels_choose(void);

#endif
