/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, medians and input images of the benchmarks. */
#include "bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pcr/pcr.h>

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

int bench_entropy(const struct pcri_coding *coding, void *state, const struct pcr_spans *spans,
                  const struct pcr_limits *limits, double *seconds_out, struct pcr_error *err)
{
    const struct pcri_block_decoder *d = coding->decoder;
    const struct pcri_block_source *s = NULL;
    double t = bench_cpu();
    int rc = d->begin(state, spans, limits, NULL, &s, err);
    if (!rc)
        rc = d->run(state, err);
    for (uint32_t i = 0; !rc && s->advance && i < s->file->component_count; i++)
        s->advance(s->state, i, s->planes[i].row_end);
    if (!rc)
        rc = d->finish(state, err);
    *seconds_out = bench_cpu() - t;
    return rc;
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
    if (pcr_source_open(folder, NULL, &source, &err)) {
        fprintf(stderr, "bench: %s\n", err.message);
        return -1;
    }
    int rc = 0;
    uint64_t n = source->sample_count;
    for (size_t i = 0; !rc && i < count && i < n; i++) {
        uint64_t pick = count < n ? i * n / count : i;
        rc = source->load(source->context, pick, UINT64_C(1) << 30, &out->files[i], &err);
        out->nbytes += out->files[i].nbytes;
        out->count += !rc;
    }
    if (rc)
        fprintf(stderr, "bench: %s\n", err.message);
    pcr_source_close(&source);
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

enum { MADE_COUNT = 512 };

static int describe_made(void *context, uint64_t index, struct pcr_source_sample *out,
                         struct pcr_error *err)
{
    static char keys[MADE_COUNT][16];
    (void) context;
    (void) err;
    snprintf(keys[index], sizeof(keys[index]), "%04u", (unsigned) index);
    out->key = keys[index];
    return 0;
}

static int load_made(void *context, uint64_t index, uint64_t max_nbytes,
                     struct pcr_buffer *out, struct pcr_error *err)
{
    (void) context;
    (void) max_nbytes;
    return pcr_gen_photo_of(index, PCR_GEN_NO_CLASS, 500, 375, 90, PCR_GEN_420, false, out,
                            err);
}

int bench_dataset_make(char *folder, struct pcr_error *err)
{
    const struct pcr_source source = {
        .size = sizeof(source),
        .sample_count = MADE_COUNT,
        .describe = describe_made,
        .load = load_made,
    };
    const struct pcr_write_options o = { .size = sizeof(o), .record_samples = 128 };
    if (!mkdtemp(folder)) {
        snprintf(err->message, sizeof(err->message), "cannot make %s", folder);
        return PCR_ERR_IO;
    }
    return pcr_dataset_write(folder, &source, &o, NULL, err);
}

void bench_dataset_remove(const char *folder)
{
    char path[512];
    DIR *d = opendir(folder);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (unlink(path))
            perror(path);
    }
    closedir(d);
    if (rmdir(folder))
        perror(folder);
}
