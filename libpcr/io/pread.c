/* SPDX-License-Identifier: BSD-2-Clause */
/* The pread backend: reads just the bytes that are asked for. */
#include <fcntl.h>

#include "transfer.h"

static int pread_open(const struct pcri_io_backend *self, const char *path,
                      struct pcri_file **out, struct pcr_error *err)
{
    struct pcri_fd_file *f = NULL;
    int rc = pcri_fd_open(path, self, &f, err);
    if (rc)
        return rc;
    /* Without it the kernel reads ahead: up to 400 times the bytes of a short prefix. It is
     * advice; a file system that ignores it still returns the right bytes. */
    (void) posix_fadvise(f->fd, 0, 0, POSIX_FADV_RANDOM);
    *out = &f->base;
    return 0;
}

/* Makes the kernel begin to read a piece, and does not wait for it. Advice too. */
static void begin(const struct pcri_fd_file *f, const struct pcri_range *piece)
{
    (void) posix_fadvise(f->fd, (off_t) piece->offset, (off_t) piece->nbytes,
                         POSIX_FADV_WILLNEED);
}

static int pread_read(struct pcri_file *base, const struct pcri_range *ranges, size_t count,
                      struct pcr_error *err)
{
    struct pcri_fd_file *f = (struct pcri_fd_file *) base;
    struct pcri_pieces now = { .ranges = ranges, .count = count }, ahead = now;
    struct pcri_range piece, next;
    int rc = 0;

    /* After POSIX_FADV_RANDOM nothing is read before it is asked for, so storage would idle
     * while bytes are copied. A single piece needs no such help. */
    if (pcri_pieces_next(&ahead, &piece) && pcri_pieces_next(&ahead, &next)) {
        begin(f, &piece);
        begin(f, &next);
        for (int i = 2; i < PCRI_DEPTH && pcri_pieces_next(&ahead, &next); i++)
            begin(f, &next);
    }
    while (!rc && pcri_pieces_next(&now, &piece)) {
        struct pcri_transfer t;
        pcri_transfer_start(&t, f, &piece, NULL);
        rc = pcri_transfer_pread(f, &t, err);
        if (!rc && pcri_pieces_next(&ahead, &next))
            begin(f, &next);
    }
    return rc;
}

const struct pcri_io_backend pcri_io_pread = {
    .name = "pread",
    .open = pread_open,
    .read = pread_read,
    .close = pcri_fd_close,
    .identify = pcri_identify_path,
};
