/* SPDX-License-Identifier: BSD-2-Clause */
/* A read by requests: all its ranges are begun, then one thread waits for them, while any others
 * complete them. */
#include <pthread.h>
#include <stdlib.h>

#include <pcr/storage.h>

#include "io.h"

struct pending_read;

struct pcr_storage_request {
    struct pending_read *read;
    bool done;
};

struct pending_read {
    pthread_mutex_t mutex;
    pthread_cond_t done;                  /* `left` is 0 */
    struct pcr_storage_request *requests; /* one for each range */
    size_t left;                          /* requests that are not completed */
    int rc; /* of the first request that failed, in their order */
    size_t failed;
    struct pcr_error why;
};

void pcr_storage_complete(struct pcr_storage_request *request, int code,
                          const struct pcr_error *err)
{
    struct pending_read *r = request->read;
    size_t number = (size_t) (request - r->requests);
    pthread_mutex_lock(&r->mutex);
    if (code && (!r->rc || number < r->failed)) {
        r->why = err ? *err : (struct pcr_error) { .offset = PCR_NO_OFFSET };
        r->why.offset = PCR_NO_OFFSET; /* the range's is told */
        r->rc = pcri_settle(&r->why, code, "the storage");
        r->failed = number;
    }
    request->done = true;
    if (!--r->left)
        pthread_cond_signal(&r->done); /* under the lock: `r` ends with the wait */
    pthread_mutex_unlock(&r->mutex);
}

static void begin(struct pending_read *r, struct pcri_file *f, const struct pcri_range *ranges,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        r->requests[i].read = r;
        if (ranges[i].nbytes)
            f->backend->submit(f, &ranges[i], &r->requests[i]);
        else
            pcr_storage_complete(&r->requests[i], 0, NULL);
    }
}

/* Some may be completed meanwhile: what they are in stays until the wait is over. */
static void cancel(struct pending_read *r, struct pcri_file *f, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&r->mutex);
        const bool done = r->requests[i].done;
        pthread_mutex_unlock(&r->mutex);
        if (!done)
            f->backend->cancel(f, &r->requests[i]);
    }
}

static void wait(struct pending_read *r, struct pcri_file *f, size_t count)
{
    bool may_cancel = f->backend->cancel;
    pthread_mutex_lock(&r->mutex);
    while (r->left) {
        pcri_cond_wait(&r->done, &r->mutex);
        if (!r->left || !may_cancel || !pcri_wait_stopped())
            continue;
        may_cancel = false;
        pthread_mutex_unlock(&r->mutex);
        cancel(r, f, count);
        pthread_mutex_lock(&r->mutex);
    }
    pthread_mutex_unlock(&r->mutex);
    pthread_cond_destroy(&r->done);
    pthread_mutex_destroy(&r->mutex);
}

int pcri_read_by_requests(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                          struct pcr_error *err)
{
    struct pending_read r = { PTHREAD_MUTEX_INITIALIZER, .left = count };
    if (!count)
        return 0;
    r.requests = pcri_calloc(count, sizeof(*r.requests), err);
    if (!r.requests)
        return PCR_ERR_NOMEM;
    pcri_cond_init(&r.done);
    begin(&r, f, ranges, count);
    wait(&r, f, count);
    free(r.requests);
    if (!r.rc)
        return 0;
    const struct pcri_range *bad = &ranges[r.failed];
    return pcri_prefix(err, pcri_hand_on(err, r.rc, &r.why), "%s@%llu: cannot read %zu bytes",
                       f->path, (unsigned long long) bad->offset, bad->nbytes);
}
