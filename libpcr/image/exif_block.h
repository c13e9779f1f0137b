/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest Exif block that says which way up a picture is. */
#ifndef PCRI_EXIF_BLOCK_H
#define PCRI_EXIF_BLOCK_H

enum {
    PCRI_EXIF_NAME_NBYTES = 6, /* the name before the TIFF structure, which PNG does without */
    PCRI_EXIF_NBYTES = PCRI_EXIF_NAME_NBYTES + 26,
};

/* Name; little-endian, one directory at 8; one entry: tag 0x0112, one u16; no further directory. */
#define PCRI_EXIF(orientation) \
    { \
        'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, \
            0, (uint8_t) (orientation), 0, 0, 0, 0, 0, 0, 0 \
    }

#endif
