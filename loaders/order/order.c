/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of samples, computed when needed instead of stored.
 *
 * Each row of the contents is cut into spans. A permutation of all spans gives the order in
 * which they are read; with proportions, each dataset has a permutation of its own, and they
 * take turns. Spans that follow each other form a window, whose samples are mixed. FULL is the
 * same with spans of one sample and no mixing; NONE has neither permutation. All permutations
 * are stateless bijections: an epoch takes memory only for its contents and for the windows in
 * work.
 *
 * Mixing gives each span's samples, in random order, places spread evenly over the window: the
 * n-th of a span's N comes in the n-th of N equal parts, at times spread evenly over the
 * spans. So every run of a window's samples draws on all its spans equally, more evenly than
 * chance would, and a process that takes only some spans' samples gets them at an even pace.
 *
 * A window ends when it has window_samples samples or half of window_nbytes: one window can
 * then be held while the next is read. Its bytes are estimated from the record's size at full
 * fidelity, so that the order does not change with the fidelity. */
#include <stdlib.h>

#include "../../libpcr/base/wide.h"
#include "order.h"

/* --- spans --- */

/* The row that span number `span` of the contents is in. */
static uint64_t row_of_span(const struct pcri_contents *contents, uint64_t span)
{
    return PCRI_FIRST(i, 1, contents->row_count, contents->rows[i].first_span > span) - 1;
}

/* Where parts take turns, the j-th of a part's n spans has its turn at time (j + 1/2) / n.
 * How many are up to `time` (in 2^-64)? */
static uint64_t turns(uint64_t n, uint64_t time)
{
    uint64_t low, high = pcri_wide_mul(n, time, &low);
    return high + (low >> 63);
}

static uint64_t all_turns(const struct pcri_order *order, uint64_t time)
{
    const uint64_t *first = order->contents->first_spans;
    uint64_t sum = 0;
    for (uint32_t k = 0; k < order->catalog->part_count; k++)
        sum += turns(first[k + 1] - first[k], time);
    return sum;
}

/* The part whose turn is the i-th, and which of its spans it is. */
static void find_turn(const struct pcri_order *order, uint64_t i, uint32_t *part_out,
                      uint64_t *span_out)
{
    const uint64_t *first = order->contents->first_spans;
    /* Up to low: i turns at most; up to high: more. */
    uint64_t high = PCRI_FIRST(time, 1, UINT64_MAX, all_turns(order, time) > i);
    uint64_t low = high - 1;
    /* Of those at the same time, the first parts come first. */
    i -= all_turns(order, low);
    uint32_t k = 0;
    for (;; k++) {
        uint64_t n = first[k + 1] - first[k], now = turns(n, high) - turns(n, low);
        if (i < now || k + 1 == order->catalog->part_count)
            break;
        i -= now;
    }
    *part_out = k;
    *span_out = turns(first[k + 1] - first[k], low) + i;
}

/* The number in the contents of the span that is the i-th to be read. */
static uint64_t find_span(const struct pcri_order *order, uint64_t epoch, uint64_t i)
{
    const struct pcr_loader_options *o = &order->catalog->options;
    const uint64_t *first = order->contents->first_spans;
    uint32_t part = 0;
    if (order->catalog->part_count > 1)
        find_turn(order, i, &part, &i);
    if (o->order.shuffle != PCR_SHUFFLE_NONE)
        i = pcri_permute(pcri_stream_key(o->seed, PCRI_STREAM_SPANS, epoch, part),
                         first[part + 1] - first[part], i);
    return first[part] + i;
}

struct pcri_span pcri_order_span(const struct pcri_order *order, uint64_t epoch, uint64_t i)
{
    const struct pcri_contents *contents = order->contents;
    i = find_span(order, epoch, i);
    uint64_t number = row_of_span(contents, i);
    const struct pcri_contents_row *row = &contents->rows[number];
    const struct pcri_catalog_record *r = &order->catalog->records[row->record];
    uint64_t entry = row->first_entry + (i - row->first_span) * r->span_samples;
    uint64_t left = row[1].first_entry - entry;
    uint64_t count = left < r->span_samples ? left : r->span_samples;
    uint32_t first = pcri_contents_place(contents, row, entry);
    uint32_t last = pcri_contents_place(contents, row, entry + count - 1);
    return (struct pcri_span) {
        .record = r->record,
        .first_number = r->first_number,
        .entry = entry,
        .row = number,
        .dataset = r->dataset,
        .first = first,
        .count = (uint32_t) count,
        .extent = last - first + 1,
        .copy = row->copy,
        .sample_nbytes = r->sample_nbytes,
    };
}

/* --- windows --- */

/* The number of samples that fill a window. If nothing is mixed, there is no reason to read
 * far ahead. */
static uint32_t window_samples(const struct pcr_loader_options *o)
{
    if (o->order.shuffle == PCR_SHUFFLE_BLOCK)
        return o->order.window_samples;
    uint32_t enough = o->order.shuffle == PCR_SHUFFLE_NONE ? o->order.block_samples : 1;
    if (enough < o->batch_size)
        enough = o->batch_size;
    return o->order.window_samples < enough ? o->order.window_samples : enough;
}

/* How many spans, from number plan->next_span on, make a window, and of how many samples. */
static uint32_t window_spans(const struct pcri_order *order,
                             const struct pcri_order_plan *plan, uint32_t *sample_count_out)
{
    uint64_t samples = 0, nbytes = 0;
    uint32_t n = 0, most = window_samples(&order->catalog->options);
    while (plan->next_span + n < order->contents->span_count &&
           (!n || (samples < most && nbytes < order->catalog->window_nbytes))) {
        struct pcri_span s = pcri_order_span(order, plan->epoch, plan->next_span + n);
        samples += s.count;
        nbytes += (uint64_t) s.count * s.sample_nbytes;
        n++;
    }
    *sample_count_out = (uint32_t) samples;
    return n;
}

void pcri_order_seek(const struct pcri_order *order, struct pcri_order_plan *plan,
                     uint64_t position)
{
    /* Under FULL a span is a sample, and nothing is mixed. */
    if (order->catalog->options.order.shuffle == PCR_SHUFFLE_FULL) {
        plan->next_span = plan->next_position = position;
        return;
    }
    while (plan->next_span < order->contents->span_count) {
        uint32_t samples, n = window_spans(order, plan, &samples);
        if (plan->next_position + samples > position)
            return;
        plan->next_span += n;
        plan->next_window++;
        plan->next_position += samples;
    }
}

/* --- mixing --- */

enum { TIME_BITS = 33, DIGIT_BITS = 11 };

/* Sorts by the upper TIME_BITS bits; those alike stay as they are. The result is in `a`
 * after an even number of steps, else in `b`. */
static void sort_step(const uint64_t *a, uint64_t *b, uint32_t n, unsigned shift)
{
    uint32_t at[1 << DIGIT_BITS] = { 0 }, sum = 0;
    for (uint32_t i = 0; i < n; i++)
        at[a[i] >> shift & ((1 << DIGIT_BITS) - 1)]++;
    for (uint32_t k = 0; k < 1 << DIGIT_BITS; k++) {
        uint32_t count = at[k];
        at[k] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < n; i++)
        b[at[a[i] >> shift & ((1 << DIGIT_BITS) - 1)]++] = a[i];
}

/* A round is what takes one sample of each span. The k-th span's turn in it is at the
 * fractional part of start + k x pace. */
struct round {
    uint64_t start, pace; /* in 2^-64 */
};

/* A pace whose continued fraction has only the numbers 1 and 2, at random: its multiples are
 * spread as evenly as possible, so that any part of a round has spans from all over the
 * window. Each round has another pace: no spans keep each other company. */
static struct round draw_round(uint64_t key)
{
    double pace = 0.5;
    for (int i = 0; i < 48; i++)
        pace = 1 / (pace + 1 + (double) (key >> i & 1));
    return (struct round) { pcri_mix(key), (uint64_t) (pace * 0x1p63) << 1 };
}

static uint32_t round_count(const struct pcri_order_window *w)
{
    uint32_t most = 0;
    for (uint32_t k = 0; k < w->span_count; k++)
        most = w->spans[k].count > most ? w->spans[k].count : most;
    return most;
}

/* Mixes the samples of a window. times: room for twice as many. */
static void mix(struct pcri_order_window *w, uint64_t key, const struct round *rounds,
                uint64_t *times)
{
    uint64_t *a = times, *b = times + w->sample_count;
    uint32_t i = 0;
    for (uint32_t k = 0; k < w->span_count; k++) {
        uint64_t n = w->spans[k].count, order = pcri_key(key, k, 0);
        for (uint64_t j = 0; j < n; j++) {
            uint64_t turn = (rounds[j].start + k * rounds[j].pace) >> (64 - TIME_BITS);
            uint64_t sample = w->span_first[k] + pcri_permute(order, n, j);
            a[i++] = ((j << TIME_BITS) + turn) / n << (64 - TIME_BITS) | sample;
        }
    }
    sort_step(a, b, i, 64 - 3 * DIGIT_BITS);
    sort_step(b, a, i, 64 - 2 * DIGIT_BITS);
    sort_step(a, b, i, 64 - DIGIT_BITS);
    for (uint32_t p = 0; p < i; p++)
        w->mixed[p] = (uint32_t) (b[p] & (UINT64_MAX >> TIME_BITS));
}

static int window_mix(const struct pcri_order *order, const struct pcri_order_plan *plan,
                      struct pcri_order_window *w, struct pcr_error *err)
{
    const struct pcr_loader_options *o = &order->catalog->options;
    if (o->order.shuffle != PCR_SHUFFLE_BLOCK)
        return 0;
    uint64_t key = pcri_stream_key(o->seed, PCRI_STREAM_WINDOW, plan->epoch,
                                   plan->next_window);
    uint32_t count = round_count(w);
    uint64_t *times = pcri_malloc((uint64_t) w->sample_count * 2, sizeof(*times), err);
    struct round *rounds = pcri_malloc(count, sizeof(*rounds), err);
    if (times && rounds && (w->mixed = pcri_malloc(w->sample_count, sizeof(*w->mixed), err))) {
        for (uint32_t j = 0; j < count; j++)
            rounds[j] = draw_round(pcri_key(key, j, 1));
        mix(w, key, rounds, times);
    }
    free(times);
    free(rounds);
    return w->mixed ? 0 : PCR_ERR_NOMEM;
}

int pcri_order_next(const struct pcri_order *order, struct pcri_order_plan *plan,
                    struct pcri_order_window *out, struct pcr_error *err)
{
    if (plan->next_span >= order->contents->span_count)
        return PCR_END;
    uint32_t samples, n = window_spans(order, plan, &samples), before = 0;
    *out = (struct pcri_order_window) {
        .position = plan->next_position,
        .first_span = plan->next_span,
        .sample_count = samples,
        .span_count = n,
        .spans = pcri_calloc(n, sizeof(struct pcri_span), err),
        .span_first = pcri_calloc((uint64_t) n + 1, sizeof(uint32_t), err),
    };
    if (!out->spans || !out->span_first) {
        pcri_order_window_free(out);
        return PCR_ERR_NOMEM;
    }
    for (uint32_t k = 0; k < n; k++) {
        out->spans[k] = pcri_order_span(order, plan->epoch, plan->next_span + k);
        out->span_first[k] = before;
        before += out->spans[k].count;
    }
    out->span_first[n] = before;
    int rc = window_mix(order, plan, out, err);
    if (rc) {
        pcri_order_window_free(out);
        return rc;
    }
    plan->next_span += n;
    plan->next_window++;
    plan->next_position += samples;
    return 0;
}

void pcri_order_window_free(struct pcri_order_window *w)
{
    free(w->spans);
    free(w->span_first);
    free(w->mixed);
    *w = (struct pcri_order_window) { 0 };
}

void pcri_order_window_sample(const struct pcri_order_window *w, uint32_t i,
                              uint32_t *span_out, uint32_t *entry_out)
{
    if (w->mixed)
        i = w->mixed[i];
    *span_out = (uint32_t) PCRI_FIRST(s, 1, w->span_count, w->span_first[s] > i) - 1;
    *entry_out = i - w->span_first[*span_out];
}
