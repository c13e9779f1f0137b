/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups kept from image to image: the images of a dataset share most of their tables. */
#ifndef PCRI_LOOKUP_CACHE_H
#define PCRI_LOOKUP_CACHE_H

#include "pairs.h"

enum { PCRI_LOOKUP_CACHE_SLOTS = 96 };

enum pcri_lookup_kind {
    PCRI_LOOKUP_REFINE,     /* for refinement scans; the others read the highest bit first */
    PCRI_LOOKUP_FIRST,      /* DC, and first AC scans */
    PCRI_LOOKUP_SEQUENTIAL, /* AC of sequential scans, without runs of blocks */
};

struct pcri_lookup_slot {
    struct pcri_dht dht; /* the table it was built from */
    enum pcri_lookup_kind kind;
    uint8_t max_size;
    uint32_t uses;
    struct pcri_lookup lookup;
    /* Takes more than one symbol at a time; made when it pays, else NULL. */
    struct pcri_several *several;
    struct pcri_pairs *pairs;
    struct pcri_steps *steps; /* made on request */
};

/* Zeroed at the start. Takes up to 21 KiB per slot, as needed. When all slots are taken, the
 * one that was unused for longest is rebuilt. */
struct pcri_lookup_cache {
    struct pcri_lookup_slot *slots[PCRI_LOOKUP_CACHE_SLOTS];
    uint64_t hash[PCRI_LOOKUP_CACHE_SLOTS];
    uint64_t used[PCRI_LOOKUP_CACHE_SLOTS]; /* clock of the last request; 0: none */
    uint64_t clock;
};

/* The look-up of a table, made by pcri_lookup_build(). It stays as long as fewer than
 * PCRI_LOOKUP_CACHE_SLOTS others are requested. Codes: CORRUPT, NOMEM. */
int pcri_lookup_get(struct pcri_lookup_cache *c, const struct pcri_dht *dht,
                    enum pcri_lookup_kind kind, unsigned max_size,
                    struct pcri_lookup_slot **out, struct pcr_error *err);

/* The look-up of several symbols at once for a refinement slot, and that of pairs for another
 * slot. scan_nbytes: of the scan it is for. *out is NULL if building it would take longer than
 * it saves: the scan is short, and the table has not occurred often. */
int pcri_several_get(struct pcri_lookup_slot *slot, size_t scan_nbytes,
                     const struct pcri_several **out, struct pcr_error *err);
/* For a refinement slot; ->several is 0 in that case. */
int pcri_steps_get(struct pcri_lookup_slot *slot, size_t scan_nbytes,
                   const struct pcri_steps **out, struct pcr_error *err);
int pcri_pairs_get(struct pcri_lookup_slot *slot, size_t scan_nbytes,
                   const struct pcri_pairs **out, struct pcr_error *err);

void pcri_lookup_cache_free(struct pcri_lookup_cache *c);

#endif
