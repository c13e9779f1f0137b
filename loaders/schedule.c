/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses what a thread does next.
 *
 * Samples are decoded strictly in the epoch's order, and batches are handed over in that
 * order, so that the result does not depend on how many workers there are or how fast.
 * Before a window's samples can be decoded its slices must be in memory; while they are
 * decoded, the next window's slices are read at the same pace, so that storage and
 * processor work together and neither waits for a whole window of the other. Threads that
 * only read do that if there are any; the others then decode while these wait for storage.
 *
 * Windows are planned by one thread at a time, without the mutex: large ones take a while.
 *
 * What bounds memory: two windows of slices at most, of which the second stays within
 * window_nbytes; and batches_ahead batches.
 *
 * A window has samples of all its slices from its beginning on, so that nothing could be handed
 * over before all of it is read. So an epoch begins with reading of each slice just what the
 * first batch has of it; the rest follows once that batch is being decoded.
 *
 * A slice is read with each of its samples at the fidelity that it is to have, and without
 * those that are not wanted. If fidelities change after that, decoding takes the lower part of
 * what is there; what is not enough is read again. */
#include <stdlib.h>

#include "schedule.h"

/* The loader cannot go on. */
static void fail(struct pcr_loader *l, const struct pcr_error *err)
{
    l->error = *err;
    l->state = PCRI_LOADER_FAILED;
    pthread_cond_broadcast(&l->ready);
}

static void unhold(struct pcr_loader *l, struct pcri_loaded *h)
{
    if (!h || --h->holds)
        return;
    l->held_nbytes -= h->nbytes;
    h->next = l->garbage;
    l->garbage = h;
}

void pcri_schedule_collect(struct pcri_loaded *garbage)
{
    while (garbage) {
        struct pcri_loaded *next = garbage->next;
        pcr_slice_destroy(&garbage->slice);
        free(garbage);
        garbage = next;
    }
}

/* --- windows --- */

static void work_free(struct pcr_loader *l, struct pcri_work *w)
{
    for (uint32_t i = 0; w->spans && i < w->plan.span_count; i++)
        unhold(l, w->spans[i].held);
    free(w->spans);
    free(w->picks);
    free(w->by_span);
    pcri_window_free(&w->plan);
    free(w);
}

static struct pcri_order order_of(const struct pcr_loader *l)
{
    return (struct pcri_order) { l->catalog, l->deck };
}

/* Finds out which of the window's samples are this rank's, and lists them by span. */
static int choose_samples(const struct pcri_shard *shard, struct pcri_work *w,
                          struct pcr_error *err)
{
    uint64_t position = w->plan.position;
    uint32_t sum = 0;
    w->needed = (uint32_t) (pcri_shard_before(shard, position + w->plan.sample_count) -
                            pcri_shard_before(shard, position));
    w->picks = pcri_malloc(w->needed, sizeof(*w->picks), err);
    w->by_span = pcri_malloc(w->needed, sizeof(*w->by_span), err);
    if (!w->picks || !w->by_span || pcri_deal(shard, &w->plan, w->picks, err))
        return PCR_ERR_NOMEM;
    for (uint32_t n = 0; n < w->needed; n++)
        w->spans[w->picks[n].span].count++;
    for (uint32_t i = 0; i < w->plan.span_count; i++) {
        struct pcri_span_work *s = &w->spans[i];
        s->first = sum;
        sum += s->count;
        if (!s->count)
            s->state = PCRI_SPAN_SINGLY; /* nothing to read */
    }
    for (uint32_t n = 0; n < w->needed; n++) {
        struct pcri_span_work *s = &w->spans[w->picks[n].span];
        w->by_span[s->first + s->left++] = n;
    }
    return 0;
}

static int work_create(struct pcr_loader *l, bool ahead, struct pcri_work **out,
                       struct pcr_error *err)
{
    struct pcri_plan *plan = ahead ? &l->next.plan : &l->plan;

    const struct pcri_order order = order_of(l);
    struct pcri_work *w = pcri_calloc(1, sizeof(*w), err);
    if (!w)
        return PCR_ERR_NOMEM;
    w->ahead = ahead;
    int rc = pcri_order_next(&order, plan, &w->plan, err);
    if (!rc && !(w->spans = pcri_calloc(w->plan.span_count, sizeof(*w->spans), err)))
        rc = PCR_ERR_NOMEM;
    if (!rc)
        rc = choose_samples(ahead ? &l->next.shard : &l->shard, w, err);
    if (rc) {
        work_free(l, w);
        return rc;
    }
    *out = w;
    return 0;
}

/* Drops windows that are done with. Returns how many are left with samples to be picked. */
static uint32_t drop_windows(struct pcr_loader *l)
{
    struct pcri_work **link = &l->works;
    uint32_t open = 0;
    while (*link) {
        struct pcri_work *w = *link;
        if (w->picked == w->needed && !w->reading) {
            *link = w->next;
            work_free(l, w);
            continue;
        }
        open += w->picked < w->needed;
        link = &w->next;
    }
    return open;
}

/* Threads that only read for the loader. */
static uint32_t readers(const struct pcr_loader *l)
{
    return l->members[PCRI_CREW_READERS].limit;
}

/* Are all windows of the epoch planned that have samples of the rank? */
static bool is_planned(const struct pcr_loader *l)
{
    return l->plan.next_span >= l->deck->span_count ||
           pcri_shard_before(&l->shard, l->plan.next_position) >=
               pcri_shard_sample_count(&l->shard);
}

/* Is all of the epoch read? */
static bool is_read(const struct pcr_loader *l)
{
    if (l->opening || !is_planned(l))
        return false;
    for (const struct pcri_work *w = l->works; w; w = w->next)
        if (w->reading || w->read_count < w->needed)
            return false;
    return true;
}

/* Is the first window of the next epoch to be planned? */
static bool pick_plan_next(struct pcr_loader *l, struct pcri_task *t)
{
    struct pcri_next *n = &l->next;
    if (!n->wanted || n->work || l->planning || !is_read(l))
        return false;
    n->plan = (struct pcri_plan) { .epoch = l->plan.epoch + 1 };
    n->nbytes = n->read_nbytes = 0;
    n->changes = l->changes;
    pcri_changes_begin(&n->changes, &l->rules, n->plan.epoch, n->plan.epoch);
    pcri_shard_init(&l->options, 0, l->catalog->entry_count, &n->shard);
    l->planning = true;
    *t = (struct pcri_task) { .kind = PCRI_TASK_PLAN, .ahead = true };
    return true;
}

/* Is another window to be planned? Two are open at a time. One of NONE may be a single slice:
 * of these there is one more for each thread that reads. */
static bool pick_plan(struct pcr_loader *l, struct pcri_task *t)
{
    uint32_t max = 2 + (l->options.shuffle == PCR_SHUFFLE_NONE ? readers(l) : 0);
    if (drop_windows(l) >= max || l->planning || is_planned(l))
        return pick_plan_next(l, t);
    l->planning = true;
    *t = (struct pcri_task) { .kind = PCRI_TASK_PLAN };
    return true;
}

int pcri_schedule_plan(struct pcr_loader *l, struct pcri_task *t, struct pcr_error *err)
{
    int rc = 0;
    while (!rc && !t->work) {
        rc = work_create(l, t->ahead, &t->work, err);
        if (!rc && !t->work->needed) { /* none of this rank's */
            work_free(l, t->work);
            t->work = NULL;
        }
    }
    return rc;
}

void pcri_schedule_plan_done(struct pcr_loader *l, struct pcri_task *t, int rc,
                             const struct pcr_error *err)
{
    struct pcri_work **link = t->ahead ? &l->next.work : &l->works;
    while (*link)
        link = &(*link)->next;
    *link = t->work;
    l->planning = false;
    if (rc && t->ahead) /* if it comes to it, the epoch will meet the error itself */
        l->next.wanted = false;
    else if (rc < 0)
        fail(l, err);
    pcri_schedule_wake();
}

/* The window that the next sample is in; NULL if none is left. */
static struct pcri_work *current_work(const struct pcr_loader *l)
{
    struct pcri_work *w = l->works;
    while (w && w->picked == w->needed)
        w = w->next;
    return w;
}

/* --- reading --- */

/* A sample's number in the order of all datasets, told apart from its other copies. */
static uint64_t identity(const struct pcr_loader *l, const struct pcri_span *span,
                         uint64_t number)
{
    return number + span->copy * l->catalog->sample_count;
}

/* At what fidelity a sample of a dataset is to be made. */
static uint32_t fidelity_by_rules(const struct pcr_loader *l, const struct pcri_changes *changes,
                                  uint32_t dataset, const struct pcri_case *c)
{
    uint32_t most = l->stores[dataset].group_count;
    uint32_t g = pcri_rules_fidelity(&l->rules, changes, c);
    return g < most ? g : most;
}

/* The same for one of the window's samples, which has this place in its record. */
static uint32_t fidelity_of(const struct pcr_loader *l, const struct pcri_work *w,
                            const struct pcri_pick *pick, uint32_t place)
{
    const struct pcri_span *span = &w->plan.spans[pick->span];
    struct pcri_case c = {
        .epoch = w->ahead ? l->next.plan.epoch : l->plan.epoch,
        .position = w->plan.position + pick->offset,
        .number = span->first_number + place,
    };
    c.identity = identity(l, span, c.number);
    return fidelity_by_rules(l, w->ahead ? &l->next.changes : &l->changes, span->dataset, &c);
}

/* Does a span's sample that stands at `n` in the window wait till the first batch is read? */
static bool is_for_later(const struct pcr_loader *l, uint32_t n)
{
    return l->opening && n >= l->options.batch_size;
}

/* At what fidelities the span's samples must be read now: those not yet picked. Returns
 * about how many bytes that are. */
static uint64_t wanted(const struct pcr_loader *l, const struct pcri_work *w, uint32_t i,
                       uint8_t *fidelities_out)
{
    const struct pcri_span *span = &w->plan.spans[i];
    const struct pcri_span_work *s = &w->spans[i];
    const struct pcri_order order = order_of(l);
    struct pcr_dataset *ds = l->stores[span->dataset].ds;
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
        uint32_t g = fidelity_of(l, w, pick, place);
        fidelities_out[place - span->first] = (uint8_t) g;
        nbytes += (pcr_dataset_record_prefix(ds, span->record, g) - info.head_end) /
                  info.sample_count;
    }
    return nbytes;
}

/* Takes span `i` of `w`, if `room` bytes are enough for it. */
static bool take_read(struct pcr_loader *l, struct pcri_work *w, uint32_t i, uint64_t room,
                      struct pcri_task *t)
{
    struct pcr_error err;
    struct pcri_loaded *h =
        pcri_calloc(1, sizeof(*h) + w->plan.spans[i].extent, &err);
    if (!h) {
        fail(l, &err);
        return false;
    }
    h->nbytes = wanted(l, w, i, h->fidelities);
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
static bool is_ahead(const struct pcr_loader *l, const struct pcri_work *w,
                     const struct pcri_work *current)
{
    uint64_t slack = (uint64_t) readers(l) * l->options.block_samples;
    uint64_t count = w->read_count > slack ? w->read_count - slack : 0;
    return count * current->needed > (uint64_t) current->picked * w->needed;
}

static bool is_to_read(const struct pcr_loader *l, const struct pcri_work *w, uint32_t i)
{
    const struct pcri_span_work *s = &w->spans[i];
    return s->state == PCRI_SPAN_WANTED && !is_for_later(l, w->by_span[s->first]);
}

/* Has the window a span to be read? Then that is its next_read. */
static bool has_read(const struct pcr_loader *l, struct pcri_work *w)
{
    while (w->next_read < w->plan.span_count && !is_to_read(l, w, w->next_read))
        w->next_read++;
    return w->next_read < w->plan.span_count;
}

/* The next span that is wanted, and how many bytes there is room for: of the current window
 * always, of one after it if there may be room and, where `paced`, if reading it is not ahead
 * of the decoding of the current; then of the next epoch's. NULL: none. */
static struct pcri_work *find_read(struct pcr_loader *l, bool paced, uint32_t *span_out,
                                   uint64_t *room_out)
{
    struct pcri_work *current = current_work(l), *w = current;
    while (w && !has_read(l, w)) {
        if (l->opening)
            return NULL;
        w = w->next;
    }
    /* Whoever is to decode too does that before reading ahead. */
    if (!w && l->next.nbytes < l->options.window_nbytes / 8 && !(paced && !readers(l)))
        w = l->next.work;
    if (!w || (w->ahead && !has_read(l, w)))
        return NULL;
    *span_out = w->next_read;
    *room_out = UINT64_MAX;
    if (w == current)
        return w;
    if (l->held_nbytes + l->room_needed > l->options.window_nbytes ||
        (paced && !w->ahead && is_ahead(l, w, current)))
        return NULL;
    *room_out = l->options.window_nbytes - l->held_nbytes;
    return w;
}

static bool pick_read(struct pcr_loader *l, bool paced, struct pcri_task *t)
{
    uint32_t span;
    uint64_t room;
    struct pcri_work *w = find_read(l, paced, &span, &room);
    return w && take_read(l, w, span, room, t);
}

void pcri_schedule_read_done(struct pcr_loader *l, struct pcri_task *t, int rc)
{
    struct pcri_span_work *s = &t->work->spans[t->span];
    t->work->reading--;
    if (rc) {
        /* One bad chunk fails the slice. Its samples are now read one by one, so that the
         * bad one alone is lost, and its error is the one that is told. */
        s->state = PCRI_SPAN_SINGLY;
        unhold(l, t->held);
    } else {
        s->state = PCRI_SPAN_HELD;
        s->held = t->held;
    }
    pcri_crew_wake(PCRI_CREW_MAKERS);
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

/* Is a sample not yet picked to have a higher fidelity than it was read at? */
static bool is_short(const struct pcr_loader *l, const struct pcri_work *w, uint32_t i)
{
    const struct pcri_span *span = &w->plan.spans[i];
    const struct pcri_span_work *s = &w->spans[i];
    const struct pcri_order order = order_of(l);
    for (uint32_t k = s->count - s->left; k < s->count; k++) {
        const struct pcri_pick *pick = &w->picks[w->by_span[s->first + k]];
        uint32_t place = pcri_span_place(&order, span, pick->entry);
        if (s->held->fidelities[place - span->first] < fidelity_of(l, w, pick, place))
            return true;
    }
    return false;
}

/* Wants all spans of the window again that were not read at the fidelities they need now. */
static void read_again(struct pcr_loader *l, struct pcri_work *w)
{
    for (uint32_t i = 0; i < w->plan.span_count; i++) {
        struct pcri_span_work *s = &w->spans[i];
        if (s->state != PCRI_SPAN_HELD || !s->left || !is_short(l, w, i))
            continue;
        unhold(l, s->held);
        s->held = NULL;
        s->state = PCRI_SPAN_WANTED;
        w->read_count -= s->count;
    }
    w->next_read = 0;
    pcri_schedule_wake();
}

/* --- decoding --- */

static bool begin_batch(struct pcr_loader *l, uint64_t number)
{
    struct pcr_error err;
    struct pcri_batch *b;
    uint64_t left =
        pcri_shard_sample_count(&l->shard) - number * l->options.batch_size;
    uint32_t slots = left < l->options.batch_size ? (uint32_t) left : l->options.batch_size;
    if (pcri_pool_get(l->pool, slots, &b, &err)) {
        fail(l, &err);
        return false;
    }
    b->view.epoch = l->plan.epoch;
    b->view.number = l->first_batch + number;
    l->ring[number % l->options.batches_ahead] = b;
    return true;
}

static bool pick_decode(struct pcr_loader *l, struct pcri_task *t)
{
    struct pcri_work *w = current_work(l);
    uint64_t number = l->next_sample / l->options.batch_size;
    uint32_t slot = (uint32_t) (l->next_sample % l->options.batch_size);
    struct pcri_batch **b = &l->ring[number % l->options.batches_ahead];
    if (!w || number >= l->next_batch + l->options.batches_ahead)
        return false;
    const struct pcri_order order = order_of(l);
    const struct pcri_pick *pick = &w->picks[w->picked];
    const struct pcri_span *from = &w->plan.spans[pick->span];
    struct pcri_span_work *s = &w->spans[pick->span];
    uint32_t place = pcri_span_place(&order, from, pick->entry);
    uint32_t g = fidelity_of(l, w, pick, place);
    if (s->state == PCRI_SPAN_HELD && s->held->fidelities[place - from->first] < g)
        read_again(l, w);
    if (s->state != PCRI_SPAN_HELD && s->state != PCRI_SPAN_SINGLY)
        return false;
    if (!slot && !begin_batch(l, number))
        return false;

    uint64_t all = from->first_number + place;
    *t = (struct pcri_task) {
        .kind = PCRI_TASK_DECODE, .fidelity = g, .held = s->held, .batch = *b, .slot = slot,
        .dataset = from->dataset, .index = all - l->stores[from->dataset].first_number,
        .identity = identity(l, from, all), .place = place - from->first,
        .plain = l->rules.augment && !l->rules.augment[all], .epoch = l->plan.epoch,
        .position = w->plan.position + pick->offset, .fills = pick->fills,
        .seat = { w->plan.first_span + pick->span, pick->entry },
    };
    if (s->held)
        s->held->holds++;
    l->next_sample++;
    w->picked++;
    if (!--s->left) {
        unhold(l, s->held);
        s->held = NULL;
    }
    if (l->opening && (l->next_sample == l->options.batch_size || w->picked == w->needed)) {
        l->opening = false;
        read_again(l, w);
    }
    if (w->picked == w->needed) /* the next window is now the current one */
        pcri_crew_wake(PCRI_CREW_MAKERS);
    return true;
}

/* Files need so little time that a batch of them is one task: its samples are picked as they
 * can be, and given out with the last. */
static bool pick_make(struct pcr_loader *l, struct pcri_task *t)
{
    if (!(l->options.flags & PCR_LOADER_RAW))
        return pick_decode(l, t);
    while (pick_decode(l, t)) {
        struct pcri_batch *b = t->batch;
        b->parts[b->part_count++] = *t;
        if (b->part_count == b->slot_count) {
            t->kind = PCRI_TASK_JOIN;
            return true;
        }
    }
    return false;
}

bool pcri_schedule_pick(struct pcr_loader *l, struct pcri_task *t)
{
    uint32_t span;
    uint64_t room;
    if (l->state != PCRI_LOADER_RUNNING)
        return false;
    if (pick_plan(l, t))
        return true;
    if (!readers(l))
        return pick_read(l, true, t) || pick_make(l, t) || pick_read(l, false, t);
    if (pcri_crew_idle(PCRI_CREW_READERS) && find_read(l, true, &span, &room))
        pcri_crew_wake_one(PCRI_CREW_READERS);
    if (pick_make(l, t))
        return true;
    /* One that is about to sleep is not idle yet; waking changes what it looks at before. We go
     * to sleep ourselves, so that nobody else would tell it. */
    if (find_read(l, true, &span, &room))
        pcri_crew_wake_one(PCRI_CREW_READERS);
    return false;
}

bool pcri_schedule_pick_read(struct pcr_loader *l, struct pcri_task *t)
{
    return l->state == PCRI_LOADER_RUNNING && (pick_plan(l, t) || pick_read(l, true, t));
}

void pcri_schedule_wake(void)
{
    pcri_crew_wake(PCRI_CREW_MAKERS);
    pcri_crew_wake(PCRI_CREW_READERS);
}

uint64_t *pcri_schedule_wait_reason(struct pcr_loader *l)
{
    if (l->state != PCRI_LOADER_RUNNING || !current_work(l))
        return NULL;
    uint64_t number = l->next_sample / l->options.batch_size;
    return number < l->next_batch + l->options.batches_ahead ? &l->stats.bytes_wait_ns
                                                             : &l->stats.room_wait_ns;
}

/* It keeps the identity of the bad one: its crop is drawn for its new place. */
bool pcri_schedule_stand_in(const struct pcr_loader *l, const struct pcri_span *span,
                            uint32_t entry, struct pcri_task *t)
{
    const struct pcri_order order = order_of(l);
    uint32_t place = pcri_span_place(&order, span, entry);
    uint64_t all = span->first_number + place;
    struct pcri_case c = { t->epoch, t->position, all, t->identity };
    uint32_t g = fidelity_by_rules(l, &l->changes, span->dataset, &c);
    t->held = NULL;
    t->fidelity = g;
    t->dataset = span->dataset;
    t->index = all - l->stores[span->dataset].first_number;
    t->plain = l->rules.augment && !l->rules.augment[all];
    t->place = place - span->first;
    return l->state == PCRI_LOADER_RUNNING && !l->stop;
}

static void note_fault(struct pcr_loader *l, const struct pcri_task *t,
                       const struct pcri_made *made)
{
    struct pcr_loader_fault f = {
        .code = made->fault.code, .epoch = t->epoch, .index = t->index,
        .dataset = t->dataset, .fidelity = t->fidelity,
        .delivered = made->replaced ? 0 : made->fidelity,
        .replacement = made->replaced ? made->index : UINT64_MAX,
        .replacement_dataset = made->replaced ? made->dataset : 0,
    };
    memcpy(f.message, made->fault.message, sizeof(f.message));
    pcri_faults_add(&l->faults, &f);
}

void pcri_schedule_decode_done(struct pcr_loader *l, struct pcri_task *t,
                               const struct pcri_made *made, int rc,
                               const struct pcr_error *err)
{
    struct pcri_batch *b = t->batch;
    if (rc) {
        if (t->slot < b->error_slot) { /* the first in order is the one to tell */
            b->error_slot = t->slot;
            b->error = *err;
        }
    } else if (made->filled) {
        if (b->float_labels)
            b->float_labels[t->slot] = made->float_label;
        else
            b->labels[t->slot] = made->label;
        b->indices[t->slot] = made->index;
        b->datasets[t->slot] = made->dataset;
        b->fidelities[t->slot] = made->fidelity;
        b->valid[t->slot] = !made->replaced && !t->fills;
        if (b->crops)
            b->crops[t->slot] = made->crop;
        l->stats.sample_count++;
        if (!t->fills) { /* else it is told of where it has its own place */
            l->stats.degraded_count += made->degraded;
            l->stats.replaced_count += made->replaced;
            l->stats.profile_converted_count += made->profile_use == PCR_PROFILE_CONVERTED;
            l->stats.profile_unusable_count += made->profile_use == PCR_PROFILE_UNUSABLE;
            if (made->degraded || made->replaced)
                note_fault(l, t, made);
        }
    }
    unhold(l, t->held);
    if (++b->done_count == b->slot_count)
        pthread_cond_broadcast(&l->ready);
}

/* --- epochs --- */

void pcri_schedule_start(struct pcr_loader *l, uint64_t epoch, uint64_t position)
{
    const struct pcr_loader_options *o = &l->options;
    const struct pcri_order order = order_of(l);
    if (l->next.work) {
        l->plan = l->next.plan;
        l->works = l->next.work;
        l->works->ahead = false;
        l->stats.ahead_nbytes -= l->next.read_nbytes;
        l->stats.read_nbytes += l->next.read_nbytes;
        l->next.work = NULL;
    } else {
        l->plan = (struct pcri_plan) { .epoch = epoch };
        pcri_order_seek(&order, &l->plan, position);
    }
    pcri_shard_init(o, position, l->catalog->entry_count, &l->shard);
    l->first_batch = position / (o->batch_size * l->shard.parts[0].lanes);
    l->next_sample = l->next_batch = l->delivered = l->room_needed = 0;
    l->opening = true;
    l->state = PCRI_LOADER_RUNNING;
}

void pcri_schedule_clear(struct pcr_loader *l, bool all)
{
    if (l->next.work && all) {
        work_free(l, l->next.work);
        l->next.work = NULL;
    }
    while (l->works) {
        struct pcri_work *w = l->works;
        l->works = w->next;
        work_free(l, w);
    }
    for (uint32_t i = 0; i < l->options.batches_ahead; i++) {
        struct pcri_batch *b = l->ring[i];
        for (uint32_t k = 0; b && b->done_count < b->part_count && k < b->part_count; k++)
            unhold(l, b->parts[k].held);
        if (b)
            pcr_batch_release(&b->view);
        l->ring[i] = NULL;
    }
}
