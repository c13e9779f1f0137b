/* SPDX-License-Identifier: BSD-2-Clause */
/* transform: windows within their bounds, evenly spread, and the same each time. */
#include <check.h>
#include <math.h>

#include "../../loaders/transform/crop.h"
#include "suite.h"

static struct pcr_loader_options options(uint32_t transform)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .seed = 11,
        .output.height = 224,
        .output.width = 224,
        .output.layout = PCR_LAYOUT_NHWC,
        .transform.kind = transform,
        .transform.resize_px = 256,
        .transform.area_min_ppm = 80000,
        .transform.area_max_ppm = 1000000,
        .transform.ratio_min_ppm = 750000,
        .transform.ratio_max_ppm = 1333333,
    };
}

static struct pcr_resize_options choose(const struct pcr_loader_options *o, uint64_t epoch,
                                        uint64_t index, uint32_t w, uint32_t h)
{
    struct pcr_resize_options r;
    pcri_choose_window(o, epoch, index, w, h, &r);
    ck_assert_uint_eq(r.size, sizeof(r));
    ck_assert(r.x0 >= 0 && r.x0 < r.x1 && r.x1 <= w && r.y0 >= 0 && r.y0 < r.y1 && r.y1 <= h);
    return r;
}

START_TEST(random_crops)
{
    struct pcr_loader_options o = options(PCR_TRANSFORM_RANDOM_CROP);
    double area_sum = 0, x_sum = 0, ratio_log_sum = 0, area_least = 1, area_most = 0;
    enum { N = 20000 };
    for (uint64_t i = 0; i < N; i++) {
        struct pcr_resize_options r = choose(&o, 2, i, 1000, 1000);
        double w = r.x1 - r.x0, h = r.y1 - r.y0, area = w * h / 1e6;
        ck_assert(r.x0 == floor(r.x0) && r.y0 == floor(r.y0) && w == floor(w) &&
                  h == floor(h));
        ck_assert_double_ge(w / h, 0.75 - 0.005); /* rounded to pixels */
        ck_assert_double_le(w / h, 1.3334 + 0.008);
        area_least = fmin(area_least, area);
        area_most = fmax(area_most, area);
        area_sum += area;
        ratio_log_sum += log(w / h);
        x_sum += w < 1000 ? r.x0 / (1000 - w) : 0.5;
    }
    ck_assert_double_ge(area_least, 0.079);
    ck_assert_double_lt(area_least, 0.09);
    ck_assert_double_gt(area_most, 0.9);
    /* 0.54 if all fitted; with the large ones that do not, 0.4776 (from 40,000 draws of
     * torchvision's procedure with another generator). */
    ck_assert_double_eq_tol(area_sum / N, 0.4776, 0.008);
    ck_assert_double_eq_tol(ratio_log_sum / N, 0, 0.01);
    ck_assert_double_eq_tol(x_sum / N, 0.5, 0.01);
}
END_TEST

/* Where no try fits, the largest centred window of an allowed ratio. */
START_TEST(panoramas)
{
    struct pcr_loader_options o = options(PCR_TRANSFORM_RANDOM_CROP);
    o.transform.area_min_ppm = 900000;
    struct pcr_resize_options r = choose(&o, 0, 1, 4000, 30);
    ck_assert_double_eq(r.x1 - r.x0, 40); /* 30 * 1.333333 */
    ck_assert_double_eq(r.x0, 1980);
    ck_assert_double_eq(r.y1 - r.y0, 30);
    r = choose(&o, 0, 1, 30, 4000);
    ck_assert_double_eq(r.y1 - r.y0, 40); /* 30 / 0.75 */
    ck_assert_double_eq(r.y0, 1980);
    choose(&o, 0, 1, 1, 1);
    choose(&o, 0, 1, 65535, 1);
    choose(&o, 0, 1, 1, 65535);
}
END_TEST

START_TEST(tiny_images)
{
    struct pcr_loader_options o = options(PCR_TRANSFORM_RANDOM_CROP);
    for (uint32_t w = 1; w < 6; w++)
        for (uint32_t h = 1; h < 6; h++)
            for (uint64_t i = 0; i < 200; i++)
                choose(&o, 0, i, w, h);
}
END_TEST

START_TEST(center_crops)
{
    struct pcr_loader_options o = options(PCR_TRANSFORM_CENTER_CROP);
    struct pcr_resize_options r = choose(&o, 0, 0, 512, 1024);
    ck_assert(r.grid_width == 256 && r.grid_height == 512);
    ck_assert(r.grid_x == 16 && r.grid_y == 144);
    /* 512 px become 256: 224 of them are 448 px of the source */
    struct pcr_crop c = pcri_shown(&o, 512, 1024, &r);
    ck_assert(c.x0 == 32 && c.x1 == 480 && c.y0 == 288 && c.y1 == 736);
    o.transform.resize_px = 224;
    r = choose(&o, 0, 0, 333, 500); /* 336.3 rows, of which 112 are too many */
    ck_assert(r.grid_width == 224 && r.grid_height == 336 && r.grid_y == 56);
    /* round() in Python takes halves to the even number */
    static const uint32_t offsets[] = { 0, 0, 1, 2, 2, 2, 3, 4, 4, 4 };
    for (uint32_t more = 0; more < 10; more++)
        ck_assert_uint_eq(choose(&o, 0, 0, 224, 224 + more).grid_y, offsets[more]);
    for (uint32_t w = 1; w < 40; w++)
        for (uint32_t h = 1; h < 40; h++)
            choose(&o, 0, 0, w, h);
    choose(&o, 0, 0, 1, UINT32_MAX);
}
END_TEST

START_TEST(stretch_takes_all)
{
    struct pcr_loader_options o = options(PCR_TRANSFORM_STRETCH);
    struct pcr_resize_options r = choose(&o, 0, 0, 512, 33);
    ck_assert(r.x0 == 0 && r.y0 == 0 && r.x1 == 512 && r.y1 == 33);
    ck_assert_uint_eq(r.flags, 0);
    o.output.layout = PCR_LAYOUT_NCHW;
    ck_assert_uint_eq(choose(&o, 0, 0, 5, 5).flags, PCR_RESIZE_PLANAR);
}
END_TEST

START_TEST(flips)
{
    struct pcr_loader_options o = options(PCR_TRANSFORM_STRETCH);
    uint32_t count = 0, both = 0;
    o.transform.flip_ppm = 250000;
    for (uint64_t i = 0; i < 10000; i++) {
        bool a = choose(&o, 0, i, 9, 9).flags & PCR_RESIZE_FLIP;
        bool b = choose(&o, 1, i, 9, 9).flags & PCR_RESIZE_FLIP;
        ck_assert_int_eq(a, (bool) (choose(&o, 0, i, 9, 9).flags & PCR_RESIZE_FLIP));
        count += a;
        both += a && b;
    }
    ck_assert_double_eq_tol(count / 1e4, 0.25, 0.02);
    ck_assert_double_eq_tol(both / 1e4, 0.0625, 0.01); /* epochs are independent */
    o.transform.flip_ppm = 1000000;
    for (uint64_t i = 0; i < 100; i++)
        ck_assert_uint_eq(choose(&o, 0, i, 9, 9).flags, PCR_RESIZE_FLIP);
}
END_TEST

START_TEST(seed_epoch_and_sample_count)
{
    struct pcr_loader_options o = options(PCR_TRANSFORM_RANDOM_CROP), p = o;
    uint32_t same[3] = { 0 };
    p.seed++;
    for (uint64_t i = 0; i < 500; i++) {
        struct pcr_resize_options a = choose(&o, 0, i, 800, 600);
        struct pcr_resize_options b[3] = { choose(&o, 1, i, 800, 600),
                                           choose(&p, 0, i, 800, 600),
                                           choose(&o, 0, i + 1, 800, 600) };
        struct pcr_resize_options again = choose(&o, 0, i, 800, 600);
        ck_assert_mem_eq(&a, &again, sizeof(a));
        for (int k = 0; k < 3; k++)
            same[k] += a.x0 == b[k].x0 && a.y0 == b[k].y0 && a.x1 == b[k].x1;
    }
    for (int k = 0; k < 3; k++)
        ck_assert_uint_lt(same[k], 5);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("transform");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, random_crops);
    tcase_add_test(t, panoramas);
    tcase_add_test(t, tiny_images);
    tcase_add_test(t, center_crops);
    tcase_add_test(t, stretch_takes_all);
    tcase_add_test(t, flips);
    tcase_add_test(t, seed_epoch_and_sample_count);
    return tests_run();
}
