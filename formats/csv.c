/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists as CSV (RFC 4180): a header line names the columns; fields may be quoted, and then may
 * hold separators, line ends, blanks at their ends and doubled quotes. Lines end in CRLF or
 * LF. Semicolons or tabs may replace the commas: the header is split by whichever makes one
 * column name a path. */
#include <stdlib.h>

#include "../libpcr/base/utf8.h"
#include "columns.h"
#include "folder_names.h"
#include "label.h"
#include "list.h"

/* A scanner over the text, and the fields of the record that it read last. */
struct csv {
    const char *p, *end;
    const struct pcri_arena *source; /* of the text, or NULL */
    char separator;
    uint64_t line;          /* that p points to */
    uint64_t row_line;      /* that the record began on */
    struct pcr_buffer text; /* fields back to back, each ended by NUL */
    size_t *fields;         /* where each begins in text */
    size_t count, capacity;
};

/* The columns as the header names them. */
struct header {
    enum pcri_list_column *kinds;
    const char **names;
    bool *splits; /* of attributes: may be the splits, by name and by all values so far */
    size_t count;
};

static int begin_field(struct csv *c, struct pcr_error *err)
{
    if (PCRI_GROW(c->fields, c->capacity, c->count + 1, err))
        return PCR_ERR_NOMEM;
    c->fields[c->count++] = c->text.nbytes;
    return 0;
}

/* After the opening quote, up to and with the closing one. */
static int read_quoted(struct csv *c, struct pcr_error *err)
{
    for (;;) {
        const char *start = c->p;
        while (c->p < c->end && *c->p != '"')
            c->line += *c->p++ == '\n';
        int rc = pcri_buffer_append(&c->text, start, (size_t) (c->p - start), err);
        if (rc)
            return rc;
        if (c->p == c->end)
            return pcri_fail_line(err, c->row_line, "a quoted field has no end");
        c->p++;
        if (c->p == c->end || *c->p != '"')
            return 0;
        rc = pcri_buffer_append(&c->text, c->p++, 1, err);
        if (rc)
            return rc;
    }
}

static bool at_line_end(const struct csv *c)
{
    return c->p == c->end || *c->p == '\n' ||
           (*c->p == '\r' && (c->p + 1 == c->end || c->p[1] == '\n'));
}

static void skip_blanks(struct csv *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t') && *c->p != c->separator)
        c->p++;
}

/* Without quotes: blanks at the ends are not the field's. */
static int read_plain(struct csv *c, struct pcr_error *err)
{
    const char *start = c->p;
    while (!at_line_end(c) && *c->p != c->separator && *c->p != '"')
        c->p++;
    if (!at_line_end(c) && *c->p == '"')
        return pcri_fail_line(err, c->line, "a quote inside a field that is not quoted");
    const char *end = c->p;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return pcri_buffer_append(&c->text, start, (size_t) (end - start), err);
}

static int read_field(struct csv *c, struct pcr_error *err)
{
    int rc = begin_field(c, err);
    if (rc)
        return rc;
    skip_blanks(c);
    if (c->p < c->end && *c->p == '"') {
        c->p++;
        rc = read_quoted(c, err);
        skip_blanks(c);
        if (!rc && !at_line_end(c) && *c->p != c->separator)
            rc = pcri_fail_line(err, c->line, "text after a closing quote");
    } else {
        rc = read_plain(c, err);
    }
    size_t begin = c->fields[c->count - 1], n = c->text.nbytes - begin;
    if (!rc)
        rc = pcri_buffer_append(&c->text, "", 1, err);
    if (!rc && strlen((const char *) c->text.data + begin) != n)
        rc = pcri_fail_line(err, c->row_line, "a NUL byte");
    return rc;
}

static void skip_line_end(struct csv *c)
{
    if (c->p < c->end && *c->p == '\r')
        c->p++;
    if (c->p < c->end && *c->p == '\n')
        c->p++;
    c->line++;
}

/* Reads the next record that is not an empty line; count 0 at the end. */
static int read_record(struct csv *c, struct pcr_error *err)
{
    c->count = 0;
    c->text.nbytes = 0;
    if (c->source)
        pcri_arena_touch(c->source, c->p);
    while (c->p < c->end && at_line_end(c))
        skip_line_end(c);
    if (c->p == c->end)
        return 0;
    c->row_line = c->line;
    for (;;) {
        int rc = read_field(c, err);
        if (rc)
            return rc;
        if (at_line_end(c))
            break;
        c->p++; /* the separator */
    }
    skip_line_end(c);
    return 0;
}

static const char *field(const struct csv *c, size_t i)
{
    return (const char *) c->text.data + c->fields[i];
}

/* --- header --- */

/* Without blanks and byte order marks at its ends. */
static const char *trimmed(const char *name, size_t *nbytes)
{
    static const char *const blanks[] = { " ", "\t", "\xc2\xa0", "\xef\xbb\xbf" };
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
        size_t m = strlen(blanks[i]);
        bool before = n >= m && !memcmp(name, blanks[i], m);
        if (!before && !(n >= m && !memcmp(name + n - m, blanks[i], m)))
            continue;
        name += before ? m : 0;
        n -= m;
        i = SIZE_MAX; /* another may be within it */
    }
    *nbytes = n;
    return name;
}

static int take_header(const struct csv *c, struct pcri_list *l, struct header *h,
                       struct pcr_error *err)
{
    free(h->kinds);
    free(h->names);
    free(h->splits);
    h->count = c->count;
    h->kinds = pcri_calloc(h->count, sizeof(*h->kinds), err);
    h->names = pcri_calloc(h->count, sizeof(*h->names), err);
    h->splits = pcri_calloc(h->count, sizeof(*h->splits), err);
    if (!h->kinds || !h->names || !h->splits)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < h->count; i++) {
        size_t n;
        const char *name = trimmed(field(c, i), &n);
        h->names[i] = pcri_arena_strndup(l->arena, name, n, err);
        if (!h->names[i])
            return PCR_ERR_NOMEM;
        if (!pcri_utf8_valid(name, n))
            return pcri_fail_line(err, c->row_line, "a column's name is not UTF-8");
    }
    int rc = 0;
    if (l->beside)
        pcri_columns_find_beside(h->names, h->count, !l->keep_labels, h->kinds);
    else
        rc = pcri_columns_find(h->names, h->count, h->kinds, err);
    if (rc)
        return pcri_prefix(err, rc, "line %llu", (unsigned long long) c->row_line);
    return 0;
}

static bool has_kind(const struct header *h, enum pcri_list_column kind)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->kinds[i] == kind)
            return true;
    return false;
}

static int fail_no_path(const struct csv *c, const struct header *h, struct pcr_error *err)
{
    char found[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < h->count && n < sizeof(found); i++)
        n += (size_t) snprintf(found + n, sizeof(found) - n, "%s'%.40s'", i ? ", " : "",
                               h->names[i]);
    return pcri_fail_line(err, (h->count ? c->row_line : 1),
                          "the header names no column 'path'%s%s; the first line must "
                          "name the columns, such as path,label,split",
                          h->count ? ", but " : "", found);
}

/* Reads the header by the separator that finds a path in it, a comma before others. */
static int read_header(struct csv *c, struct pcri_list *l, struct header *h,
                       struct pcr_error *err)
{
    static const char separators[] = ",;\t";
    const struct csv start = *c;
    struct pcr_error first = { 0 };
    for (size_t i = 0; separators[i]; i++) {
        c->p = start.p;
        c->line = start.line;
        c->separator = separators[i];
        struct pcr_error why = { 0 };
        int rc = read_record(c, &why);
        if (!rc)
            rc = take_header(c, l, h, &why);
        if (!rc && has_kind(h, PCRI_COLUMN_PATH))
            break;
        if (!rc)
            rc = fail_no_path(c, h, &why);
        if (!i || rc == PCR_ERR_NOMEM)
            first = why;
        if (rc == PCR_ERR_NOMEM || !separators[i + 1])
            return pcri_hand_on(err, first.code, &first);
    }
    for (size_t i = 0; i < h->count; i++)
        h->splits[i] = !l->beside && h->kinds[i] == PCRI_COLUMN_ATTRIBUTE &&
                       !has_kind(h, PCRI_COLUMN_SPLIT) && pcri_column_like_split(h->names[i]);
    return 0;
}

/* --- rows --- */

static int add_attribute(json_t *attributes, const char *name, const char *value,
                         uint64_t line, struct pcr_error *err)
{
    size_t n = strlen(value);
    if (!pcri_utf8_valid(value, n))
        return pcri_fail_line(err, line, "column '%s' is not UTF-8", name);
    if (json_object_set_new(attributes, name, json_stringn(value, n)))
        return pcri_fail_nomem(err, n);
    return 0;
}

static int set_field(struct pcri_list *l, struct pcri_list_row *row,
                     enum pcri_list_column kind, const char *value, struct pcr_error *err)
{
    const char **text = kind == PCRI_COLUMN_PATH    ? &row->path
                        : kind == PCRI_COLUMN_KEY   ? &row->key
                        : kind == PCRI_COLUMN_SPLIT ? &row->split
                                                    : &row->label_text;
    if (kind == PCRI_COLUMN_LABELS)
        return pcri_row_numbers(l, row, value, err);
    *text = kind == PCRI_COLUMN_PATH || kind == PCRI_COLUMN_KEY
                ? pcri_arena_strndup(l->arena, value, strlen(value), err)
                : pcri_list_text(l, value, strlen(value), err);
    return *text ? 0 : PCR_ERR_NOMEM;
}

static int add_row(const struct csv *c, struct header *h, struct pcri_list *l,
                   json_t *attributes, struct pcr_error *err)
{
    struct pcri_list_row *row = pcri_list_add(l, c->row_line, err);
    int rc = row ? 0 : PCR_ERR_NOMEM;
    for (size_t i = 0; i < h->count && !rc; i++) {
        const char *value = field(c, i);
        h->splits[i] &= pcri_is_split_name(value);
        row->empty_label |= !*value && h->kinds[i] == PCRI_COLUMN_LABEL;
        if (!*value || h->kinds[i] == PCRI_COLUMN_NONE)
            continue;
        if (h->kinds[i] == PCRI_COLUMN_ATTRIBUTE)
            rc = add_attribute(attributes, h->names[i], value, c->row_line, err);
        else
            rc = set_field(l, row, h->kinds[i], value, err);
    }
    return rc ? rc : pcri_row_attributes(l, row, attributes, err);
}

static int read_rows(struct csv *c, struct header *h, struct pcri_list *l,
                     struct pcr_error *err)
{
    json_t *attributes = json_object();
    int rc = attributes ? 0 : pcri_fail_nomem(err, sizeof(json_t *));
    while (!rc) {
        rc = read_record(c, err);
        if (rc || !c->count)
            break;
        json_object_clear(attributes);
        if (c->count != h->count)
            rc = pcri_fail_line(err, c->row_line, "%zu fields, but the header has %zu",
                                c->count, h->count);
        else
            rc = add_row(c, h, l, attributes, err);
    }
    json_decref(attributes);
    for (size_t i = 0; i < h->count && !rc && l->count; i++)
        if (h->splits[i])
            rc = pcri_fail(err, PCR_ERR_INVAL,
                           "column '%s' holds only names of splits: call it 'split'; if it "
                           "is an attribute, give it another name",
                           h->names[i]);
    return rc;
}

/* What spreadsheets put before the header. */
static int skip_marks(struct csv *c, struct pcr_error *err)
{
    size_t n = (size_t) (c->end - c->p);
    if (n >= 2 && (!memcmp(c->p, "\xff\xfe", 2) || !memcmp(c->p, "\xfe\xff", 2)))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "the text is UTF-16; save it as UTF-8 (\"CSV UTF-8\")");
    c->p = pcri_after_mark(c->p, c->end);
    if (c->end - c->p >= 6 && !memcmp(c->p, "sep=", 4) &&
        (c->p[5] == '\r' || c->p[5] == '\n')) {
        c->p += 5;
        skip_line_end(c);
    }
    return 0;
}

static void free_scan(struct csv *c, struct header *h)
{
    free(h->kinds);
    free(h->names);
    free(h->splits);
    free(c->fields);
    pcr_buffer_free(&c->text);
}

int pcri_csv_parse(const char *text, size_t nbytes, struct pcri_list *l, struct pcr_error *err)
{
    struct csv c = { .p = text, .end = text + nbytes, .source = l->source, .line = 1 };
    struct header h = { 0 };
    int rc = skip_marks(&c, err);
    if (!rc)
        rc = read_header(&c, l, &h, err);
    if (!rc)
        rc = read_rows(&c, &h, l, err);
    free_scan(&c, &h);
    return rc;
}

int pcri_csv_is_metadata(const char *text, size_t nbytes, bool *is, struct pcr_error *err)
{
    struct pcri_arena arena = { 0 };
    struct pcri_list l = { .arena = &arena, .beside = true };
    struct csv c = { .p = text, .end = text + nbytes, .line = 1 };
    struct header h = { 0 };
    int rc = skip_marks(&c, err);
    if (!rc)
        rc = read_header(&c, &l, &h, err);
    free_scan(&c, &h);
    pcri_arena_free(&arena);
    *is = !rc;
    return rc == PCR_ERR_NOMEM ? rc : 0;
}
