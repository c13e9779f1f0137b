/* SPDX-License-Identifier: BSD-2-Clause */
/* Decode options: windows, scales, planes, decoders, and the two ways to take coefficients
 * of which only the upper bits are known. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "compose.h"
#include "decoder.h"
#include "generator.h"
#include "image/codecs/codec.h"
#include "image/pixels/pixels.h"
#include "suite.h"

static void set_up(void)
{
    unsigned seed = (unsigned) time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    make_decoder();
}

static const struct compose kinds[] = {
    { .width = 161, .height = 147 },
    { .width = 161, .height = 147, .flags = COMPOSE_PROGRESSIVE },
    { .width = 97, .height = 60, .sampling = { 0x21, 0x11, 0x11 } },
    { .width = 64, .height = 99, .sampling = { 0x12, 0x11, 0x11 } },
    { .width = 70, .height = 50, .sampling = { 0x11, 0x11, 0x11 } },
    { .width = 90, .height = 53, .sampling = { 0x41, 0x11, 0x11 } },
    { .width = 90, .height = 53, .sampling = { 0x31, 0x11, 0x11 } },
    { .width = 63, .height = 90, .sampling = { 0x13, 0x11, 0x11 } },
    { .width = 75, .height = 66, .sampling = { 0x41, 0x21, 0x11 } },
    { .width = 75, .height = 66, .sampling = { 0x11, 0x22, 0x21 } },
    { .width = 77, .height = 70, .sampling = { 0x22, 0x21, 0x11 } },
    { .width = 3, .height = 5 },
    { .width = 1, .height = 1, .flags = COMPOSE_PROGRESSIVE },
    { .width = 45, .height = 70, .space = JCS_GRAYSCALE },
    { .width = 45, .height = 31, .space = JCS_RGB },
    { .width = 45, .height = 71, .space = JCS_RGB, .sampling = { 0x22, 0x11, 0x11 } },
    { .width = 83, .height = 50, .space = JCS_CMYK },
    { .width = 83, .height = 50, .space = JCS_CMYK, .flags = COMPOSE_NO_ADOBE },
    { .width = 83, .height = 50, .space = JCS_YCCK },
    { .width = 83,
      .height = 50,
      .space = JCS_YCCK,
      .flags = COMPOSE_PROGRESSIVE,
      .sampling = { 0x22, 0x11, 0x11, 0x22 } },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct pcr_buffer compose(const struct compose *spec)
{
    struct pcr_buffer out = { 0 };
    struct pcr_error err = { .message = "" };
    ck_assert_msg(!gen_compose(spec, &out, &err), "%s", err.message);
    return out;
}

static struct pcr_image_info decode(const struct pcr_buffer *file,
                                    const struct pcr_decode_options *o,
                                    struct pcr_buffer *pixels)
{
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_error err = { .message = "" };
    ck_assert_msg(
        !pcr_decoder_decode_alloc(decoder, file->data, file->nbytes, o, pixels, &info, &err),
        "%s", err.message);
    ck_assert_uint_eq(pixels->nbytes, (size_t) info.width * info.height * info.channels);
    return info;
}

/* The place of a channel of pixel (x, y). */
static size_t place(const struct pcr_image_info *info, bool planar, uint32_t x, uint32_t y,
                    uint32_t channel)
{
    size_t pixel = (size_t) y * info->width + x;
    return planar ? channel * (size_t) info->width * info->height + pixel
                  : pixel * info->channels + channel;
}

static size_t count_wrong(const struct pcr_buffer *whole, const struct pcr_image_info *all,
                          const struct pcr_buffer *part, const struct pcr_image_info *info,
                          const struct pcr_decode_options *o)
{
    size_t wrong = 0;
    for (uint32_t y = 0; y < info->height; y++)
        for (uint32_t x = 0; x < info->width; x++)
            for (uint32_t c = 0; c < info->channels; c++)
                wrong += part->data[place(info, o->flags & PCR_DECODE_PLANAR, x, y, c)] !=
                         whole->data[place(all, false, x + o->crop_x, y + o->crop_y, c)];
    return wrong;
}

static void choose_window(const struct pcr_image_info *all, struct pcr_decode_options *o)
{
    o->crop_width = 1 + (uint32_t) rand() % all->width;
    o->crop_height = 1 + (uint32_t) rand() % all->height;
    o->crop_x = (uint32_t) rand() % (all->width - o->crop_width + 1);
    o->crop_y = (uint32_t) rand() % (all->height - o->crop_height + 1);
}

static const char *describe(int kind, const struct pcr_decode_options *o)
{
    static char text[160];
    snprintf(text, sizeof(text),
             "kind %d, flags %u, color %u, with %u, scale %u, orientation "
             "%u, %ux%u at %u,%u",
             kind, o->flags, o->color, o->decoder, o->scale, o->orientation, o->crop_width,
             o->crop_height, o->crop_x, o->crop_y);
    return text;
}

/* A window's pixels are those of the whole picture, in any orientation, scale and layout. */
START_TEST(windows)
{
    struct pcr_buffer jpeg = compose(&kinds[_i]), whole = { 0 }, part = { 0 };
    for (uint32_t round = 0; round < 160; round++) {
        struct pcr_decode_options o = { .size = sizeof(o) };
        o.orientation = 1 + round % 8;
        o.color = rand() % 3 ? PCR_COLOR_RGB : PCR_COLOR_GRAY;
        o.scale = (uint32_t) (rand() % 2 ? 8 : rand() % 9);
        o.decoder = rand() % 4 ? PCR_DECODER_AUTO : PCR_DECODER_TURBO;
        o.flags = rand() % 8 ? 0 : PCR_DECODE_KEEP_ORIENTATION;
        struct pcr_image_info all = decode(&jpeg, &o, &whole), info = all, inspected = all;
        choose_window(&all, &o);
        o.flags |= rand() % 2 ? PCR_DECODE_PLANAR : 0;
        info = decode(&jpeg, &o, &part);
        ck_assert_uint_eq(info.width, o.crop_width);
        ck_assert_uint_eq(info.height, o.crop_height);
        ck_assert_msg(!count_wrong(&whole, &all, &part, &info, &o), "%s", describe(_i, &o));
        ck_assert_int_eq(
            pcr_decoder_inspect(decoder, jpeg.data, jpeg.nbytes, &o, &inspected, NULL), 0);
        ck_assert_mem_eq(&info, &inspected, sizeof(info));
    }
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&whole);
    pcr_buffer_free(&part);
}
END_TEST

/* Our own decoder and libjpeg-turbo give the same at every scale. */
START_TEST(both_decoders)
{
    struct pcr_buffer jpeg = compose(&kinds[_i]), a = { 0 }, b = { 0 };
    for (uint32_t scale = 1; scale <= 8; scale++)
        for (uint32_t color = PCR_COLOR_RGB; color <= PCR_COLOR_GRAY; color++) {
            struct pcr_decode_options o = { .size = sizeof(o),
                                            .color = color,
                                            .scale = scale };
            struct pcr_image_info own = decode(&jpeg, &o, &a), turbo = own;
            o.decoder = PCR_DECODER_TURBO;
            turbo = decode(&jpeg, &o, &b);
            ck_assert_mem_eq(&own, &turbo, sizeof(own));
            ck_assert_uint_eq(own.width, (kinds[_i].width * scale + 7) / 8);
            ck_assert_uint_eq(own.height, (kinds[_i].height * scale + 7) / 8);
            ck_assert_msg(!memcmp(a.data, b.data, a.nbytes), "%s", describe(_i, &o));
        }
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&a);
    pcr_buffer_free(&b);
}
END_TEST

/* None of these is left to libjpeg. */
START_TEST(own_decoder)
{
    struct pcr_buffer jpeg = compose(&kinds[_i]);
    struct pcri_decode_params params = { .color = PCR_COLOR_RGB, .scale = 8 };
    struct pcri_stored_info info;
    struct pcr_span span = { jpeg.data, jpeg.nbytes };
    const struct pcr_spans file = { .items = &span, .count = 1 };
    void *state;
    pcri_limits_fill(&params.limits);
    ck_assert_int_eq(pcri_codec_native.create(&state, NULL), 0);
    ck_assert_int_eq(pcri_codec_native.begin(state, &file, &params, &info, NULL), 0);
    pcri_codec_native.end(state);
    pcri_codec_native.destroy(state);
    pcr_buffer_free(&jpeg);
}
END_TEST

/* Rows may have gaps, which are left alone, in each plane. */
START_TEST(planes_with_gaps)
{
    struct pcr_buffer jpeg = compose(&kinds[_i]), packed = { 0 };
    struct pcr_decode_options o = { .size = sizeof(o), .orientation = 1 + (uint32_t) _i % 8 };
    struct pcr_image_info info = decode(&jpeg, &o, &packed);
    size_t stride = info.width + 3, total = stride * info.height * 3, wrong = 0;
    uint8_t *pixels = malloc(total);
    ck_assert_ptr_nonnull(pixels);
    memset(pixels, 0xA5, total);
    o.flags = PCR_DECODE_PLANAR;
    ck_assert_int_eq(pcr_decoder_decode(decoder, jpeg.data, jpeg.nbytes, &o, pixels, stride,
                                        total - 1, NULL, NULL),
                     PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_decoder_decode(decoder, jpeg.data, jpeg.nbytes, &o, pixels,
                                        info.width - 1, total, NULL, NULL),
                     PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_decoder_decode(decoder, jpeg.data, jpeg.nbytes, &o, pixels, stride,
                                        total, NULL, NULL),
                     0);
    for (size_t y = 0; y < 3 * info.height; y++)
        for (uint32_t x = 0; x < stride; x++) {
            uint32_t row = (uint32_t) (y % info.height), c = (uint32_t) (y / info.height);
            uint8_t want = x < info.width ? packed.data[place(&info, false, x, row, c)] : 0xA5;
            wrong += pixels[y * stride + x] != want;
        }
    ck_assert_uint_eq(wrong, 0);
    free(pixels);
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&packed);
}
END_TEST

START_TEST(png_options)
{
    static const char *const names[] = { "png-rgb", "png-rgb-interlaced" };
    struct pcr_buffer png = { 0 }, whole = { 0 }, part = { 0 };
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(pcr_gen_make(pcr_gen_find(names[i]), &png, NULL), 0);
        for (int round = 0; round < 60; round++) {
            struct pcr_decode_options o = { .size = sizeof(o), .scale = 8 };
            o.orientation = 1 + (uint32_t) round % 8;
            o.color = rand() % 3 ? PCR_COLOR_RGB : PCR_COLOR_GRAY;
            struct pcr_image_info all = decode(&png, &o, &whole), info = all;
            choose_window(&all, &o);
            o.flags = rand() % 2 ? PCR_DECODE_PLANAR : 0;
            o.decoder = rand() % 2 ? PCR_DECODER_TURBO
                                   : PCR_DECODER_AUTO; /* says nothing here */
            info = decode(&png, &o, &part);
            ck_assert_msg(!count_wrong(&whole, &all, &part, &info, &o), "%s",
                          describe(round, &o));
        }
        struct pcr_decode_options half = { .size = sizeof(half), .scale = 4 };
        ck_assert_int_eq(pcr_decoder_inspect(decoder, png.data, png.nbytes, &half, NULL, NULL),
                         PCR_ERR_UNSUPPORTED);
    }
    pcr_buffer_free(&png);
    pcr_buffer_free(&whole);
    pcr_buffer_free(&part);
}
END_TEST

START_TEST(refused)
{
    struct pcr_buffer jpeg = compose(&kinds[0]), pixels = { 0 }; /* 161 x 147 */
    static const struct pcr_decode_options bad[] = {
        { .scale = 9 },
        { .decoder = 2 },
        { .flags = 32 },
        { .background = { 1, 2, 3, 4 } },
        { .threads = 65 },
        { .crop_x = 1 },
        { .crop_width = 10 },
        { .crop_height = 10 },
        { .crop_width = 162, .crop_height = 1 },
        { .crop_width = 1, .crop_height = 148 },
        { .crop_x = 161, .crop_width = 1, .crop_height = 1 },
        { .crop_y = 147, .crop_width = 1, .crop_height = 1 },
        { .crop_x = 1, .crop_width = UINT32_MAX, .crop_height = 1 },
        { .crop_y = UINT32_MAX, .crop_width = 1, .crop_height = 2 },
        { .crop_width = 82, .crop_height = 1, .scale = 4 },
        { .crop_width = 148, .crop_height = 1, .orientation = 6 },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pcr_decode_options o = bad[i];
        struct pcr_error err;
        o.size = sizeof(o);
        ck_assert_int_eq(pcr_decoder_inspect(decoder, jpeg.data, jpeg.nbytes, &o, NULL, &err),
                         PCR_ERR_INVAL);
        ck_assert_int_eq(
            pcr_decoder_decode_alloc(decoder, jpeg.data, jpeg.nbytes, &o, &pixels, NULL, &err),
            PCR_ERR_INVAL);
        ck_assert_int_ne(err.message[0], 0);
    }
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&pixels);
}
END_TEST

/* --- fidelity --- */

/* Cuts a file after its scan number `count` and ends it. */
static void cut_scans(struct pcr_buffer *jpeg, int count)
{
    size_t at = 2;
    for (int scans = 0; at + 4 <= jpeg->nbytes;) {
        const uint8_t *p = jpeg->data + at;
        if (p[0] != 0xFF || p[1] == 0 || p[1] == 0xFF) {
            at++;
            continue;
        }
        if (scans == count)
            break;
        scans += p[1] == 0xDA;
        at += 2 + ((size_t) p[2] << 8 | p[3]);
    }
    memcpy(jpeg->data + at, "\xFF\xD9", 2);
    jpeg->nbytes = at + 2;
}

static double squared_error(const struct pcr_buffer *a, const struct pcr_buffer *b)
{
    double sum = 0;
    for (size_t i = 0; i < a->nbytes; i++)
        sum += (a->data[i] - b->data[i]) * (a->data[i] - b->data[i]);
    return sum;
}

/* Nearer to the middle is nearer to the original; the complete file is the same in both. */
START_TEST(best_and_identical)
{
    const struct compose spec = {
        .width = 200, .height = 160, .quality = 95, .flags = COMPOSE_PROGRESSIVE
    };
    struct pcr_buffer jpeg = compose(&spec), full = { 0 }, best = { 0 }, same = { 0 };
    for (uint32_t scale = 4; scale <= 8; scale += 4) {
        struct pcr_buffer file = { 0 };
        struct pcr_decode_options o = { .size = sizeof(o), .scale = scale };
        ck_assert_int_eq(pcri_buffer_append(&file, jpeg.data, jpeg.nbytes, NULL), 0);
        decode(&file, &o, &full);
        o.flags = PCR_DECODE_IDENTICAL;
        decode(&file, &o, &same);
        ck_assert_mem_eq(full.data, same.data, full.nbytes);
        cut_scans(&file, 5); /* chroma to bit 1, luma to bit 2 */
        decode(&file, &o, &same);
        o.flags = 0;
        decode(&file, &o, &best);
        ck_assert_double_lt(squared_error(&full, &best), squared_error(&full, &same));
        o.decoder = PCR_DECODER_TURBO;
        decode(&file, &o, &best);
        ck_assert_mem_eq(best.data, same.data, same.nbytes);
        pcr_buffer_free(&file);
    }
    pcr_buffer_free(&jpeg);
    pcr_buffer_free(&full);
    pcr_buffer_free(&best);
    pcr_buffer_free(&same);
}
END_TEST

START_TEST(dequantisation)
{
    uint16_t quant[64];
    int8_t bits[64] = { 1, 2, 0, -1, 13 };
    struct pcri_dequant d;
    for (int k = 0; k < 64; k++)
        quant[k] = (uint16_t) (k == 4 ? 65535 : 10 + k);
    pcri_dequant_fill(quant, bits, &d);
    ck_assert(d.has_offsets);
    ck_assert_mem_eq(d.quant, quant, sizeof(quant));
    ck_assert_int_eq(d.offset[0], 0); /* DC stays */
    ck_assert_int_gt(d.offset[1], 0); /* within the interval of 4 x 11 */
    ck_assert_int_lt(d.offset[1], 22);
    ck_assert_int_eq(d.offset[2], 0); /* known to the last bit */
    ck_assert_int_eq(d.offset[3], 0); /* nothing known */
    ck_assert_int_eq(d.offset[4], INT16_MAX);
    pcri_dequant_fill(quant, NULL, &d);
    ck_assert(!d.has_offsets);
    ck_assert_int_eq(d.offset[1], 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("decode");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, set_up, drop_decoder);
    tcase_add_loop_test(t, windows, 0, KINDS);
    tcase_add_loop_test(t, both_decoders, 0, KINDS);
    tcase_add_loop_test(t, own_decoder, 0, KINDS);
    tcase_add_loop_test(t, planes_with_gaps, 0, 8);
    tcase_add_test(t, png_options);
    tcase_add_test(t, refused);
    tcase_add_test(t, best_and_identical);
    tcase_add_test(t, dequantisation);
    return tests_run();
}
