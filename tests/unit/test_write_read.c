/* SPDX-License-Identifier: BSD-2-Clause */
/* write_read: what the writer wrote, as the reader sees it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <pcr/dataset.h>
#include <pcr/image.h>

#include "base/base.h"
#include "suite.h"
#include "writing.h"

static void setup(void)
{
    writing_begin(40, 7);
}

/* Decodes a file's pixels. */
static void decode(const void *data, size_t nbytes, struct pcr_buffer *pixels)
{
    struct pcr_decoder *d = NULL;
    struct pcr_image_info info = { .size = sizeof(info) };
    ck_assert_int_eq(pcr_decoder_create(&d, &error), 0);
    int rc = pcr_decoder_decode_alloc(d, data, nbytes, NULL, pixels, &info, &error);
    ck_assert_msg(rc == 0, "%s", error.message);
    pcr_decoder_destroy(&d);
}

static void check_sample(struct pcr_dataset *ds, uint64_t index)
{
    struct pcr_sample *s = NULL;
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_buffer file = { 0 }, ours = { 0 }, theirs = { 0 };
    ck_assert_int_eq(pcr_sample_acquire(ds, index, &s, &error), 0);
    ck_assert_int_eq(pcr_sample_describe(s, &info, &error), 0);
    unsigned i = (unsigned) atoi(info.key + strlen("images/"));
    const struct test_sample *one = &src.samples[i];
    ck_assert_str_eq(info.key, one->key);
    ck_assert_uint_eq(info.label_count, 1);
    ck_assert_int_eq(info.labels[0], one->label);
    ck_assert_uint_eq(info.source_nbytes, one->file.nbytes);
    ck_assert_int_eq(pcr_sample_attributes(s, &file, &error), 0);
    ck_assert_str_eq((const char *) file.data, one->attributes ? "{\"a\":[],\"n\":1}" : "{}");
    ck_assert_int_eq(pcr_sample_read(s, 0, &file, &error), 0);
    decode(file.data, file.nbytes, &ours);
    decode(one->file.data, one->file.nbytes, &theirs);
    ck_assert_uint_eq(ours.nbytes, theirs.nbytes);
    ck_assert_mem_eq(ours.data, theirs.data, ours.nbytes);
    pcr_buffer_free(&file);
    pcr_buffer_free(&ours);
    pcr_buffer_free(&theirs);
    pcr_sample_release(&s);
}

START_TEST(reads_back)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_dataset_info info = { .size = sizeof(info) };
    test_source_set_case(&src, 9, "png-rgb");
    write_ok("d");
    ck_assert_int_eq(pcr_dataset_open(at("d"), NULL, &ds, &error), 0);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    ck_assert_uint_eq(info.sample_count, 40);
    ck_assert_uint_eq(info.record_count, 7);
    ck_assert_uint_eq(info.opaque_count, 1);
    ck_assert_uint_eq(info.class_count, 3);
    ck_assert_uint_eq(info.source_nbytes, report.source_nbytes);
    ck_assert_uint_eq(info.total_nbytes, report.written_nbytes);
    ck_assert_uint_eq(report.records_source_nbytes, report.source_nbytes);
    ck_assert_uint_eq(pcr_dataset_class_count(ds, 0), 14);
    ck_assert_uint_eq(pcr_dataset_class_count(ds, 2), 13);
    ck_assert_str_eq(pcr_dataset_class_name(ds, 1), "bee");
    for (uint64_t i = 0; i < 40; i++)
        check_sample(ds, i);
    pcr_dataset_close(&ds);
}
END_TEST

static uint64_t first_key(const char *name)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_sample *s = NULL;
    struct pcr_sample_info info = { .size = sizeof(info) };
    ck_assert_int_eq(pcr_dataset_open(at(name), NULL, &ds, &error), 0);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 40; i++) {
        ck_assert_int_eq(pcr_sample_acquire(ds, i, &s, &error), 0);
        ck_assert_int_eq(pcr_sample_describe(s, &info, &error), 0);
        sum = sum * 31 + (uint64_t) atoi(info.key + strlen("images/"));
        pcr_sample_release(&s);
    }
    pcr_dataset_close(&ds);
    return sum;
}

START_TEST(order_follows_seed)
{
    write_ok("a");
    options.seed = 1;
    write_ok("b");
    options.flags = PCR_WRITE_NO_SHUFFLE;
    write_ok("c");
    ck_assert_uint_ne(first_key("a"), first_key("b"));
    uint64_t sum = 0; /* split test: 0, 5, ..; then train */
    for (uint64_t i = 0; i < 40; i += 5)
        sum = sum * 31 + i;
    for (uint64_t i = 0; i < 40; i++)
        if (i % 5)
            sum = sum * 31 + i;
    ck_assert_uint_eq(first_key("c"), sum);
}
END_TEST

START_TEST(opaque_samples)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_sample *s = NULL;
    struct pcr_buffer file = { 0 };
    uint64_t index;
    test_source_set(&src, 20, "8BPS\0\1", 6);
    test_source_set(&src, 21, "", 0);
    test_source_set_case(&src, 22, "truncated-half");
    options.bad_policy = PCR_BAD_OPAQUE;
    write_ok("d");
    ck_assert_int_eq(pcr_dataset_open(at("d"), NULL, &ds, &error), 0);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    ck_assert_uint_eq(info.opaque_count, 2);
    ck_assert_int_eq(pcr_dataset_find(ds, "images/020.jpg", 14, &index, &error), 0);
    ck_assert_int_eq(pcr_sample_acquire(ds, index, &s, &error), 0);
    ck_assert_int_eq(pcr_sample_read(s, 1, &file, &error), 0);
    ck_assert_uint_eq(file.nbytes, 6);
    ck_assert_mem_eq(file.data, "8BPS\0\1", 6);
    pcr_buffer_free(&file);
    pcr_sample_release(&s);
    pcr_dataset_close(&ds);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("write_read");
    tcase_add_checked_fixture(t, setup, writing_end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, reads_back);
    tcase_add_test(t, order_follows_seed);
    tcase_add_test(t, opaque_samples);
    return tests_run();
}
