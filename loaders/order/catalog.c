/* SPDX-License-Identifier: BSD-2-Clause */
/* Which samples there are to take, and how many of each dataset an epoch has. */
#include <math.h>
#include <stdlib.h>

#include "catalog.h"

/* How many members have a number below `end`; c->member_count are known so far. */
static uint64_t members_before(const struct pcri_catalog *c, uint64_t end)
{
    if (!c->indices)
        return end;
    uint64_t n = c->member_count;
    while (n < c->options.order.index_count && c->indices[n] < end)
        n++;
    return n;
}

void pcri_catalog_add(struct pcri_catalog *c, uint32_t dataset, uint64_t record,
                      uint32_t sample_count, uint64_t nbytes)
{
    struct pcri_catalog_record *r = &c->records[c->record_count];
    uint64_t mean = nbytes / sample_count;
    mean = mean < 1 ? 1 : mean > UINT32_MAX ? UINT32_MAX : mean;
    /* Large images: several spans must fit a window. */
    uint64_t span = c->window_nbytes / 4 / mean;
    if (span > c->options.order.block_samples)
        span = c->options.order.block_samples;
    if (span < 1 || c->options.order.shuffle == PCR_SHUFFLE_FULL)
        span = 1;
    r->record = record;
    r->dataset = dataset;
    r->sample_count = sample_count;
    r->span_samples = (uint32_t) span;
    r->sample_nbytes = (uint32_t) mean;
    c->record_count++;
    c->sample_count += sample_count;
    c->member_count = members_before(c, c->sample_count);
    r[1] = (struct pcri_catalog_record) { .first_number = c->sample_count,
                                          .first_member = c->member_count };
    c->dataset_digest = pcri_key(c->dataset_digest + dataset, sample_count, nbytes);
}

/* --- shares --- */

/* Divides an epoch of `n` in proportion: to each the whole part of its share, and one more
 * to those that lost most by that. */
static void divide(const struct pcr_loader_options *o, uint64_t n,
                   struct pcri_catalog_part *parts, uint32_t count)
{
    double sum = 0;
    uint64_t left = n;
    for (uint32_t k = 0; k < count; k++)
        sum += o->order.proportions[k];
    for (uint32_t k = 0; k < count; k++) {
        double share = floor((double) n * (o->order.proportions[k] / sum));
        uint64_t whole = share < (double) left ? (uint64_t) share : left;
        parts[k].take = whole;
        left -= whole;
    }
    for (; left; left--) {
        uint32_t best = 0;
        double most = -INFINITY;
        for (uint32_t k = 0; k < count; k++) {
            double lost = (double) n * (o->order.proportions[k] / sum) -
                          (double) parts[k].take;
            if (o->order.proportions[k] > 0 && lost > most) {
                most = lost;
                best = k;
            }
        }
        parts[best].take++;
    }
}

/* Members of a part that can be taken. */
static uint64_t count_possible(const struct pcri_catalog *c, uint32_t part)
{
    uint64_t first = c->parts[part].first_member, end = c->parts[part + 1].first_member;
    uint64_t n = 0;
    if (!c->weights)
        return end - first;
    for (uint64_t i = first; i < end; i++)
        n += c->weights[i] > 0;
    return n;
}

static int set_shares(struct pcri_catalog *c, const struct pcr_loader_options *o,
                      struct pcr_error *err)
{
    bool once = o->flags & PCR_LOADER_ONCE;
    uint64_t n = o->order.epoch_samples;
    if (!n)
        n = once && c->part_count == 1 ? count_possible(c, 0) : c->member_count;
    c->entry_count = n;
    c->drawn = c->weights != NULL;
    if (o->order.proportions)
        divide(o, n, c->parts, c->part_count);
    else
        c->parts[0].take = n;
    for (uint32_t k = 0; k < c->part_count; k++) {
        uint64_t count = c->parts[k + 1].first_member - c->parts[k].first_member;
        uint64_t possible = count_possible(c, k), take = c->parts[k].take;
        if (take && (!possible || (once && possible < take)))
            return pcri_fail(err, PCR_ERR_INVAL,
                             "an epoch needs %llu samples of dataset %u, but %llu can be "
                             "taken%s",
                             (unsigned long long) take, (unsigned) k,
                             (unsigned long long) possible, once ? " once" : "");
        c->drawn = c->drawn || (take && take % count);
    }
    return 0;
}

/* --- what the order depends on --- */

static uint64_t bits(double value)
{
    uint64_t n;
    memcpy(&n, &value, sizeof(n));
    return n;
}

/* Windows of FULL and NONE bound memory, but mix nothing: they don't matter there. */
static uint64_t options_digest(const struct pcri_catalog *c,
                               const struct pcr_loader_options *o)
{
    uint64_t digest = pcri_key(o->order.shuffle, c->entry_count, o->flags & PCR_LOADER_ONCE);
    if (o->order.shuffle == PCR_SHUFFLE_BLOCK)
        digest = pcri_key(pcri_key(digest, o->order.block_samples, o->order.window_samples),
                          o->order.window_nbytes, 0);
    for (uint64_t i = 0; c->indices && i < o->order.index_count; i++)
        digest = pcri_mix(digest ^ c->indices[i]);
    if (c->indices)
        digest = pcri_key(digest, o->order.index_count, 1);
    for (uint64_t i = 0; c->weights && i < c->member_count; i++)
        digest = pcri_mix(digest ^ bits(c->weights[i]));
    for (uint32_t k = 0; o->order.proportions && k < c->part_count; k++)
        digest = pcri_key(digest, c->parts[k].take, 2);
    return digest;
}

/* The members' weights. */
static int copy_weights(struct pcri_catalog *c, const struct pcr_loader_options *o,
                        struct pcr_error *err)
{
    if (!o->samples.weights)
        return 0;
    c->weights = pcri_calloc(c->member_count, sizeof(double), err);
    if (!c->weights)
        return PCR_ERR_NOMEM;
    for (uint64_t i = 0; i < c->member_count; i++)
        c->weights[i] = o->samples.weights[pcri_catalog_number(c, i)];
    return 0;
}

int pcri_catalog_finish(struct pcri_catalog *c, const struct pcr_loader_options *o,
                        struct pcr_error *err)
{
    uint64_t r = 0;
    for (uint32_t k = 0; k <= c->part_count; k++) {
        while (r < c->record_count && (k == c->part_count || c->records[r].dataset < k))
            r++;
        c->parts[k] = (struct pcri_catalog_part) { r, c->records[r].first_member, 0 };
    }
    int rc = copy_weights(c, o, err);
    if (rc || (rc = set_shares(c, o, err)))
        return rc;
    c->options_digest = options_digest(c, o);
    return 0;
}

/* --- creation --- */

int pcri_catalog_create_empty(uint32_t dataset_count, uint64_t record_count,
                              const struct pcr_loader_options *o, struct pcri_catalog **out,
                              struct pcr_error *err)
{
    struct pcri_catalog *c = pcri_calloc(1, sizeof(*c), err);
    if (!c)
        return PCR_ERR_NOMEM;
    c->options = *o;
    c->window_nbytes = o->order.window_nbytes / 2;
    c->part_count = o->order.proportions ? dataset_count : 1;
    c->records = pcri_calloc(record_count + 1, sizeof(*c->records), err);
    c->parts = pcri_calloc((uint64_t) c->part_count + 1, sizeof(*c->parts), err);
    /* One more, so that an empty list is one. */
    if (c->records && c->parts && o->order.indices &&
        (c->indices = pcri_calloc(o->order.index_count + 1, sizeof(uint64_t), err)))
        memcpy(c->indices, o->order.indices, o->order.index_count * sizeof(uint64_t));
    if (!c->records || !c->parts || (o->order.indices && !c->indices)) {
        pcri_catalog_destroy(&c);
        return PCR_ERR_NOMEM;
    }
    *out = c;
    return 0;
}

static int add_dataset(struct pcri_catalog *c, uint32_t k,
                       const struct pcri_loader_dataset *from, struct pcr_error *err)
{
    int rc = 0;
    for (uint64_t r = 0; !rc && r < from->info.record_count; r++) {
        struct pcr_record_info record = { .size = sizeof(record) };
        rc = pcr_dataset_record(from->ds, r, &record, err);
        if (!rc && !record.sample_count)
            rc = pcri_fail(err, PCR_ERR_CORRUPT, "%s: a record without samples", record.path);
        if (!rc)
            pcri_catalog_add(c, k, r, record.sample_count,
                             pcr_dataset_record_prefix(from->ds, r, PCR_FIDELITY_FULL) -
                                 record.head_end);
    }
    return rc;
}

int pcri_catalog_create(const struct pcri_loader_dataset *datasets, uint32_t dataset_count,
                        const struct pcr_loader_options *o, struct pcri_catalog **out,
                        struct pcr_error *err)
{
    uint64_t record_count = 0;
    for (uint32_t k = 0; k < dataset_count; k++)
        record_count += datasets[k].info.record_count;
    int rc = pcri_catalog_create_empty(dataset_count, record_count, o, out, err);
    if (rc)
        return rc;
    for (uint32_t k = 0; k < dataset_count && !rc; k++)
        rc = add_dataset(*out, k, &datasets[k], err);
    if (!rc)
        rc = pcri_catalog_finish(*out, o, err);
    if (rc)
        pcri_catalog_destroy(out);
    return rc;
}

void pcri_catalog_destroy(struct pcri_catalog **catalog)
{
    if (!catalog || !*catalog)
        return;
    free((*catalog)->records);
    free((*catalog)->indices);
    free((*catalog)->weights);
    free((*catalog)->parts);
    free(*catalog);
    *catalog = NULL;
}
