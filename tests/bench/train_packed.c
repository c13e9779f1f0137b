/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes libpcr/packed/builtin_tables.c: tables for datasets too small to train their own.
 *
 * usage: train-packed [FOLDER COUNT]... > libpcr/packed/builtin_tables.c
 *
 * Trains on generated photographs of qualities 60 to 97 and, of each folder, on COUNT images
 * picked evenly, each coded by the built-in ladder for coding 2 and by that for scans. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "generator.h"
#include "jpeg/ladder.h"
#include "packed/builtin.h"
#include "packed/packed.h"
#include "packed/train.h"

enum { GENERATED = 72, LADDERS = 2 };

struct training {
    struct pcr_ladder *ladders[LADDERS];
    struct pcri_pk_encoder encoder;
    struct pcri_pk_counts *counts;
    struct pcr_limits limits;
    struct pcr_error err;
};

/* By the script of each ladder that is for such quantisation. */
static int count_scripts(struct training *t, const struct pcri_coefs *c,
                         const struct pcri_jpeg_file *f)
{
    int rc = 0;
    for (int l = 0; l < LADDERS; l++) {
        const struct pcr_ladder *ladder = t->ladders[l];
        uint32_t step = 0;
        for (int k = 1; k <= 10; k++)
            step += f->quant[f->components[0].quant_slot][k];
        const struct pcri_script *s = &ladder->scripts[pcri_ladder_choose(ladder, step)];
        if (!rc)
            rc = pcri_pk_count(&t->encoder, c, f, s, ladder->group_count, t->counts, &t->err);
    }
    return rc;
}

/* What is no JPEG file that coding 2 holds is passed over. */
static int count_image(struct training *t, const struct pcr_buffer *file)
{
    struct pcri_jpeg_file f = { 0 };
    struct pcri_coefs c = { 0 };
    bool in_doubt;
    int rc = pcri_jpeg_file_parse(file->data, file->nbytes, &t->limits, &f, &t->err);
    if (!rc)
        rc = pcri_coefs_read(&c, &f, 1, &in_doubt, &t->err);
    if (!rc)
        rc = count_scripts(t, &c, &f);
    else if (pcri_is_of_data(rc, &t->err))
        rc = 0;
    pcri_coefs_free(&c);
    pcri_jpeg_file_free(&f);
    return rc;
}

static int count_generated(struct training *t)
{
    struct pcr_buffer file = { 0 };
    int rc = 0;
    for (uint32_t i = 0; !rc && i < GENERATED; i++) {
        static const int qualities[] = { 60, 70, 78, 85, 90, 93, 95, 97 };
        rc = pcr_gen_photo(i, 480, 360, qualities[i % 8],
                           i / 8 % 3 == 2 ? PCR_GEN_444 : PCR_GEN_420, &file);
        if (!rc)
            rc = count_image(t, &file);
    }
    pcr_buffer_free(&file);
    return rc;
}

static int count_folder(struct training *t, const char *folder, size_t count)
{
    struct bench_images images;
    int rc = bench_images_load(folder, count, &images);
    for (size_t i = 0; !rc && i < images.count; i++)
        rc = count_image(t, &images.files[i]);
    bench_images_free(&images);
    return rc;
}

static int print_tables(struct training *t)
{
    struct pcri_pk_frequencies *f = NULL;
    struct pcr_buffer b = { 0 };
    int rc = pcri_pk_train(t->counts, NULL, &f, &t->err);
    if (!rc)
        rc = pcri_pk_frequencies_pack(f, &b, &t->err);
    if (!rc)
        printf(
            "/* SPDX-License-Identifier: BSD-2-Clause */\n"
            "/* The built-in tables, as they are stored. Made by tests/bench/train_packed.c "
            "*/\n#include \"builtin.h\"\n\n"
            "const size_t pcri_pk_builtin_nbytes = %zu;\n/* clang-format off */\n"
            "const uint8_t pcri_pk_builtin_tables[] = {",
            b.nbytes);
    for (size_t i = 0; !rc && i < b.nbytes; i++)
        printf("%s%u,", i % 25 ? "" : "\n", b.data[i]);
    printf("\n};\n");
    pcr_buffer_free(&b);
    pcri_pk_frequencies_destroy(&f);
    return rc;
}

int main(int argc, char **argv)
{
    static struct training t = { .limits = { .size = sizeof(t.limits) } };
    pcri_limits_fill(&t.limits);
    int rc = pcr_ladder_create("packed", &t.ladders[0], &t.err);
    if (!rc)
        rc = pcr_ladder_create("bitplane", &t.ladders[1], &t.err);
    if (!rc)
        rc = pcri_pk_counts_create(&t.counts, &t.err);
    if (!rc)
        rc = count_generated(&t);
    for (int i = 1; !rc && i + 1 < argc; i += 2)
        rc = count_folder(&t, argv[i], (size_t) atol(argv[i + 1]));
    if (!rc)
        rc = print_tables(&t);
    if (rc)
        fprintf(stderr, "train-packed: %s\n", t.err.message);
    pcri_pk_counts_destroy(&t.counts);
    pcri_pk_encoder_free(&t.encoder);
    pcr_ladder_destroy(&t.ladders[0]);
    pcr_ladder_destroy(&t.ladders[1]);
    return rc != 0;
}
