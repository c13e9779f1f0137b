/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sample is decoded next: strictly in the epoch's order, so that the result does not
 * depend on how many threads there are or how fast. */
#include "decoding.h"
#include "reading.h"

static bool begin_batch(struct pcr_loader *l, uint64_t number)
{
    struct pcr_error err;
    struct pcri_batch *b;
    uint64_t left = pcri_shard_sample_count(&l->shard) - number * l->options.batch_size;
    uint32_t slots = left < l->options.batch_size ? (uint32_t) left : l->options.batch_size;
    if (pcri_batch_pool_get(l->pool, slots, &b, &err)) {
        pcri_schedule_fail(l, &err);
        return false;
    }
    bool raw = l->options.flags & PCR_LOADER_RAW;
    if (raw && !b->parts &&
        !(b->parts = pcri_calloc(l->options.batch_size, sizeof(*b->parts), &err))) {
        pcri_batch_release(b);
        pcri_schedule_fail(l, &err);
        return false;
    }
    b->view.epoch = l->plan.epoch;
    b->view.number = l->first_batch + number;
    l->ring[number % l->options.memory.batches_ahead] = b;
    return true;
}

/* Makes a request ask for the sample with this place in the span's record, whatever holds
 * it. */
static void request_sample(const struct pcr_loader *l, const struct pcri_span *span,
                           uint32_t place, uint32_t wish, struct pcri_request *q)
{
    uint64_t all = span->first_number + place;
    q->dataset = &l->datasets[span->dataset];
    q->options = &l->options;
    q->views = l->views;
    q->view_count = l->view_count;
    q->normalisation = &l->normalisation;
    q->plain = l->fidelity_plan.augment && !l->fidelity_plan.augment[all];
    q->index = all - q->dataset->first_number;
    q->place = place - span->first;
    q->wish = wish;
}

static bool pick_sample(struct pcr_loader *l, struct pcri_task *t)
{
    struct pcri_window_work *w = pcri_current_window(l);
    uint64_t number = l->next_sample / l->options.batch_size;
    uint32_t slot = (uint32_t) (l->next_sample % l->options.batch_size);
    struct pcri_batch **b = &l->ring[number % l->options.memory.batches_ahead];
    if (!w || number >= l->next_batch + l->options.memory.batches_ahead)
        return false;
    const struct pcri_order order = pcri_order_of(l);
    const struct pcri_pick *pick = &w->picks[w->picked];
    const struct pcri_span *from = &w->plan.spans[pick->span];
    struct pcri_span_work *s = &w->spans[pick->span];
    uint32_t place = pcri_span_place(&order, from, pick->entry);
    uint32_t wish = pcri_wish_of(l, w, pick, place);
    if (s->state == PCRI_SPAN_HELD && pcri_slice_is_short(s->held, place - from->first, wish))
        pcri_read_again(l, w);
    if (s->state != PCRI_SPAN_HELD && s->state != PCRI_SPAN_SINGLY)
        return false;
    if (!slot && !begin_batch(l, number))
        return false;

    *t = (struct pcri_task) {
        .kind = PCRI_TASK_DECODE,
        .request = { .epoch = l->plan.epoch,
                     .identity = pcri_identity_of(l, from, from->first_number + place),
                     .slice = s->held ? s->held->slice : NULL },
        .held = s->held,
        .batch = *b,
        .slot = slot,
        .position = w->plan.position + pick->offset,
        .fills = pick->fills,
        .seat = { w->plan.first_span + pick->span, pick->entry },
    };
    request_sample(l, from, place, wish, &t->request);
    if (s->held)
        s->held->holds++;
    l->next_sample++;
    w->picked++;
    if (!--s->left) {
        pcri_slice_let_go(l, s->held);
        s->held = NULL;
    }
    if (l->opening && (l->next_sample == l->options.batch_size || w->picked == w->needed)) {
        l->opening = false;
        pcri_read_again(l, w);
    }
    if (w->picked == w->needed) /* the next window is now the current one */
        pcri_threads_wake(PCRI_THREADS_MAKERS);
    return true;
}

/* Files need so little time that a batch of them is one task: its samples are picked as they
 * can be, and given out with the last. */
bool pcri_pick_decode(struct pcr_loader *l, struct pcri_task *t)
{
    if (!(l->options.flags & PCR_LOADER_RAW))
        return pick_sample(l, t);
    while (pick_sample(l, t)) {
        struct pcri_batch *b = t->batch;
        b->parts[b->part_count++] = *t;
        if (b->part_count == b->slot_count) {
            t->kind = PCRI_TASK_JOIN;
            return true;
        }
    }
    return false;
}

/* It keeps the identity of the bad one: its crop is drawn for its new place. */
bool pcri_schedule_replace(const struct pcr_loader *l, const struct pcri_span *span,
                           uint32_t entry, const struct pcri_task *t,
                           struct pcri_request *request)
{
    const struct pcri_order order = pcri_order_of(l);
    uint32_t place = pcri_span_place(&order, span, entry);
    struct pcri_fidelity_case c = { request->epoch, t->position, span->first_number + place,
                                    request->identity };
    request_sample(l, span, place, pcri_wish_by_plan(l, &l->changes, span->dataset, &c),
                   request);
    request->slice = NULL;
    return l->state == PCRI_LOADER_RUNNING && !l->stop;
}

static uint32_t number_of(const struct pcr_loader *l, const struct pcri_loader_dataset *ds)
{
    return (uint32_t) (ds - l->datasets);
}

static void note_bad(struct pcr_loader *l, const struct pcri_task *t,
                     const struct pcri_made *made)
{
    struct pcr_bad_sample f = {
        .code = made->error.code,
        .epoch = t->request.epoch,
        .index = t->request.index,
        .dataset = number_of(l, t->request.dataset),
        .fidelity = made->wanted,
        .delivered = made->replaced ? 0 : made->fidelity,
        .replacement = made->replaced ? made->index : UINT64_MAX,
        .replacement_dataset = made->replaced ? number_of(l, made->dataset) : 0,
    };
    memcpy(f.message, made->error.message, sizeof(f.message));
    pcri_bad_samples_add(&l->bad_samples, &f);
}

/* What was delivered, and what it saved. */
static void count_fidelity(struct pcr_loader_stats *s, const struct pcri_made *made)
{
    s->fidelity_counts[made->fidelity - 1]++;
    s->delivered_nbytes += made->nbytes;
    s->full_nbytes += made->full_nbytes;
    if (made->quality < 0)
        return;
    const uint64_t millionths = (uint64_t) (made->quality * PCRI_QUALITY_ONE + 0.5);
    if (!s->quality_count || millionths < s->quality_least_ppm)
        s->quality_least_ppm = millionths;
    s->quality_count++;
    s->quality_sum_ppm += millionths;
}

void pcri_schedule_decode_done(struct pcr_loader *l, struct pcri_task *t,
                               const struct pcri_made *made, int rc,
                               const struct pcr_error *err)
{
    struct pcri_batch *b = t->batch;
    if (rc) {
        if (t->slot < b->error_slot) { /* the first in order is the one to report */
            b->error_slot = t->slot;
            b->error = *err;
        }
    } else if (made->filled) {
        pcri_batch_set_labels(b, t->slot, made->label_count, made->label, made->float_label,
                              made->labels);
        b->sample_columns[t->slot] = made->columns;
        b->indices[t->slot] = made->index;
        b->datasets[t->slot] = number_of(l, made->dataset);
        b->fidelities[t->slot] = made->fidelity;
        b->valid[t->slot] = !made->replaced && !t->fills;
        if (b->mix_slots)
            b->mix_slots[t->slot] = (struct pcri_mix_slot) { t->request.identity,
                                                             made->plain };
        l->stats.sample_count++;
        count_fidelity(&l->stats, made);
        if (!t->fills) { /* otherwise it is reported where it has its own place */
            l->stats.degraded_count += made->degraded;
            l->stats.replaced_count += made->replaced;
            l->stats.profile_converted_count += made->profile_use == PCR_PROFILE_CONVERTED;
            l->stats.profile_unusable_count += made->profile_use == PCR_PROFILE_UNUSABLE;
            if (made->degraded || made->replaced)
                note_bad(l, t, made);
        }
    }
    pcri_slice_let_go(l, t->held);
}

bool pcri_schedule_may_finish(const struct pcr_loader *l, const struct pcri_batch *b)
{
    return (b->mix_slots || b->loose) && b->done_count + 1 == b->slot_count &&
           b->error_slot == UINT32_MAX && l->state == PCRI_LOADER_RUNNING && !l->stop;
}

void pcri_schedule_slot_done(struct pcr_loader *l, struct pcri_batch *b)
{
    if (++b->done_count == b->slot_count)
        pthread_cond_broadcast(&l->ready);
}
