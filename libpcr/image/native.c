/* SPDX-License-Identifier: BSD-2-Clause */
/* JPEG to pixels by our own decoder: coefficients from jpeg/prefix.h, then IDCT,
 * upsampling and colour conversion, equal to libjpeg-turbo's to the bit.
 *
 * It declines (UNSUPPORTED from begin) what it does not do: CMYK, sampling factors that do not
 * divide each other. libjpeg-turbo takes those. */
#include <stdlib.h>

#include "../jpeg/prefix.h"
#include "image.h"
#include "kernels.h"

struct native {
    struct pcri_prefix prefix;
    const struct pcri_kernels *kernels;
    const uint8_t *data;
    size_t nbytes;
    struct pcri_decode_params params;
    struct pcr_buffer planes[4]; /* samples, a whole number of blocks each way */
    struct pcr_buffer rows[4];   /* one upsampled row each */
    struct pcr_buffer sums;      /* scratch of upsampling */
};

static int native_create(void **state_out, struct pcr_error *err)
{
    struct native *n = pcri_calloc(1, sizeof(*n), err);
    *state_out = n;
    if (!n)
        return PCR_ERR_NOMEM;
    n->kernels = pcri_kernels_choose();
    return 0;
}

static void native_destroy(void *state)
{
    struct native *n = state;
    if (!n)
        return;
    pcri_prefix_free(&n->prefix);
    for (int i = 0; i < 4; i++) {
        pcr_buffer_free(&n->planes[i]);
        pcr_buffer_free(&n->rows[i]);
    }
    pcr_buffer_free(&n->sums);
    free(n);
}

static int check_supported(const struct pcri_jpeg_file *f, struct pcr_error *err)
{
    bool ok = f->component_count == 1 || f->component_count == 3;
    for (uint32_t i = 0; ok && i < f->component_count; i++)
        ok = f->max_h % f->components[i].h == 0 && f->max_v % f->components[i].v == 0;
    /* libjpeg takes three components for RGB or YCbCr by markers and identifiers; where both
     * readings have something for them it has rules of its own. */
    if (ok && f->component_count == 3 && !f->has_jfif && !f->has_adobe) {
        const struct pcri_component *c = f->components;
        ok = (c[0].id == 1 && c[1].id == 2 && c[2].id == 3) || !f->ycc;
    }
    if (ok && f->has_adobe && !f->has_jfif && f->component_count == 3)
        ok = f->adobe_transform <= 1;
    return ok ? 0 : pcri_fail(err, PCR_ERR_UNSUPPORTED, "left to libjpeg");
}

static int native_begin(void *state, const uint8_t *data, size_t nbytes,
                        const struct pcri_decode_params *params,
                        struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct native *n = state;
    n->data = data;
    n->nbytes = nbytes;
    n->params = *params;
    int rc = pcri_jpeg_file_parse(data, nbytes, &params->limits, &n->prefix.file, err);
    if (!rc)
        rc = check_supported(&n->prefix.file, err);
    if (rc)
        return rc;
    info_out->width = n->prefix.file.width;
    info_out->height = n->prefix.file.height;
    info_out->orientation = n->prefix.file.orientation;
    return 0;
}

/* --- samples --- */

static int transform_plane(struct native *n, uint32_t c, struct pcr_error *err)
{
    const struct pcri_blocks *b = &n->prefix.planes[c];
    const struct pcri_jpeg_file *f = &n->prefix.file;
    const uint16_t *quant = f->quant[f->components[c].quant_slot];
    size_t stride = 8 * (size_t) b->blocks_x;
    int rc = pcri_buffer_reserve(&n->planes[c], stride * 8 * b->blocks_y, err);
    if (rc)
        return rc;
    const int16_t *coef = b->coef;
    const uint64_t *mask = b->mask;
    for (uint32_t y = 0; y < b->blocks_y; y++) {
        uint8_t *dst = n->planes[c].data + 8 * stride * y;
        for (uint32_t x = 0; x < b->blocks_x; x++, coef += 64, mask++)
            n->kernels->idct(coef, *mask, quant, dst + 8 * (size_t) x, stride);
    }
    return 0;
}

static uint32_t samples_x(const struct pcri_jpeg_file *f, uint32_t c)
{
    return (f->width * f->components[c].h + f->max_h - 1) / f->max_h;
}

static uint32_t samples_y(const struct pcri_jpeg_file *f, uint32_t c)
{
    return (f->height * f->components[c].v + f->max_v - 1) / f->max_v;
}

static void replicate(const uint8_t *in, size_t n, uint32_t times, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < times; k++)
            *out++ = in[i];
}

/* Row y of component c at the image's full width. */
static const uint8_t *full_row(struct native *n, uint32_t c, uint32_t y)
{
    const struct pcri_jpeg_file *f = &n->prefix.file;
    size_t stride = 8 * (size_t) n->prefix.planes[c].blocks_x;
    uint32_t h = f->max_h / f->components[c].h, v = f->max_v / f->components[c].v;
    uint32_t row = y / v, width = samples_x(f, c), last = samples_y(f, c) - 1;
    const uint8_t *near = n->planes[c].data + row * stride;
    uint8_t *out = n->rows[c].data;
    bool smooth_x = h == 2 && width > 2;

    if (h == 1 && v == 1)
        return near;
    if (v == 2 && ((h == 2 && smooth_x) || h == 1)) {
        uint32_t other = y % 2 ? (row < last ? row + 1 : last) : (row ? row - 1 : 0);
        const uint8_t *far = n->planes[c].data + other * stride;
        if (h == 1)
            n->kernels->upsample_h1v2(near, far, width, y % 2 ? 2 : 1, out);
        else
            n->kernels->upsample_h2v2(near, far, width, (uint16_t *) (void *) n->sums.data,
                                      out);
    } else if (v == 1 && smooth_x) {
        n->kernels->upsample_h2v1(near, width, out);
    } else {
        replicate(near, width, h, out);
    }
    return out;
}

/* --- rows of pixels --- */

static void gray_to_rgb(const uint8_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = in[i];
}

static void interleave(const uint8_t *const rows[3], size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            out[3 * i + (size_t) c] = rows[c][i];
}

static void convert_row(struct native *n, uint32_t y, uint8_t *dst)
{
    const struct pcri_jpeg_file *f = &n->prefix.file;
    bool gray = n->params.color == PCR_COLOR_GRAY;
    const uint8_t *rows[3] = { full_row(n, 0, y), NULL, NULL };
    if (f->component_count == 1 || (gray && f->ycc)) {
        if (gray)
            memcpy(dst, rows[0], f->width);
        else
            gray_to_rgb(rows[0], f->width, dst);
        return;
    }
    rows[1] = full_row(n, 1, y);
    rows[2] = full_row(n, 2, y);
    if (gray)
        for (uint32_t x = 0; x < f->width; x++)
            dst[x] = pcri_luma(rows[0][x], rows[1][x], rows[2][x]);
    else if (f->ycc)
        n->kernels->ycc_to_rgb(rows[0], rows[1], rows[2], f->width, dst);
    else
        interleave(rows, f->width, dst);
}

static int native_rows(void *state, uint8_t *dst, size_t stride_nbytes,
                       struct pcr_error *err)
{
    struct native *n = state;
    const struct pcri_jpeg_file *f = &n->prefix.file;
    int rc = pcri_prefix_decode(&n->prefix, n->data, n->nbytes, &n->params.limits, err);
    if (rc)
        return rc;
    /* A sequential image needs all its components, a prefix of a progressive one the first
     * one's DC. */
    for (uint32_t c = 0; c < (f->sof == M_SOF2 ? 1 : f->component_count); c++)
        if (n->prefix.bits[c][0] < 0)
            return pcri_fail(err, PCR_ERR_TRUNCATED,
                             "JPEG: no scan has the DC of component %u", (unsigned) c + 1);
    bool luma_alone = f->ycc && n->params.color == PCR_COLOR_GRAY;
    rc = pcri_buffer_reserve(&n->sums, 2 * ((size_t) f->width + 2 * f->max_h + 2), err);
    for (uint32_t c = 0; !rc && c < (luma_alone ? 1 : f->component_count); c++) {
        rc = transform_plane(n, c, err);
        if (!rc) /* an upsampled row may be a little wider than the image */
            rc = pcri_buffer_reserve(&n->rows[c], (size_t) f->width + 2 * f->max_h, err);
    }
    for (uint32_t y = 0; !rc && y < f->height; y++)
        convert_row(n, y, dst + y * stride_nbytes);
    return rc;
}

static void native_end(void *state)
{
    (void) state; /* its memory is for the next image */
}

const struct pcri_codec pcri_codec_native = {
    .name = "JPEG by libpcr",
    .magic = { 0xFF, 0xD8 },
    .magic_nbytes = 2,
    .create = native_create,
    .destroy = native_destroy,
    .begin = native_begin,
    .rows = native_rows,
    .end = native_end,
};
