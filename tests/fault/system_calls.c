/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that fail, once or from then on, give the right result or an error that says so;
 * afterwards nothing is lost or left behind.
 *
 * usage: fault-system_calls [STEP [NAME]]   every STEP-th trial (1: all), of scenario NAME */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcr/dataset.h>
#include <pcr/source.h>
#include <pcr/ladder.h>

#include "archives.h"
#include "records.h"
#include "system_calls.h"

#include "base/base.h"

enum { TRIAL_S = 60 };

/* --- a trial --- */

struct call_plan plan;
const char *made;
struct test_source source;
static bool hit, hit_written; /* as calls.h says it of the trial's own calls */
static char trial_name[128];
static char aftermath[512]; /* what is wrong after the fault */

void go(void)
{
    calls_arm(plan.call, plan.fault, plan.at, plan.lasting);
}

void rest(void)
{
    calls_disarm();
    hit = hit || (plan.fault && calls_hit());
    hit_written = hit_written || (plan.fault && calls_hit_written());
}

int expected_errno(void)
{
    return plan.fault > 0                                        ? plan.fault
           : plan.call == CALL_WRITE || plan.call == CALL_PWRITE ? ENOSPC
                                                                 : EIO;
}

void blame(const char *what)
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

void look_for_temps(const char *dir)
{
    if (plan.call != CALL_UNLINK && !(plan.call == CALL_STAT && plan.fault == ENOENT))
        each_file(dir, blame_temps, NULL);
}

/* --- all --- */

static const struct call_scenarios *const scenarios[] = { &calls_of_reading, &calls_of_writing,
                                                          &calls_of_tool };

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
    if ((plan.call == CALL_OPEN || plan.call == CALL_STAT) && plan.fault == ENOENT &&
        (rc == PCR_ERR_INVAL || strstr(err->message, "no manifest.json") ||
         strstr(err->message, "nor a compressed one is there")))
        return NULL; /* a finished dataset that lacks a record is another, or none */
    if (rc != PCR_ERR_IO || err->sys_errno != expected_errno())
        return "another error";
    if (!strstr(err->message, top_folder.path) && !strstr(err->message, "images/") &&
        !strstr(err->message, ".jpg") && !strstr(err->message, "extract: 2: ") &&
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
static void try_one(const struct call_scenario *s, uint64_t right, struct fault_row *row)
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

/* In the suite; with a sanitizer, which is slow, fewer and others. */
#ifdef __SANITIZE_ADDRESS__
static long step = 127;
#else
static long step = 59;
#endif

/* All faults of all of a scenario's calls, or each step-th. */
static long try_scenario(const struct call_scenario *s, long *number)
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
    struct pcr_buffer tar = { 0 };
    put_archive("%gzip", &source.samples[0].file, &source.samples[3].file, &tar);
    folder_write(at("images/a.tgz"), tar.data, tar.nbytes);
    tar.nbytes = 0;
    ck_assert_int_eq(mkdir(at("records"), 0777) | mkdir(at("records/mds"), 0777), 0);
    put_records("=tfrecord", &source.samples[0].file, &tar);
    folder_write(at("records/a.tfrecord"), tar.data, tar.nbytes);
    tar.nbytes = 0;
    put_records("=mds", &source.samples[0].file, &tar);
    folder_write(at("records/mds/shard.00000.mds"), tar.data, tar.nbytes);
    folder_write(at("records/mds/index.json"), mds_index, strlen(mds_index));
    pcr_buffer_free(&tar);
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

/* A dataset with blobs, of an archive. */
static void make_blobs(const struct pcr_write_options *o)
{
    const struct pcr_source_options so = { .size = sizeof(so),
                                           .spool_folder = top_folder.path };
    struct pcr_source *s = NULL;
    ck_assert_int_eq(pcr_source_open(at("images/a.tgz"), &so, &s, NULL), 0);
    ck_assert_int_eq(pcr_dataset_write(at("blobs"), s, o, NULL, NULL), 0);
    pcr_source_close(&s);
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
    make_blobs(&o);
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
    for (size_t k = 0; k < sizeof(scenarios) / sizeof(scenarios[0]); k++)
        for (size_t i = 0; i < scenarios[k]->count; i++)
            if (!only || !strcmp(only, scenarios[k]->items[i].name))
                wrong += try_scenario(&scenarios[k]->items[i], &number);
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
