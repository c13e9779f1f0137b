/* SPDX-License-Identifier: BSD-2-Clause */
/* The work of an epoch, and the threads that do it. */
#ifndef PCRI_SCHEDULE_H
#define PCRI_SCHEDULE_H

#include "task.h"

/* Call everything here with the mutex held. */

/* Begins an epoch at a position. The remains of the last one must have been cleared. Uses what
 * was read ahead of this epoch. */
void pcri_schedule_start(struct pcr_loader *l, uint64_t epoch, uint64_t position);
/* Finds a task for a decoding thread, or for one that only reads; false if there is nothing to
 * do now. */
bool pcri_schedule_pick(struct pcr_loader *l, struct pcri_task *t);
bool pcri_schedule_pick_read(struct pcr_loader *l, struct pcri_task *t);
/* After pcri_schedule_pick() found nothing: the counter for the time until there is something
 * to do; NULL if only idle_ns counts it. */
uint64_t *pcri_schedule_wait_reason(struct pcr_loader *l);
/* Drops all windows and batches in work; no thread may be in a task. `all`: also what was read
 * of the next epoch. */
void pcri_schedule_clear(struct pcr_loader *l, bool all);
/* --- work.c --- */

/* What threads of the pool do for a loader (struct pcri_thread_client). */
enum pcri_turn_end pcri_work_make(void *owner, struct pcri_maker *m,
                                  const struct pcri_turn *turn);
enum pcri_turn_end pcri_work_read(void *owner, struct pcri_maker *m,
                                  const struct pcri_turn *turn);
/* Counts the time of threads that had nothing to do since the last call; the mutex is held. */
void pcri_work_count_idle(struct pcr_loader *l);

#endif
