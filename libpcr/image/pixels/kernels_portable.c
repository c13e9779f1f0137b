/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels for any CPU. The loops over pixels are plain C, cut so that the compiler
 * makes vectors of them. */
#include "../../base/base.h"
#include "kernels.h"
#include "simd_portable.h"

/* --- inverse DCT --- */

/* Where zigzag index k goes among idct_body.h's pairs of rows, and in its corner. */
static const uint8_t pair_place[64] = {
    36, 6,  53, 44, 23, 0,  32, 17, 14, 60, 37, 30, 8,  49, 38, 34, 55, 40, 24, 7,  61, 45,
    31, 1,  56, 46, 51, 2,  4,  19, 42, 62, 33, 25, 15, 52, 22, 9,  57, 39, 58, 10, 21, 12,
    26, 35, 63, 41, 16, 48, 47, 59, 3,  28, 5,  27, 43, 54, 50, 11, 29, 13, 18, 20,
};
static const uint8_t corner_place[25] = { 0,  4, 8, 1, 12, 2,  6, 10, 5, 9, 0, 13, 3,
                                          14, 0, 0, 0, 7,  11, 0, 0,  0, 0, 0, 15 };

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
    out[place[0]] = dequantise(coef[0], q, false, 0);
    for (; mask; mask &= mask - 1) {
        int k = __builtin_ctzll(mask);
        out[place[k]] = dequantise(coef[k], q, offsets, k);
    }
}

INLINE void load_pairs(const int16_t *const coef[1], const uint64_t mask[1],
                       const struct pcri_dequant *q, bool offsets, int parts, vec p[2][4])
{
    (void) parts;
    int16_t pairs[64] __attribute__((aligned(16))) = { 0 };
    scatter(coef[0], mask[0], q, offsets, pair_place, pairs);
    memcpy(p, pairs, sizeof(pairs));
}

INLINE void load_corner(const int16_t *const coef[1], const uint64_t mask[1],
                        const struct pcri_dequant *q, bool offsets, vec *p02, vec *p13)
{
    int16_t pairs[16] __attribute__((aligned(16))) = { 0 };
    scatter(coef[0], mask[0], q, offsets, corner_place, pairs);
    memcpy(p02, pairs, sizeof(*p02));
    memcpy(p13, pairs + 8, sizeof(*p13));
}

/* The same for idct_scaled_body.h: rows are interleaved in pairs (0, 2), (4, 6), (1, 3),
 * (5, 7), of columns 0 2 4 6, then of 1 3 5 7. */
static const uint8_t scaled_place[64] = {
    0,  32, 16, 1,  48, 2,  34, 18, 33, 17, 8,  49, 3,  50, 4,  36, 20, 35, 19, 40, 24, 9,
    56, 10, 51, 5,  52, 6,  38, 22, 37, 21, 42, 26, 41, 25, 57, 11, 58, 12, 53, 7,  54, 39,
    23, 44, 28, 43, 27, 59, 13, 60, 14, 55, 46, 30, 45, 29, 61, 15, 62, 47, 31, 63,
};

INLINE void load_scaled_pairs(const int16_t *const coef[1], const uint64_t mask[1],
                              const struct pcri_dequant *q, vec p[2][4])
{
    int16_t pairs[64] __attribute__((aligned(16))) = { 0 };
    scatter(coef[0], mask[0], q, true, scaled_place, pairs);
    memcpy(p, pairs, sizeof(pairs));
}

#include "idct_body.h"
#include "idct_scaled_body.h"

enum { FLAT_RUN = 16 }; /* blocks with only DC that are transformed at a time */

/* What flat_sample() does to DC, in 16 bits. */
struct flat_rule {
    int16_t low, high; /* it is cut to this */
    uint16_t first;    /* bits that it has then, */
    uint16_t last;     /* and those of an eighth */
};

static const struct flat_rule *flat_rule_of(uint32_t size)
{
    static const struct flat_rule one = { INT16_MIN, INT16_MAX, UINT16_MAX, 1023 },
                                  two = { INT16_MIN, INT16_MAX, 32767, 4095 },
                                  saturates = { INT16_MIN, INT16_MAX, UINT16_MAX, UINT16_MAX },
                                  other = { -8192, 8191, UINT16_MAX, 1023 };
    return size == 1 ? &one : size == 2 ? &two : size == 4 || size == 8 ? &saturates : &other;
}

/* The lower bits of a number, which have a sign. */
INLINE int16_t signed_bits(int16_t v, uint16_t bits)
{
    const uint16_t half = (uint16_t) (bits / 2 + 1);
    return (int16_t) (uint16_t) ((((unsigned) v + half) & bits) - half);
}

INLINE void flat_run(const int16_t *restrict dc, uint16_t quant, struct flat_rule r,
                     uint8_t *restrict out)
{
    for (int i = 0; i < FLAT_RUN; i++) {
        int16_t v = (int16_t) (uint16_t) ((unsigned) dc[i] * quant);
        v = v < r.low ? r.low : v;
        v = v > r.high ? r.high : v;
        v = signed_bits(v, r.first);
        v = (int16_t) (((v >> 2) + 1) >> 1); /* (v + 4) / 8 */
        v = signed_bits(v, r.last);
        v = v < -128 ? -128 : v;
        v = v > 127 ? 127 : v;
        out[i] = (uint8_t) (v + 128);
    }
}

/* Each of n samples `size` times. Of fewer than 8 the last ones are written beyond their block:
 * over the next one, which comes then, or padding. */
INLINE void repeat_samples(const uint8_t *samples, size_t n, size_t size, uint8_t *dst)
{
    for (size_t i = 0; i < n && size <= 8; i++, dst += size) {
        const uint64_t v = samples[i] * UINT64_C(0x0101010101010101);
        memcpy(dst, &v, sizeof(v));
    }
    for (size_t i = 0; i < n && size > 8; i++, dst += size)
        memset(dst, samples[i], size);
}

void pcri_flat_row(const int16_t *dc, size_t step, size_t count, const struct pcri_dequant *q,
                   uint32_t size, uint8_t *dst)
{
    const struct flat_rule rule = *flat_rule_of(size);
    uint8_t samples[FLAT_RUN];
    for (size_t i = 0; i < count; i += FLAT_RUN) {
        const size_t n = count < FLAT_RUN ? count : FLAT_RUN;
        const size_t at = i + n <= count ? i : count - n; /* the last ones perhaps once more */
        int16_t run[FLAT_RUN] = { 0 };
        for (size_t k = 0; k < n && (step > 1 || n < FLAT_RUN); k++)
            run[k] = dc[step * (at + k)];
        flat_run(step > 1 || n < FLAT_RUN ? run : dc + at, q->quant[0], rule, samples);
        if (size == 1)
            memcpy(dst + at, samples, sizeof(samples));
        else if (size == 8)
            repeat_samples(samples, n, 8, dst + 8 * at);
        else
            repeat_samples(samples, n, size, dst + size * at);
    }
}

void pcri_idct_scaled_portable(const int16_t *coef, const uint64_t *mask, size_t count,
                               const struct pcri_dequant *q, uint32_t size, uint8_t *dst,
                               size_t stride_nbytes)
{
    idct_scaled(coef, mask, count, q, size, dst, stride_nbytes);
}

/* --- upsampling and colour --- */

enum { STEP = 8 };

INLINE vec load(const void *p)
{
    vec v;
    memcpy(&v, p, sizeof(v));
    return v;
}

INLINE void store(void *p, vec v)
{
    memcpy(p, &v, sizeof(v));
}

/* STEP bytes to 16 bits. */
INLINE vec widen(const uint8_t *p)
{
    return LOW_BYTES(load_half(p), SET32(0));
}

INLINE void store_narrow(uint8_t *p, vec v)
{
    v = PACK_BYTES(v, v);
    memcpy(p, &v, 8);
}

#include "color_body.h"

INLINE void store_packed_16(const vec rgb[3], uint8_t *dst)
{
    static const uint8_t first_bytes[16] = { 255, 255, 255, 0, 0, 0, 0, 0, 255, 255, 255 };
    static const uint8_t last_bytes[16] = { [3] = 255, 255, 255, [11] = 255, 255, 255 };
    vec zero = SET32(0), first = load(first_bytes), last = load(last_bytes);
    vec rg[2] = { LOW8(rgb[0], rgb[1]), HIGH8(rgb[0], rgb[1]) };
    vec b[2] = { LOW8(rgb[2], zero), HIGH8(rgb[2], zero) };
    for (int i = 0; i < 4; i++) {
        /* Four pixels of 4 bytes; two of them in each half become 6 bytes. */
        vec p = i & 1 ? HIGH16(rg[i / 2], b[i / 2]) : LOW16(rg[i / 2], b[i / 2]);
        p = (p & first) | (NEXT_BYTES(p) & last);
        uint64_t halves[2];
        memcpy(halves, &p, sizeof(halves));
        memcpy(dst + 12 * i, &halves[0], 8);
        memcpy(dst + 12 * i + 6, &halves[1], i < 3 ? 8 : 6);
    }
}

/* Sixteen pixels; each channel has the even ones, then the odd ones. */
INLINE void store_pixels(const vec channel[3], bool planar, uint8_t *const plane[3])
{
    vec rgb[3];
    for (int c = 0; c < 3; c++)
        rgb[c] = LOW8(channel[c], HIGH64(channel[c], channel[c]));
    for (int c = 0; c < 3 && planar; c++)
        store(plane[c], rgb[c]);
    if (!planar)
        store_packed_16(rgb, plane[0]);
}

#include "color_row_body.h"

const struct pcri_kernels pcri_kernels_portable = {
    .name = "portable",
    .idct = idct,
    .idct_scaled = pcri_idct_scaled_portable,
    .mix_rows = mix_rows,
    .upsample_v2 = upsample_v2,
    .upsample_h2 = upsample_h2,
    .ycc_to_rgb = ycc_to_rgb,
    .ycc_h2_to_rgb = ycc_h2_to_rgb,
};
