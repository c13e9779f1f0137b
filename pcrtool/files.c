/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing files below a folder under names that somebody else chose. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

/* Under this name a file is written, in the folder that it is for. Who writes it holds a lock on
 * it, so that one that was killed leaves nothing that stays: the next takes it away. */
static const char temp[] = ".pcr-part";

const char *pcrtool_unsafe_name(const char *key)
{
    if (!*key)
        return "it is empty";
    if (*key == '/')
        return "it is absolute";
    for (const char *p = key;; p++) {
        size_t n = strcspn(p, "/");
        if (n == 0)
            return "it has an empty part";
        if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return "it has '.' or '..' in it";
        if (n == sizeof(temp) - 1 && !memcmp(p, temp, n))
            return "a part of it is the name of unfinished files";
        p += n;
        if (!*p)
            return NULL;
    }
}

static int open_folder(int parent_fd, const char *name, size_t nbytes)
{
    char part[256];
    if (nbytes >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(part, name, nbytes);
    part[nbytes] = '\0';
    if (mkdirat(parent_fd, part, 0777) && errno != EEXIST)
        return -1;
    return openat(parent_fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int pcrtool_open_parent(int root_fd, const char *key, const char **name_out)
{
    int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
    const char *p = key;
    while (fd >= 0) {
        const char *slash = strchr(p, '/');
        if (!slash)
            break;
        int next = open_folder(fd, p, (size_t) (slash - p));
        int saved = errno;
        close(fd);
        errno = saved;
        fd = next;
        p = slash + 1;
    }
    *name_out = p;
    return fd;
}

static int write_all(int fd, const void *data, size_t nbytes)
{
    const char *p = data;
    while (nbytes) {
        ssize_t n = write(fd, p, nbytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (!n) /* no file system should, and to try for ever helps nobody */
            errno = ENOSPC;
        if (n <= 0)
            return -1;
        p += n;
        nbytes -= (size_t) n;
    }
    return 0;
}

static bool is_still_there(int folder_fd, int fd)
{
    struct stat ours, there;
    return !fstat(fd, &ours) && !fstatat(folder_fd, temp, &there, AT_SYMLINK_NOFOLLOW) &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* A new, locked file. Waits as long as another process has one in the folder. */
static int open_temp(int folder_fd)
{
    const int flags = O_NOFOLLOW | O_CLOEXEC;
    for (;;) {
        int fd = openat(folder_fd, temp, flags | O_WRONLY | O_CREAT | O_EXCL, 0666);
        bool ours = fd >= 0;
        if (!ours && errno == EEXIST)
            fd = openat(folder_fd, temp, flags | O_RDONLY | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
            continue; /* it has just got its name */
        if (fd < 0)
            return -1;
        while (flock(fd, LOCK_EX) && errno == EINTR)
            continue;
        bool there = is_still_there(folder_fd, fd);
        if (ours && there)
            return fd;
        /* Whose it was is dead. If it cannot be removed, it cannot be made either. */
        int rc = there ? unlinkat(folder_fd, temp, 0) : 0, saved = errno;
        close(fd);
        errno = saved;
        if (rc && errno != ENOENT)
            return -1;
    }
}

static int publish(int folder_fd, const char *name, bool replace)
{
    if (replace)
        return renameat(folder_fd, temp, folder_fd, name);
    if (!renameat2(folder_fd, temp, folder_fd, name, RENAME_NOREPLACE))
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /* The file system lacks it; a hard link does not replace either. */
    if (linkat(folder_fd, temp, folder_fd, name, 0))
        return -1;
    return unlinkat(folder_fd, temp, 0);
}

int pcrtool_write_file(int folder_fd, const char *name, const void *data, size_t nbytes,
                       bool replace)
{
    struct stat st;
    if (!replace && !fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
        errno = EEXIST; /* known before anything is written */
        return -1;
    }
    int fd = open_temp(folder_fd);
    if (fd < 0)
        return -1;
    int lock = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the file's, which goes with the last close */
    int rc = lock < 0 ? -1 : write_all(fd, data, nbytes), saved = errno;
    if (close(fd) && !rc) { /* late errors of writing */
        rc = -1;
        saved = errno;
    }
    if (!rc) {
        rc = publish(folder_fd, name, replace);
        saved = errno;
    }
    if (rc)
        unlinkat(folder_fd, temp, 0);
    if (lock >= 0)
        close(lock);
    errno = saved;
    return rc;
}
