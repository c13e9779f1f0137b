/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables from symbols that were counted. */
#ifndef PCRI_PK_TRAIN_H
#define PCRI_PK_TRAIN_H

#include "tables.h"

/* How often each symbol came in each context. A context without any has no row. */
struct pcri_pk_counts {
    uint32_t
        *rows[PCRI_PK_CONTEXTS]; /* of all families, one after the other; a number for each
                                         symbol of the family's alphabet */
};

int pcri_pk_counts_create(struct pcri_pk_counts **out, struct pcr_error *err);
void pcri_pk_counts_destroy(struct pcri_pk_counts **c);
/* Counts n symbols of a family, of contexts[i]. Codes: NOMEM. */
int pcri_pk_counts_add(struct pcri_pk_counts *c, enum pcri_pk_family family,
                       const uint16_t *contexts, const uint8_t *symbols, size_t n,
                       struct pcr_error *err);
/* The same of a symbol of a context that is counted over all families, n times. */
int pcri_pk_counts_add_one(struct pcri_pk_counts *c, uint32_t context, uint32_t symbol,
                           uint32_t n, struct pcr_error *err);
/* Adds `from` to `to`: in any order the same. */
int pcri_pk_counts_merge(struct pcri_pk_counts *to, const struct pcri_pk_counts *from,
                         struct pcr_error *err);

/* The bits that the counted symbols take by tables, in 1/256. */
uint64_t pcri_pk_counts_cost(const struct pcri_pk_counts *c,
                             const struct pcri_pk_frequencies *f);

/* Clusters contexts by the length that their symbols take, and makes a table of each cluster. The
 * same counts give the same tables on every machine. counts[family]: how many tables at most;
 * NULL: the default, 116 in all. Codes: NOMEM. */
int pcri_pk_train(const struct pcri_pk_counts *c, const uint8_t counts[PCRI_PK_FAMILIES],
                  struct pcri_pk_frequencies **out, struct pcr_error *err);

#endif
