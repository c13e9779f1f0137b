/* SPDX-License-Identifier: BSD-2-Clause */
/* How many threads read: as many as it takes, found by trying. */
#ifndef PCRI_TUNE_H
#define PCRI_TUNE_H

#include "../options/options.h"

enum {
    PCRI_TUNE_MOST = 128,            /* threads */
    PCRI_TUNE_PERIOD_NS = 100000000, /* that a number of threads is measured for */
};
#define PCRI_TUNE_PAUSE_NS UINT64_C(10000000000) /* after more threads were of no use */

/* Start from { 0 }. */
struct pcri_tune {
    uint64_t since_ns,
        nbytes; /* when the measurement began, and what had been read; 0: none */
    uint64_t not_before_ns;
    double rate;     /* bytes a second with `before` threads */
    uint32_t before; /* 0: no trial */
};

/* To be called while threads that decode wait for bytes. reading of `count` threads are reading
 * now; nbytes have been read in all. Returns how many threads there are to be from now on. */
uint32_t pcri_tune(struct pcri_tune *t, uint64_t now_ns, uint64_t nbytes, uint32_t reading,
                   uint32_t count);

#endif
