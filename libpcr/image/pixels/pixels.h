/* SPDX-License-Identifier: BSD-2-Clause */
/* From a JPEG file's coefficients to pixels: inverse DCT, upsampling and colour conversion,
 * a few rows at a time, of just the blocks that a window needs. */
#ifndef PCRI_PIXELS_H
#define PCRI_PIXELS_H

#include "../../jpeg/coding.h"
#include "kernels.h"
#include "target.h"

/* One component's part of the work. Samples are counted at its own (scaled) resolution. */
struct pcri_component_plan {
    bool needed;
    uint32_t size;                     /* of a block after the inverse DCT, each way */
    uint32_t h, v;                     /* pixels that a sample covers, across and down */
    bool smooth_h, smooth_v;           /* by the triangle filter; else samples are repeated */
    uint32_t width, height;            /* samples of the whole picture */
    uint32_t column_begin, column_end; /* blocks that the window needs */
    uint32_t row_begin, row_end;       /* block rows that the window needs */
};

enum pcri_jpeg_color { /* of the file */
                       PCRI_JPEG_GRAY,
                       PCRI_JPEG_YCC,
                       PCRI_JPEG_RGB,
                       PCRI_JPEG_CMYK,
                       PCRI_JPEG_YCCK,
};

struct pcri_pixel_plan {
    struct pcri_rect window; /* of the scaled picture, as stored */
    struct pcri_component_plan components[4];
    uint32_t component_count;
    uint32_t left;  /* where rows begin: at or a few pixels before the window */
    uint32_t color; /* wanted: PCR_COLOR_RGB, PCR_COLOR_GRAY or PCRI_COLOR_INKS */
    enum pcri_jpeg_color from;
    bool identical; /* coefficients as they are */
};

/* What the window needs of each component. `scale` is that of pcr_decode_options, 1 to 8.
 * UNSUPPORTED for colour spaces and sampling factors that this does not do. */
int pcri_pixels_plan(const struct pcri_jpeg_file *f, const struct pcri_decode_params *params,
                     const struct pcri_rect *window, struct pcri_pixel_plan *out,
                     struct pcr_error *err);

/* The stage's memory; one thread at a time. */
struct pcri_pixels {
    const struct pcri_kernels *kernels;
    struct pcri_dequant dequant[4];
    struct pcr_buffer memory;
    struct {              /* parts of `memory` */
        uint8_t *rows[2]; /* samples of two block rows, used in turn */
        uint32_t turn;    /* the last one */
        size_t stride_nbytes;
        size_t step_nbytes[2];     /* from row to row of each: 0 where all rows are the same */
        uint32_t next_y;           /* the first row of the next block row to transform */
        const uint8_t *near, *far; /* what the last row of pixels was made of */
        uint16_t *sums;
        uint8_t *row; /* one row of pixels' samples */
    } components[4];
    uint8_t *pixels; /* one row, where it begins left of the window or needs other work */
};

/* Makes the pixels of the plan's window. `source` has at least the plan's block rows. */
int pcri_pixels_make(struct pcri_pixels *p, const struct pcri_pixel_plan *plan,
                     const struct pcri_block_source *source, const struct pcri_target *target,
                     struct pcr_error *err);
void pcri_pixels_free(struct pcri_pixels *p);

/* --- convert.c: rows of any colour space --- */

/* n pixels from the components' rows; one byte a pixel (luma), or RGB. */
void pcri_convert_gray(const struct pcri_pixel_plan *plan, const struct pcri_kernels *kernels,
                       const uint8_t *const rows[4], size_t n, uint8_t *out);
/* Of CMYK and YCCK: four bytes a pixel. */
void pcri_convert_inks(const struct pcri_pixel_plan *plan, const struct pcri_kernels *kernels,
                       const uint8_t *const rows[4], size_t n, uint8_t *out);
void pcri_convert_rgb(const struct pcri_pixel_plan *plan, const struct pcri_kernels *kernels,
                      const uint8_t *const rows[4], size_t n, const struct pcri_rgb_row *out);

#endif
