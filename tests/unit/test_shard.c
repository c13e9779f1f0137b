/* SPDX-License-Identifier: BSD-2-Clause */
/* shard: ranks cover each epoch exactly, in equal steps, and know their place. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../loaders/options/rank.h"
#include "../../loaders/order/shard.h"
#include "suite.h"

enum { MOST = 200 };

static struct pcri_shard shard(uint32_t flags, uint32_t batch_size, uint32_t rank,
                               uint32_t world, uint64_t first, uint64_t end)
{
    struct pcr_loader_options o = {
        .flags = flags,
        .batch_size = batch_size,
        .shard.rank = rank,
        .shard.world = world,
    };
    struct pcri_shard s;
    pcri_shard_init(&o, first, end, &s);
    return s;
}

/* Counts the rank's own positions in `seen`, and checks that before() is position()'s inverse. */
static uint64_t count_positions(const struct pcri_shard *s, uint32_t *seen)
{
    uint64_t n = pcri_shard_sample_count(s), wrong = 0, before = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t position = pcri_shard_position(s, i);
        if (position < s->first || position >= s->end) {
            wrong++;
            continue;
        }
        seen[position] += !pcri_shard_fills(s, i);
        for (; before <= position; before++)
            wrong += pcri_shard_before(s, before) != i;
    }
    for (; before <= s->end; before++)
        wrong += pcri_shard_before(s, before) != n;
    return wrong;
}

static void check_cover(uint32_t flags, uint32_t batch_size, uint32_t world, uint64_t first,
                        uint64_t end)
{
    uint32_t seen[MOST] = { 0 };
    uint64_t step = (uint64_t) batch_size * world, rest = (end - first) % step;
    uint64_t missing = 0, more = 0, batches = 0, samples = 0;
    for (uint32_t r = 0; r < world; r++) {
        struct pcri_shard s = shard(flags, batch_size, r, world, first, end);
        ck_assert_uint_eq(count_positions(&s, seen), 0);
        if (!r) {
            batches = pcri_shard_batch_count(&s);
            samples = pcri_shard_sample_count(&s);
        }
        ck_assert_uint_eq(pcri_shard_batch_count(&s), batches);
        ck_assert_uint_eq(pcri_shard_sample_count(&s), samples);
        for (uint64_t b = 0; b <= batches; b++)
            ck_assert_uint_eq(pcri_shard_delivered(&s, b),
                              b * step < end - first ? first + b * step : end);
    }
    for (uint64_t i = first; i < end; i++) {
        missing += !seen[i];
        more += seen[i] > 1;
    }
    ck_assert_uint_eq(missing, flags & PCR_LOADER_DROP_LAST     ? rest
                               : flags & PCR_LOADER_DROP_UNEVEN ? rest % world
                                                                : 0);
    ck_assert_uint_eq(more, 0);
    if (flags & PCR_LOADER_EXACT)
        ck_assert_uint_eq(samples, batches * batch_size);
    else if (!flags)
        ck_assert_uint_eq(samples * world, end - first + (world - rest % world) % world);
}

START_TEST(cover)
{
    static const uint32_t flags[] = { 0, PCR_LOADER_DROP_LAST, PCR_LOADER_DROP_UNEVEN,
                                      PCR_LOADER_EXACT };
    for (uint64_t end = 0; end < MOST; end += 1 + end / 9)
        for (uint64_t first = 0; first <= end; first += 1 + first)
            for (uint32_t world = 1; world < 9; world++)
                for (uint32_t batch_size = 1; batch_size < 12; batch_size += 3)
                    check_cover(flags[_i], batch_size, world, first, end);
}
END_TEST

/* Workers of each rank, in turns: as many batches as without them, and each position as often. */
static void check_workers(uint32_t flags, uint32_t shuffle, uint32_t world, uint32_t workers,
                          uint64_t end)
{
    uint64_t counts[2][MOST] = { { 0 } }, batches = 0, wrong = 0;
    struct pcr_loader_options o = {
        .flags = flags,
        .batch_size = 5,
        .shard.world = world,
        .order.shuffle = shuffle,
    };
    struct pcri_shard s;
    for (o.shard.rank = 0; o.shard.rank < world; o.shard.rank++) {
        o.shard.worker = 0;
        o.shard.worker_count = 1;
        pcri_shard_init(&o, 0, end, &s);
        uint64_t alone = pcri_shard_batch_count(&s), before = UINT64_MAX;
        wrong += batches && batches != alone;
        batches = alone;
        for (uint64_t i = 0; i < pcri_shard_sample_count(&s); i++)
            counts[0][pcri_shard_position(&s, i)]++;
        o.shard.worker_count = workers;
        for (; o.shard.worker < workers; o.shard.worker++) {
            pcri_shard_init(&o, 0, end, &s);
            uint64_t n = pcri_shard_batch_count(&s), samples = pcri_shard_sample_count(&s);
            wrong += n > before || (before != UINT64_MAX && n + 1 < before); /* in turns */
            before = n;
            alone -= n;
            wrong += pcri_shard_before(&s, 0) != 0 || pcri_shard_before(&s, end) != samples;
            for (uint64_t i = 0; i < samples; i++)
                counts[1][pcri_shard_position(&s, i)]++;
            for (uint64_t i = 0; i < end; i++)
                wrong += pcri_shard_before(&s, i) > pcri_shard_before(&s, i + 1);
        }
        wrong += alone != 0;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert(shuffle == PCR_SHUFFLE_BLOCK ||
              !memcmp(counts[0], counts[1], sizeof(counts[0])));
}

START_TEST(workers_take_turns)
{
    static const uint32_t flags[] = { 0, PCR_LOADER_DROP_LAST, PCR_LOADER_DROP_UNEVEN,
                                      PCR_LOADER_EXACT };
    for (uint64_t end = 0; end < MOST; end += 1 + end / 5)
        for (uint32_t world = 1; world < 5; world++)
            for (uint32_t workers = 1; workers < 7; workers++)
                for (uint32_t shuffle = PCR_SHUFFLE_NONE; shuffle <= PCR_SHUFFLE_FULL;
                     shuffle++)
                    check_workers(flags[_i], shuffle, world, workers, end);
}
END_TEST

static const char *const variables[] = {
    "RANK",         "WORLD_SIZE",           "SLURM_PROCID",
    "SLURM_NTASKS", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
};

static void clear_environment(void)
{
    for (size_t i = 0; i < 6; i++)
        unsetenv(variables[i]);
}

/* The first pair that is set counts. */
START_TEST(environment)
{
    struct pcr_loader_options o = { .shard.rank = 0 };
    struct pcr_error err;
    clear_environment();
    ck_assert_int_eq(pcri_rank_from_environment(&o, &err), 0);
    ck_assert(o.shard.rank == 0 && o.shard.world == 1);
    for (int i = 4; i >= 0; i -= 2) {
        char rank[8], world[8];
        snprintf(rank, sizeof(rank), "%d", i);
        snprintf(world, sizeof(world), "%d", i + 3);
        ck_assert_int_eq(setenv(variables[i], rank, 1), 0);
        ck_assert_int_eq(setenv(variables[i + 1], world, 1), 0);
        ck_assert_int_eq(pcri_rank_from_environment(&o, &err), 0);
        ck_assert_uint_eq(o.shard.rank, (uint32_t) i);
        ck_assert_uint_eq(o.shard.world, (uint32_t) i + 3);
    }
    clear_environment();
}
END_TEST

START_TEST(bad_environment)
{
    static const char *const bad[][2] = {
        { "1", NULL },          { NULL, "2" }, { "", "2" },  { "-1", "2" }, { "1", "2x" },
        { "1", "99999999999" }, { " 1", "2" }, { "2", "2" }, { "0", "0" },  { "0", "2000000" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pcr_loader_options o = { .shard.rank = 0 };
        struct pcr_error err;
        clear_environment();
        for (int k = 0; k < 2; k++)
            if (bad[i][k])
                ck_assert_int_eq(setenv(variables[k], bad[i][k], 1), 0);
        ck_assert_msg(pcri_rank_from_environment(&o, &err) == PCR_ERR_INVAL, "case %zu", i);
        ck_assert_ptr_nonnull(strstr(err.message, "environment variable"));
    }
    clear_environment();
}
END_TEST

int main(void)
{
    TCase *t = tests_case("shard");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, cover, 0, 4);
    tcase_add_loop_test(t, workers_take_turns, 0, 4);
    tcase_add_test(t, environment);
    tcase_add_test(t, bad_environment);
    return tests_run();
}
