/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a cache keeps its files, and how many bytes: in a folder that several processes may
 * share, or in memory. What came first stays. If a dataset is larger than the bound, each
 * epoch then finds the same part; a cache that kept the latest reads would find nothing.
 *
 * Only files that nobody has open, and nobody has opened since this store was created, are
 * deleted to make room, such as those of another dataset or an older version. Only the times
 * of files in the folder are compared: other clocks, of this machine or a file server, may be
 * early or late. Whoever has a file open holds a shared lock on it. */
#define _GNU_SOURCE /* memfd_create, flock */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layer.h"

static const char suffix[] = ".pcrcache";

struct entry { /* a file in memory */
    uint64_t name;
    int fd;
};

struct pcri_store {
    int dir_fd; /* -1: memory */
    uint64_t max_nbytes;
    struct timespec created; /* by the folder's file system */
    pthread_mutex_t mutex;   /* of what follows */
    uint64_t nbytes;         /* kept, as far as is known here */
    uint64_t added;          /* since the folder was looked at */
    bool full;
    struct entry *entries;
    size_t entry_count;
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Whether anybody has it open. Without locks, the times must do. */
static bool is_in_use(const struct pcri_store *s, const char *name)
{
    int fd = PCRI_UNINTERRUPTED(
        openat(s->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    bool used = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return used;
}

/* Adds up the bytes of all cache files, and unlinks those that nobody uses, until evict_nbytes
 * are free. False if the folder cannot be listed. */
static bool look_through(const struct pcri_store *s, uint64_t evict_nbytes, uint64_t *out)
{
    uint64_t total = 0;
    struct stat st;
    int fd = PCRI_UNINTERRUPTED(openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR *d = fd < 0 ? NULL : PCRI_UNINTERRUPTED_POINTER(fdopendir(fd));
    if (!d) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        errno = saved;
        return false;
    }
    for (struct dirent *e; (e = PCRI_UNINTERRUPTED_POINTER(readdir(d)));) {
        size_t n = strlen(e->d_name);
        if (n <= strlen(suffix) || strcmp(e->d_name + n - strlen(suffix), suffix) ||
            PCRI_UNINTERRUPTED(fstatat(s->dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW)))
            continue;
        uint64_t nbytes = (uint64_t) st.st_blocks * 512;
        if (evict_nbytes && is_before(&st.st_mtim, &s->created) && !is_in_use(s, e->d_name) &&
            !PCRI_UNINTERRUPTED(unlinkat(s->dir_fd, e->d_name, 0)))
            evict_nbytes -= nbytes < evict_nbytes ? nbytes : evict_nbytes;
        else
            total += nbytes;
    }
    closedir(d);
    *out = total;
    return true;
}

/* The time that a file gets that is made now; 0 seconds, so that nothing makes room, if none
 * can be. */
static struct timespec folder_time(const struct pcri_store *s)
{
    /* One name for all, so that processes that are killed here leave no more than one file. */
    static const char name[] = ".pcrcache-now";
    struct stat st = { 0 };
    int fd = PCRI_UNINTERRUPTED(
        openat(s->dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (fd < 0)
        return st.st_mtim;
    if (PCRI_UNINTERRUPTED(futimens(fd, NULL)) || PCRI_UNINTERRUPTED(fstat(fd, &st)))
        st = (struct stat) { 0 };
    close(fd);
    (void) PCRI_UNINTERRUPTED(unlinkat(s->dir_fd, name, 0));
    return st.st_mtim;
}

static int open_folder(struct pcri_store *s, const char *dir, struct pcr_error *err)
{
    if (PCRI_UNINTERRUPTED(mkdir(dir, 0777)) && errno != EEXIST)
        return pcri_fail_sys(err, errno, "%s: cannot create the cache folder", dir);
    s->dir_fd = PCRI_UNINTERRUPTED(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (s->dir_fd < 0 || PCRI_UNINTERRUPTED(faccessat(s->dir_fd, ".", W_OK | X_OK, 0)))
        return pcri_fail_sys(err, errno, "%s: not usable as a cache folder", dir);
    s->created = folder_time(s);
    if (!look_through(s, 0, &s->nbytes))
        return pcri_fail_sys(err, errno, "%s: cannot list the cache folder", dir);
    return 0;
}

int pcri_store_create(const char *dir, uint64_t max_nbytes, struct pcri_store **out,
                      struct pcr_error *err)
{
    struct pcri_store *s = pcri_calloc(1, sizeof(*s), err);
    if (!s)
        return PCR_ERR_NOMEM;
    s->dir_fd = -1;
    s->max_nbytes = max_nbytes;
    s->mutex = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
    int rc = dir ? open_folder(s, dir, err) : 0;
    if (rc)
        pcri_store_destroy(&s);
    *out = s;
    return rc;
}

void pcri_store_destroy(struct pcri_store **store)
{
    struct pcri_store *s = *store;
    if (!s)
        return;
    if (s->dir_fd >= 0)
        close(s->dir_fd);
    for (size_t i = 0; i < s->entry_count; i++)
        close(s->entries[i].fd);
    free(s->entries);
    pthread_mutex_destroy(&s->mutex);
    free(s);
    *store = NULL;
}

static int open_in_memory(struct pcri_store *s, uint64_t name)
{
    for (size_t i = 0; i < s->entry_count; i++)
        if (s->entries[i].name == name)
            return fcntl(s->entries[i].fd, F_DUPFD_CLOEXEC, 0);
    if (pcri_resize(&s->entries, s->entry_count + 1, sizeof(*s->entries), NULL))
        return -1;
    int fd = memfd_create("pcrcache", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    s->entries[s->entry_count++] = (struct entry) { name, fd };
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int pcri_store_open(struct pcri_store *s, const struct pcri_file *f)
{
    uint64_t name;
    char text[16 + sizeof(suffix)];
    if (!pcri_file_identify(f, &name))
        return -1;
    if (s->dir_fd < 0) {
        pthread_mutex_lock(&s->mutex);
        int fd = open_in_memory(s, name);
        pthread_mutex_unlock(&s->mutex);
        return fd;
    }
    snprintf(text, sizeof(text), "%016llx%s", (unsigned long long) name, suffix);
    int fd = PCRI_UNINTERRUPTED(
        openat(s->dir_fd, text, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (fd >= 0) { /* it is used; at worst it makes room too early */
        (void) PCRI_UNINTERRUPTED(flock(fd, LOCK_SH | LOCK_NB));
        (void) PCRI_UNINTERRUPTED(futimens(fd, NULL));
    }
    return fd;
}

pthread_mutex_t *pcri_store_lock(struct pcri_store *s)
{
    return &s->mutex;
}

bool pcri_store_reserve(struct pcri_store *s, uint64_t nbytes)
{
    pthread_mutex_lock(&s->mutex);
    uint64_t max = s->max_nbytes;
    /* Others may have added to the folder, so that it is looked at again now and then. */
    bool look = s->dir_fd >= 0 && !s->full && (s->nbytes + nbytes > max || s->added > max / 8);
    if (look) {
        uint64_t over = s->nbytes + nbytes > max ? s->nbytes + nbytes - max : 0;
        if (look_through(s, over, &s->nbytes)) /* else later */
            s->added = 0;
    }
    bool room = !s->full && nbytes <= max && s->nbytes <= max - nbytes;
    if (room) {
        s->nbytes += nbytes;
        s->added += nbytes;
    } else {
        s->full = true;
    }
    pthread_mutex_unlock(&s->mutex);
    return room;
}
