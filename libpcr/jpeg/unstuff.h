/* SPDX-License-Identifier: BSD-2-Clause */
/* A scan's entropy-coded data without stuffing. */
#ifndef PCRI_UNSTUFF_H
#define PCRI_UNSTUFF_H

#include "../base/base.h"

/* Restart intervals end where a marker was. Memory is reused. */
struct pcri_entropy {
    struct pcr_buffer data; /* PCRI_DECODE_PADDING zeros after it */
    size_t *interval_end;
    size_t interval_count, interval_capacity;
};

/* Removes stuffed zeros and restart markers from [begin, end) of `file`; without `restarts`
 * there may be no restart markers. reverse: the first bit of each byte becomes the lowest.
 * Codes: CORRUPT, with an offset in `file`; NOMEM. */
int pcri_unstuff(struct pcri_entropy *e, const uint8_t *file, uint64_t begin, uint64_t end,
                 bool restarts, bool reverse, struct pcr_error *err);
void pcri_entropy_free(struct pcri_entropy *e);

#endif
