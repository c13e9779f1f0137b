/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening regular files by their paths, and reading one whole. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

static _Atomic(pcri_fd_release_fn *) release_fn;

void pcri_fd_on_shortage(pcri_fd_release_fn *release)
{
    atomic_store(&release_fn, release);
}

/* Whether there is a descriptor after all, after opening failed in this way. */
static bool is_released(int code)
{
    pcri_fd_release_fn *release = atomic_load(&release_fn);
    return (code == EMFILE || code == ENFILE) && release && release();
}

/* Opens what may be a regular file. The messages do not name it. */
static int open_for_reading(const char *path, int *fd_out, struct stat *st,
                            struct pcr_error *err)
{
    /* O_NONBLOCK keeps a FIFO without a writer from blocking; regular files ignore it. */
    int fd;
    do
        fd = PCRI_UNINTERRUPTED(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    while (fd < 0 && is_released(errno));
    if (fd < 0)
        return pcri_fail_sys(err, errno, "cannot open");
    if (PCRI_UNINTERRUPTED(fstat(fd, st))) {
        int rc = pcri_fail_sys(err, errno, "cannot stat");
        close(fd);
        return rc;
    }
    *fd_out = fd;
    return 0;
}

int pcri_open_regular(const char *path, int *fd_out, uint64_t *nbytes_out,
                      uint64_t *version_out, struct pcr_error *err)
{
    struct stat st;
    int rc = open_for_reading(path, fd_out, &st, err);
    if (!rc && !S_ISREG(st.st_mode)) {
        close(*fd_out);
        rc = pcri_fail_sys(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, "not a regular file");
    }
    if (rc)
        return pcri_prefix(err, rc, "%s", path);
    *nbytes_out = (uint64_t) st.st_size;
    *version_out = (uint64_t) st.st_mtim.tv_sec * 1000000000 + (uint64_t) st.st_mtim.tv_nsec;
    return 0;
}

size_t pcri_transfer_all(int fd, void *p, size_t nbytes, uint64_t offset, bool write)
{
    size_t done = 0;
    while (done < nbytes) {
        uint8_t *at = (uint8_t *) p + done;
        off_t from = (off_t) (offset + done);
        ssize_t n = write ? PCRI_UNINTERRUPTED(pwrite(fd, at, nbytes - done, from))
                          : PCRI_UNINTERRUPTED(pread(fd, at, nbytes - done, from));
        if (!n)
            errno = 0;
        if (n <= 0)
            break;
        done += (size_t) n;
    }
    return done;
}

bool pcri_reads_nothing_before_end(int fd, uint64_t at)
{
    struct stat st;
    return !PCRI_UNINTERRUPTED(fstat(fd, &st)) && (uint64_t) st.st_size > at;
}

/* Size and time are those of the open file; by now another may be at its path. */
bool pcri_identify_path(const struct pcri_file *f, uint64_t *out)
{
    char *real = realpath(f->path, NULL);
    if (!real)
        return false;
    const uint64_t parts[] = { pcri_xxh3(real, strlen(real)), f->nbytes, f->version };
    *out = pcri_xxh3(parts, sizeof(parts));
    free(real);
    return true;
}

static int read_to_end(int fd, uint64_t max_nbytes, struct pcr_buffer *out,
                       struct pcr_error *err)
{
    for (;;) {
        size_t room = out->capacity - out->nbytes;
        if (!room) {
            int rc = pcri_buffer_reserve(out, out->capacity + 4096, err);
            if (rc)
                return rc;
            continue;
        }
        ssize_t n = PCRI_UNINTERRUPTED(
            read(fd, out->data + out->nbytes, room > 1 << 30 ? 1 << 30 : room));
        if (n < 0)
            return pcri_fail_sys(err, errno, "cannot read");
        if (!n && pcri_reads_nothing_before_end(fd, out->nbytes))
            return pcri_fail_sys(err, EIO, "cannot read on at byte %zu", out->nbytes);
        if (!n)
            return 0;
        out->nbytes += (size_t) n;
        if (out->nbytes > max_nbytes)
            return pcri_fail(err, PCR_ERR_LIMIT, "more than %llu bytes, the limit",
                             (unsigned long long) max_nbytes);
    }
}

static int read_whole(int fd, uint64_t nbytes, uint64_t max_nbytes, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    enum { READAHEAD = 128 << 10 }; /* the kernel's own, which suffices for what is smaller */
    if (nbytes > max_nbytes || nbytes >= SIZE_MAX)
        return pcri_fail(err, PCR_ERR_LIMIT, "%llu bytes, the limit is %llu",
                         (unsigned long long) nbytes, (unsigned long long) max_nbytes);
    if (nbytes > READAHEAD) /* only a hint: it need not work */
        (void) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    /* One byte more, so that the read that finds the end needs no growth. */
    int rc = pcri_buffer_reserve(out, (size_t) nbytes + 1, err);
    return rc ? rc : read_to_end(fd, max_nbytes, out, err);
}

int pcri_read_regular(const char *path, uint64_t max_nbytes, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    int fd = -1;
    struct stat st;
    out->nbytes = 0;
    int rc = open_for_reading(path, &fd, &st, err);
    if (rc)
        return rc;
    rc = S_ISREG(st.st_mode) ? read_whole(fd, (uint64_t) st.st_size, max_nbytes, out, err)
                             : pcri_fail(err, PCR_ERR_FORMAT, "not a regular file");
    close(fd);
    return rc;
}

static int read_part(int fd, uint64_t offset, size_t nbytes, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    int rc = pcri_buffer_reserve(out, nbytes ? nbytes : 1, err);
    if (rc)
        return rc;
    out->nbytes = pcri_transfer_all(fd, out->data, nbytes, offset, false);
    if (out->nbytes == nbytes)
        return 0;
    uint64_t end = offset + out->nbytes;
    if (!errno && pcri_reads_nothing_before_end(fd, end))
        errno = EIO;
    if (errno)
        return pcri_fail_sys(err, errno, "cannot read at byte %llu", (unsigned long long) end);
    return pcri_fail(err, PCR_ERR_TRUNCATED, "ends at byte %llu, before the sample does",
                     (unsigned long long) end);
}

int pcri_read_part(const char *path, uint64_t offset, uint64_t nbytes, uint64_t max_nbytes,
                   struct pcr_buffer *out, struct pcr_error *err)
{
    int fd = -1;
    struct stat st;
    out->nbytes = 0;
    if (nbytes > max_nbytes || nbytes >= SIZE_MAX)
        return pcri_fail(err, PCR_ERR_LIMIT, "%llu bytes, the limit is %llu",
                         (unsigned long long) nbytes, (unsigned long long) max_nbytes);
    int rc = open_for_reading(path, &fd, &st, err);
    if (rc)
        return rc;
    rc = S_ISREG(st.st_mode) ? read_part(fd, offset, (size_t) nbytes, out, err)
                             : pcri_fail(err, PCR_ERR_FORMAT, "not a regular file");
    close(fd);
    return rc;
}

static int read_beginning(const char *path, void *out, size_t room, size_t *nbytes,
                          struct pcr_error *err)
{
    int fd = -1;
    struct stat st;
    int rc = open_for_reading(path, &fd, &st, err);
    if (rc)
        return rc;
    *nbytes = pcri_transfer_all(fd, out, room, 0, false);
    if (*nbytes < room && !errno && pcri_reads_nothing_before_end(fd, *nbytes))
        errno = EIO;
    if (*nbytes < room && errno)
        rc = pcri_fail_sys(err, errno, "cannot read");
    close(fd);
    return rc;
}

int pcri_read_beginning(const char *path, void *out, size_t room, size_t *nbytes,
                        struct pcr_error *err)
{
    struct pcr_error e;
    uint32_t attempt = 0;
    int rc;
    do
        rc = read_beginning(path, out, room, nbytes, &e);
    while (pcri_try_again(attempt++, PCRI_TRIES_AGAIN, &rc, &e));
    return pcri_hand_on(err, rc, &e);
}
