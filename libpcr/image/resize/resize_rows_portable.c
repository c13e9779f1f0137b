/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of a resize for any CPU. */
#include "../../base/base.h"
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

enum {
    BYTE_SHIFT = PCRI_WEIGHT_BITS + PCRI_FRACTION_BITS,
    WIDE_SHIFT = PCRI_WEIGHT_BITS,
    WIDE_MOST = 255 << PCRI_FRACTION_BITS,
};

static int32_t cut(int32_t v, int32_t most)
{
    return v < 0 ? 0 : v > most ? most : v;
}

static void blend_wide(const uint16_t *src, size_t stride, const int16_t *weights,
                       uint32_t count, uint8_t *out, size_t n)
{
    enum { TILE = 32 };
    while (n) {
        int32_t sum[TILE];
        size_t width = n < TILE ? n : TILE;
        for (size_t i = 0; i < width; i++)
            sum[i] = 1 << (BYTE_SHIFT - 1);
        for (uint32_t k = 0; k < count; k++) {
            const uint16_t *row = src + k * stride;
            int16_t w = weights[k];
            for (size_t i = 0; i < width; i++)
                sum[i] += (int16_t) row[i] * w;
        }
        for (size_t i = 0; i < width; i++)
            out[i] = (uint8_t) cut(sum[i] >> BYTE_SHIFT, 255);
        src += width;
        out += width;
        n -= width;
    }
}

void pcri_widen(const uint8_t *src, uint16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint16_t) (src[i] << PCRI_FRACTION_BITS);
}

/* The tap of output pixel x. */
static const struct pcri_tap *tap_of(const struct pcri_shrink *s, uint32_t x)
{
    return &s->filter->taps[s->flip ? s->width - 1 - x : x];
}

static void sum_rgb(const struct pcri_filter *f, const struct pcri_tap *t, const uint16_t *src,
                    int shift, int32_t most, int32_t out[3])
{
    const int16_t *w = f->weights + t->first;
    const uint16_t *p = src + (size_t) (t->begin - f->begin) * 3;
    int32_t sum[3] = { 1 << (shift - 1), 1 << (shift - 1), 1 << (shift - 1) };
    for (uint32_t k = 0; k < t->count; k++, p += 3)
        for (int c = 0; c < 3; c++)
            sum[c] += p[c] * w[k];
    for (int c = 0; c < 3; c++)
        out[c] = cut(sum[c] >> shift, most);
}

static void shrink_rgb(const struct pcri_shrink *s, const uint16_t *src, uint8_t *out,
                       size_t plane_nbytes)
{
    size_t pixel = plane_nbytes ? 1 : 3, channel = plane_nbytes ? plane_nbytes : 1;
    for (uint32_t x = 0; x < s->width; x++, out += pixel) {
        int32_t v[3];
        sum_rgb(s->filter, tap_of(s, x), src, BYTE_SHIFT, 255, v);
        for (size_t c = 0; c < 3; c++)
            out[c * channel] = (uint8_t) v[c];
    }
}

static void shrink_rgb_wide(const struct pcri_shrink *s, const uint16_t *src, uint16_t *out,
                            size_t plane)
{
    size_t pixel = plane ? 1 : 3, channel = plane ? plane : 1;
    for (uint32_t x = 0; x < s->width; x++, out += pixel) {
        int32_t v[3];
        sum_rgb(s->filter, tap_of(s, x), src, WIDE_SHIFT, WIDE_MOST, v);
        for (size_t c = 0; c < 3; c++)
            out[c * channel] = (uint16_t) v[c];
    }
}

static int32_t sum_gray(const struct pcri_filter *f, const struct pcri_tap *t,
                        const uint16_t *src, int shift)
{
    const int16_t *w = f->weights + t->first;
    const uint16_t *p = src + (t->begin - f->begin);
    int32_t sum = 1 << (shift - 1);
    for (uint32_t k = 0; k < t->count; k++)
        sum += p[k] * w[k];
    return sum >> shift;
}

void pcri_shrink_gray(const struct pcri_shrink *s, const uint16_t *src, uint8_t *out)
{
    for (uint32_t x = 0; x < s->width; x++)
        out[x] = (uint8_t) cut(sum_gray(s->filter, tap_of(s, x), src, BYTE_SHIFT), 255);
}

void pcri_shrink_gray_wide(const struct pcri_shrink *s, const uint16_t *src, uint16_t *out)
{
    for (uint32_t x = 0; x < s->width; x++)
        out[x] = (uint16_t) cut(sum_gray(s->filter, tap_of(s, x), src, WIDE_SHIFT), WIDE_MOST);
}

const struct pcri_resize_rows pcri_resize_rows_portable = {
    .name = "portable",
    .blend = blend,
    .blend_wide = blend_wide,
    .shrink_rgb = shrink_rgb,
    .shrink_rgb_wide = shrink_rgb_wide,
};
