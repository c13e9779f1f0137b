/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups kept from image to image, the least recently used replaced first. */
#include "lookup_cache.h"

#include <stdlib.h>

/* A scan of so many bytes, or reuse within so many, repays building the larger look-ups. */
enum { PAYING_NBYTES = 1000, PAYING_USES = 4 };

static uint64_t hash_of(const struct pcri_dht *dht, enum pcri_lookup_kind kind,
                        unsigned max_size)
{
    return pcri_xxh3(dht->values, dht->value_count) ^
           pcri_xxh3(dht->counts + 1, 16) * (8 * max_size + 2 * (unsigned) kind + 1);
}

static bool is_of(const struct pcri_lookup_slot *s, const struct pcri_dht *dht,
                  enum pcri_lookup_kind kind, unsigned max_size)
{
    return s->kind == kind && s->max_size == max_size &&
           s->dht.value_count == dht->value_count &&
           !memcmp(s->dht.counts + 1, dht->counts + 1, 16) &&
           !memcmp(s->dht.values, dht->values, dht->value_count);
}

static void forget(struct pcri_lookup_slot *s)
{
    free(s->several);
    free(s->pairs);
    free(s->steps);
    s->several = NULL;
    s->pairs = NULL;
    s->steps = NULL;
    s->uses = 0;
}

int pcri_lookup_get(struct pcri_lookup_cache *c, const struct pcri_dht *dht,
                    enum pcri_lookup_kind kind, unsigned max_size,
                    struct pcri_lookup_slot **out, struct pcr_error *err)
{
    uint64_t hash = hash_of(dht, kind, max_size);
    int oldest = 0;
    if (!dht->defined)
        return pcri_fail(err, PCR_ERR_CORRUPT, "a Huffman table is missing");
    for (int i = 0; i < PCRI_LOOKUP_CACHE_SLOTS; i++) {
        if (c->used[i] && c->hash[i] == hash && is_of(c->slots[i], dht, kind, max_size)) {
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
    forget(s);
    int rc = pcri_lookup_build(dht, kind == PCRI_LOOKUP_REFINE, max_size, &s->lookup, err);
    if (rc)
        return rc;
    s->dht = *dht;
    s->kind = kind;
    s->max_size = (uint8_t) max_size;
    c->hash[oldest] = hash;
    c->used[oldest] = ++c->clock;
    *out = s;
    return 0;
}

static bool pays(struct pcri_lookup_slot *slot, size_t scan_nbytes)
{
    return scan_nbytes >= PAYING_NBYTES || ++slot->uses > PAYING_USES;
}

int pcri_several_get(struct pcri_lookup_slot *slot, size_t scan_nbytes,
                     const struct pcri_several **out, struct pcr_error *err)
{
    if (!slot->several && pays(slot, scan_nbytes)) {
        slot->several = pcri_malloc(1, sizeof(*slot->several), err);
        if (!slot->several)
            return PCR_ERR_NOMEM;
        pcri_several_build(&slot->lookup, slot->several);
    }
    *out = slot->several;
    return 0;
}

int pcri_steps_get(struct pcri_lookup_slot *slot, size_t scan_nbytes,
                   const struct pcri_steps **out, struct pcr_error *err)
{
    bool build = !slot->steps, several = false;
    if (build && !(slot->steps = pcri_malloc(1, sizeof(*slot->steps), err)))
        return PCR_ERR_NOMEM;
    if (build || !slot->steps->several)
        several = pays(slot, scan_nbytes);
    if (build || several)
        pcri_steps_build(&slot->lookup, several, slot->steps);
    *out = slot->steps;
    return 0;
}

int pcri_pairs_get(struct pcri_lookup_slot *slot, size_t scan_nbytes,
                   const struct pcri_pairs **out, struct pcr_error *err)
{
    if (!slot->pairs && pays(slot, scan_nbytes)) {
        slot->pairs = pcri_malloc(1, sizeof(*slot->pairs), err);
        if (!slot->pairs)
            return PCR_ERR_NOMEM;
        pcri_pairs_build(&slot->lookup, slot->kind == PCRI_LOOKUP_FIRST, slot->pairs);
    }
    *out = slot->pairs;
    return 0;
}

void pcri_lookup_cache_free(struct pcri_lookup_cache *c)
{
    for (int i = 0; i < PCRI_LOOKUP_CACHE_SLOTS; i++) {
        if (c->slots[i])
            forget(c->slots[i]);
        free(c->slots[i]);
    }
    *c = (struct pcri_lookup_cache) { 0 };
}
