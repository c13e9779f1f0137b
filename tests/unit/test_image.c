/* SPDX-License-Identifier: BSD-2-Clause */
/* image: JPEG decoding held against plain libjpeg, orientation, limits, and damaged files. */
#include <check.h>
#include <stdlib.h>

#include "compose.h"
#include "decoder.h"
#include "image/image.h"
#include "suite.h"

/* --- the control: libjpeg as its manual shows it, smoothing off --- */

static void silent(j_common_ptr cinfo)
{
    (void) cinfo;
}

/* Pixels of `space` from an intact JPEG; *width_out and *height_out as stored. */
static struct pcr_buffer plain_decode(const struct pcr_buffer *jpeg, J_COLOR_SPACE space,
                                      uint32_t *width_out, uint32_t *height_out)
{
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr errors;
    struct pcr_buffer pixels = { 0 };
    c.err = jpeg_std_error(&errors); /* an error ends the test program */
    errors.output_message = silent;
    jpeg_create_decompress(&c);
    jpeg_mem_src(&c, jpeg->data, jpeg->nbytes);
    jpeg_read_header(&c, TRUE);
    c.out_color_space = space;
    c.do_block_smoothing = FALSE;
    jpeg_start_decompress(&c);
    size_t row_nbytes = (size_t) c.output_width * (size_t) c.output_components;
    ck_assert_int_eq(pcri_buffer_reserve(&pixels, row_nbytes * c.output_height, NULL), 0);
    while (c.output_scanline < c.output_height) {
        JSAMPROW row = pixels.data + c.output_scanline * row_nbytes;
        jpeg_read_scanlines(&c, &row, 1);
    }
    pixels.nbytes = row_nbytes * c.output_height;
    *width_out = c.output_width;
    *height_out = c.output_height;
    jpeg_finish_decompress(&c);
    ck_assert_int_eq(errors.num_warnings, 0);
    jpeg_destroy_decompress(&c);
    return pixels;
}

static struct pcr_buffer compose(const struct compose *spec)
{
    struct pcr_buffer out = { 0 };
    struct pcr_error err;
    ck_assert_msg(!gen_compose(spec, &out, &err), "%s", err.message);
    return out;
}

static int decode(const struct pcr_buffer *b, uint32_t color, struct pcr_buffer *pixels,
                  struct pcr_image_info *info, struct pcr_error *err)
{
    struct pcr_decode_options o = { .size = sizeof(o),
                                    .color = color,
                                    .flags = PCR_DECODE_IDENTICAL };
    return pcr_decoder_decode_alloc(decoder, b->data, b->nbytes, &o, pixels, info, err);
}

static void expect_equal(const struct pcr_buffer *jpeg, uint32_t color)
{
    struct pcr_buffer got = { 0 };
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_error err;
    uint32_t width, height;
    struct pcr_buffer want = plain_decode(
        jpeg, color == PCR_COLOR_GRAY ? JCS_GRAYSCALE : JCS_RGB, &width, &height);
    ck_assert_msg(!decode(jpeg, color, &got, &info, &err), "%s", err.message);
    ck_assert_uint_eq(info.width, width);
    ck_assert_uint_eq(info.height, height);
    ck_assert_uint_eq(info.channels, color == PCR_COLOR_GRAY ? 1 : 3);
    ck_assert_uint_eq(got.nbytes, want.nbytes);
    ck_assert_mem_eq(got.data, want.data, want.nbytes);
    pcr_buffer_free(&got);
    pcr_buffer_free(&want);
}

static const struct compose kinds[] = {
    { .width = 61, .height = 47 },
    { .width = 1, .height = 1 },
    { .width = 7, .height = 90, .sampling = { 0x21, 0x11, 0x11 } },
    { .width = 64, .height = 64, .sampling = { 0x11, 0x11, 0x11 }, .quality = 100 },
    { .width = 50, .height = 33, .sampling = { 0x41, 0x11, 0x11 }, .restart_mcus = 3 },
    { .width = 50, .height = 33, .sampling = { 0x12, 0x11, 0x11 } },
    { .width = 90, .height = 70, .flags = COMPOSE_PROGRESSIVE },
    { .width = 45, .height = 70, .space = JCS_GRAYSCALE },
    { .width = 45, .height = 70, .space = JCS_GRAYSCALE, .flags = COMPOSE_PROGRESSIVE },
    { .width = 45, .height = 31, .space = JCS_RGB },
    { .width = 45, .height = 31, .space = JCS_RGB, .flags = COMPOSE_PROGRESSIVE },
    { .width = 40,
      .height = 40,
      .picture = PICTURE_NOISE,
      .flags = COMPOSE_WIDE_QUANT,
      .quality = 1 },
};

START_TEST(jpeg_equals_libjpeg)
{
    struct pcr_buffer jpeg = compose(&kinds[_i]);
    expect_equal(&jpeg, PCR_COLOR_RGB);
    expect_equal(&jpeg, PCR_COLOR_GRAY);
    pcr_buffer_free(&jpeg);
}
END_TEST

/* CMYK and YCCK by the formula, also without Adobe's marker: stored values are 255 less ink. */
START_TEST(cmyk_and_ycck)
{
    static const struct compose specs[] = {
        { .width = 33, .height = 20, .space = JCS_CMYK },
        { .width = 33, .height = 20, .space = JCS_CMYK, .flags = COMPOSE_NO_ADOBE },
        { .width = 33, .height = 20, .space = JCS_YCCK, .flags = COMPOSE_PROGRESSIVE },
    };
    struct pcr_buffer jpeg = compose(&specs[_i]), rgb = { 0 }, gray = { 0 };
    struct pcr_image_info info = { .size = sizeof(info) };
    uint32_t width, height;
    struct pcr_buffer cmyk = plain_decode(&jpeg, JCS_CMYK, &width, &height);
    ck_assert_int_eq(decode(&jpeg, PCR_COLOR_RGB, &rgb, &info, NULL), 0);
    ck_assert_int_eq(decode(&jpeg, PCR_COLOR_GRAY, &gray, &info, NULL), 0);
    for (size_t i = 0; i < (size_t) width * height; i++) {
        const uint8_t *p = cmyk.data + 4 * i, *q = rgb.data + 3 * i;
        for (int c = 0; c < 3; c++)
            ck_assert_int_eq(q[c], (int) (p[c] * (double) p[3] / 255 + 0.5));
        double luma = 0.299 * q[0] + 0.587 * q[1] + 0.114 * q[2];
        ck_assert_double_eq_tol(gray.data[i], luma, 0.51);
    }
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&cmyk);
    pcr_buffer_free(&rgb);
    pcr_buffer_free(&gray);
}
END_TEST

/* Position just after the entropy data of scan number `count` of a progressive file. */
static size_t scan_end(const struct pcr_buffer *jpeg, int count)
{
    const uint8_t *p = jpeg->data;
    size_t at = 2;
    int scans = 0;
    while (at + 4 <= jpeg->nbytes) {
        if (p[at] != 0xFF || p[at + 1] == 0 || (p[at + 1] >= 0xD0 && p[at + 1] <= 0xD7)) {
            at++;
            continue;
        }
        if (scans == count)
            return at;
        scans += p[at + 1] == 0xDA;
        at += 2 + ((size_t) p[at + 2] << 8 | p[at + 3]);
    }
    ck_abort_msg("no scan %d", count);
    return 0;
}

/* Fewer scans than there could be are a lower fidelity, no damage. */
START_TEST(progressive_prefixes)
{
    struct pcr_buffer jpeg = compose(&kinds[6]), cut = { 0 };
    static const uint8_t eoi[2] = { 0xFF, 0xD9 };
    for (int scans = 1; scans < 10; scans++) {
        cut.nbytes = 0;
        ck_assert_int_eq(pcri_buffer_append(&cut, jpeg.data, scan_end(&jpeg, scans), NULL), 0);
        ck_assert_int_eq(pcri_buffer_append(&cut, eoi, 2, NULL), 0);
        expect_equal(&cut, PCR_COLOR_RGB);
        expect_equal(&cut, PCR_COLOR_GRAY);
    }
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&cut);
}
END_TEST

/* A sequential file without the scan of a component would decode to gray. */
START_TEST(missing_component)
{
    static const jpeg_scan_info scans[] = { { 1, { 0 }, 0, 63, 0, 0 },
                                            { 1, { 1 }, 0, 63, 0, 0 },
                                            { 1, { 2 }, 0, 63, 0, 0 } };
    const struct compose spec = { .width = 40, .height = 40, .scans = scans, .scan_count = 3 };
    struct pcr_buffer jpeg = compose(&spec), pixels = { 0 };
    struct pcr_image_info info = { .size = sizeof(info) };
    expect_equal(&jpeg, PCR_COLOR_RGB);
    size_t end = scan_end(&jpeg, 2);
    memcpy(jpeg.data + end, "\xFF\xD9", 2);
    jpeg.nbytes = end + 2;
    ck_assert_int_eq(decode(&jpeg, PCR_COLOR_RGB, &pixels, &info, NULL), PCR_ERR_TRUNCATED);
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&pixels);
}
END_TEST

/* --- orientation --- */

static struct pcr_buffer oriented_jpeg(uint32_t orientation)
{
    uint8_t exif[] = { 'E', 'x',  'i', 'f', 0,
                       0,   'I',  'I', '*', 0,
                       8,   0,    0,   0,   1,
                       0,   0x12, 1,   3,   0,
                       1,   0,    0,   0,   (uint8_t) orientation,
                       0,   0,    0 };
    const struct segment segment = { JPEG_APP0 + 1, exif, sizeof(exif) };
    const struct compose spec = {
        .width = 150, .height = 75, .segments = &segment, .segment_count = 1
    };
    return compose(&spec);
}

/* Where pixel (x, y) of the upright picture lies in the stored one, by the words of the
 * Exif standard: which edges of the stored picture are the upright one's top and left. */
static void stored_place(uint32_t orientation, uint32_t w, uint32_t h, uint32_t x, uint32_t y,
                         uint32_t *sx, uint32_t *sy)
{
    bool swap = orientation >= 5;
    uint32_t a = swap ? y : x, b = swap ? x : y; /* along the stored row, column */
    bool from_right = orientation == 2 || orientation == 3 || orientation == 7 ||
                      orientation == 8;
    bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 ||
                       orientation == 7;
    *sx = from_right ? w - 1 - a : a;
    *sy = from_bottom ? h - 1 - b : b;
}

static void check_oriented(const struct pcr_buffer *stored, uint32_t w, uint32_t h,
                           uint32_t channels, uint32_t orientation, const uint8_t *got,
                           size_t stride)
{
    bool swap = orientation >= 5;
    for (uint32_t y = 0; y < (swap ? w : h); y++)
        for (uint32_t x = 0; x < (swap ? h : w); x++) {
            uint32_t sx, sy;
            stored_place(orientation, w, h, x, y, &sx, &sy);
            ck_assert_mem_eq(got + y * stride + (size_t) x * channels,
                             stored->data + ((size_t) sy * w + sx) * channels, channels);
        }
}

START_TEST(orientations)
{
    uint32_t orientation = (uint32_t) _i, w, h;
    struct pcr_buffer jpeg = oriented_jpeg(orientation);
    struct pcr_decode_options o = { .size = sizeof(o) };
    struct pcr_image_info info = { .size = sizeof(info) };
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        struct pcr_buffer want = plain_decode(&jpeg, channels == 1 ? JCS_GRAYSCALE : JCS_RGB,
                                              &w, &h);
        o.color = channels == 1 ? PCR_COLOR_GRAY : PCR_COLOR_RGB;
        o.flags = 0;
        ck_assert_int_eq(pcr_decoder_inspect(decoder, jpeg.data, jpeg.nbytes, &o, &info, NULL),
                         0);
        ck_assert_uint_eq(info.orientation, orientation);
        ck_assert_uint_eq(info.width, orientation >= 5 ? h : w);
        ck_assert_uint_eq(info.height, orientation >= 5 ? w : h);
        size_t stride = (size_t) info.width * channels + 5, total = stride * info.height;
        uint8_t *pixels = malloc(total);
        ck_assert_ptr_nonnull(pixels);
        memset(pixels, 0xA5, total);
        ck_assert_int_eq(pcr_decoder_decode(decoder, jpeg.data, jpeg.nbytes, &o, pixels,
                                            stride, total, &info, NULL),
                         0);
        check_oriented(&want, w, h, channels, orientation, pixels, stride);
        for (size_t y = 0; y < info.height; y++) /* what lies between rows is left alone */
            ck_assert_mem_eq(pixels + (y + 1) * stride - 5, "\xA5\xA5\xA5\xA5\xA5", 5);
        ck_assert_int_eq(pcr_decoder_decode(decoder, jpeg.data, jpeg.nbytes, &o, pixels,
                                            stride, total - 1, &info, NULL),
                         PCR_ERR_INVAL);
        o.flags = PCR_DECODE_KEEP_ORIENTATION;
        ck_assert_int_eq(pcr_decoder_decode(decoder, jpeg.data, jpeg.nbytes, &o, pixels,
                                            (size_t) w * channels, total, &info, NULL),
                         0);
        ck_assert_uint_eq(info.width, w);
        ck_assert_uint_eq(info.orientation, orientation);
        ck_assert_mem_eq(pixels, want.data, want.nbytes);
        free(pixels);
        pcr_buffer_free(&want);
    }
    pcr_buffer_free(&jpeg);
}
END_TEST

/* Pictures smaller and larger than what is turned at a time; the byte after the stored one may be
 * read, what is after a row is left alone. */
START_TEST(turned)
{
    static const uint32_t sizes[][2] = { { 1, 1 },   { 2, 1 },    { 1, 2 },    { 8, 9 },
                                         { 530, 9 }, { 17, 530 }, { 261, 263 } };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (uint32_t channels = 1; channels <= 3; channels += 2) {
            const uint32_t w = sizes[i][0], h = sizes[i][1];
            const size_t nbytes = (size_t) w * h * channels;
            struct pcr_buffer stored = { .data = malloc(nbytes + 1), .nbytes = nbytes };
            const size_t stride = (size_t) (_i >= 5 ? h : w) * channels + 2;
            const size_t rows = _i >= 5 ? w : h;
            uint8_t *got = malloc(stride * rows);
            ck_assert(stored.data && got);
            for (size_t at = 0; at <= nbytes; at++)
                stored.data[at] = (uint8_t) (at * 7 + at / 251);
            memset(got, 0xA5, stride * rows);
            pcri_orient(stored.data, w, h, channels, (uint32_t) _i, 1, got, stride);
            check_oriented(&stored, w, h, channels, (uint32_t) _i, got, stride);
            for (size_t y = 1; y <= rows; y++)
                ck_assert_mem_eq(got + y * stride - 2, "\xA5\xA5", 2);
            free(got);
            pcr_buffer_free(&stored);
        }
}
END_TEST

START_TEST(turned_by_threads)
{
    enum { W = 1601, H = 1003, NBYTES = W * H * 3 };
    uint8_t *stored = malloc(NBYTES + 1), *one = malloc(NBYTES), *several = calloc(1, NBYTES);
    ck_assert(stored && one && several);
    for (size_t at = 0; at <= NBYTES; at++)
        stored[at] = (uint8_t) (at * 7 + at / 251);
    const size_t stride = (size_t) (_i >= 5 ? H : W) * 3;
    pcri_orient(stored, W, H, 3, (uint32_t) _i, 0, one, stride);
    for (uint32_t threads = 2; threads <= PCRI_MOST_THREADS; threads += 31) {
        memset(several, 0, NBYTES);
        pcri_orient(stored, W, H, 3, (uint32_t) _i, threads, several, stride);
        ck_assert(!memcmp(one, several, NBYTES));
    }
    free(stored);
    free(one);
    free(several);
}
END_TEST

/* What the caller says of the orientation comes before the image's own word. */
START_TEST(given_orientation)
{
    struct pcr_buffer jpeg = oriented_jpeg(6), pixels = { 0 };
    struct pcr_decode_options o = { .size = sizeof(o), .orientation = 3 };
    struct pcr_image_info info = { .size = sizeof(info) };
    uint32_t w, h;
    struct pcr_buffer want = plain_decode(&jpeg, JCS_RGB, &w, &h);
    ck_assert_int_eq(
        pcr_decoder_decode_alloc(decoder, jpeg.data, jpeg.nbytes, &o, &pixels, &info, NULL),
        0);
    ck_assert_uint_eq(info.orientation, 3);
    check_oriented(&want, w, h, 3, 3, pixels.data, (size_t) w * 3);
    o.orientation = 9;
    ck_assert_int_eq(pcr_decoder_inspect(decoder, jpeg.data, jpeg.nbytes, &o, &info, NULL),
                     PCR_ERR_INVAL);
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&pixels);
    pcr_buffer_free(&want);
}
END_TEST

/* --- limits --- */

static int decode_within(const struct pcr_buffer *b, struct pcr_limits limits)
{
    limits.size = sizeof(limits);
    struct pcr_decode_options o = { .size = sizeof(o), .limits = &limits };
    struct pcr_buffer pixels = { 0 };
    int rc = pcr_decoder_decode_alloc(decoder, b->data, b->nbytes, &o, &pixels, NULL, NULL);
    pcr_buffer_free(&pixels);
    return rc;
}

START_TEST(limits)
{
    struct pcr_buffer jpeg = compose(&kinds[6]); /* 90 x 70, 10 scans */
    ck_assert_int_eq(decode_within(&jpeg, (struct pcr_limits) { .max_pixels = 6300 }), 0);
    ck_assert_int_eq(decode_within(&jpeg, (struct pcr_limits) { .max_pixels = 6299 }),
                     PCR_ERR_LIMIT);
    ck_assert_int_eq(decode_within(&jpeg, (struct pcr_limits) { .max_scans = 10 }), 0);
    ck_assert_int_eq(decode_within(&jpeg, (struct pcr_limits) { .max_scans = 9 }),
                     PCR_ERR_LIMIT);
    /* Too many scans are seen in the markers, whoever decodes. */
    for (uint32_t with = PCR_DECODER_AUTO; with <= PCR_DECODER_TURBO; with++) {
        const struct pcr_limits few = { .size = sizeof(few), .max_scans = 9 };
        struct pcr_decode_options o = { .size = sizeof(o), .limits = &few, .decoder = with };
        struct pcr_error e;
        ck_assert_int_eq(pcr_decoder_inspect(decoder, jpeg.data, jpeg.nbytes, &o, NULL, &e),
                         PCR_ERR_LIMIT);
        ck_assert_uint_lt(e.offset, jpeg.nbytes - 1);
        ck_assert_mem_eq(jpeg.data + e.offset, "\xFF\xDA", 2);
    }
    struct pcr_limits l = { .max_sample_nbytes = jpeg.nbytes };
    ck_assert_int_eq(decode_within(&jpeg, l), 0);
    l.max_sample_nbytes--;
    ck_assert_int_eq(decode_within(&jpeg, l), PCR_ERR_LIMIT);
    pcr_buffer_free(&jpeg);
}
END_TEST

/* Limits are of what is needed: 90 x 70 pixels, 4:2:0, are 12,600 bytes of coefficients for luma
 * and 18,900 for all. Whoever decodes has the same picture within the limit as without. */
START_TEST(limits_go_by_what_is_needed)
{
    static const struct {
        uint32_t color, scale, crop_width, crop_height;
        uint64_t max_pixels; /* the least that will do */
    } rows[] = {
        { PCR_COLOR_RGB, 8, 0, 0, 6300 }, /* 3 bytes each */
        { PCR_COLOR_RGB, 8, 90, 70, 6300 },
        { PCR_COLOR_GRAY, 8, 0, 0, 2100 }, /* 1 byte each */
        { PCR_COLOR_RGB, 1, 0, 0, 2363 },  /* its coefficients, 8 bytes to a pixel */
        { PCR_COLOR_RGB, 8, 10, 10, 540 }, /* those of 16 rows of 90, and twice 8 of 45 */
        { PCR_COLOR_GRAY, 8, 10, 10, 360 },
    };
    struct pcr_buffer jpeg = compose(&kinds[6]), within = { 0 }, without = { 0 };
    struct pcr_image_info info = { .size = sizeof(info) };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcr_limits most = { .size = sizeof(most) };
        struct pcr_decode_options o = {
            .size = sizeof(o), .limits = &most, .color = rows[i].color, .scale = rows[i].scale
        };
        o.crop_width = rows[i].crop_width;
        o.crop_height = rows[i].crop_height;
        ck_assert_int_eq(pcr_decoder_decode_alloc(decoder, jpeg.data, jpeg.nbytes, &o,
                                                  &without, NULL, NULL),
                         0);
        most.max_pixels = rows[i].max_pixels - 1;
        ck_assert_msg(pcr_decoder_decode_alloc(decoder, jpeg.data, jpeg.nbytes, &o, &within,
                                               NULL, NULL) == PCR_ERR_LIMIT,
                      "row %zu", i);
        ck_assert_int_eq(pcr_decoder_inspect(decoder, jpeg.data, jpeg.nbytes, &o, &info, NULL),
                         0);
        most.max_pixels++;
        ck_assert_msg(!pcr_decoder_decode_alloc(decoder, jpeg.data, jpeg.nbytes, &o, &within,
                                                NULL, NULL),
                      "row %zu", i);
        ck_assert_uint_eq(within.nbytes, without.nbytes);
        ck_assert_mem_eq(within.data, without.data, within.nbytes);
        o.decoder = PCR_DECODER_TURBO; /* which keeps all coefficients */
        most.max_pixels = rows[i].max_pixels < 2363 ? 2362 : rows[i].max_pixels - 1;
        ck_assert_int_eq(
            pcr_decoder_decode_alloc(decoder, jpeg.data, jpeg.nbytes, &o, &within, NULL, NULL),
            PCR_ERR_LIMIT);
        most.max_pixels++;
        ck_assert_int_eq(
            pcr_decoder_decode_alloc(decoder, jpeg.data, jpeg.nbytes, &o, &within, NULL, NULL),
            0);
    }
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&within);
    pcr_buffer_free(&without);
}
END_TEST

/* Dimensions that the bytes cannot fill are found before memory is taken for them. */
START_TEST(claimed_dimensions)
{
    for (size_t k = 0; k < 7; k += 6) { /* baseline, progressive */
        struct pcr_buffer jpeg = compose(&kinds[k]), pixels = { 0 };
        struct pcr_error err;
        size_t at = 2;
        while ((jpeg.data[at + 1] & 0xFC) != 0xC0) /* SOF0 to SOF2 */
            at += 2 + ((size_t) jpeg.data[at + 2] << 8 | jpeg.data[at + 3]);
        memset(jpeg.data + at + 5, 0x3F, 4); /* 16191 x 16191 */
        ck_assert_int_eq(decode(&jpeg, PCR_COLOR_RGB, &pixels, NULL, &err), PCR_ERR_TRUNCATED);
        ck_assert_ptr_null(pixels.data);
        memset(jpeg.data + at + 5, 0xFE, 4); /* 65278 x 65278 */
        ck_assert_int_eq(decode(&jpeg, PCR_COLOR_RGB, &pixels, NULL, &err), PCR_ERR_TRUNCATED);
        ck_assert_ptr_null(pixels.data);
        memset(jpeg.data + at + 5, 0, 2); /* no height: a DNL segment would say it */
        ck_assert_int_eq(decode(&jpeg, PCR_COLOR_RGB, &pixels, NULL, &err),
                         PCR_ERR_UNSUPPORTED);
        pcr_buffer_free(&jpeg);
    }
}
END_TEST

START_TEST(unsupported_jpegs)
{
    struct pcr_error err;
    struct pcr_buffer pixels = { 0 };
    static const struct compose specs[] = {
        { .width = 20, .height = 20, .flags = COMPOSE_ARITHMETIC },
        { .width = 20, .height = 20, .component_count = 2 },
    };
    for (size_t i = 0; i < 2; i++) {
        struct pcr_buffer jpeg = compose(&specs[i]);
        ck_assert_int_eq(decode(&jpeg, PCR_COLOR_RGB, &pixels, NULL, &err),
                         PCR_ERR_UNSUPPORTED);
        pcr_buffer_free(&jpeg);
    }
    struct pcr_buffer jpeg = compose(&kinds[0]);
    size_t at = 2;
    while (jpeg.data[at + 1] != 0xC0)
        at += 2 + ((size_t) jpeg.data[at + 2] << 8 | jpeg.data[at + 3]);
    jpeg.data[at + 4] = 12; /* bits a sample */
    ck_assert_int_eq(decode(&jpeg, PCR_COLOR_RGB, &pixels, NULL, &err), PCR_ERR_UNSUPPORTED);
    jpeg.data[at + 4] = 8;
    static const uint8_t sofs[] = { 0xC3, 0xC5, 0xC9, 0xDE }; /* lossless; hierarchical;
                                                                arithmetic; DHP */
    for (size_t i = 0; i < sizeof(sofs); i++) {
        jpeg.data[at + 1] = sofs[i];
        ck_assert_int_eq(decode(&jpeg, PCR_COLOR_RGB, &pixels, NULL, &err),
                         PCR_ERR_UNSUPPORTED);
    }
    pcr_buffer_free(&jpeg);
}
END_TEST

/* --- damage --- */

/* Every proper prefix is an error, unless but EOI is missing. Each is in a block of just its
 * size. */
START_TEST(truncated_jpeg)
{
    static const struct compose specs[] = {
        { .width = 24, .height = 20 },
        { .width = 24, .height = 20, .flags = COMPOSE_PROGRESSIVE },
        { .width = 24, .height = 20, .restart_mcus = 1 },
        { .width = 24, .height = 20, .space = JCS_CMYK },
    };
    struct pcr_buffer jpeg = compose(&specs[_i]), pixels = { 0 };
    for (size_t n = 0; n < jpeg.nbytes; n++) {
        uint8_t *copy = malloc(n + !n);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, jpeg.data, n);
        struct pcr_buffer cut = { copy, n, n };
        struct pcr_error err;
        int rc = decode(&cut, PCR_COLOR_RGB, &pixels, NULL, &err);
        bool whole = n >= jpeg.nbytes - 2;
        ck_assert_msg(whole ? !rc : rc == PCR_ERR_TRUNCATED || rc == PCR_ERR_CORRUPT,
                      "%zu of %zu bytes: %d", n, jpeg.nbytes, rc);
        ck_assert(whole || err.code == rc);
        free(copy);
    }
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&pixels);
}
END_TEST

/* Bytes changed at random: any result but a crash, a leak or a hang; and the decoder is as
 * good as before. */
START_TEST(mutated_jpeg)
{
    struct pcr_buffer jpeg = compose(&kinds[_i ? 6 : 0]), pixels = { 0 };
    uint8_t *copy = malloc(jpeg.nbytes);
    ck_assert_ptr_nonnull(copy);
    uint32_t random = 1, bad = 0;
    for (int round = 0; round < 1500; round++) {
        memcpy(copy, jpeg.data, jpeg.nbytes);
        for (int k = 0; k < 1 + round % 4; k++) {
            random = random * 1664525 + 1013904223;
            copy[(random >> 8) % jpeg.nbytes] = (uint8_t) (random >> 3);
        }
        struct pcr_buffer b = { copy, jpeg.nbytes, jpeg.nbytes };
        struct pcr_limits l = { .size = sizeof(l), .max_pixels = 1 << 20 };
        struct pcr_decode_options o = { .size = sizeof(o), .limits = &l };
        struct pcr_error err = { 0 };
        int rc = pcr_decoder_decode_alloc(decoder, b.data, b.nbytes, &o, &pixels, NULL, &err);
        ck_assert_int_eq(err.code, rc);
        bad += rc != 0;
    }
    ck_assert_uint_gt(bad, 100);
    expect_equal(&jpeg, PCR_COLOR_RGB);
    free(copy);
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&pixels);
}
END_TEST

/* Tables of one image must not serve the next. */
START_TEST(no_tables_left_over)
{
    struct pcr_buffer jpeg = compose(&kinds[0]), bare = { 0 }, pixels = { 0 };
    size_t at = 2;
    ck_assert_int_eq(pcri_buffer_append(&bare, jpeg.data, 2, NULL), 0);
    while (jpeg.data[at + 1] != 0xDA) {
        size_t n = 2 + ((size_t) jpeg.data[at + 2] << 8 | jpeg.data[at + 3]);
        if (jpeg.data[at + 1] != 0xDB) /* all but the quantisation tables */
            ck_assert_int_eq(pcri_buffer_append(&bare, jpeg.data + at, n, NULL), 0);
        at += n;
    }
    ck_assert_int_eq(pcri_buffer_append(&bare, jpeg.data + at, jpeg.nbytes - at, NULL), 0);
    expect_equal(&jpeg, PCR_COLOR_RGB);
    ck_assert_int_eq(decode(&bare, PCR_COLOR_RGB, &pixels, NULL, NULL), PCR_ERR_CORRUPT);
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&bare);
    pcr_buffer_free(&pixels);
}
END_TEST

START_TEST(not_images)
{
    struct pcr_error err;
    ck_assert_int_eq(pcr_decoder_inspect(decoder, "8BPS\0\1", 6, NULL, NULL, &err),
                     PCR_ERR_FORMAT);
    ck_assert_int_eq(pcr_decoder_inspect(decoder, "", 0, NULL, NULL, &err), PCR_ERR_TRUNCATED);
    ck_assert_int_eq(pcr_decoder_inspect(decoder, "\xFF", 1, NULL, NULL, &err),
                     PCR_ERR_TRUNCATED);
    ck_assert_int_eq(pcr_decoder_inspect(decoder, "\x89PNG", 4, NULL, NULL, &err),
                     PCR_ERR_TRUNCATED);
    ck_assert_int_eq(pcr_decoder_inspect(decoder, "x", 1, NULL, NULL, &err), PCR_ERR_FORMAT);
    ck_assert_int_eq(pcr_decoder_inspect(NULL, "x", 1, NULL, NULL, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_decoder_create(NULL, &err), PCR_ERR_INVAL);
    struct pcr_decode_options o = { .size = sizeof(o), .color = 3 };
    ck_assert_int_eq(pcr_decoder_inspect(decoder, "x", 1, &o, NULL, &err), PCR_ERR_INVAL);
    o = (struct pcr_decode_options) { .size = sizeof(o), .flags = 1 << 5 };
    ck_assert_int_eq(pcr_decoder_inspect(decoder, "x", 1, &o, NULL, &err), PCR_ERR_INVAL);
}
END_TEST

/* All of the generator's cases: what it calls good decodes as libjpeg decodes it, and what
 * it calls bad or unsupported is refused. */
START_TEST(generated_cases)
{
    const struct pcr_gen_case *c;
    for (size_t i = 0; (c = pcr_gen_case(i)); i++) {
        struct pcr_buffer file = { 0 }, pixels = { 0 };
        struct pcr_image_info info = { .size = sizeof(info) };
        struct pcr_error err;
        ck_assert_msg(!pcr_gen_make(c, &file, &err), "%s", err.message);
        int rc = decode(&file, PCR_COLOR_RGB, &pixels, &info, &err);
        bool good = c->kind == PCR_GEN_GOOD_JPEG || c->kind == PCR_GEN_GOOD_PNG;
        /* Some kinds of JPEG are good for scans, but no picture has two components. */
        if (good && rc != PCR_ERR_UNSUPPORTED)
            ck_assert_msg(!rc, "%s: %s", c->name, err.message);
        if (good && !rc)
            ck_assert_uint_eq(info.orientation, c->orientation);
        if (c->kind == PCR_GEN_GOOD_PNG) /* another way through libpng */
            ck_assert_msg(!decode(&file, PCR_COLOR_GRAY, &pixels, &info, &err), "%s: %s",
                          c->name, err.message);
        if (c->kind == PCR_GEN_BAD || c->kind == PCR_GEN_BAD_PNG)
            ck_assert_msg(rc < 0, "%s: decoded", c->name);
        pcr_buffer_free(&file);
        pcr_buffer_free(&pixels);
    }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("image");
    tcase_add_checked_fixture(t, make_decoder, drop_decoder);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, jpeg_equals_libjpeg, 0, sizeof(kinds) / sizeof(kinds[0]));
    tcase_add_loop_test(t, cmyk_and_ycck, 0, 3);
    tcase_add_test(t, progressive_prefixes);
    tcase_add_test(t, missing_component);
    tcase_add_loop_test(t, orientations, 1, 9);
    tcase_add_loop_test(t, turned, 2, 9);
    tcase_add_loop_test(t, turned_by_threads, 2, 9);
    tcase_add_test(t, given_orientation);
    tcase_add_test(t, limits);
    tcase_add_test(t, limits_go_by_what_is_needed);
    tcase_add_test(t, claimed_dimensions);
    tcase_add_test(t, unsupported_jpegs);
    tcase_add_loop_test(t, truncated_jpeg, 0, 4);
    tcase_add_loop_test(t, mutated_jpeg, 0, 2);
    tcase_add_test(t, no_tables_left_over);
    tcase_add_test(t, not_images);
    tcase_add_test(t, generated_cases);
    return tests_run();
}
