/* SPDX-License-Identifier: BSD-2-Clause */
/* Where training stands, as bytes that another loader can read. */
#ifndef PCRI_SAVED_H
#define PCRI_SAVED_H

#include "catalog.h"
#include "fidelity.h"

enum { PCRI_SAVED_VERSION = 1 };

/* The fields of a state; see pcr_loader_state(). */
struct pcri_saved {
    uint64_t epoch, position, sample_count, seed, dataset_digest, options_digest;
    struct pcri_changes changes;
};

/* Sets the state at the beginning of epoch 0 of a catalog. */
void pcri_saved_init(const struct pcri_catalog *c, struct pcri_saved *out);

/* Writes PCR_LOADER_STATE_NBYTES bytes. */
void pcri_saved_pack(const struct pcri_saved *s, void *out);

/* The same as JSON, and back, unchecked. A buffer's contents are replaced, with a NUL after
 * them. FORMAT, UNSUPPORTED, NOMEM. */
int pcri_saved_render(const struct pcri_saved *s, struct pcr_buffer *out,
                      struct pcr_error *err);
int pcri_saved_parse(const void *text, size_t nbytes, struct pcri_saved *out,
                     struct pcr_error *err);

/* Reads a state, as bytes or JSON, and checks that it belongs to the order that `here`
 * describes, with fidelities up to group_count. */
int pcri_saved_unpack(const void *state, size_t nbytes, const struct pcri_saved *here,
                      uint32_t group_count, struct pcri_saved *out, struct pcr_error *err);

#endif
