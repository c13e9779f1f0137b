/* SPDX-License-Identifier: BSD-2-Clause */
/* Restoring source files (docs/FORMAT.md 3.8). */
#ifndef PCRI_DATASET_ORIGINAL_H
#define PCRI_DATASET_ORIGINAL_H

#include "../record/restore_column.h"
#include "dataset.h"
#include "materialise.h"

/* What restores the files of a record's samples, read from its tail when it is first asked for.
 * *out lives as long as `held`. Codes: as pcri_record_read_tail(). */
int pcri_held_originals(struct pcr_dataset *ds, struct pcri_held *held,
                        const struct pcri_restore_column **out, struct pcr_error *err);

/* Restores the file of coded sample i. chunks: of all groups. *out is replaced. Codes: UNSUPPORTED
 * (what it needs was not kept), CORRUPT, LIMIT, NOMEM. */
int pcri_restore_file(const struct pcri_head *h, uint32_t i,
                      const struct pcri_restore_column *column, const uint8_t *const chunks[],
                      const struct pcr_limits *limits, struct pcr_decoder *d,
                      struct pcr_buffer *out, struct pcr_error *err);

#endif
