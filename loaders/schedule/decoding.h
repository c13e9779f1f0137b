/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sample is decoded next. All with the mutex held. */
#ifndef PCRI_DECODING_H
#define PCRI_DECODING_H

#include "windows.h"

/* The next sample, or batch of files; false if there is nothing now. */
bool pcri_pick_decode(struct pcr_loader *l, struct pcri_task *t);
/* Has another sample take the place of a DECODE's bad one: entry `entry` of the span. False if
 * nobody waits for it any more. *request, the bad one's at first, becomes the other's. */
bool pcri_schedule_replace(const struct pcr_loader *l, const struct pcri_span *span,
                           uint32_t entry, const struct pcri_task *t,
                           struct pcri_request *request);
/* A DECODE has ended: *made is filled in where rc is 0, *err elsewhere. */
void pcri_schedule_decode_done(struct pcr_loader *l, struct pcri_task *t,
                               const struct pcri_made *made, int rc,
                               const struct pcr_error *err);

#endif
