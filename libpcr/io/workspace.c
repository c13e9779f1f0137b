/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of workspaces: as many as reads have run at once, freed with the last file. */
#include <pthread.h>
#include <stdlib.h>

#include "transfer.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct pcri_workspace *idle;
static size_t files;

static void destroy(struct pcri_workspace *w)
{
    pcri_ring_destroy(w);
    free(w->bounce);
    free(w);
}

void pcri_workspace_hold(void)
{
    pthread_mutex_lock(&mutex);
    files++;
    pthread_mutex_unlock(&mutex);
}

void pcri_workspace_drop(void)
{
    struct pcri_workspace *last = NULL;
    pthread_mutex_lock(&mutex);
    if (!--files) {
        last = idle;
        idle = NULL;
    }
    pthread_mutex_unlock(&mutex);
    while (last) {
        struct pcri_workspace *w = last;
        last = w->next;
        destroy(w);
    }
}

struct pcri_workspace *pcri_workspace_take(bool aligned, struct pcr_error *err)
{
    const size_t nbytes = (size_t) PCRI_DEPTH * PCRI_BOUNCE_NBYTES;
    pthread_mutex_lock(&mutex);
    struct pcri_workspace *w = idle;
    if (w)
        idle = w->next;
    pthread_mutex_unlock(&mutex);

    if (!w && !(w = pcri_calloc(1, sizeof(*w), err)))
        return NULL;
    void *bounce = w->bounce;
    if (aligned && !bounce && posix_memalign(&bounce, PCRI_ALIGN_MAX, nbytes)) {
        destroy(w);
        pcri_fail_nomem(err, nbytes);
        return NULL;
    }
    w->bounce = bounce;
    return w;
}

void pcri_workspace_give(struct pcri_workspace *w)
{
    pthread_mutex_lock(&mutex);
    w->next = idle;
    idle = w;
    pthread_mutex_unlock(&mutex);
}

void pcri_workspace_lock(int (*act)(pthread_mutex_t *))
{
    act(&mutex);
}
