/* SPDX-License-Identifier: BSD-2-Clause */
/* The backends that read through a ring if the kernel has io_uring: `uring` through the page
 * cache, and `direct` around it. Without a ring they read one piece at a time. */
#define _GNU_SOURCE /* O_DIRECT */
#include <fcntl.h>

#include "transfer.h"

static int open_with(const char *path, const struct pcri_io_backend *backend, int flags,
                     struct pcri_file **out, struct pcr_error *err)
{
    struct pcri_fd_file *f = NULL;
    int rc = pcri_fd_open(path, backend, &f, err);
    if (rc)
        return rc;
    /* Off goes O_NONBLOCK: some kernels answer EAGAIN to requests of such files. A file
     * system that refuses O_DIRECT is read through the page cache. */
    if (PCRI_UNINTERRUPTED(fcntl(f->fd, F_SETFL, O_RDONLY | flags)))
        flags = 0;
    f->align = flags ? PCRI_ALIGN_MAX : 1;
    (void) posix_fadvise(f->fd, 0, 0, POSIX_FADV_RANDOM);
    pcri_workspace_hold();
    *out = &f->base;
    return 0;
}

static int uring_open(const struct pcri_io_backend *self, const char *path,
                      struct pcri_file **out, struct pcr_error *err)
{
    return open_with(path, self, 0, out, err);
}

static int direct_open(const struct pcri_io_backend *self, const char *path,
                       struct pcri_file **out, struct pcr_error *err)
{
    return open_with(path, self, O_DIRECT, out, err);
}

static int queued_read(struct pcri_file *base, const struct pcri_range *ranges, size_t count,
                       struct pcr_error *err)
{
    struct pcri_fd_file *f = (struct pcri_fd_file *) base;
    struct pcri_pieces pieces = { .ranges = ranges, .count = count }, ahead = pieces;
    struct pcri_range piece;
    bool several = pcri_pieces_next(&ahead, &piece) && pcri_pieces_next(&ahead, &piece);
    if (f->align == 1 && (!several || pcri_uring_refused()))
        return pcri_io_pread.read(base, ranges, count, err);

    struct pcri_workspace *w = pcri_workspace_take(f->align > 1, err);
    if (!w)
        return PCR_ERR_NOMEM;
    int rc = several ? pcri_ring_read(f, &pieces, w, err) : 0;
    while (!rc && pcri_pieces_next(&pieces, &piece)) {
        struct pcri_transfer t;
        pcri_transfer_start(&t, f, &piece, w->bounce);
        rc = pcri_transfer_pread(f, &t, err);
    }
    pcri_workspace_give(w);
    return rc;
}

static void queued_close(struct pcri_file *f)
{
    pcri_fd_close(f);
    pcri_workspace_drop();
}

const struct pcri_io_backend pcri_io_uring = {
    .name = "uring",
    .open = uring_open,
    .read = queued_read,
    .close = queued_close,
    .identify = pcri_identify_path,
};

const struct pcri_io_backend pcri_io_direct = {
    .name = "direct",
    .open = direct_open,
    .read = queued_read,
    .close = queued_close,
    .identify = pcri_identify_path,
};
