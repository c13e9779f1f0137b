/* SPDX-License-Identifier: BSD-2-Clause */
/* The last samples that a loader could not make as they were wanted. */
#ifndef PCRI_FAULTS_H
#define PCRI_FAULTS_H

#include <pcr/loader.h>

struct pcri_faults {
    struct pcr_loader_fault *items; /* PCR_LOADER_FAULTS of them; NULL: none can be */
    uint64_t count;                 /* so far; number n is in items[n % PCR_LOADER_FAULTS] */
};

int pcri_faults_init(struct pcri_faults *f, const struct pcr_loader_options *o,
                     struct pcr_error *err);
void pcri_faults_free(struct pcri_faults *f);
void pcri_faults_add(struct pcri_faults *f, const struct pcr_loader_fault *fault);

#endif
