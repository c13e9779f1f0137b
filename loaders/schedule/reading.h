/* SPDX-License-Identifier: BSD-2-Clause */
/* Which slice is read next. All with the mutex held. */
#ifndef PCRI_READING_H
#define PCRI_READING_H

#include "windows.h"

/* The window with the next span that is wanted, and how many bytes there is room for. paced: not
 * ahead of the decoding of the window before. NULL: none. */
struct pcri_window_work *pcri_find_read(struct pcr_loader *l, bool paced, uint32_t *span_out,
                                        uint64_t *room_out);
/* Takes it. */
bool pcri_pick_read(struct pcr_loader *l, bool paced, struct pcri_task *t);
/* A READ has ended: t->held holds the slice unless rc says that it failed. */
void pcri_schedule_read_done(struct pcr_loader *l, struct pcri_task *t, int rc);
/* Counts what a READ has read, for its epoch. */
void pcri_schedule_count(struct pcr_loader *l, const struct pcri_task *t, uint64_t nbytes);
/* Wants all spans of the window again that were not read at the fidelities they need now. */
void pcri_read_again(struct pcr_loader *l, struct pcri_window_work *w);

#endif
