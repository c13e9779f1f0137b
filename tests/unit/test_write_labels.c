/* SPDX-License-Identifier: BSD-2-Clause */
/* write: what labels a source may have, what they become, and which are refused. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <pcr/dataset.h>

#include "base/base.h"
#include "suite.h"
#include "write_source.h"

enum { COUNT = 4, MOST_LABELS = 5 };

/* A source whose samples have any labels. */
static struct {
    struct test_source images;
    uint32_t count[COUNT]; /* of labels */
    bool is_float[COUNT];
    int64_t ints[COUNT][MOST_LABELS];
    double floats[COUNT][MOST_LABELS];
} src;
static struct test_folder top;
static struct pcr_error error;
static struct pcr_write_options options;
static struct pcr_write_progress report = { .size = sizeof(report) };
static struct pcr_dataset *ds;
static struct pcr_dataset_info info;
static int (*describe_image)(void *, uint64_t, struct pcr_source_sample *, struct pcr_error *);

static int describe(void *context, uint64_t i, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    int rc = describe_image(context, i, out, err);
    out->labels = src.is_float[i] ? NULL : src.ints[i];
    out->float_labels = src.is_float[i] ? src.floats[i] : NULL;
    out->label_count = src.count[i];
    out->split = 0;
    return rc;
}

static void setup(void)
{
    memset(&src, 0, sizeof(src));
    memset(&error, 0, sizeof(error));
    options = (struct pcr_write_options) { .size = sizeof(options),
                                           .thread_count = 1,
                                           .flags = PCR_WRITE_NO_SHUFFLE };
    test_source_init(&src.images, COUNT);
    describe_image = src.images.source.describe;
    src.images.source.describe = describe;
    src.images.source.class_count = 0;
    src.images.source.split_count = 0;
    src.images.source.split_names = NULL;
    test_folder_make(&top);
}

static void teardown(void)
{
    pcr_dataset_close(&ds);
    test_source_free(&src.images);
    test_folder_free(&top);
}

static void set_int(uint32_t i, int64_t v)
{
    src.count[i] = 1;
    src.is_float[i] = false;
    src.ints[i][0] = v;
}

static void set_float(uint32_t i, double v)
{
    src.count[i] = 1;
    src.is_float[i] = true;
    src.floats[i][0] = v;
}

static int try_write(void)
{
    return pcr_dataset_write(top.path, &src.images.source, &options, &report, &error);
}

static void write_and_open(uint32_t label_kind, uint32_t class_count)
{
    ck_assert_msg(try_write() == 0, "%s", error.message);
    info.size = sizeof(info);
    ck_assert_int_eq(pcr_dataset_open(top.path, NULL, &ds, &error), 0);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    ck_assert_uint_eq(info.label_kind, label_kind);
    ck_assert_uint_eq(info.class_count, class_count);
}

static void refused(const char *key, const char *part)
{
    ck_assert_int_eq(try_write(), PCR_ERR_INVAL);
    ck_assert_msg(strstr(error.message, key) && strstr(error.message, part),
                  "'%s' lacks '%s' or '%s'", error.message, key, part);
    ck_assert(!test_exists(top.path, "manifest.json"));
}

static void has_labels(uint64_t i, uint32_t count, const int64_t *ints, const double *floats)
{
    struct pcr_sample *s = NULL;
    struct pcr_sample_info sample = { .size = sizeof(sample) };
    ck_assert_int_eq(pcr_sample_acquire(ds, i, &s, &error), 0);
    ck_assert_int_eq(pcr_sample_describe(s, &sample, &error), 0);
    ck_assert_uint_eq(sample.label_count, count);
    if (count) {
        ck_assert(!sample.labels == !ints && !sample.float_labels == !floats);
        ck_assert_mem_eq(ints ? (const void *) sample.labels : sample.float_labels,
                         ints ? (const void *) ints : floats, count * 8);
    }
    pcr_sample_release(&s);
}

START_TEST(floats)
{
    const double several[] = { 0.25, -1e300, 5e-324, -0.0, 7 }, half = 0.5, three = 3;
    set_float(0, half);
    src.count[1] = MOST_LABELS;
    src.is_float[1] = true;
    memcpy(src.floats[1], several, sizeof(several));
    set_int(2, 3); /* becomes a float beside others */
    write_and_open(PCR_LABEL_FLOATS, 0);
    has_labels(0, 1, NULL, &half);
    has_labels(1, MOST_LABELS, NULL, several);
    has_labels(2, 1, NULL, &three);
    has_labels(3, 0, NULL, NULL);

    /* The same again is nothing to do; another label is another dataset. */
    ck_assert_int_eq(try_write(), 0);
    ck_assert_uint_eq(report.records_kept, 1);
    set_float(2, 3.5);
    ck_assert_int_eq(try_write(), PCR_ERR_INVAL);
}
END_TEST

START_TEST(not_floats)
{
    const int64_t large = INT64_C(1) << 53;
    set_float(0, NAN);
    refused("'images/000.jpg'", "NaN");
    set_float(0, -INFINITY);
    refused("'images/000.jpg'", "infinite");
    set_float(0, 0.5);
    set_int(3, large + 1);
    refused("'images/003.jpg'", "9007199254740993 is not exact");
    src.count[3] = 2; /* of two the first is told */
    src.ints[3][1] = large + 3;
    refused("'images/003.jpg'", "9007199254740993 is not exact");
    set_int(3, INT64_MAX);
    refused("'images/003.jpg'", "is not exact");
    src.images.source.class_count = 3;
    refused("'images/000.jpg'", "the source has classes");
    src.images.source.class_count = 0;
    set_int(3, INT64_MIN); /* a power of two */
    const double least = (double) INT64_MIN;
    write_and_open(PCR_LABEL_FLOATS, 0);
    has_labels(3, 1, NULL, &least);
}
END_TEST

START_TEST(integers_that_are_classes)
{
    const int64_t two = 2;
    set_int(0, 1);
    set_int(1, 0);
    set_int(3, 2); /* sample 2 has no label */
    write_and_open(PCR_LABEL_CLASS, 3);
    ck_assert_str_eq(pcr_dataset_class_name(ds, 2), "2");
    ck_assert_uint_eq(pcr_dataset_class_count(ds, 2), 1);
    has_labels(3, 1, &two, NULL);
}
END_TEST

START_TEST(integers_that_are_none)
{
    for (uint32_t i = 0; i < COUNT; i++)
        set_int(i, i + (_i == 0)); /* not from 0 on */
    if (_i == 1)
        set_int(2, 1000); /* a gap */
    if (_i == 2)
        src.count[3] = 2; /* two labels */
    if (_i == 3)
        set_int(1, -1);
    if (_i == 4)
        options.flags |= PCR_WRITE_NO_CLASSES;
    write_and_open(PCR_LABEL_INTS, 0);
    has_labels(3, src.count[3], src.ints[3], NULL);
}
END_TEST

START_TEST(class_beyond_the_last)
{
    src.images.source.class_count = 3;
    for (uint32_t i = 0; i < COUNT; i++)
        set_int(i, i);
    refused("'images/003.jpg'", "class 3, but there are 3");
    set_int(3, 2);
    write_and_open(PCR_LABEL_CLASS, 3);
    ck_assert_str_eq(pcr_dataset_class_name(ds, 2), "cat");
}
END_TEST

/* A source that tells two stories. */
static unsigned described;

static int describe_otherwise(void *context, uint64_t i, struct pcr_source_sample *out,
                              struct pcr_error *err)
{
    static const int64_t other = 7;
    static const double half = 0.5;
    int rc = describe(context, i, out, err);
    if (described++ < COUNT)
        return rc;
    out->labels = &other;
    if (src.ints[0][0] == 0) {
        out->labels = NULL;
        out->float_labels = &half;
    }
    return rc;
}

START_TEST(labels_that_change)
{
    described = 0;
    for (uint32_t i = 0; i < COUNT; i++)
        set_int(i, _i ? COUNT - 1 - i : i);
    src.images.source.describe = describe_otherwise;
    refused("images/000.jpg", "other labels");
}
END_TEST

int main(void)
{
    TCase *t = tests_case("write_labels");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, floats);
    tcase_add_test(t, not_floats);
    tcase_add_test(t, integers_that_are_classes);
    tcase_add_loop_test(t, integers_that_are_none, 0, 5);
    tcase_add_test(t, class_beyond_the_last);
    tcase_add_loop_test(t, labels_that_change, 0, 2);
    return tests_run();
}
