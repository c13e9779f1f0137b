/* SPDX-License-Identifier: BSD-2-Clause */
/* AC refinement scans.
 *
 * In a refinement scan the run of a symbol counts coefficients that are still zero, and each
 * nonzero one that it passes takes a correction bit. The block's 64-bit mask of nonzero
 * coefficients gives both without looking at coefficients one by one; how depends on the CPU
 * (decode_refine_pdep.c, decode_refine_portable.c). The data of these scans is bit-reversed in
 * each byte when it is unstuffed, so that the first of several correction bits is the lowest,
 * like the first coefficient's in the mask.
 *
 * A symbol must be decoded before the next one can be found, so that one scan by itself leaves
 * most of a CPU idle. But a block of a scan depends only on the same block of the scan before
 * it. So all refinement scans of an image are decoded together, in chunks of blocks: each
 * chunk as soon as the scans before have refined it, the latest scan first, which also finds
 * the chunk's coefficients in the first cache. */
#include <stdlib.h>

#include "refine_queue.h"

struct pcri_refine_scan *pcri_refine_queue_next(struct pcri_refine_queue *q,
                                                struct pcr_error *err)
{
    struct pcri_refine_scan **s = &q->scans[q->count];
    if (!*s)
        *s = pcri_calloc(1, sizeof(**s), err);
    return *s;
}

void pcri_refine_queue_free(struct pcri_refine_queue *q)
{
    for (int i = 0; i < PCRI_REFINE_QUEUE_SCANS; i++) {
        if (q->scans[i])
            pcri_entropy_free(&q->scans[i]->entropy);
        free(q->scans[i]);
    }
    *q = (struct pcri_refine_queue) { 0 };
}

/* --- one scan --- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The scan at the beginning of its restart interval. */
static void begin_interval(struct pcri_refine_scan *s)
{
    const struct pcri_scan_job *job = &s->job;
    struct pcri_refiner *f = &s->refiner;
    const size_t *ends = s->entropy.interval_end;
    f->data = s->entropy.data.data;
    f->bit = s->interval ? ends[s->interval - 1] * 8 : 0;
    f->bit_end = ends[s->interval] * 8;
    f->eob_run = 0;
    f->stop = s->interval + 1 < s->entropy.interval_count
                  ? f->block + job->restart_interval
                  : (size_t) f->blocks->blocks_x * f->blocks->blocks_y;
}

/* The next chunk, or the end. */
static void set_chunk(struct pcri_refine_scan *s)
{
    struct pcri_refiner *f = &s->refiner;
    size_t wanted = pcri_kept_end(f->blocks), chunk = f->block / PCRI_REFINE_CHUNK + 1;
    s->done = f->block >= wanted || s->interval == s->entropy.interval_count;
    f->end = smaller(chunk * PCRI_REFINE_CHUNK, smaller(f->stop, wanted));
}

static void begin_scan(struct pcri_refine_scan *s)
{
    const struct pcri_scan_job *job = &s->job;
    struct pcri_refiner *f = &s->refiner;
    f->table = job->ac[0];
    f->several = job->several;
    f->steps = job->steps;
    f->band = (~UINT64_C(0) << job->ss) & (~UINT64_C(0) >> (63 - job->se));
    f->band_begin = job->ss;
    f->band_end = job->se + 1u;
    f->step = 1 << job->al;
    f->blocks = &job->planes[job->components[0]];
    f->block = 0;
    f->damaged = f->chunk.begun = false;
    s->interval = 0;
    s->in_lane = false;
    begin_interval(s);
    set_chunk(s);
}

static int damaged(const struct pcri_refine_scan *s, const char *what, struct pcr_error *err)
{
    const struct pcri_scan_job *job = &s->job;
    return pcri_fail_at(err, PCR_ERR_CORRUPT, s->offset,
                        "scan %u-%u,%u,%u of component %u, block %zu: %s", job->ss, job->se,
                        job->ah, job->al, (unsigned) job->components[0], s->refiner.block,
                        what);
}

/* After a chunk. */
static int go_on(struct pcri_refine_scan *s, struct pcr_error *err)
{
    struct pcri_refiner *f = &s->refiner;
    if (f->block == f->stop) {
        unsigned used = f->bit % 8, rest = f->data[f->bit / 8] >> used;
        bool padded = !used || !rest || rest == 0xFFu >> used;
        if (!padded && pcri_goes_on(&s->job, s->interval, f->bit_end - f->bit))
            return damaged(s, "the data goes on after it", err);
        if (++s->interval < s->entropy.interval_count)
            begin_interval(s);
    }
    set_chunk(s);
    return 0;
}

/* --- all scans --- */

/* Which of the scans before it have coefficients of its band. */
static void find_order(struct pcri_refine_queue *q, unsigned i)
{
    struct pcri_refine_scan *s = q->scans[i];
    s->after = 0;
    for (unsigned k = 0; k < i; k++)
        if (q->scans[k]->job.components[0] == s->job.components[0] &&
            q->scans[k]->refiner.band & s->refiner.band)
            s->after |= UINT32_C(1) << k;
}

static bool is_ready(const struct pcri_refine_queue *q, unsigned i)
{
    const struct pcri_refine_scan *s = q->scans[i];
    if (s->done || s->in_lane)
        return false;
    for (unsigned k = 0; k < i; k++)
        if (s->after >> k & 1 && q->scans[k]->refiner.block < s->refiner.end)
            return false;
    return true;
}

/* The latest scan that may continue; NULL if there is none. */
static struct pcri_refine_scan *find_ready(struct pcri_refine_queue *q)
{
    for (unsigned i = q->count; i--;)
        if (is_ready(q, i))
            return q->scans[i];
    return NULL;
}

static int refine_queued(struct pcri_refine_queue *q, struct pcr_error *err)
{
    const struct pcri_refine_way *way = pcri_refine_choose();
    struct pcri_refine_scan *scans[PCRI_REFINE_LANES], *s;
    struct pcri_refiner *lanes[PCRI_REFINE_LANES];
    unsigned count = 0;
    for (;;) {
        for (; count < PCRI_REFINE_LANES && (s = find_ready(q)); count++) {
            s->in_lane = true;
            scans[count] = s;
            lanes[count] = &s->refiner;
        }
        if (!count)
            return 0;
        way->run(lanes, count);
        for (unsigned i = count; i--;) {
            s = scans[i];
            if (s->refiner.damaged)
                return damaged(
                    s, "no such code, a run past the block or scan, or the data ends", err);
            if (s->refiner.block < s->refiner.end)
                continue;
            way->change(lanes[i]);
            int rc = go_on(s, err);
            if (rc)
                return rc;
            s->in_lane = false;
            count--;
            scans[i] = scans[count];
            lanes[i] = lanes[count];
        }
    }
}

int pcri_refine_queue_run(struct pcri_refine_queue *q, struct pcr_error *err)
{
    for (unsigned i = 0; i < q->count; i++) {
        begin_scan(q->scans[i]);
        find_order(q, i);
    }
    int rc = refine_queued(q, err);
    q->count = 0;
    return rc;
}
