/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts a batch's pictures, whose sizes differ, into place. */
#ifndef PCRI_GATHER_H
#define PCRI_GATHER_H

#include "../deliver/batch.h"
#include "normalisation.h"

/* Once all pictures of a batch are made: lays it out, normalises, pads, and frees the memory that
 * they were made in. views: the loader's. NOMEM. */
int pcri_gather(struct pcri_batch *b, const struct pcri_loader_view *views,
                const struct pcri_normalisation *normalisation, struct pcr_error *err);

#endif
