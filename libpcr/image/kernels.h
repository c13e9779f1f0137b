/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel stage's inner loops, one set for each kind of CPU. All sets give the same
 * results: those of libjpeg-turbo's accurate integer IDCT (ISLOW), triangle-filter
 * upsampling and colour conversion. */
#ifndef PCRI_KERNELS_H
#define PCRI_KERNELS_H

#include <stddef.h>
#include <stdint.h>

struct pcri_kernels {
    const char *name;
    /* One block of 64 coefficients in zigzag order: dequantises by `quant` (zigzag order
     * too), and writes 8 x 8 samples. mask: bit k set where coefficient k > 0 is not zero. */
    void (*idct)(const int16_t *coef, uint64_t mask, const uint16_t *quant, uint8_t *dst,
                 size_t stride_nbytes);
    /* Twice as wide. in: `n` samples; out: 2 n. */
    void (*upsample_h2v1)(const uint8_t *in, size_t n, uint8_t *out);
    /* Twice as wide and one of the two rows between `near` (3/4) and `far` (1/4). `sums`
     * is scratch for n + 2 numbers. */
    void (*upsample_h2v2)(const uint8_t *near, const uint8_t *far, size_t n, uint16_t *sums,
                          uint8_t *out);
    /* One of the two rows between `near` and `far`; bias 1 for the upper, 2 for the lower. */
    void (*upsample_h1v2)(const uint8_t *near, const uint8_t *far, size_t n, unsigned bias,
                          uint8_t *out);
    /* n pixels of YCbCr to packed RGB. */
    void (*ycc_to_rgb)(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                       uint8_t *out);
};

extern const struct pcri_kernels pcri_kernels_portable;
#if !defined(PCR_PORTABLE) && defined(__x86_64__) && defined(__GNUC__)
#define PCRI_HAVE_AVX2 1
extern const struct pcri_kernels pcri_kernels_avx2;
#endif

/* --- for the files that compile kernels_body.h --- */

/* Eight lanes; the compiler splits them where registers are narrower. */
typedef int32_t v8 __attribute__((vector_size(32)));
typedef uint8_t v8b __attribute__((vector_size(8)));
#define INLINE TARGET static inline __attribute__((always_inline))

/* The best set for this CPU; PCR_CPU=portable in the environment picks the portable one. */
const struct pcri_kernels *pcri_kernels_choose(void);

#endif
