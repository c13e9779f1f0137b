/* SPDX-License-Identifier: BSD-2-Clause */
/* The prefix decoder: all scans of a JPEG stream, to coefficients. */
#ifndef PCRI_PREFIX_H
#define PCRI_PREFIX_H

#include "coding.h"
#include "ladder_scans.h"
#include "lookup_cache.h"
#include "refine_queue.h"

/* Scratch memory and the last image's coefficients; one thread at a time. */
struct pcri_prefix {
    struct pcri_jpeg_file file;
    struct pcri_blocks planes[4];
    /* The lowest bit of each coefficient that the scans have brought so far; -1: nothing. */
    int8_t bits[4][64];
    struct {
        bool set; /* false: all */
        uint32_t begin, end;
    } rows[4];                       /* block rows to keep */
    const struct pcr_ladder *ladder; /* NULL: any legal scans */
    struct pcri_ladder_walk walk;
    struct pcri_dht tables[8]; /* class * 4 + slot */
    struct pcri_lookup_cache lookups;
    uint8_t sos[16]; /* of a scan whose data is in the next piece */
    size_t sos_nbytes;
    struct pcri_entropy entropy; /* of the scan */
    struct pcri_refine_queue queue;
    uint64_t queued_at; /* the look-ups' clock when the queue was empty */
    uint32_t restart_interval;
    uint8_t *memory;
    size_t capacity;
    bool reserved; /* planes have their memory */
};

/* What the decoder has now, and will have. */
static inline struct pcri_block_source pcri_prefix_source(const struct pcri_prefix *p)
{
    return (struct pcri_block_source) { .file = &p->file,
                                        .planes = p->planes,
                                        .bits = (const int8_t(*)[64]) p->bits };
}

/* Decodes a progressive or sequential file, complete or a prefix of its scans with EOI.
 * p->planes and p->bits then hold the result; memory is reused. CORRUPT: a scan that does not
 * continue the progression, a second sequential scan of a component, data that ends early, a
 * missing table, and bytes after a scan or restart interval unless it is complete without them
 * (bits.h). A file without EOI must bring every coefficient, or is TRUNCATED. Codes: as
 * pcri_jpeg_file_parse(). */
int pcri_prefix_decode(struct pcri_prefix *p, const void *data, size_t nbytes,
                       const struct pcr_limits *limits, struct pcr_error *err);

/* The same step by step. begin forgets the last image, and expects a file in pieces; open
 * takes a whole file and parses it. Then p->file describes the image, keep may say which block
 * rows of a component are wanted (begin = end: none), and p->ladder may be set: scans other
 * than the ladder's are then CORRUPT. run decodes the scans that were parsed; it may not
 * notice damage in what is not wanted. add parses a further piece (see pcri_jpeg_file_add()),
 * and run may be called again: fidelity rises without decoding again. run may leave refinement
 * scans for later; finish decodes these, and then the planes hold the result. After a failure
 * only begin and open are allowed. */
void pcri_prefix_begin(struct pcri_prefix *p);
int pcri_prefix_open(struct pcri_prefix *p, const void *data, size_t nbytes,
                     const struct pcr_limits *limits, struct pcr_error *err);
int pcri_prefix_add(struct pcri_prefix *p, const void *data, size_t nbytes,
                    const struct pcr_limits *limits, struct pcr_error *err);
void pcri_prefix_keep(struct pcri_prefix *p, uint32_t component, uint32_t row_begin,
                      uint32_t row_end);
int pcri_prefix_run(struct pcri_prefix *p, struct pcr_error *err);
int pcri_prefix_finish(struct pcri_prefix *p, struct pcr_error *err);
/* For callers that read coefficients: makes full blocks also where there is only DC. */
void pcri_prefix_settle(struct pcri_prefix *p);
void pcri_prefix_free(struct pcri_prefix *p);

#endif
