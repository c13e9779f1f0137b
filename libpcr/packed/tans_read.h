/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading symbols, for each kind of CPU to be compiled. */
#ifndef PCRI_TANS_READ_H
#define PCRI_TANS_READ_H

#include "tans.h"

static inline uint64_t pcri_tans_word(const uint8_t *data, uint64_t bit)
{
    return pcri_load64(data + (bit >> 3)) >> (bit & 7);
}

/* A file for one kind of CPU says how functions are made for it, and what takes the lowest n
 * bits of a word. */
#ifndef PCRI_TANS_INLINE
#define PCRI_TANS_INLINE static inline __attribute__((always_inline))
#define PCRI_TANS_LOW_BITS(word, n) ((word) & ((UINT64_C(1) << ((n) &63)) - 1))
#endif

/* One symbol; word: the stream's next bits. Counts of bits are added up as they stand in entries,
 * in the lowest byte of `sum`. */
PCRI_TANS_INLINE uint32_t pcri_tans_decode(const pcri_tans_entry *entries, size_t table,
                                           uint32_t state, uint64_t *word, uint32_t *sum,
                                           uint8_t *out)
{
    const pcri_tans_entry e = entries[table * PCRI_TANS_STATES + state];
    const uint32_t next = (e >> 16) + (uint32_t) PCRI_TANS_LOW_BITS(*word, e);
    *out = (uint8_t) (e >> 8);
    *word >>= e & 63;
    *sum += e;
    return next;
}

/* The compiler makes one of these for each number of lanes. */
PCRI_TANS_INLINE void pcri_tans_read_lanes(struct pcri_tans_reader *r,
                                           const pcri_tans_entry *entries, const uint8_t *map,
                                           const uint16_t *contexts, size_t n, uint8_t *out,
                                           const unsigned lanes)
{
    const unsigned part = lanes > 8 ? 4 : lanes > 4 ? 4 : lanes; /* symbols of a word */
    const uint8_t *data = r->data;
    uint32_t states[PCRI_TANS_MAX_LANES], sum = 0;
    uint64_t bit = r->bit, word = 0;
    size_t i = 0;
    _Static_assert(6 * PCRI_TANS_LOG <= 57, "a word has the bits of a part");
    for (unsigned k = 0; k < lanes; k++)
        states[k] = r->states[k];
    for (; i + lanes <= n; i += lanes) {
        for (unsigned k = 0; k < lanes; k++) {
            if (k % part == 0) {
                bit += sum & 255;
                sum = 0;
                word = pcri_tans_word(data, bit);
            }
            states[k] = pcri_tans_decode(entries, map[contexts[i + k]], states[k], &word, &sum,
                                         out + i + k);
        }
        bit += sum & 255;
        sum = 0;
    }
    for (unsigned k = 0; k < lanes; k++)
        r->states[k] = (uint16_t) states[k];
    for (unsigned k = 0; i < n; i++, k++) {
        if (k % part == 0) {
            bit += sum & 255;
            sum = 0;
            word = pcri_tans_word(data, bit);
        }
        r->states[k] = (uint16_t) pcri_tans_decode(entries, map[contexts[i]], r->states[k],
                                                   &word, &sum, out + i);
    }
    bit += sum & 255;
    r->bit = bit;
}

/* At most PCRI_TANS_UNCHECKED symbols, without a look at the stream's end. */
PCRI_TANS_INLINE void pcri_tans_read_some(struct pcri_tans_reader *r,
                                          const pcri_tans_entry *entries, const uint8_t *map,
                                          const uint16_t *contexts, size_t n, uint8_t *out)
{
    switch (r->lanes) {
    case 1:
        pcri_tans_read_lanes(r, entries, map, contexts, n, out, 1);
        break;
    case 2:
        pcri_tans_read_lanes(r, entries, map, contexts, n, out, 2);
        break;
    case 4:
        pcri_tans_read_lanes(r, entries, map, contexts, n, out, 4);
        break;
    case 8:
        pcri_tans_read_lanes(r, entries, map, contexts, n, out, 8);
        break;
    default:
        pcri_tans_read_lanes(r, entries, map, contexts, n, out, 16);
        break;
    }
}

#endif
