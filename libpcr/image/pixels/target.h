/* SPDX-License-Identifier: BSD-2-Clause */
/* Which pixels a decode must deliver, and where they go. */
#ifndef PCRI_TARGET_H
#define PCRI_TARGET_H

#include <pcr/image.h>

#include "../../base/base.h"

enum {
    PCRI_COLOR_INKS = PCR_COLOR_GRAY + 1, /* C, M, Y and K; 255: all ink */
    PCRI_MOST_THREADS = 64,               /* of an image */
};

/* The request of a codec's caller; color is RGB or GRAY, and limits are filled in. */
struct pcri_decode_params {
    uint32_t color;   /* or PCRI_COLOR_INKS for JPEG of four components */
    bool alpha;       /* for a PNG that has it: one more channel, after the others */
    uint32_t scale;   /* 1 to 8, in eighths */
    uint32_t threads; /* at most */
    bool identical;   /* as PCR_DECODE_IDENTICAL */
    const struct pcr_ladder *ladder;
    struct pcr_limits limits;
};

/* A part of a picture as it is stored and scaled; not empty. */
struct pcri_rect {
    uint32_t x, y, width, height;
};

/* Where pixels go. */
struct pcri_target {
    uint8_t *data;
    size_t stride_nbytes; /* from row to row */
    size_t plane_nbytes;  /* from plane to plane; 0: packed pixels */
};

/* Row y of the target, of n packed pixels: copied, or cut into planes. */
void pcri_store_row(const struct pcri_target *target, uint32_t y, const uint8_t *pixels,
                    uint32_t n, uint32_t channels);

/* Rows on their way to a target: the next one, and of how many pixels. */
struct pcri_delivery {
    const struct pcri_target *target;
    uint32_t y, width, channels;
};
/* Stores the next row; a pcri_row_fn of a delivery. */
void pcri_deliver_row(void *delivery, const uint8_t *pixels);

/* The luma of one pixel: ITU-R BT.601 in 16 bits, as JPEG's own conversion. */
static inline uint8_t pcri_luma(unsigned r, unsigned g, unsigned b)
{
    return (uint8_t) ((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
}

#endif
