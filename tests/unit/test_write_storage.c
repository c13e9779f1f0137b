/* SPDX-License-Identifier: BSD-2-Clause */
/* write_storage: conversions into a storage of the program's own. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcr/dataset.h>

#include "suite.h"
#include "toy_storage.h"
#include "write_source.h"

static struct toy toy;
static struct test_source src;
static struct test_folder folder; /* with the same conversion in files */
static struct pcr_error error;
static struct pcr_write_options options;
static struct pcr_write_progress report = { .size = sizeof(report) };

static void setup(void)
{
    options = (struct pcr_write_options) { .size = sizeof(options),
                                           .record_samples = 7,
                                           .thread_count = 2 };
    test_source_init(&src, 40);
    test_source_set(&src, 11, "no image", 8);
    options.bad_policy = PCR_BAD_SKIP;
    test_folder_make(&folder);
    ck_assert_int_eq(pcr_dataset_write(folder.path, &src.source, &options, NULL, &error), 0);
    toy_create(&toy, true);
    toy_may_write(&toy);
    options.storage = &toy.storage;
}

static void teardown(void)
{
    toy_destroy(&toy);
    test_source_free(&src);
    test_folder_free(&folder);
}

static int convert(void)
{
    return pcr_dataset_write("a/b", &src.source, &options, &report, &error);
}

static unsigned object_count(void)
{
    unsigned n = 0;
    for (size_t i = 0; i < toy.object_count; i++)
        n += toy.objects[i].name[0] != '\0';
    return n;
}

/* The storage has the same objects as the folder has files. */
static void same_as_files(void)
{
    unsigned count = 0;
    DIR *d = opendir(folder.path);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));) {
        struct pcr_buffer file = { 0 };
        char name[300];
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "a/b/%s", e->d_name);
        const struct toy_object *o = toy_find(&toy, name);
        ck_assert_msg(o != NULL, "no %s", name);
        test_read(folder.path, e->d_name, &file);
        ck_assert_uint_eq(o->nbytes, file.nbytes);
        ck_assert_mem_eq(o->data, file.data, file.nbytes);
        pcr_buffer_free(&file);
        count++;
    }
    closedir(d);
    ck_assert_uint_eq(object_count(), count);
    ck_assert_uint_gt(count, 7); /* records, manifest, errors.jsonl */
}

START_TEST(same_bytes)
{
    struct pcr_dataset *ds = NULL;
    const struct pcr_dataset_options reading = { .size = sizeof(reading),
                                                 .storage = &toy.storage };
    ck_assert_msg(!convert(), "%s", error.message);
    same_as_files();
    ck_assert_int_eq(pcr_dataset_open("a/b", &reading, &ds, &error), 0);
    struct pcr_verify_report found = { .size = sizeof(found) };
    ck_assert_int_eq(pcr_dataset_verify_record(ds, 1, 1, &found, NULL, NULL, &error), 0);
    ck_assert_uint_eq(found.bad_records + found.bad_samples, 0);
    pcr_dataset_close(&ds);

    uint64_t puts = toy.put_count; /* again: there is nothing to do */
    ck_assert_int_eq(convert(), 0);
    ck_assert_uint_eq(report.records_kept, report.record_count);
    ck_assert_uint_eq(toy.put_count, puts);
    same_as_files();

    options.seed++; /* another dataset is left alone */
    ck_assert_int_eq(convert(), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "already holds another dataset"));
    same_as_files();
}
END_TEST

/* Whichever call for writing fails first, the error is the storage's, no part of an object is left,
 * and the same call goes on. */
START_TEST(fails_and_goes_on)
{
    uint32_t failures = 0;
    for (uint32_t good = 1;; good += 3) {
        toy_fail(&toy, 0, 0, PCR_ERR_IO, 0, PCR_ERROR_LASTS, "out of money");
        toy.good_puts = good;
        int rc = convert();
        toy.good_puts = 0;
        if (!rc)
            break;
        ck_assert_int_eq(rc, PCR_ERR_IO);
        ck_assert_msg(strstr(error.message, "out of money") != NULL, "%s", error.message);
        ck_assert_msg(!strncmp(error.message, "a/b/", 4), "%s", error.message);
        ck_assert_uint_eq(error.detail, 4711);
        if (++failures % 4)
            continue; /* the next goes on from here */
        ck_assert_msg(!convert(), "%s", error.message);
        same_as_files();
        for (size_t i = 0; i < toy.object_count; i++)
            toy.objects[i].name[0] = '\0';
    }
    ck_assert_uint_gt(failures, 8);
    same_as_files();
}
END_TEST

/* What is in folders below is not the dataset's. */
START_TEST(others_stay)
{
    toy_put(&toy, "a/b/c/x.pcr", "x", 1);
    ck_assert_msg(convert() == 0, "%s", error.message);
    const struct toy_object *o = toy_find(&toy, "a/b/c/x.pcr");
    ck_assert(o && o->nbytes == 1);
    toy.objects[0].name[0] = '\0';
    same_as_files();
}
END_TEST

START_TEST(refusals)
{
    const struct pcr_storage good = toy.storage;
    toy.storage.remove = NULL;
    ck_assert_int_eq(convert(), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "needs put_begin"));
    toy.storage.put_begin = NULL;
    toy.storage.put_write = NULL;
    toy.storage.put_end = NULL;
    toy.storage.list = NULL;
    ck_assert_int_eq(convert(), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "cannot be written to"));
    toy.storage = good;
    const struct pcr_writer_options pushed = { .size = sizeof(pushed), .write = &options };
    struct pcr_writer *w = NULL;
    ck_assert_int_eq(pcr_writer_open("pushed", &pushed, &w, &error), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "needs a spool_folder"));
    ck_assert_ptr_null(w);
    ck_assert_uint_eq(object_count(), 0);

    options.flags = PCR_WRITE_DRY_RUN;
    ck_assert_int_eq(convert(), 0);
    ck_assert_uint_eq(object_count(), 0);
}
END_TEST

int main(void)
{
    TCase *tc = tests_case("write_storage");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, same_bytes);
    tcase_add_test(tc, fails_and_goes_on);
    tcase_add_test(tc, others_stay);
    tcase_add_test(tc, refusals);
    return tests_run();
}
