/* SPDX-License-Identifier: BSD-2-Clause */
/* What the predicted qualities of a sample say about a scale. */
#include <math.h>

#include "../base/coded.h"
#include "dataset.h"

_Static_assert((int) PCR_QUALITY_SCALES == (int) PCRI_QUALITY_SCALES, "one table");

/* In quarters of a decibel: what is asked of a prediction beyond the quality that is wanted, for a
 * crop may be a harder part of its picture. */
enum { MARGIN = 2 };

/* In quarters of a decibel. */
static double interpolate(const uint8_t *quality, double scale)
{
    const double at = scale > 1 ? 2 * log2(scale) : 0;
    if (!(at < PCR_QUALITY_SCALES - 1))
        return quality[PCR_QUALITY_SCALES - 1];
    const int i = (int) at;
    return quality[i] + (at - i) * (quality[i + 1] - quality[i]);
}

double pcr_sample_quality(const struct pcr_sample_info *info, uint32_t fidelity, double scale)
{
    if (!info->quality)
        return fidelity ? -1 : 1;
    if (!fidelity || fidelity > info->quality_count)
        return 1;
    const uint8_t *quality = info->quality + (size_t) PCR_QUALITY_SCALES * (fidelity - 1);
    return 1 - pow(10, -interpolate(quality, scale) / 40);
}

uint32_t pcr_sample_fidelity(const struct pcr_sample_info *info, double quality, double scale)
{
    const double needed = quality < 1 ? MARGIN - 40 * log10(1 - quality) : INFINITY;
    for (uint32_t g = 1; g <= info->quality_count; g++)
        if (interpolate(info->quality + (size_t) PCR_QUALITY_SCALES * (g - 1), scale) >=
            needed)
            return g;
    return 0;
}
