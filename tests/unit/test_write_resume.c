/* SPDX-License-Identifier: BSD-2-Clause */
/* write_resume: conversions that are killed, cancelled, locked out or out of room. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pcr/ladder.h>

#include "base/base.h"
#include "leave.h"
#include "suite.h"
#include "writing.h"

enum { SAMPLES = 60, KILLS = 10 }; /* fault-kills has all places, this one what lies between */

/* Cancels when `enough` records are done. */
static uint64_t enough;

static int cancel(void *context, const struct pcr_write_progress *p)
{
    return p->records_done >= enough;
}

static void write_part(const char *name, uint64_t record_count)
{
    options.progress = cancel;
    enough = record_count;
    src.delay_us = 20000;
    ck_assert_int_eq(try_write(name), PCR_ERR_CANCELLED);
    options.progress = NULL;
    src.delay_us = 0;
    ck_assert_uint_ge(report.records_done, record_count);
    ck_assert_uint_lt(report.records_done, report.record_count);
}

static uint64_t part_done; /* records */

/* For all tests: "whole" holds the dataset as an undisturbed run makes it, "part" what one leaves
 * that was cancelled. */
static void set_up_all(void)
{
    writing_begin(SAMPLES, 4);
    options.bad_policy = PCR_BAD_SKIP;
    test_source_set(&src, 5, "x", 1);
    test_source_set(&src, 31, "", 0);
    test_source_set_case(&src, 32, "png-gray");
    write_ok("whole");
    write_part("part", 3);
    part_done = report.records_done;
}

static void run(const char *command)
{
    char text[512];
    snprintf(text, sizeof(text), "cd %s && %s", top.path, command);
    ck_assert_int_eq(system(text), 0);
}

/* "d" as "part" is, and nothing else but "whole". */
static void set_up(void)
{
    run("for f in *; do [ $f = whole ] || [ $f = part ] || rm -r $f; done; cp -r part d");
}

START_TEST(goes_on_after_cancel)
{
    ck_assert(test_exists(at("d"), ".pcr-convert"));
    ck_assert(!test_exists(at("d"), "manifest.json"));
    write_ok("d");
    ck_assert_uint_eq(report.records_kept, part_done);
    ck_assert_uint_eq(report.samples_done + report.samples_bad, SAMPLES);
    test_same_folders(at("whole"), at("d"));
}
END_TEST

START_TEST(makes_damaged_records_again)
{
    static const long sizes[] = { 0, 50, 1000 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char command[128]; /* and garbage of a killed writer beside */
        snprintf(command, sizeof(command),
                 "truncate -s %ld $(ls d/*.pcr | head -n 1) && echo x > d/.pcr-tmp-a",
                 sizes[i]);
        run(command);
        write_ok("d");
        ck_assert_uint_eq(report.records_kept, part_done - 1);
        test_same_folders(at("whole"), at("d"));
        set_up();
    }
}
END_TEST

static struct pcr_source plain; /* of the test, before a describe() of these */

static int describe_halves(void *context, uint64_t i, struct pcr_source_sample *out,
                           struct pcr_error *err)
{
    static const double half = 0.5;
    int rc = plain.describe(context, i, out, err);
    out->labels = NULL;
    out->float_labels = &half;
    return rc;
}

static int describe_large(void *context, uint64_t i, struct pcr_source_sample *out,
                          struct pcr_error *err)
{
    static const int64_t large = INT64_C(1) << 40;
    int rc = plain.describe(context, i, out, err);
    out->labels = &large;
    return rc;
}

static int describe_unlabelled(void *context, uint64_t i, struct pcr_source_sample *out,
                               struct pcr_error *err)
{
    int rc = plain.describe(context, i, out, err);
    out->label_count = 0;
    return rc;
}

/* As many groups as the default ladder, of other pieces. */
static struct pcr_ladder *other_ladder(void)
{
    struct pcr_ladder *usual = NULL, *other = NULL;
    char text[2048] = "ladder other\nscript all\ngroup\nall 0-0 0 0\n";
    size_t n = strlen(text);
    ck_assert_int_eq(pcr_ladder_create(NULL, &usual, &error), 0);
    uint32_t groups = pcr_ladder_group_count(usual);
    pcr_ladder_destroy(&usual);
    for (uint32_t k = 1; k + 1 < groups; k++)
        n += (size_t) snprintf(text + n, sizeof(text) - n, "group\nluma %u-%u 0 0\n", k, k);
    n += (size_t) snprintf(text + n, sizeof(text) - n,
                           "group\nluma %u-63 0 0\nchroma 1-63 0 0\n", groups - 1);
    ck_assert_msg(!pcr_ladder_parse(text, n, &other, &error), "%s", error.message);
    return other;
}

/* A record that holds what the plan cannot have put there is made again: one of other samples,
 * of another ladder, of labels that are no classes. */
START_TEST(makes_other_records_again)
{
    struct pcr_ladder *ladder = other_ladder();
    const struct pcr_write_options usual = options;
    plain = src.source;
    for (int i = 0; i < 4; i++) {
        options.record_samples = i ? 4 : SAMPLES;
        options.ladder = i == 1 ? ladder : NULL;
        src.source.class_count = i < 2 ? plain.class_count : 0;
        src.source.describe = i == 2   ? describe_halves
                              : i == 3 ? describe_large
                                       : plain.describe;
        write_ok("other");
        options = usual;
        src.source = plain;
        run("f=$(cd d && ls *.pcr | head -n 1) && cp other/$f d");
        write_ok("d");
        ck_assert_uint_eq(report.records_kept, part_done - 1);
        test_same_folders(at("whole"), at("d"));
        set_up();
    }
    pcr_ladder_destroy(&ladder);
}
END_TEST

START_TEST(finishes_what_is_complete)
{
    /* Killed after the manifest and before the state file was removed. */
    run("cp whole/* d/");
    write_ok("d");
    ck_assert_uint_eq(report.records_kept, report.record_count);
    test_same_folders(at("whole"), at("d"));
}
END_TEST

/* What tells a dataset from one that was not touched: its manifest's file. */
static struct stat manifest_stat(const char *name)
{
    char path[300];
    struct stat st;
    snprintf(path, sizeof(path), "%s/manifest.json", at(name));
    ck_assert_int_eq(stat(path, &st), 0);
    return st;
}

static void left_alone(const char *name, const struct stat *before)
{
    struct stat now = manifest_stat(name);
    ck_assert_int_eq(now.st_ino, before->st_ino);
    ck_assert_int_eq(now.st_mtim.tv_nsec, before->st_mtim.tv_nsec);
    ck_assert(!test_exists(at(name), ".pcr-convert"));
}

START_TEST(does_finished_work_once)
{
    struct stat before = manifest_stat("whole");
    struct test_sample *one = &src.samples[9];
    write_ok("whole");
    left_alone("whole", &before);
    ck_assert_uint_eq(report.records_kept, report.record_count);
    ck_assert_uint_eq(report.records_done, report.record_count);
    ck_assert_uint_eq(report.samples_bad, 2);
    ck_assert_uint_eq(report.samples_done, SAMPLES - 2);

    options.seed = 1;
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    options.seed = 0;
    options.bad_policy = PCR_BAD_FAIL; /* under which nothing is skipped */
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    options.bad_policy = PCR_BAD_SKIP;
    options.opaque_policy = PCR_OPAQUE_REFUSE;
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    options.opaque_policy = PCR_OPAQUE_KEEP;
    options.record_samples = 5;
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    options.record_samples = 4;
    one->label++;
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    one->label--;
    one->attributes = "{\"n\":2}";
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    one->attributes = " { \"a\" : [] , \"n\" : 1 } "; /* the same in other words */
    write_ok("whole");
    one->key[0]++;
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    one->key[0]--;
    one->file.nbytes--;
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    one->file.nbytes++;
    src.revision = UINT64_MAX; /* changed after the dataset was finished */
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    src.revision = 1;
    plain = src.source;
    src.source.class_names = (const char *const[]) { "ape", "bee", "cow" };
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    src.source = plain;
    src.source.describe = describe_unlabelled;
    refused("whole", PCR_ERR_INVAL, "already holds another dataset");
    src.source = plain;
    write_ok("whole");
    left_alone("whole", &before);

    options.record_samples = 1; /* sample 5 is bad, and its record not there */
    src.source.sample_count = 7;
    write_ok("few");
    before = manifest_stat("few");
    write_ok("few");
    left_alone("few", &before);
}
END_TEST

START_TEST(refuses_what_is_not_its_own)
{
    options.seed = 1;
    refused("d", PCR_ERR_INVAL, "other options or sources");
    options.seed = 0;
    src.samples[9].label = (src.samples[9].label + 1) % 3;
    refused("d", PCR_ERR_INVAL, "other options or sources");
    src.samples[9].label = (src.samples[9].label + 2) % 3;
    options.bad_policy = PCR_BAD_OPAQUE;
    refused("d", PCR_ERR_INVAL, "other options or sources");
    options.bad_policy = PCR_BAD_SKIP;
    write_ok("d");
    test_same_folders(at("whole"), at("d"));

    enum { LONG = 100000 };
    static char attributes[LONG];
    memset(attributes, 'x', LONG - 1);
    memcpy(attributes, "{\"n\":\"", 6);
    memcpy(attributes + LONG - 3, "\"}", 2);
    src.samples[9].attributes = attributes;
    src.source.sample_count = 12;
    write_part("long", 1);
    attributes[10] = 'y';
    refused("long", PCR_ERR_INVAL, "other options or sources");

    run("mkdir e && cp whole/train-00000.pcr e");
    refused("e", PCR_ERR_INVAL, "holds 1 record(s)");
    ck_assert(!test_exists(at("e"), ".pcr-convert"));
    FILE *f = fopen(at("e/.pcr-convert"), "w");
    fputs("from the future\n", f);
    fclose(f);
    refused("e", PCR_ERR_INVAL, "not a state known to this version");
}
END_TEST

START_TEST(other_options_where_nothing_is_lost)
{
    /* No record is finished: the state alone does not bind. */
    for (int i = 0; i < TEST_MAX_SAMPLES; i++)
        src.samples[i].load_code = PCR_ERR_CANCELLED;
    ck_assert_int_eq(try_write("new"), PCR_ERR_CANCELLED);
    ck_assert(test_exists(at("new"), ".pcr-convert"));
    for (int i = 0; i < TEST_MAX_SAMPLES; i++)
        src.samples[i].load_code = 0;
    options.seed = 7;
    write_ok("new");
    options.seed = 0;

    /* Records finished under FAIL hold for every policy. */
    options.bad_policy = PCR_BAD_FAIL;
    int rc = try_write("e");
    ck_assert(rc == PCR_ERR_FORMAT || rc == PCR_ERR_TRUNCATED);
    options.bad_policy = PCR_BAD_SKIP;
    write_ok("e");
    test_same_folders(at("whole"), at("e"));
}
END_TEST

static unsigned locked_out;

static int write_again(void *context, const struct pcr_write_progress *p)
{
    struct pcr_write_options o = options;
    o.progress = NULL;
    if (p->records_done == p->record_count)
        return 0; /* now it is complete, or will be at once */
    ck_assert_int_eq(pcr_dataset_write(context, &src.source, &o, NULL, &error), PCR_ERR_IO);
    ck_assert_int_eq(error.sys_errno, EWOULDBLOCK);
    ck_assert_ptr_nonnull(strstr(error.message, "another process"));
    locked_out++;
    return 0;
}

START_TEST(one_writer_at_a_time)
{
    char path[256];
    strcpy(path, at("new"));
    options.progress = write_again;
    options.context = path;
    src.delay_us = 10000;
    write_ok("new");
    ck_assert_uint_ge(locked_out, 1);
    test_same_folders(at("whole"), at("new"));
}
END_TEST

START_TEST(killed_at_any_moment)
{
    struct timespec a, b;
    unsigned seed = (unsigned) time(NULL);
    printf("kill moments: seed %u\n", seed);
    fflush(stdout);
    srand(seed);
    src.delay_us = 500;
    clock_gettime(CLOCK_MONOTONIC, &a);
    write_ok("timed");
    clock_gettime(CLOCK_MONOTONIC, &b);
    long whole_us = (long) (b.tv_sec - a.tv_sec) * 1000000;
    whole_us += (b.tv_nsec - a.tv_nsec) / 1000;
    for (int i = 0; i < KILLS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "k%d", i);
        for (int again = 0; again <= i % 2; again++) {
            pid_t pid = fork();
            ck_assert_int_ge(pid, 0);
            if (pid == 0)
                leave(try_write(name) ? 1 : 0);
            long us = (long) ((double) rand() / RAND_MAX * 1.1 * (double) whole_us);
            struct timespec t = { us / 1000000, us % 1000000 * 1000 };
            nanosleep(&t, NULL);
            kill(pid, SIGKILL);
            ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        }
        bool complete = test_exists(at(name), "manifest.json") &&
                        !test_exists(at(name), ".pcr-convert");
        if (!complete)
            write_ok(name);
        test_same_folders(at("whole"), at(name));
    }
}
END_TEST

START_TEST(disk_full)
{
    struct rlimit old, small;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    /* 60 samples in records of 4, but the last of each split are smaller. */
    small = old;
    small.rlim_cur = 2048;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = try_write("new");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert_int_eq(rc, PCR_ERR_IO);
    ck_assert_int_eq(error.sys_errno, EFBIG);
    ck_assert_ptr_nonnull(strstr(error.message, "cannot write"));
    ck_assert(!test_exists(at("new"), "manifest.json"));
    write_ok("new");
    test_same_folders(at("whole"), at("new"));
}
END_TEST

int main(void)
{
    TCase *t = tests_case("write_resume");
    tcase_add_unchecked_fixture(t, set_up_all, writing_end);
    tcase_add_checked_fixture(t, set_up, NULL);
    tcase_set_timeout(t, 100);
    tcase_add_test(t, goes_on_after_cancel);
    tcase_add_test(t, makes_damaged_records_again);
    tcase_add_test(t, makes_other_records_again);
    tcase_add_test(t, finishes_what_is_complete);
    tcase_add_test(t, does_finished_work_once);
    tcase_add_test(t, refuses_what_is_not_its_own);
    tcase_add_test(t, other_options_where_nothing_is_lost);
    tcase_add_test(t, one_writer_at_a_time);
    tcase_add_test(t, killed_at_any_moment);
    tcase_add_test(t, disk_full);
    return tests_run();
}
