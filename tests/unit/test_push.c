/* SPDX-License-Identifier: BSD-2-Clause */
/* pcr_writer: the dataset that pcr_dataset_write() makes of the same samples, whichever thread
 * adds which; nothing without a finish. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcr/dataset.h>

#include "suite.h"
#include "writing.h"

enum { COUNT = 40, THREADS = 4 };

static void setup(void)
{
    writing_begin(COUNT, 7);
}

static struct pcr_writer_options writer_options(void)
{
    return (struct pcr_writer_options) {
        .size = sizeof(struct pcr_writer_options),
        .write = &options,
        .class_count = src.source.class_count,
        .class_names = src.source.class_names,
        .split_count = src.source.split_count,
        .split_names = src.source.split_names,
    };
}

static struct pcr_writer *open_writer(const char *name)
{
    const struct pcr_writer_options o = writer_options();
    struct pcr_writer *w = NULL;
    ck_assert_msg(!pcr_writer_open(at(name), &o, &w, &error), "%s", error.message);
    return w;
}

static struct pcr_source_sample describe(uint32_t i)
{
    struct pcr_source_sample s = { .size = sizeof(s) };
    ck_assert_int_eq(src.source.describe(src.source.context, i, &s, NULL), 0);
    return s;
}

static int add(struct pcr_writer *w, uint64_t index, uint32_t i)
{
    /* What the writer copies is gone after the call. */
    char key[64], *data = malloc(src.samples[i].file.nbytes + 1);
    struct pcr_source_sample s = describe(i);
    int64_t label = s.labels[0];
    strcpy(key, s.key);
    s.key = key;
    s.labels = &label;
    memcpy(data, src.samples[i].file.data, src.samples[i].file.nbytes);
    struct pcr_error err;
    int rc = pcr_writer_add(w, index, &s, data, src.samples[i].file.nbytes, &err);
    memset(key, 'x', sizeof(key));
    memset(data, 'x', src.samples[i].file.nbytes);
    label = 99;
    free(data);
    return rc;
}

static void write_control(const char *name)
{
    ck_assert_msg(!pcr_dataset_write(at(name), &src.source, &options, NULL, &error), "%s",
                  error.message);
}

/* Names in the test's folder. */
static unsigned count_names(void)
{
    unsigned count = 0;
    DIR *dir = opendir(top.path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *e; (e = readdir(dir));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return count;
}

struct adder {
    pthread_t thread;
    struct pcr_writer *writer;
    uint32_t first;
    atomic_int rc;
};

static void *add_some(void *context)
{
    struct adder *a = context;
    for (uint32_t i = a->first; i < COUNT && !a->rc; i += THREADS)
        a->rc = add(a->writer, 10 * i + 3, i); /* with gaps */
    return NULL;
}

START_TEST(by_threads)
{
    struct adder adders[THREADS];
    struct pcr_writer *w = open_writer("pushed");
    test_source_set_case(&src, 9, "png-rgb");
    src.samples[5].attributes = "{ \"b\": 1,  \"a\": [2] }";
    for (uint32_t t = 0; t < THREADS; t++) {
        adders[t] = (struct adder) { .writer = w, .first = THREADS - 1 - t };
        ck_assert_int_eq(pthread_create(&adders[t].thread, NULL, add_some, &adders[t]), 0);
    }
    for (uint32_t t = 0; t < THREADS; t++) {
        pthread_join(adders[t].thread, NULL);
        ck_assert_int_eq(adders[t].rc, 0);
    }
    ck_assert_uint_eq(count_names(), 0);
    ck_assert_msg(!pcr_writer_finish(w, &report, &error), "%s", error.message);
    ck_assert_uint_eq(report.samples_done, COUNT);
    ck_assert_uint_eq(count_names(), 1);
    ck_assert_int_eq(add(w, 1, 0), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_writer_finish(w, NULL, &error), PCR_ERR_INVAL);
    pcr_writer_close(&w);
    ck_assert_ptr_null(w);
    write_control("control");
    test_same_folders(at("pushed"), at("control"));
}
END_TEST

START_TEST(by_call_order)
{
    options.flags = PCR_WRITE_NO_SHUFFLE;
    struct pcr_writer *w = open_writer("pushed");
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(add(w, PCR_WRITER_NEXT, i), 0);
    ck_assert_int_eq(add(w, 7, 0), PCR_ERR_INVAL);
    ck_assert_msg(!pcr_writer_finish(w, NULL, &error), "%s", error.message);
    pcr_writer_close(&w);
    write_control("control");
    test_same_folders(at("pushed"), at("control"));
    const struct pcr_writer_options o = writer_options();
    ck_assert_int_eq(pcr_writer_open(at("pushed"), &o, &w, &error), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "already holds another dataset"));
}
END_TEST

START_TEST(nothing_without_a_finish)
{
    struct pcr_writer *w = open_writer("pushed");
    ck_assert_int_eq(add(w, PCR_WRITER_NEXT, 0), 0);
    pcr_writer_close(&w);
    ck_assert_uint_eq(count_names(), 0);
    w = open_writer("pushed");
    ck_assert_int_eq(add(w, PCR_WRITER_NEXT, 0), 0);
    pcr_writer_cancel(w);
    ck_assert_int_eq(add(w, PCR_WRITER_NEXT, 1), PCR_ERR_CANCELLED);
    ck_assert_int_eq(pcr_writer_finish(w, NULL, &error), PCR_ERR_CANCELLED);
    pcr_writer_close(&w);
    ck_assert_uint_eq(count_names(), 0);
    w = open_writer("pushed"); /* without a sample */
    ck_assert_int_eq(pcr_writer_finish(w, NULL, &error), PCR_ERR_INVAL);
    pcr_writer_close(&w);
    pcr_writer_close(&w);
    pcr_writer_close(NULL);
    pcr_writer_cancel(NULL);
    ck_assert_uint_eq(count_names(), 0);
}
END_TEST

static struct pcr_writer *to_cancel;

static int cancel(void *context, const struct pcr_write_progress *p)
{
    ++*(unsigned *) context;
    if (p->records_done)
        pcr_writer_cancel(to_cancel);
    return 0;
}

/* A finish is cancelled; the same samples, added again, go on from there. */
START_TEST(cancelled_and_continued)
{
    unsigned calls = 0;
    options.progress = cancel;
    options.context = &calls;
    to_cancel = open_writer("pushed");
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(add(to_cancel, i, i), 0);
    ck_assert_int_eq(pcr_writer_finish(to_cancel, &report, &error), PCR_ERR_CANCELLED);
    ck_assert(calls && report.records_done);
    ck_assert(!test_exists(at("pushed"), "manifest.json"));
    pcr_writer_close(&to_cancel);
    options.progress = NULL;
    struct pcr_writer *w = open_writer("pushed");
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(add(w, i, i), 0);
    ck_assert_msg(!pcr_writer_finish(w, &report, &error), "%s", error.message);
    ck_assert_uint_ge(report.records_kept, 1);
    pcr_writer_close(&w);
    write_control("control");
    test_same_folders(at("pushed"), at("control"));
}
END_TEST

/* More than the writer has room for at first, into a folder that is named with slashes. */
START_TEST(many)
{
    enum { MANY = 150 };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    options.record_samples = 64;
    struct pcr_writer *w = open_writer("pushed///");
    for (uint32_t i = 0; i < MANY; i++) {
        const struct pcr_buffer *file = &src.samples[i % COUNT].file;
        struct pcr_source_sample s = describe(i % COUNT);
        char key[16];
        snprintf(key, sizeof(key), "%03u", i);
        s.key = key;
        s.split = 0;
        ck_assert_int_eq(pcr_writer_add(w, i, &s, file->data, file->nbytes, &error), 0);
    }
    ck_assert_msg(!pcr_writer_finish(w, NULL, &error), "%s", error.message);
    pcr_writer_close(&w);
    ck_assert_int_eq(pcr_dataset_open(at("pushed"), NULL, &ds, &error), 0);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    ck_assert_uint_eq(info.sample_count, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        uint64_t index;
        char key[16];
        snprintf(key, sizeof(key), "%03u", i);
        ck_assert_int_eq(pcr_dataset_find(ds, key, 3, &index, &error), 0);
    }
    pcr_dataset_close(&ds);
}
END_TEST

static struct {
    unsigned count;
    char path[64];
    int code;
} noted;

static void note(void *context, const char *path, const char *format,
                 const struct pcr_error *why)
{
    ck_assert_ptr_eq(context, &noted);
    noted.count++;
    noted.code = why->code;
    snprintf(noted.path, sizeof(noted.path), "%s", path);
}

/* What is no picture is told to the caller, with the caller's context. */
START_TEST(bad_input_is_told)
{
    options.bad_policy = PCR_BAD_SKIP;
    options.bad_input = note;
    options.context = &noted;
    struct pcr_writer *w = open_writer("pushed");
    struct pcr_source_sample s = describe(1);
    ck_assert_int_eq(add(w, PCR_WRITER_NEXT, 0), 0);
    ck_assert_int_eq(pcr_writer_add(w, PCR_WRITER_NEXT, &s, "no picture", 10, &error), 0);
    ck_assert_msg(!pcr_writer_finish(w, &report, &error), "%s", error.message);
    pcr_writer_close(&w);
    ck_assert_uint_eq(noted.count, 1);
    ck_assert_int_eq(noted.code, PCR_ERR_FORMAT);
    ck_assert_str_eq(noted.path, s.path ? s.path : s.key);
    ck_assert_uint_eq(report.samples_bad, 1);
}
END_TEST

#define REFUSED(call, wanted, says) \
    do { \
        ck_assert_int_eq(call, wanted); \
        ck_assert_int_eq(error.code, wanted); \
        ck_assert_msg(strstr(error.message, says) != NULL, "%s", error.message); \
    } while (0)

/* Pushes a picture and what is none, of a path of 400 bytes. */
static int push_bad(uint32_t policy)
{
    char path[401] = "";
    memset(path, 'p', 400);
    memcpy(path + 390, "/the-end", 8);
    struct pcr_source_sample s = describe(1);
    s.path = path;
    options.bad_policy = policy;
    struct pcr_writer *w = open_writer("pushed");
    ck_assert_int_eq(add(w, PCR_WRITER_NEXT, 0), 0);
    ck_assert_int_eq(pcr_writer_add(w, PCR_WRITER_NEXT, &s, "no picture", 10, &error), 0);
    int rc = pcr_writer_finish(w, &report, &error);
    pcr_writer_close(&w);
    return rc;
}

/* Of a long path the end is told; a file that is kept is tried by no more than readers allow. */
START_TEST(bad_input_from_afar)
{
    const struct pcr_limits limits = { .size = sizeof(limits), .max_scans = 1000 };
    options.limits = &limits;
    ck_assert_int_eq(push_bad(PCR_BAD_FAIL), PCR_ERR_FORMAT);
    ck_assert_int_eq(strncmp(error.message, "...ppp", 6), 0);
    ck_assert_ptr_nonnull(strstr(error.message, "/the-endpp"));
    ck_assert_int_eq(push_bad(PCR_BAD_OPAQUE), 0);
    ck_assert_uint_eq(report.samples_done, 2);
    ck_assert_uint_eq(report.samples_bad, 0);
}
END_TEST

/* Another program's byte in the file of kept samples is an error of that file. */
START_TEST(spool_is_changed)
{
    struct pcr_writer *w = open_writer("pushed");
    char link[64], name[512];
    int found = -1;
    ck_assert_int_eq(add(w, PCR_WRITER_NEXT, 0), 0);
    for (int fd = 0; fd < 256; fd++) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, name, sizeof(name) - 1);
        name[n > 0 ? n : 0] = '\0';
        found = strstr(name, "/.pcr-spool-") ? fd : found;
    }
    ck_assert_int_ge(found, 0);
    ck_assert_int_eq(pwrite(found, "x", 1, 100), 1);
    REFUSED(pcr_writer_finish(w, NULL, &error), PCR_ERR_IO,
            "a sample read back is not what was written");
    ck_assert_int_eq(error.sys_errno, EIO);
    pcr_writer_close(&w);
}
END_TEST

/* What can be seen of a sample by itself is said when it is added; others may follow. */
START_TEST(bad_samples)
{
    static const double half = 0.5;
    static const int64_t other = 3;
    struct pcr_limits limits = { .size = sizeof(limits), .max_sample_nbytes = 100000 };
    options.limits = &limits;
    struct pcr_writer *w = open_writer("pushed");
    const struct pcr_source_sample good = describe(0);
    struct pcr_source_sample s = good;
    const void *data = src.samples[0].file.data;
    size_t n = src.samples[0].file.nbytes;
    s.key = "";
    REFUSED(pcr_writer_add(w, 0, &s, data, n, &error), PCR_ERR_INVAL, "no key");
    REFUSED(pcr_writer_add(w, PCR_WRITER_NEXT, &s, data, n, &error), PCR_ERR_INVAL,
            "a sample without a key");
    s = good;
    s.split = 2;
    REFUSED(pcr_writer_add(w, PCR_WRITER_NEXT, &s, data, n, &error), PCR_ERR_INVAL,
            "': split 2, but there are 2");
    s = good;
    s.labels = &other;
    REFUSED(pcr_writer_add(w, 0, &s, data, n, &error), PCR_ERR_INVAL,
            "class 3, but there are 3");
    s.labels = NULL;
    s.float_labels = &half;
    REFUSED(pcr_writer_add(w, 0, &s, data, n, &error), PCR_ERR_INVAL, "a float label");
    s = good;
    s.attributes = "[1]";
    REFUSED(pcr_writer_add(w, 0, &s, data, n, &error), PCR_ERR_INVAL, "not a JSON object");
    s = good;
    s.size = 4;
    REFUSED(pcr_writer_add(w, 0, &s, data, n, &error), PCR_ERR_INVAL,
            "pcr_source_sample.size");
    REFUSED(pcr_writer_add(w, 0, &good, data, 100001, &error), PCR_ERR_LIMIT,
            "the limit is 100000");
    REFUSED(pcr_writer_add(w, 0, &good, NULL, 1, &error), PCR_ERR_INVAL, "data");
    ck_assert_int_eq(add(w, 4, 0), 0);
    ck_assert_int_eq(add(w, 4, 1), 0);
    REFUSED(pcr_writer_finish(w, NULL, &error), PCR_ERR_INVAL, "both have index 4");
    pcr_writer_close(&w);
    w = open_writer("pushed");
    ck_assert_int_eq(add(w, 4, 0), 0);
    ck_assert_int_eq(add(w, 5, 0), 0);
    REFUSED(pcr_writer_finish(w, NULL, &error), PCR_ERR_INVAL, "the same key");
    pcr_writer_close(&w);
    options.limits = NULL;
    struct pcr_writer_options o = writer_options();
    o.flags = 1;
    REFUSED(pcr_writer_open(at("d"), &o, &w, &error), PCR_ERR_INVAL, "flags");
    o = writer_options();
    o.class_names = NULL;
    REFUSED(pcr_writer_open(at("d"), &o, &w, &error), PCR_ERR_INVAL, "class_names is NULL");
    const char *const names[] = { "ape", NULL, "cat" };
    o.class_names = names;
    REFUSED(pcr_writer_open(at("d"), &o, &w, &error), PCR_ERR_INVAL, "class 1 has no name");
    o = writer_options();
    REFUSED(pcr_writer_open("", &o, &w, &error), PCR_ERR_INVAL, "path is empty");
    REFUSED(pcr_writer_open(at("d"), &o, NULL, &error), PCR_ERR_INVAL, "is NULL");
    REFUSED(pcr_writer_finish(NULL, NULL, &error), PCR_ERR_INVAL, "no writer");
    o.spool_folder = at("nowhere");
    REFUSED(pcr_writer_open(at("d"), &o, &w, &error), PCR_ERR_IO,
            "nowhere: cannot create a file");
    ck_assert_ptr_null(w);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("push");
    tcase_add_checked_fixture(t, setup, writing_end);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, by_threads);
    tcase_add_test(t, by_call_order);
    tcase_add_test(t, nothing_without_a_finish);
    tcase_add_test(t, cancelled_and_continued);
    tcase_add_test(t, many);
    tcase_add_test(t, bad_input_is_told);
    tcase_add_test(t, bad_input_from_afar);
    tcase_add_test(t, spool_is_changed);
    tcase_add_test(t, bad_samples);
    return tests_run();
}
