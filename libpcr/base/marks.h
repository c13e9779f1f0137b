/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of many things, sorted: which of them are equal is found without looking at the things
 * again, in 16 bytes for each. */
#ifndef PCRI_MARKS_H
#define PCRI_MARKS_H

#include "base.h"

/* A checksum or a place of what has number `index`. */
struct pcri_mark {
    uint64_t check, index;
};

enum { PCRI_MARK_PARTS = 256 };

/* Moves the marks with the same highest byte together; part b ends before ends[b]. */
void pcri_marks_part(struct pcri_mark *marks, uint64_t count, uint64_t ends[PCRI_MARK_PARTS]);

/* Sorts by check, then by index. */
void pcri_marks_sort_part(struct pcri_mark *marks, uint64_t count);

/* The same for any number, with memory for a 256th if the highest bytes differ. */
void pcri_marks_sort(struct pcri_mark *marks, uint64_t count);

#endif
