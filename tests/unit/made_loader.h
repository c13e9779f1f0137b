/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders on the small dataset of made_images.h, for the tests of loaders. */
#ifndef MADE_LOADER_H
#define MADE_LOADER_H

#include "made_images.h"

static struct pcr_dataset *dataset;
static uint32_t group_count;

static inline void open_dataset(void)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_error err;
    made_check(pcr_dataset_open(made_folder.path, NULL, &dataset, &err), &err);
    made_check(pcr_dataset_describe(dataset, &info, &err), &err);
    ck_assert_uint_eq(info.sample_count, MADE_SAMPLES);
    group_count = info.group_count;
}

static inline void close_dataset(void)
{
    pcr_dataset_close(&dataset);
}

static inline struct pcr_loader *create(const struct pcr_loader_options *o)
{
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    made_check(pcr_loader_create(dataset, o, &l, &err), &err);
    return l;
}

static inline void start(struct pcr_loader *l, uint64_t epoch)
{
    struct pcr_error err;
    made_check(pcr_loader_start_epoch(l, epoch, &err), &err);
}

/* Small windows and blocks, so that an epoch has many. */
static inline struct pcr_loader_options small_windows(void)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .seed = 3,
        .batch_size = 8,
        .output.height = 24,
        .output.width = 20,
        .order.block_samples = 5,
        .order.window_samples = 30,
        .threads.count = 2,
        .transform.flip_ppm = 500000,
    };
}

#endif
