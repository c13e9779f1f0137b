/* SPDX-License-Identifier: BSD-2-Clause */
/* Storage with a high latency delivers more if more is requested at once; storage whose
 * bandwidth is used up does not. Doubling the number of threads shows which it is: if they
 * read a sixth more, they stay, else they go. */
#include "tune.h"

static void begin(struct pcri_tune *t, uint64_t now_ns, uint64_t nbytes)
{
    t->since_ns = now_ns;
    t->nbytes = nbytes;
}

uint32_t pcri_tune(struct pcri_tune *t, uint64_t now_ns, uint64_t nbytes, uint32_t reading,
                   uint32_t count)
{
    if (now_ns < t->not_before_ns)
        return count;
    if (!t->since_ns)
        begin(t, now_ns, nbytes);
    uint64_t spent = now_ns - t->since_ns;
    if (spent < PCRI_TUNE_PERIOD_NS)
        return count;
    double rate = (double) (nbytes - t->nbytes) / (double) spent;
    /* A long time without a call: nothing was waited for, so the rate says nothing. */
    bool known = spent < 4 * (uint64_t) PCRI_TUNE_PERIOD_NS;
    begin(t, now_ns, nbytes);
    if (t->before && known && rate * 6 < t->rate * 7) {
        count = t->before;
        t->before = 0;
        t->since_ns = 0;
        t->not_before_ns = now_ns + PCRI_TUNE_PAUSE_NS;
        return count;
    }
    t->before = 0;
    if (!known || reading < count || count >= PCRI_TUNE_MOST)
        return count;
    t->before = count;
    t->rate = rate;
    return count * 2 < PCRI_TUNE_MOST ? count * 2 : PCRI_TUNE_MOST;
}
