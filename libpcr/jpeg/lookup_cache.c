/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups kept from image to image, the least recently used replaced first. */
#include "lookup_cache.h"

#include <stdlib.h>

static uint64_t hash_of(const struct pcri_dht *dht, unsigned max_size)
{
    return pcri_xxh3(dht->values, dht->value_count)
        ^ pcri_xxh3(dht->counts + 1, 16) * (2 * max_size + 1);
}

static bool is_of(const struct pcri_lookup_slot *s, const struct pcri_dht *dht,
                  unsigned max_size)
{
    return s->max_size == max_size && s->dht.value_count == dht->value_count
        && !memcmp(s->dht.counts + 1, dht->counts + 1, 16)
        && !memcmp(s->dht.values, dht->values, dht->value_count);
}

int pcri_lookup_get(struct pcri_lookup_cache *c, const struct pcri_dht *dht, bool refine,
                    unsigned max_size, struct pcri_lookup_slot **out, struct pcr_error *err)
{
    unsigned kind = refine ? 0 : max_size;
    uint64_t hash = hash_of(dht, kind);
    int oldest = 0;
    if (!dht->defined)
        return pcri_fail(err, PCR_ERR_CORRUPT, "a Huffman table is missing");
    for (int i = 0; i < PCRI_LOOKUP_CACHE_SLOTS; i++) {
        if (c->used[i] && c->hash[i] == hash && is_of(c->slots[i], dht, kind)) {
            c->used[i] = ++c->clock;
            *out = c->slots[i];
            return 0;
        }
        if (c->used[i] < c->used[oldest])
            oldest = i;
    }
    struct pcri_lookup_slot *s = c->slots[oldest];
    if (!s && !(s = c->slots[oldest] = pcri_calloc(1, sizeof(*s), err)))
        return PCR_ERR_NOMEM;
    c->used[oldest] = 0;
    int rc = pcri_lookup_build(dht, refine, max_size, &s->lookup, err);
    if (rc)
        return rc;
    s->dht = *dht;
    s->max_size = (uint8_t) kind;
    s->has_several = false;
    c->hash[oldest] = hash;
    c->used[oldest] = ++c->clock;
    *out = s;
    return 0;
}

const struct pcri_several *pcri_several_get(struct pcri_lookup_slot *slot)
{
    if (!slot->has_several)
        pcri_several_build(&slot->lookup, &slot->several);
    slot->has_several = true;
    return &slot->several;
}

void pcri_lookup_cache_free(struct pcri_lookup_cache *c)
{
    for (int i = 0; i < PCRI_LOOKUP_CACHE_SLOTS; i++)
        free(c->slots[i]);
    *c = (struct pcri_lookup_cache) { 0 };
}
