/* SPDX-License-Identifier: BSD-2-Clause */
/* All datasets that are open, for what concerns them together.
 *
 * Where a process has no descriptors left, records that are merely kept open are closed, of
 * whichever dataset.
 *
 * Datasets work on in a forked child, whatever other threads were doing in them: a child has a
 * copy of every lock, but only the thread that forked, so a lock that another thread held would
 * stay locked. fork() waits until it has all datasets' locks itself, and what was being opened by
 * a thread that is not there is forgotten in the child. */
#include "../io/transfer.h"
#include "dataset.h"

static atomic_int watched;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of the list */
static struct pcr_dataset *first;

/* In the order in which threads take several of them. */
static void each_lock(struct pcr_dataset *ds, int (*act)(pthread_mutex_t *))
{
    act(&ds->keys.mutex);
    act(&ds->cache.mutex);
    act(&ds->spare.mutex);
    pcri_layers_each_lock(ds->layers, act);
}

static void prepare(void)
{
    pthread_mutex_lock(&mutex);
    for (struct pcr_dataset *ds = first; ds; ds = ds->next)
        each_lock(ds, pthread_mutex_lock);
    pcri_workspace_lock(pthread_mutex_lock);
}

static void in_parent(void)
{
    pcri_workspace_lock(pthread_mutex_unlock);
    for (struct pcr_dataset *ds = first; ds; ds = ds->next)
        each_lock(ds, pthread_mutex_unlock);
    pthread_mutex_unlock(&mutex);
}

static void in_child(void)
{
    for (struct pcr_dataset *ds = first; ds; ds = ds->next) {
        pcri_cache_forget_opening(&ds->cache);
        pcri_key_index_forget_building(&ds->keys);
    }
    in_parent();
}

/* Closes the record of some dataset that is not in use; false if there is none. */
static bool close_one(void)
{
    bool closed = false;
    pthread_mutex_lock(
        &mutex); /* so that none is closed meanwhile. A program's storage is not called under
                  * it: fork() waits for the mutex, perhaps in a thread that the storage waits
                  * for */
    for (struct pcr_dataset *ds = first; ds && !closed; ds = ds->next)
        closed = ds->storage->kind->uses_descriptors && pcri_cache_shrink(&ds->cache);
    pthread_mutex_unlock(&mutex);
    return closed;
}

int pcri_registry_add(struct pcr_dataset *ds, struct pcr_error *err)
{
    int rc = pcri_at_fork(&watched, prepare, in_parent, in_child, err);
    if (rc)
        return rc;
    pcri_fd_on_shortage(close_one);
    pthread_mutex_lock(&mutex);
    ds->next = first;
    first = ds;
    pthread_mutex_unlock(&mutex);
    return 0;
}

void pcri_registry_remove(struct pcr_dataset *ds)
{
    pthread_mutex_lock(&mutex);
    struct pcr_dataset **link = &first;
    while (*link && *link != ds)
        link = &(*link)->next;
    if (*link)
        *link = ds->next;
    pthread_mutex_unlock(&mutex);
}
