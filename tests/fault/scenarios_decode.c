/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios of decoding pictures. */
#include <stdlib.h>

#include <pcr/image.h>

#include "base/random.h"
#include "foreign_pictures.h"
#include "scenarios.h"

enum { SIDE = 24 };

/* A picture and how it is decoded. */
struct decoding {
    const char *picture;
    struct pcr_decode_options options;
    struct pcr_resize_options resize;
};

static struct pcr_spans one_span(const struct pcr_buffer *file, struct pcr_span *span)
{
    *span = (struct pcr_span) { file->data, file->nbytes };
    return (struct pcr_spans) { .items = span, .count = 1 };
}

#ifdef HAVE_LIBWEBP
/* 20 x 24 pixels. Lossless ones are not tried: libwebp 1.2 does not survive that. */
static const uint8_t webp_bytes[] = {
    0x52, 0x49, 0x46, 0x46, 0x62, 0x00, 0x00, 0x00, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50,
    0x38, 0x20, 0x56, 0x00, 0x00, 0x00, 0xb0, 0x03, 0x00, 0x9d, 0x01, 0x2a, 0x14, 0x00,
    0x18, 0x00, 0x3f, 0x51, 0x90, 0xbc, 0x58, 0xbf, 0xaa, 0x26, 0x23, 0xb7, 0xe8, 0x03,
    0xf0, 0x2a, 0x09, 0x68, 0x00, 0xbd, 0xd0, 0x4b, 0x08, 0x41, 0xdd, 0x11, 0x94, 0x6b,
    0x63, 0x00, 0x00, 0xfe, 0xe2, 0x1f, 0x89, 0xed, 0x45, 0x85, 0xff, 0x14, 0x14, 0xbb,
    0x61, 0x76, 0x87, 0x79, 0xc9, 0x6e, 0x31, 0x90, 0xbf, 0x04, 0xe8, 0x89, 0x51, 0x70,
    0x55, 0xde, 0x64, 0xce, 0x69, 0x68, 0xd3, 0x72, 0x0f, 0xcd, 0xdf, 0xa9, 0xd1, 0x43,
    0xd9, 0x7d, 0xfb, 0xea, 0x01, 0x70, 0x00, 0x00
};
static const struct pcr_buffer webp_file = { .data = (uint8_t *) (uintptr_t) webp_bytes,
                                             .nbytes = sizeof(webp_bytes) };
#endif

static const struct pcr_buffer *file_of(const char *name)
{
    static struct pcr_buffer foreign; /* filled in for each */
    static const struct {
        const char *name;
        const uint8_t *bytes;
        size_t nbytes;
    } files[] = { { "tiff", foreign_tiff, sizeof(foreign_tiff) },
                  { "gif", foreign_gif, sizeof(foreign_gif) },
                  { "pnm", foreign_pnm, sizeof(foreign_pnm) - 1 } };
#ifdef HAVE_LIBWEBP
    if (!strcmp(name, "webp"))
        return &webp_file;
#endif
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (!strcmp(name, files[i].name)) {
            foreign.data = (uint8_t *) (uintptr_t) files[i].bytes;
            foreign.nbytes = files[i].nbytes;
            return &foreign;
        }
    return picture(name);
}

static int decode(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct decoding *c = what;
    const struct pcr_buffer *file = file_of(c->picture);
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_decoder *d = NULL;
    struct pcr_buffer pixels = { 0 };
    int rc = pcr_decoder_create(&d, err);
    if (!rc)
        rc = pcr_decoder_decode_alloc(d, file->data, file->nbytes, &c->options, &pixels, &info,
                                      err);
    if (!rc) {
        add(sum, pixels.data, pixels.nbytes);
        add(sum, &info, sizeof(info));
        add_number(sum, pcr_decoder_profile(d));
    }
    rc = add_error(sum, rc, err);
    pcr_buffer_free(&pixels);
    pcr_decoder_destroy(&d);
    return rc;
}

static int write_baseline(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_span span;
    const struct pcr_spans spans = one_span(picture(what), &span);
    struct pcr_decoder *d = NULL;
    struct pcr_buffer out = { 0 };
    int rc = pcr_decoder_create(&d, err);
    if (!rc)
        rc = pcr_decoder_baseline(d, &spans, NULL, &out, err);
    add(sum, out.data, rc ? 0 : out.nbytes);
    rc = add_error(sum, rc, err);
    pcr_buffer_free(&out);
    pcr_decoder_destroy(&d);
    return rc;
}

static int decode_resized(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct decoding *c = what;
    struct pcr_span span;
    const struct pcr_spans spans = one_span(picture(c->picture), &span);
    struct pcr_decoder *d = NULL;
    uint8_t pixels[SIDE * SIDE * 3] = { 0 };
    int rc = pcr_decoder_create(&d, err);
    if (!rc)
        rc = pcr_decoder_decode_resized(d, &spans, &c->options, &c->resize, pixels, SIDE, SIDE,
                                        err);
    add(sum, pixels, rc ? 0 : sizeof(pixels));
    rc = add_error(sum, rc, err);
    pcr_decoder_destroy(&d);
    return rc;
}

/* Several pictures by one decoder, which keeps its memory, and their sizes before. */
static int decode_many(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const char *const *names = what;
    struct pcr_decoder *d = NULL;
    struct pcr_buffer pixels = { 0 };
    int rc = pcr_decoder_create(&d, err);
    for (; !rc && *names; names++) {
        const struct pcr_buffer *file = picture(*names);
        struct pcr_image_info info = { .size = sizeof(info) };
        rc = pcr_decoder_inspect(d, file->data, file->nbytes, NULL, &info, err);
        add(sum, &info, sizeof(info));
        if (!rc)
            rc = pcr_decoder_decode_alloc(d, file->data, file->nbytes, NULL, &pixels, NULL,
                                          err);
        add(sum, pixels.data, rc ? 0 : pixels.nbytes);
        rc = add_error(sum, rc, err);
    }
    pcr_buffer_free(&pixels);
    pcr_decoder_destroy(&d);
    return rc;
}

/* Where the file's next marker of a kind is, or any, from `at` on. */
static size_t next_marker(const struct pcr_buffer *file, size_t at, int code)
{
    while (
        at + 2 < file->nbytes &&
        !(file->data[at] == 0xFF && (code ? file->data[at + 1] == code : file->data[at + 1])))
        at++;
    return at;
}

/* A progressive file's scans one after the other. */
static int decode_rising(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct decoding *c = what;
    const struct pcr_buffer *file = picture(c->picture);
    struct pcr_decoder *d = NULL;
    struct pcr_buffer pixels = { 0 };
    int rc = pcr_decoder_create(&d, err);
    for (size_t from = 0, scan, to; !rc && from + 2 < file->nbytes; from = to) {
        scan = next_marker(file, from, 0xDA);
        to = next_marker(file, scan + 2, 0);
        struct pcr_span span[] = { { file->data + from, scan - from },
                                   { file->data + scan, to - scan } };
        const struct pcr_spans spans = { .items = span, .count = 2 };
        rc = from ? pcr_decoder_continue(d, &spans, &pixels, NULL, err)
                  : pcr_decoder_decode_spans(d, &spans, &c->options, &pixels, NULL, err);
        add(sum, pixels.data, rc ? 0 : pixels.nbytes);
    }
    pcr_buffer_free(&pixels);
    pcr_decoder_destroy(&d);
    return rc;
}

static int resize(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct decoding *c = what;
    struct pcr_decoder *d = NULL;
    uint8_t src[40 * 30 * 3], pixels[SIDE * SIDE * 3] = { 0 };
    for (size_t i = 0; i < sizeof(src); i++)
        src[i] = (uint8_t) (i * 7 ^ i >> 5);
    int rc = pcr_decoder_create(&d, err);
    if (!rc)
        rc = pcr_resize(d, src, 40, 30, 3, &c->resize, pixels, SIDE, SIDE, err);
    add(sum, pixels, sizeof(pixels));
    pcr_decoder_destroy(&d);
    return rc;
}

/* A file that outgrows its first memory twice. */
static int encode_noise(const void *what, uint64_t *sum, struct pcr_error *err)
{
    static uint8_t noise[160 * 160 * 3];
    struct pcr_buffer file = { 0 };
    (void) what;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t) (pcri_key(1, i, 0) >> 56);
    int rc = pcr_jpeg_encode(noise, 160, 160, 3, 98, &file, err);
    add(sum, file.data, rc ? 0 : file.nbytes);
    rc = add_error(sum, rc, err);
    pcr_buffer_free(&file);
    return rc;
}

#define OPTIONS(...) .options = { .size = sizeof(struct pcr_decode_options), __VA_ARGS__ }
#define RESIZE(...) .resize = { .size = sizeof(struct pcr_resize_options), __VA_ARGS__ }
#define DECODING(...) \
    &(const struct decoding) \
    { \
        __VA_ARGS__ \
    }

static const char *const many[] = { "baseline", "png-palette",      "progressive", "gray",
                                    "text",     "progressive-cmyk", NULL };

static const struct scenario list[] = {
    { "write baseline", write_baseline, "progressive" },
    { "write baseline of damage", write_baseline, "truncated-half" },
    { "decode JPEG", decode, DECODING("baseline", OPTIONS(.flags = 0)) },
    { "decode progressive", decode, DECODING("progressive", OPTIONS(.flags = 0)) },
    { "decode gray", decode, DECODING("gray", OPTIONS(.flags = 0)) },
    { "decode to gray", decode, DECODING("sampling-422", OPTIONS(.color = PCR_COLOR_GRAY)) },
    { "decode CMYK", decode, DECODING("cmyk", OPTIONS(.flags = 0)) },
    { "decode YCCK", decode, DECODING("ycck-progressive", OPTIONS(.color = PCR_COLOR_GRAY)) },
    { "decode planar", decode,
      DECODING("restart-3-optimised", OPTIONS(.flags = PCR_DECODE_PLANAR)) },
    { "decode upright", decode, DECODING("exif-orientation-6-intel", OPTIONS(.flags = 0)) },
    { "decode a crop", decode,
      DECODING("exif-orientation-6-intel",
               OPTIONS(.crop_x = 3, .crop_y = 5, .crop_width = 17, .crop_height = 11)) },
    { "decode to 3/8", decode, DECODING("progressive", OPTIONS(.scale = 3)) },
    { "decode by libjpeg", decode,
      DECODING("baseline", OPTIONS(.decoder = PCR_DECODER_TURBO)) },
    { "decode progressive by libjpeg", decode,
      DECODING("progressive", OPTIONS(.decoder = PCR_DECODER_TURBO)) },
    { "decode CMYK by libjpeg", decode,
      DECODING("cmyk", OPTIONS(.decoder = PCR_DECODER_TURBO)) },
    { "decode what is declined", decode, DECODING("two-components", OPTIONS(.flags = 0)) },
    { "decode without an end", decode, DECODING("missing-eoi", OPTIONS(.flags = 0)) },
    { "decode stray bytes", decode, DECODING("stray-bytes", OPTIONS(.flags = 0)) },
    { "decode flipped bits", decode, DECODING("flipped-bits-4", OPTIONS(.flags = 0)) },
    { "decode what ends early", decode, DECODING("truncated-half", OPTIONS(.flags = 0)) },
    { "decode arithmetic", decode, DECODING("arithmetic", OPTIONS(.flags = 0)) },
    { "decode text", decode, DECODING("text", OPTIONS(.flags = 0)) },
    { "decode ICC to sRGB", decode, DECODING("icc", OPTIONS(.flags = PCR_DECODE_TO_SRGB)) },
    { "decode CMYK ICC to sRGB", decode,
      DECODING("icc-cmyk", OPTIONS(.flags = PCR_DECODE_TO_SRGB)) },
    { "decode PNG", decode, DECODING("png-rgb", OPTIONS(.flags = 0)) },
    { "decode a palette", decode,
      DECODING("png-palette-4-transparent", OPTIONS(.flags = PCR_DECODE_BACKGROUND)) },
    { "decode 16 bits", decode,
      DECODING("png-rgba-16-interlaced", OPTIONS(.flags = PCR_DECODE_BACKGROUND)) },
    { "decode PNG to gray", decode, DECODING("png-rgba", OPTIONS(.color = PCR_COLOR_GRAY)) },
    { "decode PNG's crop", decode,
      DECODING("png-rgb-interlaced", OPTIONS(.crop_width = 5, .crop_height = 6)) },
    { "decode PNG, a bad profile", decode,
      DECODING("png-profile-bad", OPTIONS(.flags = PCR_DECODE_TO_SRGB)) },
#ifdef HAVE_LIBWEBP
    { "decode WebP's crop", decode,
      DECODING("webp", OPTIONS(.crop_width = 5, .crop_height = 6)) },
    { "decode WebP to gray", decode, DECODING("webp", OPTIONS(.color = PCR_COLOR_GRAY)) },
#endif
#ifdef HAVE_LIBTIFF
    { "decode TIFF", decode, DECODING("tiff", OPTIONS(.flags = 0)) },
#endif
    { "decode GIF to gray", decode, DECODING("gif", OPTIONS(.color = PCR_COLOR_GRAY)) },
    { "decode PNM's crop", decode,
      DECODING("pnm", OPTIONS(.crop_width = 5, .crop_height = 6)) },
    { "decode PNG, damaged", decode, DECODING("png-bad-data", OPTIONS(.flags = 0)) },
    { "resize while decoding", decode_resized,
      DECODING("progressive", OPTIONS(.flags = 0),
               RESIZE(.filter = PCR_FILTER_BICUBIC, .x0 = 1.5, .x1 = 30, .y0 = 2, .y1 = 20,
                      .flags = PCR_RESIZE_FLIP)) },
    { "resize PNG while decoding", decode_resized,
      DECODING("png-rgb", OPTIONS(.flags = 0), RESIZE(.flags = PCR_RESIZE_PLANAR)) },
    { "resize by the nearest", decode_resized,
      DECODING("exif-orientation-6-intel", OPTIONS(.flags = 0),
               RESIZE(.filter = PCR_FILTER_NEAREST, .grid_width = 40, .grid_height = 30,
                      .grid_x = 2)) },
    { "resize in sRGB", decode_resized,
      DECODING("icc", OPTIONS(.flags = PCR_DECODE_TO_SRGB), RESIZE(.flags = 0)) },
    { "resize", resize, DECODING("", RESIZE(.filter = PCR_FILTER_BICUBIC)) },
    { "encode", encode_noise, NULL },
    { "decode many", decode_many, many },
    { "decode rising", decode_rising, DECODING("progressive", OPTIONS(.flags = 0)) },
};
const struct scenarios decode_scenarios = SCENARIOS(list);
