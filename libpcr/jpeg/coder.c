/* SPDX-License-Identifier: BSD-2-Clause */
/* Packing by whichever coding. */
#include "coding.h"
#include "ladder.h"

int pcri_coding_check(const struct pcri_coding *coding, const struct pcr_ladder *ladder,
                      struct pcr_error *err)
{
    struct pcr_error why;
    if (!coding->check_ladder || !coding->check_ladder(ladder, &why))
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL, "coding %s cannot use ladder %s: %s", coding->name,
                     ladder->name, why.message);
}

int pcri_coder_create(const struct pcri_coding *coding, const struct pcr_ladder *ladder,
                      const struct pcr_limits *limits, const struct pcri_coder_memory *memory,
                      struct pcri_coder **out, struct pcr_error *err)
{
    struct pcr_limits filled = { 0 };
    const struct pcri_coder_memory none = { 0 };
    if (limits)
        filled = *limits;
    pcri_limits_fill(&filled);
    *out = NULL;
    int rc = pcri_coding_check(coding, ladder, err);
    if (!rc)
        rc = coding->encoder->create(out, ladder, &filled, memory ? memory : &none, err);
    if (!rc)
        (*out)->coding = coding;
    return rc;
}

void pcri_coder_destroy(struct pcri_coder **c)
{
    if (c && *c)
        (*c)->coding->encoder->destroy(*c);
    if (c)
        *c = NULL;
}

int pcri_coder_survey(struct pcri_coder *c, const void *data, size_t nbytes,
                      struct pcri_coder_stats **out, struct pcr_error *err)
{
    *out = NULL;
    int rc = c->coding->encoder->survey(c, data, nbytes, out, err);
    if (!rc)
        (*out)->coding = c->coding;
    return rc;
}

void pcri_coder_stats_destroy(struct pcri_coder_stats **s)
{
    if (s && *s)
        (*s)->coding->encoder->stats_destroy(*s);
    if (s)
        *s = NULL;
}

int pcri_coder_train(const struct pcri_coding *coding, const struct pcr_ladder *ladder,
                     struct pcri_coder_stats *const *stats, size_t count,
                     struct pcri_coder_tables **out, struct pcr_error *err)
{
    *out = NULL;
    int rc = coding->encoder->train(ladder, stats, count, out, err);
    if (!rc)
        (*out)->coding = coding;
    return rc;
}

void pcri_coder_tables_destroy(struct pcri_coder_tables **t)
{
    if (t && *t)
        (*t)->coding->encoder->tables_destroy(*t);
    if (t)
        *t = NULL;
}

int pcri_coder_encode(struct pcri_coder *c, const struct pcri_coder_tables *tables,
                      const void *data, size_t nbytes, struct pcri_coded *out,
                      struct pcr_error *err)
{
    return c->coding->encoder->encode(c, tables, data, nbytes, false, out, err);
}

int pcri_coder_salvage(struct pcri_coder *c, const struct pcri_coder_tables *tables,
                       const void *data, size_t nbytes, struct pcri_coded *out,
                       struct pcr_error *err)
{
    return c->coding->encoder->encode(c, tables, data, nbytes, true, out, err);
}

int pcri_coder_file(struct pcri_coder *c, struct pcr_span *out, struct pcr_error *err)
{
    return c->coding->encoder->file(c, out, err);
}

int pcri_coder_restore(struct pcri_coder *c, struct pcri_coded *coded, struct pcr_error *err)
{
    return c->coding->encoder->restore(c, coded, err);
}
