/* SPDX-License-Identifier: BSD-2-Clause */
/* How far an image is from another: PSNR and SSIM of 8-bit planes. */
#ifndef PCR_QUALITY_H
#define PCR_QUALITY_H

#include <stddef.h>
#include <stdint.h>

/* What stands for the PSNR of equal images. */
#define QUALITY_EXACT 99.0

/* PSNR in dB of two planes of n samples, at most QUALITY_EXACT. */
double quality_psnr(const uint8_t *a, const uint8_t *b, size_t n);

/* Mean SSIM (Wang et al. 2004, 11 x 11 Gaussian window, sigma 1.5, borders of 5 left out: as
 * tools/fidelity.py) of two packed planes of at least 11 x 11 samples; negative where memory
 * is short. */
double quality_ssim(const uint8_t *a, const uint8_t *b, uint32_t width, uint32_t height);

#endif
