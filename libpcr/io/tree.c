/* SPDX-License-Identifier: BSD-2-Clause */
/* Files below a folder, under names that somebody else chose. */
#define _GNU_SOURCE /* renameat2 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "local.h"
#include "tree.h"

/* A file is written under this name in the tree's folder. */
static const char temp[] = PCRI_LOCAL_TEMP "file";

const char *pcri_tree_unsafe(const char *key)
{
    if (!*key)
        return "it is empty";
    if (*key == '/')
        return "it is absolute";
    for (const char *p = key;; p++) {
        size_t n = strcspn(p, "/");
        if (n == 0)
            return "it has an empty component";
        if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return "it has '.' or '..' in it";
        if (!strncmp(p, PCRI_LOCAL_TEMP, sizeof(PCRI_LOCAL_TEMP) - 1) ||
            (n == sizeof(PCRI_TREE_CLAIM) - 1 && !memcmp(p, PCRI_TREE_CLAIM, n)))
            return "a component is the name of unfinished files";
        p += n;
        if (!*p)
            return NULL;
    }
}

int pcri_tree_open(const char *path, struct pcri_file_tree *t, struct pcr_error *err)
{
    *t = (struct pcri_file_tree) {
        .path = path, .fd = PCRI_UNINTERRUPTED(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    };
    if (t->fd < 0)
        return pcri_fail_sys(err, errno, "%s: cannot open the folder", path);
    if (PCRI_UNINTERRUPTED(unlinkat(t->fd, temp, 0)) && errno != ENOENT) {
        int rc = pcri_fail_sys(err, errno, "%s/%s: cannot remove", path, temp);
        pcri_tree_close(t);
        return rc;
    }
    return 0;
}

void pcri_tree_close(struct pcri_file_tree *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

/* Opens a folder, making it if it is missing, never through a symbolic link. -1 and errno. */
static int open_folder(int parent_fd, const char *name, size_t nbytes)
{
    char part[256];
    if (nbytes >= sizeof(part)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(part, name, nbytes);
    part[nbytes] = '\0';
    if (PCRI_UNINTERRUPTED(mkdirat(parent_fd, part, 0777)) && errno != EEXIST)
        return -1;
    return PCRI_UNINTERRUPTED(
        openat(parent_fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* Opens the folders of `key`. The last one's descriptor, or -1 and errno; *name_out is the part
 * of `key` after it. */
static int open_parent(int root_fd, const char *key, const char **name_out)
{
    int fd = PCRI_UNINTERRUPTED(fcntl(root_fd, F_DUPFD_CLOEXEC, 0));
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

/* Gives the temporary file its name. 0, or errno. */
static int publish(int from_fd, int to_fd, const char *name, bool replace)
{
    if (replace)
        return PCRI_UNINTERRUPTED(renameat(from_fd, temp, to_fd, name)) ? errno : 0;
#ifdef RENAME_NOREPLACE
    if (!PCRI_UNINTERRUPTED(renameat2(from_fd, temp, to_fd, name, RENAME_NOREPLACE)))
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
#endif
    /* The file system or the C library lacks it; a hard link does not replace either. */
    if (PCRI_UNINTERRUPTED(linkat(from_fd, temp, to_fd, name, 0)) ||
        PCRI_UNINTERRUPTED(unlinkat(from_fd, temp, 0)))
        return errno;
    return 0;
}

/* Sets mode and time. File systems that have none say EPERM, or that they do not know how. */
static int set_info(int fd, const struct pcr_file_info *info, struct pcr_error *err)
{
    enum { SECOND_NS = 1000000000 };
    const int64_t rest = (info->mtime_ns % SECOND_NS + SECOND_NS) % SECOND_NS;
    const struct timespec times[2] = {
        { .tv_nsec = UTIME_OMIT },
        { .tv_sec = (time_t) ((info->mtime_ns - rest) / SECOND_NS), .tv_nsec = (long) rest },
    };
    int failed = 0;
    if (info->known & PCR_FILE_MODE && PCRI_UNINTERRUPTED(fchmod(fd, (mode_t) info->mode)))
        failed = errno;
    if (info->known & PCR_FILE_TIME && PCRI_UNINTERRUPTED(futimens(fd, times)))
        failed = errno;
    return !failed || failed == EPERM || failed == EOPNOTSUPP || failed == ENOSYS
               ? 0
               : pcri_fail_sys(err, failed, "cannot set its mode and time");
}

/* What a file shall hold: bytes or a tape. */
struct content {
    const void *data;
    size_t nbytes;
    const struct pcri_tape *tape;
    struct pcr_file_info info; /* mode and time */
};

static int write_piece(void *context, const void *data, size_t nbytes, struct pcr_error *err)
{
    return pcri_local_write_all(*(const int *) context, data, nbytes, err);
}

static int write_temp(int folder_fd, const struct content *c, struct pcr_error *err)
{
    int fd = PCRI_UNINTERRUPTED(
        openat(folder_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (fd < 0)
        return pcri_fail_sys(err, errno, "cannot create");
    int rc = c->tape ? pcri_tape_play(c->tape, write_piece, &fd, err)
                     : write_piece(&fd, c->data, c->nbytes, err);
    if (!rc)
        rc = set_info(fd, &c->info, err);
    /* Late errors of writing. After a signal Linux has closed it all the same. */
    if (close(fd) && errno != EINTR && !rc)
        rc = pcri_fail_sys(err, errno, "cannot close");
    return rc;
}

static int fail_key(struct pcr_error *err, int sys_errno, const char *key)
{
    if (sys_errno == EEXIST) {
        int rc = pcri_fail(err, PCR_ERR_IO, "%s: the file exists already", key);
        if (err)
            err->sys_errno = EEXIST;
        return rc;
    }
    if (sys_errno == ELOOP || sys_errno == ENOTDIR)
        return pcri_fail_sys(err, sys_errno,
                             "%s: a part of its path is a file or a symbolic link", key);
    return pcri_fail_sys(err, sys_errno, "%s", key);
}

static int write_file(const struct pcri_file_tree *t, const char *key, const struct content *c,
                      bool replace, struct pcr_error *err)
{
    const char *name;
    struct stat st;
    int fd = open_parent(t->fd, key, &name), rc;
    if (fd < 0)
        return fail_key(err, errno, key);
    if (!replace && !PCRI_UNINTERRUPTED(fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))) {
        close(fd);
        return fail_key(err, EEXIST, key); /* known before anything is written */
    }
    rc = write_temp(t->fd, c, err);
    if (rc)
        rc = pcri_prefix(err, rc, "%s", key);
    int published = rc ? 0 : publish(t->fd, fd, name, replace);
    if (published)
        rc = fail_key(err, published, key);
    if (rc)
        (void) PCRI_UNINTERRUPTED(unlinkat(t->fd, temp, 0));
    close(fd);
    return rc;
}

int pcri_tree_write(const struct pcri_file_tree *t, const char *key, const void *data,
                    size_t nbytes, const struct pcr_file_info *info, bool replace,
                    struct pcr_error *err)
{
    const struct content c = { .data = data, .nbytes = nbytes, .info = *info };
    return write_file(t, key, &c, replace, err);
}

int pcri_tree_put(const struct pcri_file_tree *t, const char *key,
                  const struct pcri_tape *tape, bool replace, struct pcr_error *err)
{
    const struct content c = { .tape = tape };
    return write_file(t, key, &c, replace, err);
}
