/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading one source file whole. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libpcr/io/io.h"
#include "entries.h"

bool pcri_is_unreachable(int sys_errno)
{
    return sys_errno == ENOENT || sys_errno == ENOTDIR || sys_errno == EACCES ||
           sys_errno == ELOOP || sys_errno == ENAMETOOLONG;
}

static int read_regular(int fd, uint64_t max_nbytes, struct pcr_buffer *out,
                        struct pcr_error *err)
{
    struct stat st;
    if (PCRI_UNINTERRUPTED(fstat(fd, &st)))
        return pcri_fail_sys(err, errno, "cannot read its size");
    if (!S_ISREG(st.st_mode))
        return pcri_fail(err, PCR_ERR_FORMAT, "not a regular file");
    if ((uint64_t) st.st_size > max_nbytes || (uint64_t) st.st_size >= SIZE_MAX)
        return pcri_fail(err, PCR_ERR_LIMIT, "%llu bytes, the limit is %llu",
                         (unsigned long long) st.st_size,
                         (unsigned long long) max_nbytes);
    /* A hint alone: it need not work. */
    (void) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    /* One byte more, so that the read that finds the end needs no growth. */
    int rc = pcri_buffer_reserve(out, (size_t) st.st_size + 1, err);
    return rc ? rc : pcri_read_to_end(fd, max_nbytes, out, err);
}

static int load(const char *path, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err)
{
    out->nbytes = 0;
    int fd = PCRI_UNINTERRUPTED(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (fd < 0)
        return pcri_fail_sys(err, errno, "cannot open");
    int rc = read_regular(fd, max_nbytes, out, err);
    close(fd);
    return rc;
}

int pcri_load_file(const char *path, uint64_t max_nbytes, uint32_t retry_count,
                   struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_error e;
    uint32_t attempt = 0;
    int rc;
    do
        rc = load(path, max_nbytes, out, &e);
    while (pcri_try_again(attempt++, retry_count, &rc, &e));
    if (rc && err)
        *err = e;
    return rc;
}
