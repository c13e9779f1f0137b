/* SPDX-License-Identifier: BSD-2-Clause */
/* write: sources and options that contradict themselves are refused before anything is made, and
 * names of splits become names of files. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <pcr/dataset.h>

#include "base/base.h"
#include "suite.h"
#include "writing.h"

enum { COUNT = 6 };

static int (*describe_image)(void *, uint64_t, struct pcr_source_sample *, struct pcr_error *);

/* What describe() says of sample 2. */
static struct odd {
    bool no_key, both, no_labels, floats, assigns;
    const int64_t *label;
} odd;

static int describe(void *context, uint64_t index, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    static const double half = 0.5;
    static const int64_t one = 1;
    int rc = describe_image(context, index, out, err);
    if (rc || index != 2)
        return rc;
    if (odd.assigns)
        *out = (struct pcr_source_sample) { .key = out->key };
    if (odd.no_key)
        out->key = NULL;
    if (odd.both || odd.floats)
        out->float_labels = &half;
    if (odd.both)
        out->labels = &one;
    if (odd.no_labels || odd.floats)
        out->labels = NULL;
    if (odd.label)
        out->labels = odd.label;
    return rc;
}

static void setup(void)
{
    memset(&odd, 0, sizeof(odd));
    writing_begin(COUNT, 0);
    options.thread_count = 1;
    describe_image = src.source.describe;
    src.source.describe = describe;
}

static void refuses(int code, const char *part)
{
    refused("d", code, part);
    ck_assert(!test_exists(at("d"), "manifest.json"));
}

static uint32_t coding_of(const char *name)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    write_ok(name);
    ck_assert_int_eq(pcr_dataset_open(at(name), NULL, &ds, &error), 0);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    pcr_dataset_close(&ds);
    return info.coding;
}

/* Packed where nothing is said, but for a ladder that it cannot use. */
START_TEST(ladders_and_codings)
{
    struct pcr_ladder *ladder = NULL;
    ck_assert_uint_eq(coding_of("packed"), PCR_CODING_PACKED);
    ck_assert_int_eq(pcr_ladder_create("classic", &ladder, &error), 0);
    options.ladder = ladder;
    options.coding = PCR_CODING_PACKED;
    refuses(PCR_ERR_INVAL,
            "coding packed cannot use ladder classic: the first line of script");
    ck_assert(!test_exists(top.path, "d"));
    options.coding = 0;
    ck_assert_uint_eq(coding_of("d"), PCR_CODING_SCANS);
    options.coding = PCR_CODING_SCANS;
    ck_assert_uint_eq(coding_of("d"), PCR_CODING_SCANS); /* that is the same conversion */
    pcr_ladder_destroy(&ladder);
    ck_assert_int_eq(pcr_ladder_create("bitplane", &ladder, &error), 0);
    options.ladder = ladder;
    options.coding = 0;
    ck_assert_uint_eq(coding_of("bitplane"), PCR_CODING_PACKED);
    pcr_ladder_destroy(&ladder);
}
END_TEST

START_TEST(odd_options)
{
    const struct pcr_write_options good = options;
    options.opaque_policy = PCR_OPAQUE_REFUSE + 1;
    refuses(PCR_ERR_INVAL, "opaque_policy is 3, expected 0 to 2");
    options = good;
    options.record_samples = (1u << 20) + 1;
    refuses(PCR_ERR_LIMIT, "record_samples is 1048577, the limit is 1048576");
    options = good;
    options.max_side = 65501;
    refuses(PCR_ERR_INVAL, "max_side is 65501, expected at most 65500");
    options.max_side = 0;
    options.quality = 90;
    refuses(PCR_ERR_INVAL, "only with max_side");
    options.max_side = 100;
    options.quality = 101;
    refuses(PCR_ERR_INVAL, "quality is 101");
    options = good;
    options.coding = 99;
    refuses(PCR_ERR_INVAL, "coding is 99, which cannot be written");
    options = good;
    options.originals = 3;
    refuses(PCR_ERR_INVAL, "originals is 3, expected 0 to 2");
    options = good;
    options.size = 4;
    refuses(PCR_ERR_INVAL, "pcr_write_options.size is 4");
    options.size = sizeof(options);
    ck_assert(!test_exists(top.path, "d"));
    /* As many as are of use; 32 bits cannot address the stacks of that many. */
    options.thread_count = SIZE_MAX > UINT32_MAX ? UINT32_MAX : 64;
    write_ok("d");
}
END_TEST

START_TEST(odd_sources)
{
    const struct pcr_source good = src.source;
    src.source.size = sizeof(uint32_t);
    refuses(PCR_ERR_INVAL, "pcr_source.size is 4");
    src.source = good;
    odd.assigns = true;
    refuses(PCR_ERR_INVAL, "sample 2 of the source: size became 0");
    odd.assigns = false;
    src.source.describe = NULL;
    refuses(PCR_ERR_INVAL, "lacks describe or load");
    src.source = good;
    src.source.load = NULL;
    refuses(PCR_ERR_INVAL, "lacks describe or load");
    src.source = good;
    src.source.sample_count = UINT64_MAX;
    refuses(PCR_ERR_LIMIT, "the source has 18446744073709551615 samples");
    src.source = good;
    src.source.split_count = 0;
    refuses(PCR_ERR_INVAL, "split_names and split_count do not agree");
    src.source = good;
    src.source.split_names = NULL;
    refuses(PCR_ERR_INVAL, "split_names and split_count do not agree");
    src.source = good;
    src.source.class_names = NULL;
    refuses(PCR_ERR_INVAL, "class_names is NULL");
    src.source = good;
    ck_assert(!test_exists(top.path, "d"));
    write_ok("d");
}
END_TEST

START_TEST(odd_samples)
{
    static const int64_t below = -1, above = 3, last = 2;
    odd.no_key = true;
    refuses(PCR_ERR_INVAL, "sample 2 of the source has no key");
    odd = (struct odd) { .both = true };
    refuses(PCR_ERR_INVAL, "both labels and float_labels");
    odd = (struct odd) { .no_labels = true };
    refuses(PCR_ERR_INVAL, "labels is NULL");
    odd = (struct odd) { .floats = true };
    refuses(PCR_ERR_INVAL, src.samples[2].key); /* the source has classes */
    odd = (struct odd) { .label = &below };
    refuses(PCR_ERR_INVAL, "class -1, but there are 3");
    odd = (struct odd) { .label = &above };
    refuses(PCR_ERR_INVAL, "class 3, but there are 3");
    ck_assert(!test_exists(top.path, "d"));
    odd = (struct odd) { .label = &last };
    write_ok("d");
}
END_TEST

/* What no manifest can hold is refused before the work, not after it. */
START_TEST(odd_names)
{
    const struct pcr_source good = src.source;
    static const char *classes[] = { "a", "b", NULL }, *splits[] = { "a", "" };
    static const char *many[10001];
    src.source.class_names = classes;
    refuses(PCR_ERR_INVAL, "class 2 has no name");
    src.source = good;
    src.source.split_names = splits;
    refuses(PCR_ERR_INVAL, "split 1 has no name");
    splits[1] = NULL;
    refuses(PCR_ERR_INVAL, "split 1 has no name");
    splits[1] = "a";
    refuses(PCR_ERR_INVAL, "splits 0 and 1 are both 'a'");
    for (uint32_t i = 0; i < 10001; i++)
        many[i] = "s";
    src.source.split_names = many;
    src.source.split_count = 10001;
    refuses(PCR_ERR_LIMIT, "the source has 10001 splits, the limit is 10000");
    ck_assert(!test_exists(top.path, "d"));
}
END_TEST

/* Names that no file system minds, and that differ. */
START_TEST(names_of_records)
{
    static const char *const names[] = { "@A`a/0", "[Z{z:9", ".x", "-x", "x.-_", "\xc3\xbc" };
    static const char *const files[] = { "_A_a_0", "_Z_z_9", "_x", "_x~3", "x.-_", "__" };
    char text[64];
    src.source.split_names = names;
    src.source.split_count = COUNT;
    for (uint32_t i = 0; i < COUNT; i++)
        src.samples[i].split = i;
    write_ok("d");
    ck_assert_uint_eq(test_count(at("d"), ".pcr"), COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "%s-00000.pcr", files[i]);
        ck_assert_msg(test_exists(at("d"), text), "no %s", text);
    }
}
END_TEST

/* Of a name that is too long for a file its beginning is left. */
START_TEST(long_names)
{
    static char longest[2][4096];
    const char *names[] = { longest[0], longest[1] };
    char text[160];
    for (int i = 0; i < 2; i++) {
        memset(longest[i], 'n', sizeof(longest[i]) - 1);
        longest[i][2000] = (char) ('a' + i);
    }
    src.source.split_names = names;
    write_ok("d");
    ck_assert_uint_eq(test_count(at("d"), ".pcr"), 2);
    snprintf(text, sizeof(text), "%.100s-00000.pcr", names[0]);
    ck_assert(test_exists(at("d"), text));
    snprintf(text, sizeof(text), "%.100s~1-00000.pcr", names[1]);
    ck_assert(test_exists(at("d"), text));
}
END_TEST

int main(void)
{
    TCase *t = tests_case("write_refusals");
    tcase_add_checked_fixture(t, setup, writing_end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, ladders_and_codings);
    tcase_add_test(t, odd_options);
    tcase_add_test(t, odd_sources);
    tcase_add_test(t, odd_samples);
    tcase_add_test(t, odd_names);
    tcase_add_test(t, names_of_records);
    tcase_add_test(t, long_names);
    return tests_run();
}
