/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows for any CPU. */
#include "rows_expand.h"

/* Bits of v under the bits of a nibble's mask, from the lowest on. */
static const uint8_t deposit_4[16][16] = {
    { 0 },
    { 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 },
    { 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2 },
    { 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3 },
    { 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4 },
    { 0, 1, 4, 5, 0, 1, 4, 5, 0, 1, 4, 5, 0, 1, 4, 5 },
    { 0, 2, 4, 6, 0, 2, 4, 6, 0, 2, 4, 6, 0, 2, 4, 6 },
    { 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7 },
    { 0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8 },
    { 0, 1, 8, 9, 0, 1, 8, 9, 0, 1, 8, 9, 0, 1, 8, 9 },
    { 0, 2, 8, 10, 0, 2, 8, 10, 0, 2, 8, 10, 0, 2, 8, 10 },
    { 0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11 },
    { 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12 },
    { 0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13 },
    { 0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14 },
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
};
/* The other way round: bits of v that are under the bits of the mask. */
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

static inline unsigned deposit_8(unsigned mask, unsigned v)
{
    unsigned low = deposit_4[mask & 15][v & 15];
    return low | (unsigned) deposit_4[mask >> 4][v >> count_4[mask & 15] & 15] << 4;
}

static inline unsigned extract_8(unsigned mask, unsigned v)
{
    unsigned low = extract_4[mask & 15][v & 15];
    return low | (unsigned) extract_4[mask >> 4][v >> 4] << count_4[mask & 15];
}

static inline unsigned count_8(unsigned v)
{
    return count_4[v & 15] + (unsigned) count_4[v >> 4];
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

/* Sums of comparisons, of bytes: the compiler makes vectors of them. */
static inline uint8_t quantise(uint8_t v, const uint8_t thresholds[6])
{
    uint8_t sum = 0;
    for (int i = 0; i < 6; i++)
        sum = (uint8_t) (sum + (v > thresholds[i]));
    return sum;
}

#include "rows_dc.h"

static void dc_values(const struct pcri_pk_dc *up, const uint8_t *lengths, size_t n,
                      struct pcri_pk_bits *bits, int16_t *now)
{
    read_dc_values(up, lengths, n, bits, now);
}

static void t_contexts(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                       const struct pcri_pk_pass *pass, uint16_t *restrict out)
{
    static const uint8_t q7[6] = { 0, 1, 2, 4, 7, 12 }, q10[6] = { 0, 1, 3, 6, 11, 20 };
    const uint8_t *restrict up = above->count, *restrict gain = above->gain;
    const uint8_t *restrict count = row->count, *restrict low = row->low;
    const uint8_t *side = pass->first ? up : count;
    const uint16_t begin = (uint16_t) (pass->kind * PCRI_PK_T_CONTEXTS);
    const size_t blocks = row->blocks;
    for (size_t i = 0; i < blocks; i++) {
        const uint8_t h = (uint8_t) (count[i] - low[i]), l = low[i];
        const uint8_t more = (uint8_t) (2 * h) >= l, most = h >= (uint8_t) (2 * l);
        const uint8_t v = h ? (uint8_t) (1 + more + most) : 0;
        const uint8_t beside = (uint8_t) ((side - 1)[i] + side[i + 1]);
        const uint8_t near = (uint8_t) (up[i] + beside / 2) / 2;
        const uint8_t a = (uint8_t) (4 * quantise(gain[i], q7) + v);
        const uint8_t b = (uint8_t) (7 * quantise(count[i], q10) + quantise(near, q10));
        out[i] = (uint16_t) (begin + 49 * a + b);
    }
}

/* A byte of 1 where a > b; bytes are below 128. */
INLINE vec one_above(vec a, vec b)
{
    return (a + 127 * ONES - b) >> 7 & ONES;
}

static size_t b_contexts(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                         const struct pcri_pk_pass *pass, const uint8_t *t, uint16_t *out)
{
    static const uint8_t most[9] = { 0, 0, 1, 2, 2, 3, 3, 3, 3 };
    static const uint8_t q_near[6] = { 0, 2, 4, 8, 14, 20 };
    const uint64_t *up = above->bytes, *side = pass->first ? up : row->bytes;
    const vec none = { 0 };
    const uint32_t last = row->listed - 1;
    uint16_t *at = out;
    for (uint32_t n = 0; n < row->listed; n += 2) { /* for an odd one, it alone */
        const size_t block[2] = { row->list[n], row->list[n < last ? n + 1 : n] };
        const size_t i0 = block[0], i1 = block[1];
        const vec own = { row->bytes[i0], row->bytes[i1] };
        const vec near = { 2 * up[i0] + (side - 1)[i0] + side[i0 + 1],
                           2 * up[i1] + (side - 1)[i1] + side[i1 + 1] };
        const vec beside = (own << 8) + (own >> 8), twice = own + own;
        const vec x = one_above(beside, twice) + one_above(beside, twice + 2 * ONES);
        const vec low = (own & 7 * ONES) << 3;
        vec high = (x << 3) - x;
        for (int k = 0; k < 6; k++)
            high += one_above(near, none + q_near[k] * ONES);
        for (unsigned k = 0; k < 2 && n + k <= last; k++) {
            const uint64_t h = high[k], l = low[k];
            unsigned left = t[block[k]];
            const unsigned count = count_8(left);
            const unsigned begin = pass->kind * PCRI_PK_B_CONTEXTS + most[count] * 64u;
            uint16_t *const end = at + count;
            /* Few are named in most blocks: two at a time are written. */
            for (; left; at += 2)
                for (int m = 0; m < 2; m++, left &= left - 1) {
                    const unsigned j = (unsigned) __builtin_ctz(left | 128);
                    at[m] = (uint16_t) (begin + (h >> 8 * j & 255) * 256 + (l >> 8 * j & 255) +
                                        j);
                }
            at = end;
        }
    }
    return (size_t) (at - out);
}

uint32_t pcri_pk_portable_list(const uint8_t *v, size_t n, uint16_t *out)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        out[count] = (uint16_t) i;
        count += v[i] > 0;
    }
    return count;
}

size_t pcri_pk_portable_m_contexts(const struct pcri_pk_row *row,
                                   const struct pcri_pk_above *above, unsigned level,
                                   uint16_t *out)
{
    size_t n = 0;
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        const unsigned begin = pcri_pk_m_begin(level, above->gain[i]);
        for (uint64_t left = row->found[i]; left; left &= left - 1)
            out[n++] = (uint16_t) (begin + pcri_pk_m_zone((unsigned) __builtin_ctzll(left)));
    }
    return n;
}

/* --- masks --- */

static size_t place(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                    const uint8_t *b)
{
    size_t n = 0;
    memset(row->found, 0, row->blocks * sizeof(*row->found));
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        uint64_t free = band & ~row->known[i], found = 0;
        for (unsigned left = t[i]; left; left &= left - 1) {
            unsigned shift = 8 * (unsigned) __builtin_ctz(left);
            found |= (uint64_t) deposit_8(free >> shift & 255, b[n++]) << shift;
        }
        row->found[i] = found;
    }
    return n;
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

/* The lowest bits of v under the bits of a mask, four at a time. */
static inline uint64_t deposit(uint64_t v, uint64_t mask)
{
    uint64_t out = 0;
    while (mask)
        for (int k = 0; k < 4; k++, v >>= 1) {
            out |= mask & -mask & -(v & 1);
            mask &= mask - 1;
        }
    return out;
}

/* The next n bits, and others; at most 64. */
static inline uint64_t bits_ahead(const struct pcri_pk_bits *bits, unsigned n)
{
    uint64_t v = pcri_pk_word(bits);
    if (n > 57)
        v |= (uint64_t) bits->data[(bits->bit >> 3) + 8] << 1 << (63 - (bits->bit & 7));
    return v;
}

static void first(const struct pcri_pk_row *row, struct pcri_pk_bits *ones,
                  struct pcri_pk_bits *signs, uint64_t *plane)
{
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        const uint64_t found = row->found[i];
        const unsigned count = byte_sum(byte_counts(found));
        plane[i] |= deposit(bits_ahead(ones, count), found);
        row->sign[i] |= deposit(bits_ahead(signs, count), found);
        ones->bit += count;
        signs->bit += count;
    }
}

void pcri_pk_portable_longer(const struct pcri_pk_row *row, const uint64_t *ones,
                             uint32_t *out)
{
    for (uint32_t j = 0; j < row->listed; j++) {
        const uint32_t i = row->list[j];
        for (uint64_t left = row->found[i] & ~ones[i]; left; left &= left - 1)
            *out++ = 64 * i + (uint32_t) __builtin_ctzll(left);
    }
}

static void refine(const struct pcri_pk_row *row, uint64_t band, struct pcri_pk_bits *bits,
                   uint64_t *plane)
{
    struct pcri_pk_bits b = *bits;
    for (uint32_t j = 0; j < row->listed; j++) {
        const size_t i = row->list[j];
        const uint64_t new = row->found[i], here = row->known[i] & band & ~new;
        const unsigned signs = byte_sum(byte_counts(new));
        const unsigned count = signs + byte_sum(byte_counts(here));
        const uint64_t v = bits_ahead(&b, count);
        row->sign[i] |= deposit(v, new);
        plane[i] |= new | deposit(v >> signs, here);
        b.bit += count;
    }
    *bits = b;
}

/* The bits of v under those of a mask, and their number; four at a time. */
static inline unsigned extract(uint64_t v, uint64_t mask, uint64_t *out)
{
    unsigned n = byte_sum(byte_counts(mask)), at = 0;
    *out = 0;
    while (mask)
        for (int k = 0; k < 4; k++, at++) {
            *out |= (uint64_t) ((v & mask & -mask) != 0) << (at & 63);
            mask &= mask - 1;
        }
    return n;
}

static inline void put_under(struct pcri_pk_bit_writer *w, uint64_t mask, uint64_t values)
{
    uint64_t v;
    unsigned n = extract(values, mask, &v);
    if (n > 57) {
        pcri_pk_put(w, v & UINT32_MAX, 32);
        v >>= 32;
        n -= 32;
    }
    pcri_pk_put(w, v, n);
}

void pcri_pk_portable_gather(struct pcri_pk_bit_writer *bits, const uint64_t *mask, size_t n,
                             const uint64_t *values)
{
    struct pcri_pk_bit_writer w = *bits;
    for (size_t i = 0; i < n; i++)
        put_under(&w, mask[i], values[i]);
    *bits = w;
}

void pcri_pk_portable_gather_refined(const struct pcri_pk_row *row, uint64_t band,
                                     struct pcri_pk_bit_writer *bits, const uint64_t *plane)
{
    struct pcri_pk_bit_writer w = *bits;
    for (size_t i = 0; i < row->blocks; i++) {
        put_under(&w, row->found[i], row->sign[i]);
        put_under(&w, row->known[i] & band, plane[i]);
    }
    *bits = w;
}

struct pcri_pk_lengths pcri_pk_portable_lengths(uint8_t *m, size_t n, uint8_t *ones)
{
    struct pcri_pk_lengths l = { 0, 0, 0 };
    memset(ones, 0, n / 8 + 1);
    for (size_t i = 0; i < n; i++) {
        const unsigned below = (m[i] - 1u) & 255;
        ones[i / 8] |= (uint8_t) ((below == 0) << i % 8);
        l.sum += below;
        l.most = below > l.most ? below : l.most;
        m[l.longer] = m[i];
        l.longer += below > 0;
    }
    return l;
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

/* --- coefficients --- */

/* Eight coefficients of block i, from number `at` on, which are not all 0. */
static void slice_8(struct pcri_pk_row *row, size_t i, unsigned at, const int16_t *coef)
{
    uint64_t v = 0;
    unsigned all = 0, m[8] = { 0 };
    for (unsigned k = at ? 0 : 1; k < 8; k++) {
        m[k] = (unsigned) (coef[k] < 0 ? -coef[k] : coef[k]);
        all |= m[k];
        v |= (uint64_t) ((m[k] & 127) | (coef[k] < 0 ? 128 : 0)) << 8 * k;
    }
    v = transpose((vec) { v })[0];
    row->planes |= all;
    row->sign[i] |= v >> 56 << at;
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
    dc_contexts,
    dc_values,
    t_contexts,
    b_contexts,
    pcri_pk_portable_list,
    pcri_pk_portable_m_contexts,
    place,
    first,
    pcri_pk_portable_longer,
    refine,
    pcri_pk_portable_gather,
    pcri_pk_portable_gather_refined,
    pcri_pk_portable_lengths,
    settle,
    expand,
    slice,
    name_bytes,
    pcri_tans_read_portable,
};
