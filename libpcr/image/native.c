/* SPDX-License-Identifier: BSD-2-Clause */
/* JPEG to pixels by our own decoder: coefficients from jpeg/prefix.h, then the pixel stage
 * (pixels.h), equal to libjpeg-turbo's to the bit.
 *
 * It declines (UNSUPPORTED from begin) what it does not do: doubtful colour spaces, sampling
 * factors that do not divide each other. libjpeg-turbo takes those. */
#include <stdlib.h>

#include "pixels.h"

struct native {
    struct pcri_prefix prefix;
    struct pcri_pixels pixels;
    struct pcri_decode_params params;
};

static int native_create(void **state_out, struct pcr_error *err)
{
    struct native *n = pcri_calloc(1, sizeof(*n), err);
    *state_out = n;
    if (!n)
        return PCR_ERR_NOMEM;
    n->pixels.kernels = pcri_kernels_choose();
    return 0;
}

static void native_destroy(void *state)
{
    struct native *n = state;
    if (!n)
        return;
    pcri_prefix_free(&n->prefix);
    pcri_pixels_free(&n->pixels);
    free(n);
}

static uint32_t scaled(uint32_t n, uint32_t scale)
{
    return (uint32_t) (((uint64_t) n * scale + 7) / 8);
}

static int native_begin(void *state, const uint8_t *data, size_t nbytes,
                        const struct pcri_decode_params *params,
                        struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct native *n = state;
    const struct pcri_jpeg_file *f = &n->prefix.file;
    struct pcri_pixel_plan plan;
    n->params = *params;
    int rc = pcri_prefix_open(&n->prefix, data, nbytes, &params->limits, err);
    if (rc)
        return rc;
    info_out->width = scaled(f->width, params->scale);
    info_out->height = scaled(f->height, params->scale);
    info_out->orientation = f->orientation;
    const struct pcri_window all = { 0, 0, info_out->width, info_out->height };
    return pcri_pixels_plan(f, params, &all, &plan, err);
}

static int native_rows(void *state, const struct pcri_window *window,
                       const struct pcri_target *target, struct pcr_error *err)
{
    struct native *n = state;
    const struct pcri_jpeg_file *f = &n->prefix.file;
    struct pcri_pixel_plan plan;
    int rc = pcri_pixels_plan(f, &n->params, window, &plan, err);
    if (rc)
        return rc;
    for (uint32_t c = 0; c < f->component_count; c++) {
        const struct pcri_component_plan *p = &plan.components[c];
        pcri_prefix_keep(&n->prefix, c, p->needed ? p->row_begin : 0,
                         p->needed ? p->row_end : 0);
    }
    rc = pcri_prefix_run(&n->prefix, err);
    if (rc)
        return rc;
    /* A sequential image needs all its components, a prefix of a progressive one the first
     * one's DC. */
    for (uint32_t c = 0; c < (f->sof == M_SOF2 ? 1 : f->component_count); c++)
        if (n->prefix.bits[c][0] < 0)
            return pcri_fail(err, PCR_ERR_TRUNCATED,
                             "JPEG: no scan has the DC of component %u", (unsigned) c + 1);
    return pcri_pixels_make(&n->pixels, &plan, &n->prefix, target, err);
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
