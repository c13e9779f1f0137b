/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients, of whatever coding (jpeg/coding.h), to pixels by the pixel stage (pixels.h), equal
 * to libjpeg-turbo's to the bit.
 *
 * It declines (UNSUPPORTED from begin) what it does not do: doubtful colour spaces, sampling
 * factors that do not divide each other. libjpeg-turbo takes those. */
#include <stdlib.h>

#include "../../coding/codings.h"
#include "../pixels/pixels.h"
#include "codec.h"

struct native {
    void *decoders[PCRI_MOST_CODINGS]; /* by their places in the table; NULL: not used yet */
    const struct pcri_block_decoder *decoder; /* of the image, */
    void *state;                              /* and its state */
    const struct pcri_block_source *source;
    struct pcri_pixels pixels;
    struct pcri_decode_params params;
    bool kept; /* the rows to keep are known */
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
    for (int i = 0; pcri_codings[i]; i++)
        pcri_codings[i]->decoder->destroy(n->decoders[i]);
    pcri_pixels_free(&n->pixels);
    free(n);
}

static uint32_t scaled(uint32_t n, uint32_t scale)
{
    return (uint32_t) (((uint64_t) n * scale + 7) / 8);
}

/* The decoder of the coding that the file is of. */
static int choose_decoder(struct native *n, const struct pcr_spans *file,
                          struct pcr_error *err)
{
    int i = pcri_coding_of_bytes(file->items[0].data, file->items[0].nbytes);
    if (i < 0)
        return pcri_fail(err, PCR_ERR_FORMAT, "no JPEG image");
    n->decoder = pcri_codings[i]->decoder;
    int rc = n->decoders[i] ? 0 : n->decoder->create(&n->decoders[i], err);
    n->state = n->decoders[i];
    return rc;
}

int pcri_native_open(void *state, const struct pcr_spans *file,
                     const struct pcri_decode_params *params, struct pcri_native_blocks *out,
                     struct pcr_error *err)
{
    struct native *n = state;
    int rc = choose_decoder(n, file, err);
    if (!rc)
        rc = n->decoder->begin(n->state, file, &params->limits, params->ladder, &n->source,
                               err);
    *out = (struct pcri_native_blocks) { n->decoder, n->state, n->source };
    return rc;
}

static int native_begin(void *state, const struct pcr_spans *file,
                        const struct pcri_decode_params *params,
                        struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct native *n = state;
    struct pcri_pixel_plan plan;
    n->params = *params;
    n->kept = false;
    struct pcri_native_blocks blocks;
    int rc = pcri_native_open(state, file, params, &blocks, err);
    if (rc)
        return rc;
    const struct pcri_jpeg_file *f = n->source->file;
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
    const struct pcri_jpeg_file *f = n->source->file;
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

static int native_rows(void *state, const struct pcri_rect *window,
                       const struct pcri_target *target, struct pcr_error *err)
{
    struct native *n = state;
    struct pcri_pixel_plan plan;
    int rc = pcri_pixels_plan(n->source->file, &n->params, window, &plan, err);
    if (rc)
        return rc;
    for (uint32_t c = 0; !n->kept && c < plan.component_count; c++) {
        const struct pcri_component_plan *p = &plan.components[c];
        n->decoder->keep(n->state, c, p->needed ? p->row_begin : 0,
                         p->needed ? p->row_end : 0);
    }
    n->kept = true;
    rc = n->decoder->run(n->state, err);
    if (!rc)
        rc = pcri_pixels_make(&n->pixels, &plan, n->source, target, err);
    return rc ? rc : n->decoder->finish(n->state, err);
}

static void native_end(void *state)
{
    (void) state; /* its memory is for the next image */
}

const struct pcri_codec pcri_codec_native = {
    .name = "JPEG by libpcr",
    .in_pieces = true,
    .scales = true,
    .create = native_create,
    .destroy = native_destroy,
    .begin = native_begin,
    .held = native_held,
    .rows = native_rows,
    .end = native_end,
};
