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
    COMPOSE_PROGRESSIVE = 1 << 1, /* libjpeg's simple progression, without scans */
    COMPOSE_ARITHMETIC = 1 << 2,
    COMPOSE_WIDE_QUANT = 1 << 3, /* no bound of 255: 16-bit tables, SOF1 */
    COMPOSE_NO_JFIF = 1 << 4,
    COMPOSE_NO_ADOBE = 1 << 5,
    COMPOSE_EXTREME = 1 << 6,     /* no picture: the largest coefficients */
    COMPOSE_SPARSE = 1 << 7,      /* no picture: coefficients, rarer as k grows */
    COMPOSE_HIGH_TABLES = 1 << 8, /* Huffman tables 2 and 3: SOF1; needs OPTIMISE */
    COMPOSE_FOUR_QUANT = 1 << 9,  /* a quantisation table for each component */
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
    int klass; /* plus 1, so that 0 means none */
    int quality;
    J_COLOR_SPACE space; /* of the file; JCS_UNKNOWN: YCbCr, or component_count */
    int component_count; /* with JCS_UNKNOWN: 2 or 5; 0: 3 */
    uint8_t sampling[4]; /* h << 4 | v for each component; 0: the default */
    const jpeg_scan_info *scans;
    int scan_count;
    unsigned restart_mcus;
    const struct segment *segments;
    uint32_t segment_count;
    uint8_t ids[4]; /* component identifiers; all 0: libjpeg's */
};

/* Writes the file. */
int gen_compose(const struct compose *spec, struct pcr_buffer *out, struct pcr_error *err);

#endif
