/* SPDX-License-Identifier: BSD-2-Clause */
/* Source files come back byte for byte: of every kind of JPEG, in both codings, after recoding;
 * what would take too much is kept whole; and nothing but a restore needs the tail. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <pcr/dataset.h>
#include <pcr/image.h>

#include "base/base.h"
#include "generator.h"
#include "record/file_infos.h"
#include "record/record.h"
#include "suite.h"
#include "writing.h"

static struct pcr_buffer file_bytes;

static void setup(void)
{
    writing_begin(8, 1024);
    options.originals = PCR_ORIGINALS_ON;
}

static struct pcr_dataset *open_dataset(const char *name)
{
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(at(name), NULL, &ds, &error);
    ck_assert_msg(rc == 0, "%s", error.message);
    return ds;
}

static struct pcr_dataset_info describe(const char *name)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = open_dataset(name);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    pcr_dataset_close(&ds);
    return info;
}

static const struct test_sample *find(const char *key)
{
    for (size_t i = 0; i < src.source.sample_count; i++)
        if (!strcmp(src.samples[i].key, key))
            return &src.samples[i];
    return NULL;
}

/* Compares all files with the source's. Returns how many samples are coded. */
static uint32_t check_files(const char *name)
{
    struct pcr_dataset *ds = open_dataset(name);
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_decoder *d = NULL;
    uint32_t coded = 0;
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    ck_assert_uint_eq(info.originals, 1);
    ck_assert_int_eq(pcr_decoder_create(&d, &error), 0);
    for (uint64_t i = 0; i < info.sample_count; i++) {
        struct pcr_sample *s = NULL;
        struct pcr_sample_info about = { .size = sizeof(about) };
        ck_assert_int_eq(pcr_sample_acquire(ds, i, &s, &error), 0);
        ck_assert_int_eq(pcr_sample_describe(s, &about, &error), 0);
        const struct test_sample *want = find(about.key);
        int rc = pcr_sample_original(s, d, &file_bytes, &error);
        ck_assert_msg(rc == 0, "%s: %s", about.key, error.message);
        ck_assert_msg(file_bytes.nbytes == want->file.nbytes &&
                          !memcmp(file_bytes.data, want->file.data, file_bytes.nbytes),
                      "%s is another file", about.key);
        coded += about.coding != PCR_CODING_OPAQUE;
        pcr_sample_release(&s);
    }
    pcr_decoder_destroy(&d);
    pcr_dataset_close(&ds);
    return coded;
}

static void recode(const char *from, const char *to, uint32_t coding)
{
    const struct pcr_write_options o = { .size = sizeof(o), .coding = coding };
    struct pcr_dataset *ds = open_dataset(from);
    int rc = pcr_dataset_recode(ds, at(to), &o, &report, &error);
    ck_assert_msg(rc == 0, "%s", error.message);
    pcr_dataset_close(&ds);
}

static bool is_jpeg(const struct pcr_gen_case *c)
{
    return c->kind == PCR_GEN_GOOD_JPEG || c->kind == PCR_GEN_ODD_JPEG;
}

/* The generator's JPEG files from number `from`: as many as a source holds; sets the next. */
static uint32_t take_cases(size_t *from)
{
    uint32_t count = 0;
    const struct pcr_gen_case *c;
    test_source_free(&src);
    test_source_init(&src, TEST_MAX_SAMPLES);
    for (; count < TEST_MAX_SAMPLES && (c = pcr_gen_case(*from)); ++*from) {
        if (!is_jpeg(c))
            continue;
        test_source_set_case(&src, count, c->name);
        snprintf(src.samples[count].key, sizeof(src.samples[0].key), "%.60s", c->name);
        count++;
    }
    src.source.sample_count = count;
    return count;
}

START_TEST(every_kind_of_file)
{
    uint32_t all = 0, coded = 0, whole = 0;
    size_t next = 0;
    char name[32], again[32];
    options.bad_policy = PCR_BAD_SKIP;
    for (int part = 0; take_cases(&next); part++) {
        snprintf(name, sizeof(name), "packed%d", part);
        snprintf(again, sizeof(again), "again%d", part);
        options.coding = PCR_CODING_PACKED;
        write_ok(name);
        all += check_files(name);
        whole += (uint32_t) describe(name).unrestorable_count;
        recode(name, again, PCR_CODING_SCANS);
        coded += check_files(again);
        snprintf(name, sizeof(name), "scans%d", part);
        options.coding = PCR_CODING_SCANS;
        write_ok(name);
        ck_assert_uint_eq(check_files(name), check_files(again));
    }
    ck_assert_uint_gt(all, 100);
    ck_assert_uint_eq(coded, all);
    ck_assert_uint_eq(whole, 0);
}
END_TEST

/* --- what it costs --- */

static void append(uint32_t i, const void *p, size_t nbytes)
{
    ck_assert_int_eq(pcri_buffer_append(&src.samples[i].file, p, nbytes, &error), 0);
}

static void make_photo(uint32_t i, uint32_t width)
{
    struct pcr_buffer made = { 0 };
    ck_assert_int_eq(pcr_gen_photo(i + 1, width, width, 90, PCR_GEN_420, &made), 0);
    test_source_set(&src, i, made.data, made.nbytes);
    pcr_buffer_free(&made);
}

/* Bytes behind the image: kept up to a limit, beyond it the file is whole, counted and noted. */
START_TEST(bytes_behind_the_image)
{
    enum { MANY = 70000 };
    uint8_t *bytes = malloc(MANY);
    struct pcr_buffer notes = { 0 };
    for (uint32_t i = 0; i < MANY; i++)
        bytes[i] = (uint8_t) (i * i >> 7);
    make_photo(2, 300);
    append(1, "video", 5);
    append(2, bytes, 2000);
    append(3, bytes, MANY);
    write_ok("out");
    ck_assert_uint_eq(check_files("out"), 7);
    ck_assert_uint_eq(report.samples_unrestorable, 1);
    ck_assert_uint_eq(report.samples_dropped, 0);
    struct pcr_dataset_info info = describe("out");
    ck_assert_uint_eq(info.unrestorable_count, 1);
    ck_assert_uint_eq(info.opaque_count, 1);
    ck_assert_uint_eq(info.dropped_count, 0);
    ck_assert_uint_gt(info.tail_nbytes, 1000);
    struct pcr_dataset *ds = open_dataset("out");
    for (uint64_t r = 0; r < info.record_count && !notes.nbytes; r++)
        ck_assert_int_eq(pcr_dataset_record_notes(ds, r, &notes, &error), 0);
    ck_assert_int_eq(pcri_buffer_append(&notes, "", 1, &error), 0);
    ck_assert_ptr_nonnull(strstr((char *) notes.data, "\"unrestorable\":\"restoring it would "
                                                      "take 70000 bytes"));
    pcr_dataset_close(&ds);
    pcr_buffer_free(&notes);
    options.opaque_policy = PCR_OPAQUE_REFUSE;
    refused("out2", PCR_ERR_UNSUPPORTED, "restoring it would take 70000 bytes");
    free(bytes);
}
END_TEST

/* By default they are kept if that is cheap, and not with what forbids it. */
START_TEST(decided_by_cost)
{
    uint8_t noise[600];
    for (uint32_t i = 0; i < 8; i++)
        make_photo(i, 200);
    options.originals = PCR_ORIGINALS_DEFAULT;
    write_ok("cheap");
    ck_assert_uint_eq(check_files("cheap"), 8);
    uint64_t tail = describe("cheap").tail_nbytes, source = describe("cheap").source_nbytes;
    ck_assert_uint_gt(tail, 8 * 4);
    ck_assert_uint_lt(tail, source / 100);
    options.max_side = 1000;
    write_ok("reduced");
    options.max_side = 0;
    options.opaque_policy = PCR_OPAQUE_REFUSE;
    write_ok("refuse");
    options.opaque_policy = 0;
    options.originals = PCR_ORIGINALS_OFF;
    write_ok("off");
    options.originals = PCR_ORIGINALS_DEFAULT;
    for (uint32_t i = 0; i < 8; i++) {
        for (uint32_t k = 0; k < sizeof(noise); k++)
            noise[k] = (uint8_t) (pcri_xxh3(&(uint32_t) { 1000 * i + k }, 4));
        append(i, noise, sizeof(noise));
    }
    write_ok("dear");
    const char *const without[] = { "reduced", "refuse", "off", "dear" };
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(describe(without[i]).originals, 0);
        ck_assert_uint_eq(describe(without[i]).opaque_count, 0);
    }
    ck_assert_uint_eq(describe("off").tail_nbytes, 0);
    ck_assert_uint_eq(describe("dear").dropped_count, 8);
    options.originals = PCR_ORIGINALS_ON;
    write_ok("asked");
    ck_assert_uint_eq(check_files("asked"), 8);
    options.max_side = 100;
    refused("no", PCR_ERR_INVAL, "originals cannot be kept of images that max_side reduces");
}
END_TEST

/* --- runs that are stopped --- */

static int stop_at_the_end(void *context, const struct pcr_write_progress *p)
{
    (void) context;
    return p->record_count && p->records_done == p->record_count;
}

/* All records are there, the manifest is not: the decision is read from them. */
START_TEST(decided_once)
{
    options.originals = PCR_ORIGINALS_DEFAULT;
    options.record_samples = 3;
    for (int dear = 0; dear < 2; dear++) {
        if (dear)
            for (uint32_t i = 0; i < 8; i++)
                append(i, "something behind the image that costs a few bytes, as I say", 58);
        else
            for (uint32_t i = 0; i < 8; i++)
                make_photo(i, 200);
        write_ok(dear ? "whole1" : "whole0");
        options.progress = stop_at_the_end;
        ck_assert_int_eq(try_write(dear ? "stopped1" : "stopped0"), PCR_ERR_CANCELLED);
        options.progress = NULL;
        write_ok(dear ? "stopped1" : "stopped0");
        ck_assert_uint_eq(report.records_kept, 3);
        test_same_folders(at(dear ? "whole1" : "whole0"), at(dear ? "stopped1" : "stopped0"));
        write_ok(dear ? "stopped1" : "stopped0"); /* again: the same */
        test_source_free(&src);
        test_source_init(&src, 8);
    }
    ck_assert_uint_eq(describe("whole0").originals, 1);
    ck_assert_uint_eq(describe("whole1").originals, 0);
}
END_TEST

/* The same source with other wishes is another dataset. */
START_TEST(asked_for_later)
{
    write_ok("out");
    write_ok("out");
    options.originals = PCR_ORIGINALS_OFF;
    refused("out", PCR_ERR_INVAL, "");
}
END_TEST

/* --- damage --- */

static int original_of(struct pcr_dataset *ds, uint64_t i)
{
    struct pcr_sample *s = NULL;
    struct pcr_decoder *d = NULL;
    ck_assert_int_eq(pcr_decoder_create(&d, &error), 0);
    ck_assert_int_eq(pcr_sample_acquire(ds, i, &s, &error), 0);
    int rc = pcr_sample_original(s, d, &file_bytes, &error);
    pcr_sample_release(&s);
    pcr_decoder_destroy(&d);
    return rc;
}

static struct pcr_verify_report verify(struct pcr_dataset *ds, uint32_t flags)
{
    struct pcr_verify_report found = { .size = sizeof(found) };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    for (uint64_t r = 0; r < info.record_count; r++) {
        int rc = pcr_dataset_verify_record(ds, r, flags, &found, NULL, NULL, &error);
        ck_assert_msg(rc == 0, "%s", error.message);
    }
    return found;
}

/* A damaged tail costs the files, and nothing else. */
START_TEST(damage_in_the_tail)
{
    struct pcr_sample *s = NULL;
    write_ok("out");
    struct pcr_dataset *ds = open_dataset("out");
    ck_assert_uint_eq(verify(ds, PCR_VERIFY_ORIGINALS).restored_samples, 8);
    ck_assert_uint_eq(verify(ds, PCR_VERIFY_ORIGINALS | PCR_VERIFY_DEEP).restored_samples, 8);
    ck_assert_uint_eq(verify(ds, 0).restored_samples, 0);
    struct pcr_record_info info = { .size = sizeof(info) };
    ck_assert_int_eq(pcr_dataset_record(ds, 0, &info, &error), 0);
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", at("out"), info.path);
    FILE *f = fopen(path, "r+b");
    ck_assert_int_eq(fseek(f, (long) info.total_nbytes - 5, SEEK_SET), 0);
    int byte = fgetc(f);
    ck_assert_int_eq(fseek(f, -1, SEEK_CUR), 0);
    ck_assert_int_ne(fputc(byte ^ 8, f), EOF);
    ck_assert_int_eq(fclose(f), 0);
    pcr_dataset_close(&ds);

    ds = open_dataset("out");
    ck_assert_int_eq(original_of(ds, 0), PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(error.message, "tail"));
    ck_assert_int_eq(pcr_sample_acquire(ds, 0, &s, &error), 0);
    ck_assert_int_eq(pcr_sample_read(s, PCR_FIDELITY_FULL, &file_bytes, &error), 0);
    pcr_sample_release(&s);
    const struct pcr_verify_report found = verify(ds, PCR_VERIFY_ORIGINALS);
    ck_assert_uint_eq(found.bad_samples, 0);
    ck_assert_uint_eq(found.bad_records, 1);
    ck_assert_uint_eq(found.restored_samples, 8 - info.sample_count);
    pcr_dataset_close(&ds);
}
END_TEST

/* Samples without a file: those of damaged ones, and of datasets that keep none. */
START_TEST(files_that_were_not_kept)
{
    struct pcr_buffer *f = &src.samples[4].file;
    options.bad_policy = PCR_BAD_SALVAGE;
    f->nbytes -= f->nbytes / 3;
    write_ok("salvaged");
    options.originals = PCR_ORIGINALS_OFF;
    options.bad_policy = 0;
    test_source_set_case(&src, 4, "png-rgb");
    write_ok("off");
    const char *const names[] = { "salvaged", "off" };
    for (int k = 0; k < 2; k++) {
        uint32_t lost = 0;
        struct pcr_dataset *ds = open_dataset(names[k]);
        for (uint64_t i = 0; i < 8; i++) {
            int rc = original_of(ds, i);
            lost += rc == PCR_ERR_UNSUPPORTED;
            ck_assert(!rc || rc == PCR_ERR_UNSUPPORTED);
        }
        ck_assert_uint_eq(lost, k ? 7 : 1);
        ck_assert_uint_eq(verify(ds, PCR_VERIFY_ORIGINALS).restored_samples, 8 - lost);
        struct pcr_sample *s = NULL;
        ck_assert_int_eq(pcr_sample_acquire(ds, k, &s, &error), 0);
        if (!k)
            ck_assert_int_eq(pcr_sample_original(s, NULL, &file_bytes, &error), PCR_ERR_INVAL);
        pcr_sample_release(&s);
        pcr_dataset_close(&ds);
    }
}
END_TEST

/* --- modes and times --- */

/* What a source says of each file is kept with it, whatever becomes of the order. */
START_TEST(modes_and_times)
{
    const char *names[] = { "on", "off" };
    for (int i = 0; i < 8; i++)
        src.samples[i].info = (struct pcr_file_info) {
            .known = (uint32_t) i % 4,
            .mode = i & PCR_FILE_MODE ? 0600 + (uint32_t) i : 0,
            .mtime_ns = i & PCR_FILE_TIME ? INT64_C(1000000000000000000) * (i - 4) - i : 0,
        };
    for (int k = 0; k < 2; k++) {
        options.originals = k ? PCR_ORIGINALS_OFF : PCR_ORIGINALS_ON;
        write_ok(names[k]);
        struct pcr_dataset *ds = open_dataset(names[k]);
        for (uint64_t i = 0; i < 8; i++) {
            struct pcr_sample_info info = { .size = sizeof(info) };
            struct pcr_file_info file = { .known = 9 }, none = { 0 };
            struct pcr_sample *s = NULL;
            ck_assert_int_eq(pcr_sample_acquire(ds, i, &s, &error), 0);
            ck_assert_int_eq(pcr_sample_describe(s, &info, &error), 0);
            ck_assert_int_eq(pcr_sample_file_info(s, &file, &error), 0);
            ck_assert(!memcmp(&file, k ? &none : &find(info.key)->info, sizeof(file)));
            ck_assert_int_eq(pcr_sample_file_info(s, NULL, &error), PCR_ERR_INVAL);
            pcr_sample_release(&s);
        }
        pcr_dataset_close(&ds);
    }
    static const struct pcr_file_info bad[] = { { .known = 4 },
                                                { PCR_FILE_MODE, 01000, 0 },
                                                { PCR_FILE_TIME, 0, INT64_MIN } };
    for (size_t i = 0; i < 3; i++) {
        src.samples[3].info = bad[i];
        refused("bad", PCR_ERR_INVAL, src.samples[3].key);
    }
}
END_TEST

START_TEST(columns_of_modes_and_times)
{
    const struct pcr_file_info infos[] = {
        { PCR_FILE_MODE | PCR_FILE_TIME, 0777, INT64_MAX },
        { 0 },
        { PCR_FILE_TIME, 0, INT64_MIN + 1000000000 },
        { PCR_FILE_MODE, 0, 0 },
        { PCR_FILE_TIME, 0, -1 },
        { PCR_FILE_TIME, 0, 999999999 },
    };
    enum { COUNT = sizeof(infos) / sizeof(infos[0]) };
    struct pcr_buffer bytes = { 0 };
    struct pcr_file_info *out = NULL;
    ck_assert_int_eq(pcri_file_infos_render(infos, COUNT, &bytes, &error), 0);
    struct pcri_cursor c = { bytes.data, bytes.data + bytes.nbytes, false };
    ck_assert_int_eq(pcri_file_infos_parse(c, COUNT, &out, &error), 0);
    ck_assert(!memcmp(infos, out, sizeof(infos)));
    free(out);
    for (c.end = bytes.data; c.end < bytes.data + bytes.nbytes; c.end++)
        ck_assert_int_eq(pcri_file_infos_parse(c, COUNT, &out, &error), PCR_ERR_CORRUPT);
    c.end++; /* one too many */
    ck_assert_int_eq(pcri_buffer_append(&bytes, "", 1, &error), 0);
    c = (struct pcri_cursor) { bytes.data, bytes.data + bytes.nbytes, false };
    ck_assert_int_eq(pcri_file_infos_parse(c, COUNT, &out, &error), PCR_ERR_CORRUPT);
    /* What is known, a mode, seconds, nanoseconds: each beyond what it can be. */
    static const struct {
        uint8_t bytes[16];
        size_t nbytes;
    } bad[] = {
        { { 4 }, 1 },
        { { 1, 0x80, 4 }, 3 },
        { { 2, 0, 0, 0xCA, 0x9A, 0x3B }, 6 },
        { { 2, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0 }, 15 },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        c = (struct pcri_cursor) { bad[i].bytes, bad[i].bytes + bad[i].nbytes, false };
        ck_assert_int_eq(pcri_file_infos_parse(c, 1, &out, &error), PCR_ERR_CORRUPT);
    }
    pcr_buffer_free(&bytes);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("originals");
    tcase_add_checked_fixture(t, setup, writing_end);
    tcase_set_timeout(t, 240);
    tcase_add_test(t, every_kind_of_file);
    tcase_add_test(t, bytes_behind_the_image);
    tcase_add_test(t, decided_by_cost);
    tcase_add_test(t, decided_once);
    tcase_add_test(t, asked_for_later);
    tcase_add_test(t, damage_in_the_tail);
    tcase_add_test(t, files_that_were_not_kept);
    tcase_add_test(t, modes_and_times);
    tcase_add_test(t, columns_of_modes_and_times);
    return tests_run();
}
