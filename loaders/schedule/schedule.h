/* SPDX-License-Identifier: BSD-2-Clause */
/* What there is to do in an epoch, and the threads that do it. */
#ifndef PCRI_SCHEDULE_H
#define PCRI_SCHEDULE_H

#include "task.h"

/* All with the mutex held. */

/* Begins an epoch at a position; the last one's remains must be cleared. What was read of it
 * ahead is used. */
void pcri_schedule_start(struct pcr_loader *l, uint64_t epoch, uint64_t position);
/* Finds something to do for a thread that decodes, or for one that only reads; false if there is
 * nothing now. */
bool pcri_schedule_pick(struct pcr_loader *l, struct pcri_task *t);
bool pcri_schedule_pick_read(struct pcr_loader *l, struct pcri_task *t);
/* After pick has found nothing: the counter of the time until there is something; NULL if none
 * but idle_ns. */
uint64_t *pcri_schedule_wait_reason(struct pcr_loader *l);
/* Drops all windows and batches in work; no thread may be in a task. `all`: what was read of the
 * next epoch too. */
void pcri_schedule_clear(struct pcr_loader *l, bool all);
/* --- work.c --- */

/* What threads of the pools do for a loader (struct pcri_thread_client). */
enum pcri_turn_end pcri_work_make(void *owner, struct pcri_maker *m,
                                  const struct pcri_turn *turn);
enum pcri_turn_end pcri_work_read(void *owner, struct pcri_maker *m,
                                  const struct pcri_turn *turn);
/* Books the time of threads that have had nothing to do since the last call; the mutex held. */
void pcri_work_count_idle(struct pcr_loader *l);

#endif
