/* SPDX-License-Identifier: BSD-2-Clause */
/* What the decoders of AC refinement scans share. */
#ifndef PCRI_DECODE_REFINE_H
#define PCRI_DECODE_REFINE_H

#include "bits.h"

static inline uint32_t pcri_reverse16(uint32_t v)
{
    v = (v & 0x5555) << 1 | (v >> 1 & 0x5555);
    v = (v & 0x3333) << 2 | (v >> 2 & 0x3333);
    v = (v & 0x0F0F) << 4 | (v >> 4 & 0x0F0F);
    return (v & 0xFF) << 8 | v >> 8;
}

/* The number of blocks that an end-of-band symbol ends, with this one; `word` begins with its
 * `nbits` extra bits (0 to 14), highest first. */
static inline uint32_t pcri_refine_eob_run(uint64_t word, unsigned nbits)
{
    uint32_t reversed = pcri_reverse16((uint32_t) word & 0xFFFF);
    return nbits ? (1u << nbits) + (reversed >> (16 - nbits)) : 1;
}

enum {
    PCRI_REFINE_CHUNK = 64, /* blocks that are refined together */
    PCRI_REFINE_LANES = 2,  /* scans at a time */
};

/* The position of a decoder by steps within a chunk. The last elements of the arrays belong to
 * its last block. */
struct pcri_refine_chunk {
    bool begun;
    size_t first, at;   /* indices of its first block, and of the one being refined */
    uint64_t now, rest; /* the element of `nonzero` of that block, and the part of its band
                         * that symbols have not yet passed */
    uint64_t nonzero[PCRI_REFINE_CHUNK + 1]; /* of the band, before this scan */
    /* What the scan changes in the coefficients. */
    uint64_t moved[PCRI_REFINE_CHUNK];    /* moved away from zero by a correction bit */
    uint64_t fresh[PCRI_REFINE_CHUNK];    /* that become nonzero */
    uint64_t negative[PCRI_REFINE_CHUNK]; /* of these, the negative ones */
};

/* A refinement scan, and how far it has come in the blocks of a component. */
struct pcri_refiner {
    const uint8_t *data;
    uint64_t bit, bit_end; /* the next bit, and the end of the restart interval */
    const struct pcri_lookup *table;
    const struct pcri_several *several; /* for the portable decoder; NULL for short scans */
    const struct pcri_steps *steps;     /* for the others */
    uint64_t band;                      /* bits Ss to Se */
    unsigned band_begin, band_end;      /* Ss, Se + 1 */
    int step;                           /* 1 << Al */
    const struct pcri_blocks *blocks;
    uint32_t eob_run; /* further blocks that the current end-of-band run covers */
    size_t block;     /* the next block; within a chunk, its first one until all are done */
    size_t end;       /* where to stop for now, at most PCRI_REFINE_CHUNK blocks further */
    size_t stop;      /* the end of the interval; no end-of-band run goes beyond it */
    bool damaged;     /* there was no such code, a run beyond the block or interval, or no more
                       * data */
    struct pcri_refine_chunk chunk;
};

/* The entry of a symbol with more bits than the look-up's index; nbits is 0 if there is no
 * such symbol. */
struct pcri_lookup_entry pcri_refine_slow(uint64_t word, const struct pcri_lookup *t);

static inline struct pcri_lookup_entry pcri_refine_entry_at(const struct pcri_lookup *t,
                                                            uint64_t word)
{
    struct pcri_lookup_entry e = t->fast[word & ((1u << PCRI_LOOKUP_BITS) - 1)];
    return __builtin_expect(!e.nbits, 0) ? pcri_refine_slow(word, t) : e;
}

/* A decoder for some kind of CPU. All give the same result. */
struct pcri_refine_way {
    const char *name;
    /* Advances 1 to PCRI_REFINE_LANES scans, which do not depend on one another, until one is
     * at its `end` or damaged. The others may be anywhere before theirs; advance them again
     * with the same `end`. */
    void (*run)(struct pcri_refiner *const lanes[], unsigned count);
    /* Then applies the chunk's changes to the blocks, if there are any. */
    void (*change)(const struct pcri_refiner *f);
    bool by_steps; /* needs `steps`; else `several` */
};

extern const struct pcri_refine_way pcri_refine_portable;

#if !defined(PCR_PORTABLE) && defined(__x86_64__) && defined(__GNUC__)
#define PCRI_HAVE_PDEP 1
extern const struct pcri_refine_way pcri_refine_pdep, pcri_refine_avx512;
#endif

#endif
