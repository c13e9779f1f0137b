/* SPDX-License-Identifier: BSD-2-Clause */
/* Resizes a window with an antialiased triangle filter.
 *
 * Each output pixel is a weighted mean of the input pixels under a triangle whose centre is
 * the output pixel's centre, in input coordinates, and whose half width is one input pixel
 * or, when shrinking, one output pixel (so nothing between samples is passed over). The
 * geometry is Pillow's: the triangle may reach out of the window, but not out of the image,
 * and the weights that are left are scaled to a sum of one.
 *
 * The filter is separable. Columns come first, since that pass works on whole rows of bytes,
 * which compilers turn into vector code, and leaves fewer pixels to the second. Weights have
 * 14 bits, and what passes between them 15 (a byte and 7 bits of fraction), so that both
 * fit 16-bit multiplications, and only the final result is rounded to a byte. */
#include <math.h>

#include "image.h"

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* Rounds the running sum, not each weight: the rounded weights then add up to one exactly,
 * and the errors of neighbours cancel. */
static void put_weights(const struct pcri_tap *t, double centre, double scale, int16_t *out)
{
    double total = 0, sum = 0;
    for (uint32_t k = 0; k < t->count; k++)
        total += triangle((t->begin + k - centre + 0.5) / scale);
    int before = 0;
    for (uint32_t k = 0; k < t->count; k++) {
        sum += triangle((t->begin + k - centre + 0.5) / scale);
        int now = (int) (sum / total * (1 << PCRI_WEIGHT_BITS) + 0.5);
        out[k] = (int16_t) (now - before);
        before = now;
    }
}

/* The filter from the window [from, to) of in_size samples to out_size samples; its memory
 * is `b`'s. */
static int make_filter(struct pcr_buffer *b, uint32_t in_size, double from, double to,
                       uint32_t out_size, struct pcri_filter *f, struct pcr_error *err)
{
    double step = (to - from) / out_size, scale = step < 1 ? 1 : step;
    size_t width = (size_t) ceil(scale) * 2 + 1, taps_nbytes, weights_nbytes, total;
    if (width > in_size)
        width = in_size;
    width += width & 1;
    if (!pcri_mul(out_size, sizeof(struct pcri_tap), &taps_nbytes) ||
        !pcri_mul(width * sizeof(int16_t), out_size, &weights_nbytes) ||
        !pcri_add(taps_nbytes, weights_nbytes, &total))
        return pcri_fail_nomem(err, out_size);
    int rc = pcri_buffer_reserve(b, total, err);
    if (rc)
        return rc;

    struct pcri_tap *taps = (struct pcri_tap *) (void *) b->data;
    int16_t *weights = (int16_t *) (void *) (b->data + taps_nbytes);
    *f = (struct pcri_filter) { taps, weights, 0, in_size, 0 };
    memset(weights, 0, weights_nbytes);
    for (uint32_t i = 0; i < out_size; i++) {
        double centre = from + (i + 0.5) * step;
        double low = centre - scale + 0.5, high = centre + scale + 0.5;
        uint32_t begin = low > 0 ? (uint32_t) low : 0;
        uint32_t end = high < in_size ? (uint32_t) high : in_size;
        taps[i] = (struct pcri_tap) { begin, end - begin, (size_t) i * width };
        put_weights(&taps[i], centre, scale, weights + taps[i].first);
        f->most = end - begin > f->most ? end - begin : f->most;
        f->begin = begin < f->begin ? begin : f->begin;
        f->end = end > f->end ? end : f->end;
    }
    f->most += f->most & 1;
    return 0;
}

static int check(uint32_t flags, uint32_t channels, struct pcr_error *err)
{
    if (channels != 1 && channels != 3)
        return pcri_fail(err, PCR_ERR_INVAL, "%u channels, expected 1 or 3",
                         (unsigned) channels);
    if (flags & ~(uint32_t) (PCR_RESIZE_FLIP | PCR_RESIZE_PLANAR))
        return pcri_fail(err, PCR_ERR_INVAL, "unknown resize flags 0x%x", (unsigned) flags);
    return 0;
}

static int check_window(struct pcr_resize_options *o, uint32_t width, uint32_t height,
                        uint32_t dst_width, uint32_t dst_height, struct pcr_error *err)
{
    if (o->x0 == 0 && o->y0 == 0 && o->x1 == 0 && o->y1 == 0) {
        o->x1 = width;
        o->y1 = height;
    }
    /* Written so that a NaN fails. */
    if (!(o->x0 >= 0 && o->x0 < o->x1 && o->x1 <= width && o->y0 >= 0 && o->y0 < o->y1 &&
          o->y1 <= height))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "window [%g, %g) x [%g, %g) is empty or outside %u x %u pixels",
                         o->x0, o->x1, o->y0, o->y1, (unsigned) width, (unsigned) height);
    if (!dst_width || !dst_height)
        return pcri_fail(err, PCR_ERR_INVAL, "resize to %u x %u pixels",
                         (unsigned) dst_width, (unsigned) dst_height);
    return 0;
}

int pcri_resize_plan(struct pcr_decoder *d, const struct pcr_resize_options *opts,
                     uint32_t width, uint32_t height, uint32_t channels, uint32_t dst_width,
                     uint32_t dst_height, struct pcri_resize_plan *out,
                     struct pcr_error *err)
{
    struct pcr_resize_options o;
    int rc = pcri_options_copy(&o, sizeof(o), opts, "pcr_resize_options", err);
    if (rc || (rc = check(o.flags, channels, err)) ||
        (rc = check_window(&o, width, height, dst_width, dst_height, err)) ||
        (rc = make_filter(&d->taps[0], width, o.x0, o.x1, dst_width, &out->across, err)) ||
        (rc = make_filter(&d->taps[1], height, o.y0, o.y1, dst_height, &out->down, err)))
        return rc;
    out->flags = o.flags;
    out->channels = channels;
    out->dst_width = dst_width;
    out->dst_height = dst_height;
    return 0;
}

int pcri_resize_run(struct pcr_decoder *d, const struct pcri_resize_plan *plan,
                    const uint8_t *src, size_t stride_nbytes, uint32_t x, uint32_t y,
                    uint8_t *dst, struct pcr_error *err)
{
    const struct pcri_filter *across = &plan->across, *down = &plan->down;
    const struct pcri_resize_rows *rows = d->resize_rows;
    uint32_t channels = plan->channels, width = plan->dst_width;
    size_t columns = (size_t) (across->end - across->begin) * channels;
    size_t padding = (size_t) across->most * channels + PCRI_BETWEEN_PADDING, nbytes;
    if (!pcri_mul(columns + padding, sizeof(uint16_t), &nbytes))
        return pcri_fail_nomem(err, columns);
    int rc = pcri_buffer_reserve(&d->between, nbytes, err);
    if (rc)
        return rc;
    bool planar = channels > 1 && plan->flags & PCR_RESIZE_PLANAR;
    bool flip = plan->flags & PCR_RESIZE_FLIP;
    size_t plane = planar ? (size_t) width * plan->dst_height : 0;
    uint16_t *between = (uint16_t *) (void *) d->between.data;
    memset(between + columns, 0, padding * sizeof(*between));
    src += (size_t) (across->begin - x) * channels;
    for (uint32_t i = 0; i < plan->dst_height; i++) {
        const struct pcri_tap *t = &down->taps[i];
        uint8_t *row = dst + (size_t) i * width * (planar ? 1 : channels);
        rows->blend(src + (t->begin - y) * stride_nbytes, stride_nbytes,
                    down->weights + t->first, t->count, between, columns);
        if (channels == 1)
            rows->shrink_gray(across, between, flip, row, width);
        else
            rows->shrink_rgb(across, between, flip, row, plane, width);
    }
    return 0;
}

int pcr_resize(struct pcr_decoder *d, const uint8_t *src, uint32_t src_width,
               uint32_t src_height, uint32_t channels,
               const struct pcr_resize_options *opts, uint8_t *dst, uint32_t dst_width,
               uint32_t dst_height, struct pcr_error *err)
{
    struct pcri_resize_plan plan;
    if (!d || !src || !dst)
        return pcri_fail(err, PCR_ERR_INVAL, "no decoder, source or destination");
    int rc = pcri_resize_plan(d, opts, src_width, src_height, channels, dst_width, dst_height,
                              &plan, err);
    return rc ? rc : pcri_resize_run(d, &plan, src, (size_t) src_width * channels, 0, 0, dst,
                                     err);
}
