/* SPDX-License-Identifier: BSD-2-Clause */
/* Drawing samples by weight: how often each occurs in an epoch. */
#ifndef PCRI_DRAW_H
#define PCRI_DRAW_H

#include "../../libpcr/base/base.h"

struct pcri_draw {
    const double *weights; /* `count` of them, finite, not negative; NULL: all equal */
    uint64_t count;
    uint64_t take; /* samples to draw; there is at least one to draw from, unless 0 */
    bool once;     /* none twice: at least `take` samples have a weight above 0 */
    uint64_t key;  /* of the random numbers */
};

/* Sets counts_out[i], for `count` samples, to how often sample i was drawn; the sum is `take`.
 * A pure function of *d, the same on every machine. NOMEM. */
int pcri_draw(const struct pcri_draw *d, uint32_t *counts_out, struct pcr_error *err);

#endif
