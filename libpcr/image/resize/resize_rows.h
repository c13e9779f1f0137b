/* SPDX-License-Identifier: BSD-2-Clause */
/* The two loops of a resize, one set for each kind of CPU; all give the same bytes. */
#ifndef PCRI_RESIZE_ROWS_H
#define PCRI_RESIZE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PCRI_WEIGHT_BITS = 14,  /* of weights, which add up to one */
    PCRI_FRACTION_BITS = 7, /* of a value between the passes */
    /* Numbers that may be read after what the last tap needs, for which the weights are 0. */
    PCRI_BETWEEN_PADDING = 64,
};

/* Output sample i of one direction is the sum of weights[first + k] * in[begin + k], k below
 * count. */
struct pcri_tap {
    uint32_t begin, count;
    size_t first;
};

struct pcri_filter {
    const struct pcri_tap *taps; /* one for each output sample */
    const int16_t *weights;
    uint32_t most;       /* the largest count, rounded up to an even number: a tap has so many
                          * weights, those after its own count 0 */
    uint32_t begin, end; /* range of all input samples that the taps read */
};

/* Rows to be made across: of `width` pixels of 1 or 3 channels, the last first if `flip`. */
struct pcri_shrink {
    const struct pcri_filter *filter;
    uint32_t width, channels;
    bool flip;
    void *table; /* what make_table() made of these; NULL: nothing */
};

struct pcri_resize_rows {
    const char *name;
    /* Adds up n bytes of each of `count` rows. */
    void (*blend)(const uint8_t *src, size_t stride_nbytes, const int16_t *weights,
                  uint32_t count, uint16_t *out, size_t n);
    /* Adds up n of the numbers that pass between the directions of each of `count` rows. */
    void (*blend_wide)(const uint16_t *src, size_t stride, const int16_t *weights,
                       uint32_t count, uint8_t *out, size_t n);
    /* Preparation of shrink_table, done once for many rows: the memory that it takes, 0 if it
     * is of no use; and the preparation itself, in memory aligned to 64 bytes, after which
     * s->table is set if it is of use. shrink_table then makes a row like shrink_rgb, of any
     * number of channels. NULL: there is no such thing. */
    size_t (*table_nbytes)(const struct pcri_shrink *s);
    void (*make_table)(struct pcri_shrink *s, void *memory);
    void (*shrink_table)(const struct pcri_shrink *s, const uint16_t *src, uint8_t *out,
                         size_t plane_nbytes);
    /* One row of RGB, which begins at input column filter->begin, to one output row, cut off
     * below 0 and above 255. plane_nbytes: 0 for packed pixels. The row has room for
     * (filter->most pixels and PCRI_BETWEEN_PADDING numbers) after filter->end, all 0. */
    void (*shrink_rgb)(const struct pcri_shrink *s, const uint16_t *src, uint8_t *out,
                       size_t plane_nbytes);
    /* The same to the numbers that pass between the directions. There is room for one more
     * after the row. */
    void (*shrink_rgb_wide)(const struct pcri_shrink *s, const uint16_t *src, uint16_t *out,
                            size_t plane);
};

extern const struct pcri_resize_rows pcri_resize_rows_portable;
#if !defined(PCR_PORTABLE) && defined(__x86_64__) && defined(__GNUC__)
#define PCRI_HAVE_RESIZE_AVX2 1
#define PCRI_HAVE_RESIZE_AVX512 1
extern const struct pcri_resize_rows pcri_resize_rows_avx2, pcri_resize_rows_avx512;
#endif

/* The best set for this CPU; PCR_CPU=portable in the environment picks the portable one. */
const struct pcri_resize_rows *pcri_resize_rows_choose(void);

/* Bytes as what passes between the directions. */
void pcri_widen(const uint8_t *src, uint16_t *out, size_t n);

/* One channel has little to gain from more than what the compiler makes of it. */
void pcri_shrink_gray(const struct pcri_shrink *s, const uint16_t *src, uint8_t *out);
void pcri_shrink_gray_wide(const struct pcri_shrink *s, const uint16_t *src, uint16_t *out);

#endif
