/* SPDX-License-Identifier: BSD-2-Clause */
/* A storage of the program's own: objects in memory, in an archive, behind a network protocol.
 * Datasets are read from it as from files, with cache, retries, loaders and verification, and
 * written to it by pcr_dataset_write() and pcr_writer_finish(). */
#ifndef PCR_STORAGE_H
#define PCR_STORAGE_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Objects are runs of bytes with names. A dataset `photos.pcr` is the objects
 * `photos.pcr/manifest.json`, `photos.pcr/train-00000.pcr` and so on. The part before the last
 * slash is the path that is passed to pcr_dataset_open(); it may be "". Names are any bytes
 * but NUL. A slash separates their parts, but there are no folders.
 *
 * The program fills a struct pcr_storage with callbacks and points to it in struct
 * pcr_dataset_options or struct pcr_write_options. All callbacks must keep to the rules that
 * follow. */

/* Threads
 *
 * Any callback may be called from any thread, from several threads at a time, and while other
 * callbacks are at work, also on the same object. libpcr holds no lock meanwhile. A callback
 * must not call a function on the dataset that calls it. */

/* Errors
 *
 * A callback that fails returns a negative enum pcr_code and fills *err, which is never NULL
 * and is zeroed before the call:
 *
 * sys_errno: the errno that says what happened, if there is one.
 * message: without the object's name; libpcr puts that before it.
 * detail: a number of the program's own, returned in the error that the caller gets.
 *
 * libpcr fills in code and offset, and a message if there is none. Failures are told apart as
 * follows:
 *
 * - Nothing has this name: PCR_ERR_IO with sys_errno ENOENT.
 * - Another try may succeed (a busy server, a lost connection): PCR_ERR_IO with
 *   PCR_ERROR_MAY_PASS in flags. libpcr waits and calls the callback again, up to retry_count
 *   times (struct pcr_dataset_options). If flags is 0, sys_errno decides: EIO, EAGAIN,
 *   ETIMEDOUT, ECONNRESET and the like may pass. PCR_ERROR_LASTS says that they do not.
 * - The open object is no longer usable (an expired link): PCR_ERROR_MAY_PASS |
 *   PCR_ERROR_STALE. libpcr opens the object again, and goes on reading if size and version
 *   are unchanged.
 * - The storage refuses for another reason: PCR_ERR_IO.
 * - There is no memory: PCR_ERR_NOMEM.
 *
 * A storage never returns PCR_ERR_CORRUPT: the dataset's checksums find wrong bytes. */

/* Fork
 *
 * A forked child has none of the storage's threads. It can read on if reads are completed by
 * the thread that asks for them; otherwise it opens the dataset anew. */

/* What open() says about an object. */
struct pcr_object_info {
    uint32_t size;     /* sizeof(struct pcr_object_info) as libpcr knows it */
    uint32_t reserved; /* 0 */
    uint64_t nbytes;   /* the object's size */
    uint64_t version;  /* differs after the object was replaced: the time of its last change, a
                        * hash of its ETag; 0 if objects never change */
};

/* One read that is under way; see pcr_storage_complete(). */
struct pcr_storage_request;

/* The callbacks of a storage. Those with `put` in their name, list() and remove() are for
 * writing (struct pcr_write_options): give all of them or none. libpcr does not repeat those
 * that fail; a storage does that itself. */
struct pcr_storage {
    uint32_t size;  /* sizeof(struct pcr_storage): says which members there are */
    uint32_t flags; /* 0 */

    /* The program's data, passed to each callback. Must live until the dataset is closed. */
    void *context;

    /* Tells this storage from all others, for the names of entries in a cache folder:
     * "s3://bucket", or an archive's path and time of change. NULL: caches only in memory. */
    const char *identity;

    /* Opens an object for reading and fills *info_out. *object_out is passed to read() and
     * close(). Called for the manifest when the dataset is opened, then for each record when
     * it is first needed, and again if it was closed since. May block. After a failure close()
     * is not called. */
    int (*open)(void *context, const char *name, void **object_out,
                struct pcr_object_info *info_out, struct pcr_error *err);

    /* Begins to read nbytes (never 0) from `offset` of an object into `dst`. The range lies
     * within the size that open() gave. May complete the request at once, or return and let
     * any thread complete it later, so that hundreds can be under way without a thread for
     * each. All ranges of a read (about one for each group of a record) are begun before
     * libpcr waits for any. Until the request is completed the storage may write to `dst`, and
     * the object stays open. */
    void (*read)(void *context, void *object, uint64_t offset, void *dst, size_t nbytes,
                 struct pcr_storage_request *request);

    /* Closes an object that open() returned, when no read of it is under way. Called from
     * whichever thread uses the record last, at the latest by pcr_dataset_close(). */
    void (*close)(void *context, void *object);

    /* Begins to write an object. *put_out is passed to put_write() and put_end(). */
    int (*put_begin)(void *context, const char *name, void **put_out, struct pcr_error *err);

    /* Appends bytes (nbytes is never 0). Calls for one object come one after another. */
    int (*put_write)(void *context, void *put, const void *data, size_t nbytes,
                     struct pcr_error *err);

    /* Ends writing and frees `put` in any case. If `complete` is not 0, the object atomically
     * replaces any of its name, durably. If it is 0, or on failure, nothing of it remains. */
    int (*put_end)(void *context, void *put, int complete, struct pcr_error *err);

    /* Calls each() with the name of every object that begins with `prefix`, in any order. If
     * each() returns anything but 0, returns that at once. */
    int (*list)(void *context, const char *prefix,
                int (*each)(void *each_context, const char *name), void *each_context,
                struct pcr_error *err);

    /* Removes an object. Success if there is none. */
    int (*remove)(void *context, const char *name, struct pcr_error *err);

    /* Says that nobody waits for the bytes of a request any more: a loader was destroyed while
     * it read. Called at most once for each request that is not completed yet, while its
     * object is open. The storage completes the request soon, with PCR_ERR_CANCELLED if the
     * bytes are not in place. It may be completing it at this moment: then the call means
     * nothing. NULL: destroying a loader takes as long as its reads. */
    void (*cancel)(void *context, void *object, struct pcr_storage_request *request);
};

/* Completes a request. To be called exactly once, from any thread, also from within read().
 * Never blocks. Every request must be completed, for its reader waits for it, also after
 * cancel(); so a storage needs time limits of its own.
 *
 * code: 0 if all bytes are in place, else a negative enum pcr_code. PCR_ERR_TRUNCATED says
 *   that the object ends before them.
 * err: details of a failure as in "Errors"; NULL: none. */
PCR_API void pcr_storage_complete(struct pcr_storage_request *request, int code,
                                  const struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
