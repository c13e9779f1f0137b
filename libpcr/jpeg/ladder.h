/* SPDX-License-Identifier: BSD-2-Clause */
/* The parsed ladder, and which components of an image a part names. */
#ifndef PCRI_LADDER_H
#define PCRI_LADDER_H

#include <pcr/ladder.h>

#include "../base/base.h"

enum {
    PCRI_LADDER_MAX_GROUPS = 32,
    PCRI_LADDER_MAX_SCRIPTS = 16,
    PCRI_LADDER_MAX_SCANS = 64, /* lines in one script */
};

enum pcri_part {
    PCRI_PART_LUMA,
    PCRI_PART_CHROMA, /* both, Cb then Cr */
    PCRI_PART_CHROMA1,
    PCRI_PART_CHROMA2,
    PCRI_PART_ALL,
};

/* One line of a script. For YCbCr images it makes one scan for each component of its part, or
 * one interleaved scan (ALL). */
struct pcri_ladder_scan {
    uint8_t part; /* enum pcri_part */
    uint8_t ss, se, ah, al;
    uint8_t group;       /* from 0 */
    uint8_t first_piece; /* in its group */
    uint8_t piece_count; /* 2 for CHROMA, else 1 */
};

struct pcri_script {
    char name[32];
    uint32_t below_step; /* 0: no bound */
    uint32_t scan_count;
    struct pcri_ladder_scan scans[PCRI_LADDER_MAX_SCANS];
};

struct pcr_ladder {
    char name[32];
    uint32_t group_count;
    uint32_t script_count;
    struct pcri_script scripts[PCRI_LADDER_MAX_SCRIPTS];
    uint16_t piece_counts[PCRI_LADDER_MAX_GROUPS];
    struct pcr_buffer text; /* canonical, with a NUL after */
};

/* The pieces of all groups. */
static inline uint32_t pcri_ladder_piece_total(const struct pcr_ladder *ladder)
{
    uint32_t total = 0;
    for (uint32_t g = 0; g < ladder->group_count; g++)
        total += ladder->piece_counts[g];
    return total;
}

/* Appends the text of a ladder with only this script, for any step. NOMEM. */
int pcri_ladder_script_text(const struct pcr_ladder *ladder, uint32_t script,
                            struct pcr_buffer *out, struct pcr_error *err);

/* The same ladder with a last group that has no scans in any script, where it lacks one. INVAL: it
 * has the most groups already; NOMEM. */
int pcri_ladder_extend(const struct pcr_ladder *ladder, struct pcr_ladder **out,
                       struct pcr_error *err);

/* The script for an image whose step (FORMAT section 5) is `step`. */
uint32_t pcri_ladder_choose(const struct pcr_ladder *ladder, uint32_t step);

/* A component's class. */
enum pcri_component_class { PCRI_LUMA, PCRI_CHROMA1, PCRI_CHROMA2 };

/* True if a line's part names components of this class. */
bool pcri_part_has(enum pcri_part part, enum pcri_component_class class);

/* Checks that each class's scans are a legal and complete progression (ladder_check.c). */
int pcri_ladder_check(const struct pcr_ladder *ladder, struct pcr_error *err);

/* The text of a built-in; NULL if there is none with this name (ladder_builtin.c). */
const char *pcri_ladder_builtin_text(const char *name);

#endif
