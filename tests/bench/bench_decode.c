/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding by fidelity, against libjpeg-turbo's decode of the baseline original, and the
 * original itself by our own decoder.
 *
 * usage: bench-decode [--coding NAME] [FOLDER [COUNT]]
 *
 * NAME: packed (default) or scans. The images are coded by the coding's own ladder, with tables
 * trained on them if it has such, as a conversion does it. For each image, of scans its DC alone,
 * and each fidelity: its bytes in the groups, without what a record's images share, in % of the
 * original; CPU time of decoding to RGB, of a random window of 35% of the area, at half, a quarter
 * and an eighth of the size, to gray, of our own entropy stage alone, of rising to this fidelity
 * from fidelity 1, and of libjpeg-turbo's decode of the same as a file to RGB, as ratios to its
 * decode of the original file to RGB; medians over the images, each the least of five runs. A run
 * goes through all images with libjpeg-turbo and then with what is compared with it, as a loader
 * goes through them with one decoder: no image is in caches and branch predictors from the run
 * before, and neither decoder finds what the other has left there.
 */
#include <stdio.h>
#include <stdlib.h>

#include <pcr/image.h>

#include "base/random.h"
#include "bench.h"
#include "coding/codings.h"
#include "jpeg/ladder.h"

enum { RUNS = 5, ROWS = PCRI_LADDER_MAX_GROUPS + 2 }; /* DC, fidelities, the original */

enum way { RGB, CROP, HALF, QUARTER, EIGHTH, GRAY, ENTROPY, RISE, TURBO, WAYS };

static const char *const way_names[WAYS] = {
    "RGB", "crop", "1/2", "1/4", "1/8", "gray", "entropy", "rise", "turbo",
};

struct image {
    struct pcri_coded packed;
    struct pcr_spans rows[ROWS];   /* of the DC scan, of each fidelity, of the original */
    struct pcr_buffer files[ROWS]; /* what they stand for, as libjpeg-turbo takes it */
    struct pcr_spans groups[PCRI_LADDER_MAX_GROUPS];
    size_t nbytes[ROWS]; /* of the rows, in their groups; what is in dictionaries is shared */
    struct pcr_decode_options crop;
};

struct bench {
    struct bench_images originals;
    struct image *images;
    const struct pcri_coding *coding;
    struct pcr_ladder *ladder;
    struct pcri_coder *coder;
    struct pcri_coder_tables *tables;
    struct pcr_decoder *decoder;
    void *blocks; /* state of the coding's block decoder */
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

static int copy_spans(struct bench *b, const struct pcr_spans *from, struct pcr_spans *to)
{
    int rc = 0;
    to->count = 0;
    for (uint32_t i = 0; !rc && i < from->count; i++)
        rc = pcri_spans_add(to, from->items[i].data, from->items[i].nbytes, &b->err);
    return rc;
}

/* A row's spans, and their file. */
static int add_row(struct bench *b, const struct pcr_spans *all, size_t nbytes,
                   struct image *m, uint32_t row)
{
    m->nbytes[row] = nbytes;
    struct pcr_spans file = { 0 };
    struct pcr_buffer written = { 0 };
    int rc = copy_spans(b, all, &m->rows[row]);
    if (!rc)
        rc = copy_spans(b, all, &file);
    if (!rc)
        rc = pcri_coding_numbered(m->packed.coding)->to_jpeg(&file, &written, &b->err);
    if (!rc)
        rc = pcri_spans_join(&file, &m->files[row], &b->err);
    pcr_spans_free(&file);
    pcr_buffer_free(&written);
    return rc;
}

/* The spans of the DC scan, and of each fidelity. */
static int make_files(struct bench *b, struct image *m)
{
    const struct pcri_coded *p = &m->packed;
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
                rc = add_row(b, &all, r->nbytes, m, 0);
            s += r->string_nbytes;
            q += r->nbytes;
        }
        if (!rc)
            rc = add_row(b, &all, (size_t) (q - p->bytes.data), m, 1 + g);
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
        rc = pcri_coder_train(b->coding, b->ladder, stats, n, &b->tables, &b->err);
    for (size_t i = 0; stats && i < n; i++)
        pcri_coder_stats_destroy(&stats[i]);
    free(stats);
    return rc;
}

static int prepare(struct bench *b)
{
    int rc = b->coding->encoder->survey ? train(b) : 0;
    for (size_t i = 0; !rc && i < b->originals.count; i++) {
        const struct pcr_buffer *f = &b->originals.files[i];
        struct pcr_spans *original = &b->images[i].rows[b->ladder->group_count + 1];
        rc = pcri_coder_encode(b->coder, b->tables, f->data, f->nbytes, &b->images[i].packed,
                               &b->err);
        if (!rc)
            rc = make_files(b, &b->images[i]);
        if (!rc)
            rc = choose_window(b, i);
        if (!rc)
            rc = pcri_spans_add(original, f->data, f->nbytes, &b->err);
        if (rc)
            fprintf(stderr, "image %zu: %s\n", i, b->err.message);
    }
    return rc;
}

/* --- times --- */

static int decode(struct bench *b, const struct pcr_spans *spans,
                  const struct pcr_decode_options *o, double *seconds_out)
{
    struct pcr_image_info info = { .size = sizeof(info) };
    double t = bench_cpu();
    int rc = pcr_decoder_decode_spans(b->decoder, spans, o, &b->pixels, &info, &b->err);
    *seconds_out = bench_cpu() - t;
    return rc;
}

static int decode_file(struct bench *b, const struct pcr_buffer *file,
                       const struct pcr_decode_options *o, double *seconds_out)
{
    struct pcr_span span = { file->data, file->nbytes };
    const struct pcr_spans spans = { .items = &span, .count = 1 };
    return decode(b, &spans, o, seconds_out);
}

/* From fidelity 1, which is decoded before the clock runs, to `row`. */
static int rise(struct bench *b, struct image *m, uint32_t row, double *seconds_out)
{
    struct pcr_spans more = { 0 };
    int rc = pcr_decoder_decode_spans(b->decoder, &m->groups[0], NULL, &b->pixels, NULL,
                                      &b->err);
    for (uint32_t g = 1; !rc && g < row; g++)
        for (uint32_t i = 0; !rc && i < m->groups[g].count; i++)
            rc = pcri_spans_add(&more, m->groups[g].items[i].data,
                                m->groups[g].items[i].nbytes, &b->err);
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
        [EIGHTH] = { .size = sizeof(plain[0]), .scale = 1 },
        [GRAY] = { .size = sizeof(plain[0]), .color = PCR_COLOR_GRAY },
        [TURBO] = { .size = sizeof(plain[0]), .decoder = PCR_DECODER_TURBO },
    };
    struct image *m = &b->images[i];
    if (way == RISE)
        return rise(b, m, row, seconds_out);
    if (way == ENTROPY && row <= b->ladder->group_count)
        return bench_entropy(b->coding, b->blocks, &m->rows[row], &b->limits, seconds_out,
                             &b->err);
    if (way == TURBO && row <= b->ladder->group_count)
        return decode_file(b, &m->files[row], &plain[way], seconds_out);
    return decode(b, &m->rows[row], way == CROP ? &m->crop : &plain[way], seconds_out);
}

static int failed(size_t i, int rc, const struct bench *b)
{
    if (rc)
        fprintf(stderr, "image %zu: %s\n", i, b->err.message);
    return rc;
}

static void keep_least(double *least, double seconds, bool first)
{
    if (first || seconds < *least)
        *least = seconds;
}

/* The least times of all images, in b->seconds, and of the control, in b->turbo. */
static int all_images(struct bench *b, uint32_t row, enum way way)
{
    const struct pcr_decode_options turbo = { .size = sizeof(turbo),
                                              .decoder = PCR_DECODER_TURBO };
    const size_t count = b->originals.count;
    double t = 0;
    int rc = 0;
    for (int run = 0; run < RUNS; run++) {
        for (size_t i = 0; !rc && i < count; i++) {
            rc = failed(i, decode_file(b, &b->originals.files[i], &turbo, &t), b);
            keep_least(&b->turbo[i], t, !run);
        }
        for (size_t i = 0; !rc && i < count; i++) {
            rc = failed(i, one(b, i, row, way, &t), b);
            keep_least(&b->seconds[i], t, !run);
        }
    }
    return rc;
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
        b->seconds[i] = 100.0 * (double) b->images[i].nbytes[row] /
                        (double) b->originals.files[i].nbytes;
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
        if ((way == RISE && (row < 2 || row == last)) || (way == ENTROPY && row == last)) {
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
    if (!(b->images = calloc(n, sizeof(*b->images))) ||
        !(b->turbo = calloc(3 * n, sizeof(*b->turbo))) ||
        pcr_ladder_create(b->coding->ladder, &b->ladder, &b->err) ||
        pcri_coder_create(b->coding, b->ladder, NULL, NULL, &b->coder, &b->err) ||
        b->coding->decoder->create(&b->blocks, &b->err) ||
        pcr_decoder_create(&b->decoder, &b->err))
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
    for (uint32_t row = b->coding != &pcri_coding_scans;
         !rc && row < b->ladder->group_count + 2; row++)
        rc = print_row(b, row);
    if (!rc)
        printf(
            "%zu images; ratios to libjpeg-turbo's decode of the original to RGB: %.3f ms\n",
            n, 1e3 * median_of(b, b->turbo));
    return rc;
}

int main(int argc, char **argv)
{
    struct bench b = { .coding = pcri_coding_numbered(2) };
    if (argc > 2 && !strcmp(argv[1], "--coding")) {
        for (size_t i = 0; pcri_codings[i]; i++)
            if (!strcmp(argv[2], pcri_codings[i]->name))
                b.coding = pcri_codings[i];
        argc -= 2;
        argv += 2;
    }
    size_t count = argc > 2 ? (size_t) atol(argv[2]) : 60;
    if (bench_images_load(argc > 1 ? argv[1] : NULL, count, &b.originals))
        return 1;
    int rc = run(&b);
    for (size_t i = 0; b.images && i < b.originals.count; i++) {
        for (int k = 0; k < ROWS; k++)
            pcr_buffer_free(&b.images[i].files[k]), pcr_spans_free(&b.images[i].rows[k]);
        for (int k = 0; k < PCRI_LADDER_MAX_GROUPS; k++)
            pcr_spans_free(&b.images[i].groups[k]);
        pcri_coded_free(&b.images[i].packed);
    }
    free(b.images);
    free(b.turbo);
    pcr_buffer_free(&b.pixels);
    b.coding->decoder->destroy(b.blocks);
    pcri_coder_tables_destroy(&b.tables);
    pcr_decoder_destroy(&b.decoder);
    pcri_coder_destroy(&b.coder);
    pcr_ladder_destroy(&b.ladder);
    bench_images_free(&b.originals);
    return rc != 0;
}
