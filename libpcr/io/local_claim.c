/* SPDX-License-Identifier: BSD-2-Clause */
/* A claim on a folder: a lock (flock) on a file in it. Whoever ends a claim may remove the
 * file, so whoever gets the lock checks that the file is still the one in the folder. Its text
 * is written to a temporary file, which is locked and replaces the file when it is durable:
 * the file is empty or complete. */
#define _GNU_SOURCE /* flock */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* rename */
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "local.h"

enum { LOCK_TRIES = 1000 }; /* each other writer that finishes costs one */

struct local_claim {
    struct pcri_claim base;
    int fd; /* -1: none */
    char *folder, *path, *temp_path;
};

static void destroy(struct local_claim *c)
{
    if (c->fd >= 0)
        close(c->fd); /* and with it the lock */
    free(c->folder);
    free(c->path);
    free(c->temp_path);
    free(c);
}

/* Some file systems have no locks: there nobody is kept out. */
static bool has_no_locks(int sys_errno)
{
    return sys_errno == ENOTSUP || sys_errno == ENOSYS || sys_errno == EINVAL ||
           sys_errno == ENOLCK;
}

/* Opens and locks the file, making it if there is none. */
static int lock_file(struct local_claim *c, struct pcr_error *err)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        struct stat ours, there;
        c->fd = PCRI_UNINTERRUPTED(
            open(c->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
        if (c->fd < 0)
            return pcri_fail_sys(err, errno, "%s: cannot create", c->path);
        if (PCRI_UNINTERRUPTED(flock(c->fd, LOCK_EX | LOCK_NB)) && !has_no_locks(errno)) {
            if (errno != EWOULDBLOCK)
                return pcri_fail_sys(err, errno, "%s: cannot lock", c->path);
            pcri_fail(err, PCR_ERR_IO, "%s: another process is writing this folder",
                      c->folder);
            if (err)
                err->sys_errno = EWOULDBLOCK;
            return PCR_ERR_IO;
        }
        if (PCRI_UNINTERRUPTED(fstat(c->fd, &ours)))
            return pcri_fail_sys(err, errno, "%s: cannot stat", c->path);
        bool found = !PCRI_UNINTERRUPTED(stat(c->path, &there));
        if (!found && errno != ENOENT)
            return pcri_fail_sys(err, errno, "%s: cannot stat", c->path);
        if (found && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
            return 0;
        close(c->fd); /* its holder removed or replaced it meanwhile */
        c->fd = -1;
    }
    return pcri_fail_sys(err, EWOULDBLOCK, "%s: other processes keep starting to write",
                         c->folder);
}

static int sync_folder(const char *dir, struct pcr_error *err)
{
    int fd = PCRI_UNINTERRUPTED(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return pcri_fail_sys(err, errno, "%s: cannot open the folder", dir);
    int rc = pcri_local_sync_folder(fd, dir, err);
    close(fd);
    return rc;
}

/* What is safe in a folder is lost with the folder. Who may not read the parent cannot make it
 * safer. */
static int sync_parent(const char *dir, struct pcr_error *err)
{
    char *parent = pcri_parent(dir, err);
    if (!parent)
        return PCR_ERR_NOMEM;
    int rc = PCRI_UNINTERRUPTED(access(parent, R_OK)) && errno == EACCES
                 ? 0
                 : sync_folder(parent, err);
    free(parent);
    return rc;
}

int pcri_local_claim(const struct pcri_storage *s, const char *folder, const char *name,
                     struct pcri_claim **out, struct pcr_error *err)
{
    struct local_claim *c = pcri_calloc(1, sizeof(*c), err);
    if (!c)
        return PCR_ERR_NOMEM;
    c->fd = -1;
    c->folder = pcri_strndup(folder, strlen(folder), err);
    c->path = pcri_join(folder, name, err);
    c->temp_path = pcri_join(folder, PCRI_LOCAL_TEMP "claim", err);
    int rc = c->folder && c->path && c->temp_path ? 0 : PCR_ERR_NOMEM;
    if (!rc)
        rc = lock_file(c, err);
    if (!rc)
        rc = sync_parent(folder, err);
    if (rc)
        destroy(c);
    else
        *out = &c->base;
    return rc;
}

/* Writes the text to the file that was locked last, and makes it the claim's. */
static int replace(const struct local_claim *c, int fd, const char *text,
                   struct pcr_error *err)
{
    int rc = pcri_local_write_all(fd, text, strlen(text), err);
    if (rc)
        return pcri_prefix(err, rc, "%s", c->path);
    if (PCRI_UNINTERRUPTED(flock(fd, LOCK_EX | LOCK_NB)) && !has_no_locks(errno))
        return pcri_fail_sys(err, errno, "%s: cannot lock", c->path);
    if (PCRI_UNINTERRUPTED(fsync(fd)))
        return pcri_fail_sys(err, errno, "%s: cannot sync", c->path);
    if (PCRI_UNINTERRUPTED(rename(c->temp_path, c->path)))
        return pcri_fail_sys(err, errno, "%s: cannot rename", c->path);
    return sync_folder(c->folder, err);
}

/* The lock goes over to the new file. */
int pcri_local_claim_write(struct pcri_claim *base, const char *text, struct pcr_error *err)
{
    struct local_claim *c = (struct local_claim *) base;
    int fd = PCRI_UNINTERRUPTED(
        open(c->temp_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (fd < 0)
        return pcri_fail_sys(err, errno, "%s: cannot create", c->temp_path);
    int rc = replace(c, fd, text, err);
    if (rc) {
        (void) PCRI_UNINTERRUPTED(unlink(c->temp_path));
        close(fd);
        return rc;
    }
    close(c->fd);
    c->fd = fd;
    return 0;
}

int pcri_local_claim_end(struct pcri_claim *base, bool remove, struct pcr_error *err)
{
    struct local_claim *c = (struct local_claim *) base;
    int rc = remove && PCRI_UNINTERRUPTED(unlink(c->path))
                 ? pcri_fail_sys(err, errno, "%s: cannot remove", c->path)
                 : 0;
    destroy(c);
    return rc;
}
