/* SPDX-License-Identifier: BSD-2-Clause */
/* A packed image's header, script and tables. */
#include "image.h"

#include "shared_tables.h"

static int find_tables(struct pcri_pk_image *m, struct pcr_error *err)
{
    const struct pcr_span *t = &m->sample.tables;
    const uint64_t hash = m->sample.params.tables;
    int rc = pcri_pk_builtin_shared(false, &m->tables, err);
    if (rc || m->tables->hash == hash)
        return rc;
    if (!t->data)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "tables %016llx, which this version does "
                         "not have",
                         (unsigned long long) hash);
    const struct pcri_pk_tables *before = m->own;
    rc = pcri_pk_tables_acquire(t, &m->own, err);
    pcri_pk_tables_release(&before);
    if (!rc && m->own->hash != hash)
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "other tables than its parameters name");
    m->tables = m->own;
    return rc;
}

static int find_script(struct pcri_pk_image *m, struct pcr_error *err)
{
    const struct pcr_span *text = &m->sample.ladder;
    struct pcr_error why;
    if (m->ladder && m->ladder_text.nbytes == text->nbytes &&
        !memcmp(m->ladder_text.data, text->data, text->nbytes))
        return 0;
    pcr_ladder_destroy(&m->ladder);
    m->ladder_text.nbytes = 0;
    int rc = pcri_buffer_append(&m->ladder_text, text->data, text->nbytes, err);
    if (rc)
        return rc;
    rc = pcr_ladder_parse((const char *) text->data, text->nbytes, &m->ladder, &why);
    if (rc == PCR_ERR_NOMEM)
        return pcri_fail(err, PCR_ERR_NOMEM, "%s", why.message);
    if (rc)
        return pcri_fail(err, PCR_ERR_CORRUPT, "its ladder: %s", why.message);
    if (m->ladder->script_count > 1) {
        pcr_ladder_destroy(&m->ladder);
        return pcri_fail(err, PCR_ERR_CORRUPT, "its ladder has several scripts");
    }
    m->script = &m->ladder->scripts[0];
    return 0;
}

static bool same_scans(const struct pcri_script *a, const struct pcri_script *b)
{
    bool same = a->scan_count == b->scan_count;
    for (uint32_t i = 0; same && i < a->scan_count; i++) {
        const struct pcri_ladder_scan *x = &a->scans[i], *y = &b->scans[i];
        same = x->part == y->part && x->ss == y->ss && x->se == y->se && x->ah == y->ah &&
               x->al == y->al && x->group == y->group;
    }
    return same;
}

static int check_ladder(const struct pcri_pk_image *m, const struct pcr_ladder *ladder,
                        struct pcr_error *err)
{
    bool found = !ladder;
    for (uint32_t i = 0; !found && i < ladder->script_count; i++)
        found = same_scans(&ladder->scripts[i], m->script);
    return found ? 0 : pcri_fail(err, PCR_ERR_CORRUPT, "its script is not in the ladder");
}

int pcri_pk_image_open(struct pcri_pk_image *m, const struct pcr_spans *spans,
                       const struct pcr_limits *limits, const struct pcr_ladder *ladder,
                       struct pcr_error *err)
{
    int rc = pcri_pk_sample_parse(spans, limits, &m->file, &m->sample, err);
    if (!rc)
        rc = find_script(m, err);
    if (!rc)
        rc = pcri_pk_check(m->script, err);
    if (!rc)
        rc = check_ladder(m, ladder, err);
    return rc ? rc : find_tables(m, err);
}

int pcri_pk_image_chunks(const struct pcri_pk_image *m, const struct pcr_spans *spans,
                         const struct pcr_span **chunks_out, uint32_t *groups_out,
                         struct pcr_error *err)
{
    const uint32_t n = spans->count - m->sample.first_chunk;
    const uint64_t blocks = pcri_block_count(&m->file);
    *chunks_out = spans->items + m->sample.first_chunk;
    *groups_out = n;
    if (n > m->ladder->group_count || !n)
        return pcri_fail(err, PCR_ERR_CORRUPT, "%u chunks of a ladder of %u groups", n,
                         m->ladder->group_count);
    const size_t first_nbytes = (*chunks_out)->nbytes;
    if (blocks > (uint64_t) PCRI_PK_BLOCKS_A_BYTE * first_nbytes)
        return pcri_fail(err, PCR_ERR_CORRUPT, "%zu bytes cannot hold %llu blocks",
                         first_nbytes, (unsigned long long) blocks);
    return 0;
}

void pcri_pk_image_free(struct pcri_pk_image *m)
{
    pcri_jpeg_file_free(&m->file);
    pcr_buffer_free(&m->ladder_text);
    pcr_ladder_destroy(&m->ladder);
    pcri_pk_tables_release(&m->own);
}
