/* SPDX-License-Identifier: BSD-2-Clause */
/* BMP (device-independent bitmaps of Windows and OS/2): 1, 2, 4, 8, 16, 24 and 32 bits a pixel,
 * with palettes and masks, bottom-up and top-down. Not those that are compressed. */
#include "../../base/sniff.h"
#include "png_chunks.h"
#include "rows.h"

enum {
    FILE_HEADER_NBYTES = 14,
    CORE_NBYTES = 12, /* the header of OS/2 */
    INFO_NBYTES = 40,
    MASKS_NBYTES = 52, /* a header with masks, and with one of alpha */
    ALPHA_NBYTES = 56,
    MOST_HEADER_NBYTES = 124,
    COMPRESSION_RGB = 0,
    COMPRESSION_MASKS = 3,
    COMPRESSION_ALPHA_MASKS = 6,
};

/* Where a sample of a pixel of 16 or 32 bits is. */
struct bmp_field {
    uint32_t shift, bits; /* bits 0: there is none */
};

struct bmp {
    struct pcri_rows rows;
    struct pcri_bytes file;
    uint32_t bits; /* a pixel */
    bool top_down;
    bool gray;       /* color i of the palette is gray i */
    size_t pixels;   /* where they begin */
    size_t stride;   /* from row to row */
    size_t palette;  /* where it begins */
    uint32_t colors; /* in it */
    uint32_t color_nbytes;
    struct bmp_field fields[4]; /* red, green, blue, alpha */
};

/* A mask of bits without gaps. */
static int take_mask(struct bmp_field *f, uint32_t mask, struct pcr_error *err)
{
    *f = (struct bmp_field) { 0 };
    if (!mask)
        return 0;
    f->shift = (uint32_t) __builtin_ctz(mask);
    f->bits = 32 - (uint32_t) __builtin_clz(mask) - f->shift;
    if (mask >> f->shift == (f->bits < 32 ? (UINT32_C(1) << f->bits) - 1 : UINT32_MAX))
        return 0;
    return pcri_fail(err, PCR_ERR_UNSUPPORTED, "BMP: a mask with gaps, %08X", (unsigned) mask);
}

/* The masks of pixels of 16 or 32 bits: given, or 5 and 8 bits a sample. */
static int find_masks(struct bmp *b, uint32_t header, uint32_t compression,
                      struct pcr_error *err)
{
    static const uint32_t usual[2][3] = { { 0x7C00, 0x3E0, 0x1F },
                                          { 0xFF0000, 0xFF00, 0xFF } };
    const uint8_t *at = b->file.p + FILE_HEADER_NBYTES + INFO_NBYTES;
    const uint32_t count = compression == COMPRESSION_ALPHA_MASKS || header >= ALPHA_NBYTES
                               ? 4
                               : 3;
    int rc = 0;
    if (compression == COMPRESSION_RGB)
        for (uint32_t i = 0; i < 3 && !rc; i++)
            rc = take_mask(&b->fields[i], usual[b->bits == 32][i], err);
    else if (b->file.n < FILE_HEADER_NBYTES + INFO_NBYTES + 4 * count)
        rc = pcri_fail_at(err, PCR_ERR_TRUNCATED, b->file.n, "BMP: ends within its masks");
    else
        for (uint32_t i = 0; i < count && !rc; i++)
            rc = take_mask(&b->fields[i], pcri_load32(at + 4 * i), err);
    return rc;
}

/* How a row's pixels are stored. */
static int take_layout(struct bmp *b, uint32_t header, uint32_t compression, uint32_t colors,
                       struct pcr_error *err)
{
    const bool masked = compression == COMPRESSION_MASKS ||
                        compression == COMPRESSION_ALPHA_MASKS;
    const bool deep = b->bits == 16 || b->bits == 32;
    if (compression != COMPRESSION_RGB && !masked)
        return pcri_fail_at(err, PCR_ERR_UNSUPPORTED, FILE_HEADER_NBYTES + 16,
                            "BMP: compressed (kind %u)", (unsigned) compression);
    if (b->bits != 1 && b->bits != 2 && b->bits != 4 && b->bits != 8 && b->bits != 24 && !deep)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, FILE_HEADER_NBYTES + 14,
                            "BMP: %u bits a pixel", (unsigned) b->bits);
    if (masked && !deep)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, FILE_HEADER_NBYTES + 16,
                            "BMP: masks for %u bits a pixel", (unsigned) b->bits);
    memset(b->fields, 0, sizeof(b->fields));
    if (deep)
        return find_masks(b, header, compression, err);
    b->color_nbytes = header == CORE_NBYTES ? 3 : 4;
    b->palette = FILE_HEADER_NBYTES + header;
    b->colors = b->bits > 8                                 ? 0
                : colors && colors < UINT32_C(1) << b->bits ? colors
                                                            : UINT32_C(1) << b->bits;
    if (b->palette + (size_t) b->colors * b->color_nbytes > b->file.n)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, b->file.n, "BMP: ends within its palette");
    return 0;
}

/* Of 8 bits there is no other way to store gray. */
static bool is_gray(const struct bmp *b)
{
    const uint8_t *color = b->file.p + b->palette;
    bool gray = b->bits == 8 && b->colors == 256;
    for (uint32_t i = 0; gray && i < 256; i++, color += b->color_nbytes)
        gray = color[0] == i && color[1] == i && color[2] == i;
    return gray;
}

/* Are pixels stored as 8 bits a sample, without a profile, which is not read? */
static bool is_exact(const struct bmp *b, uint32_t header)
{
    enum { KIND_AT = 56, EMBEDDED = 0x4D424544, LINKED = 0x4C494E4B };
    const struct bmp_field *f = b->fields;
    const uint32_t kind = header == MOST_HEADER_NBYTES
                              ? pcri_load32(b->file.p + FILE_HEADER_NBYTES + KIND_AT)
                              : 0;
    if (kind == EMBEDDED || kind == LINKED)
        return false;
    return b->gray || b->bits == 24 ||
           (b->bits == 32 && f[0].bits == 8 && f[1].bits == 8 && f[2].bits == 8 && !f[3].bits);
}

static int check_size(const struct bmp *b, struct pcr_error *err)
{
    const uint64_t row = ((uint64_t) b->rows.width * b->bits + 7) / 8;
    const uint64_t left = b->pixels < b->file.n ? b->file.n - b->pixels : 0;
    /* The last row need not be padded. */
    if (row <= left && (left - row) / b->stride >= b->rows.height - 1)
        return 0;
    return pcri_fail_at(err, PCR_ERR_TRUNCATED, b->file.n,
                        "BMP: %llu bytes from byte %zu are too few for %u x %u pixels",
                        (unsigned long long) left, b->pixels, (unsigned) b->rows.width,
                        (unsigned) b->rows.height);
}

/* To 8 bits, rounded down as Pillow does; of more the upper ones. */
static uint8_t sample_of(struct bmp_field f, uint32_t pixel)
{
    if (!f.bits)
        return 0;
    const uint32_t v = pixel >> f.shift &
                       (f.bits < 32 ? (UINT32_C(1) << f.bits) - 1 : UINT32_MAX);
    return (uint8_t) (f.bits > 8 ? v >> (f.bits - 8) : v * 255 / ((1u << f.bits) - 1));
}

static void make_deep_row(const struct bmp *b, const uint8_t *src, uint8_t *pixels)
{
    const uint32_t channels = b->rows.channels, step = b->bits / 8;
    for (uint32_t x = 0; x < b->rows.width; x++, src += step, pixels += channels) {
        const uint32_t v = step == 2 ? pcri_load16(src) : pcri_load32(src);
        for (uint32_t c = 0; c < channels; c++)
            pixels[c] = sample_of(b->fields[c], v);
    }
}

static int make_palette_row(const struct bmp *b, const uint8_t *src, uint8_t *pixels,
                            struct pcr_error *err)
{
    const uint32_t per_byte = 8 / b->bits;
    for (uint32_t x = 0; x < b->rows.width; x++, pixels += 3) {
        const uint32_t shift = 8 - b->bits * (x % per_byte + 1);
        const uint32_t i = src[x / per_byte] >> shift & ((1u << b->bits) - 1);
        if (i >= b->colors)
            return pcri_fail_at(
                err, PCR_ERR_CORRUPT, (uint64_t) (src + x / per_byte - b->file.p),
                "BMP: color %u of a palette of %u", (unsigned) i, (unsigned) b->colors);
        const uint8_t *color = b->file.p + b->palette + (size_t) i * b->color_nbytes;
        pixels[0] = color[2];
        pixels[1] = color[1];
        pixels[2] = color[0];
    }
    return 0;
}

static int make_row(void *state, uint32_t y, uint8_t *pixels, struct pcr_error *err)
{
    const struct bmp *b = state;
    const size_t row = b->top_down ? y : b->rows.height - 1 - y;
    const uint8_t *src = b->file.p + b->pixels + row * b->stride;
    if (b->gray)
        memcpy(pixels, src, b->rows.width);
    else if (b->bits <= 8)
        return make_palette_row(b, src, pixels, err);
    else if (b->bits != 24)
        make_deep_row(b, src, pixels);
    else
        for (uint32_t x = 0; x < b->rows.width; x++, src += 3, pixels += 3) {
            pixels[0] = src[2];
            pixels[1] = src[1];
            pixels[2] = src[0];
        }
    return 0;
}

static int bmp_begin(void *state, const struct pcr_spans *file,
                     const struct pcri_decode_params *params,
                     struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct bmp *b = state;
    b->file = (struct pcri_bytes) { file->items[0].data, file->items[0].nbytes };
    const uint8_t *p = b->file.p, *h = p + FILE_HEADER_NBYTES;
    if (b->file.n < FILE_HEADER_NBYTES + CORE_NBYTES)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, b->file.n, "BMP: ends within its header");
    const uint32_t header = pcri_load32(h);
    const bool core = header == CORE_NBYTES;
    if (!core && (header < INFO_NBYTES || header > MOST_HEADER_NBYTES))
        return pcri_fail_no_image(err, p, b->file.n);
    if (b->file.n < FILE_HEADER_NBYTES + (size_t) header)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, b->file.n, "BMP: ends within its header");
    const int64_t width = core ? pcri_load16(h + 4) : (int32_t) pcri_load32(h + 4);
    const int64_t height = core ? pcri_load16(h + 6) : (int32_t) pcri_load32(h + 8);
    if (width < 1 || !height || height < -INT32_MAX)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, FILE_HEADER_NBYTES + 4,
                            "BMP: %lld x %lld pixels", (long long) width, (long long) height);
    b->bits = pcri_load16(h + (core ? 10 : 14));
    b->pixels = pcri_load32(p + 10);
    b->top_down = height < 0;
    int rc = pcri_rows_check_scale("BMP", params, err);
    if (!rc)
        rc = take_layout(b, header, core ? COMPRESSION_RGB : pcri_load32(h + 16),
                         core ? 0 : pcri_load32(h + 32), err);
    if (rc)
        return rc;
    b->stride = (size_t) (((uint64_t) width * b->bits + 31) / 32 * 4);
    b->gray = is_gray(b);
    b->rows.any_row = true;
    b->rows.make = make_row;
    pcri_rows_begin(&b->rows, (uint32_t) width, (uint32_t) (b->top_down ? -height : height),
                    b->gray             ? 1
                    : b->fields[3].bits ? 4
                                        : 3,
                    params, info_out);
    info_out->is_exact = is_exact(b, header);
    return check_size(b, err);
}

static int bmp_create(void **state_out, struct pcr_error *err)
{
    *state_out = pcri_calloc(1, sizeof(struct bmp), err);
    return *state_out ? 0 : PCR_ERR_NOMEM;
}

const struct pcri_codec pcri_codec_bmp = {
    .name = "BMP",
    .magics = "BM",
    .magic_nbytes = 2,
    .magic_count = 1,
    .create = bmp_create,
    .destroy = pcri_rows_destroy,
    .begin = bmp_begin,
    .held = pcri_rows_held,
    .rows = pcri_rows_store,
    .stream = pcri_rows_stream,
    .end = pcri_rows_end,
};
