/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of dataset reading: the open dataset and its cache of records. */
#ifndef PCRI_DATASET_H
#define PCRI_DATASET_H

#include <pthread.h>

#include <pcr/dataset.h>

#include "../base/siphash.h"
#include "../base/spare.h"
#include "../io/layer.h"
#include "../io/storage.h"
#include "../manifest/manifest.h"

/* An open record. References are counted; the cache's own is one of them. */
struct pcri_held {
    struct pcri_record *record; /* NULL while it is being opened */
    uint64_t number;            /* in the dataset as opened */
    uint32_t references;        /* under the cache's mutex */
    struct pcri_restore_column
        *originals; /* NULL until needed; under the mutex, then constant */
    struct pcri_held *newer, *older;
};

/* The most recently used records (cache.c). */
struct pcri_cache {
    pthread_mutex_t mutex;
    pthread_cond_t opened;   /* the opening of some record has ended */
    struct pcri_held **held; /* by record number; NULL: not in the cache */
    struct pcri_held *newest, *oldest;
    uint32_t count, capacity;
};

/* Keys to dataset indices (find.c). Open addressing; a slot holds the upper bits of the
 * key's hash and the index + 1, or 0. */
struct pcri_key_index {
    pthread_mutex_t mutex;
    pthread_cond_t built; /* building has ended */
    bool building;
    struct pcri_siphash_key hash_key; /* of this dataset only */
    uint64_t *slots;                  /* NULL until the first search */
    uint64_t slot_count;
};

struct pcr_dataset {
    struct pcri_manifest manifest;
    struct pcr_buffer text; /* the manifest's; empty for a single record */
    char *folder;           /* of the records */
    const struct pcri_storage *storage;
    struct pcri_layers *layers; /* on the storage's backend */
    uint32_t flags;             /* PCR_DATASET_* */
    struct pcr_limits limits;
    const char *split;     /* the one that was opened, or NULL */
    uint64_t first_record; /* of the opened split(s), in the manifest */
    uint64_t record_count;
    uint64_t *first_samples; /* record_count + 1: dataset index of each record's first */
    uint64_t *class_counts;  /* of the opened split(s) */
    uint64_t source_nbytes, head_nbytes, total_nbytes;
    uint64_t prefix_nbytes[PCRI_MAX_GROUPS];
    struct pcri_cache cache;
    struct pcri_key_index keys;
    struct pcri_spare spare;  /* memory of released slices, for later ones */
    struct pcr_dataset *next; /* list of all open datasets; registry.c */
};

static inline uint32_t pcri_parse_flags(const struct pcr_dataset *ds)
{
    return ds->flags & PCR_DATASET_NO_VERIFY ? PCRI_PARSE_ANY_END | PCRI_PARSE_NO_VERIFY
                                             : PCRI_PARSE_ANY_END;
}

/* --- records.c --- */

/* Turns PCR_FIDELITY_FULL into G; INVAL above G. */
int pcri_fidelity(uint32_t asked, uint32_t group_count, uint32_t *out, struct pcr_error *err);

/* INVAL: the dataset does not have so many records. */
int pcri_check_record(const struct pcr_dataset *ds, uint64_t record, struct pcr_error *err);

/* Opens record `number` (of those opened) anew and compares it with the manifest. */
int pcri_dataset_open_record(const struct pcr_dataset *ds, uint64_t number, uint32_t flags,
                             struct pcri_record **out, struct pcr_error *err);

/* --- original.c --- */
void pcri_held_originals_free(struct pcri_held *held);

/* --- cache.c --- */
int pcri_cache_init(struct pcri_cache *c, uint64_t record_count, uint32_t capacity,
                    struct pcr_error *err);
void pcri_cache_free(struct pcri_cache *c);
/* Holds record `number`, opening it if necessary; one thread opens it, others wait. */
int pcri_hold(struct pcr_dataset *ds, uint64_t number, struct pcri_held **out,
              struct pcr_error *err);
void pcri_let_go(struct pcr_dataset *ds, struct pcri_held *held);

/* Closes the least recently used record that nobody holds; false if there is none. */
bool pcri_cache_shrink(struct pcri_cache *c);

/* In a forked child, with the cache's mutex held: forgets that other threads were opening
 * records. */
void pcri_cache_forget_opening(struct pcri_cache *c);

/* --- registry.c --- */
/* Registers an open dataset until it is removed: fork() takes care of it, and its records may
 * be closed when descriptors run out. */
int pcri_registry_add(struct pcr_dataset *ds, struct pcr_error *err); /* NOMEM */
void pcri_registry_remove(struct pcr_dataset *ds);

/* --- sample.c --- */
/* The record that holds sample `index`, which must exist. */
uint64_t pcri_record_of(const struct pcr_dataset *ds, uint64_t index);
int pcri_describe(const struct pcr_dataset *ds, const struct pcri_held *held, uint32_t i,
                  struct pcr_sample_info *info_out, struct pcr_error *err);

/* --- columns.c --- */
struct pcri_dataset_column;
/* An empty column of the dataset's attribute `name`. INVAL, NOMEM. */
int pcri_column_create(const struct pcr_dataset *ds, const char *name,
                       struct pcri_dataset_column **out, struct pcr_error *err);
/* Appends samples [from, end) of a record. CORRUPT, NOMEM. */
int pcri_column_append(struct pcri_dataset_column *c, const struct pcri_record *r,
                       uint32_t from, uint32_t end, struct pcr_error *err);
/* Gives out what was made, or if rc is not 0 frees it. Returns rc. */
int pcri_column_deliver(struct pcri_dataset_column *c, int rc, struct pcr_column **out);

/* --- find.c --- */
void pcri_key_index_free(struct pcri_key_index *k);
/* In a forked child, with the mutex held: the thread that was building the index does not
 * exist. */
void pcri_key_index_forget_building(struct pcri_key_index *k);

#endif
