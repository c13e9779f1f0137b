/* SPDX-License-Identifier: BSD-2-Clause */
/* One progressive scan: from coefficients to symbols, and from symbols to bytes. */
#ifndef PCRI_SCAN_H
#define PCRI_SCAN_H

#include "coefs.h"
#include "huffman.h"
#include "padding.h"

/* What the standard leaves to encoders. */
struct pcri_scan_style {
    uint32_t restart_interval; /* MCUs; 0: none */
    uint32_t most_run;         /* blocks in an end-of-band run */
    uint32_t most_bits;        /* correction bits before such a run ends */
    /* By component; NULL: blocks that only fill MCUs repeat the one before, and are not
     * refined. */
    const struct pcri_padding *padding;
};

/* A scan of one image: its components (indices) and the SOS parameters. */
struct pcri_scan {
    uint8_t component_count;
    uint8_t components[4];
    uint8_t chroma[4]; /* of each component: 1 if it uses table 1, 0 for table 0 */
    uint8_t ss, se, ah, al;
    const struct pcri_scan_style *style; /* NULL: the library's own */
};

/* The scan as a run of symbols, each with the plain bits after it. */
struct pcri_symbols {
    uint32_t *items; /* value | value_nbits << 16 | symbol << 21 | table << 30 */
    size_t count, capacity;
    uint32_t counts[4][256]; /* how often each symbol occurs, by table */
    uint64_t plain_bits;     /* sum of all value_nbits */
    uint32_t restarts;       /* markers */
};

enum {
    PCRI_NO_SYMBOL = 256, /* only plain bits */
    PCRI_RESTART = 257,   /* the next restart marker */
};

/* Replaces *out. Codes: NOMEM; UNSUPPORTED (DC steps beyond what 8-bit JPEG codes). */
int pcri_scan_symbols(const struct pcri_coefs *c, const struct pcri_jpeg_file *f,
                      const struct pcri_scan *scan, struct pcri_symbols *out,
                      struct pcr_error *err);

/* Appends the entropy-coded data, FF bytes stuffed, and last bytes filled up with ones, or with
 * zeros. tables: as many as the symbols name. Every symbol must have a code, or is left out. */
int pcri_scan_write(const struct pcri_symbols *s, const struct pcri_huffman *tables,
                    bool pad_zeros, struct pcr_buffer *out, struct pcr_error *err);

/* Appends a DHT segment with the tables that the scan uses (none for DC refinement), and
 * the SOS segment. */
int pcri_scan_head(const struct pcri_scan *scan, const struct pcri_jpeg_file *f,
                   const struct pcri_huffman tables[2], struct pcr_buffer *out,
                   struct pcr_error *err);

/* Bytes of that DHT segment. */
size_t pcri_scan_dht_nbytes(const struct pcri_scan *scan, const struct pcri_huffman tables[2]);

/* True if the scan has Huffman codes for table t (0, 1). */
bool pcri_scan_uses(const struct pcri_scan *scan, int t);

void pcri_symbols_free(struct pcri_symbols *s);

#endif
