/* SPDX-License-Identifier: BSD-2-Clause */
/* Column ids of heads and tails, and the table that finds them (docs/FORMAT.md 3.2, 3.5). */
#ifndef PCRI_COLUMNS_H
#define PCRI_COLUMNS_H

#include "../base/base.h"

enum pcri_column {
    PCRI_COLUMN_KEY = 1,
    PCRI_COLUMN_LABELS,
    PCRI_COLUMN_ATTRIBUTES,
    PCRI_COLUMN_CODING,
    PCRI_COLUMN_WIDTH,
    PCRI_COLUMN_HEIGHT,
    PCRI_COLUMN_COMPONENTS,
    PCRI_COLUMN_SAMPLING,
    PCRI_COLUMN_ORIENTATION,
    PCRI_COLUMN_SCRIPT,
    PCRI_COLUMN_LADDER,
    PCRI_COLUMN_DICTIONARY,
    PCRI_COLUMN_HEADER,
    PCRI_COLUMN_PIECE_STRING,
    PCRI_COLUMN_PIECE_NBYTES,
    PCRI_COLUMN_CHECK,
    PCRI_COLUMN_SOURCE_NBYTES,
    PCRI_COLUMN_FLOAT_LABELS,
    PCRI_COLUMN_QUALITY,
    PCRI_COLUMN_BLOBS,
    PCRI_COLUMN_LAST = PCRI_COLUMN_BLOBS,

    PCRI_TAIL_SKIPPED = 1,
    PCRI_TAIL_RESTORE = 2,
    PCRI_TAIL_NOTES = 3,
    PCRI_TAIL_FILES = 4,
    PCRI_TAIL_LAST = PCRI_TAIL_FILES,

    PCRI_COLUMN_REQUIRED = 1 << 0, /* flag: a reader that does not know the id must refuse */
};

/* Reads the table of columns: cols[id] for the known ids 1..last; absent ones get
 * p == NULL. CORRUPT, or UNSUPPORTED for an unknown column that is required. */
int pcri_columns_parse(const struct pcr_buffer *raw, uint32_t last, struct pcri_cursor cols[],
                       struct pcr_error *err);

/* Decompresses a head or tail into raw. One that expands too far (PCRI_EXPANSION) may do so by
 * columns beyond `last`: these are skipped, and have 0 bytes in the table. LIMIT if the others
 * expand too far; CORRUPT, NOMEM. */
int pcri_columns_unpack(const uint8_t *p, size_t nbytes, size_t raw_nbytes, uint32_t last,
                        struct pcr_buffer *raw, struct pcr_error *err);

#endif
