/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows with vectors of 16 bytes, in GNU C, for little-endian CPUs that shuffle bytes
 * but have no bit deposit. Who includes this defines
 *
 *     TARGET          the attributes of functions
 *     SHUFFLE(v, i)   bytes of v by number; 0 where the number is above 127
 *     COUNT_BITS(v)   of each byte, where there is an instruction for it
 *     SUM_BYTES(v)    of each half
 *     NONZERO8(v)     16 bits: which bytes are not 0
 *     MIN8(a, b)      of unsigned bytes
 *     HALF8(v)        of each byte, rounded up
 *     LOWER8(a, b), UPPER8(a, b)
 *                     the lower, the upper bytes of pairs
 *
 * and what rows_dc.h and rows_vec.h want. */
#include "rows_bytes.h"
#include "rows_vec.h"

#ifndef COUNT_BITS
#define COUNT_BITS count_bits
/* How many bits of each byte are set. */
INLINE vec count_bits(vec v)
{
    const vec8 counts = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };
    return ADD(SHUFFLE((vec) counts, v & EACH(15)), SHUFFLE((vec) counts, v >> 4 & EACH(15)));
}
#endif

#include "rows_dc.h"

TARGET static void dc_values(const struct pcri_pk_dc *up, const uint8_t *lengths, size_t n,
                             struct pcri_pk_bits *bits, int16_t *now)
{
    read_dc_values(up, lengths, n, bits, now);
}

/* --- bytes of a block by a mask of eight --- */

/* Numbers for SHUFFLE() from those of two masks. */
INLINE vec for_two(const uint64_t table[256], unsigned t0, unsigned t1)
{
    return (vec) { table[t0], table[t1] + 8 * ONES };
}

/* --- contexts --- */

TARGET static uint32_t list(const uint8_t *v, size_t n, uint16_t *out)
{
    const uint64_t seven = 127 * ONES;
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t bytes = pcri_load64(v + i);
        if (n - i < 8)
            bytes &= (UINT64_C(1) << 8 * (n - i)) - 1;
        bytes = (((bytes & seven) + seven) | bytes) & ~seven;
        const unsigned some = (unsigned) ((bytes >> 7) * UINT64_C(0x0102040810204080) >> 56);
        const vec numbers = LOW8(((vec) { numbers_of[some] }), ((vec) { 0 }));
        store(out + count, (vec) ((vec16) numbers + (uint16_t) i));
        count += (uint32_t) __builtin_popcount(some);
    }
    return count;
}

/* How many of 0, 1, 2, 4, 7, 12 each byte exceeds. */
INLINE vec q7(vec v)
{
    const vec8 of = { 0, 1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6 };
    return SHUFFLE((vec) of, MIN8(v, EACH(15)));
}

/* How many of 0, 1, 3, 6, 11, 20. */
INLINE vec q10(vec v)
{
    const vec8 of = { 0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 5 };
    return SUB(SHUFFLE((vec) of, MIN8(v, EACH(15))), ABOVE(v, EACH(20)));
}

/* How many of 0, 2, 4, 8, 14, 20, which half a number tells, rounded up. */
INLINE vec q_near(vec v)
{
    const vec8 of = { 0, 1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6 };
    return SHUFFLE((vec) of, MIN8(HALF8(v), EACH(15)));
}

/* 0 to 3, by how a block's coefficients are split at number 16. */
INLINE vec split_class(vec all, vec low)
{
    const vec high = SUB(all, low), any = ABOVE(high, EACH(0));
    const vec fewer = ABOVE(low, ADD(high, high)), less = ABOVE(ADD(low, low), high);
    return ADD(ADD(EACH(3), fewer), less) & any;
}

TARGET static void t_contexts(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                              const struct pcri_pk_pass *pass, uint16_t *out)
{
    const uint8_t *up = above->count, *side = pass->first ? up : row->count;
    const vec16 begin = (vec16) { 0 } + (uint16_t) (pass->kind * PCRI_PK_T_CONTEXTS);
    const vec none = { 0 };
    for (size_t i = 0; i < row->blocks; i += 16) {
        const vec own = load(row->count + i), o = q10(own);
        vec near = ADD(load(side + i - 1), load(side + i + 1)) >> 1 & EACH(127);
        near = ADD(near, load(up + i)) >> 1 & EACH(63);
        vec a = q7(load(above->gain + i));
        a = ADD(a, a);
        a = ADD(ADD(a, a), split_class(own, load(row->low + i)));
        const vec b = ADD(SUB(o << 3, o), q10(near)); /* o is below 8: no bit moves on */
        const vec16 even = (vec16) LOW8(a, none) * 49 + (vec16) LOW8(b, none);
        const vec16 odd = (vec16) HIGH8(a, none) * 49 + (vec16) HIGH8(b, none);
        store(out + i, (vec) (even + begin));
        store(out + i + 8, (vec) (odd + begin));
    }
}

/* Of each byte of two blocks the parts of its context: what is multiplied by 256, and the rest
 * without what T adds. near: the coefficients of blocks around. */
INLINE void b_parts(vec own, vec near, vec *high_out, vec *low_out)
{
    const uint64_t number = UINT64_C(0x0706050403020100);
    const vec beside = ADD(own << 8, own >> 8), twice = ADD(own, own);
    const vec x7 = ADD(ABOVE(beside, twice) & EACH(7),
                       ABOVE(beside, ADD(twice, EACH(2))) & EACH(7));
    *high_out = ADD(q_near(near), x7);
    *low_out = (own & EACH(7)) << 3 | (vec) { number, number };
}

TARGET static size_t b_contexts(const struct pcri_pk_row *row,
                                const struct pcri_pk_above *above,
                                const struct pcri_pk_pass *pass, const uint8_t *t,
                                uint16_t *out)
{
    static const uint8_t most[9] = { 0, 0, 1, 2, 2, 3, 3, 3, 3 };
    const uint64_t *up = above->bytes, *side = pass->first ? up : row->bytes;
    const uint64_t *bytes = row->bytes;
    const uint32_t last = row->listed - 1;
    vec16 begin[9]; /* by the bits of T */
    uint16_t *at = out;
    for (int i = 0; i < 9; i++)
        begin[i] = (vec16) { 0 } + (uint16_t) (pass->kind * PCRI_PK_B_CONTEXTS + most[i] * 64);
    for (uint32_t j = 0; j < row->listed; j += 2) { /* for an odd one, it and nothing */
        const size_t i0 = row->list[j], i1 = row->list[j < last ? j + 1 : j];
        const unsigned t0 = t[i0], t1 = j < last ? t[i1] : 0;
        const unsigned n0 = (unsigned) __builtin_popcount(t0);
        const unsigned n1 = (unsigned) __builtin_popcount(t1);
        const vec which = for_two(numbers_of, t0, t1);
        const vec near = { (side - 1)[i0] + side[i0 + 1] + 2 * up[i0],
                           (side - 1)[i1] + side[i1 + 1] + 2 * up[i1] };
        vec high, low;
        b_parts((vec) { bytes[i0], bytes[i1] }, near, &high, &low);
        high = SHUFFLE(high, which);
        low = SHUFFLE(low, which);
        store(at, (vec) ((vec16) LOW8(low, high) + begin[n0]));
        at += n0;
        store(at, (vec) ((vec16) HIGH8(low, high) + begin[n1]));
        at += n1;
    }
    return (size_t) (at - out);
}

/* --- masks --- */

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

TARGET static size_t place(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                           const uint8_t *b)
{
    const uint8_t *begin = b;
    const uint32_t last = row->listed - 1;
    memset(row->found, 0, row->blocks * sizeof(*row->found));
    for (uint32_t j = 0; j < row->listed; j += 2) { /* for an odd one, it and nothing */
        const size_t i0 = row->list[j], i1 = row->list[j < last ? j + 1 : j];
        const unsigned t0 = t[i0], t1 = j < last ? t[i1] : 0;
        const uint64_t first = pcri_load64(b);
        b += __builtin_popcount(t0);
        vec v = { first, pcri_load64(b) };
        b += __builtin_popcount(t1);
        v = SHUFFLE(v, for_two(ranks_of, t0, t1));
        const vec known = { row->known[i0], row->known[i1] };
        v = deposit_8(v, ~known & band);
        row->found[i1] = v[1];
        row->found[i0] = v[0];
    }
    return (size_t) (b - begin);
}

TARGET static size_t name_bytes(const struct pcri_pk_row *row, uint64_t band, uint8_t *t,
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

/* The lowest bits of each half under the bits of a mask. Those of a byte of the mask begin where as
 * many bits are as there are in the bytes below it. */
INLINE vec deposit(vec v, vec mask)
{
    const vec from = { 0, 8 * ONES }, none = { 0 };
    const vec8 factors = { 128, 64, 32, 16, 8, 4, 2, 1 };
    vec at = COUNT_BITS(mask) << 8;
    at = ADD(at, at << 8);
    at = ADD(at, at << 16);
    at = ADD(ADD(at, at << 32), EACH(7));
    /* Of bytes high - 1 and high, the 8 bits from bit 1 to 8. */
    const vec high = ADD(at >> 3 & EACH(31), from), low = SUB(high, EACH(1));
    const vec l = SHUFFLE(v, low), h = SHUFFLE(v, high);
    const vec factor = SHUFFLE((vec) factors, at & EACH(7));
    const vec even = (vec) ((vec16) LOW8(l, h) * (vec16) LOW8(factor, none));
    const vec odd = (vec) ((vec16) HIGH8(l, h) * (vec16) HIGH8(factor, none));
    return deposit_8(UPPER8(even, odd), mask);
}

TARGET static void first(const struct pcri_pk_row *row, struct pcri_pk_bits *ones,
                         struct pcri_pk_bits *signs, uint64_t *plane)
{
    uint64_t ones_bit = ones->bit, signs_bit = signs->bit;
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        const uint64_t found = row->found[i];
        const unsigned n = (unsigned) __builtin_popcountll(found);
        const vec v = { pcri_pk_bits_at(ones->data, ones_bit, n),
                        pcri_pk_bits_at(signs->data, signs_bit, n) };
        const vec set = deposit(v, (vec) { found, found });
        plane[i] |= set[0];
        row->sign[i] |= set[1];
        ones_bit += n;
        signs_bit += n;
    }
    ones->bit = ones_bit;
    signs->bit = signs_bit;
}

/* The bytes of a block's masks that have bits, those of new coefficients first. */
INLINE size_t pack_masks(uint64_t new, uint64_t here, uint16_t *named_out, uint8_t *out)
{
    const vec masks = { new, here };
    const unsigned named = NONZERO8(masks), of_new = named & 255, of_here = named >> 8;
    const unsigned n = (unsigned) __builtin_popcount(of_new);
    const vec v = SHUFFLE(masks, for_two(numbers_of, of_new, of_here));
    pcri_store64(out, v[0]);
    pcri_store64(out + n, v[1]);
    *named_out = (uint16_t) named;
    return n + (unsigned) __builtin_popcount(of_here);
}

/* The next bits under the bits of n bytes of masks, which are followed by 16 that are 0. */
INLINE uint64_t deposit_bytes(const uint8_t *data, uint64_t bit, uint8_t *masks, size_t n)
{
    for (size_t i = 0; i < n; i += 16) {
        const vec mask = load(masks + i);
        const unsigned n0 = (unsigned) __builtin_popcountll(mask[0]);
        const unsigned n1 = (unsigned) __builtin_popcountll(mask[1]);
        const vec v = { pcri_pk_bits_at(data, bit, n0), pcri_pk_bits_at(data, bit + n0, n1) };
        store(masks + i, deposit(v, mask));
        bit += n0 + n1;
    }
    return bit;
}

/* Most masks have bits in few bytes: those bytes are brought side by side. */
TARGET static void refine(const struct pcri_pk_row *row, uint64_t band,
                          struct pcri_pk_bits *bits, uint64_t *plane)
{
    enum { RUN = 32 };
    uint8_t bytes[16 * RUN + 16];
    uint16_t named[RUN];
    const uint64_t *known = row->known, *found = row->found;
    uint64_t *sign = row->sign;
    for (size_t begin = 0; begin < row->listed; begin += RUN) {
        const uint16_t *list = row->list + begin;
        const size_t n = row->listed - begin < RUN ? row->listed - begin : RUN;
        size_t count = 0;
        for (size_t j = 0; j < n; j++) {
            const uint64_t new = found[list[j]], here = known[list[j]] & band & ~new;
            count += pack_masks(new, here, &named[j], bytes + count);
        }
        store(bytes + count, (vec) { 0 });
        bits->bit = deposit_bytes(bits->data, bits->bit, bytes, count);
        const uint8_t *at = bytes;
        for (size_t j = 0; j < n; j++) {
            const size_t i = list[j];
            const unsigned of_new = named[j] & 255, of_here = named[j] >> 8;
            vec v = { pcri_load64(at), 0 };
            at += __builtin_popcount(of_new);
            v[1] = pcri_load64(at);
            at += __builtin_popcount(of_here);
            v = SHUFFLE(v, for_two(ranks_of, of_new, of_here));
            sign[i] |= v[0];
            plane[i] |= found[i] | v[1];
        }
    }
}

TARGET static void settle(const struct pcri_pk_row *row, const struct pcri_pk_above *above)
{
    const size_t n = row->blocks;
    /* Of two blocks: all, those below 16; of two more. */
    const vec8 pick[2] = {
        { 0, 8, 128, 128, 4, 12, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128 },
        { 128, 128, 0, 8, 128, 128, 4, 12, 128, 128, 128, 128, 128, 128, 128, 128 },
    };
    memset(row->found + n, 0, 32);
    memset(row->known + n, 0, 32);
    for (size_t i = 0; i < n; i += 4) {
        vec sums = { 0 };
        for (size_t k = 0; k < 2; k++) {
            const size_t x = i + 2 * k;
            const vec known = load(row->known + x) | load(row->found + x);
            const vec counts = COUNT_BITS(known);
            store(row->known + x, known);
            store(row->bytes + x, counts);
            store(above->bytes + x, counts);
            sums |= SHUFFLE(SUM_BYTES(counts) | SUM_BYTES(counts & 0xFFFF) << 32,
                            (vec) pick[k]);
        }
        const uint32_t now = (uint32_t) sums[0];
        pcri_store32(above->gain + i, now - pcri_load32(row->count + i));
        pcri_store32(row->count + i, now);
        pcri_store32(above->count + i, now);
        pcri_store32(row->low + i, (uint32_t) (sums[0] >> 32));
    }
}

/* --- coefficients: those of a row are made in rows_vec.h --- */

/* Of 16 coefficients, seven bits of the magnitude, and the sign. *all gets all their bits. */
INLINE vec slice_16(vec low, vec high, vec16 *all)
{
    const vec v[2] = { low, high };
    vec m[2];
    for (int i = 0; i < 2; i++) {
        const vec negative = (vec) ((vec_s16) v[i] < 0);
        m[i] = (vec) ((vec16) (v[i] ^ negative) - (vec16) negative);
        *all |= (vec16) m[i];
    }
    return (LOWER8(m[0], m[1]) & EACH(127)) | (UPPER8(v[0], v[1]) & EACH(128));
}

/* Planes that do not fit bytes. */
INLINE void slice_large(struct pcri_pk_row *row, size_t i, const int16_t *coef)
{
    for (int k = 1; k < 64; k++) {
        const unsigned m = (unsigned) (coef[k] < 0 ? -coef[k] : coef[k]);
        for (int p = PCRI_PK_IN_BYTES; p < PCRI_PK_PLANES && m >> p; p++)
            row->plane[p][i] |= (uint64_t) (m >> p & 1) << k;
    }
}

TARGET static void slice(struct pcri_pk_row *row, const int16_t *coef)
{
    const vec not_dc = { ~UINT64_C(0xFFFF), ~UINT64_C(0) };
    uint64_t *masks[8];
    for (int p = 0; p < PCRI_PK_IN_BYTES; p++)
        masks[p] = row->plane[p];
    masks[PCRI_PK_IN_BYTES] = row->sign;
    for (size_t i = 0; i < row->blocks; i++, coef += 64) {
        vec16 all = { 0 };
        vec v[4], w[4];
        for (int j = 0; j < 4; j++) {
            vec low = load(coef + 16 * j);
            if (!j)
                low &= not_dc;
            v[j] = transpose(slice_16(low, load(coef + 16 * j + 8), &all));
        }
        w[0] = LOW8(v[0], v[2]);
        w[1] = LOW8(v[1], v[3]);
        w[2] = HIGH8(v[0], v[2]);
        w[3] = HIGH8(v[1], v[3]);
        transpose_bytes(w, w);
        for (int p = 0; p < 8; p++)
            masks[p][i] = w[p / 2][p % 2];
        uint64_t planes = ((vec) all)[0] | ((vec) all)[1];
        planes |= planes >> 32;
        planes = (planes | planes >> 16) & 0xFFFF;
        row->planes |= (uint32_t) planes;
        if (UNLIKELY(planes >> PCRI_PK_IN_BYTES))
            slice_large(row, i, coef);
    }
}

#define ROWS_128(name) \
    { \
        name, pcri_pk_portable_dc_contexts, dc_values, t_contexts, b_contexts, list, \
            pcri_pk_portable_m_contexts, place, first, pcri_pk_portable_longer, refine, \
            pcri_pk_portable_gather, pcri_pk_portable_gather_refined, \
            pcri_pk_portable_lengths, settle, expand, slice, name_bytes, \
            pcri_tans_read_portable, \
    }
