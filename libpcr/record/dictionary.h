/* SPDX-License-Identifier: BSD-2-Clause */
/* The strings that samples of a record share, each kept once. */
#ifndef PCRI_DICTIONARY_H
#define PCRI_DICTIONARY_H

#include "../base/siphash.h"

struct pcri_entry {
    const uint8_t *p; /* borrowed from the samples */
    uint32_t nbytes;
    uint32_t hash;
    uint32_t sample; /* the first that has it */
    bool kept;       /* gets a number: it is needed, or in two samples */
    bool numbered;
    uint32_t number; /* in the head's dictionary */
};

/* Start from {0}. */
struct pcri_dictionary {
    struct pcri_entry *entries; /* in order of first appearance */
    uint32_t count;
    size_t capacity;
    uint32_t *slots;     /* hash table of entry index + 1; 0: free */
    uint32_t slot_count; /* a power of two */
    uint32_t number_count;
    struct pcri_siphash_key hash_key; /* chosen with the first entry */
};

/* Finds or adds a string of `sample`; *index_out is its entry. */
int pcri_dictionary_add(struct pcri_dictionary *d, const uint8_t *p, uint32_t nbytes,
                        uint32_t sample, bool needed, uint32_t *index_out,
                        struct pcr_error *err);

/* Numbers a kept entry, if it has no number yet. */
static inline void pcri_dictionary_number(struct pcri_dictionary *d, uint32_t index)
{
    struct pcri_entry *e = &d->entries[index];
    if (e->kept && !e->numbered) {
        e->numbered = true;
        e->number = d->number_count++;
    }
}

void pcri_dictionary_free(struct pcri_dictionary *d);

#endif
