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

/* The entries that begin with this code. */
static void fill(struct pcri_lookup *t, uint32_t code, unsigned length, uint8_t symbol,
                 bool refine, unsigned max_size)
{
    unsigned spare = PCRI_LOOKUP_BITS - length, size = symbol & 15;
    for (uint32_t rest = 0; rest < 1u << spare; rest++) {
        struct pcri_lookup_entry e = { 0, (uint8_t) length, symbol };
        uint32_t index = code << spare | rest;
        if (refine) {
            index = reverse(index, PCRI_LOOKUP_BITS);
        } else if (size) {
            if (size > spare || size > max_size) {
                e.nbits = 0;
            } else {
                uint32_t extra = rest >> (spare - size);
                bool negative = !(extra >> (size - 1));
                e.value = (int16_t) ((int32_t) extra - (negative ? (1 << size) - 1 : 0));
                e.nbits = (uint8_t) (length + size);
            }
        }
        t->fast[index] = e;
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
            if (length <= PCRI_LOOKUP_BITS && code < 1u << length)
                fill(out, code, length, dht->values[i], refine, max_size);
        if (code >= 1u << length) /* none may be all ones (ISO/IEC 10918-1 C.2) */
            return pcri_fail(err, PCR_ERR_CORRUPT,
                             "a Huffman table has too many codes of %u bits", length);
        out->limit[length] = code << (16 - length);
    }
    out->limit[17] = UINT32_MAX;
    return 0;
}
