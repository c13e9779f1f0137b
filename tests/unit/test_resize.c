/* SPDX-License-Identifier: BSD-2-Clause */
/* resize: results that can be computed by hand, a slow control, and bad windows. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "decoder.h"
#include "image/image.h"
#include "suite.h"

static struct pcr_resize_options window(double x0, double y0, double x1, double y1)
{
    return (struct pcr_resize_options) {
        .size = sizeof(struct pcr_resize_options), .x0 = x0, .y0 = y0, .x1 = x1, .y1 = y1
    };
}

START_TEST(same_size_is_a_copy)
{
    uint8_t src[7 * 5 * 3], dst[7 * 5 * 3];
    for (size_t i = 0; i < sizeof(src); i++)
        src[i] = (uint8_t) (i * 97);
    ck_assert_int_eq(pcr_resize(decoder, src, 7, 5, 3, NULL, dst, 7, 5, NULL), 0);
    ck_assert_mem_eq(src, dst, sizeof(src));

    /* a window on pixel borders is a cut */
    struct pcr_resize_options o = window(2, 1, 5, 4);
    ck_assert_int_eq(pcr_resize(decoder, src, 7, 5, 3, &o, dst, 3, 3, NULL), 0);
    for (size_t y = 0; y < 3; y++)
        ck_assert_mem_eq(dst + y * 9, src + ((y + 1) * 7 + 2) * 3, 9);
}
END_TEST

/* Twice as large: the new centres lie a quarter of a pixel beside the old ones, and at the
 * ends there is but one pixel to take. */
START_TEST(enlarge_by_two)
{
    static const uint8_t src[3] = { 0, 100, 40 };
    static const uint8_t want[6] = { 0, 25, 75, 85, 55, 40 };
    uint8_t dst[6];
    ck_assert_int_eq(pcr_resize(decoder, src, 3, 1, 1, NULL, dst, 6, 1, NULL), 0);
    ck_assert_mem_eq(dst, want, 6);
    ck_assert_int_eq(pcr_resize(decoder, src, 1, 3, 1, NULL, dst, 1, 6, NULL), 0);
    ck_assert_mem_eq(dst, want, 6);
}
END_TEST

/* Half as large: the triangle is four pixels wide, with weights 1 3 3 1 in eighths; at the
 * ends, where the outermost is cut off, 3 3 1 in sevenths. */
START_TEST(shrink_by_two)
{
    static const uint8_t src[6] = { 8, 16, 240, 0, 64, 200 };
    static const uint8_t want[3] = { 45, 100, 113 };
    /* (3*8 + 3*16 + 240) / 7 = 44.57; (16 + 3*240 + 64) / 8 = 100; (0 + 192 + 600) / 7 =
     * 113.14 */
    uint8_t dst[3];
    ck_assert_int_eq(pcr_resize(decoder, src, 6, 1, 1, NULL, dst, 3, 1, NULL), 0);
    ck_assert_mem_eq(dst, want, 3);
    ck_assert_int_eq(pcr_resize(decoder, src, 1, 6, 1, NULL, dst, 1, 3, NULL), 0);
    ck_assert_mem_eq(dst, want, 3);
}
END_TEST

/* Half a pixel to the right: the mean of each pair of neighbours. */
START_TEST(fractional_window)
{
    static const uint8_t src[5] = { 0, 10, 30, 70, 250 };
    static const uint8_t want[4] = { 5, 20, 50, 160 };
    struct pcr_resize_options o = window(0.5, 0, 4.5, 1);
    uint8_t dst[4];
    ck_assert_int_eq(pcr_resize(decoder, src, 5, 1, 1, &o, dst, 4, 1, NULL), 0);
    ck_assert_mem_eq(dst, want, 4);
}
END_TEST

START_TEST(constant_stays)
{
    uint8_t *src = malloc(400 * 300 * 3), dst[31 * 17 * 3];
    struct pcr_resize_options o = window(0, 0, 400, 300);
    size_t wrong = 0;
    ck_assert_ptr_nonnull(src);
    o.filter = (uint32_t) _i;
    for (int v = 0; v < 256; v += 51) {
        memset(src, v, 400 * 300 * 3);
        ck_assert_int_eq(pcr_resize(decoder, src, 400, 300, 3, &o, dst, 31, 17, NULL), 0);
        for (size_t i = 0; i < sizeof(dst); i++)
            wrong += dst[i] != v;
    }
    ck_assert_uint_eq(wrong, 0);
    free(src);
}
END_TEST

/* Twice as large, by hand: a quarter off a pixel the cubic's weights are -9, 111, 29 and -3
 * parts of 128, less what lies outside. */
START_TEST(cubic_by_two)
{
    static const uint8_t src[5] = { 100, 100, 100, 200, 200 };
    /* (-9 * 100 + 111 * 100 + 29 * 100 - 3 * 200) / 128 = 97.66; then 92.97, 120.31 and
     * 179.69; (-9 * 100 + 111 * 200 + 29 * 200) / 131 = 206.87; 202.19 */
    static const uint8_t want[10] = { 100, 100, 100, 98, 93, 120, 180, 207, 202, 200 };
    uint8_t dst[10];
    struct pcr_resize_options o = window(0, 0, 5, 1);
    o.filter = PCR_FILTER_BICUBIC;
    ck_assert_int_eq(pcr_resize(decoder, src, 5, 1, 1, &o, dst, 10, 1, NULL), 0);
    ck_assert_mem_eq(dst, want, 10);
    o = window(0, 0, 1, 5);
    o.filter = PCR_FILTER_BICUBIC;
    ck_assert_int_eq(pcr_resize(decoder, src, 1, 5, 1, &o, dst, 1, 10, NULL), 0);
    ck_assert_mem_eq(dst, want, 10);
}
END_TEST

/* The pixel that the centre of each output pixel lies in. */
START_TEST(nearest_takes_one)
{
    static const uint8_t src[5] = { 10, 20, 30, 40, 50 };
    static const uint8_t three[3] = { 10, 30, 50 }, seven[7] = { 10, 20, 20, 30, 40, 40, 50 };
    struct pcr_resize_options o = window(0, 0, 5, 1);
    uint8_t dst[7];
    o.filter = PCR_FILTER_NEAREST;
    ck_assert_int_eq(pcr_resize(decoder, src, 5, 1, 1, &o, dst, 3, 1, NULL), 0);
    ck_assert_mem_eq(dst, three, 3);
    ck_assert_int_eq(pcr_resize(decoder, src, 5, 1, 1, &o, dst, 7, 1, NULL), 0);
    ck_assert_mem_eq(dst, seven, 7);
    o.x1 = o.y1 = 1;
    o.x0 = 0.999;
    ck_assert_int_eq(pcr_resize(decoder, src, 5, 1, 1, &o, dst, 1, 1, NULL), 0);
    ck_assert_uint_eq(dst[0], 10);
}
END_TEST

/* --- a slow control in floating point --- */

static double triangle_sum(const uint8_t *src, uint32_t width, uint32_t height,
                           const struct pcr_resize_options *o, uint32_t dw, uint32_t dh,
                           uint32_t x, uint32_t y)
{
    double sx = (o->x1 - o->x0) / dw, sy = (o->y1 - o->y0) / dh;
    double cx = o->x0 + (x + 0.5) * sx, cy = o->y0 + (y + 0.5) * sy;
    double rx = fmax(sx, 1), ry = fmax(sy, 1), sum = 0, weights = 0;
    for (uint32_t j = 0; j < height; j++)
        for (uint32_t i = 0; i < width; i++) {
            double w = fmax(0, 1 - fabs(i + 0.5 - cx) / rx) *
                       fmax(0, 1 - fabs(j + 0.5 - cy) / ry);
            sum += w * src[(size_t) j * width + i];
            weights += w;
        }
    return sum / weights;
}

START_TEST(equals_the_control)
{
    enum { W = 53, H = 41 };
    uint8_t src[W * H], dst[64 * 64];
    static const double windows[][4] = {
        { 0, 0, W, H }, { 3.25, 7.5, 50.75, 33 }, { 10, 10, 11, 12 }, { 0.1, 0, 52.9, 0.4 }
    };
    static const uint32_t sizes[][2] = { { 9, 5 }, { 64, 64 }, { 1, 1 }, { 30, 2 } };
    uint32_t random = 7;
    for (size_t i = 0; i < sizeof(src); i++) {
        random = random * 1664525 + 1013904223;
        src[i] = (uint8_t) (random >> 24);
    }
    struct pcr_resize_options o = window(windows[_i][0], windows[_i][1], windows[_i][2],
                                         windows[_i][3]);
    for (size_t k = 0; k < 4; k++) {
        uint32_t dw = sizes[k][0], dh = sizes[k][1];
        ck_assert_int_eq(pcr_resize(decoder, src, W, H, 1, &o, dst, dw, dh, NULL), 0);
        for (uint32_t y = 0; y < dh; y++)
            for (uint32_t x = 0; x < dw; x++)
                ck_assert_double_eq_tol(dst[y * dw + x],
                                        triangle_sum(src, W, H, &o, dw, dh, x, y), 0.6);
    }
}
END_TEST

static double cubic(double x)
{
    x = fabs(x);
    return x < 1   ? 1.5 * x * x * x - 2.5 * x * x + 1
           : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
                   : 0;
}

/* One direction: n samples at `src`, `step` apart, cut off and rounded as bytes are. */
static double cubic_sum(const uint8_t *src, uint32_t n, size_t step, double from, double to,
                        uint32_t count, uint32_t i)
{
    double scale = (to - from) / count, centre = from + (i + 0.5) * scale;
    double radius = fmax(scale, 1), sum = 0, weights = 0;
    for (uint32_t k = 0; k < n; k++) {
        double w = cubic((k + 0.5 - centre) / radius);
        sum += w * src[k * step];
        weights += w;
    }
    return fmin(fmax(sum / weights, 0), 255);
}

/* What is between the directions is rounded here and there, so that a level may differ. */
START_TEST(equals_the_cubic_control)
{
    enum { W = 47, H = 39 };
    static uint8_t src[W * H], rows[64 * H], dst[64 * 64];
    static const double windows[][4] = {
        { 0, 0, W, H }, { 3.25, 7.5, 40.75, 33 }, { 10, 10, 11, 12 }, { 0.1, 0, 46.9, 0.4 }
    };
    static const uint32_t sizes[][2] = { { 9, 5 }, { 64, 64 }, { 1, 1 }, { 30, 2 } };
    uint32_t random = 7;
    double off = 0;
    for (size_t i = 0; i < sizeof(src); i++) {
        random = random * 1664525 + 1013904223;
        src[i] = random >> 31 ? 255 : (uint8_t) (random >> 24);
    }
    struct pcr_resize_options o = window(windows[_i][0], windows[_i][1], windows[_i][2],
                                         windows[_i][3]);
    o.filter = PCR_FILTER_BICUBIC;
    for (size_t k = 0; k < 4; k++) {
        uint32_t dw = sizes[k][0], dh = sizes[k][1];
        ck_assert_int_eq(pcr_resize(decoder, src, W, H, 1, &o, dst, dw, dh, NULL), 0);
        for (uint32_t y = 0; y < H; y++)
            for (uint32_t x = 0; x < dw; x++)
                rows[y * dw + x] = (uint8_t) (cubic_sum(src + y * W, W, 1, o.x0, o.x1, dw, x) +
                                              0.5);
        for (uint32_t y = 0; y < dh; y++)
            for (uint32_t x = 0; x < dw; x++)
                off = fmax(off, fabs(dst[y * dw + x] -
                                     cubic_sum(rows + x, H, dw, o.y0, o.y1, dh, y)));
    }
    ck_assert_double_le(off, 1.5);
}
END_TEST

START_TEST(flip_and_planar)
{
    enum { W = 20, H = 11, DW = 9, DH = 6 };
    uint8_t src[W * H * 3], plain[DW * DH * 3], got[DW * DH * 3];
    for (size_t i = 0; i < sizeof(src); i++)
        src[i] = (uint8_t) (i * i * 31 >> 4);
    struct pcr_resize_options o = window(1, 2, 19, 10);
    o.filter = (uint32_t) _i;
    ck_assert_int_eq(pcr_resize(decoder, src, W, H, 3, &o, plain, DW, DH, NULL), 0);
    size_t wrong = 0;
    for (uint32_t flags = 1; flags < 4; flags++) {
        o.flags = flags;
        ck_assert_int_eq(pcr_resize(decoder, src, W, H, 3, &o, got, DW, DH, NULL), 0);
        for (size_t y = 0; y < DH; y++)
            for (size_t x = 0; x < DW; x++)
                for (size_t c = 0; c < 3; c++) {
                    size_t at = flags & PCR_RESIZE_FLIP ? DW - 1 - x : x;
                    size_t to = flags & PCR_RESIZE_PLANAR ? (c * DH + y) * DW + at
                                                          : (y * DW + at) * 3 + c;
                    wrong += got[to] != plain[(y * DW + x) * 3 + c];
                }
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* Rows and columns that no output pixel depends on are not there to be read. */
START_TEST(reads_the_window_alone)
{
    enum { W = 100, H = 100 };
    /* At the same scale, half widths are one pixel: rows 39 to 60 are in reach. */
    uint8_t *rows = malloc(22 * W), dst[20 * 20];
    ck_assert_ptr_nonnull(rows);
    memset(rows, 9, 22 * W);
    struct pcr_resize_options o = window(40, 40, 60, 60);
    ck_assert_int_eq(pcr_resize(decoder, rows - 39 * W, W, H, 1, &o, dst, 20, 20, NULL), 0);
    for (size_t i = 0; i < sizeof(dst); i++)
        ck_assert_uint_eq(dst[i], 9);
    free(rows);
}
END_TEST

static void must_resize(const uint8_t *src, uint32_t width, uint32_t height,
                        const struct pcr_resize_options *o, uint8_t *dst, uint32_t dst_width,
                        uint32_t dst_height)
{
    struct pcr_error err;
    ck_assert_msg(
        !pcr_resize(decoder, src, width, height, 3, o, dst, dst_width, dst_height, &err), "%s",
        err.message);
}

START_TEST(bad_arguments)
{
    uint8_t src[4 * 4 * 3] = { 0 }, dst[4] = { 0 };
    static const double bad[][4] = { { -1, 0, 2, 2 },       { 0, 0, 5, 4 },
                                     { 0, 0, 4, 4.01 },     { 2, 0, 2, 4 },
                                     { 3, 0, 1, 4 },        { 0, NAN, 4, 4 },
                                     { 0, 0, INFINITY, 4 }, { 0, 0, NAN, NAN } };
    struct pcr_error err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pcr_resize_options o = window(bad[i][0], bad[i][1], bad[i][2], bad[i][3]);
        ck_assert_int_eq(pcr_resize(decoder, src, 4, 4, 1, &o, dst, 2, 2, &err),
                         PCR_ERR_INVAL);
    }
    ck_assert_int_eq(pcr_resize(decoder, src, 4, 4, 1, NULL, dst, 0, 2, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_resize(decoder, src, 4, 4, 1, NULL, dst, 2, 0, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_resize(decoder, src, 0, 4, 1, NULL, dst, 2, 2, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_resize(decoder, src, 4, 4, 2, NULL, dst, 1, 1, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_resize(NULL, src, 4, 4, 1, NULL, dst, 1, 1, &err), PCR_ERR_INVAL);
    struct pcr_resize_options o = window(0, 0, 4, 4);
    o.flags = 4;
    ck_assert_int_eq(pcr_resize(decoder, src, 4, 4, 1, &o, dst, 1, 1, &err), PCR_ERR_INVAL);
    o.flags = 0;
    o.filter = 4;
    ck_assert_int_eq(pcr_resize(decoder, src, 4, 4, 1, &o, dst, 1, 1, &err), PCR_ERR_INVAL);
    static const uint32_t grids[][4] = { { 0, 0, 1, 0 },         { 2, 0, 0, 0 },
                                         { 0, 2, 0, 0 },         { 1, 2, 0, 0 },
                                         { 2, 2, 1, 0 },         { 2, 2, 0, 1 },
                                         { 9, 9, UINT32_MAX, 0 } };
    for (size_t i = 0; i < sizeof(grids) / sizeof(grids[0]); i++) {
        o = window(0, 0, 4, 4);
        memcpy(&o.grid_width, grids[i], sizeof(grids[i]));
        ck_assert_int_eq(pcr_resize(decoder, src, 4, 4, 1, &o, dst, 2, 2, &err),
                         PCR_ERR_INVAL);
    }
}
END_TEST

/* A part of a grid is what a crop of the whole result has. */
START_TEST(parts_of_a_grid)
{
    enum { W = 31, H = 17, GRID_W = 23, GRID_H = 40, N = 9 };
    static uint8_t src[W * H * 3], whole[GRID_W * GRID_H * 3], part[N * N * 3];
    for (size_t i = 0; i < sizeof(src); i++)
        src[i] = (uint8_t) (i * i * 2654435761u >> 13);
    for (uint32_t i = 0; i < 60; i++) {
        struct pcr_resize_options o = window(i % 2 * 0.3, 0, W, H - i % 2 * 1.7);
        o.filter = 1 + i % 3;
        must_resize(src, W, H, &o, whole, GRID_W, GRID_H);
        o.grid_width = GRID_W;
        o.grid_height = GRID_H;
        o.grid_x = i * 7 % (GRID_W - N + 1);
        o.grid_y = i * 5 % (GRID_H - N + 1);
        must_resize(src, W, H, &o, part, N, N);
        for (uint32_t y = 0; y < N; y++)
            ck_assert_mem_eq(part + y * N * 3,
                             whole + ((o.grid_y + y) * GRID_W + o.grid_x) * 3, N * 3);
    }
}
END_TEST

/* Each set of loops gives the same bytes, at any size, from rows that end where they must. */
START_TEST(sets_are_equal)
{
    static uint8_t got[300 * 300 * 3], wanted[sizeof(got)];
    const struct pcri_resize_rows *chosen = decoder->views->resizer.rows;
    uint64_t seed = 1;
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t n[4], channels = i % 4 ? 3 : 1; /* sizes of source and result */
        for (int k = 0; k < 4; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            n[k] = 1 + (uint32_t) (seed >> 33) % (i % 16 < 3 ? 300 : 70);
        }
        size_t nbytes = (size_t) n[0] * n[1] * channels;
        uint8_t *src = malloc(nbytes);
        ck_assert_ptr_nonnull(src);
        for (size_t k = 0; k < nbytes; k++)
            src[k] = i % 3 ? (uint8_t) ((seed += k * 77777) >> 20) : 255;
        struct pcr_resize_options o = window(n[0] * 0.1, 0, n[0], n[1] * 0.9);
        o.flags = (i & 1 ? PCR_RESIZE_FLIP : 0) | (i & 2 ? PCR_RESIZE_PLANAR : 0);
        o.filter = i / 4 % 4;
        for (int set = 0; set < 2; set++) {
            decoder->views->resizer.rows = set ? chosen : &pcri_resize_rows_portable;
            ck_assert_int_eq(pcr_resize(decoder, src, n[0], n[1], channels, &o,
                                        set ? got : wanted, n[2], n[3], NULL),
                             0);
        }
        ck_assert_msg(!memcmp(got, wanted, (size_t) n[2] * n[3] * channels),
                      "%s: %u x %u to %u x %u, %u channels", chosen->name, n[0], n[1], n[2],
                      n[3], channels);
        free(src);
    }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("resize");
    tcase_add_checked_fixture(t, make_decoder, drop_decoder);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, same_size_is_a_copy);
    tcase_add_test(t, sets_are_equal);
    tcase_add_test(t, enlarge_by_two);
    tcase_add_test(t, shrink_by_two);
    tcase_add_test(t, fractional_window);
    tcase_add_loop_test(t, constant_stays, 0, 4);
    tcase_add_test(t, cubic_by_two);
    tcase_add_test(t, nearest_takes_one);
    tcase_add_loop_test(t, equals_the_control, 0, 4);
    tcase_add_loop_test(t, equals_the_cubic_control, 0, 4);
    tcase_add_loop_test(t, flip_and_planar, 0, 4);
    tcase_add_test(t, reads_the_window_alone);
    tcase_add_test(t, bad_arguments);
    tcase_add_test(t, parts_of_a_grid);
    return tests_run();
}
