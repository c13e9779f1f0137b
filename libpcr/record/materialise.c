/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample's file from its chunks (docs/FORMAT.md 3.4). */
#include "record.h"

static const uint8_t eoi[2] = { 0xFF, 0xD9 };

/* Where a materialisation stands: the bytes out, and the next byte of a chunk. */
struct joiner {
    const struct pcri_head *head;
    uint32_t sample;
    struct pcr_buffer *out;
    struct pcr_error *err;
};

static int append_string(struct joiner *j, uint32_t number)
{
    const struct pcri_strings *d = &j->head->dictionary;
    return pcri_buffer_append(j->out, d->bytes + d->offsets[number],
                              (size_t) pcri_string_nbytes(d, number), j->err);
}

/* The header; *rest becomes the bytes of the last group's chunk that follow the metadata.
 * Metadata stays out where last is NULL (a lower fidelity). */
static int append_header(struct joiner *j, const uint8_t *last, const uint8_t **rest)
{
    const struct pcri_head *h = j->head;
    for (uint32_t k = h->item_first[j->sample]; k < h->item_first[j->sample + 1]; k++) {
        uint64_t v = h->items[k];
        int rc = 0;
        if (!(v & 1)) {
            rc = append_string(j, (uint32_t) (v / 2));
        } else if (last) {
            rc = pcri_buffer_append(j->out, last, (size_t) (v >> 1), j->err);
            last += v >> 1;
        }
        if (rc)
            return rc;
    }
    *rest = last;
    return 0;
}

static int append_pieces(struct joiner *j, uint32_t group, const uint8_t *p)
{
    const struct pcri_head *h = j->head;
    for (uint32_t k = h->piece_first[group]; k < h->piece_first[group + 1]; k++) {
        size_t cell = (size_t) k * h->sample_count + j->sample;
        int rc = 0;
        if (h->piece_string[cell])
            rc = append_string(j, h->piece_string[cell] - 1);
        if (!rc)
            rc = pcri_buffer_append(j->out, p, h->piece_nbytes[cell], j->err);
        if (rc)
            return rc;
        p += h->piece_nbytes[cell];
    }
    return 0;
}

static int join_coded(struct joiner *j, uint32_t g, const uint8_t *const chunks[])
{
    const struct pcri_head *h = j->head;
    bool whole = g == h->group_count;
    const uint8_t *rest = NULL;
    int rc = append_header(j, whole ? chunks[g - 1] : NULL, &rest);
    for (uint32_t k = 0; !rc && k < g; k++)
        rc = append_pieces(j, k, whole && k == g - 1 ? rest : chunks[k]);
    return rc ? rc : pcri_buffer_append(j->out, eoi, sizeof(eoi), j->err);
}

/* Bytes that the chunks alone make: saves growing the buffer step by step. */
static size_t chunk_bytes(const struct pcri_head *h, uint32_t i, uint32_t g)
{
    uint64_t n = 0;
    for (uint32_t k = 0; k < g; k++)
        n += pcri_chunk_nbytes(h, k, i);
    return (size_t) n;
}

int pcri_materialise(const struct pcri_head *head, uint32_t i, uint32_t g,
                     const uint8_t *const chunks[], struct pcr_buffer *out,
                     struct pcr_error *err)
{
    struct joiner j = { head, i, out, err };
    out->nbytes = 0;
    /* 1 KiB more: about what header and tables take. */
    int rc = pcri_buffer_reserve(out, chunk_bytes(head, i, g) + 1024, err);
    if (rc)
        return rc;
    if (head->form[i] == 0)
        return pcri_buffer_append(out, chunks[0], (size_t) pcri_chunk_nbytes(head, 0, i),
                                  err);
    for (uint32_t k = 0; k < g; k++)
        if (head->coding[k] != PCRI_CODING_JPEG)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                             "group %u has coding %u, which this version does not know",
                             k + 1, head->coding[k]);
    return join_coded(&j, g, chunks);
}
