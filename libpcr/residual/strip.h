/* SPDX-License-Identifier: BSD-2-Clause */
/* A strip of rows: what is known of it when its next row is read or written. */
#ifndef PCRI_RS_STRIP_H
#define PCRI_RS_STRIP_H

#include "rows.h"

/* Start from { 0 }. The rows of JPEG and residual are kept as long as contexts need them. */
struct pcri_rs_strip {
    const struct pcri_rs_kernels *kernels;
    uint32_t width, channels, rows;
    uint32_t y;                             /* the row at hand */
    int16_t *jpeg[3][PCRI_RS_CHANNELS];     /* in turn: of the rows above, at hand, below */
    int16_t *sizes[3][PCRI_RS_CHANNELS];    /* in turn */
    int16_t *residual[2][PCRI_RS_CHANNELS]; /* in turn */
    int16_t *exact[PCRI_RS_CHANNELS];       /* for writing */
    uint16_t *contexts;
    uint8_t *symbols;
    void *memory;
    size_t capacity;
};
/* Makes room for rows of this width. NOMEM. */
int pcri_rs_strip_reserve(struct pcri_rs_strip *s, uint32_t width, uint32_t channels,
                          struct pcr_error *err);
void pcri_rs_strip_free(struct pcri_rs_strip *s);
/* Begins a strip of so many rows with the JPEG's first one. */
void pcri_rs_strip_begin(struct pcri_rs_strip *s, uint32_t rows, const uint8_t *pixels);
/* The JPEG's row below the one at hand; not called at the last. */
void pcri_rs_strip_below(struct pcri_rs_strip *s, const uint8_t *pixels);
/* Makes the contexts of a channel's row. */
void pcri_rs_strip_contexts(struct pcri_rs_strip *s, uint32_t channel);
/* Of the row at hand: the JPEG's, residuals, their magnitudes. */
int16_t *pcri_rs_strip_jpeg(struct pcri_rs_strip *s, uint32_t channel);
int16_t *pcri_rs_strip_residual(struct pcri_rs_strip *s, uint32_t channel);
int16_t *pcri_rs_strip_sizes(struct pcri_rs_strip *s, uint32_t channel);
/* The channel's residuals are there: goes on to the next one, or after the last to the next row. */
void pcri_rs_strip_done(struct pcri_rs_strip *s, uint32_t channel);

#endif
