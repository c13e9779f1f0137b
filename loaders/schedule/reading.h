/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses the slice to read next. Call everything here with the mutex held. */
#ifndef PCRI_READING_H
#define PCRI_READING_H

#include "windows.h"

/* The window with the next wanted span, and the bytes that there is room for. paced: do not
 * read ahead of the decoding of the window before. NULL: none. */
struct pcri_window_work *pcri_find_read(struct pcr_loader *l, bool paced, uint32_t *span_out,
                                        uint64_t *room_out);
/* Takes that span. */
bool pcri_pick_read(struct pcr_loader *l, bool paced, struct pcri_task *t);
/* Ends a READ task: t->held holds the slice unless rc is a failure. */
void pcri_schedule_read_done(struct pcr_loader *l, struct pcri_task *t, int rc);
/* Counts the bytes of a READ task for its epoch. */
void pcri_schedule_count(struct pcr_loader *l, const struct pcri_task *t, uint64_t nbytes);
/* Marks as wanted again all spans of the window that were read at fidelities other than those
 * they need now. */
void pcri_read_again(struct pcr_loader *l, struct pcri_window_work *w);

#endif
