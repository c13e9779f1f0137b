/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that is killed before and after each system call that changes a file, and power that is
 * lost there: what is published is whole, readers of the rest get a clear error, and the same
 * work done again ends as if nothing had been, without stray files.
 *
 * usage: fault-kills [STEP]   every STEP-th moment of each scenario; 1: every one
 *
 * The program is linked with --wrap: the work is done by a child, whose calls come here first
 * and are noted in memory that both share. After a loss of power the parent replays them: there
 * may be of a file what was there at its last fsync() or more, and of a folder likewise. */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pcr/dataset.h>
#include <pcr/export.h>

#include "base/base.h"
#include "fault.h"
#include "generator.h"
#include "leave.h"
#include "write_source.h"

enum { MAX_OPS = 4096, PATH_NBYTES = 160, BLOB_NBYTES = 8 << 20, MAX_FDS = 256 };

/* --- what the child does --- */

enum kind { MKDIR, OPEN, WRITE, SYNC, RENAME, UNLINK };

struct op {
    enum kind kind;
    int fd, flags;
    int64_t offset;    /* -1: where the descriptor is */
    size_t at, nbytes; /* in the blob */
    char path[PATH_NBYTES], to[PATH_NBYTES];
};

static struct shared {
    atomic_long moments;
    long kill_at;       /* 0: not */
    uint64_t right_sum; /* of what is read through a cache */
    size_t op_count, blob_nbytes;
    struct op ops[MAX_OPS];
    uint8_t blob[BLOB_NBYTES];
} * shared;

static bool counting; /* in the child alone */
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

static void at_moment(void)
{
    if (counting && atomic_fetch_add(&shared->moments, 1) + 1 == shared->kill_at) {
        kill(getpid(), SIGKILL);
        for (;;)
            pause();
    }
}

static void full_path(int dir_fd, const char *name, char out[PATH_NBYTES])
{
    char link[64], dir[PATH_NBYTES / 2] = "";
    if (*name != '/' && dir_fd >= 0) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
        ssize_t n = readlink(link, dir, sizeof(dir) - 1);
        dir[n > 0 ? n : 0] = '\0';
        snprintf(out, PATH_NBYTES, "%s/%.70s", dir, name);
    } else {
        snprintf(out, PATH_NBYTES, "%.150s", name);
    }
    for (size_t n = strlen(out); n > 1 && out[n - 1] == '/'; n--)
        out[n - 1] = '\0';
}

static void note(const struct op *op, const void *bytes)
{
    if (!counting)
        return;
    pthread_mutex_lock(&log_mutex);
    size_t n = op->kind == WRITE ? op->nbytes : 0;
    if (shared->op_count == MAX_OPS || n > BLOB_NBYTES - shared->blob_nbytes)
        abort();
    struct op *o = &shared->ops[shared->op_count];
    *o = *op;
    o->at = shared->blob_nbytes;
    if (n)
        memcpy(shared->blob + o->at, bytes, n);
    shared->blob_nbytes += n;
    shared->op_count++;
    pthread_mutex_unlock(&log_mutex);
}

int __real_open64(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, mode_t mode)
{
    struct op op = { .kind = OPEN, .flags = flags };
    bool makes = flags & O_CREAT;
    if (makes)
        at_moment();
    int fd = op.fd = __real_open64(path, flags, mode);
    full_path(-1, path, op.path);
    if (fd >= 0)
        note(&op, NULL);
    if (makes)
        at_moment();
    return fd;
}

int __real_openat64(int dir_fd, const char *path, int flags, mode_t mode);
int __wrap_openat64(int dir_fd, const char *path, int flags, mode_t mode);
int __wrap_openat64(int dir_fd, const char *path, int flags, mode_t mode)
{
    struct op op = { .kind = OPEN, .flags = flags };
    bool makes = flags & O_CREAT;
    if (makes)
        at_moment();
    int fd = op.fd = __real_openat64(dir_fd, path, flags, mode);
    full_path(dir_fd, path, op.path);
    if (fd >= 0)
        note(&op, NULL);
    if (makes)
        at_moment();
    return fd;
}

static ssize_t wrote(int fd, const void *p, ssize_t n, int64_t offset)
{
    const struct op op = { .kind = WRITE, .fd = fd, .offset = offset, .nbytes = (size_t) n };
    if (n > 0)
        note(&op, p);
    at_moment();
    return n;
}

ssize_t __real_write(int fd, const void *p, size_t nbytes);
ssize_t __wrap_write(int fd, const void *p, size_t nbytes);
ssize_t __wrap_write(int fd, const void *p, size_t nbytes)
{
    at_moment();
    return wrote(fd, p, __real_write(fd, p, nbytes), -1);
}

ssize_t __real_pwrite64(int fd, const void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t nbytes, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t nbytes, off_t offset)
{
    at_moment();
    return wrote(fd, p, __real_pwrite64(fd, p, nbytes, offset), offset);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    const struct op op = { .kind = SYNC, .fd = fd };
    at_moment();
    int rc = __real_fsync(fd);
    note(&op, NULL);
    at_moment();
    return rc;
}

/* A call that changes names has been made. */
static int renamed(enum kind kind, int dir_fd, const char *a, const char *b, int rc)
{
    struct op op = { .kind = kind };
    full_path(dir_fd, a, op.path);
    full_path(dir_fd, b, op.to);
    if (!rc)
        note(&op, NULL);
    at_moment();
    return rc;
}

int __real_rename(const char *a, const char *b);
int __wrap_rename(const char *a, const char *b);
int __wrap_rename(const char *a, const char *b)
{
    at_moment();
    return renamed(RENAME, -1, a, b, __real_rename(a, b));
}

int __real_renameat(int a_fd, const char *a, int b_fd, const char *b);
int __wrap_renameat(int a_fd, const char *a, int b_fd, const char *b);
int __wrap_renameat(int a_fd, const char *a, int b_fd, const char *b)
{
    at_moment();
    return renamed(RENAME, a_fd, a, b, __real_renameat(a_fd, a, b_fd, b));
}

int __real_renameat2(int a_fd, const char *a, int b_fd, const char *b, unsigned flags);
int __wrap_renameat2(int a_fd, const char *a, int b_fd, const char *b, unsigned flags);
int __wrap_renameat2(int a_fd, const char *a, int b_fd, const char *b, unsigned flags)
{
    at_moment();
    return renamed(RENAME, a_fd, a, b, __real_renameat2(a_fd, a, b_fd, b, flags));
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
    at_moment();
    return renamed(UNLINK, -1, path, "", __real_unlink(path));
}

int __real_unlinkat(int dir_fd, const char *path, int flags);
int __wrap_unlinkat(int dir_fd, const char *path, int flags);
int __wrap_unlinkat(int dir_fd, const char *path, int flags)
{
    at_moment();
    return renamed(UNLINK, dir_fd, path, "", __real_unlinkat(dir_fd, path, flags));
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    at_moment();
    return renamed(MKDIR, -1, path, "", __real_mkdir(path, mode));
}

int __real_mkdirat(int dir_fd, const char *path, mode_t mode);
int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode);
int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode)
{
    at_moment();
    return renamed(MKDIR, dir_fd, path, "", __real_mkdirat(dir_fd, path, mode));
}

/* --- folders --- */

static struct test_folder top;  /* holds all others */
static char work[PATH_NBYTES];  /* the folder that is worked on */
static char whole[PATH_NBYTES]; /* what it is when nothing comes between */

static const char *in_top(const char *name)
{
    static char paths[8][PATH_NBYTES];
    static unsigned turn;
    char *p = paths[turn++ & 7];
    snprintf(p, PATH_NBYTES, "%.60s/%.60s", top.path, name);
    return p;
}

static int run(const char *fmt, const char *a, const char *b)
{
    char command[600];
    snprintf(command, sizeof(command), fmt, a, b);
    return system(command);
}

static bool same_folders(const char *a, const char *b)
{
    return !run("diff -r %s %s >/dev/null", a, b);
}

static void read_file(const char *path, struct pcr_buffer *out)
{
    uint8_t block[4096];
    size_t n;
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    out->nbytes = 0;
    while ((n = fread(block, 1, sizeof(block), f)))
        ck_assert_int_eq(pcri_buffer_append(out, block, n, NULL), 0);
    fclose(f);
}

/* --- loss of power: the files of one folder, as they are and as they are on the disk --- */

enum loss { NO_LOSS, LOST, TORN, ZEROES, LOSSES };

static const char *const loss_names[LOSSES] = {
    "killed",
    "power lost, nothing more",
    "power lost, torn files",
    "power lost, zeroes",
};

enum { MAX_INODES = 512, NO_FILE = -1, FOLDER = -2, PARENT = -3 };

static struct {
    struct pcr_buffer now, safe;
} inodes[MAX_INODES];

static struct {
    char name[80];
    int now, safe; /* inodes */
} names[128];

static struct {
    int inode;
    size_t at;
} descriptors[MAX_FDS];

static int inode_count, name_count;
static bool folder_now, folder_safe;

static int find_name(const char *path)
{
    size_t n = strlen(work);
    if (strncmp(path, work, n) != 0 || path[n] != '/')
        return -1;
    for (int i = 0; i < name_count; i++)
        if (!strcmp(names[i].name, path + n + 1))
            return i;
    ck_assert_int_lt(name_count, 128);
    snprintf(names[name_count].name, sizeof(names[0].name), "%.70s", path + n + 1);
    names[name_count].now = names[name_count].safe = NO_FILE;
    return name_count++;
}

static int new_inode(void)
{
    ck_assert_int_lt(inode_count, MAX_INODES);
    inodes[inode_count].now.nbytes = inodes[inode_count].safe.nbytes = 0;
    return inode_count++;
}

static void copy(struct pcr_buffer *to, const struct pcr_buffer *from)
{
    to->nbytes = 0;
    ck_assert_int_eq(pcri_buffer_append(to, from->data, from->nbytes, NULL), 0);
}

/* What is there before the work begins is on the disk. */
static void start_model(void)
{
    char list[16][80], path[2 * PATH_NBYTES];
    int count = 0;
    inode_count = name_count = 0;
    for (int i = 0; i < MAX_FDS; i++)
        descriptors[i].inode = NO_FILE;
    folder_now = folder_safe = !access(work, F_OK);
    if (!folder_now)
        return;
    snprintf(path, sizeof(path), "ls -A %s", work);
    FILE *f = popen(path, "r");
    ck_assert_ptr_nonnull(f);
    while (count < 16 && fgets(list[count], sizeof(list[0]), f))
        list[count][strcspn(list[count], "\n")] = '\0', count++;
    pclose(f);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%.150s/%.79s", work, list[i]);
        int n = find_name(path);
        names[n].now = names[n].safe = new_inode();
        read_file(path, &inodes[names[n].now].now);
        copy(&inodes[names[n].now].safe, &inodes[names[n].now].now);
    }
}

static void replay_open(const struct op *op)
{
    int n = op->flags & O_DIRECTORY ? -1 : find_name(op->path);
    ck_assert_int_lt(op->fd, MAX_FDS);
    descriptors[op->fd].inode = !strcmp(op->path, work)       ? FOLDER
                                : !strcmp(op->path, top.path) ? PARENT
                                                              : NO_FILE;
    descriptors[op->fd].at = 0;
    if (n >= 0 && names[n].now == NO_FILE && op->flags & O_CREAT)
        names[n].now = new_inode();
    if (n < 0 || names[n].now == NO_FILE)
        return;
    if (op->flags & O_TRUNC)
        inodes[names[n].now].now.nbytes = 0;
    descriptors[op->fd].inode = names[n].now;
}

static void replay_write(const struct op *op)
{
    static const uint8_t zeroes[65536];
    if (descriptors[op->fd].inode < 0)
        return;
    struct pcr_buffer *b = &inodes[descriptors[op->fd].inode].now;
    size_t *at = &descriptors[op->fd].at, from = op->offset < 0 ? *at : (size_t) op->offset;
    size_t end = from + op->nbytes;
    if (op->offset < 0)
        *at = end;
    while (b->nbytes < end)
        ck_assert_int_eq(pcri_buffer_append(b, zeroes,
                                            end - b->nbytes < sizeof(zeroes) ? end - b->nbytes
                                                                             : sizeof(zeroes),
                                            NULL),
                         0);
    memcpy(b->data + from, shared->blob + op->at, op->nbytes);
}

static void replay_sync(const struct op *op)
{
    int inode = descriptors[op->fd].inode;
    if (inode >= 0)
        copy(&inodes[inode].safe, &inodes[inode].now);
    for (int i = 0; inode == FOLDER && i < name_count; i++)
        names[i].safe = names[i].now;
    if (inode == PARENT)
        folder_safe = folder_now;
}

static void replay(void)
{
    for (size_t i = 0; i < shared->op_count; i++) {
        const struct op *op = &shared->ops[i];
        int from = op->kind == RENAME || op->kind == UNLINK ? find_name(op->path) : -1;
        switch (op->kind) {
        case MKDIR:
            folder_now |= !strcmp(op->path, work);
            break;
        case OPEN:
            replay_open(op);
            break;
        case WRITE:
            replay_write(op);
            break;
        case SYNC:
            replay_sync(op);
            break;
        default:
            if (from >= 0 && op->kind == RENAME)
                names[find_name(op->to)].now = names[from].now;
            if (from >= 0)
                names[from].now = NO_FILE;
        }
    }
}

/* Of a file that was not synced, there is what was, or half of the rest, or its length. */
static void lose_bytes(int inode, enum loss loss, FILE *f)
{
    const struct pcr_buffer *now = &inodes[inode].now, *safe = &inodes[inode].safe;
    size_t more = now->nbytes > safe->nbytes ? now->nbytes - safe->nbytes : 0;
    size_t half = loss == TORN ? more / 2 : 0;
    if (safe->nbytes)
        fwrite(safe->data, 1, safe->nbytes, f);
    if (half)
        fwrite((const char *) now->data + safe->nbytes, 1, half, f);
    for (size_t i = 0; loss == ZEROES && i < more; i++)
        putc(0, f);
}

/* Makes the folder what is found when the power comes again. */
static void lose_power(enum loss loss)
{
    ck_assert_int_eq(run("rm -rf %s%s", work, ""), 0);
    if (!(loss == LOST ? folder_safe : folder_now))
        return;
    ck_assert_int_eq(run("mkdir %s%s", work, ""), 0);
    for (int i = 0; i < name_count; i++) {
        char path[2 * PATH_NBYTES];
        int inode = loss == LOST ? names[i].safe : names[i].now;
        if (inode == NO_FILE)
            continue;
        snprintf(path, sizeof(path), "%.150s/%.79s", work, names[i].name);
        FILE *f = fopen(path, "wb");
        ck_assert_ptr_nonnull(f);
        lose_bytes(inode, loss, f);
        ck_assert_int_eq(fclose(f), 0);
    }
}

/* --- scenarios --- */

static struct test_source source;
static char list_path[PATH_NBYTES];

int pcrtool_main(int argc, char **argv);

static int tool(const char *const *words)
{
    char *argv[16] = { (char *) (uintptr_t) "pcrtool" };
    int argc = 1;
    while (words[argc - 1]) {
        argv[argc] = (char *) (uintptr_t) words[argc - 1];
        argc++;
    }
    return pcrtool_main(argc, argv);
}

static struct pcr_write_options write_options(uint32_t threads)
{
    return (struct pcr_write_options) { .size = sizeof(struct pcr_write_options),
                                        .thread_count = threads,
                                        .record_samples = 3,
                                        .bad_policy = PCR_BAD_SKIP };
}

static int convert_with(uint32_t threads)
{
    const struct pcr_write_options o = write_options(threads);
    return pcr_dataset_write(work, &source.source, &o, NULL, NULL);
}

static int convert_one(void)
{
    return convert_with(1);
}

static int convert_two(void)
{
    return convert_with(2);
}

static int convert_list(void)
{
    const char *const words[] = { "convert",  "--quiet", "--threads", "1",  "--records", "2",
                                  "--on-bad", "skip",    list_path,   work, NULL };
    return tool(words) == 3 ? 0 : -1; /* inputs were left out */
}

/* The dataset in another coding. The source stays as it is. */
static int recode_with(const char *threads)
{
    const char *const words[] = { "recode",          "--quiet",  "--threads",
                                  threads,           "--coding", "scans",
                                  in_top("dataset"), work,       NULL };
    return tool(words);
}

static int recode_one(void)
{
    return recode_with("1");
}

static int recode_two(void)
{
    return recode_with("2");
}

/* Of equal files one is kept. */
static int convert_without_duplicates(void)
{
    const char *const words[] = {
        "convert",  "--quiet", "--threads", "1",  "--records", "2",
        "--on-bad", "skip",    list_path,   work, "--dedupe",  NULL
    };
    return tool(words) == 3 ? 0 : -1; /* one is no image */
}

/* Records of another format. */
static int convert_records(void)
{
    const char *const words[] = { "convert",   "--quiet", "--threads",          "1",
                                  "--records", "2",       in_top("a.tfrecord"), work,
                                  NULL };
    return tool(words);
}

/* Shards and their index. */
static int export_mds(void)
{
    const char *const words[] = {
        "extract",         "--quiet", "--force",         "--to", "mds",
        "--shard-samples", "3",       in_top("dataset"), work,   NULL
    };
    return tool(words);
}

static int extract(void)
{
    const char *const words[] = { "extract",         "--quiet", "--force", "--list",
                                  in_top("dataset"), work,      NULL };
    return tool(words);
}

/* Reads all of the dataset through the cache; what comes is always the same. */
static int read_cached(void)
{
    const struct pcr_dataset_options o = { .size = sizeof(o),
                                           .cache_dir = work,
                                           .cache_nbytes = 1 << 24 };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    struct pcr_buffer out = { 0 };
    uint64_t sum = 0;
    int rc = pcr_dataset_open(in_top("dataset"), &o, &ds, NULL);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, NULL);
    for (uint32_t g = 1; g <= info.group_count && !rc; g++)
        for (uint64_t i = 0; i < info.sample_count && !rc; i++) {
            struct pcr_sample *s = NULL;
            rc = pcr_sample_acquire(ds, i, &s, NULL);
            if (!rc)
                rc = pcr_sample_read(s, g, &out, NULL);
            sum = sum * 31 + (rc ? 0 : pcri_xxh3(out.data, out.nbytes));
            pcr_sample_release(&s);
        }
    pcr_buffer_free(&out);
    pcr_dataset_close(&ds);
    if (!shared->right_sum)
        shared->right_sum = sum;
    return rc ? rc : sum == shared->right_sum ? 0 : -1;
}

static int stop(void *context, const struct pcr_write_progress *p)
{
    (void) context;
    return p->records_done > 0;
}

/* An unfinished conversion with a record or more. */
static void make_part(void)
{
    struct pcr_write_options o = write_options(1);
    o.progress = stop;
    ck_assert_int_eq(pcr_dataset_write(work, &source.source, &o, NULL, NULL),
                     PCR_ERR_CANCELLED);
}

static int recode_part(struct pcr_error *err)
{
    const struct pcr_write_options o = {
        .size = sizeof(o), .coding = PCR_CODING_SCANS, .thread_count = 1, .progress = stop
    };
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(in_top("dataset"), NULL, &ds, err);
    if (!rc)
        rc = pcr_dataset_recode(ds, work, &o, NULL, err);
    pcr_dataset_close(&ds);
    return rc;
}

/* The same of recoding. */
static void make_recoded_part(void)
{
    struct pcr_error err = { .message = "" };
    int rc = recode_part(&err);
    ck_assert_msg(rc == PCR_ERR_CANCELLED, "%s", err.message);
}

static int count_finding(void *context, uint32_t kind, const char *path, uint64_t done,
                         const struct pcr_error *err)
{
    (void) path, (void) done, (void) err;
    *(int *) context += kind == PCR_VERIFY_DAMAGE;
    return 0;
}

/* What a reader finds: 1: all of the dataset, intact; 0: a clear error; -1: anything else. */
static int read_dataset(void)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    struct pcr_error err = { .message = "" };
    int findings = 0, rc = pcr_dataset_open(work, NULL, &ds, &err);
    if (rc)
        return rc == PCR_ERR_IO && err.sys_errno == ENOENT && strstr(err.message, work) ? 0
                                                                                        : -1;
    rc = pcr_dataset_describe(ds, &info, NULL);
    for (uint64_t r = 0; !rc && r < info.record_count; r++)
        rc = pcr_dataset_verify_record(ds, r, 0, &report, count_finding, &findings, NULL);
    pcr_dataset_close(&ds);
    return rc || findings || run("cmp -s %s/manifest.json %s/manifest.json", work, whole) ? -1
                                                                                          : 1;
}

/* A cache and extracted files have no reader of their own. */
static int read_nothing(void)
{
    return 0;
}

static void no_part(void)
{
}

static const struct scenario {
    const char *name;
    void (*prepare)(void);
    int (*act)(void);
    int (*read)(void);
    bool power;
    long step; /* in the suite */
} scenarios[] = {
    { "convert, 1 thread", no_part, convert_one, read_dataset, true, 11 },
    { "convert, 2 threads", no_part, convert_two, read_dataset, true, 23 },
    { "convert a list", no_part, convert_list, read_dataset, true, 17 },
    { "go on converting", make_part, convert_one, read_dataset, true, 13 },
    { "recode, 1 thread", no_part, recode_one, read_dataset, true, 17 },
    { "recode, 2 threads", no_part, recode_two, read_dataset, true, 29 },
    { "go on recoding", make_recoded_part, recode_one, read_dataset, true, 11 },
    { "fill a cache", no_part, read_cached, read_nothing, true, 3 },
    { "extract", no_part, extract, read_nothing, false, 7 },
    { "convert without duplicates", no_part, convert_without_duplicates, read_dataset, true,
      17 },
    { "convert TFRecord", no_part, convert_records, read_dataset, true, 19 },
    { "export MDS", no_part, export_mds, read_nothing, false, 5 },
};

/* Does the work in a child. Returns its status. */
static int act(const struct scenario *s, bool counted)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) {
        counting = counted;
        if (!freopen("/dev/null", "w", stderr)) /* bad inputs are named */
            _exit(1);
        int rc = s->act();
        counting = false;
        leave(rc != 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

/* Does the work, and is killed at the moment. Returns 1: killed, 0: finished. */
static int act_till(const struct scenario *s, long moment)
{
    atomic_store(&shared->moments, 0);
    shared->kill_at = moment;
    shared->op_count = shared->blob_nbytes = 0;
    int status = act(s, true);
    ck_assert_msg(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : !WEXITSTATUS(status),
                  "%s, moment %ld: status %x", s->name, moment, (unsigned) status);
    return WIFSIGNALED(status);
}

/* What is left of work, and what a second run makes of it. */
static void judge(const struct scenario *s, long moment, bool finished, enum loss loss,
                  struct fault_row *row)
{
    const char *what = NULL;
    int found = s->read();
    if (!same_folders(in_top("dataset"), in_top("as-it-was")))
        what = "the source is another";
    else if (found < 0)
        what = "readers find half a dataset";
    else if (finished && s->read == read_dataset && !found)
        what = "the finished dataset is gone";
    else if (act(s, false))
        what = "it cannot be done again";
    else if (s->act == read_cached ? run("ls -A %s | grep -qv '\\.pcrcache$'%s", work, "") == 0
                                   : !same_folders(work, whole))
        what = "the second run ends otherwise";
    row->trials++;
    row->results += !what && found;
    row->errors += !what && !found;
    row->wrong += what != NULL;
    if (what)
        fprintf(stderr, "%s, %s, moment %ld: %s\n", s->name, loss_names[loss], moment, what);
}

static void clear_work(const struct scenario *s)
{
    ck_assert_int_eq(run("rm -rf %s%s", work, ""), 0);
    s->prepare();
    start_model();
}

static int try_scenario(const struct scenario *s, long step)
{
    struct fault_row rows[LOSSES] = { { 0 } };
    char row_names[LOSSES][96];
    int wrong = 0, losses = s->power ? LOSSES : 1;
    snprintf(work, sizeof(work), "%s", in_top("work"));
    snprintf(whole, sizeof(whole), "%s", in_top("whole"));
    ck_assert_int_eq(run("rm -rf %s %s", work, whole), 0);
    ck_assert_int_eq(act(s, false), 0);
    ck_assert_int_eq(rename(work, whole), 0);
    for (long n = 1, killed = 1; killed; n += step) {
        clear_work(s);
        killed = act_till(s, n);
        judge(s, n, !killed, NO_LOSS, &rows[NO_LOSS]);
        for (int loss = LOST; loss < losses; loss++) {
            clear_work(s);
            replay();
            lose_power((enum loss) loss);
            judge(s, n, !killed, (enum loss) loss, &rows[loss]);
        }
    }
    for (int loss = 0; loss < losses; loss++) {
        snprintf(row_names[loss], sizeof(row_names[0]), "%s, %s", s->name, loss_names[loss]);
        rows[loss].name = row_names[loss];
        fault_print(&rows[loss]);
        wrong += (int) rows[loss].wrong;
    }
    return wrong;
}

static void make_list(void)
{
    char path[2 * PATH_NBYTES];
    snprintf(list_path, sizeof(list_path), "%s", in_top("list.csv"));
    FILE *list = fopen(list_path, "w");
    ck_assert_ptr_nonnull(list);
    fputs("path,label,split,note\n", list);
    for (uint32_t i = 0; i < 5; i++) {
        const struct pcr_buffer *b = &source.samples[i].file;
        snprintf(path, sizeof(path), "%s/%u.img", top.path, i);
        FILE *f = fopen(path, "wb");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(b->data, 1, b->nbytes, f), b->nbytes);
        ck_assert_int_eq(fclose(f), 0);
        fprintf(list, "%u.img,%s,train,n%u\n", i, i % 2 ? "ape" : "bee", i);
    }
    ck_assert_int_eq(fclose(list), 0);
}

static void export_records(void)
{
    const struct pcr_export_options o = { .size = sizeof(o), .format = "tfrecord" };
    struct pcr_dataset *ds = NULL;
    ck_assert_int_eq(pcr_dataset_open(in_top("dataset"), NULL, &ds, NULL), 0);
    ck_assert_int_eq(pcr_export(ds, in_top("a.tfrecord"), &o, NULL, NULL), 0);
    pcr_dataset_close(&ds);
}

static long all_steps; /* 0: each scenario's own */

/* With a sanitizer, which is slow, every second of them. */
#ifdef __SANITIZE_ADDRESS__
enum { STEPS = 2 };
#else
enum { STEPS = 1 };
#endif

START_TEST(all)
{
    const struct pcr_write_options o = { .size = sizeof(o),
                                         .bad_policy = PCR_BAD_SKIP,
                                         .record_samples = 3 };
    int wrong = 0;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                  -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    test_folder_make(&top);
    test_source_init(&source, 8);
    test_source_set_case(&source, 2, "png-rgb");
    test_source_set(&source, 4, "no image", 8);
    test_source_set(&source, 3, source.samples[1].file.data, source.samples[1].file.nbytes);
    make_list();
    ck_assert_int_eq(pcr_dataset_write(in_top("dataset"), &source.source, &o, NULL, NULL), 0);
    export_records();
    ck_assert_int_eq(run("cp -a %s %s", in_top("dataset"), in_top("as-it-was")), 0);
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        wrong += try_scenario(&scenarios[i],
                              all_steps ? all_steps : STEPS * scenarios[i].step);
    for (int i = 0; i < MAX_INODES; i++) {
        pcr_buffer_free(&inodes[i].now);
        pcr_buffer_free(&inodes[i].safe);
    }
    test_source_free(&source);
    test_folder_free(&top);
    munmap(shared, sizeof(*shared));
    ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(int argc, char **argv)
{
    all_steps = argc > 1 ? atol(argv[1]) : 0;
    return fault_run("kills", all);
}
