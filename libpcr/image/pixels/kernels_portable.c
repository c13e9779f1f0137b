/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels for any CPU. The loops over pixels are plain C, cut so that the compiler
 * makes vectors of them. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
/* The transforms have more numbers than a CPU has registers: what is in which order matters. */
#pragma GCC optimize("schedule-insns", "sched-pressure")
#endif
#include "../../base/base.h"
#include "kernels.h"
#include "simd_portable.h"

/* --- inverse DCT --- */

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

/* The first `parts` eights of a block's coefficients, dequantised. */
INLINE void dequantise(const int16_t *coef, const struct pcri_dequant *q, bool offsets,
                       int parts, int16_t out[64])
{
    for (int i = 0; i < 8 * parts; i += 8) {
        const vec v = load(coef + i);
        vec product = MULLO16(v, load(q->quant + i));
        if (offsets) { /* of the sign of v */
            const vec negative = SRA16(v, 15), any = ~EQUAL16(v, SET32(0));
            const vec offset = load(q->offset + i) & any;
            product = ADDS16(product, SUB16(offset ^ negative, negative));
        }
        store(out + i, product);
    }
}

/* Eight of them by zigzag index; those that are beyond the parts are 0. */
#define ONE(k) ((k) < 8 * parts ? z[k] : 0)
#define PICK(a, b, c, d, e, f, g, h) \
    LANES_OF(ONE(a), ONE(b), ONE(c), ONE(d), ONE(e), ONE(f), ONE(g), ONE(h))

INLINE void load_pairs(const int16_t *const coef[1], const struct pcri_dequant *q,
                       bool offsets, int parts, vec p[2][4])
{
    int16_t z[64];
    dequantise(coef[0], q, offsets, parts, z);
    __asm__("" : "+m"(z)); /* so many are picked faster from memory than from vectors */
    p[0][0] = PICK(5, 23, 27, 52, 28, 54, 1, 19);
    p[0][1] = PICK(12, 37, 41, 59, 43, 61, 8, 34);
    p[0][2] = PICK(48, 7, 62, 29, 63, 42, 36, 4);
    p[0][3] = PICK(18, 33, 44, 55, 53, 60, 11, 22);
    p[1][0] = PICK(6, 32, 15, 45, 0, 10, 14, 39);
    p[1][1] = PICK(17, 47, 30, 56, 3, 21, 25, 50);
    p[1][2] = PICK(49, 13, 58, 26, 35, 2, 57, 16);
    p[1][3] = PICK(24, 38, 40, 51, 9, 20, 31, 46);
}

INLINE void load_corner(const int16_t *const coef[1], const struct pcri_dequant *q,
                        bool offsets, vec *p02, vec *p13)
{
    enum { parts = 4 };
    int16_t z[64];
    dequantise(coef[0], q, offsets, parts, z);
    *p02 = PICK(0, 3, 5, 12, 1, 8, 6, 17);
    *p13 = PICK(2, 9, 7, 18, 4, 11, 13, 24);
}

INLINE void load_line(const int16_t *const coef[1], const struct pcri_dequant *q, bool offsets,
                      bool row, vec *even, vec *odd)
{
    int16_t z[64];
    dequantise(coef[0], q, offsets, 2, z);
    *even = row ? PAIR(z[0], z[5]) : PAIR(z[0], z[3]);
    *odd = row ? PAIR(z[1], z[6]) : PAIR(z[2], z[9]);
}

INLINE void load_scaled_pairs(const int16_t *const coef[1], const struct pcri_dequant *q,
                              vec p[2][4])
{
    enum { parts = 8 };
    int16_t z[64];
    dequantise(coef[0], q, true, parts, z);
    p[0][0] = PICK(0, 3, 5, 12, 14, 25, 27, 41);
    p[0][1] = PICK(10, 21, 23, 37, 39, 50, 52, 59);
    p[0][2] = PICK(2, 9, 7, 18, 16, 31, 29, 44);
    p[0][3] = PICK(20, 35, 33, 48, 46, 57, 55, 62);
    p[1][0] = PICK(1, 8, 6, 17, 15, 30, 28, 43);
    p[1][1] = PICK(19, 34, 32, 47, 45, 56, 54, 61);
    p[1][2] = PICK(4, 11, 13, 24, 26, 40, 42, 53);
    p[1][3] = PICK(22, 36, 38, 49, 51, 58, 60, 63);
}

#include "idct_body.h"
#include "idct_row.h"
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

/* Sixteen pixels of which each channel has the even ones, then the odd ones. Names are those of
 * channels (r, g, b), of even or odd pixels; the steps are libjpeg-turbo's for SSE2. */
INLINE void store_packed_16(const vec channel[3], uint8_t *dst)
{
    const vec rg = LOW8(channel[0], channel[1]);                     /* even, even */
    const vec br = LOW8(channel[2], HIGH64(channel[0], channel[0])); /* even, odd */
    const vec gb = HIGH8(channel[1], channel[2]);                    /* odd, odd */
    const vec rg_next = NEXT_LANES16(rg), br_next = NEXT_LANES16(br),
              gb_next = NEXT_LANES16(gb);
    const vec rgbr[2] = { LOW16(rg, br), HIGH16(rg, br) };
    const vec gbrg[2] = { LOW16(gb, rg_next), HIGH16(gb, rg_next) };
    const vec brgb[2] = { LOW16(br_next, gb_next), HIGH16(br_next, gb_next) };
    vec part[2][3]; /* of 8 bytes in the lower halves */
    for (int i = 0; i < 2; i++) {
        part[i][0] = LOW32(rgbr[i], gbrg[i]);
        part[i][1] = LOW32(brgb[i], HIGH64(rgbr[i], rgbr[i]));
        part[i][2] = HIGH32(gbrg[i], brgb[i]);
    }
    store(dst, LOW64(part[0][0], part[0][1]));
    store(dst + 16, LOW64(part[0][2], part[1][0]));
    store(dst + 32, LOW64(part[1][1], part[1][2]));
}

INLINE void store_pixels(const vec channel[3], bool planar, uint8_t *const plane[3])
{
    for (int c = 0; c < 3 && planar; c++)
        store(plane[c], LOW8(channel[c], HIGH64(channel[c], channel[c])));
    if (!planar)
        store_packed_16(channel, plane[0]);
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
