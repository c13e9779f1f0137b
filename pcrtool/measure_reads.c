/* SPDX-License-Identifier: BSD-2-Clause */
/* The rate of reading without decoding: slices, as a loader reads them. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

enum {
    SLICE_SAMPLES = 64,
    THREADS = 8, /* at first, and at most; a loader's defaults */
    THREADS_MOST = 128,
};

struct slice {
    uint64_t record;
    uint32_t first, count;
};

struct reading {
    struct pcr_dataset *ds;
    struct slice *slices;
    size_t slice_count;
    uint32_t fidelity;
    bool once;
    double end;
    atomic_size_t next;
    atomic_ullong sample_count;
    atomic_bool failed;
    struct pcr_error err; /* of the thread that set `failed` */
};

/* The part's slices in a scattered order, like that of a shuffled epoch. */
static int list_slices(const struct pcrtool_part *part, struct reading *r,
                       struct pcr_error *err)
{
    r->slices = pcrtool_calloc(part->index_count, sizeof(*r->slices));
    if (!r->slices) {
        *err = (struct pcr_error) { .code = PCR_ERR_NOMEM, .message = "out of memory" };
        return err->code;
    }
    for (uint64_t i = 0; i < part->record_count; i++) {
        struct pcr_record_info info = { .size = sizeof(info) };
        int rc = pcr_dataset_record(r->ds, part->records[i], &info, err);
        if (rc)
            return rc;
        for (uint32_t first = 0; first < info.sample_count; first += SLICE_SAMPLES) {
            uint32_t left = info.sample_count - first;
            r->slices[r->slice_count++] = (struct slice) {
                part->records[i],
                first,
                left < SLICE_SAMPLES ? left : SLICE_SAMPLES,
            };
        }
    }
    uint64_t random = 1;
    for (size_t i = r->slice_count; i > 1; i--) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t k = (size_t) (random >> 33) % i;
        struct slice s = r->slices[k];
        r->slices[k] = r->slices[i - 1];
        r->slices[i - 1] = s;
    }
    return 0;
}

static void *read_slices(void *arg)
{
    struct reading *r = arg;
    while (!r->failed && pcrtool_now() < r->end) {
        size_t i = r->next++;
        if (r->once && i >= r->slice_count)
            break;
        const struct slice *s = &r->slices[i % r->slice_count];
        struct pcr_slice *slice = NULL;
        struct pcr_error err;
        int rc = pcr_slice_read(r->ds, s->record, s->first, s->count, r->fidelity, &slice,
                                &err);
        if (rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED)
            continue; /* bad samples are skipped, and with them their neighbours */
        if (rc) {
            bool no = false;
            if (atomic_compare_exchange_strong(&r->failed, &no, true))
                r->err = err;
            break;
        }
        r->sample_count += s->count;
        pcr_slice_release(&slice);
    }
    return NULL;
}

static int run_threads(struct reading *r, uint32_t count, double seconds,
                       struct pcrtool_rate *out, struct pcr_error *err)
{
    pthread_t threads[THREADS_MOST];
    double start = pcrtool_now();
    r->end = start + seconds;
    r->sample_count = 0;
    out->threads = 0;
    for (; out->threads < count; out->threads++)
        if (pthread_create(&threads[out->threads], NULL, read_slices, r))
            break;
    if (!out->threads)
        read_slices(r);
    for (uint32_t i = 0; i < out->threads; i++)
        pthread_join(threads[i], NULL);
    out->seconds = pcrtool_now() - start;
    out->sample_count = r->sample_count;
    if (!r->failed)
        return 0;
    *err = r->err;
    return err->code;
}

/* More threads as long as they read a sixth more, like a loader. */
static int run_measure_reads(struct reading *r, double seconds, struct pcrtool_rate *out,
                             struct pcr_error *err)
{
    struct pcrtool_rate more = *out;
    int rc = run_threads(r, THREADS, seconds / 2, out, err);
    for (uint32_t n = THREADS * 2; !rc && n <= THREADS_MOST; n *= 2) {
        if (r->once && r->next >= r->slice_count)
            break;
        rc = run_threads(r, n, seconds / 4, &more, err);
        if (pcrtool_rate_images(&more) * 6 < pcrtool_rate_images(out) * 7)
            break;
        *out = more;
    }
    return rc;
}

int pcrtool_measure_reads(const struct pcrtool_part *part, const struct pcrtool_case *c,
                          struct pcrtool_rate *out, struct pcr_error *err)
{
    struct reading r = { .fidelity = c->fidelity, .once = c->cold };
    memset(out, 0, sizeof(*out));
    int rc = pcrtool_part_open(part, c->io_backend, &r.ds, err);
    if (!rc && !(rc = list_slices(part, &r, err)))
        rc = c->cold ? pcrtool_part_cool(part, r.ds, &out->pages_stay, err)
                     : pcrtool_part_warm(part, err);
    if (!rc)
        rc = run_measure_reads(&r, c->seconds, out, err);
    free(r.slices);
    pcr_dataset_close(&r.ds);
    return rc;
}
