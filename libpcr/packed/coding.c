/* SPDX-License-Identifier: BSD-2-Clause */
/* Coding 2, packed, as the table of codings has it. */
#include <pcr/dataset.h>

#include "coding.h"
#include "plan.h"
#include "segments.h"

static int check_ladder(const struct pcr_ladder *ladder, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; !rc && i < ladder->script_count; i++)
        rc = pcri_pk_check(&ladder->scripts[i], err);
    return rc;
}

const struct pcri_coding pcri_coding_packed = {
    .number = PCR_CODING_PACKED,
    .name = "packed",
    .ladder = "packed",
    .magic = PCRI_PK_MAGIC,
    .magic_nbytes = PCRI_PK_MAGIC_NBYTES,
    .encoder = &pcri_pk_encoder_functions,
    .decoder = &pcri_pk_block_decoder,
    .check_ladder = check_ladder,
    .header_spans = pcri_pk_header_spans,
    .to_jpeg = pcri_pk_to_jpeg,
};
