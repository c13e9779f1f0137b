/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients, of whatever coding (jpeg/coding.h), to pixels by the pixel stage (pixels.h), equal
 * to libjpeg-turbo's to the bit.
 *
 * It declines (UNSUPPORTED from begin) what it does not do: doubtful colour spaces, sampling
 * factors that do not divide each other. libjpeg-turbo takes those. */
#include <pthread.h>
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
    const struct pcr_spans *file;
    bool kept; /* the rows to keep are known */
    /* Those of a picture's further parts, as they were ever needed, and of a part what its thread
     * works on. */
    struct native *parts[PCRI_MOST_THREADS];
    struct pcri_rect window;
    struct pcri_target target;
    pthread_t thread;
    bool started;
    int rc;
    struct pcr_error why;
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
    for (uint32_t i = 1; i < PCRI_MOST_THREADS; i++)
        native_destroy(n->parts[i]);
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
    n->file = file;
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

static int make_rows(struct native *n, const struct pcri_rect *window,
                     const struct pcri_target *target, struct pcr_error *err)
{
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

/* --- by several threads --- */

enum { LEAST_PIXELS = 1 << 17 }; /* of a part, unscaled: less is not worth a thread */

/* The first row of pixels from `top` on that needs no block row before an MCU row; `bottom` if none
 * does. */
static int find_top(const struct native *n, const struct pcri_rect *window, uint32_t mcu_row,
                    uint32_t top, uint32_t *top_out, struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = n->source->file;
    const uint32_t bottom = window->y + window->height;
    for (; top < bottom; top++) {
        const struct pcri_rect line = { window->x, top, window->width, 1 };
        struct pcri_pixel_plan plan;
        int rc = pcri_pixels_plan(f, &n->params, &line, &plan, err);
        if (rc)
            return rc;
        bool below = true;
        for (uint32_t c = 0; c < plan.component_count; c++)
            below &= !plan.components[c].needed ||
                     plan.components[c].row_begin >= (uint64_t) mcu_row * f->components[c].v;
        if (below)
            break;
    }
    *top_out = top;
    return 0;
}

/* Divides the window's rows where decoding can begin, into at most `most` parts of about as many.
 * tops: where each begins, and the end of the last. */
static int divide(const struct native *n, const struct pcri_rect *window, uint32_t most,
                  uint32_t entry_rows, uint32_t *tops, uint32_t *count_out,
                  struct pcr_error *err)
{
    const uint32_t row = n->source->file->max_v * n->params.scale; /* pixels of an MCU row */
    const uint32_t bottom = window->y + window->height;
    uint32_t count = 1;
    tops[0] = window->y;
    for (uint32_t i = 1; i < most; i++) {
        const uint64_t even = window->y + (uint64_t) window->height * i / most;
        const uint64_t mcu_row = (even / row + entry_rows / 2) / entry_rows * entry_rows;
        if (mcu_row * row < tops[count - 1] || mcu_row * row >= bottom)
            continue;
        int rc = find_top(n, window, (uint32_t) mcu_row, (uint32_t) (mcu_row * row),
                          &tops[count], err);
        if (rc)
            return rc;
        count += tops[count] > tops[count - 1] && tops[count] < bottom;
    }
    tops[count] = bottom;
    *count_out = count;
    return 0;
}

static void *make_part(void *context)
{
    struct native *p = context;
    struct pcri_stored_info info;
    p->rc = native_begin(p, p->file, &p->params, &info, &p->why);
    if (!p->rc)
        p->rc = make_rows(p, &p->window, &p->target, &p->why);
    return NULL;
}

/* Part i of the picture, of rows of pixels [top, bottom), by a thread of its own. Where that does
 * not start, here. */
static int begin_part(struct native *n, uint32_t i, uint32_t top, uint32_t bottom,
                      struct pcr_error *err)
{
    int rc = n->parts[i] ? 0 : native_create((void **) &n->parts[i], err);
    if (rc)
        return rc;
    struct native *p = n->parts[i];
    p->file = n->file;
    p->params = n->params;
    p->window = (struct pcri_rect) { n->window.x, top, n->window.width, bottom - top };
    p->target = n->target;
    p->target.data += (size_t) (top - n->window.y) * n->target.stride_nbytes;
    p->started = !pcri_thread_start(&p->thread, make_part, p, NULL);
    if (!p->started)
        make_part(p);
    return 0;
}

/* The first of the window's parts is this thread's. */
static int make_parts(struct native *n, const uint32_t *tops, uint32_t count,
                      struct pcr_error *err)
{
    uint32_t begun = 1;
    int rc = 0;
    while (!rc && begun < count) {
        rc = begin_part(n, begun, tops[begun], tops[begun + 1], err);
        begun += !rc;
    }
    const struct pcri_rect first = { n->window.x, tops[0], n->window.width,
                                     tops[1] - tops[0] };
    if (!rc)
        rc = make_rows(n, &first, &n->target, err);
    for (uint32_t i = 1; i < begun; i++) {
        struct native *p = n->parts[i];
        if (p->started)
            pthread_join(p->thread, NULL);
        if (!rc)
            rc = pcri_hand_on(err, p->rc, &p->why);
    }
    return rc;
}

static int native_rows(void *state, const struct pcri_rect *window,
                       const struct pcri_target *target, struct pcr_error *err)
{
    struct native *n = state;
    uint32_t tops[PCRI_MOST_THREADS + 1], count = 1;
    const uint32_t scale = n->params.scale;
    uint64_t most = (uint64_t) window->width * window->height * 64 / (scale * scale);
    most /= LEAST_PIXELS;
    most = most < n->params.threads ? most : n->params.threads;
    uint32_t entry_rows = most > 1 && n->decoder->entry_rows ? n->decoder->entry_rows(n->state)
                                                             : 0;
    int rc = 0;
    n->window = *window;
    n->target = *target;
    if (entry_rows)
        rc = divide(n, window, (uint32_t) most, entry_rows, tops, &count, err);
    if (rc)
        return rc;
    return count > 1 ? make_parts(n, tops, count, err) : make_rows(n, window, target, err);
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
