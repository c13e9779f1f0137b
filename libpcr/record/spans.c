/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample's spans from its chunks (docs/FORMAT.md 3.4). */
#include "record.h"

/* The spans so far. */
struct joiner {
    const struct pcri_head *head;
    uint32_t sample;
    struct pcr_spans *out;
    struct pcr_error *err;
};

static int add_string(struct joiner *j, uint32_t number)
{
    const struct pcri_strings *d = &j->head->dictionary;
    return pcri_spans_add(j->out, d->bytes + d->offsets[number],
                          (size_t) pcri_string_nbytes(d, number), j->err);
}

/* The header, unless it is skipped. *rest becomes the bytes of the last group's chunk that
 * follow the metadata. Metadata is left out if last is NULL (a lower fidelity). */
static int add_header(struct joiner *j, bool pass_over, const uint8_t *last,
                      const uint8_t **rest)
{
    const struct pcri_head *h = j->head;
    for (uint32_t k = h->item_first[j->sample]; k < h->item_first[j->sample + 1]; k++) {
        uint64_t v = h->items[k];
        int rc = 0;
        if (!(v & 1) && !pass_over)
            rc = add_string(j, (uint32_t) (v / 2));
        else if ((v & 1) && last && !pass_over)
            rc = pcri_spans_add(j->out, last, (size_t) (v >> 1), j->err);
        if (rc)
            return rc;
        if ((v & 1) && last)
            last += v >> 1;
    }
    *rest = last;
    return 0;
}

static int add_pieces(struct joiner *j, uint32_t group, const uint8_t *p)
{
    const struct pcri_head *h = j->head;
    for (uint32_t k = h->piece_first[group]; k < h->piece_first[group + 1]; k++) {
        size_t cell = (size_t) k * h->sample_count + j->sample;
        int rc = 0;
        if (h->piece_string[cell])
            rc = add_string(j, h->piece_string[cell] - 1);
        if (!rc)
            rc = pcri_spans_add(j->out, p, h->piece_nbytes[cell], j->err);
        if (rc)
            return rc;
        p += h->piece_nbytes[cell];
    }
    return 0;
}

int pcri_sample_spans(const struct pcri_head *h, uint32_t i, uint32_t after, uint32_t g,
                      const uint8_t *const chunks[], struct pcr_spans *out,
                      struct pcr_error *err)
{
    struct joiner j = { h, i, out, err };
    out->count = 0;
    if (after >= g)
        return 0;
    if (!h->coding[i])
        return after
                   ? 0
                   : pcri_spans_add(out, chunks[0], (size_t) pcri_chunk_nbytes(h, 0, i), err);
    if (g > h->coded_groups[i] && !h->exact[i])
        return pcri_fail(
            err, PCR_ERR_UNSUPPORTED,
            "its group %u has another coding than group 1, which this version does "
            "not read",
            h->coded_groups[i] + 1u);
    bool whole = g == h->group_count;
    const uint8_t *rest = NULL;
    int rc = add_header(&j, after > 0, whole ? chunks[g - 1] : NULL, &rest);
    for (uint32_t k = after; !rc && k < g; k++)
        rc = add_pieces(&j, k, whole && k == g - 1 ? rest : chunks[k]);
    return rc;
}
