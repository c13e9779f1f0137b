/* SPDX-License-Identifier: BSD-2-Clause */
/* coded samples as JPEG files (docs/FORMAT.md section 3.4), for tests of the codec. */
#ifndef PCR_GENERATOR_ASSEMBLE_H
#define PCR_GENERATOR_ASSEMBLE_H

#include <pcr/ladder.h>

#include "base/coded.h"

/* Replaces *out by the file at `fidelity`, 1 to G. Codes: NOMEM. */
int pcr_gen_assemble(const struct pcri_coded *p, const struct pcr_ladder *ladder,
                     uint32_t fidelity, struct pcr_buffer *out, struct pcr_error *err);

#endif
