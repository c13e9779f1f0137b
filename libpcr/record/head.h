/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the head's parser share. */
#ifndef PCRI_HEAD_H
#define PCRI_HEAD_H

#include "record.h"

/* Fills chunk_offset, and holds sizes, codings and groups against each other. */
int pcri_head_lay_out(struct pcri_head *h, const struct pcr_limits *limits,
                      struct pcr_error *err);

#endif
