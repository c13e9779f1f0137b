/* SPDX-License-Identifier: BSD-2-Clause */
/* The samples that a loader may take: from one dataset or several, all or some, equal or with
 * weights, and how many of them make an epoch.
 *
 * A sample's number is its index among those of all datasets, one dataset after another. A
 * member is a sample that may be taken; its ordinal is its index among the members. */
#ifndef PCRI_CATALOG_H
#define PCRI_CATALOG_H

#include "../options/options.h"

struct pcri_catalog_record {
    uint64_t record; /* in its dataset */
    uint64_t first_number;
    uint64_t first_member;
    uint32_t dataset;
    uint32_t sample_count;
    uint32_t span_samples;  /* the most samples that are read at once */
    uint32_t sample_nbytes; /* mean at full fidelity, at least 1 */
};

/* The members from which an epoch takes a fixed number of entries: those of one dataset if
 * there are proportions, else all. A part ends where the next begins. */
struct pcri_catalog_part {
    uint64_t first_record, first_member;
    uint64_t take; /* entries of an epoch */
};

struct pcri_catalog {
    struct pcr_loader_options options; /* its pointers must not be used */
    uint64_t window_nbytes;            /* of one window */
    uint64_t record_count, member_count, sample_count;
    uint64_t entry_count;                /* of an epoch */
    struct pcri_catalog_record *records; /* record_count + 1: the last is the end */
    uint64_t *indices;                   /* the members' numbers; NULL: all samples */
    double *weights;                     /* the members'; NULL: all equal */
    uint32_t part_count;
    struct pcri_catalog_part *parts; /* part_count + 1: the last is the end */
    bool drawn;                      /* epochs differ in their samples */
    uint64_t dataset_digest, options_digest;
};

/* Creates the catalog of datasets for options with defaults filled in. It is immutable. */
int pcri_catalog_create(const struct pcri_loader_dataset *datasets, uint32_t dataset_count,
                        const struct pcr_loader_options *o, struct pcri_catalog **out,
                        struct pcr_error *err);
void pcri_catalog_destroy(struct pcri_catalog **catalog);

/* The same from its parts: first an empty one with room for so many records, then these,
 * dataset by dataset (nbytes: of a record's groups), then what follows from them. */
int pcri_catalog_create_empty(uint32_t dataset_count, uint64_t record_count,
                              const struct pcr_loader_options *o, struct pcri_catalog **out,
                              struct pcr_error *err);
void pcri_catalog_add(struct pcri_catalog *c, uint32_t dataset, uint64_t record,
                      uint32_t sample_count, uint64_t nbytes);
int pcri_catalog_finish(struct pcri_catalog *c, const struct pcr_loader_options *o,
                        struct pcr_error *err);

/* The number of a member. */
static inline uint64_t pcri_catalog_number(const struct pcri_catalog *c, uint64_t ordinal)
{
    return c->indices ? c->indices[ordinal] : ordinal;
}

#endif
