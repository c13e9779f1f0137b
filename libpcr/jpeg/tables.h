/* SPDX-License-Identifier: BSD-2-Clause */
/* Huffman tables that many images share. */
#ifndef PCRI_TABLES_H
#define PCRI_TABLES_H

#include "coder.h"
#include "ladder.h"
#include "scan.h"

/* A slot is one line of one script: its scans have similar statistics in all images. */
struct pcri_table_set {
    struct pcri_huffman tables[2]; /* luma, chroma; value_count 0: not trained */
};

struct pcri_slot_tables {
    uint32_t count;
    struct pcri_table_set *sets;
};

struct pcri_scan_tables {
    struct pcri_coder_tables base;
    uint32_t script_count;
    struct pcri_slot_tables slots[PCRI_LADDER_MAX_SCRIPTS][PCRI_LADDER_MAX_SCANS];
};

/* One scan's counts, without the zeros. */
struct pcri_symbol_count {
    uint32_t symbol; /* | table << 8 */
    uint32_t n;
};

struct pcri_sparse_counts {
    uint32_t line; /* of the script */
    uint32_t count;
    struct pcri_symbol_count items[];
};

struct pcri_scan_stats {
    struct pcri_coder_stats base;
    uint32_t script;
    uint32_t scan_count;
    struct pcr_buffer scans; /* pcri_sparse_counts, one after another */
};

/* Adds a scan's counts. */
int pcri_scan_stats_add(struct pcri_scan_stats *stats, uint32_t line,
                        const struct pcri_symbols *s, struct pcr_error *err);

/* These functions of the encoder of scans (coding.h). */
void pcri_scan_stats_destroy(struct pcri_coder_stats *stats);
void pcri_scan_tables_destroy(struct pcri_coder_tables *tables);
int pcri_scan_tables_train(const struct pcr_ladder *ladder,
                           struct pcri_coder_stats *const *stats, size_t count,
                           struct pcri_coder_tables **out, struct pcr_error *err);

#endif
