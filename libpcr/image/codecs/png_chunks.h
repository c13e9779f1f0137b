/* SPDX-License-Identifier: BSD-2-Clause */
/* The chunks of a PNG file, and compressed data in them other than pixels. */
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

/* The chunk at *at, which advances to the next one; 0 is the first. False at IEND and at the
 * end of the file. */
bool pcri_png_next(struct pcri_bytes file, size_t *at, struct pcri_png_chunk *out);

/* Whether the checksum after it is right. */
bool pcri_png_is_intact(const struct pcri_png_chunk *c);

/* The part after the next NUL; nothing if there is none. */
struct pcri_bytes pcri_behind_nul(struct pcri_bytes b);

/* Inflates a zlib stream into `out`, which is replaced: as far as possible if it is cut off;
 * nothing if it is damaged or makes more than `most` bytes. NOMEM. */
int pcri_png_inflate(struct pcri_bytes in, size_t most, struct pcr_buffer *out,
                     struct pcr_error *err);

#endif
