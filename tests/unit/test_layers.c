/* SPDX-License-Identifier: BSD-2-Clause */
/* io layers: each reads the bytes of the file below and does the one thing that it is for. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pcr/loader.h>

#include "io/layer.h"
#include "leave.h"
#include "made_images.h"
#include "suite.h"
#include "top.h"

enum { BACKENDS = 4, BLOCK = 16 << 10, FILE_NBYTES = 40 * BLOCK + 777, READS = 60 };

static char path[96], cache[96];
static uint8_t bytes[FILE_NBYTES];

static void setup(void)
{
    uint32_t state = 1;
    test_folder_make_in(&top, "/var/tmp");
    snprintf(path, sizeof(path), "%s/file", top.path);
    snprintf(cache, sizeof(cache), "%s/cache", top.path);
    for (size_t i = 0; i < FILE_NBYTES; i++)
        bytes[i] = (uint8_t) ((state = state * 1664525 + 1013904223) >> 24);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, FILE_NBYTES, f), FILE_NBYTES);
    ck_assert_int_eq(fclose(f), 0);
}

static void remove_cache(void)
{
    DIR *d = opendir(cache);
    for (struct dirent *e; d && (e = readdir(d));)
        (void) unlinkat(dirfd(d), e->d_name, 0); /* not . and .. */
    if (d)
        closedir(d);
    (void) rmdir(cache);
}

static void teardown(void)
{
    remove_cache();
    unlink(path);
    ck_assert_int_eq(rmdir(top.path), 0);
}

static struct pcri_layers *layers(struct pcri_layer_options o)
{
    struct pcri_layers *all = NULL;
    struct pcr_error e;
    made_check(pcri_layers_create(&pcri_io_pread, &o, &all, &e), &e);
    return all;
}

static struct pcri_file *open_file(struct pcri_layers *all)
{
    struct pcri_file *f = NULL;
    struct pcr_error e;
    made_check(pcri_file_open(all->top, path, &f, &e), &e);
    ck_assert_uint_eq(f->nbytes, FILE_NBYTES);
    return f;
}

/* Reads two ranges and finds their bytes. */
static int read_two(struct pcri_file *f, uint32_t from, uint32_t nbytes, struct pcr_error *e)
{
    static __thread uint8_t got[FILE_NBYTES];
    uint32_t half = nbytes / 2, last = FILE_NBYTES - (nbytes - half);
    const struct pcri_range ranges[] = { { from, got, half },
                                         { last, got + half, nbytes - half } };
    int rc = pcri_file_read(f, ranges, 2, e);
    if (!rc &&
        (memcmp(got, bytes + from, half) || memcmp(got + half, bytes + last, nbytes - half)))
        ck_abort_msg("wrong bytes at %u, %u", from, nbytes);
    return rc;
}

static void read_some(struct pcri_file *f, uint32_t seed, int expected)
{
    for (int i = 0; i < READS; i++) {
        struct pcr_error e;
        seed = seed * 1664525 + 1013904223;
        uint32_t from = (seed >> 8) % FILE_NBYTES, nbytes = (seed >> 4) % (5 * BLOCK);
        if (nbytes > FILE_NBYTES - from)
            nbytes = FILE_NBYTES - from;
        int rc = read_two(f, from, nbytes, &e);
        ck_assert_msg(rc == expected, "%s", rc ? e.message : "no error");
    }
}

static void read_whole(struct pcri_file *f)
{
    struct pcr_error e;
    made_check(read_two(f, 0, 2 * (FILE_NBYTES / 2), &e), &e);
}

/* --- statistics, throttle, retry, faults --- */

START_TEST(statistics)
{
    struct pcri_layers *all = layers((struct pcri_layer_options) { 0 });
    struct pcri_file *f = open_file(all);
    struct pcr_error e;
    made_check(read_two(f, 100, 3000, &e), &e);
    made_check(read_two(f, 0, 20000, &e), &e);
    ck_assert_int_eq(pcri_file_read_at(f, FILE_NBYTES, bytes, 1, &e), PCR_ERR_TRUNCATED);
    ck_assert_uint_eq(all->counts.open_count, 1);
    ck_assert_uint_eq(all->counts.read_count, 3);
    ck_assert_uint_eq(all->counts.range_count, 5);
    ck_assert_uint_eq(all->counts.read_nbytes, 23000);
    ck_assert_uint_eq(all->counts.error_count, 1);
    ck_assert_uint_gt(all->counts.read_ns, 0);
    pcri_file_close(&f);
    ck_assert_int_eq(pcri_file_open(all->top, cache, &f, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, ENOENT);
    pcri_layers_destroy(&all);
    ck_assert_ptr_null(all);
}
END_TEST

static void *read_thread(void *context)
{
    read_some(context, (uint32_t) (uintptr_t) &context, 0);
    return NULL;
}

/* Not faster than asked for, with several threads too. */
START_TEST(throttle)
{
    struct pcri_layers *all = layers(
        (struct pcri_layer_options) { .throttle_nbytes_s = 50000000, .delay_us = 200 });
    struct pcri_file *f = open_file(all);
    pthread_t threads[3];
    uint64_t start = pcri_clock_ns();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_thread, f), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    uint64_t spent = pcri_clock_ns() - start;
    ck_assert_uint_ge(spent + 1000, all->counts.read_nbytes * 20);
    ck_assert_uint_ge(spent, READS * 200000);
    ck_assert_uint_gt(all->counts.throttle_ns, 0);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
}
END_TEST

START_TEST(retries)
{
    struct pcri_layers *all = layers(
        (struct pcri_layer_options) { .fault_interval = 4, .retry_count = 1 });
    struct pcri_file *f = open_file(all);
    read_some(f, 1, 0);
    ck_assert_uint_gt(all->counts.fault_count, READS / 4);
    ck_assert_uint_eq(all->counts.retry_count, all->counts.fault_count);
    ck_assert_uint_eq(all->counts.error_count, all->counts.fault_count);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);

    all = layers((struct pcri_layer_options) { .fault_interval = 1, .retry_count = 3 });
    f = open_file(all);
    struct pcr_error e;
    ck_assert_int_eq(read_two(f, 0, 100, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, EIO);
    ck_assert_uint_eq(all->counts.retry_count, 3);
    /* What will not pass is not tried again. */
    ck_assert_int_eq(pcri_file_read_at(f, UINT64_MAX, bytes, 1, &e), PCR_ERR_TRUNCATED);
    ck_assert_uint_eq(all->counts.retry_count, 3);
    pcri_file_close(&f);
    ck_assert_int_eq(pcri_file_open(all->top, cache, &f, &e), PCR_ERR_IO);
    ck_assert_uint_eq(all->counts.retry_count, 3);
    pcri_layers_destroy(&all);
}
END_TEST

START_TEST(faults_alone)
{
    struct pcri_layers *all = layers((struct pcri_layer_options) { .fault_interval = 1 });
    struct pcri_file *f = open_file(all);
    read_some(f, 1, PCR_ERR_IO);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
}
END_TEST

/* --- cache --- */

static struct pcri_layers *cached(const char *dir, uint64_t nbytes)
{
    return layers((struct pcri_layer_options) { .cache_dir = dir, .cache_nbytes = nbytes });
}

/* A prefix, then more of it: each block is read from below once. */
START_TEST(cache_reads_once)
{
    struct pcri_layers *all = cached(_i ? cache : NULL, 10 << 20);
    struct pcri_file *f = open_file(all);
    uint8_t got[6 * BLOCK];
    struct pcr_error e;
    made_check(pcri_file_read_at(f, 0, got, 3 * BLOCK - 5, &e), &e);
    ck_assert_uint_eq(all->counts.read_nbytes, 3 * BLOCK);
    made_check(pcri_file_read_at(f, 10, got, 6 * BLOCK - 10, &e), &e);
    ck_assert(!memcmp(got, bytes + 10, 6 * BLOCK - 10));
    ck_assert_uint_eq(all->counts.read_nbytes, 6 * BLOCK);
    read_whole(f);
    ck_assert_uint_le(all->counts.read_nbytes, FILE_NBYTES + BLOCK); /* one is in two ranges */
    uint64_t read = all->counts.read_nbytes;
    pcri_file_close(&f);
    f = open_file(all);
    read_some(f, 7, 0);
    read_whole(f);
    ck_assert_uint_eq(all->counts.read_nbytes, read);
    ck_assert_int_eq(pcri_file_read_at(f, FILE_NBYTES - 1, got, 2, &e), PCR_ERR_TRUNCATED);
    ck_assert_uint_eq(all->counts.cache_bad_count + all->counts.cache_failed_count, 0);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
    all = cached(_i ? cache : NULL, 10 << 20); /* a folder's files are there again */
    f = open_file(all);
    read_some(f, 7, 0);
    ck_assert(_i ? all->counts.read_nbytes == 0 : all->counts.read_nbytes > 0);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
}
END_TEST

START_TEST(cache_is_bounded)
{
    struct pcri_layers *all = cached(_i ? cache : NULL, 20 * BLOCK);
    struct pcri_file *f = open_file(all);
    read_whole(f);
    for (int i = 0; i < 3; i++)
        read_some(f, 5, 0);
    ck_assert_uint_le(all->counts.cache_stored_nbytes, 20 * BLOCK);
    ck_assert_uint_eq(all->counts.cache_failed_count, 0);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
}
END_TEST

static char *only_file(char *name, size_t nbytes)
{
    DIR *d = opendir(cache);
    ck_assert_ptr_nonnull(d);
    *name = '\0';
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            snprintf(name, nbytes, "%s/%s", cache, e->d_name);
    closedir(d);
    ck_assert(*name);
    return name;
}

/* Whatever is wrong in a cache file, the bytes are right, and afterwards it is whole again. */
START_TEST(cache_is_damaged)
{
    char name[512];
    for (int round = 0; round < 4; round++) {
        struct pcri_layers *all = cached(cache, 10 << 20);
        struct pcri_file *f = open_file(all);
        read_whole(f);
        int fd = open(only_file(name, sizeof(name)), O_RDWR);
        ck_assert_int_ge(fd, 0);
        uint64_t junk = 12345;
        if (round == 0)
            ck_assert_int_eq(ftruncate(fd, 10 * BLOCK), 0);
        else if (round == 1)
            ck_assert_int_eq(pwrite(fd, &junk, 8, 5 * BLOCK), 8);
        else if (round == 2)
            ck_assert_int_eq(pwrite(fd, &junk, 8, 16), 8);
        else
            ck_assert_int_eq(ftruncate(fd, 20), 0);
        close(fd);
        uint64_t before = all->counts.read_nbytes;
        read_whole(f);
        ck_assert_uint_gt(all->counts.read_nbytes, before);
        if (round < 3) /* nothing there is no damage */
            ck_assert_uint_gt(all->counts.cache_bad_count, 0);
        before = all->counts.read_nbytes;
        read_whole(f);
        ck_assert_uint_eq(all->counts.read_nbytes, before);
        pcri_file_close(&f);
        pcri_layers_destroy(&all);
    }
}
END_TEST

/* Another file in its place is not taken for the old one. */
START_TEST(cache_of_a_replaced_file)
{
    struct pcri_layers *all = cached(cache, 10 << 20);
    struct pcri_file *f = open_file(all);
    const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
    read_whole(f);
    pcri_file_close(&f);
    int fd = open(path, O_RDWR);
    bytes[100] ^= 1;
    ck_assert_int_eq(pwrite(fd, bytes, 200, 0), 200);
    ck_assert_int_eq(futimens(fd, times), 0);
    close(fd);
    f = open_file(all);
    read_whole(f);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
}
END_TEST

/* Files that nobody uses any more make room; those of this time stay. */
START_TEST(cache_evicts)
{
    char old[128];
    const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
    ck_assert_int_eq(mkdir(cache, 0700), 0);
    snprintf(old, sizeof(old), "%s/0123456789abcdef.pcrcache", cache);
    int fd = open(old, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, bytes, 30 * BLOCK), 30 * BLOCK);
    ck_assert_int_eq(futimens(fd, times), 0);
    close(fd);
    struct pcri_layers *all = cached(cache, 50 * BLOCK);
    struct pcri_file *f = open_file(all);
    for (uint64_t at = 0; at < 40; at++) {
        struct pcr_error e;
        uint8_t got[BLOCK];
        made_check(pcri_file_read_at(f, at * BLOCK, got, BLOCK, &e), &e);
    }
    ck_assert_int_ne(access(old, F_OK), 0);
    ck_assert_uint_eq(all->counts.cache_stored_nbytes, 40 * BLOCK);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
}
END_TEST

/* A full disk (here a limit on the size of files) costs the keeping alone. */
START_TEST(cache_on_a_full_disk)
{
    struct rlimit old, small;
    struct pcri_layers *all = cached(cache, 10 << 20);
    struct pcri_file *f = open_file(all);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 10 * BLOCK;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    read_whole(f);
    read_some(f, 3, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert_uint_eq(all->counts.cache_failed_count, 1);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
}
END_TEST

/* Processes that share a folder, of which some are killed at any moment. */
START_TEST(cache_is_shared)
{
    for (int round = 0; round < 6; round++) {
        pid_t children[3];
        remove_cache();
        for (int i = 0; i < 3; i++) {
            ck_assert_int_ge(children[i] = fork(), 0);
            if (children[i])
                continue;
            struct pcri_layers *all = cached(cache, 10 << 20);
            struct pcri_file *f = open_file(all);
            read_some(f, (uint32_t) (round * 3 + i), 0);
            leave(0);
        }
        nanosleep(&(struct timespec) { 0, 300000L << round }, NULL);
        kill(children[0], SIGKILL);
        for (int i = 0; i < 3; i++) {
            int status;
            ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
            ck_assert(!i || (WIFEXITED(status) && !WEXITSTATUS(status)));
        }
        struct pcri_layers *all = cached(cache, 10 << 20);
        struct pcri_file *f = open_file(all);
        read_some(f, (uint32_t) round, 0);
        read_whole(f);
        pcri_file_close(&f);
        pcri_layers_destroy(&all);
    }
}
END_TEST

START_TEST(cache_in_threads)
{
    struct pcri_layers *all = cached(_i ? cache : NULL, 10 << 20);
    struct pcri_file *f = open_file(all);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_thread, f), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
}
END_TEST

START_TEST(cache_folder_that_cannot_be)
{
    const struct pcri_layer_options o = { .cache_dir = path, .cache_nbytes = 1 };
    struct pcri_layers *all = NULL;
    struct pcr_error e;
    ck_assert_int_eq(pcri_layers_create(&pcri_io_pread, &o, &all, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, ENOTDIR);
    ck_assert_ptr_nonnull(strstr(e.message, path));
}
END_TEST

/* --- a dataset and its loader --- */

/* An epoch reads at most 1.01 times what it needs, and 8 KiB a slice. */
START_TEST(bytes_of_an_epoch)
{
    static const uint32_t backends[BACKENDS] = { PCR_IO_PREAD, PCR_IO_MMAP, PCR_IO_URING,
                                                 PCR_IO_DIRECT };
    for (uint32_t k = 0; k < 2 * BACKENDS; k++) {
        struct pcr_dataset_options d = { .size = sizeof(d), .io_backend = backends[k / 2] };
        struct pcr_loader_options o = {
            .size = sizeof(o),
            .flags = PCR_LOADER_RAW,
            .batch_size = 8,
            .order.block_samples = 5,
            .order.window_samples = 30,
            .threads.count = 2,
            .fidelity.level = 1 + k % 6,
            .order.shuffle = k % 2 ? PCR_SHUFFLE_BLOCK : PCR_SHUFFLE_NONE,
        };
        struct pcr_io_stats stats = { .size = sizeof(stats) };
        struct pcr_loader_stats loaded = { .size = sizeof(loaded) };
        struct pcr_dataset *ds = NULL;
        struct pcr_loader *l = NULL;
        struct pcr_batch *b;
        struct pcr_error e;
        made_check(pcr_dataset_open(made_folder.path, &d, &ds, &e), &e);
        made_check(pcr_loader_create(ds, &o, &l, &e), &e);
        made_check(pcr_loader_start_epoch(l, 0, &e), &e);
        uint32_t count = 0;
        for (; !pcr_loader_next(l, &b, &e); pcr_batch_release(&b))
            count += b->sample_count;
        ck_assert_uint_eq(count, MADE_SAMPLES);
        made_check(pcr_dataset_io_stats(ds, &stats, &e), &e);
        made_check(pcr_loader_stats(l, &loaded, &e), &e);
        uint64_t want = pcr_dataset_prefix_nbytes(ds, o.fidelity.level);
        ck_assert_uint_ge(stats.read_nbytes, want);
        ck_assert_uint_le(stats.read_nbytes, want + want / 100 + 8192 * loaded.read_count);
        ck_assert_uint_eq(stats.open_count, MADE_RECORDS);
        pcr_loader_destroy(&l);
        pcr_dataset_close(&ds);
    }
}
END_TEST

/* Faults that pass do not reach the loader; nor does a second epoch reach storage. */
START_TEST(layers_under_a_loader)
{
    struct pcr_dataset_options d = {
        .size = sizeof(d), .cache_nbytes = 1 << 24, .fault_interval = 5, .retry_count = 4
    };
    struct pcr_loader_options o = { .size = sizeof(o),
                                    .batch_size = 8,
                                    .order.block_samples = 5,
                                    .order.window_samples = 30,
                                    .threads.count = 2,
                                    .output.height = 16 };
    struct pcr_io_stats stats = { .size = sizeof(stats) };
    struct pcr_dataset *ds = NULL;
    struct pcr_loader *l = NULL;
    struct pcr_batch *b;
    struct pcr_error e;
    uint64_t read = 0;
    d.cache_dir = _i ? cache : NULL;
    made_check(pcr_dataset_open(made_folder.path, &d, &ds, &e), &e);
    made_check(pcr_loader_create(ds, &o, &l, &e), &e);
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        int rc = pcr_loader_start_epoch(l, epoch, &e);
        while (!rc && !(rc = pcr_loader_next(l, &b, &e)))
            pcr_batch_release(&b);
        ck_assert_int_eq(rc, PCR_END);
        made_check(pcr_dataset_io_stats(ds, &stats, &e), &e);
        ck_assert_uint_gt(stats.fault_count, 0);
        ck_assert_uint_eq(stats.retry_count, stats.fault_count);
        ck_assert(!epoch || stats.read_nbytes == read);
        read = stats.read_nbytes;
    }
    ck_assert_uint_gt(stats.cache_hit_nbytes, 0);
    pcr_loader_destroy(&l);
    pcr_dataset_close(&ds);
    d.retry_count = 1001;
    ck_assert_int_eq(pcr_dataset_open(made_folder.path, &d, &ds, &e), PCR_ERR_INVAL);
}
END_TEST

static void make_dataset(void)
{
    made_dir_create();
    made_images();
}

int main(void)
{
    TCase *t = tests_case("layers");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, statistics);
    tcase_add_test(t, throttle);
    tcase_add_test(t, retries);
    tcase_add_test(t, faults_alone);
    tcase_add_loop_test(t, cache_reads_once, 0, 2);
    tcase_add_loop_test(t, cache_is_bounded, 0, 2);
    tcase_add_test(t, cache_is_damaged);
    tcase_add_test(t, cache_of_a_replaced_file);
    tcase_add_test(t, cache_evicts);
    tcase_add_test(t, cache_on_a_full_disk);
    tcase_add_test(t, cache_is_shared);
    tcase_add_loop_test(t, cache_in_threads, 0, 2);
    tcase_add_test(t, cache_folder_that_cannot_be);
    t = tests_case("datasets");
    tcase_add_unchecked_fixture(t, make_dataset, made_dir_remove);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, bytes_of_an_epoch);
    tcase_add_loop_test(t, layers_under_a_loader, 0, 2);
    return tests_run();
}
