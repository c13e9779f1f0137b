/* SPDX-License-Identifier: BSD-2-Clause */
/* write: conversions that run undisturbed, policies for bad inputs, and refusals. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "suite.h"
#include "writing.h"

static void setup(void)
{
    writing_begin(40, 7);
}

/* --- what is written --- */

START_TEST(same_on_any_threads)
{
    options.bad_policy = PCR_BAD_SKIP;
    test_source_set(&src, 3, "no image", 8);
    test_source_set_case(&src, 9, "png-rgb");
    options.thread_count = 1;
    write_ok("one");
    options.thread_count = 2;
    write_ok("two");
    options.thread_count = 9; /* more than a record has samples */
    write_ok("nine");
    test_same_folders(at("one"), at("two"));
    test_same_folders(at("one"), at("nine"));
    ck_assert(!test_exists(at("one"), ".pcr-convert"));
    /* 8 samples of split test, 32 of train */
    ck_assert_uint_eq(test_count(at("one"), ".pcr"), 2 + 5);
    ck_assert(test_exists(at("one"), "test-00001.pcr"));
    ck_assert(test_exists(at("one"), "train-00004.pcr"));
}
END_TEST

START_TEST(records_by_bytes)
{
    static const char *const names[] = { "a b", "a/b" };
    uint64_t total = 0;
    for (uint32_t i = 0; i < 40; i++)
        total += src.samples[i].file.nbytes;
    src.source.split_names = names;
    options.record_samples = 0;
    options.record_nbytes = total / 5;
    write_ok("d");
    ck_assert(test_exists(at("d"), "a_b-00000.pcr"));
    ck_assert(test_exists(at("d"), "a_b~1-00000.pcr"));
    unsigned count = test_count(at("d"), ".pcr");
    ck_assert_msg(count >= 5 && count <= 7, "%u records", count);
}
END_TEST

START_TEST(one_split_without_names)
{
    src.source.split_names = NULL;
    src.source.split_count = 0;
    for (uint32_t i = 0; i < 40; i++)
        src.samples[i].split = 0;
    options.record_samples = 0;
    write_ok("d");
    ck_assert_uint_eq(test_count(at("d"), ".pcr"), 1);
    ck_assert(test_exists(at("d"), "all-00000.pcr"));
}
END_TEST

START_TEST(dry_run)
{
    struct pcr_write_progress real = { .size = sizeof(real) };
    test_source_set_case(&src, 9, "png-rgb");
    write_ok("d");
    real = report;
    options.flags = PCR_WRITE_DRY_RUN;
    write_ok("e");
    ck_assert(!test_exists(top.path, "e"));
    ck_assert_mem_eq(&real, &report, sizeof(real));
    write_ok("d"); /* nor does it mind what is there */
}
END_TEST

/* --- bad inputs --- */

static unsigned bad_count;
static char bad_paths[512], bad_formats[512];

static void bad_input(void *context, const char *path, const char *format,
                      const struct pcr_error *err)
{
    ck_assert_ptr_eq(context, &bad_count);
    ck_assert_int_lt(err->code, 0);
    format = format ? format : "none";
    strcat(strcat(bad_formats, format), " ");
    bad_count++;
    strcat(strcat(bad_paths, path), " ");
}

static void watch_bad(void)
{
    bad_count = 0;
    bad_paths[0] = bad_formats[0] = '\0';
    options.bad_input = bad_input;
    options.context = &bad_count;
}

START_TEST(fails_at_the_first_bad)
{
    char first[512] = "";
    for (uint32_t i = 11; i < 40; i += 4)
        test_source_set(&src, i, src.samples[i].file.data, src.samples[i].file.nbytes / 2);
    for (uint32_t threads = 1; threads <= 4; threads++) {
        char name[8];
        snprintf(name, sizeof(name), "d%u", threads);
        options.thread_count = threads;
        refused(name, PCR_ERR_TRUNCATED, "images/");
        if (!*first)
            strcpy(first, error.message);
        ck_assert_str_eq(error.message, first);
        ck_assert(!test_exists(at(name), "manifest.json"));
    }
}
END_TEST

static json_t *line_of(const struct pcr_buffer *text, const char *key)
{
    const char *p = (const char *) text->data, *end = p + text->nbytes;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t) (end - p));
        ck_assert_ptr_nonnull(lf);
        json_t *object = json_loadb(p, (size_t) (lf - p), 0, NULL);
        ck_assert_ptr_nonnull(object);
        if (!strcmp(json_string_value(json_object_get(object, "key")), key))
            return object;
        json_decref(object);
        p = lf + 1;
    }
    ck_abort_msg("errors.jsonl does not name %s", key);
    return NULL;
}

static void check_line(const struct pcr_buffer *text, const char *key, const char *code,
                       const char *key_hex)
{
    json_t *object = line_of(text, key);
    const char *hex = json_string_value(json_object_get(object, "key_hex"));
    ck_assert_str_eq(json_string_value(json_object_get(object, "code")), code);
    ck_assert_str_eq(json_string_value(json_object_get(object, "path")), key);
    ck_assert_str_eq(hex ? hex : "", key_hex);
    ck_assert_ptr_nonnull(json_object_get(object, "message"));
    json_decref(object);
}

START_TEST(skips_and_lists)
{
    struct pcr_buffer text = { 0 };
    strcpy(src.samples[20].key, "\xff.jpg");
    test_source_set(&src, 20, "8BPS\0\1", 6);
    test_source_set(&src, 21, "", 0);
    test_source_set_case(&src, 22, "truncated-half");
    src.samples[23].load_code = PCR_ERR_IO;
    test_source_set_case(&src, 24, "png-truncated-half");
    options.bad_policy = PCR_BAD_SKIP;
    watch_bad();
    write_ok("d");
    ck_assert_uint_eq(bad_count, 5);
    ck_assert_ptr_nonnull(strstr(bad_paths, "\xff.jpg "));
    ck_assert_uint_eq(report.samples_bad, 5);
    ck_assert_uint_eq(report.samples_done, 35);
    test_read(at("d"), "errors.jsonl", &text);
    check_line(&text, "\xef\xbf\xbd.jpg", "FORMAT", "ff2e6a7067");
    check_line(&text, "images/021.jpg", "TRUNCATED", "");
    check_line(&text, "images/022.jpg", "TRUNCATED", "");
    check_line(&text, "images/023.jpg", "IO", "");
    check_line(&text, "images/024.jpg", "TRUNCATED", "");
    pcr_buffer_free(&text);
}
END_TEST

START_TEST(keeps_bad_whole)
{
    test_source_set(&src, 20, "8BPS\0\1", 6);
    test_source_set(&src, 21, "", 0);
    test_source_set_case(&src, 22, "truncated-half");
    options.bad_policy = PCR_BAD_OPAQUE;
    watch_bad();
    write_ok("d");
    ck_assert_uint_eq(bad_count, 3);
    ck_assert_uint_eq(report.samples_bad, 1); /* the empty file */
    ck_assert_uint_eq(report.samples_done, 39);
    ck_assert_uint_eq(report.samples_undecodable, 2);
}
END_TEST

START_TEST(refuses_opaque)
{
    options.opaque_policy = PCR_OPAQUE_REFUSE;
    test_source_set_case(&src, 22, "png-rgb");
    refused("d", PCR_ERR_UNSUPPORTED, "images/022.jpg");
    options.opaque_policy = PCR_OPAQUE_KEEP;
    write_ok("f");
    options.opaque_policy = PCR_OPAQUE_REFUSE;
    options.bad_policy = PCR_BAD_SKIP;
    write_ok("g");
    ck_assert_uint_eq(report.samples_bad, 1);
}
END_TEST

/* What no decoder here can show is a bad input, whatever policy images that decode have. */
START_TEST(undecodable_is_bad)
{
    test_source_set_case(&src, 22, "lossless");
    refused("d", PCR_ERR_UNSUPPORTED, "lossless JPEG, which no decoder here can show");
    test_source_set(&src, 20, "8BPS\0\1", 6);
    test_source_set_case(&src, 21, "arithmetic");
    options.bad_policy = PCR_BAD_SKIP;
    options.flags = PCR_WRITE_NO_SHUFFLE;
    options.thread_count = 1;
    watch_bad();
    write_ok("e");
    ck_assert_uint_eq(report.samples_bad, 3);
    ck_assert_uint_eq(report.samples_undecodable, 0);
    ck_assert_str_eq(bad_formats, "PSD arithmetic-coded JPEG lossless JPEG ");
    options.bad_policy = PCR_BAD_OPAQUE;
    write_ok("f");
    ck_assert_uint_eq(report.samples_bad, 0);
    ck_assert_uint_eq(report.samples_undecodable, 3);
    write_ok("f"); /* it is all there: the same is told */
    ck_assert_uint_eq(report.samples_undecodable, 3);
}
END_TEST

START_TEST(records_of_bad_alone)
{
    options.bad_policy = PCR_BAD_SKIP;
    options.flags = PCR_WRITE_NO_SHUFFLE;
    for (uint32_t i = 0; i < 40; i += 5)
        test_source_set(&src, i, "x", 1); /* split test */
    write_ok("d");
    ck_assert(!test_exists(at("d"), "test-00000.pcr"));
    ck_assert_uint_eq(test_count(at("d"), ".pcr"), 5);
    ck_assert_uint_eq(report.samples_bad, 8);
    for (uint32_t i = 0; i < 40; i++)
        test_source_set(&src, i, "x", 1);
    refused("e", PCR_ERR_CORRUPT, "no sample is left");
    ck_assert(test_exists(at("e"), "errors.jsonl"));
    ck_assert(!test_exists(at("e"), "manifest.json"));
}
END_TEST

START_TEST(our_own_failures)
{
    options.bad_policy = PCR_BAD_SKIP; /* which does not apply to them */
    src.samples[30].load_code = PCR_ERR_NOMEM;
    refused("d", PCR_ERR_NOMEM, "made to fail");
    src.samples[30].load_code = PCR_ERR_CANCELLED;
    refused("e", PCR_ERR_CANCELLED, "made to fail");
}
END_TEST

/* --- the caller's mistakes --- */

START_TEST(mistakes)
{
    src.samples[30].attributes = "[1]";
    refused("d", PCR_ERR_INVAL, "images/030.jpg: its attributes are not a JSON object");
    src.samples[30].attributes = NULL;
    src.samples[30].label = 3;
    refused("e", PCR_ERR_INVAL, "class 3, but there are 3");
    src.samples[30].label = 1;
    src.samples[30].split = 2;
    refused("e", PCR_ERR_INVAL, "split 2, but there are 2");
    src.samples[30].split = 1;
    strcpy(src.samples[30].key, src.samples[7].key);
    refused("e", PCR_ERR_INVAL, "samples 7 and 30 of the source have the same key");
    src.samples[30].key[0] = '\0';
    refused("e", PCR_ERR_INVAL, "has no key");
    src.source.sample_count = 0;
    refused("e", PCR_ERR_INVAL, "no samples");
    options.bad_policy = 5;
    refused("e", PCR_ERR_INVAL, "bad_policy");
    options.flags = 1u << 31;
    refused("e", PCR_ERR_INVAL, "pcr_write_options.flags: 0x80000000 is unknown");
    ck_assert(!test_exists(top.path, "e"));
    ck_assert_int_eq(pcr_dataset_write(NULL, &src.source, NULL, NULL, &error), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_dataset_write(at("e"), NULL, NULL, NULL, &error), PCR_ERR_INVAL);
}
END_TEST

START_TEST(folders_that_cannot_be)
{
    fclose(fopen(at("file"), "w"));
    refused("file", PCR_ERR_INVAL, "not a folder");
    refused("file/d", PCR_ERR_IO, "Not a directory");
    refused("absent/d", PCR_ERR_IO, "cannot create the folder: No such file");
    if (geteuid() != 0) { /* the superuser may write all the same */
        ck_assert_int_eq(chdir(top.path), 0);
        ck_assert_int_eq(system("mkdir ro && chmod 555 ro"), 0);
        refused("ro", PCR_ERR_IO, "Permission denied");
    }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("write");
    tcase_add_checked_fixture(t, setup, writing_end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, same_on_any_threads);
    tcase_add_test(t, records_by_bytes);
    tcase_add_test(t, one_split_without_names);
    tcase_add_test(t, dry_run);
    tcase_add_test(t, fails_at_the_first_bad);
    tcase_add_test(t, skips_and_lists);
    tcase_add_test(t, keeps_bad_whole);
    tcase_add_test(t, refuses_opaque);
    tcase_add_test(t, undecodable_is_bad);
    tcase_add_test(t, records_of_bad_alone);
    tcase_add_test(t, our_own_failures);
    tcase_add_test(t, mistakes);
    tcase_add_test(t, folders_that_cannot_be);
    return tests_run();
}
