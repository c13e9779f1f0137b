/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients of sequential and first AC scans, up to two at a time.
 *
 * The time of such a decoder is the path from one symbol to the next: the top bits of the
 * word, a look-up, a shift by its result. So one look-up takes as much as its index holds: a
 * coefficient with its run and extra bits, often a second one, and the end of the block or
 * band after them. If the end is too near for that, or a code is too long, the look-up from
 * which the pairs were made takes a single symbol. */
#ifndef PCRI_PAIRS_H
#define PCRI_PAIRS_H

#include "bits.h"

/* Functions that keep the reader in registers must be inlined, at any optimisation level. */
#define PCRI_ALWAYS_INLINE static inline __attribute__((always_inline))
/* For code that hardly any file needs: kept out of the loops around it. */
#define PCRI_SELDOM static __attribute__((cold, noinline))

enum {
    PCRI_MAX_AC_SIZE = 10, /* bits of a coefficient of 8-bit samples */
    /* An advance beyond any block: for a lone end, and for an end after a value. */
    PCRI_PAIR_END = 64,
    PCRI_PAIR_VALUE_END = 128,
};

/* One or two coefficients and the end. A value of 0: only an end. */
struct pcri_pair {
    int16_t values[2];
    uint8_t first, second; /* distances from k to the coefficients; equal if there is only
                            * one */
    uint8_t advance;       /* what is added to k */
    uint8_t limit; /* the largest k of 1 to 63 for which all is in the block; 0: none */
};

struct pcri_pairs {
    uint8_t nbits[1 << PCRI_LOOKUP_BITS]; /* of everything in the pair */
    uint8_t ends[1 << PCRI_LOOKUP_BITS];  /* if it has an end: the extra bits of its run */
    struct pcri_pair pairs[1 << PCRI_LOOKUP_BITS];
};

/* Which coefficients are read, and how: all of a sequential block, or the band of a scan. */
struct pcri_band {
    int se;
    int al;
    bool runs; /* an end may end several blocks */
    unsigned max_size;
};

/* Builds them from a look-up of values of up to PCRI_MAX_AC_SIZE bits; `runs`: as in the
 * band. */
void pcri_pairs_build(const struct pcri_lookup *single, bool runs, struct pcri_pairs *out);

/* Takes one symbol. Returns the next k, above 64 at an end, or -1; *end_bits: the extra bits
 * of the end's run. */
static inline int pcri_take_single(struct pcri_msb *r, const struct pcri_lookup *t,
                                   const struct pcri_band *band, int k, int16_t *coef,
                                   uint64_t *mask, unsigned *end_bits)
{
    struct pcri_lookup_entry e = t->fast[r->word >> (64 - PCRI_LOOKUP_BITS)];
    int value = e.value;
    if (e.nbits) {
        pcri_msb_drop(r, e.nbits);
    } else {
        unsigned length;
        int symbol = pcri_slow_symbol(t, (uint32_t) (r->word >> 48), &length);
        if (symbol < 0 || (unsigned) (symbol & 15) > band->max_size)
            return -1;
        pcri_msb_drop(r, length);
        unsigned size = symbol & 15;
        e.symbol = (uint8_t) symbol;
        value = size ? pcri_extend(pcri_msb_take(r, size), size) : 0;
    }
    unsigned run = e.symbol >> 4;
    if (value) {
        k += (int) run;
        if (k > band->se)
            return -1;
        coef[k] = (int16_t) (value * (1 << band->al));
        *mask |= UINT64_C(1) << k;
        return k + 1;
    }
    if (run == 15) /* 16 zeros */
        return k + 16 <= band->se + 1 ? k + 16 : -1;
    if (run && !band->runs)
        return -1;
    *end_bits = run;
    return k + PCRI_PAIR_END;
}

/* Takes what one look-up brings; the reader has at least 26 bits. As pcri_take_single(). */
PCRI_ALWAYS_INLINE int pcri_take_pair(struct pcri_msb *r, const struct pcri_lookup *single,
                                      const struct pcri_pairs *t, const struct pcri_band *band,
                                      int k, int16_t *coef, uint64_t *mask, unsigned *end_bits)
{
    size_t index = r->word >> (64 - PCRI_LOOKUP_BITS);
    const struct pcri_pair *p = &t->pairs[index];
    if (__builtin_expect(k + 63 - band->se > p->limit, 0)) {
        struct pcri_msb copy = *r; /* so that the reader itself stays in registers */
        uint64_t found = 0;
        unsigned bits = 0;
        k = pcri_take_single(&copy, single, band, k, coef, &found, &bits);
        *r = copy;
        *mask |= found;
        *end_bits = bits;
        return k;
    }
    pcri_msb_drop(r, t->nbits[index]);
    *end_bits = t->ends[index];
    size_t first = (unsigned) k + p->first, second = (unsigned) k + p->second;
    coef[first] = (int16_t) (p->values[0] * (1 << band->al));
    coef[second] = (int16_t) (p->values[1] * (1 << band->al));
    *mask |= UINT64_C(1) << first;
    *mask |= UINT64_C(1) << second;
    return k + p->advance;
}

/* The coefficients from k to the end of the band or block; their bits are added to *mask.
 * Returns above 64 if there was an end, se + 1 if all were coded, or -1. */
PCRI_ALWAYS_INLINE int pcri_take_band(struct pcri_msb *bits, const struct pcri_lookup *single,
                                      const struct pcri_pairs *t, const struct pcri_band *band,
                                      int k, int16_t *coef, uint64_t *mask, unsigned *end_bits)
{
    struct pcri_msb r = *bits;
    uint64_t found = 0;
    do {
        pcri_msb_fill(&r);
        k = pcri_take_pair(&r, single, t, band, k, coef, &found, end_bits);
        if ((unsigned) k > (unsigned) band->se)
            break;
        k = pcri_take_pair(&r, single, t, band, k, coef, &found, end_bits);
    } while ((unsigned) k <= (unsigned) band->se);
    /* A lone end has written a zero; take its bit back. */
    uint64_t alone = (unsigned) k - PCRI_PAIR_END - 1 <
                     PCRI_PAIR_VALUE_END - PCRI_PAIR_END - 1;
    *mask |= found & ~(alone << (k & 63));
    *bits = r;
    return k;
}

#endif
