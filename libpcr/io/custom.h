/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of a program's own storage: opening and reading, writing. */
#ifndef PCRI_CUSTOM_H
#define PCRI_CUSTOM_H

#include <pcr/storage.h>

#include "storage.h"

struct pcri_custom {
    struct pcri_storage base;
    struct pcri_io_backend backend; /* a file's backend leads back here */
    struct pcr_storage theirs;
    uint64_t identity; /* hash of theirs */
};

/* --- writing (custom_write.c) --- */
int pcri_custom_find(const struct pcri_storage *s, const char *name, struct pcri_found *out,
                     struct pcr_error *err);
int pcri_custom_list(const struct pcri_storage *s, const char *folder, pcri_list_fn *each,
                     void *context, struct pcr_error *err);
int pcri_custom_remove(const struct pcri_storage *s, const char *name, struct pcr_error *err);
int pcri_custom_make_folder(const struct pcri_storage *s, const char *folder, bool *made,
                            struct pcr_error *err);
int pcri_custom_tidy(const struct pcri_storage *s, const char *folder, struct pcr_error *err);
int pcri_custom_put_begin(const struct pcri_storage *s, const char *folder, const char *name,
                          struct pcri_put **out, struct pcr_error *err);
int pcri_custom_put_write(struct pcri_put *p, const void *data, size_t nbytes,
                          struct pcr_error *err);
int pcri_custom_put_end(struct pcri_put *p, bool commit, struct pcr_error *err);
int pcri_custom_claim(const struct pcri_storage *s, const char *folder, const char *name,
                      struct pcri_claim **out, struct pcr_error *err);
int pcri_custom_claim_write(struct pcri_claim *c, const char *text, struct pcr_error *err);
int pcri_custom_claim_end(struct pcri_claim *c, bool remove, struct pcr_error *err);

#endif
