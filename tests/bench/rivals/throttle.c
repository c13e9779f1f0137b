/* SPDX-License-Identifier: BSD-2-Clause */
/* Slower storage for any program: preloaded (LD_PRELOAD), it has reads of the files in datasets/
 * and source/ of the folder PCR_THROTTLE_FOLDER wait until PCR_THROTTLE_RATE bytes a second would
 * have delivered them, for all processes together that name the same PCR_THROTTLE_STATE file.
 * What is mapped into memory is not slowed down. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SLACK_NS = 10000000 }; /* what storage may have saved up */

static struct {
    const char *folder;
    double rate;
    _Atomic int64_t *free_at; /* when all that was asked for so far is delivered; shared */
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*pread64)(int, void *, size_t, off64_t);
    ssize_t (*readv)(int, const struct iovec *, int);
    ssize_t (*preadv64)(int, const struct iovec *, int, off64_t);
} t;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void stop(const char *what)
{
    fprintf(stderr, "throttle: %s\n", what);
    abort();
}

static void *next(const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);
    if (!f)
        stop(name);
    return f;
}

static void begin(void)
{
    const char *rate = getenv("PCR_THROTTLE_RATE"), *state = getenv("PCR_THROTTLE_STATE");
    *(void **) &t.read = next("read");
    *(void **) &t.pread64 = next("pread64");
    *(void **) &t.readv = next("readv");
    *(void **) &t.preadv64 = next("preadv64");
    if (!getenv("PCR_THROTTLE_FOLDER") || !rate || !state || !(strtod(rate, NULL) > 0))
        stop("set PCR_THROTTLE_FOLDER, PCR_THROTTLE_RATE and PCR_THROTTLE_STATE");
    int fd = open(state, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(*t.free_at)))
        stop("no state file");
    void *p = mmap(NULL, sizeof(*t.free_at), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        stop("no shared memory");
    close(fd);
    t.free_at = p;
    t.folder = getenv("PCR_THROTTLE_FOLDER");
    t.rate = strtod(rate, NULL);
}

static int is_ours(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path));
    size_t length = strlen(t.folder);
    if (n < 0 || n == sizeof(path))
        return 0;
    path[n] = 0;
    return !strncmp(path, t.folder, length) && (!strncmp(path + length, "/datasets/", 10) ||
                                                !strncmp(path + length, "/source/", 8));
}

static int64_t now_ns(void)
{
    struct timespec s;
    clock_gettime(CLOCK_MONOTONIC, &s);
    return (int64_t) s.tv_sec * 1000000000 + s.tv_nsec;
}

/* Waits until the bytes would be there. */
static ssize_t deliver(int fd, ssize_t n)
{
    if (n <= 0 || !is_ours(fd))
        return n;
    int64_t now = now_ns(), before = atomic_load(t.free_at), after;
    do {
        after = before > now - SLACK_NS ? before : now - SLACK_NS;
        after += (int64_t) ((double) n / t.rate * 1e9);
    } while (!atomic_compare_exchange_weak(t.free_at, &before, after));
    if (after > now)
        nanosleep(
            &(struct timespec) { (after - now) / 1000000000, (after - now) % 1000000000 },
            NULL);
    return n;
}

ssize_t read(int fd, void *buf, size_t nbytes)
{
    pthread_once(&once, begin);
    return deliver(fd, t.read(fd, buf, nbytes));
}

ssize_t pread64(int fd, void *buf, size_t nbytes, off64_t offset)
{
    pthread_once(&once, begin);
    return deliver(fd, t.pread64(fd, buf, nbytes, offset));
}

ssize_t pread(int fd, void *buf, size_t nbytes, off_t offset)
{
    return pread64(fd, buf, nbytes, offset);
}

ssize_t readv(int fd, const struct iovec *v, int count)
{
    pthread_once(&once, begin);
    return deliver(fd, t.readv(fd, v, count));
}

ssize_t preadv64(int fd, const struct iovec *v, int count, off64_t offset)
{
    pthread_once(&once, begin);
    return deliver(fd, t.preadv64(fd, v, count, offset));
}

ssize_t preadv(int fd, const struct iovec *v, int count, off_t offset)
{
    return preadv64(fd, v, count, offset);
}
