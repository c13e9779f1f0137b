/* SPDX-License-Identifier: BSD-2-Clause */
/* Which window of an image a sample shows, and whether it is mirrored. */
#ifndef PCRI_TRANSFORM_H
#define PCRI_TRANSFORM_H

#include <pcr/dataset.h>

#include "../options/options.h"
#include "../options/wish.h"

/* Chooses the window of an image of width x height pixels for sample `identity` in `epoch`,
 * and fills in the window, the grid and the flags of *out. A pure function of its
 * arguments. */
void pcri_choose_window(const struct pcr_loader_options *o, uint64_t epoch, uint64_t identity,
                        uint32_t width, uint32_t height, struct pcr_resize_options *out);

/* Size of a picture's output, and where in it the window's pixels go: all of it, unless LETTERBOX
 * leaves bars. What is too large for the numbers is the largest. */
struct pcri_frame {
    uint32_t x, y, width, height;
    uint32_t out_width, out_height;
};
struct pcri_frame pcri_frame_of(const struct pcr_loader_options *o, uint32_t width,
                                uint32_t height);

/* Which part of the image the resulting options->width x height pixels show. */
struct pcr_crop pcri_shown(const struct pcr_loader_options *o, uint32_t width, uint32_t height,
                           const struct pcr_resize_options *how);

/* Size of a coded sample's picture as it is decoded, from its head; 0 if it is not known. */
void pcri_decoded_size(const struct pcr_sample_info *info, bool keep_orientation,
                       uint32_t *width_out, uint32_t *height_out);
/* How many source pixels, along a line, become one of the output in this sample's windows, as for
 * pcr_sample_quality(), in the view where they are fewest; 1 for a picture of unknown size.
 * plain: it is not augmented. */
double pcri_scale_of(const struct pcri_loader_view *views, uint32_t view_count, bool plain,
                     uint64_t epoch, uint64_t identity, const struct pcr_sample_info *info);
/* The fidelity that a wish chooses at this scale, of a dataset with so many groups: 1 to
 * group_count. */
uint32_t pcri_fidelity_for(const struct pcr_loader_options *o,
                           const struct pcr_sample_info *info, double scale, uint32_t wish,
                           uint32_t group_count);

#endif
