/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding by fidelity, against libjpeg-turbo's decode of the baseline original, and the
 * original itself by our own decoder.
 *
 * usage: bench-decode [FOLDER [COUNT]]
 *
 * The images are coded by the default ladder, with tables trained on them, as a conversion
 * does it. For each image, its DC alone, and each fidelity: CPU time of decoding to RGB, of a
 * random window of 35% of the area, at half and a quarter of the size, to gray, of our own
 * entropy stage alone, of rising to this fidelity from fidelity 1, and of libjpeg-turbo's
 * decode of the same file to RGB, as ratios to its decode of the original file to RGB; medians
 * over the images, each the least of five runs. One run goes through all images, so that none
 * is in caches and branch predictors from the run before. */
#include <stdio.h>
#include <stdlib.h>

#include <pcr/image.h>

#include "base/random.h"
#include "bench.h"
#include "jpeg/coding.h"
#include "jpeg/ladder.h"
#include "jpeg/prefix.h"

enum { RUNS = 5, ROWS = PCRI_LADDER_MAX_GROUPS + 2 }; /* DC, fidelities, the original */

enum way { RGB, CROP, HALF, QUARTER, GRAY, ENTROPY, RISE, TURBO, WAYS };

static const char *const way_names[WAYS] = {
    "RGB", "crop", "1/2", "1/4", "gray", "entropy", "rise", "turbo",
};

struct image {
    struct pcri_packed packed;
    struct pcr_buffer files[ROWS];
    struct pcr_spans groups[PCRI_LADDER_MAX_GROUPS];
    struct pcr_decode_options crop;
};

struct bench {
    struct bench_images originals;
    struct image *images;
    struct pcr_ladder *ladder;
    struct pcri_coder *coder;
    struct pcri_coder_tables *tables;
    struct pcr_decoder *decoder;
    struct pcri_prefix prefix;
    struct pcr_limits limits;
    struct pcr_buffer pixels;
    struct pcr_error err;
    double *turbo, *seconds;
};

/* --- the files --- */

/* A window of 35% of the picture's area. */
static int choose_window(struct bench *b, size_t i)
{
    const struct pcr_buffer *file = &b->originals.files[i];
    struct pcr_decode_options *o = &b->images[i].crop;
    struct pcr_image_info info = { .size = sizeof(info) };
    int rc = pcr_decoder_inspect(b->decoder, file->data, file->nbytes, NULL, &info, &b->err);
    if (rc)
        return rc;
    o->size = sizeof(*o);
    o->crop_width = (uint32_t) (info.width * 0.592);
    o->crop_height = (uint32_t) (info.height * 0.592);
    o->crop_width += !o->crop_width;
    o->crop_height += !o->crop_height;
    o->crop_x = (uint32_t) (pcri_unit(pcri_key(1, i, 0)) * (info.width - o->crop_width + 1));
    o->crop_y = (uint32_t) (pcri_unit(pcri_key(1, i, 1)) * (info.height - o->crop_height + 1));
    return 0;
}

static int add_file(struct bench *b, struct pcr_spans *all, struct pcr_buffer *out)
{
    int rc = pcri_spans_join(all, out, &b->err);
    return rc ? rc : pcri_buffer_append(out, "\xFF\xD9", 2, &b->err);
}

/* The file of the DC scan, and of each fidelity. */
static int make_files(struct bench *b, struct image *m)
{
    const struct pcri_packed *p = &m->packed;
    const uint8_t *s = p->strings.data, *q = p->bytes.data;
    struct pcr_spans all = { 0 };
    uint32_t piece = 0;
    int rc = 0;
    for (uint32_t i = 0; !rc && i < p->item_count; s += p->items[i++].nbytes) {
        rc = pcri_spans_add(&all, s, p->items[i].nbytes, &b->err);
        if (!rc)
            rc = pcri_spans_add(&m->groups[0], s, p->items[i].nbytes, &b->err);
    }
    for (uint32_t g = 0; !rc && g < b->ladder->group_count; g++) {
        for (uint32_t k = 0; !rc && k < b->ladder->piece_counts[g]; k++, piece++) {
            const struct pcri_piece *r = &p->pieces[piece];
            struct pcr_spans *lists[2] = { &all, &m->groups[g] };
            for (int l = 0; !rc && l < 2; l++) {
                rc = pcri_spans_add(lists[l], s, r->string_nbytes, &b->err);
                if (!rc)
                    rc = pcri_spans_add(lists[l], q, r->nbytes, &b->err);
            }
            if (!rc && !piece)
                rc = add_file(b, &all, &m->files[0]);
            s += r->string_nbytes;
            q += r->nbytes;
        }
        if (!rc)
            rc = add_file(b, &all, &m->files[1 + g]);
    }
    pcr_spans_free(&all);
    return rc;
}

static int train(struct bench *b)
{
    size_t n = b->originals.count;
    struct pcri_coder_stats **stats = calloc(n, sizeof(*stats));
    int rc = stats ? 0 : PCR_ERR_NOMEM;
    for (size_t i = 0; !rc && i < n; i++) {
        const struct pcr_buffer *f = &b->originals.files[i];
        rc = pcri_coder_survey(b->coder, f->data, f->nbytes, &stats[i], &b->err);
    }
    if (!rc)
        rc = pcri_coder_train(&pcri_coding_scans, b->ladder, stats, n, &b->tables, &b->err);
    for (size_t i = 0; stats && i < n; i++)
        pcri_coder_stats_destroy(&stats[i]);
    free(stats);
    return rc;
}

static int prepare(struct bench *b)
{
    int rc = train(b);
    for (size_t i = 0; !rc && i < b->originals.count; i++) {
        const struct pcr_buffer *f = &b->originals.files[i];
        rc = pcri_coder_pack(b->coder, b->tables, f->data, f->nbytes, &b->images[i].packed,
                             &b->err);
        if (!rc)
            rc = make_files(b, &b->images[i]);
        if (!rc)
            rc = choose_window(b, i);
        if (rc)
            fprintf(stderr, "image %zu: %s\n", i, b->err.message);
    }
    return rc;
}

/* --- times --- */

static int decode(struct bench *b, const struct pcr_buffer *file,
                  const struct pcr_decode_options *o, double *seconds_out)
{
    struct pcr_image_info info = { .size = sizeof(info) };
    double t = bench_cpu();
    int rc = pcr_decoder_decode_alloc(b->decoder, file->data, file->nbytes, o, &b->pixels,
                                      &info, &b->err);
    *seconds_out = bench_cpu() - t;
    return rc;
}

static int entropy(struct bench *b, const struct pcr_buffer *file, double *seconds_out)
{
    double t = bench_cpu();
    int rc = pcri_prefix_decode(&b->prefix, file->data, file->nbytes, &b->limits, &b->err);
    *seconds_out = bench_cpu() - t;
    return rc;
}

/* From fidelity 1, which is decoded before the clock runs, to `row`. */
static int rise(struct bench *b, struct image *m, uint32_t row, double *seconds_out)
{
    struct pcr_spans more = { 0 };
    int rc = pcr_decoder_decode_spans(b->decoder, &m->groups[0], NULL, &b->pixels, NULL,
                                      &b->err);
    for (uint32_t g = 1; !rc && g < row; g++)
        for (uint32_t i = 0; !rc && i < m->groups[g].count; i++)
            rc = pcri_spans_add(&more, m->groups[g].items[i].data, m->groups[g].items[i].nbytes,
                                &b->err);
    double t = bench_cpu();
    if (!rc)
        rc = pcr_decoder_continue(b->decoder, &more, &b->pixels, NULL, &b->err);
    *seconds_out = bench_cpu() - t;
    pcr_spans_free(&more);
    return rc;
}

static int one(struct bench *b, size_t i, uint32_t row, enum way way, double *seconds_out)
{
    static const struct pcr_decode_options plain[WAYS] = {
        [RGB] = { .size = sizeof(plain[0]) },
        [HALF] = { .size = sizeof(plain[0]), .scale = 4 },
        [QUARTER] = { .size = sizeof(plain[0]), .scale = 2 },
        [GRAY] = { .size = sizeof(plain[0]), .color = PCR_COLOR_GRAY },
        [TURBO] = { .size = sizeof(plain[0]), .decoder = PCR_DECODER_TURBO },
    };
    struct image *m = &b->images[i];
    const struct pcr_buffer *file = row <= b->ladder->group_count ? &m->files[row]
                                                                  : &b->originals.files[i];
    if (way == RISE)
        return rise(b, m, row, seconds_out);
    if (way == ENTROPY)
        return entropy(b, file, seconds_out);
    return decode(b, file, way == CROP ? &m->crop : &plain[way], seconds_out);
}

/* The least times of all images, in b->seconds, and of the control at the same time, in
 * b->turbo: the machine may be slower a second later. */
static int all_images(struct bench *b, uint32_t row, enum way way)
{
    const struct pcr_decode_options turbo = { .size = sizeof(turbo),
                                              .decoder = PCR_DECODER_TURBO };
    for (int run = 0; run < RUNS; run++)
        for (size_t i = 0; i < b->originals.count; i++) {
            double t = 0, control = 0;
            int rc = decode(b, &b->originals.files[i], &turbo, &control);
            if (!rc)
                rc = one(b, i, row, way, &t);
            if (rc) {
                fprintf(stderr, "image %zu: %s\n", i, b->err.message);
                return rc;
            }
            if (!run || t < b->seconds[i])
                b->seconds[i] = t;
            if (!run || control < b->turbo[i])
                b->turbo[i] = control;
        }
    return 0;
}

/* --- the report --- */

static double median_of(struct bench *b, const double *values)
{
    size_t n = b->originals.count;
    double *copy = b->seconds + n;
    memcpy(copy, values, n * sizeof(*copy));
    return bench_median(copy, n);
}

static double percent(struct bench *b, uint32_t row)
{
    for (size_t i = 0; i < b->originals.count; i++)
        b->seconds[i] = 100.0 * (double) b->images[i].files[row].nbytes
            / (double) b->originals.files[i].nbytes;
    return median_of(b, b->seconds);
}

static int print_row(struct bench *b, uint32_t row)
{
    uint32_t last = b->ladder->group_count + 1;
    if (!row || row == last)
        printf("%-8s  ", row ? "original" : "DC");
    else
        printf("%8u  ", (unsigned) row);
    printf("%10.1f", row == last ? 100 : percent(b, row));
    for (int way = 0; way < WAYS; way++) {
        if (way == RISE && (row < 2 || row == last)) {
            printf("  %7s", "");
            continue;
        }
        int rc = all_images(b, row, (enum way) way);
        if (rc)
            return rc;
        for (size_t i = 0; i < b->originals.count; i++)
            b->seconds[i] /= b->turbo[i];
        printf("  %7.3f", median_of(b, b->seconds));
    }
    printf("\n");
    return 0;
}

static int run(struct bench *b)
{
    size_t n = b->originals.count;
    if (!(b->images = calloc(n, sizeof(*b->images)))
        || !(b->turbo = calloc(3 * n, sizeof(*b->turbo)))
        || pcr_ladder_create(NULL, &b->ladder, &b->err)
        || pcri_coder_create(&pcri_coding_scans, b->ladder, NULL, NULL, &b->coder, &b->err)
        || pcr_decoder_create(&b->decoder, &b->err))
        return PCR_ERR_NOMEM;
    b->seconds = b->turbo + n;
    pcri_limits_fill(&b->limits);
    int rc = prepare(b);
    if (rc)
        return rc;
    printf("fidelity  %% of bytes");
    for (int way = 0; way < WAYS; way++)
        printf("  %7s", way_names[way]);
    printf("\n");
    for (uint32_t row = 0; !rc && row < b->ladder->group_count + 2; row++)
        rc = print_row(b, row);
    if (!rc)
        printf("%zu images; ratios to libjpeg-turbo's decode of the original to RGB: %.3f ms\n",
               n, 1e3 * median_of(b, b->turbo));
    return rc;
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    size_t count = argc > 2 ? (size_t) atol(argv[2]) : 60;
    if (bench_images_load(argc > 1 ? argv[1] : NULL, count, &b.originals))
        return 1;
    int rc = run(&b);
    for (size_t i = 0; b.images && i < b.originals.count; i++) {
        for (int k = 0; k < ROWS; k++)
            pcr_buffer_free(&b.images[i].files[k]);
        for (int k = 0; k < PCRI_LADDER_MAX_GROUPS; k++)
            pcr_spans_free(&b.images[i].groups[k]);
        pcri_packed_free(&b.images[i].packed);
    }
    free(b.images);
    free(b.turbo);
    pcr_buffer_free(&b.pixels);
    pcri_prefix_free(&b.prefix);
    pcri_coder_tables_destroy(&b.tables);
    pcr_decoder_destroy(&b.decoder);
    pcri_coder_destroy(&b.coder);
    pcr_ladder_destroy(&b.ladder);
    bench_images_free(&b.originals);
    return rc != 0;
}
