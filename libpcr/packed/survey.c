/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts of images, as small as they can be kept, and a dataset's tables of them. */
#include "survey.h"

#include <stdlib.h>

#include "builtin.h"
#include "segments.h"

enum {
    MOST = 127, /* that one number counts */
    CONTEXT_AT = 8,
    COUNT_AT = 25,
    /* Records hold at least half as many images as are surveyed, or larger ones. */
    WORTH = 2,
    /* Symbols. Fewer take 2 to 3 bits each, and tables of them a quarter of that or more. */
    FEWEST = 16384,
};

_Static_assert(PCRI_PK_CONTEXTS < 1 << (COUNT_AT - CONTEXT_AT), "contexts fit");

int pcri_pk_stats_take(struct pcri_pk_counts *c, struct pcri_coder_stats **out,
                       struct pcr_error *err)
{
    struct pcri_pk_stats *s = pcri_calloc(1, sizeof(*s), err);
    int rc = s ? 0 : PCR_ERR_NOMEM;
    for (size_t i = 0; i < c->seen_count; i++) {
        const struct pcri_pk_counted *seen = &c->seen[i];
        uint32_t *count = &c->rows[seen->context][seen->symbol];
        while (!rc && *count) {
            const uint32_t n = *count < MOST ? *count : MOST;
            uint8_t one[sizeof(uint32_t)];
            pcri_store32(one, seen->symbol | seen->context << CONTEXT_AT | n << COUNT_AT);
            rc = pcri_buffer_append(&s->counts, one, sizeof(one), err);
            *count -= n;
        }
        *count = 0;
    }
    c->seen_count = 0;
    if (s && rc)
        pcri_pk_stats_destroy(&s->base);
    else if (s)
        *out = &s->base;
    return rc;
}

void pcri_pk_stats_destroy(struct pcri_coder_stats *stats)
{
    struct pcri_pk_stats *s = (struct pcri_pk_stats *) stats;
    pcr_buffer_free(&s->counts);
    free(s);
}

void pcri_pk_dataset_tables_destroy(struct pcri_coder_tables *tables)
{
    struct pcri_pk_dataset_tables *t = (struct pcri_pk_dataset_tables *) tables;
    pcri_pk_tables_destroy(&t->tables);
    pcr_buffer_free(&t->segment);
    free(t);
}

/* *n_out: how many symbols there are. */
static int add_up(struct pcri_pk_counts *c, struct pcri_coder_stats *const *stats,
                  size_t count, uint64_t *n_out, struct pcr_error *err)
{
    int rc = 0;
    *n_out = 0;
    for (size_t i = 0; i < count; i++) {
        const struct pcri_pk_stats *s = (const struct pcri_pk_stats *) stats[i];
        for (size_t at = 0; s && !rc && at < s->counts.nbytes; at += sizeof(uint32_t)) {
            const uint32_t one = pcri_load32(s->counts.data + at);
            rc = pcri_pk_counts_add_one(
                c, one >> CONTEXT_AT & ((1u << (COUNT_AT - CONTEXT_AT)) - 1), one & 255,
                one >> COUNT_AT, err);
            *n_out += one >> COUNT_AT;
        }
    }
    return rc;
}

/* Do these tables save more than they take? *stored_out: as they are stored. */
static int weigh(const struct pcri_pk_counts *c, const struct pcri_pk_frequencies *f,
                 struct pcr_buffer *stored, bool *worth_out, struct pcr_error *err)
{
    struct pcri_pk_frequencies *builtin = NULL;
    int rc = pcri_pk_frequencies_unpack(pcri_pk_builtin_tables, pcri_pk_builtin_nbytes,
                                        &builtin, err);
    if (!rc)
        rc = pcri_pk_frequencies_pack(f, stored, err);
    if (!rc) {
        const uint64_t before = pcri_pk_counts_cost(c, builtin),
                       after = pcri_pk_counts_cost(c, f);
        *worth_out = before > after && (before - after) / (8 * 256) > WORTH * stored->nbytes;
    }
    pcri_pk_frequencies_destroy(&builtin);
    return rc;
}

int pcri_pk_dataset_train(const struct pcr_ladder *ladder,
                          struct pcri_coder_stats *const *stats, size_t count,
                          struct pcri_coder_tables **out, struct pcr_error *err)
{
    struct pcri_pk_counts *c = NULL;
    struct pcri_pk_frequencies *f = NULL;
    struct pcr_buffer stored = { 0 };
    uint64_t symbols = 0;
    bool worth = false;
    struct pcri_pk_dataset_tables *t = pcri_calloc(1, sizeof(*t), err);
    (void) ladder; /* contexts are those of any */
    int rc = t ? pcri_pk_counts_create(&c, err) : PCR_ERR_NOMEM;
    if (!rc)
        rc = add_up(c, stats, count, &symbols, err);
    if (!rc && symbols >= FEWEST)
        rc = pcri_pk_train(c, NULL, &f, err);
    if (!rc && f)
        rc = weigh(c, f, &stored, &worth, err);
    if (!rc && worth)
        rc = pcri_pk_tables_create(f, true, &t->tables, err);
    if (!rc && worth)
        rc = pcri_pk_segment_append(&t->segment, PCRI_PK_TABLES, stored.data, stored.nbytes,
                                    err);
    pcri_pk_counts_destroy(&c);
    pcri_pk_frequencies_destroy(&f);
    pcr_buffer_free(&stored);
    if (t && rc)
        pcri_pk_dataset_tables_destroy(&t->base);
    else if (t)
        *out = &t->base;
    return rc;
}
