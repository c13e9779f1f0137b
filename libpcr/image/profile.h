/* SPDX-License-Identifier: BSD-2-Clause */
/* The colours of an encoded image; and encoding pixels as JPEG. */
#ifndef PCRI_PROFILE_H
#define PCRI_PROFILE_H

#include "../base/base.h"

/* The ICC profile of a file in pieces, as for pcr_decoder_decode_spans(). Replaces
 * the buffer's contents, with nothing if there is no profile or it is not complete. *any:
 * there is at least a part of one. NOMEM. */
int pcri_profile_read(const struct pcr_spans *file, struct pcr_buffer *profile, bool *any,
                      struct pcr_error *err);

/* The ICC profile of a file with so many components (1: gray), which replaces the buffer's
 * contents: nothing if there is none, it is damaged, or it is not for RGB, or gray, pixels as
 * the decoder delivers them. NOMEM. */
int pcri_profile_find(const uint8_t *data, size_t nbytes, uint32_t component_count,
                      struct pcr_buffer *profile, struct pcr_error *err);

enum { PCRI_JPEG_MOST_SIDE = 65500 }; /* libjpeg's */

/* How a JPEG is made of pixels. */
struct pcri_jpeg_style {
    uint32_t quality;                 /* libjpeg's, 1 to 100 */
    bool full_chroma;                 /* 4:4:4, else 4:2:0 */
    uint32_t orientation;             /* for its Exif block; 0 and 1: it has none */
    const struct pcr_buffer *profile; /* ICC; NULL or empty: none */
};
/* Encodes packed pixels, RGB or gray, as a baseline JPEG, which replaces `out`. The same bytes
 * whatever the CPU. NOMEM, LIMIT (65,500 pixels). */
int pcri_jpeg_encode_as(const uint8_t *pixels, uint32_t width, uint32_t height,
                        uint32_t channels, const struct pcri_jpeg_style *style,
                        struct pcr_buffer *out, struct pcr_error *err);
/* The same, 4:2:0 and without an orientation. */
int pcri_jpeg_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                     uint32_t quality, const struct pcr_buffer *profile,
                     struct pcr_buffer *out, struct pcr_error *err);

#endif
