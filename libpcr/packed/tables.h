/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of coding 2: the frequencies of each, and which one each context uses. */
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

/* A family's number of contexts, its alphabet, and its escape: the symbol that says that 8 plain
 * bits hold a rare one. */
struct pcri_pk_family_info {
    uint32_t contexts;
    uint16_t symbols;
    uint8_t escape;
};
extern const struct pcri_pk_family_info pcri_pk_families[PCRI_PK_FAMILIES];

/* The frequencies of all tables, family by family. */
struct pcri_pk_frequencies {
    uint8_t counts[PCRI_PK_FAMILIES]; /* tables of each family */
    uint8_t *maps[PCRI_PK_FAMILIES];  /* context to table, from 0 in each family */
    uint16_t (*freq)[256];
    uint8_t memory[PCRI_PK_CONTEXTS]; /* of maps */
};

/* Tables ready for use. They never change, and threads share them. */
struct pcri_pk_tables {
    uint64_t hash; /* XXH3 of the bytes as pcri_pk_frequencies_print() makes them */
    uint32_t count;
    uint8_t *maps[PCRI_PK_FAMILIES]; /* context to table, counted over all families */
    pcri_tans_entry *entries;        /* PCRI_TANS_STATES a table */
    struct pcri_tans_encoder *encoders;
    uint8_t memory[PCRI_PK_CONTEXTS];
};

/* Makes room for as many tables of each family as `counts` says. */
int pcri_pk_frequencies_create(const uint8_t counts[PCRI_PK_FAMILIES],
                               struct pcri_pk_frequencies **out, struct pcr_error *err);
void pcri_pk_frequencies_destroy(struct pcri_pk_frequencies **f);
/* Appends their one form as bytes, whose XXH3 names them, to *out. */
int pcri_pk_frequencies_print(const struct pcri_pk_frequencies *f, struct pcr_buffer *out,
                              struct pcr_error *err);
/* Appends the stored form to *out: a u32, the size of the bytes above, then these as one zstd
 * frame. */
int pcri_pk_frequencies_pack(const struct pcri_pk_frequencies *f, struct pcr_buffer *out,
                             struct pcr_error *err);
/* Reads the stored form. Codes: CORRUPT, LIMIT, NOMEM. */
int pcri_pk_frequencies_unpack(const void *data, size_t nbytes,
                               struct pcri_pk_frequencies **out, struct pcr_error *err);
/* Reads the bytes that frequencies_print() makes. CORRUPT: they are incomplete, name a table that
 * does not exist, frequencies do not add up, there is no escape, or a number is not in its
 * shortest form. */
int pcri_pk_frequencies_parse(const void *data, size_t nbytes,
                              struct pcri_pk_frequencies **out, struct pcr_error *err);

/* Reads one table: the frequencies of a family's symbols. CORRUPT. */
int pcri_pk_table_parse(struct pcri_cursor *c, const struct pcri_pk_family_info *family,
                        uint16_t freq[256], struct pcr_error *err);

/* for_writing: also makes what the encoder needs (three times the memory). */
int pcri_pk_tables_create(const struct pcri_pk_frequencies *f, bool for_writing,
                          struct pcri_pk_tables **out, struct pcr_error *err);
/* Makes them from the stored form. Codes: CORRUPT, LIMIT, NOMEM. */
int pcri_pk_tables_open(const void *data, size_t nbytes, bool for_writing,
                        struct pcri_pk_tables **out, struct pcr_error *err);
void pcri_pk_tables_destroy(struct pcri_pk_tables **t);

#endif
