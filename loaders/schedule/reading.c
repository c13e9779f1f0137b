/* SPDX-License-Identifier: BSD-2-Clause */
/* Which slice is read next.
 *
 * Before a window's samples can be decoded its slices must be in memory; while they are decoded,
 * the next window's slices are read at the same pace, so that storage and processor work together
 * and neither waits for a whole window of the other.
 *
 * A window has samples of all its slices from its beginning on, so that nothing could be handed
 * over before all of it is read. So an epoch begins with reading of each slice just what the
 * first batch has of it; the rest follows once that batch is being decoded.
 *
 * A slice is read with each of its samples at the fidelity that it is to have, and without
 * those that are not wanted. If fidelities change after that, decoding takes the lower part of
 * what is there; what is not enough is read again. */
#include <stdlib.h>

#include "reading.h"

/* Whether a span's sample at `n` in the window waits until the first batch is read. */
static bool is_for_later(const struct pcr_loader *l, uint32_t n)
{
    return l->opening && n >= l->options.batch_size;
}

/* Bytes of a sample of a record, about. */
static uint64_t sample_nbytes(const struct pcr_loader *l, const struct pcri_span *span,
                              const struct pcr_record_info *info, uint32_t wish)
{
    const struct pcri_loader_dataset *from = &l->datasets[span->dataset];
    const bool by_quality = pcri_by_quality(wish);
    const uint32_t g = by_quality ? from->info.group_count : wish;
    const uint64_t nbytes = (pcr_dataset_record_prefix(from->ds, span->record, g) -
                             info->head_end) /
                            info->sample_count;
    /* By quality it is what it was so far. */
    const double part = l->stats.full_nbytes ? (double) l->stats.delivered_nbytes /
                                                   (double) l->stats.full_nbytes
                                             : 1;
    return by_quality ? (uint64_t) ((double) nbytes * part) : nbytes;
}

/* What the span's samples must be read for now: those not yet picked. Returns about how many bytes
 * that are. */
static uint64_t wanted(const struct pcr_loader *l, const struct pcri_window_work *w,
                       uint32_t i, struct pcri_held_slice *out)
{
    const struct pcri_span *span = &w->plan.spans[i];
    const struct pcri_span_work *s = &w->spans[i];
    const struct pcri_order order = pcri_order_of(l);
    struct pcr_dataset *ds = l->datasets[span->dataset].ds;
    struct pcr_record_info info = { .size = sizeof(info) };
    uint64_t nbytes = 0;
    /* It cannot fail: the catalog was made from the same records. */
    if (pcr_dataset_record(ds, span->record, &info, NULL))
        info.sample_count = 1;
    for (uint32_t k = s->count - s->left; k < s->count; k++) {
        if (is_for_later(l, w->by_span[s->first + k]))
            break;
        const struct pcri_pick *pick = &w->picks[w->by_span[s->first + k]];
        uint32_t place = pcri_span_place(&order, span, pick->entry);
        uint32_t wish = pcri_wish_of(l, w, pick, place);
        out->wishes[place - span->first] = wish;
        const uint32_t g = pcri_by_quality(wish) ? l->datasets[span->dataset].info.group_count
                                                 : wish;
        out->fidelities[place - span->first] = (uint8_t) g;
        nbytes += sample_nbytes(l, span, &info, wish);
    }
    return nbytes;
}

/* Takes span `i` of `w`, if `room` bytes are enough for it. */
static bool take_read(struct pcr_loader *l, struct pcri_window_work *w, uint32_t i,
                      uint64_t room, struct pcri_task *t)
{
    struct pcr_error err;
    const size_t extent = w->plan.spans[i].extent;
    struct pcri_held_slice *h = pcri_calloc(
        1, sizeof(*h) + extent * (sizeof(h->wishes[0]) + 1), &err);
    if (!h) {
        pcri_schedule_fail(l, &err);
        return false;
    }
    h->fidelities = (uint8_t *) (h->wishes + extent);
    h->epoch = w->ahead ? l->next.plan.epoch : l->plan.epoch;
    h->nbytes = wanted(l, w, i, h);
    l->room_needed = h->nbytes > room ? h->nbytes : 0;
    if (l->room_needed) {
        free(h);
        return false;
    }
    h->holds = 1;
    *t = (struct pcri_task) { .kind = PCRI_TASK_READ, .held = h, .work = w, .span = i };
    w->spans[i].state = PCRI_SPAN_READING;
    w->read_count += w->spans[i].count;
    w->reading++;
    l->held_nbytes += h->nbytes;
    if (w->ahead)
        l->next.nbytes += h->nbytes;
    return true;
}

/* Is reading a window ahead of the decoding of the one before? Threads that only read may be
 * ahead by a slice each, so that none of them waits while the others finish a window. */
static bool is_ahead(const struct pcr_loader *l, const struct pcri_window_work *w,
                     const struct pcri_window_work *current)
{
    uint64_t slack = (uint64_t) pcri_reader_count(l) * l->options.order.block_samples;
    uint64_t count = w->read_count > slack ? w->read_count - slack : 0;
    return count * current->needed > (uint64_t) current->picked * w->needed;
}

static bool is_to_read(const struct pcr_loader *l, const struct pcri_window_work *w,
                       uint32_t i)
{
    const struct pcri_span_work *s = &w->spans[i];
    return s->state == PCRI_SPAN_WANTED && !is_for_later(l, w->by_span[s->first]);
}

/* Whether the window has a span to read: it is then its next_read. */
static bool has_read(const struct pcr_loader *l, struct pcri_window_work *w)
{
    while (w->next_read < w->plan.span_count && !is_to_read(l, w, w->next_read))
        w->next_read++;
    return w->next_read < w->plan.span_count;
}

/* The next span that is wanted, and how many bytes there is room for: of the current window
 * always, of one after it if there may be room and, where `paced`, if reading it is not ahead
 * of the decoding of the current; then of the next epoch's. NULL: none. */
struct pcri_window_work *pcri_find_read(struct pcr_loader *l, bool paced, uint32_t *span_out,
                                        uint64_t *room_out)
{
    struct pcri_window_work *current = pcri_current_window(l), *w = current;
    while (w && !has_read(l, w)) {
        if (l->opening)
            return NULL;
        w = w->next;
    }
    /* Whoever is to decode too does that before reading ahead. */
    if (!w && l->next.nbytes < l->options.order.window_nbytes / 8 &&
        !(paced && !pcri_reader_count(l)))
        w = l->next.work;
    if (!w || (w->ahead && !has_read(l, w)))
        return NULL;
    *span_out = w->next_read;
    *room_out = UINT64_MAX;
    if (w == current)
        return w;
    if (l->held_nbytes + l->room_needed > l->options.order.window_nbytes ||
        (paced && !w->ahead && is_ahead(l, w, current)))
        return NULL;
    *room_out = l->options.order.window_nbytes - l->held_nbytes;
    return w;
}

bool pcri_pick_read(struct pcr_loader *l, bool paced, struct pcri_task *t)
{
    uint32_t span;
    uint64_t room;
    struct pcri_window_work *w = pcri_find_read(l, paced, &span, &room);
    return w && take_read(l, w, span, room, t);
}

void pcri_schedule_read_done(struct pcr_loader *l, struct pcri_task *t, int rc)
{
    struct pcri_span_work *s = &t->work->spans[t->span];
    t->work->reading--;
    if (rc) {
        /* One bad chunk fails the slice. Its samples are now read one by one, so that only the
         * bad one is lost, and its error is the one reported. */
        s->state = PCRI_SPAN_SINGLY;
        pcri_slice_let_go(l, t->held);
    } else {
        const uint64_t nbytes = pcr_slice_nbytes(t->held->slice); /* no longer an estimate */
        l->held_nbytes += nbytes - t->held->nbytes;
        t->held->nbytes = nbytes;
        s->state = PCRI_SPAN_HELD;
        s->held = t->held;
    }
    pcri_threads_wake(PCRI_THREADS_MAKERS);
}

/* A start waits for all reads, so that none of them changes its epoch on the way. */
void pcri_schedule_count(struct pcr_loader *l, const struct pcri_task *t, uint64_t nbytes)
{
    if (t->work->ahead) {
        l->stats.ahead_nbytes += nbytes;
        l->next.read_nbytes += nbytes;
    } else {
        l->stats.read_nbytes += nbytes;
    }
}

/* Whether a sample not yet picked needs a higher fidelity than it was read at. */
static bool is_short(const struct pcr_loader *l, const struct pcri_window_work *w, uint32_t i)
{
    const struct pcri_span *span = &w->plan.spans[i];
    const struct pcri_span_work *s = &w->spans[i];
    const struct pcri_order order = pcri_order_of(l);
    for (uint32_t k = s->count - s->left; k < s->count; k++) {
        const struct pcri_pick *pick = &w->picks[w->by_span[s->first + k]];
        uint32_t place = pcri_span_place(&order, span, pick->entry);
        if (pcri_slice_is_short(s->held, place - span->first, pcri_wish_of(l, w, pick, place)))
            return true;
    }
    return false;
}

/* Wants all spans of the window again that were not read at the fidelities they need now. */
void pcri_read_again(struct pcr_loader *l, struct pcri_window_work *w)
{
    for (uint32_t i = 0; i < w->plan.span_count; i++) {
        struct pcri_span_work *s = &w->spans[i];
        if (s->state != PCRI_SPAN_HELD || !s->left || !is_short(l, w, i))
            continue;
        pcri_slice_let_go(l, s->held);
        s->held = NULL;
        s->state = PCRI_SPAN_WANTED;
        w->read_count -= s->count;
    }
    w->next_read = 0;
    pcri_threads_wake_all();
}
