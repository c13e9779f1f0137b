/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows in work, and what to make of each of their samples. */
#ifndef PCRI_WINDOWS_H
#define PCRI_WINDOWS_H

#include "task.h"

static inline struct pcri_order pcri_order_of(const struct pcr_loader *l)
{
    return (struct pcri_order) { l->catalog, l->contents };
}

/* Threads that only read for the loader. */
static inline uint32_t pcri_reader_count(const struct pcr_loader *l)
{
    return l->clients[PCRI_THREADS_READERS].limit;
}

/* Call everything here with the mutex held, unless it says otherwise. */

/* Stops the loader with an error. */
void pcri_schedule_fail(struct pcr_loader *l, const struct pcr_error *err);

/* Drops a hold on a slice; the last one moves it to the garbage list. Accepts NULL. */
void pcri_slice_let_go(struct pcr_loader *l, struct pcri_held_slice *h);
/* Frees a garbage list; the mutex need not be held. */
void pcri_slices_free(struct pcri_held_slice *garbage);

void pcri_window_work_free(struct pcr_loader *l, struct pcri_window_work *w);
/* The window that holds the next sample; NULL if none is left. */
struct pcri_window_work *pcri_current_window(const struct pcr_loader *l);

/* Whether another window should be planned. */
bool pcri_pick_plan(struct pcr_loader *l, struct pcri_task *t);
/* Plans the next window without the mutex; sets t->work. NOMEM. */
int pcri_schedule_plan(struct pcr_loader *l, struct pcri_task *t, struct pcr_error *err);
/* Ends a PLAN task. */
void pcri_schedule_plan_done(struct pcr_loader *l, struct pcri_task *t, int rc,
                             const struct pcr_error *err);

/* A sample's number among all datasets, made different for each of its copies. */
uint64_t pcri_identity_of(const struct pcr_loader *l, const struct pcri_span *span,
                          uint64_t number);
/* Whether a held slice has less of the sample at this place in it than is wished for now. A
 * slice that was read by another quality may have enough; then it is read once too often. */
bool pcri_slice_is_short(const struct pcri_held_slice *h, uint32_t place, uint32_t wish);
/* The fidelity or quality at which to make a sample of a dataset; and of a window's sample with
 * this place in its record. */
uint32_t pcri_wish_by_plan(const struct pcr_loader *l, const struct pcri_changes *changes,
                           uint32_t dataset, const struct pcri_fidelity_case *c);
uint32_t pcri_wish_of(const struct pcr_loader *l, const struct pcri_window_work *w,
                      const struct pcri_pick *pick, uint32_t place);

#endif
