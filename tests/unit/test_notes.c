/* SPDX-License-Identifier: BSD-2-Clause */
/* notes: what a tail says of its record's samples, and tails that say what cannot be. */
#include <check.h>
#include <stdlib.h>

#include "manifest/notes.h"
#include "record/columns.h"
#include "suite.h"

enum { SAMPLES = 5 };

static struct pcr_error error;
static struct pcr_buffer tail, lines;
static struct pcri_note_counts sums;

static void setup(void)
{
    sums = (struct pcri_note_counts) { 0 };
    tail.nbytes = lines.nbytes = 0;
}

static void teardown(void)
{
    pcr_buffer_free(&tail);
    pcr_buffer_free(&lines);
}

static void append(const void *p, size_t nbytes)
{
    ck_assert_int_eq(pcri_buffer_append(&tail, p, nbytes, &error), 0);
}

/* A tail with one column of these bytes. */
static void make_column(const uint8_t *bytes, size_t nbytes)
{
    uint8_t table[20] = { 1, 0, 0, 0, PCRI_TAIL_NOTES };
    pcri_store64(table + 12, nbytes);
    tail.nbytes = 0;
    append(table, sizeof(table));
    append(bytes, nbytes);
}

/* A tail with so many notes of the same text, below 128 bytes. */
static void make(const char *text, uint8_t count)
{
    uint8_t bytes[1024] = { count };
    size_t n = 1, length = strlen(text);
    ck_assert_uint_lt(length, 128);
    for (uint8_t i = 0; i < count; i++)
        bytes[n++] = (uint8_t) length;
    for (uint8_t i = 0; i < count; i++, n += length)
        memcpy(bytes + n, text, length);
    make_column(bytes, n);
}

static int read_notes(void)
{
    return pcri_notes_read(&tail, SAMPLES, &sums, &lines, &error);
}

START_TEST(counts)
{
    static const char text[] = "{\"dropped_nbytes\":7,\"index\":4,\"undecodable\":\"x\"}";
    ck_assert_int_eq(read_notes(), 0); /* no tail at all */
    make(text, 2);
    ck_assert_int_eq(read_notes(), 0);
    ck_assert_uint_eq(lines.nbytes, 2 * sizeof(text)); /* with LF in place of NUL */
    ck_assert_mem_eq(lines.data, text, sizeof(text) - 1);
    ck_assert_int_eq(lines.data[sizeof(text) - 1], '\n');
    make("{\"index\":0,\"salvaged\":\"\"}", 1);
    ck_assert_int_eq(pcri_notes_read(&tail, SAMPLES, &sums, NULL, &error), 0);
    ck_assert_uint_eq(sums.undecodable, 2);
    ck_assert_uint_eq(sums.salvaged, 1);
    ck_assert_uint_eq(sums.dropped, 2);
    ck_assert_uint_eq(sums.dropped_nbytes, 14);
    make("", 0);
    ck_assert_int_eq(read_notes(), 0);
}
END_TEST

static const char *const bad_notes[] = {
    "{}",
    "[]",
    "",
    "{\"index\":5}",
    "{\"index\":-1}",
    "{\"index\":1.0}",
    "{\"index\":\"1\"}",
    "{\"index\":1,\"undecodable\":1}",
    "{\"index\":1,\"undecodable\":null}",
    "{\"index\":1,\"salvaged\":[]}",
    "{\"index\":1,\"dropped_nbytes\":0}",
    "{\"index\":1,\"dropped_nbytes\":-7}",
    "{\"index\":1,\"dropped_nbytes\":1.5}",
    "{\"index\":1,\"dropped_nbytes\":\"7\"}",
    "{\"index\":1}\n",
    "{\"index\":1,\n\"a\":2}",
    "{\"index\":1",
    "{\"index\":1}}",
};

START_TEST(bad)
{
    make(bad_notes[_i], 1);
    ck_assert_int_eq(read_notes(), PCR_ERR_CORRUPT);
    ck_assert_str_eq(error.message, "tail: a note is malformed");
    ck_assert_uint_eq(lines.nbytes, 0);
}
END_TEST

START_TEST(beyond_all_bytes)
{
    make("{\"index\":1,\"dropped_nbytes\":9223372036854775807}", 2);
    ck_assert_int_eq(read_notes(), 0);
    ck_assert_uint_eq(sums.dropped_nbytes, UINT64_MAX - 1);
    make("{\"index\":1,\"dropped_nbytes\":2}", 1);
    ck_assert_int_eq(read_notes(), PCR_ERR_CORRUPT);
}
END_TEST

START_TEST(bad_lists)
{
    make_column((const uint8_t *) "\x02\x01", 2); /* two texts, in one byte */
    ck_assert_int_eq(read_notes(), PCR_ERR_CORRUPT);
    ck_assert_str_eq(error.message, "tail: column 3 ends too early");
    make_column((const uint8_t *) "\xff\xff", 2); /* a number without an end */
    ck_assert_int_eq(read_notes(), PCR_ERR_CORRUPT);
    make_column((const uint8_t *) "\x01\x05{}", 4); /* a text that is longer */
    ck_assert_int_eq(read_notes(), PCR_ERR_CORRUPT);
    ck_assert_str_eq(error.message, "tail: its list of notes is damaged");
    make_column((const uint8_t *) "\x02\x02\xff", 3); /* its second length is cut off */
    ck_assert_int_eq(read_notes(), PCR_ERR_CORRUPT);
    make("", 0);
    tail.nbytes--;
    ck_assert_int_eq(read_notes(), PCR_ERR_CORRUPT);
    tail.nbytes = 3;
    ck_assert_int_eq(read_notes(), PCR_ERR_CORRUPT);
    ck_assert_uint_eq(lines.nbytes, 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("notes");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, counts);
    tcase_add_loop_test(t, bad, 0, sizeof(bad_notes) / sizeof(bad_notes[0]));
    tcase_add_test(t, beyond_all_bytes);
    tcase_add_test(t, bad_lists);
    return tests_run();
}
