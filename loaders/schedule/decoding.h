/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses the sample to decode next. Call everything here with the mutex held. */
#ifndef PCRI_DECODING_H
#define PCRI_DECODING_H

#include "windows.h"

/* Takes the next sample, or batch of files; false if there is nothing to do now. */
bool pcri_pick_decode(struct pcr_loader *l, struct pcri_task *t);
/* Replaces the bad sample of a DECODE task by another: entry `entry` of the span. False if
 * nobody waits for it any more. *request describes the bad sample at first, then the other. */
bool pcri_schedule_replace(const struct pcr_loader *l, const struct pcri_span *span,
                           uint32_t entry, const struct pcri_task *t,
                           struct pcri_request *request);
/* Ends a DECODE task: *made is valid if rc is 0, else *err. */
void pcri_schedule_decode_done(struct pcr_loader *l, struct pcri_task *t,
                               const struct pcri_made *made, int rc,
                               const struct pcr_error *err);
/* Whether to mix a batch's pictures, or to put them into place, before its last slot is done. If a
 * slot was left empty, nobody waits for the batch. */
bool pcri_schedule_may_finish(const struct pcr_loader *l, const struct pcri_batch *b);
/* Another slot of the batch is done; the consumer may have a batch whose slots all are. */
void pcri_schedule_slot_done(struct pcr_loader *l, struct pcri_batch *b);

#endif
