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

/* What a sample's head says of its coding; for many samples the same. */
struct pcri_pk_params {
    uint64_t tables;   /* their hash */
    uint8_t lanes_log; /* 0 to 4: 1 to 16 states */
    uint32_t restart;  /* MCU rows from restart to restart; 0: none */
};

enum { PCRI_PK_MAX_PARAMS = 8 + 1 + 5 }; /* bytes */

/* Appends them as bytes. */
int pcri_pk_params_print(const struct pcri_pk_params *p, struct pcr_buffer *out,
                         struct pcr_error *err);
/* Codes: CORRUPT. */
int pcri_pk_params_parse(const void *data, size_t nbytes, struct pcri_pk_params *out,
                         struct pcr_error *err);

/* What is good for an image: few states for small ones, and restarts in tall ones. */
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
    struct pcri_pk_counts *counts;       /* not NULL: symbols are counted, and not written, */
    uint32_t count_every;                /* of each batch so many; 0: of all */
    bool passes_over;                    /* this one */
    const struct pcri_pk_kernels *kernels;
    struct pcri_pk_plan plan;
    struct pcri_pk_params params;
    struct pcri_pk_rows rows;
    struct pcri_pk_stream_writer streams[PCRI_LADDER_MAX_GROUPS];
    uint16_t *contexts; /* scratch: 64 for each block of a batch's rows, */
    uint8_t *symbols;   /* and as many */
    size_t symbols_capacity;
};

/* Appends the image's chunk of each group to chunks[group]. c: coefficients as pcri_coefs_read()
 * makes them; masks are not looked at. script: of a ladder of group_count groups. Codes:
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

/* Magnitudes of a row's coefficients, as far as first passes brought them; those of one bit are in
 * a plane. */
struct pcri_pk_magnitude {
    uint32_t place; /* block * 64 + k */
    uint16_t value;
};
struct pcri_pk_large {
    struct pcri_pk_magnitude *items;
    size_t count, capacity;
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
    struct pcr_buffer bytes;      /* of all chunks, with padding after them */
    struct pcri_pk_range *ranges; /* of `bytes`: [group * segments + segment] */
    size_t range_capacity;
    struct pcri_pk_stream streams[PCRI_LADDER_MAX_GROUPS];
    uint16_t *contexts; /* of a call, */
    uint8_t *symbols;   /* what it read, */
    uint8_t *t;         /* but for T, which stay until B are read */
    size_t scratch_capacity;
    struct pcri_pk_large large[4];
    uint32_t batch, batch_end, wanted_begin; /* batches: next, and those that are wanted */
};

/* Where a batch's rows are to be stored. NULL: not wanted. `dc`: a number a block, needs no AC. */
struct pcri_pk_target {
    int16_t *coef;  /* 64 a block, zigzag order */
    uint64_t *mask; /* a block; bit k set if coefficient k is not 0; bit 0 is not kept */
    int16_t *dc;    /* a number a block */
};

/* Begins an image of `groups` groups, whose chunks are chunks[0..groups-1]. The MCU rows that are
 * wanted are [begin, end); end may be beyond the last. The chunks are not needed afterwards. tables
 * must be those of params->tables, and live as long as it is decoded. Codes: CORRUPT,
 * UNSUPPORTED (pcri_pk_check()), NOMEM. */
int pcri_pk_decoder_begin(struct pcri_pk_decoder *d, const struct pcri_jpeg_file *f,
                          const struct pcri_script *script, uint32_t group_count,
                          const struct pcri_pk_tables *tables,
                          const struct pcri_pk_params *params, const struct pcr_span chunks[],
                          uint32_t groups, uint32_t begin, uint32_t end,
                          struct pcr_error *err);
/* Goes to the next wanted batch, rows[c] becomes the block row of component c in it, UINT32_MAX:
 * none. False: there is no more. What is before it in its segment is decoded. */
bool pcri_pk_decoder_more(const struct pcri_pk_decoder *d, uint32_t rows[4]);
/* Decodes that batch to where `targets` (one a component) say. Codes: CORRUPT. */
int pcri_pk_decoder_next(struct pcri_pk_decoder *d, const struct pcri_pk_target targets[4],
                         struct pcr_error *err);
/* The same to planes, of which row_begin and row_end say what is kept. rows: of the batch, as
 * pcri_pk_decoder_more() gave them. */
int pcri_pk_decode_rows(struct pcri_pk_decoder *d, const uint32_t rows[4],
                        const struct pcri_blocks planes[4], struct pcr_error *err);
/* The same of all wanted batches, to planes of which row_begin and row_end say what is kept. Where
 * has_ac is false only `dc` is written, and only the mask otherwise. */
int pcri_pk_decode(struct pcri_pk_decoder *d, const struct pcri_blocks planes[4],
                   struct pcr_error *err);
void pcri_pk_decoder_free(struct pcri_pk_decoder *d);

#endif
