/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing the entropy-coded data of sequential Huffman scans, with any tables. */
#ifndef PCRI_SEQUENTIAL_H
#define PCRI_SEQUENTIAL_H

#include "bit_sink.h"
#include "coding.h"
#include "padding.h"
#include "scan_decode.h"

/* Codes shifted left by 5, plus the number of bits; 0: there is no code. */
struct pcri_dc_codes {
    uint32_t by_category[16];
};
struct pcri_ac_codes {
    uint32_t by_category[16][16]; /* of a run of zeros, without the value's bits */
    /* With the value's bits, of a run and value & 63, for values from -32 to 31. */
    uint32_t small[16][64];
    /* The same for vectors, by symbol: codes, and their lengths with the value's bits. */
    uint16_t codes[256];
    uint8_t lengths[256];
};

void pcri_dc_codes_make(const struct pcri_dht *t, struct pcri_dc_codes *out);
void pcri_ac_codes_make(const struct pcri_dht *t, struct pcri_ac_codes *out);

/* A row of a component's blocks. */
struct pcri_block_row {
    const int16_t *coef;  /* NULL: there is only DC, */
    const int16_t *dc;    /* here */
    const uint64_t *mask; /* of coefficients that are not 0; bit 0 does not count */
    uint32_t count, y;    /* those from `count` on only fill MCUs; which row it is */
};

/* A component in its scan. */
struct pcri_sequential_part {
    const struct pcri_blocks *plane;
    const struct pcri_padding *padding; /* NULL: repeats DC, without AC */
    const struct pcri_dc_codes *dc;
    const struct pcri_ac_codes *ac;
    uint8_t component, h, v; /* blocks in an MCU */
    uint8_t table;           /* for its owner */
    int last_dc;
    struct pcri_block_row rows[4]; /* v of them: of the row of MCUs that is written */
};

/* Writes MCUs [from, to) of the row of MCUs whose rows of blocks the parts have to the sink: at
 * most PCRI_RUN_NBYTES, and up to 8 more that do not count. */
struct pcri_sequential_scan;
typedef void pcri_put_mcus(struct pcri_sequential_scan *s, uint32_t from, uint32_t to);

/* Of a block without stuffing: codes of at most 16 bits, and values of 11. */
enum { PCRI_BLOCK_NBYTES = 64 * 27 / 8 };

/* A scan on its way. */
struct pcri_sequential_scan {
    struct pcri_sequential_part parts[4];
    uint32_t part_count;
    uint32_t mcus_x, rows, next; /* rows of MCUs in all, and which is written next */
    uint32_t restart_interval;   /* MCUs; 0: none */
    uint32_t mcu, restarts;      /* MCUs since the last marker; markers written */
    bool pad_zeros;              /* last bytes are filled up with zeros, not with ones */
    struct pcr_buffer *out;      /* the data is appended to it */
    struct pcri_bit_sink sink;
    pcri_put_mcus *kernel;
    uint32_t run_mcus; /* that it is given at once, at most */
};

/* Fills in the geometry of a scan of the first part_count parts, whose components are set, and
 * begins it. One component: h and v become 1. */
void pcri_sequential_begin(struct pcri_sequential_scan *s, const struct pcri_jpeg_file *f,
                           struct pcr_buffer *out);

/* Writes the next row of MCUs; the last one is completed. UNSUPPORTED (coefficients beyond what
 * 8-bit JPEG codes), NOMEM. */
int pcri_sequential_row(struct pcri_sequential_scan *s, struct pcr_error *err);

/* Writes scans that have begun down the picture, reading the source from the top once. */
int pcri_sequential_write(const struct pcri_block_source *source,
                          struct pcri_sequential_scan *scans, uint32_t count,
                          struct pcr_error *err);

/* How often a scan's parts, by number, have each symbol. The scan is at its beginning. */
void pcri_sequential_count(const struct pcri_sequential_scan *s, uint32_t dc[4][256],
                           uint32_t ac[4][256]);

#endif
