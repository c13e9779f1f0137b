/* SPDX-License-Identifier: BSD-2-Clause */
/* Resizing, at once or row by row. */
#ifndef PCRI_RESIZE_H
#define PCRI_RESIZE_H

#include <pcr/image.h>

#include "../../base/base.h"
#include "resize_rows.h"

/* The memory of resizes, one after another. */
struct pcri_resizer {
    const struct pcri_resize_rows *rows;
    struct pcr_buffer taps[2]; /* the filters of rows and of columns */
    struct pcr_buffer table;   /* how rows are made */
    struct pcr_buffer between; /* what one pass passes to the next */
    struct pcr_buffer held;    /* rows of a source that comes row by row */
};
void pcri_resizer_init(struct pcri_resizer *r);
void pcri_resizer_free(struct pcri_resizer *r);

/* What is to be resized. */
struct pcri_resize_source {
    uint32_t width, height, channels; /* of the whole picture */
    uint32_t least_scale;    /* in eighths, the smallest size that it can be decoded to, */
    bool mirror_x, mirror_y; /* and it is mirrored after that */
};

/* The plan of a resize; its memory is the resizer's. */
struct pcri_resize_plan {
    struct pcri_filter across, down;
    uint32_t flags, filter, channels, dst_width, dst_height;
    uint32_t scale; /* in eighths, the size to decode the picture to: the filters are of its
                     * pixels; 8: as it is */
};

int pcri_resize_plan(struct pcri_resizer *r, const struct pcr_resize_options *opts,
                     const struct pcri_resize_source *from, uint32_t dst_width,
                     uint32_t dst_height, struct pcri_resize_plan *out, struct pcr_error *err);

/* The working data of a resize. */
struct pcri_resize_job {
    const struct pcri_resize_plan *plan;
    const struct pcri_resize_rows *rows;
    struct pcri_shrink shrink;
    uint16_t *between, *wide; /* one row; and, with a cubic, all rows of the result's width */
    size_t columns;           /* numbers in `between`, without the padding */
    uint8_t *dst;
};

/* A resize whose source comes row by row: the rows that the next row of the result may
 * need. */
struct pcri_resize_feed {
    struct pcri_resize_job job;
    uint8_t *held;
    size_t row_nbytes;
    uint32_t first, count, capacity; /* source rows held, starting with `first` */
    uint32_t next;                   /* row of the result, or (cubic) of `wide` */
};

/* Begins one. Pass the rows of the plan: from down.begin to down.end, each from across.begin
 * to across.end. With the last one the result is complete. */
int pcri_resize_feed(struct pcri_resizer *r, const struct pcri_resize_plan *plan, uint8_t *dst,
                     struct pcri_resize_feed *out, struct pcr_error *err);
/* The next row. */
void pcri_resize_row(struct pcri_resize_feed *f, const uint8_t *pixels);

/* Resizes at once. `src` holds the pixels of columns from `x` and rows from `y`, which are at
 * most the plan's across.begin and down.begin. */
int pcri_resize_run(struct pcri_resizer *r, const struct pcri_resize_plan *plan,
                    const uint8_t *src, size_t stride_nbytes, uint32_t x, uint32_t y,
                    uint8_t *dst, struct pcr_error *err);

#endif
