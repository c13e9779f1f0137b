/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses what a thread does next, and begins and ends epochs.
 *
 * Batches are handed over in the epoch's order. Threads that only read do all the reading if
 * there are any; the others decode meanwhile. Memory is bounded by two windows of slices, the
 * second within window_nbytes, and by batches_ahead batches. */
#include "decoding.h"
#include "reading.h"
#include "schedule.h"

bool pcri_schedule_pick(struct pcr_loader *l, struct pcri_task *t)
{
    uint32_t span;
    uint64_t room;
    if (l->state != PCRI_LOADER_RUNNING)
        return false;
    if (pcri_pick_plan(l, t))
        return true;
    if (!pcri_reader_count(l))
        return pcri_pick_read(l, true, t) || pcri_pick_decode(l, t) ||
               pcri_pick_read(l, false, t);
    if (pcri_threads_idle(PCRI_THREADS_READERS) && pcri_find_read(l, true, &span, &room))
        pcri_threads_wake_one(PCRI_THREADS_READERS);
    if (pcri_pick_decode(l, t))
        return true;
    /* A thread that is about to sleep is not idle yet; waking changes what it checks before.
     * This thread is going to sleep itself, so nobody else would wake the other. */
    if (pcri_find_read(l, true, &span, &room))
        pcri_threads_wake_one(PCRI_THREADS_READERS);
    return false;
}

bool pcri_schedule_pick_read(struct pcr_loader *l, struct pcri_task *t)
{
    return l->state == PCRI_LOADER_RUNNING &&
           (pcri_pick_plan(l, t) || pcri_pick_read(l, true, t));
}

uint64_t *pcri_schedule_wait_reason(struct pcr_loader *l)
{
    if (l->state != PCRI_LOADER_RUNNING || !pcri_current_window(l))
        return NULL;
    uint64_t number = l->next_sample / l->options.batch_size;
    return number < l->next_batch + l->options.memory.batches_ahead ? &l->stats.bytes_wait_ns
                                                                    : &l->stats.room_wait_ns;
}

/* --- epochs --- */

void pcri_schedule_start(struct pcr_loader *l, uint64_t epoch, uint64_t position)
{
    const struct pcr_loader_options *o = &l->options;
    const struct pcri_order order = pcri_order_of(l);
    if (l->next.work) {
        l->plan = l->next.plan;
        l->works = l->next.work;
        l->works->ahead = false;
        l->stats.ahead_nbytes -= l->next.read_nbytes;
        l->stats.read_nbytes += l->next.read_nbytes;
        l->next.work = NULL;
    } else {
        l->plan = (struct pcri_order_plan) { .epoch = epoch };
        pcri_order_seek(&order, &l->plan, position);
    }
    pcri_shard_init(o, position, l->catalog->entry_count, &l->shard);
    l->first_batch = position / (o->batch_size * l->shard.parts[0].lanes);
    l->next_sample = l->next_batch = l->delivered = l->room_needed = 0;
    l->opening = true;
    l->state = PCRI_LOADER_RUNNING;
}

void pcri_schedule_clear(struct pcr_loader *l, bool all)
{
    if (l->next.work && all) {
        pcri_window_work_free(l, l->next.work);
        l->next.work = NULL;
    }
    while (l->works) {
        struct pcri_window_work *w = l->works;
        l->works = w->next;
        pcri_window_work_free(l, w);
    }
    for (uint32_t i = 0; i < l->options.memory.batches_ahead; i++) {
        struct pcri_batch *b = l->ring[i];
        for (uint32_t k = 0; b && b->done_count < b->part_count && k < b->part_count; k++)
            pcri_slice_let_go(l, b->parts[k].held);
        if (b)
            pcri_batch_release(b);
        l->ring[i] = NULL;
    }
}
