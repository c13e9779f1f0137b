/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of colours and rotation for x86-64 with AVX2. What is left at a row's end goes
 * through the portable ones. */
#include "pixel_loops.h"

#ifdef PCRI_HAVE_PIXEL_LOOPS_AVX2
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE TARGET static inline __attribute__((always_inline))
#include "pixel_blend.h"
#include "pixel_blur.h"
#include "pixel_enhance.h"
#include "pixel_hue.h"

#define PORTABLE pcri_pixel_loops_portable

INLINE __m256i load_16_bytes(const uint8_t *p)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) (const void *) p));
}

INLINE void store_16_bytes(uint8_t *p, __m256i v)
{
    __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(v),
                                     _mm256_extracti128_si256(v, 1));
    _mm_storeu_si128((__m128i *) (void *) p, bytes);
}

/* A byte has 8 bits, and mulhrs drops 15. */
INLINE __m256i times(__m256i bytes, __m256i factor)
{
    enum { RAISE = 15 - PCRI_FACTOR_BITS + PCRI_LEVEL_BITS };
    return _mm256_mulhrs_epi16(_mm256_slli_epi16(bytes, RAISE), factor);
}

INLINE __m256i round_levels(__m256i level)
{
    const __m256i half = _mm256_set1_epi16(1 << (PCRI_LEVEL_BITS - 1));
    return _mm256_srai_epi16(_mm256_adds_epi16(level, half), PCRI_LEVEL_BITS);
}

TARGET static void scale(uint8_t *p, size_t n, int16_t factor, int16_t level)
{
    const __m256i f = _mm256_set1_epi16(factor), l = _mm256_set1_epi16(level);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256i v = _mm256_adds_epi16(times(load_16_bytes(p + i), f), l);
        store_16_bytes(p + i, round_levels(v));
    }
    PORTABLE.scale(p + i, n - i, factor, level);
}

TARGET static void mix(uint8_t *p, const uint8_t *q, size_t n, int16_t factor, int16_t rest)
{
    const __m256i f = _mm256_set1_epi16(factor), r = _mm256_set1_epi16(rest);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256i v = times(load_16_bytes(p + i), f);
        v = _mm256_adds_epi16(v, times(load_16_bytes(q + i), r));
        store_16_bytes(p + i, round_levels(v));
    }
    PORTABLE.mix(p + i, q + i, n - i, factor, rest);
}

/* Green's weight has 16 bits, so each half of it is multiplied by itself. */
INLINE __m256i sum_luma(__m256i red_green, __m256i blue_green)
{
    const __m256i rg = _mm256_set1_epi32(19235 << 16 | 19595);
    const __m256i bg = _mm256_set1_epi32(19235 << 16 | 7471);
    __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(red_green, rg),
                                   _mm256_madd_epi16(blue_green, bg));
    return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(32768)), 16);
}

TARGET static void luma(const uint8_t *const rgb[3], size_t n, uint8_t *out)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m256i r = load_16_bytes(rgb[0] + i), g = load_16_bytes(rgb[1] + i);
        __m256i b = load_16_bytes(rgb[2] + i);
        __m256i low = sum_luma(_mm256_unpacklo_epi16(r, g), _mm256_unpacklo_epi16(b, g));
        __m256i high = sum_luma(_mm256_unpackhi_epi16(r, g), _mm256_unpackhi_epi16(b, g));
        store_16_bytes(out + i, _mm256_packs_epi32(low, high));
    }
    const uint8_t *const rest[3] = { rgb[0] + i, rgb[1] + i, rgb[2] + i };
    PORTABLE.luma(rest, n - i, out + i);
}

/* Eight upper, or lower, halves of 64 bits. */
INLINE __m256i halves(__m256i a, __m256i b, int upper)
{
    __m256 x = _mm256_castsi256_ps(a), y = _mm256_castsi256_ps(b);
    x = upper ? _mm256_shuffle_ps(x, y, 0xDD) : _mm256_shuffle_ps(x, y, 0x88);
    return _mm256_permute4x64_epi64(_mm256_castps_si256(x), 0xD8);
}

INLINE __m256i four_from(uint64_t x, uint64_t dx)
{
    return _mm256_setr_epi64x((int64_t) x, (int64_t) (x + dx), (int64_t) (x + 2 * dx),
                              (int64_t) (x + 3 * dx));
}

TARGET static void places(uint64_t x, uint64_t y, uint64_t dx, uint64_t dy, size_t stride,
                          size_t n, int32_t *offsets, uint32_t *fractions)
{
    const __m256i step_x = _mm256_set1_epi64x((int64_t) (8 * dx));
    const __m256i step_y = _mm256_set1_epi64x((int64_t) (8 * dy));
    const __m256i row = _mm256_set1_epi32((int) stride);
    __m256i x0 = four_from(x, dx), x1 = four_from(x + 4 * dx, dx);
    __m256i y0 = four_from(y, dy), y1 = four_from(y + 4 * dy, dy);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        enum { DROP = 32 - PCRI_PLACE_BITS };
        __m256i at = _mm256_mullo_epi32(halves(y0, y1, 1), row);
        at = _mm256_add_epi32(at, halves(x0, x1, 1));
        __m256i fx = _mm256_srli_epi32(halves(x0, x1, 0), DROP);
        __m256i fy = _mm256_srli_epi32(halves(y0, y1, 0), DROP);
        __m256i both = _mm256_or_si256(fx, _mm256_slli_epi32(fy, 16));
        _mm256_storeu_si256((__m256i *) (void *) (offsets + i), at);
        _mm256_storeu_si256((__m256i *) (void *) (fractions + i), both);
        x0 = _mm256_add_epi64(x0, step_x);
        x1 = _mm256_add_epi64(x1, step_x);
        y0 = _mm256_add_epi64(y0, step_y);
        y1 = _mm256_add_epi64(y1, step_y);
    }
    PORTABLE.places(x + i * dx, y + i * dy, dx, dy, stride, n - i, offsets + i, fractions + i);
}

/* Eight pairs of neighbours, each in 32 bits, weighed by the pairs of 16 bits in `weights`. */
INLINE __m256i weigh(const uint8_t *p, __m256i offsets, __m256i weights)
{
    const __m256i pairs = _mm256_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1,
                                           13, -1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1,
                                           12, -1, 13, -1);
    __m256i four = _mm256_i32gather_epi32((const int *) (const void *) p, offsets, 1);
    four = _mm256_madd_epi16(_mm256_shuffle_epi8(four, pairs), weights);
    return _mm256_srli_epi32(_mm256_add_epi32(four, _mm256_set1_epi32(8)), 4);
}

/* (1 - x, x) of eight fractions in 32 bits each. */
INLINE __m256i make_weights(__m256i x)
{
    __m256i rest = _mm256_sub_epi32(_mm256_set1_epi32(1 << PCRI_PLACE_BITS), x);
    return _mm256_or_si256(rest, _mm256_slli_epi32(x, 16));
}

TARGET static void sample(const uint8_t *src, size_t stride, const int32_t *offsets,
                          const uint32_t *fractions, size_t n, uint8_t *out)
{
    enum { SHIFT = 2 * PCRI_PLACE_BITS - 4 };
    const __m256i half = _mm256_set1_epi32(1 << (SHIFT - 1));
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i at = _mm256_loadu_si256((const __m256i *) (const void *) (offsets + i));
        __m256i f = _mm256_loadu_si256((const __m256i *) (const void *) (fractions + i));
        __m256i x = make_weights(_mm256_and_si256(f, _mm256_set1_epi32(0xFFFF)));
        __m256i above = weigh(src, at, x), below = weigh(src + stride, at, x);
        __m256i both = _mm256_or_si256(above, _mm256_slli_epi32(below, 16));
        both = _mm256_madd_epi16(both, make_weights(_mm256_srli_epi32(f, 16)));
        both = _mm256_srli_epi32(_mm256_add_epi32(both, half), SHIFT);
        __m128i v = _mm_packs_epi32(_mm256_castsi256_si128(both),
                                    _mm256_extracti128_si256(both, 1));
        _mm_storel_epi64((__m128i *) (void *) (out + i), _mm_packus_epi16(v, v));
    }
    PORTABLE.sample(src, stride, offsets + i, fractions + i, n - i, out + i);
}

TARGET static void pack(const uint8_t *const rgb[3], size_t n, uint8_t *out)
{
    /* Bytes 16k to 16k + 15 of the result take these bytes from each plane. */
    static const int8_t from[3][3][16] = {
        { { 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5 },
          { -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1 },
          { -1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1 } },
        { { -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1 },
          { 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10 },
          { -1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1 } },
        { { -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1 },
          { -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1 },
          { 10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15 } },
    };
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < 3; k++) {
            __m128i v = _mm_setzero_si128();
            for (int c = 0; c < 3; c++) {
                const void *at = rgb[c] + i, *order = from[k][c];
                v = _mm_or_si128(v,
                                 _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) at),
                                                  _mm_loadu_si128((const __m128i *) order)));
            }
            _mm_storeu_si128((__m128i *) (void *) (out + 3 * i + 16 * (size_t) k), v);
        }
    const uint8_t *const rest[3] = { rgb[0] + i, rgb[1] + i, rgb[2] + i };
    PORTABLE.pack(rest, n - i, out + 3 * i);
}

const struct pcri_pixel_loops pcri_pixel_loops_avx2 = {
    .name = "avx2",
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
#else
typedef int pcri_no_pixel_loops_avx2; /* ISO C wants something in each file */
#endif
