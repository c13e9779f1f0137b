/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8 x 8 inverse DCT for x86-64 with AVX-512: four blocks side by side. */
#include "kernels.h"

#ifdef PCRI_HAVE_AVX512
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vbmi,avx512vnni")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define BLOCKS 4

typedef __m512i vec;

#define SIMD(name) _mm512_##name
#define SIMD_WHOLE(name) _mm512_##name##_si512
#define SIMD_FLOATS _mm512_castsi512_ps
#define ADD_PAIRS _mm512_dpwssd_epi32
#include "simd_x86.h"

INLINE void even_sums(vec p, vec bias, vec *sum, vec *difference)
{
    const vec turned = _mm512_rol_epi32(p, 16), factors = PAIR(8192, 0);
    *sum = ADD_PAIRS(bias, ADD16(p, turned), factors);
    *difference = ADD_PAIRS(bias, SUB16(p, turned), factors);
}
#define EVEN_SUMS even_sums

/* AT(i) for numbers from k on. */
#define FOUR(AT, k) AT((k)), AT((k) + 1), AT((k) + 2), AT((k) + 3)
#define SIXTEEN(AT, k) FOUR(AT, k), FOUR(AT, (k) + 4), FOUR(AT, (k) + 8), FOUR(AT, (k) + 12)

/* Of sums of rows 0 to 3 and 4 to 7 (each vector part is a block) the upper halves, by blocks. */
#define UPPER(i) (2 * ((i) / 8 * 4 + (i) % 4) + 1 + (i) % 8 / 4 * 32)
static const _Alignas(64) uint16_t upper_halves[32] = { SIXTEEN(UPPER, 0),
                                                        SIXTEEN(UPPER, 16) };

/* Of two vectors of two columns each (a part holds eight samples of one, then of the other) the
 * upper or the lower four rows: a part has two blocks' four columns of a row, and then those of
 * the row after the next. */
#define ROW(i) ((i) / 8 % 2 * 2 + (i) / 32)
#define BLOCK(i) ((i) / 16 % 2 * 2 + (i) / 4 % 2)
#define WHICH(i) ((i) % 4)
#define FROM(i) (WHICH(i) / 2 * 64 + BLOCK(i) * 16 + WHICH(i) % 2 * 8 + ROW(i))
#define FROM_LOWER(i) (FROM(i) + 4)
static const _Alignas(64) uint8_t half_rows[2][64] = {
    { SIXTEEN(FROM, 0), SIXTEEN(FROM, 16), SIXTEEN(FROM, 32), SIXTEEN(FROM, 48) },
    { SIXTEEN(FROM_LOWER, 0), SIXTEEN(FROM_LOWER, 16), SIXTEEN(FROM_LOWER, 32),
      SIXTEEN(FROM_LOWER, 48) },
};

/* A row of all blocks, and the next one. */
INLINE void store_2_rows(vec v, uint8_t *dst, size_t stride_nbytes)
{
    _mm256_storeu_si256((__m256i *) (void *) dst, _mm512_castsi512_si256(v));
    _mm256_storeu_si256((__m256i *) (void *) (dst + stride_nbytes),
                        _mm512_extracti64x4_epi64(v, 1));
}

INLINE void store_sums(const vec top[8], const vec bottom[8], uint8_t *dst,
                       size_t stride_nbytes)
{
    const vec upper = _mm512_load_si512(upper_halves), quarter = SET16(1 << 14);
    vec c[8], two[4];
    for (int i = 0; i < 8; i++)
        c[i] = _mm512_permutex2var_epi16(top[i], upper, bottom[i]);
    for (int i = 0; i < 8; i++) /* shifted by two bits more: multipliers have less to do */
        c[i] = _mm512_mulhi_epi16(c[i], quarter);
    for (int i = 0; i < 4; i++)
        two[i] = PACK_BYTES(c[2 * i], c[2 * i + 1]);
    for (int i = 0; i < 2; i++) {
        const vec order = _mm512_load_si512(half_rows[i]);
        const vec left = _mm512_permutex2var_epi8(two[0], order, two[1]);
        const vec right = _mm512_permutex2var_epi8(two[2], order, two[3]);
        uint8_t *at = dst + (size_t) (4 * i) * stride_nbytes;
        store_2_rows(LOW32(left, right), at, stride_nbytes);
        store_2_rows(HIGH32(left, right), at + 2 * stride_nbytes, stride_nbytes);
    }
}
#define STORE_SUMS store_sums

/* Blocks of DC alone. */
INLINE void flat_group(const int16_t *const coef[BLOCKS], uint16_t quant, uint8_t *dst,
                       size_t stride_nbytes)
{
    const __m128i dc = _mm_setr_epi16(*coef[0], *coef[1], *coef[2], *coef[3], 0, 0, 0, 0);
    __m128i v = _mm_srai_epi16(_mm_mullo_epi16(dc, _mm_set1_epi16((short) quant)), 2);
    v = _mm_srai_epi16(_mm_add_epi16(v, _mm_set1_epi16(1)), 1); /* (dc + 4) / 8 */
    v = _mm_packus_epi16(_mm_add_epi16(v, _mm_set1_epi16(128)), v);
    const __m256i order = _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202,
                                            0x0101010101010101, 0);
    const __m256i row = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(v), order);
    for (size_t y = 0; y < 8; y++)
        _mm256_storeu_si256((__m256i *) (void *) (dst + y * stride_nbytes), row);
}

/* Coefficients 32 i to 32 i + 31 of a block, dequantised. */
INLINE vec load_32(const int16_t *coef, const struct pcri_dequant *q, bool offsets, int i)
{
    const vec v = _mm512_loadu_si512(coef + 32 * i);
    const vec product = _mm512_mullo_epi16(v, _mm512_loadu_si512(q->quant + 32 * i));
    if (!offsets)
        return product;
    const vec sign = _mm512_srai_epi16(v, 15);
    vec offset = _mm512_xor_si512(_mm512_loadu_si512(q->offset + 32 * i), sign);
    return _mm512_mask_adds_epi16(product, _mm512_test_epi16_mask(v, v), product,
                                  _mm512_sub_epi16(offset, sign));
}

/* Zigzag indices in the order of idct_body.h's pairs: those of columns 2 6 7 1, 3 5 0 4. */
static const _Alignas(64) uint16_t pair_order[2][32] = {
    { 5,  23, 27, 52, 28, 54, 1,  19, 12, 37, 41, 59, 43, 61, 8,  34,
      48, 7,  62, 29, 63, 42, 36, 4,  18, 33, 44, 55, 53, 60, 11, 22 },
    { 6,  32, 15, 45, 0,  10, 14, 39, 17, 47, 30, 56, 3, 21, 25, 50,
      49, 13, 58, 26, 35, 2,  57, 16, 24, 38, 40, 51, 9, 20, 31, 46 },
};

/* Part i of each of four vectors becomes a vector. */
INLINE void turn_parts(const vec v[4], vec out[4])
{
    const vec a = _mm512_shuffle_i32x4(v[0], v[1], 0x88);
    const vec b = _mm512_shuffle_i32x4(v[2], v[3], 0x88);
    const vec c = _mm512_shuffle_i32x4(v[0], v[1], 0xDD);
    const vec d = _mm512_shuffle_i32x4(v[2], v[3], 0xDD);
    out[0] = _mm512_shuffle_i32x4(a, b, 0x88);
    out[1] = _mm512_shuffle_i32x4(c, d, 0x88);
    out[2] = _mm512_shuffle_i32x4(a, b, 0xDD);
    out[3] = _mm512_shuffle_i32x4(c, d, 0xDD);
}

/* parts: 4 where coefficients beyond zigzag index 31 are zero, else 8. */
INLINE void load_pairs(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                       bool offsets, int parts, vec p[2][4])
{
    vec v[2][BLOCKS];
    for (int k = 0; k < BLOCKS; k++) {
        const vec low = load_32(coef[k], q, offsets, 0);
        const vec high = parts == 8 ? load_32(coef[k], q, offsets, 1) : _mm512_setzero_si512();
        for (int h = 0; h < 2; h++)
            v[h][k] = _mm512_permutex2var_epi16(low, _mm512_load_si512(pair_order[h]), high);
    }
    turn_parts(v[0], p[0]);
    turn_parts(v[1], p[1]);
}

/* Of two blocks rows 0 and 2 interleaved, columns 0 2 1 3, and 1 and 3. */
static const _Alignas(64) uint16_t corner_order[32] = {
    0,  3,  5,  12, 1,  8,  6,  17, 2,  9,  7,  18, 4,  11, 13, 24,
    32, 35, 37, 44, 33, 40, 38, 49, 34, 41, 39, 50, 36, 43, 45, 56,
};

INLINE void load_corner(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                        bool offsets, vec *p02, vec *p13)
{
    const vec order = _mm512_load_si512(corner_order);
    vec v[BLOCKS];
    for (int k = 0; k < BLOCKS; k++)
        v[k] = load_32(coef[k], q, offsets, 0);
    const vec a = _mm512_permutex2var_epi16(v[0], order, v[1]);
    const vec b = _mm512_permutex2var_epi16(v[2], order, v[3]);
    *p02 = _mm512_shuffle_i32x4(a, b, 0x88);
    *p13 = _mm512_shuffle_i32x4(a, b, 0xDD);
}

#include "idct_body.h"
#include "idct_lists.h"

TARGET void pcri_idct_avx512(const int16_t *coef, const uint64_t *mask, size_t count,
                             const struct pcri_dequant *q, uint8_t *dst, size_t stride_nbytes)
{
    idct(coef, mask, count, q, dst, stride_nbytes);
}
#else
typedef int pcri_no_avx512_idct; /* ISO C wants something in each file */
#endif
