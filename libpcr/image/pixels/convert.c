/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of pixels from rows of components, in all colour spaces of JPEG files. */
#include "pixels.h"

enum { RUN = 64 }; /* pixels that go through buffers at a time */

static void store_rgb(const uint8_t *const rgb[3], size_t n, const struct pcri_rgb_row *out,
                      size_t at)
{
    if (out->planar) {
        for (int c = 0; c < 3; c++)
            memcpy(out->plane[c] + at, rgb[c], n);
        return;
    }
    const uint8_t *restrict r = rgb[0], *restrict g = rgb[1], *restrict b = rgb[2];
    uint8_t *restrict dst = out->plane[0] + 3 * at;
    for (size_t i = 0; i < n; i++) {
        dst[3 * i] = r[i];
        dst[3 * i + 1] = g[i];
        dst[3 * i + 2] = b[i];
    }
}

static void luma_of_rgb(const uint8_t *const rgb[3], size_t n, uint8_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = pcri_luma(rgb[0][i], rgb[1][i], rgb[2][i]);
}

/* The inks of at most RUN pixels of CMYK or YCCK: C, M and Y. A file holds 255 less the inks, and
 * its YCCK is that of the inks, whose RGB they are. */
static void run_of_inks(const struct pcri_pixel_plan *plan, const struct pcri_kernels *kernels,
                        const uint8_t *const rows[4], size_t at, size_t n,
                        uint8_t inks[3][RUN])
{
    const struct pcri_rgb_row ink_row = { { inks[0], inks[1], inks[2] }, true };
    if (plan->from == PCRI_JPEG_YCCK) {
        kernels->ycc_to_rgb(rows[0] + at, rows[1] + at, rows[2] + at, n, &ink_row);
        return;
    }
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < n; i++)
            inks[c][i] = (uint8_t) (255 - rows[c][at + i]);
}

static void run_of_rgb(const struct pcri_pixel_plan *plan, const struct pcri_kernels *kernels,
                       const uint8_t *const rows[4], size_t at, size_t n, uint8_t rgb[3][RUN])
{
    const uint8_t *black = rows[3] + at;
    run_of_inks(plan, kernels, rows, at, n, rgb);
    for (int c = 0; c < 3; c++)
        for (size_t i = 0; i < n; i++) { /* rounded division by 255 */
            unsigned rest = 255u - rgb[c][i];
            rgb[c][i] = (uint8_t) ((rest * black[i] * 2 + 255) / 510);
        }
}

void pcri_convert_inks(const struct pcri_pixel_plan *plan, const struct pcri_kernels *kernels,
                       const uint8_t *const rows[4], size_t n, uint8_t *out)
{
    uint8_t inks[3][RUN];
    for (size_t at = 0; at < n; at += RUN) {
        size_t m = n - at < RUN ? n - at : RUN;
        run_of_inks(plan, kernels, rows, at, m, inks);
        for (size_t i = 0; i < m; i++, out += 4) {
            out[0] = inks[0][i];
            out[1] = inks[1][i];
            out[2] = inks[2][i];
            out[3] = (uint8_t) (255 - rows[3][at + i]);
        }
    }
}

void pcri_convert_gray(const struct pcri_pixel_plan *plan, const struct pcri_kernels *kernels,
                       const uint8_t *const rows[4], size_t n, uint8_t *out)
{
    uint8_t rgb[3][RUN];
    const uint8_t *const planes[3] = { rgb[0], rgb[1], rgb[2] };
    if (plan->from == PCRI_JPEG_RGB) {
        luma_of_rgb(rows, n, out);
        return;
    }
    if (plan->from == PCRI_JPEG_GRAY || plan->from == PCRI_JPEG_YCC) {
        memcpy(out, rows[0], n);
        return;
    }
    for (size_t at = 0; at < n; at += RUN) {
        size_t m = n - at < RUN ? n - at : RUN;
        run_of_rgb(plan, kernels, rows, at, m, rgb);
        luma_of_rgb(planes, m, out + at);
    }
}

void pcri_convert_rgb(const struct pcri_pixel_plan *plan, const struct pcri_kernels *kernels,
                      const uint8_t *const rows[4], size_t n, const struct pcri_rgb_row *out)
{
    uint8_t rgb[3][RUN];
    const uint8_t *const planes[3] = { rgb[0], rgb[1], rgb[2] };
    const uint8_t *const gray[3] = { rows[0], rows[0], rows[0] };
    if (plan->from == PCRI_JPEG_YCC) {
        kernels->ycc_to_rgb(rows[0], rows[1], rows[2], n, out);
    } else if (plan->from == PCRI_JPEG_GRAY) {
        store_rgb(gray, n, out, 0);
    } else if (plan->from == PCRI_JPEG_RGB) {
        store_rgb(rows, n, out, 0);
    } else {
        for (size_t at = 0; at < n; at += RUN) {
            size_t m = n - at < RUN ? n - at : RUN;
            run_of_rgb(plan, kernels, rows, at, m, rgb);
            store_rgb(planes, m, out, at);
        }
    }
}
