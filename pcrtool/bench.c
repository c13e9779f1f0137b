/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool bench: what a loader delivers, by fidelity, backend and threads. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "measure.h"
#include "output.h"

struct bench_settings {
    const char *split;
    uint64_t fidelity, threads, seconds, size_px, throttle;
    uint32_t backend; /* a word of BACKENDS, from 1 */
    bool cold, json;
};

#define BACKENDS "auto|pread|mmap|uring|direct|all"
static const char *const backend_names[] = { "auto", "pread", "mmap", "uring", "direct" };
enum { BACKEND_COUNT = sizeof(backend_names) / sizeof(backend_names[0]) };

struct bench {
    const struct pcrtool_command *command;
    const struct bench_settings *set;
    struct pcrtool_part part;
    uint32_t fidelity_first, fidelity_last;
    uint32_t backend_first, backend_last;
    uint32_t threads[2];
    uint32_t threads_count;
    json_t *rows; /* NULL: a table */
    bool pages_stay;
};

/* Decides what to measure: everything unless something was asked for. */
static int plan(struct bench *b, const struct pcrtool_input *in)
{
    int rc = pcrtool_input_fidelity(in, b->set->fidelity, &b->fidelity_last);
    b->fidelity_first = b->set->fidelity ? b->fidelity_last : 1;
    if (b->set->backend == BACKEND_COUNT + 1) {
        b->backend_first = PCR_IO_PREAD;
        b->backend_last = BACKEND_COUNT - 1;
    } else if (b->set->backend) {
        b->backend_first = b->backend_last = b->set->backend - 1;
    }
    b->threads[0] = b->set->threads ? (uint32_t) b->set->threads : 1;
    b->threads[1] = 0;
    b->threads_count = !b->set->threads && pcrtool_system().cpu_count > 1 ? 2 : 1;
    return rc;
}

static void print_head(const struct bench *b, const char *path)
{
    char size[PCRTOOL_SIZE_NBYTES];
    pcrtool_print_name(stdout, path, strlen(path));
    printf(": %" PRIu64 " samples, %s; random crops to %" PRIu64 " px, %s%s\n\n",
           b->part.index_count, pcrtool_size(size, b->part.nbytes[b->part.group_count]),
           b->set->size_px ? b->set->size_px : 224,
           b->set->cold ? "not cached at first" : "cached",
           b->set->throttle ? ", reading throttled" : "");
    printf("%8s %8s %8s %10s %9s %12s %13s\n", "fidelity", "backend", "threads", "images/s",
           "MB/s", "bytes/image", "CPU ms/image");
}

static void report(struct bench *b, const struct pcrtool_case *c, const struct pcrtool_rate *r)
{
    double images = pcrtool_rate_images(r);
    double nbytes = pcrtool_part_sample_nbytes(&b->part, c->fidelity);
    double cpu_ms = r->sample_count ? 1e3 * r->cpu_seconds / (double) r->sample_count : 0;
    b->pages_stay |= r->pages_stay;
    if (!b->rows) {
        printf("%8" PRIu32 " %8s %8" PRIu32 " %10.0f %9.1f %12.0f %13.3f\n", c->fidelity,
               backend_names[c->io_backend], r->threads, images, images * nbytes * 1e-6,
               nbytes, cpu_ms);
        fflush(stdout);
        return;
    }
    json_array_append_new(
        b->rows,
        json_pack("{sI ss sI sf sf sf sf sI sf}", "fidelity", (json_int_t) c->fidelity,
                  "backend", backend_names[c->io_backend], "threads", (json_int_t) r->threads,
                  "images_per_second", images, "nbytes_per_second", images * nbytes,
                  "nbytes_per_image", nbytes, "cpu_ms_per_image", cpu_ms, "sample_count",
                  (json_int_t) r->sample_count, "seconds", r->seconds));
}

static int measure(struct bench *b, struct pcr_error *err)
{
    const struct bench_settings *set = b->set;
    for (uint32_t g = b->fidelity_first; g <= b->fidelity_last; g++)
        for (uint32_t backend = b->backend_first; backend <= b->backend_last; backend++)
            for (uint32_t i = 0; i < b->threads_count; i++) {
                const struct pcrtool_case c = {
                    .fidelity = g,
                    .threads = b->threads[i],
                    .readers = true,
                    .io_backend = backend,
                    .size_px = (uint32_t) set->size_px,
                    .cold = set->cold,
                    .seconds = set->seconds ? (double) set->seconds : 1,
                };
                struct pcrtool_rate rate;
                int rc = pcrtool_measure_loader(&b->part, &c, &rate, err);
                if (rc)
                    return rc;
                report(b, &c, &rate);
            }
    return 0;
}

static int finish(const struct bench *b, const char *path)
{
    if (b->pages_stay)
        pcrtool_error(b->command, "--cold: pages stayed in memory (the file system is in "
                                  "memory, or another program uses the files)");
    if (!b->rows)
        return PCRTOOL_DONE;
    json_t *root = json_pack("{sI sI sI sb sb sO}", "throttle_nbytes_per_second",
                             (json_int_t) b->set->throttle, "sample_count",
                             (json_int_t) b->part.index_count, "size_px",
                             (json_int_t) (b->set->size_px ? b->set->size_px : 224), "cold",
                             b->set->cold, "pages_stayed", b->pages_stay, "rates", b->rows);
    pcrtool_json_set_text(root, "path", path, strlen(path));
    return pcrtool_print_json(b->command, root);
}

static int run_bench(const struct pcrtool_args *args)
{
    const struct bench_settings *set = args->settings;
    struct bench b = { .command = args->command, .set = set };
    struct pcrtool_input in;
    struct pcr_error err;
    int rc = pcrtool_input_open(&in, args->command, args->operands[0], set->split, NULL, NULL);
    if (rc)
        return rc;
    rc = plan(&b, &in);
    if (!rc)
        rc = pcrtool_part_choose(&b.part, &in, args->operands[0], set->split);
    b.part.throttle_nbytes_s = set->throttle;
    if (!rc) {
        b.rows = set->json ? json_array() : NULL;
        if (!set->json)
            print_head(&b, args->operands[0]);
        if (set->json && !b.rows)
            rc = pcrtool_print_json(args->command, NULL);
    }
    if (!rc) {
        rc = measure(&b, &err) ? pcrtool_failed(args->command, &err)
                               : finish(&b, args->operands[0]);
    }
    json_decref(b.rows);
    pcrtool_part_free(&b.part);
    pcrtool_input_close(&in);
    return rc;
}

#define SETTING(member) .offset = offsetof(struct bench_settings, member)

static const struct pcrtool_option options[] = {
    { "fidelity", "G", "only this fidelity", PCRTOOL_NUMBER, SETTING(fidelity), .letter = 'f',
      .min = 1, .max = PCRTOOL_MAX_FIDELITY },
    { "threads", "N", "threads that decode; default: 1, then one for each CPU", PCRTOOL_NUMBER,
      SETTING(threads), .min = 1, .max = 1024 },
    { "io", "BACKEND", BACKENDS, PCRTOOL_CHOICE, SETTING(backend), .words = BACKENDS },
    { "cold", NULL,
      "drop the dataset's pages from memory before each epoch, so that\n"
      "storage is measured",
      PCRTOOL_FLAG, SETTING(cold) },
    { "throttle", "SIZE", "read at most SIZE per second, such as 50M, as from slower storage",
      PCRTOOL_SIZE, SETTING(throttle), .min = 100000 },
    { "seconds", "N", "time for each line of the table; default 1", PCRTOOL_NUMBER,
      SETTING(seconds), .min = 1, .max = 3600 },
    { "size", "PX", "height and width of the output; default 224", PCRTOOL_NUMBER,
      SETTING(size_px), .min = 1, .max = 65536 },
    { "split", "NAME", "only this split", PCRTOOL_TEXT, SETTING(split) },
    { "json", NULL, "print JSON", PCRTOOL_FLAG, SETTING(json) },
    { 0 },
};

const struct pcrtool_command pcrtool_bench = {
    .name = "bench",
    .summary = "Measure what a loader delivers, by fidelity, backend and threads",
    .operands = "DATASET",
    .description =
        "Each line is a separate loader that makes random crops with antialiased resizing\n"
        "and flips. In addition to the threads that decode, others only read, as many as\n"
        "help; this is the loader's default. From large datasets it uses records of about\n"
        "256 MiB, spread evenly. MB are 10^6 bytes of images; CPU is user and system time\n"
        "of all threads. Bad samples are skipped.\n",
    .examples = "  pcrtool bench photos.pcr\n"
                "  pcrtool bench photos.pcr --fidelity 2 --threads 8 --seconds 5\n"
                "  pcrtool bench photos.pcr --throttle 50M\n"
                "  pcrtool bench photos.pcr --cold --io all --json\n",
    .options = options,
    .settings_nbytes = sizeof(struct bench_settings),
    .operand_min = 1,
    .operand_max = 1,
    .run = run_bench,
};
