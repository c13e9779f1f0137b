/* SPDX-License-Identifier: BSD-2-Clause */
/* Coding 2, packed, as the table of codings has it. */
#include <pcr/dataset.h>

#include "coding.h"
#include "segments.h"

const struct pcri_coding pcri_coding_packed = {
    .number = PCR_CODING_PACKED,
    .name = "packed",
    .ladder = "packed",
    .magic = PCRI_PK_MAGIC,
    .magic_nbytes = PCRI_PK_MAGIC_NBYTES,
    .encoder = &pcri_pk_encoder_functions,
    .decoder = &pcri_pk_block_decoder,
    .header_spans = pcri_pk_header_spans,
    .to_jpeg = pcri_pk_to_jpeg,
};
