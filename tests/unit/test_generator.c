/* SPDX-License-Identifier: BSD-2-Clause */
/* generator: the same pixels and files on each run, names, what photographs depend on. */
#include <check.h>
#include <float.h>
#include <stdlib.h>

#include "base/base.h"
#include "generator.h"
#include "suite.h"

/* The pixels of a picture for ever: only integers make them. */
START_TEST(pixels_are_fixed)
{
    static uint8_t rgb[100 * 75 * 3];
    struct pcr_error e;
    ck_assert_int_eq(pcr_gen_pixels(1, PCR_GEN_NO_CLASS, 100, 75, rgb, &e), 0);
    ck_assert_uint_eq(pcri_xxh3(rgb, sizeof(rgb)), UINT64_C(17435305458207573966));
    ck_assert_int_eq(pcr_gen_pixels(7, 3, 100, 75, rgb, &e), 0);
    ck_assert_uint_eq(pcri_xxh3(rgb, sizeof(rgb)), UINT64_C(15878916084084810964));
    ck_assert_int_eq(pcr_gen_pixels(1, 0, 0, 75, rgb, &e), PCR_ERR_INVAL);
}
END_TEST

/* A still life is the same for ever too, where doubles are computed as doubles. */
START_TEST(still_lifes)
{
    enum { W = 24, H = 16 };
    static uint8_t first[W * H * 3], other[W * H * 3];
    struct pcr_buffer file = { 0 };
    struct pcr_error e;
    ck_assert_int_eq(pcr_gen_pixels(1, PCR_GEN_STILL_LIFE, W, H, first, &e), 0);
    ck_assert_int_eq(pcr_gen_pixels(2, PCR_GEN_STILL_LIFE, W, H, other, &e), 0);
    if (FLT_EVAL_METHOD == 0)
        ck_assert_uint_eq(pcri_xxh3(first, sizeof(first)), UINT64_C(5337871527617843134));
    ck_assert(memcmp(first, other, sizeof(first)));
    ck_assert_uint_gt(first[0], first[sizeof(first) - 3]); /* the wall is light, */
    ck_assert_uint_gt(first[sizeof(first) - 3], first[sizeof(first) - 1]); /* the wood brown */
    ck_assert_int_eq(
        pcr_gen_photo_of(1, PCR_GEN_STILL_LIFE, W, H, 90, PCR_GEN_420, false, &file, &e), 0);
    ck_assert_uint_gt(file.nbytes, 300);
    pcr_buffer_free(&file);
}
END_TEST

START_TEST(photographs)
{
    struct pcr_buffer a = { 0 }, b = { 0 };
    struct pcr_error e;
    ck_assert_int_eq(pcr_gen_photo(1, 90, 60, 80, PCR_GEN_420, &a), 0);
    ck_assert_int_eq(pcr_gen_photo(1, 90, 60, 80, PCR_GEN_420, &b), 0);
    ck_assert_uint_eq(a.nbytes, b.nbytes);
    ck_assert_mem_eq(a.data, b.data, a.nbytes);
    ck_assert_int_eq(pcr_gen_photo(2, 90, 60, 80, PCR_GEN_420, &b), 0);
    ck_assert(a.nbytes != b.nbytes || memcmp(a.data, b.data, a.nbytes));
    for (int s = 0; s < PCR_GEN_SUBSAMPLINGS; s++)
        ck_assert_int_eq(pcr_gen_photo_of(1, 2, 50, 40, 95, s, true, &b, &e), 0);
    ck_assert_int_eq(pcr_gen_photo_of(1, 2, 50, 40, 101, 0, true, &b, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_gen_photo(1, 50, 40, 80, PCR_GEN_SUBSAMPLINGS, &b), PCR_ERR_INVAL);
    pcr_buffer_free(&a);
    pcr_buffer_free(&b);
}
END_TEST

START_TEST(cases_are_named_and_repeat)
{
    const struct pcr_gen_case *c;
    struct pcr_buffer a = { 0 }, b = { 0 };
    struct pcr_error e = { 0 };
    size_t counts[PCR_GEN_BAD_PNG + 1] = { 0 };
    for (size_t i = 0; (c = pcr_gen_case(i)); i++) {
        ck_assert_ptr_eq(pcr_gen_find(c->name), c);
        ck_assert_msg(!pcr_gen_make(c, &a, &e), "%s", e.message);
        ck_assert_msg(!pcr_gen_make(c, &b, &e), "%s", e.message);
        ck_assert_uint_eq(a.nbytes, b.nbytes);
        ck_assert(!a.nbytes || !memcmp(a.data, b.data, a.nbytes));
        counts[c->kind]++;
    }
    for (int k = 0; k <= PCR_GEN_BAD_PNG; k++)
        ck_assert_uint_ge(counts[k], 10);
    ck_assert_ptr_null(pcr_gen_find("no such case"));
    pcr_buffer_free(&a);
    pcr_buffer_free(&b);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("generator");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, pixels_are_fixed);
    tcase_add_test(t, still_lifes);
    tcase_add_test(t, photographs);
    tcase_add_test(t, cases_are_named_and_repeat);
    return tests_run();
}
