/* SPDX-License-Identifier: BSD-2-Clause */
/* Storage: where a dataset's objects are, below everything that reads or writes one. The first
 * kind is the local file system (local.c); another is whatever a program brings (custom.c). Open
 * objects are files of the storage's backend (io.h), with layers on it (layer.h). */
#ifndef PCRI_STORAGE_H
#define PCRI_STORAGE_H

#include "io.h"

struct pcr_storage;
struct pcri_storage;

/* A kind of storage. Names of objects are paths, for files, or names with "/" between their parts.
 * All functions may be called from several threads at once. */
struct pcri_storage_kind {
    const char *name;
    bool uses_descriptors; /* for open files: who needs one may have some of them closed */
    /* Reads a whole object of at most max_nbytes (LIMIT beyond). `out` is replaced. */
    int (*read)(const struct pcri_storage *s, const char *name, uint64_t max_nbytes,
                struct pcr_buffer *out, struct pcr_error *err);
    void (*destroy)(struct pcri_storage *s); /* NULL: it is static */
};

/* A kind's own struct begins with it. */
struct pcri_storage {
    const struct pcri_storage_kind *kind;
    const struct pcri_io_backend *backend; /* opens and reads its objects */
    bool is_anonymous; /* nothing tells it from others: no cache is shared with them */
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

/* Did it fail because nothing has this name? */
bool pcri_is_absent(int code, const struct pcr_error *err);

/* "folder/name", malloc'd; `name` where the folder is "". NULL and NOMEM. */
char *pcri_join(const char *folder, const char *name, struct pcr_error *err);

#endif
