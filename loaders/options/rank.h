/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the processes that train together this one is. */
#ifndef PCRI_RANK_H
#define PCRI_RANK_H

#include "options.h"

/* Checks and sets o->rank and o->world. INVAL. */
int pcri_rank_set(struct pcr_loader_options *o, uint32_t rank, uint32_t world,
                  struct pcr_error *err);
/* Sets them by the launcher's variables; one process where there are none. INVAL. */
int pcri_rank_from_environment(struct pcr_loader_options *o, struct pcr_error *err);

#endif
