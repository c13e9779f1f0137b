/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios of pcrtool: what it prints is right and whole, or it ends with 1 and says that memory
 * is short. Each run is a process of its own. */
#define _GNU_SOURCE /* memfd_create */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leave.h"
#include "memory.h"
#include "scenarios.h"

int pcrtool_main(int argc, char **argv);

/* A command line, in which OUT is the folder for what is written, LISTS one with pictures and
 * lists of them. */
struct running {
    const char *words[10];
    bool timed; /* prints how long it took */
};

static const char OUT[] = "OUT", LIST[] = "LIST", PICTURES[] = "PICTURES", TAR[] = "OUT/a.tar";
static struct test_folder lists;
static char list_path[128], tar_path[128];

static void make_lists(void)
{
    static const char text[] = "path,label,note\na.jpg,ape,one\nb.png,bee,\"two\"\n";
    const struct {
        const char *name;
        struct pcr_buffer bytes;
    } files[] = {
        { "a.jpg", *picture("baseline") },
        { "b.png", *picture("png-rgb") },
        { "list.csv", { (uint8_t *) (uintptr_t) text, sizeof(text) - 1, 0 } },
    };
    test_folder_make(&lists);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(list_path, sizeof(list_path), "%s/%s", lists.path, files[i].name);
        FILE *f = fopen(list_path, "wb");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(files[i].bytes.data, 1, files[i].bytes.nbytes, f),
                          files[i].bytes.nbytes);
        ck_assert_int_eq(fclose(f), 0);
    }
}

void lists_free(void)
{
    if (lists.path[0])
        test_folder_free(&lists);
}

static char *word_of(const char *word)
{
    snprintf(tar_path, sizeof(tar_path), "%s/a.tar", datasets.out.path);
    return (char *) (uintptr_t) (word == OUT        ? datasets.out.path
                                 : word == TAR      ? tar_path
                                 : word == LIST     ? list_path
                                 : word == PICTURES ? lists.path
                                                    : word);
}

/* The child: exits with pcrtool's status. */
static void run_child(const struct running *c, const int fds[2], long *calls)
{
    char *argv[12] = { (char[]) { "pcrtool" } };
    int argc = 1;
    for (; c->words[argc - 1]; argc++)
        argv[argc] = word_of(c->words[argc - 1]);
    for (int i = 0; i < 2; i++)
        if (dup2(fds[i], 1 + i) < 0)
            _exit(99);
    long before = memory_calls();
    memory_resume();
    int status = pcrtool_main(argc, argv);
    memory_pause();
    *calls = memory_calls() - before;
    leave(status);
}

static char *read_all(int fd)
{
    off_t n = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t) n + 1);
    ck_assert(text && pread(fd, text, (size_t) n, 0) == n);
    close(fd);
    return text;
}

static int judge(const struct running *c, int status, const char *out, const char *said,
                 uint64_t *sum, struct pcr_error *err)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == 1 && (strstr(said, "emory") || strstr(said, "allocate")))
        return pcri_fail(err, PCR_ERR_NOMEM, "%.400s", said);
    if (code != 0 && code != 3 && code != 4)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED, "status %x: %.400s", status, said);
    add_number(sum, (uint64_t) code);
    add_text(sum, said);
    if (!c->timed)
        add_text(sum, out);
    folder_add(datasets.out.path, sum);
    return 0;
}

static int run(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct running *c = what;
    int status = 0;
    memory_pause();
    if (!lists.path[0])
        make_lists();
    folder_empty(datasets.out.path);
    long *calls = mmap(NULL, sizeof(*calls), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int fds[2] = { memfd_create("out", MFD_CLOEXEC), memfd_create("err", MFD_CLOEXEC) };
    ck_assert(calls != MAP_FAILED && fds[0] >= 0 && fds[1] >= 0);
    fflush(NULL);
    pid_t child = fork();
    if (!child)
        run_child(c, fds, calls);
    ck_assert(child > 0 && waitpid(child, &status, 0) == child);
    char *out = read_all(fds[0]), *said = read_all(fds[1]);
    int rc = judge(c, status, out, said, sum, err);
    memory_add_calls(*calls);
    free(out);
    free(said);
    munmap(calls, sizeof(*calls));
    memory_resume();
    return rc;
}

#define RUNNING(...) \
    &(const struct running) \
    { \
        { __VA_ARGS__ }, false \
    }
#define TIMED(...) \
    &(const struct running) \
    { \
        { __VA_ARGS__ }, true \
    }

static const struct scenario list[] = {
    { "pcrtool convert", run, TIMED("convert", "--threads=1", PICTURES, OUT) },
    { "pcrtool convert --json", run,
      TIMED("convert", "--threads=2", "--json", "--classes=bee,ape", LIST, OUT) },
    { "pcrtool convert --dry-run", run,
      TIMED("convert", "--threads=1", "--dry-run", "--ladder=classic", LIST, OUT) },
    { "pcrtool verify", run, RUNNING("verify", "--threads=2", datasets.made.path) },
    { "pcrtool verify --json", run,
      RUNNING("verify", "--json", "--deep", "--threads=1", datasets.damaged.path) },
    { "pcrtool verify, damage", run, RUNNING("verify", "--threads=1", datasets.cut.path) },
    { "pcrtool info", run, RUNNING("info", "--sizes", datasets.made.path) },
    { "pcrtool info --json", run, RUNNING("info", "--json", "--notes", datasets.made.path) },
    { "pcrtool cat", run, RUNNING("cat", datasets.made.path, "images/003.jpg", "-g2") },
    { "pcrtool cat --jpeg baseline", run,
      RUNNING("cat", datasets.made.path, "images/003.jpg", "--jpeg=baseline") },
    { "pcrtool ls", run, RUNNING("ls", datasets.made.path) },
    { "pcrtool ls --json", run, RUNNING("ls", "--json", datasets.floats.path) },
    { "pcrtool extract", run, RUNNING("extract", "--threads=1", datasets.made.path, OUT) },
    { "pcrtool extract --list", run,
      RUNNING("extract", "--list", "--json", "--threads=1", datasets.made.path, OUT) },
    { "pcrtool extract --to tar", run,
      RUNNING("extract", "--shard-samples=3", "--threads=1", datasets.made.path, TAR) },
    { "pcrtool extract --to tfrecord", run,
      RUNNING("extract", "--to=tfrecord", "--threads=1", datasets.made.path, "-") },
    { "pcrtool extract --to mds", run,
      RUNNING("extract", "--to=mds", "--zstd", "--threads=1", datasets.made.path, OUT) },
    { "pcrtool extract --to zip", run,
      RUNNING("extract", "--to=zip", "--list", "--threads=1", datasets.made.path, "-") },
    { "pcrtool extract, blobs", run,
      RUNNING("extract", "--threads=1", datasets.floats.path, OUT) },
    { "pcrtool extract --to tar, blobs", run,
      RUNNING("extract", "--threads=1", datasets.floats.path, TAR) },
    { "pcrtool extract --to tfrecord, blobs", run,
      RUNNING("extract", "--to=tfrecord", "--threads=1", datasets.floats.path, "-") },
    { "pcrtool extract --to mds, blobs", run,
      RUNNING("extract", "--to=mds", "--threads=1", datasets.floats.path, OUT) },
    { "pcrtool extract --on-damage degrade", run,
      RUNNING("extract", "--on-damage=degrade", "--threads=1", datasets.cut.path, OUT) },
    { "pcrtool doctor", run, RUNNING("doctor", "--json") },
    { "pcrtool doctor DATASET", run, TIMED("doctor", "--threads=1", datasets.made.path) },
    { "pcrtool doctor DATASET --json", run,
      TIMED("doctor", "--json", "--threads=1", datasets.made.path) },
    { "pcrtool advise", run,
      RUNNING("advise", "--quick", "--samples=6", "--size=16", "--threads=1",
              "--plot=/dev/null", datasets.made.path) },
    { "pcrtool advise --json", run,
      TIMED("advise", "--json", "--samples=3", "--size=16", "--threads=1",
            datasets.made.path) },
    { "pcrtool bench", run,
      TIMED("bench", "--threads=1", "--fidelity=1", datasets.made.path) },
    { "pcrtool bench --json", run,
      TIMED("bench", "--json", "--threads=1", "--fidelity=2", datasets.made.path) },
};
const struct scenarios tool_scenarios = SCENARIOS(list);
