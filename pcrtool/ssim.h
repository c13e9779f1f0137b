/* SPDX-License-Identifier: BSD-2-Clause */
/* How far an image is from another: SSIM of 8-bit planes. */
#ifndef PCRTOOL_SSIM_H
#define PCRTOOL_SSIM_H

#include <stdint.h>

/* The least width and height: that of the window. */
#define PCRTOOL_SSIM_SIDE 11

/* Mean SSIM of two packed planes (Wang et al., "Image quality assessment: from error visibility to
 * structural similarity", 2004: 11 x 11 Gaussian window, sigma 1.5; windows that stick out are
 * left out), -1 to 1. -2 where memory is short. */
double pcrtool_ssim(const uint8_t *a, const uint8_t *b, uint32_t width, uint32_t height);

#endif
