/* SPDX-License-Identifier: BSD-2-Clause */
/* A task: what a thread does for a loader at a time. */
#ifndef PCRI_TASK_H
#define PCRI_TASK_H

#include "../order/replacement.h"
#include "state.h"

enum pcri_task_kind {
    PCRI_TASK_PLAN = 1,
    PCRI_TASK_READ,
    PCRI_TASK_DECODE,
    PCRI_TASK_JOIN, /* RAW: all samples of a batch; its parts are what DECODE tasks are
                     * otherwise */
};

/* A pick says only where a sample is, and is small, for a window has one for each of its
 * samples. The task says what to make of it, in the terms of whoever makes it. */
struct pcri_task {
    enum pcri_task_kind kind;
    struct pcri_request request;   /* DECODE; its destination is not yet set */
    struct pcri_held_slice *held;  /* DECODE: the source, or NULL; READ: the destination */
    struct pcri_window_work *work; /* READ; PLAN: the window, when it is planned */
    bool ahead;                    /* PLAN: of the next epoch */
    uint32_t span;                 /* READ */
    struct pcri_batch *batch;      /* DECODE, JOIN */
    uint32_t slot;                 /* DECODE */
    uint64_t position;             /* DECODE: in the epoch's order */
    struct pcri_seat seat;         /* DECODE: the same place, as a seat */
    bool fills;                    /* DECODE: it only fills its batch */
};

#endif
