/* SPDX-License-Identifier: BSD-2-Clause */
/* tANS: tables from frequencies, reading and writing.
 *
 * A state x stands for a number in [S, 2 S), S = PCRI_TANS_STATES. To write a symbol of
 * frequency f, as many low bits of x are written as bring it into [f, 2 f); its rank there
 * among the symbol's places in the table is the next state. Reading goes the other way round,
 * so that symbols are written from the last to the first. Where states take turns, loads from
 * tables overlap, and only the position in the stream goes from symbol to symbol. */
#include <stdlib.h>

#include "tans_read.h"

/* Which symbol each state stands for: places are dealt in steps, as zstd's are (RFC 8878). */
static void spread(const uint16_t freq[256], uint8_t out[PCRI_TANS_STATES])
{
    const uint32_t step = (PCRI_TANS_STATES >> 1) + (PCRI_TANS_STATES >> 3) + 3;
    uint32_t at = 0;
    for (unsigned s = 0; s < 256; s++)
        for (unsigned i = 0; i < freq[s]; i++) {
            out[at] = (uint8_t) s;
            at = (at + step) % PCRI_TANS_STATES;
        }
}

static unsigned log2_floor(uint32_t v)
{
    return 31 - (unsigned) __builtin_clz(v);
}

void pcri_tans_decoder(const uint16_t freq[256], pcri_tans_entry out[PCRI_TANS_STATES])
{
    uint8_t symbols[PCRI_TANS_STATES];
    uint16_t next[256];
    spread(freq, symbols);
    memcpy(next, freq, sizeof(next));
    for (uint32_t i = 0; i < PCRI_TANS_STATES; i++) {
        uint32_t s = symbols[i], x = next[s]++;
        uint32_t nbits = PCRI_TANS_LOG - log2_floor(x);
        out[i] = nbits | s << 8 | ((x << nbits) - PCRI_TANS_STATES) << 16;
    }
}

void pcri_tans_encoder(const uint16_t freq[256], struct pcri_tans_encoder *out)
{
    uint8_t symbols[PCRI_TANS_STATES];
    uint32_t first[256], at = 0;
    spread(freq, symbols);
    for (unsigned s = 0; s < 256; s++) {
        struct pcri_tans_symbol *t = &out->symbols[s];
        uint32_t f = freq[s];
        first[s] = at;
        *t = (struct pcri_tans_symbol) { 0 };
        if (f) {
            /* States from f << most on write `most` bits, those below one less. */
            uint32_t most = PCRI_TANS_LOG - (f > 1 ? log2_floor(f - 1) : 0);
            most = f > 1 ? most : PCRI_TANS_LOG;
            t->nbits_delta = (most << 16) - (f << most);
            t->next_delta = (int32_t) at - (int32_t) f;
        }
        at += f;
    }
    for (uint32_t i = 0; i < PCRI_TANS_STATES; i++)
        out->next[first[symbols[i]]++] = (uint16_t) (PCRI_TANS_STATES + i);
}

/* --- reading --- */

int pcri_tans_open(struct pcri_tans_reader *r, const uint8_t *data, size_t nbytes,
                   unsigned lanes, struct pcr_error *err)
{
    *r = (struct pcri_tans_reader) { data, 0, 8 * (uint64_t) nbytes, lanes, { 0 } };
    if (r->end < PCRI_TANS_LOG * lanes)
        return pcri_fail(err, PCR_ERR_CORRUPT, "no room for %u states in %zu bytes", lanes,
                         nbytes);
    for (unsigned i = 0; i < lanes; i++, r->bit += PCRI_TANS_LOG)
        r->states[i] = pcri_tans_word(data, r->bit) % PCRI_TANS_STATES;
    return 0;
}

bool pcri_tans_read_portable(struct pcri_tans_reader *r, const pcri_tans_entry *entries,
                             const uint8_t *map, uint16_t *contexts, size_t n, uint8_t escape,
                             uint8_t *out)
{
    return pcri_tans_read_some(r, entries, map, contexts, n, escape, out);
}

bool pcri_tans_read(struct pcri_tans_reader *r, pcri_tans_read_fn *some,
                    const pcri_tans_entry *entries, const uint8_t *map, uint16_t *contexts,
                    size_t n, uint8_t escape, uint8_t *out, bool *escapes_out)
{
    *escapes_out = false;
    for (size_t k = 0; n && k < PCRI_TANS_MAX_LANES; k++)
        contexts[n + k] = contexts[n - 1];
    for (size_t i = 0; i < n; i += PCRI_TANS_UNCHECKED) {
        if (r->bit > r->end) {
            memset(out + i, 0, n - i);
            return false;
        }
        *escapes_out |= some(r, entries, map, contexts + i,
                             n - i < PCRI_TANS_UNCHECKED ? n - i : PCRI_TANS_UNCHECKED, escape,
                             out + i);
    }
    return r->bit <= r->end;
}

bool pcri_tans_finished(const struct pcri_tans_reader *r)
{
    for (unsigned i = 0; i < r->lanes; i++)
        if (r->states[i])
            return false;
    return (r->bit + 7) / 8 == r->end / 8;
}

/* --- writing --- */

int pcri_tans_reserve(struct pcri_tans_writer *w, size_t n, struct pcr_error *err)
{
    if (w->capacity - w->count < n) {
        const size_t capacity = w->capacity + w->capacity / 2 + n;
        int rc = pcri_resize(&w->tables, capacity, sizeof(*w->tables), err);
        if (!rc)
            rc = pcri_resize(&w->symbols, capacity, sizeof(*w->symbols), err);
        if (!rc)
            rc = pcri_resize(&w->bits, capacity, sizeof(*w->bits), err);
        if (rc)
            return rc;
        w->capacity = capacity;
    }
    return PCRI_GROW(w->calls, w->call_capacity, w->call_count + 1, err);
}

/* Codes all symbols, from the last to the first; states: from the end's to the start's. */
static uint64_t encode_all(struct pcri_tans_writer *w, const struct pcri_tans_encoder *tables,
                           unsigned lanes, uint32_t states[])
{
    uint64_t total = 0;
    size_t i = w->count;
    for (size_t c = w->call_count; c-- > 0;)
        for (uint32_t k = w->calls[c]; k-- > 0;) {
            i--;
            const struct pcri_tans_encoder *t = &tables[w->tables[i]];
            const struct pcri_tans_symbol s = t->symbols[w->symbols[i]];
            uint32_t *x = &states[k % lanes];
            uint32_t nbits = (*x + s.nbits_delta) >> 16;
            w->bits[i] = (*x & ((1u << nbits) - 1)) | nbits << 16;
            *x = t->next[(int32_t) (*x >> nbits) + s.next_delta];
            total += nbits;
        }
    return total;
}

int pcri_tans_finish(struct pcri_tans_writer *w, const struct pcri_tans_encoder *tables,
                     unsigned lanes, struct pcr_buffer *out, struct pcr_error *err)
{
    uint32_t states[PCRI_TANS_MAX_LANES];
    for (unsigned i = 0; i < lanes; i++)
        states[i] = PCRI_TANS_STATES;
    uint64_t total = encode_all(w, tables, lanes, states) + lanes * PCRI_TANS_LOG;
    size_t nbytes = (size_t) ((total + 7) / 8);
    int rc = pcri_buffer_reserve(out, out->nbytes + nbytes + 8, err);
    if (rc)
        return rc;
    uint8_t *p = (uint8_t *) out->data + out->nbytes;
    uint64_t word = 0;
    unsigned held = 0;
    for (size_t i = 0; i < lanes + w->count; i++) {
        uint32_t b = i < lanes ? (states[i] - PCRI_TANS_STATES) | PCRI_TANS_LOG << 16
                               : w->bits[i - lanes];
        word |= (uint64_t) (b & 0xFFFF) << held;
        held += b >> 16;
        pcri_store64(p, word);
        p += held >> 3;
        word >>= held & 56;
        held &= 7;
    }
    out->nbytes += nbytes;
    w->count = w->call_count = 0;
    return 0;
}

void pcri_tans_free(struct pcri_tans_writer *w)
{
    free(w->tables);
    free(w->symbols);
    free(w->bits);
    free(w->calls);
    *w = (struct pcri_tans_writer) { 0 };
}
