/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding scans to coefficients. */
#ifndef PCRI_SCAN_DECODE_H
#define PCRI_SCAN_DECODE_H

#include "blocks.h"
#include "markers.h"

/* A DHT table as it was sent. */
struct pcri_dht {
    bool defined;
    uint8_t counts[17];
    uint16_t value_count;
    uint8_t values[256];
};

/* Reads the tables of a DHT segment (from its FF) into tables[class * 4 + slot], 8 of them. */
int pcri_dht_parse(const uint8_t *segment, size_t nbytes, struct pcri_dht *tables,
                   struct pcr_error *err);

/* The standard's, of slots 0 and 1: DC, then AC. (standard_tables.c) */
extern const struct pcri_dht pcri_standard_tables[4];

enum { PCRI_LOOKUP_BITS = 10 };

/* What the next bits mean. `nbits` is the total length, with the extra bits; 0: the code is
 * longer than the table's index, or the extra bits do not fit, so take the slow path. */
struct pcri_lookup_entry {
    int16_t value; /* coefficient or DC difference, before the shift by Al */
    uint8_t nbits;
    uint8_t symbol;
};

struct pcri_lookup {
    struct pcri_lookup_entry fast[1 << PCRI_LOOKUP_BITS];
    uint32_t limit[18]; /* first 16-bit prefix beyond the codes of length i */
    int32_t offset[17]; /* index of the first value of length i, less its first code */
    uint16_t value_count;
    uint8_t values[256];
};

/* In a look-up for refinement scans, an entry's symbol is the run of zeros (0 to 15), or this
 * plus the number of extra bits of an end-of-band run. Its value is the new coefficient's
 * sign, 0 for a run without one. */
enum { PCRI_REFINE_END_OF_BAND = 64 };

/* Such an entry, for a code of `length` bits and the bit after it; nbits is 0 if refinement
 * scans have no such symbol. */
static inline struct pcri_lookup_entry pcri_refine_entry(uint8_t symbol, unsigned length,
                                                         unsigned bit)
{
    unsigned run = symbol >> 4, size = symbol & 15;
    if (size > 1)
        return (struct pcri_lookup_entry) { 0 };
    if (!size && run < 15)
        run += PCRI_REFINE_END_OF_BAND;
    return (struct pcri_lookup_entry) {
        .value = (int16_t) (!size ? 0
                            : bit ? 1
                                  : -1),
        .nbits = (uint8_t) (length + size),
        .symbol = (uint8_t) run,
    };
}

/* Builds a look-up; CORRUPT for a table that is not a prefix code. `refine`: for refinement
 * scans, read from the lowest bit. Values of more than max_size bits are left to the slow
 * path. */
int pcri_lookup_build(const struct pcri_dht *dht, bool refine, unsigned max_size,
                      struct pcri_lookup *out, struct pcr_error *err);

/* What the next bits of a refinement scan mean if no coefficient ahead in the block is
 * nonzero, so that no correction bits come between the symbols: up to two symbols, and the end
 * of the band after them. Coefficients are counted from the next one. */
struct pcri_several_entry {
    uint32_t fresh; /* those that become nonzero */
    /* The same as signs, 0 for none, and the coefficients that take them; both are the same
     * one if there are not two. */
    int8_t values[2];
    uint8_t first, second;
    uint8_t length; /* coefficients passed, at most 32 */
    uint8_t nbits;  /* the symbols' bits; 0: not even one symbol is known */
    uint8_t end;    /* 0, or 1 + the extra bits of the end-of-band run */
};

enum { PCRI_SEVERAL_BITS = 9 };

struct pcri_several {
    struct pcri_several_entry entries[1 << PCRI_SEVERAL_BITS];
};

/* Builds it from a look-up for refinement scans. */
void pcri_several_build(const struct pcri_lookup *refine, struct pcri_several *out);

/* The same for decoding by bit deposit: a block's symbols as far as one look-up knows them, as
 * sets of the zeros ahead; bit 0 is the next one. */
struct pcri_step {
    uint16_t fresh, negative; /* those that become nonzero, and those of them below zero */
    uint16_t reach; /* the last zero passed, one bit; at the band's end, one that must be
                     * there. 0: no symbol is known */
    uint8_t nbits;  /* of the symbols */
    int8_t all;     /* -1: the block ends with them, else 0 */
};

enum { PCRI_STEP_BITS = 9 };

/* One symbol at a time; then as many as the index has, for use where no correction bits come
 * between them. Runs of blocks are left to pcri_lookup. */
struct pcri_steps {
    struct pcri_step entries[2 << PCRI_STEP_BITS];
    size_t several; /* distance from one kind to the other; 0 if only the first was built */
};

void pcri_steps_build(const struct pcri_lookup *refine, bool several, struct pcri_steps *out);

/* The scan to decode; its parameters were checked against all scans before it. */
struct pcri_scan_job {
    const struct pcri_jpeg_file *file;
    struct pcri_blocks *planes;
    uint8_t component_count;
    uint8_t components[4];
    const struct pcri_lookup *dc[4];    /* of the scan's components */
    const struct pcri_lookup *ac[4];    /* the same; progressive: ac[0] */
    const struct pcri_pairs *pairs[4];  /* the same, except for refinement; may be NULL */
    const struct pcri_several *several; /* for AC refinement on CPUs that use it; may be
                                         * NULL */
    const struct pcri_steps *steps;     /* the same */
    uint8_t ss, se, ah, al;
    uint32_t mcus_x, mcus_y;   /* blocks, if there is one component */
    uint32_t restart_interval; /* MCUs, 0: none */
    /* Entropy-coded data without stuffing; intervals end where a restart marker was. */
    const uint8_t *data;
    const size_t *interval_end;
    size_t interval_count;
};

/* The most bits of DC differences and of AC values; these must fit 16 bits after shifting. */
enum { PCRI_DC_MAX_SIZE = 11 };

static inline unsigned pcri_ac_max_size(const struct pcri_scan_job *job)
{
    return job->al > 5 ? 15u - job->al : 10;
}

enum { PCRI_DECODE_PADDING = 512 }; /* readable bytes after the data */

int pcri_decode_dc(const struct pcri_scan_job *job, struct pcr_error *err);
int pcri_decode_ac_first(const struct pcri_scan_job *job, struct pcr_error *err);

int pcri_decode_sequential(const struct pcri_scan_job *job, struct pcr_error *err);

#endif
