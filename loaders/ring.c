/* SPDX-License-Identifier: BSD-2-Clause */
/* Batch buffers that outlive their loader. */
#include <pthread.h>
#include <stdlib.h>

#include "ring.h"

/* Vector loads and DMA engines like a cache line. */
enum { ALIGNMENT = 64 };

struct pcri_pool {
    pthread_mutex_t mutex;
    uint32_t batch_size, height, width, channels, layout, dtype;
    size_t sample_nbytes;
    uint32_t keep_count, free_count;
    struct pcri_batch *free;
    uint64_t holds; /* batches that are out, and 1 for the owner */
};

int pcri_pool_create(const struct pcr_loader_options *o, uint32_t keep_count,
                     struct pcri_pool **out, struct pcr_error *err)
{
    struct pcri_pool *pool = pcri_calloc(1, sizeof(*pool), err);
    if (!pool)
        return PCR_ERR_NOMEM;
    pool->mutex = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
    pool->batch_size = o->batch_size;
    pool->height = o->height;
    pool->width = o->width;
    pool->channels = o->color == PCR_COLOR_GRAY ? 1 : 3;
    pool->layout = o->layout;
    pool->dtype = o->dtype;
    pool->sample_nbytes = pcri_loader_sample_nbytes(o);
    pool->keep_count = keep_count;
    pool->holds = 1;
    *out = pool;
    return 0;
}

static void batch_free(struct pcri_batch *b)
{
    if (!b)
        return;
    free(b->view.pixels);
    free(b->labels);
    free(b->indices);
    free(b->fidelities);
    free(b->datasets);
    free(b->filled);
    free(b);
}

/* Unlocks the pool, and frees it if nobody holds it any more: the free list is then empty,
 * since closing empties it for good. */
static void unlock(struct pcri_pool *pool)
{
    bool last = !pool->holds;
    pthread_mutex_unlock(&pool->mutex);
    if (!last)
        return;
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

void pcri_pool_close(struct pcri_pool **pool)
{
    if (!pool || !*pool)
        return;
    pthread_mutex_lock(&(*pool)->mutex);
    struct pcri_batch *b = (*pool)->free;
    (*pool)->free = NULL;
    (*pool)->free_count = (*pool)->keep_count = 0;
    (*pool)->holds--;
    unlock(*pool);
    *pool = NULL;
    while (b) {
        struct pcri_batch *next = b->next;
        batch_free(b);
        b = next;
    }
}

uint64_t pcri_pool_out_count(struct pcri_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    uint64_t count = pool->holds - 1;
    pthread_mutex_unlock(&pool->mutex);
    return count;
}

static int batch_create(const struct pcri_pool *pool, struct pcri_batch **out,
                        struct pcr_error *err)
{
    size_t n = pool->batch_size, nbytes;
    void *pixels = NULL;
    if (!pcri_mul(n, pool->sample_nbytes, &nbytes))
        return pcri_fail(err, PCR_ERR_NOMEM, "cannot allocate %zu x %zu bytes", n,
                         pool->sample_nbytes);
    struct pcri_batch *b = pcri_calloc(1, sizeof(*b), err);
    if (!b)
        return PCR_ERR_NOMEM;
    b->labels = pcri_calloc(n, sizeof(*b->labels), err);
    b->indices = pcri_calloc(n, sizeof(*b->indices), err);
    b->fidelities = pcri_calloc(n, sizeof(*b->fidelities), err);
    b->datasets = pcri_calloc(n, sizeof(*b->datasets), err);
    b->filled = pcri_calloc(n, 1, err);
    if (!b->labels || !b->indices || !b->fidelities || !b->datasets || !b->filled) {
        batch_free(b);
        return PCR_ERR_NOMEM;
    }
    if (posix_memalign(&pixels, ALIGNMENT, nbytes)) {
        batch_free(b);
        return pcri_fail_nomem(err, nbytes);
    }
    b->view.pixels = pixels;
    *out = b;
    return 0;
}

static void batch_reset(struct pcri_batch *b, struct pcri_pool *pool, uint32_t slot_count)
{
    b->pool = pool;
    b->next = NULL;
    b->slot_count = slot_count;
    b->done_count = 0;
    b->error_slot = UINT32_MAX;
    memset(b->filled, 0, slot_count);
    b->view = (struct pcr_batch) {
        .pixels = b->view.pixels,
        .labels = b->labels,
        .indices = b->indices,
        .fidelities = b->fidelities,
        .datasets = b->datasets,
        .height = pool->height,
        .width = pool->width,
        .channels = pool->channels,
        .layout = pool->layout,
        .dtype = pool->dtype,
    };
}

int pcri_pool_get(struct pcri_pool *pool, uint32_t slot_count, struct pcri_batch **out,
                  struct pcr_error *err)
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
        pthread_mutex_lock(&pool->mutex);
        pool->holds--;
        unlock(pool);
        return rc;
    }
    batch_reset(b, pool, slot_count);
    *out = b;
    return 0;
}

void pcr_batch_release(struct pcr_batch *batch)
{
    if (!batch)
        return;
    struct pcri_batch *b = (struct pcri_batch *) batch;
    struct pcri_pool *pool = b->pool;
    pthread_mutex_lock(&pool->mutex);
    bool keep = pool->free_count < pool->keep_count;
    if (keep) {
        b->next = pool->free;
        pool->free = b;
        pool->free_count++;
    }
    pool->holds--;
    unlock(pool);
    if (!keep)
        batch_free(b);
}

uint8_t *pcri_batch_slot(struct pcri_batch *b, uint32_t slot)
{
    return b->view.pixels + slot * b->pool->sample_nbytes;
}

void pcri_batch_compact(struct pcri_batch *b)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        if (!b->filled[i])
            continue;
        if (n < i) {
            memcpy(pcri_batch_slot(b, n), pcri_batch_slot(b, i), b->pool->sample_nbytes);
            b->labels[n] = b->labels[i];
            b->indices[n] = b->indices[i];
            b->fidelities[n] = b->fidelities[i];
            b->datasets[n] = b->datasets[i];
        }
        n++;
    }
    b->view.sample_count = n;
}
