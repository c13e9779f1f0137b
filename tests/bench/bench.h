/* SPDX-License-Identifier: BSD-2-Clause */
/* What the benchmarks share: clocks, medians, input images. */
#ifndef PCR_BENCH_H
#define PCR_BENCH_H

#include <pcr/base.h>

#include "jpeg/coding.h"

/* Seconds of this thread's CPU time, and of wall time. */
double bench_cpu(void);
double bench_wall(void);

/* The median of n values, which are sorted in place. */
double bench_median(double *values, size_t n);

/* Decodes the coefficients alone of a file of a coding, down the picture, by a state of its block
 * decoder. */
int bench_entropy(const struct pcri_coding *coding, void *state, const struct pcr_spans *spans,
                  const struct pcr_limits *limits, double *seconds_out, struct pcr_error *err);

/* Input images: those that pcr_source_open() finds in `folder` (at most `count`, evenly
 * picked), or `count` generated photographs of 0.2 MP, quality 90 to 96, 4:2:0. */
struct bench_images {
    struct pcr_buffer *files;
    size_t count;
    size_t nbytes; /* of all files */
};
int bench_images_load(const char *folder, size_t count, struct bench_images *out);
void bench_images_free(struct bench_images *images);

/* Makes a dataset of 512 generated photographs in a new folder; `folder` ends in XXXXXX, as
 * for mkdtemp(). */
int bench_dataset_make(char *folder, struct pcr_error *err);
void bench_dataset_remove(const char *folder);

#endif
