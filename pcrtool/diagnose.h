/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures a dataset's stages on this machine, and says what limits. */
#ifndef PCRTOOL_DIAGNOSE_H
#define PCRTOOL_DIAGNOSE_H

#include <jansson.h>

#include "input.h"

/* What the user knows; 0 and NULL: not given. */
struct pcrtool_plan {
    uint32_t fidelity; /* that training reads; always given */
    uint32_t threads;
    uint32_t size_px;
    uint64_t consumer;      /* images/s */
    uint64_t storage;       /* bytes/s, instead of the measured rate */
    const char *stats_path; /* a loader's stats as JSON: the consumer's rate */
    double seconds;         /* for each measurement */
};

/* Prints a table and advice, or sets members of `object` unless that is NULL. Returns an exit
 * code. */
int pcrtool_diagnose(const struct pcrtool_input *in, const char *path,
                     const struct pcrtool_plan *plan, json_t *object);

#endif
