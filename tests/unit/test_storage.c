/* SPDX-License-Identifier: BSD-2-Clause */
/* storage: datasets in a storage of the program's own are read as those in files are. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/storage.h"
#include "made_images.h"
#include "suite.h"
#include "toy_storage.h"

enum { RECORD = 1, FIRST = 3, COUNT = 5 }; /* the slice that tests read */

static struct toy toy;
static struct pcr_error error;

/* A toy with the made dataset as "some/data.pcr"; `_i` in tests that run twice: with a thread. */
static void set_up_toy(bool with_thread)
{
    toy_create(&toy, with_thread);
    toy_copy_folder(&toy, "some/data.pcr/", made_folder.path);
}

static struct pcr_dataset *open_at(const char *path, const struct pcr_dataset_options *o)
{
    struct pcr_dataset *ds = NULL;
    made_check(pcr_dataset_open(path, o, &ds, &error), &error);
    return ds;
}

static struct pcr_dataset_options options(void)
{
    return (struct pcr_dataset_options) { .size = sizeof(struct pcr_dataset_options),
                                          .storage = &toy.storage };
}

static struct pcr_dataset *open_toy(void)
{
    const struct pcr_dataset_options o = options();
    return open_at("some/data.pcr", &o);
}

/* What opening fails with. */
static int refused(const char *path, const struct pcr_dataset_options *o)
{
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(path, o, &ds, &error);
    ck_assert_ptr_null(ds);
    return rc;
}

static struct pcr_io_stats stats(const struct pcr_dataset *ds)
{
    struct pcr_io_stats s = { .size = sizeof(s) };
    made_check(pcr_dataset_io_stats(ds, &s, &error), &error);
    return s;
}

static int read_slice(struct pcr_dataset *ds)
{
    struct pcr_slice *sl = NULL;
    int rc = pcr_slice_read(ds, RECORD, FIRST, COUNT, 0, &sl, &error);
    pcr_slice_release(&sl);
    return rc;
}

/* Both datasets have the same samples. */
static void same_samples(struct pcr_dataset *a, struct pcr_dataset *b, uint64_t count)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_buffer one = { 0 }, two = { 0 };
    made_check(pcr_dataset_describe(a, &info, &error), &error);
    ck_assert_uint_eq(info.sample_count, count);
    for (uint64_t i = 0; i < count; i++) {
        struct pcr_sample *s = NULL, *t = NULL;
        made_check(pcr_sample_acquire(a, i, &s, &error), &error);
        made_check(pcr_sample_acquire(b, i, &t, &error), &error);
        for (uint32_t g = 1; g <= info.group_count; g++) {
            made_check(pcr_sample_read(s, g, &one, &error), &error);
            made_check(pcr_sample_read(t, g, &two, &error), &error);
            ck_assert_uint_eq(one.nbytes, two.nbytes);
            ck_assert_mem_eq(one.data, two.data, one.nbytes);
        }
        pcr_sample_release(&s);
        pcr_sample_release(&t);
    }
    pcr_buffer_free(&one);
    pcr_buffer_free(&two);
}

START_TEST(same_as_files)
{
    set_up_toy(_i);
    struct pcr_dataset *files = open_at(made_folder.path, NULL), *ds = open_toy();
    same_samples(ds, files, MADE_SAMPLES);
    pcr_dataset_close(&ds);
    const struct pcr_dataset_options o = options();
    ds = open_at("some/data.pcr/", &o);
    pcr_dataset_close(&ds);
    pcr_dataset_close(&files);

    files = open_at(made_path("record-3.pcr"), NULL); /* a record alone */
    ds = open_at("some/data.pcr/record-3.pcr", &o);
    same_samples(ds, files, made_counts[3]);
    pcr_dataset_close(&ds);
    pcr_dataset_close(&files);

    toy_copy_folder(&toy, "", made_folder.path); /* names that begin with nothing */
    files = open_at(made_folder.path, NULL);
    ds = open_at("", &o);
    same_samples(ds, files, MADE_SAMPLES);
    pcr_dataset_close(&ds);
    pcr_dataset_close(&files);
    toy_destroy(&toy);
}
END_TEST

/* All ranges of a read are under way before any of them is completed. */
START_TEST(ranges_at_once)
{
    set_up_toy(true);
    struct pcr_dataset *ds = open_toy();
    made_check(read_slice(ds), &error); /* opens the record, too */
    uint64_t before = stats(ds).range_count;
    made_check(read_slice(ds), &error);
    size_t ranges = (size_t) (stats(ds).range_count - before);
    ck_assert_uint_gt(ranges, 3);

    pthread_mutex_lock(&toy.mutex);
    toy.gather = ranges;
    toy.most_pending = 0;
    pthread_mutex_unlock(&toy.mutex);
    made_check(read_slice(ds), &error); /* would wait for ever otherwise */
    ck_assert_uint_eq(toy.most_pending, ranges);
    pcr_dataset_close(&ds);
    toy_destroy(&toy);
}
END_TEST

/* What may pass is tried again, by the storage's word or by errno. */
START_TEST(tries_again)
{
    set_up_toy(_i);
    toy_fail(&toy, 2, 2, PCR_ERR_IO, 0, PCR_ERROR_MAY_PASS, "busy");
    struct pcr_dataset *ds = open_toy(); /* the manifest, too */
    toy_fail(&toy, 2, 2, PCR_ERR_IO, ETIMEDOUT, 0, "");
    made_check(read_slice(ds), &error);
    ck_assert_uint_eq(stats(ds).retry_count, 4);

    toy_fail(&toy, 0, 100, PCR_ERR_IO, 0, PCR_ERROR_MAY_PASS, "busy");
    ck_assert_int_eq(read_slice(ds), PCR_ERR_IO); /* too often */
    ck_assert_ptr_nonnull(strstr(error.message, "busy"));
    ck_assert_ptr_nonnull(strstr(error.message, "some/data.pcr/record-1.pcr@"));
    ck_assert_uint_eq(error.detail, 4711);
    ck_assert_uint_eq(error.flags, PCR_ERROR_MAY_PASS);
    pcr_dataset_close(&ds);
    toy_destroy(&toy);
}
END_TEST

/* What does not pass fails at once. */
START_TEST(lasting_failures)
{
    static const struct {
        int code, sys_errno, expected;
        const char *message, *expected_message;
    } cases[] = {
        { PCR_ERR_IO, 0, PCR_ERR_IO, "forbidden", "cannot read" },
        { PCR_ERR_IO, EACCES, PCR_ERR_IO, "", "Permission denied" },
        { PCR_ERR_NOMEM, 0, PCR_ERR_NOMEM, "no room", "no room" },
        { PCR_ERR_TRUNCATED, 0, PCR_ERR_TRUNCATED, "", "failed without a message" },
        { 3, 0, PCR_ERR_IO, "odd", "failed without a message (code 3)" },
    };
    set_up_toy(_i);
    struct pcr_dataset *ds = open_toy();
    made_check(read_slice(ds), &error);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        toy_fail(&toy, 0, 1, cases[i].code, cases[i].sys_errno, 0, cases[i].message);
        ck_assert_int_eq(read_slice(ds), cases[i].expected);
        ck_assert_int_eq(error.code, cases[i].expected);
        ck_assert_int_eq(error.sys_errno, cases[i].sys_errno);
        ck_assert_msg(strstr(error.message, cases[i].expected_message) != NULL, "%s",
                      error.message);
        ck_assert_uint_eq(error.detail, 4711);
        ck_assert_uint_eq(error.offset, PCR_NO_OFFSET);
        ck_assert_ptr_null(strstr(error.message, "@0"));
    }
    ck_assert_uint_eq(stats(ds).retry_count, 0);
    made_check(read_slice(ds), &error);
    pcr_dataset_close(&ds);
    toy_destroy(&toy);
}
END_TEST

/* An object that has become stale is opened again, unless it was replaced meanwhile. */
START_TEST(stale_objects)
{
    set_up_toy(_i);
    struct pcr_dataset *ds = open_toy();
    made_check(read_slice(ds), &error);
    uint64_t opened = toy.open_count;
    toy_fail(&toy, 0, 1, PCR_ERR_IO, 0, PCR_ERROR_MAY_PASS | PCR_ERROR_STALE, "expired");
    made_check(read_slice(ds), &error);
    ck_assert_uint_eq(toy.open_count, opened + 1);

    toy_find(&toy, "some/data.pcr/record-1.pcr")->version++;
    toy_fail(&toy, 0, 1, PCR_ERR_IO, 0, PCR_ERROR_MAY_PASS | PCR_ERROR_STALE, "expired");
    ck_assert_int_eq(read_slice(ds), PCR_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "was replaced while it was open"));
    pcr_dataset_close(&ds);
    toy_destroy(&toy);
}
END_TEST

static void remove_folder(const char *folder)
{
    DIR *d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));)
        (void) unlinkat(dirfd(d), e->d_name, 0); /* not . and .. */
    closedir(d);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* A cache in memory or in a folder serves what was read once, of this version. */
START_TEST(caches)
{
    char folder[80];
    snprintf(folder, sizeof(folder), "%s/cache", made_folder.path);
    set_up_toy(true);
    toy.storage.identity = "toy";
    struct pcr_dataset_options o = options();
    o.cache_nbytes = 64 << 20;
    o.cache_dir = _i ? folder : NULL;
    for (int round = 0; round < 3; round++) {
        struct pcr_dataset *ds = open_at("some/data.pcr", &o);
        made_check(read_slice(ds), &error);
        ck_assert(!_i || round != 1 || !stats(ds).read_nbytes);
        ck_assert((_i && round == 1) || stats(ds).read_nbytes);
        uint64_t before = stats(ds).read_nbytes;
        made_check(read_slice(ds), &error);
        ck_assert_uint_eq(stats(ds).read_nbytes, before);
        ck_assert_uint_eq(stats(ds).cache_failed_count, 0);
        pcr_dataset_close(&ds);
        if (round == 1) /* another version has other entries */
            toy_find(&toy, "some/data.pcr/record-1.pcr")->version++;
    }
    if (_i) {
        toy.storage.identity = NULL; /* whose entries would they be? */
        ck_assert_int_eq(refused("some/data.pcr", &o), PCR_ERR_INVAL);
        remove_folder(folder);
    }
    toy_destroy(&toy);
}
END_TEST

/* Another storage with objects of the same names, sizes and versions has entries of its own. */
START_TEST(caches_of_two)
{
    char folder[80];
    snprintf(folder, sizeof(folder), "%s/cache", made_folder.path);
    set_up_toy(false);
    struct pcr_dataset_options o = options();
    uint64_t nbytes = 0;
    o.cache_dir = folder;
    for (int i = 0; i < 2; i++) {
        toy.storage.identity = i ? "two" : "one";
        struct pcr_dataset *ds = open_at("some/data.pcr", &o);
        made_check(read_slice(ds), &error);
        ck_assert(!i || stats(ds).read_nbytes == nbytes);
        nbytes = stats(ds).read_nbytes;
        pcr_dataset_close(&ds);
    }
    remove_folder(folder);
    toy_destroy(&toy);
}
END_TEST

START_TEST(verifies)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    set_up_toy(_i);
    struct toy_object *o = toy_find(&toy, "some/data.pcr/record-1.pcr");
    struct pcr_dataset *ds = open_toy();
    for (uint64_t r = 0; r < MADE_RECORDS; r++)
        made_check(pcr_dataset_verify_record(ds, r, 1, &report, NULL, NULL, &error), &error);
    ck_assert_uint_eq(report.sample_count, MADE_SAMPLES);
    ck_assert_uint_eq(report.bad_records + report.bad_samples, 0);
    o->data[o->nbytes / 2] ^= 1;
    made_check(pcr_dataset_verify_record(ds, 1, 0, &report, NULL, NULL, &error), &error);
    ck_assert_uint_eq(report.bad_records, 1);
    for (uint32_t good = 0; good < 4;
         good++) { /* what the system fails with says nothing of it */
        toy_fail(&toy, good ? 0 : 100, 100, PCR_ERR_IO, 0, PCR_ERROR_LASTS, "no token");
        toy.good_reads = good;
        ck_assert_int_eq(pcr_dataset_verify_record(ds, 2, 0, &report, NULL, NULL, &error),
                         PCR_ERR_IO);
        ck_assert_uint_eq(report.bad_records, 1);
    }
    toy_fail(&toy, 0, 0, 0, 0, 0, "");
    pcr_dataset_close(&ds);
    toy_destroy(&toy);
}
END_TEST

/* A sum over all bytes of an epoch and their places. */
static uint64_t epoch_sum(struct pcr_dataset *ds)
{
    const struct pcr_loader_options o = { .size = sizeof(o),
                                          .batch_size = 8,
                                          .output.height = 32,
                                          .output.width = 32,
                                          .seed = 7,
                                          .threads.reader_count = 3 };
    struct pcr_loader *l = NULL;
    struct pcr_batch *b = NULL;
    uint64_t sum = 0;
    int rc;
    made_check(pcr_loader_create(ds, &o, &l, &error), &error);
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        made_check(pcr_loader_start_epoch(l, epoch, &error), &error);
        while (!(rc = pcr_loader_next(l, &b, &error))) {
            size_t nbytes = (size_t) b->sample_count * 32 * 32 * 3;
            for (size_t i = 0; i < nbytes; i++)
                sum = sum * 31 + b->pixels[i];
            pcr_batch_release(&b);
        }
        ck_assert_int_eq(rc, PCR_END);
    }
    pcr_loader_destroy(&l);
    return sum;
}

START_TEST(loads_epochs)
{
    set_up_toy(_i);
    struct pcr_dataset *files = open_at(made_folder.path, NULL), *ds = open_toy();
    uint64_t expected = epoch_sum(files);
    ck_assert_uint_eq(epoch_sum(ds), expected);
    pcr_dataset_close(&ds);

    struct pcr_dataset_options o = options(); /* with all layers */
    o.cache_nbytes = 64 << 20;
    o.fault_interval = 3;
    o.delay_us = 100;
    ds = open_at("some/data.pcr", &o);
    ck_assert_uint_eq(epoch_sum(ds), expected);
    ck_assert_uint_gt(stats(ds).retry_count, 0);
    pcr_dataset_close(&ds);
    pcr_dataset_close(&files);
    toy_destroy(&toy);
}
END_TEST

static void gather(size_t count)
{
    pthread_mutex_lock(&toy.mutex);
    toy.gather = count;
    pthread_cond_signal(&toy.news);
    pthread_mutex_unlock(&toy.mutex);
}

/* Reads that are never answered end with the loader that waits for them. */
START_TEST(cancelled)
{
    const struct pcr_loader_options o = {
        .size = sizeof(o), .batch_size = 4, .output.height = 32, .output.width = 32
    };
    struct pcr_loader *l = NULL;
    struct pcr_batch *b = NULL;
    set_up_toy(true);
    struct pcr_dataset *ds = open_toy();
    gather(TOY_PENDING);
    made_check(pcr_loader_create(ds, &o, &l, &error), &error);
    made_check(pcr_loader_start_epoch(l, 0, &error), &error);
    for (size_t pending = 0; !pending;) {
        ck_assert_int_eq(pcr_loader_next_within(l, 1000000, &b, &error), PCR_AGAIN);
        pthread_mutex_lock(&toy.mutex);
        pending = toy.pending_count;
        pthread_mutex_unlock(&toy.mutex);
    }
    pcr_loader_destroy(&l);
    ck_assert_uint_gt(toy.cancelled_count, 0);
    gather(0);
    made_check(read_slice(ds), &error); /* for others it goes on */
    pcr_dataset_close(&ds);
    toy_destroy(&toy);
}
END_TEST

/* What is beyond an object's end is not asked of the program, and nothing at all is 0 ranges. */
START_TEST(beyond_the_end)
{
    const struct pcri_storage *storage = NULL;
    struct pcri_file *f = NULL;
    uint8_t got[8] = "";
    toy_create(&toy, _i);
    toy_put(&toy, "one", "0123456789", 10);
    made_check(pcri_storage_custom(&toy.storage, &storage, &error), &error);
    made_check(pcri_file_open(storage->backend, "one", &f, &error), &error);
    made_check(pcri_file_read_at(f, 4, got, 6, &error), &error);
    ck_assert_str_eq((char *) got, "456789");
    uint64_t asked = toy.read_count;
    ck_assert_int_eq(pcri_file_read_at(f, 4, got, 7, &error), PCR_ERR_TRUNCATED);
    const struct pcri_range wide = { UINT64_MAX, got, 2 };
    ck_assert_int_eq(pcri_file_read_again(f, &wide, 1, &error), PCR_ERR_TRUNCATED);
    made_check(pcri_file_read(f, NULL, 0, &error), &error);
    ck_assert_uint_eq(toy.read_count, asked);
    pcri_file_close(&f);
    pcri_storage_destroy(&storage);
    toy_destroy(&toy);
}
END_TEST

/* Where reads are completed at once, a forked child reads on. */
START_TEST(forked)
{
    set_up_toy(false);
    struct pcr_dataset *ds = open_toy();
    made_check(read_slice(ds), &error);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child)
        _exit(read_slice(ds) ? 1 : 0);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    pcr_dataset_close(&ds);
    toy_destroy(&toy);
}
END_TEST

START_TEST(refusals)
{
    set_up_toy(false);
    struct pcr_dataset_options o = options();
    ck_assert_int_eq(refused("some/other.pcr", &o), PCR_ERR_IO);
    ck_assert_int_eq(error.sys_errno, ENOENT);
    ck_assert_str_eq(error.message, "some/other.pcr: no such object");
    ck_assert_int_eq(refused("", &o), PCR_ERR_IO);
    ck_assert_str_eq(error.message, "manifest.json: no such object");
    toy_put(&toy, "odd.pcr/manifest.json", "{}", 2);
    ck_assert_int_eq(refused("odd.pcr", &o), PCR_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "odd.pcr/manifest.json"));

    const struct pcr_limits limits = { .size = sizeof(limits), .max_manifest_nbytes = 10 };
    o.limits = &limits;
    ck_assert_int_eq(refused("some/data.pcr", &o), PCR_ERR_LIMIT);
    o = options();
    o.io_backend = PCR_IO_MMAP;
    ck_assert_int_eq(refused("some/data.pcr", &o), PCR_ERR_INVAL);

    const struct pcr_storage good = toy.storage;
    o = options();
    toy.storage.flags = 1;
    ck_assert_int_eq(refused("some/data.pcr", &o), PCR_ERR_INVAL);
    toy.storage = good;
    toy.storage.size = 4;
    ck_assert_int_eq(refused("some/data.pcr", &o), PCR_ERR_INVAL);
    toy.storage = good;
    toy.storage.open = NULL;
    ck_assert_int_eq(refused("some/data.pcr", &o), PCR_ERR_INVAL);
    toy.storage = good;
    toy.storage.read = NULL;
    ck_assert_int_eq(refused("some/data.pcr", &o), PCR_ERR_INVAL);
    toy.storage = good;
    toy.storage.close = NULL;
    ck_assert_int_eq(refused("some/data.pcr", &o), PCR_ERR_INVAL);
    struct { /* of a later version, which has a member that we don't know */
        struct pcr_storage known;
        uint64_t member;
    } later = { good, 1 };
    later.known.size = sizeof(later);
    o.storage = &later.known;
    ck_assert_int_eq(refused("some/data.pcr", &o), PCR_ERR_UNSUPPORTED);
    later.member = 0;
    struct pcr_dataset *ds = open_at("some/data.pcr", &o);
    pcr_dataset_close(&ds);
    toy_destroy(&toy);
}
END_TEST

int main(void)
{
    TCase *tc = tests_case("storage");
    tcase_add_unchecked_fixture(tc, set_up_folder, made_dir_remove);
    tcase_add_loop_test(tc, same_as_files, 0, 2);
    tcase_add_test(tc, ranges_at_once);
    tcase_add_loop_test(tc, tries_again, 0, 2);
    tcase_add_loop_test(tc, lasting_failures, 0, 2);
    tcase_add_loop_test(tc, stale_objects, 0, 2);
    tcase_add_loop_test(tc, caches, 0, 2);
    tcase_add_test(tc, caches_of_two);
    tcase_add_loop_test(tc, verifies, 0, 2);
    tcase_add_loop_test(tc, loads_epochs, 0, 2);
    tcase_add_test(tc, cancelled);
    tcase_add_loop_test(tc, beyond_the_end, 0, 2);
    tcase_add_test(tc, forked);
    tcase_add_test(tc, refusals);
    return tests_run();
}
