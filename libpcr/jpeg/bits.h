/* SPDX-License-Identifier: BSD-2-Clause */
/* The bit reader over unstuffed entropy-coded data; refinement scans have others.
 *
 * It refills 8 bytes at a time without a branch, and may read up to 8 bytes past `end`: the
 * data is padded. It counts what it consumed, so that one comparison per block shows whether
 * the block used bits that do not exist. */
#ifndef PCRI_BITS_H
#define PCRI_BITS_H

#include "scan_decode.h"

/* The first bit is the highest (DC and first AC scans). */
struct pcri_msb {
    const uint8_t *p, *end;
    uint64_t word;  /* left-aligned */
    unsigned nbits; /* valid bits in it */
};

static inline uint64_t pcri_load_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return v;
#else
    return __builtin_bswap64(v);
#endif
}

static inline struct pcri_msb pcri_msb_start(const uint8_t *p, const uint8_t *end)
{
    return (struct pcri_msb) { p, end, 0, 0 };
}

/* At least 56 bits afterwards. */
static inline void pcri_msb_fill(struct pcri_msb *r)
{
    r->word |= pcri_load_be64(r->p) >> r->nbits;
    r->p += (63 - r->nbits) >> 3;
    r->nbits |= 56;
}

static inline void pcri_msb_drop(struct pcri_msb *r, unsigned n)
{
    r->word <<= n;
    r->nbits -= n;
}

/* 1 to 32 bits. */
static inline uint32_t pcri_msb_take(struct pcri_msb *r, unsigned n)
{
    uint32_t v = (uint32_t) (r->word >> (64 - n));
    pcri_msb_drop(r, n);
    return v;
}

/* True if more bits were consumed than there are. */
static inline bool pcri_msb_overrun(const struct pcri_msb *r)
{
    return r->p > r->end && (uint64_t) (r->p - r->end) * 8 > r->nbits;
}

/* --- after the last MCU of an interval ---
 *
 * Encoders pad the last byte with ones, some with zeros. Some cameras, grabbers and repair
 * programs leave bytes after it, and no coefficient is in doubt because of that. But after a
 * flipped bit decoding soon falls into step again, a few MCUs early or late; if it counted too
 * many, real data remains. So what remains is stray if the bits up to the end of the byte are
 * padding, and if decoding does not continue through complete MCUs to exactly the end of the
 * data. (How MCUs would continue after the last one of a refinement scan cannot be known, as
 * it depends on blocks that do not exist.) */

/* The bits that remain; not valid after an overrun. */
static inline size_t pcri_msb_left(const struct pcri_msb *r)
{
    return (size_t) ((r->end - r->p) * 8 + (ptrdiff_t) r->nbits);
}

/* Whether the bits up to the end of the byte are equal. */
static inline bool pcri_msb_padded(const struct pcri_msb *bits)
{
    struct pcri_msb r = *bits;
    unsigned n = pcri_msb_left(&r) % 8;
    pcri_msb_fill(&r);
    uint64_t pad = n ? r.word >> (64 - n) : 0;
    return pad == 0 || pad == (UINT64_C(1) << n) - 1;
}

/* Whether interval n ends with more bits than need no explanation. Before a restart marker
 * that is a byte. At the end of a progressive scan it is what libjpeg holds unseen in its
 * buffer of 8 bytes. */
static inline bool pcri_goes_on(const struct pcri_scan_job *job, size_t n, size_t left)
{
    return left >= (n + 1 < job->interval_count ? 8 : 64);
}

/* A symbol whose code is longer than the look-up's index; -1 if there is no such code. */
static inline int pcri_slow_symbol(const struct pcri_lookup *t, uint32_t top16,
                                   unsigned *length_out)
{
    unsigned length = 1;
    while (length <= 16 && top16 >= t->limit[length])
        length++;
    if (length > 16)
        return -1;
    *length_out = length;
    return t->values[(int32_t) (top16 >> (16 - length)) + t->offset[length]];
}

/* The value of `size` extra bits (table F.1). */
static inline int pcri_extend(uint32_t extra, unsigned size)
{
    return (int) extra - (extra >> (size - 1) ? 0 : (1 << size) - 1);
}

#endif
