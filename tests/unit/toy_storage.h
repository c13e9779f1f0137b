/* SPDX-License-Identifier: BSD-2-Clause */
/* A toy storage in memory, which counts, fails as asked, completes reads at once or from a thread
 * of its own, and can be written to. */
#ifndef TOY_STORAGE_H
#define TOY_STORAGE_H

#include <pthread.h>
#include <stdbool.h>

#include <pcr/storage.h>

enum { TOY_OBJECTS = 32, TOY_PENDING = 1024 };

struct toy_object {
    char name[128];
    uint8_t *data;
    size_t nbytes;
    uint64_t version;
};

struct toy_pending {
    struct toy_object *object;
    uint64_t offset;
    void *dst;
    size_t nbytes;
    struct pcr_storage_request *request;
};

struct toy {
    struct pcr_storage storage; /* for struct pcr_dataset_options */
    struct toy_object objects[TOY_OBJECTS];
    size_t object_count;
    pthread_mutex_t mutex; /* of what follows */
    uint64_t open_count, close_count, read_count, cancelled_count;
    /* So many of the next calls fail: with code, and this error. */
    uint32_t failing_opens, failing_reads;
    uint32_t good_reads; /* that do not fail before those */
    uint32_t good_puts;  /* calls for writing before one fails; 0: none fails */
    uint64_t put_count;  /* objects that were completed */
    int code;
    struct pcr_error failure;
    /* With a thread: */
    pthread_t thread;
    pthread_cond_t news;
    bool has_thread, stop;
    size_t gather; /* it completes none before so many are under way */
    struct toy_pending pending[TOY_PENDING];
    size_t pending_count, most_pending;
};

void toy_create(struct toy *t, bool with_thread);
/* Gives it the callbacks for writing. */
void toy_may_write(struct toy *t);
/* Every object must be closed, and no read under way. */
void toy_destroy(struct toy *t);
/* Adds an object, or replaces it, with a copy of the bytes. */
void toy_put(struct toy *t, const char *name, const void *data, size_t nbytes);
/* Adds all files of a folder; their names begin with the prefix. */
void toy_copy_folder(struct toy *t, const char *prefix, const char *folder);
struct toy_object *toy_find(struct toy *t, const char *name);
/* Has the next opens and reads fail. */
void toy_fail(struct toy *t, uint32_t opens, uint32_t reads, int code, int sys_errno,
              uint32_t flags, const char *message);

#endif
