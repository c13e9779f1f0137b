/* SPDX-License-Identifier: BSD-2-Clause */
/* What there is to do in an epoch: which slice to read next, which sample to decode. */
#ifndef PCRI_SCHEDULE_H
#define PCRI_SCHEDULE_H

#include <pthread.h>
#include <sys/types.h>

#include "crew.h"
#include "deal.h"
#include "faults.h"
#include "order.h"
#include "pixels.h"
#include "ring.h"
#include "rules.h"
#include "sample.h"
#include "shard.h"
#include "stand_in.h"
#include "tune.h"

/* A slice in memory. Held by its window till its last sample is picked, and by each task
 * that decodes from it. */
struct pcri_loaded {
    struct pcr_slice *slice;
    struct pcri_loaded *next; /* garbage list */
    uint64_t nbytes;        /* estimate, counted against window_nbytes */
    uint32_t holds;
    uint8_t fidelities[];   /* of the span's extent: what each is read at, 0: not at all */
};

enum pcri_span_state {
    PCRI_SPAN_WANTED = 0, /* to be read */
    PCRI_SPAN_READING,
    PCRI_SPAN_HELD,
    PCRI_SPAN_SINGLY,     /* each of its samples is read by itself */
};

struct pcri_span_work {
    enum pcri_span_state state;
    uint32_t first, count;  /* its picks in by_span */
    uint32_t left;          /* of these, not yet picked: the last ones */
    struct pcri_loaded *held;
};

/* A window in work. */
struct pcri_work {
    struct pcri_window plan;
    struct pcri_span_work *spans;
    struct pcri_work *next;
    struct pcri_pick *picks; /* the rank's samples, in order */
    uint32_t *by_span;     /* which of the picks each span has, in order */
    uint32_t needed;       /* picks */
    uint32_t picked;       /* of them, decoded or being decoded */
    uint32_t read_count;   /* of them, in spans that are read or being read */
    uint32_t reading;      /* spans being read */
    bool ahead;            /* it is of the next epoch */
    uint32_t next_read;    /* no span before this one is wanted */
};

/* The next epoch, of which the first window is read when this one's are; but no more than an
 * eighth of window_nbytes, since this one is still held. */
struct pcri_next {
    bool wanted;            /* it is likely to come */
    struct pcri_plan plan;  /* behind that window */
    struct pcri_shard shard;
    struct pcri_changes changes;
    struct pcri_work *work; /* that window; NULL: not planned yet */
    uint64_t nbytes;        /* read or being read of it, about */
    uint64_t read_nbytes;   /* of it, by now, of stats.ahead_nbytes */
};

enum pcri_state {
    PCRI_LOADER_IDLE = 0, /* no epoch yet */
    PCRI_LOADER_RUNNING,
    PCRI_LOADER_FAILED,   /* l->error says why */
    PCRI_LOADER_CANCELLED,
};

struct pcr_loader {
    /* Fixed after creation, but for options.rank and .world: of epochs to begin */
    struct pcri_store *stores;
    uint32_t store_count, group_count; /* the most groups that one of them has */
    struct pcr_loader_options options; /* its pointers are not to be used */
    struct pcr_loader_options plain;   /* of samples that are not augmented */
    struct pcri_rules rules;
    struct pcri_catalog *catalog;
    struct pcri_pixels pixels;
    struct pcri_pool *pool;
    struct pcri_member members[PCRI_CREW_KINDS]; /* with a limit of 0: none. Limits change under
                                                  * both mutexes */
    uint32_t joined; /* of them; the threads of the crews work for the loader */
    uint64_t created_ns;
    pid_t process; /* that made it */

    /* All below under the mutex. The pool and the crews have their own, taken after this. */
    pthread_mutex_t mutex;
    pthread_cond_t ready; /* to the consumer: the next batch may be complete */
    pthread_cond_t quiet; /* to start_epoch: no thread is in a task */
    bool stop;
    atomic_bool hurry;    /* threads shall not wait for storage any more; not under the mutex */
    enum pcri_state state;
    uint32_t busy;        /* threads in a task */
    struct pcri_deck *deck; /* the epoch's; changes only while no thread is in a task */
    struct pcri_changes changes;
    bool begun;           /* an epoch has */
    bool asks_environment; /* for rank and world, when the first epoch begins */
    bool tunes;           /* the number of threads that only read changes */
    struct pcri_tune tune;
    uint32_t working;     /* threads that decode and are here now */
    uint64_t idle_since_ns; /* for how long the others' time is not yet booked */
    uint64_t *wait_reason; /* where that counts besides idle_ns; NULL: nowhere */
    bool opening;         /* only the first batch's samples are to be read */
    uint64_t room_needed; /* by the span that there was no room for; 0: none */
    struct pcri_shard shard; /* what is to be delivered since the epoch began or went on */
    uint64_t first_batch;    /* number of the shard's first */
    /* Counts of the shard's: sample to decode next, batch to hand over next, batches that
     * the consumer has had, or that were left out. */
    uint64_t next_sample, next_batch, delivered;
    bool planning;        /* a thread has a PLAN: `plan` or next.plan, but for its epoch, is its
                           * own */
    struct pcri_plan plan;
    struct pcri_work *works;  /* windows not yet done, in order */
    struct pcri_next next;
    uint64_t held_nbytes;
    struct pcri_faults faults;
    struct pcri_loaded *garbage; /* to be freed outside the mutex */
    struct pcri_batch **ring; /* batches_ahead places: batch b is in b % batches_ahead */
    struct pcr_error error;
    struct pcr_loader_stats stats; /* what stats.c does not find elsewhere */
};

enum pcri_task_kind {
    PCRI_TASK_PLAN = 1,
    PCRI_TASK_READ,
    PCRI_TASK_DECODE,
    PCRI_TASK_JOIN, /* RAW: all samples of a batch, whose parts are what else were DECODEs */
};

struct pcri_task {
    enum pcri_task_kind kind;
    uint32_t fidelity;          /* DECODE */
    struct pcri_loaded *held;   /* DECODE: where from, or NULL; READ: where to */
    struct pcri_work *work;   /* READ; PLAN: the window, once it is planned */
    bool ahead;               /* PLAN: of the next epoch */
    uint32_t span;            /* READ */
    struct pcri_batch *batch; /* DECODE, JOIN */
    uint32_t slot;            /* DECODE */
    uint32_t dataset;         /* DECODE */
    uint64_t index, identity; /* DECODE: in the dataset, among all */
    uint64_t position;        /* DECODE: in the epoch's order */
    struct pcri_seat seat;    /* DECODE: the same */
    bool plain;               /* DECODE */
    bool fills;               /* DECODE: it only fills its batch */
    uint32_t place;           /* DECODE: in the slice */
    uint64_t epoch;
};

/* INVAL without a loader, and in a process that forked off the one that made it. */
int pcri_loader_check(const struct pcr_loader *l, struct pcr_error *err);

/* All with the mutex held. */

/* Begins an epoch at a position; the last one's remains must be cleared. What was read of it
 * ahead is used. */
void pcri_schedule_start(struct pcr_loader *l, uint64_t epoch, uint64_t position);
/* Finds something to do for a thread that decodes, or for one that only reads; false if there is
 * nothing now. */
bool pcri_schedule_pick(struct pcr_loader *l, struct pcri_task *t);
bool pcri_schedule_pick_read(struct pcr_loader *l, struct pcri_task *t);
/* Tells all threads that there may be something to do. */
void pcri_schedule_wake(void);
/* After pick has found nothing: the counter of the time till there is something; NULL if none
 * but idle_ns. */
uint64_t *pcri_schedule_wait_reason(struct pcr_loader *l);
/* Plans the next window, the mutex not held; sets t->work. NOMEM. */
int pcri_schedule_plan(struct pcr_loader *l, struct pcri_task *t, struct pcr_error *err);
/* A PLAN has ended. */
void pcri_schedule_plan_done(struct pcr_loader *l, struct pcri_task *t, int rc,
                             const struct pcr_error *err);
/* A READ has ended: t->held holds the slice unless rc says that it failed. */
void pcri_schedule_read_done(struct pcr_loader *l, struct pcri_task *t, int rc);
/* Has another sample take the place of a DECODE's bad one: entry `entry` of the span. False if
 * nobody waits for it any more. */
bool pcri_schedule_stand_in(const struct pcr_loader *l, const struct pcri_span *span,
                            uint32_t entry, struct pcri_task *t);
/* A DECODE has ended: *made is filled in where rc is 0, *err elsewhere. */
void pcri_schedule_decode_done(struct pcr_loader *l, struct pcri_task *t,
                               const struct pcri_made *made, int rc,
                               const struct pcr_error *err);
/* Counts what a READ has read, for its epoch. */
void pcri_schedule_count(struct pcr_loader *l, const struct pcri_task *t, uint64_t nbytes);
/* Drops all windows and batches in work; no thread may be in a task. `all`: what was read of the
 * next epoch too. */
void pcri_schedule_clear(struct pcr_loader *l, bool all);
/* Frees a garbage list; the mutex need not be held. */
void pcri_schedule_collect(struct pcri_loaded *garbage);

/* --- work.c --- */

/* What threads of the crews do for a loader (struct pcri_member). */
enum pcri_turn_end pcri_work_make(void *owner, struct pcri_maker *m,
                                  const struct pcri_turn *turn);
enum pcri_turn_end pcri_work_read(void *owner, struct pcri_maker *m,
                                  const struct pcri_turn *turn);
/* Books the time of threads that have had nothing to do since the last call; the mutex held. */
void pcri_work_count_idle(struct pcr_loader *l);

#endif
