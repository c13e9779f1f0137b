/* SPDX-License-Identifier: BSD-2-Clause */
/* A packed sample as a progressive JPEG file: its coefficients, written as the ladder's scans. */
#include "../jpeg/original.h"
#include "../jpeg/scan_file.h"
#include "coding.h"
#include "image.h"

/* Decodes all that the spans have. */
static int decode(const struct pcri_pk_image *m, const struct pcr_spans *spans,
                  struct pcri_coefs *c, uint32_t *groups_out, struct pcr_error *err)
{
    struct pcri_pk_decoder d = { 0 };
    struct pcri_blocks planes[4] = { 0 };
    const struct pcr_span *chunks;
    int rc = pcri_pk_image_chunks(m, spans, &chunks, groups_out, err);
    if (!rc)
        rc = pcri_coefs_reserve(c, &m->file, pcri_script_levels(m->script), err);
    if (!rc)
        rc = pcri_pk_decoder_begin(&d, &m->file, m->script, m->ladder->group_count, m->tables,
                                   &m->sample.params, chunks, *groups_out, 0, UINT32_MAX, err);
    if (!rc)
        pcri_coefs_view(c, planes);
    if (!rc)
        rc = pcri_pk_decode(&d, planes, err);
    if (!rc)
        pcri_coefs_index(c, c->level_count);
    pcri_pk_decoder_free(&d);
    return rc;
}

/* SOI, and the segments that are not ours. */
static int append_header(const struct pcr_spans *spans, uint32_t end, struct pcr_buffer *out,
                         struct pcr_error *err)
{
    int rc = pcri_buffer_append(out, "\xFF\xD8", 2, err);
    for (uint32_t i = 0; !rc && i < end; i++) {
        size_t skip = i ? 0 : PCRI_PK_MAGIC_NBYTES;
        const struct pcr_span *s = &spans->items[i];
        if (!pcri_pk_segment_kind(s))
            rc = pcri_buffer_append(out, (const uint8_t *) s->data + skip, s->nbytes - skip,
                                    err);
    }
    return rc;
}

int pcri_pk_to_jpeg(struct pcr_spans *spans, struct pcr_buffer *memory, struct pcr_error *err)
{
    struct pcri_pk_image m = { 0 };
    struct pcri_coefs c = { 0 };
    struct pcr_limits limits = { 0 };
    uint32_t groups = 0;
    pcri_limits_fill(&limits);
    limits.max_pixels = UINT64_MAX; /* the caller's to check */
    memory->nbytes = 0;
    int rc = pcri_pk_image_open(&m, spans, &limits, NULL, err);
    if (!rc)
        rc = decode(&m, spans, &c, &groups, err);
    if (!rc)
        rc = append_header(spans, m.sample.first_chunk, memory, err);
    if (!rc)
        rc = pcri_scans_append(&c, &m.file, m.script, groups, memory, err);
    spans->count = 0;
    if (!rc)
        rc = pcri_spans_add(spans, memory->data, memory->nbytes, err);
    pcri_coefs_free(&c);
    pcri_pk_image_free(&m);
    return rc;
}
