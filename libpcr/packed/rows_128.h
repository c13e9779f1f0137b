/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows with vectors of 16 bytes, in GNU C, for little-endian CPUs that shuffle bytes
 * but have no bit deposit. Who includes this defines
 *
 *     TARGET          the attributes of functions
 *     SHUFFLE(v, i)   bytes of v by number; 0 where the number is above 127
 *     COUNT_BITS(v)   of each byte, where there is an instruction for it
 *     SUM_BYTES(v)    of each half
 *     UPPER8(a, b)    the upper bytes of pairs
 *     LOW8 HIGH8 LOW16 HIGH16 LOW32 HIGH32 (a, b)
 *                     a's and b's lower or higher elements in turn */
#include "rows.h"

#define INLINE TARGET static inline __attribute__((always_inline))
#define UNLIKELY(x) __builtin_expect(x, 0)

typedef uint64_t words __attribute__((vector_size(16)));
typedef uint16_t pairs __attribute__((vector_size(16)));
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef int8_t signed_bytes __attribute__((vector_size(16)));

#define ONES UINT64_C(0x0101010101010101)
#define EACH(x) ((words) { (x) *ONES, (x) *ONES }) /* a byte 16 times */
#define ADD(a, b) ((words) ((bytes) (a) + (bytes) (b)))
#define SUB(a, b) ((words) ((bytes) (a) - (bytes) (b)))
/* All ones where a > b; bytes are below 128. */
#define ABOVE(a, b) ((words) ((signed_bytes) (a) > (signed_bytes) (b)))

INLINE words load(const void *p)
{
    words v;
    memcpy(&v, p, sizeof(v));
    return v;
}

INLINE void store(void *p, words v)
{
    memcpy(p, &v, sizeof(v));
}

#ifndef COUNT_BITS
#define COUNT_BITS count_bits
/* How many bits of each byte are set. */
INLINE words count_bits(words v)
{
    const bytes counts = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };
    return ADD(SHUFFLE((words) counts, v & EACH(15)),
               SHUFFLE((words) counts, v >> 4 & EACH(15)));
}
#endif

/* --- bytes of a block by a mask of eight --- */

#define BIT(t, k) ((uint64_t) ((t) >> (k) &1))
#define BELOW(t, k) (unsigned) __builtin_popcount((t) & ((1u << (k)) - 1))
#define NUMBER(t, k) (BIT(t, k) * (k) << 8 * BELOW(t, k) % 64)
#define RANK(t, k) ((BIT(t, k) ? BELOW(t, k) : UINT64_C(128)) << 8 * (k))
#define ALL_OF(F, t) \
    (F(t, 0) | F(t, 1) | F(t, 2) | F(t, 3) | F(t, 4) | F(t, 5) | F(t, 6) | F(t, 7))
#define FOUR(F, t) ALL_OF(F, t), ALL_OF(F, t + 1), ALL_OF(F, t + 2), ALL_OF(F, t + 3)
#define FOUR_2(F, t) FOUR(F, t), FOUR(F, t + 4), FOUR(F, t + 8), FOUR(F, t + 12)
#define FOUR_3(F, t) FOUR_2(F, t), FOUR_2(F, t + 16), FOUR_2(F, t + 32), FOUR_2(F, t + 48)
#define FOUR_4(F) FOUR_3(F, 0), FOUR_3(F, 64), FOUR_3(F, 128), FOUR_3(F, 192)

/* Byte i: the number of the mask's bit i. */
static const uint64_t numbers_of[256] = { FOUR_4(NUMBER) };
/* Byte k: how many bits are below bit k; 128 where it is not set. */
static const uint64_t ranks_of[256] = { FOUR_4(RANK) };

/* Numbers for SHUFFLE() from those of two masks. */
INLINE words for_two(const uint64_t table[256], unsigned t0, unsigned t1)
{
    return (words) { table[t0], table[t1] + 8 * ONES };
}

/* --- contexts --- */

/* How many of the thresholds each byte exceeds. */
INLINE words quantise(words v, const int8_t thresholds[6])
{
    words sum = { 0 };
    for (int i = 0; i < 6; i++)
        sum = SUB(sum, ABOVE(v, EACH((uint64_t) thresholds[i])));
    return sum;
}

static const int8_t q7[6] = { 0, 1, 2, 4, 7, 12 };
static const int8_t q10[6] = { 0, 1, 3, 6, 11, 20 };

/* 0 to 3, by how a block's coefficients are split at number 16. */
INLINE words split_class(words all, words low)
{
    const words high = SUB(all, low), none = { 0 };
    const words more = ~ABOVE(low, ADD(high, high)); /* 2 high >= low */
    const words most = ~ABOVE(ADD(low, low), high);  /* high >= 2 low */
    return SUB(SUB(EACH(1), more), most) & ABOVE(high, none);
}

TARGET static void t_contexts(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                              const struct pcri_pk_pass *pass, uint16_t *out)
{
    const uint8_t *up = above->count, *side = pass->first ? up : row->count;
    const uint16_t begin = (uint16_t) (pass->kind * PCRI_PK_T_CONTEXTS);
    const words none = { 0 };
    for (size_t i = 0; i < row->blocks; i += 16) {
        const words own = load(row->count + i);
        const words beside = ADD(load(side + i - 1), load(side + i + 1)) >> 1 & EACH(127);
        const words near = ADD(load(up + i), beside) >> 1 & EACH(63);
        const words gain = quantise(load(above->gain + i), q7);
        const words a = ADD(gain << 2, split_class(own, load(row->low + i)));
        const words o = quantise(own, q10);
        const words b = ADD(SUB(o << 3, o), quantise(near, q10));
        const pairs low = (pairs) LOW8(a, none) * 49 + (pairs) LOW8(b, none);
        const pairs high = (pairs) HIGH8(a, none) * 49 + (pairs) HIGH8(b, none);
        store(out + i, (words) (low + begin));
        store(out + i + 8, (words) (high + begin));
    }
}

/* Of each byte of two blocks the parts of its context: what is multiplied by 256, and the rest
 * without what T adds. */
INLINE void b_parts(const struct pcri_pk_row *row, const uint64_t *up, const uint64_t *side,
                    size_t i, words *high_out, words *low_out)
{
    /* how many of 0, 2, 4, 8, 14, 20 twice a number exceeds, or that less 1 */
    const bytes q_near = { 0, 1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6 };
    const uint64_t number = UINT64_C(0x0706050403020100);
    const words own = load(row->bytes + i), u = load(up + i);
    words near = ADD(ADD(load(side + i - 1), load(side + i + 1)), ADD(u, u));
    near = ADD(near, EACH(1)) >> 1 & EACH(31); /* at most 16 */
    near = SHUFFLE((words) q_near, ADD(near, ABOVE(near, EACH(15))));
    const words beside = ADD(own << 8, own >> 8), twice = ADD(own, own);
    const words x7 = ADD(ABOVE(beside, twice) & EACH(7),
                         ABOVE(beside, ADD(twice, EACH(2))) & EACH(7));
    *high_out = ADD(near, x7);
    *low_out = (own & EACH(7)) << 3 | (words) { number, number };
}

TARGET static size_t b_contexts(const struct pcri_pk_row *row,
                                const struct pcri_pk_above *above,
                                const struct pcri_pk_pass *pass, const uint8_t *t,
                                uint16_t *out)
{
    static const uint8_t most[9] = { 0, 0, 1, 2, 2, 3, 3, 3, 3 };
    const uint64_t *up = above->bytes, *side = pass->first ? up : row->bytes;
    const size_t blocks = row->blocks;
    pairs begin[9]; /* by the bits of T */
    uint16_t *at = out;
    for (int i = 0; i < 9; i++)
        begin[i] = (pairs) { 0 } + (uint16_t) (pass->kind * PCRI_PK_B_CONTEXTS + most[i] * 64);
    for (size_t i = 0; i < blocks; i += 2) {
        const unsigned t0 = t[i], t1 = i + 1 < blocks ? t[i + 1] : 0;
        const unsigned n0 = (unsigned) __builtin_popcount(t0);
        const unsigned n1 = (unsigned) __builtin_popcount(t1);
        const words which = for_two(numbers_of, t0, t1);
        words high, low;
        b_parts(row, up, side, i, &high, &low);
        high = SHUFFLE(high, which);
        low = SHUFFLE(low, which);
        store(at, (words) ((pairs) LOW8(low, high) + begin[n0]));
        at += n0;
        store(at, (words) ((pairs) HIGH8(low, high) + begin[n1]));
        at += n1;
    }
    return (size_t) (at - out);
}

/* --- masks --- */

/* A mask's bit takes the bit that is as many places lower as there are holes (bits that are not
 * set) below it in the mask. This number is made bit by bit: the lowest is the parity of the holes
 * below; every second hole counts for the next (H. S. Warren, "Hacker's Delight", 7-5). */

/* For each bit of each byte, the parity of those below it. */
INLINE words parity_8(words v)
{
    const bytes of_low = { 0,    0xFE, 0xFC, 0x02, 0xF8, 0x06, 0x04, 0xFA,
                           0xF0, 0x0E, 0x0C, 0xF2, 0x08, 0xF6, 0xF4, 0x0A };
    const bytes of_high = { 0, 0xE0, 0xC0, 0x20, 0x80, 0x60, 0x40, 0xA0,
                            0, 0xE0, 0xC0, 0x20, 0x80, 0x60, 0x40, 0xA0 };
    return SHUFFLE((words) of_low, v & EACH(15)) ^ SHUFFLE((words) of_high, v >> 4 & EACH(15));
}

/* The lowest bits of each byte under the bits of a mask. */
INLINE words deposit_8(words v, words mask)
{
    words left = ~mask;
    const words holes1 = parity_8(left), holes2 = parity_8(left & holes1);
    left = SUB(((words) { 0 }), left & holes1 & holes2);
    const words holes4 = ADD(left, left);
    v ^= (v ^ (v << 4 & EACH(0xF0))) & holes4;
    v ^= (v ^ (v << 2 & EACH(0xFC))) & holes2;
    v ^= (v ^ ADD(v, v)) & holes1;
    return v & mask;
}

TARGET static size_t place(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                           const uint8_t *b)
{
    const uint8_t *begin = b;
    const size_t blocks = row->blocks;
    for (size_t i = 0; i < blocks; i += 2) {
        const unsigned t0 = t[i], t1 = i + 1 < blocks ? t[i + 1] : 0;
        const uint64_t first = pcri_load64(b);
        b += __builtin_popcount(t0);
        words v = { first, pcri_load64(b) };
        b += __builtin_popcount(t1);
        v = SHUFFLE(v, for_two(ranks_of, t0, t1));
        store(row->found + i, deposit_8(v, ~load(row->known + i) & band));
    }
    return (size_t) (b - begin);
}

/* The lowest bits of each half under the bits of a mask. Those of a byte of the mask begin where as
 * many bits are as there are in the bytes below it. */
INLINE words deposit(words v, words mask)
{
    const words from = { 0, 8 * ONES }, none = { 0 };
    const bytes factors = { 128, 64, 32, 16, 8, 4, 2, 1 };
    words at = COUNT_BITS(mask) << 8;
    at = ADD(at, at << 8);
    at = ADD(at, at << 16);
    at = ADD(ADD(at, at << 32), EACH(7));
    /* Of bytes high - 1 and high, the 8 bits from bit 1 to 8. */
    const words high = ADD(at >> 3 & EACH(31), from), low = SUB(high, EACH(1));
    const words l = SHUFFLE(v, low), h = SHUFFLE(v, high);
    const words factor = SHUFFLE((words) factors, at & EACH(7));
    const words even = (words) ((pairs) LOW8(l, h) * (pairs) LOW8(factor, none));
    const words odd = (words) ((pairs) HIGH8(l, h) * (pairs) HIGH8(factor, none));
    return deposit_8(UPPER8(even, odd), mask);
}

/* At least 64 bits from `bit` on, of which `wanted` are. */
INLINE uint64_t bits_at(const uint8_t *data, uint64_t bit, unsigned wanted)
{
    const uint8_t *p = data + (bit >> 3);
    uint64_t v = pcri_load64(p) >> (bit & 7);
    if (UNLIKELY(wanted > 57))
        v |= (uint64_t) p[8] << 1 << (63 - (bit & 7));
    return v;
}

TARGET static void scatter(struct pcri_pk_bits *bits, const uint64_t *mask, size_t n,
                           uint64_t *out)
{
    const uint8_t *data = bits->data;
    uint64_t bit = bits->bit;
    for (size_t i = 0; i < n; i += 2) {
        const words m = { mask[i], i + 1 < n ? mask[i + 1] : 0 };
        const unsigned n0 = (unsigned) __builtin_popcountll(m[0]);
        const unsigned n1 = (unsigned) __builtin_popcountll(m[1]);
        const words v = { bits_at(data, bit, n0), bits_at(data, bit + n0, n1) };
        const words set = deposit(v, m);
        bit += n0 + n1;
        out[i] |= set[0];
        if (i + 1 < n)
            out[i + 1] |= set[1];
    }
    bits->bit = bit;
}

TARGET static void refine(const struct pcri_pk_row *row, uint64_t band,
                          struct pcri_pk_bits *bits, uint64_t *plane)
{
    const uint8_t *data = bits->data;
    const uint64_t *known = row->known, *found = row->found;
    uint64_t bit = bits->bit, *sign = row->sign;
    const size_t blocks = row->blocks;
    for (size_t i = 0; i < blocks; i++) {
        const uint64_t here = known[i] & band, new = found[i];
        const unsigned signs = (unsigned) __builtin_popcountll(new);
        const unsigned nbits = signs + (unsigned) __builtin_popcountll(here);
        const uint64_t v = bits_at(data, bit, nbits);
        const words set = deposit((words) { v, v >> signs }, (words) { new, here });
        sign[i] |= set[0];
        plane[i] |= new | set[1];
        bit += nbits;
    }
    bits->bit = bit;
}

TARGET static void settle(const struct pcri_pk_row *row, const struct pcri_pk_above *above)
{
    const size_t n = row->blocks;
    /* Of two blocks: all, those below 16; of two more. */
    const bytes pick[2] = {
        { 0, 8, 128, 128, 4, 12, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128 },
        { 128, 128, 0, 8, 128, 128, 4, 12, 128, 128, 128, 128, 128, 128, 128, 128 },
    };
    memset(row->found + n, 0, 32);
    memset(row->known + n, 0, 32);
    for (size_t i = 0; i < n; i += 4) {
        words sums = { 0 };
        for (size_t k = 0; k < 2; k++) {
            const size_t x = i + 2 * k;
            const words known = load(row->known + x) | load(row->found + x);
            const words counts = COUNT_BITS(known);
            store(row->known + x, known);
            store(row->bytes + x, counts);
            store(above->bytes + x, counts);
            sums |= SHUFFLE(SUM_BYTES(counts) | SUM_BYTES(counts & 0xFFFF) << 32,
                            (words) pick[k]);
        }
        const uint32_t now = (uint32_t) sums[0];
        pcri_store32(above->gain + i, now - pcri_load32(row->count + i));
        pcri_store32(row->count + i, now);
        pcri_store32(above->count + i, now);
        pcri_store32(row->low + i, (uint32_t) (sums[0] >> 32));
    }
}

/* --- coefficients --- */

/* v[j]: byte 2 j of the eight masks of block i, then byte 2 j + 1. */
INLINE void bytes_together(const uint64_t *const masks[8], size_t i, words v[4])
{
    words a[4];
    for (int k = 0; k < 4; k++)
        a[k] = LOW8(((words) { masks[2 * k][i] }), ((words) { masks[2 * k + 1][i] }));
    const words low = LOW16(a[0], a[1]), low_high = LOW16(a[2], a[3]);
    const words high = HIGH16(a[0], a[1]), high_high = HIGH16(a[2], a[3]);
    v[0] = LOW32(low, low_high);
    v[1] = HIGH32(low, low_high);
    v[2] = LOW32(high, high_high);
    v[3] = HIGH32(high, high_high);
}

/* Each half is a matrix of 8 x 8 bits. */
INLINE words transpose(words v)
{
    words t = (v ^ v >> 7) & UINT64_C(0x00AA00AA00AA00AA);
    v ^= t ^ t << 7;
    t = (v ^ v >> 14) & UINT64_C(0x0000CCCC0000CCCC);
    v ^= t ^ t << 14;
    t = (v ^ v >> 28) & UINT64_C(0x00000000F0F0F0F0);
    return v ^ t ^ t << 28;
}

/* 16 coefficients from a magnitude and a sign in each byte. */
INLINE void expand_16(words v, int16_t *out)
{
    const words negative = ABOVE(((words) { 0 }), v);
    v = SUB((v & EACH(127)) ^ negative, negative);
    const words sign = ABOVE(((words) { 0 }), v);
    store(out, LOW8(v, sign));
    store(out + 8, HIGH8(v, sign));
}

TARGET static void expand(const struct pcri_pk_row *row, const int16_t *dc, int16_t *out)
{
    const uint64_t *masks[8];
    for (int p = 0; p < PCRI_PK_IN_BYTES; p++)
        masks[p] = row->plane[p];
    masks[PCRI_PK_IN_BYTES] = row->sign;
    for (size_t i = 0; i < row->blocks; i++, out += 64) {
        words v[4];
        bytes_together(masks, i, v);
        for (int j = 0; j < 4; j++)
            expand_16(transpose(v[j]), out + 16 * j);
        if (UNLIKELY(row->planes >> PCRI_PK_IN_BYTES))
            pcri_pk_expand_large(row, i, out);
        out[0] = dc[i];
    }
}

#define ROWS_128(name) \
    { \
        name, pcri_pk_portable_dc_contexts, t_contexts, b_contexts, \
            pcri_pk_portable_m_contexts, place, scatter, refine, pcri_pk_portable_gather, \
            pcri_pk_portable_gather_refined, pcri_pk_portable_lengths, settle, expand, \
            pcri_pk_portable_slice, pcri_pk_portable_name_bytes, pcri_tans_read_portable, \
    }
