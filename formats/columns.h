/* SPDX-License-Identifier: BSD-2-Clause */
/* What the columns of a list are for, by the names that people give them. */
#ifndef PCRI_COLUMNS_H
#define PCRI_COLUMNS_H

#include "../libpcr/base/base.h"

enum pcri_list_column {
    PCRI_COLUMN_PATH,
    PCRI_COLUMN_KEY,
    PCRI_COLUMN_LABEL,
    PCRI_COLUMN_LABELS,
    PCRI_COLUMN_SPLIT,
    PCRI_COLUMN_ATTRIBUTE,
    PCRI_COLUMN_NONE, /* without a name: left out */
};

/* Finds the kind of each of `count` columns. The standard names (path, key, label, labels,
 * split) count in any case. Where none is the path or the label, other usual names are
 * (file_name, image; class); where it is not clear which one is, or a name is a standard
 * one with a letter wrong, that is an error that says so: INVAL. NOMEM. */
int pcri_columns_find(const char *const *names, size_t count, enum pcri_list_column *kinds,
                      struct pcr_error *err);

/* The same for a metadata file beside images, where `file_name` is the path, `label` and
 * `labels` count where `labels` is true, and all others are attributes. */
void pcri_columns_find_beside(const char *const *names, size_t count, bool labels,
                              enum pcri_list_column *kinds);

/* Is this a usual name of a column of splits, though not the standard one? */
bool pcri_column_like_split(const char *name);

#endif
