/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding by fidelity, against libjpeg-turbo's decode of the baseline original, and the
 * original itself by our own decoder.
 *
 * usage: bench-decode [FOLDER [COUNT]]
 *
 * For each image, and each fidelity of the default ladder: CPU time of the pixel decode
 * (pcr_decoder) and of our own entropy stage alone, as ratios to the pixel decode of the
 * original file; medians over the images, each the least of three runs. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "image/image.h"
#include "jpeg/coder.h"
#include "jpeg/ladder.h"
#include "jpeg/prefix.h"

enum { RUNS = 3, MAX_GROUPS = PCRI_LADDER_MAX_GROUPS };

struct bench {
    struct pcr_ladder *ladder;
    struct pcri_coder *coder;
    struct pcr_decoder *decoder;
    void *turbo; /* libjpeg-turbo's decoder */
    struct pcri_prefix prefix;
    struct pcr_limits limits;
    struct pcr_buffer pixels, file;
    struct pcr_error err;
    double *pixel[MAX_GROUPS], *entropy[MAX_GROUPS], *bytes[MAX_GROUPS];
    double *original, *original_pixel, *original_entropy; /* libjpeg-turbo's, ours */
    size_t done;
};

static int decode(struct bench *b, const struct pcr_buffer *file, double *out)
{
    *out = 1e9;
    for (int run = 0; run < RUNS; run++) {
        struct pcr_image_info info;
        double t = bench_cpu();
        int rc = pcr_decoder_decode_alloc(b->decoder, file->data, file->nbytes, NULL,
                                          &b->pixels, &info, &b->err);
        t = bench_cpu() - t;
        if (rc)
            return rc;
        *out = t < *out ? t : *out;
    }
    return 0;
}

static int decode_turbo(struct bench *b, const struct pcr_buffer *file, double *out)
{
    struct pcri_decode_params params = { PCR_COLOR_RGB, b->limits };
    *out = 1e9;
    for (int run = 0; run < RUNS; run++) {
        struct pcri_stored_info info;
        double t = bench_cpu();
        int rc = pcri_codec_turbo.begin(b->turbo, file->data, file->nbytes, &params, &info,
                                        &b->err);
        size_t row = 3 * (size_t) info.width;
        if (!rc)
            rc = pcri_buffer_reserve(&b->pixels, row * info.height, &b->err);
        if (!rc)
            rc = pcri_codec_turbo.rows(b->turbo, b->pixels.data, row, &b->err);
        pcri_codec_turbo.end(b->turbo);
        t = bench_cpu() - t;
        if (rc)
            return rc;
        *out = t < *out ? t : *out;
    }
    return 0;
}

static int entropy(struct bench *b, const struct pcr_buffer *file, double *out)
{
    *out = 1e9;
    for (int run = 0; run < RUNS; run++) {
        double t = bench_cpu();
        int rc = pcri_prefix_decode(&b->prefix, file->data, file->nbytes, &b->limits,
                                    &b->err);
        t = bench_cpu() - t;
        if (rc)
            return rc;
        *out = t < *out ? t : *out;
    }
    return 0;
}

static int add(struct bench *b, const void *p, size_t nbytes)
{
    return pcri_buffer_append(&b->file, p, nbytes, &b->err);
}

static int one_image(struct bench *b, const struct pcr_buffer *original)
{
    struct pcri_packed packed;
    int rc = pcri_coder_pack(b->coder, NULL, original->data, original->nbytes, &packed,
                             &b->err);
    if (rc)
        return rc;
    rc = decode_turbo(b, original, &b->original[b->done]);
    if (!rc)
        rc = decode(b, original, &b->original_pixel[b->done]);
    if (!rc)
        rc = entropy(b, original, &b->original_entropy[b->done]);
    const uint8_t *s = packed.strings.data, *p = packed.bytes.data;
    b->file.nbytes = 0;
    for (uint32_t i = 0; !rc && i < packed.item_count; s += packed.items[i++].nbytes)
        rc = add(b, s, packed.items[i].nbytes);
    uint32_t piece = 0;
    for (uint32_t g = 0; !rc && g < b->ladder->group_count; g++) {
        for (uint32_t k = 0; !rc && k < b->ladder->piece_counts[g]; k++, piece++) {
            rc = add(b, s, packed.pieces[piece].string_nbytes);
            if (!rc)
                rc = add(b, p, packed.pieces[piece].nbytes);
            s += packed.pieces[piece].string_nbytes;
            p += packed.pieces[piece].nbytes;
        }
        if (!rc)
            rc = add(b, "\xFF\xD9", 2);
        if (!rc)
            rc = decode(b, &b->file, &b->pixel[g][b->done]);
        if (!rc)
            rc = entropy(b, &b->file, &b->entropy[g][b->done]);
        b->bytes[g][b->done] = 100.0 * (double) b->file.nbytes / (double) original->nbytes;
        b->file.nbytes -= rc ? 0 : 2;
    }
    pcri_packed_free(&packed);
    b->done += !rc;
    return rc;
}

static void report(struct bench *b)
{
    size_t n = b->done;
    for (size_t i = 0; i < n; i++) {
        b->original_pixel[i] /= b->original[i];
        b->original_entropy[i] /= b->original[i];
    }
    for (uint32_t g = 0; g < b->ladder->group_count; g++)
        for (size_t i = 0; i < n; i++) {
            b->pixel[g][i] /= b->original[i];
            b->entropy[g][i] /= b->original[i];
        }
    printf("%zu images; libjpeg-turbo, original file to RGB: %.3f ms\n", n,
           1e3 * bench_median(b->original, n));
    printf("fidelity  %% of bytes  to RGB  entropy stage (ratios to the original's decode)\n");
    for (uint32_t g = 0; g < b->ladder->group_count; g++)
        printf("%8u  %10.1f  %6.3f  %13.3f\n", (unsigned) g + 1,
               bench_median(b->bytes[g], n), bench_median(b->pixel[g], n),
               bench_median(b->entropy[g], n));
    printf("original         100.0  %6.3f  %13.3f\n", bench_median(b->original_pixel, n),
           bench_median(b->original_entropy, n));
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    struct bench_images images;
    size_t count = argc > 2 ? (size_t) atol(argv[2]) : 60, failed = 0;
    if (bench_images_load(argc > 1 ? argv[1] : NULL, count, &images))
        return 1;
    pcri_limits_fill(&b.limits);
    b.original = calloc(count, sizeof(double));
    b.original_pixel = calloc(count, sizeof(double));
    b.original_entropy = calloc(count, sizeof(double));
    if (!b.original || !b.original_pixel || !b.original_entropy
        || pcr_ladder_builtin(NULL, &b.ladder, &b.err)
        || pcri_coder_create(b.ladder, NULL, &b.coder, &b.err)
        || pcr_decoder_create(&b.decoder, &b.err)
        || pcri_codec_turbo.create(&b.turbo, &b.err))
        return 1;
    for (uint32_t g = 0; g < b.ladder->group_count; g++)
        if (!(b.pixel[g] = calloc(count, sizeof(double)))
            || !(b.entropy[g] = calloc(count, sizeof(double)))
            || !(b.bytes[g] = calloc(count, sizeof(double))))
            return 1;
    for (size_t i = 0; i < images.count; i++)
        if (one_image(&b, &images.files[i])) {
            fprintf(stderr, "image %zu: %s\n", i, b.err.message);
            failed++;
        }
    report(&b);
    for (uint32_t g = 0; g < b.ladder->group_count; g++) {
        free(b.pixel[g]);
        free(b.entropy[g]);
        free(b.bytes[g]);
    }
    free(b.original);
    free(b.original_pixel);
    free(b.original_entropy);
    pcri_codec_turbo.destroy(b.turbo);
    pcr_buffer_free(&b.pixels);
    pcr_buffer_free(&b.file);
    pcri_prefix_free(&b.prefix);
    pcr_decoder_destroy(&b.decoder);
    pcri_coder_destroy(&b.coder);
    pcr_ladder_destroy(&b.ladder);
    bench_images_free(&images);
    return failed != 0;
}
