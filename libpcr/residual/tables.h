/* SPDX-License-Identifier: BSD-2-Clause */
/* A residual's tables: which one each context of each channel uses. */
#ifndef PCRI_RS_TABLES_H
#define PCRI_RS_TABLES_H

#include "../packed/cluster.h"
#include "rows.h"

/* Contexts and alphabet of a channel. */
extern const struct pcri_pk_family_info pcri_rs_family;
enum { PCRI_RS_ESCAPE = 255 };

struct pcri_rs_tables {
    uint32_t counts[PCRI_RS_CHANNELS];                /* tables of each channel */
    uint8_t maps[PCRI_RS_CHANNELS][PCRI_RS_CONTEXTS]; /* counted over all channels */
    uint16_t (*freq)[256];
    pcri_tans_entry *entries;
    size_t freq_capacity, entry_capacity;
    struct pcr_buffer raw;
};
/* Reads stored tables. Codes: CORRUPT, NOMEM. */
int pcri_rs_tables_open(struct pcri_rs_tables *t, const uint8_t *data, size_t nbytes,
                        uint32_t channels, struct pcr_error *err);
/* Trains tables on counts[channel * PCRI_RS_CONTEXTS + context] (NULL: none), and appends their
 * stored form to *out. NOMEM. */
int pcri_rs_tables_train(struct pcri_rs_tables *t, uint32_t *const counts[], uint32_t channels,
                         struct pcr_buffer *out, struct pcr_error *err);
uint32_t pcri_rs_tables_count(const struct pcri_rs_tables *t);
void pcri_rs_tables_free(struct pcri_rs_tables *t);

#endif
