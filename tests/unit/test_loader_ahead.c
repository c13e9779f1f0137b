/* SPDX-License-Identifier: BSD-2-Clause */
/* loader: the next epoch's first window, which is read while this epoch ends. */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include <pcr/loader.h>

#include "made_loader.h"
#include "suite.h"

enum { KINDS = 8 };

/* Loaders of many kinds, by number. */
static struct pcr_loader_options options(uint32_t kind)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .seed = 5,
        .batch_size = 8,
        .output.height = 16,
        .output.width = 20,
        .order.block_samples = 5,
        .order.window_samples = kind & 4 ? 30 : 200,
        .threads.count = 2,
        .threads.reader_count = made_readers(kind & 1 ? 2 : 0),
        .fidelity.level = 3,
        .order.shuffle = kind < 6 ? PCR_SHUFFLE_BLOCK : PCR_SHUFFLE_NONE + 2 * (kind & 1),
        .shard.world = 1 + (kind >> 1 & 1),
        .bad_sample = PCR_SAMPLE_SKIP,
    };
}

/* Takes at most `count` batches of what was begun; the fidelity of all is to be this, if any. */
static uint64_t take(struct pcr_loader *l, uint32_t count, uint32_t fidelity)
{
    struct pcr_batch *b;
    struct pcr_error err;
    uint64_t hash = 0;
    int rc = 0;
    for (uint32_t n = 0; n < count && !(rc = pcr_loader_next(l, &b, &err)); n++) {
        hash = hash * 31 + pcri_xxh3(b->pixels, (size_t) b->sample_count * 16 * 20 * 3);
        for (uint32_t i = 0; fidelity && i < b->sample_count; i++)
            ck_assert_uint_eq(b->fidelities[i], fidelity);
        pcr_batch_release(&b);
    }
    ck_assert_msg(rc == 0 || rc == PCR_END, "%s", err.message);
    return hash;
}

static uint64_t run(struct pcr_loader *l, uint64_t epoch)
{
    start(l, epoch);
    return take(l, UINT32_MAX, 0);
}

static struct pcr_loader_stats stats_of(struct pcr_loader *l)
{
    struct pcr_loader_stats s = { .size = sizeof(s) };
    struct pcr_error err;
    made_check(pcr_loader_stats(l, &s, &err), &err);
    return s;
}

/* Waits until something is read of the epoch that has not begun. */
static void wait_ahead(struct pcr_loader *l)
{
    for (;;) { /* the test has a time limit */
        struct pcr_loader_stats s = stats_of(l);
        if (s.held_nbytes && !s.reading_count)
            return;
        nanosleep(&(struct timespec) { .tv_nsec = 1000000 }, NULL);
    }
}

/* Nothing but the time of reading changes, and nothing is read twice. */
START_TEST(same_epochs)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_loader *ahead = create(&o);
    o.flags = PCR_LOADER_NO_READ_AHEAD;
    struct pcr_loader *plain = create(&o);
    for (uint64_t epoch = 3; epoch < 6; epoch++) {
        ck_assert_uint_eq(run(ahead, epoch), run(plain, epoch));
        ck_assert_uint_eq(stats_of(plain).held_nbytes, 0);
        if (epoch == 3) /* nobody knows yet that another follows */
            ck_assert_uint_eq(stats_of(ahead).held_nbytes, 0);
        else
            wait_ahead(ahead);
    }
    struct pcr_loader_stats a = stats_of(ahead), p = stats_of(plain);
    ck_assert_uint_eq(p.ahead_nbytes, 0);
    ck_assert_uint_gt(a.ahead_nbytes, 0);
    ck_assert_uint_gt(a.read_nbytes + a.ahead_nbytes, p.read_nbytes);
    if (o.shard.world == 1) {
        ck_assert_uint_le(a.read_nbytes, p.read_nbytes);
        ck_assert_uint_le(a.read_nbytes + a.ahead_nbytes, p.read_nbytes * 4 / 3);
    }
    pcr_loader_destroy(&ahead);
    pcr_loader_destroy(&plain);
}
END_TEST

/* An epoch of low fidelity is not charged with what is read for the next one, which is of the
 * full one; and that one is. */
START_TEST(counted_where_it_belongs)
{
    static const struct pcr_fidelity_step steps[] = { { .fidelity = 1 }, { .epoch = 2 } };
    struct pcr_loader_options o = options((uint32_t) _i);
    uint64_t low = 0, full = 0;
    o.fidelity.steps = steps;
    o.fidelity.step_count = 2;
    for (uint32_t k = 0; k < 2; k++) {
        o.flags = k ? 0 : PCR_LOADER_NO_READ_AHEAD;
        struct pcr_loader *l = create(&o);
        run(l, 0);
        uint64_t first = stats_of(l).read_nbytes;
        run(l, 1);
        if (k)
            wait_ahead(l);
        struct pcr_loader_stats s = stats_of(l);
        uint64_t second = s.read_nbytes - first;
        run(l, 2);
        uint64_t third = stats_of(l).read_nbytes - s.read_nbytes;
        if (!k) {
            low = second;
            full = third;
            ck_assert_uint_gt(full, low * 2);
        } else {
            ck_assert_uint_le(second, low);
            ck_assert_uint_gt(s.ahead_nbytes, 0);
            ck_assert_uint_le(third, full);
            ck_assert_uint_ge(third * 4, full * 3); /* chunks as gaps are read but once */
        }
        pcr_loader_destroy(&l);
    }
}
END_TEST

/* What was read is of no use: another epoch comes, a state, or the end. */
START_TEST(another_epoch)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_loader *l = create(&o), *fresh = create(&o);
    struct pcr_error err;
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    run(l, 0);
    run(l, 1);
    wait_ahead(l);
    ck_assert_uint_eq(run(l, 7), run(fresh, 7));
    run(l, 8);
    wait_ahead(l);
    start(fresh, 9);
    take(fresh, 3, 0);
    made_check(pcr_loader_state(fresh, state, &err), &err);
    made_check(pcr_loader_resume(l, state, sizeof(state), &err), &err); /* epoch 9 too */
    ck_assert_uint_eq(take(l, UINT32_MAX, 0), take(fresh, UINT32_MAX, 0));
    ck_assert_uint_eq(run(l, 10), run(fresh, 10));
    wait_ahead(l);
    pcr_loader_cancel(l);
    ck_assert_uint_eq(run(l, 11), run(fresh, 11));
    start(l, 12); /* left in the middle */
    take(l, 2, 0);
    ck_assert_uint_eq(run(l, 13), run(fresh, 13));
    pcr_loader_destroy(&l);
    pcr_loader_destroy(&fresh);
}
END_TEST

/* The fidelity may change after the bytes were read. */
START_TEST(another_fidelity)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_loader *l = create(&o);
    static const uint32_t fidelities[] = { 1, 5, 2, 6 };
    struct pcr_error err;
    o.flags = PCR_LOADER_NO_READ_AHEAD;
    struct pcr_loader *plain = create(&o);
    run(l, 0);
    run(plain, 0);
    for (uint64_t epoch = 1; epoch < 5; epoch++) {
        run(l, epoch);
        run(plain, epoch);
        wait_ahead(l);
        uint32_t g = fidelities[++epoch / 2 % 4];
        made_check(pcr_loader_set_fidelity(l, g, &err), &err);
        made_check(pcr_loader_set_fidelity(plain, g, &err), &err);
        start(l, epoch);
        start(plain, epoch);
        ck_assert_uint_eq(take(l, UINT32_MAX, g), take(plain, UINT32_MAX, g));
    }
    pcr_loader_destroy(&l);
    pcr_loader_destroy(&plain);
}
END_TEST

/* Changes a byte, or changes it back. */
static void flip(const char *path, long offset)
{
    FILE *f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, offset, SEEK_SET), 0);
    int c = fgetc(f);
    ck_assert_int_ne(c, EOF);
    ck_assert_int_eq(fseek(f, offset, SEEK_SET), 0);
    ck_assert_int_ne(fputc(c ^ 0x5A, f), EOF);
    ck_assert_int_eq(fclose(f), 0);
}

/* A loader that ends while it reads ahead, and damage in what is read ahead. */
START_TEST(ends_and_damage)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_loader *l = NULL;
    char path[300];
    for (int round = 0; round < 3; round++) {
        l = create(&o);
        run(l, 0);
        run(l, 1);
        nanosleep(&(struct timespec) { .tv_nsec = round * 120000 }, NULL);
        pcr_loader_destroy(&l);
    }
    l = create(&o);
    run(l, 0);
    struct pcr_record_info info = { .size = sizeof(info) };
    struct pcr_error err;
    made_check(pcr_dataset_record(dataset, 1, &info, &err), &err);
    snprintf(path, sizeof(path), "%s/%s", made_folder.path, info.path);
    flip(path, (long) info.head_end + 40);
    run(l, 1);
    run(l, 2);
    uint64_t replaced_count = stats_of(l).replaced_count;
    flip(path, (long) info.head_end + 40);
    ck_assert_uint_ge(replaced_count, o.shard.world == 1 ? 2 : 0);
    pcr_loader_destroy(&l);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_ahead");
    /* Once: sanitizers take long to make it. */
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, same_epochs, 0, KINDS);
    tcase_add_loop_test(t, counted_where_it_belongs, 0, KINDS);
    tcase_add_loop_test(t, another_epoch, 0, KINDS);
    tcase_add_loop_test(t, another_fidelity, 0, KINDS);
    tcase_add_loop_test(t, ends_and_damage, 0, KINDS);
    return tests_run();
}
