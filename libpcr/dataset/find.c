/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding samples by key. The index holds only hashes; a hit is compared with the key. */
#include <stdlib.h>

#include "dataset.h"

enum {
    INDEX_BITS = 40, /* of a slot: index + 1; the rest is of the hash */
    SAME_HASH = 4,   /* how many samples with the same hash are kept, see insert() */
};

static const uint64_t index_mask = (UINT64_C(1) << INDEX_BITS) - 1;

void pcri_key_index_free(struct pcri_key_index *k)
{
    free(k->slots);
    k->slots = NULL;
}

/* Keys are inserted in order and nothing is ever removed, so that a search finds the first of
 * equal keys first. Those after it are never found. Of samples whose whole hashes are equal
 * only the first few are kept (not one, for very rarely two keys have one hash), so that any
 * number of equal keys takes no longer than others. */
static void insert(struct pcri_key_index *k, uint64_t *hashes, uint64_t hash, uint64_t index)
{
    uint64_t mask = k->slot_count - 1, s = hash & mask;
    for (int same = 0; k->slots[s]; s = (s + 1) & mask)
        if (hashes[s] == hash && ++same == SAME_HASH)
            return;
    k->slots[s] = (hash & ~index_mask) | (index + 1);
    hashes[s] = hash;
}

static int add_record(struct pcr_dataset *ds, struct pcri_key_index *k, uint64_t *hashes,
                      uint64_t record, struct pcr_error *err)
{
    struct pcri_held *held;
    int rc = pcri_hold(ds, record, &held, err);
    if (rc)
        return rc;
    const struct pcri_head *h = held->record->head;
    for (uint32_t i = 0; i < h->sample_count; i++) {
        uint32_t n;
        const char *key = pcri_text(&h->keys, i, &n);
        insert(k, hashes, pcri_siphash(&k->hash_key, key, n), ds->first_samples[record] + i);
    }
    pcri_let_go(ds, held);
    return 0;
}

/* Reads all heads. */
static int build(struct pcr_dataset *ds, struct pcri_key_index *out, struct pcr_error *err)
{
    uint64_t count = ds->first_samples[ds->record_count], slots = 16;
    struct pcri_key_index k = { .slots = NULL };
    if (count >= index_mask)
        return pcri_fail(err, PCR_ERR_LIMIT, "too many samples for an index of keys");
    while (slots < count + count / 2)
        slots *= 2;
    uint64_t *hashes = pcri_calloc(slots, sizeof(*hashes), err); /* of the slots */
    if (hashes)
        k.slots = pcri_calloc(slots, sizeof(*k.slots), err);
    k.slot_count = slots;
    pcri_siphash_key(&k.hash_key);
    int rc = k.slots ? 0 : PCR_ERR_NOMEM;
    for (uint64_t r = 0; !rc && r < ds->record_count; r++)
        rc = add_record(ds, &k, hashes, r, err);
    free(hashes);
    if (rc) {
        pcri_key_index_free(&k);
        return rc;
    }
    out->slots = k.slots;
    out->slot_count = k.slot_count;
    out->hash_key = k.hash_key;
    return 0;
}

/* One thread builds, others wait for it; without the lock, which fork() waits for, as it reads. */
static int have_index(struct pcr_dataset *ds, struct pcr_error *err)
{
    struct pcri_key_index *k = &ds->keys, made = { .slots = NULL };
    bool stopped = false;
    pthread_mutex_lock(&k->mutex);
    while (k->building && !(stopped = pcri_wait_stopped()))
        pcri_cond_wait(&k->built, &k->mutex);
    bool mine = !stopped && !k->slots;
    if (mine)
        k->building = true;
    pthread_mutex_unlock(&k->mutex);
    if (!mine)
        return stopped ? pcri_fail_stopped(err) : 0;

    int rc = build(ds, &made, err);
    pthread_mutex_lock(&k->mutex);
    k->building = false;
    if (!rc) {
        k->slots = made.slots;
        k->slot_count = made.slot_count;
        k->hash_key = made.hash_key;
    }
    pthread_cond_broadcast(&k->built);
    pthread_mutex_unlock(&k->mutex);
    return rc;
}

void pcri_key_index_forget_building(struct pcri_key_index *k)
{
    k->building = false;
    pcri_cond_init(&k->built);
}

/* Sets *equal_out to whether the sample has the key. */
static int compare(struct pcr_dataset *ds, uint64_t index, const void *key, size_t key_nbytes,
                   bool *equal_out, struct pcr_error *err)
{
    struct pcr_sample *s = NULL;
    struct pcr_sample_info info = { .size = sizeof(info) };
    int rc = pcr_sample_acquire(ds, index, &s, err);
    if (!rc)
        rc = pcr_sample_describe(s, &info, err);
    if (!rc)
        *equal_out = info.key_nbytes == key_nbytes &&
                     (!key_nbytes || !memcmp(info.key, key, key_nbytes));
    pcr_sample_release(&s);
    return rc;
}

int pcr_dataset_find(struct pcr_dataset *ds, const void *key, size_t key_nbytes,
                     uint64_t *index_out, struct pcr_error *err)
{
    struct pcri_key_index *k = &ds->keys;
    int rc = have_index(ds, err);
    if (rc)
        return rc;

    /* Once built, the index does not change until the dataset is closed. */
    uint64_t hash = pcri_siphash(&k->hash_key, key, key_nbytes), mask = k->slot_count - 1;
    for (uint64_t s = hash & mask; k->slots[s]; s = (s + 1) & mask) {
        bool equal = false;
        if ((k->slots[s] ^ hash) & ~index_mask)
            continue;
        uint64_t index = (k->slots[s] & index_mask) - 1;
        if ((rc = compare(ds, index, key, key_nbytes, &equal, err)))
            return rc;
        if (equal) {
            *index_out = index;
            return 0;
        }
    }
    return PCR_END;
}
