/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorting marks: by their highest byte in place, then part by part. */
#include <stdlib.h>

#include "marks.h"

static int compare(const void *a, const void *b)
{
    const struct pcri_mark *x = a, *y = b;
    if (x->check != y->check)
        return x->check < y->check ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

void pcri_marks_part(struct pcri_mark *marks, uint64_t count, uint64_t ends[PCRI_MARK_PARTS])
{
    uint64_t next[PCRI_MARK_PARTS] = { 0 }, begin = 0;
    for (uint64_t i = 0; i < count; i++)
        next[marks[i].check >> 56]++;
    for (uint32_t b = 0; b < PCRI_MARK_PARTS; b++) {
        uint64_t n = next[b];
        next[b] = begin;
        ends[b] = begin += n;
    }
    for (uint32_t b = 0; b < PCRI_MARK_PARTS; b++)
        for (; next[b] < ends[b]; next[b]++) {
            struct pcri_mark m = marks[next[b]];
            for (uint64_t d; (d = m.check >> 56) != b;) { /* to its part, for what is there */
                struct pcri_mark *to = &marks[next[d]++], there = *to;
                *to = m;
                m = there;
            }
            marks[next[b]] = m;
        }
}

void pcri_marks_sort_part(struct pcri_mark *marks, uint64_t count)
{
    if (count)
        qsort(marks, (size_t) count, sizeof(*marks), compare);
}

void pcri_marks_sort(struct pcri_mark *marks, uint64_t count)
{
    uint64_t ends[PCRI_MARK_PARTS], begin = 0;
    pcri_marks_part(marks, count, ends);
    for (uint32_t b = 0; b < PCRI_MARK_PARTS; begin = ends[b++])
        pcri_marks_sort_part(marks + begin, ends[b] - begin);
}
