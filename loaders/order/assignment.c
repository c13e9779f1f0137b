/* SPDX-License-Identifier: BSD-2-Clause */
/* Dealing a window's samples to ranks.
 *
 * What must not depend on the number of ranks is which samples a step has, not which rank
 * gets which of them. So the samples that a step takes from a window are put in the order of
 * their spans, and each rank takes a run of them. As mixing takes from all spans at an even
 * pace, it is a run of the same spans at every step: a rank reads its spans whole, and
 * shares but one or two with its neighbours. */
#include <stdlib.h>

#include "assignment.h"

/* Deals positions [from, end) of the window, all in one step. at: room for a number a span.
 * Returns how many picks there are. */
static uint32_t deal_part(const struct pcri_shard *s, const struct pcri_order_window *w,
                          uint64_t from, uint64_t end, uint32_t *at, struct pcri_pick *out)
{
    uint32_t first = (uint32_t) (from - w->position), sum = 0, n = 0, span, entry;
    uint32_t last = (uint32_t) (end - w->position);
    uint64_t low, high, extra = UINT64_MAX;
    bool more = pcri_shard_divide(s, from, end, &low, &high);
    bool twice = more && !low && high == end - from; /* there are no others */
    if (more && low)
        extra = --low; /* a neighbour's */
    else if (more && !twice)
        extra = high++;
    memset(at, 0, w->span_count * sizeof(*at));
    for (uint32_t i = first; i < last; i++) {
        pcri_order_window_sample(w, i, &span, &entry);
        at[span]++;
    }
    for (uint32_t k = 0; k < w->span_count; k++) {
        uint32_t count = at[k];
        at[k] = sum;
        sum += count;
    }
    for (uint32_t i = first; i < last; i++) {
        pcri_order_window_sample(w, i, &span, &entry);
        uint32_t place = at[span]++;
        if (place >= low && place < high)
            out[n++] = (struct pcri_pick) { span, entry, i, place == extra };
    }
    if (!twice)
        return n;
    out[n] = out[n - 1];
    out[n].fills = true;
    return n + 1;
}

int pcri_assign(const struct pcri_shard *s, const struct pcri_order_window *w,
                struct pcri_pick *picks_out, struct pcr_error *err)
{
    uint64_t position = w->position, end = position + w->sample_count;
    uint64_t dealt_end = pcri_shard_divided_end(s), i = pcri_shard_before(s, position);
    uint64_t count = pcri_shard_before(s, end);
    uint32_t n = 0;
    if (position < s->first)
        position = s->first;
    uint64_t last = end < dealt_end ? end : dealt_end;
    if (position < last) {
        uint32_t *at = pcri_malloc(w->span_count, sizeof(*at), err);
        if (!at)
            return PCR_ERR_NOMEM;
        while (position < last) {
            uint64_t next = pcri_shard_step_end(s, position);
            next = next < last ? next : last;
            n += deal_part(s, w, position, next, at, picks_out + n);
            position = next;
        }
        free(at);
    }
    /* Each rank has a run of the step's positions; or, where these were divided, all that is
     * missing is what fills the epoch's last batch. */
    for (i += n; i < count; i++) {
        struct pcri_pick *p = &picks_out[n++];
        p->offset = s->divided ? w->sample_count - 1
                               : (uint32_t) (pcri_shard_position(s, i) - w->position);
        p->fills = s->divided || pcri_shard_fills(s, i);
        pcri_order_window_sample(w, p->offset, &p->span, &p->entry);
    }
    return 0;
}
