/* SPDX-License-Identifier: BSD-2-Clause */
/* The last samples that a loader replaced or degraded. */
#ifndef PCRI_BAD_SAMPLES_H
#define PCRI_BAD_SAMPLES_H

#include <pcr/loader.h>

struct pcri_bad_samples {
    struct pcr_bad_sample *items; /* PCR_LOADER_BAD_SAMPLES of them; NULL: there can be none */
    uint64_t count; /* so far; number n is in items[n % PCR_LOADER_BAD_SAMPLES] */
};

int pcri_bad_samples_init(struct pcri_bad_samples *f, const struct pcr_loader_options *o,
                          struct pcr_error *err);
void pcri_bad_samples_free(struct pcri_bad_samples *f);
void pcri_bad_samples_add(struct pcri_bad_samples *f, const struct pcr_bad_sample *sample);

#endif
