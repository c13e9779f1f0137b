/* SPDX-License-Identifier: BSD-2-Clause */
/* Where training stands, as bytes that another loader understands. */
#ifndef PCRI_SAVED_H
#define PCRI_SAVED_H

#include "order.h"

/* The fields of a state; see pcr_loader_state(). */
struct pcri_saved {
    uint64_t epoch, position, sample_count, seed, dataset_digest, options_digest;
    uint32_t fidelity;
};

/* The beginning of epoch 0 for these options and their order. */
void pcri_saved_init(const struct pcr_loader_options *o, const struct pcri_order *order,
                     struct pcri_saved *out);

/* Writes PCR_LOADER_STATE_NBYTES bytes. */
void pcri_saved_pack(const struct pcri_saved *s, void *out);

/* Reads a state, and checks that it goes on with the order that `here` is of. */
int pcri_saved_unpack(const void *state, size_t nbytes, const struct pcri_saved *here,
                      struct pcri_saved *out, struct pcr_error *err);

#endif
