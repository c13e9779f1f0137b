/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of coding 2 as the table of codings has it (jpeg/coding.h). */
#ifndef PCRI_PK_CODING_H
#define PCRI_PK_CODING_H

#include "../jpeg/coding.h"

extern const struct pcri_coding pcri_coding_packed; /* (coding.c) */

extern const struct pcri_block_decoder pcri_pk_block_decoder; /* (blocks.c) */
extern const struct pcri_encoder pcri_pk_encoder_functions;   /* (encode_file.c) */

/* A sample's spans become a progressive JPEG's, of their groups (to_jpeg.c). */
int pcri_pk_to_jpeg(struct pcr_spans *spans, struct pcr_buffer *memory, struct pcr_error *err);

#endif
