/* SPDX-License-Identifier: BSD-2-Clause */
/* Huffman tables for decoding: one look-up yields code and extra bits at once. */
#include "scan_decode.h"

int pcri_dht_parse(const uint8_t *segment, size_t nbytes, struct pcri_dht *tables,
                   struct pcr_error *err)
{
    const uint8_t *p = segment + 4, *end = segment + nbytes;
    while (p < end) {
        size_t total = 0;
        unsigned class = *p >> 4, slot = *p & 15;
        if (end - p < 17 || class > 1 || slot > 3)
            return pcri_fail(err, PCR_ERR_CORRUPT, "DHT: class %u, slot %u, %zu bytes left",
                             class, slot, (size_t) (end - p));
        for (int i = 1; i <= 16; i++)
            total += p[i];
        if (total > 256 || (size_t) (end - p) < 17 + total)
            return pcri_fail(err, PCR_ERR_CORRUPT, "DHT: %zu values, %zu bytes left", total,
                             (size_t) (end - p) - 17);
        struct pcri_dht *t = &tables[class * 4 + slot];
        t->defined = true;
        t->value_count = (uint16_t) total;
        memcpy(t->counts + 1, p + 1, 16);
        memcpy(t->values, p + 17, total);
        p += 17 + total;
    }
    return 0;
}

static uint32_t reverse(uint32_t v, unsigned nbits)
{
    uint32_t r = 0;
    for (unsigned i = 0; i < nbits; i++)
        r |= (v >> i & 1) << (nbits - 1 - i);
    return r;
}

/* The entries that begin with this code, each with the value of the extra bits after it. */
static void fill(struct pcri_lookup *t, uint32_t code, unsigned length, uint8_t symbol,
                 unsigned max_size)
{
    unsigned spare = PCRI_LOOKUP_BITS - length, size = symbol & 15;
    struct pcri_lookup_entry e = { 0, (uint8_t) length, symbol };
    struct pcri_lookup_entry *at = t->fast + (code << spare);
    if (size > spare || size > max_size)
        return; /* they stay 0 */
    e.nbits = (uint8_t) (length + size);
    for (int32_t extra = 0; extra < 1 << size; extra++) {
        if (size)
            e.value = (int16_t) (extra >> (size - 1) ? extra : extra - (1 << size) + 1);
        for (uint32_t rest = 0; rest < 1u << (spare - size); rest++)
            *at++ = e;
    }
}

/* As fill(), for refinement scans: the code is the lowest bits of the index. */
static void fill_refine(struct pcri_lookup *t, uint32_t code, unsigned length, uint8_t symbol)
{
    unsigned size = symbol & 15;
    if (size > 1 || length + size > PCRI_LOOKUP_BITS)
        return;
    for (uint32_t sign = 0; sign <= size; sign++) {
        struct pcri_lookup_entry e = pcri_refine_entry(symbol, length, sign);
        uint32_t i = reverse(code, length) | sign << length;
        for (; i < 1 << PCRI_LOOKUP_BITS; i += 1u << (length + size))
            t->fast[i] = e;
    }
}

int pcri_lookup_build(const struct pcri_dht *dht, bool refine, unsigned max_size,
                      struct pcri_lookup *out, struct pcr_error *err)
{
    if (!dht->defined)
        return pcri_fail(err, PCR_ERR_CORRUPT, "a Huffman table is missing");
    memset(out->fast, 0, sizeof(out->fast));
    out->value_count = dht->value_count;
    memcpy(out->values, dht->values, sizeof(out->values));
    uint32_t code = 0, i = 0;
    for (unsigned length = 1; length <= 16; length++, code <<= 1) {
        out->offset[length] = (int32_t) i - (int32_t) code;
        for (unsigned k = 0; k < dht->counts[length]; k++, i++, code++)
            if (length <= PCRI_LOOKUP_BITS && code < 1u << length && refine)
                fill_refine(out, code, length, dht->values[i]);
            else if (length <= PCRI_LOOKUP_BITS && code < 1u << length)
                fill(out, code, length, dht->values[i], max_size);
        if (code >= 1u << length) /* none may be all ones (ISO/IEC 10918-1 C.2) */
            return pcri_fail(err, PCR_ERR_CORRUPT,
                             "a Huffman table has too many codes of %u bits", length);
        out->limit[length] = code << (16 - length);
    }
    out->limit[17] = UINT32_MAX;
    return 0;
}

/* --- several symbols at once --- */

/* The symbol after the first `used` bits of the index, if all of it is in the index. */
static struct pcri_lookup_entry next_symbol(const struct pcri_lookup *t, uint32_t index,
                                            unsigned used, unsigned index_bits)
{
    struct pcri_lookup_entry e = t->fast[index >> used];
    if (e.nbits > index_bits - used)
        e.nbits = 0;
    return e;
}

static struct pcri_several_entry several_of(const struct pcri_lookup *t, uint32_t index)
{
    struct pcri_several_entry s = { 0 };
    struct pcri_lookup_entry e = next_symbol(t, index, 0, PCRI_SEVERAL_BITS);
    for (int n = 0; n < 2 && e.nbits && e.symbol < PCRI_REFINE_END_OF_BAND; n++) {
        s.second = (uint8_t) (s.length + e.symbol);
        s.values[1] = (int8_t) e.value;
        if (!n) {
            s.first = s.second;
            s.values[0] = s.values[1];
        }
        s.fresh |= (uint32_t) (e.value != 0) << s.second;
        s.length = (uint8_t) (s.second + 1);
        s.nbits = (uint8_t) (s.nbits + e.nbits);
        e = next_symbol(t, index, s.nbits, PCRI_SEVERAL_BITS);
    }
    if (e.nbits && e.symbol >= PCRI_REFINE_END_OF_BAND) {
        s.nbits = (uint8_t) (s.nbits + e.nbits);
        s.end = (uint8_t) (e.symbol - PCRI_REFINE_END_OF_BAND + 1);
    }
    return s;
}

void pcri_several_build(const struct pcri_lookup *refine, struct pcri_several *out)
{
    for (uint32_t i = 0; i < 1u << PCRI_SEVERAL_BITS; i++)
        out->entries[i] = several_of(refine, i);
}

/* The symbols at the index's beginning, up to `most` of them. */
static struct pcri_step step_of(const struct pcri_lookup *t, uint32_t index, int most)
{
    struct pcri_step s = { 0 };
    unsigned length = 0, used = 0;
    for (int n = 0; n < most; n++) {
        struct pcri_lookup_entry e = next_symbol(t, index, used, PCRI_STEP_BITS);
        bool end = e.symbol == PCRI_REFINE_END_OF_BAND;
        unsigned target = length + (end ? 0 : e.symbol);
        if (!e.nbits || target > 15)
            break;
        s.reach = (uint16_t) (1u << target);
        s.fresh = (uint16_t) (s.fresh | (e.value != 0) << target);
        s.negative = (uint16_t) (s.negative | (e.value < 0) << target);
        used += e.nbits;
        length = target + 1;
        if (end) {
            s.all = -1;
            break;
        }
    }
    s.nbits = (uint8_t) used;
    return s;
}

void pcri_steps_build(const struct pcri_lookup *refine, bool several, struct pcri_steps *out)
{
    const uint32_t n = 1u << PCRI_STEP_BITS;
    out->several = several ? n : 0;
    for (uint32_t i = 0; i < n; i++) {
        out->entries[i] = step_of(refine, i, 1);
        if (several)
            out->entries[n + i] = step_of(refine, i, PCRI_STEP_BITS);
    }
}
