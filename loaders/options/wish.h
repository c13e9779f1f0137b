/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wished for a sample: a fidelity or a quality, in one number. */
#ifndef PCRI_WISH_H
#define PCRI_WISH_H

#include <stdbool.h>
#include <stdint.h>

/* A wish: a fidelity, or a quality in millionths with this bit. 0: none. */
#define PCRI_BY_QUALITY (UINT32_C(1) << 31)
enum { PCRI_QUALITY_ONE = 1000000 };

static inline bool pcri_by_quality(uint32_t wish)
{
    return wish >= PCRI_BY_QUALITY;
}
static inline double pcri_quality_of(uint32_t wish)
{
    return (double) (wish - PCRI_BY_QUALITY) / PCRI_QUALITY_ONE;
}

#endif
