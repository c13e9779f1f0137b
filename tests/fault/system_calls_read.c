/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading, verifying and loading while a system call fails. */
#define _GNU_SOURCE
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcr/dataset.h>
#include <pcr/loader.h>

#include "system_calls.h"

#include "base/base.h"

static int read_samples(struct pcr_dataset *ds, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_buffer out = { 0 };
    uint64_t index = 99;
    int rc = pcr_dataset_find(ds, "images/003.jpg", 14, &index, err);
    for (uint64_t i = 0; !rc && i < SAMPLES; i++) {
        struct pcr_sample *s = NULL;
        rc = pcr_sample_acquire(ds, i, &s, err);
        if (!rc)
            rc = pcr_sample_read(s, (uint32_t) i % 3, &out, err);
        if (!rc)
            folder_add(sum, out.data, out.nbytes);
        pcr_sample_release(&s);
    }
    folder_add(sum, &index, sizeof(index));
    pcr_buffer_free(&out);
    return rc;
}

static int open_and_read(const char *path, const struct pcr_dataset_options *o, uint64_t *sum,
                         struct pcr_error *err)
{
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(path, o, &ds, err);
    if (!rc)
        rc = read_samples(ds, sum, err);
    pcr_dataset_close(&ds);
    return rc;
}

static int read_with(uint32_t backend, uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_dataset_options o = { .size = sizeof(o),
                                           .io_backend = backend,
                                           .open_records = 1 };
    go();
    int rc = open_and_read(made, &o, sum, err);
    rest();
    return rc;
}

static int read_pread(uint64_t *sum, struct pcr_error *err)
{
    return read_with(PCR_IO_PREAD, sum, err);
}

static int read_mmap(uint64_t *sum, struct pcr_error *err)
{
    return read_with(PCR_IO_MMAP, sum, err);
}

static int read_uring(uint64_t *sum, struct pcr_error *err)
{
    return read_with(PCR_IO_URING, sum, err);
}

static int read_direct(uint64_t *sum, struct pcr_error *err)
{
    return read_with(PCR_IO_DIRECT, sum, err);
}

static int read_split(uint64_t *sum, struct pcr_error *err)
{
    struct pcr_dataset_options o = { .size = sizeof(o), .split = "train" };
    struct pcr_dataset *ds = NULL;
    struct pcr_slice *slice = NULL;
    struct pcr_buffer out = { 0 };
    go();
    int rc = pcr_dataset_open(made, &o, &ds, err);
    if (!rc)
        rc = pcr_slice_read(ds, 0, 0, 3, 2, &slice, err);
    for (uint32_t i = 0; !rc && i < 3; i++) {
        rc = pcr_slice_get(slice, i, 0, &out, err);
        folder_add(sum, out.data, out.nbytes);
    }
    pcr_slice_release(&slice);
    pcr_dataset_close(&ds);
    rest();
    pcr_buffer_free(&out);
    return rc;
}

static int read_record(uint64_t *sum, struct pcr_error *err)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_dataset_info info = { .size = sizeof(info) };
    char path[PATH_NBYTES];
    snprintf(path, sizeof(path), "%s/train-00000.pcr", made);
    go();
    int rc = pcr_dataset_open(path, NULL, &ds, err);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, err);
    pcr_dataset_close(&ds);
    rest();
    folder_add(sum, &info, sizeof(info));
    return rc;
}

/* --- with a cache, which stays usable whatever happens --- */

static int read_cached(const char *dir, uint64_t nbytes, uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_dataset_options o = {
        .size = sizeof(o), .cache_dir = dir, .cache_nbytes = nbytes, .open_records = 1
    };
    uint64_t again = 0;
    struct pcr_error why;
    go();
    int rc = open_and_read(made, &o, sum, err);
    if (!rc) { /* what was kept is right */
        rc = open_and_read(made, &o, &again, err);
        if (!rc && again != *sum)
            blame("the cache gives other bytes");
    }
    rest();
    uint64_t plain = 0, later = 0;
    ck_assert_int_eq(open_and_read(made, NULL, &plain, &why), 0);
    if (open_and_read(made, &o, &later, &why) || later != plain)
        blame("the cache is not usable any more");
    return rc;
}

static int read_cold(uint64_t *sum, struct pcr_error *err)
{
    folder_remove(at("cold"));
    int rc = read_cached(at("cold"), 1 << 24, sum, err);
    look_for_temps(at("cold"));
    return rc;
}

static int read_warm(uint64_t *sum, struct pcr_error *err)
{
    return read_cached(at("warm"), 1 << 24, sum, err);
}

static int read_in_memory(uint64_t *sum, struct pcr_error *err)
{
    return read_cached(NULL, 1 << 24, sum, err);
}

/* The folder is full of what nobody uses, which makes room. */
static int read_full(uint64_t *sum, struct pcr_error *err)
{
    static const uint8_t bytes[20000];
    const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
    folder_remove(at("full"));
    ck_assert_int_eq(mkdir(at("full"), 0777), 0);
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof(name), "full/000000000000000%d.pcrcache", i);
        folder_write(at(name), bytes, sizeof(bytes));
        ck_assert_int_eq(utimensat(AT_FDCWD, at(name), old, 0), 0);
    }
    return read_cached(at("full"), 70000, sum, err);
}

/* --- verifying --- */

static int keep_first(void *context, uint32_t kind, const char *path, uint64_t done,
                      const struct pcr_error *err)
{
    struct pcr_error *first = context;
    if (err && !first->code)
        *first = *err;
    return 0;
}

/* The first finding is as good as an error. */
static int verify(uint64_t *sum, struct pcr_error *err)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    struct pcr_dataset *ds = NULL;
    struct pcr_error first = { .code = 0 };
    go();
    int rc = pcr_dataset_open(made, NULL, &ds, err);
    for (uint64_t r = 0; r < 2 && !rc; r++)
        rc = pcr_dataset_verify_record(ds, r, r == 0, &report, keep_first, &first, err);
    pcr_dataset_close(&ds);
    rest();
    folder_add(sum, &report, sizeof(report));
    if (!rc && first.code) {
        *err = first;
        rc = first.code;
    }
    return rc;
}

/* --- loading --- */

static int load_with(struct pcr_loader_options o, struct pcr_dataset_options d, uint64_t *sum,
                     struct pcr_error *err)
{
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    struct pcr_dataset *ds = NULL;
    struct pcr_loader *l = NULL;
    struct pcr_batch *b = NULL;
    o.size = sizeof(o);
    o.batch_size = 4;
    o.output.height = o.output.width = 16;
    o.order.window_samples = 4;
    d.size = sizeof(d);
    go();
    int rc = pcr_dataset_open(made, &d, &ds, err);
    if (!rc)
        rc = pcr_loader_create(ds, &o, &l, err);
    for (uint64_t epoch = 0; !rc && epoch < 2; epoch++) {
        rc = pcr_loader_start_epoch(l, epoch, err);
        while (!rc && !(rc = pcr_loader_next(l, &b, err))) {
            if (b->pixels)
                folder_add(sum, b->pixels, (size_t) b->sample_count * 16 * 16 * 3);
            else
                folder_add(sum, b->data, b->offsets[b->sample_count]);
            pcr_batch_release(&b);
        }
        if (rc == PCR_END)
            rc = 0;
    }
    if (l && !rc)
        rc = pcr_loader_stats(l, &stats, err);
    if (!rc && stats.replaced_count && plan.fault == ENOENT) /* a record that is not there */
        rc = pcri_fail_sys(err, ENOENT, "%s", made);
    else if (stats.replaced_count || stats.degraded_count)
        blame("a sample was replaced or degraded");
    pcr_loader_destroy(&l);
    pcr_dataset_close(&ds);
    rest();
    return rc;
}

static int load_skip(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_loader_options o = { .bad_sample = PCR_SAMPLE_SKIP,
                                          .threads.count = 1,
                                          .threads.reader_count = PCR_NO_READERS };
    return load_with(o, (struct pcr_dataset_options) { .open_records = 1 }, sum, err);
}

static int load_degrade(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_loader_options o = { .bad_sample = PCR_SAMPLE_DEGRADE,
                                          .threads.count = 2,
                                          .threads.reader_count = 2,
                                          .order.shuffle = PCR_SHUFFLE_FULL };
    return load_with(o, (struct pcr_dataset_options) { .open_records = 1 }, sum, err);
}

static int load_raw(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_loader_options o = { .bad_sample = PCR_SAMPLE_SKIP,
                                          .threads.count = 2,
                                          .threads.reader_count = 1,
                                          .flags = PCR_LOADER_RAW };
    return load_with(o, (struct pcr_dataset_options) { .io_backend = PCR_IO_URING }, sum, err);
}

static int load_mapped(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_loader_options o = { .threads.count = 2,
                                          .threads.reader_count = 2,
                                          .flags = PCR_LOADER_HUGE_PAGES };
    return load_with(
        o, (struct pcr_dataset_options) { .io_backend = PCR_IO_MMAP, .cache_nbytes = 1 << 24 },
        sum, err);
}

static const struct call_scenario list[] = {
    { "read", read_pread },
    { "read by mmap", read_mmap },
    { "read by a ring", read_uring },
    { "read around the page cache", read_direct },
    { "read a slice of a split", read_split },
    { "open a record", read_record },
    { "read into a cache", read_cold },
    { "read from a cache", read_warm },
    { "read with a full cache", read_full },
    { "read with a cache in memory", read_in_memory },
    { "verify", verify },
    { "load, skipping", load_skip },
    { "load, degrading", load_degrade },
    { "load files by a ring", load_raw },
    { "load by mmap", load_mapped },
};

const struct call_scenarios calls_of_reading = CALL_SCENARIOS(list);
