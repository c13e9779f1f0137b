/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows' masks with vectors of 16 bytes, in GNU C, for little-endian CPUs that shuffle
 * bytes but have no fast bit deposit. Who includes this defines
 *
 *     SHUFFLE(v, i)   bytes of v by number; 0 where the number is above 127
 *     COUNT_BITS(v)   of each byte, where there is an instruction for it
 *
 * and what rows_vec.h wants; and KERNEL(type, name), if functions are not to be static. */
#include "rows_vec.h"

#ifndef KERNEL
#define KERNEL(type, name) static type name
#endif

#ifndef COUNT_BITS
#define COUNT_BITS count_bits
/* How many bits of each byte are set. */
INLINE vec count_bits(vec v)
{
    const vec8 counts = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };
    return ADD(SHUFFLE((vec) counts, v & EACH(15)), SHUFFLE((vec) counts, v >> 4 & EACH(15)));
}
#endif

/* --- bytes of a block by a mask of eight --- */

/* Numbers for SHUFFLE() from those of two masks. */
INLINE vec for_two(const uint64_t table[256], unsigned t0, unsigned t1)
{
    return (vec) { table[t0], table[t1] + 8 * ONES };
}

/* A mask's bit takes the bit that is as many places lower as there are holes (bits that are not
 * set) below it in the mask. This number is made bit by bit: the lowest is the parity of the holes
 * below; every second hole counts for the next (H. S. Warren, "Hacker's Delight", 7-5). */

/* For each bit of each byte, the parity of those below it. */
INLINE vec parity_8(vec v)
{
    const vec8 of_low = { 0,    0xFE, 0xFC, 0x02, 0xF8, 0x06, 0x04, 0xFA,
                          0xF0, 0x0E, 0x0C, 0xF2, 0x08, 0xF6, 0xF4, 0x0A };
    const vec8 of_high = { 0, 0xE0, 0xC0, 0x20, 0x80, 0x60, 0x40, 0xA0,
                           0, 0xE0, 0xC0, 0x20, 0x80, 0x60, 0x40, 0xA0 };
    return SHUFFLE((vec) of_low, v & EACH(15)) ^ SHUFFLE((vec) of_high, v >> 4 & EACH(15));
}

/* The bits of the numbers of holes. */
INLINE void count_holes(vec mask, vec out[3])
{
    vec left = ~mask;
    out[0] = parity_8(left);
    out[1] = parity_8(left & out[0]);
    left = SUB(((vec) { 0 }), left & out[0] & out[1]);
    out[2] = ADD(left, left);
}

/* The lowest bits of each byte under the bits of a mask. */
INLINE vec deposit_8(vec v, vec mask)
{
    vec holes[3];
    count_holes(mask, holes);
    v ^= (v ^ (v << 4 & EACH(0xF0))) & holes[2];
    v ^= (v ^ (v << 2 & EACH(0xFC))) & holes[1];
    v ^= (v ^ ADD(v, v)) & holes[0];
    return v & mask;
}

/* What two blocks gain by the symbols B of the bytes that t0 and t1 name. *b moves on. */
INLINE vec gained(const uint8_t **b, unsigned t0, unsigned t1, vec known, uint64_t band)
{
    const uint64_t first = pcri_load64(*b);
    *b += count_of[t0];
    const vec v = { first, pcri_load64(*b) };
    *b += count_of[t1];
    return deposit_8(SHUFFLE(v, for_two(ranks_of, t0, t1)), ~known & band);
}

/* The other way round; v has only bits that the mask has. */
INLINE vec extract_8(vec v, vec mask)
{
    vec holes[3];
    count_holes(mask, holes);
    for (int i = 0; i < 3; i++) {
        const vec moved = v & holes[i];
        v ^= moved ^ moved >> (1u << i);
    }
    return v;
}

TARGET KERNEL(size_t, name_bytes)(const struct pcri_pk_row *row, uint64_t band, uint8_t *t,
                                  uint8_t *b)
{
    const uint64_t seven = 127 * ONES, blocks = row->blocks;
    const uint8_t *begin = b;
    for (size_t i = 0; i < blocks; i += 2) {
        const vec found = load(row->found + i);
        vec some = (((found & seven) + seven) | found) & ~seven;
        unsigned named[2];
        for (size_t k = 0; k < 2; k++)
            named[k] = (unsigned) ((some[k] >> 7) * UINT64_C(0x0102040810204080) >> 56);
        vec v = extract_8(found, ~load(row->known + i) & band);
        v = SHUFFLE(v, for_two(numbers_of, named[0], named[1]));
        for (size_t k = 0; k < 2 && i + k < blocks; k++) {
            const uint64_t of_block = v[k];
            t[i + k] = (uint8_t) named[k];
            memcpy(b, &of_block, 8);
            b += __builtin_popcount(named[k]);
        }
    }
    return (size_t) (b - begin);
}
