/* SPDX-License-Identifier: BSD-2-Clause */
/* What a thread does for a loader at a time. */
#ifndef PCRI_TASK_H
#define PCRI_TASK_H

#include "../order/replacement.h"
#include "state.h"

enum pcri_task_kind {
    PCRI_TASK_PLAN = 1,
    PCRI_TASK_READ,
    PCRI_TASK_DECODE,
    PCRI_TASK_JOIN, /* RAW: all samples of a batch, whose parts are what else were DECODEs */
};

struct pcri_task {
    enum pcri_task_kind kind;
    uint32_t fidelity;             /* DECODE */
    struct pcri_held_slice *held;  /* DECODE: where from, or NULL; READ: where to */
    struct pcri_window_work *work; /* READ; PLAN: the window, once it is planned */
    bool ahead;                    /* PLAN: of the next epoch */
    uint32_t span;                 /* READ */
    struct pcri_batch *batch;      /* DECODE, JOIN */
    uint32_t slot;                 /* DECODE */
    uint32_t dataset;              /* DECODE */
    uint64_t index, identity;      /* DECODE: in the dataset, among all */
    uint64_t position;             /* DECODE: in the epoch's order */
    struct pcri_seat seat;         /* DECODE: the same */
    bool plain;                    /* DECODE */
    bool fills;                    /* DECODE: it only fills its batch */
    uint32_t place;                /* DECODE: in the slice */
    uint64_t epoch;
};

#endif
