/* SPDX-License-Identifier: BSD-2-Clause */
/* Layers between a dataset and a backend, each with a backend's interface. From the top:
 * cache, retry, statistics, throttle, faults. Layers that nobody asked for are left out,
 * except statistics, which counts requests to storage. */
#ifndef PCRI_LAYER_H
#define PCRI_LAYER_H

#include <pthread.h>
#include <stdatomic.h>

#include "io.h"

struct pcri_layer_options {
    const char *cache_dir;      /* NULL: the cache is in memory */
    uint64_t cache_nbytes;      /* 0: no cache */
    uint64_t throttle_nbytes_s; /* bytes per second of all files together; 0: no bound */
    uint32_t delay_us;          /* before each read */
    uint32_t retry_count;       /* for transient errors */
    uint32_t fault_interval;    /* each n-th read fails; 0: none */
};

/* Counts since the layers were made. */
struct pcri_layer_counts {
    atomic_uint_least64_t open_count, read_count, range_count, read_nbytes, read_ns,
        error_count, retry_count, fault_count, throttle_ns;
    atomic_uint_least64_t cache_hit_nbytes, cache_miss_nbytes, cache_stored_nbytes,
        cache_bad_count, cache_failed_count;
};

struct pcri_layers;

/* A layer on the backend or layer below. */
struct pcri_layer {
    struct pcri_io_backend base; /* first, so that it leads back here */
    const struct pcri_io_backend *below;
    struct pcri_layers *all;
};

struct pcri_store;

struct pcri_layers {
    struct pcri_layer_options options;
    struct pcri_layer_counts counts;
    struct pcri_layer cache, retry, stats, throttle, faults;
    const struct pcri_io_backend *top;
    struct pcri_store *store; /* of the cache; NULL without one */
    pthread_mutex_t mutex;    /* of the members below */
    uint64_t free_at_ns;      /* throttle: when earlier requests are done */
    uint64_t fault_number;    /* faults: reads so far */
};

/* The options are copied, except for cache_dir's text, which is only used here. Codes: IO
 * (cache_dir cannot be created or written), NOMEM. */
int pcri_layers_create(const struct pcri_io_backend *backend,
                       const struct pcri_layer_options *options, struct pcri_layers **out,
                       struct pcr_error *err);
/* All files must be closed. Sets *layers to NULL. */
void pcri_layers_destroy(struct pcri_layers **layers);

/* Calls act on each lock of the layers, in the order in which they are taken. */
void pcri_layers_each_lock(struct pcri_layers *layers, int (*act)(pthread_mutex_t *));

/* --- for the layers --- */

/* A layer's file on the file below. */
struct pcri_layer_file {
    struct pcri_file base;
    struct pcri_file *below;
};

static inline struct pcri_layers *pcri_layers_of(const struct pcri_file *f)
{
    return ((const struct pcri_layer *) f->backend)->all;
}
static inline struct pcri_file *pcri_file_below(const struct pcri_file *f)
{
    return ((const struct pcri_layer_file *) f)->below;
}

/* Opens the file below and one on top of it. The latter takes file_nbytes and begins with a
 * pcri_layer_file. */
int pcri_layer_open(const struct pcri_io_backend *self, const char *path,
                    struct pcri_file **out, struct pcr_error *err);
int pcri_layer_open_larger(const struct pcri_io_backend *self, const char *path,
                           size_t file_nbytes, struct pcri_file **out, struct pcr_error *err);
void pcri_layer_close(struct pcri_file *f);
bool pcri_layer_identify(const struct pcri_file *f, uint64_t *out);

static inline uint64_t pcri_ranges_nbytes(const struct pcri_range *ranges, size_t count)
{
    uint64_t nbytes = 0;
    for (size_t i = 0; i < count; i++)
        nbytes += ranges[i].nbytes;
    return nbytes;
}

static inline void pcri_count(atomic_uint_least64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

extern const struct pcri_io_backend pcri_layer_cache, pcri_layer_retry, pcri_layer_stats,
    pcri_layer_throttle, pcri_layer_faults;

/* --- where a cache keeps its files (cache_store.c) --- */
int pcri_store_create(const char *dir, uint64_t max_nbytes, struct pcri_store **out,
                      struct pcr_error *err);
void pcri_store_destroy(struct pcri_store **store);
/* A descriptor of the cache file of an open file, empty if nothing is cached; -1 if there can
 * be none. The caller closes it; until then no store deletes it to make room. */
int pcri_store_open(struct pcri_store *store, const struct pcri_file *f);
pthread_mutex_t *pcri_store_lock(struct pcri_store *store);
/* Whether so many more bytes may be kept. */
bool pcri_store_reserve(struct pcri_store *store, uint64_t nbytes);

#endif
