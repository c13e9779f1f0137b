/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders that choose fidelities by quality. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include <pcr/loader.h>

#include "made_loader.h"
#include "suite.h"

static struct pcr_loader_options options(uint32_t shuffle)
{
    struct pcr_loader_options o = small_windows();
    o.order.shuffle = shuffle;
    o.batch_size = 7;
    return o;
}

/* By sample: the fidelity, 0 if it was not delivered, and its crop. */
struct seen {
    uint32_t fidelity[MADE_SAMPLES];
    struct pcr_crop crop[MADE_SAMPLES];
};

static void take(struct pcr_loader *l, uint32_t batches, struct seen *out)
{
    struct pcr_batch *b;
    for (; batches && (b = next(l)); batches--) {
        for (uint32_t i = 0; i < b->sample_count; i++) {
            out->fidelity[b->indices[i]] = b->fidelities[i];
            if (b->crops)
                out->crop[b->indices[i]] = b->crops[i];
        }
        pcr_batch_release(&b);
    }
}

static struct pcr_loader *begin(const struct pcr_loader_options *o, uint64_t epoch)
{
    struct pcr_loader *l = create(o);
    start(l, epoch);
    return l;
}

static void run(const struct pcr_loader_options *o, uint64_t epoch, struct seen *out)
{
    struct pcr_loader *l = begin(o, epoch);
    memset(out, 0, sizeof(*out));
    take(l, UINT32_MAX, out);
    pcr_loader_destroy(&l);
}

/* The least fidelity that reaches a quality for this crop, found one by one. */
static uint32_t least(uint64_t index, const struct pcr_crop *c, double quality)
{
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_sample *s = NULL;
    struct pcr_error err;
    const double scale = sqrt((c->x1 - c->x0) * (c->y1 - c->y0) / (24 * 20));
    uint32_t g = 1;
    made_check(pcr_sample_acquire(dataset, index, &s, &err), &err);
    made_check(pcr_sample_describe(s, &info, &err), &err);
    if (info.coding != PCR_CODING_OPAQUE)
        while (g < group_count &&
               1 - pcr_sample_quality(&info, g, scale) > (1 - quality) * pow(10, -.05))
            g++;
    pcr_sample_release(&s);
    return g;
}

START_TEST(least_that_reaches_it)
{
    static const double qualities[] = { .3, .8, .95, .999 };
    struct pcr_loader_options o = options((uint32_t) _i);
    struct seen s, other;
    for (size_t k = 0; k < 4; k++) {
        o.fidelity.quality = qualities[k];
        run(&o, 2, &s);
        for (uint32_t i = 0; i < MADE_SAMPLES; i++)
            ck_assert_uint_eq(s.fidelity[i], least(i, &s.crop[i], qualities[k]));
        struct pcr_loader_options p = o;
        p.threads.count = 1;
        p.threads.reader_count = PCR_NO_READERS;
        p.batch_size = 10;
        run(&p, 2, &other);
        ck_assert_mem_eq(s.fidelity, other.fidelity, sizeof(s.fidelity));
        p = o;
        p.flags |= PCR_LOADER_RAW;
        run(&p, 2, &other);
        ck_assert_mem_eq(s.fidelity, other.fidelity, sizeof(s.fidelity));
    }
}
END_TEST

START_TEST(bounds)
{
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK);
    struct seen s;
    o.fidelity.quality = .95;
    o.fidelity.minimum = 3;
    o.fidelity.maximum = 4;
    run(&o, 0, &s);
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        ck_assert(s.fidelity[i] == 3 || s.fidelity[i] == 4);
}
END_TEST

START_TEST(own_and_mixtures)
{
    static const double mixture[] = { .3, .999 }, chances[] = { 1, 3 };
    const struct pcr_fidelity_step steps[] = {
        { .quality = .3 },
        { .epoch = 1, .chances = chances, .qualities = mixture, .quality_count = 2 },
        { .epoch = 2, .fidelity = 2 },
    };
    struct pcr_loader_options o = options(PCR_SHUFFLE_FULL);
    double own[MADE_SAMPLES] = { 0 };
    struct seen s;
    uint32_t low = 0;
    o.fidelity.steps = steps;
    o.fidelity.step_count = 3;
    for (uint32_t i = 0; i < MADE_SAMPLES; i += 2)
        own[i] = .95;
    o.samples.qualities = own;
    o.samples.count = MADE_SAMPLES;
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        run(&o, epoch, &s);
        for (uint32_t i = 0; i < MADE_SAMPLES; i++) {
            const uint32_t a = least(i, &s.crop[i], .3), b = least(i, &s.crop[i], .999);
            if (i % 2 == 0)
                ck_assert_uint_eq(s.fidelity[i], least(i, &s.crop[i], .95));
            else if (epoch == 1)
                ck_assert(s.fidelity[i] == a || s.fidelity[i] == b);
            else
                ck_assert_uint_eq(s.fidelity[i], epoch ? 2 : a);
            low += epoch == 1 && i % 2 && a != b && s.fidelity[i] == a;
        }
    }
    ck_assert_uint_gt(low, 0);
    ck_assert_uint_lt(low, MADE_SAMPLES / 4);
}
END_TEST

START_TEST(set_and_resumed)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_buffer json = { 0 };
    struct pcr_error err;
    struct seen whole = { 0 }, rest = { 0 };
    o.fidelity.level = 1;
    o.memory.batches_ahead = 2;
    struct pcr_loader *l = begin(&o, 0);
    take(l, 2, &whole);
    made_check(pcr_loader_set_quality(l, .95, &err), &err);
    take(l, 1, &whole);
    made_check(pcr_loader_set_quality(l, .3, &err), &err);
    made_check(pcr_loader_state(l, state, &err), &err);
    made_check(pcr_loader_state_json(l, &json, &err), &err);
    memset(&whole, 0, sizeof(whole));
    take(l, UINT32_MAX, &whole);
    pcr_loader_destroy(&l);
    uint32_t above = 0;
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        above += whole.fidelity[i] > 1;
    ck_assert_uint_gt(above, 0);
    for (int form = 0; form < 2; form++) {
        l = create(&o);
        made_check(pcr_loader_resume(l, form ? json.data : state,
                                     form ? json.nbytes : sizeof(state), &err),
                   &err);
        memset(&rest, 0, sizeof(rest));
        take(l, UINT32_MAX, &rest);
        ck_assert_mem_eq(rest.fidelity, whole.fidelity, sizeof(rest.fidelity));
        pcr_loader_destroy(&l);
    }
    pcr_buffer_free(&json);
}
END_TEST

/* A damaged sample is degraded from the fidelity that its quality asks for. */
START_TEST(degraded)
{
    struct pcr_loader_options o = options((uint32_t) _i);
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    struct pcr_error err;
    struct seen s = { 0 };
    o.fidelity.quality = .9999;
    o.bad_sample = PCR_SAMPLE_DEGRADE;
    made_damage(1, 3, 2);
    struct pcr_loader *l = begin(&o, 0);
    take(l, UINT32_MAX, &s);
    made_damage(1, 3, 2);
    made_check(pcr_loader_stats(l, &stats, &err), &err);
    ck_assert_uint_eq(stats.degraded_count, 1);
    ck_assert_uint_eq(s.fidelity[made_counts[0] + 3], 1);
    struct pcr_bad_sample bad = { .size = sizeof(bad) };
    made_check(pcr_loader_bad_sample(l, 0, &bad, &err), &err);
    ck_assert_uint_eq(bad.delivered, 1);
    ck_assert_uint_gt(bad.fidelity, 1);
    uint64_t sum = 0;
    for (int g = 0; g < 32; g++)
        sum += stats.fidelity_counts[g];
    ck_assert_uint_eq(sum, MADE_SAMPLES);
    ck_assert_uint_le(stats.delivered_nbytes, stats.full_nbytes);
    pcr_loader_destroy(&l);
}
END_TEST

static void refuse(const struct pcr_loader_options *o, const char *why)
{
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    ck_assert_int_eq(pcr_loader_create(dataset, o, &l, &err), PCR_ERR_INVAL);
    ck_assert_msg(strstr(err.message, why), "%s, expected %s", err.message, why);
}

START_TEST(refused)
{
    static const double bad[] = { -1, 1, 2, NAN }, chances[] = { 1 };
    struct pcr_loader_options o = options(PCR_SHUFFLE_BLOCK), p;
    double own[MADE_SAMPLES] = { 0 };
    uint8_t fidelities[MADE_SAMPLES] = { 0 };
    for (size_t k = 0; k < 4; k++) {
        const struct pcr_fidelity_step step = { .quality = bad[k] };
        const struct pcr_fidelity_step mixture = { .chances = chances,
                                                   .qualities = &bad[k],
                                                   .quality_count = 1 };
        p = o;
        p.fidelity.quality = bad[k];
        refuse(&p, "above 0 and below 1");
        p.fidelity.quality = 0;
        p.fidelity.step_count = 1;
        p.fidelity.steps = &step;
        refuse(&p, "above 0 and below 1");
        p.fidelity.steps = &mixture;
        refuse(&p, "above 0 and below 1");
        p = o;
        own[5] = bad[k];
        p.samples.qualities = own;
        p.samples.count = MADE_SAMPLES;
        refuse(&p, "above 0 and below 1");
    }
    own[5] = .5;
    fidelities[5] = 1;
    p.samples.fidelities = fidelities;
    refuse(&p, "qualities has one too");
    p = o;
    p.fidelity.quality = .5;
    p.fidelity.level = 1;
    refuse(&p, "exclude each other");
    p.fidelity.level = 0;
    p.fidelity.minimum = 2;
    p.fidelity.maximum = 1;
    refuse(&p, "above fidelity_max");
    const struct pcr_fidelity_step both = { .quality = .5, .fidelity = 1 };
    p = o;
    p.fidelity.step_count = 1;
    p.fidelity.steps = &both;
    refuse(&p, "exclude each other");
    struct pcr_loader *l = begin(&o, 0);
    struct pcr_error err;
    ck_assert_int_eq(pcr_loader_set_quality(l, 1, &err), PCR_ERR_INVAL);
    pcr_loader_destroy(&l);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_quality");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 110);
    tcase_add_loop_test(t, least_that_reaches_it, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, bounds);
    tcase_add_test(t, own_and_mixtures);
    tcase_add_loop_test(t, set_and_resumed, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, degraded, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, refused);
    return tests_run();
}
