/* SPDX-License-Identifier: BSD-2-Clause */
/* What a loader has done and how far it is, as numbers and as text. */
#include <inttypes.h>

#include "schedule/schedule.h"

enum stat_kind {
    COUNTER, /* grows */
    TIME,    /* grows; nanoseconds */
    GAUGE,   /* the current state */
};

/* The one place that knows what the members are and what they are called. */
static const struct stats_field {
    const char *name;   /* of the struct's member, and in JSON */
    const char *metric; /* after "pcr_loader_", in Prometheus */
    const char *help;
    enum stat_kind kind;
    size_t offset, nbytes;
} fields[] = {
#define FIELD(member, metric, kind, help) \
    { \
#member, metric, help, kind, offsetof(struct pcr_loader_stats, member), \
            sizeof(((struct pcr_loader_stats *) NULL)->member) \
    }
    FIELD(thread_count, "threads", GAUGE, "Threads that decode."),
    FIELD(reader_count, "reader_threads", GAUGE, "Threads that only read."),
    FIELD(sample_count, "samples_total", COUNTER, "Samples delivered to batches."),
    FIELD(batch_count, "batches_total", COUNTER, "Batches handed to the consumer."),
    FIELD(replaced_count, "replaced_samples_total", COUNTER,
          "Bad samples that were replaced."),
    FIELD(degraded_count, "degraded_samples_total", COUNTER,
          "Bad samples delivered at a lower fidelity."),
    FIELD(read_nbytes, "read_bytes_total", COUNTER, "Image bytes read for epochs begun."),
    FIELD(read_ns, "read_seconds_total", TIME, "Thread time spent reading."),
    FIELD(decode_ns, "decode_seconds_total", TIME,
          "Thread time spent in decode, crop, resize and normalisation."),
    FIELD(idle_ns, "idle_seconds_total", TIME, "Thread time spent waiting."),
    FIELD(consumer_wait_ns, "consumer_wait_seconds_total", TIME,
          "Time that the consumer waited for a batch."),
    FIELD(room_wait_ns, "room_wait_seconds_total", TIME,
          "Thread time spent waiting for the consumer to take a batch."),
    FIELD(bytes_wait_ns, "bytes_wait_seconds_total", TIME,
          "Thread time spent waiting for bytes that other threads read."),
    FIELD(read_count, "reads_total", COUNTER, "Slices and single samples read."),
    FIELD(elapsed_ns, "elapsed_seconds_total", TIME, "Time since the loader was made."),
    FIELD(held_nbytes, "held_bytes", GAUGE, "Encoded bytes in memory or being read."),
    FIELD(reading_count, "reading_threads", GAUGE, "Threads reading a slice."),
    FIELD(decoding_count, "decoding_threads", GAUGE, "Threads making a sample."),
    FIELD(batches_open, "open_batches", GAUGE, "Batches begun and not handed over."),
    FIELD(batches_ready, "ready_batches", GAUGE, "Batches complete and not handed over."),
    FIELD(batches_held, "held_batches", GAUGE, "Batches that the consumer has not released."),
    FIELD(ahead_nbytes, "ahead_bytes", GAUGE, "Image bytes read for epochs not begun."),
    FIELD(profile_converted_count, "profile_converted_samples_total", COUNTER,
          "Samples whose colours were converted to sRGB."),
    FIELD(profile_unusable_count, "profile_unusable_samples_total", COUNTER,
          "Samples with a colour profile that could not be used."),
    FIELD(delivered_nbytes, "delivered_bytes_total", COUNTER,
          "Stored bytes of the samples delivered, at their fidelity."),
    FIELD(full_nbytes, "full_bytes_total", COUNTER, "The same at full fidelity."),
    FIELD(quality_count, "known_quality_samples_total", COUNTER,
          "Samples delivered whose quality is known."),
    FIELD(quality_sum_ppm, "quality_sum_ppm_total", COUNTER,
          "Sum of their predicted qualities, in millionths."),
    FIELD(quality_least_ppm, "quality_least_ppm", GAUGE,
          "The least of their predicted qualities, in millionths."),
#undef FIELD
};
enum {
    FIELD_COUNT = sizeof(fields) / sizeof(fields[0]),
    FIDELITIES = sizeof(((struct pcr_loader_stats *) NULL)->fidelity_counts) /
                 sizeof(uint64_t),
};

static uint64_t get(const struct pcr_loader_stats *stats, const struct stats_field *f)
{
    const char *from = (const char *) stats + f->offset;
    uint32_t v32;
    uint64_t v64;
    if (f->nbytes == sizeof(v32)) {
        memcpy(&v32, from, sizeof(v32));
        return v32;
    }
    memcpy(&v64, from, sizeof(v64));
    return v64;
}

/* --- as numbers --- */

static void count_batches(const struct pcr_loader *l, struct pcr_loader_stats *stats)
{
    for (uint32_t i = 0; i < l->options.memory.batches_ahead; i++) {
        const struct pcri_batch *b = l->ring[i];
        stats->batches_open += b != NULL;
        stats->batches_ready += b && b->done_count == b->slot_count;
    }
    uint64_t out = pcri_batch_pool_out_count(l->pool);
    if (out > stats->batches_open)
        stats->batches_held = (uint32_t) (out - stats->batches_open);
}

int pcr_loader_stats(const struct pcr_loader *loader, struct pcr_loader_stats *stats_out,
                     struct pcr_error *err)
{
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    struct pcr_loader *l = (struct pcr_loader *) loader; /* for its mutex */
    pthread_mutex_lock(&l->mutex);
    pcri_work_count_idle(l);
    struct pcr_loader_stats stats = l->stats;
    stats.reader_count = l->clients[PCRI_THREADS_READERS].limit;
    stats.held_nbytes = l->held_nbytes;
    count_batches(l, &stats);
    pthread_mutex_unlock(&l->mutex);
    stats.thread_count = l->options.threads.count;
    stats.elapsed_ns = pcri_clock_ns() - l->created_ns;
    return pcri_info_copy(stats_out, "pcr_loader_stats", &stats, sizeof(stats), err);
}

static int copy_in(const struct pcr_loader_stats *from, struct pcr_loader_stats *to,
                   struct pcr_error *err)
{
    if (!from)
        return pcri_fail(err, PCR_ERR_INVAL, "no stats");
    return pcri_options_copy(to, sizeof(*to), from, "pcr_loader_stats", err);
}

int pcr_loader_stats_since(const struct pcr_loader_stats *now,
                           const struct pcr_loader_stats *before, struct pcr_loader_stats *out,
                           struct pcr_error *err)
{
    struct pcr_loader_stats a, b;
    int rc = copy_in(now, &b, err);
    if (rc || (rc = copy_in(before, &a, err)))
        return rc;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct stats_field *f = &fields[i];
        if (f->kind == GAUGE)
            continue;
        uint64_t then = get(&a, f), v = get(&b, f);
        if (v < then)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "%s is %" PRIu64 ", but was %" PRIu64 " before: not the later "
                             "stats of the same loader",
                             f->name, v, then);
        v -= then;
        memcpy((char *) &b + f->offset, &v, sizeof(v)); /* all but gauges are 64 bits */
    }
    for (size_t g = 0; g < FIDELITIES; g++)
        b.fidelity_counts[g] -= a.fidelity_counts[g];
    return pcri_info_copy(out, "pcr_loader_stats", &b, sizeof(b), err);
}

/* --- as text --- */

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* Fidelities up to the highest that was delivered. */
static size_t fidelity_count(const struct pcr_loader_stats *s)
{
    size_t n = FIDELITIES;
    while (n && !s->fidelity_counts[n - 1])
        n--;
    return n;
}

static int put_json(const struct pcr_loader_stats *s, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < FIELD_COUNT; i++)
        rc = pcri_print(out, err, "%s\"%s\": %" PRIu64, i ? ", " : "{", fields[i].name,
                        get(s, &fields[i]));
    if (!rc)
        rc = pcri_print(out, err, ", \"fidelity_counts\": [");
    for (size_t g = 0; !rc && g < fidelity_count(s); g++)
        rc = pcri_print(out, err, "%s%" PRIu64, g ? ", " : "", s->fidelity_counts[g]);
    return rc ? rc : pcri_print(out, err, "]}\n");
}

static int put_metric(const struct pcr_loader_stats *s, const struct stats_field *f,
                      const char *labels, struct pcr_buffer *out, struct pcr_error *err)
{
    uint64_t v = get(s, f);
    int rc = pcri_print(
        out, err, "# HELP pcr_loader_%s %s\n# TYPE pcr_loader_%s %s\npcr_loader_%s", f->metric,
        f->help, f->metric, f->kind == GAUGE ? "gauge" : "counter", f->metric);
    if (!rc && labels && *labels && !(rc = pcri_print(out, err, "{")) &&
        !(rc = pcri_buffer_append(out, labels, strlen(labels), err)))
        rc = pcri_print(out, err, "}");
    if (rc)
        return rc;
    if (f->kind == TIME) /* exact, without floating point */
        return pcri_print(out, err, " %" PRIu64 ".%09" PRIu64 "\n", v / 1000000000,
                          v % 1000000000);
    return pcri_print(out, err, " %" PRIu64 "\n", v);
}

/* The histogram: a line for each fidelity. */
static int put_fidelities(const struct pcr_loader_stats *s, const char *labels,
                          struct pcr_buffer *out, struct pcr_error *err)
{
    static const char metric[] = "pcr_loader_fidelity_samples_total";
    const char *more = labels && *labels ? labels : "";
    int rc = pcri_print(out, err,
                        "# HELP %s Samples delivered at a fidelity.\n# TYPE %s counter\n",
                        metric, metric);
    for (size_t g = 0; !rc && g < fidelity_count(s); g++) {
        rc = pcri_print(out, err, "%s{", metric);
        if (!rc)
            rc = pcri_buffer_append(out, more, strlen(more), err);
        if (!rc)
            rc = pcri_print(out, err, "%sfidelity=\"%zu\"} %" PRIu64 "\n", *more ? "," : "",
                            g + 1, s->fidelity_counts[g]);
    }
    return rc;
}

static int put_fidelity_lines(const struct pcr_loader_stats *s, struct pcr_buffer *out,
                              struct pcr_error *err)
{
    const double count = (double) s->sample_count;
    int rc = pcri_print(out, err, "fidelity ");
    for (size_t g = 0; !rc && g < fidelity_count(s); g++)
        if (s->fidelity_counts[g])
            rc = pcri_print(out, err, " %zu: %.1f%%", g + 1,
                            100 * ratio((double) s->fidelity_counts[g], count));
    if (!rc)
        rc = pcri_print(out, err, "; %.1f%% of the bytes of full fidelity\n",
                        100 * ratio((double) s->delivered_nbytes, (double) s->full_nbytes));
    if (!rc && s->quality_count)
        rc = pcri_print(out, err, "quality   %.4f predicted on average, %.4f at least\n",
                        ratio((double) s->quality_sum_ppm * 1e-6, (double) s->quality_count),
                        (double) s->quality_least_ppm * 1e-6);
    return rc;
}

static double seconds(uint64_t ns)
{
    return (double) ns * 1e-9;
}

/* What to look at first, judging only by the shares of time. */
static const char *limit(const struct pcr_loader_stats *s)
{
    if (!s->batch_count)
        return "nothing was delivered yet";
    if (s->consumer_wait_ns < s->elapsed_ns / 20)
        return "the consumer: a batch is ready when it asks";
    /* Of the same threads' time. */
    uint64_t read_ns = s->bytes_wait_ns + (s->reader_count ? 0 : s->read_ns);
    if (read_ns > s->decode_ns)
        return "storage: a lower fidelity or faster storage helps";
    return "decoding: a lower fidelity or more CPUs help";
}

static int put_table(const struct pcr_loader_stats *s, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    double time = seconds(s->elapsed_ns), samples = (double) s->sample_count;
    double percent = 100 * ratio(1, (double) s->elapsed_ns * s->thread_count);
    uint64_t known = s->room_wait_ns + s->bytes_wait_ns;
    int rc = pcri_print(out, err, "time      %.1f s\n", time);
    if (!rc)
        rc = pcri_print(out, err,
                        "samples   %" PRIu64 ", %.1f per second; %" PRIu64
                        " replaced, %" PRIu64 " degraded\n",
                        s->sample_count, ratio(samples, time), s->replaced_count,
                        s->degraded_count);
    if (!rc)
        rc = pcri_print(out, err,
                        "batches   %" PRIu64 " handed out; %u ready, %u begun, "
                        "%u held by the consumer\n",
                        s->batch_count, (unsigned) s->batches_ready,
                        (unsigned) (s->batches_open - s->batches_ready),
                        (unsigned) s->batches_held);
    if (!rc)
        rc = pcri_print(
            out, err,
            "read      %.1f MB, %.1f MB/s; %.0f bytes per sample, "
            "%" PRIu64 " reads; %.1f MB in memory; %.1f MB more for the next epoch\n",
            (double) s->read_nbytes * 1e-6, ratio((double) s->read_nbytes * 1e-6, time),
            ratio((double) s->read_nbytes, samples), s->read_count,
            (double) s->held_nbytes * 1e-6, (double) s->ahead_nbytes * 1e-6);
    if (!rc)
        rc = pcri_print(out, err,
                        "threads   %u: %.1f%% decoding, waiting %.1f%% for "
                        "room, %.1f%% for bytes, %.1f%% for other work\n",
                        (unsigned) s->thread_count, percent * (double) s->decode_ns,
                        percent * (double) s->room_wait_ns,
                        percent * (double) s->bytes_wait_ns,
                        percent * (double) (s->idle_ns > known ? s->idle_ns - known : 0));
    uint32_t readers = s->reader_count ? s->reader_count : s->thread_count;
    if (!rc)
        rc = pcri_print(out, err, "readers   %u%s: %.1f%% reading\n", (unsigned) readers,
                        s->reader_count ? "" : ", the same threads",
                        100 * ratio((double) s->read_ns, (double) s->elapsed_ns * readers));
    if (!rc)
        rc = pcri_print(out, err, "consumer  waited %.1f s, %.1f%% of the time\n",
                        seconds(s->consumer_wait_ns),
                        100 * ratio((double) s->consumer_wait_ns, (double) s->elapsed_ns));
    if (!rc && s->full_nbytes)
        rc = put_fidelity_lines(s, out, err);
    if (!rc && (s->profile_converted_count || s->profile_unusable_count))
        rc = pcri_print(out, err,
                        "profiles  %" PRIu64 " samples converted to sRGB, %" PRIu64
                        " with one that cannot be used\n",
                        s->profile_converted_count, s->profile_unusable_count);
    return rc ? rc : pcri_print(out, err, "limit     %s\n", limit(s));
}

int pcr_loader_stats_text(const struct pcr_loader_stats *stats, uint32_t form,
                          const char *labels, struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_loader_stats s;
    int rc = copy_in(stats, &s, err);
    if (rc)
        return rc;
    if (!out || form > PCR_STATS_PROMETHEUS || (labels && form != PCR_STATS_PROMETHEUS))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "out is NULL, form %u is not known, or labels are given without "
                         "PROMETHEUS",
                         (unsigned) form);
    out->nbytes = 0;
    switch (form) {
    case PCR_STATS_JSON:
        rc = put_json(&s, out, err);
        break;
    case PCR_STATS_PROMETHEUS:
        for (size_t i = 0; !rc && i < FIELD_COUNT; i++)
            rc = put_metric(&s, &fields[i], labels, out, err);
        if (!rc)
            rc = put_fidelities(&s, labels, out, err);
        break;
    default:
        rc = put_table(&s, out, err);
    }
    if (!rc && !(rc = pcri_buffer_append(out, "", 1, err)))
        out->nbytes--;
    return rc;
}
