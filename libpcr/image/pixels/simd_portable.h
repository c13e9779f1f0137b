/* SPDX-License-Identifier: BSD-2-Clause */
/* The vector operations of idct_body.h and color_body.h on 128 bits: by SSE2 where the compiler's
 * baseline has it, else in GNU C, which the compiler maps to the CPU's vectors. One block per
 * vector. */
#ifndef PCRI_SIMD_PORTABLE_H
#define PCRI_SIMD_PORTABLE_H

#include <stdint.h>
#include <string.h>

#include "../../base/lanes.h"

#define TARGET
#define INLINE static inline __attribute__((always_inline))
#define BLOCKS 1

#if defined(__SSE2__) && !defined(PCR_PORTABLE)
#include <emmintrin.h>

typedef __m128i vec;
typedef int16_t v8i16 __attribute__((vector_size(16)));

#define SIMD(name) _mm_##name
#define SIMD_WHOLE(name) _mm_##name##_si128
#define SIMD_FLOATS _mm_castsi128_ps
#include "simd_x86.h"
#define MULLO16 _mm_mullo_epi16
#define EQUAL16 _mm_cmpeq_epi16
#define LOW_BYTES LOW8 /* bytes and zeros to 16 bits */
#undef MULHRS          /* SSSE3 has it; this is of a below 2^13 */
#define MULHRS(a, b) SRA16(ADD16(_mm_mulhi_epi16(SLL16(a, 2), b), SET16(1)), 1)
#define NEXT_LANES16(v) _mm_srli_si128(v, 2) /* lane i + 1 goes to i */

INLINE vec four_lanes(int16_t a, int16_t b, int16_t c, int16_t d)
{
    const vec v = _mm_insert_epi16(_mm_cvtsi32_si128((uint16_t) a), b, 1);
    return _mm_insert_epi16(_mm_insert_epi16(v, c, 2), d, 3);
}

/* Eight numbers from memory: faster than what compilers make of an initialiser. */
#define LANES_OF(a, b, c, d, e, f, g, h) \
    _mm_unpacklo_epi64(four_lanes(a, b, c, d), four_lanes(e, f, g, h))

/* 8 bytes, then zeros. */
INLINE vec load_half(const uint8_t *p)
{
    return _mm_loadl_epi64((const vec *) (const void *) p);
}
#else
typedef int32_t vec __attribute__((vector_size(16)));
typedef int16_t v8i16 __attribute__((vector_size(16)));
typedef uint16_t v8u16 __attribute__((vector_size(16)));
typedef int8_t v16i8 __attribute__((vector_size(16)));
typedef int64_t v2i64 __attribute__((vector_size(16)));
typedef uint64_t v2u64 __attribute__((vector_size(16)));
typedef uint32_t v4u32 __attribute__((vector_size(16)));

#define LANES_OF(...) ((vec) (v8i16) { __VA_ARGS__ })
#define SET32(x) ((vec) { (x), (x), (x), (x) })
#define SET16(x) PAIR(x, x)
#define PAIR(a, b) ((vec) (v8i16) { a, b, a, b, a, b, a, b })
#define ADD16(a, b) ((vec) ((v8u16) (a) + (v8u16) (b)))
#define SUB16(a, b) ((vec) ((v8u16) (a) - (v8u16) (b)))
#define MULLO16(a, b) ((vec) ((v8u16) (a) * (v8u16) (b)))
#define EQUAL16(a, b) ((vec) ((v8i16) (a) == (v8i16) (b)))
#define ADD32(a, b) ((vec) ((v4u32) (a) + (v4u32) (b)))
#define SUB32(a, b) ((vec) ((v4u32) (a) - (v4u32) (b)))
#define SRA32(a, n) ((a) >> (n))
#define SRA16(a, n) ((vec) ((v8i16) (a) >> (n)))
#define SRL16(a, n) ((vec) ((v8u16) (a) >> (n)))
#define LOW8(a, b) LANES(v16i8, a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH8(a, b) \
    LANES(v16i8, a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define LOW16(a, b) LANES(v8i16, a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH16(a, b) LANES(v8i16, a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define LOW32(a, b) LANES(vec, a, b, 0, 4, 1, 5)
#define HIGH32(a, b) LANES(vec, a, b, 2, 6, 3, 7)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HALVES(...) __VA_ARGS__ /* the lower halves of lanes */
#define LOW_BYTES(v, zero) LOW8(v, zero)
#define EVEN_BYTES(v) ((v) &SET16(255))
#define ODD_BYTES(v) SRL16(v, 8)
#define IN_TURN(even, odd) ((even) | (vec) ((v8u16) (odd) << 8))
#define RAISE_FIRST(p) ((vec) ((v4u32) (p) << 16))
#define RAISE_SECOND(p) ((p) & -65536)
#else
#define HALVES(a, b, c, d, e, f, g, h) a + 1, b + 1, c + 1, d + 1, e + 1, f + 1, g + 1, h + 1
#define LOW_BYTES(v, zero) LOW8(zero, v)
#define EVEN_BYTES(v) SRL16(v, 8)
#define ODD_BYTES(v) ((v) &SET16(255))
#define IN_TURN(even, odd) ((vec) ((v8u16) (even) << 8) | (odd))
#define RAISE_FIRST(p) ((p) & -65536)
#define RAISE_SECOND(p) ((vec) ((v4u32) (p) << 16))
#endif
#define NEXT_LANES16(v) LANES(v8i16, v, v, 1, 2, 3, 4, 5, 6, 7, 7)
#define LOW64(a, b) LANES(v2i64, a, b, 0, 2)
#define HIGH64(a, b) LANES(v2i64, a, b, 1, 3)
#define REVERSE32(v) LANES(vec, v, v, 3, 2, 1, 0)
#define EVEN32(a, b) LANES(vec, a, b, 0, 2, 4, 6)
#define ODD32(a, b) LANES(vec, a, b, 1, 3, 5, 7)

INLINE vec load_half(const uint8_t *p)
{
    uint64_t bytes;
    memcpy(&bytes, p, sizeof(bytes));
    return (vec) (v2u64) { bytes, 0 };
}

/* Sums of products of neighbours, to 32 bits. */
INLINE vec madd(vec a, vec b)
{
    vec low = (vec) ((v4u32) a << 16) >> 16, high = a >> 16;
    vec low_b = (vec) ((v4u32) b << 16) >> 16, high_b = b >> 16;
    return ADD32((v4u32) low * (v4u32) low_b, (v4u32) high * (v4u32) high_b);
}
#define MADD madd
#define ADD_PAIRS(sum, a, b) ADD32(sum, MADD(a, b))

/* Sums that saturate: they overflow where the sign is that of neither. */
INLINE vec adds16(vec a, vec b)
{
    const vec sum = ADD16(a, b), over = SRA16((a ^ sum) & (b ^ sum), 15);
    return (sum & ~over) | ((SRA16(a, 15) ^ SET16(INT16_MAX)) & over);
}
#define ADDS16 adds16

INLINE vec pack32(vec a, vec b)
{
    vec r[2] = { a, b };
    for (int i = 0; i < 2; i++) {
        vec lo = r[i]<INT16_MIN, hi = r[i]> INT16_MAX;
        r[i] = (r[i] & ~lo & ~hi) | (lo & INT16_MIN) | (hi & INT16_MAX);
    }
    return LANES(v8i16, r[0], r[1], HALVES(0, 2, 4, 6, 8, 10, 12, 14));
}
#define PACK32 pack32

INLINE vec pack16(vec a, vec b)
{
    v8i16 r[2] = { (v8i16) a, (v8i16) b };
    for (int i = 0; i < 2; i++) {
        v8i16 lo = r[i]<INT8_MIN, hi = r[i]> INT8_MAX;
        r[i] = (r[i] & ~lo & ~hi) | (lo & INT8_MIN) | (hi & INT8_MAX);
    }
    return LANES(v16i8, r[0], r[1], HALVES(0, 2, 4, 6, 8, 10, 12, 14),
                 HALVES(16, 18, 20, 22, 24, 26, 28, 30));
}
#define PACK16 pack16

/* The same to bytes without a sign. */
INLINE vec pack_bytes(vec a, vec b)
{
    v8i16 r[2] = { (v8i16) a, (v8i16) b };
    for (int i = 0; i < 2; i++) {
        v8i16 positive = r[i] > 0, hi = r[i] > UINT8_MAX;
        r[i] = ((r[i] & ~hi) | (hi & UINT8_MAX)) & positive;
    }
    return LANES(v16i8, r[0], r[1], HALVES(0, 2, 4, 6, 8, 10, 12, 14),
                 HALVES(16, 18, 20, 22, 24, 26, 28, 30));
}
#define PACK_BYTES pack_bytes

/* Products over 2^15, rounded. */
INLINE vec mulhrs(vec a, vec b)
{
    const vec zero = SET32(0), half = SET32(1 << 14);
    vec low = MADD(LOW16(a, zero), LOW16(b, zero));
    vec high = MADD(HIGH16(a, zero), HIGH16(b, zero));
    return PACK32(SRA32(ADD32(low, half), 15), SRA32(ADD32(high, half), 15));
}
#define MULHRS mulhrs
#endif

/* Two rows of samples. */
INLINE void store_2_rows(vec v, uint8_t *dst, size_t stride_nbytes)
{
    uint64_t rows[2];
    memcpy(rows, &v, sizeof(rows));
    for (int i = 0; i < 2; i++)
        memcpy(dst + (size_t) i * stride_nbytes, &rows[i], 8);
}
#define STORE_2_ROWS store_2_rows

#endif
