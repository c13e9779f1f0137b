/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporting: chunks prepared by threads, and written in order by one. */
#include <stdlib.h>

#include "export_queue.h"

enum {
    CHUNK_NBYTES = 4 << 20, /* about */
    CHUNK_SAMPLES = 256,    /* at most */
    TICK_NS = 100000000,
};

/* Samples that were not yet given to a chunk. */
struct cursor {
    uint64_t next, end; /* positions in the order */
    uint64_t record;    /* of the last chunk */
};

struct queue {
    const struct pcri_export *x;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct cursor cursor;
    struct pcri_export_chunk *slots; /* a ring: chunk n is in slot n % slot_count */
    uint32_t slot_count;
    uint64_t taken, written; /* chunks that were begun; that were written */
    atomic_bool stop;
    struct export_worker {
        struct queue *q;
        struct pcri_export_tools tools;
        pthread_t thread;
    } * workers;
    uint32_t worker_count; /* that were started */
};

static uint64_t sample_at(const struct pcri_export *x, uint64_t position)
{
    return x->o.indices ? x->o.indices[position] : position;
}

/* Makes *r describe the record that has a sample. */
static int find_record(const struct pcri_export *x, struct cursor *at, uint64_t index,
                       struct pcr_record_info *r, struct pcr_error *err)
{
    uint64_t low = 0, high = x->info.record_count;
    int rc;
    for (;; at->record = low + (high - low) / 2) {
        rc = pcr_dataset_record(x->ds, at->record, r, err);
        if (rc)
            return rc;
        if (index < r->first_sample)
            high = at->record;
        else if (index >= r->first_sample + r->sample_count)
            low = at->record + 1;
        else
            return 0;
    }
}

/* The next samples that lie side by side in a record. False: there are none left. */
static bool plan(struct queue *q, struct pcri_export_chunk *c)
{
    const struct pcri_export *x = q->x;
    struct cursor *at = &q->cursor;
    struct pcr_record_info r = { .size = sizeof(r) };
    if (at->next == at->end)
        return false;
    c->index = sample_at(x, at->next);
    c->count = 0;
    c->rc = find_record(x, at, c->index, &r, &c->err);
    if (c->rc) {
        at->next = at->end;
        return true;
    }
    uint64_t nbytes = pcr_dataset_record_prefix(x->ds, at->record, x->o.fidelity) - r.head_end;
    if (x->blobs) /* what follows the groups */
        nbytes += r.total_nbytes -
                  pcr_dataset_record_prefix(x->ds, at->record, x->info.group_count);
    uint64_t most = CHUNK_NBYTES / (nbytes / r.sample_count + 1);
    most = most < 1 ? 1 : most > CHUNK_SAMPLES ? CHUNK_SAMPLES : most;
    c->record = at->record;
    c->first = (uint32_t) (c->index - r.first_sample);
    while (at->next < at->end && c->count < most && c->first + c->count < r.sample_count &&
           sample_at(x, at->next) == c->index + c->count) {
        at->next++;
        c->count++;
    }
    return true;
}

static void prepare(struct queue *q, struct pcri_export_tools *tools,
                    struct pcri_export_chunk *c)
{
    if (!c->rc)
        pcri_export_prepare(q->x, tools, c);
    if (!c->rc)
        pcr_slice_release(&c->slice); /* all that is needed of it is in the chunk */
}

/* Begins a chunk if there is room for one. */
static struct pcri_export_chunk *begin(struct queue *q)
{
    struct pcri_export_chunk *c = &q->slots[q->taken % q->slot_count];
    if (q->taken - q->written == q->slot_count || !plan(q, c))
        return NULL;
    q->taken++;
    return c;
}

static void *work(void *context)
{
    struct export_worker *w = context;
    struct queue *q = w->q;
    pcri_wait_unless(&q->stop);
    pthread_mutex_lock(&q->mutex);
    while (!q->stop && q->cursor.next < q->cursor.end) {
        struct pcri_export_chunk *c = begin(q);
        if (!c) {
            pcri_cond_wait(&q->changed, &q->mutex);
            continue;
        }
        pthread_mutex_unlock(&q->mutex);
        prepare(q, &w->tools, c);
        pthread_mutex_lock(&q->mutex);
        c->is_ready = true;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->mutex);
    return NULL;
}

static int start_threads(struct queue *q, struct pcr_error *err)
{
    uint32_t count = q->x->o.thread_count;
    int rc = 0;
    q->workers = pcri_calloc(count, sizeof(*q->workers), err);
    if (!q->workers)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        q->workers[i].q = q;
    while (count > 1 && q->worker_count < count && !rc) {
        struct export_worker *w = &q->workers[q->worker_count];
        rc = pcri_thread_start(&w->thread, work, w, err);
        q->worker_count += !rc;
    }
    return q->worker_count ? 0 : rc; /* fewer do as well */
}

static void stop_threads(struct queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->stop = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
    for (uint32_t i = 0; i < q->worker_count; i++)
        pthread_join(q->workers[i].thread, NULL);
}

/* Waits for the next chunk, or makes it where there are no threads. *out is NULL after the
 * last. */
static int next_chunk(struct queue *q, pcri_export_tick *tick, void *context,
                      struct pcri_export_chunk **out, struct pcr_error *err)
{
    struct pcri_export_chunk *c = &q->slots[q->written % q->slot_count];
    int rc = 0;
    *out = NULL;
    if (!q->worker_count) {
        if ((*out = begin(q)))
            prepare(q, &q->workers[0].tools, *out);
        return 0;
    }
    pthread_mutex_lock(&q->mutex);
    while (!rc && !(c->is_ready && q->written < q->taken) &&
           (q->written < q->taken || q->cursor.next < q->cursor.end)) {
        if (!pcri_cond_wait_until(&q->changed, &q->mutex, pcri_clock_ns() + TICK_NS)) {
            pthread_mutex_unlock(&q->mutex);
            rc = tick(context, err);
            pthread_mutex_lock(&q->mutex);
        }
    }
    if (!rc && q->written < q->taken)
        *out = c;
    pthread_mutex_unlock(&q->mutex);
    return rc;
}

static int write_all(struct queue *q, pcri_export_write *take, pcri_export_tick *tick,
                     void *context, struct pcr_error *err)
{
    struct pcri_export_chunk *c = NULL;
    uint64_t told = pcri_clock_ns();
    int rc = tick(context, err);
    while (!rc && !(rc = next_chunk(q, tick, context, &c, err)) && c) {
        rc = c->rc ? pcri_hand_on(err, c->rc, &c->err) : take(context, c, err);
        pthread_mutex_lock(&q->mutex);
        c->is_ready = false;
        q->written++;
        pthread_cond_broadcast(&q->changed);
        pthread_mutex_unlock(&q->mutex);
        if (!rc && pcri_clock_ns() - told >= TICK_NS) {
            rc = tick(context, err);
            told = pcri_clock_ns();
        }
    }
    return rc ? rc : tick(context, err);
}

static void free_queue(struct queue *q)
{
    for (uint32_t i = 0; q->slots && i < q->slot_count; i++) {
        pcr_slice_release(&q->slots[i].slice);
        pcr_buffer_free(&q->slots[i].bytes);
        pcr_buffer_free(&q->slots[i].texts);
        free(q->slots[i].items);
    }
    for (uint32_t i = 0; q->workers && i < q->x->o.thread_count; i++)
        pcri_export_tools_free(&q->workers[i].tools);
    free(q->slots);
    free(q->workers);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->mutex);
}

int pcri_export_run(const struct pcri_export *x, pcri_export_write *take,
                    pcri_export_tick *tick, void *context, struct pcr_error *err)
{
    struct queue q = { .x = x,
                       .cursor = { .end = x->report.sample_count },
                       .slot_count = x->o.thread_count > 1 ? x->o.thread_count + 2 : 1 };
    pthread_mutex_init(&q.mutex, NULL);
    pcri_cond_init(&q.changed);
    q.slots = pcri_calloc(q.slot_count, sizeof(*q.slots), err);
    int rc = q.slots ? start_threads(&q, err) : PCR_ERR_NOMEM;
    if (!rc)
        rc = write_all(&q, take, tick, context, err);
    stop_threads(&q);
    free_queue(&q);
    return rc;
}
