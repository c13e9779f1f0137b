/* SPDX-License-Identifier: BSD-2-Clause */
/* RandAugment (Cubuk et al. 2020) and TrivialAugmentWide (Müller and Hutter 2021): operations drawn
 * from fourteen, as torchvision's transforms of these names have them. */
#ifndef PCRI_RANDAUGMENT_H
#define PCRI_RANDAUGMENT_H

#include "warp.h"

enum pcri_operation_kind {
    PCRI_OPERATION_IDENTITY,
    PCRI_OPERATION_SHEAR_X, /* what moves pixels: the value is a slope, */
    PCRI_OPERATION_SHEAR_Y,
    PCRI_OPERATION_TRANSLATE_X, /* whole pixels to the right, */
    PCRI_OPERATION_TRANSLATE_Y, /* or down, */
    PCRI_OPERATION_ROTATE,      /* and degrees anticlockwise */
    PCRI_OPERATION_BRIGHTNESS,  /* Pillow's enhancers: the value is added to a factor of 1 */
    PCRI_OPERATION_COLOR,
    PCRI_OPERATION_CONTRAST,
    PCRI_OPERATION_SHARPNESS,
    PCRI_OPERATION_POSTERIZE, /* bits that are kept */
    PCRI_OPERATION_SOLARIZE,  /* the least value that is inverted */
    PCRI_OPERATION_AUTOCONTRAST,
    PCRI_OPERATION_EQUALIZE,
    PCRI_OPERATION_KINDS,
};

enum { PCRI_MOST_OPERATIONS = 16 };

struct pcri_operation {
    enum pcri_operation_kind kind;
    double value;
};

/* Chooses a sample's operations, for a picture of this size: a pure function of its arguments.
 * Returns how many there are. */
uint32_t pcri_choose_operations(const struct pcr_loader_options *o, uint32_t width,
                                uint32_t height, uint64_t epoch, uint64_t identity,
                                struct pcri_operation out[PCRI_MOST_OPERATIONS]);

/* Where an operation moves what is in a picture of this size. */
struct pcri_affine pcri_operation_moves(const struct pcri_operation *op, double width,
                                        double height);

/* Scratch memory. Start from { 0 }. */
struct pcri_operator {
    struct pcr_buffer plane;
};

/* Carries one out, with the bytes that Pillow gives; those of moved pixels as pcri_warp(). */
int pcri_operate(struct pcri_operator *c, struct pcri_warper *w,
                 const struct pcri_pixel_loops *loops, const struct pcr_loader_options *o,
                 const struct pcri_operation *op, uint8_t *const *planes, uint32_t channels,
                 struct pcr_error *err);

#endif
