/* SPDX-License-Identifier: BSD-2-Clause */
/* order: each epoch is a bijection, mixes well, and depends on seed and epoch alone. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "../../loaders/order.h"

enum { RECORDS = 40, KBYTE = 1024 };

/* Records of 1 to 200 samples of 20 kB. */
static uint32_t record_samples(uint32_t r)
{
    return 1 + r * 67 % 200;
}

static struct pcr_loader_options options(uint32_t shuffle)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options), .seed = 5, .batch_size = 32,
        .shuffle = shuffle, .block_samples = 16, .window_samples = 500,
        .window_nbytes = 1 << 30,
    };
}

static struct pcri_order *make_order(const struct pcr_loader_options *o)
{
    struct pcri_order *order;
    ck_assert_int_eq(pcri_order_create_empty(o, RECORDS, &order, NULL), 0);
    for (uint32_t r = 0; r < RECORDS; r++)
        pcri_order_add(order, record_samples(r), (uint64_t) record_samples(r) * 20 * KBYTE);
    return order;
}

/* The epoch's sample numbers in their order; checks what windows promise. */
static uint64_t *walk(const struct pcri_order *order, uint64_t epoch)
{
    uint64_t n = pcri_order_sample_count(order), at = 0;
    uint64_t *all = calloc(n, sizeof(*all));
    ck_assert_ptr_nonnull(all);
    struct pcri_plan plan = { .epoch = epoch };
    struct pcri_window w;
    int rc;
    while (!(rc = pcri_order_next(order, &plan, &w, NULL))) {
        ck_assert_uint_eq(w.position, at);
        ck_assert_uint_gt(w.span_count, 0);
        ck_assert_uint_eq(w.span_first[w.span_count], w.sample_count);
        ck_assert_uint_le(at + w.sample_count, n);
        for (uint32_t i = 0; i < w.sample_count; i++) {
            uint32_t span, place;
            pcri_window_sample(&w, i, &span, &place);
            ck_assert_uint_lt(span, w.span_count);
            ck_assert_uint_lt(place, w.spans[span].count);
            all[at++] = w.spans[span].ordinal + place;
        }
        pcri_window_free(&w);
    }
    ck_assert_int_eq(rc, PCR_END);
    ck_assert_int_eq(pcri_order_next(order, &plan, &w, NULL), PCR_END);
    ck_assert_uint_eq(at, n);
    return all;
}

START_TEST(bijection)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcri_order *order = make_order(&o);
    uint64_t n = pcri_order_sample_count(order), sum = 0;
    for (uint32_t r = 0; r < RECORDS; r++)
        sum += record_samples(r);
    ck_assert_uint_eq(n, sum);
    for (uint64_t epoch = 0; epoch < 5; epoch++) {
        uint64_t *all = walk(order, epoch);
        uint8_t *seen = calloc(n, 1);
        ck_assert_ptr_nonnull(seen);
        for (uint64_t i = 0; i < n; i++) {
            ck_assert_uint_lt(all[i], n);
            ck_assert_uint_eq(seen[all[i]]++, 0);
            if (o.shuffle == PCR_SHUFFLE_NONE)
                ck_assert_uint_eq(all[i], i);
        }
        free(seen);
        free(all);
    }
    pcri_order_destroy(&order);
    ck_assert_ptr_null(order);
}
END_TEST

/* Spans lie within their record, and are read in as large pieces as allowed. */
START_TEST(spans_fit_records)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    struct pcri_order *order = make_order(&o);
    struct pcri_plan plan = { .epoch = 3 };
    struct pcri_window w;
    uint64_t first[RECORDS + 1] = { 0 }, spans = 0;
    for (uint32_t r = 0; r < RECORDS; r++)
        first[r + 1] = first[r] + record_samples(r);
    while (!pcri_order_next(order, &plan, &w, NULL)) {
        for (uint32_t i = 0; i < w.span_count; i++) {
            const struct pcri_span *s = &w.spans[i];
            ck_assert_uint_lt(s->record, RECORDS);
            ck_assert_uint_eq(s->ordinal, first[s->record] + s->first);
            ck_assert_uint_le(s->first + s->count, record_samples((uint32_t) s->record));
            ck_assert(s->count == 16 ||
                      s->first + s->count == record_samples((uint32_t) s->record));
        }
        spans += w.span_count;
        ck_assert(w.sample_count >= 500 ||
                  plan.next_position == pcri_order_sample_count(order));
        ck_assert_uint_lt(w.sample_count, 500 + 16);
        pcri_window_free(&w);
    }
    uint64_t expected = 0;
    for (uint32_t r = 0; r < RECORDS; r++)
        expected += (record_samples(r) + 15) / 16;
    ck_assert_uint_eq(spans, expected);
    pcri_order_destroy(&order);
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
    struct pcri_order *order = make_order(&o), *again = make_order(&o);
    o.seed = 6;
    struct pcri_order *other = make_order(&o);
    uint64_t n = pcri_order_sample_count(order);
    uint64_t *a = walk(order, 7), *b = walk(again, 7), *c = walk(order, 8), *d = walk(other, 7);
    ck_assert_mem_eq(a, b, n * sizeof(*a));
    ck_assert_double_lt(same_place(a, c, n), 0.01);
    ck_assert_double_lt(same_place(a, d, n), 0.01);
    free(a);
    free(b);
    free(c);
    free(d);
    pcri_order_destroy(&order);
    pcri_order_destroy(&again);
    pcri_order_destroy(&other);
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
    struct pcri_order *full = make_order(&o);
    o.shuffle = PCR_SHUFFLE_BLOCK;
    struct pcri_order *block = make_order(&o);
    uint64_t n = pcri_order_sample_count(full);
    double worst_full = 0, worst_block = 0;
    for (uint64_t epoch = 0; epoch < 4; epoch++) {
        uint64_t *a = walk(full, epoch), *b = walk(block, epoch);
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
    pcri_order_destroy(&full);
    pcri_order_destroy(&block);
}
END_TEST

/* Large images make windows and spans smaller, so that two windows stay in bounds. */
START_TEST(window_bytes)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    o.window_nbytes = 40 * 20 * KBYTE; /* 40 samples */
    struct pcri_order *order = make_order(&o);
    struct pcri_plan plan = { .epoch = 0 };
    struct pcri_window w;
    while (!pcri_order_next(order, &plan, &w, NULL)) {
        ck_assert_uint_le(w.sample_count, 25);
        for (uint32_t i = 0; i < w.span_count; i++)
            ck_assert_uint_le(w.spans[i].count, 5);
        pcri_window_free(&w);
    }
    free(walk(order, 1));
    pcri_order_destroy(&order);

    o.window_nbytes = 1; /* smaller than one sample: one at a time */
    order = make_order(&o);
    free(walk(order, 1));
    pcri_order_destroy(&order);
}
END_TEST

START_TEST(empty)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcri_order *order;
    struct pcri_plan plan = { 0 };
    struct pcri_window w;
    ck_assert_int_eq(pcri_order_create_empty(&o, 0, &order, NULL), 0);
    ck_assert_uint_eq(pcri_order_sample_count(order), 0);
    ck_assert_int_eq(pcri_order_next(order, &plan, &w, NULL), PCR_END);
    pcri_order_destroy(&order);
    pcri_order_destroy(&order);
    pcri_order_destroy(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("order");
    TCase *t = tcase_create("order");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, bijection, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, spans_fit_records);
    tcase_add_loop_test(t, seeds_and_epochs_differ, PCR_SHUFFLE_BLOCK, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, mixing);
    tcase_add_test(t, window_bytes);
    tcase_add_loop_test(t, empty, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
