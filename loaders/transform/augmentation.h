/* SPDX-License-Identifier: BSD-2-Clause */
/* Random changes of a sample's pixels after its window was resized. */
#ifndef PCRI_AUGMENTATION_H
#define PCRI_AUGMENTATION_H

#include "../options/options.h"
#include "randaugment.h"

enum pcri_augmentation_kind {
    PCRI_AUGMENT_BRIGHTNESS,
    PCRI_AUGMENT_CONTRAST,
    PCRI_AUGMENT_SATURATION,
    PCRI_AUGMENT_HUE,
    PCRI_AUGMENT_KINDS,
};

/* What is done to one sample. */
struct pcri_augmentation {
    struct {
        enum pcri_augmentation_kind kind;
        double value; /* a factor; for HUE a part of the circle */
    } steps[PCRI_AUGMENT_KINDS];
    uint32_t step_count;
    bool mirror;       /* left to right, beside what the window says, */
    unsigned quarters; /* and then turned by so many times 90 degrees, anticlockwise, 0 to 3 */
    struct pcri_operation operations[PCRI_MOST_OPERATIONS];
    uint32_t operation_count;
    bool gray, solarize;
    double blur;    /* sigma; 0: none */
    double degrees; /* anticlockwise */
    struct {
        uint32_t x, y, width, height;
    } erase; /* width 0: nothing */
};

/* Whether the options ask for changes at all. */
bool pcri_augmentation_wanted(const struct pcr_loader_options *o);

/* Chooses them for a sample in `epoch`: a pure function of its arguments. The options' size is that
 * of the picture before it is turned by right angles. */
void pcri_choose_augmentation(const struct pcr_loader_options *o, uint64_t epoch,
                              uint64_t identity, struct pcri_augmentation *out);

/* Where they move what is in a picture of this size, before all but `mirror`. */
struct pcri_affine pcri_augmentation_moves(const struct pcri_augmentation *a, double width,
                                           double height);

/* Carries out the changes, with its scratch memory. Start from { 0 }. */
struct pcri_augmenter {
    const struct pcri_pixel_loops *loops;
    struct pcr_buffer luma;
    struct pcr_buffer lines; /* for blurring and turning */
    struct pcri_operator operations;
    struct pcri_warper warper;
};
void pcri_augmenter_init(struct pcri_augmenter *c);
void pcri_augmenter_free(struct pcri_augmenter *c);

/* Whether the picture that is delivered has another layout than the planes that are changed. */
bool pcri_augments_planes_apart(const struct pcr_loader_options *o);

/* Changes the planes, and puts the result into dst in the options' layout; dst is `planes`
 * unless that is another. The options' size is that of the result. */
int pcri_augmenter_run(struct pcri_augmenter *c, const struct pcr_loader_options *o,
                       const struct pcri_augmentation *changes, uint8_t *planes, uint8_t *dst,
                       struct pcr_error *err);

#endif
