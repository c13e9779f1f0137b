/* SPDX-License-Identifier: BSD-2-Clause */
/* Files by descriptor, pieces of ranges, and the transfer of one piece. */
#define _GNU_SOURCE /* O_DIRECT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transfer.h"

int pcri_fd_open(const char *path, const struct pcri_io_backend *backend,
                 struct pcri_fd_file **out, struct pcr_error *err)
{
    struct pcri_fd_file *f = pcri_calloc(1, sizeof(*f), err);
    if (!f)
        return PCR_ERR_NOMEM;
    f->base.backend = backend;
    f->align = 1;
    int rc = pcri_open_regular(path, &f->fd, &f->base.nbytes, &f->base.version, err);
    if (rc) {
        free(f);
        return rc;
    }
    f->base.path = pcri_strndup(path, strlen(path), err);
    if (!f->base.path) {
        pcri_fd_close(&f->base);
        return PCR_ERR_NOMEM;
    }
    *out = f;
    return 0;
}

void pcri_fd_close(struct pcri_file *base)
{
    struct pcri_fd_file *f = (struct pcri_fd_file *) base;
    close(f->fd);
    free(base->path);
    free(f);
}

bool pcri_pieces_next(struct pcri_pieces *p, struct pcri_range *piece_out)
{
    while (p->index < p->count && p->done == p->ranges[p->index].nbytes) {
        p->index++;
        p->done = 0;
    }
    if (p->index == p->count)
        return false;
    const struct pcri_range *r = &p->ranges[p->index];
    uint64_t offset = r->offset + p->done;
    size_t nbytes = PCRI_PIECE_NBYTES - (size_t) (offset % PCRI_PIECE_NBYTES);
    if (nbytes > r->nbytes - p->done)
        nbytes = r->nbytes - p->done;
    *piece_out = (struct pcri_range) { offset, (uint8_t *) r->dst + p->done, nbytes };
    p->done += nbytes;
    return true;
}

void pcri_transfer_start(struct pcri_transfer *t, const struct pcri_fd_file *f,
                         const struct pcri_range *piece, uint8_t *bounce)
{
    uint64_t align = f->align;
    uint64_t end = (piece->offset + piece->nbytes + align - 1) / align * align;
    *t = (struct pcri_transfer) { .piece = *piece, .align = f->align };
    t->begin = piece->offset / align * align;
    t->memory = align > 1 ? bounce : piece->dst;
    t->nbytes = (size_t) (end - t->begin);
}

void pcri_transfer_rest(const struct pcri_transfer *t, size_t *at_out, size_t *nbytes_out)
{
    *at_out = t->have / t->align * t->align;
    *nbytes_out = t->nbytes - *at_out;
}

bool pcri_transfer_take(struct pcri_transfer *t, size_t n)
{
    size_t have = t->have / t->align * t->align + n;
    bool more = have > t->have;
    if (more)
        t->have = have;
    return more;
}

bool pcri_transfer_done(const struct pcri_transfer *t)
{
    size_t before = (size_t) (t->piece.offset - t->begin);
    if (t->have < before || t->have - before < t->piece.nbytes)
        return false;
    if (t->memory != t->piece.dst)
        memcpy(t->piece.dst, t->memory + before, t->piece.nbytes);
    return true;
}

/* Fails for what is not there yet of the piece; sys_errno 0: the file has ended. */
static int fail(const struct pcri_fd_file *f, const struct pcri_transfer *t, int sys_errno,
                struct pcr_error *err)
{
    uint64_t offset = t->begin + t->have;
    struct stat st;
    if (!sys_errno && pcri_reads_nothing_before_end(f->fd, offset))
        sys_errno = EIO;
    if (offset < t->piece.offset)
        offset = t->piece.offset;
    size_t nbytes = t->piece.nbytes - (size_t) (offset - t->piece.offset);
    if (sys_errno)
        return pcri_fail_sys(err, sys_errno, "%s@%llu: cannot read %zu bytes", f->base.path,
                             (unsigned long long) offset, nbytes);
    uint64_t end = PCRI_UNINTERRUPTED(fstat(f->fd, &st)) ? offset : (uint64_t) st.st_size;
    return pcri_fail_past_end(&f->base, offset, nbytes, end < offset ? end : offset, err);
}

int pcri_transfer_pread(struct pcri_fd_file *f, struct pcri_transfer *t, struct pcr_error *err)
{
    bool direct = t->align > 1;
    while (!pcri_transfer_done(t)) {
        size_t at, nbytes;
        pcri_transfer_rest(t, &at, &nbytes);
        ssize_t n = PCRI_UNINTERRUPTED(
            pread(f->fd, t->memory + at, nbytes, (off_t) (t->begin + at)));
        if (n < 0 && errno == EINVAL && direct) {
            /* A file system that takes the flag but not such reads: from now on without.
             * Other threads may be reading; it is right for them too. */
            direct = false;
            if (!PCRI_UNINTERRUPTED(fcntl(f->fd, F_SETFL, O_RDONLY)))
                continue;
        }
        if (n < 0)
            return fail(f, t, errno, err);
        if (!pcri_transfer_take(t, (size_t) n))
            return fail(f, t, 0, err);
    }
    return 0;
}
