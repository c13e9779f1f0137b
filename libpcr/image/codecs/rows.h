/* SPDX-License-Identifier: BSD-2-Clause */
/* What codecs share that make a picture's rows one after another, 8 bits a sample: the window, and
 * gray or RGB with or without alpha of either. */
#ifndef PCRI_ROWS_H
#define PCRI_ROWS_H

#include "codec.h"

/* Such a codec's state begins with it. */
struct pcri_rows {
    uint32_t width, height;
    uint32_t channels;      /* of the rows that are made: 1 gray, 3 RGB, and 1 for alpha */
    uint32_t wanted;        /* of those that are delivered, alike */
    bool any_row;           /* rows outside of the window need not be made */
    struct pcr_buffer line; /* a row as it is made, and as it is delivered */
    /* Makes row y of the whole picture, packed pixels. Rows come in order. */
    int (*make)(void *state, uint32_t y, uint8_t *pixels, struct pcr_error *err);
};

/* Of a picture that is not turned; fills *info_out. The codec sets any_row and make. */
void pcri_rows_begin(struct pcri_rows *r, uint32_t width, uint32_t height, uint32_t channels,
                     const struct pcri_decode_params *params,
                     struct pcri_stored_info *info_out);

/* UNSUPPORTED where params ask for another size than the whole: "NAME: decoding to 3/8 ...". */
int pcri_rows_check_scale(const char *name, const struct pcri_decode_params *params,
                          struct pcr_error *err);

/* The functions of struct pcri_codec of these names. */
int pcri_rows_stream(void *state, const struct pcri_rect *window, pcri_row_fn *row,
                     void *context, struct pcr_error *err);
int pcri_rows_store(void *state, const struct pcri_rect *window,
                    const struct pcri_target *target, struct pcr_error *err);
uint64_t pcri_rows_held(void *state, const struct pcri_rect *window); /* nothing */
void pcri_rows_end(void *state);
void pcri_rows_destroy(void *state);

#endif
