/* SPDX-License-Identifier: BSD-2-Clause */
/* What the columns of a list are for, by the names that people give them. */
#include <ctype.h>

#include "columns.h"

enum { PLAIN_NBYTES = 32 };

static const char *const standard_names[] = {
    "path", "key", "label", "labels", "split", NULL
};
static const char *const path_names[] = {
    "file_name",  "filename",   "file",      "file_path", "filepath", "image", "image_path",
    "image_name", "image_file", "imagepath", "img",       "img_path", NULL,
};
static const char *const label_names[] = { "class", "class_name", "classname", NULL };
static const char *const split_names[] = { "set",   "data_set",  "subset",
                                           "phase", "partition", NULL };

/* The name in lower case, with '_' for ' ' and '-'; "" if it is too long to be a known one. */
static void plain(const char *name, char out[PLAIN_NBYTES])
{
    size_t n = strlen(name);
    out[0] = '\0';
    if (n >= PLAIN_NBYTES)
        return;
    for (size_t i = 0; i <= n; i++)
        out[i] = name[i] == ' ' || name[i] == '-' ? '_'
                                                  : (char) tolower((unsigned char) name[i]);
}

/* Its index, or the count of names. */
static size_t index_of(const char *name, const char *const *names)
{
    char text[PLAIN_NBYTES];
    size_t i = 0;
    plain(name, text);
    while (names[i] && strcmp(names[i], text) != 0)
        i++;
    return i;
}

static bool is_one_of(const char *name, const char *const *names)
{
    return names[index_of(name, names)] != NULL;
}

bool pcri_column_like_split(const char *name)
{
    return is_one_of(name, split_names);
}

/* Do the texts differ by one letter that was left out, put in, changed, or by two next to
 * each other that were exchanged? */
static bool is_slip(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), start = 0, end = 0;
    size_t least = n < m ? n : m;
    if (n > m + 1 || m > n + 1)
        return false;
    while (start < least && a[start] == b[start])
        start++;
    while (end < least - start && a[n - 1 - end] == b[m - 1 - end])
        end++;
    if (n == m && n - start - end == 2)
        return a[start] == b[start + 1] && a[start + 1] == b[start];
    return (n > m ? n : m) - start - end == 1;
}

/* Makes the one column that has one of `names` a `kind`. */
static int take_usual(const char *const *columns, size_t count, const char *const *names,
                      enum pcri_list_column kind, enum pcri_list_column *kinds,
                      struct pcr_error *err)
{
    size_t found = count;
    for (size_t i = 0; i < count; i++) {
        if (kinds[i] != PCRI_COLUMN_ATTRIBUTE || !is_one_of(columns[i], names))
            continue;
        if (found < count)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "is '%s' or '%s' the %s? Call that column '%s'", columns[found],
                             columns[i], standard_names[kind], standard_names[kind]);
        found = i;
    }
    if (found < count)
        kinds[found] = kind;
    return 0;
}

static int check_slips(const char *const *columns, size_t count,
                       const enum pcri_list_column *kinds, const bool *has,
                       struct pcr_error *err)
{
    char text[PLAIN_NBYTES];
    for (size_t i = 0; i < count; i++) {
        plain(columns[i], text);
        for (size_t k = 0; kinds[i] == PCRI_COLUMN_ATTRIBUTE && standard_names[k]; k++)
            if (!has[k] && is_slip(text, standard_names[k]))
                return pcri_fail(err, PCR_ERR_INVAL,
                                 "column '%s': is '%s' meant? Give it that name, or one "
                                 "less similar",
                                 columns[i], standard_names[k]);
    }
    return 0;
}

int pcri_columns_find(const char *const *names, size_t count, enum pcri_list_column *kinds,
                      struct pcr_error *err)
{
    bool has[PCRI_COLUMN_ATTRIBUTE + 1] = { false };
    for (size_t i = 0; i < count; i++) {
        kinds[i] = *names[i] ? (enum pcri_list_column) index_of(names[i], standard_names)
                             : PCRI_COLUMN_NONE;
        for (size_t k = 0; k < i && *names[i]; k++)
            if (!strcmp(names[k], names[i]) ||
                (kinds[i] < PCRI_COLUMN_ATTRIBUTE && kinds[k] == kinds[i]))
                return pcri_fail(err, PCR_ERR_INVAL, "two columns named '%s'%s%s%s", names[k],
                                 strcmp(names[k], names[i]) ? " and '" : "",
                                 strcmp(names[k], names[i]) ? names[i] : "",
                                 strcmp(names[k], names[i]) ? "'" : "");
        if (kinds[i] < PCRI_COLUMN_ATTRIBUTE)
            has[kinds[i]] = true;
    }
    int rc = 0;
    if (!has[PCRI_COLUMN_PATH])
        rc = take_usual(names, count, path_names, PCRI_COLUMN_PATH, kinds, err);
    if (!rc && !has[PCRI_COLUMN_LABEL] && !has[PCRI_COLUMN_LABELS])
        rc = take_usual(names, count, label_names, PCRI_COLUMN_LABEL, kinds, err);
    for (size_t i = 0; i < count; i++)
        if (kinds[i] < PCRI_COLUMN_ATTRIBUTE)
            has[kinds[i]] = true;
    has[PCRI_COLUMN_LABELS] |= has[PCRI_COLUMN_LABEL];
    has[PCRI_COLUMN_LABEL] |= has[PCRI_COLUMN_LABELS];
    return rc ? rc : check_slips(names, count, kinds, has, err);
}

void pcri_columns_find_beside(const char *const *names, size_t count, bool labels,
                              enum pcri_list_column *kinds)
{
    for (size_t i = 0; i < count; i++) {
        enum pcri_list_column kind = (enum pcri_list_column) index_of(names[i],
                                                                      standard_names);
        bool label = kind == PCRI_COLUMN_LABEL || kind == PCRI_COLUMN_LABELS;
        if (!strcmp(names[i], "file_name"))
            kind = PCRI_COLUMN_PATH;
        else if (!label || !labels)
            kind = *names[i] ? PCRI_COLUMN_ATTRIBUTE : PCRI_COLUMN_NONE;
        kinds[i] = kind;
    }
}
