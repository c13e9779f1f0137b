/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders with bad samples: what takes their place, on any number of ranks. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include <pcr/loader.h>

#include "../../loaders/transform/crop.h"
#include "io/storage.h"
#include "made_bad.h"
#include "suite.h"

static struct pcr_loader_options options(uint32_t shuffle)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .seed = 5,
        .batch_size = 8,
        .output.height = 12,
        .output.width = 10,
        .order.block_samples = 5,
        .order.window_samples = 30,
        .threads.count = 2,
        .transform.flip_ppm = 500000,
        .order.shuffle = shuffle,
        .bad_sample = PCR_SAMPLE_SKIP,
    };
}

static struct pcr_loader_stats stats_of(const struct pcr_loader *l)
{
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    struct pcr_error err;
    made_check(pcr_loader_stats(l, &stats, &err), &err);
    return stats;
}

/* --- ranks --- */

/* All that there is to a sample of a batch. */
static uint64_t sample_hash(const struct pcr_batch *b, uint32_t i)
{
    size_t nbytes = (size_t) b->height * b->width * b->channels;
    return pcri_xxh3(b->pixels + i * nbytes, nbytes) ^ pcri_mix(b->indices[i]) ^
           (uint64_t) b->labels[i] * 3 ^ (uint64_t) b->fidelities[i] << 32 ^ b->valid[i];
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* What each step of an epoch has, sorted: the samples of all ranks' batches. Returns how many. */
static uint64_t run_ranks(struct pcr_loader_options o, uint64_t *out)
{
    struct pcr_loader *l[5];
    uint64_t n = 0;
    for (o.shard.rank = 0; o.shard.rank < o.shard.world; o.shard.rank++) {
        o.threads.count = 1 + o.shard.rank % 3;
        l[o.shard.rank] = create(&o);
        start(l[o.shard.rank], 2);
    }
    for (uint64_t step = 0, first = 0; step < pcr_loader_batch_count(l[0]);
         step++, first = n) {
        uint32_t size = 0;
        for (uint32_t r = 0; r < o.shard.world; r++) {
            struct pcr_batch *b = next(l[r]);
            ck_assert_ptr_nonnull(b);
            ck_assert_uint_eq(b->number, step);
            size = r ? size : b->sample_count;
            ck_assert_uint_eq(b->sample_count, size);
            for (uint32_t i = 0; i < size; i++) {
                ck_assert(!bad[b->indices[i]]);
                out[n++] = sample_hash(b, i);
            }
            pcr_batch_release(&b);
        }
        qsort(out + first, n - first, sizeof(*out), compare);
    }
    for (uint32_t r = 0; r < o.shard.world; r++) {
        ck_assert_ptr_null(next(l[r]));
        pcr_loader_destroy(&l[r]);
    }
    return n;
}

/* However many are bad, and on whatever ranks: as many batches of as many samples on each rank,
 * and the same samples, stand-ins too, for any number of ranks with equal steps. */
START_TEST(ranks_have_equal_steps)
{
    static const uint32_t shapes[][2] = { { 12, 1 }, { 6, 2 }, { 4, 3 }, { 3, 4 } };
    static const uint32_t uneven[][2] = { { 5, 5 }, { 7, 3 }, { 1, 2 }, { 40, 2 } };
    for (uint32_t count = 1; count < 100; count *= 3) {
        struct pcr_loader_options o = options((uint32_t) _i);
        uint64_t want[MADE_SAMPLES + 5], got[MADE_SAMPLES + 5], full = 96;
        damage_at_random(count, count + (uint64_t) _i);
        for (uint32_t k = 0; k < 4; k++) {
            o.batch_size = shapes[k][0];
            o.shard.world = shapes[k][1];
            ck_assert_uint_ge(run_ranks(o, k ? got : want), MADE_SAMPLES);
            if (k)
                ck_assert_mem_eq(got, want, full * sizeof(*want));
        }
        for (uint32_t k = 0; k < 4; k++) {
            o.batch_size = uneven[k][0];
            o.shard.world = uneven[k][1];
            run_ranks(o, got);
        }
        repair();
    }
}
END_TEST

/* --- what takes the place --- */

/* Only one sample of three is good: it comes three times, each time with a crop of its own. */
START_TEST(stand_ins_have_their_own_crops)
{
    static const uint64_t indices[] = { 30, 69, 70 };
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_bad_sample f = { .size = sizeof(f) };
    uint32_t seen = 0;
    o.order.indices = indices;
    o.order.index_count = 3;
    damage(30);
    damage(69);
    struct pcr_loader *l = create(&o);
    start(l, 4);
    struct pcr_batch *b = next(l);
    ck_assert_uint_eq(b->sample_count, 3);
    o.transform.kind = PCR_TRANSFORM_RANDOM_CROP;
    o.transform.area_min_ppm = 80000;
    o.transform.area_max_ppm = 1000000;
    o.transform.ratio_min_ppm = 750000;
    o.transform.ratio_max_ppm = 1333333;
    for (uint32_t i = 0; i < 3; i++) {
        const struct pcr_crop *crop = &b->crops[i];
        ck_assert_uint_eq(b->indices[i], 70);
        ck_assert_int_eq(b->labels[i], made_label(70));
        for (uint32_t k = 0; k < 3; k++) {
            struct pcr_resize_options window;
            pcri_choose_window(&o, 4, indices[k], crop->width, crop->height, &window);
            if (crop->x0 == (float) window.x0 && crop->x1 == (float) window.x1 &&
                crop->y0 == (float) window.y0 && crop->y1 == (float) window.y1) {
                ck_assert_uint_eq(b->valid[i], indices[k] == 70);
                seen |= 1u << k;
            }
        }
    }
    ck_assert_uint_eq(seen, 7);
    for (uint64_t i = 0; i < 2; i++) {
        ck_assert_int_eq(pcr_loader_bad_sample(l, i, &f, NULL), 0);
        ck_assert_uint_eq(f.replacement, 70);
        ck_assert_uint_eq(f.delivered, 0);
    }
    ck_assert_uint_eq(stats_of(l).replaced_count, 2);
    pcr_batch_release(&b);
    pcr_loader_destroy(&l);
    repair();
}
END_TEST

/* A record is lost as a whole: each of its places has another sample. */
START_TEST(lost_record)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint32_t samples = 0, stand_ins = 0;
    for (uint32_t i = 13; i < 63; i++)
        damage(i);
    struct pcr_loader *l = create(&o);
    start(l, 0);
    for (struct pcr_batch *b; (b = next(l));) {
        for (uint32_t i = 0; i < b->sample_count; i++) {
            ck_assert(!bad[b->indices[i]]);
            stand_ins += !b->valid[i];
        }
        samples += b->sample_count;
        pcr_batch_release(&b);
    }
    ck_assert_uint_eq(samples, MADE_SAMPLES);
    ck_assert_uint_eq(stand_ins, 50);
    ck_assert_uint_eq(stats_of(l).replaced_count, 50);
    pcr_loader_destroy(&l);
    repair();
}
END_TEST

/* Of a record that was cut off, samples come at the fidelities before the cut. */
START_TEST(cut_off)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_record_info info = { .size = sizeof(info) };
    uint32_t coarse = 0, samples = 0;
    o.bad_sample = PCR_SAMPLE_DEGRADE;
    ck_assert_int_eq(pcr_dataset_record(dataset, 1, &info, NULL), 0);
    const char *path = made_path(info.path);
    struct pcr_buffer whole = { 0 };
    ck_assert_int_eq(pcri_storage_read(&pcri_files, path, 1 << 30, 0, &whole, NULL), 0);
    ck_assert_int_eq(truncate(path, (off_t) pcr_dataset_record_prefix(dataset, 1, 2) + 1), 0);
    struct pcr_loader *l = create(&o);
    start(l, 0);
    for (struct pcr_batch *b; (b = next(l)); pcr_batch_release(&b))
        for (uint32_t i = 0; i < b->sample_count; i++, samples++) {
            bool is_cut = b->indices[i] - info.first_sample < info.sample_count;
            ck_assert_uint_ge(b->fidelities[i], is_cut ? 2 : group_count);
            ck_assert(b->valid[i]);
            coarse += b->fidelities[i] == 2;
        }
    ck_assert_uint_eq(samples, MADE_SAMPLES);
    ck_assert_uint_gt(coarse, 0);
    ck_assert_uint_eq(stats_of(l).degraded_count, coarse);
    pcr_loader_destroy(&l);
    made_write(info.path, whole.data, whole.nbytes);
    pcr_buffer_free(&whole);
}
END_TEST

/* The own fidelity of what stands in, and no augmentation where it has none. */
START_TEST(stand_ins_keep_their_rules)
{
    static uint8_t fidelities[MADE_SAMPLES], augment[MADE_SAMPLES];
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    for (uint32_t i = 0; i < MADE_SAMPLES; i++) {
        fidelities[i] = (uint8_t) (1 + i % group_count);
        augment[i] = i % 2;
    }
    o.samples.fidelities = fidelities;
    o.samples.augment = augment;
    o.samples.count = MADE_SAMPLES;
    damage_at_random(30, 7);
    struct pcr_loader *l = create(&o);
    start(l, 0);
    for (struct pcr_batch *b; (b = next(l));) {
        for (uint32_t i = 0; i < b->sample_count; i++) {
            ck_assert_uint_eq(b->fidelities[i], fidelities[b->indices[i]]);
            ck_assert(augment[b->indices[i]] || !b->crops[i].flipped);
        }
        pcr_batch_release(&b);
    }
    ck_assert_uint_eq(stats_of(l).replaced_count, bad_count());
    pcr_loader_destroy(&l);
    repair();
}
END_TEST

/* Files take places as pixels do. */
START_TEST(files)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_batch *b, *p;
    damage_at_random(40, 3);
    struct pcr_loader *pixels = create(&o);
    o.flags = PCR_LOADER_RAW;
    struct pcr_loader *l = create(&o);
    start(l, 3);
    start(pixels, 3);
    while ((b = next(l))) {
        p = next(pixels);
        ck_assert_uint_eq(b->sample_count, p->sample_count);
        ck_assert_mem_eq(b->indices, p->indices, b->sample_count * sizeof(*b->indices));
        ck_assert_mem_eq(b->valid, p->valid, b->sample_count);
        for (uint32_t i = 0; i < b->sample_count; i++) {
            struct pcr_buffer file = { 0 };
            struct pcr_sample *s = NULL;
            struct pcr_error err;
            made_check(pcr_sample_acquire(dataset, b->indices[i], &s, &err), &err);
            made_check(pcr_sample_read(s, b->fidelities[i], &file, &err), &err);
            ck_assert_uint_eq(b->offsets[i + 1] - b->offsets[i], file.nbytes);
            ck_assert_mem_eq(b->data + b->offsets[i], file.data, file.nbytes);
            pcr_buffer_free(&file);
            pcr_sample_release(&s);
        }
        pcr_batch_release(&b);
        pcr_batch_release(&p);
    }
    ck_assert_ptr_null(next(pixels));
    pcr_loader_destroy(&l);
    pcr_loader_destroy(&pixels);
    repair();
}
END_TEST

/* Going on from a state has the same samples, stand-ins too. */
START_TEST(goes_on)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint64_t want[MADE_SAMPLES], n = 0;
    uint8_t states[13][PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    struct pcr_batch *b;
    damage_at_random(30, 11);
    struct pcr_loader *l = create(&o);
    start(l, 1);
    for (uint32_t k = 0; k < 13; k++) {
        made_check(pcr_loader_state(l, states[k], &err), &err);
        b = next(l);
        for (uint32_t i = 0; i < b->sample_count; i++)
            want[n++] = sample_hash(b, i);
        pcr_batch_release(&b);
    }
    pcr_loader_destroy(&l);
    for (uint32_t k = 0; k < 13; k += 4) {
        o.batch_size = 8 - k / 4; /* another one, where steps are others */
        l = create(&o);
        made_check(pcr_loader_resume(l, states[k], sizeof(states[k]), &err), &err);
        for (n = (uint64_t) k * 8; (b = next(l)); pcr_batch_release(&b))
            for (uint32_t i = 0; i < b->sample_count; i++)
                ck_assert_uint_eq(sample_hash(b, i), want[n++]);
        ck_assert_uint_eq(n, MADE_SAMPLES);
        pcr_loader_destroy(&l);
    }
    repair();
}
END_TEST

/* --- nothing --- */

START_TEST(nothing_good)
{
    static const uint64_t indices[] = { 30, 69 };
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_batch *b;
    struct pcr_error err;
    o.order.indices = indices;
    o.order.index_count = 2;
    o.bad_sample = _i % 2 ? PCR_SAMPLE_DEGRADE : PCR_SAMPLE_SKIP;
    damage(30);
    damage(69);
    struct pcr_loader *l = create(&o);
    start(l, 0);
    ck_assert_int_eq(pcr_loader_next(l, &b, &err), PCR_ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "no sample can replace") &&
                      (strstr(err.message, "sample-30") || strstr(err.message, "sample-69")),
                  "%s", err.message);
    repair();
    start(l, 0); /* all is well again */
    b = next(l);
    ck_assert_uint_eq(b->sample_count, 2);
    pcr_batch_release(&b);
    pcr_loader_destroy(&l);
}
END_TEST

/* A loader ends, or begins anew, in the middle of a search. */
START_TEST(early_ends)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_batch *b;
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        if (i != 50)
            damage(i);
    o.flags = _i == PCR_SHUFFLE_FULL ? PCR_LOADER_RAW : 0;
    for (uint32_t k = 0; k < 12; k++) {
        o.threads.count = 1 + k % 4;
        struct pcr_loader *l = create(&o);
        start(l, k);
        if (k % 3) {
            b = next(l);
            ck_assert_uint_eq(b->indices[0], 50);
            pcr_batch_release(&b);
        }
        if (k % 2)
            pcr_loader_cancel(l);
        if (k % 4 > 1)
            start(l, k + 1);
        pcr_loader_destroy(&l);
    }
    repair();
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_bad");
    const TTest *const each[] = {
        ranks_have_equal_steps,
        stand_ins_have_their_own_crops,
        lost_record,
        files,
        goes_on,
        nothing_good,
        early_ends,
        cut_off,
    };
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 110);
    for (size_t k = 0; k < sizeof(each) / sizeof(each[0]); k++)
        tcase_add_loop_test(t, each[k], PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, stand_ins_keep_their_rules);
    return tests_run();
}
