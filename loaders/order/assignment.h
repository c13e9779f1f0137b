/* SPDX-License-Identifier: BSD-2-Clause */
/* Which samples of a window a rank delivers, and in which order. */
#ifndef PCRI_ASSIGNMENT_H
#define PCRI_ASSIGNMENT_H

#include "order.h"
#include "shard.h"

/* A sample to be delivered. */
struct pcri_pick {
    uint32_t span;
    uint32_t entry;  /* which of the span's samples */
    uint32_t offset; /* of its position in the window */
    bool fills;      /* it only fills its batch: it has its place in another batch */
};

/* Lists the rank's samples of a window. They are numbers pcri_shard_before(s, w->position) to
 * pcri_shard_before(s, end of the window) - 1 of its samples; picks_out must have room for all
 * of them. NOMEM. */
int pcri_assign(const struct pcri_shard *s, const struct pcri_order_window *w,
                struct pcri_pick *picks_out, struct pcr_error *err);

#endif
