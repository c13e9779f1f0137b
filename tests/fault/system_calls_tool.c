/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool while a system call fails. */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system_calls.h"

#include "base/base.h"

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
                  strstr(text, "another process");
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
    const char *once[] = { "extract", option, "--threads=1", from, out, NULL };
    const char *again_words[] = {
        "extract", option, "--threads=1", "--force", from, out, NULL
    };
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

static int extract_mds(uint64_t *sum, struct pcr_error *err)
{
    static uint64_t right;
    return extract("--to=mds", made, 0, &right, sum, err);
}

static int extract_blobs(const char *option, uint64_t *right, uint64_t *sum,
                         struct pcr_error *err)
{
    char from[PATH_NBYTES];
    snprintf(from, sizeof(from), "%s", at("blobs"));
    return extract(option, from, 0, right, sum, err);
}

static int extract_blobs_beside(uint64_t *sum, struct pcr_error *err)
{
    static uint64_t right;
    return extract_blobs("--quiet", &right, sum, err);
}

static int extract_blobs_mds(uint64_t *sum, struct pcr_error *err)
{
    static uint64_t right;
    return extract_blobs("--to=mds", &right, sum, err);
}

/* Of a damaged sample what is whole is written, and an error of the disk is no damage. */
static int extract_degrade(uint64_t *sum, struct pcr_error *err)
{
    static uint64_t right;
    char from[PATH_NBYTES];
    snprintf(from, sizeof(from), "%s", at("damaged"));
    return extract("--on-damage=degrade", from, 4, &right, sum, err);
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

static const struct call_scenario list[] = {
    { "pcrtool extract", extract_files },
    { "pcrtool extract --list", extract_list },
    { "pcrtool extract --to mds", extract_mds },
    { "pcrtool extract, blobs", extract_blobs_beside },
    { "pcrtool extract --to mds, blobs", extract_blobs_mds },
    { "pcrtool extract --on-damage degrade", extract_degrade },
    { "pcrtool cat", cat_sample },
    { "pcrtool verify", verify_all },
    { "pcrtool convert", convert_by_tool },
    { "pcrtool advise", advise },
    { "pcrtool bench", bench },
    { "pcrtool doctor DATASET", doctor },
};

const struct call_scenarios calls_of_tool = CALL_SCENARIOS(list);
