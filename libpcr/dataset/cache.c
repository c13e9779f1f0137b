/* SPDX-License-Identifier: BSD-2-Clause */
/* The most recently used records stay open with their heads. All lists are under one mutex;
 * reading and parsing are not, so that a slow record delays only those who want that
 * record. */
#include <stdlib.h>

#include "dataset.h"

int pcri_cache_init(struct pcri_cache *c, uint64_t record_count, uint32_t capacity,
                    struct pcr_error *err)
{
    c->held = pcri_calloc(record_count, sizeof(*c->held), err);
    c->capacity = capacity;
    return c->held ? 0 : PCR_ERR_NOMEM;
}

static void destroy(struct pcri_held *h)
{
    if (!h)
        return;
    pcri_record_close(&h->record);
    pcri_held_originals_free(h);
    free(h);
}

void pcri_cache_free(struct pcri_cache *c)
{
    while (c->newest) {
        struct pcri_held *h = c->newest;
        c->newest = h->older;
        destroy(h);
    }
    free(c->held);
    c->held = NULL;
}

static void unlink_held(struct pcri_cache *c, struct pcri_held *h)
{
    *(h->newer ? &h->newer->older : &c->newest) = h->older;
    *(h->older ? &h->older->newer : &c->oldest) = h->newer;
    h->newer = h->older = NULL;
    c->count--;
}

static void link_newest(struct pcri_cache *c, struct pcri_held *h)
{
    h->newer = NULL;
    h->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = h;
    c->newest = h;
    c->count++;
}

/* Takes h out of the cache. Returns it if that was its last reference. */
static struct pcri_held *drop(struct pcri_cache *c, struct pcri_held *h)
{
    unlink_held(c, h);
    c->held[h->number] = NULL;
    return --h->references ? NULL : h;
}

/* Drops the oldest record beyond the capacity. A record that is held lives on until it is
 * released; one that is being opened is skipped. */
static struct pcri_held *evict(struct pcri_cache *c)
{
    if (c->count <= c->capacity)
        return NULL;
    for (struct pcri_held *h = c->oldest; h; h = h->newer)
        if (h->record)
            return drop(c, h);
    return NULL;
}

bool pcri_cache_shrink(struct pcri_cache *c)
{
    pthread_mutex_lock(&c->mutex);
    struct pcri_held *h = c->oldest;
    while (h && (!h->record || h->references > 1))
        h = h->newer;
    if (h)
        h = drop(c, h);
    pthread_mutex_unlock(&c->mutex);
    destroy(h);
    return h;
}

/* Finds the record in the cache, and waits if another thread is opening it. If it is not
 * there, `fresh` is put in its place for the caller to open. NULL: the wait was stopped. Under
 * the mutex. */
static struct pcri_held *find(struct pcri_cache *c, uint64_t number, struct pcri_held *fresh)
{
    struct pcri_held *h;
    while ((h = c->held[number]) && !h->record) {
        if (pcri_wait_stopped())
            return NULL;
        pcri_cond_wait(&c->opened, &c->mutex);
    }
    if (h) {
        unlink_held(c, h);
    } else {
        h = c->held[number] = fresh;
        h->number = number;
        h->references = 1; /* the cache's */
    }
    h->references++;
    link_newest(c, h);
    return h;
}

int pcri_hold(struct pcr_dataset *ds, uint64_t number, struct pcri_held **out,
              struct pcr_error *err)
{
    struct pcri_cache *c = &ds->cache;
    struct pcri_record *record = NULL;
    struct pcri_held *fresh = pcri_calloc(1, sizeof(*fresh), err), *gone = NULL;
    if (!fresh)
        return PCR_ERR_NOMEM;

    pthread_mutex_lock(&c->mutex);
    struct pcri_held *h = find(c, number, fresh);
    pthread_mutex_unlock(&c->mutex);
    if (h != fresh) {
        free(fresh);
        *out = h;
        return h ? 0 : pcri_fail_stopped(err);
    }

    int rc = pcri_dataset_open_record(ds, number, pcri_parse_flags(ds), &record, err);
    pthread_mutex_lock(&c->mutex);
    h->record = record;
    if (rc) {
        drop(c, h); /* our own reference is left */
        gone = h;
    } else {
        gone = evict(c);
        *out = h;
    }
    pthread_cond_broadcast(&c->opened);
    pthread_mutex_unlock(&c->mutex);
    destroy(gone);
    return rc;
}

void pcri_cache_forget_opening(struct pcri_cache *c)
{
    struct pcri_held *newer;
    for (struct pcri_held *h = c->oldest; h; h = newer) {
        newer = h->newer;
        if (!h->record)
            (void) drop(c, h); /* the reference of its thread is never given back */
    }
    /* The threads that waited do not exist either. */
    pcri_cond_init(&c->opened);
}

void pcri_let_go(struct pcr_dataset *ds, struct pcri_held *held)
{
    pthread_mutex_lock(&ds->cache.mutex);
    bool last = !--held->references;
    pthread_mutex_unlock(&ds->cache.mutex);
    if (last)
        destroy(held);
}
