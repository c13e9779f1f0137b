/* SPDX-License-Identifier: BSD-2-Clause */
/* Drawing samples by weight: how often each is in an epoch. */
#ifndef PCRI_DRAW_H
#define PCRI_DRAW_H

#include "../../libpcr/base/base.h"

struct pcri_draw {
    const double *weights; /* count of them, finite, not negative; NULL: alike */
    uint64_t count;
    uint64_t take; /* samples to be drawn; one can be, if there is one to draw */
    bool once;     /* none twice: at least `take` have a weight above 0 */
    uint64_t key;  /* of the random numbers */
};

/* Sets counts_out[i], for `count` samples, to how often sample i was drawn; they add up to
 * `take`. A pure function of *d, the same on every machine. NOMEM. */
int pcri_draw(const struct pcri_draw *d, uint32_t *counts_out, struct pcr_error *err);

#endif
