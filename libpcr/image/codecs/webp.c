/* SPDX-License-Identifier: BSD-2-Clause */
/* WebP to pixels through libwebp: still pictures, lossy and lossless, with or without alpha. */
#include <limits.h>
#include <stdlib.h>

#include <webp/decode.h>

#include "../../base/exif.h"
#include "../../base/sniff.h"
#include "codec.h"
#include "webp_chunks.h"

struct webp {
    struct pcri_bytes file;
    uint32_t width, height, color;
    bool alpha;              /* wanted, and there */
    struct pcr_buffer whole; /* the picture, and a row of gray */
};

static int fail(const struct webp *w, VP8StatusCode status, struct pcr_error *err)
{
    switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return pcri_fail(err, PCR_ERR_NOMEM, "WebP: no memory for the decoder");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, w->file.n,
                            "WebP: ends within the picture: %zu bytes are not enough",
                            w->file.n);
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "WebP: of a kind that libwebp cannot decode");
    default:
        return pcri_fail_at(err, PCR_ERR_CORRUPT, 0, "WebP: damaged (libwebp's status is %d)",
                            (int) status);
    }
}

/* As Pillow's exif_transpose(): EXIF, or XMP without it. */
static uint32_t find_orientation(struct pcri_bytes file)
{
    struct pcri_orientation o = { 0 };
    const struct pcri_bytes exif = pcri_webp_find(file, "EXIF");
    const struct pcri_bytes xmp = pcri_webp_find(file, "XMP ");
    if (exif.n)
        pcri_orientation_set_exif(&o, exif.p, exif.n);
    if (xmp.n)
        pcri_orientation_set_xmp(&o, xmp.p, xmp.n);
    return pcri_orientation_of(&o);
}

static int webp_begin(void *state, const struct pcr_spans *file,
                      const struct pcri_decode_params *params,
                      struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct webp *w = state;
    WebPBitstreamFeatures found;
    w->file = (struct pcri_bytes) { file->items[0].data, file->items[0].nbytes };
    if (w->file.n >= 12 && !pcri_is_webp(w->file))
        return pcri_fail_no_image(err, w->file.p, w->file.n);
    if (params->scale != 8)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED, "WebP: decoding to %u/8 of the size",
                         (unsigned) params->scale);
    enum { LOSSLESS = 2 };
    VP8StatusCode status = WebPGetFeatures(w->file.p, w->file.n, &found);
    if (status)
        return fail(w, status, err);
    if (found.has_animation)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED, "WebP: an animation");
    w->width = (uint32_t) found.width;
    w->height = (uint32_t) found.height;
    w->color = params->color;
    w->alpha = params->alpha && found.has_alpha;
    *info_out = (struct pcri_stored_info) { .width = w->width,
                                            .height = w->height,
                                            .orientation = find_orientation(w->file),
                                            .component_count = 3,
                                            .has_alpha = found.has_alpha,
                                            .is_exact = found.format == LOSSLESS &&
                                                        !found.has_alpha };
    return 0;
}

static uint32_t channels_of(const struct webp *w)
{
    return w->alpha ? 4 : 3;
}

static uint64_t webp_held(void *state, const struct pcri_rect *window)
{
    enum { LOSSLESS_NBYTES = 4 }; /* of a pixel, that libwebp keeps */
    const struct webp *w = state;
    (void) window;
    return (uint64_t) w->width * w->height * (LOSSLESS_NBYTES + channels_of(w));
}

static VP8StatusCode try_decoding(const struct webp *w, uint8_t *pixels, size_t stride_nbytes)
{
    WebPDecoderConfig c;
    if (!WebPInitDecoderConfig(&c))
        return VP8_STATUS_INVALID_PARAM; /* libwebp has another version */
    c.output.colorspace = w->alpha ? MODE_RGBA : MODE_RGB;
    c.output.is_external_memory = 1;
    c.output.u.RGBA.rgba = pixels;
    c.output.u.RGBA.stride = (int) stride_nbytes;
    c.output.u.RGBA.size = stride_nbytes * w->height;
    VP8StatusCode status = WebPDecode(w->file.p, w->file.n, &c);
    WebPFreeDecBuffer(&c.output);
    return status;
}

/* Libwebp says of some allocations that fail that the file is damaged. What is damaged stays so,
 * where there is memory. */
static int decode(const struct webp *w, uint8_t *pixels, size_t stride_nbytes,
                  struct pcr_error *err)
{
    const size_t memory = (size_t) (webp_held((void *) (uintptr_t) w, NULL));
    if (stride_nbytes > INT_MAX)
        return pcri_fail_nomem(err, SIZE_MAX);
    VP8StatusCode status = try_decoding(w, pixels, stride_nbytes);
    if (status && status != VP8_STATUS_OUT_OF_MEMORY) {
        void *probe = pcri_malloc(1, memory, err);
        free(probe);
        if (!probe)
            return PCR_ERR_NOMEM;
        status = try_decoding(w, pixels, stride_nbytes);
    }
    return status ? fail(w, status, err) : 0;
}

static int webp_rows(void *state, const struct pcri_rect *window,
                     const struct pcri_target *target, struct pcr_error *err)
{
    struct webp *w = state;
    const bool gray = w->color == PCR_COLOR_GRAY;
    const uint32_t channels = channels_of(w);
    const size_t stride = (size_t) w->width * channels;
    size_t total;
    if (!gray && !target->plane_nbytes && window->width == w->width &&
        window->height == w->height)
        return decode(w, target->data, target->stride_nbytes, err);
    if (!pcri_mul(stride, w->height, &total) || !pcri_add(total, w->width, &total))
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_renew(&w->whole, total, err);
    if (rc || (rc = decode(w, w->whole.data, stride, err)))
        return rc;
    uint8_t *line = w->whole.data + stride * w->height;
    for (uint32_t y = 0; y < window->height; y++) {
        const uint8_t *row = w->whole.data + (window->y + y) * stride +
                             (size_t) window->x * channels;
        for (uint32_t x = 0; gray && x < window->width; x++)
            line[x] = pcri_luma(row[3 * x], row[3 * x + 1], row[3 * x + 2]);
        pcri_store_row(target, y, gray ? line : row, window->width, gray ? 1 : channels);
    }
    return 0;
}

static void webp_end(void *state)
{
    (void) state;
}

static int webp_create(void **state_out, struct pcr_error *err)
{
    *state_out = pcri_calloc(1, sizeof(struct webp), err);
    return *state_out ? 0 : PCR_ERR_NOMEM;
}

static void webp_destroy(void *state)
{
    struct webp *w = state;
    if (w)
        pcr_buffer_free(&w->whole);
    free(w);
}

const struct pcri_codec pcri_codec_webp = {
    .name = "WebP",
    .magics = "RIFF",
    .magic_nbytes = 4,
    .magic_count = 1,
    .create = webp_create,
    .destroy = webp_destroy,
    .begin = webp_begin,
    .held = webp_held,
    .rows = webp_rows,
    .end = webp_end,
};
