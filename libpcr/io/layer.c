/* SPDX-License-Identifier: BSD-2-Clause */
/* The stack of layers. */
#include <stdlib.h>

#include "layer.h"

/* Puts a layer on top, if it is wanted. */
static void put(struct pcri_layers *all, struct pcri_layer *layer,
                const struct pcri_io_backend *kind, bool wanted)
{
    if (!wanted)
        return;
    *layer = (struct pcri_layer) { .base = *kind, .below = all->top, .all = all };
    all->top = &layer->base;
}

int pcri_layers_create(const struct pcri_io_backend *backend,
                       const struct pcri_layer_options *options, struct pcri_layers **out,
                       struct pcr_error *err)
{
    struct pcri_layers *all = pcri_calloc(1, sizeof(*all), err);
    if (!all)
        return PCR_ERR_NOMEM;
    const struct pcri_layer_options *o = options;
    int rc = o->cache_nbytes
                 ? pcri_store_create(o->cache_dir, o->cache_nbytes, &all->store, err)
                 : 0;
    if (rc) {
        free(all);
        return rc;
    }
    all->options = *o;
    all->options.cache_dir = NULL;
    all->mutex = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
    all->top = backend;
    put(all, &all->faults, &pcri_layer_faults, o->fault_interval);
    put(all, &all->throttle, &pcri_layer_throttle, o->throttle_nbytes_s || o->delay_us);
    put(all, &all->stats, &pcri_layer_stats, true);
    put(all, &all->retry, &pcri_layer_retry, o->retry_count);
    put(all, &all->cache, &pcri_layer_cache, o->cache_nbytes);
    *out = all;
    return 0;
}

void pcri_layers_each_lock(struct pcri_layers *layers, int (*act)(pthread_mutex_t *))
{
    if (layers->store)
        act(pcri_store_lock(layers->store));
    act(&layers->mutex);
}

void pcri_layers_destroy(struct pcri_layers **layers)
{
    if (!*layers)
        return;
    pcri_store_destroy(&(*layers)->store);
    pthread_mutex_destroy(&(*layers)->mutex);
    free(*layers);
    *layers = NULL;
}
