/* SPDX-License-Identifier: BSD-2-Clause */
/* Coding and publishing: workers take samples in the plan's order, and the one that codes a
 * record's last sample publishes the record while the others continue with the next. Samples
 * are handed out strictly in order, so that whatever fails, all samples before it are known,
 * and the first bad input is the same with any number of threads. */
#include <stdlib.h>

#include "write.h"

/* A sample that a worker took. */
struct claim {
    struct pcri_flight *flight;
    struct pcri_slot *slot;
    uint64_t position, index;
};

/* Two records are in flight, one being coded and one being published; more only where
 * records are so small that threads would have nothing to do. */
static int make_flights(struct pcri_write *w, struct pcr_error *err)
{
    uint32_t most = 1;
    for (uint64_t r = 0; r < w->plan.record_count; r++)
        if (w->plan.records[r].count > most)
            most = w->plan.records[r].count;
    w->flight_count = 2 + (w->opts.thread_count - 1) / most;
    w->flights = pcri_calloc(w->flight_count, sizeof(*w->flights), err);
    if (!w->flights)
        w->flight_count = 0; /* none to free */
    return w->flights ? 0 : PCR_ERR_NOMEM;
}

static void free_slots(struct pcri_flight *f, uint32_t count)
{
    for (uint32_t i = 0; f->slots && i < count; i++)
        pcri_slot_free(&f->slots[i]);
    free(f->slots);
    f->slots = NULL;
}

static void free_flights(struct pcri_write *w)
{
    for (uint32_t i = 0; i < w->flight_count; i++)
        if (w->flights[i].busy)
            free_slots(&w->flights[i], w->plan.records[w->flights[i].record].count);
    free(w->flights);
    w->flights = NULL;
    w->flight_count = 0;
}

/* --- handing out (under the lock) --- */

static struct pcri_flight *free_flight(struct pcri_write *w)
{
    for (uint32_t i = 0; i < w->flight_count; i++)
        if (!w->flights[i].busy)
            return &w->flights[i];
    return NULL;
}

static int begin_record(struct pcri_write *w, struct pcri_flight *f, struct pcr_error *err)
{
    uint32_t count = w->plan.records[w->next_record].count;
    f->slots = pcri_calloc(count, sizeof(*f->slots), err);
    if (!f->slots)
        return PCR_ERR_NOMEM;
    f->busy = true;
    f->record = w->next_record++;
    f->claimed = 0;
    f->pending = count;
    w->current = f;
    return 0;
}

static void skip_done(struct pcri_write *w)
{
    while (w->next_record < w->plan.record_count && w->outcomes[w->next_record].done)
        w->next_record++;
}

/* Waits until there is a sample to take. PCR_END: there will be none. */
static int wait_for_work(struct pcri_write *w, struct pcr_error *err)
{
    for (;;) {
        if (w->stop)
            return PCR_END;
        if (w->current)
            return 0;
        skip_done(w);
        if (w->next_record == w->plan.record_count)
            return PCR_END;
        struct pcri_flight *f = free_flight(w);
        if (f)
            return begin_record(w, f, err);
        pthread_cond_wait(&w->room, &w->lock);
    }
}

/* The source need not have what describes all samples at work in memory. */
static int keep_text(struct pcri_slot *s, struct pcr_error *err)
{
    s->text = pcri_malloc(pcri_source_text_nbytes(&s->sample), 1, err);
    if (!s->text)
        return PCR_ERR_NOMEM;
    pcri_source_copy_text(&s->sample, s->text);
    return 0;
}

static int take(struct pcri_write *w, struct claim *c, struct pcr_error *err)
{
    int rc = wait_for_work(w, err);
    if (rc)
        return rc;
    struct pcri_flight *f = w->current;
    const struct pcri_write_plan_record *r = &w->plan.records[f->record];
    c->flight = f;
    c->position = r->first + f->claimed;
    c->index = w->plan.order[c->position];
    c->slot = &f->slots[f->claimed++];
    if (f->claimed == r->count)
        w->current = NULL;
    if (w->recode) /* its worker reads what describes it */
        return 0;
    rc = pcri_source_describe(&w->source, c->index, &c->slot->sample, err);
    if (!rc)
        rc = pcri_label_check(&w->plan, &c->slot->sample, err);
    return rc ? rc : keep_text(c->slot, err);
}

/* --- publishing --- */

static int add_notes(struct pcri_builder *b, const struct pcri_slot *s, struct pcr_error *err)
{
    char *text = NULL;
    if (!s->coded.notes || !pcri_notes_any(s->coded.notes))
        return 0;
    int rc = pcri_notes_render(s->coded.notes, pcri_builder_count(b), s->sample.key, &text,
                               err);
    if (!rc)
        rc = pcri_builder_note(b, text, err);
    free(text);
    return rc;
}

/* Whether the sample gives its source file back. */
static bool is_restorable(const struct pcri_write *w, const struct pcri_slot *s)
{
    return w->originals && !s->reduction.made &&
           (s->coded.coding == PCRI_CODING_OPAQUE || s->coded.restore.nbytes);
}

static int add_slot(const struct pcri_write *w, struct pcri_builder *b, struct pcri_slot *s,
                    struct pcr_error *err)
{
    uint32_t count = s->sample.label_count;
    double *floats = NULL;
    if (s->skip)
        return pcri_builder_skip(b, s->skip, err);
    if (w->plan.label_kind == PCR_LABEL_FLOATS &&
        !(floats = pcri_calloc(count, sizeof(*floats), err)))
        return PCR_ERR_NOMEM;
    for (uint32_t k = 0; floats && k < count; k++)
        floats[k] = pcri_label_as_float(&s->sample, k);
    const struct pcri_sample_meta meta = {
        .key = s->sample.key,
        .attributes = s->attributes ? s->attributes : s->sample.attributes,
        .labels = floats ? NULL : s->sample.labels,
        .float_labels = floats,
        .label_count = count,
        .blobs = &s->blobs,
        .file = is_restorable(w, s) ? s->sample.file : (struct pcr_file_info) { 0 },
    };
    int rc = add_notes(b, s, err);
    if (!rc)
        rc = pcri_builder_add(b, &meta, &s->coded, err);
    free(floats);
    return rc;
}

/* Counts the notes that come with the record. */
static int build(struct pcri_write *w, struct pcri_flight *f, struct pcri_header *header,
                 struct pcri_note_counts *notes, struct pcr_error *err)
{
    char name[PCRI_RECORD_NAME_NBYTES];
    struct pcri_builder *b = NULL;
    uint32_t count = w->plan.records[f->record].count;
    int rc = pcri_builder_create(w->group_count, w->piece_counts, pcr_ladder_text(w->ladder),
                                 &b, err);
    if (!rc)
        pcri_builder_limit_head(b, w->opts.limits->max_head_nbytes);
    if (!rc)
        pcri_builder_store_in(b, w->storage);
    if (!rc)
        pcri_builder_set_schema(b, &w->plan.schema);
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = add_slot(w, b, &f->slots[i], err);
    if (!rc && w->recode)
        rc = pcri_recode_tail(w, f->record, b, notes, err);
    pcri_write_plan_name(&w->plan, f->record, name);
    if (!rc)
        rc = pcri_builder_finish(b, w->dir, name, header, err);
    pcri_builder_destroy(&b);
    return rc;
}

/* What the manifest needs to know of the samples, before the builder empties them. */
struct tally {
    uint32_t good;
    struct pcri_coding_counts codings;
    uint64_t source_nbytes;
    struct pcri_note_counts notes;
    struct pcri_needs needs;
};

static struct tally count_slots(const struct pcri_flight *f, uint32_t count,
                                uint64_t max_pixels)
{
    struct tally t = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        const struct pcri_slot *s = &f->slots[i];
        if (s->skip)
            continue;
        t.good++;
        pcri_coding_count(&t.codings, s->coded.coding, s->coded.exact);
        t.source_nbytes += s->coded.source_nbytes;
        pcri_needs_add_coded(&t.needs, &s->coded, max_pixels);
        if (s->coded.notes)
            pcri_notes_add(&t.notes, s->coded.notes);
    }
    return t;
}

/* The outcome takes the slots' skip objects over. */
static int keep_skips(struct pcri_outcome *o, struct pcri_flight *f, uint32_t count,
                      uint32_t skip_count, struct pcr_error *err)
{
    o->skips = pcri_calloc(skip_count, sizeof(*o->skips), err);
    if (!o->skips)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        if (!f->slots[i].skip)
            continue;
        o->skips[o->skip_count++] = f->slots[i].skip;
        f->slots[i].skip = NULL;
    }
    return 0;
}

void pcri_write_count_notes(struct pcri_write *w, const struct pcri_note_counts *c)
{
    w->progress.samples_undecodable += c->undecodable;
    w->progress.samples_salvaged += c->salvaged;
    w->progress.samples_unrestorable += c->unrestorable;
    w->progress.samples_encoded += c->encoded;
    w->progress.samples_dropped += c->dropped;
    w->progress.dropped_nbytes += c->dropped_nbytes;
}

/* Adds a finished record to what is known of the whole. */
static void count_record(struct pcri_write *w, const struct pcri_flight *f,
                         const struct tally *t, const struct pcri_header *h)
{
    const struct pcri_write_plan_record *r = &w->plan.records[f->record];
    struct pcri_split_totals *totals = &w->totals[r->split];

    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < r->count && w->plan.class_count; i++) {
        const struct pcri_slot *s = &f->slots[i];
        if (!s->skip && s->sample.label_count)
            totals->class_counts[s->sample.labels[0]]++;
    }
    totals->source_nbytes += t->source_nbytes;
    w->codings.opaque += t->codings.opaque;
    w->codings.scans += t->codings.scans;
    w->codings.packed += t->codings.packed;
    w->codings.exact += t->codings.exact;
    w->progress.samples_exact += t->codings.exact;
    pcri_write_count_notes(w, &t->notes);
    w->progress.records_done++;
    w->progress.records_source_nbytes += t->source_nbytes;
    if (h)
        w->progress.written_nbytes += pcri_tail_begin(h) + h->tail_nbytes;
    pthread_mutex_unlock(&w->lock);
}

/* A record without a good sample has no file; its skipped inputs are listed still. */
static int publish(struct pcri_write *w, struct pcri_flight *f, struct pcr_error *err)
{
    uint32_t count = w->plan.records[f->record].count;
    struct pcri_outcome *o = &w->outcomes[f->record];
    struct tally t = count_slots(f, count, w->opts.limits->max_pixels);
    int rc = 0;
    if (t.good) {
        o->header = pcri_calloc(1, sizeof(*o->header), err);
        rc = o->header ? build(w, f, o->header, &t.notes, err) : PCR_ERR_NOMEM;
    }
    if (rc)
        return rc;
    o->needs = t.needs;
    count_record(w, f, &t, o->header);
    rc = keep_skips(o, f, count, count - t.good, err);
    o->done = !rc;
    return rc;
}

/* --- the worker --- */

/* Counts a coded sample; true if it was its record's last. */
static bool note_coded(struct pcri_write *w, const struct claim *c)
{
    const struct pcri_slot *s = c->slot;
    pthread_mutex_lock(&w->lock);
    if (s->skip) {
        w->progress.samples_bad++;
    } else {
        w->progress.samples_done++;
        w->progress.samples_reduced += s->reduction.smaller;
        w->progress.source_nbytes += s->coded.source_nbytes;
    }
    bool last = --c->flight->pending == 0;
    pthread_mutex_unlock(&w->lock);
    return last;
}

static void release_flight(struct pcri_write *w, struct pcri_flight *f)
{
    free_slots(f, w->plan.records[f->record].count);
    pthread_mutex_lock(&w->lock);
    f->busy = false;
    pthread_cond_broadcast(&w->room);
    pthread_mutex_unlock(&w->lock);
}

static int pack_one(struct pcri_worker *t, const struct claim *c, struct pcr_error *err)
{
    struct pcri_write *w = t->write;
    int rc = w->recode ? pcri_recode_sample(t, c->index, c->slot, err)
                       : pcri_sample_encode(t, c->index, c->slot, err);
    if (rc || !note_coded(w, c))
        return rc;
    rc = publish(w, c->flight, err);
    if (!rc)
        release_flight(w, c->flight);
    return rc;
}

/* Failures are noted with their position here, so the thread itself ends well. */
static int pack_worker(struct pcri_worker *t, struct pcr_error *err)
{
    struct pcri_write *w = t->write;
    for (;;) {
        struct claim c = { 0 };
        pthread_mutex_lock(&w->lock);
        int rc = take(w, &c, err);
        pthread_mutex_unlock(&w->lock);
        if (rc == PCR_END)
            return 0;
        if (!rc)
            rc = pack_one(t, &c, err);
        if (rc) {
            pcri_write_fail(w, c.position, err);
            return 0;
        }
    }
}

int pcri_write_records(struct pcri_write *w, struct pcr_error *err)
{
    int rc = make_flights(w, err);
    if (!rc)
        rc = pcri_write_parallel(w, pack_worker, err);
    free_flights(w);
    return rc;
}
