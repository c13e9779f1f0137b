/* SPDX-License-Identifier: BSD-2-Clause */
/* Batch buffers that outlive their loader. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "columns.h"
#include "../../libpcr/base/spare.h"

/* Vector loads and DMA engines like a cache line. */
enum { ALIGNMENT = 64 };

struct pcri_batch_pool {
    pthread_mutex_t mutex;
    uint32_t batch_size;
    struct pcr_batch view; /* what is the same in all */
    struct {
        uint32_t height, width;       /* 0: sizes differ */
        uint32_t multiple;            /* of their sides in a batch; at least 1 */
        size_t offset, sample_nbytes; /* of its pixels in the batch, and of one sample's */
    } views[PCRI_MOST_VIEWS];
    uint32_t view_count;
    uint32_t pixel_nbytes;
    bool loose, ragged;       /* sizes differ in a view */
    struct pcri_spare spare;  /* what loose pictures are made in */
    uint64_t expected_nbytes; /* of it: as much as the last batch had; under the mutex */
    size_t nbytes;            /* of a batch's pixels, or about of its files */
    bool raw, huge_pages, float_labels, mixes;
    pid_t process; /* that made it */
    void *(*allocate)(void *context, size_t nbytes);
    void (*release)(void *context, void *memory, size_t nbytes);
    void *context;
    uint32_t keep_count, free_count, column_count;
    struct pcri_batch *free;
    uint64_t holds; /* batches that are out, and 1 for the owner */
};

/* Adds nbytes, and what it takes to be aligned again, to *end. */
static bool add_aligned(size_t nbytes, size_t *end)
{
    return pcri_add(nbytes, ALIGNMENT - 1, &nbytes) &&
           pcri_add(*end, nbytes & ~(size_t) (ALIGNMENT - 1), end);
}

/* Where each view's pixels lie in a batch: one after another, each aligned. Where sizes differ that
 * is known with the last picture alone. */
static int place_views(struct pcri_batch_pool *pool, const struct pcri_loader_view *views,
                       uint32_t view_count, struct pcr_error *err)
{
    size_t end = 0, nbytes;
    for (uint32_t v = 0; v < view_count; v++) {
        const struct pcr_loader_options *o = &views[v].options;
        const bool differ = pcri_sizes_differ(o);
        pool->loose |= differ;
        pool->views[v].height = differ ? 0 : o->output.height;
        pool->views[v].width = differ ? 0 : o->output.width;
        pool->views[v].multiple = o->transform.multiple ? o->transform.multiple : 1;
        pool->views[v].sample_nbytes = views[v].nbytes;
        pool->views[v].offset = end;
        if (!pcri_mul(pool->batch_size, views[v].nbytes, &nbytes) ||
            !add_aligned(nbytes, &end))
            return pcri_fail(err, PCR_ERR_NOMEM, "cannot allocate %zu x %zu bytes",
                             (size_t) pool->batch_size, views[v].nbytes);
    }
    pool->view_count = view_count;
    pool->nbytes = pool->loose ? 0 : end;
    return 0;
}

int pcri_batch_pool_create(const struct pcr_loader_options *o,
                           const struct pcri_loader_view *views, uint32_t view_count,
                           uint32_t keep_count, size_t file_nbytes, bool float_labels,
                           struct pcri_batch_pool **out, struct pcr_error *err)
{
    struct pcri_batch_pool *pool = pcri_calloc(1, sizeof(*pool), err);
    if (!pool)
        return PCR_ERR_NOMEM;
    pool->batch_size = o->batch_size;
    pool->raw = o->flags & PCR_LOADER_RAW;
    pool->huge_pages = o->flags & PCR_LOADER_HUGE_PAGES;
    pool->allocate = o->memory.allocate;
    pool->release = o->memory.release;
    pool->context = o->memory.context;
    pool->ragged = o->flags & PCR_LOADER_RAGGED;
    pool->pixel_nbytes = pcri_channels_of(o) * pcri_value_nbytes(o);
    if (!pool->raw)
        pool->view = (struct pcr_batch) {
            .channels = pcri_channels_of(o),
            .layout = o->output.layout,
            .dtype = o->output.dtype,
            .view_count = view_count,
            .class_count = o->mix.class_count,
        };
    int rc = 0;
    if (!pool->raw)
        rc = place_views(pool, views, view_count, err);
    else if (!pcri_mul(pool->batch_size, file_nbytes, &pool->nbytes))
        rc = pcri_fail_nomem(err, SIZE_MAX);
    if (rc) {
        free(pool);
        return rc;
    }
    pool->mutex = pool->spare.mutex = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
    pool->float_labels = float_labels;
    pool->mixes = pcri_mixes(o);
    pool->column_count = o->output.column_count;
    pool->keep_count = keep_count;
    pool->holds = 1;
    pool->process = getpid();
    *out = pool;
    return 0;
}

/* A mapping is aligned as needed, and goes back to the system. */
static bool is_block(const struct pcri_batch_pool *pool, size_t nbytes)
{
    return !pool->allocate && !pool->huge_pages && nbytes >= PCRI_BLOCK_MAPPED;
}

static int memory_get(const struct pcri_batch_pool *pool, size_t nbytes, uint8_t **out,
                      struct pcr_error *err)
{
    bool huge = pool->huge_pages && nbytes >= PCRI_HUGE_PAGE;
    void *p = NULL;
    if (is_block(pool, nbytes)) {
        struct pcri_block b = { 0 };
        int rc = pcri_block_reserve(&b, nbytes, err);
        *out = b.data;
        return rc;
    }
    if (pool->allocate)
        p = pool->allocate(pool->context, nbytes);
    else if (posix_memalign(&p, huge ? PCRI_HUGE_PAGE : ALIGNMENT, nbytes))
        p = NULL;
    if (!p)
        return pcri_fail_nomem(err, nbytes);
    if ((uintptr_t) p % ALIGNMENT) {
        pool->release(pool->context, p, nbytes);
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option allocate gave %p, expected a multiple of %d", p,
                         ALIGNMENT);
    }
    if (huge && !pool->allocate)
        pcri_huge_pages(p, nbytes);
    *out = p;
    return 0;
}

static void memory_give(const struct pcri_batch_pool *pool, void *memory, size_t nbytes)
{
    struct pcri_block b = { .data = memory, .capacity = nbytes };
    if (is_block(pool, nbytes))
        pcri_block_free(&b);
    else if (!pool->allocate)
        free(memory);
    else if (memory)
        pool->release(pool->context, memory, nbytes);
}

static void free_more_labels(struct pcri_batch *b, size_t count)
{
    for (size_t i = 0; b->more_labels && i < count; i++) {
        free(b->more_labels[i]);
        b->more_labels[i] = NULL;
    }
}

static void free_columns(struct pcri_batch *b, const struct pcri_batch_pool *pool)
{
    for (size_t i = 0; b->sample_columns && i < pool->batch_size; i++)
        pcri_sample_columns_free(&b->sample_columns[i], pool->column_count);
    for (uint32_t c = 0; b->columns && c < pool->column_count; c++)
        pcr_column_free(&b->columns[c]);
}

static void drop_all_loose(struct pcri_batch *b, struct pcri_batch_pool *pool)
{
    const size_t count = (size_t) pool->view_count * pool->batch_size;
    for (size_t i = 0; b->loose && i < count; i++)
        pcri_spare_give(&pool->spare, &b->loose[i]);
}

static void batch_free(struct pcri_batch_pool *pool, struct pcri_batch *b)
{
    if (!b)
        return;
    memory_give(pool, pool->raw ? b->view.data : b->view.pixels, b->nbytes);
    drop_all_loose(b, pool);
    free_more_labels(b, pool->batch_size);
    free_columns(b, pool);
    free(b->sample_columns);
    free(b->columns);
    free(b->more_labels);
    free(b->all_labels);
    free(b->label_counts);
    free(b->offsets);
    free(b->parts);
    free(b->labels);
    free(b->float_labels);
    free(b->indices);
    free(b->fidelities);
    free(b->datasets);
    free(b->valid);
    free(b->lam);
    free(b->partners);
    free(b->soft_labels);
    free(b->mix_slots);
    free(b->crops);
    free(b->views);
    free(b->pictures);
    free(b->loose);
    free(b);
}

/* Drops a hold of the pool, and frees it with the last: the free list is then empty, since
 * closing empties it for good. */
static void drop(struct pcri_batch_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    bool last = !--pool->holds;
    pthread_mutex_unlock(&pool->mutex);
    if (!last)
        return;
    pcri_spare_free(&pool->spare);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

void pcri_batch_pool_close(struct pcri_batch_pool **pool)
{
    if (!pool || !*pool)
        return;
    pthread_mutex_lock(&(*pool)->mutex);
    struct pcri_batch *b = (*pool)->free;
    (*pool)->free = NULL;
    (*pool)->free_count = (*pool)->keep_count = 0;
    pthread_mutex_unlock(&(*pool)->mutex);
    while (b) {
        struct pcri_batch *next = b->next;
        batch_free(*pool, b);
        b = next;
    }
    drop(*pool);
    *pool = NULL;
}

uint64_t pcri_batch_pool_out_count(struct pcri_batch_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    uint64_t count = pool->holds - 1;
    pthread_mutex_unlock(&pool->mutex);
    return count;
}

/* What only batches have whose pictures are mixed. */
static int add_mixing(struct pcri_batch *b, const struct pcri_batch_pool *pool,
                      struct pcr_error *err)
{
    const size_t n = pool->batch_size, columns = pool->view.class_count;
    b->lam = pcri_calloc(n, sizeof(*b->lam), err);
    b->partners = pcri_calloc(n, sizeof(*b->partners), err);
    b->mix_slots = pcri_calloc(n, sizeof(*b->mix_slots), err);
    /* At most 2^20 x 2^24 x 4. */
    if (columns > SIZE_MAX / sizeof(float) / n)
        return pcri_fail_nomem(err, SIZE_MAX);
    b->soft_labels = columns ? pcri_calloc(n * columns, sizeof(float), err) : NULL;
    const bool all = b->lam && b->partners && b->mix_slots && (b->soft_labels || !columns);
    return all ? 0 : PCR_ERR_NOMEM;
}

static int batch_create(struct pcri_batch_pool *pool, struct pcri_batch **out,
                        struct pcr_error *err)
{
    size_t n = pool->batch_size;
    struct pcri_batch *b = pcri_calloc(1, sizeof(*b), err);
    if (!b)
        return PCR_ERR_NOMEM;
    int rc = 0;
    if (pool->nbytes)
        rc = memory_get(pool, pool->nbytes, pool->raw ? &b->view.data : &b->view.pixels, err);
    b->nbytes = pool->nbytes;
    if (pool->float_labels)
        b->float_labels = pcri_calloc(n, sizeof(*b->float_labels), err);
    else
        b->labels = pcri_calloc(n, sizeof(*b->labels), err);
    b->label_counts = pcri_calloc(n, sizeof(*b->label_counts), err);
    b->all_labels = pcri_calloc(n, sizeof(*b->all_labels), err);
    b->more_labels = pcri_calloc(n, sizeof(*b->more_labels), err);
    b->sample_columns = pcri_calloc(n, sizeof(*b->sample_columns), err);
    b->columns = pcri_calloc(pool->column_count, sizeof(*b->columns), err);
    b->indices = pcri_calloc(n, sizeof(*b->indices), err);
    b->fidelities = pcri_calloc(n, sizeof(*b->fidelities), err);
    b->datasets = pcri_calloc(n, sizeof(*b->datasets), err);
    b->valid = pcri_calloc(n, 1, err);
    if (pool->raw) {
        b->offsets = pcri_calloc(n + 1, sizeof(*b->offsets), err);
    } else {
        b->crops = pcri_calloc(n * pool->view_count, sizeof(*b->crops), err);
        b->views = pcri_calloc(pool->view_count, sizeof(*b->views), err);
        b->pictures = pcri_calloc(n * pool->view_count, sizeof(*b->pictures), err);
        if (pool->loose)
            b->loose = pcri_calloc(n * pool->view_count, sizeof(*b->loose), err);
    }
    bool labels = (b->labels || b->float_labels) && b->label_counts && b->all_labels &&
                  b->more_labels && b->sample_columns && b->columns;
    if (!rc && (!labels || !b->indices || !b->fidelities || !b->datasets || !b->valid ||
                (pool->raw ? !b->offsets : !b->crops || !b->views || !b->pictures) ||
                (pool->loose && !b->loose)))
        rc = PCR_ERR_NOMEM;
    if (!rc && pool->mixes)
        rc = add_mixing(b, pool, err);
    if (rc)
        batch_free(pool, b);
    else
        *out = b;
    return rc;
}

/* offset: of its pixels in the batch's memory. */
static void set_view(struct pcri_batch *b, uint32_t v, size_t offset, uint32_t height,
                     uint32_t width)
{
    const size_t first = (size_t) v * b->pool->batch_size;
    b->views[v] = (struct pcr_batch_view) {
        .pixels = b->view.pixels ? b->view.pixels + offset : NULL,
        .crops = b->crops + first,
        .height = height,
        .width = width,
        .pictures = b->pictures + first,
    };
    if (v)
        return;
    b->view.height = height;
    b->view.width = width;
}

/* Says where pictures of one size are; others are nowhere yet. */
static void reset_views(struct pcri_batch *b, const struct pcri_batch_pool *pool)
{
    for (uint32_t v = 0; v < pool->view_count; v++) {
        const size_t first = (size_t) v * pool->batch_size;
        for (uint32_t i = 0; i < b->slot_count; i++)
            b->pictures[first + i] = (struct pcr_batch_picture) {
                .offset = i * (uint64_t) pool->views[v].sample_nbytes,
                .height = pool->views[v].height,
                .width = pool->views[v].width,
            };
        set_view(b, v, pool->views[v].offset, pool->views[v].height, pool->views[v].width);
    }
}

static void batch_reset(struct pcri_batch *b, struct pcri_batch_pool *pool,
                        uint32_t slot_count)
{
    uint8_t *pixels = b->view.pixels, *data = b->view.data;
    free_more_labels(b, pool->batch_size);
    free_columns(b, pool);
    drop_all_loose(b, pool);
    b->pool = pool;
    b->next = NULL;
    b->slot_count = slot_count;
    b->done_count = b->part_count = 0;
    b->used_nbytes = 0;
    b->error_slot = UINT32_MAX;
    b->view = pool->view;
    b->view.size = sizeof(b->view);
    b->view.sample_count = slot_count;
    b->view.pixels = pixels;
    b->view.data = data;
    b->view.column_count = pool->column_count;
    b->view.columns = (const struct pcr_column *const *) b->columns;
    b->view.labels = b->labels;
    b->view.float_labels = b->float_labels;
    b->view.label_counts = b->label_counts;
    if (b->float_labels)
        b->view.all_float_labels = (const double *const *) b->all_labels;
    else
        b->view.all_labels = (const int64_t *const *) b->all_labels;
    b->view.indices = b->indices;
    b->view.fidelities = b->fidelities;
    b->view.datasets = b->datasets;
    b->view.valid = b->valid;
    b->view.lam = b->lam;
    b->view.partners = b->partners;
    b->view.soft_labels = b->soft_labels;
    b->view.offsets = b->offsets;
    b->view.crops = b->crops;
    b->view.views = b->views;
    if (!pool->raw)
        reset_views(b, pool);
}

int pcri_batch_pool_get(struct pcri_batch_pool *pool, uint32_t slot_count,
                        struct pcri_batch **out, struct pcr_error *err)
{
    pthread_mutex_lock(&pool->mutex);
    struct pcri_batch *b = pool->free;
    if (b) {
        pool->free = b->next;
        pool->free_count--;
    }
    pool->holds++;
    pthread_mutex_unlock(&pool->mutex);

    int rc = b ? 0 : batch_create(pool, &b, err);
    if (rc) {
        drop(pool);
        return rc;
    }
    batch_reset(b, pool, slot_count);
    *out = b;
    return 0;
}

void pcr_batch_release(struct pcr_batch **batch)
{
    struct pcri_batch *b = batch ? (struct pcri_batch *) *batch : NULL;
    if (!b)
        return;
    *batch = NULL;
    pcri_batch_release(b);
}

void pcri_batch_release(struct pcri_batch *b)
{
    struct pcri_batch_pool *pool = b->pool;
    if (pool->process != getpid()) /* a forked child: its lock may be locked for ever */
        return;
    pthread_mutex_lock(&pool->mutex);
    bool keep = pool->free_count < pool->keep_count;
    if (keep) {
        b->next = pool->free;
        pool->free = b;
        pool->free_count++;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!keep)
        batch_free(pool, b);
    drop(pool);
}

void pcri_batch_set_labels(struct pcri_batch *b, uint32_t slot, uint32_t count, int64_t label,
                           double float_label, void *more)
{
    if (b->float_labels)
        b->float_labels[slot] = float_label;
    else
        b->labels[slot] = label;
    b->label_counts[slot] = count;
    b->more_labels[slot] = more;
    b->all_labels[slot] = more              ? more
                          : b->float_labels ? (const void *) &b->float_labels[slot]
                                            : &b->labels[slot];
}

uint8_t *pcri_batch_slot(struct pcri_batch *b, uint32_t view, uint32_t slot)
{
    return b->view.pixels + b->pool->views[view].offset +
           slot * b->pool->views[view].sample_nbytes;
}

struct pcr_crop *pcri_batch_crop(struct pcri_batch *b, uint32_t view, uint32_t slot)
{
    return b->crops + (size_t) view * b->pool->batch_size + slot;
}

/* Makes room for `nbytes`, at least half more than before, and keeps the bytes in use. */
static int grow(struct pcri_batch *b, uint8_t **memory, size_t nbytes, struct pcr_error *err)
{
    uint8_t *data = NULL;
    if (nbytes <= b->nbytes)
        return 0;
    if (nbytes < b->nbytes + b->nbytes / 2)
        nbytes = b->nbytes + b->nbytes / 2;
    int rc = memory_get(b->pool, nbytes, &data, err);
    if (rc)
        return rc;
    if (b->used_nbytes)
        memcpy(data, *memory, b->used_nbytes);
    memory_give(b->pool, *memory, b->nbytes);
    *memory = data;
    b->nbytes = nbytes;
    return 0;
}

int pcri_batch_append(struct pcri_batch *b, const struct pcr_spans *file,
                      struct pcr_error *err)
{
    size_t total = b->used_nbytes;
    bool ok = true;
    for (uint32_t i = 0; ok && i < file->count; i++)
        ok = pcri_add(total, file->items[i].nbytes, &total);
    int rc = ok ? grow(b, &b->view.data, total, err) : pcri_fail_nomem(err, SIZE_MAX);
    if (rc)
        return rc;
    uint8_t *dst = b->view.data + b->used_nbytes;
    for (uint32_t i = 0; i < file->count; dst += file->items[i++].nbytes)
        memcpy(dst, file->items[i].data, file->items[i].nbytes);
    b->used_nbytes = total;
    return 0;
}

/* --- pictures of different sizes --- */

bool pcri_batch_is_loose(const struct pcri_batch *b)
{
    return b->loose;
}

int pcri_batch_loosen(struct pcri_batch *b, uint32_t view, uint32_t slot, uint32_t width,
                      uint32_t height, size_t nbytes, uint8_t **out, struct pcr_error *err)
{
    const size_t i = (size_t) view * b->pool->batch_size + slot;
    struct pcri_block *block = &b->loose[i];
    pcri_spare_give(&b->pool->spare, block); /* it is made once more */
    *block = pcri_spare_take(&b->pool->spare, nbytes);
    int rc = pcri_block_reserve(block, nbytes, err);
    block->nbytes = nbytes;
    b->pictures[i].width = width;
    b->pictures[i].height = height;
    *out = block->data;
    return rc;
}

const uint8_t *pcri_batch_loose(const struct pcri_batch *b, uint32_t view, uint32_t slot)
{
    return b->loose[(size_t) view * b->pool->batch_size + slot].data;
}

void pcri_batch_drop_loose(struct pcri_batch *b, uint32_t view, uint32_t slot)
{
    pcri_spare_give(&b->pool->spare, &b->loose[(size_t) view * b->pool->batch_size + slot]);
}

static bool picture_nbytes(const struct pcri_batch_pool *pool, uint32_t height, uint32_t width,
                           size_t *out)
{
    return pcri_mul(height, width, out) && pcri_mul(*out, pool->pixel_nbytes, out);
}

static uint32_t round_up(uint32_t side, uint32_t multiple)
{
    return (side + multiple - 1) / multiple * multiple;
}

/* Places a view's pictures from the beginning of its memory, whose size is given. */
static bool lay_out_view(struct pcri_batch *b, uint32_t v, uint32_t *height, uint32_t *width,
                         size_t *nbytes)
{
    const struct pcri_batch_pool *pool = b->pool;
    struct pcr_batch_picture *pictures = b->pictures + (size_t) v * pool->batch_size;
    const bool padded = pool->views[v].height || !pool->ragged;
    size_t each = 0, end = 0;
    *height = *width = 0;
    for (uint32_t i = 0; i < b->slot_count && padded; i++) {
        const struct pcr_batch_picture *p = &pictures[i];
        *height = p->height > *height ? p->height : *height;
        *width = p->width > *width ? p->width : *width;
    }
    *height = round_up(*height, pool->views[v].multiple);
    *width = round_up(*width, pool->views[v].multiple);
    if (!picture_nbytes(pool, *height, *width, &each))
        return false;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        pictures[i].offset = end;
        if (padded ? !pcri_add(end, each, &end)
                   : !picture_nbytes(pool, pictures[i].height, pictures[i].width, &each) ||
                         !add_aligned(each, &end))
            return false;
    }
    *nbytes = 0;
    return add_aligned(end, nbytes);
}

/* As much memory as this batch had is kept for the next. */
static void expect_alike(const struct pcri_batch *b)
{
    struct pcri_batch_pool *pool = b->pool;
    uint64_t nbytes = 0;
    for (size_t i = 0; i < (size_t) pool->view_count * pool->batch_size; i++)
        nbytes += b->loose[i].capacity;
    pthread_mutex_lock(&pool->mutex);
    const uint64_t before = pool->expected_nbytes;
    pool->expected_nbytes = nbytes;
    pthread_mutex_unlock(&pool->mutex);
    pcri_spare_expect(&pool->spare, nbytes, before);
}

int pcri_batch_lay_out(struct pcri_batch *b, struct pcr_error *err)
{
    struct {
        uint32_t height, width;
        size_t offset;
    } views[PCRI_MOST_VIEWS];
    size_t end = 0, nbytes;
    expect_alike(b);
    for (uint32_t v = 0; v < b->pool->view_count; v++) {
        views[v].offset = end;
        if (!lay_out_view(b, v, &views[v].height, &views[v].width, &nbytes) ||
            !pcri_add(end, nbytes, &end))
            return pcri_fail_nomem(err, SIZE_MAX);
    }
    int rc = grow(b, &b->view.pixels, end, err);
    for (uint32_t v = 0; v < b->pool->view_count && !rc; v++)
        set_view(b, v, views[v].offset, views[v].height, views[v].width);
    return rc;
}
