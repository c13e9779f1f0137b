/* SPDX-License-Identifier: BSD-2-Clause */
/* An unnamed file for bytes that are kept until they are needed. */
#ifndef PCRI_SPOOL_H
#define PCRI_SPOOL_H

#include "../base/base.h"

struct pcri_spool {
    int fd;
    char *folder; /* for messages */
};

/* The folder that is given, or if that is NULL $TMPDIR, or /tmp. */
const char *pcri_spool_folder(const char *given);
/* Makes one in a local folder. The file disappears when it is closed, however the process
 * ends. */
int pcri_spool_open(const char *folder, struct pcri_spool *out, struct pcr_error *err);
void pcri_spool_close(struct pcri_spool *s);
/* May be called by any number of threads, for different places. */
int pcri_spool_write(const struct pcri_spool *s, const void *data, size_t nbytes,
                     uint64_t offset, struct pcr_error *err);
int pcri_spool_read(const struct pcri_spool *s, void *data, size_t nbytes, uint64_t offset,
                    struct pcr_error *err);

#endif
