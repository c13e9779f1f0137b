/* SPDX-License-Identifier: BSD-2-Clause */
/* Soak: loaders that are made, changed, cancelled and destroyed at random for a long time, and
 * what memory the process has meanwhile.
 *
 * soak [SECONDS [DATASET]]: a line thirty times in that time (default 10 s): bytes allocated
 *     when there is no loader and no batch, resident memory after malloc gave back what it
 *     could, and the most that was resident. Fails if the last third's least allocated is more
 *     than 1 MB above the second's.
 * soak cycles N [DATASET]: makes and destroys N loaders, of which every hundredth also runs
 *     through an epoch.
 * Without a dataset, one of generated photographs is made in a temporary folder. */
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pcr/pcr.h>

#include "bench.h"

enum { LINES = 30, HELD_MAX = 6, ALLOWED_KB = 1024 };

static uint64_t random_state = 1;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t) ((random_state >> 33) % below);
}

/* All in kB but threads. */
struct look {
    long allocated, rss, peak, threads;
};

static struct look look(void)
{
    struct look v = { 0 };
    char line[256];
    malloc_trim(0);
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f)) {
        sscanf(line, "VmRSS: %ld", &v.rss);
        sscanf(line, "VmHWM: %ld", &v.peak);
        sscanf(line, "Threads: %ld", &v.threads);
    }
    if (f)
        fclose(f);
    const struct mallinfo2 m = mallinfo2();
    v.allocated = (long) ((m.uordblks + m.hblkhd) >> 10);
    return v;
}

struct soak {
    struct pcr_dataset *ds;
    uint32_t group_count;
    struct pcr_batch *held[HELD_MAX]; /* by the consumer, some beyond their loader's end */
    uint64_t loaders, samples, cancelled;
};

static struct pcr_loader_options random_options(const struct soak *s)
{
    static const uint32_t sizes[] = { 32, 64, 128, 224 };
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .seed = draw(1000),
        .batch_size = 1 + draw(64),
        .output.height = sizes[draw(4)],
        .threads.count = draw(4),
        .threads.reader_count = draw(5) - 1, /* none, or by default, ... */
        .order.shuffle = PCR_SHUFFLE_NONE + draw(3),
        .fidelity.level = draw(s->group_count + 1),
        .output.dtype = PCR_DTYPE_UINT8 + draw(4),
        .order.block_samples = 1 + draw(64),
        .order.window_samples = 64 + draw(512),
        .memory.batches_ahead = 1 + draw(6),
        .transform.flip_ppm = 500000,
        .bad_sample = PCR_SAMPLE_SKIP,
    };
}

/* Keeps the batch for a while, and gives another one back. */
static void hold(struct soak *s, struct pcr_batch *b)
{
    uint32_t i = draw(HELD_MAX);
    s->samples += b->sample_count;
    pcr_batch_release(&s->held[i]);
    s->held[i] = b;
}

static void *cancel_soon(void *loader)
{
    const struct timespec soon = { .tv_nsec = 1000000 };
    nanosleep(&soon, NULL);
    pcr_loader_cancel(loader);
    return NULL;
}

/* Up to `count` batches of an epoch, with changes of the fidelity. */
static int run_batches(struct soak *s, struct pcr_loader *l, uint32_t count,
                       struct pcr_error *err)
{
    for (uint32_t n = 0; n < count; n++) {
        struct pcr_batch *b;
        int rc = draw(8) ? 0 : pcr_loader_set_fidelity(l, draw(s->group_count + 1), err);
        if (rc == PCR_ERR_INVAL) /* as many changes are on the way as can be */
            rc = 0;
        if (rc || (rc = pcr_loader_next(l, &b, err)))
            return rc;
        hold(s, b);
    }
    return 0;
}

static int run_epoch(struct soak *s, struct pcr_loader *l, struct pcr_error *err)
{
    pthread_t thread;
    bool cancels = !draw(6);
    int rc = pcr_loader_start_epoch(l, draw(5), err);
    if (!rc && cancels && pthread_create(&thread, NULL, cancel_soon, l))
        cancels = false;
    if (!rc)
        rc = run_batches(s, l, draw(draw(2) ? 400 : 20), err);
    if (cancels)
        pthread_join(thread, NULL);
    s->cancelled += rc == PCR_ERR_CANCELLED;
    if (rc == PCR_END || rc == PCR_ERR_CANCELLED)
        rc = 0;
    return rc;
}

static int run_loader(struct soak *s, struct pcr_error *err)
{
    const struct pcr_loader_options o = random_options(s);
    struct pcr_loader *l = NULL;
    int rc = pcr_loader_create(s->ds, &o, &l, err);
    for (uint32_t epochs = draw(4); !rc && epochs; epochs--)
        rc = run_epoch(s, l, err);
    pcr_loader_destroy(&l);
    s->loaders++;
    return rc;
}

static void let_go(struct soak *s)
{
    for (int i = 0; i < HELD_MAX; i++)
        pcr_batch_release(&s->held[i]);
    memset(s->held, 0, sizeof(s->held));
}

static long least(const long *values, int count)
{
    long v = values[0];
    for (int i = 1; i < count; i++)
        v = values[i] < v ? values[i] : v;
    return v;
}

static int soak(struct soak *s, double seconds, struct pcr_error *err)
{
    long allocated[LINES];
    double start = bench_wall();
    for (int line = 0; line < LINES; line++) {
        while (bench_wall() - start < seconds * (line + 1) / LINES) {
            int rc = run_loader(s, err);
            if (rc)
                return rc;
        }
        let_go(s);
        const struct look v = look();
        allocated[line] = v.allocated;
        printf("%8.1f s  allocated %6.2f MB  resident %6.1f  peak %6.1f  %ld threads  %llu "
               "loaders, %llu cancelled epochs, %llu samples\n",
               bench_wall() - start, (double) v.allocated / 1024, (double) v.rss / 1024,
               (double) v.peak / 1024, v.threads, (unsigned long long) s->loaders,
               (unsigned long long) s->cancelled, (unsigned long long) s->samples);
        fflush(stdout);
    }
    long growth = least(allocated + 2 * LINES / 3, LINES / 3) -
                  least(allocated + LINES / 3, LINES / 3);
    printf("growth from the second third to the last: %ld kB\n", growth);
    if (growth <= ALLOWED_KB)
        return 0;
    snprintf(err->message, sizeof(err->message), "memory grows");
    return PCR_ERR_LIMIT;
}

static int cycle(struct soak *s, uint64_t count, struct pcr_error *err)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct pcr_loader_options o = {
            .size = sizeof(o),
            .output.height = 32,
            .threads.count = 1 + i % 3,
            .threads.reader_count = i % 2 ? 1 : PCR_NO_READERS,
        };
        struct pcr_loader *l = NULL;
        struct pcr_batch *b;
        int rc = pcr_loader_create(s->ds, &o, &l, err);
        if (!rc && i % 4)
            rc = pcr_loader_start_epoch(l, i, err);
        while (!rc && i % 100 == 1 && !(rc = pcr_loader_next(l, &b, err)))
            hold(s, b);
        pcr_loader_destroy(&l);
        if (rc < 0)
            return rc;
        if (i == 0 || (i + 1) % (count / 10 ? count / 10 : 1) == 0) {
            let_go(s);
            const struct look v = look();
            printf("%8llu loaders  allocated %6.2f MB  resident %6.1f  %ld threads\n",
                   (unsigned long long) i + 1, (double) v.allocated / 1024,
                   (double) v.rss / 1024, v.threads);
            fflush(stdout);
        }
    }
    return 0;
}

static int run(const char *path, uint64_t cycles, double seconds, struct pcr_error *err)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct soak s = { 0 };
    int rc = pcr_dataset_open(path, NULL, &s.ds, err);
    if (!rc)
        rc = pcr_dataset_describe(s.ds, &info, err);
    s.group_count = info.group_count;
    if (!rc)
        rc = cycles ? cycle(&s, cycles, err) : soak(&s, seconds, err);
    let_go(&s);
    pcr_dataset_close(&s.ds);
    return rc;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/pcr-bench-XXXXXX";
    struct pcr_error err = { 0 };
    /* Else glibc raises it to what was freed, and keeps large free blocks of each thread. */
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    bool cycles = argc > 2 && !strcmp(argv[1], "cycles");
    const char *number = cycles ? argv[2] : argc > 1 ? argv[1] : "10";
    const char *path = argc > 2 + cycles ? argv[2 + cycles] : NULL;
    int rc = path ? 0 : bench_dataset_make(folder, &err);
    if (!rc)
        rc = run(path ? path : folder, cycles ? strtoull(number, NULL, 10) : 0,
                 strtod(number, NULL), &err);
    if (!path)
        bench_dataset_remove(folder);
    if (rc)
        fprintf(stderr, "soak: %s\n", err.message);
    return rc != 0;
}
