/* SPDX-License-Identifier: BSD-2-Clause */
/* What of each component a window of the picture needs, at what scale. */
#include "pixels.h"

static int find_color(const struct pcri_jpeg_file *f, struct pcri_pixel_plan *out)
{
    const struct pcri_component *c = f->components;
    switch (f->component_count) {
    case 1:
        out->from = PCRI_JPEG_GRAY;
        return 0;
    case 3:
        /* libjpeg takes three components for RGB or YCbCr by markers and identifiers; if both
         * are plausible it has rules of its own. */
        out->from = f->ycc ? PCRI_JPEG_YCC : PCRI_JPEG_RGB;
        if (f->has_jfif)
            return 0;
        if (f->has_adobe)
            return f->adobe_transform > 1;
        return f->ycc && !(c[0].id == 1 && c[1].id == 2 && c[2].id == 3);
    case 4:
        out->from = f->has_adobe && f->adobe_transform ? PCRI_JPEG_YCCK : PCRI_JPEG_CMYK;
        return f->has_adobe && f->adobe_transform != 0 && f->adobe_transform != 2;
    default:
        return 1;
    }
}

/* A block's size after the inverse DCT. As in libjpeg, subsampled components are scaled less
 * if that saves upsampling. */
static uint32_t block_size(const struct pcri_jpeg_file *f, const struct pcri_component *c,
                           uint32_t scale)
{
    uint32_t size = scale;
    while (size < 8 && f->max_h * scale % (c->h * size * 2) == 0 &&
           f->max_v * scale % (c->v * size * 2) == 0)
        size *= 2;
    return size;
}

/* Samples of n pixels (unscaled) of a component with factor `factor` of `max`. */
static uint32_t sample_count(uint32_t n, uint32_t factor, uint32_t size, uint32_t max)
{
    return (uint32_t) (((uint64_t) n * factor * size + 8 * max - 1) / (8 * max));
}

/* The range of blocks that pixels [begin, end) need, with the filter's neighbours. */
static void block_range(uint32_t begin, uint32_t end, uint32_t step, bool smooth,
                        uint32_t samples, uint32_t size, uint32_t *begin_out,
                        uint32_t *end_out)
{
    uint32_t first = begin / step, last = (end - 1) / step;
    if (smooth) {
        first -= first > 0;
        last += last + 1 < samples;
    }
    *begin_out = first / size;
    *end_out = last / size + 1;
}

/* Sizes, before the window matters. */
static int plan_component(const struct pcri_jpeg_file *f, uint32_t scale,
                          const struct pcri_component *c, struct pcri_component_plan *out)
{
    uint32_t size = out->size = block_size(f, c, scale);
    if (f->max_h * scale % (c->h * size) || f->max_v * scale % (c->v * size))
        return 1;
    out->h = f->max_h * scale / (c->h * size);
    out->v = f->max_v * scale / (c->v * size);
    out->width = sample_count(f->width, c->h, size, f->max_h);
    out->height = sample_count(f->height, c->v, size, f->max_v);
    bool h2 = out->h == 2 && out->v <= 2 && out->width > 2;
    out->smooth_h = scale > 1 && h2;
    out->smooth_v = scale > 1 && out->v == 2 && (h2 || out->h == 1);
    return 0;
}

int pcri_pixels_plan(const struct pcri_jpeg_file *f, const struct pcri_decode_params *params,
                     const struct pcri_rect *window, struct pcri_pixel_plan *out,
                     struct pcr_error *err)
{
    *out = (struct pcri_pixel_plan) { .window = *window,
                                      .color = params->color,
                                      .component_count = f->component_count,
                                      .identical = params->identical };
    if (find_color(f, out))
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "JPEG: %u components of a colour space that only libjpeg handles",
                         (unsigned) f->component_count);
    bool luma_alone = out->from == PCRI_JPEG_YCC && params->color == PCR_COLOR_GRAY;
    uint32_t step = 1; /* the least common multiple of the components' h */
    for (uint32_t i = 0; i < f->component_count; i++) {
        struct pcri_component_plan *c = &out->components[i];
        uint32_t before = step;
        if (plan_component(f, params->scale, &f->components[i], c))
            return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                             "JPEG: component %u's sampling factors "
                             "%ux%u do not divide %ux%u",
                             (unsigned) i, (unsigned) f->components[i].h,
                             (unsigned) f->components[i].v, (unsigned) f->max_h,
                             (unsigned) f->max_v);
        c->needed = i == 0 || !luma_alone;
        while (step % c->h)
            step += before;
    }
    out->left = window->x - window->x % step;
    for (uint32_t i = 0; i < f->component_count; i++) {
        struct pcri_component_plan *c = &out->components[i];
        block_range(out->left, window->x + window->width, c->h, c->smooth_h, c->width, c->size,
                    &c->column_begin, &c->column_end);
        block_range(window->y, window->y + window->height, c->v, c->smooth_v, c->height,
                    c->size, &c->row_begin, &c->row_end);
    }
    return 0;
}
