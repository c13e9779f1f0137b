/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups kept from image to image: the images of a dataset share most of their tables. */
#ifndef PCRI_LOOKUP_CACHE_H
#define PCRI_LOOKUP_CACHE_H

#include "scan_decode.h"

enum { PCRI_LOOKUP_CACHE_SLOTS = 96 };

struct pcri_lookup_slot {
    struct pcri_dht dht; /* what it was built from */
    uint8_t max_size;    /* 0: for refinement */
    bool has_several;
    struct pcri_lookup lookup;
    struct pcri_several several; /* made when it is first asked for */
};

/* Zeroed at the start. Takes up to 9 KiB a slot, as they are needed; where all are taken,
 * the one that was asked for longest ago is built anew. */
struct pcri_lookup_cache {
    struct pcri_lookup_slot *slots[PCRI_LOOKUP_CACHE_SLOTS];
    uint64_t hash[PCRI_LOOKUP_CACHE_SLOTS];
    uint64_t used[PCRI_LOOKUP_CACHE_SLOTS]; /* clock when it was asked for, 0: never */
    uint64_t clock;
};

/* The look-ups of a table, as pcri_lookup_build() makes them. They stay as long as fewer than
 * PCRI_LOOKUP_CACHE_SLOTS others are asked for. Codes: CORRUPT, NOMEM. */
int pcri_lookup_get(struct pcri_lookup_cache *c, const struct pcri_dht *dht, bool refine,
                    unsigned max_size, struct pcri_lookup_slot **out, struct pcr_error *err);

/* The look-up of several symbols at once, of a slot for refinement. */
const struct pcri_several *pcri_several_get(struct pcri_lookup_slot *slot);

void pcri_lookup_cache_free(struct pcri_lookup_cache *c);

#endif
