/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels, written once on vectors of 8 numbers and compiled for each kind of CPU.
 * The including file defines KERNELS (the set's symbol), KERNELS_NAME, and TARGET (function
 * attributes).
 *
 * The IDCT is that of Loeffler, Ligtenberg and Moschytz (1989), 11 multiplications a pass, in
 * 13-bit fixed point with 2 more bits between the passes, as libjpeg's ISLOW has it. Sums
 * that libjpeg-turbo's SIMD code takes in 16 bits wrap here too, and its saturation between
 * the passes is repeated, so that damaged or extreme coefficients give the same samples. */
#include "../jpeg/coefs.h"

INLINE v8 wrap16(v8 x)
{
    return (v8) ((v8) (x << 16) >> 16);
}

#ifndef SATURATE16
INLINE v8 clamp(v8 x, int32_t low, int32_t high)
{
    v8 lo = x < low, hi = x > high;
    return (x & ~lo & ~hi) | (lo & low) | (hi & high);
}

/* To the range of 16 bits. */
#define SATURATE16(x) clamp(x, INT16_MIN, INT16_MAX)

/* Eight rows of differences from 128 to samples. */
INLINE void store_rows(const v8 r[8], uint8_t *dst, size_t stride_nbytes)
{
    for (int y = 0; y < 8; y++) {
        v8b v = __builtin_convertvector(clamp(r[y], -128, 127) + 128, v8b);
        memcpy(dst + (size_t) y * stride_nbytes, &v, sizeof(v));
    }
}
#endif

/* One pass over the columns of eight rows; results are shifted down with rounding. */
INLINE void idct_pass(v8 r[8], int shift)
{
    v8 z1 = (r[2] + r[6]) * 4433;
    v8 even2 = z1 - r[6] * 15137, even3 = z1 + r[2] * 6270;
    v8 even0 = wrap16(r[0] + r[4]) << 13, even1 = wrap16(r[0] - r[4]) << 13;
    v8 a0 = even0 + even3, a3 = even0 - even3, a1 = even1 + even2, a2 = even1 - even2;

    v8 z3 = wrap16(r[7] + r[3]), z4 = wrap16(r[5] + r[1]), z5 = (z3 + z4) * 9633;
    z3 = z5 - z3 * 16069;
    z4 = z5 - z4 * 3196;
    v8 z17 = (r[7] + r[1]) * 7373, z35 = (r[5] + r[3]) * 20995;
    v8 b0 = r[7] * 2446 - z17 + z3, b1 = r[5] * 16819 - z35 + z4;
    v8 b2 = r[3] * 25172 - z35 + z3, b3 = r[1] * 12299 - z17 + z4;

    int32_t half = 1 << (shift - 1);
    a0 += half;
    a1 += half;
    a2 += half;
    a3 += half;
    r[0] = (a0 + b3) >> shift;
    r[7] = (a0 - b3) >> shift;
    r[1] = (a1 + b2) >> shift;
    r[6] = (a1 - b2) >> shift;
    r[2] = (a2 + b1) >> shift;
    r[5] = (a2 - b1) >> shift;
    r[3] = (a3 + b0) >> shift;
    r[4] = (a3 - b0) >> shift;
}

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (v8) { __VA_ARGS__ })
#endif

INLINE void transpose(v8 r[8])
{
    v8 t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = SHUFFLE(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        t[i + 1] = SHUFFLE(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
        u[i] = SHUFFLE(t[i], t[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        u[i + 1] = SHUFFLE(t[i], t[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        u[i + 2] = SHUFFLE(t[i + 1], t[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
        u[i + 3] = SHUFFLE(t[i + 1], t[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = SHUFFLE(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        r[i + 4] = SHUFFLE(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

TARGET static void idct_flat(int dc, uint8_t *dst, size_t stride_nbytes)
{
    int v = (((int16_t) dc * 4 + 16) >> 5) + 128;
    v = v < 0 ? 0 : v > 255 ? 255 : v;
    for (int y = 0; y < 8; y++)
        memset(dst + (size_t) y * stride_nbytes, v, 8);
}

TARGET static void idct(const int16_t *coef, uint64_t mask, const uint16_t *quant,
                        uint8_t *dst, size_t stride_nbytes)
{
    int dc = (int16_t) (uint16_t) ((unsigned) coef[0] * quant[0]);
    if (!mask && dc >= -8000 && dc <= 8000) {
        idct_flat(dc, dst, stride_nbytes);
        return;
    }
    v8 r[8] = { { 0 } };
    int32_t natural[64] __attribute__((aligned(32))) = { dc };
    for (; mask; mask &= mask - 1) {
        int k = __builtin_ctzll(mask);
        natural[pcri_zigzag_order[k]] =
            (int16_t) (uint16_t) ((unsigned) coef[k] * quant[k]);
    }
    memcpy(r, natural, sizeof(r));
    idct_pass(r, 11);
    for (int i = 0; i < 8; i++)
        r[i] = SATURATE16(r[i]);
    transpose(r);
    idct_pass(r, 18);
    transpose(r);
    store_rows(r, dst, stride_nbytes);
}

TARGET static void upsample_h2v1(const uint8_t *restrict in, size_t n, uint8_t *restrict out)
{
    out[0] = in[0];
    for (size_t i = 0; i + 1 < n; i++) {
        out[2 * i + 1] = (uint8_t) ((3 * in[i] + in[i + 1] + 2) >> 2);
        out[2 * i + 2] = (uint8_t) ((3 * in[i + 1] + in[i] + 1) >> 2);
    }
    out[2 * n - 1] = in[n - 1];
}

TARGET static void upsample_h2v2(const uint8_t *restrict near, const uint8_t *restrict far,
                                 size_t n, uint16_t *restrict sums, uint8_t *restrict out)
{
    /* sums[i + 1] belongs to column i; one more on each side repeats the edge. */
    for (size_t i = 0; i < n; i++)
        sums[i + 1] = (uint16_t) (3 * near[i] + far[i]);
    sums[0] = sums[1];
    sums[n + 1] = sums[n];
    for (size_t i = 0; i < n; i++) {
        unsigned left = sums[i], here = sums[i + 1], right = sums[i + 2];
        out[2 * i] = (uint8_t) ((uint16_t) (3 * here + left + 8) >> 4);
        out[2 * i + 1] = (uint8_t) ((uint16_t) (3 * here + right + 7) >> 4);
    }
}

TARGET static void upsample_h1v2(const uint8_t *restrict near, const uint8_t *restrict far,
                                 size_t n, unsigned bias, uint8_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t) ((3u * near[i] + far[i] + bias) >> 2);
}

#ifndef HAVE_YCC_TO_RGB
INLINE uint8_t clamp8(int32_t v)
{
    return (uint8_t) (v < 0 ? 0 : v > 255 ? 255 : v);
}

/* ITU-R BT.601 in 16 bits (JFIF). Runs of 32 pixels go through three planes, so that the
 * compiler makes vectors of both loops. */
TARGET static void ycc_to_rgb(const uint8_t *restrict y, const uint8_t *restrict cb,
                              const uint8_t *restrict cr, size_t n, uint8_t *restrict out)
{
    enum { RUN = 32 };
    uint8_t planes[3][RUN];
    for (size_t at = 0; at < n; at += RUN) {
        size_t m = n - at < RUN ? n - at : RUN;
        for (size_t i = 0; i < m; i++) {
            int32_t l = y[at + i], b = cb[at + i] - 128, r = cr[at + i] - 128;
            planes[0][i] = clamp8(l + ((91881 * r + 32768) >> 16));
            planes[1][i] = clamp8(l + ((-22554 * b - 46802 * r + 32768) >> 16));
            planes[2][i] = clamp8(l + ((116130 * b + 32768) >> 16));
        }
        for (size_t i = 0; i < m; i++) {
            out[3 * (at + i)] = planes[0][i];
            out[3 * (at + i) + 1] = planes[1][i];
            out[3 * (at + i) + 2] = planes[2][i];
        }
    }
}
#endif

const struct pcri_kernels KERNELS = {
    .name = KERNELS_NAME,
    .idct = idct,
    .upsample_h2v1 = upsample_h2v1,
    .upsample_h2v2 = upsample_h2v2,
    .upsample_h1v2 = upsample_h1v2,
    .ycc_to_rgb = ycc_to_rgb,
};
