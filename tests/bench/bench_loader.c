/* SPDX-License-Identifier: BSD-2-Clause */
/* Loader: images a second and processor time an image, by fidelity and threads, and what its
 * options take.
 *
 * bench_loader [DATASET]: without a dataset, one of generated photographs is made in a
 * temporary folder. Output: a line for each fidelity and thread count; at the highest fidelity
 * and with one thread, a line for each of some options; and two loaders in the same process, at
 * once and one after the other. */
#include <pthread.h>
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
        pcr_batch_release(&b);
    }
    return rc == PCR_END ? 0 : rc;
}

static int measure(struct pcr_dataset *ds, const struct pcr_loader_options *o,
                   const char *name, struct pcr_error *err)
{
    struct pcr_loader *l = NULL;
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    uint64_t samples = 0, epoch = 0;
    int rc = pcr_loader_create(ds, o, &l, err);
    double start = bench_wall(), cpu = cpu_seconds(), spent = 0;
    while (!rc && spent * 1000 < MIN_MS) {
        rc = run_epoch(l, epoch++, &samples, err);
        spent = bench_wall() - start;
    }
    cpu = cpu_seconds() - cpu;
    if (!rc)
        rc = pcr_loader_stats(l, &stats, err);
    if (!rc && samples)
        printf("fidelity %2u  threads %2u  %-13s  %8.0f images/s  %6.3f CPU ms/image"
               "  %8.0f bytes/image  read %6.3f decode %6.3f ms/image\n",
               (unsigned) o->fidelity.level, (unsigned) o->threads.count, name,
               (double) samples / spent, cpu * 1e3 / (double) samples,
               (double) stats.read_nbytes / (double) samples,
               (double) stats.read_ns * 1e-6 / (double) samples,
               (double) stats.decode_ns * 1e-6 / (double) samples);
    pcr_loader_destroy(&l);
    return rc;
}

static const struct pcr_loader_options plain = {
    .size = sizeof(plain),
    .transform.flip_ppm = 500000,
    .bad_sample = PCR_SAMPLE_SKIP,
};

static int measure_options(struct pcr_dataset *ds, uint32_t fidelity, struct pcr_error *err)
{
    enum { COUNT = 10 };
    static const char *const names[COUNT] = { "plain", "NCHW",       "bicubic",  "nearest",
                                              "gray",  "brightness", "contrast", "saturation",
                                              "hue",   "rotation" };
    struct pcr_loader_options o[COUNT];
    int rc = 0;
    for (int i = 0; i < COUNT; i++) {
        o[i] = plain;
        o[i].fidelity.level = fidelity;
        o[i].threads.count = 1;
    }
    o[1].output.layout = PCR_LAYOUT_NCHW;
    o[2].transform.filter = PCR_FILTER_BICUBIC;
    o[3].transform.filter = PCR_FILTER_NEAREST;
    o[4].output.color = PCR_COLOR_GRAY;
    o[5].transform.brightness_ppm = 400000;
    o[6].transform.contrast_ppm = 400000;
    o[7].transform.saturation_ppm = 400000;
    o[8].transform.hue_ppm = 100000;
    o[9].transform.rotate_mdeg = 15000;
    for (int i = 0; i < COUNT && !rc; i++)
        rc = measure(ds, &o[i], names[i], err);
    if (rc)
        return rc;
    o[8].transform.brightness_ppm = o[8].transform.contrast_ppm =
        o[8].transform.saturation_ppm = 400000;
    return measure(ds, &o[8], "all colours", err);
}

/* --- two loaders --- */

struct job {
    struct pcr_dataset *ds;
    uint64_t samples;
    int rc;
    struct pcr_error err;
};

static void *run_job(void *arg)
{
    enum { EPOCHS = 3 };
    struct job *j = arg;
    struct pcr_loader_options o = plain; /* threads: as many as by default */
    struct pcr_loader *l = NULL;
    o.fidelity.level = 2;
    j->rc = pcr_loader_create(j->ds, &o, &l, &j->err);
    for (uint64_t epoch = 0; !j->rc && epoch < EPOCHS; epoch++)
        j->rc = run_epoch(l, epoch, &j->samples, &j->err);
    pcr_loader_destroy(&l);
    return NULL;
}

static int run_two(struct pcr_dataset *ds, bool at_once, double *images_out, double *cpu_out,
                   struct pcr_error *err)
{
    struct job jobs[2] = { { .ds = ds }, { .ds = ds } };
    pthread_t threads[2];
    uint64_t samples = 0;
    double start = bench_wall(), cpu = cpu_seconds();
    for (int i = 0; i < 2; i++) {
        if (!at_once)
            run_job(&jobs[i]);
        else if (pthread_create(&threads[i], NULL, run_job, &jobs[i]))
            abort(); /* a benchmark without threads */
    }
    for (int i = 0; i < 2; i++) {
        if (at_once)
            pthread_join(threads[i], NULL);
        if (jobs[i].rc) {
            *err = jobs[i].err;
            return jobs[i].rc;
        }
        samples += jobs[i].samples;
    }
    *cpu_out = (cpu_seconds() - cpu) * 1e3 / (double) samples;
    *images_out = (double) samples / (bench_wall() - start);
    return 0;
}

static int measure_two(struct pcr_dataset *ds, struct pcr_error *err)
{
    enum { RUNS = 9 };
    double images[2][RUNS], cpu[2][RUNS];
    int rc = 0;
    for (int i = 0; i < RUNS; i++)
        for (int k = 0; k < 2; k++)
            if ((rc = run_two(ds, k, &images[k][i], &cpu[k][i], err)))
                return rc;
    for (int k = 0; k < 2; k++)
        printf("two loaders, %-19s  %8.0f images/s  %6.3f CPU ms/image\n",
               k ? "at once" : "one after the other", bench_median(images[k], RUNS),
               bench_median(cpu[k], RUNS));
    return 0;
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
            struct pcr_loader_options o = plain;
            o.fidelity.level = g;
            o.threads.count = threads;
            rc = measure(ds, &o, "", err);
            if (threads >= system.cpu_count)
                break;
        }
    if (!rc)
        rc = measure_options(ds, info.group_count, err);
    if (!rc)
        rc = measure_two(ds, err);
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
