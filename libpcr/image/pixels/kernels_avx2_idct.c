/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8 x 8 inverse DCT for x86-64 with AVX2: two blocks side by side. */
#include "kernels.h"

#ifdef PCRI_HAVE_AVX2
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,bmi")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define BLOCKS 2

typedef __m256i vec;

#define SIMD(name) _mm256_##name
#define SIMD_WHOLE(name) _mm256_##name##_si256
#define SIMD_FLOATS _mm256_castsi256_ps
#include "simd_x86.h"

/* Two rows of both blocks: the first block's in the lower part. */
INLINE void store_2_rows(vec v, uint8_t *dst, size_t stride_nbytes)
{
    v = _mm256_permute4x64_epi64(_mm256_xor_si256(v, _mm256_set1_epi8(-128)), 0xD8);
    _mm_storeu_si128((__m128i *) (void *) dst, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i *) (void *) (dst + stride_nbytes),
                     _mm256_extracti128_si256(v, 1));
}
#define STORE_2_ROWS store_2_rows

INLINE __m256i twice(const void *p)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) p));
}

/* Coefficients 8 i to 8 i + 7 of both blocks, dequantised. */
INLINE vec load_8(const int16_t *const coef[2], const struct pcri_dequant *q, bool offsets,
                  int i)
{
    __m128i a = _mm_loadu_si128((const __m128i *) (const void *) (coef[0] + 8 * i));
    __m128i b = _mm_loadu_si128((const __m128i *) (const void *) (coef[1] + 8 * i));
    vec v = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
    vec product = _mm256_mullo_epi16(v, twice(q->quant + 8 * i));
    if (!offsets)
        return product;
    return _mm256_adds_epi16(product, _mm256_sign_epi16(twice(q->offset + 8 * i), v));
}

#define W(i) (char) ((i) < 0 ? -128 : 2 * (i)), (char) ((i) < 0 ? -128 : 2 * (i) + 1)
#define PICK(z, a, b, c, d, e, f, g, h) \
    _mm256_shuffle_epi8(z, _mm256_broadcastsi128_si256(_mm_setr_epi8( \
                               W(a), W(b), W(c), W(d), W(e), W(f), W(g), W(h))))
#define _ (-1)

#include "idct_load.h"

#include "idct_body.h"
#include "idct_scaled_body.h"

TARGET void pcri_idct_avx2(const int16_t *coef, const uint64_t *mask, size_t count,
                           const struct pcri_dequant *q, uint8_t *dst, size_t stride_nbytes)
{
    idct(coef, mask, count, q, dst, stride_nbytes);
}

TARGET void pcri_idct_scaled_avx2(const int16_t *coef, const uint64_t *mask, size_t count,
                                  const struct pcri_dequant *q, uint32_t size, uint8_t *dst,
                                  size_t stride_nbytes)
{
    idct_scaled(coef, mask, count, q, size, dst, stride_nbytes);
}
#else
typedef int pcri_no_avx2_idct; /* ISO C wants something in each file */
#endif
