/* SPDX-License-Identifier: BSD-2-Clause */
/* The search for a sample that takes the place of a bad one.
 *
 * First come a few neighbours in the same span, which as a rule is in memory. Where a record is
 * damaged as a whole, or a folder of files cannot be decoded, neighbours are bad too: so one
 * sample of each of the spans that are read next follows, round the epoch's end, then another
 * of each, until all were tried. */
#include "replacement.h"

enum {
    NEIGHBOURS = 3,
    MOST = 1000, /* so that a dataset that is lost is told of in time */
};

static void begin_round(struct pcri_search *s)
{
    s->round++;
    s->step = 0;
    s->before = s->count;
}

/* A neighbour in the seat's own span. */
static bool next_neighbour(struct pcri_search *s, const struct pcri_span *span,
                           uint32_t *entry_out)
{
    if (s->step == NEIGHBOURS || s->step + 1 >= span->count) {
        begin_round(s);
        return false;
    }
    s->step++;
    s->count++;
    s->own = true;
    *entry_out = (s->seat.entry + (uint32_t) s->step) % span->count;
    return true;
}

bool pcri_search_next(const struct pcri_order *order, uint64_t epoch, struct pcri_search *s,
                      struct pcri_span *span_out, uint32_t *entry_out)
{
    uint64_t span_count = order->contents->span_count;
    if (!s->round) {
        *span_out = pcri_order_span(order, epoch, s->seat.turn);
        if (next_neighbour(s, span_out, entry_out))
            return true;
    }
    while (s->count < MOST) {
        if (s->step == span_count) {
            if (s->count == s->before && s->round > NEIGHBOURS + 1)
                return false;
            begin_round(s);
        }
        uint32_t nth = s->round - 1;
        s->step++;
        s->own = s->step == span_count;
        *span_out = pcri_order_span(order, epoch, (s->seat.turn + s->step) % span_count);
        if (nth >= span_out->count || (s->own && nth <= NEIGHBOURS))
            continue;
        *entry_out = (s->seat.entry + nth) % span_out->count;
        s->count++;
        return true;
    }
    return false;
}
