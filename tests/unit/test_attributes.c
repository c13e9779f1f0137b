/* SPDX-License-Identifier: BSD-2-Clause */
/* attributes: the type that holds all values of a name, and columns that give them back. */
#include <stdio.h>
#include <string.h>

#include "record/attributes.h"
#include "record/blobs.h"
#include "suite.h"

/* --- types --- */

START_TEST(type_texts)
{
    static const struct {
        const char *text;
        struct pcri_type type;
    } good[] = {
        { "bool", { PCR_ELEMENT_BOOL, 0, 0, 1 } },
        { "json", { PCR_ELEMENT_JSON, 0, 0, 1 } },
        { "int64[]", { PCR_ELEMENT_INT64, 1, 0, 1 } },
        { "string[7]", { PCR_ELEMENT_STRING, 1, 7, 1 } },
        { "float64[][4]", { PCR_ELEMENT_FLOAT64, 2, 0, 4 } },
        { "bool[4294967295][4294967295]", { PCR_ELEMENT_BOOL, 2, UINT32_MAX, UINT32_MAX } },
    };
    static const char *const bad[] = {
        "",
        "int",
        "int64[",
        "int64]",
        "int64[0]",
        "int64[01]",
        "int64[][]",
        "int64[][0]",
        "int64[ 1]",
        "int64[-1]",
        "json[]",
        "json[1]",
        "int64[1][2",
        "int64[1]x",
        "int64[1][2]x",
        "int64[4294967296]",
        "bool[][1][1]",
        "[]",
        "int64 ",
        "Int64",
    };
    struct pcri_type t;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct pcri_schema s = { 0 };
        bool added;
        ck_assert(pcri_type_parse(good[i].text, &t));
        ck_assert(pcri_type_equal(&t, &good[i].type));
        ck_assert_int_eq(pcri_schema_add(&s, "a", &t, &added, NULL), 0);
        ck_assert_str_eq(s.columns[0].text, good[i].text);
        pcri_schema_free(&s);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!pcri_type_parse(bad[i], &t), "%s", bad[i]);
}
END_TEST

enum { MOST = 4 };

/* The schema of up to MOST objects. */
static void survey(const char *const objects[], struct pcri_schema *s)
{
    for (int i = 0; i < MOST && objects[i]; i++) {
        json_t *o = NULL;
        ck_assert_int_eq(pcri_json_parse(objects[i], strlen(objects[i]), 0, &o, NULL, NULL),
                         0);
        ck_assert_int_eq(pcri_schema_survey(s, o, NULL), 0);
        json_decref(o);
    }
    pcri_schema_settle(s);
}

/* Values of "a", the type of all, and the objects as they are read if they are not the same. */
static const struct {
    const char *type, *objects[MOST], *read[MOST];
} columns[] = {
    { "bool", { "{\"a\":true}", "{\"a\":false}", "{}", "{\"a\":null}" }, { NULL } },
    { "int64", { "{\"a\":9223372036854775807}", "{\"a\":-9223372036854775808}" }, { NULL } },
    { "float64", { "{\"a\":0.25}", "{\"a\":1}" }, { "{\"a\":0.25}", "{\"a\":1.0}" } },
    { "float64",
      { "{\"a\":-0.0}", "{\"a\":1e300}", "{}" },
      { "{\"a\":-0.0}", "{\"a\":1.0000000000000001e300}", "{}" } },
    { "float64", { "{\"a\":9007199254740992.0}", "{\"a\":-0.5}" }, { NULL } },
    { "float64",
      { "{\"a\":123456.789}", "{\"a\":0.001}", "{\"a\":5e-324}" },
      { "{\"a\":123456.789}", "{\"a\":0.001}", "{\"a\":4.9406564584124654e-324}" } },
    /* 2^53 + 1 is no binary64: what holds both is JSON. */
    { "json", { "{\"a\":9007199254740993}", "{\"a\":0.5}" }, { NULL } },
    { "int64", { "{\"a\":9007199254740993}", "{\"a\":-1}" }, { NULL } },
    { "string", { "{\"a\":\"\"}", "{\"a\":\"\xC3\xB6\\\"\\n\"}", "{\"a\":null}" }, { NULL } },
    { "json", { "{\"a\":\"x\"}", "{\"a\":1}" }, { NULL } },
    { "json", { "{\"a\":true}", "{\"a\":1}" }, { NULL } },
    { "json", { "{\"a\":{\"b\":[1,null]}}", "{}" }, { NULL } },
    { "json", { "{\"a\":null}", "{}" }, { NULL } },
    { "json", { "{\"a\":[]}", "{\"a\":[]}" }, { NULL } },
    { "int64[]", { "{\"a\":[]}", "{\"a\":[1,2]}" }, { NULL } },
    { "int64[2]", { "{\"a\":[3,4]}", "{}", "{\"a\":[1,2]}", "{\"a\":null}" }, { NULL } },
    { "float64[3]",
      { "{\"a\":[3,4,5]}", "{\"a\":[1.5,2,0]}" },
      { "{\"a\":[3.0,4.0,5.0]}", "{\"a\":[1.5,2.0,0.0]}" } },
    { "json", { "{\"a\":[1]}", "{\"a\":1}" }, { NULL } },
    { "json", { "{\"a\":[1,null]}", "{}" }, { NULL } },
    { "string[]", { "{\"a\":[\"x\",\"\"]}", "{\"a\":[\"a cat\"]}", "{\"a\":[]}" }, { NULL } },
    { "bool[1]", { "{\"a\":[true]}", "{\"a\":[false]}" }, { NULL } },
    { "float64[][4]",
      { "{\"a\":[[1.5,2,3,4]]}", "{\"a\":[]}", "{}", "{\"a\":[[1,2,3,4],[5,6,7,8]]}" },
      { "{\"a\":[[1.5,2.0,3.0,4.0]]}", "{\"a\":[]}", "{}",
        "{\"a\":[[1.0,2.0,3.0,4.0],[5.0,6.0,7.0,8.0]]}" } },
    { "int64[2][1]", { "{\"a\":[[1],[2]]}", "{\"a\":[[-3],[4]]}" }, { NULL } },
    { "json", { "{\"a\":[[1,2],[3]]}", "{}" }, { NULL } },
    { "json", { "{\"a\":[[1,2],[3,\"x\"]]}", "{}" }, { NULL } },
    { "json", { "{\"a\":[[[1]]]}", "{}" }, { NULL } },
    { "json", { "{\"a\":[[]]}", "{}" }, { NULL } },
    { "json", { "{\"a\":[1,[2]]}", "{}" }, { NULL } },
    { "json", { "{\"a\":[[1,2]]}", "{\"a\":[1,2]}" }, { NULL } },
};

START_TEST(round_trip)
{
    struct pcri_schema s = { 0 };
    struct pcri_attribute_row rows[MOST] = { { NULL, NULL } };
    struct pcri_attributes *a = NULL;
    struct pcr_buffer packed = { 0 }, text = { 0 };
    uint32_t count = 0;
    survey(columns[_i].objects, &s);
    ck_assert_uint_eq(s.count, 1);
    ck_assert_str_eq(s.columns[0].text, columns[_i].type);
    for (; count < MOST && columns[_i].objects[count]; count++)
        rows[count] = (struct pcri_attribute_row) { "key", columns[_i].objects[count] };
    ck_assert_int_eq(pcri_attributes_pack(&s, rows, count, &packed, NULL), 0);
    struct pcri_cursor c = { packed.data, packed.data + packed.nbytes, false };
    ck_assert_int_eq(pcri_attributes_parse(&c, count, &a, NULL), 0);
    ck_assert_ptr_eq(c.p, c.end);
    ck_assert(pcri_attributes_match(a, &s));
    for (uint32_t i = 0; i < count; i++) {
        const char *expected = columns[_i].read[i] ? columns[_i].read[i] : rows[i].object;
        ck_assert_int_eq(pcri_attributes_text(a, i, &text, NULL), 0);
        ck_assert_str_eq((const char *) text.data, expected);
    }
    pcri_attributes_free(&a);
    pcri_schema_free(&s);
    pcr_buffer_free(&packed);
    pcr_buffer_free(&text);
}
END_TEST

START_TEST(what_does_not_fit)
{
    static const char *const objects[MOST] = { "{\"a\":1,\"b\":[1.5]}", "{\"b\":[2]}" };
    static const struct {
        const char *object, *message;
    } bad[] = {
        { "{\"a\":0.5}", "'key': attribute 'a' is of another type" },
        { "{\"b\":[1,2]}", "'key': attribute 'b' is of another type" },
        { "{\"b\":[9007199254740993]}", "'key': attribute 'b' is of another type" },
        { "{\"c\":null}", "'key': attribute 'c' is not one of the schema" },
        { "[1]", "'key': its attributes are no JSON object" },
        { "{", "'key': its attributes are no JSON object" },
    };
    struct pcri_schema s = { 0 };
    struct pcr_buffer packed = { 0 };
    survey(objects, &s);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct pcri_attribute_row row = { "key", bad[i].object };
        struct pcr_error e;
        ck_assert_int_eq(pcri_attributes_pack(&s, &row, 1, &packed, &e), PCR_ERR_INVAL);
        ck_assert_msg(strstr(e.message, bad[i].message) == e.message, "%s", e.message);
        ck_assert_uint_eq(packed.nbytes, 0);
    }
    pcri_schema_free(&s);
    pcr_buffer_free(&packed);
}
END_TEST

START_TEST(too_many_names)
{
    const struct pcri_type type = { PCR_ELEMENT_BOOL, 0, 0, 1 };
    struct pcri_schema s = { 0 };
    struct pcr_error e;
    bool added;
    int rc = 0;
    for (int i = 0; i <= PCRI_SCHEMA_COLUMNS && !rc; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", i * 7919 % 100003);
        rc = pcri_schema_add(&s, name, &type, &added, &e);
        ck_assert(rc || added);
    }
    ck_assert_int_eq(rc, PCR_ERR_LIMIT);
    ck_assert_uint_eq(s.count, PCRI_SCHEMA_COLUMNS);
    for (uint32_t i = 1; i < s.count; i++)
        ck_assert_int_lt(strcmp(s.columns[i - 1].name, s.columns[i].name), 0);
    pcri_schema_free(&s);
}
END_TEST

/* --- damage --- */

/* One column "a" of two samples. */
static const struct {
    const char *type, *bytes;
    size_t nbytes;
} damaged[] = {
#define DAMAGED(type, bytes) type, bytes, sizeof(bytes) - 1
    { DAMAGED("bool", "\1\1\1\2") },      /* neither true nor false */
    { DAMAGED("bool", "\1\3\1\1") },      /* no state */
    { DAMAGED("bool", "\1\1\1") },        /* too short */
    { DAMAGED("bool", "\1\0\1\1") },      /* too long */
    { DAMAGED("int64", "\1\1\1\x80") },   /* a varint without an end */
    { DAMAGED("int64[]", "\1\0\3\1\1") }, /* more items than bytes */
    { DAMAGED("int64[]", "\1\1\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\2\1\1") },
    { DAMAGED("int64[4294967295]", "\1\0\1\1\1") },
    { DAMAGED("int64[][4294967295]", "\1\0\2\1\1") },
    { DAMAGED("float64", "\1\0") },
    { DAMAGED("float64", "\1\0\12\1") },                              /* ten decimals */
    { DAMAGED("float64", "\1\0\0\x82\x80\x80\x80\x80\x80\x80\x20") }, /* above 2^53 */
    { DAMAGED("float64", "\1\0\xFF\1\1\1\1\1\1\1") },
    { DAMAGED("float64", "\1\0\xFF\0\0\0\0\0\0\xF0\x7F") }, /* infinite */
    { DAMAGED("float64", "\1\0\xFF\0\0\0\0\0\0\xF8\x7F") }, /* a NaN */
    { DAMAGED("string", "\1\1\1\1a") },
    { DAMAGED("string", "\1\0\1\0") },   /* a NUL */
    { DAMAGED("string", "\1\0\1\xFF") }, /* not UTF-8 */
    { DAMAGED("string", "\1\1\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\2aa") },
    { DAMAGED("json", "\1\0\1{") },
    { DAMAGED("json", "\1\0\0") },
#undef DAMAGED
};

START_TEST(damage)
{
    struct pcr_buffer head = { 0 }, text = { 0 };
    struct pcri_attributes *a = NULL;
    struct pcr_error e = { .message = "" };
    const char *type = damaged[_i].type;
    ck_assert_int_eq(pcri_buffer_append(&head, "\1\1a", 3, NULL), 0);
    ck_assert_int_eq(pcri_buffer_append_varint(&head, strlen(type), NULL), 0);
    ck_assert_int_eq(pcri_buffer_append(&head, type, strlen(type), NULL), 0);
    ck_assert_int_eq(pcri_buffer_append_varint(&head, damaged[_i].nbytes, NULL), 0);
    ck_assert_int_eq(pcri_buffer_append(&head, damaged[_i].bytes, damaged[_i].nbytes, NULL),
                     0);
    struct pcri_cursor c = { head.data, head.data + head.nbytes, false };
    ck_assert_int_eq(pcri_attributes_parse(&c, 2, &a, NULL), 0);
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(pcri_attributes_text(a, 0, &text, &e), PCR_ERR_CORRUPT);
        ck_assert_msg(strstr(e.message, "attribute a: ") == e.message, "%s", e.message);
    }
    pcri_attributes_free(&a);
    pcr_buffer_free(&head);
    pcr_buffer_free(&text);
}
END_TEST

/* --- blobs --- */

START_TEST(blobs_round_trip)
{
    struct pcri_blob_list lists[3] = { { 0 } };
    const struct pcri_blob_list *all[] = { &lists[0], &lists[1], &lists[2] };
    struct pcr_buffer bytes = { 0 }, packed = { 0 };
    struct pcri_blobs *b = NULL;
    size_t cell;
    ck_assert_int_eq(pcri_buffer_append(&bytes, "mask", 4, NULL), 0);
    ck_assert_int_eq(pcri_blob_list_add(&lists[0], "m", &bytes, NULL), 0);
    ck_assert_ptr_null(bytes.data);
    ck_assert_int_eq(pcri_blob_list_add(&lists[0], "a", &bytes, NULL), 0); /* an empty one */
    ck_assert_int_eq(pcri_blob_list_add(&lists[0], "m", &bytes, NULL), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_buffer_append(&bytes, "xy", 2, NULL), 0);
    ck_assert_int_eq(pcri_blob_list_add(&lists[2], "a", &bytes, NULL), 0);
    ck_assert_int_eq(pcri_blobs_pack(all, 3, &packed, NULL), 0);
    struct pcri_cursor c = { packed.data, packed.data + packed.nbytes, false };
    ck_assert_int_eq(pcri_blobs_parse(&c, 3, 6, &b, NULL), 0);
    ck_assert_ptr_eq(c.p, c.end);
    ck_assert(pcri_blobs_find(b, 0, "m", &cell));
    ck_assert_uint_eq(b->begins[cell], 0);
    ck_assert_uint_eq(b->begins[cell + 1], 4);
    ck_assert_uint_eq(b->checks[cell], pcri_check32("mask", 4));
    ck_assert(pcri_blobs_find(b, 0, "a", &cell));
    ck_assert(!pcri_blobs_find(b, 1, "a", &cell) && !pcri_blobs_find(b, 2, "m", &cell));
    ck_assert(pcri_blobs_find(b, 2, "a", &cell));
    ck_assert_uint_eq(b->begins[cell], 4);
    pcri_blobs_free(&b);
    for (uint64_t nbytes = 0; nbytes < 9; nbytes++) { /* that the header claims */
        c.p = packed.data;
        c.bad = false;
        ck_assert_int_eq(pcri_blobs_parse(&c, 3, nbytes, &b, NULL),
                         nbytes == 6 ? 0 : PCR_ERR_CORRUPT);
        pcri_blobs_free(&b);
    }
    for (int i = 0; i < 3; i++)
        pcri_blob_list_free(&lists[i]);
    pcr_buffer_free(&packed);
}
END_TEST

/* One name, two samples, 3 bytes of blobs. */
static const struct {
    const char *bytes;
    size_t nbytes;
} bad_blobs[] = {
#define DAMAGED(bytes) \
    { \
        bytes, sizeof(bytes) - 1 \
    }
    DAMAGED(""),
    DAMAGED("\1\1a"),
    DAMAGED("\1\1a\4\0abc"),         /* no whole checksum */
    DAMAGED("\1\1a\5\0abcd"),        /* 4 bytes */
    DAMAGED("\1\0\4\0abcd"),         /* no name */
    DAMAGED("\1\1\0\4\0abcd"),       /* a NUL */
    DAMAGED("\2\1\1ba\4\0\0\0abcd"), /* names in another order */
    DAMAGED("\1\1a\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\5abcdefgh"), /* a sum above 2^64 */
    DAMAGED("\xE9\7\1a\4\0abcd"),                                     /* 1001 names */
#undef DAMAGED
};

START_TEST(damaged_blobs)
{
    const uint8_t *p = (const uint8_t *) bad_blobs[_i].bytes;
    struct pcri_cursor c = { p, p + bad_blobs[_i].nbytes, false };
    struct pcri_blobs *b = NULL;
    ck_assert_int_eq(pcri_blobs_parse(&c, 2, 3, &b, NULL), PCR_ERR_CORRUPT);
    ck_assert_ptr_null(b);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("attributes");
    tcase_add_test(t, blobs_round_trip);
    tcase_add_loop_test(t, damaged_blobs, 0, sizeof(bad_blobs) / sizeof(bad_blobs[0]));
    tcase_add_test(t, type_texts);
    tcase_add_loop_test(t, round_trip, 0, sizeof(columns) / sizeof(columns[0]));
    tcase_add_test(t, what_does_not_fit);
    tcase_add_test(t, too_many_names);
    tcase_add_loop_test(t, damage, 0, sizeof(damaged) / sizeof(damaged[0]));
    return tests_run();
}
