/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8 x 8 inverse DCT for x86-64 with AVX-512: four blocks side by side. */
#include "kernels.h"

#ifdef PCRI_HAVE_AVX512
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vbmi")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define BLOCKS 4

typedef __m512i vec;

#define SIMD(name) _mm512_##name
#define SIMD_WHOLE(name) _mm512_##name##_si512
#define SIMD_FLOATS _mm512_castsi512_ps
#include "simd_x86.h"

/* Two rows of all blocks: the first block's in the lowest part. */
INLINE void store_2_rows(vec v, uint8_t *dst, size_t stride_nbytes)
{
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    v = _mm512_permutexvar_epi64(order, _mm512_xor_si512(v, _mm512_set1_epi8(-128)));
    _mm256_storeu_si256((__m256i *) (void *) dst, _mm512_castsi512_si256(v));
    _mm256_storeu_si256((__m256i *) (void *) (dst + stride_nbytes),
                        _mm512_extracti64x4_epi64(v, 1));
}
#define STORE_2_ROWS store_2_rows

INLINE __m128i load_part(const void *p)
{
    return _mm_loadu_si128((const __m128i *) p);
}

/* Coefficients 8 i to 8 i + 7 of all blocks, dequantised. */
INLINE vec load_8(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                  bool offsets, int i)
{
    vec v = _mm512_castsi128_si512(load_part(coef[0] + 8 * i));
    v = _mm512_inserti32x4(v, load_part(coef[1] + 8 * i), 1);
    v = _mm512_inserti32x4(v, load_part(coef[2] + 8 * i), 2);
    v = _mm512_inserti32x4(v, load_part(coef[3] + 8 * i), 3);
    vec product = _mm512_mullo_epi16(v, _mm512_broadcast_i32x4(load_part(q->quant + 8 * i)));
    if (!offsets)
        return product;
    vec offset = _mm512_broadcast_i32x4(load_part(q->offset + 8 * i));
    vec sign = _mm512_srai_epi16(v, 15);
    offset = _mm512_sub_epi16(_mm512_xor_si512(offset, sign), sign);
    return _mm512_mask_adds_epi16(product, _mm512_test_epi16_mask(v, v), product, offset);
}

#define W(i) (char) ((i) < 0 ? -128 : 2 * (i)), (char) ((i) < 0 ? -128 : 2 * (i) + 1)
#define PICK(z, a, b, c, d, e, f, g, h) \
    _mm512_shuffle_epi8(z, _mm512_broadcast_i32x4(_mm_setr_epi8(W(a), W(b), W(c), W(d), W(e), \
                                                                W(f), W(g), W(h))))
#define _ (-1)

#include "idct_load.h"

#include "idct_body.h"

TARGET void pcri_idct_avx512(const int16_t *coef, const uint64_t *mask, size_t count,
                             const struct pcri_dequant *q, uint8_t *dst, size_t stride_nbytes)
{
    idct(coef, mask, count, q, dst, stride_nbytes);
}
#else
typedef int pcri_no_avx512_idct; /* ISO C wants something in each file */
#endif
