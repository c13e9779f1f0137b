/* SPDX-License-Identifier: BSD-2-Clause */
/* What the decoders of AC refinement scans share: the bit reader and a scan's state. */
#ifndef PCRI_DECODE_REFINE_H
#define PCRI_DECODE_REFINE_H

#include "bits.h"

/* The first bit is the lowest. */
struct pcri_lsb {
    const uint8_t *p, *end;
    uint64_t word;
    unsigned nbits;
};

enum {
    PCRI_LSB_FILLED = 56,              /* bits that are there at least after a fill */
    PCRI_REFINE_SYMBOL_MOST_BITS = 17, /* a code and a sign */
};

static inline void pcri_lsb_fill(struct pcri_lsb *r)
{
    uint64_t v;
    memcpy(&v, r->p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    r->word |= v << r->nbits;
    r->p += (63 - r->nbits) >> 3;
    r->nbits |= 56;
}

static inline void pcri_lsb_drop(struct pcri_lsb *r, unsigned n)
{
    r->word >>= n;
    r->nbits -= n;
}

/* 57 to 63 bits. */
static inline uint64_t pcri_lsb_take_long(struct pcri_lsb *r, unsigned n)
{
    pcri_lsb_fill(r);
    uint64_t low = r->word & 0xFFFFFFFF;
    pcri_lsb_drop(r, 32);
    pcri_lsb_fill(r);
    uint64_t v = low | r->word << 32;
    pcri_lsb_drop(r, n - 32);
    return v;
}

static inline bool pcri_lsb_overrun(const struct pcri_lsb *r)
{
    return r->p > r->end && (uint64_t) (r->p - r->end) * 8 > r->nbits;
}

static inline uint32_t pcri_reverse16(uint32_t v)
{
    v = (v & 0x5555) << 1 | (v >> 1 & 0x5555);
    v = (v & 0x3333) << 2 | (v >> 2 & 0x3333);
    v = (v & 0x0F0F) << 4 | (v >> 4 & 0x0F0F);
    return (v & 0xFF) << 8 | v >> 8;
}

/* The blocks that an end-of-band symbol with `nbits` extra bits (0 to 14, which stand
 * highest first) ends, this one included. */
static inline uint32_t pcri_lsb_eob_run(struct pcri_lsb *r, unsigned nbits)
{
    if (!nbits)
        return 1;
    uint32_t extra = pcri_reverse16((uint32_t) r->word & 0xFFFF) >> (16 - nbits);
    pcri_lsb_drop(r, nbits);
    return (1u << nbits) + extra;
}

/* What one restart interval of a refinement scan needs at hand. */
struct pcri_refiner {
    struct pcri_lsb bits;
    const struct pcri_lookup *table;
    const struct pcri_several *several; /* NULL for short scans */
    uint64_t band;                      /* bits Ss to Se */
    unsigned band_begin, band_end;      /* Ss, Se + 1 */
    int step;                           /* 1 << Al */
    uint32_t eob_run;                   /* blocks yet to come that it covers */
};

/* The entry of a symbol whose bits are more than the look-up's index; nbits is 0 where there
 * is no such symbol. */
struct pcri_lookup_entry pcri_refine_slow(uint64_t word, const struct pcri_lookup *t);

/* Takes one symbol; its nbits is 0 if there is none. Decoding is bound by the latency from
 * one symbol to the next, so the look-up does not wait for the refill: bits enough for its
 * index must be left from before. */
static inline struct pcri_lookup_entry pcri_refine_symbol(const struct pcri_refiner *f,
                                                          struct pcri_lsb *r)
{
    struct pcri_lookup_entry e = f->table->fast[r->word & ((1u << PCRI_LOOKUP_BITS) - 1)];
    pcri_lsb_fill(r);
    if (__builtin_expect(!e.nbits, 0))
        e = pcri_refine_slow(r->word, f->table);
    pcri_lsb_drop(r, e.nbits);
    return e;
}

/* Refines blocks [b, end) of a component; *at_out: where it stopped. -1 for damage. All give
 * the same result. */
typedef int (*pcri_refine_function)(struct pcri_refiner *f, const struct pcri_blocks *p,
                                    size_t b, size_t end, size_t *at_out);

int pcri_refine_portable(struct pcri_refiner *f, const struct pcri_blocks *p, size_t b,
                         size_t end, size_t *at_out);

#if !defined(PCR_PORTABLE) && defined(__x86_64__) && defined(__GNUC__)
#define PCRI_HAVE_PDEP 1
int pcri_refine_pdep(struct pcri_refiner *f, const struct pcri_blocks *p, size_t b,
                     size_t end, size_t *at_out);
#endif

#endif
