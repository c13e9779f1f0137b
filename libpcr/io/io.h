/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading byte ranges of files: one backend per source file, all behind one table of
 * functions. A file is an open object of a storage. */
#ifndef PCRI_IO_H
#define PCRI_IO_H

#include "../base/base.h"

struct pcri_file;

/* A run of a file's bytes and where they go. */
struct pcri_range {
    uint64_t offset;
    void *dst;
    size_t nbytes;
};

struct pcr_storage_request;

/* A backend has either read or submit. Both are called through pcri_file_read(), which refuses
 * ranges beyond INT64_MAX. Thread-safe on one file. */
struct pcri_io_backend {
    const char *name;
    int (*open)(const struct pcri_io_backend *self, const char *path, struct pcri_file **out,
                struct pcr_error *err);
    /* Fills all ranges, or fails with the first one, in their order, that cannot be filled:
     * TRUNCATED if the file ends before, IO with errno otherwise. */
    int (*read)(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                struct pcr_error *err);
    /* Begins to fill a range, which is not empty and within the file's nbytes. Any thread
     * calls pcr_storage_complete() when the bytes are there or the read has failed. A read
     * begins all its ranges, then waits for them (request.c). */
    void (*submit)(struct pcri_file *f, const struct pcri_range *range,
                   struct pcr_storage_request *request);
    /* Asks for a request to be completed soon, if it is not yet. NULL: that cannot be. */
    void (*cancel)(struct pcri_file *f, struct pcr_storage_request *request);
    void (*close)(struct pcri_file *f);
    /* A number for this version of this object, by which caches name what they keep of it;
     * false if there is none. */
    bool (*identify)(const struct pcri_file *f, uint64_t *out);
    /* Drops cached bytes of the ranges, and reads the ranges from storage. NULL in backends
     * that keep nothing. */
    int (*read_again)(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                      struct pcr_error *err);
};

struct pcri_file {
    const struct pcri_io_backend *backend;
    uint64_t nbytes;  /* size when it was opened */
    uint64_t version; /* differs after it was replaced: the time of its last change at
                       * opening */
    char *path;       /* the object's name, for messages too */
};

extern const struct pcri_io_backend pcri_io_pread, pcri_io_mmap, pcri_io_uring, pcri_io_direct;

/* Why io_uring cannot be used in this process; NULL if it can. Static storage; found out at
 * the first call. (uring.c, or no_uring.c in a build without liburing) */
const char *pcri_uring_refused(void);

/* Backends by enum pcr_io_backend; NULL if unknown. */
const struct pcri_io_backend *pcri_io_find(uint32_t id);

/* The NULL-ended list of all backends. */
extern const struct pcri_io_backend *const pcri_io_backends[];

static inline int pcri_file_open(const struct pcri_io_backend *b, const char *path,
                                 struct pcri_file **out, struct pcr_error *err)
{
    return b->open(b, path, out, err);
}

/* Reads several ranges of a file at once, so that storage can work on all of them. */
int pcri_file_read(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                   struct pcr_error *err);

static inline int pcri_file_read_at(struct pcri_file *f, uint64_t offset, void *dst,
                                    size_t nbytes, struct pcr_error *err)
{
    const struct pcri_range range = { offset, dst, nbytes };
    return pcri_file_read(f, &range, 1, err);
}

/* Whether what was read may have come from a cache, so that wrong bytes may be right in
 * storage. */
static inline bool pcri_file_is_cached(const struct pcri_file *f)
{
    return f->backend->read_again != NULL;
}

/* Reads from storage what came from a cache and was wrong, and makes the cache drop it. */
int pcri_file_read_again(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                         struct pcr_error *err);

static inline bool pcri_file_identify(const struct pcri_file *f, uint64_t *out)
{
    return f->backend->identify(f, out);
}

static inline void pcri_file_close(struct pcri_file **f)
{
    if (f && *f)
        (*f)->backend->close(*f);
    if (f)
        *f = NULL;
}

/* Reads ranges within the file by its backend's submit (request.c). */
int pcri_read_by_requests(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                          struct pcr_error *err);

/* Shared by the backends. open_regular: IO for anything but a regular file. identify_path: by
 * the path without symbolic links, size and version. fail_past_end: TRUNCATED, naming the
 * file. All messages of these functions and of backends name the path. */
int pcri_open_regular(const char *path, int *fd_out, uint64_t *nbytes_out,
                      uint64_t *version_out, struct pcr_error *err);
bool pcri_identify_path(const struct pcri_file *f, uint64_t *out);
/* Makes open_regular call `release` when there are no descriptors left, and try again if that
 * frees one. NULL: no longer. */
typedef bool pcri_fd_release_fn(void);
void pcri_fd_on_shortage(pcri_fd_release_fn *release);
int pcri_fail_past_end(const struct pcri_file *f, uint64_t offset, size_t nbytes,
                       uint64_t file_nbytes, struct pcr_error *err);

/* Reads a whole regular file of at most max_nbytes (LIMIT beyond), which may grow or shrink
 * meanwhile. `out` is replaced. The message does not name the file. */
int pcri_read_regular(const char *path, uint64_t max_nbytes, struct pcr_buffer *out,
                      struct pcr_error *err);
/* The same for `nbytes` of it from `offset` on. TRUNCATED if it ends before. */
int pcri_read_part(const char *path, uint64_t offset, uint64_t nbytes, uint64_t max_nbytes,
                   struct pcr_buffer *out, struct pcr_error *err);
/* Its first bytes: as many as there are, up to `room`. Tries again after what may pass. */
int pcri_read_beginning(const char *path, void *out, size_t room, size_t *nbytes,
                        struct pcr_error *err);
/* Reads or writes as much of nbytes as possible, and returns how much that was. If it is not
 * everything, errno says why (0: the end of the file). */
size_t pcri_transfer_all(int fd, void *p, size_t nbytes, uint64_t offset, bool write);
/* Whether a read at byte `at` that returned nothing is an error of the storage, because the
 * file continues. */
bool pcri_reads_nothing_before_end(int fd, uint64_t at);

#endif
