/* SPDX-License-Identifier: BSD-2-Clause */
/* Mixing of a batch's pictures with each other, and of their labels: mixup and CutMix. */
#ifndef PCRI_MIXING_H
#define PCRI_MIXING_H

#include "sample.h"

/* How a sample is mixed with its partner. */
struct pcri_mixture {
    bool mixed;
    bool cut;    /* by CutMix, else by mixup */
    double lam;  /* how much is to be its own */
    double x, y; /* CutMix: the centre of what is its partner's, in parts of the picture */
};

/* A part of a picture, in pixels. */
struct pcri_rectangle {
    uint32_t x, y, width, height;
};

/* Chooses it: a pure function of its arguments. */
void pcri_choose_mixture(const struct pcr_loader_options *o, uint64_t epoch, uint64_t identity,
                         struct pcri_mixture *out);

/* What of a picture of width x height is its partner's: as in torchvision's CutMix. */
struct pcri_rectangle pcri_cut(const struct pcri_mixture *m, uint32_t width, uint32_t height);

/* Mixes the pictures of a batch whose slots are all filled, with the maker's scratch memory, and
 * fills in what tells of it. A sample's label is missing, or no column of soft labels: INVAL, and
 * *slot_out says which. NOMEM. */
int pcri_mix_batch(struct pcri_maker *m, const struct pcr_loader_options *o,
                   const struct pcri_loader_view *views, uint32_t view_count,
                   struct pcri_batch *b, uint32_t *slot_out, struct pcr_error *err);

#endif
