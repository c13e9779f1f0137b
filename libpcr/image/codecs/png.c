/* SPDX-License-Identifier: BSD-2-Clause */
/* PNG to pixels through libpng's row interface; damage of the pixels is an error
 * (docs/guide.md, "What is damage"). */
#include <setjmp.h>
#include <stdlib.h>

#include <png.h>

#include "codec.h"

struct png {
    png_structp read;
    png_infop info;
    const uint8_t *data;
    size_t nbytes, at;
    uint32_t width, height, color;
    bool alpha; /* wanted, and there */
    bool nomem;
    bool complete; /* all rows are there, and the checksums of what they were made of */
    int rc;        /* what the jump brings */
    struct pcr_error *err;
    struct pcr_buffer whole; /* the picture, or a row, if it is not delivered as it is */
};

enum {
    MAGIC_NBYTES = 8,
};

/* --- what libpng calls --- */

static _Noreturn void on_error(png_structp read, png_const_charp message)
{
    struct png *p = png_get_error_ptr(read);
    int code = p->nomem ? PCR_ERR_NOMEM : PCR_ERR_CORRUPT;
    p->rc = pcri_fail_at(p->err, code, p->at, "PNG: %s", message);
    png_longjmp(read, 1);
}

/* What libpng only warns about, because it continues, does not touch the pixels: chunks that
 * are doubled, misplaced or too long, a wrong checksum of an ancillary chunk, data after the
 * last row. The exception is a compressed stream that does not end as it should. */
static void on_warning(png_structp read, png_const_charp message)
{
    static const char *const passed[] = { "IDAT: Too much image data",
                                          "IDAT: Extra compressed data" };
    bool damage = !strncmp(message, "IDAT: ", 6);
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
        damage &= strcmp(message, passed[i]) != 0;
    if (damage) {
        struct png *p = png_get_error_ptr(read);
        p->complete = false;
        on_error(read, message);
    }
}

static void on_read(png_structp read, png_bytep dst, size_t nbytes)
{
    struct png *p = png_get_io_ptr(read);
    if (nbytes > p->nbytes - p->at) {
        p->rc = pcri_fail_at(p->err, PCR_ERR_TRUNCATED, p->nbytes,
                             "PNG: ends within a chunk: %zu bytes expected, %zu left", nbytes,
                             p->nbytes - p->at);
        png_longjmp(read, 1);
    }
    memcpy(dst, p->data + p->at, nbytes);
    p->at += nbytes;
}

static png_voidp on_malloc(png_structp read, png_alloc_size_t nbytes)
{
    struct png *p = png_get_mem_ptr(read);
    void *m = malloc(nbytes);
    if (!m)
        p->nomem = true;
    return m;
}

static void on_free(png_structp read, png_voidp m)
{
    (void) read;
    free(m);
}

/* --- headers --- */

static void set_up(struct png *p)
{
    png_set_read_fn(p->read, p, on_read);
    /* The limits are ours to check. */
    png_set_user_limits(p->read, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_benign_errors(p->read, 1); /* on_warning() decides */
    png_set_crc_action(p->read, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    /* Some encoders name a window that is too small. The data have checksums of their own. */
    png_set_option(p->read, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    /* No ancillary chunk matters for 8-bit pixels without alpha: skip them all, so that an odd
     * colour profile does no harm. */
    png_set_keep_unknown_chunks(p->read, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
}

static bool is_coloured(const struct png *p)
{
    return png_get_color_type(p->read, p->info) & PNG_COLOR_MASK_COLOR;
}

/* RGB or gray of 8 bits, as the file is coloured; and alpha if it is wanted. */
static void set_transforms(struct png *p)
{
    int type = png_get_color_type(p->read, p->info);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(p->read);
    else if (png_get_bit_depth(p->read, p->info) < 8)
        png_set_expand_gray_1_2_4_to_8(p->read);
    png_set_strip_16(p->read);
    if (!p->alpha)
        png_set_strip_alpha(p->read);
    else if (png_get_valid(p->read, p->info, PNG_INFO_tRNS))
        png_set_tRNS_to_alpha(p->read);
    if (!is_coloured(p) && p->color == PCR_COLOR_RGB)
        png_set_gray_to_rgb(p->read);
}

/* Deflate makes at most 1032 bytes of one (a match of 258 bytes in two bits). */
static int check_ratio(struct png *p, struct pcr_error *err)
{
    uint64_t bits = (uint64_t) png_get_bit_depth(p->read, p->info) *
                    png_get_channels(p->read, p->info);
    uint64_t raw = ((uint64_t) p->width * bits + 7) / 8 * p->height;
    if (raw / 1032 > p->nbytes)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, p->nbytes,
                            "PNG: %zu bytes cannot hold %llu bytes of pixels", p->nbytes,
                            (unsigned long long) raw);
    return 0;
}

static int png_begin(void *state, const struct pcr_spans *file,
                     const struct pcri_decode_params *params,
                     struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct png *p = state;
    if (params->scale != 8)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED, "PNG: decoding to %u/8 of the size",
                         (unsigned) params->scale);
    p->data = file->items[0].data;
    p->nbytes = file->items[0].nbytes;
    p->at = 0;
    p->err = err;
    p->color = params->color;
    p->nomem = p->complete = false;
    p->read = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, p, on_error, on_warning, p,
                                       on_malloc, on_free);
    p->info = p->read ? png_create_info_struct(p->read) : NULL;
    if (!p->info)
        return pcri_fail(err, PCR_ERR_NOMEM, "PNG: no memory for a decoder");
    if (setjmp(png_jmpbuf(p->read)))
        return p->rc;
    set_up(p);
    png_read_info(p->read, p->info);
    p->width = png_get_image_width(p->read, p->info);
    p->height = png_get_image_height(p->read, p->info);
    int rc = check_ratio(p, err);
    if (rc)
        return rc;
    info_out->width = p->width;
    info_out->height = p->height;
    info_out->component_count = is_coloured(p) ? 3 : 1;
    info_out->has_alpha = png_get_color_type(p->read, p->info) & PNG_COLOR_MASK_ALPHA ||
                          png_get_valid(p->read, p->info, PNG_INFO_tRNS);
    info_out->is_exact = png_get_bit_depth(p->read, p->info) == 8 && !info_out->has_alpha &&
                         png_get_color_type(p->read, p->info) != PNG_COLOR_TYPE_PALETTE;
    p->alpha = params->alpha && info_out->has_alpha;
    set_transforms(p);
    return pcri_png_orientation(p->data, p->nbytes, &p->whole, &info_out->orientation, err);
}

/* --- pixels --- */

/* After the last row, with which libpng has read the end of the image data. */
static void read_tail(struct png *p)
{
    p->complete = true;
    png_read_end(p->read, NULL);
}

/* What to return where libpng has given up. */
static int stopped(const struct png *p)
{
    return p->complete && !p->nomem ? 0 : p->rc;
}

/* An interlaced file comes in seven passes, each filling in more of every row. */
static int read_rows(struct png *p, int passes, uint8_t *dst, size_t stride_nbytes)
{
    if (setjmp(png_jmpbuf(p->read)))
        return stopped(p);
    png_start_read_image(p->read);
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < p->height; y++)
            png_read_row(p->read, dst + y * stride_nbytes, NULL);
    read_tail(p);
    return 0;
}

static void gray_of_rgb(const uint8_t *src, uint32_t n, uint8_t *dst)
{
    for (uint32_t x = 0; x < n; x++, src += 3)
        dst[x] = pcri_luma(src[0], src[1], src[2]);
}

/* Bytes of a pixel as libpng delivers it. */
static size_t pixel_nbytes(const struct png *p)
{
    return (p->color == PCR_COLOR_GRAY && !is_coloured(p) ? 1 : 3) + p->alpha;
}

/* Bytes of a row as libpng delivers it. */
static size_t stored_nbytes(const struct png *p)
{
    return p->width * pixel_nbytes(p);
}

/* Libpng makes no gray of colours. */
static bool is_to_gray(const struct png *p)
{
    return p->color == PCR_COLOR_GRAY && is_coloured(p);
}

/* The window's part of a picture's row, in the requested pixels; p->whole has room for it
 * after what libpng delivers. */
static const uint8_t *window_row(struct png *p, const struct pcri_rect *w, const uint8_t *row)
{
    row += w->x * pixel_nbytes(p);
    if (!is_to_gray(p))
        return row;
    uint8_t *gray = p->whole.data + p->whole.nbytes - p->width;
    gray_of_rgb(row, w->width, gray);
    return gray;
}

/* A file that is not interlaced, row by row through one row's memory. */
static int read_by_rows(struct png *p, const struct pcri_rect *w, pcri_row_fn *give,
                        void *context)
{
    if (setjmp(png_jmpbuf(p->read)))
        return stopped(p);
    png_start_read_image(p->read);
    for (uint32_t y = 0; y < p->height; y++) {
        png_read_row(p->read, p->whole.data, NULL);
        if (y >= w->y && y - w->y < w->height)
            give(context, window_row(p, w, p->whole.data));
    }
    read_tail(p);
    return 0;
}

/* Room for `count` of the picture's rows, and one of gray. */
static int reserve_rows(struct png *p, uint32_t count, struct pcr_error *err)
{
    size_t total;
    if (!pcri_mul(stored_nbytes(p), count, &total) || !pcri_add(total, p->width, &total))
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_renew(&p->whole, total, err);
    p->whole.nbytes = rc ? 0 : total;
    return rc;
}

static bool is_interlaced(const struct png *p)
{
    return png_get_interlace_type(p->read, p->info) != PNG_INTERLACE_NONE;
}

static uint64_t png_held(void *state, const struct pcri_rect *window)
{
    const struct png *p = state;
    (void) window;
    return is_interlaced(p) ? (uint64_t) p->width * p->height * pixel_nbytes(p) : 0;
}

static int png_stream(void *state, const struct pcri_rect *window, pcri_row_fn *row,
                      void *context, struct pcr_error *err)
{
    struct png *p = state;
    p->err = err;
    if (is_interlaced(p))
        return PCR_END;
    int rc = reserve_rows(p, 1, err);
    return rc ? rc : read_by_rows(p, window, row, context);
}

static int png_rows(void *state, const struct pcri_rect *window,
                    const struct pcri_target *target, struct pcr_error *err)
{
    struct png *p = state;
    size_t row_nbytes = stored_nbytes(p);
    struct pcri_delivery to = { target, 0, window->width,
                                is_to_gray(p) ? 1 : (uint32_t) pixel_nbytes(p) };
    int passes = png_set_interlace_handling(p->read);
    p->err = err;
    if (!is_to_gray(p) && !target->plane_nbytes && window->width == p->width &&
        window->height == p->height)
        return read_rows(p, passes, target->data, target->stride_nbytes);
    int rc = png_stream(state, window, pcri_deliver_row, &to, err);
    if (rc != PCR_END)
        return rc;
    if ((rc = reserve_rows(p, p->height, err)) ||
        (rc = read_rows(p, passes, p->whole.data, row_nbytes)))
        return rc;
    for (uint32_t y = 0; y < window->height; y++)
        pcri_deliver_row(&to,
                         window_row(p, window, p->whole.data + (window->y + y) * row_nbytes));
    return 0;
}

static void png_end(void *state)
{
    struct png *p = state;
    png_destroy_read_struct(&p->read, &p->info, NULL);
}

static int png_create(void **state_out, struct pcr_error *err)
{
    *state_out = pcri_calloc(1, sizeof(struct png), err);
    return *state_out ? 0 : PCR_ERR_NOMEM;
}

static void png_destroy(void *state)
{
    struct png *p = state;
    if (!p)
        return;
    png_end(p);
    pcr_buffer_free(&p->whole);
    free(p);
}

const struct pcri_codec pcri_codec_png = {
    .name = "PNG",
    .magics = "\x89PNG\r\n\x1A\n",
    .magic_nbytes = MAGIC_NBYTES,
    .magic_count = 1,
    .create = png_create,
    .destroy = png_destroy,
    .begin = png_begin,
    .held = png_held,
    .rows = png_rows,
    .stream = png_stream,
    .end = png_end,
};
