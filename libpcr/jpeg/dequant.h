/* SPDX-License-Identifier: BSD-2-Clause */
/* How the coefficients of a component become numbers. */
#ifndef PCRI_DEQUANT_H
#define PCRI_DEQUANT_H

#include <stdbool.h>
#include <stdint.h>

/* In zigzag order. */
struct pcri_dequant {
    uint16_t quant[64];
    /* Added, with the coefficient's sign and saturating, where a coefficient is not 0.
     * offset[0] is 0. */
    int16_t offset[64];
    bool has_offsets; /* some are not 0 */
} __attribute__((aligned(32)));

/* bits: the lowest known bit of each coefficient (coding.h), NULL to take coefficients as they
 * are. */
void pcri_dequant_fill(const uint16_t quant[64], const int8_t bits[64],
                       struct pcri_dequant *out);

#endif
