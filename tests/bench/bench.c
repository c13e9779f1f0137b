/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, medians and input images of the benchmarks. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pcr/import.h>

#include "generator.h"

static double read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

double bench_cpu(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

double bench_wall(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return x < y ? -1 : x > y;
}

double bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), ascending);
    return n ? (values[(n - 1) / 2] + values[n / 2]) / 2 : 0;
}

static int load_folder(const char *folder, size_t count, struct bench_images *out)
{
    struct pcr_error err;
    struct pcr_source *source;
    if (pcr_import_open(folder, NULL, &source, &err)) {
        fprintf(stderr, "bench: %s\n", err.message);
        return -1;
    }
    int rc = 0;
    uint64_t n = source->sample_count;
    for (size_t i = 0; !rc && i < count && i < n; i++) {
        uint64_t pick = count < n ? i * n / count : i;
        rc = source->load(source->opaque, pick, UINT64_C(1) << 30, &out->files[i], &err);
        out->nbytes += out->files[i].nbytes;
        out->count += !rc;
    }
    if (rc)
        fprintf(stderr, "bench: %s\n", err.message);
    pcr_source_destroy(source);
    return rc;
}

int bench_images_load(const char *folder, size_t count, struct bench_images *out)
{
    *out = (struct bench_images) { calloc(count, sizeof(*out->files)), 0, 0 };
    if (!out->files)
        return -1;
    if (folder)
        return load_folder(folder, count, out);
    for (size_t i = 0; i < count; i++) {
        if (pcr_gen_photo(i, 512, 400, 90 + (int) (i % 4) * 2, PCR_GEN_420, &out->files[i]))
            return -1;
        out->nbytes += out->files[out->count++].nbytes;
    }
    return 0;
}

void bench_images_free(struct bench_images *images)
{
    for (size_t i = 0; i < images->count; i++)
        pcr_buffer_free(&images->files[i]);
    free(images->files);
}
