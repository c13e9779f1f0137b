/* SPDX-License-Identifier: BSD-2-Clause */
/* Blurring and solarisation, compiled by each set of loops for its CPU: simple loops, so that
 * compilers vectorise them. Sums are in one order everywhere. TARGET is the set's. */
#include <stdint.h>

enum { BLUR_STRIP = 64 }; /* places whose sums stay in registers or the nearest cache */

TARGET static void blur_down(const uint8_t *const *rows, const float *weights, uint32_t radius,
                             size_t n, float *restrict out)
{
    for (size_t x = 0; x < n; x += BLUR_STRIP) {
        const size_t count = n - x < BLUR_STRIP ? n - x : BLUR_STRIP;
        const uint8_t *middle = rows[radius] + x;
        float sums[BLUR_STRIP];
        for (size_t i = 0; i < count; i++)
            sums[i] = weights[0] * middle[i];
        for (uint32_t k = 1; k <= radius; k++) {
            const uint8_t *above = rows[radius - k] + x, *below = rows[radius + k] + x;
            const float w = weights[k];
            for (size_t i = 0; i < count; i++)
                sums[i] += w * (float) (above[i] + below[i]);
        }
        for (size_t i = 0; i < count; i++)
            out[x + i] = sums[i];
    }
}

TARGET static void blur_across(const float *restrict line, const float *weights,
                               uint32_t radius, size_t n, uint8_t *restrict out)
{
    for (size_t x = 0; x < n; x += BLUR_STRIP) {
        const size_t count = n - x < BLUR_STRIP ? n - x : BLUR_STRIP;
        const float *middle = line + radius + x;
        float sums[BLUR_STRIP];
        for (size_t i = 0; i < count; i++)
            sums[i] = weights[0] * middle[i] + 0.5f;
        for (uint32_t k = 1; k <= radius; k++) {
            const float *before = middle - k, *after = middle + k, w = weights[k];
            for (size_t i = 0; i < count; i++)
                sums[i] += w * (before[i] + after[i]);
        }
        for (size_t i = 0; i < count; i++)
            out[x + i] = (uint8_t) (int) (sums[i] < 255 ? sums[i] : 255);
    }
}

TARGET static void solarize(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = p[i] < 128 ? p[i] : (uint8_t) (255 - p[i]);
}
