/* SPDX-License-Identifier: BSD-2-Clause */
/* recode: datasets in another coding hold the same, and come back as they were. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <pcr/dataset.h>
#include <pcr/ladder.h>

#include "base/base.h"
#include "generator.h"
#include "suite.h"
#include "writing.h"

enum { SAMPLES = 26 };

static void setup(void)
{
    writing_begin(SAMPLES, 7);
    test_source_set_case(&src, 9, "png-rgb");
    test_source_set_case(&src, 11, "exif-thumbnail");
    test_source_set_case(&src, 14, "icc-cmyk");
}

static void convert(const char *name, uint32_t coding)
{
    options.coding = coding;
    int rc = pcr_dataset_write(at(name), &src.source, &options, &report, &error);
    ck_assert_msg(rc == 0, "%s", error.message);
}

static struct pcr_dataset *open_with(const char *name, const struct pcr_dataset_options *o)
{
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(at(name), o, &ds, &error);
    ck_assert_msg(rc == 0, "%s", error.message);
    return ds;
}

static int try_with(const char *from, const struct pcr_dataset_options *how, const char *to,
                    const struct pcr_write_options *opts)
{
    struct pcr_dataset *ds = open_with(from, how);
    int rc = pcr_dataset_recode(ds, at(to), opts, &report, &error);
    pcr_dataset_close(&ds);
    return rc;
}

static struct pcr_write_options to(uint32_t coding)
{
    return (struct pcr_write_options) { .size = sizeof(options), .coding = coding };
}

static void recode(const char *from, const char *target, uint32_t coding, uint32_t threads)
{
    struct pcr_write_options o = to(coding);
    o.thread_count = threads;
    int rc = try_with(from, NULL, target, &o);
    ck_assert_msg(rc == 0, "%s", error.message);
}

static void fails(int rc, int code, const char *part)
{
    ck_assert_int_eq(rc, code);
    ck_assert_msg(strstr(error.message, part) != NULL, "'%s' lacks '%s'", error.message, part);
}

/* --- what is kept --- */

/* As a conversion of the sources would have made it, there and back, on any threads. */
START_TEST(there_and_back)
{
    convert("scans", PCR_CODING_SCANS);
    convert("packed", PCR_CODING_PACKED);
    recode("scans", "a", PCR_CODING_PACKED, 1);
    test_same_folders(at("packed"), at("a"));
    recode("scans", "b", PCR_CODING_PACKED, 9);
    test_same_folders(at("packed"), at("b"));
    recode("a", "c", PCR_CODING_SCANS, 2);
    test_same_folders(at("scans"), at("c"));
    ck_assert_uint_eq(report.samples_done, SAMPLES);
    ck_assert_uint_eq(report.records_done, report.record_count);
}
END_TEST

static void read_notes(const char *name, struct pcr_buffer *out)
{
    struct pcr_dataset *ds = open_with(name, NULL);
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_buffer lines = { 0 };
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    for (uint64_t r = 0; r < info.record_count; r++) {
        ck_assert_int_eq(pcr_dataset_record_notes(ds, r, &lines, &error), 0);
        ck_assert_int_eq(pcri_buffer_append(out, lines.data, lines.nbytes, &error), 0);
    }
    pcr_buffer_free(&lines);
    pcr_dataset_close(&ds);
}

static void same_bytes(struct pcr_buffer *a, struct pcr_buffer *b)
{
    ck_assert_uint_eq(a->nbytes, b->nbytes);
    ck_assert_uint_gt(a->nbytes, 0);
    ck_assert_mem_eq(a->data, b->data, a->nbytes);
    pcr_buffer_free(a);
    pcr_buffer_free(b);
}

static struct pcr_dataset_info describe(const char *name)
{
    struct pcr_dataset *ds = open_with(name, NULL);
    struct pcr_dataset_info info = { .size = sizeof(info) };
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    pcr_dataset_close(&ds);
    return info;
}

/* Salvaged, dropped, undecodable, skipped, and a record of which nothing was left. */
static void make_odd(uint32_t policy)
{
    options.bad_policy = policy;
    options.originals = PCR_ORIGINALS_OFF;
    options.flags = PCR_WRITE_NO_SHUFFLE;
    options.record_samples = 4;
    src.samples[12].file.nbytes = src.samples[12].file.nbytes * 3 / 4;
    ck_assert_int_eq(pcri_buffer_append(&src.samples[13].file, "a video", 7, &error), 0);
    for (uint32_t i = 0; i < 25; i += 5) /* the first of split "test": all of a record */
        test_source_set(&src, i, "", i % 2);
    test_source_set(&src, 17, "8BPS\0\1", 6);
    convert("odd", PCR_CODING_SCANS);
}

static void check_odd(uint32_t policy)
{
    struct pcr_buffer notes[2] = { { 0 } }, errors[2] = { { 0 } };
    make_odd(policy);
    recode("odd", "packed", PCR_CODING_PACKED, 2);
    ck_assert_uint_eq(report.samples_bad, 0);
    const struct pcr_dataset_info a = describe("odd"), b = describe("packed");
    ck_assert_uint_eq(a.sample_count, b.sample_count);
    ck_assert_uint_eq(a.skipped_count, b.skipped_count);
    ck_assert_uint_eq(a.salvaged_count, b.salvaged_count);
    ck_assert_uint_eq(a.undecodable_count, b.undecodable_count);
    ck_assert_uint_eq(a.dropped_count, b.dropped_count);
    ck_assert_uint_eq(a.dropped_nbytes, 7);
    ck_assert_uint_eq(a.dropped_nbytes, b.dropped_nbytes);
    ck_assert_uint_eq(a.source_nbytes, b.source_nbytes);
    ck_assert_uint_gt(a.salvaged_count + a.undecodable_count, 0);
    read_notes("odd", &notes[0]);
    read_notes("packed", &notes[1]);
    same_bytes(&notes[0], &notes[1]);
    test_read(at("odd"), "errors.jsonl", &errors[0]);
    test_read(at("packed"), "errors.jsonl", &errors[1]);
    same_bytes(&errors[0], &errors[1]);
    /* The same as a conversion makes: also the lists of skipped inputs, and names of records. */
    convert("direct", PCR_CODING_PACKED);
    test_same_folders(at("direct"), at("packed"));
    if (policy == PCR_BAD_SALVAGE)
        ck_assert(!test_exists(at("packed"), "test-00000.pcr"));
}

START_TEST(notes_and_skipped_inputs)
{
    check_odd(_i ? PCR_BAD_OPAQUE : PCR_BAD_SALVAGE);
}
END_TEST

/* What no coding can hold was kept whole, and stays so. What does not decode stays noted. */
START_TEST(what_no_coding_can_hold)
{
    const bool first = _i; /* the segment by which packed samples are known */
    const uint8_t ours[] = { 0xFF, 0xEF, 0, 6, 'P', 'C', 'R', first ? 2 : 'P' };
    struct pcr_buffer *f = &src.samples[3].file, with = { 0 };
    size_t jfif = 4 + (size_t) (f->data[4] << 8 | f->data[5]), app0 = first ? 2 : jfif;
    ck_assert_int_eq(pcri_buffer_append(&with, f->data, app0, &error), 0);
    ck_assert_int_eq(pcri_buffer_append(&with, ours, sizeof(ours), &error), 0);
    ck_assert_int_eq(pcri_buffer_append(&with, f->data + app0, f->nbytes - app0, &error), 0);
    test_source_set(&src, 3, with.data, with.nbytes);
    pcr_buffer_free(&with);
    options.bad_policy = PCR_BAD_OPAQUE;
    convert("scans", PCR_CODING_SCANS);
    options.bad_policy = PCR_BAD_FAIL;
    ck_assert_uint_eq(describe("scans").opaque_count, 2);
    ck_assert_uint_eq(describe("scans").undecodable_count, first);
    recode("scans", "packed", PCR_CODING_PACKED, 0);
    ck_assert_uint_eq(describe("packed").opaque_count, 2);
    ck_assert_uint_eq(describe("packed").undecodable_count, first);
    recode("packed", "back", PCR_CODING_SCANS, 0);
    ck_assert_uint_eq(describe("back").opaque_count, 2);
    ck_assert_uint_eq(describe("back").undecodable_count, first);

    struct pcr_buffer files[2] = { { 0 } };
    const char *const names[] = { "scans", "back" };
    for (int k = 0; k < 2; k++) {
        struct pcr_dataset *ds = open_with(names[k], NULL);
        struct pcr_sample *s = NULL;
        uint64_t index;
        ck_assert_int_eq(pcr_dataset_find(ds, "images/003.jpg", 14, &index, &error), 0);
        ck_assert_int_eq(pcr_sample_acquire(ds, index, &s, &error), 0);
        ck_assert_int_eq(pcr_sample_read(s, 0, &files[k], &error), 0);
        pcr_sample_release(&s);
        pcr_dataset_close(&ds);
    }
    same_bytes(&files[0], &files[1]);
}
END_TEST

static const double floats[] = { 0.5, -3 };

static int describe_floats(void *context, uint64_t i, struct pcr_source_sample *out,
                           struct pcr_error *err)
{
    const struct test_source *s = context;
    out->key = s->samples[i].key;
    out->float_labels = floats;
    out->label_count = (uint32_t) (i % 3);
    return 0;
}

/* Float labels in one unnamed split, reduced images, another ladder; and integers that are none. */
START_TEST(schema_and_ladder)
{
    src.source.describe = describe_floats;
    src.source.class_count = src.source.split_count = 0;
    src.source.class_names = src.source.split_names = NULL;
    options.max_side = 32;
    options.ladder = NULL;
    struct pcr_ladder *classic = NULL, *packed = NULL;
    ck_assert_int_eq(pcr_ladder_create("classic", &classic, &error), 0);
    ck_assert_int_eq(pcr_ladder_create("packed", &packed, &error), 0);
    options.ladder = classic;
    convert("classic", PCR_CODING_SCANS);

    struct pcr_write_options o = to(PCR_CODING_PACKED);
    fails(try_with("classic", NULL, "x", &o), PCR_ERR_INVAL,
          "coding packed cannot use ladder classic");
    ck_assert(!test_exists(top.path, "x/manifest.json"));
    o.ladder = packed;
    ck_assert_int_eq(try_with("classic", NULL, "packed", &o), 0);
    ck_assert_uint_eq(describe("packed").label_kind, PCR_LABEL_FLOATS);
    ck_assert_uint_eq(describe("packed").max_side, 32);
    recode("classic", "again", PCR_CODING_SCANS, 0); /* by its own ladder */
    test_same_folders(at("classic"), at("again"));
    o = to(PCR_CODING_SCANS);
    o.ladder = classic;
    ck_assert_int_eq(try_with("packed", NULL, "back", &o), 0);
    test_same_folders(at("classic"), at("back"));
    pcr_ladder_destroy(&classic);
    pcr_ladder_destroy(&packed);
}
END_TEST

START_TEST(integers_stay_integers)
{
    src.source.class_count = 0;
    src.source.class_names = NULL;
    options.flags = PCR_WRITE_NO_CLASSES;
    convert("ints", PCR_CODING_SCANS);
    recode("ints", "packed", PCR_CODING_PACKED, 0);
    ck_assert_uint_eq(describe("packed").label_kind, PCR_LABEL_INTS);
    ck_assert_uint_eq(describe("packed").class_count, 0);
}
END_TEST

/* --- runs that end early, and again --- */

static int stop_after_two(void *context, const struct pcr_write_progress *p)
{
    uint64_t *done = context;
    *done = p->records_done;
    return p->records_done >= 2;
}

START_TEST(goes_on)
{
    uint64_t done = 0;
    char command[400];
    struct pcr_write_options o = to(PCR_CODING_PACKED);
    options.record_samples = 1;
    convert("scans", PCR_CODING_SCANS);
    recode("scans", "whole", PCR_CODING_PACKED, 0);
    o.thread_count = 1;
    o.progress = stop_after_two;
    o.context = &done;
    ck_assert_int_eq(try_with("scans", NULL, "part", &o), PCR_ERR_CANCELLED);
    ck_assert(!test_exists(at("part"), "manifest.json"));
    ck_assert_uint_ge(report.records_done, 2);
    /* However far it came: some records are there, and others are not. */
    snprintf(command, sizeof(command), "cp %s/train-0000[0-4].pcr %s && rm -f %s/*-0001*.pcr",
             at("whole"), at("part"), at("part"));
    ck_assert_int_eq(system(command), 0);
    recode("scans", "part", PCR_CODING_PACKED, 2);
    ck_assert_uint_ge(report.records_kept, 5);
    ck_assert_uint_lt(report.records_kept, report.record_count);
    test_same_folders(at("whole"), at("part"));
    recode("scans", "part", PCR_CODING_PACKED, 2); /* it is finished */
    ck_assert_uint_eq(report.records_kept, report.record_count);
}
END_TEST

/* Notes and skipped inputs of records that are taken over. */
START_TEST(goes_on_with_odd_ones)
{
    make_odd(PCR_BAD_SALVAGE);
    recode("odd", "whole", PCR_CODING_PACKED, 0);
    recode("odd", "part", PCR_CODING_PACKED, 0);
    char command[400];
    uint64_t done = 0;
    struct pcr_write_options o = to(PCR_CODING_PACKED);
    o.progress = stop_after_two;
    o.context = &done;
    o.thread_count = 1;
    ck_assert_int_eq(try_with("odd", NULL, "begun", &o), PCR_ERR_CANCELLED);
    snprintf(command, sizeof(command), "cp %s/*.pcr %s", at("whole"), at("begun"));
    ck_assert_int_eq(system(command), 0);
    recode("odd", "begun", PCR_CODING_PACKED, 0);
    ck_assert_uint_eq(report.records_kept, report.record_count);
    test_same_folders(at("whole"), at("begun"));
    recode("odd", "begun", PCR_CODING_PACKED, 0);
}
END_TEST

START_TEST(other_datasets_are_left_alone)
{
    convert("scans", PCR_CODING_SCANS);
    recode("scans", "packed", PCR_CODING_PACKED, 0);
    struct pcr_write_options o = to(PCR_CODING_PACKED);
    fails(try_with("packed", NULL, "scans", &o), PCR_ERR_INVAL, "already holds another");
    /* Made anew, it is another one although its samples have the same keys and sizes. */
    char command[400];
    snprintf(command, sizeof(command), "touch -d '1 hour' %s/manifest.json", at("scans"));
    ck_assert_int_eq(system(command), 0);
    fails(try_with("scans", NULL, "packed", &o), PCR_ERR_INVAL, "already holds another");
}
END_TEST

/* --- refusals --- */

START_TEST(refusals)
{
    struct pcr_write_options o = to(PCR_CODING_PACKED);
    convert("scans", PCR_CODING_SCANS);
    fails(pcr_dataset_recode(NULL, at("x"), &o, NULL, &error), PCR_ERR_INVAL, "no dataset");
    fails(try_with("scans", NULL, "x", NULL), PCR_ERR_INVAL, "no coding");
    const struct pcr_dataset_options split = { .size = sizeof(split), .split = "train" },
                                     blind = { .size = sizeof(blind),
                                               .flags = PCR_DATASET_NO_VERIFY };
    fails(try_with("scans", &split, "x", &o), PCR_ERR_INVAL, "one of its splits");
    fails(try_with("scans", &blind, "x", &o), PCR_ERR_INVAL, "without its checksums");
    fails(try_with("scans/train-00000.pcr", NULL, "x", &o), PCR_ERR_INVAL, "single record");
    fails(pcr_dataset_recode(NULL, "", &o, NULL, &error), PCR_ERR_INVAL, "no path");
    struct pcr_write_options bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = o;
    bad[0].seed = bad[1].record_samples = 1;
    bad[2].record_nbytes = bad[3].bad_policy = 1;
    bad[4].opaque_policy = bad[5].max_side = 1;
    bad[6].quality = 1;
    bad[7].flags = PCR_WRITE_NO_SHUFFLE;
    for (int i = 0; i < 8; i++)
        fails(try_with("scans", NULL, "x", &bad[i]), PCR_ERR_INVAL, "keeps samples");
    o.coding = 77;
    fails(try_with("scans", NULL, "x", &o), PCR_ERR_INVAL, "coding is 77");
    o = to(PCR_CODING_PACKED);
    o.max_memory_nbytes = 1000;
    fails(try_with("scans", NULL, "x", &o), PCR_ERR_LIMIT, "max_memory_nbytes");
    ck_assert(!test_exists(at("x"), "manifest.json"));
}
END_TEST

/* Damage ends the work, and is named. */
START_TEST(damaged_samples)
{
    char command[400];
    convert("scans", PCR_CODING_SCANS);
    snprintf(command, sizeof(command),
             "f=%s/train-00002.pcr; n=$(stat -c %%s $f); "
             "printf XXXX | dd of=$f bs=1 seek=$((n - 100)) conv=notrunc 2>/dev/null",
             at("scans"));
    ck_assert_int_eq(system(command), 0);
    struct pcr_write_options o = to(PCR_CODING_PACKED);
    fails(try_with("scans", NULL, "x", &o), PCR_ERR_CORRUPT, "train-00002.pcr");
    ck_assert(!test_exists(at("x"), "manifest.json"));
}
END_TEST

START_TEST(dry_run)
{
    struct pcr_buffer manifest = { 0 }, there = { 0 };
    struct pcr_write_options o = to(PCR_CODING_PACKED);
    convert("scans", PCR_CODING_SCANS);
    convert("packed", PCR_CODING_PACKED);
    o.flags = PCR_WRITE_DRY_RUN;
    o.manifest_out = &manifest;
    ck_assert_int_eq(try_with("scans", NULL, "x", &o), 0);
    ck_assert(!test_exists(top.path, "x"));
    test_read(at("packed"), "manifest.json", &there);
    same_bytes(&manifest, &there);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("recode");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, writing_end);
    tcase_add_test(t, there_and_back);
    tcase_add_loop_test(t, notes_and_skipped_inputs, 0, 2);
    tcase_add_loop_test(t, what_no_coding_can_hold, 0, 2);
    tcase_add_test(t, schema_and_ladder);
    tcase_add_test(t, integers_stay_integers);
    tcase_add_test(t, goes_on);
    tcase_add_test(t, goes_on_with_odd_ones);
    tcase_add_test(t, other_datasets_are_left_alone);
    tcase_add_test(t, refusals);
    tcase_add_test(t, damaged_samples);
    tcase_add_test(t, dry_run);
    return tests_run();
}
