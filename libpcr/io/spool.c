/* SPDX-License-Identifier: BSD-2-Clause */
/* A file without a name: it is made, and its name removed at once. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "spool.h"

enum { MOST_NBYTES = 1 << 30 }; /* at once */

int pcri_spool_open(const char *folder, struct pcri_spool *out, struct pcr_error *err)
{
    static const char name[] = "/.pcr-spool-XXXXXX";
    size_t n = strlen(folder);
    char *path = pcri_malloc(n + sizeof(name), 1, err);
    *out = (struct pcri_spool) { .fd = -1, .folder = pcri_strndup(folder, n, err) };
    int rc = path && out->folder ? 0 : PCR_ERR_NOMEM;
    if (!rc) {
        memcpy(path, folder, n);
        memcpy(path + n, name, sizeof(name));
        out->fd = PCRI_UNINTERRUPTED(mkstemp(path));
        if (out->fd < 0)
            rc = pcri_fail_sys(err, errno, "%s: cannot create a file for the samples", folder);
        else if (PCRI_UNINTERRUPTED(unlink(path)) ||
                 PCRI_UNINTERRUPTED(fcntl(out->fd, F_SETFD, FD_CLOEXEC)))
            rc = pcri_fail_sys(err, errno, "%s: cannot remove its name", path);
    }
    free(path);
    if (rc)
        pcri_spool_close(out);
    return rc;
}

void pcri_spool_close(struct pcri_spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->folder);
    *s = (struct pcri_spool) { .fd = -1 };
}

int pcri_spool_write(const struct pcri_spool *s, const void *data, size_t nbytes,
                     uint64_t offset, struct pcr_error *err)
{
    for (size_t done = 0; done < nbytes;) {
        size_t most = nbytes - done < MOST_NBYTES ? nbytes - done : MOST_NBYTES;
        ssize_t n = PCRI_UNINTERRUPTED(
            pwrite(s->fd, (const uint8_t *) data + done, most, (off_t) (offset + done)));
        if (n <= 0) /* 0: no file system should, and to try for ever helps nobody */
            return pcri_fail_sys(err, n ? errno : ENOSPC, "%s: cannot write a sample",
                                 s->folder);
        done += (size_t) n;
    }
    return 0;
}

int pcri_spool_read(const struct pcri_spool *s, void *data, size_t nbytes, uint64_t offset,
                    struct pcr_error *err)
{
    for (size_t done = 0; done < nbytes;) {
        size_t most = nbytes - done < MOST_NBYTES ? nbytes - done : MOST_NBYTES;
        ssize_t n = PCRI_UNINTERRUPTED(
            pread(s->fd, (uint8_t *) data + done, most, (off_t) (offset + done)));
        if (n <= 0)
            return pcri_fail_sys(err, n ? errno : EIO, "%s: cannot read a sample back",
                                 s->folder);
        done += (size_t) n;
    }
    return 0;
}
