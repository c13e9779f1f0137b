/* SPDX-License-Identifier: BSD-2-Clause */
/* Restoring a source file, byte for byte, from its sample: header items, coefficients, and a
 * program of a few bytes that says how they become the file (docs/FORMAT.md 3.8). The program
 * copies and inserts marker segments, and has scans coded as the source's encoder did. What it
 * cannot say is said by patches, or not at all: then the file is kept whole. */
#ifndef PCRI_RESTORE_H
#define PCRI_RESTORE_H

#include "coding.h"
#include "coefs.h"
#include "scan.h"
#include "sequential.h"

/* A program is a list of these: varints n << 3 | operation, with what follows them. */
enum pcri_restore_op {
    PCRI_RESTORE_COPY,    /* the next n bytes of the header */
    PCRI_RESTORE_MOVE,    /* n, zigzag: the place in the header moves by so much */
    PCRI_RESTORE_INSERT,  /* n bytes follow */
    PCRI_RESTORE_TABLES,  /* a DHT segment of n tables, each: class << 4 | slot, kind */
    PCRI_RESTORE_SCAN,    /* the data of the SOS before it; n: PCRI_SCAN_* */
    PCRI_RESTORE_PADDING, /* n bytes follow: the blocks of padding */
    PCRI_RESTORE_PATCHES, /* n times: varints skipped, removed, inserted; the inserted bytes */
};

enum {                         /* kinds of tables */
       PCRI_TABLE_LITERAL,     /* 16 counts and the values follow */
       PCRI_TABLE_STANDARD,    /* + 0 to 3: of pcri_standard_tables */
       PCRI_TABLE_OPTIMAL = 5, /* what libjpeg makes for the next scan */
};

enum {                             /* how a scan was coded: bits */
       PCRI_SCAN_ZEROS = 1 << 0,   /* last bytes are filled up with zeros */
       PCRI_SCAN_PADDING = 1 << 1, /* padding blocks are those of the program */
       PCRI_SCAN_NO_RUNS = 1 << 2, /* end-of-band runs are of one block */
       PCRI_SCAN_KNOWN = 7,
};

/* Where a scan is in the output. */
struct pcri_restored_scan {
    size_t begin, end; /* of its data */
};

/* Scratch memory; start from { 0 }. One thread at a time. */
struct pcri_restorer {
    struct pcri_jpeg_file file; /* the source, as far as it is restored */
    struct pcri_dht tables[8];  /* class * 4 + slot */
    struct {
        struct pcri_dht of;
        struct pcri_dc_codes codes;
    } dc[4];
    struct {
        struct pcri_dht of;
        struct pcri_ac_codes codes;
    } ac[4];
    uint32_t restart_interval;
    struct pcri_coefs coefs; /* where scans want all at once */
    struct pcri_padding_set padding, plain;
    struct pcri_symbols symbols;
    uint64_t most_nbytes;             /* that the last run's output had at any time */
    struct pcri_restored_scan *scans; /* of the last run */
    uint32_t scan_count;
    size_t scan_capacity;
};
void pcri_restorer_free(struct pcri_restorer *r);

/* What a file is restored from. */
struct pcri_restore_input {
    struct pcr_span header; /* SOI and the sample's segments */
    const struct pcri_block_source *source;
    const struct pcri_coefs *coefs; /* the same with all masks, or NULL */
    const uint8_t *program;
    size_t program_nbytes;
    uint64_t max_nbytes; /* of the file; more is CORRUPT */
};

/* The most bytes before patches, for a file of so many. */
static inline uint64_t pcri_restore_bound(uint64_t nbytes)
{
    return nbytes < UINT64_MAX / 4 ? 2 * nbytes + 4096 : UINT64_MAX;
}

/* Restores the file. *out is replaced. Codes: CORRUPT, UNSUPPORTED, NOMEM. */
int pcri_restore_run(struct pcri_restorer *r, const struct pcri_restore_input *in,
                     struct pcr_buffer *out, struct pcr_error *err);

/* Makes the program of a file that was parsed, whose header, source and coefs are in *in, and
 * proves it by restoring the file. *program is replaced. UNSUPPORTED: it cannot be said in so many
 * bytes; NOMEM. (restore_make.c) */
int pcri_restore_make(struct pcri_restorer *r, const struct pcri_jpeg_file *file,
                      const struct pcri_restore_input *in, size_t max_program_nbytes,
                      struct pcr_buffer *program, struct pcr_error *err);

/* --- padding blocks (restore_padding.c) --- */

/* Appends them as programs have them. NOMEM. */
int pcri_restore_padding_print(const struct pcri_padding_set *s, uint32_t component_count,
                               struct pcr_buffer *out, struct pcr_error *err);
/* Reads them into a set that has its geometry, all blocks 0. CORRUPT. */
int pcri_restore_padding_parse(const uint8_t *p, size_t nbytes, uint32_t component_count,
                               struct pcri_padding_set *s, struct pcr_error *err);
/* Makes those of libjpeg: each repeats the DC of the one before it in its MCU. */
void pcri_restore_padding_plain(const struct pcri_coefs *c, const struct pcri_jpeg_file *f,
                                struct pcri_padding_set *s);

#endif
