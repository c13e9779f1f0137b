/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows with vectors of 16 bytes, in GNU C, for little-endian CPUs that shuffle bytes
 * but have no bit deposit. Who includes this defines
 *
 *     TARGET          the attributes of functions
 *     SUM_BYTES(v)    of each half
 *     MIN8(a, b)      of unsigned bytes
 *     HALF8(v)        of each byte, rounded up
 *     LOWER8(a, b)    the lower bytes of pairs
 *     ADDS_U16(a, b), SUBS_U16(a, b), SUBS_S16(a, b)
 *                     sums, differences of 16-bit numbers that saturate
 *
 * and what rows_dc.h and rows_deposit.h want. */
#include "rows_deposit.h"
#include "rows_found.h"

#include "rows_dc.h"

TARGET static void dc_values(const struct pcri_pk_dc *up, const uint8_t *lengths, size_t n,
                             struct pcri_pk_bits *bits, int16_t *now)
{
    read_dc_values(up, lengths, n, bits, now);
}

/* --- contexts --- */

/* Two numbers' bit lengths, at most 9, in the bytes of each of eight. */
INLINE vec two_lengths(vec a, vec b)
{
    const vec8 of_low = { 0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4 };
    const vec8 of_high = { 0, 5, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8 };
    const vec most = (vec) ((vec16) { 0 } + 255);
    const vec16 over_a = (vec16) SUBS_U16(a, most), over_b = (vec16) SUBS_U16(b, most);
    const vec v = (vec) (((vec16) a - over_a) | ((vec16) b - over_b) << 8);
    const vec high = v >> 4 & EACH(15), any = ABOVE(high, EACH(0));
    const vec more = (vec) (((vec16) (over_a != 0) & 1) | ((vec16) (over_b != 0) & 256));
    return ADD(more,
               SHUFFLE((vec) of_high, high) | SHUFFLE((vec) of_low, (v & EACH(15)) | any));
}

INLINE vec16 magnitudes(vec v)
{
    return with_sign((vec16) v, (vec16) ((vec_s16) v < 0));
}

/* pcri_pk_dc_contexts(), with sums that saturate. */
TARGET static void dc_contexts(const struct pcri_pk_dc *up, unsigned class, size_t n,
                               uint16_t *out)
{
    const int16_t *value = up->value;
    const uint16_t *residual = up->residual;
    for (size_t x = 0; x < n; x += 8) {
        const vec v = load(value + x);
        const vec16 left = magnitudes(SUBS_S16(v, load(value + x - 1)));
        const vec16 right = magnitudes(SUBS_S16(v, load(value + x + 1)));
        const vec16 lengths = (vec16) two_lengths(
            ADDS_U16(load(residual + x), load(residual + x + 1)), ADDS_U16(left, right));
        store(out + x, (vec) ((lengths & 255) * 10 + (lengths >> 8) +
                              (uint16_t) (class * PCRI_PK_DC_CONTEXTS)));
    }
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

#include "rows_contexts.h"

TARGET static size_t b_contexts(struct pcri_pk_row *row, const struct pcri_pk_above *above,
                                const struct pcri_pk_pass *pass, const uint8_t *t,
                                uint16_t *out)
{
    static const uint8_t most[9] = { 0, 0, 1, 2, 2, 3, 3, 3, 3 };
    const uint64_t *up = above->bytes, *side = pass->first ? up : row->bytes;
    const uint64_t *bytes = row->bytes;
    const uint32_t last = row->listed - 1;
    vec16 begin[9]; /* by the bits of T */
    uint16_t *named = row->named;
    size_t n = 0;
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
        const vec16 first = (vec16) LOW8(which, ((vec) { 0 })) + (uint16_t) (8 * i0);
        const vec16 second = (vec16) HIGH8(which, ((vec) { 0 })) + (uint16_t) (8 * i1 - 8);
        high = SHUFFLE(high, which);
        low = SHUFFLE(low, which);
        store(out + n, (vec) ((vec16) LOW8(low, high) + begin[n0]));
        store(named + n, (vec) first);
        n += n0;
        store(out + n, (vec) ((vec16) HIGH8(low, high) + begin[n1]));
        store(named + n, (vec) second);
        n += n1;
    }
    row->named_count = (uint32_t) n;
    return n;
}

/* --- what a pass finds --- */

/* What it finds joins `known` and `bytes` at once. */
TARGET static size_t place(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                           const uint8_t *b)
{
    const uint8_t *begin = b;
    const uint32_t last = row->listed - 1;
    for (uint32_t j = 0; j < row->listed; j += 2) { /* for an odd one, it and nothing */
        const size_t i0 = row->list[j], i1 = row->list[j < last ? j + 1 : j];
        const unsigned t0 = t[i0], t1 = j < last ? t[i1] : 0;
        vec known = { row->known[i0], row->known[i1] };
        const vec v = gained(&b, t0, t1, known, band);
        known |= v;
        const vec counts = COUNT_BITS(known);
        row->found[i1] = v[1];
        row->known[i1] = known[1];
        row->bytes[i1] = counts[1];
        row->found[i0] = v[0];
        row->known[i0] = known[0];
        row->bytes[i0] = counts[0];
    }
    return (size_t) (b - begin);
}

/* --- the end of a pass --- */

/* Eight blocks: how many of their coefficients are known, and of those below 16; one a byte. */
INLINE vec settle_8(const struct pcri_pk_row *row, const struct pcri_pk_above *above, size_t i)
{
    const vec8 order = { 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15 };
    vec all = { 0 };
    for (size_t k = 0; k < 4; k++) {
        const vec counts = load(row->bytes + i + 2 * k);
        store(above->bytes + i + 2 * k, counts);
        all |= SUM_BYTES(counts) << 8 * k | SUM_BYTES(counts & 0xFFFF) << (8 * k + 32);
    }
    return SHUFFLE(all, (vec) order);
}

TARGET static void settle(const struct pcri_pk_row *row, const struct pcri_pk_above *above)
{
    for (size_t i = 0; i < row->blocks; i += 8) {
        const vec all = settle_8(row, above, i);
        pcri_store64(above->gain + i, SUB(all, ((vec) { pcri_load64(row->count + i) }))[0]);
        pcri_store64(row->count + i, all[0]);
        pcri_store64(above->count + i, all[0]);
        pcri_store64(row->low + i, all[1]);
    }
}

/* --- the encoder's --- */

/* Of 16 coefficients seven bits of the magnitude. *all gets all their bits. */
INLINE vec slice_16(vec low, vec high, vec16 *all)
{
    const vec16 a = magnitudes(low), b = magnitudes(high);
    *all |= a | b;
    return LOWER8((vec) a, (vec) b) & EACH(127);
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
        for (int p = 0; p < PCRI_PK_IN_BYTES; p++)
            row->plane[p][i] = w[p / 2][p % 2];
        uint64_t planes = ((vec) all)[0] | ((vec) all)[1];
        planes |= planes >> 32;
        planes = (planes | planes >> 16) & 0xFFFF;
        row->planes |= (uint32_t) planes;
        if (UNLIKELY(planes >> PCRI_PK_IN_BYTES))
            slice_large(row, i, coef);
    }
}

#define ROWS_128(name, read_symbols) \
    { \
        name, true, dc_contexts, dc_values, t_contexts, b_contexts, list, place, places, \
            fresh, signs, refine, settle, blank, NULL, NULL, slice, name_bytes, read_symbols, \
    }
