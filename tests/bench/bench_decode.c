/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding by fidelity, against libjpeg-turbo's decode of the baseline original, and the
 * original itself by our own decoder.
 *
 * usage: bench-decode [FOLDER [COUNT]]
 *
 * For each image, and each fidelity of the default ladder: CPU time of decoding to RGB, of a
 * random window of 35% of the area, at half and a quarter of the size, to gray, and of our
 * own entropy stage alone, as ratios to libjpeg-turbo's decode of the original file to RGB;
 * medians over the images, each the least of three runs. */
#include <stdio.h>
#include <stdlib.h>

#include <pcr/image.h>

#include "base/random.h"
#include "bench.h"
#include "jpeg/coder.h"
#include "jpeg/ladder.h"
#include "jpeg/prefix.h"

enum { RUNS = 3, FILES = PCRI_LADDER_MAX_GROUPS + 1 }; /* fidelities, and the original */

enum way { RGB, CROP, HALF, QUARTER, GRAY, ENTROPY, WAYS };

static const char *const way_names[WAYS] = { "RGB", "crop", "1/2", "1/4", "gray", "entropy" };

struct bench {
    struct pcr_ladder *ladder;
    struct pcri_coder *coder;
    struct pcr_decoder *decoder;
    struct pcri_prefix prefix;
    struct pcr_limits limits;
    struct pcr_buffer pixels, file;
    struct pcr_error err;
    double *turbo, *bytes[FILES], *ratio[FILES][WAYS];
    size_t done;
};

static int decode(struct bench *b, const struct pcr_buffer *file,
                  const struct pcr_decode_options *opts, double *seconds_out)
{
    *seconds_out = 1e9;
    for (int run = 0; run < RUNS; run++) {
        struct pcr_image_info info;
        double t = bench_cpu();
        int rc = pcr_decoder_decode_alloc(b->decoder, file->data, file->nbytes, opts,
                                          &b->pixels, &info, &b->err);
        t = bench_cpu() - t;
        if (rc)
            return rc;
        *seconds_out = t < *seconds_out ? t : *seconds_out;
    }
    return 0;
}

static int entropy(struct bench *b, const struct pcr_buffer *file, double *seconds_out)
{
    *seconds_out = 1e9;
    for (int run = 0; run < RUNS; run++) {
        double t = bench_cpu();
        int rc = pcri_prefix_decode(&b->prefix, file->data, file->nbytes, &b->limits,
                                    &b->err);
        t = bench_cpu() - t;
        if (rc)
            return rc;
        *seconds_out = t < *seconds_out ? t : *seconds_out;
    }
    return 0;
}

/* A window of 35% of the picture's area, the same for all fidelities of an image. */
static int choose_window(struct bench *b, const struct pcr_buffer *file,
                         struct pcr_decode_options *o)
{
    struct pcr_image_info info;
    int rc = pcr_decoder_inspect(b->decoder, file->data, file->nbytes, NULL, &info, &b->err);
    if (rc)
        return rc;
    o->crop_width = (uint32_t) (info.width * 0.592);
    o->crop_height = (uint32_t) (info.height * 0.592);
    o->crop_width += !o->crop_width;
    o->crop_height += !o->crop_height;
    o->crop_x = (uint32_t) (pcri_unit(pcri_key(1, b->done, 0))
                            * (info.width - o->crop_width + 1));
    o->crop_y = (uint32_t) (pcri_unit(pcri_key(1, b->done, 1))
                            * (info.height - o->crop_height + 1));
    return 0;
}

/* Times all ways to decode `file`, which is row `at` of the report. */
static int one_file(struct bench *b, const struct pcr_buffer *file, uint32_t at)
{
    struct pcr_decode_options o[WAYS] = {
        [HALF] = { .scale = 4 },
        [QUARTER] = { .scale = 2 },
        [GRAY] = { .color = PCR_COLOR_GRAY },
    };
    double seconds;
    int rc = choose_window(b, file, &o[CROP]);
    for (int way = 0; !rc && way < WAYS; way++) {
        o[way].size = sizeof(o[way]);
        rc = way == ENTROPY ? entropy(b, file, &seconds) : decode(b, file, &o[way], &seconds);
        b->ratio[at][way][b->done] = seconds / b->turbo[b->done];
    }
    return rc;
}

static int add(struct bench *b, const void *p, size_t nbytes)
{
    return pcri_buffer_append(&b->file, p, nbytes, &b->err);
}

static int all_fidelities(struct bench *b, const struct pcri_packed *packed,
                          size_t original_nbytes)
{
    const uint8_t *s = packed->strings.data, *p = packed->bytes.data;
    int rc = 0;
    b->file.nbytes = 0;
    for (uint32_t i = 0; !rc && i < packed->item_count; s += packed->items[i++].nbytes)
        rc = add(b, s, packed->items[i].nbytes);
    uint32_t piece = 0;
    for (uint32_t g = 0; !rc && g < b->ladder->group_count; g++) {
        for (uint32_t k = 0; !rc && k < b->ladder->piece_counts[g]; k++, piece++) {
            rc = add(b, s, packed->pieces[piece].string_nbytes);
            if (!rc)
                rc = add(b, p, packed->pieces[piece].nbytes);
            s += packed->pieces[piece].string_nbytes;
            p += packed->pieces[piece].nbytes;
        }
        if (!rc)
            rc = add(b, "\xFF\xD9", 2);
        if (!rc)
            rc = one_file(b, &b->file, g);
        b->bytes[g][b->done] = 100.0 * (double) b->file.nbytes / (double) original_nbytes;
        b->file.nbytes -= rc ? 0 : 2;
    }
    return rc;
}

static int one_image(struct bench *b, const struct pcr_buffer *original)
{
    const struct pcr_decode_options turbo = { .size = sizeof(turbo),
                                              .with = PCR_DECODE_TURBO };
    struct pcri_packed packed;
    int rc = pcri_coder_pack(b->coder, NULL, original->data, original->nbytes, &packed,
                             &b->err);
    if (rc)
        return rc;
    rc = decode(b, original, &turbo, &b->turbo[b->done]);
    if (!rc)
        rc = one_file(b, original, b->ladder->group_count);
    b->bytes[b->ladder->group_count][b->done] = 100;
    if (!rc)
        rc = all_fidelities(b, &packed, original->nbytes);
    pcri_packed_free(&packed);
    b->done += !rc;
    return rc;
}

static void report(struct bench *b)
{
    size_t n = b->done;
    printf("%zu images; libjpeg-turbo, original file to RGB: %.3f ms; ratios to that\n", n,
           1e3 * bench_median(b->turbo, n));
    printf("fidelity  %% of bytes");
    for (int way = 0; way < WAYS; way++)
        printf("  %7s", way_names[way]);
    for (uint32_t at = 0; at <= b->ladder->group_count; at++) {
        if (at < b->ladder->group_count)
            printf("\n%8u", (unsigned) at + 1);
        else
            printf("\noriginal");
        printf("  %10.1f", bench_median(b->bytes[at], n));
        for (int way = 0; way < WAYS; way++)
            printf("  %7.3f", bench_median(b->ratio[at][way], n));
    }
    printf("\n");
}

/* All tables are parts of one block of memory, which b->turbo begins. */
static int make_tables(struct bench *b, size_t count)
{
    double *at = b->turbo = calloc(count * (1 + FILES + FILES * WAYS), sizeof(double));
    if (!at)
        return PCR_ERR_NOMEM;
    for (int i = 0; i < FILES; i++) {
        b->bytes[i] = at += count;
        for (int way = 0; way < WAYS; way++)
            b->ratio[i][way] = at += count;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    struct bench_images images;
    size_t count = argc > 2 ? (size_t) atol(argv[2]) : 60, failed = 0;
    if (bench_images_load(argc > 1 ? argv[1] : NULL, count, &images))
        return 1;
    pcri_limits_fill(&b.limits);
    if (make_tables(&b, count) || pcr_ladder_builtin(NULL, &b.ladder, &b.err)
        || pcri_coder_create(b.ladder, NULL, &b.coder, &b.err)
        || pcr_decoder_create(&b.decoder, &b.err))
        return 1;
    for (size_t i = 0; i < images.count; i++)
        if (one_image(&b, &images.files[i])) {
            fprintf(stderr, "image %zu: %s\n", i, b.err.message);
            failed++;
        }
    report(&b);
    free(b.turbo);
    pcr_buffer_free(&b.pixels);
    pcr_buffer_free(&b.file);
    pcri_prefix_free(&b.prefix);
    pcr_decoder_destroy(&b.decoder);
    pcri_coder_destroy(&b.coder);
    pcr_ladder_destroy(&b.ladder);
    bench_images_free(&images);
    return failed != 0;
}
