/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading symbols, for each kind of CPU to be compiled. */
#ifndef PCRI_TANS_READ_H
#define PCRI_TANS_READ_H

#include "tans.h"

static inline uint64_t pcri_tans_word(const uint8_t *data, uint64_t bit)
{
    return pcri_load64(data + (bit >> 3)) >> (bit & 7);
}

/* A file for one kind of CPU says how functions are made for it, and what takes n bits of a word
 * from bit `at` on, modulo 64; n is the lowest byte of its argument, at most PCRI_TANS_LOG. */
#ifndef PCRI_TANS_INLINE
#define PCRI_TANS_INLINE static inline __attribute__((always_inline))
static const uint32_t pcri_tans_ones[PCRI_TANS_LOG + 1] = { 0,  1,  3,   7,   15,
                                                            31, 63, 127, 255, 511 };
#define PCRI_TANS_BITS(word, at, n) \
    ((uint32_t) ((word) >> ((at) &63)) & pcri_tans_ones[(n) &255])
#endif

/* Entries of n contexts, in the place of their states. */
PCRI_TANS_INLINE void pcri_tans_look_up(const pcri_tans_entry *entries, const uint8_t *map,
                                        const uint16_t *contexts, size_t n, uint64_t *states)
{
    for (size_t k = 0; k < n; k++)
        states[k] = entries[(size_t) map[contexts[k]] * PCRI_TANS_STATES + states[k]];
}

/* The next states of at most four entries, whose lower halves take the place of contexts. Where the
 * bits of each begin follows from the entries alone, so that states wait for the word and not for
 * each other. Counts of bits are added up as they stand in entries, in the lowest byte. Returns the
 * next position. */
PCRI_TANS_INLINE uint64_t pcri_tans_step(const uint8_t *data, uint64_t bit, size_t n,
                                         uint64_t *states, uint16_t *contexts)
{
    const uint64_t word = pcri_load64(data + (bit >> 3));
    uint64_t at = bit & 7;
    for (size_t k = 0; k < n; k++) {
        const uint64_t e = states[k], bits = PCRI_TANS_BITS(word, at, e);
        at += e;
        contexts[k] = (uint16_t) e;
        states[k] = (e >> 16) + bits;
    }
    return (bit & ~UINT64_C(7)) + (at & 255);
}

/* The compiler makes one of these for each number of lanes. */
PCRI_TANS_INLINE void pcri_tans_read_lanes(struct pcri_tans_reader *r,
                                           const pcri_tans_entry *entries, const uint8_t *map,
                                           uint16_t *contexts, size_t n, const unsigned lanes)
{
    const unsigned part = lanes > 4 ? 4 : lanes; /* symbols of a word */
    const uint8_t *data = r->data;
    uint64_t states[PCRI_TANS_MAX_LANES], bit = r->bit;
    uint16_t *c = contexts, *const last = c + n / lanes * lanes, *const end = c + n;
    _Static_assert(4 * PCRI_TANS_LOG <= 57, "a word has the bits of a part");
    for (unsigned k = 0; k < lanes; k++)
        states[k] = r->states[k];
    for (; c < last; c += lanes) {
        pcri_tans_look_up(entries, map, c, lanes, states);
        for (unsigned k = 0; k < lanes; k += part)
            bit = pcri_tans_step(data, bit, part, states + k, c + k);
    }
    for (unsigned k = 0; c < end; c++, k++) {
        pcri_tans_look_up(entries, map, c, 1, states + k);
        bit = pcri_tans_step(data, bit, 1, states + k, c);
    }
    for (unsigned k = 0; k < lanes; k++)
        r->states[k] = (uint16_t) states[k];
    r->bit = bit;
}

/* Symbols of the entries in the place of contexts, up to a multiple of 32. Is any `escape`? */
PCRI_TANS_INLINE bool pcri_tans_symbols(const uint16_t *contexts, size_t n, uint8_t escape,
                                        uint8_t *out)
{
    uint8_t escapes = 0;
    n = (n + 31) & ~(size_t) 31; /* whole vectors */
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t) (contexts[i] >> 8);
        escapes |= out[i] == escape;
    }
    return escapes;
}

/* At most PCRI_TANS_UNCHECKED symbols, without a look at the stream's end. */
PCRI_TANS_INLINE bool pcri_tans_read_some(struct pcri_tans_reader *r,
                                          const pcri_tans_entry *entries, const uint8_t *map,
                                          uint16_t *contexts, size_t n, uint8_t escape,
                                          uint8_t *out)
{
    switch (r->lanes) {
    case 1:
        pcri_tans_read_lanes(r, entries, map, contexts, n, 1);
        break;
    case 2:
        pcri_tans_read_lanes(r, entries, map, contexts, n, 2);
        break;
    case 4:
        pcri_tans_read_lanes(r, entries, map, contexts, n, 4);
        break;
    case 8:
        pcri_tans_read_lanes(r, entries, map, contexts, n, 8);
        break;
    default:
        pcri_tans_read_lanes(r, entries, map, contexts, n, 16);
        break;
    }
    return pcri_tans_symbols(contexts, n, escape, out);
}

#endif
