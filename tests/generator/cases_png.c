/* SPDX-License-Identifier: BSD-2-Clause */
/* PNG files of each colour type, and damaged ones. */
#include <png.h>
#include <stdlib.h>

#include "cases.h"
#include "edit.h"

enum damage {
    NONE = 0,
    TRUNCATE,
    BAD_CRC,
    BAD_SIGNATURE,
    SET_IHDR,
    DROP_CHUNK,
    BAD_DATA,
    BAD_ADLER,
    SMALL_WINDOW,
    SHORT_PALETTE,
    INSERT_CHUNK
};

struct picture_png {
    uint32_t width, height;
    int color, depth, interlace;
    bool transparency; /* a tRNS chunk */
    enum damage damage;
    uint32_t value;   /* TRUNCATE: thousandths; SET_IHDR: position in it; INSERT_CHUNK: what
                          is wrong in its CRC */
    const char *text; /* SET_IHDR: new bytes; DROP_CHUNK: its name; INSERT_CHUNK, before the
                          image data: name and data */
    uint32_t text_nbytes;
};

struct writer {
    struct pcr_buffer *out;
    struct pcr_error *err;
};

static void on_error(png_structp png, png_const_charp message)
{
    struct writer *w = png_get_error_ptr(png);
    pcri_fail(w->err, PCR_ERR_INVAL, "libpng: %s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    on_error(png, message); /* a writer that is used rightly gives none */
}

static void on_data(png_structp png, png_bytep data, size_t nbytes)
{
    struct writer *w = png_get_io_ptr(png);
    if (pcri_buffer_append(w->out, data, nbytes, w->err))
        png_longjmp(png, 1);
}

static void on_flush(png_structp png)
{
    (void) png; /* memory needs none */
}

/* RGB pixels to rows of the colour type: every channel is made of the colours. */
static void fill_rows(const struct picture_png *p, const uint8_t *rgb, uint8_t *rows,
                      size_t stride)
{
    static const uint8_t channel_counts[7] = { 1, 0, 3, 1, 2, 0, 4 };
    unsigned channels = channel_counts[p->color], depth = (unsigned) p->depth;

    for (uint32_t y = 0; y < p->height; y++) {
        for (uint32_t i = 0; i < p->width * channels; i++) {
            uint32_t x = i / channels, c = i % channels;
            const uint8_t *px = rgb + 3 * ((size_t) y * p->width + x);
            unsigned v = c < 3 ? px[c] : 255 - px[0] / 2;
            uint8_t *row = rows + y * stride;
            if (depth == 16) {
                row[2 * i] = (uint8_t) v;
                row[2 * i + 1] = (uint8_t) (v * 5);
            } else {
                row[i * depth / 8] |= (uint8_t) (v >> (8 - depth)
                                                          << (8 - depth - i * depth % 8));
            }
        }
    }
}

static void write_png(const struct picture_png *p, png_structp png, png_infop info,
                      uint8_t *rows, size_t stride)
{
    png_set_IHDR(png, info, p->width, p->height, p->depth, p->color,
                 p->interlace ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (p->color == PNG_COLOR_TYPE_PALETTE) {
        png_color palette[256];
        for (unsigned i = 0; i < 256; i++)
            palette[i] = (png_color) { (png_byte) i, (png_byte) (255 - i),
                                       (png_byte) (i * 3) };
        png_set_PLTE(png, info, palette, 1 << p->depth);
    }
    if (p->transparency) {
        png_byte alpha[2] = { 0, 128 };
        png_color_16 key = { 0, 255, 255, 255, 255 };
        png_set_tRNS(png, info, alpha, p->color == PNG_COLOR_TYPE_PALETTE ? 2 : 0, &key);
    }
    png_write_info(png, info);
    for (int pass = png_set_interlace_handling(png); pass > 0; pass--)
        for (uint32_t y = 0; y < p->height; y++)
            png_write_row(png, rows + y * stride);
    png_write_end(png, info);
}

static int compress_png(const struct picture_png *p, uint8_t *rows, size_t stride,
                        struct pcr_buffer *out, struct pcr_error *err)
{
    struct writer w = { out, err };
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return pcri_fail_nomem(err, 0);
    }
    int rc = PCR_ERR_INVAL;
    if (!setjmp(png_jmpbuf(png))) {
        png_set_write_fn(png, &w, on_data, on_flush);
        write_png(p, png, info, rows, stride);
        rc = 0;
    }
    png_destroy_write_struct(&png, &info);
    return rc;
}

/* The CRC of a chunk's name and data (PNG specification, annex D). */
static uint32_t chunk_crc(const uint8_t *p, size_t nbytes)
{
    uint32_t crc = 0xFFFFFFFFu;
    while (nbytes--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

/* Offset and whole size of the first chunk of that name; false: there is none. */
static bool find_chunk(const struct pcr_buffer *b, const char *name, size_t *off,
                       size_t *nbytes)
{
    for (size_t at = 8; at + 12 <= b->nbytes; at += *nbytes) {
        const uint8_t *p = b->data + at;
        *nbytes = 12 + ((size_t) p[0] << 24 | (size_t) p[1] << 16 | (size_t) p[2] << 8 | p[3]);
        *off = at;
        if (!memcmp(p + 4, name, 4))
            return true;
    }
    return false;
}

static void set_crc(uint8_t *chunk, size_t nbytes)
{
    uint32_t crc = chunk_crc(chunk + 4, nbytes - 8);
    for (int i = 0; i < 4; i++)
        chunk[nbytes - 4 + (size_t) i] = (uint8_t) (crc >> (24 - 8 * i));
}

/* Changes the compressed stream in an IDAT chunk. */
static void damage_stream(enum damage damage, uint8_t *chunk, size_t nbytes)
{
    uint8_t *z = chunk + 8;
    if (damage == BAD_DATA) {
        z[(nbytes - 12) / 2] ^= 0x55;
    } else if (damage == BAD_ADLER) {
        z[nbytes - 13] ^= 0x55;
    } else { /* a window of 256 bytes; the two bytes are a multiple of 31 */
        z[0] = 0x08;
        z[1] = (uint8_t) (31 - z[0] * 256 % 31);
    }
    set_crc(chunk, nbytes);
}

static int insert_chunk(const struct picture_png *p, struct pcr_buffer *b, size_t off,
                        struct pcr_error *err)
{
    uint8_t chunk[80] = { 0, 0, 0, (uint8_t) (p->text_nbytes - 4) };
    size_t nbytes = p->text_nbytes + 8;
    memcpy(chunk + 4, p->text, p->text_nbytes);
    set_crc(chunk, nbytes);
    chunk[nbytes - 1] ^= (uint8_t) p->value;
    return gen_splice(b, off, 0, chunk, nbytes, err);
}

static int damage_png(const struct picture_png *p, struct pcr_buffer *b, struct pcr_error *err)
{
    enum { FEW = 16 }; /* entries of a palette */
    size_t off, nbytes;
    const char *name = p->damage == DROP_CHUNK      ? p->text
                       : p->damage == SET_IHDR      ? "IHDR"
                       : p->damage == SHORT_PALETTE ? "PLTE"
                                                    : "IDAT";
    if (p->damage == NONE)
        return 0;
    if (!find_chunk(b, name, &off, &nbytes))
        return pcri_fail(err, PCR_ERR_INVAL, "no chunk %s", name);
    switch (p->damage) {
    case TRUNCATE:
        b->nbytes = b->nbytes * p->value / 1000;
        break;
    case BAD_CRC:
        b->data[off + nbytes - 1] ^= 1;
        break;
    case BAD_SIGNATURE:
        b->data[6] = '\n';
        break;
    case SET_IHDR:
        memcpy(b->data + off + 8 + p->value, p->text, p->text_nbytes);
        set_crc(b->data + off, nbytes);
        break;
    case BAD_DATA:
    case BAD_ADLER:
    case SMALL_WINDOW:
        damage_stream(p->damage, b->data + off, nbytes);
        break;
    case SHORT_PALETTE:
        b->data[off + 2] = 0;
        b->data[off + 3] = 3 * FEW;
        if (gen_splice(b, off + 12 + 3 * FEW, nbytes - 12 - 3 * FEW, NULL, 0, err))
            return PCR_ERR_NOMEM;
        set_crc(b->data + off, 12 + 3 * FEW);
        break;
    case INSERT_CHUNK:
        return insert_chunk(p, b, off, err);
    default:
        return gen_splice(b, off, nbytes, NULL, 0, err);
    }
    return 0;
}

static int make_png(const struct pcr_gen_case *c, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    const struct picture_png *p = c->spec;
    size_t stride = (size_t) p->width * 8;
    uint8_t *rgb = pcri_malloc((size_t) p->width * p->height, 3, err);
    uint8_t *rows = pcri_calloc(p->height, stride, err);
    int rc = PCR_ERR_NOMEM;

    out->nbytes = 0;
    if (rgb && rows)
        rc = pcr_gen_pixels(600, PCR_GEN_NO_CLASS, p->width, p->height, rgb, err);
    if (!rc) {
        fill_rows(p, rgb, rows, stride);
        rc = compress_png(p, rows, stride, out, err);
    }
    free(rgb);
    free(rows);
    return rc ? rc : damage_png(p, out, err);
}

#define GRAY PNG_COLOR_TYPE_GRAY
#define RGB PNG_COLOR_TYPE_RGB
#define PALETTE PNG_COLOR_TYPE_PALETTE
#define GRAY_ALPHA PNG_COLOR_TYPE_GRAY_ALPHA
#define RGB_ALPHA PNG_COLOR_TYPE_RGB_ALPHA
#define PICTURE(name_, kind_, ...) \
    { \
        .name = name_, .kind = kind_, .orientation = 1, .make = make_png, \
        .spec = &(const struct picture_png) \
        { \
            __VA_ARGS__ \
        } \
    }
#define GOOD(name, ...) PICTURE(name, PCR_GEN_GOOD_PNG, __VA_ARGS__)
#define BAD(name, ...) PICTURE(name, PCR_GEN_BAD_PNG, 40, 30, RGB, 8, __VA_ARGS__)
#define TEXT(s) .text = s, .text_nbytes = sizeof(s) - 1

static const struct pcr_gen_case cases[] = {
    GOOD("png-gray", 40, 30, GRAY, 8),
    GOOD("png-gray-1", 41, 30, GRAY, 1),
    GOOD("png-gray-2", 41, 30, GRAY, 2),
    GOOD("png-gray-4", 41, 30, GRAY, 4),
    GOOD("png-gray-16", 40, 30, GRAY, 16),
    GOOD("png-gray-transparent", 40, 30, GRAY, 8, .transparency = true),
    GOOD("png-gray-alpha", 40, 30, GRAY_ALPHA, 8),
    GOOD("png-gray-alpha-16", 40, 30, GRAY_ALPHA, 16),
    GOOD("png-rgb", 40, 30, RGB, 8),
    GOOD("png-rgb-16", 40, 30, RGB, 16),
    GOOD("png-rgb-transparent", 40, 30, RGB, 8, .transparency = true),
    GOOD("png-rgb-interlaced", 43, 31, RGB, 8, .interlace = 1),
    GOOD("png-rgba", 40, 30, RGB_ALPHA, 8),
    GOOD("png-rgba-16-interlaced", 40, 30, RGB_ALPHA, 16, .interlace = 1),
    GOOD("png-palette", 40, 30, PALETTE, 8),
    GOOD("png-palette-1", 41, 30, PALETTE, 1),
    GOOD("png-palette-4-transparent", 41, 30, PALETTE, 4, .transparency = true),
    GOOD("png-1x1", 1, 1, RGB, 8),
    /* what libpng passes over */
    GOOD("png-rgba-transparent", 40, 30, RGB_ALPHA, 8, .damage = INSERT_CHUNK,
         TEXT("tRNS\0\xFF\0\xFF\0\xFF")),
    GOOD("png-gray-palette", 40, 30, GRAY, 8, .damage = INSERT_CHUNK,
         TEXT("PLTE\x01\x02\x03")),
    GOOD("png-palette-transparent-too-long", 41, 30, PALETTE, 1, .damage = INSERT_CHUNK,
         TEXT("tRNS\0\xFF\0\xFF\0\xFF")),
    GOOD("png-profile-bad", 40, 30, RGB, 8, .damage = INSERT_CHUNK,
         TEXT("iCCPname\0\0no profile")),
    GOOD("png-ancillary-bad-crc", 40, 30, RGB, 8, .damage = INSERT_CHUNK, .value = 1,
         TEXT("gAMA\0\0\x80\0")),
    GOOD("png-ancillary-unknown", 40, 30, RGB, 8, .damage = INSERT_CHUNK, TEXT("odDs?")),
    GOOD("png-rows-too-many", 40, 30, RGB, 8, .damage = SET_IHDR, .value = 4,
         TEXT("\0\0\0\x1B")),
    GOOD("png-window-small", 40, 30, RGB, 8, .damage = SMALL_WINDOW),
    GOOD("png-palette-short", 40, 30, PALETTE, 8, .damage = SHORT_PALETTE),
    GOOD("png-end-missing", 40, 30, RGB, 8, .damage = DROP_CHUNK, TEXT("IEND")),
    BAD("png-truncated-header", .damage = TRUNCATE, .value = 5),
    BAD("png-truncated-half", .damage = TRUNCATE, .value = 500),
    BAD("png-truncated-end", .damage = TRUNCATE, .value = 990),
    BAD("png-bad-crc", .damage = BAD_CRC),
    BAD("png-bad-signature", .damage = BAD_SIGNATURE),
    BAD("png-bad-data", .damage = BAD_DATA),
    BAD("png-bad-adler", .damage = BAD_ADLER),
    BAD("png-critical-unknown", .damage = INSERT_CHUNK, TEXT("ODDs?")),
    BAD("png-no-data", .damage = DROP_CHUNK, TEXT("IDAT")),
    BAD("png-no-header", .damage = DROP_CHUNK, TEXT("IHDR")),
    BAD("png-width-0", .damage = SET_IHDR, .value = 0, TEXT("\0\0\0\0")),
    BAD("png-huge", .damage = SET_IHDR, .value = 0, TEXT("\x7F\xFF\xFF\xFF\x7F\xFF\xFF\xFF")),
    BAD("png-taller", .damage = SET_IHDR, .value = 4, TEXT("\0\0\x03\0")),
    BAD("png-depth-3", .damage = SET_IHDR, .value = 8, TEXT("\x03")),
    BAD("png-color-5", .damage = SET_IHDR, .value = 9, TEXT("\x05")),
    BAD("png-palette-missing", .damage = SET_IHDR, .value = 9, TEXT("\x03")),
};

const struct case_table gen_png_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
