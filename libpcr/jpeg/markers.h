/* SPDX-License-Identifier: BSD-2-Clause */
/* The marker segments of a JPEG file. */
#ifndef PCRI_MARKERS_H
#define PCRI_MARKERS_H

#include "../base/base.h"
#include "../base/exif.h"

enum {
    M_SOF0 = 0xC0,
    M_SOF1 = 0xC1,
    M_SOF2 = 0xC2,
    M_DHT = 0xC4,
    M_RST0 = 0xD0,
    M_RST7 = 0xD7,
    M_SOI = 0xD8,
    M_EOI = 0xD9,
    M_SOS = 0xDA,
    M_DQT = 0xDB,
    M_DNL = 0xDC,
    M_DRI = 0xDD,
    M_DHP = 0xDE,
    M_EXP = 0xDF,
    M_APP0 = 0xE0,
    M_APP1 = 0xE1,
    M_APP14 = 0xEE,
    M_APP15 = 0xEF,
    M_COM = 0xFE,
    M_TEM = 0x01,
};

struct pcri_component {
    uint8_t id, h, v, quant_slot;
};

/* A segment in the file: its marker, and the bytes from the marker's FF to its end. */
struct pcri_segment {
    uint8_t marker;
    bool after_scan; /* it comes after the first SOS */
    uint32_t nbytes; /* with FF and marker */
    uint64_t offset; /* of the FF */
};

struct pcri_jpeg_file {
    const uint8_t *data; /* the piece that was parsed last */
    size_t nbytes;
    uint64_t base;      /* bytes in the pieces before it */
    size_t entropy_end; /* bytes at its beginning that belong to the scan before it */
    uint32_t width, height;
    uint32_t component_count;
    struct pcri_component components[4];
    uint32_t max_h, max_v;
    bool has_jfif, has_adobe, ycc; /* ycc: some components are chroma (FORMAT 5) */
    uint8_t adobe_transform;
    uint8_t sof; /* marker */
    uint64_t sof_offset;
    bool in_scans;  /* after the first SOS */
    bool open_scan; /* the last piece ended with an SOS */
    bool lenient;   /* set by the owner after begin: pieces may be as whole files may */
    bool salvaged;  /* see pcri_jpeg_file_salvage() */
    bool no_eoi;    /* the file ends without EOI after a scan, or within metadata there */
    uint32_t scan_count;
    uint64_t end;                        /* offset of EOI; of a piece without it: its size */
    uint64_t eoi_end;                    /* offset after EOI; 0: there is none */
    struct pcri_orientation orientation; /* of the segments before the first scan */
    uint16_t quant[4][64];               /* zigzag order */
    bool quant_defined[4];
    struct pcri_segment *segments; /* all but RSTn, SOI, EOI and fill bytes */
    uint32_t segment_count;
    size_t segment_capacity;
};

/* Reads all marker segments of a file, to EOI. Keeps pointers into `data`. It ignores what
 * libjpeg ignores (docs/guide.md, "What is damage"): stray bytes between segments, markers
 * without parameters, equal component identifiers, lengths of APPn and COM below 2, DNL that
 * repeats the height. If EOI is missing after a scan, no_eoi says so; the caller must find out
 * whether all coefficients are there. Codes: FORMAT (no SOI), TRUNCATED, CORRUPT, UNSUPPORTED
 * (what coding 1 cannot represent), LIMIT. */
int pcri_jpeg_file_parse(const void *data, size_t nbytes, const struct pcr_limits *limits,
                         struct pcri_jpeg_file *out, struct pcr_error *err);

/* The same for a damaged file. After the first scan header, anything at which libjpeg would
 * stop is cut off (`nbytes` says where). Metadata after the first scan is not reliable. Limits
 * hold. */
int pcri_jpeg_file_salvage(const void *data, size_t nbytes, const struct pcr_limits *limits,
                           struct pcri_jpeg_file *out, struct pcr_error *err);

/* The same step by step, for a file in pieces that end with a marker segment or with a scan's
 * data: begin, then parse each. Segments, and their offsets, are those of the last piece; EOI
 * may be missing. Whether all tables are there is checked at the first SOS. */
void pcri_jpeg_file_begin(struct pcri_jpeg_file *f);
int pcri_jpeg_file_add(struct pcri_jpeg_file *f, const void *data, size_t nbytes,
                       const struct pcr_limits *limits, struct pcr_error *err);
/* Ends a header that no scan follows: does what the first SOS would do, and checks the
 * same. */
int pcri_jpeg_file_end_header(struct pcri_jpeg_file *f, struct pcr_error *err);
/* Frees what parsing made; the struct can be used for another file as it is. */
void pcri_jpeg_file_free(struct pcri_jpeg_file *f);

/* Blocks of component c that the image needs, in x and y (no padding to whole MCUs). */
uint32_t pcri_blocks_x(const struct pcri_jpeg_file *f, uint32_t c);
uint32_t pcri_blocks_y(const struct pcri_jpeg_file *f, uint32_t c);
/* Those of all components together. */
uint64_t pcri_block_count(const struct pcri_jpeg_file *f);

#endif
