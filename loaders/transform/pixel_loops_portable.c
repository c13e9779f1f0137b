/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of colours and rotation for any CPU. */
#include "../../libpcr/base/base.h"
#include "pixel_loops.h"

#define TARGET
#include "pixel_blend.h"
#include "pixel_blur.h"
#include "pixel_enhance.h"
#include "pixel_hue.h"

/* A byte times a factor, with PCRI_LEVEL_BITS after the point. */
static int32_t times(uint8_t p, int16_t factor)
{
    enum { SHIFT = PCRI_FACTOR_BITS - PCRI_LEVEL_BITS };
    return (p * factor + (1 << (SHIFT - 1))) >> SHIFT;
}

static uint8_t to_byte(int32_t level)
{
    int32_t v = (level + (1 << (PCRI_LEVEL_BITS - 1))) >> PCRI_LEVEL_BITS;
    return (uint8_t) (v < 0 ? 0 : v > 255 ? 255 : v);
}

static void scale(uint8_t *p, size_t n, int16_t factor, int16_t level)
{
    for (size_t i = 0; i < n; i++)
        p[i] = to_byte(times(p[i], factor) + level);
}

static void mix(uint8_t *restrict p, const uint8_t *restrict q, size_t n, int16_t factor,
                int16_t rest)
{
    for (size_t i = 0; i < n; i++)
        p[i] = to_byte(times(p[i], factor) + times(q[i], rest));
}

static void luma(const uint8_t *const rgb[3], size_t n, uint8_t *restrict out)
{
    const uint8_t *r = rgb[0], *g = rgb[1], *b = rgb[2];
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t) ((19595 * r[i] + 38470 * g[i] + 7471 * b[i] + 32768) >> 16);
}

static void places(uint64_t x, uint64_t y, uint64_t dx, uint64_t dy, size_t stride, size_t n,
                   int32_t *restrict offsets, uint32_t *restrict fractions)
{
    enum { DROP = 32 - PCRI_PLACE_BITS, MASK = (1 << PCRI_PLACE_BITS) - 1 };
    for (size_t i = 0; i < n; i++, x += dx, y += dy) {
        offsets[i] = (int32_t) ((uint32_t) (y >> 32) * (uint32_t) stride +
                                (uint32_t) (x >> 32));
        fractions[i] = ((uint32_t) x >> DROP & MASK) | ((uint32_t) y >> DROP & MASK) << 16;
    }
}

static void sample(const uint8_t *src, size_t stride, const int32_t *offsets,
                   const uint32_t *fractions, size_t n, uint8_t *out)
{
    enum { ONE = 1 << PCRI_PLACE_BITS, CUT = 4, SHIFT = 2 * PCRI_PLACE_BITS - CUT };
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = src + offsets[i], *q = p + stride;
        int32_t x = (int32_t) (fractions[i] & 0xFFFF), y = (int32_t) (fractions[i] >> 16);
        int32_t above = p[0] * (ONE - x) + p[1] * x, below = q[0] * (ONE - x) + q[1] * x;
        above = (above + (1 << (CUT - 1))) >> CUT;
        below = (below + (1 << (CUT - 1))) >> CUT;
        out[i] = (uint8_t) ((above * (ONE - y) + below * y + (1 << (SHIFT - 1))) >> SHIFT);
    }
}

static void pack(const uint8_t *const rgb[3], size_t n, uint8_t *restrict out)
{
    const uint8_t *r = rgb[0], *g = rgb[1], *b = rgb[2];
    for (size_t i = 0; i < n; i++, out += 3) {
        out[0] = r[i];
        out[1] = g[i];
        out[2] = b[i];
    }
}

const struct pcri_pixel_loops pcri_pixel_loops_portable = {
    .name = "portable",
    .scale = scale,
    .mix = mix,
    .luma = luma,
    .turn_hue = turn_hue,
    .places = places,
    .sample = sample,
    .solarize = solarize,
    .blur_down = blur_down,
    .blur_across = blur_across,
    .enhance = enhance,
    .enhance_from = enhance_from,
    .smooth = smooth,
    .blend_floats = blend_floats,
    .blend_halves = blend_halves,
    .blend_bfloats = blend_bfloats,
    .pack = pack,
};
