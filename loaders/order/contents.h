/* SPDX-License-Identifier: BSD-2-Clause */
/* The entries of an epoch before they are put in order. An entry is one occurrence of a
 * sample: a sample that occurs several times has several entries, its copies 0, 1, ... */
#ifndef PCRI_CONTENTS_H
#define PCRI_CONTENTS_H

#include "catalog.h"

/* Entries of one record, each for another sample, by place. Rows are sorted by part, copy,
 * record. */
struct pcri_contents_row {
    uint64_t record; /* of the catalog */
    uint64_t first_entry, first_span;
    uint32_t copy;
};

struct pcri_contents {
    uint64_t row_count, span_count;
    struct pcri_contents_row *rows; /* row_count + 1: the last is the end */
    uint32_t *places;      /* of the entries' samples in their records; NULL: a row has all
                            * samples of its record */
    uint64_t *first_spans; /* of the catalog's parts, and the end */
};

/* The contents of an epoch, or of all epochs if the catalog does not draw them. Immutable. */
int pcri_contents_create(const struct pcri_catalog *c, uint64_t epoch,
                         struct pcri_contents **out, struct pcr_error *err);
void pcri_contents_destroy(struct pcri_contents **contents);

/* The place in its record of an entry of a row. */
static inline uint32_t pcri_contents_place(const struct pcri_contents *contents,
                                           const struct pcri_contents_row *row, uint64_t entry)
{
    return contents->places ? contents->places[entry] : (uint32_t) (entry - row->first_entry);
}

#endif
