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

/* A slice in memory. Its window holds it until its last sample is picked, and each task that
 * decodes from it holds it. */
struct pcri_held_slice {
    struct pcr_slice *slice;
    struct pcri_held_slice *next; /* garbage list */
    uint64_t nbytes;              /* estimate, counted against window_nbytes */
    uint32_t holds;
    uint64_t epoch;      /* of its samples */
    uint8_t *fidelities; /* for each sample of the span's extent: the fidelity it is read at;
                          * 0: not read */
    uint32_t wishes[];   /* and what was wished for it */
};

enum pcri_span_state {
    PCRI_SPAN_WANTED = 0, /* to be read */
    PCRI_SPAN_READING,
    PCRI_SPAN_HELD,
    PCRI_SPAN_SINGLY, /* its samples are read one by one */
};

struct pcri_span_work {
    enum pcri_span_state state;
    uint32_t first, count; /* its picks in by_span */
    uint32_t left;         /* how many of these are not yet picked: the last ones */
    struct pcri_held_slice *held;
};

/* A window in work. */
struct pcri_window_work {
    struct pcri_order_window plan;
    struct pcri_span_work *spans;
    struct pcri_window_work *next;
    struct pcri_pick *picks; /* the rank's samples, in order */
    uint32_t *by_span;       /* indices of picks, grouped by span, in order */
    uint32_t needed;         /* picks */
    uint32_t picked;         /* picks decoded or being decoded */
    uint32_t read_count;     /* picks in spans that are read or being read */
    uint32_t reading;        /* spans being read */
    bool ahead;              /* it is of the next epoch */
    uint32_t next_read;      /* no span before this one is wanted */
};

/* The next epoch. Its first window is read after those of this epoch, but no more than an
 * eighth of window_nbytes, since this epoch's last window is still held. */
struct pcri_next {
    bool wanted;                 /* the next epoch is likely to come */
    struct pcri_order_plan plan; /* where planning stands after that window */
    struct pcri_shard shard;
    struct pcri_changes changes;
    struct pcri_window_work *work; /* its first window; NULL: not planned yet */
    uint64_t nbytes;               /* bytes read or being read of it, approximately */
    uint64_t read_nbytes;          /* bytes read of it so far: part of stats.ahead_nbytes */
};

enum pcri_loader_phase {
    PCRI_LOADER_IDLE = 0, /* no epoch yet */
    PCRI_LOADER_RUNNING,
    PCRI_LOADER_FAILED, /* l->error says why */
    PCRI_LOADER_CANCELLED,
};

struct pcr_loader {
    /* Fixed after creation, except for options.shard.rank and .world, which are those of
     * epochs to begin. */
    struct pcri_loader_dataset *datasets;
    uint32_t dataset_count, group_count; /* group_count: the most groups that one of them
                                          * has */
    struct pcr_loader_options options;   /* its pointers must not be used */
    struct pcri_loader_view *views;      /* view_count of them */
    uint32_t view_count;
    struct pcri_fidelity_plan fidelity_plan;
    struct pcri_catalog *catalog;
    struct pcri_normalisation normalisation;
    struct pcri_loader_columns columns;
    struct pcri_batch_pool *pool;
    struct pcri_thread_client clients[PCRI_THREADS_KINDS]; /* with a limit of 0: none. Limits
                                                            * change under both mutexes */
    uint32_t joined; /* how many of them have joined: their threads work for the loader */
    uint64_t created_ns;
    pid_t process; /* that made it */

    /* Everything below is under the mutex. Batches and threads have their own, taken after
     * this one. */
    pthread_mutex_t mutex;
    pthread_cond_t ready; /* signals the consumer: the next batch may be complete */
    pthread_cond_t quiet; /* signals start_epoch: no thread is in a task */
    bool stop;
    atomic_bool hurry; /* threads must stop waiting for storage; not under the mutex */
    enum pcri_loader_phase state;
    uint32_t busy; /* threads in a task */
    struct pcri_contents
        *contents; /* the epoch's; changes only while no thread is in a task */
    struct pcri_changes changes;
    bool begun;            /* an epoch has begun */
    bool asks_environment; /* rank and world are read from the environment when the first epoch
                            * begins */
    bool tunes;            /* the number of reading threads is tuned */
    struct pcri_tune tune;
    uint32_t working;        /* decoding threads at work for this loader now */
    uint64_t idle_since_ns;  /* since when the time of the others is not yet counted */
    uint64_t *wait_reason;   /* the counter for it besides idle_ns; NULL: none */
    bool opening;            /* only samples of the first batch are read for now */
    uint64_t room_needed;    /* bytes of the span that there was no room for; 0: none */
    struct pcri_shard shard; /* what is to be delivered since the epoch began or was resumed */
    uint64_t first_batch;    /* number of the shard's first batch */
    /* Counts within the shard: the sample to decode next, the batch to hand over next, and the
     * batches that the consumer has had or that were left out. */
    uint64_t next_sample, next_batch, delivered;
    bool planning; /* a thread has a PLAN task: `plan` or next.plan belongs to it, except for
                    * its `epoch` */
    struct pcri_order_plan plan;
    struct pcri_window_work *works; /* windows not yet done, in order */
    struct pcri_next next;
    uint64_t held_nbytes;
    struct pcri_bad_samples bad_samples;
    struct pcri_held_slice *garbage; /* to be freed without the mutex */
    struct pcri_batch **ring; /* batches_ahead places: batch b is at b % batches_ahead */
    struct pcr_error error;
    struct pcr_loader_stats stats; /* the counts that stats.c does not find elsewhere */
};

/* INVAL without a loader, and in a child of the process that made it. */
int pcri_loader_check(const struct pcr_loader *l, struct pcr_error *err);

#endif
