/* SPDX-License-Identifier: BSD-2-Clause */
/* The chunks of a WebP file, which is a RIFF file. */
#ifndef PCRI_WEBP_CHUNKS_H
#define PCRI_WEBP_CHUNKS_H

#include "../../base/base.h"
#include "png_chunks.h"

static inline bool pcri_is_webp(struct pcri_bytes file)
{
    return file.n >= 12 && !memcmp(file.p, "RIFF", 4) && !memcmp(file.p + 8, "WEBP", 4);
}

/* The first chunk of this name (four letters); NULL, 0 if there is none that is complete. */
static inline struct pcri_bytes pcri_webp_find(struct pcri_bytes file, const char *name)
{
    for (size_t at = 12; pcri_is_webp(file) && file.n - at >= 8;) {
        const uint8_t *p = file.p + at;
        size_t nbytes = pcri_load32(p + 4), left = file.n - at - 8;
        if (nbytes > left)
            break;
        if (!memcmp(p, name, 4))
            return (struct pcri_bytes) { p + 8, nbytes };
        at += 8 + nbytes + (nbytes < left && nbytes % 2);
    }
    return (struct pcri_bytes) { 0 };
}

#endif
