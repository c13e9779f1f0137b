/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables from counts. */
#include "train.h"

#include <stdlib.h>

#include "cluster.h"

/* --- counting --- */

int pcri_pk_counts_create(struct pcri_pk_counts **out, struct pcr_error *err)
{
    *out = pcri_calloc(1, sizeof(**out), err);
    return *out ? 0 : PCR_ERR_NOMEM;
}

void pcri_pk_counts_destroy(struct pcri_pk_counts **c)
{
    for (uint32_t i = 0; *c && i < PCRI_PK_CONTEXTS; i++)
        free((*c)->rows[i]);
    if (*c)
        free((*c)->seen);
    free(*c);
    *c = NULL;
}

/* Where a family's contexts begin. */
static uint32_t family_begin(int family)
{
    uint32_t at = 0;
    for (int i = 0; i < family; i++)
        at += pcri_pk_families[i].contexts;
    return at;
}

static uint32_t *row_of(struct pcri_pk_counts *c, int family, uint32_t at,
                        struct pcr_error *err)
{
    if (!c->rows[at])
        c->rows[at] = pcri_calloc(pcri_pk_families[family].symbols, sizeof(uint32_t), err);
    return c->rows[at];
}

static int add_one(struct pcri_pk_counts *c, int family, uint32_t context, uint32_t symbol,
                   uint32_t n, struct pcr_error *err)
{
    uint32_t *row = row_of(c, family, context, err);
    int rc = row ? PCRI_GROW(c->seen, c->seen_capacity, c->seen_count + 1, err)
                 : PCR_ERR_NOMEM;
    if (rc)
        return rc;
    if (!row[symbol] && n)
        c->seen[c->seen_count++] = (struct pcri_pk_counted) { context, symbol };
    row[symbol] = row[symbol] > UINT32_MAX - n ? UINT32_MAX : row[symbol] + n;
    return 0;
}

int pcri_pk_counts_add(struct pcri_pk_counts *c, enum pcri_pk_family family,
                       const uint16_t *contexts, const uint8_t *symbols, size_t n,
                       struct pcr_error *err)
{
    uint32_t begin = family_begin(family);
    int rc = 0;
    for (size_t i = 0; !rc && i < n; i++)
        rc = add_one(c, family, begin + contexts[i], symbols[i], 1, err);
    return rc;
}

/* *begin: where the family's contexts begin. */
static int family_of(uint32_t context, uint32_t *begin)
{
    int family = 0;
    *begin = 0;
    while (context - *begin >= pcri_pk_families[family].contexts)
        *begin += pcri_pk_families[family++].contexts;
    return family;
}

int pcri_pk_counts_add_one(struct pcri_pk_counts *c, uint32_t context, uint32_t symbol,
                           uint32_t n, struct pcr_error *err)
{
    uint32_t begin;
    return add_one(c, family_of(context, &begin), context, symbol, n, err);
}

int pcri_pk_counts_merge(struct pcri_pk_counts *to, const struct pcri_pk_counts *from,
                         struct pcr_error *err)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < from->seen_count; i++) {
        const struct pcri_pk_counted *s = &from->seen[i];
        rc = pcri_pk_counts_add_one(to, s->context, s->symbol,
                                    from->rows[s->context][s->symbol], err);
    }
    return rc;
}

/* --- tables --- */

/* Symbols without a code take an escape and 8 bits. */
uint64_t pcri_pk_counts_cost(const struct pcri_pk_counts *c,
                             const struct pcri_pk_frequencies *f)
{
    uint32_t first[PCRI_PK_FAMILIES] = { 0 }, begin;
    uint64_t bits = 0;
    for (int i = 1; i < PCRI_PK_FAMILIES; i++)
        first[i] = first[i - 1] + f->counts[i - 1];
    for (size_t i = 0; i < c->seen_count; i++) {
        const struct pcri_pk_counted *s = &c->seen[i];
        const int family = family_of(s->context, &begin);
        const uint32_t escape = pcri_pk_families[family].escape;
        const uint16_t *freq = f->freq[first[family] + f->maps[family][s->context - begin]];
        const bool escapes = s->symbol == escape || !freq[s->symbol];
        bits += (uint64_t) c->rows[s->context][s->symbol] *
                (PCRI_TANS_LOG * 256 - pcri_pk_log2(freq[escapes ? escape : s->symbol]) +
                 (escapes ? 8 * 256 : 0));
    }
    return bits;
}

static const uint8_t default_counts[PCRI_PK_FAMILIES] = { 32, 64, 8, 12 };

static int train_families(const struct pcri_pk_counts *counts,
                          const uint8_t most[PCRI_PK_FAMILIES],
                          struct pcri_pk_clustering *all[PCRI_PK_FAMILIES],
                          uint8_t found[PCRI_PK_FAMILIES], struct pcr_error *err)
{
    for (int i = 0; i < PCRI_PK_FAMILIES; i++) {
        int rc = pcri_pk_cluster(counts->rows + family_begin(i), &pcri_pk_families[i], most[i],
                                 0, &all[i], err);
        if (rc)
            return rc;
        found[i] = (uint8_t) pcri_pk_clustering_count(all[i]);
    }
    return 0;
}

int pcri_pk_train(const struct pcri_pk_counts *counts, const uint8_t most[PCRI_PK_FAMILIES],
                  struct pcri_pk_frequencies **out, struct pcr_error *err)
{
    struct pcri_pk_clustering *all[PCRI_PK_FAMILIES] = { NULL };
    uint8_t found[PCRI_PK_FAMILIES];
    *out = NULL;
    int rc = train_families(counts, most ? most : default_counts, all, found, err);
    if (!rc)
        rc = pcri_pk_frequencies_create(found, out, err);
    uint32_t table = 0;
    for (int i = 0; i < PCRI_PK_FAMILIES; i++) {
        for (uint32_t t = 0; !rc && t < found[i]; t++)
            pcri_pk_clustering_table(all[i], t, (*out)->freq[table++]);
        if (!rc)
            pcri_pk_clustering_map(all[i], (*out)->maps[i]);
        pcri_pk_clustering_destroy(&all[i]);
    }
    return rc;
}
