/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows for any CPU. */
#include "rows.h"

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
static const uint8_t count_4[16] = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };

static inline unsigned deposit_8(unsigned mask, unsigned v)
{
    unsigned low = deposit_4[mask & 15][v & 15];
    return low | (unsigned) deposit_4[mask >> 4][v >> count_4[mask & 15] & 15] << 4;
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

static inline unsigned q10(unsigned v)
{
    return (unsigned) (v > 0) + (v > 1) + (v > 3) + (v > 6) + (v > 11) + (v > 20);
}

void pcri_pk_portable_dc_contexts(const struct pcri_pk_dc *up, unsigned class, size_t n,
                                  uint16_t *out)
{
    pcri_pk_dc_contexts(up, class, n, out);
}

static void t_contexts(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                       const struct pcri_pk_pass *pass, uint16_t *out)
{
    const uint8_t *up = above->count, *side = pass->first ? up : row->count;
    const unsigned begin = pass->kind * PCRI_PK_T_CONTEXTS;
    for (size_t i = 0; i < row->blocks; i++) {
        unsigned count = row->count[i], low = row->low[i], high = count - low;
        unsigned v = (unsigned) (high > 0) + (high > 0 && 2 * high >= low) +
                     (high > 0 && high >= 2 * low);
        unsigned near = 2u * up[i] + (side - 1)[i] + side[i + 1];
        out[i] = (uint16_t) (begin +
                             ((pcri_pk_q7(above->gain[i]) * 4 + v) * 7 + q10(count)) * 7 +
                             q10(near >> 2));
    }
}

static size_t b_contexts(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                         const struct pcri_pk_pass *pass, const uint8_t *t, uint16_t *out)
{
    static const uint8_t most[9] = { 0, 0, 1, 2, 2, 3, 3, 3, 3 };
    const uint64_t *up = above->bytes, *side = pass->first ? up : row->bytes;
    const unsigned begin = pass->kind * PCRI_PK_B_CONTEXTS;
    size_t n = 0;
    for (size_t i = 0; i < row->blocks; i++) {
        if (!t[i])
            continue;
        uint64_t own = row->bytes[i], near = 2 * up[i] + (side - 1)[i] + side[i + 1];
        uint64_t beside = (own << 8) + (own >> 8);
        unsigned more = most[count_4[t[i] & 15] + count_4[t[i] >> 4]];
        for (unsigned left = t[i]; left; left &= left - 1) {
            unsigned j = (unsigned) __builtin_ctz(left), s = own >> (8 * j) & 15;
            unsigned e = near >> (8 * j) & 63, d = beside >> (8 * j) & 31;
            unsigned q = (unsigned) (e > 0) + (e > 2) + (e > 4) + (e > 8) + (e > 14) +
                         (e > 20);
            unsigned x = d <= 2 * s ? 0 : d < 2 * s + 3 ? 1 : 2;
            out[n++] = (uint16_t) (begin + ((x * 7 + q) * 4 + more) * 64 + (s * 8 + j) % 64);
        }
    }
    return n;
}

size_t pcri_pk_portable_m_contexts(const struct pcri_pk_row *row,
                                   const struct pcri_pk_above *above, unsigned level,
                                   uint16_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < row->blocks; i++) {
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
    for (size_t i = 0; i < row->blocks; i++) {
        uint64_t free = band & ~row->known[i], found = 0;
        for (unsigned left = t[i]; left; left &= left - 1) {
            unsigned shift = 8 * (unsigned) __builtin_ctz(left);
            found |= (uint64_t) deposit_8(free >> shift & 255, b[n++]) << shift;
        }
        row->found[i] = found;
    }
    return n;
}

size_t pcri_pk_portable_name_bytes(const struct pcri_pk_row *row, uint64_t band, uint8_t *t,
                                   uint8_t *b)
{
    size_t n = 0;
    for (size_t i = 0; i < row->blocks; i++) {
        uint64_t free = band & ~row->known[i], found = row->found[i];
        t[i] = 0;
        for (unsigned j = 0; j < 8; j++, free >>= 8, found >>= 8) {
            if (!(found & 255))
                continue;
            unsigned v = 0, at = 0;
            for (unsigned left = free & 255; left; left &= left - 1, at++)
                v |= (unsigned) (found >> __builtin_ctz(left) & 1) << at;
            t[i] |= (uint8_t) (1u << j);
            b[n++] = (uint8_t) v;
        }
    }
    return n;
}

/* The next bits under the bits of a mask. */
static inline uint64_t deposit(struct pcri_pk_bits *bits, uint64_t mask)
{
    uint64_t v = 0;
    for (unsigned shift = 0; mask; mask >>= 8, shift += 8) {
        const unsigned m = mask & 255;
        if (!m)
            continue;
        v |= (uint64_t) deposit_8(m, pcri_pk_word(bits) & 255) << shift;
        bits->bit += count_4[m & 15] + count_4[m >> 4];
    }
    return v;
}

static void scatter(struct pcri_pk_bits *bits, const uint64_t *mask, size_t n, uint64_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] |= deposit(bits, mask[i]);
}

static void refine(const struct pcri_pk_row *row, uint64_t band, struct pcri_pk_bits *bits,
                   uint64_t *plane)
{
    for (size_t i = 0; i < row->blocks; i++) {
        row->sign[i] |= deposit(bits, row->found[i]);
        plane[i] |= row->found[i] | deposit(bits, row->known[i] & band);
    }
}

void pcri_pk_portable_gather(struct pcri_pk_bit_writer *bits, const uint64_t *mask, size_t n,
                             const uint64_t *values)
{
    for (size_t i = 0; i < n; i++)
        for (uint64_t left = mask[i]; left; left &= left - 1)
            pcri_pk_put(bits, values[i] >> __builtin_ctzll(left) & 1, 1);
}

void pcri_pk_portable_gather_refined(const struct pcri_pk_row *row, uint64_t band,
                                     struct pcri_pk_bit_writer *bits, const uint64_t *plane)
{
    for (size_t i = 0; i < row->blocks; i++) {
        const uint64_t known = row->known[i] & band;
        pcri_pk_portable_gather(bits, &row->found[i], 1, &row->sign[i]);
        pcri_pk_portable_gather(bits, &known, 1, &plane[i]);
    }
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
    for (size_t i = 0; i < row->blocks; i++) {
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

typedef int16_t lanes __attribute__((vector_size(16)));

/* A bit for each lane: all ones where it is set. */
static inline lanes spread(unsigned byte)
{
    const lanes bit = { 1, 2, 4, 8, 16, 32, 64, 128 };
    const int16_t b = (int16_t) byte;
    const lanes all = { b, b, b, b, b, b, b, b };
    return (lanes) ((all & bit) == bit);
}

static void expand(const struct pcri_pk_row *row, const int16_t *dc, int16_t *out)
{
    for (size_t i = 0; i < row->blocks; i++, out += 64) {
        for (unsigned j = 0; j < 64; j += 8) {
            lanes v = { 0 };
            if (row->known[i] >> j & 255) {
                for (uint32_t left = row->planes; left; left &= left - 1) {
                    int p = __builtin_ctz(left);
                    v |= spread(row->plane[p][i] >> j & 255) & (int16_t) (1 << p);
                }
                lanes sign = spread(row->sign[i] >> j & 255);
                v = (v ^ sign) - sign;
            }
            memcpy(out + j, &v, sizeof(v));
        }
        out[0] = dc[i];
    }
}

void pcri_pk_portable_slice(struct pcri_pk_row *row, const int16_t *coef)
{
    for (size_t i = 0; i < row->blocks; i++, coef += 64)
        for (unsigned k = 1; k < 64; k++) {
            const uint64_t bit = UINT64_C(1) << k;
            unsigned m = (unsigned) (coef[k] < 0 ? -coef[k] : coef[k]);
            row->planes |= m;
            row->sign[i] |= coef[k] < 0 ? bit : 0;
            for (; m && m < 1 << PCRI_PK_PLANES; m &= m - 1)
                row->plane[__builtin_ctz(m)][i] |= bit;
        }
}

const struct pcri_pk_kernels pcri_pk_portable = {
    "portable",
    pcri_pk_portable_dc_contexts,
    t_contexts,
    b_contexts,
    pcri_pk_portable_m_contexts,
    place,
    scatter,
    refine,
    pcri_pk_portable_gather,
    pcri_pk_portable_gather_refined,
    pcri_pk_portable_lengths,
    settle,
    expand,
    pcri_pk_portable_slice,
    pcri_pk_portable_name_bytes,
    pcri_tans_read_portable,
};
