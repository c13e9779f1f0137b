/* SPDX-License-Identifier: BSD-2-Clause */
/* order: each epoch is a bijection, mixes well, and depends on seed and epoch alone. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "../../loaders/order/assignment.h"
#include "../../loaders/order/replacement.h"
#include "suite.h"

enum { RECORDS = 40, KBYTE = 1024 };

/* Records of 1 to 200 samples of 20 kB. */
static uint32_t record_samples(uint32_t r)
{
    return 1 + r * 67 % 200;
}

static struct pcr_loader_options options(uint32_t shuffle)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .seed = 5,
        .batch_size = 32,
        .order.shuffle = shuffle,
        .order.block_samples = 16,
        .order.window_samples = 500,
        .order.window_nbytes = 1 << 30,
    };
}

/* A catalog and its contents of one epoch. */
struct made {
    struct pcri_catalog *catalog;
    struct pcri_contents *contents;
    struct pcri_order order;
};

static void deal(struct made *m, uint64_t epoch)
{
    pcri_contents_destroy(&m->contents);
    ck_assert_int_eq(pcri_contents_create(m->catalog, epoch, &m->contents, NULL), 0);
    m->order = (struct pcri_order) { m->catalog, m->contents };
}

/* Records divided out to so many datasets, in runs. */
static struct made make_order(const struct pcr_loader_options *o, uint32_t datasets)
{
    struct made m = { 0 };
    struct pcr_error err;
    ck_assert_int_eq(pcri_catalog_create_empty(datasets, RECORDS, o, &m.catalog, NULL), 0);
    for (uint32_t r = 0; r < RECORDS; r++) {
        uint32_t dataset = r * datasets / RECORDS, n = record_samples(r);
        pcri_catalog_add(m.catalog, dataset, r, n, (uint64_t) n * 20 * KBYTE);
    }
    int rc = pcri_catalog_finish(m.catalog, o, &err);
    ck_assert_msg(!rc, "%s", rc ? err.message : "");
    deal(&m, 0);
    return m;
}

static void destroy(struct made *m)
{
    pcri_contents_destroy(&m->contents);
    ck_assert_ptr_null(m->contents);
    pcri_catalog_destroy(&m->catalog);
    ck_assert_ptr_null(m->catalog);
}

/* The epoch's sample numbers in their order; checks what windows promise. */
static uint64_t *walk(struct made *m, uint64_t epoch)
{
    uint64_t n = m->catalog->entry_count, at = 0, wrong = 0;
    uint64_t *all = calloc(n + 1, sizeof(*all));
    ck_assert_ptr_nonnull(all);
    deal(m, epoch);
    struct pcri_order_plan plan = { .epoch = epoch };
    struct pcri_order_window w;
    int rc;
    while (!(rc = pcri_order_next(&m->order, &plan, &w, NULL))) {
        ck_assert_uint_eq(w.position, at);
        ck_assert_uint_gt(w.span_count, 0);
        ck_assert_uint_eq(w.span_first[w.span_count], w.sample_count);
        ck_assert_uint_le(at + w.sample_count, n);
        for (uint32_t i = 0; i < w.sample_count; i++) {
            uint32_t span, entry;
            pcri_order_window_sample(&w, i, &span, &entry);
            wrong += span >= w.span_count || entry >= w.spans[span].count;
            uint32_t place = pcri_span_place(&m->order, &w.spans[span], entry);
            wrong += place < w.spans[span].first ||
                     place - w.spans[span].first >= w.spans[span].extent;
            all[at++] = w.spans[span].first_number + place;
        }
        pcri_order_window_free(&w);
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_int_eq(rc, PCR_END);
    ck_assert_int_eq(pcri_order_next(&m->order, &plan, &w, NULL), PCR_END);
    ck_assert_uint_eq(at, n);
    return all;
}

START_TEST(bijection)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct made m = make_order(&o, 1);
    uint64_t n = m.catalog->entry_count, sum = 0;
    for (uint32_t r = 0; r < RECORDS; r++)
        sum += record_samples(r);
    ck_assert_uint_eq(n, sum);
    for (uint64_t epoch = 0; epoch < 5; epoch++) {
        uint64_t *all = walk(&m, epoch);
        uint8_t *seen = calloc(n, 1);
        ck_assert_ptr_nonnull(seen);
        for (uint64_t i = 0; i < n; i++) {
            ck_assert_uint_lt(all[i], n);
            ck_assert_uint_eq(seen[all[i]]++, 0);
            if (o.order.shuffle == PCR_SHUFFLE_NONE)
                ck_assert_uint_eq(all[i], i);
        }
        free(seen);
        free(all);
    }
    destroy(&m);
}
END_TEST

/* Spans lie within their record, and are read in as large pieces as allowed. */
START_TEST(spans_fit_records)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    struct made m = make_order(&o, 1);
    struct pcri_order_plan plan = { .epoch = 3 };
    struct pcri_order_window w;
    uint64_t first[RECORDS + 1] = { 0 }, spans = 0;
    for (uint32_t r = 0; r < RECORDS; r++)
        first[r + 1] = first[r] + record_samples(r);
    while (!pcri_order_next(&m.order, &plan, &w, NULL)) {
        for (uint32_t i = 0; i < w.span_count; i++) {
            const struct pcri_span *s = &w.spans[i];
            ck_assert_uint_lt(s->record, RECORDS);
            ck_assert_uint_eq(s->first_number, first[s->record]);
            ck_assert_uint_eq(s->extent, s->count);
            ck_assert_uint_le(s->first + s->count, record_samples((uint32_t) s->record));
            ck_assert(s->count == 16 ||
                      s->first + s->count == record_samples((uint32_t) s->record));
        }
        spans += w.span_count;
        ck_assert(w.sample_count >= 500 || plan.next_position == m.catalog->entry_count);
        ck_assert_uint_lt(w.sample_count, 500 + 16);
        pcri_order_window_free(&w);
    }
    uint64_t expected = 0;
    for (uint32_t r = 0; r < RECORDS; r++)
        expected += (record_samples(r) + 15) / 16;
    ck_assert_uint_eq(spans, expected);
    destroy(&m);
}
END_TEST

static double same_place(const uint64_t *a, const uint64_t *b, uint64_t n)
{
    uint64_t same = 0;
    for (uint64_t i = 0; i < n; i++)
        same += a[i] == b[i];
    return (double) same / (double) n;
}

START_TEST(seeds_and_epochs_differ)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct made order = make_order(&o, 1), again = make_order(&o, 1);
    o.seed = 6;
    struct made other = make_order(&o, 1);
    uint64_t n = order.catalog->entry_count;
    uint64_t *a = walk(&order, 7), *b = walk(&again, 7), *c = walk(&order, 8),
             *d = walk(&other, 7);
    ck_assert_mem_eq(a, b, n * sizeof(*a));
    ck_assert_double_lt(same_place(a, c, n), 0.01);
    ck_assert_double_lt(same_place(a, d, n), 0.01);
    free(a);
    free(b);
    free(c);
    free(d);
    destroy(&order);
    destroy(&again);
    destroy(&other);
}
END_TEST

/* How far the order is from even: the root mean square of (mean sample number of a batch
 * minus the middle), as a multiple of what a true permutation has. */
static double unevenness(const uint64_t *all, uint64_t n, uint64_t batch)
{
    double sum = 0, count = 0;
    for (uint64_t i = 0; i + batch <= n; i += batch, count++) {
        double mean = 0;
        for (uint64_t k = 0; k < batch; k++)
            mean += (double) all[i + k] / (double) batch;
        sum += (mean - n / 2.0) * (mean - n / 2.0);
    }
    return sqrt(sum / count) / (n / sqrt(12.0 * (double) batch));
}

/* A batch draws on the whole dataset under FULL, and on nearly all of it under BLOCK, where
 * a window mixes 31 blocks. */
START_TEST(mixing)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_FULL);
    struct made full = make_order(&o, 1);
    o.order.shuffle = PCR_SHUFFLE_BLOCK;
    struct made block = make_order(&o, 1);
    uint64_t n = full.catalog->entry_count;
    double worst_full = 0, worst_block = 0;
    for (uint64_t epoch = 0; epoch < 4; epoch++) {
        uint64_t *a = walk(&full, epoch), *b = walk(&block, epoch);
        worst_full = fmax(worst_full, unevenness(a, n, 32));
        worst_block = fmax(worst_block, unevenness(b, n, 32));
        /* samples that were neighbours are no neighbours now */
        uint64_t pairs = 0;
        for (uint64_t i = 1; i < n; i++)
            pairs += b[i] == b[i - 1] + 1 || b[i] + 1 == b[i - 1];
        ck_assert_double_lt((double) pairs / (double) n, 0.02);
        free(a);
        free(b);
    }
    ck_assert_double_lt(worst_full, 1.25);
    ck_assert_double_lt(worst_block, 2);
    destroy(&full);
    destroy(&block);
}
END_TEST

/* Large images make windows and spans smaller, so that two windows stay in bounds. */
START_TEST(window_bytes)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    o.order.window_nbytes = 40 * 20 * KBYTE; /* 40 samples */
    struct made m = make_order(&o, 1);
    struct pcri_order_plan plan = { .epoch = 0 };
    struct pcri_order_window w;
    while (!pcri_order_next(&m.order, &plan, &w, NULL)) {
        ck_assert_uint_le(w.sample_count, 25);
        for (uint32_t i = 0; i < w.span_count; i++)
            ck_assert_uint_le(w.spans[i].count, 5);
        pcri_order_window_free(&w);
    }
    free(walk(&m, 1));
    destroy(&m);

    o.order.window_nbytes = 1; /* smaller than one sample: one at a time */
    m = make_order(&o, 1);
    free(walk(&m, 1));
    destroy(&m);
}
END_TEST

START_TEST(empty)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcri_order_plan plan = { 0 };
    struct pcri_order_window w;
    struct made m = { 0 };
    ck_assert_int_eq(pcri_catalog_create_empty(1, 0, &o, &m.catalog, NULL), 0);
    ck_assert_int_eq(pcri_catalog_finish(m.catalog, &o, NULL), 0);
    ck_assert_uint_eq(m.catalog->entry_count, 0);
    deal(&m, 0);
    ck_assert_int_eq(pcri_order_next(&m.order, &plan, &w, NULL), PCR_END);
    destroy(&m);
    pcri_catalog_destroy(NULL);
    pcri_contents_destroy(NULL);
}
END_TEST

/* Each span's samples are spread evenly over its window: of any run as long as there are
 * spans, each has two at most, and the r-th of its samples comes in the r-th part. */
START_TEST(even_mixing)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    struct made m = make_order(&o, 1);
    struct pcri_order_plan plan = { .epoch = 1 };
    struct pcri_order_window w;
    while (!pcri_order_next(&m.order, &plan, &w, NULL)) {
        uint32_t *seen = calloc(w.span_count, sizeof(*seen));
        double worst = 0;
        ck_assert_ptr_nonnull(seen);
        for (uint32_t i = 0; i < w.sample_count; i++) {
            uint32_t span, entry;
            pcri_order_window_sample(&w, i, &span, &entry);
            double due = (i + 0.5) / w.sample_count * w.spans[span].count;
            worst = fmax(worst, fabs(seen[span] + 0.5 - due));
            seen[span]++;
        }
        /* half a part, and what the window's uneven spans make of its parts */
        ck_assert_double_lt(worst, 1.5);
        free(seen);
        pcri_order_window_free(&w);
    }
    destroy(&m);
}
END_TEST

/* --- dealing to ranks --- */

/* Deals all windows to all ranks: each position of a full step to one of them, as many to
 * each. Returns how many spans the ranks have together. */
static uint64_t deal_windows(const struct made *m, struct pcr_loader_options *o,
                             uint64_t first, uint64_t *span_count_out)
{
    uint64_t n = m->catalog->entry_count, shared = 0, wrong = 0;
    uint8_t *seen = calloc(n, 1);
    ck_assert_ptr_nonnull(seen);
    *span_count_out = 0;
    for (o->shard.rank = 0; o->shard.rank < o->shard.world; o->shard.rank++) {
        struct pcri_shard s;
        struct pcri_order_plan plan = { .epoch = 4 };
        struct pcri_order_window w;
        pcri_shard_init(o, first, n, &s);
        pcri_order_seek(&m->order, &plan, first);
        uint64_t delivered = 0, step = (uint64_t) o->batch_size * o->shard.world;
        while (!pcri_order_next(&m->order, &plan, &w, NULL)) {
            struct pcri_pick *picks = calloc(w.sample_count, sizeof(*picks));
            uint8_t *spans = calloc(w.span_count, 1);
            uint64_t count = pcri_shard_before(&s, w.position + w.sample_count) - delivered;
            ck_assert(picks && spans);
            ck_assert_int_eq(pcri_assign(&s, &w, picks, NULL), 0);
            for (uint64_t i = 0; i < count; i++) {
                uint64_t position = w.position + picks[i].offset;
                uint32_t span, entry;
                pcri_order_window_sample(&w, picks[i].offset, &span, &entry);
                wrong += span != picks[i].span || entry != picks[i].entry;
                wrong += position < first;
                seen[position]++;
                wrong += (position - first) / step != (delivered + i) / o->batch_size;
                spans[span] = 1;
            }
            delivered += count;
            for (uint32_t k = 0; k < w.span_count; k++)
                shared += spans[k];
            *span_count_out += o->shard.rank ? 0 : w.span_count;
            free(picks);
            free(spans);
            pcri_order_window_free(&w);
        }
        ck_assert_uint_eq(delivered, pcri_shard_sample_count(&s));
    }
    /* Each position once; the last ones as the flags say, where they do not divide. */
    uint64_t rest = (n - first) % (o->batch_size * o->shard.world), twice = 0;
    uint64_t more = (o->shard.world - rest % o->shard.world) % o->shard.world;
    for (uint64_t i = first; i < n - rest; i++)
        wrong += seen[i] != 1;
    for (uint64_t i = n - rest; i < n; i++) {
        bool left_out = o->flags & PCR_LOADER_DROP_UNEVEN && i >= n - rest % o->shard.world;
        wrong += left_out ? seen[i] != 0 : seen[i] < 1;
        twice += seen[i] > 1 ? seen[i] - 1 : 0;
    }
    wrong += twice != (o->flags & PCR_LOADER_DROP_UNEVEN ? 0 : more);
    ck_assert_uint_eq(wrong, 0);
    free(seen);
    return shared;
}

/* Each rank has spans of its own, but for those at the borders. */
START_TEST(ranks_have_spans)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    struct made m = make_order(&o, 1);
    for (o.shard.world = 2; o.shard.world <= 8; o.shard.world++)
        for (uint64_t first = 0; first < 1000; first += 333) {
            o.flags = first == 333 ? PCR_LOADER_DROP_UNEVEN : 0;
            uint64_t spans, shared;
            o.batch_size = 3 + o.shard.world * 5 % 11;
            shared = deal_windows(&m, &o, first, &spans);
            ck_assert_uint_lt(shared, spans * 2);
            /* Steps of eight samples of each of a window's 31 spans: each border between
             * ranks is in one span, now and then in two. */
            o.batch_size = 31 * 8 / o.shard.world;
            shared = deal_windows(&m, &o, first, &spans);
            ck_assert_uint_lt(shared, spans + spans * o.shard.world * 3 / 62);
        }
    destroy(&m);
}
END_TEST

/* --- what an epoch has --- */

static uint32_t *count(const uint64_t *all, uint64_t n, uint64_t samples)
{
    uint32_t *counts = calloc(samples, sizeof(*counts));
    ck_assert_ptr_nonnull(counts);
    for (uint64_t i = 0; i < n; i++)
        counts[all[i]]++;
    return counts;
}

/* Each sample as often as epoch_samples makes, to one. */
START_TEST(epoch_samples)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct made m = make_order(&o, 1);
    uint64_t samples = m.catalog->sample_count, wrong = 0;
    destroy(&m);
    for (uint64_t n = samples / 10; n < 4 * samples; n += samples * 9 / 10) {
        o.order.epoch_samples = n;
        m = make_order(&o, 1);
        uint64_t *all = walk(&m, 2);
        uint32_t *counts = count(all, n, samples);
        for (uint64_t i = 0; i < samples; i++)
            wrong += counts[i] < n / samples || counts[i] > (n + samples - 1) / samples;
        if (o.order.shuffle ==
            PCR_SHUFFLE_NONE) /* once more from the beginning for each copy */
            for (uint64_t i = 1, turns = 0; i < n; i++)
                wrong += all[i] <= all[i - 1] && ++turns > n / samples;
        free(all);
        free(counts);
        destroy(&m);
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* With weights, expectations are exact, and the draws of epochs differ. */
START_TEST(by_weight)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct made m = make_order(&o, 1);
    uint64_t samples = m.catalog->sample_count, wrong = 0;
    destroy(&m);
    double *weights = calloc(samples, sizeof(*weights)), sum = 0, squares = 0;
    uint32_t *total = calloc(samples, sizeof(*total));
    ck_assert(weights && total);
    for (uint64_t i = 0; i < samples; i++)
        sum += weights[i] = i % 7 ? 1 + (double) (i % 5) : 0;
    o.samples.weights = weights;
    o.samples.count = samples;
    o.order.epoch_samples = 2 * samples;
    m = make_order(&o, 1);
    enum { EPOCHS = 50 };
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        uint64_t *all = walk(&m, epoch);
        uint32_t *counts = count(all, o.order.epoch_samples, samples);
        for (uint64_t i = 0; i < samples; i++) {
            double expected = weights[i] / sum * (double) o.order.epoch_samples;
            wrong += fabs(counts[i] - expected) >= 1;
            total[i] += counts[i];
        }
        free(all);
        free(counts);
    }
    ck_assert_uint_eq(wrong, 0);
    for (uint64_t i = 0; i < samples; i++) {
        double share = weights[i] / sum * (double) o.order.epoch_samples;
        double part = share - floor(share);
        wrong += part > 0.05 && part < 0.95 &&
                 fabs(total[i] - EPOCHS * share) > 5 * sqrt(EPOCHS * part * (1 - part));
        squares += (total[i] - EPOCHS * share) * (total[i] - EPOCHS * share) / EPOCHS;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_double_gt(squares / (double) samples, 0.01); /* they are random at all */
    free(weights);
    free(total);
    destroy(&m);
}
END_TEST

/* ONCE: different ones, and of two, the first drawn by weight. */
START_TEST(by_weight_once)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct made m = make_order(&o, 1);
    uint64_t samples = m.catalog->sample_count, heavy = 0, wrong = 0;
    destroy(&m);
    double *weights = calloc(samples, sizeof(*weights));
    ck_assert_ptr_nonnull(weights);
    for (uint64_t i = 0; i < samples; i++)
        weights[i] = i % 2 ? 3 : i % 4 ? 1 : 0;
    o.samples.weights = weights;
    o.samples.count = samples;
    o.flags = PCR_LOADER_ONCE;
    for (uint64_t n = 10; n <= samples * 3 / 4; n = n * 3) {
        o.order.epoch_samples = n;
        m = make_order(&o, 1);
        for (uint64_t epoch = 0; epoch < 20; epoch++) {
            uint64_t *all = walk(&m, epoch);
            uint32_t *counts = count(all, n, samples);
            for (uint64_t i = 0; i < samples; i++) {
                wrong += counts[i] > (weights[i] > 0);
                heavy += n == 10 && counts[i] && weights[i] > 1;
            }
            free(all);
            free(counts);
        }
        destroy(&m);
    }
    ck_assert_uint_eq(wrong, 0);
    /* 200 draws, each with a chance of 6 / 7 */
    ck_assert(heavy > 150 && heavy < 190);
    o.order.epoch_samples = 0; /* all that have a weight */
    m = make_order(&o, 1);
    ck_assert_uint_eq(m.catalog->entry_count, samples * 3 / 4);
    destroy(&m);
    o.order.epoch_samples = samples;
    ck_assert_int_eq(pcri_catalog_create_empty(1, 1, &o, &m.catalog, NULL), 0);
    pcri_catalog_add(m.catalog, 0, 0, (uint32_t) samples, samples);
    ck_assert_int_eq(pcri_catalog_finish(m.catalog, &o, NULL), PCR_ERR_INVAL);
    destroy(&m);
    free(weights);
}
END_TEST

/* Three datasets in proportion: an epoch has its shares, and any run of it nearly so. */
START_TEST(proportions)
{
    static const double shares[3] = { 0.1, 0.6, 0.3 };
    struct pcr_loader_options o = options((uint32_t) _i);
    o.order.proportions = shares;
    o.order.epoch_samples = 3000;
    struct made m = make_order(&o, 3);
    uint64_t *all = walk(&m, 1), first[4] = { 0 };
    for (uint32_t k = 0; k < 4; k++)
        first[k] = m.catalog->records[m.catalog->parts[k].first_record].first_number;
    uint32_t counts[3] = { 0 };
    double worst = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t k = 0;
        while (all[i] >= first[k + 1])
            k++;
        counts[k]++;
        for (k = 0; k < 3; k++)
            worst = fmax(worst, fabs(counts[k] - (i + 1) * shares[k]));
    }
    for (uint32_t k = 0; k < 3; k++)
        ck_assert_double_eq(counts[k], 3000 * shares[k]);
    /* slices of at most 16; BLOCK mixes windows, whose ends bring chance */
    ck_assert_double_lt(worst, _i == PCR_SHUFFLE_FULL ? 2 : _i == PCR_SHUFFLE_NONE ? 40 : 60);
    free(all);
    destroy(&m);
}
END_TEST

/* How many samples a search from a seat finds: none twice, and not the seat's own; three
 * neighbours first. */
static uint32_t search_all(const struct made *m, struct pcri_seat seat)
{
    struct pcri_search s = { .seat = seat };
    struct pcri_span span, own = pcri_order_span(&m->order, 0, seat.turn);
    uint8_t *seen = calloc(m->catalog->entry_count, 1);
    uint32_t entry, n = 0, wrong = 0;
    ck_assert_ptr_nonnull(seen);
    seen[own.entry + seat.entry] = 1;
    for (; pcri_search_next(&m->order, 0, &s, &span, &entry); n++) {
        wrong += entry >= span.count || seen[span.entry + entry]++;
        wrong += s.own != (span.entry == own.entry);
        wrong += n < 3 && n + 1 < own.count && !s.own;
    }
    wrong += s.count != n;
    ck_assert_uint_eq(wrong, 0);
    free(seen);
    return n;
}

/* A search ends after all others, or a thousand. */
START_TEST(stand_ins)
{
    static const uint32_t counts[] = { 1, 2, 5, 17, 300, 999, 1001, 2000 };
    uint64_t indices[2000];
    for (uint64_t i = 0; i < 2000; i++)
        indices[i] = i + i / 7;
    for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
        struct pcr_loader_options o = options((uint32_t) _i);
        o.order.indices = indices;
        o.order.index_count = counts[k];
        struct made m = make_order(&o, 2);
        uint32_t want = counts[k] > 1000 ? 1000 : counts[k] - 1;
        uint64_t turns = m.contents->span_count;
        for (uint64_t turn = 0; turn < turns; turn += 1 + turns / 3) {
            uint32_t last = pcri_order_span(&m.order, 0, turn).count - 1;
            ck_assert_uint_eq(search_all(&m, (struct pcri_seat) { turn, 0 }), want);
            ck_assert_uint_eq(search_all(&m, (struct pcri_seat) { turn, last }), want);
        }
        destroy(&m);
    }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("order");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, bijection, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, spans_fit_records);
    tcase_add_loop_test(t, seeds_and_epochs_differ, PCR_SHUFFLE_BLOCK, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, mixing);
    tcase_add_test(t, window_bytes);
    tcase_add_test(t, even_mixing);
    tcase_add_test(t, ranks_have_spans);
    tcase_add_loop_test(t, epoch_samples, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, by_weight, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, by_weight_once, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, proportions, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, stand_ins, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, empty, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    return tests_run();
}
