/* SPDX-License-Identifier: BSD-2-Clause */
/* A small dataset of generated images for tests: four records of uneven size with JPEGs of
 * many shapes, one PNG, and orientations. */
#ifndef MADE_IMAGES_H
#define MADE_IMAGES_H

#include <pcr/loader.h>

#include "manifest/manifest.h"
#include "generator.h"
#include "jpeg/coding.h"
#include "made.h"

enum { MADE_SAMPLES = 100, MADE_RECORDS = 4, MADE_PNG = 20 };

static const uint32_t made_counts[MADE_RECORDS] = { 13, 50, 1, 36 };

/* n threads that only read; 0: none. */
static inline uint32_t made_readers(uint32_t n)
{
    return n ? n : PCR_NO_READERS;
}

static inline int64_t made_label(uint64_t index)
{
    return (int64_t) (index * 7 % 10);
}

static inline void made_check(int rc, const struct pcr_error *err)
{
    ck_assert_msg(!rc, "%s", rc ? err->message : "");
}

static inline void made_image_pack(struct pcri_coder *coder, uint32_t i, struct pcri_coded *p)
{
    struct pcr_buffer file = { 0 };
    struct pcr_error err;
    if (i == MADE_PNG) {
        made_check(pcr_gen_make(pcr_gen_find("png-rgb"), &file, &err), &err);
        *p = (struct pcri_coded) { .orientation = 1,
                                   .source_nbytes = file.nbytes,
                                   .bytes = file };
        return;
    }
    err = (struct pcr_error) { .message = "pcr_gen_photo" };
    made_check(pcr_gen_photo(i, 40 + i % 30, 30 + i % 37, 80,
                             (enum pcr_gen_subsampling)(i % PCR_GEN_SUBSAMPLINGS), &file),
               &err);
    made_check(pcri_coder_encode(coder, NULL, file.data, file.nbytes, p, &err), &err);
    p->orientation = 1 + i % 8;
    pcr_buffer_free(&file);
}

/* Writes records and manifest into made_folder.path. */
static inline void made_images(void)
{
    struct pcr_ladder *ladder = NULL;
    struct pcri_coder *coder = NULL;
    struct pcri_manifest m;
    struct pcr_limits limits = { .size = sizeof(limits) };
    struct pcr_buffer text = { 0 };
    struct pcr_error err;
    uint16_t pieces[PCRI_MAX_GROUPS];
    uint32_t i = 0;
    pcri_limits_fill(&limits);
    made_check(pcr_ladder_create("bitplane", &ladder, &err), &err);
    made_check(pcri_coder_create(&pcri_coding_scans, ladder, &limits, NULL, &coder, &err),
               &err);
    pcri_ladder_piece_counts(ladder, pieces);
    uint32_t groups = pcr_ladder_group_count(ladder);
    made_check(pcri_manifest_init(&m, groups, pcr_ladder_text(ladder), &err), &err);
    m.label_kind = PCR_LABEL_INTS;
    made_check(pcri_manifest_add_split(&m, "all", &err), &err);
    for (uint32_t r = 0; r < MADE_RECORDS; r++) {
        struct pcri_builder *b = NULL;
        struct pcri_header header;
        char name[32];
        made_check(pcri_builder_create(groups, pieces, pcr_ladder_text(ladder), &b, &err),
                   &err);
        for (uint32_t k = 0; k < made_counts[r]; k++, i++) {
            struct pcri_coded coded = { 0 };
            char key[32];
            int64_t label = made_label(i);
            snprintf(key, sizeof(key), "sample-%02u", i);
            struct pcri_sample_meta meta = { .key = key, .labels = &label, .label_count = 1 };
            made_image_pack(coder, i, &coded);
            made_check(pcri_builder_add(b, &meta, &coded, &err), &err);
        }
        snprintf(name, sizeof(name), "record-%u.pcr", r);
        made_check(pcri_builder_finish(b, made_folder.path, name, &header, &err), &err);
        made_check(pcri_manifest_add_record(&m, name, &header, &err), &err);
        pcri_builder_destroy(&b);
    }
    m.codings.opaque = 1;
    made_check(pcri_manifest_render(&m, &text, &err), &err);
    made_write(PCRI_MANIFEST_NAME, text.data, text.nbytes);
    pcr_buffer_free(&text);
    pcri_manifest_free(&m);
    pcri_coder_destroy(&coder);
    pcr_ladder_destroy(&ladder);
}

/* Turns over a byte in the middle of the chunk of sample `place` of record `r` in `group`
 * (from 1). Doing it twice undoes it. */
static inline void made_damage(uint32_t r, uint32_t place, uint32_t group)
{
    struct pcr_limits limits = { .size = sizeof(limits) };
    struct pcri_record *record = NULL;
    struct pcr_error err;
    char name[32];
    pcri_limits_fill(&limits);
    snprintf(name, sizeof(name), "record-%u.pcr", r);
    made_check(pcri_record_open(made_path(name), &pcri_io_pread, 0, &limits, 0, &record, &err),
               &err);
    uint64_t nbytes = pcri_chunk_nbytes(record->head, group - 1, place);
    ck_assert_uint_gt(nbytes, 0);
    uint64_t at = record->head->group_begin[group - 1] +
                  pcri_chunk_offset(record->head, group - 1, place) + nbytes / 2;
    pcri_record_close(&record);
    FILE *f = fopen(made_path(name), "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, (long) at, SEEK_SET), 0);
    int c = fgetc(f);
    ck_assert_int_eq(fseek(f, (long) at, SEEK_SET), 0);
    ck_assert_int_ge(fputc(c ^ 0xFF, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static inline void set_up_folder(void)
{
    made_dir_create();
    made_images();
}

/* The next batch, NULL at the epoch's end. */
static inline struct pcr_batch *next(struct pcr_loader *l)
{
    struct pcr_batch *b = NULL;
    struct pcr_error err;
    int rc = pcr_loader_next(l, &b, &err);
    ck_assert_msg(rc >= 0, "%s", rc < 0 ? err.message : "");
    ck_assert(rc == PCR_END ? !b : b != NULL);
    return b;
}

static inline void pass(struct pcr_loader *l)
{
    struct pcr_batch *b = next(l);
    pcr_batch_release(&b);
}

#endif
