/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong bytes in a cache are never given and do not stay, also where another process keeps them
 * once more at the worst moment, or two share the folder. The program is linked with --wrap. */
#include <check.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "leave.h"
#include "made_loader.h"
#include "suite.h"
#include "write_source.h"

static struct {
    atomic_int flip_at; /* the n-th read of a record has a bit turned; 0: none */
    atomic_bool front;  /* it is one of the header */
    atomic_int restore; /* blocks that are dropped come back so often */
    atomic_int restored;
} faults;

ssize_t __real_pread64(int fd, void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pread64(int fd, void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pread64(int fd, void *p, size_t nbytes, off_t offset)
{
    ssize_t n = __real_pread64(fd, p, nbytes, offset);
    if (n > 0 && atomic_load(&faults.flip_at) > 0 && test_is_named(fd, ".pcr") &&
        atomic_fetch_sub(&faults.flip_at, 1) == 1)
        ((uint8_t *) p)[atomic_load(&faults.front) ? 40 : n / 2] ^= 4;
    return n;
}

/* Marks are dropped by zeroes: another process, which has read the same wrong bytes, just now
 * writes its own. */
ssize_t __real_pwrite64(int fd, const void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t nbytes, off_t offset)
{
    static const uint8_t zeroes[2048];
    uint8_t marks[2048];
    bool drops = nbytes <= sizeof(marks) && !memcmp(p, zeroes, nbytes) &&
                 atomic_load(&faults.restore) > 0 && test_is_named(fd, ".pcrcache");
    ssize_t had = drops ? __real_pread64(fd, marks, nbytes, offset) : 0;
    ssize_t n = __real_pwrite64(fd, p, nbytes, offset);
    if (had > 0) {
        atomic_fetch_sub(&faults.restore, 1);
        atomic_fetch_add(&faults.restored, 1);
        ck_assert_int_eq(__real_pwrite64(fd, marks, (size_t) had, offset), had);
    }
    return n;
}

/* All samples at all fidelities; false where there is an error. */
static bool read_all(const char *cache_dir, uint64_t *sum_out, uint64_t *storage_nbytes_out,
                     struct pcr_error *e)
{
    const struct pcr_dataset_options o = { .size = sizeof(o),
                                           .cache_dir = cache_dir,
                                           .cache_nbytes = cache_dir ? 1 << 24 : 0 };
    struct pcr_io_stats stats = { .size = sizeof(stats) };
    struct pcr_dataset *ds = NULL;
    struct pcr_buffer out = { 0 };
    int rc = pcr_dataset_open(made_folder.path, &o, &ds, e);
    *sum_out = 0;
    for (uint64_t i = 0; i < MADE_SAMPLES && !rc; i++) {
        struct pcr_sample *s = NULL;
        rc = pcr_sample_acquire(ds, i, &s, e);
        for (uint32_t g = 1; g <= group_count && !rc; g++) {
            rc = pcr_sample_read(s, g, &out, e);
            *sum_out = *sum_out * 31 + (rc ? 0 : pcri_xxh3(out.data, out.nbytes));
        }
        pcr_sample_release(&s);
    }
    if (!rc)
        rc = pcr_dataset_io_stats(ds, &stats, e);
    *storage_nbytes_out = stats.read_nbytes;
    pcr_buffer_free(&out);
    pcr_dataset_close(&ds);
    return !rc;
}

static uint64_t right_sum, nbytes;
static struct test_folder folder;

static void set_up(void)
{
    struct pcr_error e;
    set_up_folder();
    open_dataset();
    close_dataset();
    ck_assert(read_all(NULL, &right_sum, &nbytes, &e));
}

static void check_right(const char *cache_dir, int n)
{
    struct pcr_error e = { .message = "" };
    uint64_t sum;
    ck_assert_msg(read_all(cache_dir, &sum, &nbytes, &e), "read %d: %s", n, e.message);
    ck_assert_msg(sum == right_sum, "read %d: other bytes", n);
}

/* In the end all is kept, and right. */
static void check_settled(const char *cache_dir, int n)
{
    check_right(cache_dir, n);
    check_right(cache_dir, n);
    check_right(cache_dir, n);
    ck_assert_uint_eq(nbytes, 0);
}

START_TEST(dropped_and_kept_again)
{
    int restored = 0;
    for (int n = 1; n <= 4; n++) {
        test_folder_make(&folder);
        memset(&faults, 0, sizeof(faults));
        atomic_store(&faults.flip_at, n);
        atomic_store(&faults.restore, 3);
        check_right(folder.path, n);
        check_right(folder.path, n); /* what came back is still wrong */
        restored += atomic_load(&faults.restored);
        atomic_store(&faults.restore, 0);
        check_settled(folder.path, n);
        test_folder_free(&folder);
    }
    ck_assert_int_ge(restored, 4);
}
END_TEST

/* A header that is damaged where it was kept is read once more. */
START_TEST(front_again)
{
    test_folder_make(&folder);
    memset(&faults, 0, sizeof(faults));
    atomic_store(&faults.front, true);
    atomic_store(&faults.flip_at, 1);
    check_right(folder.path, 1);
    ck_assert_int_eq(atomic_load(&faults.flip_at), 0);
    check_settled(folder.path, 1);
    test_folder_free(&folder);
}
END_TEST

START_TEST(two_processes)
{
    for (int n = 1; n <= 4; n++) {
        int status;
        memset(&faults, 0, sizeof(faults));
        test_folder_make(&folder);
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        for (int round = 0; round < 3; round++) {
            struct pcr_error e;
            uint64_t sum;
            /* Not in both: who reads again must not meet another one. */
            atomic_store(&faults.flip_at, (n & 1) == (child > 0) ? n : 0);
            if (child)
                check_right(folder.path, n);
            else if (!read_all(folder.path, &sum, &nbytes, &e) || sum != right_sum)
                _exit(1);
        }
        if (!child)
            leave(0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        atomic_store(&faults.flip_at, 0);
        check_settled(folder.path, n);
        test_folder_free(&folder);
    }
}
END_TEST

/* What nobody verifies could stay wrong. */
START_TEST(not_without_verifying)
{
    struct pcr_dataset_options o = { .size = sizeof(o),
                                     .flags = PCR_DATASET_NO_VERIFY,
                                     .cache_nbytes = 1 << 24 };
    struct pcr_dataset *ds = NULL;
    struct pcr_error e;
    ck_assert_int_eq(pcr_dataset_open(made_folder.path, &o, &ds, &e), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(e.message, "cache"));
    o.cache_nbytes = 0;
    made_check(pcr_dataset_open(made_folder.path, &o, &ds, &e), &e);
    pcr_dataset_close(&ds);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("cache_faults");
    tcase_add_unchecked_fixture(t, set_up, made_dir_remove);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, dropped_and_kept_again);
    tcase_add_test(t, front_again);
    tcase_add_test(t, two_processes);
    tcase_add_test(t, not_without_verifying);
    return tests_run();
}
