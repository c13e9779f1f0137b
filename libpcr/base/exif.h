/* SPDX-License-Identifier: BSD-2-Clause */
/* The one Exif field that decoding needs: orientation. */
#ifndef PCRI_EXIF_H
#define PCRI_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation (1..8) that an APP1 segment's payload (what follows the length field)
 * states. 1 where it is no Exif segment, has no orientation, or is damaged: Exif is
 * metadata, and a picture is not refused for it. Of several segments, the first that gives
 * another value than 1 counts. Reads nothing beyond n bytes. */
uint32_t pcri_orientation_from_exif(const uint8_t *app1_payload, size_t n);

/* The same for a bare TIFF structure, which is what a PNG's eXIf chunk holds. */
uint32_t pcri_orientation_from_tiff(const uint8_t *tiff, size_t n);

#endif
