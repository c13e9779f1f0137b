/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of labels. Text without types (CSV) is a number if it looks like one, and all
 * labels of a list are numbers or all are names: a slip among numbers must not turn them into
 * classes, which would be numbered in another order. */
#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "label.h"

/* --- numbers --- */

static size_t digits(const char *p)
{
    return strspn(p, "0123456789");
}

/* Writes [+-]digits[.digits][e[+-]digits] in JSON's syntax; false if the text is not such a
 * number. */
static bool normalise(const char *p, char *out, size_t room, bool *whole)
{
    bool minus = *p == '-';
    p += *p == '-' || *p == '+';
    size_t n = digits(p), fraction = 0;
    const char *digit = p;
    p += n;
    if (*p == '.') {
        fraction = digits(p + 1);
        p += 1 + fraction;
    }
    if (!n && !fraction)
        return false;
    *whole = digit[n] != '.' && (*p != 'e' && *p != 'E');
    const char *exponent = "";
    if (*p == 'e' || *p == 'E') {
        const char *power = p + 1 + (p[1] == '+' || p[1] == '-');
        exponent = p;
        if (!digits(power))
            return false;
        p = power + digits(power);
    }
    if (*p)
        return false;
    while (n > 1 && *digit == '0') {
        digit++;
        n--;
    }
    snprintf(out, room, "%s%.*s%s%.*s%s", minus ? "-" : "", n ? (int) n : 1, n ? digit : "0",
             *whole ? "" : ".",
             fraction ? (int) fraction
             : *whole ? 0
                      : 1,
             fraction ? digit + n + 1 : "0", exponent);
    return true;
}

enum pcri_number pcri_number_parse(const char *text, int64_t *i, double *d)
{
    enum { MOST = 400 }; /* longer than any double's shortest text */
    char json[MOST + 16];
    bool whole = false;
    if (strlen(text) > MOST || !normalise(text, json, sizeof(json), &whole))
        return PCRI_NUMBER_NONE;
    if (whole) {
        errno = 0;
        *i = strtoll(json, NULL, 10);
        return errno ? PCRI_NUMBER_LARGE : PCRI_NUMBER_INT;
    }
    return pcri_json_double(json, strlen(json), d) ? PCRI_NUMBER_FLOAT : PCRI_NUMBER_LARGE;
}

/* --- rows --- */

int pcri_row_fail(struct pcr_error *err, const struct pcri_list_row *row, const char *format,
                  ...)
{
    char what[400];
    const char *name = row->key ? row->key : row->path;
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    if (row->file || !name || !*name)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: %s", pcri_row_place(row).text, what);
    return pcri_fail(err, PCR_ERR_INVAL, "%s ('%.100s'): %s", pcri_row_place(row).text, name,
                     what);
}

static int fail_large(struct pcr_error *err, const struct pcri_list_row *row, const char *text)
{
    return pcri_row_fail(err, row,
                         "label %.60s does not fit a label, a 64-bit integer or a finite "
                         "float",
                         text);
}

static int set_numbers(struct pcri_list *l, struct pcri_list_row *row, const int64_t *ints,
                       const double *floats, uint32_t count, struct pcr_error *err)
{
    void *copy = count == 1
                     ? &row->single
                     : pcri_arena_alloc(l->arena, (size_t) count * 8, alignof(double), err);
    if (!copy)
        return PCR_ERR_NOMEM;
    if (count)
        memcpy(copy, floats ? (const void *) floats : ints, (size_t) count * 8);
    row->labels = floats ? NULL : copy;
    row->float_labels = floats ? copy : NULL;
    row->label_count = count;
    return 0;
}

static bool is_exact(int64_t v)
{
    double d = (double) v;
    return d < 0x1p63 && (int64_t) d == v;
}

int pcri_row_take(struct pcri_list *l, struct pcri_list_row *row, const bool *is_float,
                  const int64_t *ints, double *floats, uint32_t count, struct pcr_error *err)
{
    bool any = false;
    for (uint32_t k = 0; k < count; k++)
        any |= is_float[k];
    for (uint32_t k = 0; any && k < count; k++) {
        if (is_float[k])
            continue;
        if (!is_exact(ints[k]))
            return pcri_row_fail(err, row,
                                 "label %" PRId64 " is not exact as a float, but "
                                 "another is one",
                                 ints[k]);
        floats[k] = (double) ints[k];
    }
    return set_numbers(l, row, ints, any ? floats : NULL, count, err);
}

int pcri_row_numbers(struct pcri_list *l, struct pcri_list_row *row, const char *text,
                     struct pcr_error *err)
{
    size_t most = strlen(text) / 2 + 1;
    char *copy = pcri_strndup(text, strlen(text), err), *at = copy;
    int64_t *ints = pcri_calloc(most, sizeof(*ints), err);
    double *floats = pcri_calloc(most, sizeof(*floats), err);
    bool *is_float = pcri_calloc(most, sizeof(*is_float), err);
    int rc = copy && ints && floats && is_float ? 0 : PCR_ERR_NOMEM;
    uint32_t count = 0;
    while (!rc && *(at += strspn(at, " "))) {
        size_t n = strcspn(at, " ");
        char *next = at + n + (at[n] != '\0');
        at[n] = '\0';
        enum pcri_number kind = pcri_number_parse(at, &ints[count], &floats[count]);
        is_float[count++] = kind == PCRI_NUMBER_FLOAT;
        if (kind == PCRI_NUMBER_NONE)
            rc = pcri_row_fail(err, row,
                               "labels are numbers separated by blanks, not '%.100s'", text);
        else if (kind == PCRI_NUMBER_LARGE)
            rc = fail_large(err, row, at);
        at = next;
    }
    if (!rc)
        rc = pcri_row_take(l, row, is_float, ints, floats, count, err);
    free(copy);
    free(ints);
    free(floats);
    free(is_float);
    return rc;
}

/* --- all rows --- */

static bool has_numbers(const struct pcri_list_row *r)
{
    return r->labels || r->float_labels;
}

/* The row's label as text, from a list with types or without; NULL: there is none. */
static const char *text_of(const struct pcri_list_row *r)
{
    return r->label_text ? r->label_text : r->class_name;
}

static enum pcri_number kind_of(const struct pcri_list_row *r)
{
    int64_t i;
    double d;
    return r->label_text ? pcri_number_parse(r->label_text, &i, &d) : PCRI_NUMBER_NONE;
}

/* Whether it is like "0,5" or "1,000": a number as people write it in some places, or two
 * numbers. */
static bool has_comma(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    size_t n = digits(p);
    if (!n || p[n] != ',')
        return false;
    for (; p[n] == ','; p += n + 1, n = digits(p)) {
        if (!digits(p + n + 1))
            return false;
    }
    return !p[n];
}

/* Texts that are numbers become such. */
static int settle_texts(struct pcri_list *l, struct pcr_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < l->count && !rc; i++) {
        struct pcri_list_row *r = pcri_list_at(l, i);
        int64_t v = 0;
        double d = 0;
        enum pcri_number kind = r->label_text ? pcri_number_parse(r->label_text, &v, &d)
                                              : PCRI_NUMBER_NONE;
        if (kind == PCRI_NUMBER_LARGE)
            rc = fail_large(err, r, r->label_text);
        else if (r->label_text && has_comma(r->label_text))
            rc = pcri_row_fail(
                err, r,
                "label '%.60s' has a comma: write numbers with a point, several numbers in "
                "a column 'labels' separated by blanks, and list names as classes",
                r->label_text);
        else if (kind != PCRI_NUMBER_NONE)
            rc = set_numbers(l, r, &v, kind == PCRI_NUMBER_FLOAT ? &d : NULL, 1, err);
        if (kind != PCRI_NUMBER_NONE)
            r->label_text = NULL;
    }
    return rc;
}

/* All are numbers or all are names. */
static int check_mixture(const struct pcri_list *l, struct pcr_error *err)
{
    const struct pcri_list_row *number = NULL, *name = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const struct pcri_list_row *r = pcri_list_at(l, i);
        if (!number && r->label_count)
            number = r;
        if (!name && text_of(r))
            name = r;
    }
    if (!number || !name)
        return 0;
    return pcri_row_fail(err, name,
                         "label '%.60s' is a name, but that of %s is a "
                         "number: labels are all numbers or all names; if numbers are "
                         "names, list the classes",
                         text_of(name), pcri_row_place(number).text);
}

/* Where classes are given: names are theirs, and integers are indices. A list without types
 * has names if all of it is such. */
static int check_given(struct pcri_list *l, const struct pcri_names *given,
                       struct pcr_error *err)
{
    bool names = true, integers = true;
    const struct pcri_list_row *other = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const struct pcri_list_row *r = pcri_list_at(l, i);
        if (!text_of(r))
            continue;
        bool is_name = pcri_names_has(given, text_of(r));
        bool is_integer = kind_of(r) == PCRI_NUMBER_INT;
        names &= is_name;
        integers &= is_integer || (is_name && !r->label_text);
        if (!other && !is_name && !is_integer)
            other = r;
    }
    if (!names && !integers) {
        for (size_t i = 0; i < l->count && !other; i++)
            if (text_of(pcri_list_at(l, i)) &&
                !pcri_names_has(given, text_of(pcri_list_at(l, i))))
                other = pcri_list_at(l, i);
        return pcri_row_fail(err, other, "label '%.60s' is not one of the %u classes given",
                             text_of(other), (unsigned) given->count);
    }
    int rc = names ? 0 : settle_texts(l, err);
    for (size_t i = 0; i < l->count && !rc; i++) {
        const struct pcri_list_row *r = pcri_list_at(l, i);
        if (r->float_labels && r->label_count)
            rc = pcri_row_fail(err, r, "a float label, but classes are given");
        else if (r->labels && r->label_count &&
                 (r->labels[0] < 0 || r->labels[0] >= given->count))
            rc = pcri_row_fail(err, r, "label %" PRId64 ", but %u classes are given",
                               r->labels[0], (unsigned) given->count);
    }
    return rc;
}

static int collect(const struct pcri_list *l, struct pcri_names *classes,
                   struct pcr_error *err)
{
    size_t count = 0;
    const char **list = pcri_malloc(l->count, sizeof(*list), err);
    if (!list)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < l->count; i++)
        if (text_of(pcri_list_at(l, i)))
            list[count++] = text_of(pcri_list_at(l, i));
    int rc = pcri_names_make(classes, list, count, l->arena, err);
    free(list);
    return rc;
}

static int name_classes(struct pcri_list *l, const struct pcri_names *classes,
                        struct pcr_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < l->count && !rc; i++) {
        struct pcri_list_row *r = pcri_list_at(l, i);
        if (!text_of(r))
            continue;
        int64_t index = pcri_names_find(classes, text_of(r));
        rc = set_numbers(l, r, &index, NULL, 1, err);
    }
    return rc;
}

static bool same_split(const struct pcri_list_row *a, const struct pcri_list_row *b)
{
    return a->split && b->split ? !strcmp(a->split, b->split) : a->split == b->split;
}

/* An empty label where others of the split have one is a slip, not a sample without. */
static int check_empty(const struct pcri_list *l, struct pcr_error *err)
{
    const struct pcri_list_row *empty = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const struct pcri_list_row *r = pcri_list_at(l, i);
        if (!r->empty_label || has_numbers(r) || (empty && same_split(empty, r)))
            continue;
        empty = r;
        for (size_t k = 0; k < l->count; k++)
            if (same_split(r, pcri_list_at(l, k)) &&
                (text_of(pcri_list_at(l, k)) || has_numbers(pcri_list_at(l, k))))
                return pcri_row_fail(
                    err, r,
                    "an empty label, but that of %s is not: leave the row out, or put rows without "
                    "labels into a split of their own",
                    pcri_row_place(pcri_list_at(l, k)).text);
    }
    return 0;
}

/* Where one label is a float all are stored so. */
static int check_exact(const struct pcri_list *l, struct pcr_error *err)
{
    bool floats = false;
    for (size_t i = 0; i < l->count; i++)
        floats |= pcri_list_at(l, i)->float_labels && pcri_list_at(l, i)->label_count;
    for (size_t i = 0; i < l->count && floats; i++) {
        const struct pcri_list_row *r = pcri_list_at(l, i);
        for (uint32_t k = 0; k < r->label_count && r->labels; k++)
            if (!is_exact(r->labels[k]))
                return pcri_row_fail(err, r,
                                     "label %" PRId64 " is not exact as a float, but "
                                     "others have floats",
                                     r->labels[k]);
    }
    return 0;
}

int pcri_list_settle_labels(struct pcri_list *l, const struct pcri_names *given,
                            struct pcri_names *classes, struct pcr_error *err)
{
    for (size_t i = 0; i < l->count; i++)
        if (text_of(pcri_list_at(l, i)) && has_numbers(pcri_list_at(l, i)))
            return pcri_row_fail(err, pcri_list_at(l, i), "both 'label' and 'labels'");
    int rc = check_empty(l, err);
    if (!rc && given->count)
        rc = check_given(l, given, err);
    else if (!rc && !(rc = settle_texts(l, err)))
        rc = check_mixture(l, err);
    if (!rc)
        rc = check_exact(l, err);
    if (!rc && given->count)
        *classes = *given;
    else if (!rc)
        rc = collect(l, classes, err);
    return rc ? rc : name_classes(l, classes, err);
}
