/* SPDX-License-Identifier: BSD-2-Clause */
/* What reading a dataset needs beyond the default limits (docs/FORMAT.md sections 6 and 9). */
#ifndef PCRI_NEEDS_H
#define PCRI_NEEDS_H

#include "../record/record.h"

/* The largest of each; in a manifest 0 if the default limit is enough. */
struct pcri_needs {
    uint64_t pixels;        /* of an image */
    uint64_t samples;       /* of a record */
    uint64_t sample_nbytes; /* of a sample, materialised */
    uint64_t head_nbytes;   /* of a head or tail, decompressed */
};

/* Most that a manifest may ask for. */
#define PCRI_NEEDS_PIXELS (UINT64_C(1) << 40)
#define PCRI_NEEDS_SAMPLE_NBYTES (UINT64_C(1) << 40)
#define PCRI_NEEDS_SAMPLES UINT32_MAX
#define PCRI_NEEDS_HEAD_NBYTES UINT32_MAX

/* Extends *n to cover `more`; a coded sample; a record's header; a record's samples. Images of
 * more than max_pixels were kept knowingly and need not be shown. */
void pcri_needs_add(struct pcri_needs *n, const struct pcri_needs *more);
void pcri_needs_add_coded(struct pcri_needs *n, const struct pcri_coded *p,
                          uint64_t max_pixels);
void pcri_needs_add_header(struct pcri_needs *n, const struct pcri_header *h);
void pcri_needs_add_head(struct pcri_needs *n, const struct pcri_head *h, uint64_t max_pixels);

/* Forgets what the default limits cover. */
void pcri_needs_settle(struct pcri_needs *n);

/* Raises limits that are 0, which means their defaults, to what is needed. */
void pcri_needs_raise(const struct pcri_needs *n, struct pcr_limits *limits);

#endif
