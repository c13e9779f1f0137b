/* SPDX-License-Identifier: BSD-2-Clause */
/* The blobs of a conversion: their names are known when it is planned, their bytes are loaded with
 * the image's. */
#include "write.h"

int pcri_blobs_survey(struct pcri_write_plan *p, const struct pcr_source_sample *s,
                      struct pcr_error *err)
{
    static const struct pcri_type any = { PCR_ELEMENT_JSON, 0, 0, 1 };
    bool added;
    int rc = 0;
    for (uint32_t i = 0; i < s->blob_count && !rc; i++)
        rc = pcri_schema_add(&p->blobs, s->blobs[i].name, &any, &added, err);
    return rc;
}

/* Failures that may pass are tried again. */
static int load(struct pcri_worker *t, uint64_t index, const struct pcr_source_blob *blob,
                uint32_t number, struct pcr_buffer *out, struct pcr_error *why)
{
    const struct pcr_source *source = &t->write->source;
    const uint64_t most = t->write->opts.limits->max_sample_nbytes;
    if (blob->nbytes > most)
        return pcri_fail(why, PCR_ERR_LIMIT, "%llu bytes, the limit is %llu",
                         (unsigned long long) blob->nbytes, (unsigned long long) most);
    if (blob->data || !source->load_blob)
        return pcri_buffer_append(out, blob->data, blob->data ? (size_t) blob->nbytes : 0,
                                  why);
    for (uint32_t attempt = 0;; attempt++) {
        *why = (struct pcr_error) { .offset = PCR_NO_OFFSET };
        out->nbytes = 0;
        int rc = source->load_blob(source->context, index, number, most, out, why);
        if (!rc)
            return 0;
        rc = pcri_settle(why, rc, "the source");
        if (!pcri_try_again(attempt, PCRI_TRIES_AGAIN, &rc, why))
            return rc;
    }
}

int pcri_sample_load_blobs(struct pcri_worker *t, uint64_t index, struct pcri_slot *slot,
                           bool *lost, struct pcr_error *why)
{
    const struct pcr_source_sample *s = &slot->sample;
    struct pcr_buffer bytes = { 0 };
    int rc = 0;
    for (uint32_t i = 0; i < s->blob_count && !rc; i++) {
        const char *name = s->blobs[i].name;
        if (!name ||
            pcri_schema_find(&t->write->plan.blobs, name) == t->write->plan.blobs.count)
            rc = pcri_fail(why, PCR_ERR_INVAL, "other blobs than when the source was planned");
        else if ((rc = load(t, index, &s->blobs[i], i, &bytes, why)))
            rc = pcri_prefix(why, rc, "blob %.100s", name);
        if (!rc)
            rc = pcri_blob_list_add(&slot->blobs, name, &bytes, why);
    }
    pcr_buffer_free(&bytes);
    *lost = rc && pcri_source_is_lost(why);
    if (rc)
        pcri_blob_list_free(&slot->blobs);
    return rc;
}

bool pcri_blobs_are_same(const struct pcri_head *head, uint32_t i,
                         const struct pcr_source_sample *s)
{
    const struct pcri_blobs *b = head->blobs;
    uint32_t count = 0;
    size_t cell;
    for (uint32_t k = 0; b && k < b->count; k++)
        count += b->present[(size_t) i * b->count + k];
    bool same = count == s->blob_count;
    for (uint32_t k = 0; k < s->blob_count && same; k++) {
        same = pcri_blobs_find(b, i, s->blobs[k].name, &cell);
        if (same && s->blobs[k].nbytes)
            same = b->begins[cell + 1] - b->begins[cell] == s->blobs[k].nbytes;
    }
    return same;
}
