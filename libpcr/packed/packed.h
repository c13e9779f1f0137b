/* SPDX-License-Identifier: BSD-2-Clause */
/* Coding 2, packed: quantised coefficients to the chunks of groups and back (docs/FORMAT.md,
 * "Coding 2"). It knows nothing of records, datasets and pixels: chunks are bytes, an image's
 * frame is told by its marker segments (struct pcri_jpeg_file), and coefficients are those of
 * jpeg/coefs.h and jpeg/scan_decode.h.
 *
 *     tables     trained on some images (train.h), stored once, or those that are built in
 *     encoder    coefficients + script + tables -> a chunk a group, and parameters
 *     decoder    chunks of groups 1..g + parameters + tables -> rows of coefficients */
#ifndef PCRI_PK_PACKED_H
#define PCRI_PK_PACKED_H

#include "../jpeg/coefs.h"
#include "../jpeg/scan_decode.h"
#include "rows.h"
#include "tables.h"

/* What a sample's header says about its coding; many samples have the same. */
struct pcri_pk_params {
    uint64_t tables;   /* their hash */
    uint8_t lanes_log; /* 0 to 4: 1 to 16 states */
    uint32_t restart;  /* MCU rows between restarts; 0: there are none */
};

/* Appends them as bytes. */
int pcri_pk_params_print(const struct pcri_pk_params *p, struct pcr_buffer *out,
                         struct pcr_error *err);
/* Codes: CORRUPT. */
int pcri_pk_params_parse(const void *data, size_t nbytes, struct pcri_pk_params *out,
                         struct pcr_error *err);

/* Chooses them for an image: few states if it is small, restarts if it is tall. */
struct pcri_pk_params pcri_pk_params_choose(const struct pcri_jpeg_file *f,
                                            const struct pcri_pk_tables *tables);

/* --- encoder --- */

struct pcri_pk_counts; /* train.h */

struct pcri_pk_stream_writer {
    struct pcri_tans_writer symbols;
    struct pcr_buffer plain;
    struct pcri_pk_bit_writer bits;   /* into plain */
    struct pcr_buffer lengths, bytes; /* of the segments that are done */
};

/* Memory for one image at a time; start from { 0 }. */
struct pcri_pk_encoder {
    const struct pcri_pk_tables *tables; /* made for writing */
    struct pcri_pk_counts *counts;       /* if not NULL, symbols are counted, not written */
    uint32_t count_every;                /* count each so many-th batch only; 0: all */
    bool passes_over;                    /* the present batch is not counted */
    const struct pcri_pk_kernels *kernels;
    struct pcri_pk_plan plan;
    struct pcri_pk_params params;
    struct pcri_pk_rows rows;
    struct pcri_pk_stream_writer streams[PCRI_LADDER_MAX_GROUPS];
    uint16_t *contexts; /* scratch: 64 for each block of a batch's rows */
    uint8_t *symbols;   /* the same number */
    size_t symbols_capacity;
};

/* Appends the image's chunk of each group to chunks[group]. c: coefficients as pcri_coefs_read()
 * makes them, whose masks are not used. script: of a ladder of group_count groups. Codes:
 * UNSUPPORTED (pcri_pk_check()), NOMEM. */
int pcri_pk_encode(struct pcri_pk_encoder *e, const struct pcri_coefs *c,
                   const struct pcri_jpeg_file *f, const struct pcri_script *script,
                   uint32_t group_count, const struct pcri_pk_tables *tables,
                   const struct pcri_pk_params *params, struct pcr_buffer chunks[],
                   struct pcr_error *err);
/* Counts the image's symbols. */
int pcri_pk_count(struct pcri_pk_encoder *e, const struct pcri_coefs *c,
                  const struct pcri_jpeg_file *f, const struct pcri_script *script,
                  uint32_t group_count, struct pcri_pk_counts *counts, struct pcr_error *err);
void pcri_pk_encoder_free(struct pcri_pk_encoder *e);

/* --- decoder --- */

/* Where a group's streams of one segment are. */
struct pcri_pk_range {
    size_t symbols, plain, end;
};

/* One group's streams, of the segment that is read. */
struct pcri_pk_stream {
    struct pcri_tans_reader symbols;
    struct pcri_pk_bits plain;
};

/* Memory for one image at a time; start from { 0 }. */
struct pcri_pk_decoder {
    const struct pcri_pk_tables *tables;
    const struct pcri_pk_kernels *kernels;
    struct pcri_pk_plan plan;
    struct pcri_pk_params params;
    uint32_t groups, segments;
    struct pcri_pk_rows rows;
    /* A component's last pass of these groups; NULL where it is a first one. */
    const struct pcri_pk_pass *last[4];
    struct pcr_buffer bytes;      /* of all chunks what is wanted, and padding */
    struct pcri_pk_range *ranges; /* of `bytes`: [group * segments + segment] */
    size_t range_capacity;
    struct pcri_pk_stream streams[PCRI_LADDER_MAX_GROUPS];
    uint16_t *contexts; /* of the symbols of a call */
    uint8_t *symbols;   /* that a call read, except T */
    uint8_t *t;         /* T, which are needed until B have been read */
    size_t scratch_capacity;
    uint32_t batch, batch_end, wanted_begin; /* batches: next, and those that are wanted */
};

/* Where to store a batch's rows of a component; NULL members are not wanted. */
struct pcri_pk_target {
    int16_t *coef;  /* 64 a block, zigzag order */
    uint64_t *mask; /* one a block: bit k is set if coefficient k > 0 is not 0 */
    int16_t *dc;    /* one a block */
};

/* Begins an image of which the chunks of `groups` groups are there. The MCU rows [begin, end) are
 * wanted; end may be beyond the last. Copies the chunks. `tables` must be those that params->tables
 * names, and live until the image is decoded. Codes: CORRUPT, UNSUPPORTED (pcri_pk_check()),
 * NOMEM. */
int pcri_pk_decoder_begin(struct pcri_pk_decoder *d, const struct pcri_jpeg_file *f,
                          const struct pcri_script *script, uint32_t group_count,
                          const struct pcri_pk_tables *tables,
                          const struct pcri_pk_params *params, const struct pcr_span chunks[],
                          uint32_t groups, uint32_t begin, uint32_t end,
                          struct pcr_error *err);
/* Is there another wanted batch? rows[c] becomes its block row of component c, UINT32_MAX if it has
 * none. */
bool pcri_pk_decoder_more(const struct pcri_pk_decoder *d, uint32_t rows[4]);
/* Decodes that batch, after what comes before it in its segment. targets: one a component. Codes:
 * CORRUPT. */
int pcri_pk_decoder_next(struct pcri_pk_decoder *d, const struct pcri_pk_target targets[4],
                         struct pcr_error *err);
/* The same, into planes that keep rows [row_begin, row_end). rows: from pcri_pk_decoder_more(). */
int pcri_pk_decode_rows(struct pcri_pk_decoder *d, const uint32_t rows[4],
                        const struct pcri_blocks planes[4], struct pcr_error *err);
/* The same for all wanted batches. If a plane's has_ac is false, only its `dc` is written, else its
 * coefficients and masks. */
int pcri_pk_decode(struct pcri_pk_decoder *d, const struct pcri_blocks planes[4],
                   struct pcr_error *err);
void pcri_pk_decoder_free(struct pcri_pk_decoder *d);

#endif
