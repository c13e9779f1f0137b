/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a coefficient of which only the upper bits are known is taken to stand. */
#include "pixels.h"

enum { WHOLE = 1000 }; /* parts of an interval */

/* How far above its lower end, for zigzag index k. A coefficient's distribution falls off
 * within the interval, so that its mean lies below the middle. */
static uint32_t point(bool chroma, int k)
{
    (void) chroma;
    (void) k;
    return 300;
}

void pcri_dequant_fill(const uint16_t quant[64], const int8_t bits[64], bool chroma,
                       struct pcri_dequant *out)
{
    memcpy(out->quant, quant, sizeof(out->quant));
    memset(out->offset, 0, sizeof(out->offset));
    out->has_offsets = false;
    for (int k = 1; bits && k < 64; k++) {
        if (bits[k] <= 0)
            continue;
        uint64_t interval = (uint64_t) quant[k] << bits[k];
        uint64_t offset = (interval * point(chroma, k) + WHOLE / 2) / WHOLE;
        out->offset[k] = (int16_t) (offset > INT16_MAX ? INT16_MAX : offset);
        out->has_offsets = true;
    }
}
