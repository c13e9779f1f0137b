/* SPDX-License-Identifier: BSD-2-Clause */
/* write: which duplicates are left out, and what their labels and splits mean. */
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/base.h"
#include "suite.h"
#include "writing.h"

enum { COUNT = 24 };

static atomic_uint loads[COUNT];
static bool unknown_size[COUNT], no_label[COUNT];
static uint32_t
    other_after; /* load() gives sample 4 other bytes after so many loads; 0: never */
static uint32_t fails_once; /* the first load() of this sample fails; 0: none */
static struct pcr_source plain;

static int describe_any(void *context, uint64_t i, struct pcr_source_sample *out,
                        struct pcr_error *err)
{
    int rc = plain.describe(context, i, out, err);
    out->nbytes = unknown_size[i] ? 0 : out->nbytes;
    out->label_count = no_label[i] ? 0 : out->label_count;
    return rc;
}

static int load_any(void *context, uint64_t i, uint64_t max_nbytes, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    unsigned before = atomic_fetch_add(&loads[i], 1);
    if (fails_once && i == fails_once && !before)
        return pcri_fail(err, PCR_ERR_IO, "not now");
    int rc = plain.load(context, i, max_nbytes, out, err);
    if (!rc && i == 4 && other_after && before >= other_after)
        out->data[out->nbytes - 1] ^= 1;
    return rc;
}

static void set_up(void)
{
    writing_begin(COUNT, 4);
    options.flags = PCR_WRITE_DEDUPE;
    plain = src.source;
    src.source.describe = describe_any;
    src.source.load = load_any;
    for (int i = 0; i < COUNT; i++)
        loads[i] = unknown_size[i] = no_label[i] = 0;
    other_after = fails_once = 0;
}

/* Samples a and b become the same file. */
static void make_same(uint32_t a, uint32_t b)
{
    test_source_set(&src, b, src.samples[a].file.data, src.samples[a].file.nbytes);
}

/* errors.jsonl says that `key` was left out for `kept`. */
static void lists(const char *name, const char *key, const char *kept)
{
    struct pcr_buffer text = { 0 };
    char expected[256];
    test_read(at(name), "errors.jsonl", &text);
    ck_assert_int_eq(pcri_buffer_append(&text, "", 1, NULL), 0);
    snprintf(
        expected, sizeof(expected),
        "{\"code\":\"INVAL\",\"duplicate_of\":\"%s\",\"key\":\"%s\",\"message\":\"left out: a "
        "duplicate\",\"path\":\"%s\"}\n",
        kept, key, key);
    ck_assert_msg(strstr((char *) text.data, expected) != NULL, "'%s' lacks '%s'",
                  (char *) text.data, expected);
    pcr_buffer_free(&text);
}

static void counts(uint64_t done, uint64_t bad, uint64_t duplicates, uint64_t across)
{
    ck_assert_uint_eq(report.samples_done, done);
    ck_assert_uint_eq(report.samples_bad, bad);
    ck_assert_uint_eq(report.sample_count, done + bad);
    ck_assert_uint_eq(report.samples_duplicate, duplicates);
    ck_assert_uint_eq(report.samples_across_splits, across);
}

/* Of one split the first, of several that of the smaller. Others are not even read for it. */
START_TEST(keeps_one)
{
    make_same(1, 4);
    make_same(1, 7);
    make_same(3, 15); /* in the smaller split */
    write_ok("d");
    counts(COUNT - 3, 0, 3, 1);
    lists("d", "images/004.jpg", "images/001.jpg");
    lists("d", "images/007.jpg", "images/001.jpg");
    lists("d", "images/003.jpg", "images/015.jpg");
    ck_assert_uint_eq(loads[4], 2); /* read, compared, and not packed */
    write_ok("d");                  /* it is finished */
    counts(COUNT - 3, 0, 3, 1);
    ck_assert_uint_eq(report.records_kept, report.record_count);

    options.flags = 0;
    refused("d", PCR_ERR_INVAL, "already holds another dataset");
    for (int i = 0; i < COUNT; i++)
        loads[i] = 0;
    write_ok("all");
    counts(COUNT, 0, 0, 0);
    ck_assert_uint_eq(report.samples_repeated, 3);
    ck_assert_uint_eq(report.repeated_across_splits, 1);
    for (int i = 0; i < COUNT;
         i++) { /* trained on, packed, and compared if it is one of these */
        bool same = i == 1 || i == 4 || i == 7 || i == 3 || i == 15;
        ck_assert_uint_eq(loads[i], 2 + same);
    }
    ck_assert(!test_exists(at("all"), "errors.jsonl"));
}
END_TEST

/* The same files with any number of threads, known sizes or not, and after a stop. */
static int stop(void *context, const struct pcr_write_progress *p)
{
    return p->records_done >= 2;
}

START_TEST(always_the_same)
{
    make_same(1, 4);
    make_same(2, 8);
    make_same(2, 14);
    write_ok("one");
    options.thread_count = 7;
    write_ok("seven");
    test_same_folders(at("one"), at("seven"));
    options.thread_count = 1;
    options.progress = stop;
    src.delay_us = 10000;
    ck_assert_int_eq(try_write("stopped"), PCR_ERR_CANCELLED);
    options.progress = NULL;
    src.delay_us = 0;
    write_ok("stopped");
    ck_assert_uint_gt(report.records_kept, 0);
    test_same_folders(at("one"), at("stopped"));

    memset(unknown_size, true, sizeof(unknown_size));
    write_ok("unknown");
    counts(COUNT - 3, 0, 3, 0);
    test_same_folders(at("one"), at("unknown"));
}
END_TEST

/* One whose size is not known is compared with those whose size is. */
START_TEST(sizes_that_come_late)
{
    make_same(1, 4);
    unknown_size[4] = true;
    test_source_set(&src, 2, "", 0); /* nothing: no duplicate of others that are empty */
    test_source_set(&src, 5, "", 0);
    options.bad_policy = PCR_BAD_SKIP;
    write_ok("d");
    counts(COUNT - 3, 2, 1, 0);
    lists("d", "images/004.jpg", "images/001.jpg");
}
END_TEST

/* Equal checksums alone leave nothing out. */
START_TEST(compares_bytes)
{
    make_same(1, 4);
    other_after = 1;
    options.bad_policy = PCR_BAD_OPAQUE;
    write_ok("d");
    counts(COUNT, 0, 0, 0);
}
END_TEST

START_TEST(other_labels)
{
    make_same(1, 4);
    make_same(1, 6);
    refused(
        "d", PCR_ERR_INVAL,
        "'images/001.jpg' and 'images/006.jpg' are the same file, but their labels differ");
    options.bad_policy = PCR_BAD_SKIP;
    write_ok("d");
    counts(COUNT - 3, 3, 0, 0);
    struct pcr_buffer text = { 0 };
    test_read(at("d"), "errors.jsonl", &text);
    ck_assert_int_eq(pcri_buffer_append(&text, "", 1, NULL), 0);
    for (const char *key = "146"; *key; key++) {
        char expected[64];
        snprintf(expected, sizeof(expected), "\"key\":\"images/00%c.jpg\"", *key);
        ck_assert_ptr_nonnull(strstr((char *) text.data, expected));
    }
    ck_assert_ptr_nonnull(strstr((char *) text.data, "the labels of some copies differ"));
    pcr_buffer_free(&text);
}
END_TEST

/* A label may be missing in another split only. */
START_TEST(missing_labels)
{
    make_same(1, 4);
    no_label[4] = true;
    refused("d", PCR_ERR_INVAL, "their labels differ");
    no_label[4] = false;
    make_same(3, 15);
    no_label[15] = true;
    write_ok("d");
    counts(COUNT - 2, 0, 2, 1);
    lists("d", "images/003.jpg", "images/015.jpg");
}
END_TEST

/* What could not be read for it is bad, even if it can be read now. */
START_TEST(lost)
{
    make_same(1, 4);
    fails_once = 4;
    refused("d", PCR_ERR_IO, "images/004.jpg: not now");
    loads[4] = 0;
    options.bad_policy = PCR_BAD_SKIP;
    write_ok("d");
    counts(COUNT - 1, 1, 0, 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("write_duplicates");
    tcase_add_checked_fixture(t, set_up, writing_end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, keeps_one);
    tcase_add_test(t, always_the_same);
    tcase_add_test(t, sizes_that_come_late);
    tcase_add_test(t, compares_bytes);
    tcase_add_test(t, other_labels);
    tcase_add_test(t, missing_labels);
    tcase_add_test(t, lost);
    return tests_run();
}
