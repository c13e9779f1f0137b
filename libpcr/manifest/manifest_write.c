/* SPDX-License-Identifier: BSD-2-Clause */
/* A manifest's canonical text (docs/FORMAT.md section 6). */
#include <inttypes.h>
#include <stdio.h>

#include "../base/json.h"
#include "../base/utf8.h"
#include "manifest.h"

enum { PREFIX_NBYTES = 28 }; /* {"_xxh3":"0123456789abcdef", */

/* All json values may be NULL (no memory, or text that is not UTF-8); jansson's _new functions
 * take them over in any case and report it. `ok` gathers the reports. */
struct manifest_maker {
    const struct pcri_manifest *m;
    bool ok;
};

static void set(struct manifest_maker *k, json_t *object, const char *name, json_t *value)
{
    k->ok &= !json_object_set_new(object, name, value);
}

static void push(struct manifest_maker *k, json_t *array, json_t *value)
{
    k->ok &= !json_array_append_new(array, value);
}

static json_t *number(uint64_t v)
{
    return v <= INT64_MAX ? json_integer((json_int_t) v) : NULL;
}

static json_t *numbers(struct manifest_maker *k, const uint64_t *v, uint64_t count)
{
    json_t *a = json_array();
    for (uint64_t i = 0; i < count; i++)
        push(k, a, number(v[i]));
    return a;
}

static json_t *hex(uint64_t v)
{
    char text[17];
    snprintf(text, sizeof(text), "%016" PRIx64, v);
    return json_string(text);
}

static json_t *make_splits(struct manifest_maker *k)
{
    json_t *a = json_array();
    for (uint32_t i = 0; i < k->m->split_count; i++) {
        const struct pcri_split *s = &k->m->splits[i];
        json_t *o = json_object();
        set(k, o, "name", json_string(s->name));
        set(k, o, "first_record", number(s->first_record));
        set(k, o, "record_count", number(s->record_count));
        set(k, o, "sample_count", number(s->sample_count));
        set(k, o, "source_nbytes", number(s->source_nbytes));
        set(k, o, "class_counts", numbers(k, s->class_counts, k->m->class_count));
        push(k, a, o);
    }
    return a;
}

static json_t *make_statistics(struct manifest_maker *k)
{
    const struct pcri_manifest *m = k->m;
    json_t *o = json_object();
    set(k, o, "sample_count", number(m->sample_count));
    set(k, o, "opaque_count", number(m->codings.opaque));
    set(k, o, "skipped_count", number(m->skipped_count));
    set(k, o, "undecodable_count", number(m->notes.undecodable));
    set(k, o, "salvaged_count", number(m->notes.salvaged));
    set(k, o, "dropped_count", number(m->notes.dropped));
    set(k, o, "dropped_nbytes", number(m->notes.dropped_nbytes));
    set(k, o, "source_nbytes", number(m->source_nbytes));
    set(k, o, "head_nbytes", number(m->head_nbytes));
    set(k, o, "group_nbytes", numbers(k, m->group_nbytes, m->group_count));
    set(k, o, "tail_nbytes", number(m->tail_nbytes));
    if (m->blob_nbytes)
        set(k, o, "blob_nbytes", number(m->blob_nbytes));
    return o;
}

static json_t *make_records(struct manifest_maker *k)
{
    const struct pcri_manifest *m = k->m;
    json_t *o = json_object(), *file = json_array(), *count = json_array();
    json_t *ends = json_array(), *check = json_array();
    for (uint64_t r = 0; r < m->record_count; r++) {
        push(k, file, json_string(pcri_manifest_file(m, r)));
        push(k, count, number(m->sample_counts[r]));
        push(k, ends, numbers(k, m->ends + r * m->group_count, m->group_count));
        push(k, check, hex(m->checks[r]));
    }
    set(k, o, "file", file);
    set(k, o, "sample_count", count);
    set(k, o, "nbytes", numbers(k, m->nbytes, m->record_count));
    set(k, o, "head_end", numbers(k, m->head_ends, m->record_count));
    set(k, o, "ends", ends);
    set(k, o, "check", check);
    return o;
}

static void set_limits(struct manifest_maker *k, json_t *root)
{
    const struct pcri_needs *n = &k->m->needs;
    const struct {
        const char *name;
        uint64_t value;
    } members[] = {
        { "max_pixels", n->pixels },
        { "max_samples", n->samples },
        { "max_sample_nbytes", n->sample_nbytes },
        { "max_head_nbytes", n->head_nbytes },
    };
    json_t *o = NULL;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (!members[i].value)
            continue;
        if (!o)
            set(k, root, "limits", o = json_object());
        set(k, o, members[i].name, number(members[i].value));
    }
}

/* What images were made JPEGs. */
static void set_lossy(struct manifest_maker *k, json_t *root)
{
    const struct pcri_manifest *m = k->m;
    if (m->max_side || m->target_nbytes) {
        json_t *reduced = json_object();
        if (m->max_side)
            set(k, reduced, "max_side", number(m->max_side));
        if (m->target_nbytes)
            set(k, reduced, "target_nbytes", number(m->target_nbytes));
        set(k, reduced, "quality", number(m->quality));
        set(k, root, "reduced", reduced);
    }
    if (m->pictures > PCR_PICTURES_OPAQUE || m->notes.encoded || m->codings.exact) {
        json_t *pictures = json_object();
        set(k, pictures, "chosen", number(m->pictures));
        set(k, pictures, "exact_count", number(m->codings.exact));
        set(k, pictures, "jpeg_count", number(m->notes.encoded));
        set(k, pictures, "quality", number(m->quality));
        set(k, root, "pictures", pictures);
    }
}

static json_t *make_root(struct manifest_maker *k)
{
    const struct pcri_manifest *m = k->m;
    json_t *o = json_object(), *schema = json_object(), *attributes = json_object();
    json_t *version = json_array(), *classes = json_array();
    set(k, o, "format", json_string("pcr"));
    push(k, version, number(m->major));
    push(k, version, number(m->minor));
    set(k, o, "version", version);
    set(k, o, "required", json_array());
    set(k, o, "ladder", json_string(m->ladder));
    set(k, o, "group_count", number(m->group_count));
    for (uint32_t i = 0; i < m->class_count; i++)
        push(k, classes, json_string(m->classes[i]));
    set(k, o, "classes", classes);
    set(k, o, "splits", make_splits(k));
    set(k, schema, "label",
        json_string(m->label_kind <= PCR_LABEL_FLOATS ? pcri_label_kinds[m->label_kind]
                                                      : NULL));
    for (uint32_t i = 0; i < m->schema.count; i++)
        set(k, attributes, m->schema.columns[i].name, json_string(m->schema.columns[i].text));
    set(k, schema, "attributes", attributes);
    if (m->blobs.count) {
        json_t *blobs = json_array();
        for (uint32_t i = 0; i < m->blobs.count; i++)
            push(k, blobs, json_string(m->blobs.columns[i].name));
        set(k, schema, "blobs", blobs);
    }
    set(k, o, "schema", schema);
    set_lossy(k, o);
    if (m->coding) {
        json_t *codings = json_object();
        set(k, codings, "chosen", number(m->coding));
        set(k, codings, "scans_count", number(m->codings.scans));
        set(k, codings, "packed_count", number(m->codings.packed));
        set(k, o, "codings", codings);
    }
    if (m->originals) {
        json_t *originals = json_object();
        set(k, originals, "unrestorable_count", number(m->notes.unrestorable));
        set(k, o, "originals", originals);
    }
    set_limits(k, o);
    set(k, o, "statistics", make_statistics(k));
    set(k, o, "writer", json_string(m->writer));
    set(k, o, "records", make_records(k));
    return o;
}

/* Puts the checksum in front: the first byte of `out` is the object's brace. */
static int dump(const json_t *root, struct pcr_buffer *out, struct pcr_error *err)
{
    /* Room for the first member, whose last byte replaces the object's own brace. */
    char prefix[PREFIX_NBYTES + 1];
    out->nbytes = 0;
    int rc = pcri_buffer_reserve(out, 4096, err);
    if (rc)
        return rc;
    out->nbytes = PREFIX_NBYTES - 1;
    if ((rc = pcri_json_append(root, out, err)) ||
        (rc = pcri_buffer_append(out, "\n", 1, err)))
        return rc;
    uint64_t check = pcri_xxh3(out->data + PREFIX_NBYTES, out->nbytes - PREFIX_NBYTES);
    snprintf(prefix, sizeof(prefix), "{\"_xxh3\":\"%016" PRIx64 "\",", check);
    memcpy(out->data, prefix, PREFIX_NBYTES);
    return 0;
}

static bool is_bad_text(const char *s)
{
    return !s || !pcri_utf8_valid(s, strlen(s));
}

/* Whether there is text that JSON cannot hold. Numbers are in range after the check. */
static bool has_bad_text(const struct pcri_manifest *m)
{
    bool bad = is_bad_text(m->ladder) || is_bad_text(m->writer);
    for (uint32_t i = 0; i < m->class_count; i++)
        bad |= is_bad_text(m->classes[i]);
    for (uint32_t i = 0; i < m->split_count; i++)
        bad |= is_bad_text(m->splits[i].name);
    for (uint32_t i = 0; i < m->schema.count; i++)
        bad |= is_bad_text(m->schema.columns[i].name);
    for (uint32_t i = 0; i < m->blobs.count; i++)
        bad |= is_bad_text(m->blobs.columns[i].name);
    for (uint64_t r = 0; r < m->record_count; r++)
        bad |= is_bad_text(pcri_manifest_file(m, r));
    return bad;
}

int pcri_manifest_render(const struct pcri_manifest *m, struct pcr_buffer *out,
                         struct pcr_error *err)
{
    int rc = pcri_manifest_check(m, err);
    if (rc && rc != PCR_ERR_NOMEM && err)
        err->code = PCR_ERR_INVAL;
    if (rc)
        return rc == PCR_ERR_NOMEM ? rc : PCR_ERR_INVAL;
    struct manifest_maker k = { m, true };
    json_t *root = make_root(&k);
    if (!k.ok && has_bad_text(m))
        rc = pcri_fail(err, PCR_ERR_INVAL, "a text in the manifest is not UTF-8");
    else if (!k.ok)
        rc = pcri_fail(err, PCR_ERR_NOMEM, "no memory for the manifest");
    else
        rc = dump(root, out, err);
    json_decref(root);
    return rc;
}
