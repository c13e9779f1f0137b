/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults of system calls, for tests. */
#define _GNU_SOURCE /* O_DIRECT, madvise */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#include "io_faults.h"

struct io_faults io_faults = { .bad_offset = -1 };
unsigned io_faults_preads, io_faults_ring_calls;
static unsigned calls;

void io_faults_reset(void)
{
    io_faults = (struct io_faults) { .bad_offset = -1 };
    io_faults_preads = io_faults_ring_calls = calls = 0;
}

/* Delays, and says whether this call is to be interrupted. */
static bool interrupted(void)
{
    unsigned n = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (io_faults.delay_us)
        usleep(io_faults.delay_us);
    return io_faults.interrupt && n % io_faults.interrupt == 0;
}

static bool is_bad(uint64_t offset, size_t nbytes)
{
    uint64_t bad = (uint64_t) io_faults.bad_offset;
    return io_faults.bad_offset >= 0 && bad >= offset && bad - offset < nbytes;
}

static size_t shorter(size_t nbytes)
{
    return io_faults.max_nbytes && nbytes > io_faults.max_nbytes ? io_faults.max_nbytes
                                                                 : nbytes;
}

ssize_t __real_pread64(int fd, void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pread64(int fd, void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pread64(int fd, void *p, size_t nbytes, off_t offset)
{
    __atomic_add_fetch(&io_faults_preads, 1, __ATOMIC_RELAXED);
    if (interrupted()) {
        errno = EINTR;
        return -1;
    }
    if (io_faults.refuses_direct && fcntl(fd, F_GETFL) & O_DIRECT) {
        errno = EINVAL;
        return -1;
    }
    if (is_bad((uint64_t) offset, nbytes)) {
        errno = EIO;
        return -1;
    }
    return __real_pread64(fd, p, shorter(nbytes), offset);
}

/* The last file that was mapped: its populating fails as it does for a bad sector. */
static char *mapped;

void *__real_mmap64(void *p, size_t nbytes, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *p, size_t nbytes, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *p, size_t nbytes, int prot, int flags, int fd, off_t offset)
{
    return mapped = __real_mmap64(p, nbytes, prot, flags, fd, offset);
}

int __real_madvise(void *p, size_t nbytes, int advice);
int __wrap_madvise(void *p, size_t nbytes, int advice);
int __wrap_madvise(void *p, size_t nbytes, int advice)
{
    if (advice == 22 && is_bad((uint64_t) ((char *) p - mapped), nbytes)) {
        errno = EFAULT;
        return -1;
    }
    return __real_madvise(p, nbytes, advice);
}

#ifdef HAVE_LIBURING
int __real_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait)
{
    unsigned n = __atomic_add_fetch(&io_faults_ring_calls, 1, __ATOMIC_RELAXED);
    if (interrupted())
        return -EINTR;
    if (n == io_faults.ring_fails_at)
        return -EBUSY;
    /* The requests that are about to go: shorter, or on no file. */
    for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++) {
        struct io_uring_sqe *sqe = &ring->sq.sqes[i & *ring->sq.kring_mask];
        if (io_faults.refuses_direct || is_bad(sqe->off, sqe->len))
            sqe->fd = -1;
        sqe->len = (unsigned) shorter(sqe->len);
    }
    return __real_io_uring_submit_and_wait(ring, wait);
}
#endif
