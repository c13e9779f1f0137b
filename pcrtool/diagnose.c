/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures a dataset's stages on this machine, and says what limits. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "diagnose.h"
#include "measure.h"
#include "model.h"
#include "output.h"

struct rates {
    double one_thread, storage_nbytes; /* images/s; bytes/s */
};

struct diagnose {
    const struct pcrtool_command *command;
    const struct pcrtool_plan *plan;
    struct pcrtool_part part;
    struct rates rates[PCRTOOL_MAX_FIDELITY + 1];
    struct pcrtool_stages stages[PCRTOOL_MAX_FIDELITY + 1];
    double nbytes[PCRTOOL_MAX_FIDELITY + 1]; /* of an image */
    uint32_t threads;
    uint64_t total_nbytes, memory_nbytes; /* at the plan's fidelity; available */
    double consumer;
    bool pages_stay;
};

/* --- measuring --- */

static int measure_fidelity(struct diagnose *d, uint32_t g, struct pcr_error *err)
{
    struct pcrtool_case c = {
        .fidelity = g, .size_px = d->plan->size_px, .threads = 1, .seconds = d->plan->seconds
    };
    struct pcrtool_rate one, all, reads = { 0 };
    int rc = pcrtool_measure_loader(&d->part, &c, &one, err);
    c.threads = d->threads;
    c.readers = true;
    if (rc || (rc = pcrtool_measure_loader(&d->part, &c, &all, err)))
        return rc;
    double storage = (double) d->plan->storage / d->nbytes[g];
    if (!d->plan->storage) {
        c.cold = true;
        if ((rc = pcrtool_measure_reads(&d->part, &c, &reads, err)))
            return rc;
        storage = pcrtool_rate_images(&reads);
        d->pages_stay |= reads.pages_stay;
    }
    d->rates[g] = (struct rates) { pcrtool_rate_images(&one), storage * d->nbytes[g] };
    d->stages[g] = (struct pcrtool_stages) {
        .decode = pcrtool_rate_images(&all),
        .storage = storage,
        .consumer = d->consumer,
    };
    return 0;
}

/* The rate of a consumer, from its loader's counts: it was at work whenever it did
 * not wait. */
static int read_consumer(struct diagnose *d)
{
    json_error_t error;
    json_t *root = json_load_file(d->plan->stats_path, 0, &error);
    if (!root) {
        pcrtool_error(d->command, "--stats %s: %s", d->plan->stats_path,
                      pcrtool_json_failed() ? strerror(ENOMEM) : error.text);
        return PCRTOOL_FAILED;
    }
    double samples = json_number_value(json_object_get(root, "sample_count"));
    double busy = json_number_value(json_object_get(root, "elapsed_ns")) -
                  json_number_value(json_object_get(root, "consumer_wait_ns"));
    json_decref(root);
    if (samples <= 0 || busy <= 0) {
        pcrtool_error(d->command,
                      "--stats %s: expected sample_count, elapsed_ns and consumer_wait_ns, "
                      "as in Loader.stats().to_json() after training",
                      d->plan->stats_path);
        return PCRTOOL_FAILED;
    }
    d->consumer = samples / (busy * 1e-9);
    return PCRTOOL_DONE;
}

/* Memory that the page cache may take. */
static uint64_t available_memory(void)
{
    char line[128];
    uint64_t kb = 0;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "MemAvailable: %" SCNu64, &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb << 10;
}

static int measure_all(struct diagnose *d)
{
    char line[80];
    struct pcr_error err;
    for (uint32_t g = 1; g <= d->part.group_count; g++) {
        snprintf(line, sizeof(line), "measuring fidelity %" PRIu32 " of %" PRIu32, g,
                 d->part.group_count);
        pcrtool_progress(line);
        d->nbytes[g] = pcrtool_part_sample_nbytes(&d->part, g);
        if (measure_fidelity(d, g, &err))
            return pcrtool_failed(d->command, &err);
    }
    pcrtool_progress(NULL);
    return PCRTOOL_DONE;
}

/* --- telling --- */

/* The rate with `times` as many CPUs. */
static double predict_threads(const struct diagnose *d, uint32_t g, double times)
{
    struct pcrtool_stages s = d->stages[g];
    s.decode *= times;
    return pcrtool_predict(&s, NULL);
}

static double predict_cached(const struct diagnose *d, uint32_t g,
                             enum pcrtool_limit *limit_out)
{
    struct pcrtool_stages s = d->stages[g];
    s.storage = 0;
    return pcrtool_predict(&s, limit_out);
}

static void print_table(const struct diagnose *d)
{
    char threads[24];
    snprintf(threads, sizeof(threads), "%" PRIu32 " thread%s", d->threads,
             d->threads == 1 ? "" : "s");
    printf("\nRates in images/s, random crops to %" PRIu32 " px; storage %s\n"
           "%8s %9s %9s %9s %9s %9s | %11s %9s %9s  %s\n",
           d->plan->size_px ? d->plan->size_px : 224,
           d->plan->storage ? "as given" : "with nothing in memory", "fidelity", "bytes",
           "MB/s", "storage", "1 thread", threads, "delivered", "cached", "2x CPUs", "limit");
    for (uint32_t g = 1; g <= d->part.group_count; g++) {
        enum pcrtool_limit limit;
        double rate = pcrtool_predict(&d->stages[g], &limit);
        printf("%8" PRIu32 " %9.0f %9.1f %9.0f %9.0f %9.0f | %11.0f %9.0f %9.0f  %s\n", g,
               d->nbytes[g], 1e-6 * d->rates[g].storage_nbytes, d->stages[g].storage,
               d->rates[g].one_thread, d->stages[g].decode, rate, predict_cached(d, g, NULL),
               predict_threads(d, g, 2), pcrtool_limit_name(limit));
    }
    if (d->consumer > 0)
        printf("consumer %.0f images/s\n", d->consumer);
    if (d->pages_stay)
        printf(
            "Pages could not be dropped (the file system is in memory, or another program uses\n"
            "the files): the storage figures are those of memory.\n");
}

static json_t *json_rates(const struct diagnose *d)
{
    json_t *rows = json_array();
    for (uint32_t g = 1; g <= d->part.group_count; g++) {
        enum pcrtool_limit limit, cached;
        double rate = pcrtool_predict(&d->stages[g], &limit);
        double cached_rate = predict_cached(d, g, &cached);
        json_array_append_new(
            rows,
            json_pack("{sI sf sf sf sf sf sf sf sf ss ss}", "fidelity", (json_int_t) g,
                      "nbytes_per_image", d->nbytes[g], "storage_nbytes_per_second",
                      d->rates[g].storage_nbytes, "storage_images_per_second",
                      d->stages[g].storage, "decode_images_per_second_1_thread",
                      d->rates[g].one_thread, "decode_images_per_second", d->stages[g].decode,
                      "images_per_second", rate, "cached_images_per_second", cached_rate,
                      "images_per_second_2x_cpus", predict_threads(d, g, 2), "limit",
                      pcrtool_limit_name(limit), "cached_limit", pcrtool_limit_name(cached)));
    }
    return rows;
}

static void tell(const struct diagnose *d, json_t *object)
{
    char advice[2048];
    const struct pcrtool_diagnosis diagnosis = {
        .group_count = d->part.group_count,
        .fidelity = d->plan->fidelity,
        .threads = d->threads,
        .stages = d->stages,
        .nbytes = d->nbytes,
        .fits = !d->plan->storage && d->total_nbytes < d->memory_nbytes / 5 * 4,
    };
    pcrtool_explain(&diagnosis, advice, sizeof(advice));
    if (!object) {
        print_table(d);
        printf("\nAt fidelity %" PRIu32 ": %s", d->plan->fidelity, advice);
        return;
    }
    json_object_set_new(object, "rates", json_rates(d));
    json_object_set_new(object, "threads", json_integer((json_int_t) d->threads));
    json_object_set_new(object, "fidelity", json_integer((json_int_t) d->plan->fidelity));
    json_object_set_new(object, "fits_memory", json_boolean(diagnosis.fits));
    json_object_set_new(object, "pages_stayed", json_boolean(d->pages_stay));
    json_object_set_new(object, "advice", json_string(advice));
    if (d->consumer > 0)
        json_object_set_new(object, "consumer_images_per_second", json_real(d->consumer));
}

int pcrtool_diagnose(const struct pcrtool_input *in, const char *path,
                     const struct pcrtool_plan *plan, json_t *object)
{
    struct diagnose d = { .command = in->command,
                          .plan = plan,
                          .consumer = (double) plan->consumer };
    d.threads = plan->threads ? plan->threads : pcrtool_system().cpu_count;
    d.total_nbytes = pcr_dataset_prefix_nbytes(in->dataset, plan->fidelity);
    d.memory_nbytes = available_memory();
    int rc = plan->stats_path ? read_consumer(&d) : PCRTOOL_DONE;
    if (!rc)
        rc = pcrtool_part_choose(&d.part, in, path, NULL);
    if (!rc)
        rc = measure_all(&d);
    if (!rc)
        tell(&d, object);
    pcrtool_part_free(&d.part);
    return rc;
}
