/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing coefficients as a sequential Huffman JPEG, the kind that hardware decoders take. */
#ifndef PCRI_BASELINE_H
#define PCRI_BASELINE_H

#include "coding.h"
#include "sequential.h"

/* Tables and scratch memory; start from { 0 }. One thread at a time. */
struct pcri_baseline {
    bool ready;
    struct pcri_dc_codes dc[2]; /* by component class; 0: luma */
    struct pcri_ac_codes ac[2];
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
