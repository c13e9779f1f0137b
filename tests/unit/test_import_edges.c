/* SPDX-License-Identifier: BSD-2-Clause */
/* import: calls that contradict themselves, and headers and folders that are nearly clear. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcr/source.h>

#include "base/base.h"
#include "suite.h"
#include "top.h"

static struct pcr_error error;
static struct pcr_source *source;
static struct pcr_source_options options;
static char told[1024];

static void setup(void)
{
    top_make();
    options = (struct pcr_source_options) { .size = sizeof(options) };
    told[0] = '\0';
}

static void teardown(void)
{
    pcr_source_close(&source);
    source = NULL;
    top_free();
}

static void opens(const char *name)
{
    pcr_source_close(&source);
    source = NULL;
    int rc = pcr_source_open(at(name), &options, &source, &error);
    ck_assert_msg(rc == 0, "%s", error.message);
}

static void refused(const char *name, int code, const char *part)
{
    struct pcr_source *none = NULL;
    ck_assert_int_eq(pcr_source_open(at(name), &options, &none, &error), code);
    ck_assert_msg(strstr(error.message, part) != NULL, "'%s' lacks '%s'", error.message, part);
    ck_assert_ptr_null(none);
}

static void left_out(void *context, const char *path, const char *reason)
{
    size_t n = strlen(told);
    snprintf(told + n, sizeof(told) - n, "%s: %s\n", path + strlen(top.path) + 1, reason);
}

START_TEST(contradictions)
{
    static const char *const classes[] = { "a" };
    struct pcr_source_sample sample = { .size = sizeof(sample) };
    file("l.csv", "path\na\n");
    options.class_count = 1;
    refused("l.csv", PCR_ERR_INVAL, "pcr_source_options.classes is NULL");
    options.classes = classes;
    folder("flat");
    file("flat/1.jpg", "x");
    refused("flat", PCR_ERR_INVAL, "classes are given, but it has no labels");
    options = (struct pcr_source_options) { .size = sizeof(options),
                                            .layout = PCR_FOLDERS_FLAT };
    refused("l.csv", PCR_ERR_INVAL, "layout applies to folders, not to lists");
    options.size = 4;
    refused("l.csv", PCR_ERR_INVAL, "pcr_source_options.size is 4");
    options = (struct pcr_source_options) { .size = sizeof(options) };
    ck_assert_int_eq(pcr_source_open(NULL, &options, &source, &error), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_source_open(at("l.csv"), &options, NULL, &error), PCR_ERR_INVAL);
    opens("l.csv");
    ck_assert_int_eq(source->describe(source->context, 1, &sample, &error), PCR_ERR_INVAL);
    ck_assert_str_eq(error.message, "no sample 1: the source has 1");
}
END_TEST

/* Blanks of all kinds around the names of columns, and blanks within. */
START_TEST(headers)
{
    struct pcr_source_sample sample = { .size = sizeof(sample) };
    file("l.csv",
         "\xef\xbb\xbf \xc2\xa0path \t,\xc2\xa0 label\xc2\xa0\xc2\xa0,x y \n a , b,c\n");
    opens("l.csv");
    ck_assert_uint_eq(source->sample_count, 1);
    ck_assert_str_eq(source->class_names[0], "b");
    ck_assert_int_eq(source->describe(source->context, 0, &sample, &error), 0);
    ck_assert_str_eq(sample.key, "a");
    ck_assert_str_eq(sample.attributes, "{\"x y\":\"c\"}");
    file("l.csv", "path, \xc2\xa0 ,b\na,1,2\n");
    opens("l.csv"); /* a column without a name is one all the same */
}
END_TEST

START_TEST(folders)
{
    folder("data");
    folder("data/trainset");
    folder("data/testset");
    file("data/trainset/1.jpg", "x");
    file("data/testset/2.jpg", "x");
    file("data/metadata.parquet", "PAR1");
    options.left_out = left_out;
    opens("data");
    ck_assert_uint_eq(source->split_count, 2);
    ck_assert_str_eq(source->split_names[0], "testset");
    ck_assert_str_eq(told, "data/metadata.parquet: Parquet is not supported: write it as "
                           "metadata.jsonl\n");
    ck_assert_uint_eq(source->ignored_count, 1); /* no image is left out */
}
END_TEST

START_TEST(metadata)
{
    folder("m");
    file("m/1.jpg", "x");
    file("m/metadata.csv", "file_name,text\n1.jpg,one\n,none\n");
    refused("m", PCR_ERR_INVAL, "line 3: no file_name");
    file("m/metadata.csv", "file_name,text\n1.jpg,one\n2.jpg,two\n");
    refused("m", PCR_ERR_INVAL, "2.jpg");
    file("m/metadata.csv", "file_name,label\n1.jpg,1e999\n");
    refused("m", PCR_ERR_INVAL, "m/metadata.csv: line 2 ('1.jpg'): label 1e999 does not fit");
    file("m/2.jpg", "x");
    file("m/metadata.csv", "file_name,label\n1.jpg,1\n2.jpg,bee\n");
    refused("m", PCR_ERR_INVAL, "m/metadata.csv: ");
    ck_assert_int_eq(unlink(at("m/2.jpg")), 0);
    file("m/metadata.csv", "file_name,text\n1.jpg,one\n");
    opens("m");
    struct pcr_source_sample sample = { .size = sizeof(sample) };
    ck_assert_int_eq(source->describe(source->context, 0, &sample, &error), 0);
    ck_assert_str_eq(sample.attributes, "{\"text\":\"one\"}");
}
END_TEST

int main(void)
{
    TCase *t = tests_case("import_edges");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, contradictions);
    tcase_add_test(t, headers);
    tcase_add_test(t, folders);
    tcase_add_test(t, metadata);
    return tests_run();
}
