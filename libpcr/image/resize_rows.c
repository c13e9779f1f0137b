/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of a resize for any CPU, and the choice among the sets. */
#include "../base/base.h"
#include "resize_rows.h"

static void blend(const uint8_t *src, size_t stride, const int16_t *weights, uint32_t count,
                  uint16_t *out, size_t n)
{
    enum { TILE = 32, SHIFT = PCRI_WEIGHT_BITS - PCRI_FRACTION_BITS };
    for (; n >= TILE; n -= TILE, src += TILE, out += TILE) {
        int32_t sum[TILE];
        for (int i = 0; i < TILE; i++)
            sum[i] = 1 << (SHIFT - 1);
        for (uint32_t k = 0; k < count; k++) {
            const uint8_t *row = src + k * stride;
            int16_t w = weights[k];
            for (int i = 0; i < TILE; i++)
                sum[i] += (int16_t) row[i] * w;
        }
        for (int i = 0; i < TILE; i++)
            out[i] = (uint16_t) (sum[i] >> SHIFT);
    }
    for (size_t i = 0; i < n; i++) {
        int32_t sum = 1 << (SHIFT - 1);
        for (uint32_t k = 0; k < count; k++)
            sum += src[k * stride + i] * weights[k];
        out[i] = (uint16_t) (sum >> SHIFT);
    }
}

static uint8_t finish(int32_t sum)
{
    return (uint8_t) (sum >> (PCRI_WEIGHT_BITS + PCRI_FRACTION_BITS));
}

enum { HALF = 1 << (PCRI_WEIGHT_BITS + PCRI_FRACTION_BITS - 1) };

static void shrink_rgb(const struct pcri_filter *f, const uint16_t *src, bool flip,
                       uint8_t *out, size_t plane_nbytes, uint32_t width)
{
    size_t pixel = plane_nbytes ? 1 : 3, channel = plane_nbytes ? plane_nbytes : 1;
    for (uint32_t x = 0; x < width; x++, out += pixel) {
        const struct pcri_tap *t = &f->taps[flip ? width - 1 - x : x];
        const int16_t *w = f->weights + t->first;
        const uint16_t *p = src + (size_t) (t->begin - f->begin) * 3;
        int32_t a = HALF, b = HALF, c = HALF;
        for (uint32_t k = 0; k < t->count; k++, p += 3) {
            a += p[0] * w[k];
            b += p[1] * w[k];
            c += p[2] * w[k];
        }
        out[0] = finish(a);
        out[channel] = finish(b);
        out[2 * channel] = finish(c);
    }
}

void pcri_shrink_gray(const struct pcri_filter *f, const uint16_t *src, bool flip,
                      uint8_t *out, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        const struct pcri_tap *t = &f->taps[flip ? width - 1 - x : x];
        const int16_t *w = f->weights + t->first;
        const uint16_t *p = src + (t->begin - f->begin);
        int32_t a = HALF;
        for (uint32_t k = 0; k < t->count; k++)
            a += p[k] * w[k];
        out[x] = finish(a);
    }
}

const struct pcri_resize_rows pcri_resize_rows_portable = {
    .name = "portable",
    .blend = blend,
    .shrink_rgb = shrink_rgb,
    .shrink_gray = pcri_shrink_gray,
};

const struct pcri_resize_rows *pcri_resize_rows_choose(void)
{
#ifdef PCRI_HAVE_RESIZE_AVX2
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        return &pcri_resize_rows_avx2;
#endif
    return &pcri_resize_rows_portable;
}
