/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the generator: changes of finished files, as lists of small steps. */
#ifndef PCR_GENERATOR_EDIT_H
#define PCR_GENERATOR_EDIT_H

#include "compose.h"

enum { /* the second byte of JPEG markers (ISO/IEC 10918-1 table B.1) */
       SOF0 = 0xC0,
       SOF1 = 0xC1,
       SOF2 = 0xC2,
       SOF3 = 0xC3,
       DHT = 0xC4,
       SOF5 = 0xC5,
       RST0 = 0xD0,
       SOI = 0xD8,
       EOI = 0xD9,
       SOS = 0xDA,
       DQT = 0xDB,
       DNL = 0xDC,
       DRI = 0xDD,
       DHP = 0xDE,
       APP0 = 0xE0,
       APP14 = 0xEE,
       COM = 0xFE,
};

enum edit_kind {
    EDIT_NONE = 0,     /* ends a list */
    EDIT_INSERT,       /* bytes before the marker */
    EDIT_INSERT_AFTER, /* bytes after the marker's segment */
    EDIT_DROP,         /* the marker's segment; position -1: all of them */
    EDIT_PATCH,        /* bytes over those at `position` of the segment; 0 is the FF */
    EDIT_CUT,          /* the file before the marker, plus `position` */
    EDIT_CUT_PERMILLE, /* the file to `position` thousandths */
    EDIT_CUT_TAIL,     /* `position` bytes off the end */
    EDIT_APPEND,       /* bytes at the end */
    EDIT_MOVE,         /* the segment to before another marker: code | nth << 8 */
    EDIT_FILL,         /* `position` fill bytes (FF) before every marker but SOI */
    EDIT_FLIP,         /* `position` bits in the marker's scan, chosen by the seed */
    EDIT_WIDEN,        /* DQT segments with 8-bit entries become 16-bit ones */
    EDIT_MERGE,        /* all segments of the marker become one, at the first's place */
    EDIT_SOF,          /* the frame header's marker becomes `position` */
};

struct edit {
    enum edit_kind kind;
    int marker; /* its code */
    int nth;    /* which of them, from 0 */
    long position;
    const char *bytes;
    uint32_t nbytes;
};

struct edited {
    const struct compose *base;
    struct edit steps[6];
};

/* Finds the nth marker of that code: the offset of its FF and the bytes of its segment
 * with the marker (2 for one without length). Entropy-coded data are stepped over. False
 * if there is none. */
bool gen_find_marker(const struct pcr_buffer *b, int code, int nth, size_t *off_out,
                     size_t *nbytes_out);

/* Replaces `old_nbytes` at `off`. */
int gen_splice(struct pcr_buffer *b, size_t off, size_t old_nbytes, const void *p,
               size_t nbytes, struct pcr_error *err);

/* make() of cases whose spec is a struct edited. */
int gen_make_edited(const struct pcr_gen_case *c, struct pcr_buffer *out,
                    struct pcr_error *err);

#endif
