/* SPDX-License-Identifier: BSD-2-Clause */
/* Datasets work on in a forked child, whatever other threads were doing in them.
 *
 * A child has a copy of every lock, but only the thread that forked: a lock that another
 * thread held would stay locked. So fork() waits till it has all datasets' locks itself, and
 * what was being opened by a thread that is not there is forgotten in the child. */
#include "../io/transfer.h"
#include "dataset.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
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
    for (struct pcr_dataset *ds = first; ds; ds = ds->next)
        pcri_cache_forget_opening(&ds->cache);
    in_parent();
}

static void watch(void)
{
    /* It fails only without memory; a child may then wait for ever, as without it. */
    (void) pthread_atfork(prepare, in_parent, in_child);
}

void pcri_fork_add(struct pcr_dataset *ds)
{
    pthread_once(&once, watch);
    pthread_mutex_lock(&mutex);
    ds->next = first;
    first = ds;
    pthread_mutex_unlock(&mutex);
}

void pcri_fork_remove(struct pcr_dataset *ds)
{
    pthread_mutex_lock(&mutex);
    struct pcr_dataset **link = &first;
    while (*link && *link != ds)
        link = &(*link)->next;
    if (*link)
        *link = ds->next;
    pthread_mutex_unlock(&mutex);
}
