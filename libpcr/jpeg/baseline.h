/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing coefficients as a sequential Huffman JPEG, the kind that hardware decoders take. */
#ifndef PCRI_BASELINE_H
#define PCRI_BASELINE_H

#include "coding.h"

/* Tables and scratch memory; start from { 0 }. One thread at a time. */
struct pcri_baseline {
    bool ready;
    /* By component class (0: luma) and what is coded: the code, followed by the value's bits,
     * shifted left by 5, plus the number of bits of both. */
    uint32_t dc[2][12];         /* by magnitude category, without the value's bits */
    uint32_t ac[2][16][11];     /* by run of zeros and category, without the value's bits */
    uint32_t small[2][16][64];  /* by run and value & 63, of values from -32 to 31 */
    struct pcr_buffer later[4]; /* data of scans that come after the first one's */
};
void pcri_baseline_free(struct pcri_baseline *b);

/* Appends a marker segment of n bytes after its length, at most 65,533. */
int pcri_segment_append(uint8_t marker, const uint8_t *payload, size_t n,
                        struct pcr_buffer *out, struct pcr_error *err);

/* Appends DQT and SOF: SOF0, or SOF1 where a step of quantisation is above 255. NOMEM. */
int pcri_baseline_frame(const struct pcri_jpeg_file *f, struct pcr_buffer *out,
                        struct pcr_error *err);

/* Appends DHT, DRI, the scan, and EOI; what comes before is the caller's. The coefficients are
 * read from the top once. One interleaved scan where an MCU has at most ten blocks, else one for
 * each component; the tables of annex K; a restart interval every so many rows of MCUs (0: none).
 * Codes: UNSUPPORTED (coefficients beyond what 8-bit JPEG codes), NOMEM. */
int pcri_baseline_write(struct pcri_baseline *b, const struct pcri_block_source *source,
                        uint32_t restart_rows, struct pcr_buffer *out, struct pcr_error *err);

#endif
