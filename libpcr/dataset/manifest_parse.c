/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading manifest.json (docs/FORMAT.md section 6). */
#include <inttypes.h>
#include <stdio.h>
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
        unsigned digit = c >= '0' && c <= '9' ? (unsigned) (c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned) (c - 'a') + 10 : 16;
        if (digit > 15)
            return false;
        *out = *out << 4 | digit;
    }
    return nbytes == 16;
}

static bool as_number(const json_t *v, uint64_t max, uint64_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (uint64_t) json_integer_value(v);
    return *out <= max;
}

static int get_number(const json_t *o, const char *name, uint64_t max, uint64_t *out,
                      struct pcr_error *err)
{
    return as_number(json_object_get(o, name), max, out)
               ? 0
               : bad(err, name, "a whole number in its range");
}

/* `count` numbers in an array. */
static int get_numbers(const json_t *array, const char *name, uint64_t count, uint64_t *out,
                       struct pcr_error *err)
{
    if (!json_is_array(array) || json_array_size(array) != count)
        return bad(err, name, "an array of the right length");
    for (uint64_t i = 0; i < count; i++)
        if (!as_number(json_array_get(array, (size_t) i), INT64_MAX, &out[i]))
            return bad(err, name, "whole numbers below 2^63");
    return 0;
}

static int get_text(const json_t *o, const char *name, char **out, struct pcr_error *err)
{
    const json_t *v = json_object_get(o, name);
    if (!json_is_string(v))
        return bad(err, name, "a string");
    *out = pcri_strndup(json_string_value(v), json_string_length(v), err);
    return *out ? 0 : PCR_ERR_NOMEM;
}

/* What the file is, before anything else is looked at. */
static int parse_version(const json_t *root, struct pcri_manifest *m, struct pcr_error *err)
{
    const json_t *format = json_object_get(root, "format");
    const json_t *version = json_object_get(root, "version");
    const json_t *required = json_object_get(root, "required");
    uint64_t v[2];
    if (!json_is_string(format) || strcmp(json_string_value(format), "pcr"))
        return pcri_fail(err, PCR_ERR_FORMAT, "not a PCR manifest: format is not \"pcr\"");
    int rc = get_numbers(version, "version", 2, v, err);
    if (rc)
        return rc;
    if (v[0] != 1)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "format version %" PRIu64 ".%" PRIu64 ", this library knows 1.x",
                         v[0], v[1]);
    if (v[1] > UINT32_MAX)
        return bad(err, "version", "numbers in their range");
    if (!json_is_array(required))
        return bad(err, "required", "an array");
    if (json_array_size(required)) {
        const char *name = json_string_value(json_array_get(required, 0));
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "it requires %.100s, which this version does not know",
                         name ? name : "something");
    }
    m->major = (uint32_t) v[0];
    m->minor = (uint32_t) v[1];
    return 0;
}

static int parse_classes(const json_t *root, struct pcri_manifest *m, struct pcr_error *err)
{
    const json_t *classes = json_object_get(root, "classes");
    if (!json_is_array(classes))
        return bad(err, "classes", "an array");
    for (size_t i = 0; i < json_array_size(classes); i++) {
        const char *name = json_string_value(json_array_get(classes, i));
        if (!name)
            return bad(err, "classes", "strings");
    }
    size_t count = json_array_size(classes);
    if (count > INT32_MAX)
        return bad(err, "classes", "fewer classes");
    m->classes = pcri_calloc(count, sizeof(*m->classes), err);
    if (!m->classes)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(classes, i));
        if (!(m->classes[i] = pcri_strndup(name, strlen(name), err)))
            return PCR_ERR_NOMEM;
        m->class_count++;
    }
    return 0;
}

static int parse_split(const json_t *o, const struct pcri_manifest *m, struct pcri_split *s,
                       struct pcr_error *err)
{
    int rc = get_text(o, "name", &s->name, err);
    if (!rc)
        rc = get_number(o, "first_record", INT64_MAX, &s->first_record, err);
    if (!rc)
        rc = get_number(o, "record_count", INT64_MAX, &s->record_count, err);
    if (!rc)
        rc = get_number(o, "sample_count", INT64_MAX, &s->sample_count, err);
    if (!rc)
        rc = get_number(o, "source_nbytes", INT64_MAX, &s->source_nbytes, err);
    if (rc)
        return rc;
    const json_t *counts = json_object_get(o, "class_counts");
    if (!json_is_array(counts) || json_array_size(counts) != m->class_count)
        return bad(err, "class_counts", "a number a class");
    s->class_counts = pcri_calloc(m->class_count, sizeof(*s->class_counts), err);
    if (!s->class_counts)
        return PCR_ERR_NOMEM;
    return get_numbers(counts, "class_counts", m->class_count, s->class_counts, err);
}

static int parse_splits(const json_t *root, struct pcri_manifest *m, struct pcr_error *err)
{
    const json_t *splits = json_object_get(root, "splits");
    /* Each name is compared with all others, so there must not be too many. */
    if (!json_is_array(splits) || json_array_size(splits) > 10000)
        return bad(err, "splits", "an array of at most 10000");
    m->splits = pcri_calloc(json_array_size(splits), sizeof(*m->splits), err);
    if (!m->splits)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < json_array_size(splits); i++) {
        const json_t *o = json_array_get(splits, i);
        struct pcri_split *s = &m->splits[m->split_count++];
        int rc = json_is_object(o) ? parse_split(o, m, s, err)
                                   : bad(err, "splits", "objects");
        if (rc)
            return pcri_prefix(err, rc, "split %zu", i);
    }
    return 0;
}

static int parse_schema(const json_t *root, struct pcri_manifest *m, struct pcr_error *err)
{
    static const char *const kinds[] = { "none", "class", "ints", "floats" };
    const json_t *schema = json_object_get(root, "schema");
    const char *label = json_string_value(json_object_get(schema, "label"));
    const json_t *attributes = json_object_get(schema, "attributes");
    for (uint32_t i = 0; label && i <= PCR_LABEL_FLOATS; i++)
        if (!strcmp(label, kinds[i])) {
            m->label_kind = i;
            m->attributes = json_is_true(attributes);
            return json_is_boolean(attributes) ? 0 : bad(err, "attributes", "a boolean");
        }
    return bad(err, "schema.label", "\"class\", \"ints\", \"floats\" or \"none\"");
}

/* May be missing. */
static int parse_reduced(const json_t *root, struct pcri_manifest *m, struct pcr_error *err)
{
    const json_t *o = json_object_get(root, "reduced");
    uint64_t max_side = 0, quality = 0;
    if (!o)
        return 0;
    int rc = json_is_object(o) ? 0 : bad(err, "reduced", "an object");
    if (!rc)
        rc = get_number(o, "max_side", UINT32_MAX, &max_side, err);
    if (!rc)
        rc = get_number(o, "quality", 100, &quality, err);
    m->max_side = (uint32_t) max_side;
    m->quality = (uint32_t) quality;
    return rc;
}

/* May be missing, and so may each of its members. */
static int parse_limits(const json_t *root, struct pcri_manifest *m, struct pcr_error *err)
{
    const json_t *o = json_object_get(root, "limits");
    const struct { const char *name; uint64_t max, *out; } members[] = {
        { "max_pixels", PCRI_NEEDS_PIXELS, &m->needs.pixels },
        { "max_samples", PCRI_NEEDS_SAMPLES, &m->needs.samples },
        { "max_sample_nbytes", PCRI_NEEDS_SAMPLE_NBYTES, &m->needs.sample_nbytes },
        { "max_head_nbytes", PCRI_NEEDS_HEAD_NBYTES, &m->needs.head_nbytes },
    };
    if (!o)
        return 0;
    int rc = json_is_object(o) ? 0 : bad(err, "limits", "an object");
    for (size_t i = 0; !rc && i < sizeof(members) / sizeof(members[0]); i++)
        if (json_object_get(o, members[i].name))
            rc = get_number(o, members[i].name, members[i].max, members[i].out, err);
    return rc;
}

static int parse_statistics(const json_t *root, struct pcri_manifest *m,
                            struct pcr_error *err)
{
    const json_t *o = json_object_get(root, "statistics");
    const struct { const char *name; uint64_t *out; } fields[] = {
        { "sample_count", &m->sample_count }, { "opaque_count", &m->opaque_count },
        { "skipped_count", &m->skipped_count }, { "source_nbytes", &m->source_nbytes },
        { "head_nbytes", &m->head_nbytes }, { "tail_nbytes", &m->tail_nbytes },
        { "undecodable_count", &m->notes.undecodable },
        { "salvaged_count", &m->notes.salvaged }, { "dropped_count", &m->notes.dropped },
        { "dropped_nbytes", &m->notes.dropped_nbytes },
    };
    int rc = json_is_object(o) ? 0 : bad(err, "statistics", "an object");
    for (size_t i = 0; !rc && i < sizeof(fields) / sizeof(fields[0]); i++)
        rc = get_number(o, fields[i].name, INT64_MAX, fields[i].out, err);
    return rc ? rc
              : get_numbers(json_object_get(o, "group_nbytes"), "group_nbytes",
                            m->group_count, m->group_nbytes, err);
}

/* The columns that hold one value a record and are not plain numbers. */
static int parse_record(const json_t *file, const json_t *check, struct pcri_manifest *m,
                        struct pcr_error *err)
{
    uint64_t r = m->record_count;
    const char *name = json_string_value(file);
    if (!name)
        return bad(err, "file", "a string");
    if (!json_is_string(check) ||
        !get_hex(json_string_value(check), json_string_length(check), &m->checks[r]))
        return bad(err, "check", "16 hexadecimal digits");
    m->file_offsets[r] = m->files.nbytes;
    m->record_count++;
    return pcri_buffer_append(&m->files, name, strlen(name) + 1, err);
}

static int parse_columns(const json_t *o, uint64_t count, struct pcri_manifest *m,
                         struct pcr_error *err)
{
    const json_t *files = json_object_get(o, "file"), *ends = json_object_get(o, "ends");
    const json_t *samples = json_object_get(o, "sample_count");
    const json_t *checks = json_object_get(o, "check");
    if (json_array_size(ends) != count || json_array_size(checks) != count ||
        json_array_size(samples) != count)
        return bad(err, "records", "columns of the same length");
    int rc = get_numbers(json_object_get(o, "nbytes"), "nbytes", count, m->nbytes, err);
    if (!rc)
        rc = get_numbers(json_object_get(o, "head_end"), "head_end", count, m->head_ends,
                         err);
    for (size_t r = 0; !rc && r < count; r++) {
        uint64_t n = 0;
        rc = get_numbers(json_array_get(ends, r), "ends", m->group_count,
                         m->ends + r * m->group_count, err);
        if (!rc && !as_number(json_array_get(samples, r), UINT32_MAX, &n))
            rc = bad(err, "sample_count", "a whole number below 2^32");
        if (rc)
            return rc;
        m->sample_counts[r] = (uint32_t) n;
        rc = parse_record(json_array_get(files, r), json_array_get(checks, r), m, err);
    }
    return rc;
}

static int parse_records(const json_t *root, struct pcri_manifest *m, struct pcr_error *err)
{
    const json_t *o = json_object_get(root, "records");
    const json_t *files = json_object_get(o, "file");
    const json_t *ends = json_object_get(o, "ends");
    if (!json_is_array(files))
        return bad(err, "records.file", "an array");
    /* The memory for `ends` is G times what `file` takes: see first that they are there. */
    uint64_t count = json_array_size(files);
    for (size_t r = 0; r < count; r++)
        if (json_array_size(json_array_get(ends, r)) != m->group_count)
            return bad(err, "records.ends", "a number a group for each record");
    int rc = pcri_manifest_reserve(m, count, err);
    return rc ? rc : parse_columns(o, count, m, err);
}

static int parse_root(const json_t *root, struct pcri_manifest *m, struct pcr_error *err)
{
    uint64_t groups = 0;
    int rc = parse_version(root, m, err);
    if (rc)
        return rc;
    if ((rc = get_number(root, "group_count", PCRI_MAX_GROUPS, &groups, err)))
        return rc;
    if (!groups)
        return bad(err, "group_count", "1 to 32");
    m->group_count = (uint32_t) groups;
    if ((rc = get_text(root, "ladder", &m->ladder, err)) ||
        (rc = get_text(root, "writer", &m->writer, err)) ||
        (rc = parse_classes(root, m, err)) || (rc = parse_splits(root, m, err)) ||
        (rc = parse_schema(root, m, err)) || (rc = parse_reduced(root, m, err)) ||
        (rc = parse_limits(root, m, err)) ||
        (rc = parse_statistics(root, m, err)) ||
        (rc = parse_records(root, m, err)))
        return rc;
    return pcri_manifest_check(m, err);
}

static int check_text(const char *text, size_t nbytes, uint32_t flags,
                      struct pcr_error *err)
{
    uint64_t stored;
    if (nbytes && memcmp(text, start, nbytes < CHECK_AT ? nbytes : CHECK_AT))
        return pcri_fail(err, PCR_ERR_FORMAT, "not a PCR manifest: wrong first bytes");
    if (nbytes < BODY_AT)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, nbytes,
                            nbytes ? "the manifest ends after %zu bytes"
                                   : "the manifest is an empty file", nbytes);
    if (flags & PCRI_PARSE_NO_VERIFY)
        return 0;
    if (!get_hex(text + CHECK_AT, 16, &stored) || memcmp(text + CHECK_AT + 16, "\",", 2) ||
        pcri_xxh3(text + BODY_AT, nbytes - BODY_AT) != stored)
        return pcri_fail(err, PCR_ERR_CORRUPT, "the manifest's checksum is wrong");
    return 0;
}

/* Arrays and objects take some forty times their two bytes of text once they are parsed. What a
 * manifest consists of has more than 32 bytes for each. */
static int check_nesting(const char *text, size_t nbytes, struct pcr_error *err)
{
    size_t count = 0, max = nbytes / 32 + 1024;
    bool in_string = false;
    for (size_t i = 0; i < nbytes; i++) {
        if (text[i] == '"')
            in_string = !in_string;
        else if (in_string)
            i += text[i] == '\\';
        else
            count += text[i] == '[' || text[i] == '{';
    }
    if (count <= max)
        return 0;
    return pcri_fail(err, PCR_ERR_LIMIT, "%zu arrays and objects in %zu bytes of manifest, above "
                     "the limit of %zu", count, nbytes, max);
}

int pcri_manifest_parse(const void *text, size_t nbytes, const struct pcr_limits *limits,
                        uint32_t flags, struct pcri_manifest *m, struct pcr_error *err)
{
    struct pcr_limits l = limits ? *limits : (struct pcr_limits) { 0 };
    struct pcri_json_fault fault;
    *m = (struct pcri_manifest) { 0 };
    pcri_limits_fill(&l);
    if (nbytes > l.max_manifest_nbytes)
        return pcri_fail(err, PCR_ERR_LIMIT, "%zu bytes, above the limit of %llu", nbytes,
                         (unsigned long long) l.max_manifest_nbytes);
    int rc = check_text(text, nbytes, flags, err);
    if (rc || (rc = check_nesting(text, nbytes, err)))
        return rc;
    json_t *root;
    rc = pcri_json_parse(text, nbytes, 0, &root, &fault, err);
    if (rc > 0)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, fault.offset, "JSON: %s", fault.what);
    if (rc)
        return rc;
    rc = parse_root(root, m, err);
    json_decref(root);
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
