/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking over the records that an earlier run of the same conversion has finished.
 *
 * A record got its name by rename after its bytes were safe, so one that parses, whose
 * head verifies, and whose size is right is complete. */
#include <errno.h>
#include <stdlib.h>

#include "../record/columns.h"
#include "write.h"

static int find_restorable(const struct pcr_buffer *raw, struct pcri_outcome *o,
                           struct pcr_error *err)
{
    struct pcri_cursor c;
    int rc = raw->nbytes ? pcri_column_find(raw, PCRI_TAIL_RESTORE, &c, err) : 0;
    o->restorable = !rc && raw->nbytes && c.p;
    return rc;
}

/* Reads the tail's lists: skipped inputs, and notes on samples. */
static int read_lists(const struct pcri_write *w, const struct pcri_record *r,
                      struct pcri_outcome *o, struct pcr_error *err)
{
    struct pcr_buffer raw = { 0 };
    struct pcri_text_list list = { 0 };
    int rc = pcri_record_read_tail(r, w->opts.limits, &raw, err);
    if (!rc)
        rc = pcri_notes_read(&raw, r->header.sample_count, &o->notes, NULL, err);
    if (!rc)
        rc = find_restorable(&raw, o, err);
    if (!rc && !w->recode) /* which has those of another conversion */
        rc = pcri_text_list_open(&raw, PCRI_TAIL_SKIPPED, &list, err);
    if (!rc) {
        o->skips = pcri_calloc(list.left, sizeof(*o->skips), err);
        rc = o->skips ? 0 : PCR_ERR_NOMEM;
    }
    while (!rc && list.left) {
        size_t n;
        const uint8_t *text = pcri_text_list_next(&list, &n);
        if (!text)
            rc = pcri_fail(err, PCR_ERR_CORRUPT, "the list of skipped inputs is damaged");
        else if (!(o->skips[o->skip_count] = pcri_strndup(text, n, err)))
            rc = PCR_ERR_NOMEM;
        else
            o->skip_count++;
    }
    pcr_buffer_free(&raw);
    return rc;
}

static void forget(struct pcri_outcome *o)
{
    for (uint32_t i = 0; i < o->skip_count; i++)
        free(o->skips[i]);
    free(o->skips);
    free(o->header);
    *o = (struct pcri_outcome) { 0 };
}

/* Whether the record holds what the plan puts there. */
static bool fits(const struct pcri_write *w, const struct pcri_write_plan_record *planned,
                 const struct pcri_record *r, const struct pcri_outcome *o)
{
    const struct pcri_head *head = r->head;
    if (r->header.group_count != w->group_count ||
        (uint64_t) r->header.sample_count + o->skip_count != planned->count)
        return false;
    for (uint32_t g = 0; g < w->group_count; g++)
        if (r->header.groups[g].piece_count != w->piece_counts[g])
            return false;
    if (!pcri_attributes_match(head->attributes, &w->plan.schema) ||
        !pcri_blobs_match(head->blobs, &w->plan.blobs))
        return false;
    if ((w->plan.label_kind == PCR_LABEL_FLOATS ? head->label_first[head->sample_count] != 0
                                                : head->float_labels != NULL))
        return false;
    for (uint32_t i = 0; i < head->sample_count && w->plan.class_count; i++) {
        uint32_t first = head->label_first[i];
        if (head->label_first[i + 1] > first &&
            (head->labels[first] < 0 || head->labels[first] >= w->plan.class_count))
            return false;
    }
    return true;
}

static void count_record(struct pcri_write *w, const struct pcri_write_plan_record *planned,
                         const struct pcri_record *r, const struct pcri_outcome *o)
{
    const struct pcri_head *head = r->head;
    struct pcri_split_totals *totals = &w->totals[planned->split];
    for (uint32_t i = 0; i < head->sample_count; i++) {
        uint32_t first = head->label_first[i];
        if (w->plan.class_count && head->label_first[i + 1] > first)
            totals->class_counts[head->labels[first]]++;
        totals->source_nbytes += head->source_nbytes[i];
        w->progress.source_nbytes += head->source_nbytes[i];
        w->progress.records_source_nbytes += head->source_nbytes[i];
        pcri_coding_count(&w->codings, head->coding[i], head->exact[i]);
        w->progress.samples_exact += head->exact[i];
        w->kept_coded |= head->coding[i] != PCR_CODING_OPAQUE;
    }
    w->kept_restorable |= o->restorable;
    pcri_write_count_notes(w, &o->notes);
    w->progress.samples_done += head->sample_count;
    w->progress.samples_bad += o->skip_count;
    w->progress.records_done++;
    w->progress.records_kept++;
    w->progress.written_nbytes += r->file->nbytes;
}

static int take_over(struct pcri_write *w, uint64_t record, const char *path,
                     struct pcr_error *err)
{
    struct pcri_record *r = NULL;
    struct pcri_outcome *o = &w->outcomes[record];
    const struct pcri_write_plan_record *planned = &w->plan.records[record];
    int rc = pcri_record_open(path, w->layers->top, 0, w->opts.limits, 0, &r, err);
    if (!rc)
        rc = read_lists(w, r, o, err);
    if (!rc && fits(w, planned, r, o)) {
        o->header = pcri_malloc(1, sizeof(*o->header), err);
        rc = o->header ? pcri_twins_take_over(w, planned, r, err) : PCR_ERR_NOMEM;
        o->done = !rc;
    }
    if (o->done) {
        *o->header = r->header;
        pcri_needs_add_head(&o->needs, r->head, w->opts.limits->max_pixels);
        count_record(w, planned, r, o);
    }
    if (!o->done)
        forget(o);
    pcri_record_close(&r);
    return rc;
}

int pcri_write_resume(struct pcri_write *w, struct pcr_error *err)
{
    char name[PCRI_RECORD_NAME_NBYTES];
    int rc = 0;
    for (uint64_t r = 0; r < w->plan.record_count && !rc; r++) {
        struct pcr_error why = { .offset = PCR_NO_OFFSET };
        pcri_write_plan_name(&w->plan, r, name);
        char *path = pcri_join(w->dir, name, &why);
        int taken = path ? take_over(w, r, path, &why) : PCR_ERR_NOMEM;
        free(path);
        bool absent_or_damaged = taken != PCR_ERR_NOMEM &&
                                 (taken != PCR_ERR_IO || why.sys_errno == ENOENT);
        if (taken && !absent_or_damaged) { /* otherwise the record is made again */
            rc = taken;
            if (err)
                *err = why;
        }
        if (!rc)
            rc = pcri_tick(&w->ticker, 1, err);
    }
    return rc;
}
