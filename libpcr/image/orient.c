/* SPDX-License-Identifier: BSD-2-Clause */
/* The eight EXIF orientations: turns a stored picture upright. */
#include <pthread.h>
#include <stdatomic.h>

#include "image.h"

/* Pixel (x, y) of the upright picture lies at origin + x * step_x + y * step_y bytes of the
 * stored one. */
struct pixel_walk {
    ptrdiff_t origin, step_x, step_y;
};

static struct pixel_walk plan(uint32_t width, uint32_t height, uint32_t channels,
                              uint32_t orientation)
{
    ptrdiff_t px = channels, row = (ptrdiff_t) width * channels;
    ptrdiff_t right = (ptrdiff_t) (width - 1) * px, bottom = (ptrdiff_t) (height - 1) * row;
    switch (orientation) {
    case 2:
        return (struct pixel_walk) { right, -px, row };
    case 3:
        return (struct pixel_walk) { right + bottom, -px, -row };
    case 4:
        return (struct pixel_walk) { bottom, px, -row };
    case 5:
        return (struct pixel_walk) { 0, row, px };
    case 6:
        return (struct pixel_walk) { bottom, -row, px };
    case 7:
        return (struct pixel_walk) { right + bottom, -row, -px };
    default: /* 8 */
        return (struct pixel_walk) { right, row, -px };
    }
}

struct pcri_rect pcri_orient_window(struct pcri_rect upright, uint32_t width, uint32_t height,
                                    uint32_t orientation)
{
    const bool swap = pcri_orientation_swaps(orientation);
    struct pcri_rect w = upright;
    if (pcri_orientation_mirrors(orientation, false))
        w.x = (swap ? height : width) - w.x - w.width;
    if (pcri_orientation_mirrors(orientation, true))
        w.y = (swap ? width : height) - w.y - w.height;
    return swap ? (struct pcri_rect) { w.y, w.x, w.height, w.width } : w;
}

/* Three channels: of all pixels but the last the byte behind is copied, too. */
static void copy_row(const uint8_t *src, ptrdiff_t step, uint32_t channels, uint8_t *dst,
                     uint32_t count)
{
    if (channels == 1) {
        for (uint32_t x = 0; x < count; x++, src += step)
            dst[x] = *src;
        return;
    }
    for (; count > 1; count--, src += step, dst += 3)
        memcpy(dst, src, 4);
    memcpy(dst, src, 3);
}

struct turning {
    const uint8_t *src;
    struct pixel_walk walk;
    uint32_t channels, width, height; /* of the upright picture */
    uint32_t band;                    /* of its pixels that are taken at a time */
    uint8_t *dst;
    size_t stride_nbytes;
    atomic_uint next; /* row to be taken */
};

/* Columns of the source become rows in orientations 5 to 8. So many at a time read whole cache
 * lines of the source, and few pixels of each are as many source lines as a set of the first cache
 * holds, whatever the stride. */
enum { ROWS = 256, FEW = 8 };
/* Of a thread: fewer are not worth it. */
enum { LEAST_PIXELS = 1 << 19 };

static void *turn_rows(void *context)
{
    struct turning *t = context;
    const struct pixel_walk w = t->walk;
    for (uint32_t top; (top = atomic_fetch_add(&t->next, ROWS)) < t->height;) {
        const uint32_t bottom = t->height - top < ROWS ? t->height : top + ROWS;
        for (uint32_t x = 0; x < t->width; x += t->band) {
            const uint32_t count = t->width - x < t->band ? t->width - x : t->band;
            for (uint32_t y = top; y < bottom; y++)
                copy_row(t->src + w.origin + (ptrdiff_t) x * w.step_x +
                             (ptrdiff_t) y * w.step_y,
                         w.step_x, t->channels,
                         t->dst + y * t->stride_nbytes + (size_t) x * t->channels, count);
        }
    }
    return NULL;
}

void pcri_orient(const uint8_t *src, uint32_t width, uint32_t height, uint32_t channels,
                 uint32_t orientation, uint32_t threads, uint8_t *dst,
                 size_t dst_stride_nbytes)
{
    const bool swap = pcri_orientation_swaps(orientation);
    const uint64_t most = (uint64_t) width * height / LEAST_PIXELS;
    struct turning t = { .src = src,
                         .walk = plan(width, height, channels, orientation),
                         .channels = channels,
                         .width = swap ? height : width,
                         .height = swap ? width : height,
                         .band = swap ? FEW : width,
                         .dst = dst,
                         .stride_nbytes = dst_stride_nbytes };
    pthread_t others[PCRI_MOST_THREADS];
    uint32_t started = 0;
    while (started + 1 < threads && started + 1 < most &&
           !pcri_thread_start(&others[started], turn_rows, &t, NULL))
        started++;
    turn_rows(&t);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(others[i], NULL);
}
