/* SPDX-License-Identifier: BSD-2-Clause */
/* Exact pictures: a JPEG of whatever coding, and the residual that makes its pixels those of the
 * source (residual.h). To a smaller size it is decoded as the JPEG. */
#include <stdlib.h>

#include "../../residual/residual.h"
#include "codec.h"

struct exact {
    void *jpeg;                       /* a state of pcri_codec_native */
    const struct pcri_codec *decoder; /* that one */
    struct pcr_spans spans;           /* the JPEG's, a part of the file's list */
    struct pcr_span residual;
    struct pcri_rs_reader reader;
    struct pcri_decode_params params;
    struct pcri_stored_info stored;
    struct pcr_buffer pixels, line;
};

static int exact_create(void **state_out, struct pcr_error *err)
{
    struct exact *e = pcri_calloc(1, sizeof(*e), err);
    *state_out = e;
    if (!e)
        return PCR_ERR_NOMEM;
    e->decoder = &pcri_codec_native;
    int rc = e->decoder->create(&e->jpeg, err);
    if (rc) {
        free(e);
        *state_out = NULL;
    }
    return rc;
}

static void exact_destroy(void *state)
{
    struct exact *e = state;
    if (!e)
        return;
    e->decoder->destroy(e->jpeg);
    pcri_rs_free(&e->reader);
    pcr_buffer_free(&e->pixels);
    pcr_buffer_free(&e->line);
    free(e);
}

static bool is_scaled(const struct exact *e)
{
    return e->params.scale != 8;
}

static int exact_begin(void *state, const struct pcr_spans *file,
                       const struct pcri_decode_params *params,
                       struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct exact *e = state;
    struct pcri_decode_params jpeg = *params;
    e->params = *params;
    e->residual = pcri_rs_find(file);
    if (!e->residual.data)
        return pcri_fail(err, PCR_ERR_CORRUPT, "an exact picture without its residual");
    e->spans = (struct pcr_spans) { .items = file->items, .count = file->count - 2 };
    if (!is_scaled(e))
        jpeg.color = PCR_COLOR_RGB;
    int rc = e->decoder->begin(e->jpeg, &e->spans, &jpeg, &e->stored, err);
    const bool gray = e->stored.component_count == 1;
    if (!rc && !gray && e->stored.component_count != 3)
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "a residual of %u components",
                       (unsigned) e->stored.component_count);
    if (!rc && !is_scaled(e) && gray) {
        jpeg.color = PCR_COLOR_GRAY;
        rc = e->decoder->begin(e->jpeg, &e->spans, &jpeg, &e->stored, err);
    }
    *info_out = e->stored;
    return rc;
}

/* The strips that a window is in, whole. */
static struct pcri_rect strips_of(const struct exact *e, const struct pcri_rect *w)
{
    const uint32_t rows = e->reader.strip_rows, bottom = w->y + w->height;
    const uint32_t top = w->y - w->y % rows;
    const uint64_t end = ((uint64_t) bottom + rows - 1) / rows * rows;
    return (struct pcri_rect) { 0, top, e->stored.width,
                                (uint32_t) (end < e->stored.height ? end : e->stored.height) -
                                    top };
}

/* Of all rows, as the residual, which says how many a strip has, is not read yet. */
static uint64_t exact_held(void *state, const struct pcri_rect *window)
{
    const struct exact *e = state;
    const struct pcri_rect all = { 0, 0, e->stored.width, e->stored.height };
    if (is_scaled(e))
        return e->decoder->held(e->jpeg, window);
    return e->decoder->held(e->jpeg, &all) +
           (uint64_t) all.width * all.height * e->stored.component_count;
}

/* Makes the pixels of whole strips exact. */
static int make_strips(struct exact *e, const struct pcri_rect *strips,
                       const struct pcri_target *to, struct pcr_error *err)
{
    const uint32_t rows = e->reader.strip_rows;
    int rc = e->decoder->rows(e->jpeg, strips, to, err);
    for (uint32_t y = 0; y < strips->height && !rc; y += rows)
        rc = pcri_rs_apply(&e->reader, (strips->y + y) / rows,
                           to->data + (size_t) y * to->stride_nbytes, to->stride_nbytes, err);
    return rc;
}

/* A row of exact pixels in the colours that are wanted. */
static const uint8_t *convert(struct exact *e, const uint8_t *pixels, uint32_t n)
{
    const bool to_gray = e->params.color == PCR_COLOR_GRAY;
    uint8_t *line = e->line.data;
    if (to_gray == (e->stored.component_count == 1))
        return pixels;
    for (uint32_t x = 0; x < n; x++) {
        if (to_gray)
            line[x] = pcri_luma(pixels[3 * x], pixels[3 * x + 1], pixels[3 * x + 2]);
        else
            line[3 * x] = line[3 * x + 1] = line[3 * x + 2] = pixels[x];
    }
    return line;
}

static bool is_direct(const struct exact *e, const struct pcri_rect *strips,
                      const struct pcri_rect *w, const struct pcri_target *target)
{
    return w->width == strips->width && w->y == strips->y && w->height == strips->height &&
           !target->plane_nbytes &&
           (e->params.color == PCR_COLOR_GRAY) == (e->stored.component_count == 1);
}

static int exact_rows(void *state, const struct pcri_rect *w, const struct pcri_target *target,
                      struct pcr_error *err)
{
    struct exact *e = state;
    if (is_scaled(e))
        return e->decoder->rows(e->jpeg, w, target, err);
    const uint32_t channels = e->stored.component_count;
    int rc = pcri_rs_open(&e->reader, &e->residual, e->stored.width, e->stored.height,
                          channels, err);
    if (rc)
        return rc;
    const struct pcri_rect strips = strips_of(e, w);
    if (is_direct(e, &strips, w, target))
        return make_strips(e, &strips, target, err);
    struct pcri_target all = { .stride_nbytes = (size_t) strips.width * channels };
    size_t total;
    if (!pcri_mul(all.stride_nbytes, strips.height, &total))
        return pcri_fail_nomem(err, SIZE_MAX);
    rc = pcri_buffer_renew(&e->pixels, total, err);
    if (!rc)
        rc = pcri_buffer_reserve(&e->line, (size_t) w->width * 3, err);
    all.data = e->pixels.data;
    if (!rc)
        rc = make_strips(e, &strips, &all, err);
    const uint8_t *from = all.data + (w->y - strips.y) * all.stride_nbytes +
                          (size_t) w->x * channels;
    for (uint32_t y = 0; y < w->height && !rc; y++, from += all.stride_nbytes)
        pcri_store_row(target, y, convert(e, from, w->width), w->width,
                       e->params.color == PCR_COLOR_GRAY ? 1 : 3);
    return rc;
}

static void exact_end(void *state)
{
    struct exact *e = state;
    e->decoder->end(e->jpeg);
}

const struct pcri_codec pcri_codec_exact = {
    .name = "exact picture",
    .in_pieces = true,
    .create = exact_create,
    .destroy = exact_destroy,
    .begin = exact_begin,
    .held = exact_held,
    .rows = exact_rows,
    .end = exact_end,
};
