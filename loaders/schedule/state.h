/* SPDX-License-Identifier: BSD-2-Clause */
/* A loader, and the windows that it works on. */
#ifndef PCRI_LOADER_STATE_H
#define PCRI_LOADER_STATE_H

#include <pthread.h>
#include <sys/types.h>

#include "thread_pool.h"
#include "../order/assignment.h"
#include "../deliver/bad_samples.h"
#include "../order/order.h"
#include "../transform/normalisation.h"
#include "../deliver/batch.h"
#include "../order/fidelity.h"
#include "../transform/sample.h"
#include "../order/shard.h"
#include "tune.h"

/* A slice in memory. Held by its window until its last sample is picked, and by each task
 * that decodes from it. */
struct pcri_held_slice {
    struct pcr_slice *slice;
    struct pcri_held_slice *next; /* garbage list */
    uint64_t nbytes;              /* estimate, counted against window_nbytes */
    uint32_t holds;
    uint8_t fidelities[]; /* of the span's extent: what each is read at, 0: not at all */
};

enum pcri_span_state {
    PCRI_SPAN_WANTED = 0, /* to be read */
    PCRI_SPAN_READING,
    PCRI_SPAN_HELD,
    PCRI_SPAN_SINGLY, /* each of its samples is read by itself */
};

struct pcri_span_work {
    enum pcri_span_state state;
    uint32_t first, count; /* its picks in by_span */
    uint32_t left;         /* of these, not yet picked: the last ones */
    struct pcri_held_slice *held;
};

/* A window in work. */
struct pcri_window_work {
    struct pcri_order_window plan;
    struct pcri_span_work *spans;
    struct pcri_window_work *next;
    struct pcri_pick *picks; /* the rank's samples, in order */
    uint32_t *by_span;       /* which of the picks each span has, in order */
    uint32_t needed;         /* picks */
    uint32_t picked;         /* of them, decoded or being decoded */
    uint32_t read_count;     /* of them, in spans that are read or being read */
    uint32_t reading;        /* spans being read */
    bool ahead;              /* it is of the next epoch */
    uint32_t next_read;      /* no span before this one is wanted */
};

/* The next epoch, of which the first window is read when this one's are; but no more than an
 * eighth of window_nbytes, since this one is still held. */
struct pcri_next {
    bool wanted;                 /* it is likely to come */
    struct pcri_order_plan plan; /* after that window */
    struct pcri_shard shard;
    struct pcri_changes changes;
    struct pcri_window_work *work; /* that window; NULL: not planned yet */
    uint64_t nbytes;               /* read or being read of it, about */
    uint64_t read_nbytes;          /* of it, by now, of stats.ahead_nbytes */
};

enum pcri_loader_phase {
    PCRI_LOADER_IDLE = 0, /* no epoch yet */
    PCRI_LOADER_RUNNING,
    PCRI_LOADER_FAILED, /* l->error says why */
    PCRI_LOADER_CANCELLED,
};

struct pcr_loader {
    /* Fixed after creation, but for options.rank and .world: of epochs to begin */
    struct pcri_loader_dataset *datasets;
    uint32_t dataset_count, group_count; /* the most groups that one of them has */
    struct pcr_loader_options options;   /* its pointers are not to be used */
    struct pcr_loader_options plain;     /* of samples that are not augmented */
    struct pcri_fidelity_plan fidelity_plan;
    struct pcri_catalog *catalog;
    struct pcri_normalisation normalisation;
    struct pcri_batch_pool *pool;
    struct pcri_thread_client clients[PCRI_THREADS_KINDS]; /* with a limit of 0: none. Limits
                                                            * change under both mutexes */
    uint32_t joined; /* of them; their threads work for the loader */
    uint64_t created_ns;
    pid_t process; /* that made it */

    /* All below under the mutex. Batches and threads have their own, taken after this. */
    pthread_mutex_t mutex;
    pthread_cond_t ready; /* to the consumer: the next batch may be complete */
    pthread_cond_t quiet; /* to start_epoch: no thread is in a task */
    bool stop;
    atomic_bool hurry; /* threads shall not wait for storage any more; not under the mutex */
    enum pcri_loader_phase state;
    uint32_t busy; /* threads in a task */
    struct pcri_contents
        *contents; /* the epoch's; changes only while no thread is in a task */
    struct pcri_changes changes;
    bool begun;            /* an epoch has */
    bool asks_environment; /* for rank and world, when the first epoch begins */
    bool tunes;            /* the number of threads that only read changes */
    struct pcri_tune tune;
    uint32_t working;        /* threads that decode and are here now */
    uint64_t idle_since_ns;  /* for how long the others' time is not yet booked */
    uint64_t *wait_reason;   /* where that counts besides idle_ns; NULL: nowhere */
    bool opening;            /* only the first batch's samples are to be read */
    uint64_t room_needed;    /* by the span that there was no room for; 0: none */
    struct pcri_shard shard; /* what is to be delivered since the epoch began or went on */
    uint64_t first_batch;    /* number of the shard's first */
    /* Counts of the shard's: sample to decode next, batch to hand over next, batches that
     * the consumer has had, or that were left out. */
    uint64_t next_sample, next_batch, delivered;
    bool planning; /* a thread has a PLAN: `plan` or next.plan, but for its epoch, is its
                           * own */
    struct pcri_order_plan plan;
    struct pcri_window_work *works; /* windows not yet done, in order */
    struct pcri_next next;
    uint64_t held_nbytes;
    struct pcri_bad_samples bad_samples;
    struct pcri_held_slice *garbage; /* to be freed outside the mutex */
    struct pcri_batch **ring; /* batches_ahead places: batch b is in b % batches_ahead */
    struct pcr_error error;
    struct pcr_loader_stats stats; /* what stats.c does not find elsewhere */
};

/* INVAL without a loader, and in a process that forked off the one that made it. */
int pcri_loader_check(const struct pcr_loader *l, struct pcr_error *err);

#endif
