/* SPDX-License-Identifier: BSD-2-Clause */
/* Atomic publication of a file: a reader sees the old one or the complete new one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <unistd.h>

#include "local.h"

struct local_put {
    struct pcri_put base;
    int dir_fd, fd;
    char *dir, *name, *temp_name;
};

static void destroy(struct local_put *p)
{
    if (p->fd >= 0)
        close(p->fd);
    if (p->dir_fd >= 0)
        close(p->dir_fd);
    free(p->dir);
    free(p->name);
    free(p->temp_name);
    free(p);
}

static int take_names(struct local_put *p, const char *dir, const char *name,
                      struct pcr_error *err)
{
    if (!*name || strchr(name, '/'))
        return pcri_fail(err, PCR_ERR_INVAL, "%s: no file name", name);
    size_t prefix = sizeof(PCRI_LOCAL_TEMP) - 1, n = strlen(name);
    p->dir = pcri_strndup(dir, strlen(dir), err);
    p->name = pcri_strndup(name, n, err);
    p->temp_name = pcri_malloc(prefix + n + 1, 1, err);
    if (!p->dir || !p->name || !p->temp_name)
        return PCR_ERR_NOMEM;
    memcpy(p->temp_name, PCRI_LOCAL_TEMP, prefix);
    memcpy(p->temp_name + prefix, name, n + 1);
    return 0;
}

int pcri_local_put_begin(const struct pcri_storage *s, const char *dir, const char *name,
                         struct pcri_put **out, struct pcr_error *err)
{
    struct local_put *p = pcri_calloc(1, sizeof(*p), err);
    if (!p)
        return PCR_ERR_NOMEM;
    p->dir_fd = p->fd = -1;
    int rc = take_names(p, dir, name, err);
    if (rc)
        goto fail;
    p->dir_fd = PCRI_UNINTERRUPTED(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (p->dir_fd < 0) {
        rc = pcri_fail_sys(err, errno, "%s: cannot open the folder", dir);
        goto fail;
    }
    p->fd = PCRI_UNINTERRUPTED(openat(
        p->dir_fd, p->temp_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (p->fd < 0) {
        rc = pcri_fail_sys(err, errno, "%s/%s: cannot create", dir, p->temp_name);
        goto fail;
    }
    *out = &p->base;
    return 0;
fail:
    destroy(p);
    return rc;
}

int pcri_local_write_all(int fd, const void *data, size_t nbytes, struct pcr_error *err)
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

int pcri_local_put_write(struct pcri_put *base, const void *data, size_t nbytes,
                         struct pcr_error *err)
{
    struct local_put *p = (struct local_put *) base;
    int rc = pcri_local_write_all(p->fd, data, nbytes, err);
    return rc ? pcri_prefix(err, rc, "%s/%s", p->dir, p->name) : 0;
}

int pcri_local_sync_folder(int dir_fd, const char *dir, struct pcr_error *err)
{
    if (PCRI_UNINTERRUPTED(fsync(dir_fd)) && errno != EINVAL)
        return pcri_fail_sys(err, errno, "%s: cannot sync the folder", dir);
    return 0;
}

/* Gives the file its name once its bytes are safe. */
static int commit(struct local_put *p, struct pcr_error *err)
{
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
    return rc;
}

int pcri_local_put_end(struct pcri_put *base, bool complete, struct pcr_error *err)
{
    struct local_put *p = (struct local_put *) base;
    int rc = complete ? commit(p, err) : 0;
    if (!complete ||
        rc) /* if it cannot be removed, readers and later runs ignore it by its name */
        (void) PCRI_UNINTERRUPTED(unlinkat(p->dir_fd, p->temp_name, 0));
    else
        rc = pcri_local_sync_folder(p->dir_fd, p->dir, err);
    destroy(p);
    return rc;
}
