/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the head's parser. */
#ifndef PCRI_HEAD_H
#define PCRI_HEAD_H

#include "record.h"

/* Fills chunk_offset, and checks that sizes, codings and groups agree. */
int pcri_head_lay_out(struct pcri_head *h, const struct pcr_limits *limits,
                      struct pcr_error *err);

#endif
