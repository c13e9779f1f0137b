/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables that a conversion trains on some of its images, for all of them. */
#ifndef PCRI_PK_SURVEY_H
#define PCRI_PK_SURVEY_H

#include "../jpeg/coder.h"
#include "train.h"

/* What an image's symbols are counted as. */
struct pcri_pk_stats {
    struct pcri_coder_stats base;
    struct pcr_buffer counts; /* uint32_t each: symbol | context << 8 | how many << 25 */
};

struct pcri_pk_dataset_tables {
    struct pcri_coder_tables base;
    struct pcri_pk_tables *tables; /* NULL: those that are built in do as well */
    struct pcr_buffer segment;     /* the marker segment that brings them */
};

/* Makes *out of the counts, which are 0 afterwards. Codes: NOMEM. */
int pcri_pk_stats_take(struct pcri_pk_counts *c, struct pcri_coder_stats **out,
                       struct pcr_error *err);

/* What the encoder has of these (jpeg/coding.h). */
void pcri_pk_stats_destroy(struct pcri_coder_stats *stats);
void pcri_pk_dataset_tables_destroy(struct pcri_coder_tables *tables);
int pcri_pk_dataset_train(const struct pcr_ladder *ladder,
                          struct pcri_coder_stats *const *stats, size_t count,
                          struct pcri_coder_tables **out, struct pcr_error *err);

#endif
