/* SPDX-License-Identifier: BSD-2-Clause */
/* Which samples of a window a rank delivers, in which order. */
#ifndef PCRI_ASSIGNMENT_H
#define PCRI_ASSIGNMENT_H

#include "order.h"
#include "shard.h"

/* A sample to be delivered. */
struct pcri_pick {
    uint32_t span;
    uint32_t entry;  /* which of the span's samples */
    uint32_t offset; /* of its position in the window */
    bool fills;      /* it only fills its batch: another rank, or place, has it too */
};

/* Lists the rank's samples of a window: pcri_shard_before(s, its end) less
 * pcri_shard_before(s, w->position), as many as picks_out has room for. NOMEM. */
int pcri_assign(const struct pcri_shard *s, const struct pcri_order_window *w,
                struct pcri_pick *picks_out, struct pcr_error *err);

#endif
