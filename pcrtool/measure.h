/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates of a loader, and of reading alone, on part of a dataset. Functions give 0 or the
 * library's code. */
#ifndef PCRTOOL_MEASURE_H
#define PCRTOOL_MEASURE_H

#include <pcr/loader.h>

#include "part.h"

struct pcrtool_case {
    uint32_t fidelity;
    uint32_t threads;    /* that decode; 0: the library's choice */
    bool readers;        /* threads that only read beside them, as by default */
    uint32_t io_backend; /* enum pcr_io_backend */
    uint32_t size_px;    /* of the output */
    bool cold;           /* nothing is in the page cache when an epoch begins */
    double seconds;      /* to measure for, about */
};

struct pcrtool_rate {
    double seconds, cpu_seconds; /* of the whole process */
    uint64_t sample_count;
    uint32_t threads;
    bool pages_stay; /* cold was asked for, but was not to be had */
};

double pcrtool_rate_images(const struct pcrtool_rate *rate); /* a second */

/* Seconds of a clock that only goes forward. */
double pcrtool_now(void);

/* A loader that makes random crops, as fast as it can: once it runs steadily, or whole
 * epochs where these are shorter than c->seconds. */
int pcrtool_measure_loader(const struct pcrtool_part *part, const struct pcrtool_case *c,
                           struct pcrtool_rate *out, struct pcr_error *err);

/* Slices read by as many threads as a loader of default options would find worth while, and
 * nothing else; where c->cold, each of them once at most. */
int pcrtool_measure_reads(const struct pcrtool_part *part, const struct pcrtool_case *c,
                          struct pcrtool_rate *out, struct pcr_error *err);

#endif
