/* SPDX-License-Identifier: BSD-2-Clause */
/* The mmap backend: for local files that nobody changes. */
#define _DEFAULT_SOURCE /* madvise */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transfer.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14; older kernels answer EINVAL */
#endif

static void mmap_close(struct pcri_file *base)
{
    struct pcri_fd_file *f = (struct pcri_fd_file *) base;
    if (f->map)
        munmap(f->map, (size_t) base->nbytes);
    pcri_fd_close(base);
}

static int map_file(struct pcri_fd_file *f, struct pcr_error *err)
{
    uint64_t nbytes = f->base.nbytes;
    if (!nbytes)
        return 0;
    if (nbytes > SIZE_MAX)
        return pcri_fail(err, PCR_ERR_NOMEM, "%s: too large to map", f->base.path);
    void *map = mmap(NULL, (size_t) nbytes, PROT_READ, MAP_SHARED, f->fd, 0);
    if (map == MAP_FAILED)
        return pcri_fail_sys(err, errno, "%s: cannot map", f->base.path);
    f->map = map;
    /* Against readahead around each fault. Advice: the bytes are right without it. */
    (void) madvise(map, (size_t) nbytes, MADV_RANDOM);
    return 0;
}

static int mmap_open(const struct pcri_io_backend *self, const char *path,
                     struct pcri_file **out, struct pcr_error *err)
{
    struct pcri_fd_file *f = NULL;
    int rc = pcri_fd_open(path, self, &f, err);
    if (rc)
        return rc;
    if ((rc = map_file(f, err)))
        mmap_close(&f->base);
    else
        *out = &f->base;
    return rc;
}

/* Brings just the pages of a range into memory, so that a bad sector is an error here and
 * not a SIGBUS in memcpy(). A kernel that cannot do so leaves it to the page faults. */
static int populate(struct pcri_fd_file *f, uint64_t offset, size_t nbytes,
                    struct pcr_error *err)
{
    uint64_t page = (uint64_t) sysconf(_SC_PAGESIZE);
    uint64_t begin = offset / page * page;
    uint8_t *p = f->map + begin;
    size_t len = (size_t) (offset - begin) + nbytes;

    /* One large read in place of a read for each page; again only advice. */
    (void) madvise(p, len, MADV_WILLNEED);
    if (!PCRI_UNINTERRUPTED(madvise(p, len, MADV_POPULATE_READ)) || errno == EINVAL)
        return 0;
    int sys = errno == EFAULT ? EIO : errno; /* EFAULT: the fault would be a SIGBUS */
    return pcri_fail_sys(err, sys, "%s@%llu: cannot read %zu bytes", f->base.path,
                         (unsigned long long) offset, nbytes);
}

static int mmap_read(struct pcri_file *base, const struct pcri_range *ranges, size_t count,
                     struct pcr_error *err)
{
    struct pcri_fd_file *f = (struct pcri_fd_file *) base;
    struct stat st;
    /* Pages beyond the end of a file that has shrunk raise SIGBUS. */
    if (PCRI_UNINTERRUPTED(fstat(f->fd, &st)))
        return pcri_fail_sys(err, errno, "%s: cannot stat", base->path);
    uint64_t size = (uint64_t) st.st_size < base->nbytes ? (uint64_t) st.st_size
                                                         : base->nbytes;
    for (size_t i = 0; i < count; i++) {
        const struct pcri_range *r = &ranges[i];
        if (!r->nbytes)
            continue;
        if (r->offset > size || r->nbytes > size - r->offset)
            return pcri_fail_past_end(base, r->offset, r->nbytes, size, err);
        int rc = populate(f, r->offset, r->nbytes, err);
        if (rc)
            return rc;
        memcpy(r->dst, f->map + r->offset, r->nbytes);
    }
    return 0;
}

const struct pcri_io_backend pcri_io_mmap = {
    .name = "mmap",
    .open = mmap_open,
    .read = mmap_read,
    .close = mmap_close,
    .identify = pcri_identify_path,
};
