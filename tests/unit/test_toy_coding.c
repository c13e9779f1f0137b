/* SPDX-License-Identifier: BSD-2-Clause */
/* toy_coding: datasets of a coding that the library does not have, by its interface alone. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <pcr/dataset.h>
#include <pcr/image.h>
#include <pcr/loader.h>

#include "../toy_coding/toy.h"
#include "base/base.h"
#include "suite.h"
#include "write_source.h"

enum { SAMPLES = 12 };

enum { PNG = 3, CMYK = 7 }; /* samples that the toy cannot hold */

static struct test_source src;
static struct test_folder top;
static struct pcr_error error;
static struct pcr_dataset *ds;

static void ok(int rc)
{
    ck_assert_msg(rc == 0, "%s", error.message);
}

static void write_to(const char *path, uint32_t coding)
{
    struct pcr_write_options o = {
        .size = sizeof(o), .record_samples = 5, .thread_count = 2, .coding = coding
    };
    struct pcr_ladder *ladder = NULL;
    ok(pcr_ladder_create("packed", &ladder, &error));
    o.ladder = ladder;
    ok(pcr_dataset_write(path, &src.source, &o, NULL, &error));
    pcr_ladder_destroy(&ladder);
}

static void setup(void)
{
    test_source_init(&src, SAMPLES);
    test_source_set_case(&src, PNG, "png-rgb");
    test_source_set_case(&src, 5, "gray");
    test_source_set_case(&src, CMYK, "progressive-cmyk");
    test_folder_make(&top);
    write_to(top.path, TOY_CODING);
    ok(pcr_dataset_open(top.path, NULL, &ds, &error));
}

static void teardown(void)
{
    pcr_dataset_close(&ds);
    test_source_free(&src);
    test_folder_free(&top);
}

/* The sample's pixels are its source's, decoded from the record and as a file. */
static void check_sample(struct pcr_decoder *d, uint64_t index)
{
    struct pcr_sample *s = NULL;
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_image_info image = { .size = sizeof(image) }, small = { .size = sizeof(small) };
    struct pcr_buffer file = { 0 }, ours = { 0 }, as_file = { 0 }, theirs = { 0 };
    ok(pcr_sample_acquire(ds, index, &s, &error));
    ok(pcr_sample_describe(s, &info, &error));
    const struct test_sample *one = &src.samples[atoi(info.key + strlen("images/"))];
    bool toy = one != &src.samples[PNG] && one != &src.samples[CMYK];
    ck_assert_uint_eq(info.coding, toy ? TOY_CODING : PCR_CODING_OPAQUE);
    ck_assert_str_eq(pcr_coding_name(info.coding), toy ? "toy" : "opaque");
    ok(pcr_sample_decode(s, 0, d, NULL, &ours, &image, &error));
    ok(pcr_sample_read(s, 0, &file, &error));
    ok(pcr_decoder_decode_alloc(d, file.data, file.nbytes, NULL, &as_file, NULL, &error));
    ok(pcr_decoder_decode_alloc(d, one->file.data, one->file.nbytes, NULL, &theirs, NULL,
                                &error));
    ck_assert_uint_eq(ours.nbytes, theirs.nbytes);
    ck_assert_mem_eq(ours.data, theirs.data, ours.nbytes);
    ck_assert_uint_eq(as_file.nbytes, theirs.nbytes);
    ck_assert_mem_eq(as_file.data, theirs.data, as_file.nbytes);
    ok(pcr_sample_decode(s, 1, d, NULL, &ours, &small, &error));
    ck_assert_uint_eq(small.width, image.width);
    if (toy)
        ck_assert(memcmp(ours.data, theirs.data, theirs.nbytes) != 0); /* DC alone */
    pcr_buffer_free(&file);
    pcr_buffer_free(&ours);
    pcr_buffer_free(&as_file);
    pcr_buffer_free(&theirs);
    pcr_sample_release(&s);
}

START_TEST(reads_back)
{
    struct pcr_decoder *d = NULL;
    ok(pcr_decoder_create(&d, &error));
    for (uint64_t i = 0; i < SAMPLES; i++)
        check_sample(d, i);
    pcr_decoder_destroy(&d);
}
END_TEST

/* The file of the CMYK sample, which `from` has at any fidelity; returns its coding. */
static uint32_t read_cmyk(struct pcr_dataset *from, struct pcr_buffer *file)
{
    static const char key[] = "images/007.jpg";
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_sample *s = NULL;
    uint64_t index;
    ok(pcr_dataset_find(from, key, strlen(key), &index, &error));
    ok(pcr_sample_acquire(from, index, &s, &error));
    ok(pcr_sample_describe(s, &info, &error));
    ok(pcr_sample_read(s, PCR_FIDELITY_FULL, file, &error));
    pcr_sample_release(&s);
    return info.coding;
}

/* What the other coding had and the new one cannot hold is kept as the file that it was. */
START_TEST(recodes)
{
    struct pcr_write_options o = { .size = sizeof(o), .coding = TOY_CODING };
    struct pcr_write_progress report = { .size = sizeof(report) };
    struct pcr_buffer before = { 0 }, after = { 0 };
    struct pcr_dataset *from = NULL;
    struct test_folder packed, out;
    test_folder_make(&packed);
    test_folder_make(&out);
    write_to(packed.path, PCR_CODING_PACKED);
    ok(pcr_dataset_open(packed.path, NULL, &from, &error));
    ok(pcr_dataset_recode(from, out.path, &o, &report, &error));
    ck_assert_uint_eq(report.samples_done, SAMPLES);
    ck_assert_uint_eq(read_cmyk(from, &before), PCR_CODING_PACKED);

    pcr_dataset_close(&ds);
    ok(pcr_dataset_open(out.path, NULL, &ds, &error));
    struct pcr_decoder *d = NULL;
    ok(pcr_decoder_create(&d, &error));
    for (uint64_t i = 0; i < SAMPLES; i++)
        check_sample(d, i);
    pcr_decoder_destroy(&d);
    ck_assert_uint_eq(read_cmyk(ds, &after), PCR_CODING_OPAQUE);
    ck_assert_uint_eq(after.nbytes, before.nbytes);
    ck_assert_mem_eq(after.data, before.data, before.nbytes);
    pcr_buffer_free(&before);
    pcr_buffer_free(&after);
    pcr_dataset_close(&from);
    test_folder_free(&packed);
    test_folder_free(&out);
}
END_TEST

START_TEST(verifies)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    for (uint64_t r = 0; r < 3; r++)
        ok(pcr_dataset_verify_record(ds, r, true, &report, NULL, NULL, &error));
    ck_assert_uint_eq(report.bad_samples, 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("toy_coding");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, reads_back);
    tcase_add_test(t, verifies);
    tcase_add_test(t, recodes);
    return tests_run();
}
