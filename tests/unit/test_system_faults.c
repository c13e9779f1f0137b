/* SPDX-License-Identifier: BSD-2-Clause */
/* The system at fault: errors that pass and errors that stay, short and late calls, and other
 * processes and threads that come between, are told for what they are. The program is linked
 * with --wrap, so that the library's own calls come here first. */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <pcr/writer.h>

#include "base/siphash.h"
#include "io/layer.h"
#include "made_bad.h"
#include "suite.h"
#include "writing.h"

/* --- faults --- */

typedef void (*hook)(void);

static struct {
    int read_errno; /* the next `fail_count` reads of records fail so */
    atomic_int fail_count;
    const char *fail_name;     /* only of this record; NULL: of all */
    atomic_int manifest_fails; /* reads of a manifest that fail: EIO */
    atomic_int flip_at;        /* the n-th read of a record has a bit turned; 0: none */
    bool refuse_open;          /* records cannot be opened: EMFILE */
    bool write_nothing;        /* write() writes nothing */
    bool no_stat;              /* a state file cannot be looked at: EIO */
    unsigned thread_us;        /* pthread_create() returns so late */
    int stale_fd;              /* whatever is read of it is ESTALE; 0: none */
    bool no_entropy;           /* the system has no random bytes */
    bool no_affinity;          /* and does not tell this process's CPUs */
    long clock_ahead_s;        /* of the time of day */
    _Atomic(hook) at_mkdir;    /* is called once, before */
    _Atomic(hook) at_realpath;
    _Atomic(hook) at_pwrite;
    _Atomic(hook) at_lock;
} faults;

static _Thread_local int locks_till_hook; /* of this thread; 0: none is at_lock */

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n >= m && !strcmp(path + n - m, ending);
}

static void call_once(_Atomic(hook) *at)
{
    hook f = atomic_exchange(at, NULL);
    if (f)
        f();
}

ssize_t __real_pread64(int fd, void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pread64(int fd, void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pread64(int fd, void *p, size_t nbytes, off_t offset)
{
    bool record = test_is_named(fd, ".pcr");
    if (faults.stale_fd && fd == faults.stale_fd) {
        errno = ESTALE;
        return -1;
    }
    bool fails = record && (!faults.fail_name || test_is_named(fd, faults.fail_name));
    if (fails && atomic_load(&faults.fail_count) > 0) {
        atomic_fetch_sub(&faults.fail_count, 1);
        errno = faults.read_errno;
        return -1;
    }
    ssize_t n = __real_pread64(fd, p, nbytes, offset);
    if (record && n > 0 && atomic_load(&faults.flip_at) > 0 &&
        atomic_fetch_sub(&faults.flip_at, 1) == 1)
        ((uint8_t *) p)[n / 2] ^= 4;
    return n;
}

ssize_t __real_read(int fd, void *p, size_t nbytes);
ssize_t __wrap_read(int fd, void *p, size_t nbytes);
ssize_t __wrap_read(int fd, void *p, size_t nbytes)
{
    if (atomic_load(&faults.manifest_fails) > 0 && test_is_named(fd, "manifest.json")) {
        atomic_fetch_sub(&faults.manifest_fails, 1);
        errno = EIO;
        return -1;
    }
    return __real_read(fd, p, nbytes);
}

int __real_open64(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, mode_t mode)
{
    if (faults.refuse_open && ends_in(path, ".pcr")) {
        errno = EMFILE;
        return -1;
    }
    return __real_open64(path, flags, mode);
}

ssize_t __real_write(int fd, const void *p, size_t nbytes);
ssize_t __wrap_write(int fd, const void *p, size_t nbytes);
ssize_t __wrap_write(int fd, const void *p, size_t nbytes)
{
    return faults.write_nothing ? 0 : __real_write(fd, p, nbytes);
}

ssize_t __real_pwrite64(int fd, const void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t nbytes, off_t offset)
{
    call_once(&faults.at_pwrite);
    return __real_pwrite64(fd, p, nbytes, offset);
}

int __real_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st)
{
    if (faults.no_stat && ends_in(path, ".pcr-convert")) {
        errno = EIO;
        return -1;
    }
    return __real_stat64(path, st);
}

int __real_getentropy(void *p, size_t nbytes);
int __wrap_getentropy(void *p, size_t nbytes);
int __wrap_getentropy(void *p, size_t nbytes)
{
    if (!faults.no_entropy)
        return __real_getentropy(p, nbytes);
    errno = ENOSYS;
    return -1;
}

int __real_sched_getaffinity(pid_t pid, size_t nbytes, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t nbytes, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t nbytes, cpu_set_t *set)
{
    if (!faults.no_affinity)
        return __real_sched_getaffinity(pid, nbytes, set);
    errno = EINVAL;
    return -1;
}

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p)
{
    int rc = __real_pthread_create(t, a, f, p);
    if (faults.thread_us)
        usleep(faults.thread_us);
    return rc;
}

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    int rc = __real_clock_gettime(clock, t);
    if (clock == CLOCK_REALTIME)
        t->tv_sec += faults.clock_ahead_s;
    return rc;
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    call_once(&faults.at_mkdir);
    return __real_mkdir(path, mode);
}

char *__real_realpath(const char *path, char *out);
char *__wrap_realpath(const char *path, char *out);
char *__wrap_realpath(const char *path, char *out)
{
    call_once(&faults.at_realpath);
    return __real_realpath(path, out);
}

int __real_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
    if (locks_till_hook && !--locks_till_hook)
        call_once(&faults.at_lock);
    return __real_pthread_mutex_lock(m);
}

static void clear_faults(void)
{
    memset(&faults, 0, sizeof(faults));
}

static void fail_reads(int number, int count)
{
    faults.read_errno = number;
    atomic_store(&faults.fail_count, count);
}

enum { FOR_EVER = 1 << 30 };

/* --- verifying --- */

static int count_finding(void *context, uint32_t kind, const char *path, uint64_t done,
                         const struct pcr_error *err)
{
    *(int *) context += err != NULL;
    return 0;
}

static int verify(uint64_t record, int *findings, struct pcr_error *err)
{
    struct pcr_verify_report found = { .size = sizeof(found) };
    *findings = 0;
    return pcr_dataset_verify_record(dataset, record, 0, &found, count_finding, findings, err);
}

/* What the machine lacks or a disk does not read is no damage; what is not there is. */
START_TEST(verifying)
{
    struct pcr_error e;
    char away[512];
    int findings;
    fail_reads(EIO, 2);
    made_check(verify(0, &findings, &e), &e);
    ck_assert_int_eq(findings, 0);
    fail_reads(EIO, FOR_EVER);
    ck_assert_int_eq(verify(1, &findings, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, EIO);
    ck_assert_int_eq(findings, 0);
    clear_faults();
    faults.refuse_open = true;
    ck_assert_int_eq(verify(1, &findings, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, EMFILE);
    ck_assert_int_eq(findings, 0);
    clear_faults();
    made_check(verify(1, &findings, &e), &e);
    snprintf(away, sizeof(away), "%s", made_path("away"));
    ck_assert_int_eq(rename(made_path("record-1.pcr"), away), 0);
    made_check(verify(1, &findings, &e), &e);
    ck_assert_int_eq(findings, 1);
    ck_assert_int_eq(rename(away, made_path("record-1.pcr")), 0);
}
END_TEST

/* The descriptor that a record is open at. */
static int fd_of(const char *name)
{
    for (int fd = 3; fd < 1000; fd++)
        if (test_is_named(fd, name))
            return fd;
    ck_abort_msg("%s is not open", name);
}

/* A server that was restarted knows its clients' handles no more: the file is opened again. One
 * that is another file now is not read. */
START_TEST(stale_handles)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_sample *s = NULL;
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_buffer right = { 0 }, found = { 0 };
    struct pcr_error e;
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
    made_check(pcr_dataset_open(made_folder.path, NULL, &ds, &e), &e);
    made_check(pcr_sample_acquire(ds, 0, &s, &e), &e);
    made_check(pcr_sample_describe(s, &info, &e), &e);
    ck_assert_uint_eq(info.record, 0);
    made_check(pcr_sample_read(s, 0, &right, &e), &e);
    faults.stale_fd = fd_of("record-0.pcr");
    for (int round = 0; round < 2; round++) {
        made_check(pcr_sample_read(s, 0, &found, &e), &e);
        ck_assert_uint_eq(found.nbytes, right.nbytes);
        ck_assert_mem_eq(found.data, right.data, right.nbytes);
    }
    pcr_sample_release(&s);
    pcr_dataset_close(&ds);
    faults.stale_fd = 0;

    made_check(pcr_dataset_open(made_folder.path, NULL, &ds, &e), &e);
    made_check(pcr_sample_acquire(ds, 0, &s, &e), &e);
    faults.stale_fd = fd_of("record-0.pcr");
    ck_assert_int_eq(utimensat(AT_FDCWD, made_path("record-0.pcr"), times, 0), 0);
    ck_assert_int_eq(pcr_sample_read(s, 0, &found, &e), PCR_ERR_IO);
    ck_assert_ptr_nonnull(strstr(e.message, "record-0.pcr: was replaced"));
    clear_faults();
    pcr_sample_release(&s);
    pcr_dataset_close(&ds);
    pcr_buffer_free(&right);
    pcr_buffer_free(&found);
}
END_TEST

/* The manifest is read again as records are. */
START_TEST(manifest_again)
{
    const struct pcr_dataset_options never = { .size = sizeof(never),
                                               .retry_count = PCR_RETRY_NEVER };
    struct pcr_dataset *ds = NULL;
    struct pcr_error e;
    atomic_store(&faults.manifest_fails, 3);
    made_check(pcr_dataset_open(made_folder.path, NULL, &ds, &e), &e);
    pcr_dataset_close(&ds);
    atomic_store(&faults.manifest_fails, 1);
    ck_assert_int_eq(pcr_dataset_open(made_folder.path, &never, &ds, &e), PCR_ERR_IO);
    atomic_store(&faults.manifest_fails, FOR_EVER);
    ck_assert_int_eq(pcr_dataset_open(made_folder.path, NULL, &ds, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, EIO);
    ck_assert_ptr_nonnull(strstr(e.message, "manifest.json"));
}
END_TEST

/* --- loading --- */

static struct pcr_loader_options loader_options(void)
{
    return (struct pcr_loader_options) { .size = sizeof(struct pcr_loader_options),
                                         .batch_size = 10,
                                         .output.height = 12,
                                         .output.width = 10,
                                         .threads.count = 2,
                                         .bad_sample = PCR_SAMPLE_SKIP,
                                         .flags = PCR_LOADER_NO_READ_AHEAD };
}

/* Loads an epoch; returns its end's code and the samples that came. */
static int load_all(struct pcr_loader *l, uint32_t *samples, struct pcr_error *e)
{
    struct pcr_batch *b;
    int rc;
    *samples = 0;
    start(l, 0);
    while (!(rc = pcr_loader_next(l, &b, e))) {
        for (uint32_t i = 0; i < b->sample_count; i++)
            *samples += b->valid[i];
        pcr_batch_release(&b);
    }
    return rc;
}

START_TEST(loading)
{
    const struct pcr_loader_options o = loader_options();
    struct pcr_error e;
    uint32_t samples;
    fail_reads(EAGAIN, 3);
    struct pcr_loader *l = create(&o);
    ck_assert_int_eq(load_all(l, &samples, &e), PCR_END);
    ck_assert_uint_eq(samples, MADE_SAMPLES);
    fail_reads(EIO, FOR_EVER);
    faults.fail_name = "record-1.pcr"; /* others could take its samples' places */
    ck_assert_int_eq(load_all(l, &samples, &e), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, EIO);
    clear_faults();
    ck_assert_int_eq(load_all(l, &samples, &e), PCR_END);
    ck_assert_uint_eq(samples, MADE_SAMPLES);
    pcr_loader_destroy(&l);
}
END_TEST

static uint64_t retries(struct pcr_dataset *ds)
{
    struct pcr_io_stats stats = { .size = sizeof(stats) };
    struct pcr_error e;
    made_check(pcr_dataset_io_stats(ds, &stats, &e), &e);
    return stats.retry_count;
}

/* Each of 1,000 tries waits for up to a second; who has lost interest does not wait. */
START_TEST(ends_while_retrying)
{
    const struct pcr_loader_options o = loader_options();
    const struct pcr_dataset_options d = { .size = sizeof(d), .retry_count = 1000 };
    struct pcr_dataset *plain = dataset;
    struct pcr_batch *b = NULL;
    struct pcr_error e;
    uint32_t samples;
    made_check(pcr_dataset_open(made_folder.path, &d, &dataset, &e), &e);
    struct pcr_loader *l = create(&o);
    for (int round = 0; round < 2; round++) {
        uint64_t before = retries(dataset);
        fail_reads(EIO, FOR_EVER);
        start(l, 0);
        while (retries(dataset) < before + 6)
            usleep(1000);
        if (round)
            break;
        pcr_loader_cancel(l);
        ck_assert_int_eq(pcr_loader_next(l, &b, &e), PCR_ERR_CANCELLED);
        atomic_store(&faults.fail_count, 0);
        ck_assert_int_eq(load_all(l, &samples, &e), PCR_END);
        ck_assert_uint_eq(samples, MADE_SAMPLES);
    }
    pcr_loader_destroy(&l);
    clear_faults();
    pcr_dataset_close(&dataset);
    dataset = plain;
}
END_TEST

static struct pcr_loader *beginning;
static pthread_t canceller;

static void *cancel_it(void *context)
{
    pcr_loader_cancel(beginning);
    return NULL;
}

/* Another thread cancels now, or if the loader is locked, as soon as it is not. */
static void cancel_beside(void)
{
    ck_assert_int_eq(__real_pthread_create(&canceller, NULL, cancel_it, NULL), 0);
    usleep(10000);
    fail_reads(EIO, 4); /* those of the epoch that begins */
}

/* A cancel that comes while an epoch begins has no effect on it, or all: never on a part of it
 * alone, such as the tries of its reads. */
START_TEST(cancelled_while_beginning)
{
    struct pcr_loader_options o = loader_options();
    struct pcr_batch *b;
    struct pcr_error e;
    uint32_t samples = 0;
    int rc;
    o.threads.count = 1;
    o.threads.reader_count = PCR_NO_READERS; /* one read at a time has all of the failures */
    beginning = create(&o);
    for (uint64_t n = 1; !faults.at_lock; n++, samples = 0) {
        start(beginning, n);
        made_check(pcr_loader_next(beginning, &b, &e), &e);
        pcr_batch_release(&b);
        faults.at_lock = cancel_beside;
        locks_till_hook = (int) n;
        start(beginning, 100 + n);
        locks_till_hook = 0;
        if (!faults.at_lock)
            pthread_join(canceller, NULL);
        while (!(rc = pcr_loader_next(beginning, &b, &e))) {
            samples += b->sample_count;
            pcr_batch_release(&b);
        }
        bool whole = rc == PCR_END && samples == MADE_SAMPLES;
        ck_assert_msg(whole || strstr(e.message, "the loader was cancelled"), "at lock %d: %s",
                      (int) n, e.message);
    }
    clear_faults();
    pcr_loader_destroy(&beginning);
}
END_TEST

/* --- caching --- */

/* A bit that is turned on its way from storage, in whichever read: it is read again, and what
 * is kept is right. */
START_TEST(flipped_bits)
{
    struct pcr_io_stats stats = { .size = sizeof(stats) };
    struct pcr_loader_options o = loader_options();
    struct pcr_dataset *plain = dataset;
    struct pcr_error e;
    char cache[256];
    uint32_t samples;
    test_folder_make(&top);
    o.bad_sample = PCR_SAMPLE_ERROR;
    for (int n = 1; n <= 10; n++) {
        struct pcr_dataset_options d = { .size = sizeof(d), .cache_nbytes = 1 << 24 };
        snprintf(cache, sizeof(cache), "%s-%d", at("cache"), n);
        d.cache_dir = n % 2 ? cache : NULL;
        made_check(pcr_dataset_open(made_folder.path, &d, &dataset, &e), &e);
        struct pcr_loader *l = create(&o);
        for (int round = 0; round < 2; round++) {
            atomic_store(&faults.flip_at, round ? 0 : n);
            ck_assert_msg(load_all(l, &samples, &e) == PCR_END, "read %d: %s", n, e.message);
            ck_assert_uint_eq(samples, MADE_SAMPLES);
        }
        ck_assert_int_eq(atomic_load(&faults.flip_at), 0);
        pcr_loader_destroy(&l);
        pcr_dataset_close(&dataset);
        if (!d.cache_dir)
            continue;
        made_check(pcr_dataset_open(made_folder.path, &d, &dataset, &e), &e);
        l = create(&o);
        ck_assert_int_eq(load_all(l, &samples, &e), PCR_END);
        made_check(pcr_dataset_io_stats(dataset, &stats, &e), &e);
        ck_assert_uint_eq(stats.read_nbytes, 0);
        pcr_loader_destroy(&l);
        pcr_dataset_close(&dataset);
    }
    dataset = plain;
    test_folder_free(&top);
}
END_TEST

enum { FILE_NBYTES = 100000 };

static void write_file(const char *path, int c)
{
    static char text[FILE_NBYTES];
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    memset(text, c, sizeof(text));
    ck_assert_uint_eq(fwrite(text, 1, sizeof(text), f), sizeof(text));
    ck_assert_int_eq(fclose(f), 0);
}

static struct pcri_layers *cached(const char *dir, uint64_t nbytes)
{
    const struct pcri_layer_options o = { .cache_dir = dir, .cache_nbytes = nbytes };
    struct pcri_layers *all = NULL;
    struct pcr_error e;
    made_check(pcri_layers_create(&pcri_io_pread, &o, &all, &e), &e);
    return all;
}

static struct pcri_file *open_in(struct pcri_layers *all, const char *path)
{
    struct pcri_file *f = NULL;
    struct pcr_error e;
    made_check(pcri_file_open(all->top, path, &f, &e), &e);
    return f;
}

static void read_as(struct pcri_file *f, int c)
{
    static char got[FILE_NBYTES];
    struct pcr_error e;
    made_check(pcri_file_read_at(f, 0, got, sizeof(got), &e), &e);
    size_t right = 0;
    while (right < sizeof(got) && got[right] == c)
        right++;
    ck_assert_uint_eq(right, sizeof(got));
}

static void replace_file(void)
{
    ck_assert_int_eq(rename(at("new"), at("file")), 0);
}

/* The file is replaced between its opening and the naming of its entry. */
START_TEST(replaced_while_opened)
{
    const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
    struct pcri_layers *all = cached(at("cache"), 1 << 20);
    write_file(at("file"), 'a');
    write_file(at("new"), 'b');
    ck_assert_int_eq(utimensat(AT_FDCWD, at("new"), times, 0), 0);
    faults.at_realpath = replace_file;
    struct pcri_file *f = open_in(all, at("file"));
    ck_assert(!faults.at_realpath);
    read_as(f, 'a');
    pcri_file_close(&f);
    f = open_in(all, at("file"));
    read_as(f, 'b');
    pcri_file_close(&f);
    pcri_layers_destroy(&all);
}
END_TEST

/* What somebody has open, or has opened since, makes no room, whatever clocks say. */
START_TEST(evicts_nothing_in_use)
{
    write_file(at("file"), 'a');
    write_file(at("other"), 'b');
    faults.clock_ahead_s = 100;
    struct pcri_layers *first = cached(at("cache"), 120000);
    struct pcri_file *f = open_in(first, at("file")), *other;
    read_as(f, 'a');
    if (_i)
        pcri_file_close(&f);
    struct pcri_layers *second = _i ? first : cached(at("cache"), 120000);
    other = open_in(second, at("other"));
    read_as(other, 'b');
    pcri_file_close(&other);
    if (!f)
        f = open_in(first, at("file"));
    uint64_t before = first->counts.read_nbytes;
    read_as(f, 'a');
    ck_assert_uint_eq(first->counts.read_nbytes, before);
    ck_assert_uint_eq(test_count(at("cache"), ".pcrcache"), 2);
    pcri_file_close(&f);
    if (!_i)
        pcri_layers_destroy(&second);
    pcri_layers_destroy(&first);
}
END_TEST

/* --- writing --- */

enum { SAMPLES = 40 };

static int (*plain_load)(void *, uint64_t, uint64_t, struct pcr_buffer *, struct pcr_error *);
static int (*plain_describe)(void *, uint64_t, struct pcr_source_sample *, struct pcr_error *);
static int load_errno;
static atomic_int load_failures;

static int load(void *context, uint64_t i, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err)
{
    if (i == 7 && atomic_load(&load_failures) > 0) {
        atomic_fetch_sub(&load_failures, 1);
        return pcri_fail_sys(err, load_errno, "made to fail");
    }
    return plain_load(context, i, max_nbytes, out, err);
}

static void set_up_source(void)
{
    writing_begin(SAMPLES, 8);
    options.bad_policy = PCR_BAD_SKIP;
    plain_load = src.source.load;
    plain_describe = src.source.describe;
    src.source.load = load;
    clear_faults();
    atomic_store(&load_failures, 0);
}

static void tear_down_source(void)
{
    clear_faults();
    writing_end();
}

/* Skipping is for bad pictures: what passes is read, and what stays ends the work. */
START_TEST(source_errors)
{
    static const int passing[] = { EIO, EAGAIN, EMFILE };
    write_ok("whole");
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof(name), "p%d", i);
        load_errno = passing[i];
        atomic_store(&load_failures, 3);
        write_ok(name);
        test_same_folders(at("whole"), at(name));
    }
    load_errno = EIO;
    atomic_store(&load_failures, FOR_EVER);
    ck_assert_int_eq(try_write("d"), PCR_ERR_IO);
    ck_assert_int_eq(error.sys_errno, EIO);
    ck_assert_ptr_nonnull(strstr(error.message, "images/007.jpg"));
    for (int i = 0; i < 2; i++) {
        load_errno = i ? EACCES : ENOENT;
        write_ok(i ? "eacces" : "enoent");
        ck_assert_uint_eq(report.samples_bad, 1);
    }
    atomic_store(&load_failures, 0);
    write_ok("d");
    test_same_folders(at("whole"), at("d"));
}
END_TEST

/* An input that could not be loaded for the tables, but could be for its record: it is left out,
 * or ends the work. Else the tables would depend on when it came back. */
START_TEST(lost_for_a_moment)
{
    src.source.sample_count = 20; /* all are looked at for the tables */
    load_errno = ENOENT;
    atomic_store(&load_failures, FOR_EVER);
    write_ok("without");
    ck_assert_uint_eq(report.samples_bad, 1);
    atomic_store(&load_failures, 1);
    write_ok("d");
    test_same_folders(at("without"), at("d"));
    options.bad_policy = PCR_BAD_FAIL;
    atomic_store(&load_failures, 1);
    ck_assert_int_eq(try_write("f"), PCR_ERR_IO);
    ck_assert_int_eq(error.sys_errno, ENOENT);
    ck_assert_ptr_nonnull(strstr(error.message, "images/007.jpg"));
    write_ok("f");
    write_ok("whole");
    test_same_folders(at("whole"), at("f"));
}
END_TEST

static int stop_with_records(void *context, const struct pcr_write_progress *p)
{
    return p->records_done > 0;
}

/* Records of an earlier run are read again after an error that passes, not made again. */
START_TEST(taken_over_again)
{
    write_ok("whole");
    options.progress = stop_with_records;
    int rc = try_write("d");
    ck_assert(rc == PCR_ERR_CANCELLED && test_count(at("d"), ".pcr") > 0);
    options.progress = NULL;
    fail_reads(EIO, 3);
    write_ok("d");
    ck_assert_uint_gt(report.records_kept, 0);
    test_same_folders(at("whole"), at("d"));
    fail_reads(EIO, 3);
    write_ok("d"); /* and those of a finished dataset */
    ck_assert_uint_eq(report.records_kept, report.record_count);
}
END_TEST

static int told;

static void bad_input(void *context, const char *path, const char *format,
                      const struct pcr_error *err)
{
    told++;
}

/* Workers are done before the calling thread begins to wait. */
START_TEST(early_workers)
{
    test_source_set(&src, 5, "x", 1);
    src.source.sample_count = 6;
    told = 0;
    options.bad_input = bad_input;
    faults.thread_us = 100000;
    write_ok("d");
    ck_assert_int_eq(told, 1);
}
END_TEST

static void finish_other(void)
{
    struct pcr_write_options o = options;
    struct pcr_error e;
    o.progress = NULL;
    made_check(pcr_dataset_write(at("d"), &src.source, &o, NULL, &e), &e);
}

static int stop(void *context, const struct pcr_write_progress *p)
{
    return 1;
}

/* The same conversion is finished by another process just when this one begins. */
START_TEST(overlapping)
{
    options.progress = stop;
    ck_assert_int_eq(try_write("d"), PCR_ERR_CANCELLED);
    ck_assert(test_exists(at("d"), ".pcr-convert"));
    options.progress = NULL;
    faults.at_mkdir = finish_other;
    write_ok("d");
    ck_assert(!faults.at_mkdir);
    ck_assert_uint_eq(report.records_kept, report.record_count);
    ck_assert_uint_eq(report.samples_done, SAMPLES);
    ck_assert(!test_exists(at("d"), ".pcr-convert"));
}
END_TEST

static struct pcr_writer *writer;

static void finish_now(void)
{
    struct pcr_error e;
    ck_assert_int_eq(pcr_writer_finish(writer, NULL, &e), PCR_ERR_INVAL);
    ck_assert_str_eq(e.message, "1 threads are still adding samples");
}

/* A writer does not finish while a sample is being added; after that it does. */
START_TEST(finish_while_adding)
{
    const struct pcr_writer_options o = { .size = sizeof(o),
                                          .write = &options,
                                          .class_count = src.source.class_count,
                                          .class_names = src.source.class_names,
                                          .split_count = src.source.split_count,
                                          .split_names = src.source.split_names };
    const struct pcr_buffer *file = &src.samples[0].file;
    struct pcr_source_sample s = { .size = sizeof(s) };
    made_check(plain_describe(&src, 0, &s, &error), &error);
    made_check(pcr_writer_open(at("pushed"), &o, &writer, &error), &error);
    faults.at_pwrite = finish_now;
    made_check(pcr_writer_add(writer, 0, &s, file->data, file->nbytes, &error), &error);
    ck_assert(!faults.at_pwrite);
    made_check(pcr_writer_finish(writer, &report, &error), &error);
    ck_assert_uint_eq(report.samples_done, 1);
    pcr_writer_close(&writer);
}
END_TEST

/* Keys differ from hash to hash, and there is a CPU, also where the system does not help. */
START_TEST(less_of_a_system)
{
    struct pcri_siphash_key keys[2] = { { 0 } };
    faults.no_entropy = faults.no_affinity = true;
    for (int i = 0; i < 2; i++)
        pcri_siphash_key(&keys[i]);
    ck_assert(keys[0].k0 != keys[1].k0 || keys[0].k1 != keys[1].k1);
    ck_assert(keys[0].k0 && keys[0].k1 && keys[1].k1);
    uint32_t count = pcri_cpu_count();
    ck_assert(count >= 1 && count <= (uint32_t) sysconf(_SC_NPROCESSORS_ONLN));
    clear_faults();
}
END_TEST

START_TEST(calls_that_get_nowhere)
{
    faults.write_nothing = true;
    ck_assert_int_eq(try_write("d"), PCR_ERR_IO);
    clear_faults();
    faults.no_stat = true;
    ck_assert_int_eq(try_write("d"), PCR_ERR_IO);
    ck_assert_int_eq(error.sys_errno, EIO);
    clear_faults();
    write_ok("d");
}
END_TEST

/* A part of a state is no state: there is nothing of value, and all begins anew. */
START_TEST(part_of_a_state)
{
    static const char text[] = "libpcr conversion 1\nfingerprint 0123456789abcdef\n"
                               "bad-policy 1\ncheck 0123456789abcdef\n";
    write_ok("whole");
    for (size_t n = 0; n < sizeof(text); n += n < 20 ? 19 : 7) {
        char name[8], path[300];
        snprintf(name, sizeof(name), "n%zu", n);
        snprintf(path, sizeof(path), "%s/.pcr-convert", at(name));
        ck_assert_int_eq(mkdir(at(name), 0777), 0);
        FILE *f = fopen(path, "wb");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(text, 1, n, f), n);
        ck_assert_int_eq(fclose(f), 0);
        write_ok(name);
        test_same_folders(at("whole"), at(name));
    }
}
END_TEST

static atomic_int described;

static int describe_slowly(void *context, uint64_t i, struct pcr_source_sample *out,
                           struct pcr_error *err)
{
    usleep(8000);
    atomic_fetch_add(&described, 1);
    return plain_describe(context, i, out, err);
}

static int stop_planning(void *context, const struct pcr_write_progress *p)
{
    ck_assert_uint_eq(p->sample_count, SAMPLES);
    ck_assert_uint_eq(p->record_count, 0);
    return 1;
}

START_TEST(cancelled_while_planning)
{
    atomic_store(&described, 0);
    src.source.describe = describe_slowly;
    options.progress = stop_planning;
    ck_assert_int_eq(try_write("d"), PCR_ERR_CANCELLED);
    ck_assert_int_lt(atomic_load(&described), SAMPLES);
    ck_assert(!test_exists(top.path, "d"));
}
END_TEST

int main(void)
{
    TCase *t = tests_case("system_faults");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, verifying);
    tcase_add_test(t, stale_handles);
    tcase_add_test(t, manifest_again);
    tcase_add_test(t, loading);
    tcase_add_test(t, ends_while_retrying);
    tcase_add_test(t, cancelled_while_beginning);
    tcase_add_test(t, flipped_bits);
    t = tests_case("writing");
    tcase_add_checked_fixture(t, set_up_source, tear_down_source);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, replaced_while_opened);
    tcase_add_loop_test(t, evicts_nothing_in_use, 0, 2);
    tcase_add_test(t, source_errors);
    tcase_add_test(t, lost_for_a_moment);
    tcase_add_test(t, taken_over_again);
    tcase_add_test(t, early_workers);
    tcase_add_test(t, overlapping);
    tcase_add_test(t, finish_while_adding);
    tcase_add_test(t, less_of_a_system);
    tcase_add_test(t, calls_that_get_nowhere);
    tcase_add_test(t, part_of_a_state);
    tcase_add_test(t, cancelled_while_planning);
    return tests_run();
}
