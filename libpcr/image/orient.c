/* SPDX-License-Identifier: BSD-2-Clause */
/* The eight EXIF orientations: turns a stored picture upright. */
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

void pcri_orient(const uint8_t *src, uint32_t width, uint32_t height, uint32_t channels,
                 uint32_t orientation, uint8_t *dst, size_t dst_stride_nbytes)
{
    /* Columns of the source become rows in orientations 5 to 8. So many at a time read whole cache
     * lines of the source, and few pixels of each are as many source lines as a set of the first
     * cache holds, whatever the stride. */
    enum { ROWS = 256, FEW = 8 };
    const struct pixel_walk w = plan(width, height, channels, orientation);
    const bool swap = pcri_orientation_swaps(orientation);
    const uint32_t out_width = swap ? height : width, out_height = swap ? width : height;
    const uint32_t band = swap ? FEW : out_width;

    for (uint32_t top = 0; top < out_height; top += ROWS) {
        const uint32_t bottom = out_height - top < ROWS ? out_height : top + ROWS;
        for (uint32_t x = 0; x < out_width; x += band) {
            const uint32_t count = out_width - x < band ? out_width - x : band;
            for (uint32_t y = top; y < bottom; y++)
                copy_row(src + w.origin + (ptrdiff_t) x * w.step_x + (ptrdiff_t) y * w.step_y,
                         w.step_x, channels,
                         dst + y * dst_stride_nbytes + (size_t) x * channels, count);
        }
    }
}
