/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the finished dataset in the folder is the one that this conversion would make. Its
 * state file is gone, so its contents are compared with the plan: ladder, classes, splits, and
 * of each record the keys in order, labels, attributes and sizes. A source file that changed
 * after the dataset was finished makes it another one. So the same command twice does the work
 * once, even if the first was killed in its last moment. */
#include <jansson.h>
#include <stdlib.h>

#include "../base/utf8.h"
#include "../dataset/dataset.h"
#include "write.h"

/* The names as in the manifest: bytes that are not UTF-8 are escaped. */
static int same_name(const char *ours, const char *theirs, bool *same, struct pcr_error *err)
{
    struct pcr_buffer shown = { 0 };
    int rc = pcri_utf8_escape(ours, strlen(ours), &shown, err);
    if (!rc && (shown.nbytes != strlen(theirs) ||
                (shown.nbytes && memcmp(shown.data, theirs, shown.nbytes) != 0)))
        *same = false;
    pcr_buffer_free(&shown);
    return rc;
}

/* Is what became of the inputs what the policies would have made of them? */
static bool same_outcome(const struct pcri_write *w, const struct pcri_manifest *m)
{
    uint32_t bad = w->opts.bad_policy, opaque = w->opts.opaque_policy;
    return m->sample_count + m->skipped_count == w->plan.sample_count &&
           (!m->notes.salvaged || bad == PCR_BAD_SALVAGE) &&
           (!m->notes.undecodable || bad == PCR_BAD_OPAQUE) &&
           (!m->skipped_count || bad != PCR_BAD_FAIL) &&
           (!m->codings.opaque || opaque == PCR_OPAQUE_KEEP || bad == PCR_BAD_OPAQUE);
}

/* What the survey decided is not known any more. */
static bool same_originals(const struct pcri_write *w, const struct pcri_manifest *m)
{
    if (w->recode)
        return m->originals == w->recode->dataset->manifest.originals;
    return w->opts.originals == PCR_ORIGINALS_DEFAULT ||
           (w->opts.originals == PCR_ORIGINALS_ON) == (m->originals != 0);
}

static bool same_jpegs(const struct pcri_write *w, const struct pcri_manifest *m)
{
    const struct pcri_manifest *from = w->recode ? &w->recode->dataset->manifest : NULL;
    return m->max_side == (from ? from->max_side : w->opts.max_side) &&
           m->target_nbytes == (from ? from->target_nbytes : w->opts.target_nbytes) &&
           m->quality == (from ? from->quality : w->opts.quality) &&
           m->pictures == (from ? from->pictures : w->opts.pictures);
}

static int compare_frame(const struct pcri_write *w, const struct pcri_manifest *m, bool *same,
                         struct pcr_error *err)
{
    int rc = 0;
    *same = !strcmp(m->ladder, pcr_ladder_text(w->ladder)) && m->coding == w->opts.coding &&
            same_originals(w, m) && same_jpegs(w, m) && m->label_kind == w->plan.label_kind &&
            m->class_count == w->plan.class_count && m->split_count == w->plan.split_count &&
            (w->recode ? m->sample_count == w->plan.sample_count : same_outcome(w, m));
    for (uint32_t i = 0; i < m->class_count && *same && !rc; i++)
        rc = same_name(w->plan.class_names[i], m->classes[i], same, err);
    for (uint32_t i = 0; i < m->split_count && *same && !rc; i++)
        rc = same_name(w->plan.split_names[i], m->splits[i].name, same, err);
    return rc;
}

static bool same_floats(const struct pcri_head *head, uint32_t i,
                        const struct pcr_source_sample *s)
{
    const uint32_t *first = head->float_label_first;
    uint32_t count = first ? first[i + 1] - first[i] : 0;
    bool same = count == s->label_count;
    for (uint32_t k = 0; same && k < count; k++) {
        double ours = pcri_label_as_float(s, k);
        same = !memcmp(&head->float_labels[first[i] + k], &ours, sizeof(ours));
    }
    return same;
}

static bool same_labels(const struct pcri_write *w, const struct pcri_head *head, uint32_t i,
                        const struct pcr_source_sample *s)
{
    if (w->plan.label_kind == PCR_LABEL_FLOATS)
        return same_floats(head, i, s);
    uint32_t first = head->label_first[i], count = head->label_first[i + 1] - first;
    if (count != s->label_count)
        return false;
    return !count || !memcmp(head->labels + first, s->labels, count * sizeof(*s->labels));
}

/* The reason that a salvaged sample has besides its own attributes; malloc'd, or NULL. */
static int find_reason(const struct pcr_buffer *object, char **out, struct pcr_error *err)
{
    json_t *parsed = NULL;
    int rc = pcri_json_parse((const char *) object->data, object->nbytes, 0, &parsed, NULL,
                             err);
    const char *reason = json_string_value(json_object_get(parsed, PCRI_SALVAGED));
    if (reason && !(*out = pcri_strndup(reason, strlen(reason), err)))
        rc = PCR_ERR_NOMEM;
    json_decref(parsed);
    return rc < 0 ? rc : 0;
}

/* Ours are compared as theirs are stored: attributes that do not fit their types are others. */
static int same_attributes(const struct pcri_write *w, const struct pcri_schema *schema,
                           const struct pcri_head *head, uint32_t i,
                           const struct pcr_source_sample *s, bool *same,
                           struct pcr_error *err)
{
    struct pcr_buffer theirs = { 0 }, stored = { 0 };
    char *reason = NULL, *ours = NULL;
    int rc = pcri_attributes_text(head->attributes, i, &theirs, err);
    if (!rc && w->opts.bad_policy == PCR_BAD_SALVAGE)
        rc = find_reason(&theirs, &reason, err);
    if (!rc)
        rc = pcri_attributes_render(s->attributes, reason, &ours, err);
    if (!rc) {
        rc = pcri_attributes_as_stored(schema, s->key, ours, &stored, err);
        *same &= rc != PCR_ERR_INVAL;
        rc = rc == PCR_ERR_INVAL ? 0 : rc;
    }
    *same = *same && !rc && stored.nbytes == theirs.nbytes &&
            !memcmp(stored.data, theirs.data, theirs.nbytes);
    pcr_buffer_free(&theirs);
    pcr_buffer_free(&stored);
    free(reason);
    free(ours);
    return rc;
}

/* The record's samples must be the planned ones in their order, less the skipped. */
static int compare_samples(const struct pcri_write *w, const struct pcri_schema *schema,
                           const struct pcri_write_plan_record *planned,
                           const struct pcri_head *head, uint64_t finished_ns, bool *same,
                           struct pcr_error *err)
{
    uint32_t i = 0;
    int rc = 0;
    for (uint32_t k = 0; k < planned->count && *same && !rc; k++) {
        struct pcr_source_sample s;
        uint32_t n;
        rc = pcri_source_describe(&w->source, w->plan.order[planned->first + k], &s, err);
        if (rc)
            break;
        *same = s.revision <= finished_ns;
        if (i == head->sample_count || strcmp(pcri_text(&head->keys, i, &n), s.key) != 0)
            continue; /* skipped, or they will not all be found */
        *same = *same && same_labels(w, head, i, &s) &&
                (!s.nbytes || s.nbytes == head->source_nbytes[i]) &&
                (w->recode || pcri_blobs_are_same(head, i, &s));
        rc = same_attributes(w, schema, head, i, &s, same, err);
        i++;
    }
    *same = *same && i == head->sample_count;
    return rc;
}

static int compare_record(const struct pcri_write *w, const struct pcri_schema *schema,
                          uint64_t record, const char *path, uint64_t finished_ns, bool *same,
                          struct pcr_error *err)
{
    struct pcri_record *r = NULL;
    int rc = pcri_record_open(path, w->layers->top, 0, w->opts.limits, 0, &r, err);
    if (!rc)
        rc = compare_samples(w, schema, &w->plan.records[record], r->head, finished_ns, same,
                             err);
    pcri_record_close(&r);
    return rc;
}

/* Records that had no good sample are not in the manifest. */
static int compare_records(struct pcri_write *w, const struct pcri_manifest *m,
                           uint64_t finished_ns, bool *same, struct pcr_error *err)
{
    char name[PCRI_RECORD_NAME_NBYTES];
    uint64_t next = 0;
    int rc = 0;
    for (uint64_t r = 0; r < w->plan.record_count && *same && !rc; r++) {
        pcri_write_plan_name(&w->plan, r, name);
        if (next == m->record_count || strcmp(pcri_manifest_file(m, next), name) != 0)
            continue;
        char *path = pcri_join(w->dir, name, err);
        rc = path ? compare_record(w, &m->schema, r, path, finished_ns, same, err)
                  : PCR_ERR_NOMEM;
        free(path);
        if (!rc)
            rc = pcri_tick(&w->ticker, 1, err);
        next++;
    }
    *same = *same && next == m->record_count;
    return rc;
}

static int compare(struct pcri_write *w, uint64_t finished_ns, bool *same,
                   struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    struct pcri_manifest m = { 0 };
    char *path = pcri_join(w->dir, PCRI_MANIFEST_NAME, err);
    int rc = path ? pcri_storage_read(w->storage, path, w->opts.limits->max_manifest_nbytes,
                                      PCRI_TRIES_AGAIN, &text, err)
                  : PCR_ERR_NOMEM;
    free(path);
    if (!rc)
        rc = pcri_manifest_parse(text.data, text.nbytes, w->opts.limits, 0, &m, err);
    if (!rc)
        rc = compare_frame(w, &m, same, err);
    if (!rc && *same)
        rc = compare_records(w, &m, finished_ns, same, err);
    pcri_manifest_free(&m);
    pcr_buffer_free(&text);
    return rc;
}

int pcri_write_find_finished(struct pcri_write *w, bool *same, struct pcr_error *err)
{
    struct pcri_found manifest;
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    *same = false;
    int rc = pcri_storage_find(w->storage, w->dir, PCRI_MANIFEST_NAME, &manifest, &why);
    if (!rc && manifest.exists) {
        *same = true;
        rc = compare(w, manifest.changed_ns, same, &why);
    }
    if (rc && pcri_is_of_data(rc, &why)) { /* what is damaged or unknown is not ours */
        *same = false;
        rc = 0;
    }
    return pcri_hand_on(err, rc, &why);
}
