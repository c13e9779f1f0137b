/* SPDX-License-Identifier: BSD-2-Clause */
/* A storage of the program's own: objects in memory, in an archive, behind a network protocol.
 * A dataset is read from it as from files: with cache, retries, loaders and verification; and
 * written to it by pcr_dataset_write().
 *
 * Objects are runs of bytes with names. A dataset `photos.pcr` is the objects
 * `photos.pcr/manifest.json` and `photos.pcr/train-00000.pcr` and so on; the part before the
 * last slash is what is given as the path when the dataset is opened, and may be "". Names are
 * any bytes but NUL, with "/" between their parts; there are no folders beyond that.
 *
 * The program fills a struct pcr_storage with callbacks and points to it in struct
 * pcr_dataset_options or pcr_write_options. What every callback keeps to:
 *
 * Threads. Any callback may be called from any thread, from several at a time, and while others
 * are under way, also on one object. libpcr holds no lock meanwhile. No callback may call a
 * function on the dataset that calls it.
 *
 * Errors. A callback that fails returns a negative enum pcr_code and fills *err, which is
 * zeroed before (never NULL): sys_errno, if an errno says what happened; message, without the
 * object's name, which is put before it; detail, a number of the program's own that comes back in
 * the error that the caller gets. libpcr fills in code and offset, and a message where there is
 * none. What a failure means is told so:
 *   - nothing has this name: PCR_ERR_IO with sys_errno ENOENT;
 *   - it may succeed if it is tried again (a busy server, a lost connection): PCR_ERR_IO with
 *     PCR_ERROR_MAY_PASS in flags. Where flags is 0, sys_errno decides: EIO, EAGAIN, ETIMEDOUT,
 *     ECONNRESET and their like may pass; PCR_ERROR_LASTS says that they do not. libpcr waits and
 *     calls the callback again, up to retry_count times (struct pcr_dataset_options);
 *   - the open object is of no use any more (an expired link): PCR_ERROR_MAY_PASS |
 *     PCR_ERROR_STALE. The object is then opened again, and read from if its size and version
 *     are what they were;
 *   - anything else that the storage refuses: PCR_ERR_IO;
 *   - no memory: PCR_ERR_NOMEM.
 * PCR_ERR_CORRUPT is not a storage's to tell: checksums of the dataset find wrong bytes.
 *
 * Fork. A forked child has none of the storage's threads. It can read on if reads are completed
 * by the thread that asks for them, else it opens the dataset anew. */
#ifndef PCR_STORAGE_H
#define PCR_STORAGE_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What open() tells of an object. */
struct pcr_object_info {
    uint32_t size;     /* sizeof(struct pcr_object_info) as libpcr knows it */
    uint32_t reserved; /* 0 */
    uint64_t nbytes;   /* the object's size */
    uint64_t
        version; /* differs when the object was replaced: the time of its last change, a hash
                        * of its ETag; 0 where objects never change */
};

/* One read that is under way; see pcr_storage_complete(). */
struct pcr_storage_request;

struct pcr_storage {
    uint32_t size;  /* sizeof(struct pcr_storage): says which members there are (base.h) */
    uint32_t flags; /* 0 */

    /* The program's data, given to each callback. It must live until the dataset is closed. */
    void *context;

    /* Tells this storage from all others, for the names of entries in a cache folder:
     * "s3://bucket", an archive's path and time of change. NULL: a cache is in memory only. */
    const char *identity;

    /* Opens an object for reading; *object_out is given to read() and close(), and *info_out is
     * filled. Called for the manifest when the dataset is opened, then for each record when it is
     * first needed, and again when it had been closed meanwhile. May block. On failure there is
     * nothing to close. */
    int (*open)(void *context, const char *name, void **object_out,
                struct pcr_object_info *info_out, struct pcr_error *err);

    /* Begins to read nbytes (never 0) from `offset` of an object into `dst`. They lie within the
     * size that open() told. May complete the request at once, or return and have any thread
     * complete it later; so hundreds can be under way without a thread for each. All ranges of a
     * read (about one for each group of a record) are begun before any is waited for. Until a
     * request is completed `dst` is the storage's to write to, and the object stays open. */
    void (*read)(void *context, void *object, uint64_t offset, void *dst, size_t nbytes,
                 struct pcr_storage_request *request);

    /* Closes an object that open() gave, when no read of it is under way. Called from whichever
     * thread is last to use the record, at the latest by pcr_dataset_close(). */
    void (*close)(void *context, void *object);

    /* --- for writing (struct pcr_write_options): all of them, or none. Failures are not tried
     * again here: a storage does that by itself --- */

    /* Begins to write an object; *put_out is given to put_write() and put_end(). */
    int (*put_begin)(void *context, const char *name, void **put_out, struct pcr_error *err);

    /* Adds bytes (nbytes is never 0). Calls for one object come one after the other. */
    int (*put_write)(void *context, void *put, const void *data, size_t nbytes,
                     struct pcr_error *err);

    /* Ends it. complete: the object takes the place of what had its name, all at once, and is
     * there for good. Else, and where that fails, nothing is left of it. `put` is gone in any
     * case. */
    int (*put_end)(void *context, void *put, int complete, struct pcr_error *err);

    /* Calls each() with the name of every object that begins with the prefix, in any order. Where
     * each() returns other than 0, returns that at once. */
    int (*list)(void *context, const char *prefix,
                int (*each)(void *each_context, const char *name), void *each_context,
                struct pcr_error *err);

    /* Removes an object; it is no failure if there is none. */
    int (*remove)(void *context, const char *name, struct pcr_error *err);
};

/* Completes a request, once, from any thread, also from within read(). code: 0, when all its
 * bytes are in place; else a negative enum pcr_code, and *err (NULL: no details) says why, as
 * above. PCR_ERR_TRUNCATED: the object ends before. Every request must be completed, for its
 * reader waits for it: a storage gives up by time limits of its own. Never blocks. */
PCR_API void pcr_storage_complete(struct pcr_storage_request *request, int code,
                                  const struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
