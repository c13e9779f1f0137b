/* SPDX-License-Identifier: BSD-2-Clause */
/* tANS (J. Duda, "Asymmetric numeral systems", 2013), the entropy coder of coding 2: several
 * states take turns over one stream of bits, each symbol by a table of its own choice. */
#ifndef PCRI_TANS_H
#define PCRI_TANS_H

#include "../base/base.h"

enum {
    PCRI_TANS_LOG = 9,
    PCRI_TANS_STATES = 1 << PCRI_TANS_LOG,
    PCRI_TANS_MAX_LANES = 16,
    /* Readable bytes after a stream's end: a position is compared with it once for so many
     * symbols, of at most PCRI_TANS_LOG bits each, and words of 8 bytes are read. */
    PCRI_TANS_UNCHECKED = 512,
    PCRI_TANS_PADDING = PCRI_TANS_UNCHECKED * PCRI_TANS_LOG / 8 + 8 + 64,
};

/* --- tables --- */

/* A decoding table's entry: bits to read | symbol << 8 | next state without them << 16. */
typedef uint32_t pcri_tans_entry;

/* Frequencies add up to PCRI_TANS_STATES. */
void pcri_tans_decoder(const uint16_t freq[256], pcri_tans_entry out[PCRI_TANS_STATES]);

struct pcri_tans_symbol {
    uint32_t nbits_delta; /* (state + nbits_delta) >> 16: bits to write; 0: no such symbol */
    int32_t next_delta;   /* next[(state >> bits) + next_delta]: the next state */
};

struct pcri_tans_encoder {
    struct pcri_tans_symbol symbols[256];
    uint16_t next[PCRI_TANS_STATES]; /* states count from PCRI_TANS_STATES here */
};

void pcri_tans_encoder(const uint16_t freq[256], struct pcri_tans_encoder *out);

/* --- reading --- */

struct pcri_tans_reader {
    const uint8_t *data; /* with PCRI_TANS_PADDING readable bytes after its end */
    uint64_t bit, end;   /* of it */
    unsigned lanes;      /* 1, 2, 4, 8 or 16 */
    uint16_t states[PCRI_TANS_MAX_LANES];
};

/* Reads the start states. CORRUPT where they are not there. */
int pcri_tans_open(struct pcri_tans_reader *r, const uint8_t *data, size_t nbytes,
                   unsigned lanes, struct pcr_error *err);
/* At most PCRI_TANS_UNCHECKED symbols. Is one of them `escape`, or of what comes after them in
 * `out`? That is written up to a multiple of 32, and the first two of each 32 contexts become the
 * marks of pcri_tans_escapes(). After the contexts there are PCRI_TANS_MAX_LANES
 * more, of any symbols of the same tables. There is one for each kind of CPU. */
typedef bool pcri_tans_read_fn(struct pcri_tans_reader *r, const pcri_tans_entry *entries,
                               const uint8_t *map, uint16_t *contexts, size_t n,
                               uint8_t escape, uint8_t *out);
pcri_tans_read_fn pcri_tans_read_portable;
/* A call: n symbols, number i by state i mod lanes and by the table number map[contexts[i]] of
 * `entries`. Contexts are used up; they and `out` have room for 32 more. *escapes_out: may any
 * symbol be `escape`? Then pcri_tans_escapes() knows which. False if the data end before them:
 * `out` then has n symbols that mean nothing. */
bool pcri_tans_read(struct pcri_tans_reader *r, pcri_tans_read_fn *some,
                    const pcri_tans_entry *entries, const uint8_t *map, uint16_t *contexts,
                    size_t n, uint8_t escape, uint8_t *out, bool *escapes_out);
/* After a call of n symbols that may have escapes: which of symbols i to i + 31 are such; i is a
 * multiple of 32. */
static inline uint32_t pcri_tans_escapes(const uint16_t *contexts, size_t i, size_t n)
{
    uint32_t marks;
    memcpy(&marks, contexts + i, sizeof(marks));
    return n - i < 32 ? marks & ((UINT32_C(1) << (n - i)) - 1) : marks;
}
/* Is all read, and are the states those that the writer began with? */
bool pcri_tans_finished(const struct pcri_tans_reader *r);

/* --- writing --- */

/* Symbols of one stream, call by call. */
struct pcri_tans_writer {
    uint8_t *tables, *symbols;
    uint32_t *bits; /* scratch of finish: value | count << 16 */
    size_t count, capacity;
    uint32_t *calls; /* lengths */
    size_t call_count, call_capacity;
};

/* Makes room for n more symbols and one more call. */
int pcri_tans_reserve(struct pcri_tans_writer *w, size_t n, struct pcr_error *err);
/* Appends the stream to *out and forgets the symbols. Each has a code. */
int pcri_tans_finish(struct pcri_tans_writer *w, const struct pcri_tans_encoder *tables,
                     unsigned lanes, struct pcr_buffer *out, struct pcr_error *err);
void pcri_tans_free(struct pcri_tans_writer *w);

#endif
