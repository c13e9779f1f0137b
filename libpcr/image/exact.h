/* SPDX-License-Identifier: BSD-2-Clause */
/* Exact pictures: made of files that hold pixels without loss, and given back as PNG. */
#ifndef PCRI_EXACT_H
#define PCRI_EXACT_H

#include <pcr/image.h>

#include "../base/base.h"

enum { PCRI_EXACT_SCALES = 7 };

/* What a file becomes. Start from { 0 }; its memory serves one file after another. */
struct pcri_exact {
    uint32_t width, height, channels; /* 1: gray, 3: RGB */
    struct pcr_buffer pixels;         /* of the file, as they are stored */
    struct pcr_buffer jpeg, residual;
    /* How far the JPEG is from the pixels, as in struct pcri_coded's quality, at each scale. */
    uint8_t quality[PCRI_EXACT_SCALES];
    struct pcr_buffer decoded, other_jpeg, other_residual, profile;
};
void pcri_exact_free(struct pcri_exact *e);

/* Bytes in proportion to the pixels that making one takes, besides what decoding the file does. */
uint64_t pcri_exact_held(uint32_t width, uint32_t height);

/* Makes a JPEG and a residual of a file: of 4:4:4 and 4:2:0 what takes less together. PCR_END: its
 * format or its pixels are not such that these would be all of it. Codes as
 * pcr_decoder_decode(). */
int pcri_exact_make(struct pcr_decoder *d, const struct pcr_buffer *file, uint32_t quality,
                    const struct pcr_limits *limits, struct pcri_exact *e,
                    struct pcr_error *err);

/* Whether an exact picture's spans decode to these pixels. 0, CORRUPT if not, and as
 * pcr_decoder_decode_spans(). */
int pcri_exact_prove(struct pcr_decoder *d, const struct pcr_spans *spans,
                     const struct pcr_limits *limits, struct pcri_exact *e,
                     struct pcr_error *err);

/* Replaces the quality of a JPEG's prefixes, each relative to the JPEG, by that relative to the
 * exact pixels. `quality` as in struct pcri_coded, of `prefixes`. (exact_quality.c) */
void pcri_exact_qualities(const struct pcri_exact *e, uint32_t prefixes, uint8_t *quality);
/* Fills in e->quality by pixels, JPEG decoded. NOMEM. */
int pcri_exact_measure(struct pcri_exact *e, struct pcr_error *err);

/* Writes an exact picture, its spans at full fidelity, as a PNG with its ICC profile and its
 * orientation, which replaces *out. Codes as pcr_decoder_decode_spans(). (exact_png.c) */
int pcri_exact_png(const struct pcr_spans *spans, struct pcr_buffer *out,
                   struct pcr_error *err);

#endif
