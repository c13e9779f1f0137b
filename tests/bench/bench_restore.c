/* SPDX-License-Identifier: BSD-2-Clause */
/* Restoring source files: megabytes of them a second of one core, by coding.
 *
 * usage: bench-restore [FOLDER]   generated photographs, or 64 of the images in the folder
 *
 * A dataset is made of them, with all originals. Each sample is restored from the page cache, with
 * reading and checks (pcr_sample_original()); the control is the decoding of its coefficients
 * alone, which restoring begins with, and which is no part of the writer. They take turns: medians
 * of nine. */
#include <stdio.h>
#include <stdlib.h>

#include <pcr/dataset.h>
#include <pcr/image.h>
#include <pcr/writer.h>

#include "bench.h"
#include "coding/codings.h"

enum { ROUNDS = 9, IMAGES = 64, KEY_NBYTES = 16 };

enum way { RESTORE, ENTROPY, WAYS };
static const char *const names[] = { "restored", "coefficients alone" };

static char keys[IMAGES][KEY_NBYTES];

static int describe(void *context, uint64_t index, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    (void) context;
    (void) err;
    snprintf(keys[index], KEY_NBYTES, "%04u", (unsigned) index);
    out->key = keys[index];
    return 0;
}

static int load(void *context, uint64_t index, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err)
{
    const struct bench_images *images = context;
    (void) max_nbytes;
    return pcri_buffer_append(out, images->files[index].data, images->files[index].nbytes,
                              err);
}

struct bench {
    struct pcr_dataset *ds;
    struct pcr_slice *slice;
    struct pcr_decoder *decoder;
    const struct pcri_coding *coding;
    void *state;
    struct pcr_limits limits;
    struct pcr_buffer file;
    struct pcr_spans spans;
    struct pcr_error err;
};

static int open_dataset(struct bench *b, const char *folder, uint32_t count)
{
    int rc = pcr_dataset_open(folder, NULL, &b->ds, &b->err);
    if (!rc)
        rc = pcr_slice_read(b->ds, 0, 0, count, 0, &b->slice, &b->err);
    if (!rc)
        rc = pcr_decoder_create(&b->decoder, &b->err);
    if (!rc)
        rc = b->coding->decoder->create(&b->state, &b->err);
    pcri_limits_fill(&b->limits);
    return rc;
}

/* One sample, one way; *seconds_out is its CPU time. */
static int run(struct bench *b, enum way way, uint32_t i, double *seconds_out)
{
    struct pcr_sample *s = NULL;
    if (way == ENTROPY) {
        int rc = pcr_slice_spans(b->slice, i, 0, 0, &b->spans, &b->err);
        return rc ? rc
                  : bench_entropy(b->coding, b->state, &b->spans, &b->limits, seconds_out,
                                  &b->err);
    }
    const double start = bench_cpu();
    int rc = pcr_sample_acquire(b->ds, i, &s, &b->err);
    if (!rc)
        rc = pcr_sample_original(s, b->decoder, &b->file, &b->err);
    pcr_sample_release(&s);
    *seconds_out = bench_cpu() - start;
    return rc;
}

static int measure(struct bench *b, const struct bench_images *images)
{
    double seconds[WAYS][ROUNDS] = { 0 }, one;
    int rc = 0;
    for (int round = 0; round < ROUNDS; round++)
        for (int way = 0; way < WAYS && !rc; way++)
            for (uint32_t i = 0; i < images->count && !rc; i++) {
                rc = run(b, (enum way) way, i, &one);
                seconds[way][round] += one;
            }
    for (int way = 0; way < WAYS && !rc; way++)
        printf("%-8s %-19s %6.1f MB/s\n", b->coding->name, names[way],
               (double) images->nbytes / bench_median(seconds[way], ROUNDS) * 1e-6);
    return rc;
}

static int bench(const struct pcri_coding *coding, struct bench_images *images)
{
    char folder[] = "/tmp/bench-restore-XXXXXX";
    const struct pcr_source source = { .size = sizeof(source),
                                       .context = images,
                                       .sample_count = images->count,
                                       .describe = describe,
                                       .load = load };
    const struct pcr_write_options o = { .size = sizeof(o),
                                         .flags = PCR_WRITE_NO_SHUFFLE,
                                         .coding = coding->number,
                                         .originals = PCR_ORIGINALS_ON };
    struct bench b = { .coding = coding };
    if (!mkdtemp(folder))
        return -1;
    int rc = pcr_dataset_write(folder, &source, &o, NULL, &b.err);
    if (!rc)
        rc = open_dataset(&b, folder, (uint32_t) images->count);
    if (!rc)
        rc = measure(&b, images);
    if (rc)
        fprintf(stderr, "bench-restore: %s\n", b.err.message);
    coding->decoder->destroy(b.state);
    pcr_spans_free(&b.spans);
    pcr_buffer_free(&b.file);
    pcr_decoder_destroy(&b.decoder);
    pcr_slice_release(&b.slice);
    pcr_dataset_close(&b.ds);
    bench_dataset_remove(folder);
    return rc;
}

int main(int argc, char **argv)
{
    struct bench_images images;
    int rc = bench_images_load(argc > 1 ? argv[1] : NULL, IMAGES, &images);
    for (int i = 0; pcri_codings[i] && !rc; i++)
        rc = bench(pcri_codings[i], &images);
    bench_images_free(&images);
    return rc != 0;
}
