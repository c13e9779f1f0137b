/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes that a loader's batches have as arrays. */
#ifndef PCRI_LOADER_COLUMNS_H
#define PCRI_LOADER_COLUMNS_H

#include "batch.h"

struct pcri_loader_columns {
    uint32_t count;
    char **names;
    struct pcr_column **none; /* each for no samples: it has the type */
};

/* Copies the names in the options, which then point to the copies. Datasets that have an
 * attribute must agree about its type, and one must have it: INVAL. NOMEM. */
int pcri_loader_columns_init(struct pcri_loader_columns *c, struct pcr_loader_options *o,
                             struct pcr_dataset *const *datasets, uint32_t dataset_count,
                             struct pcr_error *err);
void pcri_loader_columns_free(struct pcri_loader_columns *c);

/* One sample's, in options->output.columns's order; NULL for an attribute that its dataset does
 * not know. The array is malloc'd; NULL without columns. CORRUPT, NOMEM. */
int pcri_sample_columns(const struct pcr_loader_options *options,
                        const struct pcr_slice *slice, uint32_t place,
                        struct pcr_column ***out, struct pcr_error *err);
/* Frees an array of them, and sets it to NULL. */
void pcri_sample_columns_free(struct pcr_column ***columns, uint32_t count);

/* Makes the columns of a complete batch from those of its samples. NOMEM. */
int pcri_batch_join_columns(struct pcri_batch *b, const struct pcri_loader_columns *c,
                            struct pcr_error *err);

#endif
