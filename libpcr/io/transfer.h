/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading by file descriptor, in pieces: shared by the backends pread, io_uring and direct.
 *
 * A large read is cut into pieces, and several are under way at a time: by readahead (pread),
 * or as requests of a ring. One piece is a transfer. It goes straight to where its bytes
 * belong or, if the file needs aligned reads, into aligned memory that holds the blocks around
 * it, and is copied from there. Transfers continue after short reads. */
#ifndef PCRI_TRANSFER_H
#define PCRI_TRANSFER_H

#include <pthread.h>

#include "io.h"

enum {
    PCRI_PIECE_NBYTES = 512 << 10, /* pieces end at multiples of this in the file */
    PCRI_DEPTH = 8,                /* pieces under way */
    PCRI_ALIGN_MAX = 4096,
};

struct pcri_fd_file {
    struct pcri_file base;
    int fd;
    uint32_t align; /* of offsets, sizes and memory: 1, or for O_DIRECT PCRI_ALIGN_MAX */
    uint8_t *map;   /* the whole file, mapped by mmap.c; NULL: not mapped, or empty */
};

/* Opens a regular file for one of these backends; each backend has its own close. */
int pcri_fd_open(const char *path, const struct pcri_io_backend *backend,
                 struct pcri_fd_file **out, struct pcr_error *err);
void pcri_fd_close(struct pcri_file *f);

/* --- pieces of ranges, in order --- */
struct pcri_pieces {
    const struct pcri_range *ranges;
    size_t count, index; /* number of ranges; the current one */
    size_t done;         /* bytes of it */
};

/* Cuts off the next piece; false after the last. Never an empty one. */
bool pcri_pieces_next(struct pcri_pieces *p, struct pcri_range *piece_out);

/* --- one transfer --- */
struct pcri_transfer {
    struct pcri_range piece;
    uint8_t *memory; /* piece.dst, or aligned memory */
    uint64_t begin;  /* offset in the file of memory[0] */
    size_t nbytes;   /* to read */
    size_t have;     /* of these, already read */
    uint32_t align;
};

/* bounce: memory of PCRI_BOUNCE_NBYTES for a file that needs aligned reads, else unused. */
enum { PCRI_BOUNCE_NBYTES = PCRI_PIECE_NBYTES + 2 * PCRI_ALIGN_MAX };
void pcri_transfer_start(struct pcri_transfer *t, const struct pcri_fd_file *f,
                         const struct pcri_range *piece, uint8_t *bounce);

/* What to read next: memory + *at for *nbytes from begin + *at in the file. */
void pcri_transfer_rest(const struct pcri_transfer *t, size_t *at_out, size_t *nbytes_out);

/* Records that the last read returned n bytes. False if that brings nothing new: the file has
 * ended. */
bool pcri_transfer_take(struct pcri_transfer *t, size_t n);

/* Whether the piece is complete; if it is, it is in its place. */
bool pcri_transfer_done(const struct pcri_transfer *t);

/* Reads what is left of the transfer by pread(). */
int pcri_transfer_pread(struct pcri_fd_file *f, struct pcri_transfer *t,
                        struct pcr_error *err);

/* --- memory for a read (workspace.c): taken from a pool that lives while files are open --- */
struct io_uring;
struct pcri_workspace {
    struct pcri_workspace *next;
    struct io_uring *ring; /* NULL before its first use; uring.c */
    int64_t ring_process;  /* process that made it; a ring does not work in a child */
    uint8_t *bounce;       /* PCRI_DEPTH times PCRI_BOUNCE_NBYTES; NULL before its first use */
};

/* For each open file that may take workspaces. */
void pcri_workspace_hold(void);
void pcri_workspace_drop(void);
/* NULL only for lack of memory. aligned: with bounce memory. */
struct pcri_workspace *pcri_workspace_take(bool aligned, struct pcr_error *err);
void pcri_workspace_give(struct pcri_workspace *w);
/* Calls act on the pool's lock. */
void pcri_workspace_lock(int (*act)(pthread_mutex_t *));

/* Destroys a workspace's ring, if it has one. */
void pcri_ring_destroy(struct pcri_workspace *w);

/* Reads the pieces through a ring as far as possible. What it cannot read (some kernel limit,
 * or io_uring is blocked) stays in *pieces. */
int pcri_ring_read(struct pcri_fd_file *f, struct pcri_pieces *pieces,
                   struct pcri_workspace *w, struct pcr_error *err);

#endif
