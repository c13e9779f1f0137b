/* SPDX-License-Identifier: BSD-2-Clause */
/* The pread backend: reads just the bytes that are asked for. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "io.h"

struct pread_file {
    struct pcri_file base;
    int fd;
};

static void pread_close(struct pcri_file *base)
{
    struct pread_file *f = (struct pread_file *) base;
    close(f->fd);
    free(base->path);
    free(f);
}

static int pread_open(const char *path, struct pcri_file **out, struct pcr_error *err)
{
    struct pread_file *f = pcri_calloc(1, sizeof(*f), err);
    if (!f)
        return PCR_ERR_NOMEM;
    f->base.backend = &pcri_io_pread;
    int rc = pcri_open_regular(path, &f->fd, &f->base.nbytes, err);
    if (rc) {
        free(f);
        return rc;
    }
    /* Without it the kernel reads ahead: up to 400 times the bytes of a short prefix. It is
     * advice, and a file system that does not take it still gives the right bytes. */
    (void) posix_fadvise(f->fd, 0, 0, POSIX_FADV_RANDOM);
    f->base.path = pcri_strndup(path, strlen(path), err);
    if (!f->base.path) {
        pread_close(&f->base);
        return PCR_ERR_NOMEM;
    }
    *out = &f->base;
    return 0;
}

static int pread_read_at(struct pcri_file *base, uint64_t offset, void *dst, size_t nbytes,
                         struct pcr_error *err)
{
    struct pread_file *f = (struct pread_file *) base;
    uint8_t *p = dst;
    uint64_t end;
    if (__builtin_add_overflow(offset, nbytes, &end) || end > INT64_MAX)
        return pcri_fail_past_end(base, offset, nbytes, base->nbytes, err);

    while (nbytes) {
        size_t want = nbytes > 1 << 30 ? 1 << 30 : nbytes;
        ssize_t n = pread(f->fd, p, want, (off_t) offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return pcri_fail_sys(err, errno, "%s@%llu: cannot read %zu bytes", base->path,
                                 (unsigned long long) offset, want);
        if (!n)
            return pcri_fail_past_end(base, offset, nbytes, offset, err);
        p += n;
        offset += (uint64_t) n;
        nbytes -= (size_t) n;
    }
    return 0;
}

const struct pcri_io_backend pcri_io_pread = {
    .name = "pread",
    .open = pread_open,
    .read_at = pread_read_at,
    .close = pread_close,
};
