/* SPDX-License-Identifier: BSD-2-Clause */
/* Conversion from the colours of an ICC profile to sRGB, by Little CMS. */
#ifndef PCRI_ICC_H
#define PCRI_ICC_H

#include <pcr/image.h>

#include "../base/base.h"

/* The kinds of pixels that profiles are for, 8 bits a channel. */
enum pcri_icc_pixels {
    PCRI_ICC_GRAY,
    PCRI_ICC_GRAY_ALPHA,
    PCRI_ICC_RGB,
    PCRI_ICC_RGB_ALPHA,
    PCRI_ICC_INKS, /* C, M, Y and K; 255: all ink */
};

/* A cache of conversions by profile; one thread at a time. */
struct pcri_icc;
int pcri_icc_create(struct pcri_icc **out, struct pcr_error *err);
void pcri_icc_destroy(struct pcri_icc *icc); /* accepts NULL */

/* How pixels of a profile become sRGB (perceptual intent, Pillow's ImageCms default).
 * *use_out: PCR_PROFILE_SRGB, CONVERTED or UNUSABLE; *transform_out: with CONVERTED, the
 * argument of pcri_icc_run(), until the next call of this function. NOMEM. */
int pcri_icc_find(struct pcri_icc *icc, const void *profile, size_t nbytes,
                  enum pcri_icc_pixels kind, enum pcr_profile_use *use_out,
                  const void **transform_out, struct pcr_error *err);

/* n pixels to packed RGB. */
void pcri_icc_run(const void *transform, const uint8_t *pixels, uint32_t n, uint8_t *rgb);

#endif
