/* SPDX-License-Identifier: BSD-2-Clause */
/* Where each chunk lies, and what a parsed head must also keep to (docs/FORMAT.md 3.3). */
#include <stdlib.h>

#include "head.h"

static uint32_t piece_at(const uint32_t *cells, const struct pcri_head *h, uint32_t piece,
                         uint32_t i)
{
    return cells[(size_t) piece * h->sample_count + i];
}

/* Adds to *total; false on overflow. */
static bool add(uint64_t *total, uint64_t n)
{
    return !__builtin_add_overflow(*total, n, total);
}

/* Bytes of the sample's odd header items: they begin its chunk in group G. */
static bool metadata_nbytes(const struct pcri_head *h, uint32_t i, uint64_t *out)
{
    *out = 0;
    for (uint32_t k = h->item_first[i]; k < h->item_first[i + 1]; k++)
        if (h->items[k] & 1 && !add(out, h->items[k] >> 1))
            return false;
    return true;
}

/* Lays the chunks of group g (from 0) end to end. */
static int lay_out_group(struct pcri_head *h, uint32_t g, struct pcr_error *err)
{
    uint64_t *offsets = h->chunk_offset + (size_t) g * (h->sample_count + 1);
    uint64_t at = 0, size = h->group_begin[g + 1] - h->group_begin[g];
    for (uint32_t i = 0; i < h->sample_count; i++) {
        uint64_t n = 0;
        bool ok = g + 1 < h->group_count || metadata_nbytes(h, i, &n);
        for (uint32_t p = h->piece_first[g]; ok && p < h->piece_first[g + 1]; p++)
            ok = add(&n, piece_at(h->piece_nbytes, h, p, i));
        if (!ok || !add(&at, n) || at > size)
            return pcri_fail(err, PCR_ERR_CORRUPT,
                             "head: sample %u ends beyond the %llu bytes of group %u", i,
                             (unsigned long long) size, g + 1);
        offsets[i + 1] = at;
    }
    if (at != size)
        return pcri_fail(err, PCR_ERR_CORRUPT,
                         "head: the chunks of group %u take %llu bytes, expected %llu", g + 1,
                         (unsigned long long) at, (unsigned long long) size);
    return 0;
}

/* An opaque sample is its bytes in group 1, and nothing else. */
static int check_opaque(const struct pcri_head *h, uint32_t i, struct pcr_error *err)
{
    bool ok = h->item_first[i] == h->item_first[i + 1];
    for (uint32_t p = 0; ok && p < h->piece_count; p++)
        ok = !piece_at(h->piece_string, h, p, i);
    for (uint32_t g = 1; ok && g < h->group_count; g++)
        ok = !pcri_chunk_nbytes(h, g, i);
    return ok ? 0
              : pcri_fail(err, PCR_ERR_CORRUPT,
                          "head: opaque sample %u has more than its bytes in group 1", i);
}

/* Strings count as often as they are named. */
uint64_t pcri_head_sample_nbytes(const struct pcri_head *h, uint32_t i)
{
    uint64_t n = 2; /* EOI */
    bool ok = true;
    for (uint32_t k = h->item_first[i]; ok && k < h->item_first[i + 1]; k++)
        if (!(h->items[k] & 1))
            ok = add(&n, pcri_string_nbytes(&h->dictionary, (uint32_t) (h->items[k] / 2)));
    for (uint32_t p = 0; ok && p < h->piece_count; p++) {
        uint32_t s = piece_at(h->piece_string, h, p, i);
        ok = !s || add(&n, pcri_string_nbytes(&h->dictionary, s - 1));
    }
    for (uint32_t g = 0; ok && g < h->group_count; g++)
        ok = add(&n, pcri_chunk_nbytes(h, g, i));
    return ok ? n : UINT64_MAX;
}

static int check_size(const struct pcri_head *h, uint32_t i, uint64_t max_nbytes,
                      struct pcr_error *err)
{
    uint64_t n = pcri_head_sample_nbytes(h, i);
    if (n <= max_nbytes && n < SIZE_MAX)
        return 0;
    return pcri_fail(err, PCR_ERR_LIMIT, "head: sample %u is above the limit of %llu bytes", i,
                     (unsigned long long) max_nbytes);
}

int pcri_head_lay_out(struct pcri_head *h, const struct pcr_limits *limits,
                      struct pcr_error *err)
{
    struct pcr_limits l = limits ? *limits : (struct pcr_limits) { 0 };
    pcri_limits_fill(&l);
    size_t cells;
    if (!pcri_mul(h->group_count, (size_t) h->sample_count + 1, &cells))
        return pcri_fail_nomem(err, SIZE_MAX);
    h->chunk_offset = pcri_calloc(cells, sizeof(*h->chunk_offset), err);
    if (!h->chunk_offset)
        return PCR_ERR_NOMEM;
    h->footprint += cells * sizeof(*h->chunk_offset);
    for (uint32_t g = 0; g < h->group_count; g++) {
        int rc = lay_out_group(h, g, err);
        if (rc)
            return rc;
    }
    for (uint32_t i = 0; i < h->sample_count; i++) {
        int rc = h->coding[i] == PCRI_CODING_OPAQUE ? check_opaque(h, i, err) : 0;
        if (!rc)
            rc = check_size(h, i, l.max_sample_nbytes, err);
        if (rc)
            return rc;
    }
    return 0;
}

void pcri_head_destroy(struct pcri_head **head)
{
    struct pcri_head *h = head ? *head : NULL;
    if (!h)
        return;
    void *const owned[] = {
        h->keys.bytes,
        h->keys.offsets,
        h->label_first,
        h->labels,
        h->float_label_first,
        h->float_labels,
        h->coding,
        h->coded_groups,
        h->exact,
        h->components,
        h->orientation,
        h->script,
        h->width,
        h->height,
        h->sampling,
        h->source_nbytes,
        h->quality,
        h->dictionary.offsets,
        h->item_first,
        h->items,
        h->piece_string,
        h->piece_nbytes,
        h->check,
        h->chunk_offset,
        h->ladder,
        h->dictionary_bytes,
    };
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
        free(owned[i]);
    pcri_attributes_free(&h->attributes);
    pcri_blobs_free(&h->blobs);
    free(h);
    *head = NULL;
}

size_t pcri_head_footprint(const struct pcri_head *head)
{
    return head->footprint;
}
