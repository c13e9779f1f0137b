/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows for any CPU. */
#include "rows_found.h"

/* Bits of v that are under the bits of a nibble's mask. */
static const uint8_t extract_4[16][16] = {
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 },
    { 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1 },
    { 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3 },
    { 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1 },
    { 0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3 },
    { 0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3 },
    { 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7 },
    { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 },
    { 0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3 },
    { 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3 },
    { 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7 },
    { 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3 },
    { 0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7 },
    { 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7 },
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
};
static const uint8_t count_4[16] = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };

static inline unsigned extract_8(unsigned mask, unsigned v)
{
    unsigned low = extract_4[mask & 15][v & 15];
    return low | (unsigned) extract_4[mask >> 4][v >> 4] << count_4[mask & 15];
}

static inline unsigned byte_sum(uint64_t v)
{
    return (unsigned) ((v * ONES) >> 56);
}

/* Constants of deposit_8(), hidden from compilers, which would make them anew for each byte. */
struct deposit {
    uint64_t ones, seven, high, together;
};

INLINE struct deposit deposit_begin(void)
{
    struct deposit d = { ONES, 127 * ONES, 128 * ONES, UINT64_C(0x0002040810204081) };
    __asm__("" : "+r"(d.ones));
    __asm__("" : "+r"(d.seven));
    __asm__("" : "+r"(d.high));
    __asm__("" : "+r"(d.together));
    return d;
}

/* The lowest bits of a byte under the bits of a mask, by numbers whose bytes are 0 or one bit. */
INLINE unsigned deposit_byte(const struct deposit *d, unsigned mask, unsigned v)
{
    const uint64_t set = ((v * d->ones & bits_of[mask]) + d->seven) & d->high;
    return (unsigned) ((set * d->together) >> 56);
}

/* What the named bytes gain joins `known` and `bytes` at once. */
static size_t place(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                    const uint8_t *b)
{
    uint8_t *known = (uint8_t *) row->known, *bytes = (uint8_t *) row->bytes;
    uint8_t *found = (uint8_t *) row->found, in_band[8];
    const uint16_t *named = row->named;
    const struct deposit d = deposit_begin();
    const size_t n = row->named_count;
    (void) t;
    pcri_store64(in_band, band);
    for (size_t k = 0; k < n; k++) {
        const size_t at = BYTE_AT((size_t) named[k]);
        const unsigned before = known[at];
        const unsigned new = deposit_byte(&d, in_band[named[k] % 8] & ~before, b[k]);
        found[at] = (uint8_t) new;
        known[at] = (uint8_t) (before | new);
        bytes[at] = (uint8_t) (bytes[at] + count_of[new]);
    }
    return n;
}

/* --- contexts --- */

static void dc_contexts(const struct pcri_pk_dc *up, unsigned class, size_t n, uint16_t *out)
{
    pcri_pk_dc_contexts(up, class, n, out);
}

#include "rows_dc.h"

static void dc_values(const struct pcri_pk_dc *up, const uint8_t *lengths, size_t n,
                      struct pcri_pk_bits *bits, int16_t *now)
{
    read_dc_values(up, lengths, n, bits, now);
}

/* How many of six thresholds each byte exceeds. */
INLINE vec quantise(vec v, const uint8_t thresholds[6])
{
    vec sum = { 0 };
    for (int k = 0; k < 6; k++)
        sum = SUB(sum, ABOVE(v, EACH(thresholds[k])));
    return sum;
}

INLINE vec q7(vec v)
{
    static const uint8_t thresholds[6] = { 0, 1, 2, 4, 7, 12 };
    return quantise(v, thresholds);
}

INLINE vec q10(vec v)
{
    static const uint8_t thresholds[6] = { 0, 1, 3, 6, 11, 20 };
    return quantise(v, thresholds);
}

INLINE vec q_near(vec v)
{
    static const uint8_t thresholds[6] = { 0, 2, 4, 8, 14, 20 };
    return quantise(v, thresholds);
}

#include "rows_contexts.h"

/* Listed blocks are taken in runs, whose bytes have numbers of 8 bits. */
enum { RUN = 32 };

/* Appends the numbers of a mask's bits, of which the first is `first`; how many. 8 are written. */
INLINE unsigned put_numbers(unsigned mask, unsigned first, uint8_t *out)
{
    pcri_store64(out, numbers_of[mask] + first * ONES);
    return count_of[mask];
}

/* Those of a block's bytes. */
INLINE void put_named(unsigned mask, size_t block, uint16_t *out)
{
    const vec numbers = LOW8(((vec) { numbers_of[mask] }), ((vec) { 0 }));
    store_16(out, (vec) ((vec16) numbers + (uint16_t) (8 * block)));
}

static size_t b_contexts(struct pcri_pk_row *row, const struct pcri_pk_above *above,
                         const struct pcri_pk_pass *pass, const uint8_t *t, uint16_t *out)
{
    static const uint8_t most[9] = { 0, 0, 1, 2, 2, 3, 3, 3, 3 };
    const uint64_t *up = above->bytes, *side = pass->first ? up : row->bytes;
    uint16_t begin[9], contexts[8 * RUN], *named = row->named;
    size_t count = 0;
    for (int i = 0; i < 9; i++) /* by the bits of T */
        begin[i] = (uint16_t) (pass->kind * PCRI_PK_B_CONTEXTS + most[i] * 64);
    for (uint32_t done = 0; done < row->listed; done += RUN) {
        const uint16_t *list = row->list + done;
        const uint32_t n = row->listed - done < RUN ? row->listed - done : RUN;
        uint8_t local[8 * RUN + 8];
        unsigned here = 0;
        for (uint32_t j = 0; j < n; j += 2) { /* for an odd one, it and nothing */
            const size_t i0 = list[j], i1 = list[j + 1 < n ? j + 1 : j];
            const unsigned t0 = t[i0], t1 = j + 1 < n ? t[i1] : 0;
            const vec own = { row->bytes[i0], row->bytes[i1] };
            const vec near = { 2 * up[i0] + (side - 1)[i0] + side[i0 + 1],
                               2 * up[i1] + (side - 1)[i1] + side[i1 + 1] };
            vec high, low;
            b_parts(own, near, &high, &low);
            const vec16 first = (vec16) LOW8(low, high) + begin[count_of[t0]];
            const vec16 second = (vec16) HIGH8(low, high) + begin[count_of[t1]];
            store_16(contexts + 8 * j, (vec) first);
            store_16(contexts + 8 * j + 8, (vec) second);
            put_named(t0, i0, named + count + here);
            here += put_numbers(t0, 8 * j, local + here);
            put_named(t1, i1, named + count + here);
            here += put_numbers(t1, 8 * j + 8, local + here);
        }
        for (unsigned k = 0; k < here; k++)
            out[count + k] = contexts[local[k]];
        count += here;
    }
    row->named_count = (uint32_t) count;
    return count;
}

static size_t name_bytes(const struct pcri_pk_row *row, uint64_t band, uint8_t *t, uint8_t *b)
{
    size_t n = 0;
    for (size_t i = 0; i < row->blocks; i++) {
        const uint64_t free = band & ~row->known[i];
        t[i] = 0;
        for (uint64_t left = row->found[i]; left;) {
            const unsigned shift = (unsigned) __builtin_ctzll(left) & 56;
            t[i] |= (uint8_t) (1u << shift / 8);
            b[n++] = (uint8_t) extract_8(free >> shift & 255, left >> shift & 255);
            left &= ~(UINT64_C(255) << shift);
        }
    }
    return n;
}

static void settle(const struct pcri_pk_row *row, const struct pcri_pk_above *above)
{
    memset(above->gain, 0, row->blocks);
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        const uint64_t bytes = row->bytes[i];
        const unsigned all = byte_sum(bytes);
        above->gain[i] = (uint8_t) (all - row->count[i]);
        row->count[i] = (uint8_t) all;
        row->low[i] = (uint8_t) ((bytes & 15) + (bytes >> 8 & 15));
    }
    memcpy(above->bytes, row->bytes, row->blocks * sizeof(*above->bytes));
    memcpy(above->count, row->count, row->blocks);
}

/* --- the encoder's --- */

/* Eight coefficients of block i, from number `at` on, which are not all 0. */
static void slice_8(struct pcri_pk_row *row, size_t i, unsigned at, const int16_t *coef)
{
    uint64_t v = 0;
    unsigned all = 0, m[8] = { 0 };
    for (unsigned k = at ? 0 : 1; k < 8; k++) {
        m[k] = (unsigned) (coef[k] < 0 ? -coef[k] : coef[k]);
        all |= m[k];
        v |= (uint64_t) (m[k] & 127) << 8 * k;
    }
    v = transpose((vec) { v })[0];
    row->planes |= all;
    for (unsigned p = 0; p < PCRI_PK_IN_BYTES && all >> p; p++)
        row->plane[p][i] |= (v >> 8 * p & 255) << at;
    for (unsigned p = PCRI_PK_IN_BYTES; p < PCRI_PK_PLANES && all >> p; p++)
        for (unsigned k = at ? 0 : 1; k < 8; k++)
            row->plane[p][i] |= (uint64_t) (m[k] >> p & 1) << (at + k);
}

static void slice(struct pcri_pk_row *row, const int16_t *coef)
{
    for (size_t i = 0; i < row->blocks; i++)
        for (unsigned at = 0; at < 64; at += 8, coef += 8) {
            uint64_t some[2];
            memcpy(some, coef, sizeof(some));
            if (some[0] | some[1])
                slice_8(row, i, at, coef);
        }
}

const struct pcri_pk_kernels pcri_pk_portable = {
    "portable",
    true,
    dc_contexts,
    dc_values,
    t_contexts,
    b_contexts,
    list,
    place,
    places,
    fresh,
    signs,
    refine,
    settle,
    blank,
    NULL,
    NULL,
    slice,
    name_bytes,
    pcri_tans_read_portable,
};
