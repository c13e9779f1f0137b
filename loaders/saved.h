/* SPDX-License-Identifier: BSD-2-Clause */
/* Where training stands, as bytes that another loader understands. */
#ifndef PCRI_SAVED_H
#define PCRI_SAVED_H

#include "catalog.h"
#include "rules.h"

/* The fields of a state; see pcr_loader_state(). */
struct pcri_saved {
    uint64_t epoch, position, sample_count, seed, dataset_digest, options_digest;
    struct pcri_changes changes;
};

/* The beginning of epoch 0 for a catalog. */
void pcri_saved_init(const struct pcri_catalog *c, struct pcri_saved *out);

/* Writes PCR_LOADER_STATE_NBYTES bytes. */
void pcri_saved_pack(const struct pcri_saved *s, void *out);

/* Reads a state, and checks that it goes on with the order that `here` is of, with fidelities
 * up to group_count. */
int pcri_saved_unpack(const void *state, size_t nbytes, const struct pcri_saved *here,
                      uint32_t group_count, struct pcri_saved *out, struct pcr_error *err);

#endif
