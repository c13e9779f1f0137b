/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that fail, once or from then on, give the right result or an error that says so;
 * afterwards nothing is lost or left behind.
 *
 * usage: fault-system_calls [STEP [NAME]]   every STEP-th trial (1: all), of scenario NAME */
#define _GNU_SOURCE
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcr/dataset.h>
#include <pcr/source.h>
#include <pcr/ladder.h>
#include <pcr/loader.h>
#include <pcr/writer.h>

#include "calls.h"
#include "fault.h"
#include "folders.h"
#include "write_source.h"

#include "base/base.h"

enum { SAMPLES = 6, TRIAL_S = 60 };

/* --- a trial --- */

static struct {
    enum call call;
    int fault;
    long at;
    bool lasting;
} plan;
static bool hit, hit_written; /* as calls.h says it of the trial's own calls */
static char trial_name[128];
static char aftermath[512]; /* what is wrong after the fault */

static void go(void)
{
    calls_arm(plan.call, plan.fault, plan.at, plan.lasting);
}

static void rest(void)
{
    calls_disarm();
    hit = hit || (plan.fault && calls_hit());
    hit_written = hit_written || (plan.fault && calls_hit_written());
}

/* What the fault is called where it is told. */
static int expected_errno(void)
{
    return plan.fault > 0                                        ? plan.fault
           : plan.call == CALL_WRITE || plan.call == CALL_PWRITE ? ENOSPC
                                                                 : EIO;
}

static void blame(const char *what)
{
    if (!aftermath[0])
        snprintf(aftermath, sizeof(aftermath), "%s", what);
}

static void blame_temps(void *context, const char *path, bool is_folder)
{
    const char *name = strrchr(path, '/') + 1;
    if (!strcmp(name, ".pcr-tmp-killed"))
        return; /* ours; until the conversion gets so far */
    if (!strncmp(name, ".pcr-tmp-", 9) || !strncmp(name, ".pcr-part", 9) ||
        !strncmp(name, ".pcrcache-now", 13))
        blame("a temporary file is left");
}

/* What could not be removed, or was said not to be there, is left, of course. */
static void look_for_temps(const char *dir)
{
    if (plan.call != CALL_UNLINK && !(plan.call == CALL_STAT && plan.fault == ENOENT))
        each_file(dir, blame_temps, NULL);
}

/* --- reading --- */

static const char *made; /* the dataset that is read */

static int read_samples(struct pcr_dataset *ds, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_buffer out = { 0 };
    uint64_t index = 99;
    int rc = pcr_dataset_find(ds, "images/003.jpg", 14, &index, err);
    for (uint64_t i = 0; !rc && i < SAMPLES; i++) {
        struct pcr_sample *s = NULL;
        rc = pcr_sample_acquire(ds, i, &s, err);
        if (!rc)
            rc = pcr_sample_read(s, (uint32_t) i % 3, &out, err);
        if (!rc)
            folder_add(sum, out.data, out.nbytes);
        pcr_sample_release(&s);
    }
    folder_add(sum, &index, sizeof(index));
    pcr_buffer_free(&out);
    return rc;
}

static int open_and_read(const char *path, const struct pcr_dataset_options *o, uint64_t *sum,
                         struct pcr_error *err)
{
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(path, o, &ds, err);
    if (!rc)
        rc = read_samples(ds, sum, err);
    pcr_dataset_close(&ds);
    return rc;
}

static int read_with(uint32_t backend, uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_dataset_options o = { .size = sizeof(o),
                                           .io_backend = backend,
                                           .open_records = 1 };
    go();
    int rc = open_and_read(made, &o, sum, err);
    rest();
    return rc;
}

static int read_pread(uint64_t *sum, struct pcr_error *err)
{
    return read_with(PCR_IO_PREAD, sum, err);
}

static int read_mmap(uint64_t *sum, struct pcr_error *err)
{
    return read_with(PCR_IO_MMAP, sum, err);
}

static int read_uring(uint64_t *sum, struct pcr_error *err)
{
    return read_with(PCR_IO_URING, sum, err);
}

static int read_direct(uint64_t *sum, struct pcr_error *err)
{
    return read_with(PCR_IO_DIRECT, sum, err);
}

static int read_split(uint64_t *sum, struct pcr_error *err)
{
    struct pcr_dataset_options o = { .size = sizeof(o), .split = "train" };
    struct pcr_dataset *ds = NULL;
    struct pcr_slice *slice = NULL;
    struct pcr_buffer out = { 0 };
    go();
    int rc = pcr_dataset_open(made, &o, &ds, err);
    if (!rc)
        rc = pcr_slice_read(ds, 0, 0, 3, 2, &slice, err);
    for (uint32_t i = 0; !rc && i < 3; i++) {
        rc = pcr_slice_get(slice, i, 0, &out, err);
        folder_add(sum, out.data, out.nbytes);
    }
    pcr_slice_release(&slice);
    pcr_dataset_close(&ds);
    rest();
    pcr_buffer_free(&out);
    return rc;
}

static int read_record(uint64_t *sum, struct pcr_error *err)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_dataset_info info = { .size = sizeof(info) };
    char path[PATH_NBYTES];
    snprintf(path, sizeof(path), "%s/train-00000.pcr", made);
    go();
    int rc = pcr_dataset_open(path, NULL, &ds, err);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, err);
    pcr_dataset_close(&ds);
    rest();
    folder_add(sum, &info, sizeof(info));
    return rc;
}

/* --- with a cache, which stays usable whatever happens --- */

static int read_cached(const char *dir, uint64_t nbytes, uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_dataset_options o = {
        .size = sizeof(o), .cache_dir = dir, .cache_nbytes = nbytes, .open_records = 1
    };
    uint64_t again = 0;
    struct pcr_error why;
    go();
    int rc = open_and_read(made, &o, sum, err);
    if (!rc) { /* what was kept is right */
        rc = open_and_read(made, &o, &again, err);
        if (!rc && again != *sum)
            blame("the cache gives other bytes");
    }
    rest();
    uint64_t plain = 0, later = 0;
    ck_assert_int_eq(open_and_read(made, NULL, &plain, &why), 0);
    if (open_and_read(made, &o, &later, &why) || later != plain)
        blame("the cache is not usable any more");
    return rc;
}

static int read_cold(uint64_t *sum, struct pcr_error *err)
{
    folder_remove(at("cold"));
    int rc = read_cached(at("cold"), 1 << 24, sum, err);
    look_for_temps(at("cold"));
    return rc;
}

static int read_warm(uint64_t *sum, struct pcr_error *err)
{
    return read_cached(at("warm"), 1 << 24, sum, err);
}

static int read_in_memory(uint64_t *sum, struct pcr_error *err)
{
    return read_cached(NULL, 1 << 24, sum, err);
}

/* The folder is full of what nobody uses, which makes room. */
static int read_full(uint64_t *sum, struct pcr_error *err)
{
    static const uint8_t bytes[20000];
    const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
    folder_remove(at("full"));
    ck_assert_int_eq(mkdir(at("full"), 0777), 0);
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof(name), "full/000000000000000%d.pcrcache", i);
        folder_write(at(name), bytes, sizeof(bytes));
        ck_assert_int_eq(utimensat(AT_FDCWD, at(name), old, 0), 0);
    }
    return read_cached(at("full"), 70000, sum, err);
}

/* --- verifying --- */

static int keep_first(void *context, uint32_t kind, const char *path, uint64_t done,
                      const struct pcr_error *err)
{
    struct pcr_error *first = context;
    if (err && !first->code)
        *first = *err;
    return 0;
}

/* The first finding is as good as an error. */
static int verify(uint64_t *sum, struct pcr_error *err)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    struct pcr_dataset *ds = NULL;
    struct pcr_error first = { .code = 0 };
    go();
    int rc = pcr_dataset_open(made, NULL, &ds, err);
    for (uint64_t r = 0; r < 2 && !rc; r++)
        rc = pcr_dataset_verify_record(ds, r, r == 0, &report, keep_first, &first, err);
    pcr_dataset_close(&ds);
    rest();
    folder_add(sum, &report, sizeof(report));
    if (!rc && first.code) {
        *err = first;
        rc = first.code;
    }
    return rc;
}

/* --- loading --- */

static int load_with(struct pcr_loader_options o, struct pcr_dataset_options d, uint64_t *sum,
                     struct pcr_error *err)
{
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    struct pcr_dataset *ds = NULL;
    struct pcr_loader *l = NULL;
    struct pcr_batch *b = NULL;
    o.size = sizeof(o);
    o.batch_size = 4;
    o.output.height = o.output.width = 16;
    o.order.window_samples = 4;
    d.size = sizeof(d);
    go();
    int rc = pcr_dataset_open(made, &d, &ds, err);
    if (!rc)
        rc = pcr_loader_create(ds, &o, &l, err);
    for (uint64_t epoch = 0; !rc && epoch < 2; epoch++) {
        rc = pcr_loader_start_epoch(l, epoch, err);
        while (!rc && !(rc = pcr_loader_next(l, &b, err))) {
            if (b->pixels)
                folder_add(sum, b->pixels, (size_t) b->sample_count * 16 * 16 * 3);
            else
                folder_add(sum, b->data, b->offsets[b->sample_count]);
            pcr_batch_release(&b);
        }
        if (rc == PCR_END)
            rc = 0;
    }
    if (l && !rc)
        rc = pcr_loader_stats(l, &stats, err);
    if (!rc && stats.replaced_count && plan.fault == ENOENT) /* a record that is not there */
        rc = pcri_fail_sys(err, ENOENT, "%s", made);
    else if (stats.replaced_count || stats.degraded_count)
        blame("a sample was replaced or degraded");
    pcr_loader_destroy(&l);
    pcr_dataset_close(&ds);
    rest();
    return rc;
}

static int load_skip(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_loader_options o = { .bad_sample = PCR_SAMPLE_SKIP,
                                          .threads.count = 1,
                                          .threads.reader_count = PCR_NO_READERS };
    return load_with(o, (struct pcr_dataset_options) { .open_records = 1 }, sum, err);
}

static int load_degrade(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_loader_options o = { .bad_sample = PCR_SAMPLE_DEGRADE,
                                          .threads.count = 2,
                                          .threads.reader_count = 2,
                                          .order.shuffle = PCR_SHUFFLE_FULL };
    return load_with(o, (struct pcr_dataset_options) { .open_records = 1 }, sum, err);
}

static int load_raw(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_loader_options o = { .bad_sample = PCR_SAMPLE_SKIP,
                                          .threads.count = 2,
                                          .threads.reader_count = 1,
                                          .flags = PCR_LOADER_RAW };
    return load_with(o, (struct pcr_dataset_options) { .io_backend = PCR_IO_URING }, sum, err);
}

static int load_mapped(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_loader_options o = { .threads.count = 2,
                                          .threads.reader_count = 2,
                                          .flags = PCR_LOADER_HUGE_PAGES };
    return load_with(
        o, (struct pcr_dataset_options) { .io_backend = PCR_IO_MMAP, .cache_nbytes = 1 << 24 },
        sum, err);
}

/* --- converting --- */

static struct test_source source;
static struct pcr_error told; /* of the first bad input */

static void note_bad(void *context, const char *path, const char *format,
                     const struct pcr_error *err)
{
    if (told.code)
        return;
    told = *err;
    snprintf(told.message, sizeof(told.message), "%.200s: %.200s", path, err->message);
}

static struct pcr_write_options write_options(uint32_t threads, uint32_t policy)
{
    return (struct pcr_write_options) {
        .size = sizeof(struct pcr_write_options),
        .thread_count = threads,
        .record_samples = 2,
        .bad_policy = policy,
        .max_side = 40,
        .bad_input = note_bad,
    };
}

static int recode_from(const char *from, const char *to, struct pcr_error *err)
{
    const struct pcr_write_options o = { .size = sizeof(o),
                                         .thread_count = 1,
                                         .coding = PCR_CODING_SCANS };
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(from, NULL, &ds, err);
    if (!rc)
        rc = pcr_dataset_recode(ds, to, &o, NULL, err);
    pcr_dataset_close(&ds);
    return rc;
}

/* Where the source is to be opened, that is a part of it. A dataset is recoded. */
static int write_from(const char *from, const char *to, const struct pcr_write_options *o,
                      struct pcr_error *err)
{
    struct pcr_source *s = &source.source;
    if (from && !strcmp(from, at("made")))
        return recode_from(from, to, err);
    int rc = from ? pcr_source_open(from, NULL, &s, err) : 0;
    if (!rc)
        rc = pcr_dataset_write(to, s, o, NULL, err);
    if (from && !rc)
        pcr_source_close(&s);
    else if (from && s != &source.source)
        pcr_source_close(&s);
    return rc;
}

/* A conversion into out/, of which a fault may be a part. Afterwards it is made again, and
 * gives what it gives without. */
static int convert_into(const char *from, const struct pcr_write_options *o, uint64_t *sum,
                        struct pcr_error *err)
{
    static uint64_t whole[6]; /* by kind of source */
    const size_t kind = !from                     ? o->bad_policy != PCR_BAD_FAIL
                        : strstr(from, ".jsonl")  ? 2
                        : strstr(from, ".csv")    ? 3
                        : strstr(from, "/images") ? 4
                                                  : 5;
    struct pcr_error why = { .message = "" };
    told.code = 0;
    go();
    int rc = write_from(from, at("out"), o, err);
    rest();
    struct pcr_error bad = told;
    look_for_temps(at("out"));
    if (plan.call == CALL_UNLINK && plan.fault == ENOENT)
        (void) unlink(at("out/.pcr-tmp-killed")); /* said not to be there, it was left */
    if (!rc)
        *sum = folder_sum(at("out"));
    if (bad.code && bad.code != PCR_ERR_FORMAT) { /* it was made without that input */
        *err = bad;
        rc = bad.code;
    } else if (write_from(from, at("out"), o, &why)) {
        blame(why.message);
    } else {
        uint64_t again = folder_sum(at("out"));
        if (!whole[kind])
            whole[kind] = again;
        if (again != whole[kind])
            blame("made again, it has other bytes");
    }
    folder_remove(at("out"));
    return rc;
}

static int convert_one(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(1, PCR_BAD_FAIL);
    return convert_into(NULL, &o, sum, err);
}

static int convert_two(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(2, PCR_BAD_FAIL);
    return convert_into(NULL, &o, sum, err);
}

static int convert_skip(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(2, PCR_BAD_SKIP);
    struct test_sample *s = &source.samples[4];
    struct pcr_buffer kept = s->file;
    s->file = (struct pcr_buffer) { 0 };
    test_source_set(&source, 4, "no image", 8);
    int rc = convert_into(NULL, &o, sum, err);
    pcr_buffer_free(&s->file);
    s->file = kept;
    return rc;
}

/* Records and a state file are there, and the temporary file of a writer that was killed. */
static int convert_resume(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(2, PCR_BAD_FAIL);
    folder_copy(at("begun"), at("out"));
    return convert_into(NULL, &o, sum, err);
}

static int convert_finished(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(2, PCR_BAD_FAIL);
    folder_copy(at("finished"), at("out"));
    return convert_into(NULL, &o, sum, err);
}

static int convert_list(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(2, PCR_BAD_FAIL);
    return convert_into(at("images/list.jsonl"), &o, sum, err);
}

static int convert_csv(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(1, PCR_BAD_SKIP);
    return convert_into(at("images/list.csv"), &o, sum, err);
}

static int convert_folder(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(1, PCR_BAD_SKIP);
    return convert_into(at("images"), &o, sum, err);
}

static int recode(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(1, PCR_BAD_FAIL);
    return convert_into(at("made"), &o, sum, err);
}

static int push_all(struct pcr_writer *w, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; !rc && i < SAMPLES; i++) {
        struct pcr_source_sample s = { .size = sizeof(s) };
        const struct pcr_buffer *file = &source.samples[i].file;
        rc = source.source.describe(source.source.context, i, &s, err);
        if (!rc)
            rc = pcr_writer_add(w, PCR_WRITER_NEXT, &s, file->data, file->nbytes, err);
    }
    return rc ? rc : pcr_writer_finish(w, NULL, err);
}

/* Samples that are added to a writer. */
static int push(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(2, PCR_BAD_FAIL);
    const struct pcr_writer_options wo = {
        .size = sizeof(wo),
        .write = &o,
        .class_count = source.source.class_count,
        .class_names = source.source.class_names,
        .split_count = source.source.split_count,
        .split_names = source.source.split_names,
    };
    struct pcr_writer *w = NULL;
    go();
    int rc = pcr_writer_open(at("out"), &wo, &w, err);
    if (!rc)
        rc = push_all(w, err);
    rest();
    pcr_writer_close(&w); /* what it kept is of no use any more */
    look_for_temps(at("out"));
    if (!rc)
        *sum = folder_sum(at("out"));
    folder_remove(at("out"));
    return rc;
}

/* --- pcrtool --- */

int pcrtool_main(int argc, char **argv);

/* What it says is an error: a code, and the fault if it names that. */
static int error_of(int status, const char *text, struct pcr_error *err)
{
    bool nomem = strstr(text, strerror(ENOMEM)) || strstr(text, "out of memory") ||
                 strstr(text, "no memory") || strstr(text, "cannot allocate");
    bool named = plan.fault > 0 && strstr(text, strerror(plan.fault));
    bool missing = status == 4 && named &&
                   plan.fault == ENOENT; /* a record that is not there */
    *err = (struct pcr_error) { .offset = PCR_NO_OFFSET };
    err->code = status != 1 && !missing ? -100 - status : nomem ? PCR_ERR_NOMEM : PCR_ERR_IO;
    err->sys_errno = expected_errno();
    bool locked = plan.call == CALL_FLOCK && plan.fault == EAGAIN &&
                  strstr(text, "another conversion");
    if (!locked && !strstr(text, strerror(err->sys_errno)))
        err->sys_errno = 0;
    snprintf(err->message, sizeof(err->message), "%.400s", text);
    return err->code;
}

static void take_output(int fd, char *out, size_t nbytes)
{
    ssize_t n = pread(fd, out, nbytes - 1, 0);
    out[n < 0 ? 0 : n] = '\0';
}

/* Runs it with its output in memory. words: its arguments, NULL-ended. usual: the exit status that
 * it has without a fault. */
static int pcrtool(uint64_t *sum, struct pcr_error *err, const char *const *words, int usual)
{
    char text[2][4096], *argv[16] = { (char[]) { "pcrtool" } }, *own[16];
    int kept[2], caught[2], argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = own[argc] = strdup(words[argc - 1]); /* it puts them in another order */
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        kept[i] = dup(1 + i);
        caught[i] = memfd_create("output", MFD_CLOEXEC);
        ck_assert(kept[i] >= 0 && caught[i] >= 0 && dup2(caught[i], 1 + i) >= 0);
    }
    go();
    int status = pcrtool_main(argc, argv);
    rest();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ge(dup2(kept[i], 1 + i), 0);
        take_output(caught[i], text[i], sizeof(text[i]));
        close(kept[i]);
        close(caught[i]);
    }
    clearerr(stdout);
    while (--argc)
        free(own[argc]);
    folder_add(sum, text[0], strlen(text[0]));
    return status == usual ? 0 : error_of(status, text[1], err);
}

/* extract writes into out/; again with --force it writes what is right. */
static int extract(const char *option, const char *from, int usual, uint64_t *right,
                   uint64_t *sum, struct pcr_error *err)
{
    uint64_t unused = 0;
    char out[PATH_NBYTES];
    const char *once[] = { "extract", option, from, out, NULL };
    const char *again_words[] = { "extract", option, "--force", from, out, NULL };
    struct pcr_error why = { .message = "" };
    snprintf(out, sizeof(out), "%s", at("out"));
    int rc = pcrtool(sum, err, once, usual);
    look_for_temps(out);
    if (!rc)
        folder_add(sum, &(uint64_t) { folder_sum(out) }, sizeof(uint64_t));
    int fault = plan.fault;
    plan.fault = FAULT_NONE;
    if (pcrtool(&unused, &why, again_words, usual))
        blame(why.message);
    plan.fault = fault;
    uint64_t again = folder_sum(out);
    if (!*right)
        *right = again;
    if (again != *right && plan.call != CALL_UNLINK)
        blame("extracted again, it has other bytes");
    folder_remove(out);
    return rc;
}

static int extract_files(uint64_t *sum, struct pcr_error *err)
{
    static uint64_t right;
    return extract("--quiet", made, 0, &right, sum, err);
}

static int extract_list(uint64_t *sum, struct pcr_error *err)
{
    static uint64_t right;
    return extract("--list", made, 0, &right, sum, err);
}

/* Of a damaged sample what is whole is written, and an error of the disk is no damage. */
static int extract_degrade(uint64_t *sum, struct pcr_error *err)
{
    static uint64_t right;
    char from[PATH_NBYTES];
    snprintf(from, sizeof(from), "%s", at("damaged"));
    return extract("--degrade", from, 4, &right, sum, err);
}

static int cat_sample(uint64_t *sum, struct pcr_error *err)
{
    const char *words[] = { "cat", made, "@1", "-o", at("cat"), NULL };
    static uint64_t whole;
    struct pcr_buffer b = { 0 };
    folder_write(at("cat"), "old", 3);
    int rc = pcrtool(sum, err, words, 0);
    test_read_path(at("cat"), &b);
    uint64_t found = 0;
    folder_add(&found, b.data, b.nbytes);
    if (!rc)
        *sum += whole = found;
    else if (b.nbytes != 3 && found != whole)
        blame("a part of the file is there");
    pcr_buffer_free(&b);
    look_for_temps(top_folder.path);
    return rc;
}

static int verify_all(uint64_t *sum, struct pcr_error *err)
{
    const char *words[] = { "verify", "--deep", "-j2", made, NULL };
    return pcrtool(sum, err, words, 0);
}

static int convert_by_tool(uint64_t *sum, struct pcr_error *err)
{
    const char *words[] = { "convert",
                            "--quiet",
                            "--threads",
                            "1",
                            "--classes",
                            at("images/classes.txt"),
                            "--ladder",
                            at("images/ladder.txt"),
                            at("images/list.jsonl"),
                            at("out"),
                            NULL };
    int rc = pcrtool(sum, err, words, 0);
    look_for_temps(at("out"));
    if (!rc)
        folder_add(sum, &(uint64_t) { folder_sum(at("out")) }, sizeof(uint64_t));
    folder_remove(at("out"));
    return rc;
}

/* What is measured is never twice the same: that it ends well is the result. */
static int measure(const char *command, uint64_t *sum, struct pcr_error *err)
{
    const char *words[] = { command, "--threads=1", "--fidelity=2", made, NULL };
    uint64_t unused = 0;
    *sum = 0;
    return pcrtool(&unused, err, words, 0);
}

static int bench(uint64_t *sum, struct pcr_error *err)
{
    return measure("bench", sum, err);
}

static int doctor(uint64_t *sum, struct pcr_error *err)
{
    return measure("doctor", sum, err);
}

static int advise(uint64_t *sum, struct pcr_error *err)
{
    const char *words[] = { "advise",       "--quick",     "--samples=6",
                            "--size=16",    "--threads=1", "--plot",
                            at("plot.svg"), made,          NULL };
    int rc = pcrtool(sum, err, words, 0);
    unlink(at("plot.svg"));
    return rc;
}

/* --- all --- */

static const struct scenario {
    const char *name;
    int (*run)(uint64_t *sum, struct pcr_error *err);
} scenarios[] = {
    { "read", read_pread },
    { "read by mmap", read_mmap },
    { "read by a ring", read_uring },
    { "read around the page cache", read_direct },
    { "read a slice of a split", read_split },
    { "open a record", read_record },
    { "read into a cache", read_cold },
    { "read from a cache", read_warm },
    { "read with a full cache", read_full },
    { "read with a cache in memory", read_in_memory },
    { "verify", verify },
    { "load, skipping", load_skip },
    { "load, degrading", load_degrade },
    { "load files by a ring", load_raw },
    { "load by mmap", load_mapped },
    { "convert", convert_one },
    { "convert, two threads", convert_two },
    { "convert, skipping", convert_skip },
    { "convert, resumed", convert_resume },
    { "convert, finished before", convert_finished },
    { "convert JSON lines", convert_list },
    { "convert CSV", convert_csv },
    { "convert a folder", convert_folder },
    { "push", push },
    { "recode", recode },
    { "pcrtool extract", extract_files },
    { "pcrtool extract --list", extract_list },
    { "pcrtool extract --degrade", extract_degrade },
    { "pcrtool cat", cat_sample },
    { "pcrtool verify", verify_all },
    { "pcrtool convert", convert_by_tool },
    { "pcrtool advise", advise },
    { "pcrtool bench", bench },
    { "pcrtool doctor DATASET", doctor },
};

static const struct {
    int fault;
    const char *name;
} faults[] = {
    { EIO, "EIO" },         { EINTR, "EINTR" },   { EAGAIN, "EAGAIN" },
    { ENOSPC, "ENOSPC" },   { EDQUOT, "EDQUOT" }, { EMFILE, "EMFILE" },
    { ENFILE, "ENFILE" },   { ENOMEM, "ENOMEM" }, { EACCES, "EACCES" },
    { ENOENT, "ENOENT" },   { EINVAL, "EINVAL" }, { FAULT_SHORT, "short" },
    { FAULT_ZERO, "zero" },
};

/* Reads that fail for a reason that passes are made again. */
static bool must_pass(void)
{
    bool reads = plan.call == CALL_READ || plan.call == CALL_PREAD ||
                 plan.call == CALL_RING_READ;
    return plan.fault == EINTR || plan.fault == FAULT_SHORT ||
           (reads && !plan.lasting &&
            (plan.fault == EIO || plan.fault == EAGAIN || plan.fault == FAULT_ZERO));
}

static const char *judge_error(int rc, const struct pcr_error *err)
{
    bool nomem = plan.fault == ENOMEM || plan.call == CALL_MMAP;
    if (must_pass())
        return "it was not tried again";
    if (err->code != rc || !err->message[0])
        return "no error is told";
    if (rc == PCR_ERR_NOMEM && nomem)
        return NULL;
    if (plan.call == CALL_OPEN && plan.fault == ENOENT &&
        (rc == PCR_ERR_INVAL || strstr(err->message, "no manifest.json")))
        return NULL; /* a finished dataset that lacks a record is another, or none */
    if (rc != PCR_ERR_IO || err->sys_errno != expected_errno())
        return "another error";
    if (!strstr(err->message, top_folder.path) && !strstr(err->message, "images/") &&
        !strstr(err->message, "standard output") && !strstr(err->message, "list.jsonl") &&
        !strstr(err->message, "classes.txt") &&
        !(plan.call == CALL_THREAD && strstr(err->message, "thread")))
        return "it names no file";
    return NULL;
}

static int count_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void hang(int number)
{
    static const char text[] = "hangs: ";
    ssize_t n = write(2, text, sizeof(text) - 1) + write(2, trial_name, strlen(trial_name)) +
                write(2, "\n", 1);
    _exit(n > 0);
}

/* One trial; what is not reached is none. */
static void try_one(const struct scenario *s, uint64_t right, struct fault_row *row)
{
    struct pcr_error err = { .message = "" };
    uint64_t sum = 0;
    int before = count_descriptors();
    aftermath[0] = '\0';
    hit = hit_written = false;
    alarm(TRIAL_S);
    int rc = s->run(&sum, &err);
    alarm(0);
    if (!hit)
        return;
    row->trials++;
    const char *why = rc             ? judge_error(rc, &err)
                      : hit_written  ? "it is not told"
                      : sum != right ? "another result"
                                     : NULL;
    if (!why && aftermath[0])
        why = aftermath;
    if (!why && count_descriptors() != before)
        why = "a descriptor is left open";
    if (why) {
        row->wrong++;
        fprintf(stderr, "%s: %s (%d %s)\n", trial_name, why, rc, rc ? err.message : "");
    } else if (rc) {
        row->errors++;
    } else {
        row->results++;
    }
}

static long step = 59; /* in the suite */

/* All faults of all of a scenario's calls, or each step-th. */
static long try_scenario(const struct scenario *s, long *number)
{
    struct fault_row row = { .name = s->name };
    struct pcr_error err = { .message = "" };
    long calls[CALL_COUNT];
    uint64_t right = 0, sum = 0;
    for (int i = 0; i < 2; i++) { /* the second is as all are */
        right = sum;
        sum = 0;
        plan.fault = FAULT_NONE;
        aftermath[0] = '\0';
        int rc = s->run(&sum, &err);
        ck_assert_msg(!rc && !aftermath[0], "%s: fails by itself: %s%s", s->name, err.message,
                      aftermath);
        for (int c = 0; c < CALL_COUNT; c++)
            calls[c] = calls_count(c);
    }
    ck_assert_msg(sum == right, "%s: differs by itself", s->name);
    for (int c = 0; c < CALL_COUNT; c++)
        for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++)
            for (long k = 0; k < 2 * calls[c] && call_can(c, faults[f].fault); k++) {
                if ((*number)++ % (step * fault_every(s->name)))
                    continue;
                plan.call = c;
                plan.fault = faults[f].fault;
                plan.at = k / 2 + 1;
                plan.lasting = k % 2;
                snprintf(trial_name, sizeof(trial_name), "%s, %s %ld: %s, %s", s->name,
                         call_names[c], plan.at, faults[f].name,
                         plan.lasting ? "for ever" : "once");
                try_one(s, right, &row);
            }
    fault_print(&row);
    return row.wrong;
}

static void make_lists(void)
{
    static const char *const names[] = { "ape/a.jpg", "ape/b.jpg", "bee/c.jpg", "bee/d" };
    static const char jsonl[] = "{\"path\":\"ape/a.jpg\",\"label\":\"ape\"}\n"
                                "{\"path\":\"bee/c.jpg\",\"label\":\"bee\"}\n"
                                "{\"path\":\"bee/d\",\"label\":\"bee\"}\n";
    static const char csv[] = "path,label\nape/a.jpg,ape\nape/b.jpg,ape\nbee/c.jpg,bee\n";
    ck_assert_int_eq(mkdir(at("images"), 0777) | mkdir(at("images/ape"), 0777) |
                         mkdir(at("images/bee"), 0777),
                     0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char name[64];
        snprintf(name, sizeof(name), "images/%s", names[i]);
        folder_write(at(name), source.samples[i].file.data, source.samples[i].file.nbytes);
    }
    folder_write(at("images/list.jsonl"), jsonl, sizeof(jsonl) - 1);
    folder_write(at("images/list.csv"), csv, sizeof(csv) - 1);
    folder_write(at("images/classes.txt"), "bee\nape\n", 8);
    struct pcr_ladder *ladder = NULL;
    ck_assert_int_eq(pcr_ladder_create("classic", &ladder, NULL), 0);
    folder_write(at("images/ladder.txt"), pcr_ladder_text(ladder),
                 strlen(pcr_ladder_text(ladder)));
    pcr_ladder_destroy(&ladder);
    ck_assert_int_eq(symlink("../ape/a.jpg", at("images/bee/link.jpg")), 0);
}

static int stop_late(void *context, const struct pcr_write_progress *p)
{
    return p->records_done > 0;
}

/* Turns a bit near the end of the last group, which the tail follows. */
static void damage_record(void *context, const char *path, bool is_folder)
{
    struct pcr_buffer b = { 0 };
    if (!strstr(path, ".pcr"))
        return;
    test_read_path(path, &b);
    b.data[b.nbytes * 3 / 4] ^= 1;
    folder_write(path, b.data, b.nbytes);
    pcr_buffer_free(&b);
}

static void set_up(void)
{
    struct pcr_error err = { .message = "" };
    struct pcr_write_options o = write_options(1, PCR_BAD_FAIL);
    test_source_init(&source, SAMPLES);
    test_source_set_case(&source, 2, "png-rgb");
    test_folder_make(&top_folder);
    make_lists();
    ck_assert_int_eq(pcr_dataset_write(at("finished"), &source.source, &o, NULL, &err), 0);
    o.record_samples = 5; /* large enough for several ranges */
    o.max_side = 0;
    ck_assert_int_eq(pcr_dataset_write(at("made"), &source.source, &o, NULL, &err), 0);
    made = strdup(at("made"));
    folder_copy(made, at("damaged"));
    each_file(at("damaged"), damage_record, NULL);
    o = write_options(1, PCR_BAD_FAIL);
    o.progress = stop_late;
    ck_assert_int_eq(pcr_dataset_write(at("begun"), &source.source, &o, NULL, &err),
                     PCR_ERR_CANCELLED);
    ck_assert(test_exists(at("begun"), ".pcr-convert"));
    folder_write(at("begun/.pcr-tmp-killed"), "part", 4);
}

static const char *only; /* NULL: all */

START_TEST(all)
{
    long wrong = 0, number = 0;
    signal(SIGALRM, hang); /* Check has set its own, which kills all of the group */
    set_up();
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (!only || !strcmp(only, scenarios[i].name))
            wrong += try_scenario(&scenarios[i], &number);
    free((char *) made);
    test_folder_free(&top_folder);
    test_source_free(&source);
    ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(int argc, char **argv)
{
    step = argc > 1 && atol(argv[1]) > 0 ? atol(argv[1]) : step;
    only = argc > 2 ? argv[2] : NULL;
    return fault_run("system_calls", all);
}
