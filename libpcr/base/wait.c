/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits that end early when nobody is interested any more. Whoever loses interest, such as a
 * loader that is destroyed, does not know where its threads are: in a layer of a dataset that
 * others use too, or at a record that another thread opens. So the flag belongs to the thread,
 * and waits check it every few milliseconds. Threads wait here only after errors, so the
 * checks cost nothing that counts. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base.h"

enum { LOOK_MS = 10, FIRST_WAIT_MS = 5, LAST_WAIT_MS = 1000 };

static _Thread_local const atomic_bool *stop_flag;

void pcri_wait_unless(const atomic_bool *stop)
{
    stop_flag = stop;
}

bool pcri_wait_stopped(void)
{
    return stop_flag && atomic_load_explicit(stop_flag, memory_order_relaxed);
}

int pcri_fail_stopped(struct pcr_error *err)
{
    return pcri_fail(err, PCR_ERR_CANCELLED, "stopped while waiting to try again");
}

uint64_t pcri_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

static struct timespec time_of(uint64_t ns)
{
    return (struct timespec) { (time_t) (ns / 1000000000), (long) (ns % 1000000000) };
}

/* May be woken early. */
static void sleep_once(uint64_t ns)
{
    const struct timespec t = time_of(ns);
    (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* The end of a wait until then, or of its next part. */
static uint64_t next_look(uint64_t ns)
{
    uint64_t look = pcri_clock_ns() + LOOK_MS * UINT64_C(1000000);
    return stop_flag && look < ns ? look : ns;
}

bool pcri_sleep_until(uint64_t ns)
{
    while (!pcri_wait_stopped() && pcri_clock_ns() < ns)
        sleep_once(next_look(ns));
    return !pcri_wait_stopped();
}

void pcri_sleep_through(uint64_t ns)
{
    while (pcri_clock_ns() < ns)
        sleep_once(ns);
}

bool pcri_wait_to_retry(uint32_t attempt)
{
    uint64_t ms = FIRST_WAIT_MS;
    for (uint32_t i = 0; i < attempt && ms < LAST_WAIT_MS; i++)
        ms *= 2;
    return pcri_sleep_until(pcri_clock_ns() +
                            (ms < LAST_WAIT_MS ? ms : LAST_WAIT_MS) * 1000000);
}

bool pcri_try_again(uint32_t attempt, uint32_t most, int *rc, struct pcr_error *err)
{
    if (attempt >= most || !pcri_may_pass(*rc, err))
        return false;
    if (pcri_wait_to_retry(attempt))
        return true;
    *rc = pcri_fail_stopped(err);
    return false;
}

/* None of this fails on any supported system. */
void pcri_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

bool pcri_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t ns)
{
    const struct timespec t = time_of(ns);
    return pthread_cond_timedwait(cond, mutex, &t) != ETIMEDOUT;
}

void pcri_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    if (stop_flag)
        (void) pcri_cond_wait_until(cond, mutex, next_look(UINT64_MAX));
    else
        pthread_cond_wait(cond, mutex);
}
