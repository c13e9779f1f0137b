/* SPDX-License-Identifier: BSD-2-Clause */
/* Storage: where a dataset's objects are. Everything that reads or writes a dataset is above
 * it. The first kind is the local file system (local.c); another is what a program brings
 * (custom.c). Open objects are files of the storage's backend (io.h), with layers on it
 * (layer.h). */
#ifndef PCRI_STORAGE_H
#define PCRI_STORAGE_H

#include "io.h"

struct pcr_storage;
struct pcri_storage;

/* What exists under a name. */
struct pcri_found {
    bool exists, is_file; /* is_file: or what a link leads to is one */
    uint64_t changed_ns;  /* time of the last change; UINT64_MAX: not known */
};

/* Called for each name in a folder. A nonzero return ends the listing. */
typedef int pcri_list_fn(void *context, const char *name, struct pcr_error *err);

/* An object that is being written, and the right to write into a folder. A kind's own structs
 * begin with them. */
struct pcri_put {
    const struct pcri_storage *storage;
};
struct pcri_claim {
    const struct pcri_storage *storage;
};

/* A kind of storage. Names of objects are paths of files, or names with "/" between their
 * parts. All functions may be called from several threads at once. */
struct pcri_storage_kind {
    const char *name;
    bool uses_descriptors; /* for open files: if they run out, some files can be closed */
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
    bool is_anonymous; /* it has no identity: no cache is shared with others */
    bool may_write;    /* its kind's functions for writers may be called */
};

/* The local file system, read by pread. */
extern const struct pcri_storage pcri_files;

/* The local file system by backend of enum pcr_io_backend; NULL if it is unknown. */
const struct pcri_storage *pcri_storage_local(uint32_t io_backend);

/* A storage of the program's own; `theirs` is copied. INVAL (a callback is missing),
 * UNSUPPORTED (it is newer), NOMEM. */
int pcri_storage_custom(const struct pcr_storage *theirs, const struct pcri_storage **out,
                        struct pcr_error *err);

/* All of its files must be closed. Sets *s to NULL; accepts a NULL object, and local
 * storages. */
void pcri_storage_destroy(const struct pcri_storage **s);

/* Reads a whole object; failures that may pass are tried again up to retry_count times. */
int pcri_storage_read(const struct pcri_storage *s, const char *name, uint64_t max_nbytes,
                      uint32_t retry_count, struct pcr_buffer *out, struct pcr_error *err);

/* --- for writers --- */

/* Whether there is an object with this name. */
int pcri_storage_find(const struct pcri_storage *s, const char *folder, const char *name,
                      struct pcri_found *out, struct pcr_error *err);
/* Calls each() for the names in a folder, in any order. */
int pcri_storage_list(const struct pcri_storage *s, const char *folder, pcri_list_fn *each,
                      void *context, struct pcr_error *err);
/* Removes an object if it exists. */
int pcri_storage_remove(const struct pcri_storage *s, const char *folder, const char *name,
                        struct pcr_error *err);
/* Makes a folder. *made: it did not exist. INVAL: something else has its name. */
int pcri_storage_make_folder(const struct pcri_storage *s, const char *folder, bool *made,
                             struct pcr_error *err);
/* Removes what killed writers left in a folder; under a claim. */
int pcri_storage_tidy(const struct pcri_storage *s, const char *folder, struct pcr_error *err);

/* Begins to write an object. Its bytes come in order. Nobody sees it before it has ended
 * successfully; then it is there durably. Name: without "/". */
int pcri_put_begin(const struct pcri_storage *s, const char *folder, const char *name,
                   struct pcri_put **out, struct pcr_error *err);
int pcri_put_write(struct pcri_put *p, const void *data, size_t nbytes, struct pcr_error *err);
/* Completes it, or drops it if writing failed (rc). Returns rc, or the failure of completing.
 * Sets *p to NULL; accepts a NULL object. */
int pcri_put_end(struct pcri_put **p, int rc, struct pcr_error *err);
/* Writes a whole object. */
int pcri_storage_put(const struct pcri_storage *s, const char *folder, const char *name,
                     const void *data, size_t nbytes, struct pcr_error *err);

/* Whether `path`, which need not exist, is the folder or below it in the local file system,
 * however the two are written. IO, NOMEM. (inside.c) */
int pcri_is_inside(const char *path, const char *folder, bool *inside_out,
                   struct pcr_error *err);

/* Claims a folder for one writer by an object in it, which is created empty if it does not
 * exist. IO with EWOULDBLOCK: another writer has it. */
int pcri_claim_begin(const struct pcri_storage *s, const char *folder, const char *name,
                     struct pcri_claim **out, struct pcr_error *err);
/* Replaces the object's text atomically. */
int pcri_claim_write(struct pcri_claim *c, const char *text, struct pcr_error *err);
/* Releases the claim, and removes the object or leaves it. Sets *c to NULL; accepts a NULL
 * object. */
int pcri_claim_end(struct pcri_claim **c, bool remove, struct pcr_error *err);

/* Whether it failed because nothing has this name. */
bool pcri_is_absent(int code, const struct pcr_error *err);

/* "folder/name", malloc'd; `name` if the folder is "". NULL and NOMEM. */
char *pcri_join(const char *folder, const char *name, struct pcr_error *err);
/* The folder that a path is in, malloc'd; "." where it names none. */
char *pcri_parent(const char *path, struct pcr_error *err);

#endif
