/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that start, and what fork() calls, where memory may be short. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"

/* Whether there is memory for a thread's stack. */
static bool has_stack(void)
{
    pthread_attr_t attr;
    size_t nbytes = 8 << 20;
    if (pthread_attr_init(&attr))
        return false;
    (void) pthread_attr_getstacksize(&attr, &nbytes);
    (void) pthread_attr_destroy(&attr);
    void *p = mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    (void) munmap(p, nbytes);
    return true;
}

int pcri_thread_start(pthread_t *out, void *(*run)(void *), void *context,
                      struct pcr_error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    int e = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (e)
        return pcri_fail_sys(err, e, "cannot block signals");
    e = pthread_create(out, NULL, run, context);
    for (uint32_t i = 0; e == EAGAIN && i < PCRI_TRIES_AGAIN && pcri_wait_to_retry(i); i++)
        e = pthread_create(out, NULL, run, context);
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL); /* which was valid */
    if (e == EAGAIN && !has_stack())
        e = ENOMEM;
    return e ? pcri_fail_sys(err, e, "cannot start a thread") : 0;
}

enum { DONE = -1 };

int pcri_at_fork(atomic_int *state, void (*prepare)(void), void (*in_parent)(void),
                 void (*in_child)(void), struct pcr_error *err)
{
    int self = (int) getpid(), seen = atomic_load(state);
    /* Another thread may be at it; if it forks meanwhile, nobody is in the child. */
    while (seen != DONE &&
           (seen == self || !atomic_compare_exchange_weak(state, &seen, self))) {
        (void) sched_yield();
        seen = atomic_load(state);
    }
    if (seen == DONE)
        return 0;
    int e = pthread_atfork(prepare, in_parent, in_child);
    atomic_store(state, e ? 0 : DONE);
    return e ? pcri_fail_sys(err, e, "cannot prepare for fork()") : 0;
}
