/* SPDX-License-Identifier: BSD-2-Clause */
/* JPEG to pixels by our own decoder: coefficients from jpeg/prefix.h, then the pixel stage
 * (pixels.h), equal to libjpeg-turbo's to the bit.
 *
 * It declines (UNSUPPORTED from begin) what it does not do: doubtful colour spaces, sampling
 * factors that do not divide each other. libjpeg-turbo takes those. */
#include <stdlib.h>

#include "../pixels/pixels.h"
#include "codec.h"

struct native {
    struct pcri_prefix prefix;
    struct pcri_pixels pixels;
    struct pcri_decode_params params;
    const struct pcr_spans *file;
    uint32_t next; /* span to parse */
    bool kept;     /* the rows to keep are known, and the first scans decoded */
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

/* Parses to the first scan. */
static int parse_header(struct native *n, const struct pcr_spans *file,
                        const struct pcr_limits *limits, struct pcr_error *err)
{
    const struct pcr_span *s = file->items;
    struct pcr_limits any_size = *limits; /* what is asked for may be a small part of it */
    any_size.max_pixels = UINT64_MAX;
    limits = &any_size;
    n->file = file;
    n->next = 1;
    n->kept = false;
    if (file->count == 1)
        return pcri_prefix_open(&n->prefix, s->data, s->nbytes, limits, err);
    pcri_prefix_begin(&n->prefix);
    int rc = pcri_prefix_add(&n->prefix, s->data, s->nbytes, limits, err);
    while (!rc && !n->prefix.file.in_scans && n->next < file->count) {
        s = &file->items[n->next++];
        rc = pcri_prefix_add(&n->prefix, s->data, s->nbytes, limits, err);
    }
    if (!rc && !n->prefix.file.in_scans)
        rc = pcri_fail(err, PCR_ERR_TRUNCATED, "JPEG: no scan");
    return rc;
}

static int native_begin(void *state, const struct pcr_spans *file,
                        const struct pcri_decode_params *params,
                        struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct native *n = state;
    const struct pcri_jpeg_file *f = &n->prefix.file;
    struct pcri_pixel_plan plan;
    n->params = *params;
    int rc = parse_header(n, file, &params->limits, err);
    if (rc)
        return rc;
    n->prefix.ladder = params->ladder;
    info_out->width = scaled(f->width, params->scale);
    info_out->height = scaled(f->height, params->scale);
    info_out->component_count = f->component_count;
    info_out->has_alpha = false;
    info_out->orientation = pcri_orientation_of(&f->orientation);
    const struct pcri_rect all = { 0, 0, info_out->width, info_out->height };
    return pcri_pixels_plan(f, params, &all, &plan, err);
}

/* Coefficients of the rows that are kept. */
static uint64_t native_held(void *state, const struct pcri_rect *window)
{
    struct native *n = state;
    const struct pcri_jpeg_file *f = &n->prefix.file;
    struct pcri_pixel_plan plan;
    uint64_t nbytes = 0;
    if (pcri_pixels_plan(f, &n->params, window, &plan, NULL))
        return 0;
    for (uint32_t c = 0; c < plan.component_count; c++) {
        const struct pcri_component_plan *p = &plan.components[c];
        const struct pcri_component *of = &f->components[c];
        uint64_t width = ((uint64_t) f->width * of->h + f->max_h - 1) / f->max_h;
        uint64_t height = ((uint64_t) f->height * of->v + f->max_v - 1) / f->max_v;
        uint64_t rows = 8 * ((uint64_t) p->row_end - p->row_begin);
        if (p->needed)
            nbytes += width * (rows < height ? rows : height) * sizeof(int16_t);
    }
    return nbytes;
}

/* Decodes what has come since the last time, of the rows that are needed. */
static int run_pieces(struct native *n, const struct pcri_pixel_plan *plan,
                      struct pcr_error *err)
{
    int rc = 0;
    if (!n->kept) {
        /* Without EOI all of the picture must be there, whatever is wanted of it. */
        bool all = n->prefix.file.no_eoi;
        for (uint32_t c = 0; !all && c < plan->component_count; c++) {
            const struct pcri_component_plan *p = &plan->components[c];
            pcri_prefix_keep(&n->prefix, c, p->needed ? p->row_begin : 0,
                             p->needed ? p->row_end : 0);
        }
        n->kept = true;
        rc = pcri_prefix_run(&n->prefix, err);
    }
    while (!rc && n->next < n->file->count) {
        const struct pcr_span *s = &n->file->items[n->next++];
        rc = pcri_prefix_add(&n->prefix, s->data, s->nbytes, &n->params.limits, err);
        if (!rc)
            rc = pcri_prefix_run(&n->prefix, err);
    }
    return rc ? rc : pcri_prefix_finish(&n->prefix, err);
}

static int native_rows(void *state, const struct pcri_rect *window,
                       const struct pcri_target *target, struct pcr_error *err)
{
    struct native *n = state;
    const struct pcri_jpeg_file *f = &n->prefix.file;
    struct pcri_pixel_plan plan;
    int rc = pcri_pixels_plan(f, &n->params, window, &plan, err);
    if (rc)
        return rc;
    rc = run_pieces(n, &plan, err);
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
    .in_pieces = true,
    .create = native_create,
    .destroy = native_destroy,
    .begin = native_begin,
    .held = native_held,
    .rows = native_rows,
    .end = native_end,
};
