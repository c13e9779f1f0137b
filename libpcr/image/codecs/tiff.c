/* SPDX-License-Identifier: BSD-2-Clause */
/* TIFF to pixels through libtiff, the first picture of a file: gray, RGB and palettes of 1 to 16
 * bits with or without alpha by blocks, JPEG in TIFF included; YCbCr, CMYK and CIELAB by libtiff's
 * own conversion. */
#include <stdio.h>
#include <stdlib.h>

#include <tiffio.h>

#include "png_chunks.h"
#include "rows.h"

struct tiff_file {
    struct pcri_rows rows;
    struct pcri_bytes file;
    struct pcri_decode_params params;
    uint64_t at;
    bool beyond;          /* libtiff read beyond the end */
    bool strict;          /* what libtiff warns of is damage */
    struct pcr_error why; /* its first failure; code 0: none */
    TIFF *tif;
    uint16_t bits, samples, photometric; /* bits of each of a pixel's samples */
    bool planes;                         /* samples of one kind are stored together */
    bool converted;                      /* by libtiff */
    bool premultiplied;                  /* by alpha */
    const uint16_t *map[3];              /* the palette; libtiff's memory */
    uint32_t map_shift;
    uint32_t block_width, block_height; /* of tiles, or strips */
    uint64_t block_nbytes;
    bool decoded;
    struct pcr_buffer whole,
        block; /* the picture as rows.channels say; a block as it is stored */
};

/* --- what libtiff calls --- */

/* The failure that a message of libtiff, or of what it decompresses with, speaks of. For nothing it
 * has no memory, which is damage. */
static int code_of(const char *text, int otherwise)
{
    if (strstr(text, "beyond the") || strstr(text, "too much memory"))
        return PCR_ERR_LIMIT;
    if (strstr(text, "(0 elements"))
        return otherwise;
    return strstr(text, "emory") || strstr(text, "No space") ? PCR_ERR_NOMEM : otherwise;
}

static int note(struct tiff_file *t, int code, const char *fmt, va_list args)
{
    char printed[200];
    vsnprintf(printed, sizeof(printed), fmt, args);
    const char *text = printed +
                       (strncmp(printed, ": ", 2) ? 0 : 2); /* the file has no name */
    code = code_of(text, code);
    if (!t->why.code)
        pcri_fail_at(&t->why, code, t->beyond ? t->file.n : t->at, "TIFF: %s%s",
                     code == PCR_ERR_NOMEM ? "no memory: " : "", text);
    return 1; /* it is dealt with */
}

static int on_error(TIFF *tif, void *context, const char *module, const char *fmt,
                    va_list args)
{
    struct tiff_file *t = context;
    (void) tif, (void) module;
    return note(t, t->beyond ? PCR_ERR_TRUNCATED : PCR_ERR_CORRUPT, fmt, args);
}

/* Of the directory libtiff warns where tags are odd; of pixels, where it makes some up. */
static int on_warning(TIFF *tif, void *context, const char *module, const char *fmt,
                      va_list args)
{
    struct tiff_file *t = context;
    (void) tif;
    if (t->strict && module && strcmp(module, "LZWPreDecode") != 0) /* an old variant */
        note(t, PCR_ERR_CORRUPT, fmt, args);
    return 1;
}

static tmsize_t on_read(thandle_t context, void *dst, tmsize_t nbytes)
{
    struct tiff_file *t = context;
    const uint64_t left = t->at < t->file.n ? t->file.n - t->at : 0;
    const size_t n = (uint64_t) nbytes < left ? (size_t) nbytes : (size_t) left;
    t->beyond |= n < (size_t) nbytes;
    memcpy(dst, t->file.p + (left ? t->at : 0), n);
    t->at += n;
    return (tmsize_t) n;
}

static tmsize_t on_write(thandle_t context, void *src, tmsize_t nbytes)
{
    (void) context, (void) src, (void) nbytes;
    return -1;
}

static toff_t on_seek(thandle_t context, toff_t offset, int whence)
{
    struct tiff_file *t = context;
    t->at = whence == SEEK_SET   ? offset
            : whence == SEEK_CUR ? t->at + offset
                                 : t->file.n + offset;
    t->beyond |= t->at > t->file.n;
    return t->at;
}

static int on_close(thandle_t context)
{
    (void) context;
    return 0;
}

static toff_t on_size(thandle_t context)
{
    const struct tiff_file *t = context;
    return t->file.n;
}

/* --- headers --- */

/* Why libtiff failed. */
static int failed(const struct tiff_file *t, struct pcr_error *err)
{
    if (t->why.code)
        return pcri_hand_on(err, t->why.code, &t->why);
    return pcri_fail_at(err, PCR_ERR_CORRUPT, t->at, "TIFF: libtiff cannot read it");
}

static int open_file(struct tiff_file *t, struct pcr_error *err)
{
    TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
    if (!o)
        return pcri_fail(err, PCR_ERR_NOMEM, "TIFF: no memory for a decoder");
    const uint64_t most = t->params.limits.max_sample_nbytes;
    TIFFOpenOptionsSetMaxSingleMemAlloc(o, most < INT32_MAX ? (tmsize_t) most : INT32_MAX);
    TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, t);
    TIFFOpenOptionsSetWarningHandlerExtR(o, on_warning, t);
    t->tif = TIFFClientOpenExt("", "rm", t, on_read, on_write, on_seek, on_close, on_size,
                               NULL, NULL, o);
    TIFFOpenOptionsFree(o);
    return t->tif && !t->why.code ? 0 : failed(t, err);
}

static uint16_t tag16(const struct tiff_file *t, uint32_t tag)
{
    uint16_t v = 0;
    TIFFGetFieldDefaulted(t->tif, tag, &v);
    return v;
}

static uint32_t tag32(const struct tiff_file *t, uint32_t tag)
{
    uint32_t v = 0;
    TIFFGetFieldDefaulted(t->tif, tag, &v);
    return v;
}

/* A palette of 16-bit colors; some writers put in 8 bits. */
static int take_map(struct tiff_file *t, struct pcr_error *err)
{
    uint16_t *map[3];
    if (!TIFFGetField(t->tif, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]))
        return pcri_fail(err, PCR_ERR_CORRUPT, "TIFF: there is no palette");
    t->map_shift = 0;
    for (uint32_t c = 0; c < 3; c++) {
        t->map[c] = map[c];
        for (uint32_t i = 0; i < 1u << t->bits; i++)
            if (map[c][i] > 255)
                t->map_shift = 8;
    }
    return 0;
}

/* How many of a pixel's samples are colours; 0: libtiff must convert them. */
static uint32_t count_colors(const struct tiff_file *t)
{
    return t->photometric == PHOTOMETRIC_RGB ? 3
           : t->photometric == PHOTOMETRIC_PALETTE ||
                   t->photometric == PHOTOMETRIC_MINISBLACK ||
                   t->photometric == PHOTOMETRIC_MINISWHITE
               ? 1
               : 0;
}

/* Finds the channels of the picture's rows. */
static int take_samples(struct tiff_file *t, uint32_t *channels, struct pcr_error *err)
{
    const uint16_t format = tag16(t, TIFFTAG_SAMPLEFORMAT);
    const uint32_t colors = count_colors(t);
    char why[1024] = "";
    uint16_t extra_count = 0, *extra = NULL;
    t->converted = !colors;
    *channels = 3;
    if (!colors)
        return TIFFRGBAImageOK(t->tif, why) ? 0
                                            : pcri_fail(err, PCR_ERR_UNSUPPORTED,
                                                        "TIFF: of a kind that libtiff does "
                                                        "not convert: %.200s",
                                                        why);
    if ((format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) ||
        (t->bits != 1 && t->bits != 2 && t->bits != 4 && t->bits != 8 && t->bits != 16))
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "TIFF: samples of %u bits and format %u (1: whole numbers)",
                         (unsigned) t->bits, (unsigned) format);
    if (t->samples < colors || (t->photometric == PHOTOMETRIC_PALETTE && t->bits > 8))
        return pcri_fail(err, PCR_ERR_CORRUPT, "TIFF: %u samples a pixel, of %u bits",
                         (unsigned) t->samples, (unsigned) t->bits);
    TIFFGetFieldDefaulted(t->tif, TIFFTAG_EXTRASAMPLES, &extra_count, &extra);
    const bool alpha = t->samples > colors && extra_count && extra &&
                       (extra[0] == EXTRASAMPLE_ASSOCALPHA ||
                        extra[0] == EXTRASAMPLE_UNASSALPHA);
    t->premultiplied = alpha && extra[0] == EXTRASAMPLE_ASSOCALPHA;
    *channels = (t->photometric == PHOTOMETRIC_PALETTE ? 3 : colors) + alpha;
    return t->photometric == PHOTOMETRIC_PALETTE ? take_map(t, err) : 0;
}

static int take_blocks(struct tiff_file *t, uint32_t width, uint32_t height,
                       struct pcr_error *err)
{
    if (TIFFIsTiled(t->tif)) {
        t->block_width = tag32(t, TIFFTAG_TILEWIDTH);
        t->block_height = tag32(t, TIFFTAG_TILELENGTH);
        t->block_nbytes = TIFFTileSize64(t->tif);
    } else {
        const uint32_t rows = tag32(t, TIFFTAG_ROWSPERSTRIP);
        t->block_width = width;
        t->block_height = rows < height ? rows : height;
        t->block_nbytes = TIFFVStripSize64(t->tif, t->block_height);
    }
    if (t->block_width && t->block_height && t->block_nbytes && !t->why.code)
        return 0;
    return t->why.code ? failed(t, err)
                       : pcri_fail(err, PCR_ERR_CORRUPT, "TIFF: blocks of no size");
}

/* 8 bits a sample as they are stored, of one picture, and nothing else in its pixels. */
static bool is_exact(const struct tiff_file *t, uint16_t compression)
{
    const bool lossy = compression == COMPRESSION_JPEG || compression == COMPRESSION_OJPEG ||
                       compression == COMPRESSION_WEBP || compression == COMPRESSION_LERC;
    return !t->converted && t->photometric != PHOTOMETRIC_PALETTE && t->bits == 8 &&
           t->samples == t->rows.channels && t->samples == count_colors(t) && !lossy &&
           TIFFLastDirectory(t->tif);
}

/* --- pixels --- */

/* By libtiff, as the picture is stored: turning comes later. */
static int convert(struct tiff_file *t, struct pcr_error *err)
{
    const size_t count = (size_t) t->rows.width * t->rows.height;
    int rc = pcri_buffer_reserve(&t->block, 4 * count, err);
    uint32_t *raster = (uint32_t *) (void *) t->block.data;
    if (rc)
        return rc;
    if (!TIFFReadRGBAImageOriented(t->tif, t->rows.width, t->rows.height, raster,
                                   tag16(t, TIFFTAG_ORIENTATION), 1) ||
        t->why.code)
        return failed(t, err);
    uint8_t *pixel = t->whole.data;
    for (size_t i = 0; i < count; i++, pixel += 3) {
        pixel[0] = (uint8_t) TIFFGetR(raster[i]);
        pixel[1] = (uint8_t) TIFFGetG(raster[i]);
        pixel[2] = (uint8_t) TIFFGetB(raster[i]);
    }
    return 0;
}

/* Sample i of a row as it is stored; of 16 bits the upper ones, as of a PNG. */
static uint32_t sample_at(const struct tiff_file *t, const uint8_t *row, size_t i)
{
    uint16_t deep;
    if (t->bits == 8)
        return row[i];
    if (t->bits == 16) {
        memcpy(&deep, row + 2 * i, 2);
        return deep >> 8;
    }
    const size_t at = i * t->bits;
    return row[at / 8] >> (8 - t->bits - at % 8) & ((1u << t->bits) - 1);
}

/* Stores sample s of a pixel. */
static void put_sample(const struct tiff_file *t, uint32_t s, uint32_t v, uint8_t *pixel)
{
    const bool palette = t->photometric == PHOTOMETRIC_PALETTE;
    if (palette && !s) {
        for (uint32_t c = 0; c < 3; c++)
            pixel[c] = (uint8_t) (t->map[c][v] >> t->map_shift);
        return;
    }
    const uint32_t channel = palette ? s + 2 : s;
    if (channel >= t->rows.channels)
        return;
    if (t->bits < 8)
        v = v * 255 / ((1u << t->bits) - 1);
    pixel[channel] = (uint8_t) (t->photometric == PHOTOMETRIC_MINISWHITE && !s ? 255 - v : v);
}

/* Puts the block at x, y, of sample `plane` or all, where it belongs. */
static void put_block(struct tiff_file *t, uint32_t x, uint32_t y, uint32_t plane,
                      size_t stride)
{
    const uint32_t width = t->rows.width - x < t->block_width ? t->rows.width - x
                                                              : t->block_width;
    const uint32_t height = t->rows.height - y < t->block_height ? t->rows.height - y
                                                                 : t->block_height;
    const uint32_t channels = t->rows.channels, step = t->planes ? 1 : t->samples;
    for (uint32_t r = 0; r < height; r++) {
        const uint8_t *row = t->block.data + r * stride;
        uint8_t *pixel = t->whole.data + ((size_t) (y + r) * t->rows.width + x) * channels;
        for (uint32_t i = 0; i < width; i++, pixel += channels)
            for (uint32_t s = 0; s < step && s < 4; s++)
                put_sample(t, plane + s, sample_at(t, row, (size_t) i * step + s), pixel);
    }
}

/* Libtiff's count of bytes, after which the others are `fill`. */
static tmsize_t decode_block(struct tiff_file *t, uint32_t x, uint32_t y, uint32_t plane,
                             int fill)
{
    const tmsize_t nbytes = (tmsize_t) t->block_nbytes;
    memset(t->block.data, fill, t->block_nbytes);
    return TIFFIsTiled(t->tif)
               ? TIFFReadEncodedTile(t->tif,
                                     TIFFComputeTile(t->tif, x, y, 0, (uint16_t) plane),
                                     t->block.data, nbytes)
               : TIFFReadEncodedStrip(t->tif, TIFFComputeStrip(t->tif, y, (uint16_t) plane),
                                      t->block.data, nbytes);
}

/* Libtiff does not say that a WebP picture is smaller than its block: bytes that are not written
 * are seen by decoding it once more. */
static int check_webp(struct tiff_file *t, uint32_t x, uint32_t y, uint32_t plane,
                      struct pcr_error *err)
{
    uint64_t check = pcri_xxh3(t->block.data, (size_t) t->block_nbytes);
    if (decode_block(t, x, y, plane, 255) < 0 || t->why.code)
        return failed(t, err);
    return pcri_xxh3(t->block.data, (size_t) t->block_nbytes) == check
               ? 0
               : pcri_fail_at(err, PCR_ERR_CORRUPT, t->at,
                              "TIFF: the WebP picture of a block at pixel %u, %u is too small",
                              (unsigned) x, (unsigned) y);
}

static int read_block(struct tiff_file *t, uint32_t x, uint32_t y, uint32_t plane,
                      struct pcr_error *err)
{
    const bool tiled = TIFFIsTiled(t->tif);
    const uint32_t rows = t->rows.height - y;
    const uint64_t wanted = tiled || rows >= t->block_height ? t->block_nbytes
                                                             : TIFFVStripSize64(t->tif, rows);
    const tmsize_t got = decode_block(t, x, y, plane, 0);
    if (got < 0 || t->why.code)
        return failed(t, err);
    if ((uint64_t) got < wanted)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, t->at,
                            "TIFF: a block of %llu bytes at pixel %u, %u has %llu",
                            (unsigned long long) wanted, (unsigned) x, (unsigned) y,
                            (unsigned long long) got);
    int rc = tag16(t, TIFFTAG_COMPRESSION) == COMPRESSION_WEBP
                 ? check_webp(t, x, y, plane, err)
                 : 0;
    if (rc)
        return rc;
    put_block(t, x, y, plane,
              (size_t) (tiled ? TIFFTileRowSize(t->tif) : TIFFScanlineSize(t->tif)));
    return 0;
}

static int read_blocks(struct tiff_file *t, struct pcr_error *err)
{
    const uint32_t colors = count_colors(t);
    const uint32_t planes = t->planes ? colors + (t->rows.channels % 2 == 0) : 1;
    int rc = pcri_buffer_reserve(&t->block, (size_t) t->block_nbytes, err);
    for (uint32_t p = 0; p < planes; p++)
        for (uint64_t y = 0; y < t->rows.height && !rc; y += t->block_height)
            for (uint64_t x = 0; x < t->rows.width && !rc; x += t->block_width)
                rc = read_block(t, (uint32_t) x, (uint32_t) y, p, err);
    return rc;
}

/* Libtiff would read the file's own header for blocks that are not there. */
static int check_places(const struct tiff_file *t, struct pcr_error *err)
{
    const uint32_t count = TIFFIsTiled(t->tif) ? TIFFNumberOfTiles(t->tif)
                                               : TIFFNumberOfStrips(t->tif);
    for (uint32_t i = 0; i < count; i++)
        if (!TIFFGetStrileOffset(t->tif, i))
            return t->why.code ? failed(t, err)
                               : pcri_fail(err, PCR_ERR_CORRUPT,
                                           "TIFF: block %u of %u has no place in the file",
                                           (unsigned) i, (unsigned) count);
    return 0;
}

/* Colours that alpha has been multiplied into, as Pillow restores them. */
static void divide(struct tiff_file *t)
{
    const uint32_t channels = t->rows.channels;
    const size_t count = (size_t) t->rows.width * t->rows.height;
    uint8_t *pixel = t->whole.data;
    for (size_t i = 0; i < count; i++, pixel += channels) {
        const uint32_t alpha = pixel[channels - 1];
        for (uint32_t c = 0; alpha && c + 1 < channels; c++) {
            const uint32_t v = pixel[c] * 255u / alpha;
            pixel[c] = (uint8_t) (v < 255 ? v : 255);
        }
    }
}

static int decode(struct tiff_file *t, struct pcr_error *err)
{
    size_t total;
    if (!pcri_mul(t->rows.width, t->rows.height, &total) ||
        !pcri_mul(total, t->converted ? 4 : t->rows.channels, &total) ||
        t->block_nbytes > SIZE_MAX / 2)
        return pcri_fail_nomem(err, SIZE_MAX);
    t->strict = true;
    int rc = check_places(t, err);
    if (!rc)
        rc = pcri_buffer_renew(&t->whole, total, err);
    if (!rc)
        rc = t->converted ? convert(t, err) : read_blocks(t, err);
    if (!rc && t->premultiplied)
        divide(t);
    return rc;
}

/* --- the codec --- */

static void tiff_end(void *state)
{
    struct tiff_file *t = state;
    if (t->tif)
        TIFFClose(t->tif);
    t->tif = NULL;
}

static int begin(struct tiff_file *t, struct pcri_stored_info *info_out, struct pcr_error *err)
{
    uint32_t channels = 0;
    tiff_end(t);
    t->at = 0;
    t->beyond = t->strict = t->decoded = t->premultiplied = false;
    t->why.code = 0;
    int rc = open_file(t, err);
    if (rc)
        return rc;
    const uint16_t compression = tag16(t, TIFFTAG_COMPRESSION);
    const uint32_t width = tag32(t, TIFFTAG_IMAGEWIDTH),
                   height = tag32(t, TIFFTAG_IMAGELENGTH);
    t->bits = tag16(t, TIFFTAG_BITSPERSAMPLE);
    t->samples = tag16(t, TIFFTAG_SAMPLESPERPIXEL);
    t->photometric = UINT16_MAX;
    TIFFGetField(t->tif, TIFFTAG_PHOTOMETRIC, &t->photometric);
    t->planes = tag16(t, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
    if (!width || !height || width > INT32_MAX || height > INT32_MAX)
        return pcri_fail(err, PCR_ERR_CORRUPT, "TIFF: %u x %u pixels", (unsigned) width,
                         (unsigned) height);
    if (!TIFFIsCODECConfigured(compression))
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "TIFF: compressed in a way that libtiff does not know (%u)",
                         (unsigned) compression);
    if (t->photometric == PHOTOMETRIC_YCBCR && compression == COMPRESSION_JPEG && !t->planes &&
        t->samples == 3) { /* which libjpeg converts */
        TIFFSetField(t->tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        t->photometric = PHOTOMETRIC_RGB;
    }
    if ((rc = take_samples(t, &channels, err)) || (rc = take_blocks(t, width, height, err)))
        return rc;
    t->rows.any_row = true;
    pcri_rows_begin(&t->rows, width, height, channels, &t->params, info_out);
    const uint16_t orientation = tag16(t, TIFFTAG_ORIENTATION);
    info_out->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
    info_out->is_exact = is_exact(t, compression);
    return 0;
}

/* Libtiff calls some failures damage for which memory was short: it is asked again. What is damaged
 * stays so. */
static bool is_damage(int rc)
{
    return rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED;
}

static int make_row(void *state, uint32_t y, uint8_t *pixels, struct pcr_error *err)
{
    struct tiff_file *t = state;
    const size_t nbytes = (size_t) t->rows.width * t->rows.channels;
    struct pcri_stored_info same;
    int rc = t->decoded ? 0 : decode(t, err);
    if (is_damage(rc)) {
        rc = begin(t, &same, err);
        if (!rc)
            rc = decode(t, err);
    }
    t->decoded = !rc;
    if (!rc)
        memcpy(pixels, t->whole.data + y * nbytes, nbytes);
    return rc;
}

static int tiff_begin(void *state, const struct pcr_spans *file,
                      const struct pcri_decode_params *params,
                      struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct tiff_file *t = state;
    t->file = (struct pcri_bytes) { file->items[0].data, file->items[0].nbytes };
    t->params = *params;
    t->rows.make = make_row;
    int rc = pcri_rows_check_scale("TIFF", params, err);
    if (!rc)
        rc = begin(t, info_out, err);
    return is_damage(rc) ? begin(t, info_out, err) : rc;
}

static uint64_t tiff_held(void *state, const struct pcri_rect *window)
{
    const struct tiff_file *t = state;
    const uint64_t pixels = (uint64_t) t->rows.width * t->rows.height;
    (void) window;
    return pixels * t->rows.channels + (t->converted ? 4 * pixels : t->block_nbytes);
}

static int tiff_create(void **state_out, struct pcr_error *err)
{
    *state_out = pcri_calloc(1, sizeof(struct tiff_file), err);
    return *state_out ? 0 : PCR_ERR_NOMEM;
}

static void tiff_destroy(void *state)
{
    struct tiff_file *t = state;
    if (t) {
        tiff_end(t);
        pcr_buffer_free(&t->whole);
        pcr_buffer_free(&t->block);
    }
    pcri_rows_destroy(state);
}

const struct pcri_codec pcri_codec_tiff = {
    .name = "TIFF",
    .magics = PCRI_TIFF_MAGICS,
    .magic_nbytes = 4,
    .magic_count = 4,
    .create = tiff_create,
    .destroy = tiff_destroy,
    .begin = tiff_begin,
    .held = tiff_held,
    .rows = pcri_rows_store,
    .stream = pcri_rows_stream,
    .end = tiff_end,
};
