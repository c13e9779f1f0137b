/* SPDX-License-Identifier: BSD-2-Clause */
/* A coded sample: what a coding passes to the record builder. */
#ifndef PCRI_CODED_H
#define PCRI_CODED_H

#include "base.h"

enum {
    PCRI_CODING_OPAQUE = 0,   /* the source file's bytes, whole */
    PCRI_CODING_RESIDUAL = 3, /* in group G alone: what makes the pixels of the others exact */
};

/* A sample as a coding made it, for pcri_builder_add(). All bytes belong to its caller until
 * it takes them over. */
enum pcri_item_kind {
    PCRI_ITEM_NEEDED = 0,   /* decoding needs it: kept in the dictionary */
    PCRI_ITEM_METADATA = 1, /* kept in the dictionary if it recurs, else in group G */
};
struct pcri_item {
    uint32_t kind;
    uint32_t nbytes; /* of `strings`, in order */
};
struct pcri_piece {
    uint32_t string_nbytes; /* of `strings`, in order after the items'; 0: none */
    uint32_t nbytes;        /* of `bytes`, in order */
};

/* What was found out about a sample on the way, to be noted in its record and counted (FORMAT
 * 3.5). Texts are UTF-8; "": nothing. */
enum { PCRI_NOTE_NBYTES = 160 };
struct pcri_notes {
    char undecodable[PCRI_NOTE_NBYTES]; /* what the file is, if no decoder here can show it */
    char salvaged[PCRI_NOTE_NBYTES];    /* what was wrong with it */
    char unrestorable
        [PCRI_NOTE_NBYTES]; /* why the file is kept whole, though it can be coded */
    char encoded
        [PCRI_NOTE_NBYTES]; /* the format of the file, if the image is a JPEG made of its
                                     * pixels */
    char dropped[PCRI_NOTE_NBYTES]; /* what came after the image and was not kept */
    uint64_t dropped_nbytes;        /* bytes of that; 0: nothing */
};

/* Qualities are stored at scales sqrt(2)^i (FORMAT 3.6). */
enum { PCRI_QUALITY_SCALES = 7 };

/* How far before the k-th quality the one is from which the k-th is stored as a difference: that of
 * the scale before, at the first scale of the prefix before; 0: none. */
static inline size_t pcri_quality_step(size_t k)
{
    return k % PCRI_QUALITY_SCALES ? 1 : k ? PCRI_QUALITY_SCALES : 0;
}

struct pcri_coded {
    uint32_t coding; /* its number (FORMAT 3.2), or PCRI_CODING_OPAQUE */
    bool exact;      /* the chunk of group G is a residual (FORMAT 11) */
    uint32_t component_count, orientation, script, sampling;
    uint32_t width, height;
    uint64_t source_nbytes;
    uint32_t item_count;
    struct pcri_item *items;   /* malloc'd */
    struct pcri_piece *pieces; /* malloc'd, one for each piece of all groups */
    struct pcr_buffer strings; /* candidates for the dictionary, back to back */
    struct pcr_buffer bytes;   /* the pieces' bytes, back to back */
    /* malloc'd, or NULL: not known. Of groups 1 to g, for each g below G: the quality at each scale
     * in quarters of a decibel, -40 log10(1 - SSIM); [PCRI_QUALITY_SCALES * (g - 1) + scale] */
    uint8_t *quality;
    /* The program by which the source file is restored, which has this Check32 (FORMAT 3.8); empty:
     * none. */
    struct pcr_buffer restore;
    uint32_t restore_check;
    struct pcri_notes *notes; /* malloc'd, or NULL; the builder does not read them */
};
void pcri_coded_free(struct pcri_coded *p);
/* The sample's notes, for writing; made if there are none. NULL: NOMEM. */
struct pcri_notes *pcri_coded_notes(struct pcri_coded *p, struct pcr_error *err);

#endif
