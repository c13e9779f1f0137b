/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of shards, and what launchers say about them. */
#include "shard.h"

void pcri_shard_init(const struct pcr_loader_options *o, uint64_t first, uint64_t end,
                     struct pcri_shard *out)
{
    uint64_t workers = o->shard.worker_count ? o->shard.worker_count : 1,
             world = o->shard.world;
    /* At most 2^20 x 2^20 x 2^12, by the options' check. */
    uint64_t turn = o->batch_size * world, step = turn * workers;
    uint64_t full = (end - first) / step, rest = first + full * step;
    uint64_t whole = (end - rest) / turn, left = rest + whole * turn, stop = end;
    if (o->flags & PCR_LOADER_DROP_LAST)
        stop = left;
    else if (o->flags & PCR_LOADER_DROP_UNEVEN)
        stop = left + (end - left) / world * world;
    *out = (struct pcri_shard) {
        .first = first,
        .end = end,
        .batch_size = o->batch_size,
        .exact = o->flags & PCR_LOADER_EXACT,
        .divided = world * workers > 1 && o->order.shuffle == PCR_SHUFFLE_BLOCK,
        .full_count = full,
        .parts = {
            { first, rest, o->shard.worker * world + o->shard.rank, world * workers },
            { rest, left, o->shard.worker * world + o->shard.rank, world * whole },
            { left, stop, o->shard.worker == whole ? o->shard.rank : world, world },
        },
    };
    /* What is left is divided evenly: each rank's own share begins at rank / world of it.
     * Rounding each rank's number up makes shares overlap, by one sample at most. */
    const struct pcri_lanes *last = &out->parts[o->shard.worker < whole ? 1 : 2];
    if (last->lane < last->lanes) {
        uint64_t count = last->end - last->first, begin = last->lane * count / last->lanes;
        out->last_first = last->first + begin;
        out->last_own = (last->lane + 1) * count / last->lanes - begin;
        out->last_count = count / last->lanes + (count % last->lanes != 0);
        if (out->exact && count)
            out->last_count = o->batch_size;
    }
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
        return s->exact && slot >= s->last_own ? s->end - 1 : s->last_first + slot;
    return s->first + (batch * s->parts[0].lanes + s->parts[0].lane) * s->batch_size + slot;
}

bool pcri_shard_fills(const struct pcri_shard *s, uint64_t n)
{
    return n >= s->full_count * s->batch_size + s->last_own;
}

/* The part of 0..count - 1 that is below x - start. */
static uint64_t below(uint64_t x, uint64_t start, uint64_t count)
{
    if (x <= start)
        return 0;
    return x - start < count ? x - start : count;
}

/* Of the first x positions of a step, how many the lanes before `lane` have: position i of
 * them is that of lane i % lanes. */
static uint64_t dealt_before(const struct pcri_lanes *p, uint64_t lane, uint64_t x)
{
    uint64_t left = x % p->lanes;
    return x / p->lanes * lane + (left < lane ? left : lane);
}

/* The part that a position is in. */
static const struct pcri_lanes *part_of(const struct pcri_shard *s, uint64_t position)
{
    size_t i = 0;
    while (i < 2 && position >= s->parts[i].end)
        i++;
    return &s->parts[i];
}

uint64_t pcri_shard_divided_end(const struct pcri_shard *s)
{
    return s->divided ? s->parts[2].end : s->first;
}

uint64_t pcri_shard_step_end(const struct pcri_shard *s, uint64_t position)
{
    const struct pcri_lanes *p = part_of(s, position);
    uint64_t step = s->batch_size * p->lanes;
    uint64_t end = position + step - (position - p->first) % step;
    return end < p->end ? end : p->end;
}

/* How many samples of the loader are before a position that is in its batch of the last
 * step, or in none. */
static uint64_t last_before(const struct pcri_shard *s, uint64_t position)
{
    const struct pcri_lanes *p = part_of(s, position);
    if (s->divided ? position >= s->parts[2].end : s->exact && position == s->end)
        return s->last_count;
    if (!s->divided)
        return below(position, s->last_first, s->exact ? s->last_own : s->last_count);
    uint64_t x = position - p->first;
    if (p->lane >= p->lanes) /* its batch, if there is one, is in the part before */
        return p == &s->parts[2] ? s->last_count : 0;
    return dealt_before(p, p->lane + 1, x) - dealt_before(p, p->lane, x);
}

uint64_t pcri_shard_before(const struct pcri_shard *s, uint64_t position)
{
    const struct pcri_lanes *p = &s->parts[0];
    if (position <= s->first)
        return 0;
    if (position >= p->end)
        return s->full_count * s->batch_size + last_before(s, position);
    uint64_t step = s->batch_size * p->lanes, full = (position - p->first) / step;
    uint64_t x = (position - p->first) % step;
    if (s->divided)
        return full * s->batch_size + dealt_before(p, p->lane + 1, x) -
               dealt_before(p, p->lane, x);
    return full * s->batch_size + below(x, p->lane * s->batch_size, s->batch_size);
}

bool pcri_shard_divide(const struct pcri_shard *s, uint64_t from, uint64_t end,
                       uint64_t *low_out, uint64_t *high_out)
{
    const struct pcri_lanes *p = part_of(s, from);
    *low_out = *high_out = 0;
    if (p->lane >= p->lanes)
        return false;
    uint64_t x = (from - p->first) % (s->batch_size * p->lanes), y = x + (end - from);
    *low_out = dealt_before(p, p->lane, y) - dealt_before(p, p->lane, x);
    *high_out = dealt_before(p, p->lane + 1, y) - dealt_before(p, p->lane + 1, x);
    return !s->exact && end == pcri_shard_divided_end(s) && y % p->lanes &&
           p->lane >= y % p->lanes;
}

uint64_t pcri_shard_delivered(const struct pcri_shard *s, uint64_t batch_count)
{
    if (batch_count > s->full_count)
        return s->end;
    return s->first + batch_count * s->batch_size * s->parts[0].lanes;
}
