/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading manifest.json (docs/FORMAT.md section 6).
 *
 * No tree of values is made, which would take some 20 times the text's bytes: members are found
 * in the text, and read from there into the manifest's arrays. */
#include <inttypes.h>
#include <stdlib.h>

#include "../base/json.h"
#include "manifest.h"

static const char start[] = "{\"_xxh3\":\"";

enum { CHECK_AT = sizeof(start) - 1, BODY_AT = CHECK_AT + 16 + 2 };

static int bad(struct pcr_error *err, const char *name, const char *expected)
{
    return pcri_fail(err, PCR_ERR_CORRUPT, "%s: expected %s", name, expected);
}

static bool get_hex(const char *text, size_t nbytes, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < nbytes; i++) {
        char c = text[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned) (c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned) (c - 'a') + 10
                                                : 16;
        if (digit > 15)
            return false;
        *out = *out << 4 | digit;
    }
    return nbytes == 16;
}

/* A value's text within the manifest; at NULL: there is none. */
struct text {
    const char *at, *end;
};

static struct pcri_json_reader open_text(const struct text *t, struct pcr_error *err)
{
    return pcri_json_reader(t->at, (size_t) (t->end - t->at), err);
}

/* What a reader of a value said: 1 becomes CORRUPT. */
static int close_text(struct pcri_json_reader *r, int rc, const char *name,
                      const char *expected)
{
    pcri_json_close(r);
    return rc > 0 ? bad(r->err, name, expected) : rc;
}

/* Finds the members of an object. Each may be missing and appears at most once; others are
 * ignored. */
static int find_members(const struct text *object, const char *name, const char *const *names,
                        size_t count, struct text *out, struct pcr_error *err)
{
    struct pcri_json_reader r = open_text(object, err);
    const char *member, *twice = NULL;
    int rc = object->at ? pcri_json_first(&r, '{') : 1;
    memset(out, 0, count * sizeof(*out));
    while (!rc) {
        size_t i = 0;
        if ((rc = pcri_json_name(&r, &member)))
            break;
        while (i < count && strcmp(member, names[i]) != 0)
            i++;
        const char *at = r.at;
        if (i < count && out[i].at)
            twice = names[i];
        if ((rc = twice ? 1 : pcri_json_pass(&r)))
            break;
        if (i < count)
            out[i] = (struct text) { at, r.at };
        rc = pcri_json_next(&r, '}');
    }
    rc = rc == PCRI_JSON_LAST ? 0 : rc;
    return twice ? close_text(&r, 1, twice, "one member with this name")
                 : close_text(&r, rc, name, "an object");
}

static int get_number(const struct text *t, const char *name, uint64_t max, uint64_t *out,
                      struct pcr_error *err)
{
    struct pcri_json_reader r = open_text(t, err);
    int rc = t->at ? pcri_json_whole(&r, max, out) : 1;
    if (!rc)
        rc = pcri_json_end(&r);
    return close_text(&r, rc, name, "a whole number in range");
}

/* `count` numbers in an array. */
static int get_numbers(const struct text *t, const char *name, uint64_t count, uint64_t *out,
                       struct pcr_error *err)
{
    struct pcri_json_reader r = open_text(t, err);
    int rc = t->at ? pcri_json_numbers(&r, INT64_MAX, count, out) : 1;
    return close_text(&r, rc, name,
                      "an array of the right number of whole numbers below 2^63");
}

/* Elements of an array. */
static int count_elements(const struct text *t, const char *name, uint64_t *out,
                          struct pcr_error *err)
{
    struct pcri_json_reader r = open_text(t, err);
    int rc = t->at ? pcri_json_first(&r, '[') : 1;
    for (*out = 0; !rc; ++*out) {
        rc = pcri_json_pass(&r);
        if (!rc)
            rc = pcri_json_next(&r, ']');
        if (rc == PCRI_JSON_LAST)
            ++*out;
        if (rc)
            break;
    }
    return close_text(&r, rc == PCRI_JSON_LAST ? 0 : rc, name, "an array");
}

/* A string, malloc'd. */
static int get_text(const struct text *t, const char *name, char **out, struct pcr_error *err)
{
    struct pcri_json_reader r = open_text(t, err);
    const char *text;
    size_t n;
    int rc = t->at ? pcri_json_string(&r, &text, &n) : 1;
    if (!rc && !(*out = pcri_strndup(text, n, err)))
        rc = PCR_ERR_NOMEM;
    return close_text(&r, rc, name, "a string");
}

enum member {
    FORMAT,
    VERSION,
    REQUIRED,
    LADDER,
    GROUP_COUNT,
    CLASSES,
    SPLITS,
    SCHEMA,
    REDUCED,
    PICTURES,
    CODINGS,
    ORIGINALS,
    LIMITS,
    STATISTICS,
    WRITER,
    RECORDS,
    MEMBERS,
};

static const char *const member_names[MEMBERS] = {
    "format", "version",    "required", "ladder",   "group_count", "classes",
    "splits", "schema",     "reduced",  "pictures", "codings",     "originals",
    "limits", "statistics", "writer",   "records",
};

/* What the file is, before anything else is looked at. */
static int parse_version(const struct text root[], struct pcri_manifest *m,
                         struct pcr_error *err)
{
    char *format = NULL, *name = NULL;
    uint64_t v[2], required = 0;
    int rc = get_text(&root[FORMAT], "format", &format, err);
    if (rc != PCR_ERR_NOMEM && (rc || strcmp(format, "pcr")))
        rc = pcri_fail(err, PCR_ERR_FORMAT, "not a PCR manifest: format is not \"pcr\"");
    free(format);
    if (rc || (rc = get_numbers(&root[VERSION], "version", 2, v, err)))
        return rc;
    if (v[0] != 1)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "format version %" PRIu64 ".%" PRIu64 ", this library knows 1.x",
                         v[0], v[1]);
    if (v[1] > UINT32_MAX)
        return bad(err, "version", "numbers in range");
    if ((rc = count_elements(&root[REQUIRED], "required", &required, err)))
        return rc;
    if (required) {
        struct text first = { root[REQUIRED].at + 1, root[REQUIRED].end };
        rc = get_text(&first, "required", &name, NULL);
        rc = pcri_fail(err, PCR_ERR_UNSUPPORTED,
                       "it requires %.100s, which this version does not know",
                       rc ? "something" : name);
        free(name);
        return rc;
    }
    m->major = (uint32_t) v[0];
    m->minor = (uint32_t) v[1];
    return 0;
}

/* All names are in one block, each followed by NUL. */
static int read_classes(struct pcri_json_reader *r, uint64_t count, struct pcri_manifest *m,
                        struct pcr_buffer *names)
{
    int rc = pcri_json_first(r, '[');
    for (uint64_t i = 0; !rc; i++) {
        const char *name;
        size_t n;
        if ((rc = pcri_json_string(r, &name, &n)))
            return rc;
        /* The offset, until the block no longer moves. */
        m->classes[i] = (char *) (uintptr_t) names->nbytes;
        if (i == count || pcri_buffer_append(names, name, strlen(name) + 1, r->err))
            return PCR_ERR_NOMEM;
        rc = pcri_json_next(r, ']');
    }
    return rc == PCRI_JSON_LAST ? 0 : rc;
}

static int parse_classes(const struct text *t, struct pcri_manifest *m, struct pcr_error *err)
{
    struct pcr_buffer names = { 0 };
    uint64_t count = 0;
    int rc = count_elements(t, "classes", &count, err);
    if (!rc && count > INT32_MAX)
        rc = bad(err, "classes", "fewer classes");
    if (rc)
        return rc;
    if (!(m->classes = pcri_calloc((size_t) count, sizeof(*m->classes), err)))
        return PCR_ERR_NOMEM;
    struct pcri_json_reader r = open_text(t, err);
    rc = close_text(&r, read_classes(&r, count, m, &names), "classes", "strings");
    if (rc) {
        pcr_buffer_free(&names);
        return rc;
    }
    m->class_names = (char *) names.data;
    for (uint64_t i = 0; i < count; i++)
        m->classes[i] = m->class_names + (uintptr_t) m->classes[i];
    m->class_count = (uint32_t) count;
    return 0;
}

static int parse_split(const struct text *t, const struct pcri_manifest *m,
                       struct pcri_split *s, struct pcr_error *err)
{
    static const char *const names[] = { "name",         "first_record",  "record_count",
                                         "sample_count", "source_nbytes", "class_counts" };
    uint64_t *const numbers[] = { NULL, &s->first_record, &s->record_count, &s->sample_count,
                                  &s->source_nbytes };
    struct text members[6];
    int rc = find_members(t, "splits", names, 6, members, err);
    if (!rc)
        rc = get_text(&members[0], "name", &s->name, err);
    for (int i = 1; i < 5 && !rc; i++)
        rc = get_number(&members[i], names[i], INT64_MAX, numbers[i], err);
    if (rc)
        return rc;
    if (!(s->class_counts = pcri_calloc(m->class_count, sizeof(*s->class_counts), err)))
        return PCR_ERR_NOMEM;
    return get_numbers(&members[5], "class_counts", m->class_count, s->class_counts, err);
}

static int parse_splits(const struct text *t, struct pcri_manifest *m, struct pcr_error *err)
{
    uint64_t count = 0;
    int rc = count_elements(t, "splits", &count, err);
    /* Each name is compared with all others, so there must not be too many. */
    if (rc || count > PCRI_MANIFEST_SPLITS)
        return rc ? rc : bad(err, "splits", "an array of at most 10000");
    if (!(m->splits = pcri_calloc((size_t) count, sizeof(*m->splits), err)))
        return PCR_ERR_NOMEM;
    struct pcri_json_reader r = open_text(t, err);
    int more = pcri_json_first(&r, '[');
    while (!more && !rc) {
        struct text one = { r.at, r.end };
        if (!(more = pcri_json_pass(&r))) {
            one.end = r.at;
            rc = parse_split(&one, m, &m->splits[m->split_count++], err);
            more = pcri_json_next(&r, ']');
        }
    }
    if (rc)
        pcri_prefix(err, rc, "split %u", m->split_count - 1);
    int closed = close_text(&r, more == PCRI_JSON_LAST || rc ? 0 : more, "splits", "objects");
    return rc ? rc : closed;
}

static int read_attributes(struct pcri_json_reader *r, struct pcri_schema *schema)
{
    const char *name, *text;
    size_t n;
    int rc = pcri_json_first(r, '{');
    while (!rc) {
        struct pcri_type type;
        bool added = false;
        if ((rc = pcri_json_name(r, &name)))
            break;
        char *copy = pcri_strndup(name, strlen(name), r->err);
        if (!copy)
            return PCR_ERR_NOMEM;
        rc = pcri_json_string(r, &text, &n);
        if (!rc)
            rc = !pcri_type_parse(text, &type) || schema->count == PCRI_SCHEMA_COLUMNS;
        if (!rc)
            rc = pcri_schema_add(schema, copy, &type, &added, r->err);
        free(copy);
        if (!rc)
            rc = added ? pcri_json_next(r, '}') : 1;
    }
    return rc == PCRI_JSON_LAST ? 0 : rc;
}

static int read_blobs(struct pcri_json_reader *r, struct pcri_schema *names)
{
    static const struct pcri_type any = { PCR_ELEMENT_JSON, 0, 0, 1 };
    const char *name;
    size_t n;
    int rc = pcri_json_first(r, '[');
    while (!rc) {
        bool added = false;
        rc = pcri_json_string(r, &name, &n);
        if (!rc)
            rc = !n || names->count == PCRI_SCHEMA_COLUMNS;
        if (!rc)
            rc = pcri_schema_add(names, name, &any, &added, r->err);
        if (!rc)
            rc = added ? pcri_json_next(r, ']') : 1;
    }
    return rc == PCRI_JSON_LAST ? 0 : rc;
}

static int parse_schema(const struct text *t, struct pcri_manifest *m, struct pcr_error *err)
{
    static const char *const names[] = { "label", "attributes", "blobs" };
    struct text members[3];
    char *label = NULL;
    int rc = find_members(t, "schema", names, 3, members, err);
    if (!rc)
        rc = get_text(&members[0], "schema.label", &label, err);
    if (rc)
        return rc;
    m->label_kind = 0;
    while (m->label_kind <= PCR_LABEL_FLOATS &&
           strcmp(label, pcri_label_kinds[m->label_kind]) != 0)
        m->label_kind++;
    free(label);
    if (m->label_kind > PCR_LABEL_FLOATS)
        return bad(err, "schema.label", "\"class\", \"ints\", \"floats\" or \"none\"");
    struct pcri_json_reader r = open_text(&members[1], err);
    rc = members[1].at ? read_attributes(&r, &m->schema) : 1;
    rc = close_text(&r, rc, "schema.attributes",
                    "an object of different names and their types, at most 1000");
    if (rc || !members[2].at)
        return rc;
    r = open_text(&members[2], err);
    return close_text(&r, read_blobs(&r, &m->blobs), "schema.blobs",
                      "an array of different names, at most 1000");
}

/* An object of numbers. */
struct field {
    uint64_t max, *out;
};

static int get_fields(const struct text *t, const char *name, const char *const *names,
                      const struct field *fields, size_t count, bool optional,
                      struct pcr_error *err)
{
    struct text members[16];
    int rc = find_members(t, name, names, count, members, err);
    for (size_t i = 0; i < count && !rc; i++)
        if (members[i].at || !optional)
            rc = get_number(&members[i], names[i], fields[i].max, fields[i].out, err);
    return rc;
}

/* May be missing, and so may each of its members. */
static int parse_reduced(const struct text *t, struct pcri_manifest *m, struct pcr_error *err)
{
    static const char *const names[] = { "max_side", "target_nbytes", "quality" };
    uint64_t max_side = 0, target_nbytes = 0, quality = 0;
    const struct field fields[] = { { UINT32_MAX, &max_side },
                                    { UINT32_MAX, &target_nbytes },
                                    { 100, &quality } };
    int rc = t->at ? get_fields(t, "reduced", names, fields, 3, true, err) : 0;
    m->max_side = (uint32_t) max_side;
    m->target_nbytes = (uint32_t) target_nbytes;
    m->quality = (uint32_t) quality;
    return rc;
}

/* May be missing: they were kept whole. */
static int parse_pictures(const struct text *t, struct pcri_manifest *m, struct pcr_error *err)
{
    static const char *const names[] = { "chosen", "exact_count", "jpeg_count", "quality" };
    uint64_t chosen = PCR_PICTURES_OPAQUE, quality = m->quality;
    const struct field fields[] = { { UINT8_MAX, &chosen },
                                    { INT64_MAX, &m->codings.exact },
                                    { INT64_MAX, &m->notes.encoded },
                                    { 100, &quality } };
    int rc = t->at ? get_fields(t, "pictures", names, fields, 4, false, err) : 0;
    m->pictures = (uint32_t) chosen;
    m->quality = (uint32_t) quality;
    return rc;
}

/* May be missing. */
static int parse_codings(const struct text *t, struct pcri_manifest *m, struct pcr_error *err)
{
    static const char *const names[] = { "chosen", "scans_count", "packed_count" };
    uint64_t chosen = 0;
    const struct field fields[] = {
        { UINT8_MAX, &chosen },
        { INT64_MAX, &m->codings.scans },
        { INT64_MAX, &m->codings.packed },
    };
    int rc = t->at ? get_fields(t, "codings", names, fields, 3, false, err) : 0;
    m->coding = (uint32_t) chosen;
    return rc;
}

/* May be missing. */
static int parse_originals(const struct text *t, struct pcri_manifest *m,
                           struct pcr_error *err)
{
    static const char *const names[] = { "unrestorable_count" };
    const struct field fields[] = { { INT64_MAX, &m->notes.unrestorable } };
    m->originals = t->at != NULL;
    return t->at ? get_fields(t, "originals", names, fields, 1, false, err) : 0;
}

/* May be missing, and so may each of its members. */
static int parse_limits(const struct text *t, struct pcri_manifest *m, struct pcr_error *err)
{
    static const char *const names[] = { "max_pixels", "max_samples", "max_sample_nbytes",
                                         "max_head_nbytes" };
    const struct field fields[] = {
        { PCRI_NEEDS_PIXELS, &m->needs.pixels },
        { PCRI_NEEDS_SAMPLES, &m->needs.samples },
        { PCRI_NEEDS_SAMPLE_NBYTES, &m->needs.sample_nbytes },
        { PCRI_NEEDS_HEAD_NBYTES, &m->needs.head_nbytes },
    };
    return t->at ? get_fields(t, "limits", names, fields, 4, true, err) : 0;
}

static int parse_statistics(const struct text *t, struct pcri_manifest *m,
                            struct pcr_error *err)
{
    static const char *const names[] = {
        "sample_count",  "opaque_count",   "skipped_count",     "source_nbytes",
        "head_nbytes",   "tail_nbytes",    "undecodable_count", "salvaged_count",
        "dropped_count", "dropped_nbytes",
    };
    static const char *const groups_name[] = { "group_nbytes" };
    static const char *const blob_name[] = { "blob_nbytes" };
    const struct field blobs[] = { { INT64_MAX, &m->blob_nbytes } };
    uint64_t *const out[] = {
        &m->sample_count,  &m->codings.opaque,       &m->skipped_count,     &m->source_nbytes,
        &m->head_nbytes,   &m->tail_nbytes,          &m->notes.undecodable, &m->notes.salvaged,
        &m->notes.dropped, &m->notes.dropped_nbytes,
    };
    struct field fields[sizeof(out) / sizeof(out[0])];
    struct text groups;
    for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
        fields[i] = (struct field) { INT64_MAX, out[i] };
    int rc = get_fields(t, "statistics", names, fields, sizeof(out) / sizeof(out[0]), false,
                        err);
    if (!rc)
        rc = get_fields(t, "statistics", blob_name, blobs, 1, true, err);
    if (!rc)
        rc = find_members(t, "statistics", groups_name, 1, &groups, err);
    return rc ? rc
              : get_numbers(&groups, "group_nbytes", m->group_count, m->group_nbytes, err);
}

/* --- the record table --- */

enum column { FILE_NAME, SAMPLE_COUNT, NBYTES, HEAD_END, ENDS, CHECK, COLUMNS };

static const char *const column_names[COLUMNS] = { "file",     "sample_count", "nbytes",
                                                   "head_end", "ends",         "check" };

/* Record n's entry in a column that is not plain numbers. */
static int read_entry(struct pcri_json_reader *r, enum column column, uint64_t n,
                      struct pcri_manifest *m)
{
    const char *text;
    size_t nbytes;
    uint64_t number;
    int rc = 0;
    switch (column) {
    case ENDS:
        return pcri_json_numbers(r, INT64_MAX, m->group_count, m->ends + n * m->group_count);
    case SAMPLE_COUNT:
        rc = pcri_json_whole(r, UINT32_MAX, &number);
        m->sample_counts[n] = rc ? 0 : (uint32_t) number;
        return rc;
    case CHECK:
        rc = pcri_json_string(r, &text, &nbytes);
        return rc ? rc : !get_hex(text, nbytes, &m->checks[n]);
    default:
        if ((rc = pcri_json_string(r, &text, &nbytes)))
            return rc;
        m->file_offsets[n] = m->files.nbytes;
        return pcri_buffer_append(&m->files, text, strlen(text) + 1, r->err);
    }
}

static int parse_column(const struct text *t, enum column column, uint64_t count,
                        struct pcri_manifest *m, struct pcr_error *err)
{
    static const char *const expected[COLUMNS] = {
        "strings",
        "whole numbers below 2^32",
        "",
        "",
        "one number per group for each record",
        "16 hexadecimal digits",
    };
    struct pcri_json_reader r = open_text(t, err);
    int rc = pcri_json_first(&r, '[');
    uint64_t n = 0;
    for (; !rc && n < count; n++) {
        rc = read_entry(&r, column, n, m);
        if (!rc)
            rc = pcri_json_next(&r, ']');
    }
    if (rc == PCRI_JSON_LAST)
        rc = n != count;
    else if (!rc)
        rc = 1;
    return close_text(&r, rc, column_names[column], expected[column]);
}

static int parse_records(const struct text *t, struct pcri_manifest *m, struct pcr_error *err)
{
    struct text columns[COLUMNS];
    uint64_t count = 0, other = 0;
    int rc = find_members(t, "records", column_names, COLUMNS, columns, err);
    /* Memory is taken for what is there. */
    for (int c = 0; c < COLUMNS && !rc; c++) {
        rc = count_elements(&columns[c], column_names[c], c ? &other : &count, err);
        if (!rc && c && other != count)
            rc = bad(err, "records", "columns of the same length");
    }
    /* That of `ends` is G times what `file` takes: two bytes of text for each number. */
    if (!rc &&
        count > (uint64_t) (columns[ENDS].end - columns[ENDS].at) / 2 / m->group_count + 1)
        rc = bad(err, "records.ends", "one number per group for each record");
    if (!rc)
        rc = pcri_manifest_reserve(m, count, err);
    if (!rc)
        rc = get_numbers(&columns[NBYTES], "nbytes", count, m->nbytes, err);
    if (!rc)
        rc = get_numbers(&columns[HEAD_END], "head_end", count, m->head_ends, err);
    static const enum column others[] = { FILE_NAME, SAMPLE_COUNT, ENDS, CHECK };
    for (size_t i = 0; i < 4 && !rc; i++)
        rc = parse_column(&columns[others[i]], others[i], count, m, err);
    m->record_count = rc ? 0 : count;
    return rc;
}

/* Finds the members of the text, which must be one JSON object. */
static int find_root(const void *text, size_t nbytes, struct text root[],
                     struct pcr_error *err)
{
    struct pcri_json_reader r = pcri_json_reader(text, nbytes, err);
    const struct text whole = { text, (const char *) text + nbytes };
    int rc = pcri_json_pass(&r);
    if (!rc)
        rc = pcri_json_end(&r);
    pcri_json_close(&r);
    if (rc > 0)
        return pcri_fail_at(err, r.fault.too_deep ? PCR_ERR_LIMIT : PCR_ERR_CORRUPT,
                            r.fault.offset, "JSON: %s", r.fault.what);
    return rc ? rc : find_members(&whole, "the manifest", member_names, MEMBERS, root, err);
}

static int parse_root(const void *text, size_t nbytes, struct pcri_manifest *m,
                      struct pcr_error *err)
{
    struct text root[MEMBERS];
    uint64_t groups = 0;
    int rc = find_root(text, nbytes, root, err);
    if (rc || (rc = parse_version(root, m, err)) ||
        (rc = get_number(&root[GROUP_COUNT], "group_count", PCRI_MAX_GROUPS, &groups, err)))
        return rc;
    if (!groups)
        return bad(err, "group_count", "1 to 32");
    m->group_count = (uint32_t) groups;
    if ((rc = get_text(&root[LADDER], "ladder", &m->ladder, err)) ||
        (rc = get_text(&root[WRITER], "writer", &m->writer, err)) ||
        (rc = parse_classes(&root[CLASSES], m, err)) ||
        (rc = parse_splits(&root[SPLITS], m, err)) ||
        (rc = parse_schema(&root[SCHEMA], m, err)) ||
        (rc = parse_reduced(&root[REDUCED], m, err)) ||
        (rc = parse_pictures(&root[PICTURES], m, err)) ||
        (rc = parse_codings(&root[CODINGS], m, err)) ||
        (rc = parse_originals(&root[ORIGINALS], m, err)) ||
        (rc = parse_limits(&root[LIMITS], m, err)) ||
        (rc = parse_statistics(&root[STATISTICS], m, err)) ||
        (rc = parse_records(&root[RECORDS], m, err)))
        return rc;
    return pcri_manifest_check(m, err);
}

static int check_text(const char *text, size_t nbytes, uint32_t flags, struct pcr_error *err)
{
    uint64_t stored;
    if (nbytes && memcmp(text, start, nbytes < CHECK_AT ? nbytes : CHECK_AT))
        return pcri_fail(err, PCR_ERR_FORMAT, "not a PCR manifest: wrong first bytes");
    if (nbytes < BODY_AT)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, nbytes,
                            nbytes ? "the manifest ends after %zu bytes"
                                   : "the manifest is an empty file",
                            nbytes);
    if (flags & PCRI_PARSE_NO_VERIFY)
        return 0;
    if (!get_hex(text + CHECK_AT, 16, &stored) || memcmp(text + CHECK_AT + 16, "\",", 2) ||
        pcri_xxh3(text + BODY_AT, nbytes - BODY_AT) != stored)
        return pcri_fail(err, PCR_ERR_CORRUPT, "the manifest's checksum is wrong");
    return 0;
}

int pcri_manifest_parse(const void *text, size_t nbytes, const struct pcr_limits *limits,
                        uint32_t flags, struct pcri_manifest *m, struct pcr_error *err)
{
    struct pcr_limits l = limits ? *limits : (struct pcr_limits) { 0 };
    *m = (struct pcri_manifest) { 0 };
    pcri_limits_fill(&l);
    if (nbytes > l.max_manifest_nbytes)
        return pcri_fail(err, PCR_ERR_LIMIT, "%zu bytes, above the limit of %llu", nbytes,
                         (unsigned long long) l.max_manifest_nbytes);
    int rc = check_text(text, nbytes, flags, err);
    if (!rc)
        rc = parse_root(text, nbytes, m, err);
    l = limits ? *limits : (struct pcr_limits) { 0 };
    pcri_needs_raise(&m->needs, &l);
    pcri_limits_fill(&l);
    for (uint64_t r = 0; !rc && r < m->record_count; r++)
        if (m->sample_counts[r] > l.max_samples)
            rc = pcri_fail(err, PCR_ERR_LIMIT, "%s: %u samples, above the limit of %u",
                           pcri_manifest_file(m, r), m->sample_counts[r], l.max_samples);
    if (rc)
        pcri_manifest_free(m);
    return rc;
}
