/* SPDX-License-Identifier: BSD-2-Clause */
/* write_reduce: whatever images there are, none that is above the limit is packed so; and
 * profiles in files that are damaged. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <pcr/dataset.h>

#include "generator.h"
#include "image/profile.h"
#include "suite.h"
#include "write_source.h"

enum { LIMIT = 20 };

static struct test_source src;
static struct test_folder top;
static struct pcr_error error;
static struct pcr_write_progress report = { .size = sizeof(report) };

static void setup(void)
{
    test_folder_make(&top);
}

static void teardown(void)
{
    test_source_free(&src);
    test_folder_free(&top);
}

/* No coded sample is larger than the limit but those that no decoder makes pixels of. */
static void check_sizes(const char *path, size_t first, uint64_t *reduced)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_dataset_info info = { .size = sizeof(info) };
    ck_assert_int_eq(pcr_dataset_open(path, NULL, &ds, &error), 0);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &error), 0);
    ck_assert_uint_eq(info.max_side, LIMIT);
    ck_assert_uint_eq(info.quality, 75);
    for (uint64_t i = 0; i < info.sample_count; i++) {
        struct pcr_sample *sample = NULL;
        struct pcr_sample_info about = { .size = sizeof(about) };
        ck_assert_int_eq(pcr_sample_acquire(ds, i, &sample, &error), 0);
        ck_assert_int_eq(pcr_sample_describe(sample, &about, &error), 0);
        size_t number = first + strtoul(about.key + strlen("images/"), NULL, 10);
        if (about.coding != PCR_CODING_OPAQUE && !pcr_gen_case(number)->no_pixels) {
            ck_assert_msg(about.width <= LIMIT && about.height <= LIMIT, "%s: %u x %u",
                          about.key, about.width, about.height);
            *reduced += about.width == LIMIT || about.height == LIMIT;
        }
        pcr_sample_release(&sample);
    }
    pcr_dataset_close(&ds);
}

/* All files of the generator, good and bad, a part of them at a time. */
START_TEST(all_kinds_of_images)
{
    struct pcr_write_options o = { .size = sizeof(o),
                                   .bad_policy = PCR_BAD_SKIP,
                                   .max_side = LIMIT,
                                   .quality = 75,
                                   .thread_count = 2 };
    size_t first = (size_t) _i * TEST_MAX_SAMPLES;
    uint32_t count = 0;
    uint64_t reduced = 0;
    while (count < TEST_MAX_SAMPLES && pcr_gen_case(first + count))
        count++;
    if (!count)
        return;
    test_source_init(&src, count);
    for (uint32_t i = 0; i < count; i++)
        test_source_set_case(&src, i, pcr_gen_case(first + i)->name);
    int rc = pcr_dataset_write(top.path, &src.source, &o, &report, &error);
    ck_assert_msg(!rc, "%s", error.message);
    check_sizes(top.path, first, &reduced);
    ck_assert_uint_ge(report.samples_reduced, 10);
    ck_assert_uint_ge(reduced, report.samples_reduced);
}
END_TEST

/* A JPEG with a profile in two parts, made by our own encoder. */
static void make_file(struct pcr_buffer *profile, struct pcr_buffer *file)
{
    static uint8_t pixels[16 * 16 * 3];
    for (size_t i = 0; i < 70000; i++)
        ck_assert_int_eq(pcri_buffer_append(profile,
                                            i == 16   ? "R"
                                            : i == 17 ? "G"
                                            : i == 18 ? "B"
                                            : i == 19 ? " "
                                                      : "x",
                                            1, NULL),
                         0);
    ck_assert_int_eq(pcri_jpeg_encode(pixels, 16, 16, 3, 90, profile, file, NULL), 0);
}

START_TEST(profiles_of_damaged_files)
{
    struct pcr_buffer profile = { 0 }, file = { 0 }, found = { 0 };
    size_t same = 0;
    make_file(&profile, &file);
    ck_assert_int_eq(pcri_profile_find(file.data, file.nbytes, 3, &found, NULL), 0);
    ck_assert_uint_eq(found.nbytes, profile.nbytes);
    ck_assert_mem_eq(found.data, profile.data, found.nbytes);
    for (size_t n = 0; n < file.nbytes; n += n < 1000 ? 1 : 97) {
        /* A copy of its own size, so that reading beyond it is seen. */
        uint8_t *cut = malloc(n ? n : 1);
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, file.data, n);
        ck_assert_int_eq(pcri_profile_find(cut, n, 3, &found, NULL), 0);
        ck_assert(found.nbytes == 0 || found.nbytes == profile.nbytes);
        free(cut);
    }
    for (size_t at = 2; at < 60; at++)
        for (unsigned v = 0; v < 256; v += 5) {
            uint8_t was = file.data[at];
            file.data[at] = (uint8_t) v;
            ck_assert_int_eq(pcri_profile_find(file.data, file.nbytes, 3, &found, NULL), 0);
            same += found.nbytes == profile.nbytes;
            file.data[at] = was;
        }
    ck_assert(same > 100 && same < 58 * 52);
    pcr_buffer_free(&profile);
    pcr_buffer_free(&file);
    pcr_buffer_free(&found);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("write_reduce");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, all_kinds_of_images, 0, 3);
    tcase_add_test(t, profiles_of_damaged_files);
    return tests_run();
}
