/* SPDX-License-Identifier: BSD-2-Clause */
/* Pictures that are decoded at the size that a resize needs, against those decoded whole. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include <pcr/image.h>

#include "generator.h"
#include "image/profile.h"
#include "suite.h"

enum { WIDTH = 617, HEIGHT = 521, MOST = 160 };
#define LEAST_DB 34.0 /* between the two ways; the photograph's grain is what differs */

static struct pcr_error e;
static struct pcr_decoder *d;
static uint8_t got[MOST * MOST * 3], wanted[MOST * MOST * 3];

static void set_up(void)
{
    ck_assert_int_eq(pcr_decoder_create(&d, &e), 0);
}

static void tear_down(void)
{
    pcr_decoder_destroy(&d);
}

/* side x side pixels of a window of the file. */
static void resize(const struct pcr_buffer *file, const struct pcr_decode_options *o,
                   const struct pcr_resize_options *r, uint32_t side, uint8_t *out)
{
    struct pcr_span span = { file->data, file->nbytes };
    const struct pcr_spans spans = { .items = &span, .count = 1 };
    int rc = pcr_decoder_decode_resized(d, &spans, o, r, out, side, side, &e);
    ck_assert_msg(rc == 0, "%s", e.message);
}

/* Both ways to `got` and `wanted`; PSNR in dB. */
static double compare(const struct pcr_buffer *file, struct pcr_decode_options o,
                      const struct pcr_resize_options *r, uint32_t side)
{
    const size_t n = (size_t) side * side * (o.color == PCR_COLOR_GRAY ? 1 : 3);
    double sum = 0;
    resize(file, &o, r, side, got);
    o.scale = 8;
    resize(file, &o, r, side, wanted);
    for (size_t i = 0; i < n; i++)
        sum += pow(got[i] - wanted[i], 2);
    return sum > 0 ? 10 * log10(255.0 * 255 * (double) n / sum) : INFINITY;
}

/* Down to more than a quarter, and by the nearest pixel, nothing changes; below, little. */
START_TEST(sizes)
{
    static const struct {
        uint32_t side, filter, color;
        bool same;
    } cases[] = {
        { 131, PCR_FILTER_BILINEAR, PCR_COLOR_RGB, true },
        { 130, PCR_FILTER_BILINEAR, PCR_COLOR_RGB, false },
        { 66, PCR_FILTER_BICUBIC, PCR_COLOR_GRAY, false },
        { 65, PCR_FILTER_BICUBIC, PCR_COLOR_RGB, false },
        { 33, PCR_FILTER_BILINEAR, PCR_COLOR_GRAY, false },
        { 32, PCR_FILTER_BILINEAR, PCR_COLOR_RGB, false },
        { 20, PCR_FILTER_NEAREST, PCR_COLOR_RGB, true },
        { 1, PCR_FILTER_BILINEAR, PCR_COLOR_RGB, false },
    };
    struct pcr_buffer file = { 0 };
    ck_assert_int_eq(pcr_gen_photo(7, WIDTH, HEIGHT, 90, (enum pcr_gen_subsampling) _i, &file),
                     0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct pcr_decode_options o = { .size = sizeof(o), .color = cases[i].color };
        const struct pcr_resize_options r = { .size = sizeof(r), .filter = cases[i].filter };
        const double db = compare(&file, o, &r, cases[i].side);
        ck_assert_msg(db > LEAST_DB, "%d, %u: %g dB", _i, (unsigned) cases[i].side, db);
        ck_assert_msg(!cases[i].same || isinf(db), "%d, %u: %g dB", _i,
                      (unsigned) cases[i].side, db);
        ck_assert_msg(cases[i].same || cases[i].side == 1 || !isinf(db), "%d, %u: equal", _i,
                      (unsigned) cases[i].side);
    }
    pcr_buffer_free(&file);
}
END_TEST

/* Windows, and parts of grids. */
START_TEST(windows)
{
    static const struct pcr_resize_options cases[] = {
        { .x0 = 33.25, .y0 = 7, .x1 = 600, .y1 = 519.5 },
        { .x0 = 5, .y0 = 1, .x1 = 517, .y1 = 513, .flags = PCR_RESIZE_FLIP },
        { .x0 = 105, .y0 = 9, .x1 = 617, .y1 = 521, .flags = PCR_RESIZE_PLANAR },
        { .grid_width = 40, .grid_height = 40, .grid_x = 8, .grid_y = 0 },
    };
    struct pcr_buffer file = { 0 };
    ck_assert_int_eq(pcr_gen_photo(8, WIDTH, HEIGHT, 90, PCR_GEN_420, &file), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (uint32_t orientation = 1; orientation <= 8; orientation++) {
            const struct pcr_decode_options o = { .size = sizeof(o),
                                                  .orientation = orientation };
            struct pcr_resize_options r = cases[i];
            r.size = sizeof(r);
            if (orientation >= 5) {
                r.x0 = cases[i].y0, r.x1 = cases[i].y1;
                r.y0 = cases[i].x0, r.y1 = cases[i].x1;
            }
            const double db = compare(&file, o, &r, 32);
            ck_assert_msg(db > LEAST_DB && !isinf(db), "%zu, %u: %g dB", i,
                          (unsigned) orientation, db);
        }
    pcr_buffer_free(&file);
}
END_TEST

/* Turned first or last: the same but for rounding, also where the last pixel of the smaller
 * picture reaches beyond the picture. */
START_TEST(turned)
{
    enum { SIDE = 24 };
    const struct pcr_resize_options r = { .size = sizeof(r) };
    struct pcr_decode_options o = { .size = sizeof(o), .color = PCR_COLOR_GRAY };
    struct pcr_buffer file = { 0 };
    ck_assert_int_eq(
        pcr_gen_photo(9, 400 + (uint32_t) _i, 408 - (uint32_t) _i, 95, PCR_GEN_GRAY, &file),
        0);
    o.orientation = 1;
    resize(&file, &o, &r, SIDE, wanted);
    for (o.orientation = 2; o.orientation <= 8; o.orientation++) {
        const bool swap = o.orientation >= 5;
        const bool across = o.orientation == 2 || o.orientation == 3 || o.orientation >= 7;
        const bool down = o.orientation == 3 || o.orientation == 4 || o.orientation == 6 ||
                          o.orientation == 7;
        resize(&file, &o, &r, SIDE, got);
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                int from_x = swap ? y : x, from_y = swap ? x : y;
                from_x = across ? SIDE - 1 - from_x : from_x;
                from_y = down ? SIDE - 1 - from_y : from_y;
                ck_assert_int_le(abs(got[y * SIDE + x] - wanted[from_y * SIDE + from_x]), 1);
            }
    }
    pcr_buffer_free(&file);
}
END_TEST

/* What an encoder fills its last blocks with is not seen: here white, or red, after a gray
 * picture of width and height alike. */
START_TEST(hidden)
{
    enum { FILE_SIDE = 400 };
    const uint32_t side = FILE_SIDE - 8 + (uint32_t) _i % 8, channels = _i < 8 ? 1 : 3;
    const struct pcr_decode_options o = { .size = sizeof(o) };
    const struct pcr_resize_options r = { .size = sizeof(r) };
    static uint8_t pixels[FILE_SIDE * FILE_SIDE * 3];
    struct pcr_buffer file = { 0 }, none = { 0 };
    for (uint32_t y = 0; y < FILE_SIDE; y++)
        for (uint32_t x = 0; x < FILE_SIDE; x++)
            for (uint32_t c = 0; c < channels; c++)
                pixels[(y * FILE_SIDE + x) * channels + c] = x < side && y < side ? 100
                                                             : c                  ? 0
                                                                                  : 255;
    ck_assert_int_eq(
        pcri_jpeg_encode(pixels, FILE_SIDE, FILE_SIDE, channels, 100, &none, &file, &e), 0);
    uint8_t *sof = file.data + 2;
    while (sof[1] != 0xC0)
        sof += 2 + (sof[2] << 8 | sof[3]);
    sof[6] = sof[8] = side & 255; /* the low bytes of height and width */
    compare(&file, o, &r, 20);
    for (size_t i = 0; i < 20 * 20 * 3; i++)
        ck_assert_int_eq(got[i], 100);
    pcr_buffer_free(&file);
}
END_TEST

/* A PNG is decoded whole. */
START_TEST(png)
{
    const struct pcr_decode_options o = { .size = sizeof(o) };
    const struct pcr_resize_options r = { .size = sizeof(r) };
    struct pcr_buffer file = { 0 };
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find("png-rgb"), &file, &e), 0);
    ck_assert(isinf(compare(&file, o, &r, 2)));
    pcr_buffer_free(&file);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("scaled_decoding");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, sizes, 0, PCR_GEN_SUBSAMPLINGS);
    tcase_add_test(t, windows);
    tcase_add_loop_test(t, turned, 1, 8);
    tcase_add_loop_test(t, hidden, 1, 16);
    tcase_add_test(t, png);
    return tests_run();
}
