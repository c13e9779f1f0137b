/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients, of whatever coding (jpeg/coding.h), to pixels by the pixel stage (pixels.h), equal
 * to libjpeg-turbo's to the bit.
 *
 * It declines (UNSUPPORTED from begin) what it does not do: doubtful colour spaces, sampling
 * factors that do not divide each other. libjpeg-turbo takes those. */
#include <pthread.h>
#include <stdatomic.h>
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
    struct native
        *others[PCRI_MOST_THREADS]; /* of further threads; those that were ever needed */
    struct division *division;      /* what its thread works on, */
    pthread_t thread;
    uint32_t failed; /* the first part of it that failed, why, */
    int rc;          /* and how; 0: none */
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
    for (uint32_t i = 0; i < PCRI_MOST_THREADS; i++)
        native_destroy(n->others[i]);
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

/* Of a thread, unscaled: fewer are not worth it. */
enum {
    LEAST_PIXELS = 1 << 17,
    PARTS_AFTER = 256,
    MOST_PARTS = PCRI_MOST_THREADS + PARTS_AFTER
};

struct division {
    const struct pcr_spans *file;
    struct pcri_decode_params params;
    struct pcri_rect window;
    struct pcri_target target;
    uint32_t tops[MOST_PARTS + 1]; /* where each part begins, and the end of the last */
    uint32_t count;
    atomic_uint next; /* part to be taken */
};

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

/* Divides the rows of d->window where decoding can begin. Each part costs a row of MCUs below it,
 * so threads begin with half of their shares; the rest is taken one by one, for segments are not
 * equally much work. */
static int divide(const struct native *n, struct division *d, uint32_t threads,
                  uint32_t entry_rows, struct pcr_error *err)
{
    const struct pcri_rect *w = &d->window;
    const uint32_t row = n->source->file->max_v * n->params.scale; /* pixels of an MCU row */
    const uint64_t bottom = (uint64_t) w->y + w->height, segment = (uint64_t) row * entry_rows;
    const uint64_t all = (w->height + segment - 1) / segment, half = all / threads / 2;
    uint64_t step = half ? half : 1;
    d->tops[0] = w->y;
    d->count = 1;
    for (uint64_t i = w->y / segment + step; i * segment < bottom; i += step) {
        uint32_t *top = &d->tops[d->count];
        int rc = find_top(n, w, (uint32_t) i * entry_rows, (uint32_t) (i * segment), top, err);
        if (rc)
            return rc;
        d->count += *top > top[-1] && *top < bottom;
        if (d->count > threads)
            step = 1 + all / PARTS_AFTER;
    }
    d->tops[d->count] = (uint32_t) bottom;
    return 0;
}

/* Makes parts until there are no more. */
static void *make_parts(void *context)
{
    struct native *n = context;
    struct division *d = n->division;
    struct pcri_stored_info info;
    struct pcr_error why;
    n->rc = 0;
    for (uint32_t i; (i = atomic_fetch_add(&d->next, 1)) < d->count;) {
        const uint32_t top = d->tops[i];
        const struct pcri_rect rows = { d->window.x, top, d->window.width,
                                        d->tops[i + 1] - top };
        struct pcri_target target = d->target;
        target.data += (size_t) (top - d->window.y) * target.stride_nbytes;
        int rc = native_begin(n, d->file, &d->params, &info, &why);
        if (!rc)
            rc = make_rows(n, &rows, &target, &why);
        if (rc && !n->rc) {
            n->failed = i;
            n->rc = rc;
            n->why = why;
        }
    }
    return NULL;
}

/* By this thread and `others` more, as far as they start. Of parts that fail the first is told. */
static int make_division(struct native *n, struct division *d, uint32_t others,
                         struct pcr_error *err)
{
    const struct native *failed = n;
    uint32_t started = 0;
    int rc = 0;
    n->division = d;
    for (bool starts = true; !rc && starts && started < others; started += starts) {
        struct native **o = &n->others[started];
        rc = *o ? 0 : native_create((void **) o, err);
        if (rc)
            break;
        (*o)->division = d;
        starts = !pcri_thread_start(&(*o)->thread, make_parts, *o, NULL);
    }
    if (rc)
        atomic_store(&d->next, d->count);
    make_parts(n);
    for (uint32_t i = 0; i < started; i++) {
        const struct native *o = n->others[i];
        pthread_join(o->thread, NULL);
        if (o->rc && (!failed->rc || o->failed < failed->failed))
            failed = o;
    }
    return rc ? rc : pcri_hand_on(err, failed->rc, &failed->why);
}

static int native_rows(void *state, const struct pcri_rect *window,
                       const struct pcri_target *target, struct pcr_error *err)
{
    struct native *n = state;
    const uint32_t scale = n->params.scale;
    uint64_t most = (uint64_t) window->width * window->height * 64 / (scale * scale);
    most /= LEAST_PIXELS;
    most = most < n->params.threads ? most : n->params.threads;
    uint32_t entry_rows = most > 1 && n->decoder->entry_rows ? n->decoder->entry_rows(n->state)
                                                             : 0;
    if (!entry_rows)
        return make_rows(n, window, target, err);
    struct division d = {
        .file = n->file, .params = n->params, .window = *window, .target = *target
    };
    int rc = divide(n, &d, (uint32_t) most, entry_rows, err);
    if (rc || d.count == 1)
        return rc ? rc : make_rows(n, window, target, err);
    const uint32_t threads = d.count < most ? d.count : (uint32_t) most;
    return make_division(n, &d, threads - 1, err);
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
