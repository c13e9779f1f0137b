/* SPDX-License-Identifier: BSD-2-Clause */
/* Training tables on counted symbols. */
#ifndef PCRI_PK_TRAIN_H
#define PCRI_PK_TRAIN_H

#include "tables.h"

/* How often each symbol occurred in each context. Contexts of all families stand one after
 * another; a row has a number for each symbol of the family's alphabet, and is NULL where the
 * context did not occur. */
struct pcri_pk_counts {
    uint32_t *rows[PCRI_PK_CONTEXTS];
    struct pcri_pk_counted {
        uint32_t context, symbol;
    } * seen; /* what has a number above 0, in the order in which it got it */
    size_t seen_count, seen_capacity;
};

int pcri_pk_counts_create(struct pcri_pk_counts **out, struct pcr_error *err);
void pcri_pk_counts_destroy(struct pcri_pk_counts **c);
/* Counts n symbols of a family, symbol i in contexts[i]. Codes: NOMEM. */
int pcri_pk_counts_add(struct pcri_pk_counts *c, enum pcri_pk_family family,
                       const uint16_t *contexts, const uint8_t *symbols, size_t n,
                       struct pcr_error *err);
/* Counts one symbol n times; `context` is numbered over all families. Codes: NOMEM. */
int pcri_pk_counts_add_one(struct pcri_pk_counts *c, uint32_t context, uint32_t symbol,
                           uint32_t n, struct pcr_error *err);
/* Adds `from` to `to`. The order of additions does not matter. Codes: NOMEM. */
int pcri_pk_counts_merge(struct pcri_pk_counts *to, const struct pcri_pk_counts *from,
                         struct pcr_error *err);

/* How many bits the counted symbols take with these tables, in 1/256 bit. */
uint64_t pcri_pk_counts_cost(const struct pcri_pk_counts *c,
                             const struct pcri_pk_frequencies *f);

/* Clusters contexts by the length that their symbols take, and makes a table of each cluster. The
 * same counts give the same tables on every machine. counts[family]: how many tables at most;
 * NULL: the default, 116 in all. Codes: NOMEM. */
int pcri_pk_train(const struct pcri_pk_counts *c, const uint8_t counts[PCRI_PK_FAMILIES],
                  struct pcri_pk_frequencies **out, struct pcr_error *err);

#endif
