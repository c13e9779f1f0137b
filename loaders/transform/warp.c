/* SPDX-License-Identifier: BSD-2-Clause */
/* Affine maps of pixels, one row of the result after another. */
#include "warp.h"

/* Places have 32 bits after the point. */
#define ONE 4294967296.0

void pcri_warper_free(struct pcri_warper *w)
{
    pcr_buffer_free(&w->framed);
    pcr_buffer_free(&w->offsets);
    pcr_buffer_free(&w->fractions);
}

/* A copy of a plane with a border of one pixel, in which the outermost are repeated. */
static void frame(const uint8_t *src, uint32_t width, uint32_t height, uint8_t *dst)
{
    size_t stride = (size_t) width + 2;
    for (uint32_t y = 0; y < height; y++, src += width) {
        uint8_t *row = dst + (y + 1) * stride;
        memcpy(row + 1, src, width);
        row[0] = src[0];
        row[width + 1] = src[width - 1];
    }
    memcpy(dst, dst + stride, stride);
    memcpy(dst + (height + 1) * stride, dst + height * stride, stride);
}

/* A line of places: the first pixel's centre, and the step to the next. */
struct line {
    int64_t x, y, dx, dy;
};

/* The edges of a picture are where Pillow's arithmetic finds them: in binary64 where it
 * interpolates, in its fixed point for the nearest pixel. */
static bool is_inside(const struct pcr_loader_options *o, const double *m,
                      const struct line *l, uint32_t i, uint32_t y)
{
    const uint32_t width = o->output.width, height = o->output.height;
    if (o->transform.filter == PCR_FILTER_NEAREST) {
        int64_t u = l->x + i * l->dx, v = l->y + i * l->dy;
        return u >= 0 && v >= 0 && u < (int64_t) width << 32 && v < (int64_t) height << 32;
    }
    double u = m[0] * (i + 0.5) + m[1] * (y + 0.5) + m[2];
    double v = m[3] * (i + 0.5) + m[4] * (y + 0.5) + m[5];
    return u >= 0 && v >= 0 && u < width && v < height;
}

static int reserve(struct pcri_warper *w, uint32_t width, uint32_t height, uint32_t channels,
                   struct pcr_error *err)
{
    /* The options' sizes are at most 2^16 and their product 2^30. */
    size_t framed = ((size_t) width + 2) * ((size_t) height + 2);
    int rc = pcri_buffer_reserve(&w->framed, framed * channels + PCRI_TURN_SLACK, err);
    if (!rc)
        rc = pcri_buffer_reserve(&w->offsets, width * sizeof(int32_t), err);
    if (!rc)
        rc = pcri_buffer_reserve(&w->fractions, width * sizeof(uint32_t), err);
    return rc;
}

/* The places of row y. */
static struct line line_of(const double *m, uint32_t y)
{
    return (struct line) {
        .x = llrint((m[0] * 0.5 + m[1] * (y + 0.5) + m[2]) * ONE),
        .y = llrint((m[3] * 0.5 + m[4] * (y + 0.5) + m[5]) * ONE),
        .dx = llrint(m[0] * ONE),
        .dy = llrint(m[3] * ONE),
    };
}

/* As Pillow counts in 16 bits after the point: to the nearest, halfway up. */
static int64_t fixed(double v)
{
    return (int64_t) floor(v * 65536 + 0.5) * 65536;
}

static struct line fixed_line_of(const double *m, uint32_t y)
{
    return (struct line) {
        .x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5) + y * fixed(m[1]),
        .y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5) + y * fixed(m[4]),
        .dx = fixed(m[0]),
        .dy = fixed(m[3]),
    };
}

/* Row y of the result, in all planes: a line through the picture, which it enters once. */
static void warp_row(struct pcri_warper *w, const struct pcri_pixel_loops *loops,
                     const struct pcr_loader_options *o, const double *m, uint32_t y,
                     uint8_t *const *planes, uint32_t channels)
{
    uint32_t width = o->output.width, height = o->output.height, begin = 0, end = width;
    size_t stride = (size_t) width + 2, framed = stride * ((size_t) height + 2);
    int32_t *offsets = (int32_t *) (void *) w->offsets.data;
    uint32_t *fractions = (uint32_t *) (void *) w->fractions.data;
    /* In the framed plane pixels begin one further; between their centres, half a pixel less. */
    const bool nearest = o->transform.filter == PCR_FILTER_NEAREST;
    const struct line l = nearest ? fixed_line_of(m, y) : line_of(m, y);
    const int64_t shift = nearest ? INT64_C(1) << 32 : INT64_C(1) << 31;
    while (begin < end && !is_inside(o, m, &l, begin, y))
        begin++;
    while (end > begin && !is_inside(o, m, &l, end - 1, y))
        end--;
    loops->places((uint64_t) (l.x + begin * l.dx + shift),
                  (uint64_t) (l.y + begin * l.dy + shift), (uint64_t) l.dx, (uint64_t) l.dy,
                  stride, end - begin, offsets, fractions);
    if (nearest)
        memset(fractions, 0, (end - begin) * sizeof(*fractions));
    for (uint32_t i = 0; i < channels; i++) {
        uint8_t *row = planes[i] + (size_t) y * width;
        memset(row, o->transform.fill[i], begin);
        loops->sample(w->framed.data + i * framed, stride, offsets, fractions, end - begin,
                      row + begin);
        memset(row + end, o->transform.fill[i], width - end);
    }
}

int pcri_warp(struct pcri_warper *w, const struct pcri_pixel_loops *loops,
              const struct pcr_loader_options *o, const struct pcri_affine *from,
              uint8_t *const *planes, uint32_t channels, struct pcr_error *err)
{
    const uint32_t width = o->output.width, height = o->output.height;
    const size_t framed = ((size_t) width + 2) * ((size_t) height + 2);
    int rc = reserve(w, width, height, channels, err);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < channels; i++)
        frame(planes[i], width, height, w->framed.data + i * framed);
    memset(w->framed.data + channels * framed, 0, PCRI_TURN_SLACK);
    for (uint32_t y = 0; y < height; y++)
        warp_row(w, loops, o, from->m, y, planes, channels);
    return 0;
}
