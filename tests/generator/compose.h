/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the generator: JPEG files by description, through libjpeg. */
#ifndef PCR_GENERATOR_COMPOSE_H
#define PCR_GENERATOR_COMPOSE_H

#include <stdio.h>

#include <jpeglib.h>

#include "base/base.h"
#include "generator.h"

enum picture {
    PICTURE_PHOTO = 0,
    PICTURE_CONSTANT,
    PICTURE_CHECKER, /* single pixels, black and white */
    PICTURE_BLOCKS,  /* whole blocks, black and white: extreme DC differences */
    PICTURE_NOISE,   /* independent random bytes: extreme coefficients everywhere */
};

enum {
    COMPOSE_OPTIMISE = 1 << 0,
    COMPOSE_PROGRESSIVE = 1 << 1, /* libjpeg's simple progression, if there are no scans */
    COMPOSE_ARITHMETIC = 1 << 2,
    COMPOSE_WIDE_QUANT = 1 << 3,  /* quality without the bound of 255: 16-bit tables, SOF1 */
    COMPOSE_NO_JFIF = 1 << 4,
    COMPOSE_NO_ADOBE = 1 << 5,
    COMPOSE_EXTREME = 1 << 6,     /* coefficients are replaced by the largest ones */
};

struct segment { /* written after the ones that libjpeg writes */
    int marker;  /* JPEG_COM, JPEG_APP0 + n */
    const void *data;
    uint32_t nbytes;
};

/* Zero means: a YCbCr 4:2:0 photograph at quality 75, standard tables, one scan. */
struct compose {
    uint32_t width, height;
    enum picture picture;
    uint32_t flags; /* COMPOSE_* */
    uint64_t seed;
    int klass;      /* plus 1, so that 0 means none */
    int quality;
    J_COLOR_SPACE space;   /* of the file; JCS_UNKNOWN (0): YCbCr, or see component_count */
    int component_count;   /* with JCS_UNKNOWN: 2, or 0 */
    uint8_t sampling[4];   /* h << 4 | v for each component; 0: the default */
    const jpeg_scan_info *scans;
    int scan_count;
    unsigned restart_mcus;
    const struct segment *segments;
    uint32_t segment_count;
    uint8_t ids[4];        /* component identifiers; all 0: libjpeg's */
};

/* Writes the file. */
int gen_compose(const struct compose *spec, struct pcr_buffer *out, struct pcr_error *err);

#endif
