/* SPDX-License-Identifier: BSD-2-Clause */
/* How many threads read: as many as help, found by trying. */
#ifndef PCRI_TUNE_H
#define PCRI_TUNE_H

#include "../options/options.h"

enum {
    PCRI_TUNE_MOST = 128,            /* threads */
    PCRI_TUNE_PERIOD_NS = 100000000, /* how long a number of threads is measured */
};
#define PCRI_TUNE_PAUSE_NS \
    UINT64_C(10000000000) /* how long to wait after more threads were of
                           * no use */

/* Start from { 0 }. */
struct pcri_tune {
    uint64_t since_ns,
        nbytes; /* when the measurement began, and the bytes read by then; 0: none */
    uint64_t not_before_ns;
    double rate;     /* bytes per second with `before` threads */
    uint32_t before; /* 0: no trial */
};

/* Call it while decoding threads wait for bytes. `reading` of `count` threads are reading now;
 * nbytes have been read in all. Returns how many threads there should be from now on. */
uint32_t pcri_tune(struct pcri_tune *t, uint64_t now_ns, uint64_t nbytes, uint32_t reading,
                   uint32_t count);

#endif
