/* SPDX-License-Identifier: BSD-2-Clause */
/* What threads do for a loader: take a task, carry it out, and report the outcome. */
#include "../transform/crop.h"
#include "../transform/gather.h"
#include "../transform/mixing.h"
#include "decoding.h"
#include "reading.h"
#include "schedule.h"

/* Finds out what the qualities that are wished for mean for the samples of a span. */
static void choose_fidelities(const struct pcr_loader *l, const struct pcri_task *t)
{
    const struct pcri_span *span = &t->work->plan.spans[t->span];
    const struct pcri_loader_dataset *from = &l->datasets[span->dataset];
    struct pcri_held_slice *h = t->held;
    for (uint32_t i = 0; i < span->extent; i++) {
        const uint64_t number = span->first_number + span->first + i;
        struct pcr_sample_info info = { .size = sizeof(info) };
        struct pcr_sample *sample = NULL;
        if (!pcri_by_quality(h->wishes[i]))
            continue;
        const bool plain = l->fidelity_plan.augment && !l->fidelity_plan.augment[number];
        const uint64_t identity = pcri_identity_of(l, span, number);
        /* A head that cannot be read fails the read, too. */
        if (!pcr_sample_acquire(from->ds, number - from->first_number, &sample, NULL) &&
            !pcr_sample_describe(sample, &info, NULL))
            h->fidelities[i] = (uint8_t) pcri_fidelity_for(
                &l->options, &info,
                pcri_scale_of(l->views, l->view_count, plain, h->epoch, identity, &info),
                h->wishes[i], from->info.group_count);
        pcr_sample_release(&sample);
    }
}

/* Reads what the task wants of a span. */
static int read_span(struct pcr_loader *l, struct pcri_task *t)
{
    const struct pcri_span *span = &t->work->plan.spans[t->span];
    struct pcr_dataset *ds = l->datasets[span->dataset].ds;
    const uint8_t *fidelities = t->held->fidelities;
    uint32_t alike = 1;
    choose_fidelities(l, t);
    while (alike < span->extent && fidelities[alike] == fidelities[0])
        alike++;
    if (alike == span->extent)
        return pcr_slice_read(ds, span->record, span->first, span->extent, fidelities[0],
                              &t->held->slice, NULL);
    return pcr_slice_read_each(ds, span->record, span->first, span->extent, fidelities,
                               &t->held->slice, NULL);
}

static void run_plan(struct pcr_loader *l, struct pcri_task *t)
{
    struct pcr_error err;
    int rc = pcri_schedule_plan(l, t, &err);
    pthread_mutex_lock(&l->mutex);
    pcri_schedule_plan_done(l, t, rc, &err);
}

static void run_read(struct pcr_loader *l, struct pcri_task *t)
{
    uint64_t start = pcri_clock_ns();
    int rc = read_span(l, t);
    uint64_t spent = pcri_clock_ns() - start;
    uint64_t nbytes = rc ? 0 : pcr_slice_nbytes(t->held->slice);

    pthread_mutex_lock(&l->mutex);
    l->stats.reading_count--;
    l->stats.read_count++;
    l->stats.read_ns += spent;
    pcri_schedule_count(l, t, nbytes);
    pcri_schedule_read_done(l, t, rc);
}

/* What was spent on a sample; with the mutex held. */
static void add_made(struct pcr_loader *l, const struct pcri_made *made)
{
    l->stats.read_count += made->read_count;
    l->stats.read_ns += made->read_ns;
    l->stats.read_nbytes += made->read_nbytes;
    l->stats.decode_ns += made->decode_ns;
}

/* Makes another sample of the epoch in a bad one's place. If none can be made, fails with the
 * bad one's error; if nobody waits any more, the place stays empty. */
static int make_another(struct pcr_loader *l, struct pcri_maker *m, const struct pcri_task *t,
                        struct pcri_made *made, struct pcr_error *err)
{
    const struct pcri_order order = { l->catalog, l->contents };
    struct pcri_search search = { .seat = t->seat };
    struct pcri_request q = t->request;
    struct pcri_made other;
    struct pcri_span span;
    uint32_t entry;
    while (pcri_search_next(&order, q.epoch, &search, &span, &entry)) {
        pthread_mutex_lock(&l->mutex);
        bool wanted = pcri_schedule_replace(l, &span, entry, t, &q);
        pthread_mutex_unlock(&l->mutex);
        if (!wanted)
            return 0;
        if (search.own && t->held && !pcri_by_quality(q.wish) &&
            t->held->fidelities[q.place] >= q.wish)
            q.slice = t->held->slice;
        int rc = pcri_make_sample(m, &q, &other, err);
        other.error = made->error;
        other.replaced = true;
        other.read_count += made->read_count;
        other.read_nbytes += made->read_nbytes;
        other.read_ns += made->read_ns;
        other.decode_ns += made->decode_ns;
        *made = other;
        if (rc || made->filled)
            return rc;
    }
    *err = made->error;
    return pcri_prefix(err, made->error.code, "no sample can replace a bad one (tried %u)",
                       (unsigned) search.count);
}

/* Makes a task's sample, or another in its place. */
static int make(struct pcr_loader *l, struct pcri_maker *m, const struct pcri_task *t,
                struct pcri_made *made, struct pcr_error *err)
{
    int rc = pcri_make_sample(m, &t->request, made, err);
    return rc || made->filled ? rc : make_another(l, m, t, made, err);
}

/* Mixes the pictures of a batch, or puts them into place; with the mutex held before and after. */
static void finish_batch(struct pcr_loader *l, struct pcri_maker *m, struct pcri_batch *b)
{
    struct pcr_error err;
    uint32_t slot = 0;
    pthread_mutex_unlock(&l->mutex);
    const uint64_t start = pcri_clock_ns();
    int rc = b->loose
                 ? pcri_gather(b, l->views, &l->normalisation, &err)
                 : pcri_mix_batch(m, &l->options, l->views, l->view_count, b, &slot, &err);
    const uint64_t spent = pcri_clock_ns() - start;
    pthread_mutex_lock(&l->mutex);
    l->stats.decode_ns += spent;
    if (rc) {
        b->error_slot = slot;
        b->error = err;
    }
}

static void run_decode(struct pcr_loader *l, struct pcri_maker *m, struct pcri_task *t)
{
    struct pcr_error err;
    struct pcri_made made = { 0 };
    t->request.batch = t->batch;
    t->request.slot = t->slot;
    int rc = make(l, m, t, &made, &err);

    pthread_mutex_lock(&l->mutex);
    add_made(l, &made);
    pcri_schedule_decode_done(l, t, &made, rc, &err);
    if (pcri_schedule_may_finish(l, t->batch))
        finish_batch(l, m, t->batch);
    l->stats.decoding_count--;
    pcri_schedule_slot_done(l, t->batch);
}

/* Fills a batch with files, one after another; stops at one that fails. */
static void run_join(struct pcr_loader *l, struct pcri_maker *m, struct pcri_task *t)
{
    struct pcr_error err;
    struct pcri_batch *b = t->batch;
    int rc = 0;
    for (uint32_t n = 0; n < b->slot_count; n++) {
        struct pcri_made made = { 0 };
        b->parts[n].request.batch = b;
        if (n)
            pthread_mutex_unlock(&l->mutex);
        if (!rc)
            rc = make(l, m, &b->parts[n], &made, &err);
        b->offsets[n + 1] = b->used_nbytes;
        pthread_mutex_lock(&l->mutex);
        add_made(l, &made);
        pcri_schedule_decode_done(l, &b->parts[n], &made, rc, &err);
        pcri_schedule_slot_done(l, b);
    }
    l->stats.decoding_count--;
}

/* Runs a task; with the mutex held before and after. */
static void run_task(struct pcr_loader *l, struct pcri_maker *m, struct pcri_task *t)
{
    struct pcri_held_slice *garbage = l->garbage;
    l->garbage = NULL;
    l->busy++;
    l->stats.reading_count += t->kind == PCRI_TASK_READ;
    l->stats.decoding_count += t->kind == PCRI_TASK_DECODE || t->kind == PCRI_TASK_JOIN;
    pthread_mutex_unlock(&l->mutex);
    pcri_slices_free(garbage);
    if (t->kind == PCRI_TASK_PLAN)
        run_plan(l, t);
    else if (t->kind == PCRI_TASK_READ)
        run_read(l, t);
    else if (t->kind == PCRI_TASK_JOIN)
        run_join(l, m, t);
    else
        run_decode(l, m, t);
    if (!--l->busy)
        pthread_cond_broadcast(&l->quiet);
}

/* Frees what nobody needs any more; with the mutex held before and after. */
static void collect(struct pcr_loader *l)
{
    struct pcri_held_slice *garbage = l->garbage;
    l->garbage = NULL;
    pthread_mutex_unlock(&l->mutex);
    pcri_slices_free(garbage);
    pthread_mutex_lock(&l->mutex);
}

/* Books the time of threads that have not been working for the loader since the last call; with
 * the mutex held. */
void pcri_work_count_idle(struct pcr_loader *l)
{
    uint64_t now = pcri_clock_ns();
    uint64_t spent = (now - l->idle_since_ns) * (l->options.threads.count - l->working);
    l->idle_since_ns = now;
    l->stats.idle_ns += spent;
    if (l->wait_reason)
        *l->wait_reason += spent;
}

/* Makes more threads read, or fewer, if others wait for reads; with the mutex held. */
static void tune_readers(struct pcr_loader *l)
{
    struct pcri_thread_client *m = &l->clients[PCRI_THREADS_READERS];
    if (!l->tunes || l->stop || l->wait_reason != &l->stats.bytes_wait_ns)
        return;
    uint32_t count = pcri_tune(&l->tune, pcri_clock_ns(),
                               l->stats.read_nbytes + l->stats.ahead_nbytes,
                               l->stats.reading_count, m->limit);
    /* If no more threads can be started, it continues with those it has. */
    if (count != m->limit && pcri_threads_limit(PCRI_THREADS_READERS, m, count, NULL))
        l->tunes = false;
}

/* Works until there is nothing to do or the turn is over. */
static enum pcri_turn_end work(struct pcr_loader *l, struct pcri_maker *m, bool reads_only,
                               const struct pcri_turn *turn)
{
    struct pcri_task t;
    enum pcri_turn_end end = PCRI_TURN_NOTHING;
    while (!l->stop) {
        if (pcri_turn_over(turn))
            return PCRI_TURN_OVER;
        if (reads_only ? pcri_schedule_pick_read(l, &t) : pcri_schedule_pick(l, &t)) {
            run_task(l, m, &t);
            end = PCRI_TURN_DONE;
        } else if (l->garbage) {
            collect(l);
        } else {
            break;
        }
    }
    return end;
}

enum pcri_turn_end pcri_work_read(void *owner, struct pcri_maker *m,
                                  const struct pcri_turn *turn)
{
    struct pcr_loader *l = owner;
    pcri_wait_unless(&l->hurry);
    pthread_mutex_lock(&l->mutex);
    enum pcri_turn_end end = work(l, m, true, turn);
    pthread_mutex_unlock(&l->mutex);
    pcri_wait_unless(NULL);
    return end;
}

enum pcri_turn_end pcri_work_make(void *owner, struct pcri_maker *m,
                                  const struct pcri_turn *turn)
{
    struct pcr_loader *l = owner;
    pcri_wait_unless(&l->hurry);
    pthread_mutex_lock(&l->mutex);
    pcri_work_count_idle(l);
    l->working++;
    enum pcri_turn_end end = work(l, m, false, turn);
    pcri_work_count_idle(l);
    l->working--;
    l->wait_reason = end == PCRI_TURN_OVER ? NULL : pcri_schedule_wait_reason(l);
    tune_readers(l);
    pthread_mutex_unlock(&l->mutex);
    pcri_wait_unless(NULL);
    return end;
}
