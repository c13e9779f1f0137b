/* SPDX-License-Identifier: BSD-2-Clause */
/* The chunks of a PNG file, and what is compressed in them beside the pixels. */
#ifndef PCRI_PNG_CHUNKS_H
#define PCRI_PNG_CHUNKS_H

#include "../../base/base.h"

struct pcri_bytes {
    const uint8_t *p;
    size_t n;
};

struct pcri_png_chunk {
    const uint8_t *type; /* four letters */
    struct pcri_bytes data;
};

/* The chunk at *at, which goes on to the next one; 0 is the first. False at IEND and where
 * the file ends. */
bool pcri_png_next(struct pcri_bytes file, size_t *at, struct pcri_png_chunk *out);

/* Is the checksum after it right? */
bool pcri_png_is_intact(const struct pcri_png_chunk *c);

/* What is after the next NUL; nothing where there is none. */
struct pcri_bytes pcri_behind_nul(struct pcri_bytes b);

/* Inflates a zlib stream into `out`, which is replaced: as far as it goes where it is cut off;
 * nothing where it is damaged or makes more than `most` bytes. NOMEM. */
int pcri_png_inflate(struct pcri_bytes in, size_t most, struct pcr_buffer *out,
                     struct pcr_error *err);

#endif
