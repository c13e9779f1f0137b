/* SPDX-License-Identifier: BSD-2-Clause */
/* Atomic publication: a reader sees the old file or the complete new one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <unistd.h>

#include "io.h"

static const char temp_prefix[] = ".pcr-tmp-";

/* Closes what is open and frees the names. */
static void clear(struct pcri_publish *p)
{
    if (p->fd >= 0)
        close(p->fd);
    if (p->dir_fd >= 0)
        close(p->dir_fd);
    free(p->dir);
    free(p->name);
    free(p->temp_name);
    *p = (struct pcri_publish) { 0 };
}

/* An empty struct is all zeroes: temp_name tells it from one whose descriptor is 0. */
static bool is_open(const struct pcri_publish *p)
{
    return p->temp_name != NULL;
}

static int take_names(struct pcri_publish *p, const char *dir, const char *name,
                      struct pcr_error *err)
{
    if (!*name || strchr(name, '/'))
        return pcri_fail(err, PCR_ERR_INVAL, "%s: no file name", name);
    size_t prefix = sizeof(temp_prefix) - 1, n = strlen(name);
    p->dir = pcri_strndup(dir, strlen(dir), err);
    p->name = pcri_strndup(name, n, err);
    p->temp_name = pcri_malloc(prefix + n + 1, 1, err);
    if (!p->dir || !p->name || !p->temp_name)
        return PCR_ERR_NOMEM;
    memcpy(p->temp_name, temp_prefix, prefix);
    memcpy(p->temp_name + prefix, name, n + 1);
    return 0;
}

int pcri_publish_begin(struct pcri_publish *p, const char *dir, const char *name,
                       struct pcr_error *err)
{
    *p = (struct pcri_publish) { .dir_fd = -1, .fd = -1 };
    int rc = take_names(p, dir, name, err);
    if (rc)
        goto fail;
    p->dir_fd = PCRI_UNINTERRUPTED(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (p->dir_fd < 0) {
        rc = pcri_fail_sys(err, errno, "%s: cannot open the folder", dir);
        goto fail;
    }
    p->fd = PCRI_UNINTERRUPTED(openat(p->dir_fd, p->temp_name,
                                      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                                      0666));
    if (p->fd < 0) {
        rc = pcri_fail_sys(err, errno, "%s/%s: cannot create", dir, p->temp_name);
        goto fail;
    }
    return 0;
fail:
    clear(p);
    return rc;
}

int pcri_write_all(int fd, const void *data, size_t nbytes, struct pcr_error *err)
{
    const uint8_t *bytes = data;
    while (nbytes) {
        ssize_t n = PCRI_UNINTERRUPTED(write(fd, bytes, nbytes > 1 << 30 ? 1 << 30 : nbytes));
        if (n <= 0) /* 0: no file system should, and to try for ever helps nobody */
            return pcri_fail_sys(err, n ? errno : ENOSPC, "cannot write");
        bytes += n;
        nbytes -= (size_t) n;
    }
    return 0;
}

int pcri_publish_write(struct pcri_publish *p, const void *data, size_t nbytes,
                       struct pcr_error *err)
{
    int rc = pcri_write_all(p->fd, data, nbytes, err);
    return rc ? pcri_prefix(err, rc, "%s/%s", p->dir, p->name) : 0;
}

int pcri_sync_folder(int dir_fd, const char *dir, struct pcr_error *err)
{
    if (PCRI_UNINTERRUPTED(fsync(dir_fd)) && errno != EINVAL)
        return pcri_fail_sys(err, errno, "%s: cannot sync the folder", dir);
    return 0;
}

int pcri_publish_commit(struct pcri_publish *p, struct pcr_error *err)
{
    if (!is_open(p))
        return 0;
    int rc = 0;
    if (PCRI_UNINTERRUPTED(fsync(p->fd)))
        rc = pcri_fail_sys(err, errno, "%s/%s: cannot sync", p->dir, p->name);
    /* Network file systems report late write errors here. Of a signal, nothing is lost: what was
     * synced is safe, and Linux has closed it. */
    int closed = close(p->fd) && errno != EINTR;
    p->fd = -1;
    if (!rc && closed)
        rc = pcri_fail_sys(err, errno, "%s/%s: cannot close", p->dir, p->name);
    if (!rc && PCRI_UNINTERRUPTED(renameat(p->dir_fd, p->temp_name, p->dir_fd, p->name)))
        rc = pcri_fail_sys(err, errno, "%s/%s: cannot rename", p->dir, p->name);
    if (rc) {
        pcri_publish_abort(p);
        return rc;
    }
    rc = pcri_sync_folder(p->dir_fd, p->dir, err);
    clear(p);
    return rc;
}

void pcri_publish_abort(struct pcri_publish *p)
{
    if (!p || !is_open(p))
        return;
    /* If it cannot be removed, readers and later runs ignore it by its name. */
    (void) PCRI_UNINTERRUPTED(unlinkat(p->dir_fd, p->temp_name, 0));
    clear(p);
}
