/* SPDX-License-Identifier: BSD-2-Clause */
/* Coding 1: JPEG files to ladder scans (docs/FORMAT.md section 4). */
#ifndef PCRI_CODER_H
#define PCRI_CODER_H

#include <pcr/ladder.h>

#include "../base/packed.h"

/* Scratch memory for packing; one thread at a time. `ladder` must outlive it. */
struct pcri_coder;
/* Is asked before memory is taken that grows with a picture's pixels; a failure ends the packing
 * of it. take NULL: it is not. */
struct pcri_coder_memory {
    int (*take)(void *context, uint64_t nbytes, struct pcr_error *err);
    void *context;
};
/* limits, memory: may be NULL. */
int pcri_coder_create(const struct pcr_ladder *ladder, const struct pcr_limits *limits,
                      const struct pcri_coder_memory *memory, struct pcri_coder **out,
                      struct pcr_error *err);
void pcri_coder_destroy(struct pcri_coder **c);

/* piece_count of each of the ladder's groups. */
void pcri_ladder_piece_counts(const struct pcr_ladder *ladder, uint16_t counts[]);

/* Huffman tables trained on a sample of images, for all to share. Immutable. */
struct pcri_tables;
void pcri_tables_destroy(struct pcri_tables **t);

/* One image's symbol statistics. */
struct pcri_symbol_stats;
int pcri_coder_survey(struct pcri_coder *c, const void *data, size_t nbytes,
                      struct pcri_symbol_stats **out, struct pcr_error *err);
void pcri_symbol_stats_destroy(struct pcri_symbol_stats **s);

/* Makes tables from the statistics of `count` images (NULL entries are passed over). The
 * result depends on their order and contents alone. */
int pcri_tables_train(const struct pcr_ladder *ladder,
                      struct pcri_symbol_stats *const *stats, size_t count,
                      struct pcri_tables **out, struct pcr_error *err);

/* Packs a JPEG file without loss. tables: NULL for tables of its own alone. What is packed is
 * materialised, decoded by our own decoder, and compared with the coefficients that libjpeg
 * read from the source.
 *
 * Codes: FORMAT (no JPEG), UNSUPPORTED (a valid one that coding 1 cannot hold: keep it
 * opaque), CORRUPT or TRUNCATED (damaged: see turbo.h), LIMIT, NOMEM. Offsets are in the
 * file. *out is written on success alone. */
int pcri_coder_pack(struct pcri_coder *c, const struct pcri_tables *tables,
                    const void *data, size_t nbytes, struct pcri_packed *out,
                    struct pcr_error *err);

/* The same of a damaged file: the coefficients that libjpeg has when it has given its warnings,
 * with the metadata before the first scan. What libjpeg would not go on from is cut off, once
 * there is a scan. Codes: the same, where nothing can be made of it. */
int pcri_coder_salvage(struct pcri_coder *c, const struct pcri_tables *tables,
                       const void *data, size_t nbytes, struct pcri_packed *out,
                       struct pcr_error *err);

/* What was packed last, and successfully, as a JPEG file at full fidelity; the coder's. */
struct pcr_span pcri_coder_file(const struct pcri_coder *c);

#endif
