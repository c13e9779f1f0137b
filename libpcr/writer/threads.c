/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker threads of a conversion, and the calling thread that waits for them and
 * calls the user back. */
#include <stdlib.h>

#include "write.h"

enum { PROGRESS_NS = 100000000 };

void pcri_write_threads_init(struct pcri_write *w)
{
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->room, NULL);
    pcri_cond_init(&w->news);
    w->events_end = &w->events;
    w->ticker = (struct pcri_ticker) { .opts = &w->opts,
                                       .progress = &w->progress,
                                       .next_ns = pcri_clock_ns() + PROGRESS_NS };
}

int pcri_tick(struct pcri_ticker *t, uint32_t every, struct pcr_error *err)
{
    if (++t->count % every || !t->opts->progress || pcri_clock_ns() < t->next_ns)
        return 0;
    if (t->opts->progress(t->opts->context, t->progress))
        return pcri_fail(err, PCR_ERR_CANCELLED, "the conversion was cancelled");
    t->next_ns = pcri_clock_ns() + PROGRESS_NS;
    return 0;
}

static void free_events(struct pcri_bad_event *e)
{
    while (e) {
        struct pcri_bad_event *next = e->next;
        free(e);
        e = next;
    }
}

void pcri_write_threads_free(struct pcri_write *w)
{
    if (!w->events_end)
        return;
    free_events(w->events);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->room);
    pthread_cond_destroy(&w->news);
}

static void fail_locked(struct pcri_write *w, uint64_t position, const struct pcr_error *err)
{
    if (!w->failed || position < w->fail_position) {
        w->failed = true;
        w->fail_position = position;
        w->failure = *err;
    }
    w->stop = true;
    pthread_cond_broadcast(&w->room);
}

void pcri_write_fail(struct pcri_write *w, uint64_t position, const struct pcr_error *err)
{
    pthread_mutex_lock(&w->lock);
    fail_locked(w, position, err);
    pthread_mutex_unlock(&w->lock);
}

int pcri_write_bad(struct pcri_write *w, const char *path, const char *format,
                   const struct pcr_error *why, struct pcr_error *err)
{
    if (!w->opts.bad_input)
        return 0;
    const size_t path_nbytes = strlen(path) + 1;
    struct pcri_bad_event *e = pcri_calloc(1, sizeof(*e) + path_nbytes, err);
    if (!e)
        return PCR_ERR_NOMEM;
    memcpy(e->path, path, path_nbytes);
    e->format = format;
    e->err = *why;
    pthread_mutex_lock(&w->lock);
    *w->events_end = e;
    w->events_end = &e->next;
    pthread_mutex_unlock(&w->lock);
    return 0;
}

/* --- a worker --- */

struct start {
    struct pcri_worker worker;
    int (*fn)(struct pcri_worker *t, struct pcr_error *err);
};

static void *run_worker(void *context)
{
    struct start *s = context;
    struct pcri_worker *t = &s->worker;
    struct pcri_write *w = t->write;
    struct pcr_error err = { .offset = PCR_NO_OFFSET };
    int rc = pcri_worker_equip(t, &err);
    if (!rc)
        rc = s->fn(t, &err);
    pcri_worker_free(t);

    pthread_mutex_lock(&w->lock);
    if (rc)
        fail_locked(w, UINT64_MAX, &err);
    w->running--;
    pthread_cond_signal(&w->news);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* --- the calling thread --- */

/* Calls the user back with what is new. Called with the lock held, which it drops. */
static void call_back(struct pcri_write *w)
{
    struct pcri_bad_event *events = w->events;
    struct pcr_write_progress progress = w->progress;
    w->events = NULL;
    w->events_end = &w->events;
    pthread_mutex_unlock(&w->lock);

    for (struct pcri_bad_event *e = events; e; e = e->next)
        w->opts.bad_input(w->opts.context, e->path, e->format, &e->err);
    free_events(events);
    bool cancel = w->opts.progress && w->opts.progress(w->opts.context, &progress);

    pthread_mutex_lock(&w->lock);
    if (cancel && !w->failed) {
        struct pcr_error err;
        pcri_fail(&err, PCR_ERR_CANCELLED, "the conversion was cancelled");
        fail_locked(w, 0, &err);
    }
}

/* Calls back once at least: workers may have ended before it begins. */
static void wait_for_workers(struct pcri_write *w)
{
    pthread_mutex_lock(&w->lock);
    do {
        uint64_t until = pcri_clock_ns() + PROGRESS_NS;
        while (w->running && pcri_cond_wait_until(&w->news, &w->lock, until))
            ;
        call_back(w);
    } while (w->running);
    pthread_mutex_unlock(&w->lock);
}

int pcri_write_parallel(struct pcri_write *w,
                        int (*fn)(struct pcri_worker *t, struct pcr_error *err),
                        struct pcr_error *err)
{
    uint32_t count = w->opts.thread_count, started = 0;
    struct start *starts = pcri_calloc(count, sizeof(*starts), err);
    if (!starts)
        return PCR_ERR_NOMEM;
    for (; started < count; started++) {
        starts[started] = (struct start) { .worker = { .write = w }, .fn = fn };
        pthread_mutex_lock(&w->lock);
        w->running++;
        pthread_mutex_unlock(&w->lock);
        struct pcr_error why;
        if (!pcri_thread_start(&starts[started].worker.thread, run_worker, &starts[started],
                               &why))
            continue;
        pthread_mutex_lock(&w->lock);
        w->running--;
        fail_locked(w, UINT64_MAX, &why);
        pthread_mutex_unlock(&w->lock);
        break;
    }
    wait_for_workers(w);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(starts[i].worker.thread, NULL);
    free(starts);
    return pcri_hand_on(err, w->failed ? w->failure.code : 0, &w->failure);
}
