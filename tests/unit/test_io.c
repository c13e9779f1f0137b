/* SPDX-License-Identifier: BSD-2-Clause */
/* io: every backend reads the same bytes and fails alike; publication is all or nothing. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcr/dataset.h>

#include "io/storage.h"
#include "suite.h"
#include "top.h"

enum { BACKENDS = 4 };

static char path[96];

static void setup(void)
{
    test_folder_make_in(&top, "/tmp");
    snprintf(path, sizeof(path), "%s/file", top.path);
}

static void teardown(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(top.path), 0); /* also: no test leaves a temporary file behind */
}

static void make_file(const char *name, size_t nbytes)
{
    FILE *f = fopen(name, "wb");
    ck_assert_ptr_nonnull(f);
    for (size_t i = 0; i < nbytes; i++)
        fputc((int) (i * 7 + (i >> 8)) & 255, f);
    ck_assert_int_eq(fclose(f), 0);
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t) (i * 7 + (i >> 8));
}

START_TEST(backends_read_ranges)
{
    const struct pcri_io_backend *b = pcri_io_backends[_i];
    static const struct {
        uint64_t offset;
        size_t nbytes;
    } ranges[] = {
        { 0, 0 }, { 0, 1 }, { 0, 20000 }, { 19999, 1 }, { 20000, 0 }, { 4095, 8194 },
    };
    struct pcri_file *f = NULL;
    struct pcr_error e;
    uint8_t got[20000];
    make_file(path, 20000);
    ck_assert_int_eq(pcri_file_open(b, path, &f, &e), 0);
    ck_assert_uint_eq(f->nbytes, 20000);
    ck_assert_str_eq(f->path, path);
    for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
        memset(got, 0x55, sizeof(got));
        ck_assert_int_eq(pcri_file_read_at(f, ranges[r].offset, got, ranges[r].nbytes, &e), 0);
        for (size_t i = 0; i < ranges[r].nbytes; i++)
            ck_assert_int_eq(got[i], byte_at(ranges[r].offset + i));
    }
    pcri_file_close(&f);
    ck_assert_ptr_null(f);
    pcri_file_close(&f);
}
END_TEST

START_TEST(backends_see_the_end)
{
    const struct pcri_io_backend *b = pcri_io_backends[_i];
    static const struct {
        uint64_t offset;
        size_t nbytes;
    } ranges[] = {
        { 0, 101 },
        { 100, 1 },
        { 99, 2 },
        { 1000000, 1 },
        { UINT64_MAX, 1 },
        { UINT64_MAX - 1, 50 },
        { (uint64_t) INT64_MAX, 50 },
    };
    struct pcri_file *f = NULL;
    struct pcr_error e;
    uint8_t got[128];
    make_file(path, 100);
    ck_assert_int_eq(pcri_file_open(b, path, &f, &e), 0);
    for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
        int rc = pcri_file_read_at(f, ranges[r].offset, got, ranges[r].nbytes, &e);
        ck_assert_int_eq(rc, PCR_ERR_TRUNCATED);
        ck_assert_ptr_nonnull(strstr(e.message, path));
    }
    /* A file that shrinks under an open descriptor. */
    ck_assert_int_eq(truncate(path, 10), 0);
    ck_assert_int_eq(pcri_file_read_at(f, 0, got, 10, &e), 0);
    ck_assert_int_eq(pcri_file_read_at(f, 0, got, 11, &e), PCR_ERR_TRUNCATED);
    ck_assert_int_eq(pcri_file_read_at(f, 50, got, 1, &e), PCR_ERR_TRUNCATED);
    pcri_file_close(&f);
    /* An empty file opens, and has nothing to read. */
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq(pcri_file_open(b, path, &f, &e), 0);
    ck_assert_int_eq(pcri_file_read_at(f, 0, got, 0, &e), 0);
    ck_assert_int_eq(pcri_file_read_at(f, 0, got, 1, &e), PCR_ERR_TRUNCATED);
    pcri_file_close(&f);
}
END_TEST

START_TEST(backends_refuse_other_files)
{
    const struct pcri_io_backend *b = pcri_io_backends[_i];
    struct pcri_file *f = NULL;
    struct pcr_error e;
    ck_assert_int_eq(pcri_file_open(b, path, &f, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(e.message, path));
    ck_assert_int_eq(pcri_file_open(b, top.path, &f, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, EISDIR);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    /* and does not wait for a writer */
    ck_assert_int_eq(pcri_file_open(b, path, &f, &e), PCR_ERR_IO);
    ck_assert_ptr_null(f);
}
END_TEST

START_TEST(backend_list)
{
    ck_assert_ptr_eq(pcri_io_find(PCR_IO_AUTO), &pcri_io_pread);
    ck_assert_ptr_eq(pcri_io_find(PCR_IO_PREAD), &pcri_io_pread);
    ck_assert_ptr_eq(pcri_io_find(PCR_IO_MMAP), &pcri_io_mmap);
    ck_assert_ptr_eq(pcri_io_find(PCR_IO_URING), &pcri_io_uring);
    ck_assert_ptr_eq(pcri_io_find(PCR_IO_DIRECT), &pcri_io_direct);
    ck_assert_ptr_null(pcri_io_find(99));
    ck_assert_ptr_null(pcri_io_backends[BACKENDS]);
}
END_TEST

START_TEST(whole_files)
{
    struct pcr_buffer b = { 0 };
    struct pcr_error e;
    make_file(path, 10000);
    ck_assert_int_eq(pcri_storage_read(&pcri_files, path, 10000, 0, &b, &e), 0);
    ck_assert_uint_eq(b.nbytes, 10000);
    ck_assert_int_eq(b.data[9999], byte_at(9999));
    ck_assert_int_eq(pcri_storage_read(&pcri_files, path, 9999, 0, &b, &e), PCR_ERR_LIMIT);
    ck_assert_int_eq(truncate(path, 3), 0);
    ck_assert_int_eq(pcri_storage_read(&pcri_files, path, 3, 0, &b, &e), 0);
    ck_assert_uint_eq(b.nbytes, 3);
    /* Claims no size, but has bytes; and its limit holds all the same. */
    ck_assert_int_eq(pcri_storage_read(&pcri_files, "/proc/self/status", 1 << 20, 0, &b, &e),
                     0);
    ck_assert_uint_gt(b.nbytes, 100);
    ck_assert_int_eq(pcri_storage_read(&pcri_files, "/proc/self/status", 50, 0, &b, &e),
                     PCR_ERR_LIMIT);
    ck_assert_int_eq(pcri_storage_read(&pcri_files, top.path, 10, 0, &b, &e), PCR_ERR_FORMAT);
    pcr_buffer_free(&b);
}
END_TEST

static int count_files(void)
{
    int n = 0;
    DIR *d = opendir(top.path);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

START_TEST(publish_commits)
{
    struct pcri_put *p = NULL;
    struct pcr_buffer b = { 0 };
    struct pcr_error e;
    make_file(path, 5);
    ck_assert_int_eq(pcri_put_begin(&pcri_files, top.path, "file", &p, &e), 0);
    ck_assert_int_eq(pcri_put_write(p, "new ", 4, &e), 0);
    ck_assert_int_eq(pcri_storage_read(&pcri_files, path, 100, 0, &b, &e), 0);
    ck_assert_uint_eq(b.nbytes, 5); /* the old one is there until commit */
    ck_assert_int_eq(count_files(), 2);
    ck_assert_int_eq(pcri_put_write(p, "bytes", 5, &e), 0);
    ck_assert_int_eq(pcri_put_end(&p, 0, &e), 0);
    ck_assert_int_eq(count_files(), 1);
    ck_assert_int_eq(pcri_storage_read(&pcri_files, path, 100, 0, &b, &e), 0);
    ck_assert_uint_eq(b.nbytes, 9);
    ck_assert_mem_eq(b.data, "new bytes", 9);
    ck_assert_int_eq(pcri_put_end(&p, 0, &e), 0); /* empty now */
    pcr_buffer_free(&b);
}
END_TEST

START_TEST(publish_aborts)
{
    struct pcri_put *p = NULL;
    struct pcr_error e;
    ck_assert_int_eq(pcri_put_begin(&pcri_files, top.path, "file", &p, &e), 0);
    ck_assert_int_eq(pcri_put_write(p, "half", 4, &e), 0);
    ck_assert_int_eq(pcri_put_end(&p, PCR_ERR_CANCELLED, &e), PCR_ERR_CANCELLED);
    ck_assert_int_eq(count_files(), 0);
    ck_assert_ptr_null(p);
}
END_TEST

START_TEST(publish_fails_clearly)
{
    struct pcri_put *p = NULL;
    struct pcr_error e;
    ck_assert_int_eq(pcri_put_begin(&pcri_files, path, "file", &p, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, ENOENT);
    ck_assert_int_eq(pcri_put_end(&p, PCR_ERR_IO, &e), PCR_ERR_IO);
    ck_assert_int_eq(pcri_put_begin(&pcri_files, top.path, "", &p, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_put_begin(&pcri_files, top.path, "a/b", &p, &e), PCR_ERR_INVAL);

    /* A folder stands where the file should go. */
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(pcri_put_begin(&pcri_files, top.path, "file", &p, &e), 0);
    ck_assert_int_eq(pcri_put_end(&p, 0, &e), PCR_ERR_IO);
    ck_assert_int_eq(count_files(), 1);
    ck_assert_int_eq(rmdir(path), 0);

    /* No room: a limit on file size stands in for a full disk. */
    struct rlimit old, small = { 1000, RLIM_INFINITY };
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    static const char bytes[4000];
    ck_assert_int_eq(pcri_put_begin(&pcri_files, top.path, "file", &p, &e), 0);
    int rc = pcri_put_write(p, bytes, sizeof(bytes), &e);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert_int_eq(rc, PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, EFBIG);
    ck_assert_int_eq(pcri_put_end(&p, PCR_ERR_CANCELLED, &e), PCR_ERR_CANCELLED);
    ck_assert_int_eq(count_files(), 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("io");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, backends_read_ranges, 0, BACKENDS);
    tcase_add_loop_test(t, backends_see_the_end, 0, BACKENDS);
    tcase_add_loop_test(t, backends_refuse_other_files, 0, BACKENDS);
    tcase_add_test(t, backend_list);
    tcase_add_test(t, whole_files);
    tcase_add_test(t, publish_commits);
    tcase_add_test(t, publish_aborts);
    tcase_add_test(t, publish_fails_clearly);
    return tests_run();
}
