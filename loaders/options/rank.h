/* SPDX-License-Identifier: BSD-2-Clause */
/* This process's place among those that train together. */
#ifndef PCRI_RANK_H
#define PCRI_RANK_H

#include "options.h"

/* Checks and sets o->rank and o->world. INVAL. */
int pcri_rank_set(struct pcr_loader_options *o, uint32_t rank, uint32_t world,
                  struct pcr_error *err);
/* Sets them from the launcher's variables; one process if there are none. INVAL. */
int pcri_rank_from_environment(struct pcr_loader_options *o, struct pcr_error *err);

#endif
