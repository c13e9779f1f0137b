/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading one source file whole. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entries.h"

/* Reads till the end of the file: it may be longer or shorter than fstat() said. */
static int read_all(int fd, uint64_t max_nbytes, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    for (;;) {
        if (out->nbytes == out->capacity) {
            int rc = pcri_buffer_reserve(out, out->capacity + 65536, err);
            if (rc)
                return rc;
        }
        ssize_t n = read(fd, out->data + out->nbytes, out->capacity - out->nbytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return pcri_fail_sys(err, errno, "cannot read");
        if (n == 0)
            return 0;
        out->nbytes += (size_t) n;
        if (out->nbytes > max_nbytes)
            return pcri_fail(err, PCR_ERR_LIMIT, "more than %llu bytes, the limit",
                             (unsigned long long) max_nbytes);
    }
}

static int read_regular(int fd, uint64_t max_nbytes, struct pcr_buffer *out,
                        struct pcr_error *err)
{
    struct stat st;
    if (fstat(fd, &st))
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
    return rc ? rc : read_all(fd, max_nbytes, out, err);
}

int pcri_load_file(const char *path, uint64_t max_nbytes, struct pcr_buffer *out,
                   struct pcr_error *err)
{
    out->nbytes = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return pcri_fail_sys(err, errno, "cannot open");
    int rc = read_regular(fd, max_nbytes, out, err);
    close(fd);
    return rc;
}
