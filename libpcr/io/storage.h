/* SPDX-License-Identifier: BSD-2-Clause */
/* Storage: where a dataset's objects are, below everything that reads or writes one. The first
 * kind is the local file system (local.c); another is whatever a program brings (custom.c). Open
 * objects are files of the storage's backend (io.h), with layers on it (layer.h). */
#ifndef PCRI_STORAGE_H
#define PCRI_STORAGE_H

#include "io.h"

struct pcr_storage;
struct pcri_storage;

/* What stands at a name. */
struct pcri_found {
    bool exists;
    uint64_t changed_ns; /* when it was changed last; UINT64_MAX: nobody knows */
};

/* Called for each name in a folder. What it returns that is not 0 ends the listing. */
typedef int pcri_list_fn(void *context, const char *name, struct pcr_error *err);

/* An object that is being written, and the right to write into a folder. A kind's own structs
 * begin with them. */
struct pcri_put {
    const struct pcri_storage *storage;
};
struct pcri_claim {
    const struct pcri_storage *storage;
};

/* A kind of storage. Names of objects are paths, for files, or names with "/" between their parts.
 * All functions may be called from several threads at once. */
struct pcri_storage_kind {
    const char *name;
    bool uses_descriptors; /* for open files: who needs one may have some of them closed */
    /* Reads a whole object of at most max_nbytes (LIMIT beyond). `out` is replaced. */
    int (*read)(const struct pcri_storage *s, const char *name, uint64_t max_nbytes,
                struct pcr_buffer *out, struct pcr_error *err);
    void (*destroy)(struct pcri_storage *s); /* NULL: it is static */

    /* --- for writers; called through the functions below --- */
    int (*find)(const struct pcri_storage *s, const char *name, struct pcri_found *out,
                struct pcr_error *err);
    int (*list)(const struct pcri_storage *s, const char *folder, pcri_list_fn *each,
                void *context, struct pcr_error *err);
    int (*remove)(const struct pcri_storage *s, const char *name, struct pcr_error *err);
    int (*make_folder)(const struct pcri_storage *s, const char *folder, bool *made,
                       struct pcr_error *err);
    int (*tidy)(const struct pcri_storage *s, const char *folder, struct pcr_error *err);
    int (*put_begin)(const struct pcri_storage *s, const char *folder, const char *name,
                     struct pcri_put **out, struct pcr_error *err);
    int (*put_write)(struct pcri_put *p, const void *data, size_t nbytes,
                     struct pcr_error *err);
    int (*put_end)(struct pcri_put *p, bool commit, struct pcr_error *err); /* frees it */
    int (*claim)(const struct pcri_storage *s, const char *folder, const char *name,
                 struct pcri_claim **out, struct pcr_error *err);
    int (*claim_write)(struct pcri_claim *c, const char *text, struct pcr_error *err);
    int (*claim_end)(struct pcri_claim *c, bool remove, struct pcr_error *err); /* frees it */
};

/* A kind's own struct begins with it. */
struct pcri_storage {
    const struct pcri_storage_kind *kind;
    const struct pcri_io_backend *backend; /* opens and reads its objects */
    bool is_anonymous; /* nothing tells it from others: no cache is shared with them */
    bool may_write;    /* its kind's functions for writers may be called */
};

/* The local file system, read by pread. */
extern const struct pcri_storage pcri_files;

/* The local file system by backend of enum pcr_io_backend; NULL if it is unknown. */
const struct pcri_storage *pcri_storage_local(uint32_t io_backend);

/* A storage of the program's own; a copy is made of `theirs`. INVAL (a callback is missing),
 * UNSUPPORTED (it is newer), NOMEM. */
int pcri_storage_custom(const struct pcr_storage *theirs, const struct pcri_storage **out,
                        struct pcr_error *err);

/* No file of it may be open any more. Sets *s to NULL; accepts a NULL object, and local ones. */
void pcri_storage_destroy(const struct pcri_storage **s);

/* Reads a whole object; what may pass is tried again up to retry_count times. */
int pcri_storage_read(const struct pcri_storage *s, const char *name, uint64_t max_nbytes,
                      uint32_t retry_count, struct pcr_buffer *out, struct pcr_error *err);

/* --- for writers --- */

/* Is there an object of this name? */
int pcri_storage_find(const struct pcri_storage *s, const char *folder, const char *name,
                      struct pcri_found *out, struct pcr_error *err);
/* Calls each() for the names in a folder, in no order. */
int pcri_storage_list(const struct pcri_storage *s, const char *folder, pcri_list_fn *each,
                      void *context, struct pcr_error *err);
/* Removes an object, if it is there. */
int pcri_storage_remove(const struct pcri_storage *s, const char *folder, const char *name,
                        struct pcr_error *err);
/* *made: it was not there. INVAL: something else has its name. */
int pcri_storage_make_folder(const struct pcri_storage *s, const char *folder, bool *made,
                             struct pcr_error *err);
/* Removes from a folder what killed writers have left; under a claim. */
int pcri_storage_tidy(const struct pcri_storage *s, const char *folder, struct pcr_error *err);

/* Begins to write an object, whose bytes come in order. Nobody sees it before it has ended well;
 * then it is there for good. Name: without "/". */
int pcri_put_begin(const struct pcri_storage *s, const char *folder, const char *name,
                   struct pcri_put **out, struct pcr_error *err);
int pcri_put_write(struct pcri_put *p, const void *data, size_t nbytes, struct pcr_error *err);
/* Completes it, or where writing has failed (rc) drops it. Returns rc, or what completing has
 * failed with. Sets *p to NULL; accepts a NULL object. */
int pcri_put_end(struct pcri_put **p, int rc, struct pcr_error *err);
/* Writes one whole. */
int pcri_storage_put(const struct pcri_storage *s, const char *folder, const char *name,
                     const void *data, size_t nbytes, struct pcr_error *err);

/* Claims a folder for one writer by an object in it, which is made, empty, if it is not there. IO
 * with EWOULDBLOCK: another writer has it. */
int pcri_claim_begin(const struct pcri_storage *s, const char *folder, const char *name,
                     struct pcri_claim **out, struct pcr_error *err);
/* Replaces the object's text, all at once. */
int pcri_claim_write(struct pcri_claim *c, const char *text, struct pcr_error *err);
/* Gives the claim back, and removes the object or leaves it. Sets *c to NULL; accepts a NULL
 * object. */
int pcri_claim_end(struct pcri_claim **c, bool remove, struct pcr_error *err);

/* Did it fail because nothing has this name? */
bool pcri_is_absent(int code, const struct pcr_error *err);

/* "folder/name", malloc'd; `name` where the folder is "". NULL and NOMEM. */
char *pcri_join(const char *folder, const char *name, struct pcr_error *err);
/* The folder that a path is in, malloc'd; "." where it names none. */
char *pcri_parent(const char *path, struct pcr_error *err);

#endif
