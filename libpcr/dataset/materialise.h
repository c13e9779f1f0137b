/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample's spans and file, made from its chunks by its coding (docs/FORMAT.md 3.4).
 * chunks[k] points to the sample's chunk in group k + 1. These functions verify nothing. */
#ifndef PCRI_MATERIALISE_H
#define PCRI_MATERIALISE_H

#include "../record/record.h"

/* pcri_sample_spans() for samples that this version can decode. Codes: UNSUPPORTED, NOMEM. */
int pcri_known_spans(const struct pcri_head *head, uint32_t i, uint32_t after, uint32_t g,
                     const uint8_t *const chunks[], struct pcr_spans *out,
                     struct pcr_error *err);

/* Materialises sample i at fidelity g (1..G): what must be written anew goes to *memory, the rest
 * stays where it is. *out and *memory are replaced. Codes: UNSUPPORTED, NOMEM, and CORRUPT, where
 * the coding has to decode. */
int pcri_materialise_spans(const struct pcri_head *head, uint32_t i, uint32_t g,
                           const uint8_t *const chunks[], struct pcr_spans *out,
                           struct pcr_buffer *memory, struct pcr_error *err);
/* The same, joined. `out` is replaced. */
int pcri_materialise(const struct pcri_head *head, uint32_t i, uint32_t g,
                     const uint8_t *const chunks[], struct pcr_buffer *out,
                     struct pcr_error *err);

#endif
