/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing into folders of the local file system: functions of the kind in local.c. */
#ifndef PCRI_LOCAL_H
#define PCRI_LOCAL_H

#include "storage.h"

/* Names of files being written begin with this, and continue with their final name. */
#define PCRI_LOCAL_TEMP ".pcr-tmp-"

/* --- objects (local_put.c): a temporary file in the same folder, fsync, rename, fsync of the
 * folder --- */
int pcri_local_put_begin(const struct pcri_storage *s, const char *folder, const char *name,
                         struct pcri_put **out, struct pcr_error *err);
int pcri_local_put_write(struct pcri_put *p, const void *data, size_t nbytes,
                         struct pcr_error *err);
int pcri_local_put_end(struct pcri_put *p, bool commit, struct pcr_error *err);

/* Writes all bytes at a descriptor's position. The message does not name the file. */
int pcri_local_write_all(int fd, const void *data, size_t nbytes, struct pcr_error *err);
/* Makes a rename durable. Some file systems have no fsync for folders (EINVAL): there it is as
 * durable as it can be. */
int pcri_local_sync_folder(int dir_fd, const char *dir, struct pcr_error *err);

/* --- claims (local_claim.c): a lock on the object's file --- */
int pcri_local_claim(const struct pcri_storage *s, const char *folder, const char *name,
                     struct pcri_claim **out, struct pcr_error *err);
int pcri_local_claim_write(struct pcri_claim *c, const char *text, struct pcr_error *err);
int pcri_local_claim_end(struct pcri_claim *c, bool remove, struct pcr_error *err);

#endif
