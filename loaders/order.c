/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of samples, computed where it is needed instead of stored.
 *
 * Each record is cut into spans. A permutation of all spans says in which order they are
 * read; spans that follow each other form a window, and a second permutation mixes the
 * samples of the window. FULL is the same with spans of one sample and no mixing, NONE
 * with neither permutation. With an index list, a span has only samples that are in it.
 * All permutations are stateless bijections, so that an epoch takes no memory that grows
 * with the dataset but 32 bytes a record, and 8 a sample of an index list.
 *
 * A window ends when it has window_samples samples or half of window_nbytes: one window
 * can then be held while the next is read. Its bytes are estimated from the record's size
 * at full fidelity, so that the order does not change with the fidelity. */
#include <stdlib.h>

#include "order.h"

struct pcri_order {
    uint64_t seed;
    uint32_t shuffle;
    uint32_t block_samples, window_samples;
    uint64_t window_nbytes; /* of one window */
    uint64_t record_count, sample_count, span_count;
    uint64_t *first_sample; /* record_count + 1 */
    uint64_t *first_index;  /* record_count + 1: in the dataset */
    uint64_t *first_span;   /* record_count + 1 */
    uint64_t *indices;      /* of the samples, if not all of the dataset */
    uint64_t index_count;
    uint64_t dataset_digest, options_digest;
    uint32_t *span_samples; /* of each record: samples in all its spans but the last */
    uint32_t *sample_nbytes; /* of each record: mean at full fidelity, at least 1 */
};

/* How many samples of the order are before the dataset's sample `index`, the last record's
 * end. */
static uint64_t members_before(const struct pcri_order *order, uint64_t index)
{
    if (!order->indices)
        return index;
    uint64_t n = order->sample_count;
    while (n < order->index_count && order->indices[n] < index)
        n++;
    return n;
}

void pcri_order_add(struct pcri_order *order, uint32_t sample_count, uint64_t nbytes)
{
    uint64_t r = order->record_count++;
    uint64_t end = order->first_index[r] + sample_count;
    uint64_t count = members_before(order, end) - order->sample_count;
    uint64_t mean = nbytes / sample_count;
    mean = mean < 1 ? 1 : mean > UINT32_MAX ? UINT32_MAX : mean;
    /* Large images: several spans must fit a window. */
    uint64_t span = order->window_nbytes / 4 / mean;
    if (span > order->block_samples)
        span = order->block_samples;
    if (span < 1 || order->shuffle == PCR_SHUFFLE_FULL)
        span = 1;
    order->sample_nbytes[r] = (uint32_t) mean;
    order->span_samples[r] = (uint32_t) span;
    order->sample_count += count;
    order->span_count += (count + span - 1) / span;
    order->dataset_digest = pcri_key(order->dataset_digest, sample_count, nbytes);
    order->first_index[r + 1] = end;
    order->first_sample[r + 1] = order->sample_count;
    order->first_span[r + 1] = order->span_count;
}

static int copy_indices(struct pcri_order *order, const struct pcr_loader_options *o,
                        struct pcr_error *err)
{
    if (!o->indices)
        return 0;
    /* One more, so that an empty list is one. */
    order->indices = pcri_calloc(o->index_count + 1, sizeof(uint64_t), err);
    if (!order->indices)
        return PCR_ERR_NOMEM;
    memcpy(order->indices, o->indices, o->index_count * sizeof(uint64_t));
    order->index_count = o->index_count;
    return 0;
}

/* Windows of FULL and NONE bound memory, but mix nothing: they don't matter there. */
static uint64_t options_digest(const struct pcri_order *order,
                               const struct pcr_loader_options *o)
{
    uint64_t digest = pcri_mix(o->shuffle);
    if (o->shuffle == PCR_SHUFFLE_BLOCK)
        digest = pcri_key(pcri_key(digest, o->block_samples, o->window_samples),
                          o->window_nbytes, 0);
    for (uint64_t i = 0; i < order->index_count; i++)
        digest = pcri_mix(digest ^ order->indices[i]);
    return order->indices ? pcri_key(digest, order->index_count, 1) : digest;
}

int pcri_order_create_empty(const struct pcr_loader_options *o, uint64_t record_count,
                            struct pcri_order **out, struct pcr_error *err)
{
    struct pcri_order *order = pcri_calloc(1, sizeof(*order), err);
    if (!order)
        return PCR_ERR_NOMEM;
    order->first_sample = pcri_calloc(record_count + 1, sizeof(uint64_t), err);
    order->first_index = pcri_calloc(record_count + 1, sizeof(uint64_t), err);
    order->first_span = pcri_calloc(record_count + 1, sizeof(uint64_t), err);
    order->span_samples = pcri_calloc(record_count, sizeof(uint32_t), err);
    order->sample_nbytes = pcri_calloc(record_count, sizeof(uint32_t), err);
    if (!order->first_sample || !order->first_index || !order->first_span ||
        !order->span_samples || !order->sample_nbytes || copy_indices(order, o, err)) {
        pcri_order_destroy(&order);
        return PCR_ERR_NOMEM;
    }
    order->seed = o->seed;
    order->shuffle = o->shuffle;
    order->block_samples = o->block_samples;
    order->window_nbytes = o->window_nbytes / 2;
    order->window_samples = o->window_samples;
    if (o->shuffle != PCR_SHUFFLE_BLOCK) { /* nothing to mix: no reason to read far ahead */
        uint32_t enough = o->shuffle == PCR_SHUFFLE_NONE ? o->block_samples : 1;
        if (enough < o->batch_size)
            enough = o->batch_size;
        if (order->window_samples > enough)
            order->window_samples = enough;
    }
    order->options_digest = options_digest(order, o);
    *out = order;
    return 0;
}

int pcri_order_create(const struct pcr_dataset *ds, const struct pcr_loader_options *o,
                      struct pcri_order **out, struct pcr_error *err)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    int rc = pcr_dataset_describe(ds, &info, err);
    if (rc || (rc = pcri_order_create_empty(o, info.record_count, out, err)))
        return rc;
    for (uint64_t r = 0; !rc && r < info.record_count; r++) {
        struct pcr_record_info record = { .size = sizeof(record) };
        rc = pcr_dataset_record(ds, r, &record, err);
        if (!rc && !record.sample_count)
            rc = pcri_fail(err, PCR_ERR_CORRUPT, "%s: a record without samples", record.path);
        if (!rc)
            pcri_order_add(*out, record.sample_count,
                           pcr_dataset_record_prefix(ds, r, PCR_FIDELITY_FULL) -
                               record.head_end);
    }
    if (rc)
        pcri_order_destroy(out);
    return rc;
}

void pcri_order_destroy(struct pcri_order **order)
{
    if (!order || !*order)
        return;
    free((*order)->first_sample);
    free((*order)->first_index);
    free((*order)->first_span);
    free((*order)->indices);
    free((*order)->span_samples);
    free((*order)->sample_nbytes);
    free(*order);
    *order = NULL;
}

uint64_t pcri_order_sample_count(const struct pcri_order *order)
{
    return order->sample_count;
}

uint64_t pcri_order_index(const struct pcri_order *order, uint64_t ordinal)
{
    return order->indices ? order->indices[ordinal] : ordinal;
}

uint64_t pcri_order_dataset_digest(const struct pcri_order *order)
{
    return order->dataset_digest;
}

uint64_t pcri_order_options_digest(const struct pcri_order *order)
{
    return order->options_digest;
}

/* The record that span number `span` of the dataset belongs to. */
static uint64_t record_of_span(const struct pcri_order *order, uint64_t span)
{
    uint64_t low = 0, high = order->record_count; /* first_span[low] <= span < [high] */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (order->first_span[middle] <= span)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The span that is the i-th to be read. */
static struct pcri_span span_at(const struct pcri_order *order, uint64_t epoch, uint64_t i)
{
    if (order->shuffle != PCR_SHUFFLE_NONE)
        i = pcri_permute(pcri_stream_key(order->seed, PCRI_STREAM_SPANS, epoch, 0),
                         order->span_count, i);
    uint64_t r = record_of_span(order, i);
    uint64_t ordinal =
        order->first_sample[r] + (i - order->first_span[r]) * order->span_samples[r];
    uint64_t left = order->first_sample[r + 1] - ordinal;
    uint64_t count = left < order->span_samples[r] ? left : order->span_samples[r];
    uint64_t first = pcri_order_index(order, ordinal);
    uint64_t last = pcri_order_index(order, ordinal + count - 1);
    return (struct pcri_span) {
        .record = r,
        .ordinal = ordinal,
        .first = (uint32_t) (first - order->first_index[r]),
        .count = (uint32_t) count,
        .extent = (uint32_t) (last - first + 1),
    };
}

/* How many spans, from number plan->next_span on, make a window, and of how many samples. */
static uint32_t window_spans(const struct pcri_order *order, const struct pcri_plan *plan,
                             uint32_t *sample_count_out)
{
    uint64_t samples = 0, nbytes = 0;
    uint32_t n = 0;
    while (plan->next_span + n < order->span_count &&
           (!n || (samples < order->window_samples && nbytes < order->window_nbytes))) {
        struct pcri_span s = span_at(order, plan->epoch, plan->next_span + n);
        samples += s.count;
        nbytes += (uint64_t) s.count * order->sample_nbytes[s.record];
        n++;
    }
    *sample_count_out = (uint32_t) samples;
    return n;
}

void pcri_order_seek(const struct pcri_order *order, struct pcri_plan *plan,
                     uint64_t position)
{
    if (order->shuffle == PCR_SHUFFLE_FULL) { /* a span is a sample, and nothing is mixed */
        plan->next_span = plan->next_position = position;
        return;
    }
    while (plan->next_span < order->span_count) {
        uint32_t samples, n = window_spans(order, plan, &samples);
        if (plan->next_position + samples > position)
            return;
        plan->next_span += n;
        plan->next_window++;
        plan->next_position += samples;
    }
}

int pcri_order_next(const struct pcri_order *order, struct pcri_plan *plan,
                    struct pcri_window *out, struct pcr_error *err)
{
    if (plan->next_span >= order->span_count)
        return PCR_END;
    uint32_t samples, n = window_spans(order, plan, &samples), before = 0;
    *out = (struct pcri_window) {
        .position = plan->next_position,
        .key = pcri_stream_key(order->seed, PCRI_STREAM_WINDOW, plan->epoch,
                               plan->next_window),
        .span_count = n,
        .spans = pcri_calloc(n, sizeof(struct pcri_span), err),
        .span_first = pcri_calloc((size_t) n + 1, sizeof(uint32_t), err),
        .mixed = order->shuffle == PCR_SHUFFLE_BLOCK,
    };
    if (!out->spans || !out->span_first) {
        pcri_window_free(out);
        return PCR_ERR_NOMEM;
    }
    for (uint32_t k = 0; k < n; k++) {
        out->spans[k] = span_at(order, plan->epoch, plan->next_span + k);
        out->span_first[k] = before;
        before += out->spans[k].count;
    }
    out->span_first[n] = out->sample_count = samples;
    plan->next_span += n;
    plan->next_window++;
    plan->next_position += samples;
    return 0;
}

void pcri_window_free(struct pcri_window *w)
{
    free(w->spans);
    free(w->span_first);
    *w = (struct pcri_window) { 0 };
}

void pcri_window_sample(const struct pcri_window *w, uint32_t i, uint32_t *span_out,
                        uint32_t *place_out)
{
    if (w->mixed)
        i = (uint32_t) pcri_permute(w->key, w->sample_count, i);
    uint32_t low = 0, high = w->span_count; /* span_first[low] <= i < span_first[high] */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (w->span_first[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    *span_out = low;
    *place_out = i - w->span_first[low];
}
