/* SPDX-License-Identifier: BSD-2-Clause */
/* png: every colour type and depth, interlacing, eXIf, and damaged files. */
#include <check.h>
#include <stdlib.h>

#include <png.h>

#include "decoder.h"
#include "image/image.h"
#include "suite.h"

enum { WIDTH = 21, HEIGHT = 13 };

static void on_write(png_structp png, png_bytep data, size_t nbytes)
{
    ck_assert_int_eq(pcri_buffer_append(png_get_io_ptr(png), data, nbytes, NULL), 0);
}

static void on_flush(png_structp png)
{
    (void) png;
}

/* The sample of bits `depth` at (x, y) in channel c. */
static unsigned sample(unsigned x, unsigned y, unsigned c, int depth)
{
    unsigned v = (x * 2909 + y * 7919 + c * 20011) * 2654435761u >> 8;
    return v & ((1u << depth) - 1);
}

static void palette_entry(unsigned index, uint8_t rgb[3])
{
    for (unsigned c = 0; c < 3; c++)
        rgb[c] = (uint8_t) (index * 37 + c * 91);
}

static int channels_of(int type)
{
    static const int channels[] = { 1, 0, 3, 1, 2, 0, 4 };
    return channels[type];
}

static void fill_row(uint8_t *row, unsigned y, int type, int depth)
{
    unsigned channels = (unsigned) channels_of(type);
    for (unsigned i = 0; i < WIDTH * channels; i++) {
        unsigned v = sample(i / channels, y, i % channels, depth);
        if (depth == 16) {
            row[2 * i] = (uint8_t) (v >> 8);
            row[2 * i + 1] = (uint8_t) v;
        } else if (depth == 8) {
            row[i] = (uint8_t) v;
        } else {
            unsigned bit = i * (unsigned) depth;
            row[bit / 8] |= (uint8_t) (v << (8 - (unsigned) depth - bit % 8));
        }
    }
}

static struct pcr_buffer make_png(int type, int depth, int interlace, int orientation)
{
    struct pcr_buffer out = { 0 };
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    ck_assert_ptr_nonnull(info);
    png_set_write_fn(png, &out, on_write, on_flush);
    png_set_IHDR(png, info, WIDTH, HEIGHT, depth, type, interlace, 0, 0);
    if (type == PNG_COLOR_TYPE_PALETTE) {
        png_color palette[256];
        png_byte alpha[1] = { 7 };
        for (unsigned i = 0; i < 256; i++) {
            uint8_t rgb[3];
            palette_entry(i, rgb);
            palette[i] = (png_color) { rgb[0], rgb[1], rgb[2] };
        }
        png_set_PLTE(png, info, palette, 1 << depth);
        png_set_tRNS(png, info, alpha, 1, NULL);
    }
    if (orientation) {
        uint8_t exif[] = { 'I',
                           'I',
                           '*',
                           0,
                           8,
                           0,
                           0,
                           0,
                           1,
                           0,
                           0x12,
                           1,
                           3,
                           0,
                           1,
                           0,
                           0,
                           0,
                           (uint8_t) orientation,
                           0,
                           0,
                           0,
                           0,
                           0,
                           0,
                           0 };
        png_set_eXIf_1(png, info, sizeof(exif), exif);
    }
    png_set_gAMA(png, info, 0.7); /* must not touch the pixels */
    png_write_info(png, info);
    int passes = png_set_interlace_handling(png);
    for (int p = 0; p < passes; p++)
        for (unsigned y = 0; y < HEIGHT; y++) {
            uint8_t row[WIDTH * 8] = { 0 };
            fill_row(row, y, type, depth);
            png_write_row(png, row);
        }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return out;
}

/* The pixel as 8-bit RGB. */
static void expected(unsigned x, unsigned y, int type, int depth, uint8_t rgb[3])
{
    if (type == PNG_COLOR_TYPE_PALETTE) {
        palette_entry(sample(x, y, 0, depth), rgb);
        return;
    }
    for (unsigned c = 0; c < 3; c++) {
        unsigned v = sample(x, y, type & PNG_COLOR_MASK_COLOR ? c : 0, depth);
        rgb[c] = (uint8_t) (depth == 16 ? v >> 8 : v * 255 / ((1u << depth) - 1));
    }
}

static int decode(const void *data, size_t nbytes, uint32_t color, struct pcr_buffer *pixels,
                  struct pcr_image_info *info, struct pcr_error *err)
{
    struct pcr_decode_options o = { .size = sizeof(o), .color = color };
    return pcr_decoder_decode_alloc(decoder, data, nbytes, &o, pixels, info, err);
}

static void check_pixels(int type, int depth, int interlace)
{
    struct pcr_buffer png = make_png(type, depth, interlace, 0), rgb = { 0 }, gray = { 0 };
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_error err;
    ck_assert_msg(!decode(png.data, png.nbytes, PCR_COLOR_RGB, &rgb, &info, &err), "%s",
                  err.message);
    ck_assert_msg(!decode(png.data, png.nbytes, PCR_COLOR_GRAY, &gray, &info, &err), "%s",
                  err.message);
    ck_assert_uint_eq(info.width, WIDTH);
    ck_assert_uint_eq(info.height, HEIGHT);
    ck_assert_uint_eq(rgb.nbytes, WIDTH * HEIGHT * 3);
    ck_assert_uint_eq(gray.nbytes, WIDTH * HEIGHT);
    for (unsigned y = 0; y < HEIGHT; y++)
        for (unsigned x = 0; x < WIDTH; x++) {
            uint8_t want[3];
            expected(x, y, type, depth, want);
            ck_assert_mem_eq(rgb.data + (y * WIDTH + x) * 3, want, 3);
            ck_assert_uint_eq(gray.data[y * WIDTH + x], pcri_luma(want[0], want[1], want[2]));
        }
    pcr_buffer_free(&png);
    pcr_buffer_free(&rgb);
    pcr_buffer_free(&gray);
}

static const struct kind {
    int type, depth;
} kinds[] = {
    { PNG_COLOR_TYPE_GRAY, 1 },        { PNG_COLOR_TYPE_GRAY, 2 },
    { PNG_COLOR_TYPE_GRAY, 4 },        { PNG_COLOR_TYPE_GRAY, 8 },
    { PNG_COLOR_TYPE_GRAY, 16 },       { PNG_COLOR_TYPE_GRAY_ALPHA, 8 },
    { PNG_COLOR_TYPE_GRAY_ALPHA, 16 }, { PNG_COLOR_TYPE_RGB, 8 },
    { PNG_COLOR_TYPE_RGB, 16 },        { PNG_COLOR_TYPE_RGB_ALPHA, 8 },
    { PNG_COLOR_TYPE_RGB_ALPHA, 16 },  { PNG_COLOR_TYPE_PALETTE, 1 },
    { PNG_COLOR_TYPE_PALETTE, 2 },     { PNG_COLOR_TYPE_PALETTE, 4 },
    { PNG_COLOR_TYPE_PALETTE, 8 },
};

START_TEST(every_kind)
{
    check_pixels(kinds[_i].type, kinds[_i].depth, PNG_INTERLACE_NONE);
    check_pixels(kinds[_i].type, kinds[_i].depth, PNG_INTERLACE_ADAM7);
}
END_TEST

/* A window takes no memory for the rest, unless the file is interlaced. */
START_TEST(windows_are_limited_by_what_they_need)
{
    struct pcr_buffer png = make_png(PNG_COLOR_TYPE_RGB, 8, _i, 0), pixels = { 0 };
    struct pcr_limits limits = { .size = sizeof(limits) };
    struct pcr_decode_options o = { .size = sizeof(o),
                                    .limits = &limits,
                                    .crop_x = 2,
                                    .crop_y = 1,
                                    .crop_width = 3,
                                    .crop_height = 2 };
    uint64_t least = _i ? (3 * WIDTH * HEIGHT + 7) / 8 : 6;
    limits.max_pixels = least - 1;
    ck_assert_int_eq(
        pcr_decoder_decode_alloc(decoder, png.data, png.nbytes, &o, &pixels, NULL, NULL),
        PCR_ERR_LIMIT);
    limits.max_pixels = least;
    ck_assert_int_eq(
        pcr_decoder_decode_alloc(decoder, png.data, png.nbytes, &o, &pixels, NULL, NULL), 0);
    ck_assert_uint_eq(pixels.nbytes, 18);
    for (unsigned y = 0; y < 2; y++)
        for (unsigned x = 0; x < 3; x++) {
            uint8_t want[3];
            expected(x + 2, y + 1, PNG_COLOR_TYPE_RGB, 8, want);
            ck_assert_mem_eq(pixels.data + (y * 3 + x) * 3, want, 3);
        }
    pcr_buffer_free(&png);
    pcr_buffer_free(&pixels);
}
END_TEST

/* Resized row by row, the result is that of the whole picture. */
static void check_resized(const struct pcr_buffer *png, const struct pcr_decode_options *o,
                          const struct pcr_resize_options *r, uint32_t width, uint32_t height)
{
    struct pcr_buffer pixels = { 0 };
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_span file = { png->data, png->nbytes };
    const struct pcr_spans spans = { .items = &file, .count = 1 };
    uint8_t want[40 * 30 * 3], got[sizeof(want)];
    ck_assert_int_eq(
        pcr_decoder_decode_alloc(decoder, png->data, png->nbytes, o, &pixels, &info, NULL), 0);
    ck_assert_int_eq(pcr_resize(decoder, pixels.data, info.width, info.height, info.channels,
                                r, want, width, height, NULL),
                     0);
    ck_assert_int_eq(
        pcr_decoder_decode_resized(decoder, &spans, o, r, got, width, height, NULL), 0);
    ck_assert_mem_eq(got, want, (size_t) width * height * info.channels);
    pcr_buffer_free(&pixels);
}

START_TEST(resized_by_rows)
{
    static const struct {
        uint32_t width, height;
    } sizes[] = { { 5, 4 }, { 40, 30 }, { 1, 1 } };
    static const struct {
        double x0, y0, x1, y1;
    } windows[] = {
        { 0, 0, 0, 0 },
        { 2.5, 1.25, 17, 12 },
        { 3, 12, 4, 13 },
    };
    struct pcr_buffer png = make_png(kinds[_i].type, kinds[_i].depth, PNG_INTERLACE_NONE, 0);
    for (uint32_t k = 0; k < 3 * 3 * 3 * 8; k++) {
        const uint32_t s = k % 3, w = k / 3 % 3;
        const struct pcr_decode_options o = {
            .size = sizeof(o),
            .color = k / 27 & 1 ? PCR_COLOR_GRAY : PCR_COLOR_RGB,
            .flags = k / 27 & 2 ? PCR_DECODE_BACKGROUND : 0,
            .background = { 9, 99, 199 },
        };
        const struct pcr_resize_options r = {
            .size = sizeof(r),
            .x0 = windows[w].x0,
            .y0 = windows[w].y0,
            .x1 = windows[w].x1,
            .y1 = windows[w].y1,
            .filter = PCR_FILTER_BILINEAR + k / 9 % 3,
            .flags = k / 27 & 4 ? PCR_RESIZE_PLANAR | PCR_RESIZE_FLIP : 0,
        };
        check_resized(&png, &o, &r, sizes[s].width, sizes[s].height);
    }
    pcr_buffer_free(&png);
}
END_TEST

/* Few rows of a high picture are held: that it has 2^14 of them takes no memory. */
START_TEST(resized_within_bounds)
{
    enum { WIDE = 1000, HIGH = 1 << 14 };
    struct pcr_buffer out = { 0 };
    uint8_t row[WIDE / 8] = { 0 }, result[8 * 16 * 3];
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &out, on_write, on_flush);
    png_set_IHDR(png, info, WIDE, HIGH, 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, 0, 0);
    png_write_info(png, info);
    for (int y = 0; y < HIGH; y++)
        png_write_row(png, row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    struct pcr_span file = { out.data, out.nbytes };
    const struct pcr_spans spans = { .items = &file, .count = 1 };
    const struct pcr_resize_options r = { .size = sizeof(r), .filter = (uint32_t) _i };
    ck_assert_int_eq(
        pcr_decoder_decode_resized(decoder, &spans, NULL, &r, result, 8, 16, NULL), 0);
    size_t held = decoder->views->resizer.held.capacity +
                  decoder->views->resizer.between.capacity;
    ck_assert_uint_lt(held, (size_t) WIDE * HIGH * 3 / 4); /* a quarter */
    pcr_buffer_free(&out);
}
END_TEST

START_TEST(exif_orientation)
{
    struct pcr_buffer png = make_png(PNG_COLOR_TYPE_RGB, 8, 0, 6), rgb = { 0 };
    struct pcr_image_info info = { .size = sizeof(info) };
    ck_assert_int_eq(decode(png.data, png.nbytes, PCR_COLOR_RGB, &rgb, &info, NULL), 0);
    ck_assert_uint_eq(info.orientation, 6);
    ck_assert_uint_eq(info.width, HEIGHT);
    ck_assert_uint_eq(info.height, WIDTH);
    for (unsigned y = 0; y < WIDTH; y++)
        for (unsigned x = 0; x < HEIGHT; x++) {
            uint8_t want[3];
            expected(y, HEIGHT - 1 - x, PNG_COLOR_TYPE_RGB, 8, want);
            ck_assert_mem_eq(rgb.data + (y * HEIGHT + x) * 3, want, 3);
        }
    pcr_buffer_free(&png);
    pcr_buffer_free(&rgb);
}
END_TEST

/* The chunk that byte `at` belongs to: its offset, and its size with length, type and CRC. */
static size_t chunk_at(const struct pcr_buffer *png, size_t at, size_t *nbytes)
{
    size_t begin = 8;
    for (;; begin += *nbytes) {
        const uint8_t *p = png->data + begin;
        *nbytes = 12 + ((size_t) p[0] << 24 | (size_t) p[1] << 16 | (size_t) p[2] << 8 | p[3]);
        if (at < begin + *nbytes)
            return begin;
    }
}

/* Of the image data: the first byte after the last IDAT chunk. */
static size_t end_of_data(const struct pcr_buffer *png)
{
    size_t end = 0, nbytes;
    for (size_t at = 8; at < png->nbytes; at += nbytes) {
        chunk_at(png, at, &nbytes);
        if (!memcmp(png->data + at + 4, "IDAT", 4))
            end = at + nbytes;
    }
    return end;
}

/* After the image data nothing is missed. */
START_TEST(truncated)
{
    struct pcr_buffer png = make_png(_i ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, 8, _i,
                                     3);
    struct pcr_buffer pixels = { 0 };
    size_t data_end = end_of_data(&png);
    for (size_t n = 0; n < png.nbytes; n++) {
        uint8_t *copy = malloc(n + !n);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, png.data, n);
        int rc = decode(copy, n, PCR_COLOR_RGB, &pixels, NULL, NULL);
        ck_assert_msg(rc == (n < data_end ? PCR_ERR_TRUNCATED : 0), "%zu bytes: %d", n, rc);
        free(copy);
    }
    pcr_buffer_free(&png);
    pcr_buffer_free(&pixels);
}
END_TEST

/* Each byte after the magic is under a CRC, so that every change is found: one of an ancillary
 * chunk (eXIf) makes it pass for nothing, and one after the image data does no harm. */
START_TEST(every_changed_byte)
{
    struct pcr_buffer png = make_png(PNG_COLOR_TYPE_GRAY, 8, _i, 3), pixels = { 0 };
    size_t end = end_of_data(&png);
    int passed = 0;
    for (size_t i = 0; i < png.nbytes; i++) {
        struct pcr_error err;
        struct pcr_image_info info = { .size = sizeof(info) };
        size_t n, chunk = i < 8 ? 0 : chunk_at(&png, i, &n);
        bool ancillary = chunk && png.data[chunk + 4] & 32;
        bool exif = chunk && !memcmp(png.data + chunk + 4, "eXIf", 4);
        png.data[i] ^= 0x10;
        int rc = decode(png.data, png.nbytes, PCR_COLOR_GRAY, &pixels, &info, &err);
        passed += exif && !rc;
        if (chunk < end)
            ck_assert_msg(ancillary || rc < 0, "byte %zu of %zu", i, png.nbytes);
        else
            ck_assert_msg(!rc, "byte %zu of %zu", i, png.nbytes);
        ck_assert(rc ? err.code == rc
                     : info.orientation == 3 || (exif && info.orientation == 1));
        png.data[i] ^= 0x10;
    }
    ck_assert_int_gt(passed, 20);
    ck_assert_int_eq(decode(png.data, png.nbytes, PCR_COLOR_GRAY, &pixels, NULL, NULL), 0);
    pcr_buffer_free(&png);
    pcr_buffer_free(&pixels);
}
END_TEST

/* A header with these dimensions and a right CRC, then the rest of an intact file. */
static struct pcr_buffer claim(uint32_t width, uint32_t height)
{
    struct pcr_buffer png = make_png(PNG_COLOR_TYPE_GRAY, 1, 0, 0);
    uint8_t *p = png.data + 12; /* "IHDR", then width and height */
    for (unsigned i = 0; i < 4; i++) {
        p[4 + i] = (uint8_t) (width >> (24 - 8 * i));
        p[8 + i] = (uint8_t) (height >> (24 - 8 * i));
    }
    uint32_t crc = 0xFFFFFFFF;
    for (unsigned i = 0; i < 17; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    for (unsigned i = 0; i < 4; i++)
        p[17 + i] = (uint8_t) (~crc >> (24 - 8 * i));
    return png;
}

START_TEST(claimed_dimensions)
{
    /* libpng refuses a row that a small size_t might not hold. */
    const int wide = SIZE_MAX > UINT32_MAX ? PCR_ERR_TRUNCATED : PCR_ERR_CORRUPT;
    const struct {
        uint32_t width, height;
        int code;
    } cases[] = {
        { WIDTH, HEIGHT, 0 },
        { 16000, 16000, PCR_ERR_TRUNCATED },
        { 1 << 16, 1 << 16, PCR_ERR_TRUNCATED },
        { 0x7FFFFFFF, 0x7FFFFFFF, wide },
        { 0x7FFFFFFF, 1, wide },
        { 0x80000000, 1, PCR_ERR_CORRUPT },
        { 0, 5, PCR_ERR_CORRUPT },
        { WIDTH, HEIGHT + 1, PCR_ERR_CORRUPT },
        { WIDTH, HEIGHT - 1, 0 }, /* data of a row too many */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pcr_buffer png = claim(cases[i].width, cases[i].height), pixels = { 0 };
        struct pcr_error err = { 0 };
        int rc = decode(png.data, png.nbytes, PCR_COLOR_RGB, &pixels, NULL, &err);
        ck_assert_msg(rc == cases[i].code, "case %zu: %d: %s", i, rc, err.message);
        pcr_buffer_free(&png);
        pcr_buffer_free(&pixels);
    }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("png");
    tcase_add_checked_fixture(t, make_decoder, drop_decoder);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_kind, 0, sizeof(kinds) / sizeof(kinds[0]));
    tcase_add_loop_test(t, windows_are_limited_by_what_they_need, 0, 2);
    tcase_add_loop_test(t, resized_by_rows, 0, sizeof(kinds) / sizeof(kinds[0]));
    tcase_add_loop_test(t, resized_within_bounds, PCR_FILTER_BILINEAR, PCR_FILTER_NEAREST + 1);
    tcase_add_test(t, exif_orientation);
    tcase_add_loop_test(t, truncated, 0, 2);
    tcase_add_loop_test(t, every_changed_byte, 0, 2);
    tcase_add_test(t, claimed_dimensions);
    return tests_run();
}
