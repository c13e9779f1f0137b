/* SPDX-License-Identifier: BSD-2-Clause */
/* A queue of AC refinement scans that wait until several can be decoded together. */
#ifndef PCRI_REFINE_QUEUE_H
#define PCRI_REFINE_QUEUE_H

#include "decode_refine.h"
#include "unstuff.h"

enum { PCRI_REFINE_QUEUE_SCANS = 16 };

struct pcri_refine_scan {
    struct pcri_scan_job job;
    struct pcri_entropy entropy;
    uint64_t offset; /* of its SOS in the file, for errors */
    /* While the queue runs: */
    struct pcri_refiner refiner;
    uint32_t after;  /* bit i: it must not overtake scan i of the queue */
    size_t interval; /* its current restart interval */
    bool in_lane, done;
};

/* Zeroed at the start; one thread at a time. Scans keep their memory for the next image. */
struct pcri_refine_queue {
    struct pcri_refine_scan *scans[PCRI_REFINE_QUEUE_SCANS];
    unsigned count;
};

/* The decoder for this CPU. */
const struct pcri_refine_way *pcri_refine_choose(void);

/* The next scan of the queue. The caller fills it in, up to its offset, and adds it by
 * ++q->count. There must be room. NULL: NOMEM. */
struct pcri_refine_scan *pcri_refine_queue_next(struct pcri_refine_queue *q,
                                                struct pcr_error *err);

/* Decodes all scans and empties the queue. Everything that the jobs point to must still be
 * there. The scans that a scan refines must have been decoded, or be before it in the queue.
 * CORRUPT, with the scan's offset. */
int pcri_refine_queue_run(struct pcri_refine_queue *q, struct pcr_error *err);
void pcri_refine_queue_free(struct pcri_refine_queue *q);

#endif
