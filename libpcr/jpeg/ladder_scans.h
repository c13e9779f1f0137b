/* SPDX-License-Identifier: BSD-2-Clause */
/* The scans that a ladder's lines make of an image, in order. */
#ifndef PCRI_LADDER_SCANS_H
#define PCRI_LADDER_SCANS_H

#include "ladder.h"
#include "markers.h"
#include "scan.h"

/* The class of component i (FORMAT section 5). */
enum pcri_component_class pcri_class_of(const struct pcri_jpeg_file *f, uint32_t i);

/* The scans that one line of the script makes of this image: up to four. */
struct pcri_line_scans {
    uint32_t count;
    struct pcri_scan scans[4];
    uint8_t piece[4]; /* within the line */
};
void pcri_line_scans(const struct pcri_jpeg_file *f, const struct pcri_ladder_scan *line,
                     struct pcri_line_scans *out);

/* A walk along a ladder by the scans of an image: which scripts they can still belong to. */
struct pcri_ladder_walk {
    bool left[PCRI_LADDER_MAX_SCRIPTS]; /* the scans cannot belong to this script */
    uint8_t line[PCRI_LADDER_MAX_SCRIPTS], scan[PCRI_LADDER_MAX_SCRIPTS]; /* the next */
};

/* Takes the next scan; false if no script has it at this place. */
bool pcri_ladder_step(struct pcri_ladder_walk *w, const struct pcr_ladder *ladder,
                      const struct pcri_jpeg_file *f, const struct pcri_scan *scan);

#endif
