/* SPDX-License-Identifier: BSD-2-Clause */
/* Optimal Huffman tables for scans. */
#ifndef PCRI_HUFFMAN_H
#define PCRI_HUFFMAN_H

#include "../base/base.h"

/* A table, in the form of DHT and in that of an encoder. */
struct pcri_huffman {
    uint8_t counts[17]; /* codes of length i, 1..16 */
    uint16_t value_count;
    uint8_t values[256];  /* in code order */
    uint8_t lengths[256]; /* by symbol; 0: no code */
    uint16_t codes[256];  /* by symbol */
};

/* The optimal code of at most 16 bits for the symbols with a nonzero count (at least one),
 * without the all-ones code, which JPEG reserves. In a tie the smaller symbol gets the shorter
 * code. */
void pcri_huffman_build(const uint32_t counts[256], struct pcri_huffman *out);

/* The same as libjpeg makes it (jpeg_gen_optimal_table()), tie for tie: most files that have tables
 * of their own have these. No counts: an empty table. */
void pcri_huffman_build_as_libjpeg(const uint32_t counts[256], struct pcri_huffman *out);

/* Bits that the counted symbols take; UINT64_MAX if one has no code. */
uint64_t pcri_huffman_cost(const struct pcri_huffman *h, const uint32_t counts[256]);

#endif
