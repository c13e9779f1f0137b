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
    v = _mm256_permute4x64_epi64(v, 0xD8);
    _mm_storeu_si128((__m128i *) (void *) dst, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i *) (void *) (dst + stride_nbytes),
                     _mm256_extracti128_si256(v, 1));
}
#define STORE_2_ROWS store_2_rows

/* Blocks of DC alone. */
INLINE void flat_group(const int16_t *const coef[BLOCKS], uint16_t quant, uint8_t *dst,
                       size_t stride_nbytes)
{
    const __m128i dc = _mm_setr_epi16(*coef[0], *coef[1], 0, 0, 0, 0, 0, 0);
    __m128i v = _mm_srai_epi16(_mm_mullo_epi16(dc, _mm_set1_epi16((short) quant)), 2);
    v = _mm_srai_epi16(_mm_add_epi16(v, _mm_set1_epi16(1)), 1); /* (dc + 4) / 8 */
    v = _mm_packus_epi16(_mm_add_epi16(v, _mm_set1_epi16(128)), v);
    v = _mm_shuffle_epi8(v, _mm_set_epi64x(0x0101010101010101, 0));
    for (size_t y = 0; y < 8; y++)
        _mm_storeu_si128((__m128i *) (void *) (dst + y * stride_nbytes), v);
}

INLINE vec load(const void *p)
{
    return _mm256_loadu_si256(p);
}

/* Coefficients 16 i to 16 i + 15 of a block, dequantised. */
INLINE vec load_16(const int16_t *coef, const struct pcri_dequant *q, bool offsets, int i)
{
    const vec v = load(coef + 16 * i);
    const vec product = _mm256_mullo_epi16(v, load(q->quant + 16 * i));
    if (!offsets)
        return product;
    return _mm256_adds_epi16(product, _mm256_sign_epi16(load(q->offset + 16 * i), v));
}

/* Coefficients 8 i to 8 i + 7 of both blocks, for each i of an even number of `parts`. */
INLINE void load_parts(const int16_t *const coef[2], const struct pcri_dequant *q,
                       bool offsets, int parts, vec z[8])
{
    for (int i = 0; i < parts; i += 2) {
        const vec a = load_16(coef[0], q, offsets, i / 2);
        const vec b = load_16(coef[1], q, offsets, i / 2);
        z[i] = _mm256_permute2x128_si256(a, b, 0x20);
        z[i + 1] = _mm256_permute2x128_si256(a, b, 0x31);
    }
}

/* Lanes of each block's part; _ is 0. */
#define W(i) (char) ((i) < 0 ? -128 : 2 * (i)), (char) ((i) < 0 ? -128 : 2 * (i) + 1)
#define PICK(z, a, b, c, d, e, f, g, h) \
    _mm256_shuffle_epi8(z, _mm256_broadcastsi128_si256(_mm_setr_epi8( \
                               W(a), W(b), W(c), W(d), W(e), W(f), W(g), W(h))))
#define _ (-1)
#define MERGE(a, b, lanes) _mm256_blend_epi16(a, b, lanes) /* those lanes from b */

/* Zigzag order to idct_body.h's pairs of rows: parts that have what a pair needs in different
 * lanes are merged, and then reordered together. */
INLINE void pairs_of_half(const vec z[4], vec p[2][4])
{
    p[0][0] = OR(PICK(MERGE(z[0], z[2], 0x88), 5, 7, _, _, _, _, 1, 3),
                 PICK(z[3], _, _, 3, _, 4, _, _, _));
    p[0][1] = PICK(z[1], 4, _, _, _, _, _, 0, _);
    p[0][2] = PICK(MERGE(z[0], z[3], 0x20), _, 7, _, 5, _, _, _, 4);
    p[0][3] = PICK(MERGE(z[1], z[2], 0x44), 2, _, _, _, _, _, 3, 6);
    p[1][0] = OR(PICK(z[0], 6, _, _, _, 0, _, _, _), PICK(z[1], _, _, 7, _, _, 2, 6, _));
    p[1][1] = OR(PICK(MERGE(z[0], z[2], 0x22), 1, _, _, _, 3, 5, _, _),
                 PICK(z[3], _, _, 6, _, _, _, 1, _));
    p[1][2] = OR(PICK(MERGE(MERGE(z[1], z[2], 0x01), z[3], 0x04), _, 5, _, 2, _, _, _, 0),
                 PICK(z[0], _, _, _, _, _, 2, _, _));
    p[1][3] = PICK(MERGE(MERGE(z[1], z[2], 0x10), z[3], 0x81), 0, _, _, _, 1, 4, 7, _);
}

INLINE void pairs_of_all(const vec z[8], vec p[2][4])
{
    vec a = MERGE(MERGE(z[0], z[2], 0x88), z[6], 0x50);
    p[0][0] = OR(PICK(a, 5, 7, _, 4, _, 6, 1, 3), PICK(z[3], _, _, 3, _, 4, _, _, _));
    a = MERGE(MERGE(z[1], z[4], 0x24), z[5], 0x0A);
    p[0][1] = OR(PICK(a, 4, 5, 1, _, 3, _, 0, 2), PICK(z[7], _, _, _, 3, _, 5, _, _));
    a = MERGE(MERGE(z[0], z[3], 0x20), MERGE(z[5], z[6], 0x01), 0x05);
    p[0][2] = OR(PICK(a, 0, 7, _, 5, _, 2, _, 4),
                 PICK(MERGE(z[4], z[7], 0xC0), _, _, 6, _, 7, _, 4, _));
    a = MERGE(MERGE(MERGE(z[1], z[2], 0x44), z[4], 0x02), MERGE(z[5], z[6], 0xA0), 0xB0);
    p[0][3] = OR(PICK(a, 2, 1, 4, 7, 5, _, 3, 6), PICK(z[7], _, _, _, _, _, 4, _, _));
    a = MERGE(MERGE(z[0], z[4], 0x81), z[5], 0x20);
    p[1][0] = OR(PICK(a, 6, 0, _, 5, _, _, _, 7),
                 PICK(MERGE(z[0], z[1], 0xC4), _, _, 7, _, 0, 2, 6, _));
    a = MERGE(MERGE(MERGE(z[0], z[2], 0x22), z[5], 0x80), MERGE(z[6], z[7], 0x01), 0x05);
    p[1][1] = OR(PICK(a, 1, 7, _, 0, 3, 5, _, 2), PICK(z[3], _, _, 6, _, _, _, 1, _));
    a = MERGE(MERGE(MERGE(z[1], z[2], 0x01), z[3], 0x04), MERGE(z[4], z[6], 0x02), 0x0A);
    p[1][2] = OR(OR(PICK(a, 1, 5, _, 2, 3, _, _, 0), PICK(z[7], _, _, 2, _, _, _, 1, _)),
                 PICK(z[0], _, _, _, _, _, 2, _, _));
    a = MERGE(MERGE(MERGE(z[1], z[2], 0x10), z[3], 0x81), MERGE(z[4], z[6], 0x08), 0x48);
    p[1][3] = OR(PICK(a, 0, 6, _, 3, 1, 4, 7, _), PICK(z[5], _, _, 0, _, _, _, _, 6));
}

/* parts: 4 where coefficients beyond zigzag index 31 are zero, else 8. */
INLINE void load_pairs(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                       bool offsets, int parts, vec p[2][4])
{
    vec z[8];
    load_parts(coef, q, offsets, parts, z);
    if (parts == 4)
        pairs_of_half(z, p);
    else
        pairs_of_all(z, p);
}

/* Rows 0 and 2, 1 and 3 interleaved, columns 0 2 1 3. */
INLINE void load_corner(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                        bool offsets, vec *p02, vec *p13)
{
    vec z[8];
    load_parts(coef, q, offsets, 4, z);
    *p02 = OR(PICK(z[0], 0, 3, 5, _, 1, _, 6, _),
              PICK(MERGE(z[1], z[2], 0x02), _, _, _, 4, _, 0, _, 1));
    *p13 = OR(PICK(MERGE(MERGE(z[0], z[1], 0x2A), z[3], 0x01), 2, 1, 7, _, 4, 3, 5, 0),
              PICK(z[2], _, _, _, 2, _, _, _, _));
}

#include "idct_load_scaled.h"

#include "idct_body.h"
#include "idct_lists.h"
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
