/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes after a JPEG file's EOI, which coding 1 does not keep. */
#ifndef PCRI_TRAILER_H
#define PCRI_TRAILER_H

#include "markers.h"

struct pcri_trailer {
    uint64_t nbytes;  /* after EOI; 0: nothing, or only fill bytes (00, FF, blanks, LF, CR) */
    const char *name; /* what they look like: "MPO frames", "MP4", "unknown"; static */
};

/* Looks after the EOI of a whole file that was parsed. */
struct pcri_trailer pcri_trailer_find(const struct pcri_jpeg_file *f);

/* Whether it is the index of a multi-picture file's frames, which come after EOI. */
bool pcri_segment_is_mpf(const struct pcri_jpeg_file *f, const struct pcri_segment *s);

#endif
