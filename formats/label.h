/* SPDX-License-Identifier: BSD-2-Clause */
/* Labels, for all importers: an integer, a float, several of either, or the name of a
 * class. */
#ifndef PCRI_LABEL_H
#define PCRI_LABEL_H

#include "list.h"

enum pcri_number {
    PCRI_NUMBER_NONE,  /* not a number */
    PCRI_NUMBER_INT,   /* decimal digits with or without a sign, within int64_t */
    PCRI_NUMBER_FLOAT, /* with a point or an exponent, finite */
    PCRI_NUMBER_LARGE, /* too large for these */
};

/* The kind of number that the whole text is; sets *i or *d. The locale does not matter. */
enum pcri_number pcri_number_parse(const char *text, int64_t *i, double *d);

/* "line N ('key'): ", printf-like; INVAL. */
int pcri_row_fail(struct pcr_error *err, const struct pcri_list_row *row, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));

/* Sets `count` numbers as a row's labels; if one is a float, all are. Changes `floats`. INVAL,
 * NOMEM. */
int pcri_row_take(struct pcri_list *l, struct pcri_list_row *row, const bool *is_float,
                  const int64_t *ints, double *floats, uint32_t count, struct pcr_error *err);

/* Sets numbers separated by blanks as a row's labels. INVAL, NOMEM. */
int pcri_row_numbers(struct pcri_list *l, struct pcri_list_row *row, const char *text,
                     struct pcr_error *err);

/* Sets a JSON value: a number, an array of numbers, or the name of a class. INVAL, NOMEM.
 * (label_json.c) */
int pcri_row_json_label(struct pcri_list *l, struct pcri_list_row *row, const json_t *v,
                        struct pcr_error *err);

/* Gives every row its labels, depending on all rows, and sets `classes` (count 0: labels are
 * not names). `given`: the classes that the options name, or count 0. INVAL, NOMEM. */
int pcri_list_settle_labels(struct pcri_list *l, const struct pcri_names *given,
                            struct pcri_names *classes, struct pcr_error *err);

#endif
