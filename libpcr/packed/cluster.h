/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts with alike symbols, and tables for them. */
#ifndef PCRI_PK_CLUSTER_H
#define PCRI_PK_CLUSTER_H

#include "tables.h"

enum { PCRI_PK_MOST_CLUSTERS = 96 };

/* log2(v) in 1/256, v above 0. */
uint32_t pcri_pk_log2(uint64_t v);

struct pcri_pk_clustering;

/* Divides a family's contexts into at most `most` clusters by the length that their symbols take.
 * rows: for each context how often each symbol occurred, or NULL. It ends where a further cluster
 * saves less than least_gain, in 1/256 bit. The same rows give the same clusters on every machine.
 * Codes: NOMEM. */
int pcri_pk_cluster(uint32_t *const rows[], const struct pcri_pk_family_info *family,
                    uint32_t most, uint64_t least_gain, struct pcri_pk_clustering **out,
                    struct pcr_error *err);
void pcri_pk_clustering_destroy(struct pcri_pk_clustering **c);
uint32_t pcri_pk_clustering_count(const struct pcri_pk_clustering *c);
/* The frequencies of cluster i, which add up to PCRI_TANS_STATES; what is rare escapes. */
void pcri_pk_clustering_table(const struct pcri_pk_clustering *c, uint32_t i,
                              uint16_t freq[256]);
/* Each context's cluster. One that did not occur has that of the one before it that did. */
void pcri_pk_clustering_map(const struct pcri_pk_clustering *c, uint8_t *map);

#endif
