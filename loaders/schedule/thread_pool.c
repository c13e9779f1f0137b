/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that work for all loaders of the process.
 *
 * A thread without work visits the clients in turn and works for the first that has some. It
 * stays with that client; only if there are other clients does it look at these after a few
 * milliseconds. So a lone loader has threads of its own, and of several each gets its part,
 * for the price of a look at another's mutex per turn.
 *
 * A thread that found nothing sleeps until the pool's generation differs from that before its
 * round. Whoever makes work increments the generation first, and then checks whether anybody
 * sleeps; the sleeper does it the other way round, so that one of the two sees the other. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "thread_pool.h"

enum { TURN_NS = 4000000 };

struct worker {
    struct thread_pool *pool;
    struct pcri_maker maker;
    uint32_t at; /* the client to look at first */
    pthread_t thread;
    struct worker *next; /* list of those that have ended */
};

struct thread_pool {
    enum pcri_thread_kind kind;
    atomic_uint_fast64_t generation;
    atomic_uint idle;      /* threads that sleep */
    atomic_bool crowded;   /* turns end */
    pthread_mutex_t mutex; /* of what follows; taken after a loader's */
    pthread_cond_t work;
    pthread_cond_t quiet; /* a leaving client has no more threads, or a thread has ended */
    struct pcri_thread_client **clients;
    uint32_t client_count;
    uint32_t wanted, running; /* threads */
    struct worker *ended;     /* to be joined */
};

#define CREW(k) \
    { \
        .kind = (k), .mutex = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, \
        .quiet = PTHREAD_COND_INITIALIZER \
    }
static struct thread_pool pools[PCRI_THREADS_KINDS] = { CREW(PCRI_THREADS_MAKERS),
                                                        CREW(PCRI_THREADS_READERS) };

/* --- the threads --- */

bool pcri_turn_over(const struct pcri_turn *t)
{
    return atomic_load_explicit(&pools[t->kind].crowded, memory_order_relaxed) &&
           pcri_clock_ns() >= t->until_ns;
}

/* Call it after clients or threads were added or removed; the mutex is held. */
static void count_threads(struct thread_pool *c)
{
    c->wanted = 0;
    for (uint32_t i = 0; i < c->client_count; i++) {
        uint32_t limit = c->clients[i]->limit;
        if (c->kind == PCRI_THREADS_READERS)
            c->wanted += limit;
        else if (limit > c->wanted)
            c->wanted = limit;
    }
    atomic_store(&c->crowded, c->client_count > 1 || c->running > c->wanted);
}

/* Works for a client; with the mutex held before and after. */
static enum pcri_turn_end serve(struct thread_pool *c, struct worker *w,
                                struct pcri_thread_client *m, uint64_t seen)
{
    m->active++;
    pthread_mutex_unlock(&c->mutex);
    struct pcri_turn turn = { c->kind, pcri_clock_ns() + TURN_NS };
    enum pcri_turn_end end = m->serve(m->owner, &w->maker, &turn);
    pthread_mutex_lock(&c->mutex);
    m->active--;
    if (m->leaving && !m->active)
        pthread_cond_broadcast(&c->quiet);
    /* Others may have passed it by, as it had all the threads that it may have. */
    bool more = end == PCRI_TURN_OVER || atomic_load(&c->generation) != seen;
    if (more && m->limit < c->running)
        pthread_cond_broadcast(&c->work);
    return end;
}

/* Goes round the clients; false if none had anything to do. The same. */
static bool go_round(struct thread_pool *c, struct worker *w, uint64_t seen)
{
    for (uint32_t k = 0; k < c->client_count; k++) {
        uint32_t i = (w->at + k) % c->client_count;
        struct pcri_thread_client *m = c->clients[i];
        if (m->leaving || m->active >= m->limit || serve(c, w, m, seen) == PCRI_TURN_NOTHING)
            continue;
        w->at = i + 1;
        return true;
    }
    return false;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct thread_pool *c = w->pool;
    pthread_mutex_lock(&c->mutex);
    while (c->running <= c->wanted) {
        uint64_t seen = atomic_load(&c->generation);
        if (go_round(c, w, seen))
            continue;
        atomic_fetch_add(&c->idle, 1);
        if (atomic_load(&c->generation) == seen && c->running <= c->wanted)
            pthread_cond_wait(&c->work, &c->mutex);
        atomic_fetch_sub(&c->idle, 1);
    }
    c->running--;
    count_threads(c);
    w->next = c->ended;
    c->ended = w;
    pthread_cond_broadcast(&c->quiet);
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

/* There may be work: wakes sleeping threads, by pthread_cond_broadcast or _signal. */
static void wake(struct thread_pool *c, int (*tell)(pthread_cond_t *))
{
    atomic_fetch_add(&c->generation, 1);
    if (!atomic_load(&c->idle))
        return;
    pthread_mutex_lock(&c->mutex);
    tell(&c->work);
    pthread_mutex_unlock(&c->mutex);
}

void pcri_threads_wake(enum pcri_thread_kind kind)
{
    wake(&pools[kind], pthread_cond_broadcast);
}

void pcri_threads_wake_one(enum pcri_thread_kind kind)
{
    wake(&pools[kind], pthread_cond_signal);
}

void pcri_threads_wake_all(void)
{
    pcri_threads_wake(PCRI_THREADS_MAKERS);
    pcri_threads_wake(PCRI_THREADS_READERS);
}

bool pcri_threads_idle(enum pcri_thread_kind kind)
{
    return atomic_load_explicit(&pools[kind].idle, memory_order_relaxed) != 0;
}

/* --- clients --- */

/* A forked child has none of the threads, and perhaps a locked mutex: it begins anew. The
 * parent's loaders are left alone. */
static void forget(void)
{
    for (int k = 0; k < PCRI_THREADS_KINDS; k++) {
        struct thread_pool *c = &pools[k];
        c->mutex = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
        c->work = c->quiet = (pthread_cond_t) PTHREAD_COND_INITIALIZER;
        c->clients = NULL;
        c->client_count = c->wanted = c->running = 0;
        c->ended = NULL;
        atomic_store(&c->idle, 0);
        atomic_store(&c->crowded, false);
    }
}

static void worker_free(struct worker *w)
{
    pcri_maker_free(&w->maker);
    free(w);
}

static int start_thread(struct thread_pool *c, struct pcr_error *err)
{
    struct worker *w = pcri_calloc(1, sizeof(*w), err);
    if (!w)
        return PCR_ERR_NOMEM;
    w->pool = c;
    w->at = c->running;
    int rc = c->kind == PCRI_THREADS_MAKERS ? pcri_maker_init(&w->maker, err) : 0;
    if (!rc && (rc = pcri_thread_start(&w->thread, work, w, err)))
        rc = pcri_prefix(err, rc, "thread %u of %u", (unsigned) c->running + 1,
                         (unsigned) c->wanted);
    if (rc)
        worker_free(w);
    else
        c->running++;
    return rc;
}

/* Starts what threads are missing. */
static int start_threads(struct thread_pool *c, struct pcr_error *err)
{
    int rc = 0;
    count_threads(c);
    while (!rc && c->running < c->wanted)
        rc = start_thread(c, err);
    return rc;
}

/* Lets threads that are not wanted any more end, and with the last client waits for it. Gives
 * the mutex up. */
static void end_threads(struct thread_pool *c)
{
    count_threads(c);
    atomic_fetch_add(&c->generation, 1);
    pthread_cond_broadcast(&c->work);
    while (!c->wanted && c->running)
        pthread_cond_wait(&c->quiet, &c->mutex);
    if (!c->client_count) {
        free(c->clients);
        c->clients = NULL;
    }
    struct worker *ended = c->ended;
    c->ended = NULL;
    pthread_mutex_unlock(&c->mutex);
    while (ended) {
        struct worker *next = ended->next;
        pthread_join(ended->thread, NULL);
        worker_free(ended);
        ended = next;
    }
}

static void remove_client(struct thread_pool *c, const struct pcri_thread_client *m)
{
    uint32_t i = 0;
    while (c->clients[i] != m)
        i++;
    c->client_count--;
    for (; i < c->client_count; i++)
        c->clients[i] = c->clients[i + 1];
}

int pcri_threads_join(enum pcri_thread_kind kind, struct pcri_thread_client *m,
                      struct pcr_error *err)
{
    static atomic_int watched;
    struct thread_pool *c = &pools[kind];
    if (pcri_at_fork(&watched, NULL, NULL, forget, err))
        return PCR_ERR_NOMEM;
    pthread_mutex_lock(&c->mutex);
    int rc = pcri_resize(&c->clients, c->client_count + 1, sizeof(struct pcri_thread_client *),
                         err);
    if (rc) {
        pthread_mutex_unlock(&c->mutex);
        return rc;
    }
    c->clients[c->client_count++] = m;
    m->active = 0;
    m->leaving = false;
    rc = start_threads(c, err);
    if (rc) {
        remove_client(c, m);
        end_threads(c);
    } else {
        pthread_mutex_unlock(&c->mutex);
    }
    return rc;
}

void pcri_threads_leave(enum pcri_thread_kind kind, struct pcri_thread_client *m)
{
    struct thread_pool *c = &pools[kind];
    pthread_mutex_lock(&c->mutex);
    m->leaving = true;
    while (m->active)
        pthread_cond_wait(&c->quiet, &c->mutex);
    remove_client(c, m);
    end_threads(c);
}

int pcri_threads_limit(enum pcri_thread_kind kind, struct pcri_thread_client *m,
                       uint32_t limit, struct pcr_error *err)
{
    struct thread_pool *c = &pools[kind];
    uint32_t before = m->limit;
    pthread_mutex_lock(&c->mutex);
    m->limit = limit;
    int rc = start_threads(c, err);
    if (rc)
        m->limit = before;
    end_threads(c); /* those that are not wanted */
    return rc;
}
