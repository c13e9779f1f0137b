/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of shards, and what launchers say about them. */
#include <errno.h>
#include <stdlib.h>

#include "shard.h"

void pcri_shard_init(const struct pcr_loader_options *o, uint64_t first, uint64_t end,
                     struct pcri_shard *out)
{
    /* At most 2^20 x 2^20, by the options' check. */
    uint64_t step = (uint64_t) o->batch_size * o->world;
    uint64_t count = end - first, rest = count % step;
    *out = (struct pcri_shard) {
        .first = first,
        .end = end,
        .batch_size = o->batch_size,
        .rank = o->rank,
        .world = o->world,
        .dealt = o->world > 1 && o->shuffle == PCR_SHUFFLE_BLOCK,
        .full_count = count / step,
    };
    /* The last step's positions are divided evenly. Rounding each rank's number up makes
     * shares that begin at rank / world of the rest overlap, by one sample at most. */
    uint64_t start = o->rank * (rest / o->world);
    out->last_count = rest / o->world;
    if (o->flags & PCR_LOADER_DROP_LAST) {
        out->last_count = 0;
    } else if (!(o->flags & PCR_LOADER_DROP_UNEVEN)) {
        out->last_count += rest % o->world != 0;
        start = o->rank * rest / o->world;
    }
    out->last_first = first + out->full_count * step + start;
}

uint64_t pcri_shard_batch_count(const struct pcri_shard *s)
{
    return s->full_count + (s->last_count != 0);
}

uint64_t pcri_shard_sample_count(const struct pcri_shard *s)
{
    return s->full_count * s->batch_size + s->last_count;
}

uint64_t pcri_shard_position(const struct pcri_shard *s, uint64_t n)
{
    uint64_t batch = n / s->batch_size, slot = n % s->batch_size;
    if (batch == s->full_count)
        return s->last_first + slot;
    return s->first + (batch * s->world + s->rank) * s->batch_size + slot;
}

/* The part of 0..count - 1 that is below x - start. */
static uint64_t below(uint64_t x, uint64_t start, uint64_t count)
{
    if (x <= start)
        return 0;
    return x - start < count ? x - start : count;
}

/* Of the first x positions of a step, how many the ranks before `rank` have: position i of
 * them is rank i % world's. */
static uint64_t dealt_before(const struct pcri_shard *s, uint64_t rank, uint64_t x)
{
    uint64_t left = x % s->world;
    return x / s->world * rank + (left < rank ? left : rank);
}

uint64_t pcri_shard_dealt_end(const struct pcri_shard *s)
{
    if (!s->dealt)
        return s->first;
    uint64_t end = s->first + s->full_count * s->batch_size * s->world;
    uint64_t last = s->last_count * s->world;
    return end + (last < s->end - end ? last : s->end - end);
}

uint64_t pcri_shard_before(const struct pcri_shard *s, uint64_t position)
{
    if (position <= s->first)
        return 0;
    uint64_t step = s->batch_size * s->world, x = position - s->first, full = x / step;
    if (s->dealt && position >= pcri_shard_dealt_end(s))
        return s->full_count * s->batch_size + s->last_count;
    x %= step;
    if (s->dealt)
        return full * s->batch_size + dealt_before(s, s->rank + 1, x) -
               dealt_before(s, s->rank, x);
    if (full >= s->full_count)
        return s->full_count * s->batch_size +
               below(position, s->last_first, s->last_count);
    return full * s->batch_size + below(x, s->rank * s->batch_size, s->batch_size);
}

bool pcri_shard_deal(const struct pcri_shard *s, uint64_t from, uint64_t end,
                     uint64_t *low_out, uint64_t *high_out)
{
    uint64_t step = s->batch_size * s->world;
    uint64_t x = (from - s->first) % step, y = x + (end - from);
    *low_out = dealt_before(s, s->rank, y) - dealt_before(s, s->rank, x);
    *high_out = dealt_before(s, s->rank + 1, y) - dealt_before(s, s->rank + 1, x);
    return end == pcri_shard_dealt_end(s) && y % s->world && s->rank >= y % s->world;
}

uint64_t pcri_shard_delivered(const struct pcri_shard *s, uint64_t batch_count)
{
    if (batch_count > s->full_count)
        return s->end;
    return s->first + batch_count * s->batch_size * s->world;
}

/* --- launchers --- */

static int number(const char *name, const char *text, uint32_t *out, struct pcr_error *err)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value > UINT32_MAX)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "environment variable %s is \"%.80s\", expected a number", name,
                         text);
    *out = (uint32_t) value;
    return 0;
}

int pcri_shard_environment(struct pcr_loader_options *o, struct pcr_error *err)
{
    static const char *const names[][2] = {
        { "RANK", "WORLD_SIZE" }, /* torchrun, and most others */
        { "SLURM_PROCID", "SLURM_NTASKS" },
        { "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE" },
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *rank = getenv(names[i][0]), *world = getenv(names[i][1]);
        if (!rank && !world)
            continue;
        if (!rank || !world)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "environment variable %s is set, but %s is not",
                             names[i][rank == NULL], names[i][rank != NULL]);
        int rc = number(names[i][0], rank, &o->rank, err);
        return rc ? rc : number(names[i][1], world, &o->world, err);
    }
    return 0;
}
