/* SPDX-License-Identifier: BSD-2-Clause */
/* A file without a name: it is made, and its name removed at once. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io.h"
#include "spool.h"
#include "storage.h"

const char *pcri_spool_folder(const char *given)
{
    const char *usual = getenv("TMPDIR");
    return given ? given : usual && *usual ? usual : "/tmp";
}

int pcri_spool_open(const char *folder, struct pcri_spool *out, struct pcr_error *err)
{
    char *path = pcri_join(folder, ".pcr-spool-XXXXXX", err);
    *out = (struct pcri_spool) { .fd = -1,
                                 .folder = pcri_strndup(folder, strlen(folder), err) };
    int rc = path && out->folder ? 0 : PCR_ERR_NOMEM;
    if (!rc) {
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
    if (pcri_transfer_all(s->fd, (void *) (uintptr_t) data, nbytes, offset, true) == nbytes)
        return 0;
    return pcri_fail_sys(err, errno ? errno : ENOSPC, "%s: cannot write a sample", s->folder);
}

int pcri_spool_read(const struct pcri_spool *s, void *data, size_t nbytes, uint64_t offset,
                    struct pcr_error *err)
{
    if (pcri_transfer_all(s->fd, data, nbytes, offset, false) == nbytes)
        return 0;
    return pcri_fail_sys(err, errno ? errno : EIO, "%s: cannot read a sample back", s->folder);
}
