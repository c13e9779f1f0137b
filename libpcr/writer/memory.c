/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for the pictures at work: it grows with their pixels, whatever their files' sizes. Those
 * that would take too much together wait for each other, in the order in which they come. */
#include "write.h"

static uint64_t share(const struct pcri_write *w)
{
    return w->opts.max_memory_nbytes / w->opts.thread_count;
}

/* Under the lock. */
static void give(struct pcri_worker *t)
{
    struct pcri_write *w = t->write;
    w->memory_taken -= t->memory;
    t->memory = 0;
    if (w->memory_served != w->memory_tickets)
        pthread_cond_broadcast(&w->room);
}

int pcri_memory_take(void *worker, uint64_t nbytes, struct pcr_error *err)
{
    struct pcri_worker *t = worker;
    struct pcri_write *w = t->write;
    uint64_t max = w->opts.max_memory_nbytes;
    if (nbytes > max)
        return pcri_fail(err, PCR_ERR_LIMIT,
                         "its pixels take %llu bytes of memory, at most %llu "
                         "allowed (max_memory_nbytes)",
                         (unsigned long long) nbytes, (unsigned long long) max);
    if (nbytes <= t->memory)
        return 0;
    pthread_mutex_lock(&w->lock);
    give(t); /* a thread that waits holds nothing */
    uint64_t ticket = w->memory_tickets++;
    while (ticket != w->memory_served || nbytes > max - w->memory_taken)
        pthread_cond_wait(&w->room, &w->lock);
    w->memory_served++;
    w->memory_taken += nbytes;
    t->memory = nbytes;
    if (w->memory_served != w->memory_tickets)
        pthread_cond_broadcast(&w->room); /* the next may fit too */
    pthread_mutex_unlock(&w->lock);
    return 0;
}

bool pcri_memory_is_spare(struct pcri_worker *t)
{
    struct pcri_write *w = t->write;
    if (!t->memory)
        return true;
    pthread_mutex_lock(&w->lock);
    bool spare = t->memory <= share(w) && w->memory_served == w->memory_tickets;
    pthread_mutex_unlock(&w->lock);
    return spare;
}

void pcri_memory_give(struct pcri_worker *t)
{
    pthread_mutex_lock(&t->write->lock);
    give(t);
    pthread_mutex_unlock(&t->write->lock);
}
