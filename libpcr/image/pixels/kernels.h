/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel stage's inner loops, one set for each kind of CPU. All sets give the same
 * results: those of libjpeg-turbo's accurate integer IDCT (ISLOW), triangle-filter
 * upsampling and colour conversion.
 *
 * Rows of samples that a kernel reads must be readable, and rows of samples that it writes
 * writable, for PCRI_KERNEL_PADDING more bytes (or numbers); what is there does not matter.
 * Rows of pixels (`out` of the colour conversions) are written to their last byte and no
 * further. */
#ifndef PCRI_KERNELS_H
#define PCRI_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../jpeg/dequant.h"

enum { PCRI_KERNEL_PADDING = 64 };

/* Where a row of pixels goes: three planes, or packed at plane[0]. */
struct pcri_rgb_row {
    uint8_t *plane[3];
    bool planar;
};

struct pcri_kernels {
    const char *name;
    /* `count` blocks of 64 coefficients in zigzag order, to 8 x 8 samples each, side by side.
     * mask: one for each block, bit k set where coefficient k > 0 is not zero. */
    void (*idct)(const int16_t *coef, const uint64_t *mask, size_t count,
                 const struct pcri_dequant *dequant, uint8_t *dst, size_t stride_nbytes);
    /* The same to blocks of size x size samples: 1 to 7, 10, 12, 14. The sets may differ where
     * coefficients are larger than any 8-bit samples make them. */
    void (*idct_scaled)(const int16_t *coef, const uint64_t *mask, size_t count,
                        const struct pcri_dequant *dequant, uint32_t size, uint8_t *dst,
                        size_t stride_nbytes);
    /* 3 near + far of n samples each. */
    void (*mix_rows)(const uint8_t *near, const uint8_t *far, size_t n, uint16_t *sums);
    /* One of the two rows between `near` and `far`: (3 near + far + bias) / 4. */
    void (*upsample_v2)(const uint8_t *near, const uint8_t *far, size_t n, unsigned bias,
                        uint8_t *out);
    /* Twice as wide: n sums (of mix_rows) become 2 n samples, (3 here + left + bias[0]) / 16
     * and (3 here + right + bias[1]) / 16. sums[-1] and sums[n] are read. */
    void (*upsample_h2)(const uint16_t *sums, size_t n, const uint16_t bias[2], uint8_t *out);
    /* n pixels of YCbCr to RGB. */
    void (*ycc_to_rgb)(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                       const struct pcri_rgb_row *out);
    /* The same with chroma of half the width, as upsample_h2 takes it. */
    void (*ycc_h2_to_rgb)(const uint8_t *y, const uint16_t *cb_sums, const uint16_t *cr_sums,
                          const uint16_t bias[2], size_t n, const struct pcri_rgb_row *out);
};

extern const struct pcri_kernels pcri_kernels_portable;
/* One row of the samples of blocks of size x size (as idct or idct_scaled makes them) whose rows
 * are all equal, for they have only DC: each `step` numbers after the last one's. */
void pcri_flat_row(const int16_t *dc, size_t step, size_t count, const struct pcri_dequant *q,
                   uint32_t size, uint8_t *dst);
void pcri_idct_scaled_portable(const int16_t *coef, const uint64_t *mask, size_t count,
                               const struct pcri_dequant *dequant, uint32_t size, uint8_t *dst,
                               size_t stride_nbytes);
#if !defined(PCR_PORTABLE) && defined(__x86_64__) && defined(__GNUC__)
#define PCRI_HAVE_SSSE3 1
#define PCRI_HAVE_AVX2 1
#define PCRI_HAVE_AVX512 1
extern const struct pcri_kernels pcri_kernels_ssse3, pcri_kernels_avx2, pcri_kernels_avx512;
void pcri_idct_avx512(const int16_t *coef, const uint64_t *mask, size_t count,
                      const struct pcri_dequant *dequant, uint8_t *dst, size_t stride_nbytes);
void pcri_idct_avx2(const int16_t *coef, const uint64_t *mask, size_t count,
                    const struct pcri_dequant *dequant, uint8_t *dst, size_t stride_nbytes);
void pcri_idct_scaled_avx2(const int16_t *coef, const uint64_t *mask, size_t count,
                           const struct pcri_dequant *dequant, uint32_t size, uint8_t *dst,
                           size_t stride_nbytes);
#endif

#if !defined(PCR_PORTABLE) && defined(__aarch64__) && defined(__ARM_NEON) && \
    defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PCRI_HAVE_NEON 1
extern const struct pcri_kernels pcri_kernels_neon;
#endif

/* The best set for this CPU; PCR_CPU=portable in the environment picks the portable one. */
const struct pcri_kernels *pcri_kernels_choose(void);

#endif
