/* SPDX-License-Identifier: BSD-2-Clause */
/* io under faults: large reads of every backend give the same bytes and the same errors when
 * calls are short, interrupted, late or refused, when io_uring is blocked, in several threads
 * and in a forked child. */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pcr/dataset.h>

#include "io/io.h"
#include "io_faults.h"
#include "leave.h"
#include "suite.h"
#include "top.h"

enum { BACKENDS = 4, FILE_NBYTES = (6 << 20) + 1234, RANGES = 9, MAX_NBYTES = 5 << 20 };

/* Below a piece, a piece, many pieces, empty, touching, overlapping and out of order. */
static const struct {
    uint32_t offset, nbytes;
} parts[RANGES] = {
    { 100, 20000 },
    { 1 << 20, 512 << 10 },
    { 12345, 5 << 20 },
    { 77, 0 },
    { 20100, 4096 },
    { 24196, 700000 },
    { FILE_NBYTES - 5000, 5000 },
    { 3, 1 },
    { 4 << 20, FILE_NBYTES - (4 << 20) },
};

static char path[96];
static uint8_t *bytes, *got[RANGES];
static struct pcri_range ranges[RANGES];

static void write_file(void)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, FILE_NBYTES, f), FILE_NBYTES);
    ck_assert_int_eq(fclose(f), 0);
}

/* Once for all tests; a child has it all. */
static void set_up_all(void)
{
    test_folder_make_in(&top, "/var/tmp");
    snprintf(path, sizeof(path), "%s/file", top.path);
    uint32_t *words = malloc(FILE_NBYTES + sizeof(uint32_t));
    ck_assert_ptr_nonnull(words);
    uint32_t state = 1;
    for (size_t i = 0; i <= FILE_NBYTES / sizeof(uint32_t); i++)
        words[i] = state = state * 1664525 + 1013904223;
    bytes = (uint8_t *) words;
    write_file();
    for (int i = 0; i < RANGES; i++) {
        got[i] = malloc(parts[i].nbytes + 1);
        ck_assert_ptr_nonnull(got[i]);
        ranges[i] = (struct pcri_range) { parts[i].offset, got[i], parts[i].nbytes };
    }
}

static void tear_down_all(void)
{
    for (int i = 0; i < RANGES; i++)
        free(got[i]);
    free(bytes);
    unlink(path);
    ck_assert_int_eq(rmdir(top.path), 0);
}

/* The file is whole again where the test before has cut it. */
static void set_up(void)
{
    struct stat st;
    io_faults_reset();
    ck_assert_int_eq(stat(path, &st), 0);
    if (st.st_size != FILE_NBYTES)
        write_file();
}

static struct pcri_file *open_by(int backend)
{
    struct pcri_file *f = NULL;
    struct pcr_error e;
    ck_assert_msg(!pcri_file_open(pcri_io_backends[backend], path, &f, &e), "%s", e.message);
    return f;
}

static void clear(void)
{
    for (int i = 0; i < RANGES; i++)
        memset(got[i], 0x55, parts[i].nbytes + 1);
}

/* Reads all ranges, and finds each byte where it should be and none after. */
static void read_all(struct pcri_file *f, const char *what)
{
    struct pcr_error e;
    clear();
    ck_assert_msg(!pcri_file_read(f, ranges, RANGES, &e), "%s: %s", what, e.message);
    for (int i = 0; i < RANGES; i++)
        ck_assert_msg(!memcmp(got[i], bytes + parts[i].offset, parts[i].nbytes) &&
                          got[i][parts[i].nbytes] == 0x55,
                      "%s: %s: range %d", f->backend->name, what, i);
}

static bool by_ring(int backend)
{
    return pcri_io_backends[backend] == &pcri_io_uring && !pcri_uring_refused();
}

START_TEST(large_reads)
{
    struct pcri_file *f = open_by(_i);
    read_all(f, "no fault");
    if (by_ring(_i)) {
        ck_assert_uint_gt(io_faults_ring_calls, 0);
        ck_assert_uint_eq(io_faults_preads, 0); /* the ring has read it all */
    }
    pcri_file_close(&f);
}
END_TEST

START_TEST(short_interrupted_and_late)
{
    struct pcri_file *f = open_by(_i);
    io_faults.max_nbytes = 8192;
    read_all(f, "short");
    io_faults.interrupt = 2;
    read_all(f, "short and interrupted");
    io_faults_reset();
    io_faults.delay_us = 300;
    io_faults.interrupt = 3;
    read_all(f, "late and interrupted");
    pcri_file_close(&f);
}
END_TEST

START_TEST(odd_short_reads)
{
    struct pcri_file *f = open_by(_i);
    if (f->backend != &pcri_io_direct) {
        io_faults.max_nbytes = 100003;
        read_all(f, "odd");
    }
    pcri_file_close(&f);
}
END_TEST

/* At each of its calls; without a ring nothing is to fail. */
START_TEST(rings_that_fail)
{
    for (unsigned n = 1; n < (by_ring(_i) ? 12 : 3); n++) {
        struct pcri_file *f = open_by(_i);
        io_faults_reset();
        io_faults.ring_fails_at = n;
        io_faults.max_nbytes = n % 2 ? 0 : 65536;
        read_all(f, "a ring that fails");
        if (by_ring(_i) && n == 1)
            ck_assert_uint_gt(io_faults_preads, 0);
        read_all(f, "after a ring that failed");
        pcri_file_close(&f);
    }
}
END_TEST

START_TEST(direct_that_is_refused)
{
    struct pcri_file *f = open_by(_i);
    io_faults.refuses_direct = 1;
    read_all(f, "O_DIRECT refused");
    pcri_file_close(&f);
}
END_TEST

/* The error of pread is every backend's; mmap reads a range at once, and says so. */
static void same_error(int backend, int code, int sys_errno)
{
    struct pcri_file *plain = open_by(0), *f = open_by(backend);
    struct pcr_error expected, e;
    ck_assert_int_eq(pcri_file_read(plain, ranges, RANGES, &expected), code);
    ck_assert_int_eq(expected.sys_errno, sys_errno);
    pcri_file_close(&f);
    f = open_by(backend); /* the last that is mapped */
    ck_assert_int_eq(pcri_file_read(f, ranges, RANGES, &e), code);
    ck_assert_int_eq(e.sys_errno, sys_errno);
    if (f->backend != &pcri_io_mmap) {
        ck_assert_str_eq(e.message, expected.message);
        ck_assert_uint_eq(e.offset, expected.offset);
    }
    ck_assert_int_eq(pcri_file_read(f, ranges, RANGES, NULL), code);
    pcri_file_close(&f);
    pcri_file_close(&plain);
}

START_TEST(bad_sectors)
{
    static const int64_t offsets[] = { 110, 12345, 1100000, 3 << 20, FILE_NBYTES - 1 };
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        io_faults_reset();
        io_faults.bad_offset = offsets[i];
        same_error(_i, PCR_ERR_IO, EIO);
        io_faults_reset();
        struct pcri_file *f = open_by(_i);
        read_all(f, "a sector that is good again");
        pcri_file_close(&f);
    }
}
END_TEST

START_TEST(truncated)
{
    static const off_t sizes[] = { FILE_NBYTES - 1, 3 << 20, (3 << 20) + 1, 4096, 50, 0 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pcri_file *f = open_by(_i);
        struct pcr_error e;
        ck_assert_int_eq(truncate(path, sizes[i]), 0);
        ck_assert_int_eq(pcri_file_read(f, ranges, RANGES, &e), PCR_ERR_TRUNCATED);
        pcri_file_close(&f);
        same_error(_i, PCR_ERR_TRUNCATED, 0);
    }
}
END_TEST

START_TEST(first_error_is_told)
{
    ck_assert_int_eq(truncate(path, 5 << 20), 0);
    io_faults.bad_offset =
        1100000; /* in the second and third ranges; the end is in the third */
    same_error(_i, PCR_ERR_IO, EIO);
    io_faults.bad_offset = (5 << 20) - 1;
    if (pcri_io_backends[_i] != &pcri_io_mmap) /* it looks at the size first */
        same_error(_i, PCR_ERR_IO, EIO);
}
END_TEST

/* --- io_uring blocked --- */

/* From here on this process's `call` fails with `error`. */
static void block(long call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t) error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void blocked_setup(int backend, int error)
{
    block(SYS_io_uring_setup, error);
    struct pcri_file *f = open_by(backend);
    read_all(f, "io_uring_setup blocked");
    ck_assert_uint_eq(io_faults_ring_calls, 0);
    ck_assert_ptr_nonnull(pcri_uring_refused());
    ck_assert_ptr_eq(pcri_uring_refused(), pcri_uring_refused());
#ifdef HAVE_LIBURING
    const char *setting = getenv("PCR_IO_URING");
    ck_assert_ptr_nonnull(strstr(pcri_uring_refused(), setting ? setting : strerror(error)));
#endif
    pcri_file_close(&f);
}

START_TEST(blocked_by_eperm)
{
    blocked_setup(_i, EPERM);
}
END_TEST

START_TEST(blocked_by_enosys)
{
    blocked_setup(_i, ENOSYS);
}
END_TEST

START_TEST(blocked_by_enomem)
{
    blocked_setup(_i, ENOMEM);
}
END_TEST

START_TEST(blocked_after_the_probe)
{
    struct pcri_file *f = open_by(_i);
    (void) pcri_uring_refused();
    block(SYS_io_uring_setup, EPERM);
    read_all(f, "no new ring");
    pcri_file_close(&f);
}
END_TEST

START_TEST(blocked_with_a_ring)
{
    struct pcri_file *f = open_by(_i);
    read_all(f, "allowed");
    block(SYS_io_uring_enter, EPERM);
    read_all(f, "io_uring_enter blocked");
    read_all(f, "io_uring_enter blocked, again");
    pcri_file_close(&f);
}
END_TEST

START_TEST(no_read_request)
{
    /* The probe asks by io_uring_register(). */
    block(SYS_io_uring_register, EINVAL);
    struct pcri_file *f = open_by(_i);
    read_all(f, "no probing");
    ck_assert_ptr_nonnull(pcri_uring_refused());
    ck_assert_uint_eq(io_faults_ring_calls, 0);
    pcri_file_close(&f);
}
END_TEST

/* --- threads, processes --- */

struct reader {
    struct pcri_file *f;
    uint32_t seed;
    unsigned bad;
};

static void *read_some(void *context)
{
    struct reader *r = context;
    uint8_t *p = malloc(MAX_NBYTES);
    for (int i = 0; i < 25 && p; i++) {
        r->seed = r->seed * 1664525 + 1013904223;
        uint32_t offset = (r->seed >> 4) % FILE_NBYTES;
        uint32_t nbytes = (r->seed >> 1) % (i % 2 ? 9000 : MAX_NBYTES);
        if (nbytes > FILE_NBYTES - offset)
            nbytes = FILE_NBYTES - offset;
        r->bad += pcri_file_read_at(r->f, offset, p, nbytes, NULL) ||
                  memcmp(p, bytes + offset, nbytes);
    }
    r->bad += !p;
    free(p);
    return NULL;
}

START_TEST(threads)
{
    struct pcri_file *f = open_by(_i);
    struct reader readers[4];
    pthread_t ids[4];
    for (unsigned i = 0; i < 4; i++) {
        readers[i] = (struct reader) { .f = f, .seed = i * 77 + 5 };
        ck_assert_int_eq(pthread_create(&ids[i], NULL, read_some, &readers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(ids[i], NULL), 0);
        ck_assert_uint_eq(readers[i].bad, 0);
    }
    pcri_file_close(&f);
}
END_TEST

START_TEST(forked)
{
    struct pcri_file *f = open_by(_i);
    struct reader parent = { .f = f, .seed = 1 }, child = { .f = f, .seed = 2 };
    read_all(f, "before the fork");
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (!pid) {
        read_some(&child);
        leave(child.bad != 0);
    }
    read_some(&parent);
    int status = -1;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(parent.bad, 0);
    read_all(f, "after the fork");
    pcri_file_close(&f);
}
END_TEST

START_TEST(many_files)
{
    for (int round = 0; round < 3; round++) {
        struct pcri_file *files[20];
        for (int i = 0; i < 20; i++)
            files[i] = open_by((_i + i % 2 * 2) % BACKENDS);
        for (int i = 0; i < 20; i += 7)
            read_all(files[i], "one of many");
        for (int i = 0; i < 20; i++)
            pcri_file_close(&files[i]);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        large_reads,
        short_interrupted_and_late,
        odd_short_reads,
        rings_that_fail,
        direct_that_is_refused,
        bad_sectors,
        truncated,
        first_error_is_told,
        blocked_by_eperm,
        blocked_by_enosys,
        blocked_by_enomem,
        blocked_after_the_probe,
        blocked_with_a_ring,
        no_read_request,
        threads,
        forked,
        many_files,
    };
    TCase *t = tests_case("io_faults");
    tcase_add_unchecked_fixture(t, set_up_all, tear_down_all);
    tcase_add_checked_fixture(t, set_up, NULL);
    tcase_set_timeout(t, 30);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_loop_test(t, tests[i], 0, BACKENDS);
    return tests_run();
}
