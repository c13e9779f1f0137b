/* SPDX-License-Identifier: BSD-2-Clause */
/* How well BLOCK orders shuffle, against a true permutation (FULL), and what ranks read.
 *
 * bench_shuffle [SAMPLES CLASSES]: orders of a dataset whose samples stand class by class, as
 * they would without a conversion's shuffle; no images are needed. Output: Markdown tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../loaders/order/assignment.h"
#include "bench.h"

enum { RECORD = 1024, BATCH = 256, EPOCHS = 4 };

/* A dataset and an order of it. */
struct trial {
    uint64_t samples, classes;
    struct pcr_loader_options o;
    struct pcri_catalog *catalog;
    struct pcri_contents *contents;
    struct pcri_order order;
};

static int set_up(struct trial *t, struct pcr_error *err)
{
    uint64_t records = (t->samples + RECORD - 1) / RECORD;
    int rc = pcri_catalog_create_empty(1, records, &t->o, &t->catalog, err);
    for (uint64_t r = 0; !rc && r < records; r++) {
        uint64_t left = t->samples - r * RECORD;
        uint32_t n = left < RECORD ? (uint32_t) left : RECORD;
        pcri_catalog_add(t->catalog, 0, r, n, n);
    }
    if (!rc)
        rc = pcri_catalog_finish(t->catalog, &t->o, err);
    if (!rc)
        rc = pcri_contents_create(t->catalog, 0, &t->contents, err);
    t->order = (struct pcri_order) { t->catalog, t->contents };
    return rc;
}

static void tear_down(struct trial *t)
{
    pcri_contents_destroy(&t->contents);
    pcri_catalog_destroy(&t->catalog);
}

static uint64_t number(const struct trial *t, const struct pcri_order_window *w, uint32_t span,
                       uint32_t entry)
{
    return w->spans[span].first_number + pcri_span_place(&t->order, &w->spans[span], entry);
}

/* --- the quality of an order --- */

struct quality {
    double distance; /* between neighbours, mean */
    double near;     /* pairs of neighbours that are less than 1% of the dataset apart */
    double classes;  /* in a batch, mean */
    double spread;   /* of a class's samples in a batch: variance by that of chance */
    double drift;    /* of the batches' mean sample numbers: deviation */
    double reads;    /* slices for a sample */
};

/* Adds a batch. counts: of each class, zero before and after. */
static void add_batch(const struct trial *t, const uint64_t *batch, uint32_t *counts,
                      struct quality *q)
{
    double mean = 0, expected = (double) BATCH / (double) t->classes, squares = 0, seen = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        counts[batch[i] * t->classes / t->samples]++;
        mean += (double) batch[i] / BATCH;
    }
    for (uint64_t c = 0; c < t->classes; c++) {
        seen += counts[c] > 0;
        squares += (counts[c] - expected) * (counts[c] - expected);
        counts[c] = 0;
    }
    q->classes += seen;
    q->spread += squares / (double) t->classes;
    q->drift += (mean - (double) t->samples / 2) * (mean - (double) t->samples / 2);
}

static int walk(struct trial *t, uint64_t epoch, uint64_t *all, uint64_t *spans,
                struct pcr_error *err)
{
    struct pcri_order_plan plan = { .epoch = epoch };
    struct pcri_order_window w;
    uint64_t at = 0;
    int rc;
    while (!(rc = pcri_order_next(&t->order, &plan, &w, err))) {
        for (uint32_t i = 0; i < w.sample_count; i++) {
            uint32_t span, entry;
            pcri_order_window_sample(&w, i, &span, &entry);
            all[at++] = number(t, &w, span, entry);
        }
        *spans += w.span_count;
        pcri_order_window_free(&w);
    }
    return rc == PCR_END ? 0 : rc;
}

static int measure(struct trial *t, struct quality *q, struct pcr_error *err)
{
    uint64_t *all = pcri_calloc(t->samples, sizeof(*all), err), spans = 0;
    uint32_t *counts = pcri_calloc(t->classes, sizeof(*counts), err);
    double batches = 0, pairs = 0;
    int rc = all && counts ? set_up(t, err) : PCR_ERR_NOMEM;
    *q = (struct quality) { 0 };
    for (uint64_t epoch = 0; !rc && epoch < EPOCHS; epoch++) {
        rc = walk(t, epoch, all, &spans, err);
        for (uint64_t i = 1; i < t->samples; i++, pairs++) {
            double d = fabs((double) all[i] - (double) all[i - 1]);
            q->distance += d;
            q->near += d < (double) t->samples / 100;
        }
        for (uint64_t i = 0; i + BATCH <= t->samples; i += BATCH, batches++)
            add_batch(t, all + i, counts, q);
    }
    q->distance /= pairs;
    q->near /= pairs;
    q->classes /= batches;
    q->spread /= batches;
    q->drift = sqrt(q->drift / batches);
    q->reads = (double) spans / ((double) t->samples * EPOCHS);
    free(all);
    free(counts);
    tear_down(t);
    return rc;
}

static int table(struct trial *t, struct pcr_error *err)
{
    static const uint32_t sizes[][2] = {
        { 16, 1024 },  { 16, 4096 },  { 16, 16384 }, { 64, 1024 },   { 64, 4096 },
        { 64, 16384 }, { 64, 65536 }, { 256, 4096 }, { 256, 16384 }, { 1024, 16384 },
    };
    struct quality full, q;
    t->o.order.shuffle = PCR_SHUFFLE_FULL;
    int rc = measure(t, &full, err);
    if (rc)
        return rc;
    printf("| block | window | slices | distance | near pairs | classes a batch | spread "
           "| drift | reads a 1,000 samples |\n|---|---|---|---|---|---|---|---|---|\n");
    printf("| FULL | | | 1.00 | %.1f%% | %.1f | 1.00 | 1.00 | 1000 |\n", full.near * 100,
           full.classes);
    t->o.order.shuffle = PCR_SHUFFLE_BLOCK;
    for (size_t i = 0; !rc && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        t->o.order.block_samples = sizes[i][0];
        t->o.order.window_samples = sizes[i][1];
        rc = measure(t, &q, err);
        if (!rc)
            printf("| %u | %u | %u | %.2f | %.1f%% | %.1f | %.2f | %.2f | %.1f |\n",
                   (unsigned) sizes[i][0], (unsigned) sizes[i][1],
                   (unsigned) (sizes[i][1] / sizes[i][0]), q.distance / full.distance,
                   q.near * 100, q.classes, q.spread / full.spread, q.drift / full.drift,
                   q.reads * 1000);
    }
    return rc;
}

/* --- what ranks read --- */

/* Of rank 0: slices that it has a part of, the parts that are whole, and the classes of its
 * batches. */
struct share {
    double parts, whole, samples, classes, batches;
};

static int add_window(struct trial *t, const struct pcri_shard *s,
                      const struct pcri_order_window *w, uint64_t *mine, struct share *out,
                      struct pcr_error *err)
{
    uint64_t before = pcri_shard_before(s, w->position);
    uint64_t n = pcri_shard_before(s, w->position + w->sample_count) - before;
    struct pcri_pick *picks = pcri_calloc(n, sizeof(*picks), err);
    uint32_t *counts = pcri_calloc(w->span_count, sizeof(*counts), err);
    int rc = picks && counts ? pcri_assign(s, w, picks, err) : PCR_ERR_NOMEM;
    for (uint64_t i = 0; !rc && i < n; i++) {
        counts[picks[i].span]++;
        mine[before + i] = number(t, w, picks[i].span, picks[i].entry);
    }
    for (uint32_t k = 0; !rc && k < w->span_count; k++) {
        out->parts += counts[k] > 0;
        out->whole += counts[k] == w->spans[k].count;
    }
    free(picks);
    free(counts);
    return rc;
}

static int measure_rank(struct trial *t, struct share *out, struct pcr_error *err)
{
    struct pcri_shard s;
    struct pcri_order_plan plan = { .epoch = 1 };
    struct pcri_order_window w;
    struct quality q = { 0 };
    uint64_t *mine = pcri_calloc(t->samples, sizeof(*mine), err);
    uint32_t *counts = pcri_calloc(t->classes, sizeof(*counts), err);
    int rc = mine && counts ? set_up(t, err) : PCR_ERR_NOMEM;
    *out = (struct share) { 0 };
    pcri_shard_init(&t->o, 0, t->samples, &s);
    while (!rc && !(rc = pcri_order_next(&t->order, &plan, &w, err))) {
        rc = add_window(t, &s, &w, mine, out, err);
        pcri_order_window_free(&w);
    }
    out->samples = (double) pcri_shard_sample_count(&s);
    for (uint64_t i = 0; i + BATCH <= pcri_shard_sample_count(&s); i += BATCH)
        add_batch(t, mine + i, counts, &q), out->batches++;
    out->classes = out->batches > 0 ? q.classes / out->batches : 0;
    free(mine);
    free(counts);
    tear_down(t);
    return rc == PCR_END ? 0 : rc;
}

static int rank_table(struct trial *t, struct pcr_error *err)
{
    int rc = 0;
    printf("\n| ranks | window | reads a 1,000 samples | of whole slices | classes a rank's "
           "batch |\n|---|---|---|---|---|\n");
    t->o.order.shuffle = PCR_SHUFFLE_BLOCK;
    t->o.order.block_samples = 64;
    for (uint32_t grown = 0; !rc && grown < 2; grown++)
        for (uint32_t world = grown ? 4 : 1; !rc && world <= 64; world *= 4) {
            struct share share;
            t->o.shard.world = world;
            t->o.order.window_samples = grown ? 4096 * world : 4096;
            t->o.shard.rank = world / 2;
            rc = measure_rank(t, &share, err);
            if (!rc)
                printf("| %u | %u | %.1f | %.0f%% | %.1f |\n", (unsigned) world,
                       (unsigned) t->o.order.window_samples,
                       share.parts / share.samples * 1000, share.whole / share.parts * 100,
                       share.classes);
        }
    return rc;
}

/* --- what drawing by weight takes --- */

static int draw_table(struct trial *t, struct pcr_error *err)
{
    double *weights = pcri_calloc(t->samples, sizeof(*weights), err);
    int rc = weights ? 0 : PCR_ERR_NOMEM;
    for (uint64_t i = 0; !rc && i < t->samples; i++)
        weights[i] = 1 + (double) (pcri_mix(i) % 100);
    t->o.samples.weights = weights;
    t->o.samples.count = t->samples;
    t->o.order.epoch_samples = t->samples / 2;
    printf("\n| drawing half of the samples by weight | us a sample |\n|---|---|\n");
    for (uint32_t once = 0; !rc && once < 2; once++) {
        t->o.flags = once ? PCR_LOADER_ONCE : 0;
        rc = set_up(t, err); /* has drawn once */
        pcri_contents_destroy(&t->contents);
        double start = bench_cpu();
        if (!rc)
            rc = pcri_contents_create(t->catalog, 1, &t->contents, err);
        if (!rc)
            printf("| %s replacement | %.3f |\n", once ? "without" : "with",
                   (bench_cpu() - start) * 1e6 / (double) t->samples);
        tear_down(t);
    }
    free(weights);
    return rc;
}

int main(int argc, char **argv)
{
    struct pcr_error err = { 0 };
    struct trial t = {
        .samples = argc > 1 ? strtoull(argv[1], NULL, 10) : 1280000,
        .classes = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000,
        .o = { .size = sizeof(t.o),
               .seed = 1,
               .batch_size = BATCH,
               .shard.world = 1,
               .order.block_samples = 64,
               .order.window_samples = 4096,
               .order.window_nbytes = UINT64_MAX },
    };
    if (t.samples < BATCH || !t.classes || t.classes > t.samples) {
        fprintf(stderr, "usage: bench_shuffle [SAMPLES CLASSES]\n");
        return 2;
    }
    int rc = table(&t, &err);
    if (!rc)
        rc = rank_table(&t, &err);
    if (!rc)
        rc = draw_table(&t, &err);
    if (rc)
        fprintf(stderr, "bench_shuffle: %s\n", err.message);
    return rc != 0;
}
