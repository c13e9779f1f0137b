/* SPDX-License-Identifier: BSD-2-Clause */
/* import: what labels lists may have, what they become, and which are refused. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <pcr/source.h>

#include "suite.h"
#include "top.h"

static struct pcr_error error;
static struct pcr_source *source;

static void teardown(void)
{
    pcr_source_close(&source);
    source = NULL;
    top_free();
}

static int open_given(const char *name, const char *const *classes, uint32_t count)
{
    struct pcr_source_options o = { .size = sizeof(o),
                                    .classes = classes,
                                    .class_count = count };
    pcr_source_close(&source);
    source = NULL;
    return pcr_source_open(at(name), &o, &source, &error);
}

/* All samples as "labels key" lines; floats have a point or an exponent. */
static const char *dump(void)
{
    static char text[1024];
    size_t n = 0;
    text[0] = '\0';
    for (uint64_t i = 0; i < source->sample_count; i++) {
        struct pcr_source_sample one = { .size = sizeof(one) };
        ck_assert_int_eq(source->describe(source->context, i, &one, &error), 0);
        for (uint32_t k = 0; k < one.label_count; k++)
            n += (size_t) (one.float_labels
                               ? snprintf(text + n, sizeof(text) - n, "%s%#.15g", k ? "," : "",
                                          one.float_labels[k])
                               : snprintf(text + n, sizeof(text) - n, "%s%lld", k ? "," : "",
                                          (long long) one.labels[k]));
        n += (size_t) snprintf(text + n, sizeof(text) - n, " %s\n", one.key);
    }
    return text;
}

static void has(const char *samples, uint32_t class_count)
{
    ck_assert_str_eq(dump(), samples);
    ck_assert_uint_eq(source->class_count, class_count);
}

static void refused(const char *name, const char *text, const char *message)
{
    file(name, text);
    ck_assert_int_eq(open_given(name, NULL, 0), PCR_ERR_INVAL);
    ck_assert_msg(strstr(error.message, message) != NULL, "'%s' lacks '%s'", error.message,
                  message);
}

/* Text without types, and what it stands for. */
START_TEST(csv_labels)
{
    static const struct {
        const char *text, *samples;
        uint32_t class_count;
    } cases[] = {
        { "a,1\nb,-2\n", "1 a\n-2 b\n", 0 },
        { "a,+7\nb,007\nc,-0\n", "7 a\n7 b\n0 c\n", 0 },
        { "a,0.5\nb,3\nc,-1e-3\n", "0.500000000000000 a\n3 b\n-0.00100000000000000 c\n", 0 },
        { "a,.5\nb,5.\nc,1E2\nd,00.5\n",
          "0.500000000000000 a\n5.00000000000000 b\n100.000000000000 c\n"
          "0.500000000000000 d\n",
          0 },
        { "a,1.0\n", "1.00000000000000 a\n", 0 },
        { "a,-\nb,.\nc,e5\nd,1e\ne,0x1\n", "0 a\n1 b\n4 c\n3 d\n2 e\n", 5 },
        { "a,nan\nb,True\n", "1 a\n0 b\n", 2 },
        { "a,\"1,\"\nb,\",5\"\nc,\"1,x\"\n", "1 a\n0 b\n2 c\n", 3 },
        { "a,\nb,\n", " a\n b\n", 0 },
    };
    char text[128];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "path,label\n%s", cases[i].text);
        file("l.csv", text);
        ck_assert_msg(!open_given("l.csv", NULL, 0), "%s", error.message);
        has(cases[i].samples, cases[i].class_count);
    }
    file("l.csv", "path,label,labels\na,,0.5 2\nc,,3\nd,4,\n");
    ck_assert_msg(!open_given("l.csv", NULL, 0), "%s", error.message);
    has("0.500000000000000,2.00000000000000 a\n3 c\n4 d\n", 0);
}
END_TEST

START_TEST(json_labels)
{
    file("l.jsonl", "{\"path\":\"a\",\"label\":0.5}\n{\"path\":\"b\",\"label\":[1,2.5]}\n"
                    "{\"path\":\"c\",\"labels\":3}\n{\"path\":\"d\",\"label\":null}\n"
                    "{\"path\":\"e\",\"labels\":[]}\n{\"path\":\"f\",\"label\":2.0}\n");
    ck_assert_msg(!open_given("l.jsonl", NULL, 0), "%s", error.message);
    has("0.500000000000000 a\n1.00000000000000,2.50000000000000 b\n3 c\n d\n e\n"
        "2.00000000000000 f\n",
        0);
    file("l.jsonl", "{\"path\":\"a\",\"label\":\"0.5\"}\n{\"path\":\"b\",\"label\":\"0\"}\n");
    ck_assert_msg(!open_given("l.jsonl", NULL, 0), "%s", error.message);
    has("1 a\n0 b\n", 2); /* strings are names */
}
END_TEST

START_TEST(csv_refused)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        { "path,labels\na,1x\n", "line 2 ('a'): labels are numbers separated by blanks" },
        { "path,labels\na,9223372036854775808\n", "line 2 ('a'): label 9223372036854775808" },
        { "path,labels\na,0.5 9007199254740993\n", "line 2 ('a'): label 9007199254740993 is" },
        { "path,label,labels\na,x,\nb,,3\n", "line 2 ('a'): label 'x' is a name, but that of "
                                             "line 3 is a number" },
        { "path,label\na,1\nb,2\nc,3x\n", "line 4 ('c'): label '3x' is a name, but that of "
                                          "line 2" },
        { "path,label,key\na,0.5,k\nb,nan,l\n", "line 3 ('l'): label 'nan' is a name" },
        { "path,label\na,1\nb,1e999\n", "line 3 ('b'): label 1e999 does not fit" },
        { "path,label\na,-9223372036854775809\n", "line 2 ('a'): label -9223372036854775809" },
        { "path,label\na,0.5\nb,9007199254740993\n", "line 3 ('b'): label 9007199254740993" },
        { "path;label\na;0,5\nb;0,25\n", "line 2 ('a'): label '0,5' has a comma" },
        { "path,label\na,-1\nb,\"1,000,0\"\n", "line 3 ('b'): label '1,000,0' has a comma" },
        { "path,label\na,cat\nb,\n", "line 3 ('b'): an empty label, but that of line 2" },
        { "path,label,split\na,,x\nb,1,x\n", "line 2 ('a'): an empty label" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused("l.csv", bad[i].text, bad[i].message);
}
END_TEST

START_TEST(json_refused)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        { "{\"path\":\"x\",\"label\":true}", "line 1 ('x'): the label is true or false" },
        { "{\"path\":\"x\",\"label\":{}}", "line 1 ('x'): the label is an object" },
        { "{\"path\":\"x\",\"label\":\"\"}", "line 1 ('x'): the label is an empty string" },
        { "{\"path\":\"x\",\"labels\":[\"1\"]}",
          "line 1 ('x'): among the labels is a string" },
        { "{\"path\":\"x\",\"label\":[1,null]}", "line 1 ('x'): among the labels is null" },
        { "{\"path\":\"x\",\"label\":[[1]]}", "line 1 ('x'): among the labels is an array" },
        { "{\"path\":\"x\",\"label\":[0.5,9007199254740993]}",
          "9007199254740993 is not exact" },
        { "{\"path\":\"x\",\"key\":\"k \\\" NaN\",\"label\":NaN}",
          "line 1 ('k \" NaN'): byte" },
        { "{\"label\":-Infinity,\"path\":\"x\"}", "line 1 ('x'): byte" },
        { "{\"label\":9223372036854775808,\"file_name\":\"x\"}", "line 1 ('x'): byte" },
        { "{\"label\":1e999,\"path\":\"x\"}", "line 1 ('x'): byte" },
        { "{\"path\":\"x\",\"label\":1}\n{\"path\":\"y\",\"label\":\"a\"}",
          "line 2 ('y'): label 'a' is a name, but that of line 1 is a number" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused("l.jsonl", bad[i].text, bad[i].message);
}
END_TEST

static const char *const given[] = { "dog", "911", "ape" };

/* Classes in an order that the caller gives. */
START_TEST(classes_given)
{
    static const struct {
        const char *name, *text, *samples, *message;
    } cases[] = {
        { "l.csv", "path,label\na,ape\nb,911\n", "2 a\n1 b\n", NULL },
        { "l.csv", "path,label\na,2\nb,0\n", "2 a\n0 b\n", NULL },
        { "l.csv", "path,label\na,3\n", NULL, "line 2 ('a'): label 3, but 3 classes" },
        { "l.csv", "path,label\na,ape\nb,2\n", NULL, "line 3 ('b'): label '2' is not one of" },
        { "l.csv", "path,label\na,0.5\n", NULL, "line 2 ('a'): label '0.5' is not one of" },
        { "l.jsonl", "{\"path\":\"a\",\"label\":\"ape\"}\n{\"path\":\"b\",\"label\":0}",
          "2 a\n0 b\n", NULL },
        { "l.jsonl", "{\"path\":\"a\",\"label\":\"cat\"}", NULL,
          "line 1 ('a'): label 'cat' is not one of the 3" },
        { "l.jsonl", "{\"path\":\"a\",\"label\":1.5}", NULL, "line 1 ('a'): a float label" },
        { "l.jsonl", "{\"path\":\"a\",\"label\":-1}", NULL, "line 1 ('a'): label -1, but 3" },
        { "l.jsonl", "{\"path\":\"a\"}", " a\n", NULL },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        file(cases[i].name, cases[i].text);
        int rc = open_given(cases[i].name, given, 3);
        if (cases[i].message) {
            ck_assert_int_eq(rc, PCR_ERR_INVAL);
            ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "'%s' lacks '%s'",
                          error.message, cases[i].message);
            continue;
        }
        ck_assert_msg(rc == 0, "%s", error.message);
        has(cases[i].samples, 3);
        ck_assert_str_eq(source->class_names[1], "911");
    }
}
END_TEST

START_TEST(folder_of_classes_given)
{
    static const char *const twice[] = { "ape", "dog", "ape" };
    ck_assert_int_eq(mkdir(at("tree"), 0777), 0);
    ck_assert_int_eq(mkdir(at("tree/ape"), 0777), 0);
    ck_assert_int_eq(mkdir(at("tree/dog"), 0777), 0);
    file("tree/ape/1.jpg", "x");
    file("tree/dog/2.jpg", "x");
    ck_assert_int_eq(open_given("tree", given, 3), 0);
    has("2 ape/1.jpg\n0 dog/2.jpg\n", 3);
    ck_assert_int_eq(open_given("tree", given, 2), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "class folder 'ape' is not one of the 2"));
    ck_assert_int_eq(open_given("tree", twice, 3), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "class 'ape' is given twice"));
}
END_TEST

int main(void)
{
    TCase *t = tests_case("import_labels");
    tcase_add_checked_fixture(t, top_make, teardown);
    tcase_add_test(t, csv_labels);
    tcase_add_test(t, json_labels);
    tcase_add_test(t, csv_refused);
    tcase_add_test(t, json_refused);
    tcase_add_test(t, classes_given);
    tcase_add_test(t, folder_of_classes_given);
    return tests_run();
}
