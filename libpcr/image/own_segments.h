/* SPDX-License-Identifier: BSD-2-Clause */
/* What writers of files take from a coded image's header, shared by them. */
#ifndef PCRI_OWN_SEGMENTS_H
#define PCRI_OWN_SEGMENTS_H

#include "../jpeg/coding.h"
#include "../jpeg/segment_walk.h"

/* Whether a segment belongs to the coding: it is named as in its magic. (baseline.c) */
bool pcri_is_own_segment(const struct pcri_coding *coding, const struct pcri_walked *s);

/* Checks the memory that an image's coefficients take against the limit on pixels: LIMIT.
 * (baseline.c) */
int pcri_check_blocks(const struct pcri_jpeg_file *f, uint64_t max_pixels,
                      struct pcr_error *err);

#endif
