/* SPDX-License-Identifier: BSD-2-Clause */
/* Values and blocks, for the kernels that write sequential scans. */
#ifndef PCRI_SEQUENTIAL_PUT_H
#define PCRI_SEQUENTIAL_PUT_H

#include "pairs.h"
#include "sequential.h"

#if !defined(PCR_PORTABLE) && defined(__x86_64__) && defined(__GNUC__)
#define PCRI_SEQUENTIAL_X86 1
#endif

enum { PCRI_CODE_SHIFT = 5, PCRI_DC_MOST = 11, PCRI_AC_MOST = 10 };

/* Appends n bits to what an entry has. */
PCRI_ALWAYS_INLINE uint32_t pcri_extend_entry(uint32_t entry, uint32_t value, unsigned n)
{
    const uint32_t length = entry & ((1 << PCRI_CODE_SHIFT) - 1);
    const uint32_t code = entry >> PCRI_CODE_SHIFT;
    return entry ? (code << n | value) << PCRI_CODE_SHIFT | (length + n) : 0;
}

PCRI_ALWAYS_INLINE unsigned pcri_category(int v)
{
    const unsigned magnitude = (unsigned) (v < 0 ? -v : v);
    return magnitude ? 32 - (unsigned) __builtin_clz(magnitude) : 0;
}

/* A value's code with its bits; what 8-bit JPEG cannot code is noted, and left out. */
PCRI_ALWAYS_INLINE uint32_t pcri_value_entry(struct pcri_bit_sink *w, const uint32_t *entries,
                                             unsigned most, int v)
{
    unsigned n = pcri_category(v);
    if (n > most) {
        w->beyond = true;
        n = 0;
    }
    const uint32_t bits = (uint32_t) (v + (v >> 31)) & ((1u << n) - 1);
    return pcri_extend_entry(entries[n], bits, n);
}

/* --- blocks --- */

struct pcri_put_block {
    const int16_t *coef;
    uint64_t mask; /* of AC */
    int dc;
};

static inline uint64_t pcri_put_mask(const int16_t *coef)
{
    uint64_t mask = 0;
    for (int k = 1; k < 64; k++)
        mask |= (uint64_t) (coef[k] != 0) << k;
    return mask;
}

/* Block x of a row; beyond the image one of the padding, or like the one before, without AC. */
PCRI_ALWAYS_INLINE struct pcri_put_block pcri_put_find(const struct pcri_sequential_part *p,
                                                       const struct pcri_block_row *row,
                                                       uint32_t x)
{
    struct pcri_put_block b = { NULL, 0, p->last_dc };
    if (x < row->count && row->coef) {
        b.coef = row->coef + 64 * (size_t) x;
        b.dc = b.coef[0];
        b.mask = row->mask[x] & ~UINT64_C(1);
    } else if (x < row->count) {
        b.dc = row->dc[x];
    } else if (p->padding) {
        b.coef = pcri_padding_block(p->padding, x, row->y);
        b.dc = b.coef[0];
        b.mask = pcri_put_mask(b.coef);
    }
    return b;
}

/* Calls put(part, sink, block) for each block of MCUs [from, to), with the sink in registers. */
#define PCRI_PUT_EACH(s, from, to, put) \
    do { \
        struct pcri_bit_sink sink = (s)->sink; \
        for (uint32_t mx = (from); mx < (to); mx++) \
            for (uint32_t i = 0; i < (s)->part_count; i++) { \
                struct pcri_sequential_part *p = &(s)->parts[i]; \
                for (uint32_t y = 0; y < p->v; y++) \
                    for (uint32_t x = 0; x < p->h; x++) \
                        put(p, &sink, pcri_put_find(p, &p->rows[y], mx * p->h + x)); \
            } \
        (s)->sink = sink; \
    } while (0)

pcri_put_mcus pcri_put_mcus_portable, pcri_put_mcus_bmi2, pcri_put_mcus_avx512;

#endif
