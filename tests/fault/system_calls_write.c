/* SPDX-License-Identifier: BSD-2-Clause */
/* Converting and recoding while a system call fails. */
#define _GNU_SOURCE
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <pcr/dataset.h>
#include <pcr/source.h>

#include "system_calls.h"

#include "base/base.h"

static struct pcr_error told; /* of the first bad input */

static void note_bad(void *context, const char *path, const char *format,
                     const struct pcr_error *err)
{
    if (told.code)
        return;
    told = *err;
    snprintf(told.message, sizeof(told.message), "%.200s: %.200s", path, err->message);
}

struct pcr_write_options write_options(uint32_t threads, uint32_t policy)
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
    const bool is_mds = from && strstr(from, "/mds"); /* which else is looked at to find out */
    const struct pcr_source_options spool = { .size = sizeof(spool),
                                              .format = is_mds ? "mds" : NULL,
                                              .spool_folder = top_folder.path };
    int rc = from ? pcr_source_open(from, &spool, &s, err) : 0;
    if (!rc)
        rc = pcr_dataset_write(to, s, o, NULL, err);
    rest(); /* what a source kept is of no use any more */
    if (from && s != &source.source)
        pcr_source_close(&s);
    return rc;
}

/* A conversion into out/, of which a fault may be a part. Afterwards it is made again, and
 * gives what it gives without. */
static int convert_into(const char *from, const struct pcr_write_options *o, uint64_t *sum,
                        struct pcr_error *err)
{
    static uint64_t whole[10]; /* by kind of source */
    const size_t kind = o->flags                  ? 7
                        : !from                   ? o->bad_policy != PCR_BAD_FAIL
                        : strstr(from, "/mds")    ? 8
                        : strstr(from, ".tfrec")  ? 9
                        : strstr(from, ".jsonl")  ? 2
                        : strstr(from, ".csv")    ? 3
                        : strstr(from, ".t")      ? 4
                        : strstr(from, "/images") ? 5
                                                  : 6;
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

/* The images go through a spool. */
static int convert_tgz(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(1, PCR_BAD_SKIP);
    return convert_into(at("images/a.t[a-g]z"), &o, sum, err);
}

/* Each file is looked at before, as all have one size or another's. */
static int convert_duplicates(uint64_t *sum, struct pcr_error *err)
{
    struct pcr_write_options o = write_options(2, PCR_BAD_FAIL);
    struct test_sample *s = &source.samples[4];
    const struct pcr_buffer *same = &source.samples[1].file;
    struct pcr_buffer kept = s->file;
    s->file = (struct pcr_buffer) { 0 };
    test_source_set(&source, 4, same->data, same->nbytes);
    o.flags = PCR_WRITE_DEDUPE;
    int rc = convert_into(NULL, &o, sum, err);
    pcr_buffer_free(&s->file);
    s->file = kept;
    return rc;
}

static int convert_tfrecord(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(1, PCR_BAD_FAIL);
    return convert_into(at("records/a.tfrecord"), &o, sum, err);
}

static int convert_mds(uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_write_options o = write_options(1, PCR_BAD_FAIL);
    return convert_into(at("records/mds"), &o, sum, err);
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

static const struct call_scenario list[] = {
    { "convert", convert_one },
    { "convert, two threads", convert_two },
    { "convert, skipping", convert_skip },
    { "convert, resumed", convert_resume },
    { "convert, finished before", convert_finished },
    { "convert JSON lines", convert_list },
    { "convert CSV", convert_csv },
    { "convert compressed tars", convert_tgz },
    { "convert a folder", convert_folder },
    { "convert without duplicates", convert_duplicates },
    { "convert TFRecord", convert_tfrecord },
    { "convert MDS", convert_mds },
    { "push", push },
    { "recode", recode },
};

const struct call_scenarios calls_of_writing = CALL_SCENARIOS(list);
