/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders of several datasets, with weights, with fidelities and augmentation by sample. */
#include <check.h>
#include <stdlib.h>

#include <pcr/loader.h>

#include "base/random.h"
#include "made_loader.h"
#include "suite.h"

enum { PART = 50, PART_FIRST = 13, BOTH = MADE_SAMPLES + PART, MOST = 400 };

/* All of the made images; and their second record alone, as a dataset of its own. */
static struct pcr_dataset *datasets[2];

static void open_datasets(void)
{
    struct pcr_error err;
    open_dataset();
    datasets[0] = dataset;
    made_check(pcr_dataset_open(made_path("record-1.pcr"), NULL, &datasets[1], &err), &err);
}

static void close_datasets(void)
{
    close_dataset();
    pcr_dataset_close(&datasets[1]);
}

static struct pcr_loader_options options(uint32_t shuffle)
{
    struct pcr_loader_options o = small_windows();
    o.order.shuffle = shuffle;
    o.batch_size = 7;
    o.transform.flip_ppm = 0;
    return o;
}

static struct pcr_loader *create_mix(const struct pcr_loader_options *o, uint32_t count)
{
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    made_check(pcr_loader_create_mix(datasets, count, o, &l, &err), &err);
    return l;
}

/* What came of an epoch, sample by sample. */
struct seen {
    uint32_t count;
    uint32_t dataset[MOST], fidelity[MOST];
    uint64_t index[MOST], pixels[MOST];
};

/* The samples of the next `batches` batches, added to *out. */
static void take(struct pcr_loader *l, uint32_t batches, struct seen *out)
{
    struct pcr_batch *b;
    uint64_t wrong = 0;
    for (; batches && (b = next(l)); batches--) {
        size_t nbytes = (size_t) b->height * b->width * b->channels;
        ck_assert_uint_le(out->count + b->sample_count, MOST);
        for (uint32_t i = 0; i < b->sample_count; i++, out->count++) {
            uint64_t index = b->indices[i] + (b->datasets[i] ? PART_FIRST : 0);
            wrong += b->labels[i] != made_label(index);
            out->dataset[out->count] = b->datasets[i];
            out->fidelity[out->count] = b->fidelities[i];
            out->index[out->count] = b->indices[i];
            out->pixels[out->count] = pcri_xxh3(b->pixels + i * nbytes, nbytes);
        }
        pcr_batch_release(&b);
    }
    ck_assert_uint_eq(wrong, 0);
}

static void run(const struct pcr_loader_options *o, uint32_t count, uint64_t epoch,
                struct seen *out)
{
    struct pcr_loader *l = create_mix(o, count);
    out->count = 0;
    start(l, epoch);
    take(l, UINT32_MAX, out);
    pcr_loader_destroy(&l);
}

/* Pixels of each sample of the first dataset at fidelity g, under these options. */
static void reference(struct pcr_loader_options o, uint32_t g, uint64_t epoch, uint64_t *out)
{
    struct seen seen;
    o.fidelity.level = g;
    run(&o, 1, epoch, &seen);
    ck_assert_uint_eq(seen.count, MADE_SAMPLES);
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        out[seen.index[i]] = seen.pixels[i];
}

/* How many pixels are not those of the sample: want[fidelity - 1][index]. */
static uint64_t count_wrong(const struct seen *s, uint64_t (*want)[MADE_SAMPLES])
{
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < s->count; i++)
        wrong += s->pixels[i] !=
                 want[s->fidelity[i] - 1][s->index[i] + (s->dataset[i] ? PART_FIRST : 0)];
    return wrong;
}

/* --- several datasets --- */

START_TEST(one_after_another)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint64_t want[1][MADE_SAMPLES];
    struct seen s;
    o.transform.kind = PCR_TRANSFORM_STRETCH;
    o.fidelity.level = 1;
    reference(o, 1, 0, want[0]);
    run(&o, 2, 0, &s);
    ck_assert_uint_eq(s.count, BOTH);
    ck_assert_uint_eq(count_wrong(&s, want), 0);
    uint32_t seen[2][MADE_SAMPLES] = { { 0 } }, not_once = 0;
    for (uint32_t i = 0; i < s.count; i++) {
        seen[s.dataset[i]][s.index[i]]++;
        if (_i == PCR_SHUFFLE_NONE)
            ck_assert_uint_eq(s.dataset[i], i >= MADE_SAMPLES);
    }
    for (uint32_t i = 0; i < BOTH; i++)
        not_once += (i < MADE_SAMPLES ? seen[0][i] : seen[1][i - MADE_SAMPLES]) != 1;
    ck_assert_uint_eq(not_once, 0);
}
END_TEST

/* The numbers of samples go on from dataset to dataset. */
START_TEST(indices_of_several)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_NONE);
    static const uint64_t indices[] = { 3, 99, 100, 149 };
    struct seen s;
    struct pcr_error err;
    struct pcr_loader *l;
    o.order.indices = indices;
    o.order.index_count = 4;
    run(&o, 2, 0, &s);
    ck_assert_uint_eq(s.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(s.dataset[i], i / 2);
        ck_assert_uint_eq(s.index[i] + 100 * s.dataset[i], indices[i]);
    }
    ck_assert_int_eq(pcr_loader_create(datasets[0], &o, &l, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_create_mix(datasets, 0, &o, &l, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_create_mix(NULL, 1, &o, &l, &err), PCR_ERR_INVAL);
    struct pcr_dataset *hole[2] = { datasets[0], NULL };
    ck_assert_int_eq(pcr_loader_create_mix(hole, 2, &o, &l, &err), PCR_ERR_INVAL);
}
END_TEST

/* --- weights, proportions, resume --- */

static uint32_t draw(uint32_t *random, uint32_t n)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 8) % n;
}

/* From anywhere in an epoch another loader goes on with what would have followed. */
static void check_resume(struct pcr_loader_options o, const struct seen *whole)
{
    uint32_t random = o.order.shuffle;
    for (int round = 0; round < 8; round++) {
        uint8_t state[PCR_LOADER_STATE_NBYTES];
        struct pcr_error err;
        struct seen s = { 0 };
        o.batch_size = 1 + draw(&random, 20);
        struct pcr_loader *l = create_mix(&o, 2);
        start(l, 6);
        take(l, draw(&random, whole->count / o.batch_size), &s);
        made_check(pcr_loader_state(l, state, &err), &err);
        pcr_loader_destroy(&l);
        o.batch_size = 1 + draw(&random, 20);
        o.threads.count = 1 + draw(&random, 3);
        l = create_mix(&o, 2);
        made_check(pcr_loader_resume(l, state, sizeof(state), &err), &err);
        take(l, UINT32_MAX, &s);
        pcr_loader_destroy(&l);
        ck_assert_uint_eq(s.count, whole->count);
        uint64_t wrong = 0;
        for (uint32_t i = 0; i < s.count; i++)
            wrong += s.pixels[i] != whole->pixels[i] || s.index[i] != whole->index[i] ||
                     s.dataset[i] != whole->dataset[i];
        ck_assert_uint_eq(wrong, 0);
    }
}

/* Proportions and weights together: shares are exact, and copies of a sample differ. */
START_TEST(proportions_and_weights)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    static const double proportions[2] = { 3, 1 };
    double weights[BOTH];
    struct seen s;
    for (uint32_t i = 0; i < BOTH; i++)
        weights[i] = i % 3;
    o.order.proportions = proportions;
    o.samples.weights = weights;
    o.samples.count = BOTH;
    o.order.epoch_samples = 300;
    run(&o, 2, 6, &s);
    ck_assert_uint_eq(s.count, 300);
    memset(weights, 0, sizeof(weights)); /* they were copied */
    uint32_t shares[2] = { 0 }, alike = 0, copies = 0, wrong = 0;
    for (uint32_t i = 0; i < s.count; i++) {
        shares[s.dataset[i]]++;
        wrong += (s.index[i] + (s.dataset[i] ? MADE_SAMPLES : 0)) % 3 == 0;
        for (uint32_t k = 0; k < i; k++)
            if (s.index[i] == s.index[k] && s.dataset[i] == s.dataset[k]) {
                copies++;
                alike += s.pixels[i] == s.pixels[k];
            }
    }
    ck_assert_uint_eq(shares[0], 225);
    ck_assert_uint_eq(shares[1], 75);
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_gt(copies, 100);
    ck_assert_uint_lt(alike, copies / 20);
    for (uint32_t i = 0; i < BOTH; i++)
        weights[i] = i % 3;
    check_resume(o, &s);
}
END_TEST

/* A state is not for another choice of samples. */
START_TEST(other_orders)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK), other[5];
    double weights[BOTH], proportions[2] = { 1, 2 };
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    for (uint32_t i = 0; i < BOTH; i++)
        weights[i] = 1;
    struct pcr_loader *l = create_mix(&o, 2);
    made_check(pcr_loader_state(l, state, &err), &err);
    pcr_loader_destroy(&l);
    for (int i = 0; i < 5; i++)
        other[i] = o;
    other[0].samples.weights = weights;
    other[0].samples.count = BOTH;
    other[1].order.epoch_samples = 77;
    other[2].order.proportions = proportions;
    other[3].flags = PCR_LOADER_ONCE;
    for (int i = 0; i < 5; i++) {
        l = create_mix(&other[i], i == 4 ? 1 : 2);
        ck_assert_int_eq(pcr_loader_resume(l, state, sizeof(state), &err), PCR_ERR_INVAL);
        pcr_loader_destroy(&l);
    }
}
END_TEST

/* --- fidelity --- */

START_TEST(fidelity_by_sample_and_epoch)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint64_t want[PCRI_MAX_GROUPS][MADE_SAMPLES];
    uint8_t own[BOTH] = { 0 };
    double chances[PCRI_MAX_GROUPS] = { 1, 0, 3 };
    const struct pcr_fidelity_step steps[] = {
        { .epoch = 1, .fidelity = 2 },
        { .epoch = 4, .chances = chances },
        { .epoch = 6 },
    };
    struct seen s, again;
    o.transform.kind = PCR_TRANSFORM_STRETCH;
    o.fidelity.level = 1;
    for (uint32_t g = 1; g <= group_count; g++)
        reference(o, g, 0, want[g - 1]);
    for (uint32_t i = 0; i < BOTH; i += 3)
        own[i] = (uint8_t) (1 + i % group_count);
    o.fidelity.steps = steps;
    o.fidelity.step_count = 3;
    o.samples.fidelities = own;
    o.samples.count = BOTH;
    for (uint64_t epoch = 0; epoch < 8; epoch++) {
        uint32_t wrong = 0, counts[4] = { 0 };
        o.threads.count = 2;
        run(&o, 2, epoch, &s);
        ck_assert_uint_eq(count_wrong(&s, want), 0);
        for (uint32_t i = 0; i < s.count; i++) {
            uint32_t mine = own[s.index[i] + (s.dataset[i] ? MADE_SAMPLES : 0)];
            if (mine) {
                wrong += s.fidelity[i] != mine;
                continue;
            }
            if (epoch < 4 || epoch > 5)
                wrong += s.fidelity[i] != (!epoch ? 1 : epoch < 4 ? 2 : group_count);
            else
                counts[s.fidelity[i] < 3 ? s.fidelity[i] : 3]++;
        }
        ck_assert_uint_eq(wrong, 0);
        if (epoch == 4 || epoch == 5) { /* 100 draws, a quarter and three */
            ck_assert_uint_eq(counts[2], 0);
            ck_assert(counts[1] > 8 && counts[1] < 42);
        }
        o.threads.count = 1;
        o.batch_size = 11;
        run(&o, 2, epoch, &again);
        ck_assert_mem_eq(s.fidelity, again.fidelity, s.count * sizeof(s.fidelity[0]));
    }
}
END_TEST

/* Reading goes by what each sample needs. */
START_TEST(mixture_reads_its_part)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    double chances[PCRI_MAX_GROUPS] = { 9 };
    const struct pcr_fidelity_step steps[] = { { .chances = chances } };
    uint64_t nbytes[3], need = 0;
    chances[group_count - 1] = 1;
    for (int i = 0; i < 3; i++) {
        struct pcr_loader_stats stats = { .size = sizeof(stats) };
        struct pcr_error err;
        struct seen s = { 0 };
        o.fidelity.steps = i ? NULL : steps;
        o.fidelity.step_count = !i;
        o.fidelity.level = i;
        struct pcr_loader *l = create_mix(&o, 1);
        start(l, 0);
        take(l, UINT32_MAX, &s);
        made_check(pcr_loader_stats(l, &stats, &err), &err);
        nbytes[i] = stats.read_nbytes;
        pcr_loader_destroy(&l);
        for (uint32_t k = 0; k < s.count && !i; k++) {
            struct pcr_sample *sample = NULL;
            made_check(pcr_sample_acquire(datasets[0], s.index[k], &sample, &err), &err);
            need += pcr_sample_nbytes(sample, s.fidelity[k]);
            pcr_sample_release(&sample);
        }
    }
    /* These images are so small that most gaps are read through. */
    ck_assert_uint_ge(nbytes[0], need);
    ck_assert_uint_ge(nbytes[0], nbytes[1]);
    ck_assert_uint_lt(nbytes[0], need * 2);
}
END_TEST

/* What was set while the loader ran is set after a resume too, from the same sample on. */
START_TEST(fidelity_set_and_resumed)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    const struct pcr_fidelity_step steps[] = { { .fidelity = 1 },
                                               { .epoch = 1, .fidelity = 3 } };
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    struct seen whole = { 0 }, s = { 0 };
    o.memory.batches_ahead = 3;
    o.fidelity.steps = steps;
    o.fidelity.step_count = 2;
    struct pcr_loader *l = create_mix(&o, 1);
    start(l, 0);
    for (uint32_t i = 0; i < MADE_SAMPLES / 7 + 1; i++) {
        take(l, 1, &whole);
        if (i < 8)
            made_check(pcr_loader_set_fidelity(l, i % group_count + 1, &err), &err);
        if (i == 6) {
            made_check(pcr_loader_state(l, state, &err), &err);
            s = whole;
        }
    }
    for (uint32_t i = 0; i < MADE_SAMPLES; i++) {
        uint32_t batch = i / 7, set = batch < 12 ? batch - 4 : 7;
        uint32_t want = batch < 4 ? 1 : set % group_count + 1;
        ck_assert_uint_eq(whole.fidelity[i], want);
    }
    start(l, 1);
    struct seen second = { 0 };
    take(l, 1, &second);
    ck_assert_uint_eq(second.fidelity[0], 3); /* a step names this epoch */
    pcr_loader_destroy(&l);

    ck_assert_uint_eq(pcri_load32(state + 60), 3); /* on the way */
    o.batch_size = 5;
    l = create_mix(&o, 1);
    made_check(pcr_loader_resume(l, state, sizeof(state), &err), &err);
    take(l, UINT32_MAX, &s);
    /* The change that was made after the state was saved is not in it. */
    for (uint32_t i = 77; i < MADE_SAMPLES; i++)
        whole.fidelity[i] = 6 % group_count + 1;
    ck_assert_mem_eq(s.index, whole.index, sizeof(s.index));
    ck_assert_mem_eq(s.fidelity, whole.fidelity, sizeof(s.fidelity));
    pcr_loader_destroy(&l);
}
END_TEST

/* Four changes may be on the way; one that is made twice between two batches is one. */
START_TEST(many_changes)
{
    static const uint32_t want[15] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 5, 5 };
    struct pcr_loader_options o = options(PCR_SHUFFLE_FULL);
    struct pcr_error err;
    struct seen s = { 0 };
    o.fidelity.level = 1;
    o.memory.batches_ahead = 8;
    struct pcr_loader *l = create_mix(&o, 1);
    start(l, 0);
    for (uint32_t i = 0; i < 6; i++) {
        take(l, 1, &s);
        if (i < 4) {
            made_check(pcr_loader_set_fidelity(l, 1, &err), &err);
            made_check(pcr_loader_set_fidelity(l, 2 + i, &err), &err);
        } else {
            ck_assert_int_eq(pcr_loader_set_fidelity(l, 1, &err), PCR_ERR_INVAL);
        }
    }
    take(l, UINT32_MAX, &s);
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        ck_assert_uint_eq(s.fidelity[i], want[i / 7]);
    pcr_loader_destroy(&l);
}
END_TEST

/* --- augmentation --- */

START_TEST(selective_augmentation)
{
    struct pcr_loader_options o = options((uint32_t) _i), plain, random;
    uint64_t want[2][MADE_SAMPLES], wrong = 0;
    uint8_t augment[MADE_SAMPLES];
    struct seen s;
    o.transform.flip_ppm = 500000;
    random = plain = o;
    plain.transform.kind = PCR_TRANSFORM_CENTER_CROP;
    plain.transform.flip_ppm = 0;
    reference(plain, 0, 3, want[0]);
    reference(random, 0, 3, want[1]);
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        augment[i] = i * 7 % 5 < 2;
    o.samples.augment = augment;
    o.samples.count = MADE_SAMPLES;
    run(&o, 1, 3, &s);
    for (uint32_t i = 0; i < s.count; i++)
        wrong += s.pixels[i] != want[augment[s.index[i]]][s.index[i]];
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_mix");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_datasets, close_datasets);
    tcase_set_timeout(t, 110);
    tcase_add_loop_test(t, one_after_another, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, indices_of_several);
    tcase_add_loop_test(t, proportions_and_weights, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, other_orders);
    tcase_add_loop_test(t, fidelity_by_sample_and_epoch, PCR_SHUFFLE_BLOCK,
                        PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, mixture_reads_its_part);
    tcase_add_loop_test(t, fidelity_set_and_resumed, PCR_SHUFFLE_BLOCK, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, many_changes);
    tcase_add_loop_test(t, selective_augmentation, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    return tests_run();
}
