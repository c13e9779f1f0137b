/* SPDX-License-Identifier: BSD-2-Clause */
/* Loader: images a second and processor time an image, by fidelity and threads.
 *
 * bench_loader [DATASET]: without a dataset, one of generated photographs is made in a
 * temporary folder. Output: a line for each fidelity and thread count. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <pcr/pcr.h>

#include "bench.h"

enum { MIN_MS = 1500 };

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/* --- measuring --- */

static int run_epoch(struct pcr_loader *l, uint64_t epoch, uint64_t *samples,
                     struct pcr_error *err)
{
    struct pcr_batch *b;
    int rc = pcr_loader_start_epoch(l, epoch, err);
    while (!rc && !(rc = pcr_loader_next(l, &b, err))) {
        *samples += b->sample_count;
        pcr_batch_release(b);
    }
    return rc == PCR_END ? 0 : rc;
}

static int measure(struct pcr_dataset *ds, uint32_t fidelity, uint32_t threads,
                   struct pcr_error *err)
{
    const struct pcr_loader_options o = { .size = sizeof(o), .fidelity = fidelity,
                                          .thread_count = threads, .flip_ppm = 500000,
                                          .bad_sample = PCR_SAMPLE_SKIP };
    struct pcr_loader *l = NULL;
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    uint64_t samples = 0, epoch = 0;
    int rc = pcr_loader_create(ds, &o, &l, err);
    double start = bench_wall(), cpu = cpu_seconds(), spent = 0;
    while (!rc && spent * 1000 < MIN_MS) {
        rc = run_epoch(l, epoch++, &samples, err);
        spent = bench_wall() - start;
    }
    cpu = cpu_seconds() - cpu;
    if (!rc)
        rc = pcr_loader_stats(l, &stats, err);
    if (!rc && samples)
        printf("fidelity %2u  threads %2u  %8.0f images/s  %6.3f CPU ms/image"
               "  %8.0f bytes/image  read %6.3f decode %6.3f ms/image\n",
               (unsigned) fidelity, (unsigned) threads, (double) samples / spent,
               cpu * 1e3 / (double) samples, (double) stats.read_nbytes / (double) samples,
               (double) stats.read_ns * 1e-6 / (double) samples,
               (double) stats.decode_ns * 1e-6 / (double) samples);
    pcr_loader_destroy(&l);
    return rc;
}

static int measure_all(const char *path, struct pcr_error *err)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_system_info system = { .size = sizeof(system) };
    int rc = pcr_dataset_open(path, NULL, &ds, err);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, err);
    if (!rc)
        rc = pcr_system_describe(&system, err);
    for (uint32_t g = 1; !rc && g <= info.group_count; g++)
        for (uint32_t threads = 1; !rc; threads *= 2) {
            if (threads > system.cpu_count)
                threads = system.cpu_count;
            rc = measure(ds, g, threads, err);
            if (threads >= system.cpu_count)
                break;
        }
    pcr_dataset_close(&ds);
    return rc;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/pcr-bench-XXXXXX";
    struct pcr_error err = { 0 };
    bool made = argc < 2;
    int rc = made ? bench_dataset_make(folder, &err) : 0;
    if (!rc)
        rc = measure_all(made ? folder : argv[1], &err);
    if (made)
        bench_dataset_remove(folder);
    if (rc)
        fprintf(stderr, "bench_loader: %s\n", err.message);
    return rc != 0;
}
