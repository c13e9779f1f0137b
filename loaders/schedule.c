/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses what a worker does next.
 *
 * Samples are decoded strictly in the epoch's order, and batches are handed over in that
 * order, so that the result does not depend on how many workers there are or how fast.
 * Before a window's samples can be decoded its slices must be in memory; while they are
 * decoded, the next window's slices are read at the same pace, so that storage and
 * processor work together and neither waits for a whole window of the other.
 *
 * What bounds memory: two windows of slices at most, of which the second stays within
 * window_nbytes; and batches_ahead batches.
 *
 * The fidelity is a batch's own, fixed when its first sample is picked. Where slices in
 * memory were read at a higher one, decoding takes the lower part; where they were read at a
 * lower one, they are read again. */
#include <stdlib.h>

#include "schedule.h"

static uint32_t max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The loader cannot go on. */
static void fail(struct pcr_loader *l, const struct pcr_error *err)
{
    l->error = *err;
    l->state = PCRI_LOADER_FAILED;
    pthread_cond_broadcast(&l->ready);
}

static void unhold(struct pcr_loader *l, struct pcri_loaded *h)
{
    if (!h || --h->holds)
        return;
    l->held_nbytes -= h->nbytes;
    h->next = l->garbage;
    l->garbage = h;
}

void pcri_schedule_collect(struct pcri_loaded *garbage)
{
    while (garbage) {
        struct pcri_loaded *next = garbage->next;
        pcr_slice_destroy(&garbage->slice);
        free(garbage);
        garbage = next;
    }
}

/* --- windows --- */

static void work_free(struct pcr_loader *l, struct pcri_work *w)
{
    for (uint32_t i = 0; w->spans && i < w->plan.span_count; i++)
        unhold(l, w->spans[i].held);
    free(w->spans);
    pcri_window_free(&w->plan);
    free(w);
}

/* The span and place of the window's next sample but `n`. */
static void find_sample(const struct pcr_loader *l, const struct pcri_work *w, uint32_t n,
                        uint32_t *span_out, uint32_t *place_out)
{
    uint64_t position = pcri_shard_position(&l->shard, w->first + n);
    pcri_window_sample(&w->plan, (uint32_t) (position - w->plan.position), span_out,
                       place_out);
}

/* Finds out which of the window's samples are this rank's, and how their spans are read: at
 * once where most of what that reads is needed. */
static void choose_samples(const struct pcr_loader *l, struct pcri_work *w)
{
    uint64_t position = w->plan.position;
    w->first = pcri_shard_before(&l->shard, position);
    w->needed = (uint32_t) (pcri_shard_before(&l->shard, position + w->plan.sample_count) -
                            w->first);
    for (uint32_t n = 0; n < w->needed; n++) {
        uint32_t span, place;
        find_sample(l, w, n, &span, &place);
        w->spans[span].left++;
    }
    for (uint32_t i = 0; i < w->plan.span_count; i++)
        if (w->spans[i].left < (w->plan.spans[i].extent + 1) / 2)
            w->spans[i].state = PCRI_SPAN_SINGLY;
}

static int work_create(struct pcr_loader *l, struct pcri_work **out, struct pcr_error *err)
{
    struct pcri_work *w = pcri_calloc(1, sizeof(*w), err);
    if (!w)
        return PCR_ERR_NOMEM;
    int rc = pcri_order_next(l->order, &l->plan, &w->plan, err);
    if (!rc && !(w->spans = pcri_calloc(w->plan.span_count, sizeof(*w->spans), err)))
        rc = PCR_ERR_NOMEM;
    if (rc) {
        work_free(l, w);
        return rc;
    }
    choose_samples(l, w);
    *out = w;
    return 0;
}

/* Drops windows that are done with, and has two planned where there are as many left. */
static bool plan_windows(struct pcr_loader *l)
{
    struct pcri_work **link = &l->works;
    uint32_t open = 0;
    while (*link) {
        struct pcri_work *w = *link;
        if (w->picked == w->needed && !w->reading) {
            *link = w->next;
            work_free(l, w);
            continue;
        }
        open += w->picked < w->needed;
        link = &w->next;
    }
    uint64_t count = pcri_shard_sample_count(&l->shard);
    while (open < 2 && pcri_shard_before(&l->shard, l->plan.next_position) < count) {
        struct pcr_error err;
        int rc = work_create(l, link, &err);
        if (rc < 0) {
            fail(l, &err);
            return false;
        }
        if (rc) /* PCR_END */
            break;
        open += (*link)->needed != 0;
        link = &(*link)->next;
    }
    return true;
}

/* The window that the next sample is in; NULL if none is left. */
static struct pcri_work *current_work(const struct pcr_loader *l)
{
    struct pcri_work *w = l->works;
    while (w && w->picked == w->needed)
        w = w->next;
    return w;
}

/* --- reading --- */

/* At what fidelity a span must be read now: enough for the batch in work and those to come. */
static uint32_t read_fidelity(const struct pcr_loader *l, const struct pcri_span_work *s)
{
    uint32_t g = max32(l->fidelity, s->fidelity);
    uint64_t batch = l->next_sample / l->options.batch_size;
    if (l->next_sample % l->options.batch_size)
        g = max32(g, l->ring[batch % l->options.batches_ahead]->fidelity);
    return g;
}

static uint64_t estimate(const struct pcr_loader *l, const struct pcri_span *span, uint32_t g)
{
    struct pcr_record_info info = { .size = sizeof(info) };
    /* It cannot fail: the order was made from the same records. */
    if (pcr_dataset_record(l->ds, span->record, &info, NULL) || !info.sample_count)
        return 0;
    uint64_t nbytes = pcr_dataset_record_prefix(l->ds, span->record, g) - info.head_end;
    return nbytes / info.sample_count * span->extent;
}

/* Takes span `i` of `w`. */
static bool take_read(struct pcr_loader *l, struct pcri_work *w, uint32_t i, uint32_t g,
                      uint64_t nbytes, struct pcri_task *t)
{
    struct pcr_error err;
    struct pcri_loaded *h = pcri_calloc(1, sizeof(*h), &err);
    if (!h) {
        fail(l, &err);
        return false;
    }
    *h = (struct pcri_loaded) { .nbytes = nbytes, .fidelity = g, .holds = 1 };
    *t = (struct pcri_task) {
        .kind = PCRI_TASK_READ, .fidelity = g, .held = h, .work = w, .span = i,
    };
    w->spans[i].state = PCRI_SPAN_READING;
    w->read_count += w->plan.spans[i].count;
    w->reading++;
    l->held_nbytes += nbytes;
    return true;
}

/* The next span that is wanted: of the current window always, of the one after it if it
 * fits and, where `paced`, if reading it is not ahead of the decoding of the current. */
static bool pick_read(struct pcr_loader *l, bool paced, struct pcri_task *t)
{
    struct pcri_work *current = current_work(l);
    for (struct pcri_work *w = current; w; w = w->next) {
        while (w->next_read < w->plan.span_count &&
               w->spans[w->next_read].state != PCRI_SPAN_WANTED)
            w->next_read++;
        uint32_t i = w->next_read;
        if (i == w->plan.span_count)
            continue;
        uint32_t g = read_fidelity(l, &w->spans[i]);
        uint64_t nbytes = estimate(l, &w->plan.spans[i], g);
        if (w != current) {
            if (l->held_nbytes + nbytes > l->options.window_nbytes)
                return false;
            if (paced && (uint64_t) w->read_count * current->needed >
                             (uint64_t) current->picked * w->plan.sample_count)
                return false;
        }
        return take_read(l, w, i, g, nbytes, t);
    }
    return false;
}

void pcri_schedule_read_done(struct pcr_loader *l, struct pcri_task *t, int rc)
{
    struct pcri_span_work *s = &t->work->spans[t->span];
    t->work->reading--;
    if (rc) {
        /* One bad chunk fails the slice. Its samples are now read one by one, so that the
         * bad one alone is lost, and its error is the one that is told. */
        s->state = PCRI_SPAN_SINGLY;
        unhold(l, t->held);
    } else {
        s->state = PCRI_SPAN_HELD;
        s->held = t->held;
    }
    pthread_cond_broadcast(&l->work);
}

/* Wants all spans of the window again whose slices have a lower fidelity than g. */
static void read_again(struct pcr_loader *l, struct pcri_work *w, uint32_t g)
{
    for (uint32_t i = 0; i < w->plan.span_count; i++) {
        struct pcri_span_work *s = &w->spans[i];
        if (s->state != PCRI_SPAN_HELD || !s->left || s->held->fidelity >= g)
            continue;
        unhold(l, s->held);
        s->held = NULL;
        s->state = PCRI_SPAN_WANTED;
        s->fidelity = g;
        w->read_count -= w->plan.spans[i].count;
    }
    w->next_read = 0;
    pthread_cond_broadcast(&l->work);
}

/* --- decoding --- */

static bool begin_batch(struct pcr_loader *l, uint64_t number)
{
    struct pcr_error err;
    struct pcri_batch *b;
    uint64_t left =
        pcri_shard_sample_count(&l->shard) - number * l->options.batch_size;
    uint32_t slots = left < l->options.batch_size ? (uint32_t) left : l->options.batch_size;
    if (pcri_pool_get(l->pool, slots, &b, &err)) {
        fail(l, &err);
        return false;
    }
    b->fidelity = l->fidelity;
    b->view.epoch = l->plan.epoch;
    b->view.number = l->first_batch + number;
    l->ring[number % l->options.batches_ahead] = b;
    return true;
}

static bool pick_decode(struct pcr_loader *l, struct pcri_task *t)
{
    struct pcri_work *w = current_work(l);
    uint64_t number = l->next_sample / l->options.batch_size;
    uint32_t slot = (uint32_t) (l->next_sample % l->options.batch_size), span, place;
    struct pcri_batch **b = &l->ring[number % l->options.batches_ahead];
    if (!w || number >= l->next_batch + l->options.batches_ahead)
        return false;
    uint32_t g = slot ? (*b)->fidelity : l->fidelity;
    find_sample(l, w, w->picked, &span, &place);
    struct pcri_span_work *s = &w->spans[span];
    if (s->state == PCRI_SPAN_HELD && s->held->fidelity < g)
        read_again(l, w, g);
    if (s->state != PCRI_SPAN_HELD && s->state != PCRI_SPAN_SINGLY)
        return false;
    if (!slot && !begin_batch(l, number))
        return false;

    const struct pcri_span *from = &w->plan.spans[span];
    uint64_t index = pcri_order_index(l->order, from->ordinal + place);
    uint64_t first = pcri_order_index(l->order, from->ordinal);
    *t = (struct pcri_task) {
        .kind = PCRI_TASK_DECODE, .fidelity = g, .held = s->held, .batch = *b, .slot = slot,
        .index = index, .place = (uint32_t) (index - first), .epoch = l->plan.epoch,
    };
    if (s->held)
        s->held->holds++;
    l->next_sample++;
    w->picked++;
    if (!--s->left) {
        unhold(l, s->held);
        s->held = NULL;
    }
    if (w->picked == w->needed) /* the next window is now the current one */
        pthread_cond_broadcast(&l->work);
    return true;
}

bool pcri_schedule_pick(struct pcr_loader *l, struct pcri_task *t)
{
    if (l->state != PCRI_LOADER_RUNNING || !plan_windows(l))
        return false;
    return pick_read(l, true, t) || pick_decode(l, t) || pick_read(l, false, t);
}

uint64_t *pcri_schedule_wait_reason(struct pcr_loader *l)
{
    if (l->state != PCRI_LOADER_RUNNING || !current_work(l))
        return NULL;
    uint64_t number = l->next_sample / l->options.batch_size;
    return number < l->next_batch + l->options.batches_ahead ? &l->stats.bytes_wait_ns
                                                             : &l->stats.room_wait_ns;
}

void pcri_schedule_decode_done(struct pcr_loader *l, struct pcri_task *t,
                               const struct pcri_made *made, int rc,
                               const struct pcr_error *err)
{
    struct pcri_batch *b = t->batch;
    if (rc) {
        if (t->slot < b->error_slot) { /* the first in order is the one to tell */
            b->error_slot = t->slot;
            b->error = *err;
        }
    } else if (made->filled) {
        b->filled[t->slot] = 1;
        b->labels[t->slot] = made->label;
        b->indices[t->slot] = t->index;
        b->fidelities[t->slot] = made->fidelity;
        l->stats.sample_count++;
        l->stats.degraded_count += made->degraded;
    } else {
        l->stats.skipped_count++;
    }
    unhold(l, t->held);
    if (++b->done_count == b->slot_count)
        pthread_cond_broadcast(&l->ready);
}

/* --- epochs --- */

void pcri_schedule_start(struct pcr_loader *l, uint64_t epoch, uint64_t position)
{
    const struct pcr_loader_options *o = &l->options;
    l->plan = (struct pcri_plan) { .epoch = epoch };
    pcri_order_seek(l->order, &l->plan, position);
    pcri_shard_init(o, position, pcri_order_sample_count(l->order), &l->shard);
    l->first_batch = position / ((uint64_t) o->batch_size * o->world);
    l->next_sample = l->next_batch = l->delivered = 0;
    l->state = PCRI_LOADER_RUNNING;
}

void pcri_schedule_clear(struct pcr_loader *l)
{
    while (l->works) {
        struct pcri_work *w = l->works;
        l->works = w->next;
        work_free(l, w);
    }
    for (uint32_t i = 0; i < l->options.batches_ahead; i++) {
        if (l->ring[i])
            pcr_batch_release(&l->ring[i]->view);
        l->ring[i] = NULL;
    }
}
