/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the bits of entropy-coded data go. They are stored eight bytes at once, whatever they are,
 * so that nothing depends on how many there are; zeros behind bytes of FF are put in later, for a
 * run of bytes that is still in the first cache. */
#ifndef PCRI_BIT_SINK_H
#define PCRI_BIT_SINK_H

#include "../base/base.h"

enum { PCRI_RUN_NBYTES = 16384 }; /* of a run, at most; for up to 8 more there is room */

struct pcri_bit_sink {
    uint8_t *p;     /* where the next whole byte goes */
    uint64_t bits;  /* those that fill no byte yet, from the top */
    unsigned count; /* of them, at most 7 */
    bool beyond;    /* for its owner: there was a value without a code */
};

/* At most 56 bits; if there are none, the value is 0. */
static inline __attribute__((always_inline)) void pcri_put_bits(struct pcri_bit_sink *w,
                                                                uint64_t value, unsigned n)
{
    w->bits |= value << ((64 - w->count - n) & 63);
    w->count += n;
    pcri_store64(w->p, __builtin_bswap64(w->bits));
    w->p += w->count / 8;
    w->bits <<= w->count & 56;
    w->count &= 7;
}

/* Appends a run's bytes, each FF with a 0 behind it; `out` has room for twice as many. */
void pcri_stuff(struct pcr_buffer *out, const uint8_t *run, size_t nbytes);

/* Appends what fills no byte yet, filled up with zeros or ones; `out` has room for two bytes. */
void pcri_fill_up(struct pcri_bit_sink *w, bool zeros, struct pcr_buffer *out);

#endif
