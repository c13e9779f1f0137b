/* SPDX-License-Identifier: BSD-2-Clause */
/* What all ranks' batches have together: equal steps, and each sample as often as is said. */
#include <check.h>
#include <stdlib.h>

#include <pcr/loader.h>

#include "made_bad.h"
#include "suite.h"

enum { WORLDS = 5 };

static struct pcr_loader_options options(uint32_t shuffle)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .seed = 8,
        .output.height = 6,
        .output.width = 5,
        .order.block_samples = 5,
        .order.window_samples = 30,
        .threads.count = 2,
        .order.shuffle = shuffle,
        .bad_sample = PCR_SAMPLE_SKIP,
        .shard.world = 1,
        .threads.reader_count = PCR_NO_READERS,
    };
}

/* What was counted over all ranks. */
struct sum {
    uint32_t valid[MADE_SAMPLES];
    uint32_t steps, samples, replaced, short_batches;
};

static void add(struct sum *sum, const struct pcr_loader_options *o, const struct pcr_batch *b)
{
    sum->samples += b->sample_count;
    sum->short_batches += b->sample_count < o->batch_size;
    for (uint32_t i = 0; i < b->sample_count; i++) {
        ck_assert(!bad[b->indices[i]]);
        ck_assert_int_eq(b->labels[i], made_label(b->indices[i]));
        sum->valid[b->indices[i]] += b->valid[i];
    }
}

/* An epoch on all ranks, in step; they go on from `state` if there is one. */
static struct sum run(struct pcr_loader_options o, const uint8_t *state)
{
    struct sum sum = { { 0 }, 0, 0, 0, 0 };
    struct pcr_loader *l[WORLDS];
    struct pcr_batch *b;
    struct pcr_error err;
    for (o.shard.rank = 0; o.shard.rank < o.shard.world; o.shard.rank++) {
        l[o.shard.rank] = create(&o);
        if (state)
            made_check(
                pcr_loader_resume(l[o.shard.rank], state, PCR_LOADER_STATE_NBYTES, &err),
                &err);
        else
            start(l[o.shard.rank], 1);
    }
    for (uint32_t size; (b = next(l[0])); sum.steps++) {
        size = b->sample_count;
        add(&sum, &o, b);
        pcr_batch_release(&b);
        for (uint32_t r = 1; r < o.shard.world; r++) {
            b = next(l[r]);
            ck_assert_ptr_nonnull(b);
            ck_assert_uint_eq(b->sample_count, size);
            add(&sum, &o, b);
            pcr_batch_release(&b);
        }
    }
    for (uint32_t r = 0; r < o.shard.world; r++) {
        struct pcr_loader_stats stats = { .size = sizeof(stats) };
        ck_assert_ptr_null(next(l[r]));
        made_check(pcr_loader_stats(l[r], &stats, &err), &err);
        sum.replaced += (uint32_t) stats.replaced_count;
        if (!state)
            ck_assert_uint_eq(pcr_loader_batch_count(l[r]), sum.steps);
        pcr_loader_destroy(&l[r]);
    }
    return sum;
}

/* How many good samples are not valid once. */
static uint32_t not_once(const struct sum *sum)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < MADE_SAMPLES; i++) {
        ck_assert_uint_le(sum->valid[i], 1);
        n += sum->valid[i] != !bad[i];
    }
    return n;
}

START_TEST(each_sample_once)
{
    static const uint32_t flags[] = { 0, PCR_LOADER_EXACT, PCR_LOADER_DROP_UNEVEN,
                                      PCR_LOADER_DROP_LAST };
    static const uint32_t sizes[] = { 1, 3, 7, 8, 33, 64, 120 };
    struct pcr_loader_options o = options((uint32_t) _i / 2 + 1);
    damage_at_random(_i % 2 ? 12 : 0, (uint64_t) _i);
    for (uint32_t k = 0; k < 7 * 4 * WORLDS; k++) {
        if ((k + (uint32_t) _i) % 9) /* a part of all; 9 has no factor of theirs */
            continue;
        o.batch_size = sizes[k % 7];
        o.flags = flags[k % 4];
        o.shard.world = 1 + k % WORLDS;
        struct sum sum = run(o, NULL);
        uint32_t step = o.batch_size * o.shard.world, left = MADE_SAMPLES % step;
        if (o.flags == PCR_LOADER_EXACT) {
            ck_assert_uint_eq(sum.samples, sum.steps * step);
            ck_assert_uint_eq(sum.short_batches, 0);
        } else if (!o.flags) {
            ck_assert_uint_eq(sum.samples,
                              MADE_SAMPLES +
                                  (o.shard.world - left % o.shard.world) % o.shard.world);
        }
        if (o.flags == PCR_LOADER_DROP_LAST || o.flags == PCR_LOADER_DROP_UNEVEN) {
            uint32_t lost = o.flags == PCR_LOADER_DROP_LAST ? left : left % o.shard.world;
            ck_assert_uint_eq(sum.samples, MADE_SAMPLES - lost);
            ck_assert_uint_le(not_once(&sum), lost);
            ck_assert(bad_count() || not_once(&sum) == lost);
        } else {
            ck_assert_uint_eq(not_once(&sum), 0);
            ck_assert_uint_eq(sum.steps, (MADE_SAMPLES + step - 1) / step);
            ck_assert_uint_eq(sum.replaced, bad_count());
        }
    }
    repair();
}
END_TEST

/* Loaders of a rank that take turns have together what one has. */
START_TEST(workers)
{
    static const uint32_t sizes[] = { 1, 7, 16, 120 };
    struct pcr_loader_options o = options((uint32_t) _i);
    damage(3);
    for (uint32_t k = 0; k < 4 * 3; k++) {
        uint32_t world = 1 + k % 3, batches = 0;
        struct sum sum = { { 0 }, 0, 0, 0, 0 };
        o.flags = PCR_LOADER_EXACT;
        o.batch_size = sizes[k % 4];
        o.shard.world = world;
        o.shard.worker_count = 2 + k % 2;
        for (o.shard.rank = 0; o.shard.rank < world; o.shard.rank++)
            for (o.shard.worker = 0; o.shard.worker < o.shard.worker_count; o.shard.worker++) {
                struct pcr_loader *l = create(&o);
                start(l, 1);
                for (struct pcr_batch *b; (b = next(l)); batches++) {
                    add(&sum, &o, b);
                    pcr_batch_release(&b);
                }
                pcr_loader_destroy(&l);
            }
        uint32_t step = o.batch_size * world;
        ck_assert_uint_eq(not_once(&sum), 0);
        ck_assert_uint_eq(sum.short_batches, 0);
        ck_assert_uint_eq(batches, (MADE_SAMPLES + step - 1) / step * world);
    }
    repair();
}
END_TEST

/* With fewer samples than ranks, some ranks have none; parts of a dataset, and samples that
 * come twice. */
START_TEST(few_samples)
{
    static const uint64_t indices[] = { 30, 69, 70, 99 };
    struct pcr_loader_options o = options((uint32_t) _i);
    o.flags = PCR_LOADER_EXACT;
    o.order.indices = indices;
    o.batch_size = 3;
    o.shard.world = WORLDS;
    damage(69);
    for (uint64_t n = 0; n <= 4; n++) {
        o.order.index_count = n;
        struct sum sum = run(o, NULL);
        ck_assert_uint_eq(sum.steps, n != 0);
        ck_assert_uint_eq(sum.samples, n ? 3 * WORLDS : 0);
        for (uint64_t k = 0; k < 4; k++)
            ck_assert_uint_eq(sum.valid[indices[k]], k < n && k != 1);
    }
    o.order.index_count = 4;
    o.order.epoch_samples = 8; /* each twice */
    struct sum sum = run(o, NULL);
    for (uint64_t k = 0; k < 4; k++)
        ck_assert_uint_eq(sum.valid[indices[k]], k == 1 ? 0 : 2);
    repair();
}
END_TEST

/* Files are filled up as pixels are, at several fidelities. */
START_TEST(files)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    o.flags = PCR_LOADER_EXACT | PCR_LOADER_RAW;
    o.batch_size = 16;
    o.shard.world = 3;
    o.fidelity.level = 2;
    struct sum sum = run(o, NULL);
    ck_assert_uint_eq(not_once(&sum), 0);
    ck_assert_uint_eq(sum.samples, 3 * 3 * 16);
}
END_TEST

/* What is left after some steps of other ranks and sizes is counted once too. */
START_TEST(goes_on)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    bool had[MADE_SAMPLES] = { 0 };
    o.batch_size = 7;
    struct pcr_loader *l = create(&o);
    start(l, 1);
    for (int k = 0; k < 5; k++) {
        struct pcr_batch *b = next(l);
        for (uint32_t i = 0; i < b->sample_count; i++)
            had[b->indices[i]] = true;
        pcr_batch_release(&b);
    }
    made_check(pcr_loader_state(l, state, &err), &err);
    pcr_loader_destroy(&l);
    o.flags = PCR_LOADER_EXACT;
    for (o.shard.world = 1; o.shard.world <= WORLDS; o.shard.world++) {
        struct sum sum = run(o, state);
        for (uint32_t i = 0; i < MADE_SAMPLES; i++)
            ck_assert_uint_eq(sum.valid[i], !had[i]);
    }
}
END_TEST

START_TEST(nothing_is_dropped)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_NONE);
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    o.flags = PCR_LOADER_EXACT | (_i ? PCR_LOADER_DROP_LAST : PCR_LOADER_DROP_UNEVEN);
    ck_assert_int_eq(pcr_loader_create(dataset, &o, &l, &err), PCR_ERR_INVAL);
    ck_assert_msg(strstr(err.message, _i ? "DROP_LAST" : "DROP_UNEVEN"), "%s", err.message);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_exact");
    const TTest *const each[] = { workers, few_samples, files, goes_on };
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 110);
    tcase_add_loop_test(t, each_sample_once, 0, 6);
    for (size_t k = 0; k < sizeof(each) / sizeof(each[0]); k++)
        tcase_add_loop_test(t, each[k], PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, nothing_is_dropped, 0, 2);
    return tests_run();
}
