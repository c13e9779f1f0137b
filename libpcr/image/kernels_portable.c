/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels for any CPU, and the choice among the sets. The loops over pixels are
 * plain C, cut so that the compiler makes vectors of them. */
#include "../base/base.h"
#include "kernels.h"
#include "simd_portable.h"

/* --- inverse DCT --- */

/* Where zigzag index k goes: among rows of 8, and in idct_body.h's corner. */
static const uint8_t natural_place[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};
static const uint8_t corner_place[25] = { 0, 4, 8, 1,  12, 2, 6, 10, 5, 9, 0, 13, 3,
                                          14, 0, 0, 0, 7, 11, 0, 0, 0, 0, 0, 15 };

INLINE int16_t dequantise(int16_t coef, const struct pcri_dequant *q, bool offsets, int k)
{
    int v = (int16_t) (uint16_t) ((unsigned) coef * q->quant[k]);
    if (offsets) {
        v += coef < 0 ? -q->offset[k] : q->offset[k];
        v = v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v;
    }
    return (int16_t) v;
}

INLINE void scatter(const int16_t *coef, uint64_t mask, const struct pcri_dequant *q,
                    bool offsets, const uint8_t *place, int16_t *out)
{
    out[0] = dequantise(coef[0], q, false, 0);
    for (; mask; mask &= mask - 1) {
        int k = __builtin_ctzll(mask);
        out[place[k]] = dequantise(coef[k], q, offsets, k);
    }
}

INLINE void load_full(const int16_t *const coef[1], const uint64_t mask[1],
                      const struct pcri_dequant *q, bool offsets, vec r[8])
{
    int16_t natural[64] __attribute__((aligned(16))) = { 0 };
    scatter(coef[0], mask[0], q, offsets, natural_place, natural);
    memcpy(r, natural, sizeof(natural));
}

INLINE void load_corner(const int16_t *const coef[1], const uint64_t mask[1],
                        const struct pcri_dequant *q, bool offsets, vec *p02, vec *p13)
{
    int16_t pairs[16] __attribute__((aligned(16))) = { 0 };
    scatter(coef[0], mask[0], q, offsets, corner_place, pairs);
    memcpy(p02, pairs, sizeof(*p02));
    memcpy(p13, pairs + 8, sizeof(*p13));
}

#include "idct_body.h"

/* --- upsampling --- */

static void mix_rows(const uint8_t *restrict near, const uint8_t *restrict far, size_t n,
                     uint16_t *restrict sums)
{
    for (size_t i = 0; i < n; i++)
        sums[i] = (uint16_t) (3 * near[i] + far[i]);
}

static void upsample_v2(const uint8_t *restrict near, const uint8_t *restrict far, size_t n,
                        unsigned bias, uint8_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t) ((3u * near[i] + far[i] + bias) >> 2);
}

static void upsample_h2(const uint16_t *restrict sums, size_t n, const uint16_t bias[2],
                        uint8_t *restrict out)
{
    const uint16_t *restrict left = sums - 1, *restrict right = sums + 1;
    uint16_t b0 = bias[0], b1 = bias[1];
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = (uint8_t) ((uint16_t) (3 * sums[i] + left[i] + b0) >> 4);
        out[2 * i + 1] = (uint8_t) ((uint16_t) (3 * sums[i] + right[i] + b1) >> 4);
    }
}

/* --- colour --- */

enum { RUN = 64 }; /* pixels that go through buffers at a time */

INLINE uint8_t clamp8(int v)
{
    return (uint8_t) (v < 0 ? 0 : v > 255 ? 255 : v);
}

/* ITU-R BT.601 in 16 bits (JFIF). */
static void ycc_planes(const uint8_t *restrict y, const uint8_t *restrict cb,
                       const uint8_t *restrict cr, size_t n, uint8_t *restrict red,
                       uint8_t *restrict green, uint8_t *restrict blue)
{
    for (size_t i = 0; i < n; i++) {
        int l = y[i], b = cb[i] - 128, r = cr[i] - 128;
        red[i] = clamp8(l + ((91881 * r + 32768) >> 16));
        green[i] = clamp8(l + ((-22554 * b - 46802 * r + 32768) >> 16));
        blue[i] = clamp8(l + ((116130 * b + 32768) >> 16));
    }
}

static void ycc_run(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                    const struct pcri_rgb_row *out, size_t at)
{
    if (out->planar) {
        ycc_planes(y, cb, cr, n, out->plane[0] + at, out->plane[1] + at, out->plane[2] + at);
        return;
    }
    uint8_t planes[3][RUN];
    uint8_t *dst = out->plane[0] + 3 * at;
    ycc_planes(y, cb, cr, n, planes[0], planes[1], planes[2]);
    for (size_t i = 0; i < n; i++) {
        dst[3 * i] = planes[0][i];
        dst[3 * i + 1] = planes[1][i];
        dst[3 * i + 2] = planes[2][i];
    }
}

static void ycc_to_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                       const struct pcri_rgb_row *out)
{
    for (size_t at = 0; at < n; at += RUN)
        ycc_run(y + at, cb + at, cr + at, n - at < RUN ? n - at : RUN, out, at);
}

static void ycc_h2_to_rgb(const uint8_t *y, const uint16_t *cb_sums, const uint16_t *cr_sums,
                          const uint16_t bias[2], size_t n, const struct pcri_rgb_row *out)
{
    uint8_t cb[RUN], cr[RUN];
    for (size_t at = 0; at < n; at += RUN) {
        size_t m = n - at < RUN ? n - at : RUN;
        upsample_h2(cb_sums + at / 2, (m + 1) / 2, bias, cb);
        upsample_h2(cr_sums + at / 2, (m + 1) / 2, bias, cr);
        ycc_run(y + at, cb, cr, m, out, at);
    }
}

const struct pcri_kernels pcri_kernels_portable = {
    .name = "portable",
    .idct = idct,
    .mix_rows = mix_rows,
    .upsample_v2 = upsample_v2,
    .upsample_h2 = upsample_h2,
    .ycc_to_rgb = ycc_to_rgb,
    .ycc_h2_to_rgb = ycc_h2_to_rgb,
};

const struct pcri_kernels *pcri_kernels_choose(void)
{
#ifdef PCRI_HAVE_AVX2
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        return &pcri_kernels_avx2;
#endif
    return &pcri_kernels_portable;
}
