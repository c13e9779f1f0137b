/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of the process, which work for all of its loaders in turn. There are no more of
 * them than one loader wants, however many loaders there are. */
#ifndef PCRI_THREAD_POOL_H
#define PCRI_THREAD_POOL_H

#include "../transform/sample.h"

enum pcri_thread_kind {
    PCRI_THREADS_MAKERS,  /* threads that decode; as many as the member with the largest limit
                           * may have */
    PCRI_THREADS_READERS, /* threads that only read; as many as all members together may have,
                           * since one's storage may keep its threads waiting */
    PCRI_THREADS_KINDS,
};

/* A thread's turn at a member. */
struct pcri_turn {
    enum pcri_thread_kind kind;
    uint64_t until_ns;
};
/* Whether the turn must end, since others may be waiting. */
bool pcri_turn_over(const struct pcri_turn *t);

enum pcri_turn_end {
    PCRI_TURN_NOTHING, /* there was nothing to do */
    PCRI_TURN_DONE,    /* there is nothing more to do */
    PCRI_TURN_OVER,    /* there may be more */
};

/* A member: one that has work for threads. */
struct pcri_thread_client {
    /* Works until there is nothing to do, the turn is over, or the member wants to leave. `m`
     * is the thread's scratch memory. */
    enum pcri_turn_end (*serve)(void *owner, struct pcri_maker *m,
                                const struct pcri_turn *turn);
    void *owner;
    uint32_t limit;  /* threads that may work for it at a time; not 0 */
    uint32_t active; /* the pool's: threads that do */
    bool leaving;    /* the pool's */
};

/* Adds a member and starts missing threads. The member must not move until it has left. NOMEM,
 * IO: no thread can be started; it is then not a member. */
int pcri_threads_join(enum pcri_thread_kind kind, struct pcri_thread_client *m,
                      struct pcr_error *err);
/* Waits until no thread works for the member, and removes it. The threads end when the last
 * one leaves. */
void pcri_threads_leave(enum pcri_thread_kind kind, struct pcri_thread_client *m);
/* Changes how many threads may work for a member; not 0. Fails like pcri_threads_join(), and
 * then changes nothing. */
int pcri_threads_limit(enum pcri_thread_kind kind, struct pcri_thread_client *m,
                       uint32_t limit, struct pcr_error *err);

/* Says that there may be something to do: wakes all idle threads, or one. */
void pcri_threads_wake(enum pcri_thread_kind kind);
void pcri_threads_wake_one(enum pcri_thread_kind kind);
/* The same for threads of all kinds. */
void pcri_threads_wake_all(void);
/* Whether a thread has nothing to do, at the time of asking. */
bool pcri_threads_idle(enum pcri_thread_kind kind);

#endif
