/* SPDX-License-Identifier: BSD-2-Clause */
/* What a ladder's script means for an image in coding 2: its steps, passes and batches
 * (docs/FORMAT.md, "Coding 2"). */
#ifndef PCRI_PK_PLAN_H
#define PCRI_PK_PLAN_H

#include "../jpeg/ladder_scans.h"

enum {
    PCRI_PK_PLANES = 10, /* bits of an AC coefficient's magnitude */
    PCRI_PK_MAX_DC = 2047,
    PCRI_PK_MAX_PARTS = 63,
    PCRI_PK_LEVELS = 5, /* planes that contexts tell apart: 0 to 3, 4 and above */
    /* Kinds of passes: by plane, luma and chroma; those that are first, luma and chroma. */
    PCRI_PK_KINDS = 2 * PCRI_PK_LEVELS + 2,
};

/* One line of the script for one component: its band goes from plane ah to plane al. */
struct pcri_pk_pass {
    uint8_t component;
    uint8_t al;
    bool first;    /* nothing of the band came before */
    uint8_t level; /* min(al, PCRI_PK_LEVELS - 1), chroma after luma: 0 to 9 */
    uint8_t kind;  /* level; 10 or 11 (chroma) where it is first */
    uint64_t band; /* bit k: coefficient k in zigzag order */
};

/* Passes that are coded together: at most one a component. */
struct pcri_pk_step {
    bool dc;
    uint8_t group; /* from 0 */
    uint8_t pass_count;
    struct pcri_pk_pass passes[4];
};

struct pcri_pk_plan {
    uint32_t component_count, group_count;
    uint8_t class[4]; /* 0 luma, 1 Cb, 2 Cr */
    uint32_t blocks_x[4], blocks_y[4], v[4];
    uint32_t max_v, mcu_rows;
    int8_t slot[4][4]; /* [component][batch of an MCU row]: its block row there, -1: none */
    /* Parts of a component's coefficients 1 to 63, that each pass of the script has whole or not at
     * all; bits as in a pass's band. */
    uint32_t part_count[4];
    uint64_t parts[4][PCRI_PK_MAX_PARTS];
    uint32_t step_count;
    struct pcri_pk_step steps[PCRI_LADDER_MAX_SCANS];
    uint32_t first_step[PCRI_LADDER_MAX_GROUPS + 1]; /* of each group */
};

/* Can this script be coded? It can where DC is its first line, whole (all 0-0 0 0). Codes:
 * UNSUPPORTED. */
int pcri_pk_check(const struct pcri_script *script, struct pcr_error *err);

/* The plan for an image, of which f tells the frame. A script of a ladder that was parsed.
 * Codes: as pcri_pk_check(). */
int pcri_pk_plan(const struct pcri_script *script, uint32_t group_count,
                 const struct pcri_jpeg_file *f, struct pcri_pk_plan *out,
                 struct pcr_error *err);

/* The block row of each component in batch b; UINT32_MAX: none. */
void pcri_pk_batch_rows(const struct pcri_pk_plan *plan, uint32_t b, uint32_t rows[4]);

/* The lowest bit of each coefficient that `groups` groups bring, -1: nothing. */
void pcri_pk_bits(const struct pcri_pk_plan *plan, uint32_t groups, int8_t bits[4][64]);

static inline uint32_t pcri_pk_batches(const struct pcri_pk_plan *plan)
{
    return plan->mcu_rows * plan->max_v;
}

#endif
