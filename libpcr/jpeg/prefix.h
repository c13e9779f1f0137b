/* SPDX-License-Identifier: BSD-2-Clause */
/* The prefix decoder: all scans of a JPEG stream, to coefficients. */
#ifndef PCRI_PREFIX_H
#define PCRI_PREFIX_H

#include "scan_decode.h"

/* Scratch memory and the last image's coefficients; one thread at a time. */
struct pcri_prefix {
    struct pcri_jpeg_file file;
    struct pcri_blocks planes[4];
    /* The lowest bit of each coefficient that the scans so far brought, -1: nothing. */
    int8_t bits[4][64];
    struct pcri_dht tables[8]; /* class * 4 + slot */
    struct pcri_lookup lookups[4];
    struct pcri_sequential *sequential;
    struct pcri_several several;
    struct pcr_buffer data; /* the scan without stuffing */
    size_t *interval_end;
    size_t interval_count, interval_capacity;
    uint32_t restart_interval;
    uint8_t *memory;
    size_t capacity;
};

/* Decodes a progressive or sequential file, complete or a prefix of its scans with EOI.
 * p->planes and p->bits then hold the result; memory is reused. Strict: a scan that does not
 * continue the progression, a second sequential scan of a component, data that ends early or
 * goes on (in a progressive scan by 8 bytes, which is as much as libjpeg passes over), and a
 * missing table are CORRUPT. Codes: as pcri_jpeg_file_parse(). */
int pcri_prefix_decode(struct pcri_prefix *p, const void *data, size_t nbytes,
                       const struct pcr_limits *limits, struct pcr_error *err);
void pcri_prefix_free(struct pcri_prefix *p);

#endif
