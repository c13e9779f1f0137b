/* SPDX-License-Identifier: BSD-2-Clause */
/* What a loader will deliver, predicted from the rates of its stages, after Kuchnik et al.,
 * "Plumber: Diagnosing and Removing Performance Bottlenecks in Machine Learning Data
 * Pipelines" (MLSys 2022): stages work in parallel, so the slowest one's rate is that of
 * all. */
#ifndef PCRTOOL_MODEL_H
#define PCRTOOL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Images per second; 0: not known, and then not a limit. */
struct pcrtool_stages {
    double decode; /* with all threads */
    double storage;
    double consumer;
};

enum pcrtool_limit {
    PCRTOOL_LIMIT_DECODE,
    PCRTOOL_LIMIT_STORAGE,
    PCRTOOL_LIMIT_CONSUMER, /* there is nothing to gain */
};

/* The least of them; 0 if none is known. *limit_out may be NULL. */
double pcrtool_predict(const struct pcrtool_stages *s, enum pcrtool_limit *limit_out);

/* "decoding", "storage" or "the consumer". */
const char *pcrtool_limit_name(enum pcrtool_limit limit);

/* Facts about a dataset on a machine. Arrays are by fidelity, from 1. */
struct pcrtool_diagnosis {
    uint32_t group_count;
    uint32_t fidelity; /* that training uses */
    uint32_t threads;  /* that decode */
    const struct pcrtool_stages *stages;
    const double *nbytes; /* of an image */
    bool fits;            /* all of `fidelity` stays in memory after the first epoch */
};

/* Says what limits and what to change, in sentences that each end with LF. */
void pcrtool_explain(const struct pcrtool_diagnosis *d, char *out, size_t out_nbytes);

#endif
