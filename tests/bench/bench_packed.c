/* SPDX-License-Identifier: BSD-2-Clause */
/* Packed groups against scans: bytes, and the time of the entropy stage, by fidelity.
 *
 * usage: bench-packed [FOLDER [COUNT [LADDER-FILE [built-in]]]]
 *
 * Tables are trained on every second image (`built-in`: are those of the library), and the others
 * measured: the share of the source's bytes, and times as ratios to libjpeg-turbo's decode of the
 * original to RGB, medians over the images of the least of five runs, taken in turn. The last
 * lines tell the same of scans by the built-in ladder, decoded by our prefix decoder to
 * coefficients, and what encoding takes. Every prefix is compared with the coefficients. */
#include <stdio.h>
#include <stdlib.h>

#include <pcr/image.h>

#include "bench.h"
#include "jpeg/coding.h"
#include "jpeg/ladder.h"
#include "jpeg/prefix.h"
#include "packed/builtin.h"
#include "packed/packed.h"
#include "packed/train.h"

enum { RUNS = 15, GROUPS = PCRI_LADDER_MAX_GROUPS };

struct image {
    const struct pcr_buffer *original;
    struct pcri_jpeg_file file;
    struct pcri_coefs coefs;
    const struct pcri_script *script;
    struct pcri_pk_params params;
    struct pcr_buffer chunks[GROUPS];
    struct pcr_buffer scans[GROUPS]; /* the file of each fidelity */
};

struct bench {
    struct bench_images originals;
    struct image *images;
    size_t count;
    struct pcr_ladder *ladder, *scans_ladder;
    struct pcri_coder *coder;
    struct pcri_coder_tables *scan_tables;
    struct pcri_pk_tables *tables;
    struct pcri_pk_encoder encoder;
    struct pcri_pk_decoder decoder;
    struct pcri_prefix prefix;
    struct pcr_decoder *turbo;
    struct pcr_buffer pixels, memory;
    struct pcr_limits limits;
    struct pcr_error err;
    double *values, *control;
};

/* --- making the files --- */

static uint32_t step_of(const struct pcri_jpeg_file *f)
{
    uint32_t sum = 0;
    for (int k = 1; k <= 10; k++)
        sum += f->quant[f->components[0].quant_slot][k];
    return sum;
}

static int read_image(struct bench *b, const struct pcr_buffer *file, struct image *m)
{
    bool in_doubt;
    m->original = file;
    int rc = pcri_jpeg_file_parse(file->data, file->nbytes, &b->limits, &m->file, &b->err);
    if (!rc)
        rc = pcri_coefs_read(&m->coefs, &m->file, 1, &in_doubt, &b->err);
    if (!rc)
        m->script = &b->ladder->scripts[pcri_ladder_choose(b->ladder, step_of(&m->file))];
    return rc;
}

/* Of every second image. */
static int train(struct bench *b)
{
    struct pcri_pk_counts *counts;
    struct pcri_pk_frequencies *f = NULL;
    struct pcr_buffer packed = { 0 };
    int rc = pcri_pk_counts_create(&counts, &b->err);
    for (size_t i = 0; !rc && i < b->originals.count; i += 2) {
        struct image m = { 0 };
        rc = read_image(b, &b->originals.files[i], &m);
        if (!rc)
            rc = pcri_pk_count(&b->encoder, &m.coefs, &m.file, m.script,
                               b->ladder->group_count, counts, &b->err);
        pcri_coefs_free(&m.coefs);
        pcri_jpeg_file_free(&m.file);
    }
    double t = bench_cpu();
    if (!rc)
        rc = pcri_pk_train(counts, NULL, &f, &b->err);
    if (!rc)
        rc = pcri_pk_frequencies_pack(f, &packed, &b->err);
    if (!rc)
        rc = pcri_pk_tables_create(f, true, &b->tables, &b->err);
    if (!rc)
        printf("tables: %u, stored in %zu bytes, trained in %.0f ms\n", b->tables->count,
               packed.nbytes, 1e3 * (bench_cpu() - t));
    pcr_buffer_free(&packed);
    pcri_pk_frequencies_destroy(&f);
    pcri_pk_counts_destroy(&counts);
    return rc;
}

static int train_scans(struct bench *b)
{
    size_t n = b->originals.count;
    struct pcri_coder_stats **stats = calloc(n, sizeof(*stats));
    int rc = stats ? 0 : PCR_ERR_NOMEM;
    for (size_t i = 0; !rc && i < n; i += 2) {
        const struct pcr_buffer *f = &b->originals.files[i];
        rc = pcri_coder_survey(b->coder, f->data, f->nbytes, &stats[i], &b->err);
    }
    if (!rc)
        rc = pcri_coder_train(&pcri_coding_scans, b->scans_ladder, stats, n, &b->scan_tables,
                              &b->err);
    for (size_t i = 0; stats && i < n; i++)
        pcri_coder_stats_destroy(&stats[i]);
    free(stats);
    return rc;
}

/* The file of each fidelity, as scans. */
static int make_scans(struct bench *b, struct image *m)
{
    struct pcri_coded p;
    struct pcr_buffer all = { 0 };
    uint32_t piece = 0;
    int rc = pcri_coder_encode(b->coder, b->scan_tables, m->original->data,
                               m->original->nbytes, &p, &b->err);
    if (rc)
        return rc;
    const uint8_t *s = p.strings.data, *q = p.bytes.data;
    for (uint32_t i = 0; !rc && i < p.item_count; s += p.items[i++].nbytes)
        rc = pcri_buffer_append(&all, s, p.items[i].nbytes, &b->err);
    for (uint32_t g = 0; !rc && g < b->scans_ladder->group_count; g++) {
        for (uint32_t k = 0; !rc && k < b->scans_ladder->piece_counts[g]; k++, piece++) {
            rc = pcri_buffer_append(&all, s, p.pieces[piece].string_nbytes, &b->err);
            if (!rc)
                rc = pcri_buffer_append(&all, q, p.pieces[piece].nbytes, &b->err);
            s += p.pieces[piece].string_nbytes;
            q += p.pieces[piece].nbytes;
        }
        if (!rc)
            rc = pcri_buffer_append(&m->scans[g], all.data, all.nbytes, &b->err);
        if (!rc)
            rc = pcri_buffer_append(&m->scans[g], "\xFF\xD9", 2, &b->err);
    }
    pcr_buffer_free(&all);
    pcri_coded_free(&p);
    return rc;
}

static int prepare(struct bench *b, bool builtin)
{
    int rc = builtin ? pcri_pk_tables_open(pcri_pk_builtin_tables, pcri_pk_builtin_nbytes,
                                           true, &b->tables, &b->err)
                     : train(b);
    if (!rc)
        rc = train_scans(b);
    for (size_t i = 1; !rc && i < b->originals.count; i += 2) {
        struct image *m = &b->images[b->count++];
        rc = read_image(b, &b->originals.files[i], m);
        if (!rc)
            rc = make_scans(b, m);
        m->params = pcri_pk_params_choose(&m->file, b->tables);
    }
    return rc;
}

/* --- what is measured --- */

static int control(struct bench *b, const struct image *m)
{
    const struct pcr_decode_options turbo = { .size = sizeof(turbo),
                                              .decoder = PCR_DECODER_TURBO };
    return pcr_decoder_decode_alloc(b->turbo, m->original->data, m->original->nbytes, &turbo,
                                    &b->pixels, NULL, &b->err);
}

static int encode(struct bench *b, struct image *m)
{
    for (uint32_t g = 0; g < b->ladder->group_count; g++)
        m->chunks[g].nbytes = 0;
    return pcri_pk_encode(&b->encoder, &m->coefs, &m->file, m->script, b->ladder->group_count,
                          b->tables, &m->params, m->chunks, &b->err);
}

/* Decodes to rows that are used again for each batch. */
static int decode(struct bench *b, const struct image *m, uint32_t groups)
{
    struct pcr_span chunks[GROUPS];
    struct pcri_pk_target targets[4] = { { .coef = NULL } };
    uint32_t rows[4];
    for (uint32_t g = 0; g < groups; g++)
        chunks[g] = (struct pcr_span) { m->chunks[g].data, m->chunks[g].nbytes };
    uint8_t *at = b->memory.data;
    for (uint32_t c = 0; c < m->file.component_count; c++) {
        uint32_t n = m->coefs.planes[c].blocks_x;
        targets[c].coef = groups > 1 ? (int16_t *) (void *) at : NULL;
        targets[c].dc = groups > 1 ? NULL : (int16_t *) (void *) at;
        targets[c].mask = (uint64_t *) (void *) (at + 128 * (size_t) n);
        at += 192 * (size_t) n;
    }
    int rc = pcri_pk_decoder_begin(&b->decoder, &m->file, m->script, b->ladder->group_count,
                                   b->tables, &m->params, chunks, groups, 0, UINT32_MAX,
                                   &b->err);
    while (!rc && pcri_pk_decoder_more(&b->decoder, rows))
        rc = pcri_pk_decoder_next(&b->decoder, targets, &b->err);
    return rc;
}

enum work { PACKED, SCANS, ENCODE };

static int one(struct bench *b, struct image *m, enum work work, uint32_t groups)
{
    const struct pcr_buffer *file = &m->scans[groups - 1];
    switch (work) {
    case PACKED:
        return decode(b, m, groups);
    case SCANS:
        return pcri_prefix_decode(&b->prefix, file->data, file->nbytes, &b->limits, &b->err);
    default:
        return encode(b, m);
    }
}

/* The median of the ratios to the control; *ms_out: of the times. */
static int measure(struct bench *b, enum work work, uint32_t groups, double *ratio_out,
                   double *ms_out)
{
    double *least = b->values, *controls = b->control;
    for (int run = 0; run < RUNS; run++)
        for (size_t i = 0; i < b->count; i++) {
            double t = bench_cpu();
            int rc = control(b, &b->images[i]);
            double between = bench_cpu();
            if (!rc)
                rc = one(b, &b->images[i], work, groups);
            if (rc)
                return rc;
            double end = bench_cpu();
            if (!run || end - between < least[i])
                least[i] = end - between;
            if (!run || between - t < controls[i])
                controls[i] = between - t;
        }
    for (size_t i = 0; i < b->count; i++)
        controls[i] = least[i] / controls[i];
    *ratio_out = bench_median(controls, b->count);
    *ms_out = 1e3 * bench_median(least, b->count);
    return 0;
}

static double percent(const struct bench *b, enum work work, uint32_t groups)
{
    double all = 0, source = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct image *m = &b->images[i];
        source += (double) m->original->nbytes;
        for (uint32_t g = 0; work == PACKED && g < groups; g++)
            all += (double) m->chunks[g].nbytes;
        if (work == SCANS)
            all += (double) m->scans[groups - 1].nbytes;
    }
    return 100 * all / source;
}

/* --- exact at every prefix? --- */

static int expected(int v, int bits)
{
    return bits < 0 ? 0 : (v < 0 ? -(-v >> bits) : v >> bits) * (1 << bits);
}

static int check_image(struct bench *b, const struct image *m, uint32_t groups)
{
    struct pcri_blocks planes[4] = { { 0 } };
    struct pcr_span chunks[GROUPS];
    int8_t bits[4][64];
    uint8_t *at = b->memory.data;
    for (uint32_t g = 0; g < groups; g++)
        chunks[g] = (struct pcr_span) { m->chunks[g].data, m->chunks[g].nbytes };
    for (uint32_t c = 0; c < m->file.component_count; c++) {
        const struct pcri_plane *p = &m->coefs.planes[c];
        size_t n = (size_t) p->blocks_x * p->blocks_y;
        planes[c] = (struct pcri_blocks) {
            .blocks_x = p->blocks_x,
            .blocks_y = p->blocks_y,
            .row_end = p->blocks_y,
            .coef = (int16_t *) (void *) at,
            .mask = (uint64_t *) (void *) (at + 128 * n),
            .has_ac = true,
        };
        at += 192 * n;
    }
    int rc = pcri_pk_decoder_begin(&b->decoder, &m->file, m->script, b->ladder->group_count,
                                   b->tables, &m->params, chunks, groups, 0, UINT32_MAX,
                                   &b->err);
    if (!rc)
        rc = pcri_pk_decode(&b->decoder, planes, &b->err);
    pcri_pk_bits(&b->decoder.plan, groups, bits);
    for (uint32_t c = 0; !rc && c < m->file.component_count; c++) {
        const struct pcri_plane *p = &m->coefs.planes[c];
        for (size_t i = 0; i < 64 * (size_t) p->blocks_x * p->blocks_y; i++)
            if (planes[c].coef[i] != expected(p->coef[i], bits[c][i % 64]))
                return pcri_fail(&b->err, PCR_ERR_CORRUPT,
                                 "group %u, component %u, block %zu, "
                                 "coefficient %zu: %d, not %d",
                                 groups, c, i / 64, i % 64, planes[c].coef[i], p->coef[i]);
    }
    return rc;
}

static int check(struct bench *b)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < b->count; i++) {
        struct image *m = &b->images[i];
        size_t nbytes = 0;
        for (uint32_t c = 0; c < m->file.component_count; c++)
            nbytes += 192 * (size_t) m->coefs.planes[c].blocks_x * m->coefs.planes[c].blocks_y;
        rc = pcri_buffer_reserve(&b->memory, nbytes, &b->err);
        if (!rc)
            rc = encode(b, m);
        for (uint32_t g = 1; !rc && g <= b->ladder->group_count; g++)
            rc = check_image(b, m, g);
        if (rc)
            fprintf(stderr, "image %zu: %s\n", i, b->err.message);
    }
    return rc;
}

/* --- the report --- */

static int report(struct bench *b)
{
    double ratio, ms;
    int rc = check(b);
    printf("fidelity  %% of bytes   ratio      ms   (%s)\n", pcri_pk_kernels_choose()->name);
    for (uint32_t g = 1; !rc && g <= b->ladder->group_count; g++) {
        rc = measure(b, PACKED, g, &ratio, &ms);
        if (!rc)
            printf("%8u  %10.2f  %6.3f  %6.3f\n", g, percent(b, PACKED, g), ratio, ms);
    }
    if (!rc)
        rc = measure(b, ENCODE, 1, &ratio, &ms);
    if (!rc)
        printf("  encode  %10s  %6.3f  %6.3f\n", "", ratio, ms);
    for (uint32_t g = 1; !rc && g <= b->scans_ladder->group_count; g++) {
        rc = measure(b, SCANS, g, &ratio, &ms);
        if (!rc)
            printf("%6u s  %10.2f  %6.3f  %6.3f\n", g, percent(b, SCANS, g), ratio, ms);
    }
    printf("%zu images\n", b->count);
    return rc;
}

static int load_ladder(const char *path, struct pcr_ladder **out, struct pcr_error *err)
{
    char text[8192];
    FILE *f = path ? fopen(path, "r") : NULL;
    if (!f)
        return pcr_ladder_create("packed", out, err);
    size_t n = fread(text, 1, sizeof(text), f);
    fclose(f);
    return pcr_ladder_parse(text, n, out, err);
}

static int run(struct bench *b, const char *ladder, bool builtin)
{
    size_t n = b->originals.count;
    if (!(b->images = calloc(n, sizeof(*b->images))) ||
        !(b->values = calloc(2 * n, sizeof(*b->values))))
        return PCR_ERR_NOMEM;
    b->control = b->values + n;
    b->limits.size = sizeof(b->limits);
    pcri_limits_fill(&b->limits);
    int rc = load_ladder(ladder, &b->ladder, &b->err);
    if (!rc)
        rc = pcr_ladder_create("bitplane", &b->scans_ladder, &b->err);
    if (!rc)
        rc = pcri_coder_create(&pcri_coding_scans, b->scans_ladder, NULL, NULL, &b->coder,
                               &b->err);
    if (!rc)
        rc = pcr_decoder_create(&b->turbo, &b->err);
    if (!rc)
        rc = prepare(b, builtin);
    return rc ? rc : report(b);
}

int main(int argc, char **argv)
{
    static struct bench b;
    size_t count = argc > 2 ? (size_t) atol(argv[2]) : 60;
    const char *folder = argc > 1 && strcmp(argv[1], "-") ? argv[1] : NULL;
    if (bench_images_load(folder, count, &b.originals))
        return 1;
    int rc = run(&b, argc > 3 && strcmp(argv[3], "-") ? argv[3] : NULL, argc > 4);
    if (rc)
        fprintf(stderr, "bench-packed: %s\n", b.err.message);
    for (size_t i = 0; b.images && i < b.count; i++) {
        pcri_coefs_free(&b.images[i].coefs);
        pcri_jpeg_file_free(&b.images[i].file);
        for (int g = 0; g < GROUPS; g++) {
            pcr_buffer_free(&b.images[i].chunks[g]);
            pcr_buffer_free(&b.images[i].scans[g]);
        }
    }
    free(b.images);
    free(b.values);
    pcr_buffer_free(&b.pixels);
    pcr_buffer_free(&b.memory);
    pcri_pk_encoder_free(&b.encoder);
    pcri_pk_decoder_free(&b.decoder);
    pcri_pk_tables_destroy(&b.tables);
    pcri_prefix_free(&b.prefix);
    pcri_coder_tables_destroy(&b.scan_tables);
    pcri_coder_destroy(&b.coder);
    pcr_decoder_destroy(&b.turbo);
    pcr_ladder_destroy(&b.ladder);
    pcr_ladder_destroy(&b.scans_ladder);
    bench_images_free(&b.originals);
    return rc != 0;
}
