/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a file, all of it or nothing. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

/* A file is written under this name in its folder. Its writer holds a lock on
 * it, so that the next writer removes what one that was killed left behind. */
static const char temp[] = ".pcr-part";

static int write_all(int fd, const void *data, size_t nbytes)
{
    const char *p = data;
    while (nbytes) {
        ssize_t n = PCRTOOL_UNINTERRUPTED(write(fd, p, nbytes));
        if (!n) /* no file system should do this; do not try for ever */
            errno = ENOSPC;
        if (n <= 0)
            return -1;
        p += n;
        nbytes -= (size_t) n;
    }
    return 0;
}

/* Waits for a file's lock. Some file systems have none. */
static int lock_file(int fd)
{
    int rc = PCRTOOL_UNINTERRUPTED(flock(fd, LOCK_EX));
    return rc && errno != ENOTSUP && errno != ENOSYS && errno != EINVAL && errno != ENOLCK ? -1
                                                                                           : 0;
}

/* Whether the open file is the one that has its name: 1, 0, or -1. */
static int is_still_there(int folder_fd, int fd)
{
    struct stat ours, there;
    if (PCRTOOL_UNINTERRUPTED(fstat(fd, &ours)))
        return -1;
    if (PCRTOOL_UNINTERRUPTED(fstatat(folder_fd, temp, &there, AT_SYMLINK_NOFOLLOW)))
        return errno == ENOENT ? 0 : -1;
    return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* Opens a file that another process made, and waits for its lock; removes it if that process is
 * dead. Returns 0, also if the file is gone already. */
static int wait_for_other(int folder_fd)
{
    int fd = PCRTOOL_UNINTERRUPTED(
        openat(folder_fd, temp, O_NOFOLLOW | O_CLOEXEC | O_RDONLY | O_NONBLOCK));
    if (fd < 0)
        return errno == ENOENT ? 0 : -1; /* it was just renamed */
    int rc = lock_file(fd);
    if (!rc && (rc = is_still_there(folder_fd, fd)) > 0)
        rc = PCRTOOL_UNINTERRUPTED(unlinkat(folder_fd, temp, 0)) && errno != ENOENT ? -1 : 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return rc;
}

/* Makes a new, locked file. Waits while another process has one in the folder. */
static int open_temp(int folder_fd)
{
    enum { TRIES = 1000 }; /* each other process that interferes costs one */
    for (int i = 0; i < TRIES; i++) {
        int fd = PCRTOOL_UNINTERRUPTED(openat(
            folder_fd, temp, O_NOFOLLOW | O_CLOEXEC | O_WRONLY | O_CREAT | O_EXCL, 0666));
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd < 0 && wait_for_other(folder_fd))
            return -1;
        if (fd < 0)
            continue;
        /* Another process may have locked it first, and taken this one for dead. */
        int there = lock_file(fd) ? -1 : is_still_there(folder_fd, fd);
        if (there > 0)
            return fd;
        int saved = errno;
        if (there < 0)
            (void) PCRTOOL_UNINTERRUPTED(unlinkat(folder_fd, temp, 0));
        close(fd);
        errno = saved;
        if (there < 0)
            return -1;
    }
    errno = EAGAIN;
    return -1;
}

static int write_file(int folder_fd, const char *name, const void *data, size_t nbytes)
{
    int fd = open_temp(folder_fd);
    if (fd < 0)
        return -1;
    /* The lock belongs to the file and ends with the last close. */
    int lock = PCRTOOL_UNINTERRUPTED(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    int rc = lock < 0 ? -1 : write_all(fd, data, nbytes), saved = errno;
    /* Late errors of writing. After a signal Linux has closed it all the same. */
    if (close(fd) && errno != EINTR && !rc) {
        rc = -1;
        saved = errno;
    }
    if (!rc) {
        rc = PCRTOOL_UNINTERRUPTED(renameat(folder_fd, temp, folder_fd, name));
        saved = errno;
    }
    if (rc)
        (void) PCRTOOL_UNINTERRUPTED(unlinkat(folder_fd, temp, 0));
    if (lock >= 0 && close(lock) && errno != EINTR && !rc) {
        rc = -1;
        saved = errno;
    }
    errno = saved;
    return rc;
}

/* Writes into what exists: a device, a pipe, the target of a symbolic link. */
static int write_into(const char *path, const struct pcr_buffer *bytes)
{
    FILE *f = fopen(path, "we");
    if (!f)
        return -1;
    size_t n = fwrite(bytes->data, 1, bytes->nbytes, f);
    return fclose(f) || n != bytes->nbytes ? -1 : 0;
}

int pcrtool_write_path(const char *path, const struct pcr_buffer *bytes)
{
    struct stat st;
    bool there = !PCRTOOL_UNINTERRUPTED(lstat(path, &st));
    if (!there && errno != ENOENT) /* it may be something that must not be replaced */
        return -1;
    if (there && !S_ISREG(st.st_mode))
        return write_into(path, bytes);

    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *folder = slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");
    if (!folder)
        return -1;
    int fd = PCRTOOL_UNINTERRUPTED(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    free(folder);
    if (fd < 0)
        return -1;
    int rc = write_file(fd, name, bytes->data, bytes->nbytes);
    int saved = errno;
    close(fd);
    errno = saved;
    return rc;
}
