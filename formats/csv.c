/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists as CSV (RFC 4180): a header line names the columns; fields may be quoted, and
 * then hold commas, line ends and doubled quotes. Lines end in CRLF or LF. */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

#include "../libpcr/base/utf8.h"
#include "list.h"

enum column { COL_PATH, COL_KEY, COL_LABEL, COL_LABELS, COL_SPLIT, COL_ATTRIBUTE };

static const char *const column_names[] = { "path", "key", "label", "labels", "split" };

/* A scanner over the text, and the fields of the record that it read last. */
struct csv {
    const char *p, *end;
    uint64_t line;       /* that p stands on */
    uint64_t row_line;   /* that the record began on */
    struct pcr_buffer text; /* fields back to back, each ended by NUL */
    size_t *fields;      /* where each begins in text */
    size_t count, capacity;
};

/* The columns as the header names them. */
struct header {
    enum column *kinds;
    const char **names;
    size_t count;
};

static int fail_line(struct pcr_error *err, uint64_t line, const char *what)
{
    return pcri_fail(err, PCR_ERR_INVAL, "line %llu: %s", (unsigned long long) line,
                     what);
}

static int begin_field(struct csv *c, struct pcr_error *err)
{
    if (c->count == c->capacity) {
        size_t n = c->capacity ? 2 * c->capacity : 16;
        size_t *p = realloc(c->fields, n * sizeof(*p));
        if (!p)
            return pcri_fail_nomem(err, n * sizeof(*p));
        c->fields = p;
        c->capacity = n;
    }
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
            return fail_line(err, c->row_line, "a quoted field does not end");
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

static int read_field(struct csv *c, struct pcr_error *err)
{
    int rc = begin_field(c, err);
    if (rc)
        return rc;
    if (c->p < c->end && *c->p == '"') {
        c->p++;
        rc = read_quoted(c, err);
        if (!rc && !at_line_end(c) && *c->p != ',')
            rc = fail_line(err, c->line, "text after a closing quote");
    } else {
        const char *start = c->p;
        while (!at_line_end(c) && *c->p != ',' && *c->p != '"')
            c->p++;
        if (!at_line_end(c) && *c->p == '"')
            return fail_line(err, c->line, "a quote inside a field that is not quoted");
        rc = pcri_buffer_append(&c->text, start, (size_t) (c->p - start), err);
    }
    size_t begin = c->fields[c->count - 1], n = c->text.nbytes - begin;
    if (!rc)
        rc = pcri_buffer_append(&c->text, "", 1, err);
    if (!rc && strlen((const char *) c->text.data + begin) != n)
        rc = fail_line(err, c->row_line, "a NUL byte");
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
        c->p++; /* the comma */
    }
    skip_line_end(c);
    return 0;
}

static const char *field(const struct csv *c, size_t i)
{
    return (const char *) c->text.data + c->fields[i];
}

/* --- header --- */

static enum column find_column(const char *name)
{
    size_t i = 0;
    while (i < COL_ATTRIBUTE && strcmp(column_names[i], name) != 0)
        i++;
    return (enum column) i;
}

static int read_header(struct csv *c, struct pcri_list *l, struct header *h,
                       struct pcr_error *err)
{
    bool has_path = false;
    int rc = read_record(c, err);
    if (rc)
        return rc;
    h->count = c->count;
    h->kinds = pcri_calloc(h->count, sizeof(*h->kinds), err);
    h->names = pcri_calloc(h->count, sizeof(*h->names), err);
    if (!h->kinds || !h->names)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < h->count; i++) {
        const char *name = field(c, i);
        h->kinds[i] = find_column(name);
        has_path |= h->kinds[i] == COL_PATH;
        h->names[i] = pcri_arena_strndup(l->arena, name, strlen(name), err);
        if (!h->names[i])
            return PCR_ERR_NOMEM;
        if (!pcri_utf8_valid(name, strlen(name)))
            return fail_line(err, c->row_line, "a column's name is not UTF-8");
        for (size_t k = 0; k < i; k++)
            if (!strcmp(h->names[k], name))
                return pcri_fail(err, PCR_ERR_INVAL, "line %llu: two columns named '%s'",
                                 (unsigned long long) c->row_line, name);
    }
    return has_path ? 0 : fail_line(err, c->line > 1 ? c->row_line : 1,
                                    "the header names no column 'path'");
}

/* --- rows --- */

/* Integers with blanks between them. */
static int parse_labels(const char *text, struct pcri_list *l, struct pcri_list_row *row,
                        struct pcr_error *err)
{
    size_t most = strlen(text) / 2 + 1;
    uint32_t count = 0;
    int64_t *labels = pcri_arena_alloc(l->arena, most * sizeof(*labels), alignof(int64_t),
                                       err);
    if (!labels)
        return PCR_ERR_NOMEM;
    for (const char *p = text + strspn(text, " "); *p; p += strspn(p, " ")) {
        char *end;
        errno = 0;
        long long v = strtoll(p, &end, 10);
        if (end == p || errno || (*end && *end != ' '))
            return pcri_fail(err, PCR_ERR_INVAL,
                             "line %llu: labels are integers with blanks between, "
                             "not '%s'",
                             (unsigned long long) row->line, text);
        labels[count++] = v;
        p = end;
    }
    row->labels = labels;
    row->label_count = count;
    return 0;
}

static int add_attribute(json_t *attributes, const char *name, const char *value,
                         uint64_t line, struct pcr_error *err)
{
    size_t n = strlen(value);
    if (!pcri_utf8_valid(value, n))
        return pcri_fail(err, PCR_ERR_INVAL, "line %llu: column '%s' is not UTF-8",
                         (unsigned long long) line, name);
    if (json_object_set_new(attributes, name, json_stringn(value, n)))
        return pcri_fail_nomem(err, n);
    return 0;
}

static int set_field(struct pcri_list *l, struct pcri_list_row *row, enum column kind,
                     const char *value, struct pcr_error *err)
{
    const char **text = kind == COL_PATH    ? &row->path
                        : kind == COL_KEY   ? &row->key
                        : kind == COL_SPLIT ? &row->split
                                            : &row->class_name;
    if (kind == COL_LABELS)
        return parse_labels(value, l, row, err);
    *text = pcri_arena_strndup(l->arena, value, strlen(value), err);
    row->number_or_name |= kind == COL_LABEL;
    return *text ? 0 : PCR_ERR_NOMEM;
}

static int add_row(const struct csv *c, const struct header *h, struct pcri_list *l,
                   json_t *attributes, struct pcr_error *err)
{
    struct pcri_list_row *row = pcri_list_add(l, c->row_line, err);
    int rc = row ? 0 : PCR_ERR_NOMEM;
    for (size_t i = 0; i < h->count && !rc; i++) {
        const char *value = field(c, i);
        if (!*value)
            continue;
        if (h->kinds[i] == COL_ATTRIBUTE)
            rc = add_attribute(attributes, h->names[i], value, c->row_line, err);
        else
            rc = set_field(l, row, h->kinds[i], value, err);
    }
    if (!rc && json_object_size(attributes)) {
        row->attributes = pcri_list_attributes(l, attributes, err);
        rc = row->attributes ? 0 : PCR_ERR_NOMEM;
    }
    return rc;
}

static int read_rows(struct csv *c, const struct header *h, struct pcri_list *l,
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
            rc = pcri_fail(err, PCR_ERR_INVAL,
                           "line %llu: %zu fields, but the header has %zu",
                           (unsigned long long) c->row_line, c->count, h->count);
        else
            rc = add_row(c, h, l, attributes, err);
    }
    json_decref(attributes);
    return rc;
}

int pcri_csv_parse(const char *text, size_t nbytes, struct pcri_list *l,
                   struct pcr_error *err)
{
    struct csv c = { .p = text, .end = text + nbytes, .line = 1 };
    struct header h = { 0 };
    if (nbytes >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
        c.p += 3; /* the byte order mark that spreadsheets write */
    int rc = read_header(&c, l, &h, err);
    if (!rc)
        rc = read_rows(&c, &h, l, err);
    free(h.kinds);
    free(h.names);
    free(c.fields);
    pcr_buffer_free(&c.text);
    return rc;
}
