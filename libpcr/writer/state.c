/* SPDX-License-Identifier: BSD-2-Clause */
/* The state file of an unfinished conversion, `.pcr-convert` in the dataset's folder.
 *
 * It is the lock between writers (flock on it), and it says by a fingerprint which
 * conversion the records in the folder belong to. The policy for bad inputs stands apart:
 * records that were finished under "fail" have no bad inputs, and are what every other
 * policy would have made. The writer that completes the dataset removes the file, so who
 * gets the lock looks whether the file is still the one in the folder.
 *
 * The text is written to a temporary file, which is locked and takes the state file's place
 * when it is safe: the file is empty or complete, and ends in a checksum. A file system that lost
 * power may leave a part of it, and a bit may turn. Such a state says nothing of the folder's
 * records: it counts as none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../io/storage.h"
#include "write.h"

static const char state_name[] = ".pcr-convert";
static const char temp_prefix[] = ".pcr-tmp-";

static const char first_line[] = "libpcr conversion 1\n";

enum {
    LOCK_TRIES = 1000,    /* each other writer that finishes costs one */
};

/* What is in the folder. */
struct contents {
    bool manifest;
    uint64_t record_count; /* files that end in .pcr */
};

static bool ends_in_pcr(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && !strcmp(name + n - 4, ".pcr");
}

/* remove_temps: also removes what killed writers left. */
static int scan(const char *dir, bool remove_temps, struct contents *c,
                struct pcr_error *err)
{
    DIR *d = PCRI_UNINTERRUPTED_POINTER(opendir(dir));
    if (!d)
        return pcri_fail_sys(err, errno, "%s: cannot open the folder", dir);
    *c = (struct contents) { 0 };
    int rc = 0;
    for (;;) {
        const struct dirent *e = PCRI_UNINTERRUPTED_POINTER(readdir(d));
        if (!e)
            break;
        c->manifest |= !strcmp(e->d_name, PCRI_MANIFEST_NAME);
        c->record_count += ends_in_pcr(e->d_name) && e->d_name[0] != '.';
        if (remove_temps && !strncmp(e->d_name, temp_prefix, sizeof(temp_prefix) - 1) &&
            PCRI_UNINTERRUPTED(unlinkat(dirfd(d), e->d_name, 0))) {
            rc = pcri_fail_sys(err, errno, "%s/%s: cannot remove", dir, e->d_name);
            break;
        }
    }
    if (!rc && errno)
        rc = pcri_fail_sys(err, errno, "%s: cannot read the folder", dir);
    closedir(d);
    return rc;
}

/* Opens and locks the state file, making it if there is none. */
static int lock_file(struct pcri_write_state *s, const char *dir, struct pcr_error *err)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        struct stat ours, there;
        s->fd = PCRI_UNINTERRUPTED(open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                                        0666));
        if (s->fd < 0)
            return pcri_fail_sys(err, errno, "%s: cannot create", s->path);
        if (PCRI_UNINTERRUPTED(flock(s->fd, LOCK_EX | LOCK_NB))) {
            if (errno != EWOULDBLOCK)
                return pcri_fail_sys(err, errno, "%s: cannot lock", s->path);
            pcri_fail(err, PCR_ERR_IO, "%s: another conversion is writing this folder",
                      dir);
            if (err)
                err->sys_errno = EWOULDBLOCK;
            return PCR_ERR_IO;
        }
        if (PCRI_UNINTERRUPTED(fstat(s->fd, &ours)))
            return pcri_fail_sys(err, errno, "%s: cannot stat", s->path);
        bool found = !PCRI_UNINTERRUPTED(stat(s->path, &there));
        if (!found && errno != ENOENT)
            return pcri_fail_sys(err, errno, "%s: cannot stat", s->path);
        if (found && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
            return 0;
        close(s->fd); /* its holder removed or replaced it meanwhile */
        s->fd = -1;
    }
    return pcri_fail_sys(err, EWOULDBLOCK, "%s: other conversions come and go in this folder",
                         dir);
}

void pcri_state_render(const struct pcri_state_text *t, char out[PCRI_STATE_NBYTES + 1])
{
    int n = snprintf(out, PCRI_STATE_NBYTES + 1, "%sfingerprint %016llx\nbad-policy %u\n",
                     first_line, (unsigned long long) t->fingerprint,
                     (unsigned) t->bad_policy % 10);
    snprintf(out + n, PCRI_STATE_NBYTES + 1 - (size_t) n, "check %016llx\n",
             (unsigned long long) pcri_xxh3(out, (size_t) n));
}

/* Is it a state's text, but for what was lost or changed? */
static bool is_damaged(const char *text, size_t nbytes)
{
    size_t line = sizeof(first_line) - 1;
    return !text[0] || !memcmp(text, first_line, nbytes < line ? nbytes : line);
}

void pcri_state_parse(const char *text, size_t nbytes, struct pcri_state_text *out)
{
    char copy[PCRI_STATE_NBYTES + 1] = "", again[PCRI_STATE_NBYTES + 1] = "";
    unsigned long long value;
    unsigned policy;
    *out = (struct pcri_state_text) { .is = PCRI_STATE_NOTHING };
    if (!nbytes)
        return;
    out->is = is_damaged(text, nbytes) ? PCRI_STATE_DAMAGED : PCRI_STATE_FOREIGN;
    if (nbytes != PCRI_STATE_NBYTES)
        return;
    memcpy(copy, text, nbytes);
    if (sscanf(copy + sizeof(first_line) - 1, "fingerprint %16llx\nbad-policy %1u\n", &value,
               &policy) != 2)
        return;
    struct pcri_state_text said = { PCRI_STATE_WHOLE, value, policy };
    pcri_state_render(&said, again);
    if (!memcmp(text, again, nbytes))
        *out = said;
}

static int read_state(const struct pcri_write_state *s, struct pcri_state_text *out,
                      struct pcr_error *err)
{
    enum { MOST_NBYTES = 1 << 16 };
    struct pcr_buffer b = { 0 };
    int rc = pcri_storage_read(&pcri_files, s->path, MOST_NBYTES, PCRI_TRIES_AGAIN, &b, err);
    *out = (struct pcri_state_text) { .is = PCRI_STATE_FOREIGN };
    if (!rc)
        pcri_state_parse((const char *) b.data, b.nbytes, out);
    pcr_buffer_free(&b);
    if (rc && rc != PCR_ERR_LIMIT)
        return rc;
    if (out->is != PCRI_STATE_FOREIGN)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "%s: not a state that this version knows; choose another folder",
                     s->path);
}

static int sync_folder(const char *dir, struct pcr_error *err)
{
    int fd = PCRI_UNINTERRUPTED(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return pcri_fail_sys(err, errno, "%s: cannot open the folder", dir);
    int rc = pcri_sync_folder(fd, dir, err);
    close(fd);
    return rc;
}

/* Writes the text to the file that was locked last, and makes it the state file. */
static int publish_state(const struct pcri_write_state *s, int fd, const char *temp,
                         const char *dir, const char *text, struct pcr_error *err)
{
    int rc = pcri_write_all(fd, text, strlen(text), err);
    if (rc)
        return pcri_prefix(err, rc, "%s", s->path);
    if (PCRI_UNINTERRUPTED(flock(fd, LOCK_EX | LOCK_NB)))
        return pcri_fail_sys(err, errno, "%s: cannot lock", s->path);
    if (PCRI_UNINTERRUPTED(fsync(fd)))
        return pcri_fail_sys(err, errno, "%s: cannot sync", s->path);
    if (PCRI_UNINTERRUPTED(rename(temp, s->path)))
        return pcri_fail_sys(err, errno, "%s: cannot rename", s->path);
    return sync_folder(dir, err);
}

/* Under the lock, which goes over to the new file. */
static int write_state(struct pcri_write_state *s, const char *dir,
                       const struct pcri_state_text *state, struct pcr_error *err)
{
    static const char name[] = ".pcr-tmp-convert";
    char text[PCRI_STATE_NBYTES + 1];
    size_t n = strlen(dir) + 1 + sizeof(name);
    char *temp = pcri_malloc(n, 1, err);
    if (!temp)
        return PCR_ERR_NOMEM;
    snprintf(temp, n, "%s/%s", dir, name);
    pcri_state_render(state, text);
    int fd = PCRI_UNINTERRUPTED(open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                                     0666));
    int rc = fd < 0 ? pcri_fail_sys(err, errno, "%s: cannot create", temp)
                    : publish_state(s, fd, temp, dir, text, err);
    if (rc && fd >= 0) {
        (void) PCRI_UNINTERRUPTED(unlink(temp));
        close(fd);
    } else if (!rc) {
        close(s->fd);
        s->fd = fd;
    }
    free(temp);
    return rc;
}

static int refuse(const char *dir, const struct contents *c, bool stateless,
                  struct pcr_error *err)
{
    if (c->manifest)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: already holds another dataset", dir);
    return pcri_fail(err, PCR_ERR_INVAL,
                     "%s: holds %llu record(s) of an unfinished conversion %s: delete it or "
                     "choose another folder", dir, (unsigned long long) c->record_count,
                     stateless ? "whose state (.pcr-convert) is lost or damaged"
                               : "with other options or sources");
}

/* Under the lock: is this folder ours to write into? */
static int take_folder(struct pcri_write_state *s, const char *dir, uint64_t fingerprint,
                       uint32_t bad_policy, struct pcr_error *err)
{
    const struct pcri_state_text state = { PCRI_STATE_WHOLE, fingerprint, bad_policy };
    struct contents c;
    struct pcri_state_text old;
    int rc = scan(dir, false, &c, err);
    if (!rc)
        rc = read_state(s, &old, err);
    if (rc)
        return rc;
    bool ours = old.is == PCRI_STATE_WHOLE && old.fingerprint == fingerprint &&
                (old.bad_policy == bad_policy || old.bad_policy == PCR_BAD_FAIL);
    if (!ours && (c.manifest || c.record_count)) {
        /* Made by us just now, or by one that did nothing more? */
        if (old.is == PCRI_STATE_NOTHING)
            (void) PCRI_UNINTERRUPTED(unlink(s->path));
        return refuse(dir, &c, old.is != PCRI_STATE_WHOLE, err);
    }
    rc = scan(dir, true, &c, err);
    if (!rc && (!ours || old.bad_policy != bad_policy))
        rc = write_state(s, dir, &state, err);
    return rc;
}

/* What is safe in a folder is lost with the folder. Who may not read the parent cannot make it
 * safer. */
static int sync_parent(const char *dir, struct pcr_error *err)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    while (n && dir[n - 1] != '/')
        n--;
    char *parent = n ? pcri_strndup(dir, n, err) : pcri_strndup(".", 1, err);
    if (!parent)
        return PCR_ERR_NOMEM;
    int rc = PCRI_UNINTERRUPTED(access(parent, R_OK)) && errno == EACCES
                 ? 0 : sync_folder(parent, err);
    free(parent);
    return rc;
}

static int make_folder(const char *dir, const char *path, struct pcr_error *err)
{
    struct stat st;
    struct contents c;
    if (!PCRI_UNINTERRUPTED(mkdir(dir, 0777)))
        return 0;
    if (errno != EEXIST)
        return pcri_fail_sys(err, errno, "%s: cannot make the folder", dir);
    if (PCRI_UNINTERRUPTED(stat(dir, &st)))
        return pcri_fail_sys(err, errno, "%s: cannot stat", dir);
    if (!S_ISDIR(st.st_mode))
        return pcri_fail(err, PCR_ERR_INVAL, "%s: not a folder", dir);
    /* A finished dataset is left alone, down to its time of change. */
    if (!PCRI_UNINTERRUPTED(lstat(path, &st)))
        return 0;
    int rc = scan(dir, false, &c, err);
    return !rc && c.manifest ? refuse(dir, &c, true, err) : rc;
}

static char *state_path(const char *dir, struct pcr_error *err)
{
    size_t n = strlen(dir);
    char *path = pcri_malloc(n + 1 + sizeof(state_name), 1, err);
    if (path)
        snprintf(path, n + 1 + sizeof(state_name), "%s/%s", dir, state_name);
    return path;
}

int pcri_write_state_find(const char *dir, bool *found, struct pcr_error *err)
{
    struct stat st;
    char *path = state_path(dir, err);
    if (!path)
        return PCR_ERR_NOMEM;
    *found = !PCRI_UNINTERRUPTED(lstat(path, &st));
    int rc = *found || errno == ENOENT || errno == ENOTDIR
                 ? 0 : pcri_fail_sys(err, errno, "%s: cannot stat", path);
    free(path);
    return rc;
}

int pcri_write_state_open(struct pcri_write_state *s, const char *dir, uint64_t fingerprint,
                          uint32_t bad_policy, struct pcr_error *err)
{
    s->fd = -1;
    s->path = state_path(dir, err);
    if (!s->path)
        return PCR_ERR_NOMEM;
    int rc = make_folder(dir, s->path, err);
    if (!rc)
        rc = lock_file(s, dir, err);
    if (!rc)
        rc = sync_parent(dir, err);
    if (!rc)
        rc = take_folder(s, dir, fingerprint, bad_policy, err);
    if (rc)
        pcri_write_state_close(s);
    return rc;
}

int pcri_write_state_finish(struct pcri_write_state *s, struct pcr_error *err)
{
    int rc = PCRI_UNINTERRUPTED(unlink(s->path))
                 ? pcri_fail_sys(err, errno, "%s: cannot remove", s->path) : 0;
    pcri_write_state_close(s);
    return rc;
}

void pcri_write_state_close(struct pcri_write_state *s)
{
    if (s->fd >= 0)
        close(s->fd); /* and with it the lock */
    free(s->path);
    *s = (struct pcri_write_state) { .fd = -1 };
}
