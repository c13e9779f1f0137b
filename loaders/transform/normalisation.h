/* SPDX-License-Identifier: BSD-2-Clause */
/* Pixels of 8 bits to normalised floating point numbers. */
#ifndef PCRI_NORMALISATION_H
#define PCRI_NORMALISATION_H

#include "../options/options.h"

/* What each value of each channel becomes. There are only 256 values, so they are computed
 * once, exactly rounded: the same numbers on every machine. */
struct pcri_normalisation {
    uint32_t dtype;
    uint32_t plane_count, channels; /* of a sample; `channels` within each plane */
    union {
        uint16_t halves[3][256]; /* float16 and bfloat16, as bits */
        float floats[3][256];
    } table;
};

void pcri_normalisation_init(const struct pcr_loader_options *o,
                             struct pcri_normalisation *out);

/* Converts n pixels of one of a picture's planes, of which there is one if channels lie side by
 * side; dst receives them in o->dtype, which is not UINT8. */
void pcri_normalise_plane(const struct pcri_normalisation *p, uint32_t plane,
                          const uint8_t *src, size_t n, void *dst);

/* Converts one picture of n pixels. */
void pcri_normalise(const struct pcri_normalisation *p, const uint8_t *src, size_t n,
                    void *dst);

/* The nearest number of the smaller type, as bits; halfway cases go to the even one. */
uint16_t pcri_to_float16(float value);
uint16_t pcri_to_bfloat16(float value);

#endif
