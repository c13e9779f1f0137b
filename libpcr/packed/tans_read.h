/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading symbols, for each kind of CPU to be compiled. */
#ifndef PCRI_TANS_READ_H
#define PCRI_TANS_READ_H

#include "../base/bytes.h"
#include "tans.h"

static inline uint64_t pcri_tans_word(const uint8_t *data, uint64_t bit)
{
    return pcri_load64(data + (bit >> 3)) >> (bit & 7);
}

/* A file for one kind of CPU says how functions are made for it, and what takes n bits of a word
 * from bit `at` on, modulo 64; n is the lowest byte of its argument, at most PCRI_TANS_LOG. */
#ifndef PCRI_TANS_INLINE
#define PCRI_TANS_INLINE static inline __attribute__((always_inline))
#endif
#ifndef PCRI_TANS_BITS
static const uint32_t pcri_tans_ones[PCRI_TANS_LOG + 1] = { 0,  1,  3,   7,   15,
                                                            31, 63, 127, 255, 511 };
#define PCRI_TANS_BITS(word, at, n) \
    ((uint32_t) ((word) >> ((at) &63)) & pcri_tans_ones[(n) &255])
#endif

/* The entry of a context's table for a state. */
PCRI_TANS_INLINE uint64_t pcri_tans_entry_at(const pcri_tans_entry *entries,
                                             const uint8_t *map, uint16_t context,
                                             uint64_t state)
{
    return entries[(size_t) map[context] * PCRI_TANS_STATES + state];
}

/* A place in the stream, and the word there. */
struct pcri_tans_at {
    const uint8_t *data;
    uint64_t word,
        at; /* at: bits of the word that are read; above the lowest byte: anything */
};

PCRI_TANS_INLINE void pcri_tans_next_word(struct pcri_tans_at *r)
{
    r->data += (r->at & 255) >> 3;
    r->at &= 7;
    r->word = pcri_load64(r->data);
}

/* The state after entry e, whose lower half takes the place of a context. Where the bits of a
 * symbol begin follows from the entries alone, so that states wait for the word and not for each
 * other. Counts of bits are added up as they stand in entries, in the lowest byte. */
PCRI_TANS_INLINE uint64_t pcri_tans_step(struct pcri_tans_at *r, uint64_t e, uint16_t *context)
{
    const uint64_t bits = PCRI_TANS_BITS(r->word, r->at, e);
    r->at += e;
    *context = (uint16_t) e;
    return (e >> 16) + bits;
}

/* The compiler makes one of these for each number of lanes. An entry is asked for as soon as its
 * state is known, a turn of all states before it is wanted: else what waits for entries fills the
 * CPU's queues, and it does not get as far as the next turn. */
PCRI_TANS_INLINE void pcri_tans_read_lanes(struct pcri_tans_reader *r,
                                           const pcri_tans_entry *entries, const uint8_t *map,
                                           uint16_t *contexts, size_t n, const unsigned lanes)
{
    const unsigned part = lanes > 4 ? 4 : lanes; /* symbols of a word */
    /* One by one: made vectors of, they are waited for. */
    volatile uint16_t *const states = r->states;
    uint64_t e[PCRI_TANS_MAX_LANES];
    struct pcri_tans_at at = { r->data + (r->bit >> 3), 0, r->bit & 7 };
    uint16_t *c = contexts, *const last = c + n / lanes * lanes, *const end = c + n;
    _Static_assert(4 * PCRI_TANS_LOG <= 57, "a word has the bits of a part");
    pcri_tans_next_word(&at);
    for (unsigned k = 0; k < lanes; k++)
        e[k] = pcri_tans_entry_at(entries, map, c[k], states[k]);
    for (; c + lanes < last; c += lanes)
        for (unsigned k = 0; k < lanes; k++) {
            const uint64_t state = pcri_tans_step(&at, e[k], c + k);
            e[k] = pcri_tans_entry_at(entries, map, c[lanes + k], state);
            if (k % part == part - 1)
                pcri_tans_next_word(&at);
        }
    if (c < last)
        for (unsigned k = 0; k < lanes; k++, c++) {
            const uint64_t state = pcri_tans_step(&at, e[k], c);
            states[k] = (uint16_t) state;
            e[k] = pcri_tans_entry_at(entries, map, c[lanes], state);
            if (k % part == part - 1)
                pcri_tans_next_word(&at);
        }
    for (unsigned k = 0; k < lanes && c < end; k++, c++) {
        states[k] = (uint16_t) pcri_tans_step(&at, e[k], c);
        pcri_tans_next_word(&at);
    }
    r->bit = 8 * (uint64_t) (at.data - r->data) + at.at;
}

#ifndef PCRI_TANS_SYMBOLS
#define PCRI_TANS_SYMBOLS pcri_tans_symbols
/* Symbols of the entries in the place of contexts, by 32, and their marks. Is any `escape`? A file
 * for one kind of CPU may have its own. */
PCRI_TANS_INLINE bool pcri_tans_symbols(uint16_t *contexts, size_t n, uint8_t escape,
                                        uint8_t *out)
{
    uint8_t any = 0;
    n = (n + 31) & ~(size_t) 31; /* whole vectors */
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t) (contexts[i] >> 8);
        any |= out[i] == escape;
    }
    for (size_t i = 0; i < n; i += 32) {
        uint32_t marks = 0;
        for (unsigned k = 0; any && k < 32; k += 8) {
            const uint64_t v = pcri_load64(out + i + k) ^ PCRI_EACH_BYTE(escape);
            marks |= (pcri_some_bytes(v) ^ 255u) << k;
        }
        memcpy(contexts + i, &marks, sizeof(marks));
    }
    return any;
}
#endif

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
    return PCRI_TANS_SYMBOLS(contexts, n, escape, out);
}

#endif
