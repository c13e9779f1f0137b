/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns of a list, recognised by the names that people give them. */
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
 * split) count in any case. If no column is named path or label, other usual names are
 * accepted (file_name, image; class). If it is not clear which one is meant, or a name is a
 * standard one with a wrong letter, that is an error that says so: INVAL. NOMEM. */
int pcri_columns_find(const char *const *names, size_t count, enum pcri_list_column *kinds,
                      struct pcr_error *err);

/* The same for a metadata file next to images: `file_name` is the path, `label` and `labels`
 * count if `labels` is true, and all others are attributes. */
void pcri_columns_find_beside(const char *const *names, size_t count, bool labels,
                              enum pcri_list_column *kinds);

/* Whether this is a usual name of a column of splits, but not the standard one. */
bool pcri_column_like_split(const char *name);

#endif
