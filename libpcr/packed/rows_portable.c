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
INLINE uint8_t deposit_8(const struct deposit *d, unsigned mask, uint8_t v)
{
    const uint64_t set = ((v * d->ones & bits_of[mask]) + d->seven) & d->high;
    return (uint8_t) ((set * d->together) >> 56);
}

static inline uint32_t run_length(const struct pcri_pk_row *row, uint32_t done)
{
    return row->listed - done < RUN ? row->listed - done : RUN;
}

/* How many bits of each byte are set. */
static inline uint64_t byte_counts(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    return (v + (v >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
}

static inline unsigned byte_sum(uint64_t v)
{
    return (unsigned) ((v * UINT64_C(0x0101010101010101)) >> 56);
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

static size_t b_contexts(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                         const struct pcri_pk_pass *pass, const uint8_t *t, uint16_t *out)
{
    static const uint8_t most[9] = { 0, 0, 1, 2, 2, 3, 3, 3, 3 };
    const uint64_t *up = above->bytes, *side = pass->first ? up : row->bytes;
    uint16_t begin[9], contexts[8 * RUN], *at = out;
    uint8_t named[8 * RUN + 8];
    for (int i = 0; i < 9; i++) /* by the bits of T */
        begin[i] = (uint16_t) (pass->kind * PCRI_PK_B_CONTEXTS + most[i] * 64);
    for (uint32_t done = 0; done < row->listed; done += RUN) {
        const uint16_t *list = row->list + done;
        const uint32_t n = run_length(row, done);
        unsigned count = 0;
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
            count += put_numbers(t0, 8 * j, named + count);
            count += put_numbers(t1, 8 * j + 8, named + count);
        }
        for (unsigned k = 0; k < count; k++)
            at[k] = contexts[named[k]];
        at += count;
    }
    return (size_t) (at - out);
}

/* --- masks --- */

static size_t place(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                    const uint8_t *b)
{
    uint8_t free[8 * RUN], found[8 * RUN], named[8 * RUN + 8];
    const struct deposit d = deposit_begin();
    const uint8_t *begin = b;
    memset(row->found, 0, row->blocks * sizeof(*row->found));
    for (uint32_t done = 0; done < row->listed; done += RUN) {
        const uint16_t *list = row->list + done;
        const uint32_t n = run_length(row, done);
        unsigned count = 0;
        for (uint32_t j = 0; j < n; j++) {
            pcri_store64(free + 8 * j, band & ~row->known[list[j]]);
            pcri_store64(found + 8 * j, 0);
            count += put_numbers(t[list[j]], 8 * j, named + count);
        }
        for (unsigned k = 0; k < count; k++)
            found[named[k]] = deposit_8(&d, free[named[k]], b[k]);
        b += count;
        for (uint32_t j = 0; j < n; j++)
            row->found[list[j]] = pcri_load64(found + 8 * j);
    }
    return (size_t) (b - begin);
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
    memcpy(above->bytes, row->bytes, row->blocks * sizeof(*above->bytes));
    memcpy(above->count, row->count, row->blocks);
    memset(above->gain, 0, row->blocks);
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        uint64_t known = row->known[i] |= row->found[i];
        uint64_t bytes = byte_counts(known);
        unsigned all = byte_sum(bytes);
        above->gain[i] = (uint8_t) (all - row->count[i]);
        row->bytes[i] = above->bytes[i] = bytes;
        row->count[i] = above->count[i] = (uint8_t) all;
        row->low[i] = (uint8_t) ((bytes & 15) + (bytes >> 8 & 15));
    }
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
    "portable", dc_contexts, dc_values, t_contexts, b_contexts, list,
    place,      places,      fresh,     signs,      refine,     settle,
    blank,      NULL,        NULL,      slice,      name_bytes, pcri_tans_read_portable,
};
