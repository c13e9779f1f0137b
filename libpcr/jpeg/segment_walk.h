/* SPDX-License-Identifier: BSD-2-Clause */
/* A walk over the marker segments before the first scan of a JPEG in pieces. */
#ifndef PCRI_SEGMENT_WALK_H
#define PCRI_SEGMENT_WALK_H

#include "../base/base.h"

struct pcri_walked {
    uint8_t marker;
    const uint8_t *payload;
    size_t nbytes; /* of the payload */
};

struct pcri_segment_walk {
    const struct pcr_spans *file;
    uint32_t span;
    size_t at;
};

/* Start after SOI. */
static inline struct pcri_segment_walk pcri_segment_walk(const struct pcr_spans *file)
{
    return (struct pcri_segment_walk) { file, 0, 2 };
}

/* The next segment; false at the end. Pieces end with segments. Bytes that the parser ignores
 * between segments are skipped. */
static inline bool pcri_segment_next(struct pcri_segment_walk *w, struct pcri_walked *out)
{
    while (w->span < w->file->count && w->at >= w->file->items[w->span].nbytes) {
        w->span++;
        w->at = 0;
    }
    if (w->span == w->file->count)
        return false;
    const uint8_t *data = w->file->items[w->span].data;
    size_t nbytes = w->file->items[w->span].nbytes;
    /* Skip fill bytes, and stray bytes that the parser ignores. */
    while (w->at + 4 <= nbytes &&
           (data[w->at] != 0xFF || !data[w->at + 1] || data[w->at + 1] == 0xFF))
        w->at++;
    if (w->at + 4 > nbytes || data[w->at + 1] == 0xDA)
        return false;
    size_t length = (size_t) data[w->at + 2] << 8 | data[w->at + 3];
    length = length < 2 ? 2 : length;
    if (length > nbytes - w->at - 2)
        return false;
    *out = (struct pcri_walked) { data[w->at + 1], data + w->at + 4, length - 2 };
    w->at += 2 + length;
    return true;
}

#endif
