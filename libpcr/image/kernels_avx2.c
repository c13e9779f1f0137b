/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels for x86-64 with AVX2. */
#include "kernels.h"

#ifdef PCRI_HAVE_AVX2
#include <immintrin.h>
#include <string.h>

#define KERNELS pcri_kernels_avx2
#define KERNELS_NAME "avx2"
#define TARGET __attribute__((target("avx2,bmi")))

#define SATURATE16(x) \
    ((v8) _mm256_max_epi32(_mm256_min_epi32((__m256i) (x), _mm256_set1_epi32(INT16_MAX)), \
                           _mm256_set1_epi32(INT16_MIN)))

/* Four rows of differences from 128 to samples; saturating packs leave the halves of each
 * row in two lanes, which the permutation joins. */
INLINE void store_4_rows(const v8 r[4], uint8_t *dst, size_t stride_nbytes)
{
    __m256i a = _mm256_packs_epi32((__m256i) r[0], (__m256i) r[1]);
    __m256i b = _mm256_packs_epi32((__m256i) r[2], (__m256i) r[3]);
    __m256i p = _mm256_xor_si256(_mm256_packs_epi16(a, b), _mm256_set1_epi8(-128));
    uint64_t rows[4];
    p = _mm256_permutevar8x32_epi32(p, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *) (void *) rows, p);
    for (int y = 0; y < 4; y++)
        memcpy(dst + (size_t) y * stride_nbytes, &rows[y], 8);
}

INLINE void store_rows(const v8 r[8], uint8_t *dst, size_t stride_nbytes)
{
    store_4_rows(r, dst, stride_nbytes);
    store_4_rows(r + 4, dst + 4 * stride_nbytes, stride_nbytes);
}

/* Sixteen pixels. The factors are those of BT.601 less a whole number, so that they fit 16
 * bits: 1.402 - 1, 1.772 - 2, 1 - 0.71414; (2 x * f >> 16) + 1 >> 1 rounds x * f exactly as
 * a 32-bit product would. */
INLINE void ycc_16(__m128i y8, __m128i cb8, __m128i cr8, __m128i rgb[3])
{
    const __m256i middle = _mm256_set1_epi16(128), one = _mm256_set1_epi16(1);
    __m256i y = _mm256_cvtepu8_epi16(y8);
    __m256i cb = _mm256_sub_epi16(_mm256_cvtepu8_epi16(cb8), middle);
    __m256i cr = _mm256_sub_epi16(_mm256_cvtepu8_epi16(cr8), middle);
    __m256i cb2 = _mm256_add_epi16(cb, cb), cr2 = _mm256_add_epi16(cr, cr);

    __m256i r = _mm256_mulhi_epi16(cr2, _mm256_set1_epi16(26345));
    r = _mm256_srai_epi16(_mm256_add_epi16(r, one), 1);
    r = _mm256_add_epi16(_mm256_add_epi16(y, cr), r);

    __m256i b = _mm256_mulhi_epi16(cb2, _mm256_set1_epi16(-14942));
    b = _mm256_srai_epi16(_mm256_add_epi16(b, one), 1);
    b = _mm256_add_epi16(_mm256_add_epi16(y, cb2), b);

    const __m256i factors = _mm256_set1_epi32((int) (18734u << 16 | (uint16_t) -22554));
    const __m256i half = _mm256_set1_epi32(32768);
    __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi16(cb, cr), factors);
    __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi16(cb, cr), factors);
    low = _mm256_srai_epi32(_mm256_add_epi32(low, half), 16);
    high = _mm256_srai_epi32(_mm256_add_epi32(high, half), 16);
    __m256i g = _mm256_packs_epi32(low, high);
    g = _mm256_add_epi16(_mm256_sub_epi16(y, cr), g);

    __m256i rg = _mm256_permute4x64_epi64(_mm256_packus_epi16(r, g), 0xD8);
    __m256i bb = _mm256_permute4x64_epi64(_mm256_packus_epi16(b, b), 0xD8);
    rgb[0] = _mm256_castsi256_si128(rg);
    rgb[1] = _mm256_extracti128_si256(rg, 1);
    rgb[2] = _mm256_castsi256_si128(bb);
}

/* Byte i of the 48 is channel i % 3 of pixel i / 3: shuffles of the three planes, ORed. */
INLINE void store_16(const __m128i rgb[3], uint8_t *out)
{
    const __m128i order[3][3] = {
        { _mm_setr_epi8(0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5),
          _mm_setr_epi8(-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1),
          _mm_setr_epi8(-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1) },
        { _mm_setr_epi8(-1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1),
          _mm_setr_epi8(5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10),
          _mm_setr_epi8(-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1) },
        { _mm_setr_epi8(-1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1),
          _mm_setr_epi8(-1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1),
          _mm_setr_epi8(10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15) },
    };
    for (int i = 0; i < 3; i++) {
        __m128i v = _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(rgb[0], order[i][0]),
                                              _mm_shuffle_epi8(rgb[1], order[i][1])),
                                 _mm_shuffle_epi8(rgb[2], order[i][2]));
        _mm_storeu_si128((__m128i *) (void *) (out + 16 * i), v);
    }
}

INLINE __m128i load_16(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *) (const void *) p);
}

#define HAVE_YCC_TO_RGB
TARGET static void ycc_to_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr,
                              size_t n, uint8_t *out)
{
    __m128i rgb[3];
    size_t at = 0;
    for (; at + 16 <= n; at += 16) {
        ycc_16(load_16(y + at), load_16(cb + at), load_16(cr + at), rgb);
        store_16(rgb, out + 3 * at);
    }
    if (at < n) {
        uint8_t in[3][16] = { { 0 } }, tail[48];
        memcpy(in[0], y + at, n - at);
        memcpy(in[1], cb + at, n - at);
        memcpy(in[2], cr + at, n - at);
        ycc_16(load_16(in[0]), load_16(in[1]), load_16(in[2]), rgb);
        store_16(rgb, tail);
        memcpy(out + 3 * at, tail, 3 * (n - at));
    }
}

#include "kernels_body.h"
#else
typedef int pcri_no_avx2; /* ISO C wants something in each file */
#endif
