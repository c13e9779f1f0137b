/* SPDX-License-Identifier: BSD-2-Clause */
/* What a coding is: a way in which a record holds the coefficients of JPEG images, split over the
 * groups of a ladder (docs/FORMAT.md 3.2). Each is a constant of its own, in a folder of its own;
 * the table that names them is coding/codings.c. */
#ifndef PCRI_CODING_H
#define PCRI_CODING_H

#include "blocks.h"
#include "coder.h"
#include "markers.h"

/* An image's coefficients, as a decoder has them for the pixel stage. */
struct pcri_block_source {
    const struct pcri_jpeg_file *file; /* geometry and quantisation */
    const struct pcri_blocks *planes;  /* a component each */
    /* Of each component the lowest bit of each coefficient that is known, -1: nothing. */
    const int8_t (*bits)[64];
    /* Makes component c's block rows before `end`; NULL: all are there. Rows are asked for in
     * ascending order of their place in the picture, and may be gone two block rows later. What
     * is damaged is told by finish(). */
    void (*advance)(void *state, uint32_t component, uint32_t end);
    void *state;
};

/* Decodes samples, one after the other; a state is one thread's at a time. */
struct pcri_block_decoder {
    int (*create)(void **state_out, struct pcr_error *err);
    void (*destroy)(void *state); /* accepts NULL */
    /* Takes a sample's spans and parses its header; list and bytes must stay as long as run() may
     * follow, and the list may grow by the spans of further groups. ladder: what is not its is
     * damage; NULL: any will do. Limits on pixels are the caller's to check.
     * *source_out lasts until the next begin(). */
    int (*begin)(void *state, const struct pcr_spans *spans, const struct pcr_limits *limits,
                 const struct pcr_ladder *ladder, const struct pcri_block_source **source_out,
                 struct pcr_error *err);
    /* Says which block rows of a component are wanted (begin = end: none), before the first run();
     * without it all are. */
    void (*keep)(void *state, uint32_t component, uint32_t row_begin, uint32_t row_end);
    /* Makes the source that of all the spans that are there now, ready to be read from the top. */
    int (*run)(void *state, struct pcr_error *err);
    /* After the source was read: what was damaged in it, where only reading it could tell. */
    int (*finish)(void *state, struct pcr_error *err);
};

/* What the functions of coder.h call, which say what they do. A coding's coders, statistics and
 * tables begin with those structs. survey NULL: it has no use for statistics, and no tables. */
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
};

enum { PCRI_MAGIC_NBYTES = 10 };

struct pcri_coding {
    uint8_t number;                   /* in records (docs/FORMAT.md 3.2) */
    const char *name;                 /* in options and descriptions */
    const char *ladder;               /* the built-in that suits it; NULL: the default */
    uint8_t magic[PCRI_MAGIC_NBYTES]; /* what its samples' spans begin with */
    uint32_t magic_nbytes;
    const struct pcri_encoder *encoder;
    const struct pcri_block_decoder *decoder;
    /* How many of a sample's spans are marker segments of its header; NULL: the first SOS ends
     * them. */
    uint32_t (*header_spans)(const struct pcr_spans *spans);
    /* Makes a sample's spans those of a JPEG file, of all the groups that they have. What must be
     * written anew goes to *memory, which is replaced. */
    int (*to_jpeg)(struct pcr_spans *spans, struct pcr_buffer *memory, struct pcr_error *err);
};

extern const struct pcri_coding pcri_coding_scans; /* progressive JPEG scans (scans.c) */

#endif
