/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows in work: planned by one thread at a time, without the mutex, for large ones take a
 * while; their slices, and what to make of each sample. */
#include <stdlib.h>

#include "windows.h"

/* Stops the loader with an error. */
void pcri_schedule_fail(struct pcr_loader *l, const struct pcr_error *err)
{
    l->error = *err;
    l->state = PCRI_LOADER_FAILED;
    pthread_cond_broadcast(&l->ready);
}

void pcri_slice_let_go(struct pcr_loader *l, struct pcri_held_slice *h)
{
    if (!h || --h->holds)
        return;
    l->held_nbytes -= h->nbytes;
    h->next = l->garbage;
    l->garbage = h;
}

void pcri_slices_free(struct pcri_held_slice *garbage)
{
    while (garbage) {
        struct pcri_held_slice *next = garbage->next;
        pcr_slice_release(&garbage->slice);
        free(garbage);
        garbage = next;
    }
}

/* --- windows --- */

void pcri_window_work_free(struct pcr_loader *l, struct pcri_window_work *w)
{
    for (uint32_t i = 0; w->spans && i < w->plan.span_count; i++)
        pcri_slice_let_go(l, w->spans[i].held);
    free(w->spans);
    free(w->picks);
    free(w->by_span);
    pcri_order_window_free(&w->plan);
    free(w);
}

/* Finds out which of the window's samples are this rank's, and lists them by span. */
static int choose_samples(const struct pcri_shard *shard, struct pcri_window_work *w,
                          struct pcr_error *err)
{
    uint64_t position = w->plan.position;
    uint32_t sum = 0;
    w->needed = (uint32_t) (pcri_shard_before(shard, position + w->plan.sample_count) -
                            pcri_shard_before(shard, position));
    w->picks = pcri_malloc(w->needed, sizeof(*w->picks), err);
    w->by_span = pcri_malloc(w->needed, sizeof(*w->by_span), err);
    if (!w->picks || !w->by_span || pcri_assign(shard, &w->plan, w->picks, err))
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

static int work_create(struct pcr_loader *l, bool ahead, struct pcri_window_work **out,
                       struct pcr_error *err)
{
    struct pcri_order_plan *plan = ahead ? &l->next.plan : &l->plan;

    const struct pcri_order order = pcri_order_of(l);
    struct pcri_window_work *w = pcri_calloc(1, sizeof(*w), err);
    if (!w)
        return PCR_ERR_NOMEM;
    w->ahead = ahead;
    int rc = pcri_order_next(&order, plan, &w->plan, err);
    if (!rc && !(w->spans = pcri_calloc(w->plan.span_count, sizeof(*w->spans), err)))
        rc = PCR_ERR_NOMEM;
    if (!rc)
        rc = choose_samples(ahead ? &l->next.shard : &l->shard, w, err);
    if (rc) {
        pcri_window_work_free(l, w);
        return rc;
    }
    *out = w;
    return 0;
}

/* Drops windows that are done with. Returns how many are left with samples to be picked. */
static uint32_t drop_windows(struct pcr_loader *l)
{
    struct pcri_window_work **link = &l->works;
    uint32_t open = 0;
    while (*link) {
        struct pcri_window_work *w = *link;
        if (w->picked == w->needed && !w->reading) {
            *link = w->next;
            pcri_window_work_free(l, w);
            continue;
        }
        open += w->picked < w->needed;
        link = &w->next;
    }
    return open;
}

/* Whether all windows of the epoch that have samples of this rank are planned. */
static bool is_planned(const struct pcr_loader *l)
{
    return l->plan.next_span >= l->contents->span_count ||
           pcri_shard_before(&l->shard, l->plan.next_position) >=
               pcri_shard_sample_count(&l->shard);
}

/* Is all of the epoch read? */
static bool is_read(const struct pcr_loader *l)
{
    if (l->opening || !is_planned(l))
        return false;
    for (const struct pcri_window_work *w = l->works; w; w = w->next)
        if (w->reading || w->read_count < w->needed)
            return false;
    return true;
}

/* Whether the first window of the next epoch should be planned. */
static bool pick_plan_next(struct pcr_loader *l, struct pcri_task *t)
{
    struct pcri_next *n = &l->next;
    if (!n->wanted || n->work || l->planning || !is_read(l))
        return false;
    n->plan = (struct pcri_order_plan) { .epoch = l->plan.epoch + 1 };
    n->nbytes = n->read_nbytes = 0;
    n->changes = l->changes;
    pcri_changes_begin(&n->changes, &l->fidelity_plan, n->plan.epoch, n->plan.epoch);
    pcri_shard_init(&l->options, 0, l->catalog->entry_count, &n->shard);
    l->planning = true;
    *t = (struct pcri_task) { .kind = PCRI_TASK_PLAN, .ahead = true };
    return true;
}

/* Is another window to be planned? Two are open at a time. One of NONE may be a single slice:
 * of these there is one more for each thread that reads. */
bool pcri_pick_plan(struct pcr_loader *l, struct pcri_task *t)
{
    uint32_t max = 2 +
                   (l->options.order.shuffle == PCR_SHUFFLE_NONE ? pcri_reader_count(l) : 0);
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
            pcri_window_work_free(l, t->work);
            t->work = NULL;
        }
    }
    return rc;
}

void pcri_schedule_plan_done(struct pcr_loader *l, struct pcri_task *t, int rc,
                             const struct pcr_error *err)
{
    struct pcri_window_work **link = t->ahead ? &l->next.work : &l->works;
    while (*link)
        link = &(*link)->next;
    *link = t->work;
    l->planning = false;
    if (rc && t->ahead) /* if it comes to it, the epoch will meet the error itself */
        l->next.wanted = false;
    else if (rc < 0)
        pcri_schedule_fail(l, err);
    pcri_threads_wake_all();
}

/* The window that the next sample is in; NULL if none is left. */
struct pcri_window_work *pcri_current_window(const struct pcr_loader *l)
{
    struct pcri_window_work *w = l->works;
    while (w && w->picked == w->needed)
        w = w->next;
    return w;
}

/* --- samples --- */

/* A sample's number in the order of all datasets, told apart from its other copies. */
uint64_t pcri_identity_of(const struct pcr_loader *l, const struct pcri_span *span,
                          uint64_t number)
{
    return number + span->copy * l->catalog->sample_count;
}

bool pcri_slice_is_short(const struct pcri_held_slice *h, uint32_t place, uint32_t wish)
{
    if (!pcri_by_quality(wish) || !h->fidelities[place])
        return h->fidelities[place] < wish;
    return pcri_by_quality(h->wishes[place]) ? h->wishes[place] < wish : true;
}

/* The fidelity or quality at which to make a sample of a dataset. */
uint32_t pcri_wish_by_plan(const struct pcr_loader *l, const struct pcri_changes *changes,
                           uint32_t dataset, const struct pcri_fidelity_case *c)
{
    uint32_t most = l->datasets[dataset].info.group_count;
    uint32_t wish = pcri_fidelity_at(&l->fidelity_plan, changes, c);
    return wish < most || pcri_by_quality(wish) ? wish : most;
}

/* The same for one of the window's samples, which has this place in its record. */
uint32_t pcri_wish_of(const struct pcr_loader *l, const struct pcri_window_work *w,
                      const struct pcri_pick *pick, uint32_t place)
{
    const struct pcri_span *span = &w->plan.spans[pick->span];
    struct pcri_fidelity_case c = {
        .epoch = w->ahead ? l->next.plan.epoch : l->plan.epoch,
        .position = w->plan.position + pick->offset,
        .number = span->first_number + place,
    };
    c.identity = pcri_identity_of(l, span, c.number);
    return pcri_wish_by_plan(l, w->ahead ? &l->next.changes : &l->changes, span->dataset, &c);
}
