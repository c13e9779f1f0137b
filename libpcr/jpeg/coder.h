/* SPDX-License-Identifier: BSD-2-Clause */
/* Encoding JPEG files by a coding. */
#ifndef PCRI_CODER_H
#define PCRI_CODER_H

#include <pcr/ladder.h>

#include "../base/coded.h"

struct pcri_coding;

/* Asked before memory is allocated that grows with a picture's pixels; a failure ends the
 * encoding of the picture. take NULL: not asked. */
struct pcri_coder_memory {
    int (*take)(void *context, uint64_t nbytes, struct pcr_error *err);
    void *context;
};

/* piece_count of each of the ladder's groups, for any coding. */
void pcri_ladder_piece_counts(const struct pcr_ladder *ladder, uint16_t counts[]);

/* Scratch memory for encoding; one thread at a time. `ladder` must outlive it. */
struct pcri_coder {
    const struct pcri_coding *coding;
    bool restorable; /* set by the owner: pcri_coder_restore() will be called */
};
/* limits, memory: may be NULL. */
int pcri_coder_create(const struct pcri_coding *coding, const struct pcr_ladder *ladder,
                      const struct pcr_limits *limits, const struct pcri_coder_memory *memory,
                      struct pcri_coder **out, struct pcr_error *err);
void pcri_coder_destroy(struct pcri_coder **c);

/* One image's statistics. */
struct pcri_coder_stats {
    const struct pcri_coding *coding;
};
int pcri_coder_survey(struct pcri_coder *c, const void *data, size_t nbytes,
                      struct pcri_coder_stats **out, struct pcr_error *err);
void pcri_coder_stats_destroy(struct pcri_coder_stats **s);

/* Tables trained on a sample of images, for all to share. Immutable. */
struct pcri_coder_tables {
    const struct pcri_coding *coding;
};
/* Makes tables from the statistics of `count` images (NULL entries are skipped). The result
 * depends only on their order and contents. */
int pcri_coder_train(const struct pcri_coding *coding, const struct pcr_ladder *ladder,
                     struct pcri_coder_stats *const *stats, size_t count,
                     struct pcri_coder_tables **out, struct pcr_error *err);
void pcri_coder_tables_destroy(struct pcri_coder_tables **t);

/* Encodes a JPEG file without loss. tables: NULL if there are none. The result is decoded by
 * libpcr's decoder and compared with the coefficients that libjpeg read from the source.
 *
 * Codes: FORMAT (not a JPEG), UNSUPPORTED (a valid one that codings cannot represent: keep it
 * opaque), CORRUPT or TRUNCATED (damaged: see turbo.h), LIMIT, NOMEM. Offsets are in the file.
 * *out is written only on success. */
int pcri_coder_encode(struct pcri_coder *c, const struct pcri_coder_tables *tables,
                      const void *data, size_t nbytes, struct pcri_coded *out,
                      struct pcr_error *err);

/* The same for a damaged file: the coefficients that libjpeg has after its warnings, with the
 * metadata before the first scan. Once there is a scan, anything at which libjpeg would stop
 * is cut off. Codes: the same, if nothing can be made of it. */
int pcri_coder_salvage(struct pcri_coder *c, const struct pcri_coder_tables *tables,
                       const void *data, size_t nbytes, struct pcri_coded *out,
                       struct pcr_error *err);

/* Fills in what restores the last image's file, byte for byte, after pcri_coder_encode() gave
 * *coded; or after a survey, with *coded { 0 }. A program that *coded has already is proven.
 * UNSUPPORTED: it would take too many bytes, or is not proven; NOMEM. */
int pcri_coder_restore(struct pcri_coder *c, struct pcri_coded *coded, struct pcr_error *err);

/* The last image, if it was encoded successfully, as a JPEG file at full fidelity; the coder
 * owns it. */
int pcri_coder_file(struct pcri_coder *c, struct pcr_span *out, struct pcr_error *err);

#endif
