/* SPDX-License-Identifier: BSD-2-Clause */
/* Which way up a picture is: the only Exif and XMP metadata that decoding needs. */
#ifndef PCRI_EXIF_H
#define PCRI_EXIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The orientation that an image's metadata give, gathered block by block; start from { 0 }.
 * Blocks count as in Pillow's ImageOps.exif_transpose(): the tag of the Exif block or, without
 * it, tiff:Orientation of the XMP packet. Damaged metadata says nothing: a picture is not
 * refused for it. All values are 1 to 8; 0: not given. A tag with another value, or without a
 * number, means 1. */
struct pcri_orientation {
    bool has_exif;
    uint32_t exif, xmp;
};

/* An APP1 segment's payload (what follows the length field). Of several Exif blocks the first
 * counts, of several XMP packets the last. */
void pcri_orientation_add_app1(struct pcri_orientation *o, const uint8_t *payload, size_t n);

/* A bare Exif block: a TIFF structure with or without "Exif\0\0" before it. It replaces an
 * earlier one. */
void pcri_orientation_set_exif(struct pcri_orientation *o, const uint8_t *block, size_t n);

/* An XMP packet, which replaces an earlier one. */
void pcri_orientation_set_xmp(struct pcri_orientation *o, const uint8_t *packet, size_t n);

/* The orientation: 1 to 8. */
static inline uint32_t pcri_orientation_of(const struct pcri_orientation *o)
{
    return o->exif ? o->exif : o->xmp ? o->xmp : 1;
}

#endif
