/* SPDX-License-Identifier: BSD-2-Clause */
/* Building look-ups of pairs. */
#include "pairs.h"

/* The entry at the end of the index's first `used` bits, if all of it is in the index. */
static struct pcri_lookup_entry next_entry(const struct pcri_lookup *t, uint32_t index,
                                           unsigned used)
{
    struct pcri_lookup_entry e = t->fast[index << used & ((1u << PCRI_LOOKUP_BITS) - 1)];
    if (e.nbits > PCRI_LOOKUP_BITS - used)
        e.nbits = 0;
    return e;
}

static bool is_end(struct pcri_lookup_entry e, bool runs)
{
    return e.nbits && !e.value && e.symbol <= (runs ? 0xE0 : 0) && !(e.symbol & 15);
}

static void make_pair(const struct pcri_lookup *single, bool runs, uint32_t index,
                      struct pcri_pairs *t)
{
    struct pcri_lookup_entry a = single->fast[index], b;
    struct pcri_pair *p = &t->pairs[index];
    *p = (struct pcri_pair) { .advance = PCRI_PAIR_END, .limit = is_end(a, runs) ? 63 : 0 };
    t->nbits[index] = a.nbits;
    t->ends[index] = a.symbol >> 4;
    if (!a.nbits || !a.value)
        return;
    p->first = p->second = a.symbol >> 4;
    p->values[0] = p->values[1] = a.value;
    b = next_entry(single, index, a.nbits);
    if (b.nbits && b.value) {
        t->nbits[index] = (uint8_t) (t->nbits[index] + b.nbits);
        p->second = (uint8_t) (p->first + 1 + (b.symbol >> 4));
        p->values[1] = b.value;
        b = next_entry(single, index, t->nbits[index]);
    }
    bool end = is_end(b, runs);
    if (end) {
        t->nbits[index] = (uint8_t) (t->nbits[index] + b.nbits);
        t->ends[index] = b.symbol >> 4;
    }
    p->advance = end ? PCRI_PAIR_VALUE_END : (uint8_t) (p->second + 1);
    /* None is coded after the last coefficient. */
    p->limit = (uint8_t) (63 - p->second - end);
}

void pcri_pairs_build(const struct pcri_lookup *single, bool runs, struct pcri_pairs *out)
{
    for (uint32_t i = 0; i < 1u << PCRI_LOOKUP_BITS; i++)
        make_pair(single, runs, i, out);
}
