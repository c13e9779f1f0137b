/* SPDX-License-Identifier: BSD-2-Clause */
/* A coding is a way to hold the coefficients of JPEG images in a record, divided among the
 * groups of a ladder (docs/FORMAT.md 3.2). Each coding is a constant in a folder of its own;
 * coding/codings.c has the table of them. */
#ifndef PCRI_CODING_H
#define PCRI_CODING_H

#include "blocks.h"
#include "coder.h"
#include "markers.h"

/* An image's coefficients, as a decoder has them for the pixel stage. */
struct pcri_block_source {
    const struct pcri_jpeg_file *file; /* geometry and quantisation */
    const struct pcri_blocks *planes;  /* a component each */
    /* For each component, the lowest known bit of each coefficient; -1: nothing is known. */
    const int8_t (*bits)[64];
    /* Makes component c's block rows before `end`; NULL: all are there. Rows are requested in
     * ascending order of their place in the picture, and are gone when those of the second row of
     * MCUs after theirs come.
     * finish() reports damage. */
    void (*advance)(void *state, uint32_t component, uint32_t end);
    void *state;
};

/* Decodes samples, one after another; a state is used by one thread at a time. */
struct pcri_block_decoder {
    int (*create)(void **state_out, struct pcr_error *err);
    void (*destroy)(void *state); /* accepts NULL */
    /* Takes a sample's spans and parses its header. List and bytes must stay as long as run()
     * may follow; the list may grow by the spans of further groups. ladder: scans other than
     * its are damage; NULL: any ladder. The caller checks limits on pixels. *source_out lasts
     * until the next begin(). */
    int (*begin)(void *state, const struct pcr_spans *spans, const struct pcr_limits *limits,
                 const struct pcr_ladder *ladder, const struct pcri_block_source **source_out,
                 struct pcr_error *err);
    /* Says which block rows of a component are wanted (begin = end: none), before the first
     * run(). By default all are. */
    void (*keep)(void *state, uint32_t component, uint32_t row_begin, uint32_t row_end);
    /* After begin(): so many rows of MCUs apart are those that nothing before them is decoded
     * for; 0, or NULL: only the first is. */
    uint32_t (*entry_rows)(void *state);
    /* Updates the source to all the spans that are there now, ready to be read from the
     * top. */
    int (*run)(void *state, struct pcr_error *err);
    /* After the source was read: reports damage that only reading could find. */
    int (*finish)(void *state, struct pcr_error *err);
};

/* Called by the functions of coder.h, which describe them. A coding's coders, statistics and
 * tables begin with those structs. survey NULL: the coding uses no statistics and no
 * tables. */
struct pcri_encoder {
    int (*create)(struct pcri_coder **coder_out, const struct pcr_ladder *ladder,
                  const struct pcr_limits *limits, const struct pcri_coder_memory *memory,
                  struct pcr_error *err);
    void (*destroy)(struct pcri_coder *coder);
    void (*stats_destroy)(struct pcri_coder_stats *stats);
    void (*tables_destroy)(struct pcri_coder_tables *tables);
    int (*survey)(struct pcri_coder *coder, const void *data, size_t nbytes,
                  struct pcri_coder_stats **out, struct pcr_error *err);
    int (*train)(const struct pcr_ladder *ladder, struct pcri_coder_stats *const *stats,
                 size_t count, struct pcri_coder_tables **out, struct pcr_error *err);
    int (*encode)(
        struct pcri_coder *coder, const struct pcri_coder_tables *tables, const void *data,
        size_t nbytes, bool salvage, struct pcri_coded *out,
        struct pcr_error *err); /* of pcri_coder_encode(), and pcri_coder_salvage() */
    int (*file)(struct pcri_coder *coder, struct pcr_span *out, struct pcr_error *err);
    int (*restore)(struct pcri_coder *coder, struct pcri_coded *coded, struct pcr_error *err);
};

/* The name that APP15 segments of the codings' own begin with (docs/FORMAT.md 10.7). */
#define PCRI_OWN_NAME "PCR"
enum { PCRI_MAGIC_NBYTES = 10, PCRI_OWN_NAME_NBYTES = sizeof(PCRI_OWN_NAME) - 1 };

struct pcri_coding {
    uint8_t number;                   /* in records (docs/FORMAT.md 3.2) */
    const char *name;                 /* in options and descriptions */
    const char *ladder;               /* the built-in ladder that suits it */
    uint8_t magic[PCRI_MAGIC_NBYTES]; /* what its samples' spans begin with */
    uint32_t magic_nbytes;
    const struct pcri_encoder *encoder;
    const struct pcri_block_decoder *decoder;
    /* Can images be held in the ladder's groups? UNSUPPORTED, which says why not. NULL: in any
     * ladder's. */
    int (*check_ladder)(const struct pcr_ladder *ladder, struct pcr_error *err);
    /* How many of a sample's spans are marker segments of its header; NULL: the first SOS ends
     * them. */
    uint32_t (*header_spans)(const struct pcr_spans *spans);
    /* Turns a sample's spans into those of a JPEG file, with all the groups that they have.
     * *memory is replaced by bytes that must be generated. */
    int (*to_jpeg)(struct pcr_spans *spans, struct pcr_buffer *memory, struct pcr_error *err);
};

/* The same of a coding that someone has chosen, with this ladder: INVAL, which names both.
 * (coder.c) */
int pcri_coding_check(const struct pcri_coding *coding, const struct pcr_ladder *ladder,
                      struct pcr_error *err);

extern const struct pcri_coding pcri_coding_scans; /* progressive JPEG scans (scans.c) */

#endif
