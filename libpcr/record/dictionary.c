/* SPDX-License-Identifier: BSD-2-Clause */
/* An open-addressing hash table of byte strings, filled once and then numbered. */
#include <stdlib.h>

#include "dictionary.h"

static void place(struct pcri_dictionary *d, uint32_t index)
{
    uint32_t mask = d->slot_count - 1, s = d->entries[index].hash & mask;
    while (d->slots[s])
        s = (s + 1) & mask;
    d->slots[s] = index + 1;
}

/* Room for one more entry, with at most half of the slots in use. */
static int grow(struct pcri_dictionary *d, struct pcr_error *err)
{
    if (d->count >> 30)
        return pcri_fail(err, PCR_ERR_LIMIT, "too many strings in one record");
    int rc = PCRI_GROW(d->entries, d->capacity, d->count + 1, err);
    if (rc || d->count < d->slot_count / 2)
        return rc;
    if (!d->slot_count)
        pcri_siphash_key(&d->hash_key);
    uint32_t slot_count = d->slot_count ? 2 * d->slot_count : 512;
    uint32_t *slots = pcri_calloc(slot_count, sizeof(*slots), err);
    if (!slots)
        return PCR_ERR_NOMEM;
    free(d->slots);
    d->slots = slots;
    d->slot_count = slot_count;
    for (uint32_t i = 0; i < d->count; i++)
        place(d, i);
    return 0;
}

static bool equal(const struct pcri_entry *e, const uint8_t *p, uint32_t nbytes, uint32_t hash)
{
    return e->hash == hash && e->nbytes == nbytes && (!nbytes || !memcmp(e->p, p, nbytes));
}

int pcri_dictionary_add(struct pcri_dictionary *d, const uint8_t *p, uint32_t nbytes,
                        uint32_t sample, bool needed, uint32_t *index_out,
                        struct pcr_error *err)
{
    int rc = grow(d, err);
    if (rc)
        return rc;
    uint32_t hash = (uint32_t) pcri_siphash(&d->hash_key, p, nbytes), mask = d->slot_count - 1;
    for (uint32_t s = hash & mask; d->slots[s]; s = (s + 1) & mask) {
        struct pcri_entry *e = &d->entries[d->slots[s] - 1];
        if (equal(e, p, nbytes, hash)) {
            e->kept |= needed || sample != e->sample;
            *index_out = d->slots[s] - 1;
            return 0;
        }
    }
    d->entries[d->count] = (struct pcri_entry) {
        .p = p,
        .nbytes = nbytes,
        .hash = hash,
        .sample = sample,
        .kept = needed,
    };
    *index_out = d->count;
    place(d, d->count++);
    return 0;
}

void pcri_dictionary_free(struct pcri_dictionary *d)
{
    free(d->entries);
    free(d->slots);
    *d = (struct pcri_dictionary) { 0 };
}
