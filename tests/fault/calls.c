/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that fail as asked. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#include "base/base.h"
#include "calls.h"

const char *const call_names[CALL_COUNT] = {
#define X(name, text) text,
    CALLS(X)
#undef X
};

enum { EINTR_LASTS = 5 };

static struct {
    enum call call;
    int fault;
    long at;
    bool lasting;
} plan;
static atomic_bool armed, hit, hit_written;
static atomic_long counts[CALL_COUNT];

void calls_arm(enum call call, int fault, long at, bool lasting)
{
    plan.call = call;
    plan.fault = fault;
    plan.at = at;
    plan.lasting = lasting;
    for (int i = 0; i < CALL_COUNT; i++)
        atomic_store(&counts[i], 0);
    atomic_store(&hit, false);
    atomic_store(&hit_written, false);
    atomic_store(&armed, true);
}

void calls_disarm(void)
{
    atomic_store(&armed, false);
}

long calls_count(enum call call)
{
    return atomic_load(&counts[call]);
}

bool calls_hit(void)
{
    return atomic_load(&hit);
}

bool calls_hit_written(void)
{
    return atomic_load(&hit_written);
}

bool call_can(enum call call, int fault)
{
    if (fault == EINVAL) /* what a file system does not know */
        return call == CALL_RENAME;
    switch (call) {
    case CALL_READ:
    case CALL_PREAD:
    case CALL_WRITE:
    case CALL_PWRITE:
    case CALL_RING_READ:
        return fault != ENOENT;
    case CALL_FREAD:
    case CALL_FCLOSE:
    case CALL_FOPEN: /* the C library's own calls take the interrupts */
        return fault > 0 && fault != EINTR;
    case CALL_THREAD:
        return fault == EAGAIN || fault == ENOMEM;
    case CALL_FADVISE:
        return fault > 0 && fault != EINTR && fault != ENOENT;
    case CALL_MMAP:
    case CALL_MUNMAP:
    case CALL_REALPATH:
        return fault > 0 && fault != EINTR;
    case CALL_FSYNC:
    case CALL_CLOSE:
    case CALL_FCNTL:
    case CALL_FLOCK:
    case CALL_MADVISE:
    case CALL_MEMFD:
    case CALL_FUTIMENS:
    case CALL_READDIR:
    case CALL_RING_SETUP:
    case CALL_RING_ENTER: /* they know no names */
        return fault > 0 && fault != ENOENT;
    default:
        return fault > 0;
    }
}

/* What is to become of this call. */
static int fault_of(enum call call)
{
    if (!atomic_load(&armed))
        return FAULT_NONE;
    long n = atomic_fetch_add(&counts[call], 1) + 1;
    if (!plan.fault || call != plan.call || n < plan.at || (n > plan.at && !plan.lasting) ||
        (plan.fault == EINTR && n >= plan.at + EINTR_LASTS))
        return FAULT_NONE;
    atomic_store(&hit, true);
    return plan.fault;
}

/* For calls that fail or not: sets errno. */
static bool fails(enum call call)
{
    int fault = fault_of(call);
    if (fault)
        errno = fault;
    return fault != FAULT_NONE;
}

#define WRAP(type, name, ...) \
    type __real_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__)

/* A call that returns an int, and a pointer. */
#define FAILING(call, name, params, args) \
    int __real_##name params; \
    int __wrap_##name params; \
    int __wrap_##name params \
    { \
        return fails(call) ? -1 : __real_##name args; \
    }
#define FAILING_POINTER(type, call, name, params, args) \
    type __real_##name params; \
    type __wrap_##name params; \
    type __wrap_##name params \
    { \
        return fails(call) ? NULL : __real_##name args; \
    }

FAILING(CALL_OPEN, open64, (const char *path, int flags, mode_t mode), (path, flags, mode))
FAILING(CALL_OPEN, openat64, (int dir, const char *path, int flags, mode_t mode),
        (dir, path, flags, mode))
FAILING(CALL_RENAME, rename, (const char *a, const char *b), (a, b))
FAILING(CALL_RENAME, renameat, (int x, const char *a, int y, const char *b), (x, a, y, b))
FAILING(CALL_RENAME, renameat2, (int x, const char *a, int y, const char *b, unsigned flags),
        (x, a, y, b, flags))
FAILING(CALL_LINK, linkat, (int x, const char *a, int y, const char *b, int flags),
        (x, a, y, b, flags))
FAILING(CALL_UNLINK, unlink, (const char *path), (path))
FAILING(CALL_UNLINK, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
FAILING(CALL_MADVISE, madvise, (void *p, size_t nbytes, int advice), (p, nbytes, advice))
FAILING(CALL_STAT, fstat64, (int fd, struct stat *st), (fd, st))
FAILING(CALL_STAT, stat64, (const char *path, struct stat *st), (path, st))
FAILING(CALL_STAT, lstat64, (const char *path, struct stat *st), (path, st))
FAILING(CALL_STAT, fstatat64, (int dir, const char *path, struct stat *st, int flags),
        (dir, path, st, flags))
FAILING(CALL_FLOCK, flock, (int fd, int operation), (fd, operation))
FAILING(CALL_MKDIR, mkdir, (const char *path, mode_t mode), (path, mode))
FAILING(CALL_MKDIR, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
FAILING(CALL_ACCESS, access, (const char *path, int mode), (path, mode))
FAILING(CALL_ACCESS, faccessat, (int dir, const char *path, int mode, int flags),
        (dir, path, mode, flags))
FAILING(CALL_MEMFD, memfd_create, (const char *name, unsigned flags), (name, flags))
FAILING(CALL_FUTIMENS, futimens, (int fd, const struct timespec times[2]), (fd, times))
FAILING_POINTER(DIR *, CALL_OPENDIR, opendir, (const char *path), (path))
FAILING_POINTER(DIR *, CALL_OPENDIR, fdopendir, (int fd), (fd))
FAILING_POINTER(struct dirent *, CALL_READDIR, readdir64, (DIR * dir), (dir))
FAILING_POINTER(char *, CALL_REALPATH, realpath, (const char *path, char *out), (path, out))
FAILING_POINTER(FILE *, CALL_FOPEN, fopen64, (const char *path, const char *mode),
                (path, mode))

WRAP(int, posix_fadvise64, int fd, off_t offset, off_t nbytes, int advice)
{
    int fault = fault_of(CALL_FADVISE);
    return fault ? fault : __real_posix_fadvise64(fd, offset, nbytes, advice);
}

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...)
{
    va_list ap;
    va_start(ap, command);
    int value = va_arg(ap, int);
    va_end(ap);
    return fails(CALL_FCNTL) ? -1 : __real_fcntl64(fd, command, value);
}

/* Were the file's bytes written, and are they of value? A cache's are not; a lock file has been
 * synced before it is closed. */
static bool is_written(int fd)
{
    char link[64], name[512];
    int flags = __real_fcntl64(fd, F_GETFL, 0);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof(name) - 1);
    name[n < 0 ? 0 : n] = '\0';
    return !strstr(name, "pcrcache") && !strstr(name, "/.pcr-convert") &&
           !strstr(name, "/.pcr-export");
}

/* As Linux does it, the descriptor is free also where the call fails. */
WRAP(int, close, int fd)
{
    int fault = fault_of(CALL_CLOSE);
    if (fault && fault != EINTR && is_written(fd))
        atomic_store(&hit_written, true);
    int rc = __real_close(fd);
    if (!fault)
        return rc;
    errno = fault;
    return -1;
}

static bool sync_fails(void)
{
    bool yes = fails(CALL_FSYNC);
    if (yes && plan.fault != EINTR)
        atomic_store(&hit_written, true);
    return yes;
}

WRAP(int, fsync, int fd)
{
    return sync_fails() ? -1 : __real_fsync(fd);
}

WRAP(int, fdatasync, int fd)
{
    return sync_fails() ? -1 : __real_fdatasync(fd);
}

/* --- bytes --- */

/* Half of a transfer; with O_DIRECT in whole blocks, as systems do it but at a file's end. */
static size_t half(int fd, size_t nbytes)
{
    enum { BLOCK = 4096 };
    size_t n = (nbytes + 1) / 2;
    int flags = __real_fcntl64(fd, F_GETFL, 0);
    return flags >= 0 && flags & O_DIRECT ? (n + BLOCK - 1) / BLOCK * BLOCK : n;
}

/* How many bytes of a transfer of nbytes there are to be; -1: it fails. */
static ssize_t allowed(enum call call, int fd, size_t nbytes)
{
    int fault = fault_of(call);
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    if (fault == FAULT_ZERO)
        return 0;
    return (ssize_t) (fault == FAULT_SHORT ? half(fd, nbytes) : nbytes);
}

#define TRANSFER(call, name, params, args) \
    ssize_t __real_##name params; \
    ssize_t __wrap_##name params; \
    ssize_t __wrap_##name params \
    { \
        ssize_t n = allowed(call, fd, nbytes); \
        return n <= 0 ? n : __real_##name args; \
    }

TRANSFER(CALL_READ, read, (int fd, void *p, size_t nbytes), (fd, p, (size_t) n))
TRANSFER(CALL_WRITE, write, (int fd, const void *p, size_t nbytes), (fd, p, (size_t) n))
TRANSFER(CALL_PREAD, pread64, (int fd, void *p, size_t nbytes, off_t offset),
         (fd, p, (size_t) n, offset))
TRANSFER(CALL_PWRITE, pwrite64, (int fd, const void *p, size_t nbytes, off_t offset),
         (fd, p, (size_t) n, offset))

WRAP(void *, mmap64, void *p, size_t nbytes, int prot, int flags, int fd, off_t offset)
{
    return fails(CALL_MMAP) ? MAP_FAILED : __real_mmap64(p, nbytes, prot, flags, fd, offset);
}

/* It is unmapped all the same: what stays would be a leak of ours. */
WRAP(int, munmap, void *p, size_t nbytes)
{
    int rc = __real_munmap(p, nbytes);
    return fails(CALL_MUNMAP) ? -1 : rc;
}

/* --- streams --- */

WRAP(size_t, fread, void *p, size_t size, size_t count, FILE *f)
{
    if (!fails(CALL_FREAD))
        return __real_fread(p, size, count, f);
    int fault = errno, folder = __real_open64("/", O_RDONLY | O_DIRECTORY, 0);
    (void) dup2(folder, fileno(f)); /* so that it fails, and ferror() is true */
    (void) __real_close(folder);
    size_t n = __real_fread(p, size, count, f);
    errno = fault;
    return n;
}

/* Standard output stays open for who calls pcrtool again. A stream in memory can only want
 * memory. */
WRAP(int, fclose, FILE *f)
{
    int fault = fileno(f) < 0 ? FAULT_NONE : fault_of(CALL_FCLOSE);
    int rc = f == stdout ? fflush(f) : __real_fclose(f);
    if (!fault)
        return rc;
    errno = fault;
    return EOF;
}

/* --- threads and waits --- */

WRAP(int, pthread_create, pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p)
{
    int fault = fault_of(CALL_THREAD);
    return fault ? fault : __real_pthread_create(t, a, f, p);
}

/* Nothing passes here by waiting. */
WRAP(bool, pcri_try_again, uint32_t attempt, uint32_t most, int *rc, struct pcr_error *err)
{
    if (pcri_wait_stopped())
        return __real_pcri_try_again(attempt, most, rc, err);
    return attempt < most && pcri_may_pass(*rc, err);
}

/* --- rings --- */

#ifdef HAVE_LIBURING

WRAP(int, io_uring_queue_init, unsigned entries, struct io_uring *ring, unsigned flags)
{
    int fault = fault_of(CALL_RING_SETUP);
    return fault ? -fault : __real_io_uring_queue_init(entries, ring, flags);
}

WRAP(int, io_uring_submit_and_wait, struct io_uring *ring, unsigned wait)
{
    int fault = fault_of(CALL_RING_ENTER);
    if (fault)
        return -fault;
    /* The requests that are about to go: shorter, at the file's end, or on no file. */
    for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++) {
        struct io_uring_sqe *sqe = &ring->sq.sqes[i & *ring->sq.kring_mask];
        fault = fault_of(CALL_RING_READ);
        if (fault == FAULT_SHORT)
            sqe->len = (unsigned) half(sqe->fd, sqe->len);
        else if (fault == FAULT_ZERO)
            sqe->off = INT64_MAX / 2;
        else if (fault)
            sqe->fd = -1;
    }
    return __real_io_uring_submit_and_wait(ring, wait);
}

WRAP(int, __io_uring_get_cqe, struct io_uring *ring, struct io_uring_cqe **cqe,
     unsigned submit, unsigned wait, sigset_t *mask)
{
    int fault = fault_of(CALL_RING_ENTER);
    return fault ? -fault : __real___io_uring_get_cqe(ring, cqe, submit, wait, mask);
}

#endif
