/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening regular files, and reading one whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

static _Atomic(pcri_fd_release_fn *) release_fn;

void pcri_fd_on_shortage(pcri_fd_release_fn *release)
{
    atomic_store(&release_fn, release);
}

/* Is there a descriptor after all where opening has failed so? */
static bool is_released(int code)
{
    pcri_fd_release_fn *release = atomic_load(&release_fn);
    return (code == EMFILE || code == ENFILE) && release && release();
}

int pcri_open_regular(const char *path, int *fd_out, uint64_t *nbytes_out,
                      int64_t *changed_ns_out, struct pcr_error *err)
{
    /* O_NONBLOCK keeps a FIFO without a writer from blocking; regular files ignore it. */
    int fd, code = 0;
    do
        fd = PCRI_UNINTERRUPTED(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    while (fd < 0 && is_released(errno));
    if (fd < 0)
        return pcri_fail_sys(err, errno, "%s: cannot open", path);

    struct stat st;
    if (PCRI_UNINTERRUPTED(fstat(fd, &st)))
        code = pcri_fail_sys(err, errno, "%s: cannot stat", path);
    else if (!S_ISREG(st.st_mode))
        code = pcri_fail_sys(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
                             "%s: not a regular file", path);
    if (code) {
        close(fd);
        return code;
    }
    *fd_out = fd;
    *nbytes_out = (uint64_t) st.st_size;
    *changed_ns_out = (int64_t) st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return 0;
}

bool pcri_reads_nothing_before_end(int fd, uint64_t at)
{
    struct stat st;
    return !PCRI_UNINTERRUPTED(fstat(fd, &st)) && (uint64_t) st.st_size > at;
}

int pcri_read_to_end(int fd, uint64_t max_nbytes, struct pcr_buffer *out,
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
        ssize_t n = PCRI_UNINTERRUPTED(read(fd, out->data + out->nbytes,
                                            room > 1 << 30 ? 1 << 30 : room));
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

static int read_whole(const char *path, uint64_t max_nbytes, struct pcr_buffer *out,
                      struct pcr_error *err)
{
    int fd = -1;
    uint64_t nbytes = 0;
    int64_t changed_ns;
    int rc = pcri_open_regular(path, &fd, &nbytes, &changed_ns, err);
    if (rc)
        return rc;
    out->nbytes = 0;
    if (nbytes > max_nbytes || nbytes >= SIZE_MAX)
        rc = pcri_fail(err, PCR_ERR_LIMIT, "%s: %llu bytes, above the limit of %llu", path,
                       (unsigned long long) nbytes, (unsigned long long) max_nbytes);
    else
        rc = pcri_buffer_reserve(out, (size_t) nbytes + 1, err);
    if (!rc && (rc = pcri_read_to_end(fd, max_nbytes, out, err)))
        pcri_prefix(err, rc, "%s", path);
    close(fd);
    return rc;
}

int pcri_read_whole(const char *path, uint64_t max_nbytes, uint32_t retry_count,
                    struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_error e;
    uint32_t attempt = 0;
    int rc;
    do
        rc = read_whole(path, max_nbytes, out, &e);
    while (pcri_try_again(attempt++, retry_count, &rc, &e));
    if (rc && err)
        *err = e;
    return rc;
}
