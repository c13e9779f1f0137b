/* SPDX-License-Identifier: BSD-2-Clause */
/* What restores the files of a record's samples: columns 2 and 4 of its tail (docs/FORMAT.md
 * 3.8). */
#ifndef PCRI_RESTORE_COLUMN_H
#define PCRI_RESTORE_COLUMN_H

#include "record.h"

/* Start from { 0 }. */
struct pcri_restore_column {
    struct pcr_buffer tail;      /* what the others point into */
    const uint8_t *checks;       /* u32 each; NULL: there is no such column */
    uint64_t *offsets;           /* N + 1, of the programs */
    const uint8_t *programs;     /* an empty one: none */
    struct pcr_file_info *files; /* by sample; NULL: nothing is known of any */
};

/* Reads the record's tail. Codes: as pcri_record_read_tail(). */
int pcri_restore_column_read(const struct pcri_record *r, const struct pcr_limits *limits,
                             struct pcri_restore_column *out, struct pcr_error *err);
void pcri_restore_column_free(struct pcri_restore_column *c);

/* What is known of the file of sample i. */
static inline struct pcr_file_info pcri_restore_file_info(const struct pcri_restore_column *c,
                                                          uint32_t i)
{
    return c->files ? c->files[i] : (struct pcr_file_info) { 0 };
}

/* The program of sample i, empty if it has none, and its file's Check32. */
static inline struct pcr_span pcri_restore_program(const struct pcri_restore_column *c,
                                                   uint32_t i, uint32_t *check_out)
{
    if (!c->checks)
        return (struct pcr_span) { NULL, 0 };
    *check_out = pcri_load32(c->checks + 4 * (size_t) i);
    return (struct pcr_span) { c->programs + c->offsets[i],
                               (size_t) (c->offsets[i + 1] - c->offsets[i]) };
}

#endif
