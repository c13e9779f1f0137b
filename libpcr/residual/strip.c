/* SPDX-License-Identifier: BSD-2-Clause */
/* A strip's rows in memory. Each array of rows is used in turn, so that nothing is copied. */
#include "strip.h"

#include <stdlib.h>

enum { ARRAYS = 3 + 3 + 2 + 1 }; /* of a channel */

/* Points the arrays into memory; each row has margins. */
static void divide(struct pcri_rs_strip *s, size_t each)
{
    int16_t *at = (int16_t *) s->memory + PCRI_RS_MARGIN;
    for (uint32_t k = 0; k < PCRI_RS_CHANNELS; k++) {
        for (uint32_t i = 0; i < 3; i++, at += 2 * each) {
            s->jpeg[i][k] = at;
            s->sizes[i][k] = at + each;
        }
        for (uint32_t i = 0; i < 2; i++, at += each)
            s->residual[i][k] = at;
        s->exact[k] = at;
        at += each;
    }
    s->contexts = (uint16_t *) at;
    s->symbols = (uint8_t *) (at + each);
}

int pcri_rs_strip_reserve(struct pcri_rs_strip *s, uint32_t width, uint32_t channels,
                          struct pcr_error *err)
{
    const size_t each = ((size_t) width + 2 * PCRI_RS_MARGIN + 31) & ~(size_t) 31;
    const size_t nbytes = (ARRAYS * PCRI_RS_CHANNELS + 2) * each * sizeof(int16_t);
    if (nbytes > s->capacity) {
        free(s->memory);
        s->capacity = 0;
        s->memory = pcri_malloc(nbytes, 1, err);
        if (!s->memory)
            return PCR_ERR_NOMEM;
        s->capacity = nbytes;
    }
    memset(s->memory, 0, nbytes); /* margins are read, although little depends on them */
    s->kernels = pcri_rs_kernels_choose();
    s->width = width;
    s->channels = channels;
    divide(s, each);
    return 0;
}

void pcri_rs_strip_free(struct pcri_rs_strip *s)
{
    free(s->memory);
    *s = (struct pcri_rs_strip) { 0 };
}

/* Beyond its ends a row goes on as it ends. */
static void split(struct pcri_rs_strip *s, const uint8_t *pixels, uint32_t y)
{
    int16_t *const *rows = s->jpeg[y % 3];
    s->kernels->split(pixels, s->width, s->channels, rows);
    for (uint32_t k = 0; k < s->channels; k++) {
        rows[k][-1] = rows[k][0];
        rows[k][s->width] = rows[k][s->width - 1];
    }
}

void pcri_rs_strip_begin(struct pcri_rs_strip *s, uint32_t rows, const uint8_t *pixels)
{
    const size_t nbytes = (size_t) s->width * sizeof(int16_t);
    s->rows = rows;
    s->y = 0;
    split(s, pixels, 0);
    for (uint32_t k = 0; k < s->channels; k++) { /* of the two rows above */
        memset(s->sizes[1][k], 0, nbytes);
        memset(s->sizes[2][k], 0, nbytes);
        memset(s->residual[1][k], 0, nbytes);
    }
}

void pcri_rs_strip_below(struct pcri_rs_strip *s, const uint8_t *pixels)
{
    split(s, pixels, s->y + 1);
}

void pcri_rs_strip_contexts(struct pcri_rs_strip *s, uint32_t channel)
{
    const uint32_t y = s->y, last = s->rows - 1;
    const struct pcri_rs_row row = {
        .above = s->jpeg[(y ? y - 1 : y) % 3][channel],
        .jpeg = s->jpeg[y % 3][channel],
        .below = s->jpeg[(y < last ? y + 1 : y) % 3][channel],
        .sizes = { s->sizes[(y + 2) % 3][channel], s->sizes[(y + 1) % 3][channel] },
        .signs = s->residual[(y + 1) % 2][channel],
        .other = channel ? s->residual[y % 2][channel - 1] : NULL,
    };
    s->kernels->contexts(&row, s->width, s->contexts);
}

int16_t *pcri_rs_strip_jpeg(struct pcri_rs_strip *s, uint32_t channel)
{
    return s->jpeg[s->y % 3][channel];
}

int16_t *pcri_rs_strip_residual(struct pcri_rs_strip *s, uint32_t channel)
{
    return s->residual[s->y % 2][channel];
}

int16_t *pcri_rs_strip_sizes(struct pcri_rs_strip *s, uint32_t channel)
{
    return s->sizes[s->y % 3][channel];
}

void pcri_rs_strip_done(struct pcri_rs_strip *s, uint32_t channel)
{
    s->y += channel + 1 == s->channels;
}
