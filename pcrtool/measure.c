/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates of a loader on part of a dataset. */
#include <string.h>
#include <time.h>

#include "measure.h"

static double read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

double pcrtool_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double pcrtool_rate_images(const struct pcrtool_rate *rate)
{
    return rate->seconds > 0 ? (double) rate->sample_count / rate->seconds : 0;
}

/* An interval that is being measured. */
struct interval {
    double wall, cpu;
    struct pcr_loader_stats stats;
};

static int begin(struct pcr_loader *l, struct interval *i, struct pcr_error *err)
{
    i->stats.size = sizeof(i->stats);
    i->wall = pcrtool_now();
    i->cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    return pcr_loader_stats(l, &i->stats, err);
}

/* Adds what has passed since its beginning. Samples are those made, not those handed out, for
 * their time is in the interval. */
static int end(struct pcr_loader *l, const struct interval *i, struct pcrtool_rate *out,
               struct pcr_error *err)
{
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    int rc = pcr_loader_stats(l, &stats, err);
    if (rc || (rc = pcr_loader_stats_since(&stats, &i->stats, &stats, err)))
        return rc;
    out->seconds += pcrtool_now() - i->wall;
    out->cpu_seconds += read_clock(CLOCK_PROCESS_CPUTIME_ID) - i->cpu;
    out->sample_count += stats.sample_count;
    out->threads = stats.thread_count;
    return 0;
}

enum { BATCH = 64, WINDOWS = 16 /* of an epoch */ };

/* Windows are small compared to an epoch, so that filling the first one does not count much. */
static uint32_t window_batches(const struct pcrtool_part *part)
{
    uint64_t n = part->index_count / WINDOWS / BATCH;
    return n < 1 ? 1 : n > 64 ? 64 : (uint32_t) n;
}

/* Takes batches until the epoch ends (PCR_END), or for so many seconds after the first window,
 * whose end sets *steady, up to the end of some window (0): from slow storage windows come in
 * bursts. */
static int take_batches(struct pcr_loader *l, uint32_t window, double seconds,
                        struct interval *steady, struct pcr_error *err)
{
    struct pcr_batch *b = NULL;
    int rc;
    for (uint64_t n = 1; !(rc = pcr_loader_next(l, &b, err)); n++) {
        pcr_batch_release(&b);
        if (n == window && (rc = begin(l, steady, err)))
            return rc;
        if (n > window && n % window == 0 && pcrtool_now() - steady->wall >= seconds)
            return 0;
    }
    return rc;
}

/* One epoch, or as much as fits into the time. Sets *whole if it was a whole one. */
static int measure_epoch(const struct pcrtool_part *part, const struct pcrtool_case *c,
                         struct pcr_dataset *ds, struct pcr_loader *l, uint64_t epoch,
                         bool *whole, struct pcrtool_rate *out, struct pcr_error *err)
{
    struct interval all, steady = { 0 };
    bool stay = false;
    int rc = c->cold ? pcrtool_part_cool(part, ds, &stay, err) : 0;
    out->pages_stay |= stay;
    if (rc || (rc = begin(l, &all, err)) || (rc = pcr_loader_start_epoch(l, epoch, err)))
        return rc;
    /* An epoch that was begun after whole ones is finished: its beginning, when a window is
     * filled, and its end, when no more is read, belong together. */
    rc = take_batches(l, window_batches(part), epoch ? 1e9 : c->seconds, &steady, err);
    *whole = rc == PCR_END;
    if (rc < 0)
        return rc;
    return end(l, *whole ? &all : &steady, out, err);
}

static int measure_epochs(const struct pcrtool_part *part, const struct pcrtool_case *c,
                          struct pcr_dataset *ds, struct pcr_loader *l,
                          struct pcrtool_rate *out, struct pcr_error *err)
{
    bool whole = true;
    int rc = 0;
    for (uint64_t epoch = 0; !rc && whole && out->seconds < c->seconds; epoch++)
        rc = measure_epoch(part, c, ds, l, epoch, &whole, out, err);
    return rc;
}

static struct pcr_loader_options loader_options(const struct pcrtool_part *part,
                                                const struct pcrtool_case *c)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .fidelity = { .level = c->fidelity, .quality = c->quality },
        .flags = c->cold ? PCR_LOADER_NO_READ_AHEAD
                         : 0, /* it would continue while pages are dropped */
        .threads.count = c->threads,
        .threads.reader_count = c->readers ? 0 : PCR_NO_READERS,
        .output.height = c->size_px,
        .transform = { .kind = c->transform, .flip_ppm = 500000 },
        .bad_sample = PCR_SAMPLE_SKIP,
        .order.indices = part->indices,
        .order.index_count = part->index_count,
        .batch_size = BATCH,
        .order.window_samples = window_batches(part) * BATCH,
    };
}

int pcrtool_measure_loader(const struct pcrtool_part *part, const struct pcrtool_case *c,
                           struct pcrtool_rate *out, struct pcr_error *err)
{
    const struct pcr_loader_options options = loader_options(part, c);
    struct pcr_dataset *ds = NULL;
    struct pcr_loader *l = NULL;
    memset(out, 0, sizeof(*out));
    int rc = c->cold ? 0 : pcrtool_part_warm(part, err);
    if (!rc)
        rc = pcrtool_part_open(part, c->io_backend, &ds, err);
    if (!rc && !(rc = pcr_loader_create(ds, &options, &l, err)))
        rc = measure_epochs(part, c, ds, l, out, err);
    pcr_loader_destroy(&l);
    pcr_dataset_close(&ds);
    return rc;
}
