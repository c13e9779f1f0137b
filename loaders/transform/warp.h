/* SPDX-License-Identifier: BSD-2-Clause */
/* Pictures whose pixels move by an affine map. */
#ifndef PCRI_WARP_H
#define PCRI_WARP_H

#include "../options/options.h"
#include "affine.h"
#include "pixel_loops.h"

/* Scratch memory. Start from { 0 }. */
struct pcri_warper {
    struct pcr_buffer framed;             /* planes with a border */
    struct pcr_buffer offsets, fractions; /* of the places in a row */
};
void pcri_warper_free(struct pcri_warper *w);

/* Gives each place in the planes what is at from(place), as Pillow's Image.transform() does:
 * bilinear, within a level of it, or if pictures are resized so from the nearest pixel, byte for
 * byte; at the edge the outermost pixels are repeated for half a pixel, and beyond is `fill`. */
int pcri_warp(struct pcri_warper *w, const struct pcri_pixel_loops *loops,
              const struct pcr_loader_options *o, const struct pcri_affine *from,
              uint8_t *const *planes, uint32_t channels, struct pcr_error *err);

#endif
