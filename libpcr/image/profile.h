/* SPDX-License-Identifier: BSD-2-Clause */
/* What an encoded image says of its colours; and encoding pixels as JPEG. */
#ifndef PCRI_PROFILE_H
#define PCRI_PROFILE_H

#include "../base/base.h"

/* The ICC profile of a JPEG or PNG file, in pieces that end with segments as those of
 * pcr_decoder_decode_spans(): replaces what is in the buffer, nothing where there is none or it is
 * not whole. *any: there is at least a part of one. NOMEM. */
int pcri_profile_read(const struct pcr_spans *file, struct pcr_buffer *profile, bool *any,
                      struct pcr_error *err);

/* Of a JPEG or PNG file: is it gray, and its ICC profile (replaces what is in the buffer;
 * nothing where there is none, a damaged one, or one that is not for RGB, or gray, pixels as
 * the decoder gives them). NOMEM. */
int pcri_profile_find(const uint8_t *data, size_t nbytes, bool *gray,
                      struct pcr_buffer *profile, struct pcr_error *err);

/* A baseline JPEG of packed pixels, RGB (4:2:0) or gray, replacing what is in `out`. quality:
 * libjpeg's, 1 to 100. The same bytes whatever the CPU. NOMEM, LIMIT (65,500 pixels). */
int pcri_jpeg_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                     uint32_t quality, const struct pcr_buffer *profile,
                     struct pcr_buffer *out, struct pcr_error *err);

#endif
