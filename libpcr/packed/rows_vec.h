/* SPDX-License-Identifier: BSD-2-Clause */
/* Vectors of 16 bytes in GNU C for operations on rows: masks of two blocks, whose bytes count from
 * the lowest on, whatever the order in memory is. Who includes this may define TARGET, the
 * attributes of functions, and LOW8(a, b) and HIGH8(a, b): bytes of a's and b's lower, higher
 * halves in turn. */
#ifndef PCRI_PK_ROWS_VEC_H
#define PCRI_PK_ROWS_VEC_H

#include "../base/lanes.h"
#include "rows_bytes.h"

#ifndef TARGET
#define TARGET
#endif
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNLIKELY(x) __builtin_expect(x, 0)

typedef uint64_t vec __attribute__((vector_size(16)));
typedef uint16_t vec16 __attribute__((vector_size(16)));
typedef int16_t vec_s16 __attribute__((vector_size(16)));
typedef uint8_t vec8 __attribute__((vector_size(16)));
typedef int8_t vec_s8 __attribute__((vector_size(16)));

#define EACH(x) ((vec) { (x) *ONES, (x) *ONES }) /* a byte 16 times */
#define ADD(a, b) ((vec) ((vec8) (a) + (vec8) (b)))
#define SUB(a, b) ((vec) ((vec8) (a) - (vec8) (b)))
/* All ones where a > b; bytes are below 128. */
#define ABOVE(a, b) ((vec) ((vec_s8) (a) > (vec_s8) (b)))

#ifndef LOW8
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW8(a, b) LANES(vec8, a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH8(a, b) \
    LANES(vec8, a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#else
#define LOW8(a, b) LANES(vec8, a, b, 20, 4, 21, 5, 22, 6, 23, 7, 16, 0, 17, 1, 18, 2, 19, 3)
#define HIGH8(a, b) \
    LANES(vec8, a, b, 28, 12, 29, 13, 30, 14, 31, 15, 24, 8, 25, 9, 26, 10, 27, 11)
#define BIG_ENDIAN_LANES 1
#endif
#endif

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

/* Bytes, and numbers of 16 bits, in the order of LOW8() and HIGH8(). */
INLINE vec load_bytes(const uint8_t *p)
{
#ifdef BIG_ENDIAN_LANES
    return (vec) { pcri_load64(p), pcri_load64(p + 8) };
#else
    return load(p);
#endif
}

INLINE void store_16(void *p, vec v)
{
#ifdef BIG_ENDIAN_LANES
    v = LANES(vec16, v, v, 3, 2, 1, 0, 7, 6, 5, 4);
#endif
    store(p, v);
}

/* Of a matrix of 8 x 8 bytes, whose rows come as 0 and 4, 2 and 6, 1 and 5, 3 and 7 in turn: its
 * columns, two a vector. */
INLINE void transpose_bytes(const vec v[4], vec out[4])
{
    const vec even = LOW8(v[0], v[1]), odd = LOW8(v[2], v[3]);
    const vec even_high = HIGH8(v[0], v[1]), odd_high = HIGH8(v[2], v[3]);
    out[0] = LOW8(even, odd);
    out[1] = HIGH8(even, odd);
    out[2] = LOW8(even_high, odd_high);
    out[3] = HIGH8(even_high, odd_high);
}

/* Each half is a matrix of 8 x 8 bits. */
INLINE vec transpose(vec v)
{
    vec t = (v ^ v >> 7) & UINT64_C(0x00AA00AA00AA00AA);
    v ^= t ^ t << 7;
    t = (v ^ v >> 14) & UINT64_C(0x0000CCCC0000CCCC);
    v ^= t ^ t << 14;
    t = (v ^ v >> 28) & UINT64_C(0x00000000F0F0F0F0);
    return v ^ t ^ t << 28;
}

#endif
