/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates of a loader, and of reading without decoding, for part of a dataset. Functions return
 * 0 or the library's code. */
#ifndef PCRTOOL_MEASURE_H
#define PCRTOOL_MEASURE_H

#include <pcr/loader.h>

#include "part.h"

struct pcrtool_case {
    uint32_t fidelity;   /* 0: by quality */
    double quality;      /* if fidelity is 0 */
    uint32_t transform;  /* enum pcr_transform */
    uint32_t threads;    /* that decode; 0: the library's choice */
    bool readers;        /* with threads that only read, as by default */
    uint32_t io_backend; /* enum pcr_io_backend */
    uint32_t size_px;    /* of the output */
    bool cold;           /* nothing is in the page cache when an epoch begins */
    double seconds;      /* duration of the measurement, approximately */
};

struct pcrtool_rate {
    double seconds, cpu_seconds; /* of the whole process */
    uint64_t sample_count;
    uint32_t threads;
    bool pages_stay; /* cold was requested, but pages stayed in memory */
};

double pcrtool_rate_images(const struct pcrtool_rate *rate); /* per second */

/* Seconds of a monotonic clock. */
double pcrtool_now(void);

/* Measures a loader that makes crops as fast as it can: while it runs steadily, or for
 * whole epochs if these are shorter than c->seconds. */
int pcrtool_measure_loader(const struct pcrtool_part *part, const struct pcrtool_case *c,
                           struct pcrtool_rate *out, struct pcr_error *err);

/* Measures reading of slices by as many threads as a loader with default options would use,
 * without decoding; if c->cold, each slice at most once. */
int pcrtool_measure_reads(const struct pcrtool_part *part, const struct pcrtool_case *c,
                          struct pcrtool_rate *out, struct pcr_error *err);

#endif
