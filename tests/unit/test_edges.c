/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts, files and structs at the edges of what is taken. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/zstd.h"
#include "io/storage.h"
#include "jpeg/ladder.h"
#include "suite.h"

static struct pcr_error error;

static void refused(const char *text, int code, const char *says)
{
    struct pcr_ladder *l = NULL;
    ck_assert_int_eq(pcr_ladder_parse(text, strlen(text), &l, &error), code);
    ck_assert_msg(strstr(error.message, says) != NULL, "'%s' lacks '%s'", error.message, says);
    ck_assert_ptr_null(l);
}

static char *repeat(char *to, const char *text, int count)
{
    size_t n = strlen(text);
    for (int i = 0; i < count; i++, to += n)
        memcpy(to, text, n + 1);
    return to;
}

/* As many groups, scripts and scans as a ladder can hold, and one more. */
START_TEST(ladders)
{
    static const char script[] = "group\nall 0-0 0 0\nluma 1-63 0 0\nchroma 1-63 0 0\n";
    static char text[1 << 16];
    char *end;
    struct pcr_ladder *l = NULL;
    refused("script 12345678901234567890123456789012\ngroup\nall 0-0 0 0\n", PCR_ERR_INVAL,
            "a script's name has 1 to 31 letters");
    refused("group\nluma 1-63 0 0\nscript b\ngroup\ngroup\n", PCR_ERR_INVAL,
            "ladder line 5: the scripts have different numbers of groups");
    refused("script a\ngroup\ngroup\nscript b\ngroup\nscript c\n", PCR_ERR_INVAL,
            "ladder line 6: the scripts have different numbers of groups");

    end = text;
    for (int i = 1; i < PCRI_LADDER_MAX_SCRIPTS; i++)
        end += sprintf(end, "script s%d below %d\n%s", i, i + 1, script);
    end += sprintf(end, "script last\n%s", script);
    int rc = pcr_ladder_parse(text, strlen(text), &l, &error);
    ck_assert_msg(rc == 0, "%s", error.message);
    pcr_ladder_destroy(&l);
    repeat(end, "script more\n", 1);
    refused(text, PCR_ERR_LIMIT, "more than 16 scripts");

    end = repeat(text, "group\n", PCRI_LADDER_MAX_GROUPS);
    repeat(end, "group\n", 1);
    refused(text, PCR_ERR_LIMIT, "ladder line 33: more than 32 groups");

    end = repeat(text, "group\n", 1);
    end = repeat(end, "luma 1-1 0 0\n", PCRI_LADDER_MAX_SCANS);
    repeat(end, "luma 1-1 0 0\n", 1);
    refused(text, PCR_ERR_LIMIT, "ladder line 66: more than 64 scans");
    end = repeat(text, "group\n", 1);
    end = repeat(end, "chroma 1-1 0 0\n", 32);
    repeat(end, "luma 1-1 0 0\n", 1);
    refused(text, PCR_ERR_LIMIT, "ladder line 34: more than 64 scans in a group");
}
END_TEST

/* What a manifest's reader meets where a member is to be. */
START_TEST(members)
{
    static const struct {
        const char *text, *what;
    } bad[] = {
        { "{1:2}", "expected a name in quotes" }, { "{a:2}", "expected a name in quotes" },
        { "{\"a\" 2}", "expected ':'" },          { "{\"a\"}", "expected ':'" },
        { "{\"a\"", "the text ends too early" },  { "{", "the text ends too early" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pcri_json_reader r = pcri_json_reader(bad[i].text, strlen(bad[i].text), &error);
        const char *name = NULL;
        ck_assert_int_eq(pcri_json_first(&r, '{'), 0);
        ck_assert_int_eq(pcri_json_name(&r, &name), 1);
        ck_assert_str_eq(r.fault.what, bad[i].what);
        ck_assert_ptr_null(name);
        pcri_json_close(&r);
    }
}
END_TEST

START_TEST(long_numbers)
{
    char text[PCRI_JSON_NUMBER + 2];
    double v = 0;
    memset(text, '0', sizeof(text));
    text[0] = '7';
    text[1] = '.';
    ck_assert(pcri_json_double(text, PCRI_JSON_NUMBER, &v) && v == 7);
    ck_assert(!pcri_json_double(text, PCRI_JSON_NUMBER + 1, &v));
    ck_assert(!pcri_json_double("1e999", 5, &v));
}
END_TEST

/* A file whose size is not known before it is read. */
START_TEST(files_of_no_size)
{
    struct pcr_buffer all = { 0 }, part = { 0 };
    ck_assert_int_eq(
        pcri_storage_read(&pcri_files, "/proc/self/smaps", 1 << 26, 0, &all, &error), 0);
    ck_assert_uint_gt(all.nbytes, 8192);
    ck_assert_int_eq(all.data[all.nbytes - 1], '\n');
    ck_assert_int_eq(
        pcri_storage_read(&pcri_files, "/proc/self/smaps", 5000, 0, &part, &error),
        PCR_ERR_LIMIT);
    ck_assert_msg(strstr(error.message, "/proc/self/smaps: more than 5000 bytes"), "%s",
                  error.message);
    pcr_buffer_free(&all);
    pcr_buffer_free(&part);
}
END_TEST

/* A caller of a later version has a larger struct: what is not known here is 0. */
START_TEST(larger_structs)
{
    const struct pcr_limits known = { .size = sizeof(known), .max_scans = 7 };
    struct {
        struct pcr_limits limits;
        uint64_t later[2];
    } theirs;
    memset(&theirs, 0xff, sizeof(theirs));
    theirs.limits.size = sizeof(theirs);
    ck_assert_int_eq(pcri_info_copy(&theirs, "x", &known, sizeof(known), &error), 0);
    ck_assert_uint_eq(theirs.limits.size, sizeof(theirs));
    ck_assert_uint_eq(theirs.limits.max_scans, 7);
    ck_assert(!theirs.later[0] && !theirs.later[1]);
    theirs.limits.size = 4;
    ck_assert_int_eq(pcri_info_copy(&theirs, "x", &known, sizeof(known), &error),
                     PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_info_copy(NULL, "x", &known, sizeof(known), &error), PCR_ERR_INVAL);
}
END_TEST

/* Frames that hold nothing, or are read in other parts than they were packed in. */
START_TEST(frames)
{
    static uint8_t bytes[100000], out[sizeof(bytes)];
    struct pcr_buffer packed = { 0 }, none = { 0 };
    struct pcri_unpacker *u = NULL;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t) (i * i >> 8);
    ck_assert_int_eq(pcri_zstd_pack("", 0, 1, &packed, &error), 0);
    ck_assert_int_eq(pcri_zstd_unpack(packed.data, packed.nbytes, 0, &none, &error), 0);
    ck_assert_uint_eq(none.nbytes, 0);
    ck_assert_int_eq(pcri_zstd_unpack(packed.data, packed.nbytes, 1, &none, &error),
                     PCR_ERR_CORRUPT);
    ck_assert_int_eq(pcri_zstd_pack(bytes, sizeof(bytes), 1, &packed, &error), 0);
    ck_assert_int_eq(
        pcri_unpacker_create(packed.data, packed.nbytes - 1, sizeof(bytes), &u, &error),
        PCR_ERR_CORRUPT);
    ck_assert_ptr_null(u);
    ck_assert_int_eq(
        pcri_unpacker_create(packed.data, packed.nbytes, sizeof(bytes), &u, &error), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, out, 10, &error), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, NULL, 70000, &error), 0); /* passed over */
    ck_assert_int_eq(pcri_unpacker_read(u, out + 10, 100, &error), 0);
    ck_assert_mem_eq(out, bytes, 10);
    ck_assert_mem_eq(out + 10, bytes + 70010, 100);
    ck_assert_int_eq(pcri_unpacker_finish(u, &error), PCR_ERR_CORRUPT);
    pcri_unpacker_destroy(&u);
    pcri_unpacker_destroy(&u);
    ck_assert_int_eq(
        pcri_unpacker_create(packed.data, packed.nbytes, sizeof(bytes), &u, &error), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, out, sizeof(out), &error), 0);
    ck_assert_mem_eq(out, bytes, sizeof(out));
    ck_assert_int_eq(pcri_unpacker_finish(u, &error), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, out, 1, &error), PCR_ERR_CORRUPT);
    ck_assert_str_eq(error.message, "zstd: the frame ends too early");
    pcri_unpacker_destroy(&u);
    pcr_buffer_free(&packed);
    pcr_buffer_free(&none);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("edges");
    tcase_add_test(t, ladders);
    tcase_add_test(t, members);
    tcase_add_test(t, long_numbers);
    tcase_add_test(t, files_of_no_size);
    tcase_add_test(t, larger_structs);
    tcase_add_test(t, frames);
    return tests_run();
}
