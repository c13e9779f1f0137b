/* SPDX-License-Identifier: BSD-2-Clause */
/* How good an image's prefixes are at the sizes at which they may be used (docs/FORMAT.md
 * 3.6). */
#ifndef PCRI_QUALITY_H
#define PCRI_QUALITY_H

#include "../base/coded.h"
#include "coefs.h"
#include "ladder.h"

/* Scratch memory. Start from { 0 }. */
struct pcri_quality {
    uint8_t *memory;
    size_t capacity;
};

/* Predicts the quality of the prefixes of groups 1 to g, for each g below group_count:
 * out[PCRI_QUALITY_SCALES * (g - 1) + i] is that at scale i in the units of pcri_coded. A pure
 * function of coefficients, quantisation and script. NOMEM. */
int pcri_quality_measure(struct pcri_quality *q, const struct pcri_jpeg_file *f,
                         const struct pcri_coefs *coefs, const struct pcri_script *script,
                         uint32_t group_count, uint8_t *out, struct pcr_error *err);
void pcri_quality_free(struct pcri_quality *q);

#endif
