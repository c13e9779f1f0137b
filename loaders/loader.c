/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader: creation and end, and what the consumer calls. */
#include <stdlib.h>
#include <unistd.h>

#include "options/rank.h"
#include "order/saved.h"
#include "schedule/schedule.h"
#include "schedule/windows.h"

/* --- creation and end --- */

/* Float labels only go with float labels: a batch has one kind. Datasets without labels go
 * with all. `first`: of those before. */
static int check_labels(uint32_t first, uint32_t kind, uint32_t number, struct pcr_error *err)
{
    if (kind == PCR_LABEL_NONE || first == PCR_LABEL_NONE ||
        (first == PCR_LABEL_FLOATS) == (kind == PCR_LABEL_FLOATS))
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "dataset %u has %s labels, one before it %s: one loader cannot load both",
                     (unsigned) number, kind == PCR_LABEL_FLOATS ? "float" : "integer",
                     kind == PCR_LABEL_FLOATS ? "integers" : "floats");
}

/* Fills l->datasets, and says what is in them. */
static int take_datasets(struct pcr_loader *l, struct pcr_dataset *const *datasets,
                         struct pcri_extent *out, struct pcr_error *err)
{
    uint32_t label_kind = PCR_LABEL_NONE;
    *out = (struct pcri_extent) { .dataset_count = l->dataset_count };
    for (uint32_t k = 0; k < l->dataset_count; k++) {
        struct pcri_loader_dataset *store = &l->datasets[k];
        struct pcr_dataset_info *info = &store->info;
        info->size = sizeof(*info);
        store->ds = datasets[k];
        int rc = pcr_dataset_describe(store->ds, info, err);
        if (!rc)
            rc = check_labels(label_kind, info->label_kind, k, err);
        if (rc)
            return rc;
        if (info->label_kind)
            label_kind = info->label_kind;
        store->first_number = out->sample_count;
        out->sample_count += info->sample_count;
        if (info->group_count > out->group_count)
            out->group_count = info->group_count;
        if (info->class_count > out->class_count)
            out->class_count = info->class_count;
        const char *ladder = pcr_dataset_ladder(store->ds);
        if (*ladder && (rc = pcr_ladder_parse(ladder, strlen(ladder), &store->ladder, err)))
            return rc;
    }
    out->label_kind = label_kind;
    return 0;
}

/* About what a sample takes as a file at fidelity g, or the highest that its dataset has. */
static uint64_t file_nbytes(const struct pcr_loader *l, uint32_t g)
{
    uint64_t nbytes = 0, count = 0;
    for (uint32_t k = 0; k < l->dataset_count; k++) {
        const struct pcri_loader_dataset *store = &l->datasets[k];
        const uint32_t most = store->info.group_count;
        nbytes += pcr_dataset_prefix_nbytes(store->ds, g < most ? g : most) -
                  store->info.head_nbytes;
        count += store->info.sample_count;
    }
    /* An eighth and a header more. */
    return count ? nbytes / count * 9 / 8 + 1024 : 1;
}

/* About what a sample takes in a view whose sizes differ: pictures of 4 : 3, and of two bits a
 * pixel in their files. */
static uint64_t loose_nbytes(const struct pcr_loader *l, const struct pcr_loader_options *o)
{
    const struct pcr_loader_transform *t = &o->transform;
    const uint64_t shorter = t->resize_px ? t->resize_px : UINT32_MAX;
    const uint64_t longer = t->longest_px ? t->longest_px : UINT32_MAX;
    uint64_t px = (uint64_t) o->output.width * o->output.height; /* LETTERBOX */
    if (t->kind == PCR_TRANSFORM_NONE)
        px = file_nbytes(l, UINT32_MAX) * 4;
    if (t->kind == PCR_TRANSFORM_RESIZE)
        px = shorter * 4 < longer * 3 ? shorter * shorter * 4 / 3 : longer * longer * 3 / 4;
    return px * pcri_channels_of(o) * pcri_value_nbytes(o);
}

/* Bytes that a sample takes in a batch: of files, about, at the fidelity that the loader
 * begins with; of pictures whose sizes differ, about. */
static size_t sample_nbytes(const struct pcr_loader *l)
{
    const struct pcr_loader_fidelity *f = &l->options.fidelity;
    uint64_t nbytes = 0;
    if (l->options.flags & PCR_LOADER_RAW)
        return (size_t) file_nbytes(l, f->level ? f->level : f->maximum);
    for (uint32_t v = 0; v < l->view_count; v++)
        nbytes += pcri_sizes_differ(&l->views[v].options)
                      ? loose_nbytes(l, &l->views[v].options)
                      : l->views[v].nbytes;
    return nbytes < SIZE_MAX ? (size_t) nbytes : SIZE_MAX;
}

static int create_ring(struct pcr_loader *l, bool float_labels, struct pcr_error *err)
{
    struct pcr_loader_options *o = &l->options;
    size_t nbytes = sample_nbytes(l);
    uint64_t most = o->memory.ring_nbytes / o->batch_size / nbytes;
    if (o->memory.ring_nbytes && most < o->memory.batches_ahead)
        o->memory.batches_ahead = most ? (uint32_t) most : 1;
    l->ring = pcri_calloc(o->memory.batches_ahead, sizeof(struct pcri_batch *), err);
    if (!l->ring)
        return PCR_ERR_NOMEM;
    /* Enough for all that are in work, and one that the consumer is just done with. */
    return pcri_batch_pool_create(o, l->views, l->view_count, o->memory.batches_ahead + 1,
                                  nbytes, float_labels, &l->pool, err);
}

/* Makes datasets keep memory for the loader's windows, or no longer. */
static void keep_windows(struct pcr_loader *l, bool keep)
{
    uint64_t nbytes = l->options.order.window_nbytes / l->dataset_count;
    for (uint32_t k = 0; k < l->dataset_count; k++)
        pcr_dataset_keep_memory(l->datasets[k].ds, keep ? nbytes : 0, keep ? 0 : nbytes);
}

/* From now on threads work for the loader. */
static int join_threads(struct pcr_loader *l, struct pcr_error *err)
{
    struct pcri_thread_client makers = { pcri_work_make, l, l->options.threads.count, 0,
                                         false };
    struct pcri_thread_client readers = { pcri_work_read, l, l->options.threads.reader_count,
                                          0, false };
    l->clients[PCRI_THREADS_MAKERS] = makers;
    l->clients[PCRI_THREADS_READERS] = readers;
    l->idle_since_ns = pcri_clock_ns();
    for (; l->joined < PCRI_THREADS_KINDS; l->joined++) {
        struct pcri_thread_client *m = &l->clients[l->joined];
        int rc = m->limit ? pcri_threads_join((enum pcri_thread_kind) l->joined, m, err) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

static void leave_threads(struct pcr_loader *l)
{
    pthread_mutex_lock(&l->mutex);
    l->stop = true;
    atomic_store(&l->hurry, true);
    pthread_mutex_unlock(&l->mutex);
    for (uint32_t k = 0; k < l->joined; k++)
        if (l->clients[k].limit)
            pcri_threads_leave((enum pcri_thread_kind) k, &l->clients[k]);
}

/* The limits of decoding: the datasets', except for those that the loader's user has set. */
static int set_limits(struct pcr_loader *l, struct pcr_error *err)
{
    struct pcr_limits given;
    int rc = pcri_limits_take(l->options.limits, &given, err);
    l->options.limits = NULL; /* the caller's */
    for (uint32_t k = 0; !rc && k < l->dataset_count; k++) {
        struct pcr_limits *limits = &l->datasets[k].limits;
        limits->size = sizeof(*limits);
        rc = pcr_dataset_limits(l->datasets[k].ds, limits, err);
        if (given.max_scans)
            limits->max_scans = given.max_scans;
        if (given.max_pixels)
            limits->max_pixels = given.max_pixels;
        if (given.max_sample_nbytes)
            limits->max_sample_nbytes = given.max_sample_nbytes;
    }
    return rc;
}

static int set_up(struct pcr_loader *l, struct pcr_dataset *const *datasets,
                  const struct pcr_loader_options *opts, struct pcr_error *err)
{
    struct pcr_loader_options *o = &l->options;
    struct pcri_extent extent;
    int rc = take_datasets(l, datasets, &extent, err);
    if (rc || (rc = pcri_loader_options_fill(&extent, opts, o, &l->tunes, err)) ||
        (rc = pcri_loader_views_make(o, &l->views, &l->view_count, err)) ||
        (rc = pcri_loader_columns_init(&l->columns, o, datasets, l->dataset_count, err)) ||
        (rc = set_limits(l, err)) ||
        (rc = pcri_catalog_create(l->datasets, l->dataset_count, o, &l->catalog, err)) ||
        (rc = pcri_fidelity_plan_init(&l->fidelity_plan, o, extent.group_count, err)) ||
        (rc = pcri_bad_samples_init(&l->bad_samples, o, err)))
        return rc;
    l->group_count = extent.group_count;
    l->asks_environment = o->flags & PCR_LOADER_RANK_FROM_ENVIRONMENT;
    pcri_shard_init(o, 0, l->catalog->entry_count, &l->shard);
    pcri_normalisation_init(o, &l->normalisation);
    if ((rc = create_ring(l, extent.label_kind == PCR_LABEL_FLOATS, err)) ||
        (rc = join_threads(l, err)))
        return rc;
    keep_windows(l, true);
    return 0;
}

int pcr_loader_create_mix(struct pcr_dataset *const *datasets, uint32_t dataset_count,
                          const struct pcr_loader_options *opts, struct pcr_loader **out,
                          struct pcr_error *err)
{
    bool all = datasets && dataset_count;
    for (uint32_t k = 0; all && k < dataset_count; k++)
        all = datasets[k] != NULL;
    if (!all || !out)
        return pcri_fail(err, PCR_ERR_INVAL, "no dataset, or out is NULL");
    *out = NULL;
    struct pcr_loader *l = pcri_calloc(1, sizeof(*l), err);
    if (!l)
        return PCR_ERR_NOMEM;
    l->created_ns = pcri_clock_ns();
    l->process = getpid();
    l->mutex = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
    l->quiet = (pthread_cond_t) PTHREAD_COND_INITIALIZER;
    pcri_cond_init(&l->ready);
    l->dataset_count = dataset_count;
    l->datasets = pcri_calloc(dataset_count, sizeof(*l->datasets), err);
    int rc = l->datasets ? set_up(l, datasets, opts, err) : PCR_ERR_NOMEM;
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
    leave_threads(l);
    if (l->ring)
        pcri_schedule_clear(l, true);
    pcri_slices_free(l->garbage);
    if (l->joined == PCRI_THREADS_KINDS) /* it was complete */
        keep_windows(l, false);
    pcri_batch_pool_close(&l->pool);
    pcri_contents_destroy(&l->contents);
    pcri_catalog_destroy(&l->catalog);
    pcri_fidelity_plan_free(&l->fidelity_plan);
    pcri_bad_samples_free(&l->bad_samples);
    for (uint32_t k = 0; l->datasets && k < l->dataset_count; k++)
        pcr_ladder_destroy(&l->datasets[k].ladder);
    free(l->datasets);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->quiet);
    pthread_mutex_destroy(&l->mutex);
    pcri_loader_columns_free(&l->columns);
    free(l->ring);
    free(l->views);
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
                     "loader in the process that uses it",
                     (long) l->process);
}

uint64_t pcr_loader_batch_count(const struct pcr_loader *loader)
{
    struct pcr_loader *l = (struct pcr_loader *) loader; /* for its mutex */
    struct pcr_loader_options o;
    struct pcri_shard s;
    if (pcri_loader_check(loader, NULL))
        return 0;
    pthread_mutex_lock(&l->mutex);
    o = l->options;
    bool asks = l->asks_environment;
    pthread_mutex_unlock(&l->mutex);
    if (asks) /* if it fails, they are as they were when the loader was made */
        (void) pcri_rank_from_environment(&o, NULL);
    pcri_shard_init(&o, 0, l->catalog->entry_count, &s);
    return pcri_shard_batch_count(&s);
}

int pcr_loader_set_shard(struct pcr_loader *loader, uint32_t rank, uint32_t world,
                         struct pcr_error *err)
{
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&loader->mutex);
    rc = pcri_rank_set(&loader->options, rank, world, err);
    if (!rc)
        loader->asks_environment = false;
    pthread_mutex_unlock(&loader->mutex);
    return rc;
}

/* Settles rank and world for an epoch that begins; with the mutex held. */
static int settle_shard(struct pcr_loader *l, struct pcr_error *err)
{
    int rc = l->asks_environment ? pcri_rank_from_environment(&l->options, err) : 0;
    if (!rc)
        l->asks_environment = false;
    return rc;
}

/* Was the next epoch planned for the rank and world that it is to have? */
static bool is_planned_right(const struct pcr_loader *l)
{
    const struct pcr_loader_options *o = &l->options;
    const struct pcri_lanes *p = &l->next.shard.parts[0];
    return p->lane == (uint64_t) o->shard.worker * o->shard.world + o->shard.rank &&
           p->lanes == (uint64_t) o->shard.world * o->shard.worker_count;
}

/* Replaces the contents by the epoch's. No thread needs the last ones: none is in a task, and
 * none begins one before there is an epoch again. */
static int make_contents(struct pcr_loader *l, uint64_t epoch, struct pcr_error *err)
{
    if (l->contents && !l->catalog->drawn)
        return 0;
    pcri_contents_destroy(&l->contents);
    return pcri_contents_create(l->catalog, epoch, &l->contents, err);
}

/* Drops the work under way, and continues elsewhere. changes: those of a state; NULL: as at
 * the beginning of the epoch. */
static int start(struct pcr_loader *l, uint64_t epoch, uint64_t position,
                 const struct pcri_changes *changes, struct pcr_error *err)
{
    int rc;
    pthread_mutex_lock(&l->mutex);
    rc = settle_shard(l, err);
    if (rc) {
        pthread_mutex_unlock(&l->mutex);
        return rc;
    }
    l->state = PCRI_LOADER_IDLE;
    atomic_store(&l->hurry, true);
    const uint64_t since = pcri_clock_ns(); /* reads under way come to an end first */
    while (l->busy)
        pthread_cond_wait(&l->quiet, &l->mutex);
    l->stats.consumer_wait_ns += pcri_clock_ns() - since;
    /* Training that continued once will continue again. */
    bool follows = l->begun && epoch == l->plan.epoch + 1 && !l->catalog->drawn;
    pcri_schedule_clear(l, !follows || position || changes || !is_planned_right(l));
    l->next.wanted = follows && !(l->options.flags & PCR_LOADER_NO_READ_AHEAD);
    pthread_mutex_unlock(&l->mutex);
    rc = make_contents(l, epoch, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&l->mutex);
    if (changes)
        l->changes = *changes;
    else
        pcri_changes_begin(&l->changes, &l->fidelity_plan, l->begun ? l->plan.epoch + 1 : 0,
                           epoch);
    l->begun = true;
    atomic_store(&l->hurry, false); /* with the state: a cancel is before both or after */
    pcri_schedule_start(l, epoch, position);
    pcri_threads_wake_all();
    pthread_mutex_unlock(&l->mutex);
    return 0;
}

int pcr_loader_start_epoch(struct pcr_loader *loader, uint64_t epoch, struct pcr_error *err)
{
    int rc = pcri_loader_check(loader, err);
    return rc ? rc : start(loader, epoch, 0, NULL, err);
}

/* place: the caller's destination for the state; only checked. */
static int save(const struct pcr_loader *loader, const void *place, struct pcri_saved *out,
                struct pcr_error *err)
{
    struct pcr_loader *l = (struct pcr_loader *) loader; /* for its mutex */
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    if (!place)
        return pcri_fail(err, PCR_ERR_INVAL, "the pointer to the state is NULL");
    pcri_saved_init(l->catalog, out);
    pthread_mutex_lock(&l->mutex);
    out->epoch = l->plan.epoch;
    out->position = pcri_shard_delivered(&l->shard, l->delivered);
    out->changes = l->changes;
    bool over = l->delivered && l->delivered == pcri_shard_batch_count(&l->shard);
    if (over || !l->begun) {
        out->epoch += over;
        out->position = 0;
        pcri_changes_begin(&out->changes, &l->fidelity_plan, out->epoch, out->epoch);
    } else {
        pcri_changes_pass(&out->changes, out->position);
    }
    pthread_mutex_unlock(&l->mutex);
    return 0;
}

int pcr_loader_state(const struct pcr_loader *loader, void *state_out, struct pcr_error *err)
{
    struct pcri_saved saved;
    int rc = save(loader, state_out, &saved, err);
    if (!rc)
        pcri_saved_pack(&saved, state_out);
    return rc;
}

int pcr_loader_state_json(const struct pcr_loader *loader, struct pcr_buffer *out,
                          struct pcr_error *err)
{
    struct pcri_saved saved;
    int rc = save(loader, out, &saved, err);
    return rc ? rc : pcri_saved_render(&saved, out, err);
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

/* Wishes for samples to come. */
static int set_wish(struct pcr_loader *loader, uint32_t wish, struct pcr_error *err)
{
    int rc = 0;
    pthread_mutex_lock(&loader->mutex);
    struct pcri_changes *c = &loader->changes;
    if (loader->begun) {
        const struct pcri_shard *s = &loader->shard;
        pcri_changes_pass(c, pcri_shard_delivered(s, loader->next_batch));
        if (!pcri_changes_add(
                c,
                pcri_shard_delivered(s, loader->next_batch +
                                            loader->options.memory.batches_ahead),
                wish))
            rc = pcri_fail(err, PCR_ERR_INVAL,
                           "%d changes of fidelity are under way; take a batch before the "
                           "next",
                           PCRI_CHANGES_MAX);
    } else {
        c->fidelity = wish;
    }
    pthread_mutex_unlock(&loader->mutex);
    return rc;
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
    return set_wish(loader, fidelity ? fidelity : loader->group_count, err);
}

int pcr_loader_set_quality(struct pcr_loader *loader, double quality, struct pcr_error *err)
{
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    const uint32_t wish = pcri_wish_for(quality);
    if (!wish)
        return pcri_fail(err, PCR_ERR_INVAL, "quality is %g, expected above 0 and below 1",
                         quality);
    return set_wish(loader, wish, err);
}

/* The next batch if it is complete, and its place is free again; NULL if not. */
static struct pcri_batch *take_batch(struct pcr_loader *l)
{
    struct pcri_batch **place = &l->ring[l->next_batch % l->options.memory.batches_ahead];
    struct pcri_batch *b = *place;
    if (!b || b->done_count < b->slot_count)
        return NULL;
    *place = NULL;
    l->next_batch++;
    pcri_threads_wake(PCRI_THREADS_MAKERS);
    return b;
}

/* Waits until there is a batch (0), the end, or an error, till_ns at most (PCR_AGAIN); UINT64_MAX:
 * for ever. With the mutex held. */
static int wait_batch(struct pcr_loader *l, uint64_t till_ns, struct pcri_batch **out,
                      struct pcr_error *err)
{
    for (;;) {
        if (l->state == PCRI_LOADER_CANCELLED)
            return pcri_fail(err, PCR_ERR_CANCELLED, "the loader was cancelled");
        if (l->state == PCRI_LOADER_IDLE)
            return pcri_fail(err, PCR_ERR_INVAL, "no epoch was started");
        if (l->state == PCRI_LOADER_FAILED)
            return pcri_hand_on(err, l->error.code, &l->error);
        if (l->next_batch == pcri_shard_batch_count(&l->shard))
            return PCR_END;
        if ((*out = take_batch(l)))
            return 0;
        uint64_t start = pcri_clock_ns();
        if (start >= till_ns)
            return PCR_AGAIN;
        if (till_ns == UINT64_MAX)
            pthread_cond_wait(&l->ready, &l->mutex);
        else
            (void) pcri_cond_wait_until(&l->ready, &l->mutex, till_ns);
        l->stats.consumer_wait_ns += pcri_clock_ns() - start;
    }
}

/* What needs no lock, and is left to do for a batch. */
static int hand_over(struct pcr_loader *l, struct pcri_batch *b, struct pcr_batch **out,
                     struct pcr_error *err)
{
    struct pcr_error why;
    int rc = pcri_batch_join_columns(b, &l->columns, &why);
    *out = rc ? NULL : &b->view;
    if (!rc)
        return 0;
    pcri_batch_release(b);
    pthread_mutex_lock(&l->mutex);
    l->error = why;
    l->state = PCRI_LOADER_FAILED;
    pthread_mutex_unlock(&l->mutex);
    return pcri_hand_on(err, rc, &why);
}

static int next(struct pcr_loader *loader, uint64_t till_ns, struct pcr_batch **out,
                struct pcr_error *err)
{
    struct pcri_batch *b = NULL;
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    if (!out)
        return pcri_fail(err, PCR_ERR_INVAL, "out is NULL");
    *out = NULL;
    pthread_mutex_lock(&loader->mutex);
    while (!(rc = wait_batch(loader, till_ns, &b, err)) && b->error_slot != UINT32_MAX) {
        loader->error = b->error;
        loader->state = PCRI_LOADER_FAILED;
        pcri_batch_release(b);
    }
    if (!rc)
        loader->delivered = loader->next_batch;
    loader->stats.batch_count += !rc;
    pthread_mutex_unlock(&loader->mutex);
    if (!rc)
        rc = hand_over(loader, b, out, err);
    return rc;
}

int pcr_loader_next(struct pcr_loader *loader, struct pcr_batch **out, struct pcr_error *err)
{
    return next(loader, UINT64_MAX, out, err);
}

int pcr_loader_next_within(struct pcr_loader *loader, uint64_t wait_ns, struct pcr_batch **out,
                           struct pcr_error *err)
{
    uint64_t till_ns;
    if (__builtin_add_overflow(pcri_clock_ns(), wait_ns, &till_ns))
        till_ns = UINT64_MAX;
    return next(loader, till_ns, out, err);
}

void pcr_loader_cancel(struct pcr_loader *loader)
{
    if (!loader || loader->process != getpid())
        return;
    pthread_mutex_lock(&loader->mutex);
    loader->state = PCRI_LOADER_CANCELLED;
    atomic_store(&loader->hurry, true);
    pthread_cond_broadcast(&loader->ready);
    pthread_mutex_unlock(&loader->mutex);
}

int pcr_loader_bad_sample(const struct pcr_loader *loader, uint64_t i,
                          struct pcr_bad_sample *sample_out, struct pcr_error *err)
{
    struct pcr_loader *l = (struct pcr_loader *) loader; /* for its mutex */
    struct pcr_bad_sample found = { 0 };
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    if (!sample_out)
        return pcri_fail(err, PCR_ERR_INVAL, "the pointer to the bad sample is NULL");
    pthread_mutex_lock(&l->mutex);
    const struct pcri_bad_samples *f = &l->bad_samples;
    bool there = i < f->count && i < PCR_LOADER_BAD_SAMPLES;
    if (there)
        found = f->items[(f->count - 1 - i) % PCR_LOADER_BAD_SAMPLES];
    pthread_mutex_unlock(&l->mutex);
    return there ? pcri_info_copy(sample_out, "pcr_bad_sample", &found, sizeof(found), err)
                 : PCR_END;
}
