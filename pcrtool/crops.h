/* SPDX-License-Identifier: BSD-2-Clause */
/* What training sees of some samples, and what it costs: the crops that a loader delivers at each
 * fidelity, compared with those that it makes of whole pictures at full fidelity. */
#ifndef PCRTOOL_CROPS_H
#define PCRTOOL_CROPS_H

#include <pcr/loader.h>

#include "input.h"
#include "ssim.h"

/* Qualities that a loader may be asked for. */
enum { PCRTOOL_TARGETS = 7 };
extern const double pcrtool_targets[PCRTOOL_TARGETS];

/* One sample. Arrays by fidelity begin with an unused entry. */
struct pcrtool_crop {
    uint64_t index; /* in the dataset as opened */
    double scale;   /* source pixels that become one of the output */
    bool bad;       /* it does not decode: nothing else is set */
    uint32_t fidelities[PCRTOOL_TARGETS];
    uint64_t nbytes[PCRTOOL_MAX_FIDELITY + 1];
    double ssim[PCRTOOL_MAX_FIDELITY + 1]; /* of luma */
};

struct pcrtool_crops {
    struct pcrtool_crop *items;
    uint64_t count;     /* of items, without bad ones */
    uint64_t bad_count; /* left out */
    uint32_t group_count;
};

struct pcrtool_crops_plan {
    uint32_t size_px;   /* height and width of the output, at least PCRTOOL_SSIM_SIDE */
    uint32_t transform; /* enum pcr_transform */
    uint32_t threads;   /* that decode; 0: the library's choice */
    uint64_t count;     /* samples, spread evenly over the dataset */
};

/* Measures. Prints its own message; returns an exit code. */
int pcrtool_crops_measure(struct pcrtool_crops *crops, const struct pcrtool_input *in,
                          const struct pcrtool_crops_plan *plan);
void pcrtool_crops_free(struct pcrtool_crops *crops);

#endif
