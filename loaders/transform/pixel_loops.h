/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops that change colours, rotate pictures and blend them, one set for each kind of CPU; all
 * give the same bytes. Pixels are planes of bytes. */
#ifndef PCRI_PIXEL_LOOPS_H
#define PCRI_PIXEL_LOOPS_H

#include <stddef.h>
#include <stdint.h>

enum {
    PCRI_FACTOR_BITS = 13, /* of factors, which are below 4 */
    PCRI_LEVEL_BITS = 5,   /* of a level's fraction between multiplication and rounding */
    PCRI_PLACE_BITS = 11,  /* of places between pixels */
    PCRI_TURN_SLACK = 4,   /* bytes that sample() may read beyond the last neighbours */
};

struct pcri_pixel_loops {
    const char *name;
    /* p * factor + level, with as many bits after the point as the enum says; rounded, and
     * clamped to 0 and 255. */
    void (*scale)(uint8_t *p, size_t n, int16_t factor, int16_t level);
    /* p * factor + q * rest. */
    void (*mix)(uint8_t *p, const uint8_t *q, size_t n, int16_t factor, int16_t rest);
    /* ITU-R BT.601, the bytes of Pillow's convert("L"). */
    void (*luma)(const uint8_t *const rgb[3], size_t n, uint8_t *out);
    /* Rotates the hue by `turn` sixths of its circle, -3 to 3. Value and chroma (the largest
     * of R, G and B, and its distance from the least) stay. */
    void (*turn_hue)(uint8_t *const rgb[3], size_t n, float turn);
    /* n places for sample(): offsets in a plane, and fractions. The first is x, y (32 bits
     * after the point), each next one dx, dy further. */
    void (*places)(uint64_t x, uint64_t y, uint64_t dx, uint64_t dy, size_t stride_nbytes,
                   size_t n, int32_t *offsets, uint32_t *fractions);
    /* For each of n places, the pixel interpolated between src[offset] and its neighbours to
     * the right and below. The fraction's lower half says how far across, its upper half how
     * far down. */
    void (*sample)(const uint8_t *src, size_t stride_nbytes, const int32_t *offsets,
                   const uint32_t *fractions, size_t n, uint8_t *out);
    /* Values from 128 on become 255 - value. */
    void (*solarize)(uint8_t *p, size_t n);
    /* A weighted mean of 2 radius + 1 rows of n bytes, symmetrical: weights[k] is for the rows k
     * away from the middle one. */
    void (*blur_down)(const uint8_t *const *rows, const float *weights, uint32_t radius,
                      size_t n, float *out);
    /* The same of n places along a line, which has radius more at both ends; rounded. */
    void (*blur_across)(const float *line, const float *weights, uint32_t radius, size_t n,
                        uint8_t *out);
    /* Pillow's Image.blend(q, p, factor), and the same with q = level everywhere. */
    void (*enhance)(uint8_t *p, const uint8_t *q, size_t n, float factor);
    void (*enhance_from)(uint8_t *p, size_t n, float level, float factor);
    /* The middle row by Pillow's filter SMOOTH, but for its first and last byte. */
    void (*smooth)(const uint8_t *const rows[3], size_t n, uint8_t *out);
    /* p * part + q * rest, of numbers of 32 bits, and of float16 and bfloat16 (as bits), which are
     * rounded to the nearest. */
    void (*blend_floats)(float *p, const float *q, size_t n, float part, float rest);
    void (*blend_halves)(uint16_t *p, const uint16_t *q, size_t n, float part, float rest);
    void (*blend_bfloats)(uint16_t *p, const uint16_t *q, size_t n, float part, float rest);
    /* Three planes to packed pixels. */
    void (*pack)(const uint8_t *const rgb[3], size_t n, uint8_t *out);
};

extern const struct pcri_pixel_loops pcri_pixel_loops_portable;
#if !defined(PCR_PORTABLE) && defined(__x86_64__) && defined(__GNUC__)
#define PCRI_HAVE_PIXEL_LOOPS_AVX2 1
extern const struct pcri_pixel_loops pcri_pixel_loops_avx2;
#endif

/* The best set for this CPU; PCR_CPU=portable in the environment selects the portable one. */
const struct pcri_pixel_loops *pcri_pixel_loops_choose(void);

#endif
