/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of coding 2: for each context the number of a table, and the tables' frequencies. */
#ifndef PCRI_PK_TABLES_H
#define PCRI_PK_TABLES_H

#include "contexts.h"
#include "tans.h"

enum {
    PCRI_PK_MAX_TABLES = 255,
    PCRI_PK_CONTEXTS = PCRI_PK_KINDS * (PCRI_PK_T_CONTEXTS + PCRI_PK_B_CONTEXTS) +
                       2 * PCRI_PK_LEVELS * PCRI_PK_M_CONTEXTS + 3 * PCRI_PK_DC_CONTEXTS,
    PCRI_PK_MAX_RAW = 1 << 20, /* bytes of tables, not compressed */
};

/* A family's contexts, alphabet, and the symbol after which 8 plain bits tell a rare one. */
struct pcri_pk_family_info {
    uint32_t contexts;
    uint16_t symbols;
    uint8_t escape;
};
extern const struct pcri_pk_family_info pcri_pk_families[PCRI_PK_FAMILIES];

/* Frequencies of all tables, in order of families. */
struct pcri_pk_frequencies {
    uint8_t counts[PCRI_PK_FAMILIES]; /* tables of each family */
    uint8_t *maps[PCRI_PK_FAMILIES];  /* context to table, from 0 in each family */
    uint16_t (*freq)[256];
    uint8_t memory[PCRI_PK_CONTEXTS]; /* of maps */
};

/* Ready for use: not changed any more, and shared by threads. */
struct pcri_pk_tables {
    uint64_t hash; /* XXH3 of the bytes as pcri_pk_frequencies_print() makes them */
    uint32_t count;
    uint8_t *maps[PCRI_PK_FAMILIES]; /* context to table, counted over all families */
    pcri_tans_entry *entries;        /* PCRI_TANS_STATES a table */
    struct pcri_tans_encoder *encoders;
    uint8_t memory[PCRI_PK_CONTEXTS];
};

/* Sets maps to their places in memory, and makes room for the tables that `counts` tells. */
int pcri_pk_frequencies_create(const uint8_t counts[PCRI_PK_FAMILIES],
                               struct pcri_pk_frequencies **out, struct pcr_error *err);
void pcri_pk_frequencies_destroy(struct pcri_pk_frequencies **f);
/* The bytes that name them and of which there is one form, appended to *out. */
int pcri_pk_frequencies_print(const struct pcri_pk_frequencies *f, struct pcr_buffer *out,
                              struct pcr_error *err);
/* The bytes as they are stored, appended to *out: u32, the size of those above, and these as one
 * zstd frame. */
int pcri_pk_frequencies_pack(const struct pcri_pk_frequencies *f, struct pcr_buffer *out,
                             struct pcr_error *err);
/* The other way round. Codes: CORRUPT, LIMIT, NOMEM. */
int pcri_pk_frequencies_unpack(const void *data, size_t nbytes,
                               struct pcri_pk_frequencies **out, struct pcr_error *err);
/* CORRUPT: not whole, a number of a table that there is not, frequencies that do not add up, no
 * escape, or another form of a number than the shortest. */
int pcri_pk_frequencies_parse(const void *data, size_t nbytes,
                              struct pcri_pk_frequencies **out, struct pcr_error *err);

/* for_writing: makes what the encoder needs, too (three times the memory). */
int pcri_pk_tables_create(const struct pcri_pk_frequencies *f, bool for_writing,
                          struct pcri_pk_tables **out, struct pcr_error *err);
/* Of the bytes as they are stored. Codes: CORRUPT, LIMIT, NOMEM. */
int pcri_pk_tables_open(const void *data, size_t nbytes, bool for_writing,
                        struct pcri_pk_tables **out, struct pcr_error *err);
void pcri_pk_tables_destroy(struct pcri_pk_tables **t);

#endif
