/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader: its threads, and what the consumer calls. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <pcr/ladder.h>

#include "saved.h"
#include "schedule.h"

/* --- workers --- */

/* Reads what the task wants of a span. */
static int read_span(struct pcr_loader *l, struct pcri_task *t)
{
    const struct pcri_span *span = &t->work->plan.spans[t->span];
    struct pcr_dataset *ds = l->stores[span->dataset].ds;
    const uint8_t *fidelities = t->held->fidelities;
    uint32_t alike = 1;
    while (alike < span->extent && fidelities[alike] == fidelities[0])
        alike++;
    if (alike == span->extent)
        return pcr_slice_read(ds, span->record, span->first, span->extent, fidelities[0],
                              &t->held->slice, NULL);
    return pcr_slice_read_each(ds, span->record, span->first, span->extent, fidelities,
                               &t->held->slice, NULL);
}

static void run_plan(struct pcr_loader *l, struct pcri_task *t)
{
    struct pcr_error err;
    int rc = pcri_schedule_plan(l, t, &err);
    pthread_mutex_lock(&l->mutex);
    pcri_schedule_plan_done(l, t, rc, &err);
}

static void run_read(struct pcr_loader *l, struct pcri_task *t)
{
    uint64_t start = pcri_now_ns();
    int rc = read_span(l, t);
    uint64_t spent = pcri_now_ns() - start;
    uint64_t nbytes = rc ? 0 : pcr_slice_nbytes(t->held->slice);

    pthread_mutex_lock(&l->mutex);
    l->stats.reading_count--;
    l->stats.read_count++;
    l->stats.read_ns += spent;
    l->stats.read_nbytes += nbytes;
    pcri_schedule_read_done(l, t, rc);
}

static void add_made(struct pcr_loader *l, const struct pcri_made *made)
{
    l->stats.read_count += made->read_count;
    l->stats.read_ns += made->read_ns;
    l->stats.read_nbytes += made->read_nbytes;
    l->stats.decode_ns += made->decode_ns;
}

static void set_request(const struct pcr_loader *l, const struct pcri_task *t,
                        struct pcri_request *out)
{
    *out = (struct pcri_request) {
        .store = &l->stores[t->dataset],
        .epoch = t->epoch,
        .index = t->index,
        .identity = t->identity,
        .plain = t->plain,
        .slice = t->held ? t->held->slice : NULL,
        .place = t->place,
        .fidelity = t->fidelity,
    };
}

static void run_decode(struct pcr_loader *l, struct pcri_worker *w, struct pcri_task *t)
{
    struct pcr_error err;
    struct pcri_made made;
    struct pcri_request q;
    set_request(l, t, &q);
    q.dst = w->bytes ? w->bytes : pcri_batch_slot(t->batch, t->slot);
    int rc = pcri_make_sample(&w->maker, &q, &made, &err);
    if (w->bytes && !rc && made.filled) {
        uint64_t start = pcri_now_ns();
        pcri_pixels_convert(&l->pixels, w->bytes, pcri_batch_slot(t->batch, t->slot));
        made.decode_ns += pcri_now_ns() - start;
    }

    pthread_mutex_lock(&l->mutex);
    l->stats.decoding_count--;
    add_made(l, &made);
    pcri_schedule_decode_done(l, t, &made, rc, &err);
}

/* Fills a batch of files, one after the other; the first that fails is the last. */
static void run_join(struct pcr_loader *l, struct pcri_worker *w, struct pcri_task *t)
{
    struct pcr_error err;
    struct pcri_batch *b = t->batch;
    uint32_t n = 0;
    int rc = 0;
    for (; n < b->slot_count && !rc; n++) {
        struct pcri_request q;
        set_request(l, &b->parts[n], &q);
        q.files = b;
        b->offsets[n] = b->used_nbytes;
        rc = pcri_make_sample(&w->maker, &q, &w->made[n], &err);
    }

    pthread_mutex_lock(&l->mutex);
    l->stats.decoding_count--;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        bool failed = rc && i + 1 >= n;
        if (i < n)
            add_made(l, &w->made[i]);
        pcri_schedule_decode_done(l, &b->parts[i], &w->made[i], failed ? rc : 0, &err);
    }
}

/* Runs a task; with the mutex held before and after. */
static void run(struct pcr_loader *l, struct pcri_worker *w, struct pcri_task *t)
{
    struct pcri_loaded *garbage = l->garbage;
    l->garbage = NULL;
    l->busy++;
    l->stats.reading_count += t->kind == PCRI_TASK_READ;
    l->stats.decoding_count += t->kind == PCRI_TASK_DECODE;
    pthread_mutex_unlock(&l->mutex);
    pcri_schedule_collect(garbage);
    if (t->kind == PCRI_TASK_PLAN)
        run_plan(l, t);
    else if (t->kind == PCRI_TASK_READ)
        run_read(l, t);
    else if (t->kind == PCRI_TASK_JOIN)
        run_join(l, w, t);
    else
        run_decode(l, w, t);
    if (!--l->busy)
        pthread_cond_broadcast(&l->quiet);
}

/* Frees what nobody needs any more; with the mutex held before and after. */
static void collect(struct pcr_loader *l)
{
    struct pcri_loaded *garbage = l->garbage;
    l->garbage = NULL;
    pthread_mutex_unlock(&l->mutex);
    pcri_schedule_collect(garbage);
    pthread_mutex_lock(&l->mutex);
}

/* Waits, and books the time on the reason; with the mutex held before and after. */
static void wait_for_work(struct pcr_loader *l, bool reads_only)
{
    if (reads_only) {
        l->idle_readers++;
        pthread_cond_wait(&l->read, &l->mutex);
        l->idle_readers--;
        return;
    }
    uint64_t *reason = pcri_schedule_wait_reason(l), start = pcri_now_ns();
    pthread_cond_wait(&l->work, &l->mutex);
    uint64_t spent = pcri_now_ns() - start;
    l->stats.idle_ns += spent;
    if (reason)
        *reason += spent;
}

static void *work(void *arg)
{
    struct pcri_worker *w = arg;
    struct pcr_loader *l = w->loader;
    struct pcri_task t;
    pthread_mutex_lock(&l->mutex);
    while (!l->stop) {
        if (w->reads_only ? pcri_schedule_pick_read(l, &t) : pcri_schedule_pick(l, &t)) {
            run(l, w, &t);
        } else if (l->garbage) {
            collect(l);
        } else {
            wait_for_work(l, w->reads_only);
        }
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

static void worker_free(struct pcri_worker *w)
{
    pcri_maker_free(&w->maker);
    free(w->bytes);
    free(w->made);
}

/* The worker may be freed also after failure. */
static int worker_init(struct pcri_worker *w, struct pcr_loader *l, struct pcr_error *err)
{
    w->loader = l;
    if (w->reads_only)
        return 0;
    if (l->options.flags & PCR_LOADER_RAW) {
        w->made = pcri_calloc(l->options.batch_size, sizeof(*w->made), err);
        if (!w->made)
            return PCR_ERR_NOMEM;
    } else if (l->options.dtype != PCR_DTYPE_UINT8 &&
        !(w->bytes = pcri_malloc(pcri_loader_sample_values(&l->options), 1, err)))
        return PCR_ERR_NOMEM;
    return pcri_maker_init(&w->maker, &l->options, err);
}

/* Signals are the program's business: its own threads shall get them. */
static int start_threads(struct pcr_loader *l, struct pcr_error *err)
{
    sigset_t all, before;
    int rc = 0;
    sigfillset(&all);
    int e = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (e)
        return pcri_fail_sys(err, e, "cannot block signals");
    uint32_t count = l->options.thread_count + l->options.reader_count;
    for (uint32_t i = 0; !rc && i < count; i++) {
        struct pcri_worker *w = &l->workers[i];
        w->reads_only = i >= l->options.thread_count;
        rc = worker_init(w, l, err);
        if (!rc && (e = pthread_create(&w->thread, NULL, work, w)))
            rc = pcri_fail_sys(err, e, "cannot start thread %u of %u", (unsigned) i + 1,
                               (unsigned) count);
        if (rc)
            worker_free(w);
        else
            l->started_count++;
    }
    e = pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!rc && e)
        rc = pcri_fail_sys(err, e, "cannot restore the signal mask");
    return rc;
}

/* --- creation and end --- */

/* Fills l->stores, and says what is in them. */
static int open_stores(struct pcr_loader *l, struct pcr_dataset *const *datasets,
                       struct pcri_extent *out, struct pcr_error *err)
{
    *out = (struct pcri_extent) { .dataset_count = l->store_count };
    for (uint32_t k = 0; k < l->store_count; k++) {
        struct pcri_store *store = &l->stores[k];
        struct pcr_dataset_info info = { .size = sizeof(info) };
        int rc = pcr_dataset_describe(datasets[k], &info, err);
        if (rc)
            return rc;
        store->ds = datasets[k];
        store->group_count = info.group_count;
        store->first_number = out->sample_count;
        out->sample_count += info.sample_count;
        if (info.group_count > out->group_count)
            out->group_count = info.group_count;
        const char *ladder = pcr_dataset_ladder(store->ds);
        if (*ladder &&
            (rc = pcr_ladder_parse(ladder, strlen(ladder), &store->ladder, err)))
            return rc;
    }
    return 0;
}

/* Bytes that a sample takes in a batch: of files, about, at the fidelity that the loader
 * begins with. */
static size_t sample_nbytes(const struct pcr_loader *l)
{
    uint64_t nbytes = 0, count = 0;
    if (!(l->options.flags & PCR_LOADER_RAW))
        return pcri_loader_sample_nbytes(&l->options);
    for (uint32_t k = 0; k < l->store_count; k++) {
        const struct pcri_store *store = &l->stores[k];
        struct pcr_dataset_info info = { .size = sizeof(info) };
        uint32_t g = l->options.fidelity < store->group_count ? l->options.fidelity
                                                              : store->group_count;
        if (pcr_dataset_describe(store->ds, &info, NULL))
            continue;
        nbytes += pcr_dataset_prefix_nbytes(store->ds, g) - info.head_nbytes;
        count += info.sample_count;
    }
    /* An eighth and a header more. */
    return count ? (size_t) (nbytes / count * 9 / 8 + 1024) : 1;
}

static int create_ring(struct pcr_loader *l, struct pcr_error *err)
{
    struct pcr_loader_options *o = &l->options;
    size_t nbytes = sample_nbytes(l);
    uint64_t most = o->ring_nbytes / o->batch_size / nbytes;
    if (o->ring_nbytes && most < o->batches_ahead)
        o->batches_ahead = most ? (uint32_t) most : 1;
    l->ring = pcri_calloc(o->batches_ahead, sizeof(struct pcri_batch *), err);
    if (!l->ring)
        return PCR_ERR_NOMEM;
    /* Enough for all that are in work, and one that the consumer is just done with. */
    return pcri_pool_create(o, o->batches_ahead + 1, nbytes, &l->pool, err);
}

static int set_up(struct pcr_loader *l, struct pcr_dataset *const *datasets,
                  const struct pcr_loader_options *opts, struct pcr_error *err)
{
    struct pcr_loader_options *o = &l->options;
    struct pcri_extent extent;
    int rc = open_stores(l, datasets, &extent, err);
    if (rc || (rc = pcri_loader_options_fill(&extent, opts, o, err)) ||
        (rc = pcri_catalog_create(datasets, l->store_count, o, &l->catalog, err)) ||
        (rc = pcri_rules_init(&l->rules, o, extent.group_count, err)) ||
        (rc = pcri_faults_init(&l->faults, o, err)))
        return rc;
    l->group_count = extent.group_count;
    pcri_shard_init(o, 0, l->catalog->entry_count, &l->shard);
    l->batch_count = pcri_shard_batch_count(&l->shard);
    pcri_pixels_init(o, &l->pixels);
    l->workers = pcri_calloc((size_t) o->thread_count + o->reader_count,
                             sizeof(*l->workers), err);
    if (!l->workers)
        return PCR_ERR_NOMEM;
    rc = create_ring(l, err);
    return rc ? rc : start_threads(l, err);
}

int pcr_loader_create_mix(struct pcr_dataset *const *datasets, uint32_t dataset_count,
                          const struct pcr_loader_options *opts, struct pcr_loader **out,
                          struct pcr_error *err)
{
    bool all = datasets && dataset_count;
    for (uint32_t k = 0; all && k < dataset_count; k++)
        all = datasets[k] != NULL;
    if (!all || !out)
        return pcri_fail(err, PCR_ERR_INVAL, "no dataset, or no place for the loader");
    *out = NULL;
    struct pcr_loader *l = pcri_calloc(1, sizeof(*l), err);
    if (!l)
        return PCR_ERR_NOMEM;
    l->created_ns = pcri_now_ns();
    l->process = getpid();
    l->mutex = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
    l->work = l->read = l->ready = l->quiet = (pthread_cond_t) PTHREAD_COND_INITIALIZER;
    l->store_count = dataset_count;
    l->stores = pcri_calloc(dataset_count, sizeof(*l->stores), err);
    int rc = l->stores ? set_up(l, datasets, opts, err) : PCR_ERR_NOMEM;
    if (rc)
        pcr_loader_destroy(&l);
    *out = l;
    return rc;
}

int pcr_loader_create(struct pcr_dataset *ds, const struct pcr_loader_options *opts,
                      struct pcr_loader **out, struct pcr_error *err)
{
    return pcr_loader_create_mix(&ds, 1, opts, out, err);
}

void pcr_loader_destroy(struct pcr_loader **loader)
{
    if (!loader || !*loader)
        return;
    struct pcr_loader *l = *loader;
    *loader = NULL;
    /* A forked child has neither the threads nor, perhaps, the locks: the parent's memory is
     * left alone. */
    if (l->process != getpid())
        return;
    pthread_mutex_lock(&l->mutex);
    l->stop = true;
    pcri_schedule_wake(l);
    pthread_mutex_unlock(&l->mutex);
    for (uint32_t i = 0; i < l->started_count; i++) {
        pthread_join(l->workers[i].thread, NULL);
        worker_free(&l->workers[i]);
    }
    if (l->ring)
        pcri_schedule_clear(l);
    pcri_schedule_collect(l->garbage);
    pcri_pool_close(&l->pool);
    pcri_deck_destroy(&l->deck);
    pcri_catalog_destroy(&l->catalog);
    pcri_rules_free(&l->rules);
    pcri_faults_free(&l->faults);
    for (uint32_t k = 0; l->stores && k < l->store_count; k++)
        pcr_ladder_destroy(&l->stores[k].ladder);
    free(l->stores);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->read);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->quiet);
    pthread_mutex_destroy(&l->mutex);
    free(l->workers);
    free(l->ring);
    free(l);
}

/* --- the consumer's side --- */

int pcri_loader_check(const struct pcr_loader *l, struct pcr_error *err)
{
    if (!l)
        return pcri_fail(err, PCR_ERR_INVAL, "no loader");
    if (l->process == getpid())
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "the loader is process %ld's: its threads do not survive fork(); make a "
                     "loader in the process that uses it", (long) l->process);
}

uint64_t pcr_loader_batch_count(const struct pcr_loader *loader)
{
    return loader ? loader->batch_count : 0;
}

/* Has the epoch's deck. No thread needs the last one: none is in a task, and none begins
 * one before there is an epoch again. */
static int deal_deck(struct pcr_loader *l, uint64_t epoch, struct pcr_error *err)
{
    if (l->deck && !l->catalog->drawn)
        return 0;
    pcri_deck_destroy(&l->deck);
    return pcri_deck_create(l->catalog, epoch, &l->deck, err);
}

/* Drops what is in work, and goes on elsewhere. changes: those of a state; NULL: as they are
 * at the beginning of the epoch. */
static int start(struct pcr_loader *l, uint64_t epoch, uint64_t position,
                 const struct pcri_changes *changes, struct pcr_error *err)
{
    pthread_mutex_lock(&l->mutex);
    l->state = PCRI_LOADER_IDLE;
    while (l->busy)
        pthread_cond_wait(&l->quiet, &l->mutex);
    pcri_schedule_clear(l);
    pthread_mutex_unlock(&l->mutex);
    int rc = deal_deck(l, epoch, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&l->mutex);
    if (changes)
        l->changes = *changes;
    else
        pcri_changes_begin(&l->changes, &l->rules, l->begun ? l->plan.epoch + 1 : 0, epoch);
    l->begun = true;
    pcri_schedule_start(l, epoch, position);
    pcri_schedule_wake(l);
    pthread_mutex_unlock(&l->mutex);
    return 0;
}

int pcr_loader_start_epoch(struct pcr_loader *loader, uint64_t epoch, struct pcr_error *err)
{
    int rc = pcri_loader_check(loader, err);
    return rc ? rc : start(loader, epoch, 0, NULL, err);
}

static void save(const struct pcr_loader *loader, struct pcri_saved *out)
{
    struct pcr_loader *l = (struct pcr_loader *) loader; /* for its mutex */
    pcri_saved_init(l->catalog, out);
    pthread_mutex_lock(&l->mutex);
    out->epoch = l->plan.epoch;
    out->position = pcri_shard_delivered(&l->shard, l->delivered);
    out->changes = l->changes;
    bool over = l->delivered && l->delivered == pcri_shard_batch_count(&l->shard);
    if (over || !l->begun) {
        out->epoch += over;
        out->position = 0;
        pcri_changes_begin(&out->changes, &l->rules, out->epoch, out->epoch);
    } else {
        pcri_changes_pass(&out->changes, out->position);
    }
    pthread_mutex_unlock(&l->mutex);
}

int pcr_loader_state(const struct pcr_loader *loader, void *state_out, struct pcr_error *err)
{
    struct pcri_saved saved;
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    if (!state_out)
        return pcri_fail(err, PCR_ERR_INVAL, "no place for the loader's state");
    save(loader, &saved);
    pcri_saved_pack(&saved, state_out);
    return 0;
}

int pcr_loader_state_json(const struct pcr_loader *loader, struct pcr_buffer *out,
                          struct pcr_error *err)
{
    struct pcri_saved saved;
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    if (!out)
        return pcri_fail(err, PCR_ERR_INVAL, "no place for the loader's state");
    save(loader, &saved);
    return pcri_saved_render(&saved, out, err);
}

int pcr_loader_resume(struct pcr_loader *loader, const void *state, size_t nbytes,
                      struct pcr_error *err)
{
    struct pcri_saved saved, here;
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    if (!state && nbytes)
        return pcri_fail(err, PCR_ERR_INVAL, "no state");
    pcri_saved_init(loader->catalog, &here);
    rc = pcri_saved_unpack(state, nbytes, &here, loader->group_count, &saved, err);
    return rc ? rc : start(loader, saved.epoch, saved.position, &saved.changes, err);
}

int pcr_loader_set_fidelity(struct pcr_loader *loader, uint32_t fidelity,
                            struct pcr_error *err)
{
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    if (fidelity > loader->group_count)
        return pcri_fail(err, PCR_ERR_INVAL, "fidelity is %u, the dataset has 1 to %u",
                         (unsigned) fidelity, (unsigned) loader->group_count);
    if (!fidelity)
        fidelity = loader->group_count;
    pthread_mutex_lock(&loader->mutex);
    struct pcri_changes *c = &loader->changes;
    if (loader->begun) {
        const struct pcri_shard *s = &loader->shard;
        pcri_changes_pass(c, pcri_shard_delivered(s, loader->next_batch));
        if (!pcri_changes_add(c, pcri_shard_delivered(s, loader->next_batch +
                                                             loader->options.batches_ahead),
                              fidelity))
            rc = pcri_fail(err, PCR_ERR_INVAL, "%d changes of fidelity are on the way; take a "
                           "batch before the next", PCRI_CHANGES_MAX);
    } else {
        c->fidelity = fidelity;
    }
    pthread_mutex_unlock(&loader->mutex);
    return rc;
}

/* The next batch if it is complete, and its place is free again; NULL if not. */
static struct pcri_batch *take_batch(struct pcr_loader *l)
{
    struct pcri_batch **place = &l->ring[l->next_batch % l->options.batches_ahead];
    struct pcri_batch *b = *place;
    if (!b || b->done_count < b->slot_count)
        return NULL;
    *place = NULL;
    l->next_batch++;
    pthread_cond_broadcast(&l->work);
    return b;
}

/* Waits till there is a batch (0), the end, or an error; with the mutex held. */
static int wait_batch(struct pcr_loader *l, struct pcri_batch **out, struct pcr_error *err)
{
    for (;;) {
        if (l->state == PCRI_LOADER_CANCELLED)
            return pcri_fail(err, PCR_ERR_CANCELLED, "the loader was cancelled");
        if (l->state == PCRI_LOADER_IDLE)
            return pcri_fail(err, PCR_ERR_INVAL, "no epoch was started");
        if (l->state == PCRI_LOADER_FAILED) {
            if (err)
                *err = l->error;
            return l->error.code;
        }
        if (l->next_batch == pcri_shard_batch_count(&l->shard))
            return PCR_END;
        if ((*out = take_batch(l)))
            return 0;
        uint64_t start = pcri_now_ns();
        pthread_cond_wait(&l->ready, &l->mutex);
        l->stats.consumer_wait_ns += pcri_now_ns() - start;
    }
}

int pcr_loader_next(struct pcr_loader *loader, struct pcr_batch **out, struct pcr_error *err)
{
    struct pcri_batch *b = NULL;
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    if (!out)
        return pcri_fail(err, PCR_ERR_INVAL, "no place for the batch");
    *out = NULL;
    pthread_mutex_lock(&loader->mutex);
    while (!(rc = wait_batch(loader, &b, err))) {
        if (b->error_slot != UINT32_MAX) {
            loader->error = b->error;
            loader->state = PCRI_LOADER_FAILED;
        } else {
            loader->delivered = loader->next_batch;
            pcri_batch_compact(b);
            if (b->view.sample_count)
                break;
        }
        pcr_batch_release(&b->view);
    }
    loader->stats.batch_count += !rc;
    pthread_mutex_unlock(&loader->mutex);
    if (!rc)
        *out = &b->view;
    return rc;
}

void pcr_loader_cancel(struct pcr_loader *loader)
{
    if (!loader || loader->process != getpid())
        return;
    pthread_mutex_lock(&loader->mutex);
    loader->state = PCRI_LOADER_CANCELLED;
    pthread_cond_broadcast(&loader->ready);
    pthread_mutex_unlock(&loader->mutex);
}
