/* SPDX-License-Identifier: BSD-2-Clause */
/* Mixup and CutMix of a loader's batches. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include <pcr/loader.h>

#include "made_loader.h"
#include "suite.h"
#include "../../loaders/transform/mixing.h"
#include "../../loaders/transform/normalisation.h"
#include "../../loaders/transform/pixel_loops.h"

enum { CLASSES = 10, BATCH = 8 };

static struct pcr_loader_options options(void)
{
    struct pcr_loader_options o = small_windows();
    o.batch_size = BATCH;
    o.mix.mixup_alpha = 0.4;
    o.mix.cutmix_alpha = 1;
    o.mix.class_count = CLASSES;
    return o;
}

static double value_of(const struct pcr_batch *b, const void *pixels, size_t i)
{
    const uint16_t *halves = pixels;
    uint32_t bits;
    float value;
    switch (b->dtype) {
    case PCR_DTYPE_UINT8:
        return ((const uint8_t *) pixels)[i];
    case PCR_DTYPE_FLOAT32:
        return (double) ((const float *) pixels)[i];
    case PCR_DTYPE_FLOAT16:
        value = ldexpf((float) (halves[i] & 0x3FF) + (halves[i] & 0x7C00 ? 1024 : 0),
                       (halves[i] & 0x7C00 ? halves[i] >> 10 & 31 : 1) - 25);
        return (double) (halves[i] & 0x8000 ? -value : value);
    default:
        bits = (uint32_t) halves[i] << 16;
        memcpy(&value, &bits, sizeof(value));
        return (double) value;
    }
}

/* By how much a value may differ from the exact one. */
static double slack(const struct pcr_batch *b, double value)
{
    if (b->dtype == PCR_DTYPE_UINT8)
        return 0.55;
    return 3e-7 + fabs(value) * (b->dtype == PCR_DTYPE_FLOAT32   ? 0
                                 : b->dtype == PCR_DTYPE_FLOAT16 ? 5e-4
                                                                 : 4e-3);
}

struct seen {
    uint32_t batches, mixup, cutmix, whole, alike;
};

/* Each value of a picture is its own or its partner's, and the label says how many are. */
static void check_cut(const struct pcr_batch *m, const struct pcr_batch *plain, uint32_t view,
                      uint32_t i, size_t n)
{
    const uint8_t *mixed = m->views[view].pixels, *before = plain->views[view].pixels;
    const size_t partner = m->partners[i];
    const double most = 1 - (double) m->lam[i];
    const double near = view ? 0.1 : 1e-6; /* lam is that of the first view */
    size_t other = 0, either = 0, wrong = 0;
    for (size_t k = 0; k < n; k++) {
        double found = value_of(m, mixed, i * n + k);
        bool own = found == value_of(m, before, i * n + k);
        bool its = found == value_of(m, before, partner * n + k);
        wrong += !own && !its;
        other += !own;
        either += own && its;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_double_le((double) other / (double) n, most + near);
    ck_assert_double_ge((double) (other + either) / (double) n, most - near);
}

static void check_sum(const struct pcr_batch *m, const struct pcr_batch *plain, uint32_t view,
                      uint32_t i, size_t n)
{
    const uint8_t *mixed = m->views[view].pixels, *before = plain->views[view].pixels;
    const double lam = (double) m->lam[i];
    size_t wrong = 0;
    for (size_t k = 0; k < n; k++) {
        double wanted = lam * value_of(m, before, i * n + k) +
                        (1 - lam) * value_of(m, before, m->partners[i] * n + k);
        wrong += fabs(value_of(m, mixed, i * n + k) - wanted) > slack(m, wanted);
    }
    ck_assert_uint_eq(wrong, 0);
}

static void check_labels(const struct pcr_batch *m, uint32_t i)
{
    const float *row = m->soft_labels + (size_t) i * CLASSES;
    const int64_t own = m->labels[i], its = m->labels[m->partners[i]];
    for (int64_t c = 0; c < CLASSES; c++)
        ck_assert_double_eq_tol((double) row[c],
                                (c == own ? (double) m->lam[i] : 0) +
                                    (c == its ? 1 - (double) m->lam[i] : 0),
                                1e-6);
}

/* Compares a mixed batch with the same one not mixed. */
static void compare(const struct pcr_loader_options *o, const struct pcr_batch *m,
                    const struct pcr_batch *plain, struct seen *seen)
{
    ck_assert_uint_eq(m->sample_count, plain->sample_count);
    ck_assert_mem_eq(m->indices, plain->indices, m->sample_count * sizeof(uint64_t));
    ck_assert_mem_eq(m->labels, plain->labels, m->sample_count * sizeof(int64_t));
    ck_assert(m->lam && m->partners && m->soft_labels && m->class_count == CLASSES);
    ck_assert(!plain->lam && !plain->partners && !plain->soft_labels && !plain->class_count);
    seen->batches++;
    for (uint32_t i = 0; i < m->sample_count; i++) {
        struct pcri_mixture x;
        struct pcr_loader_options filled = *o;
        filled.mix.chance_ppm = o->mix.chance_ppm ? o->mix.chance_ppm : 1000000;
        filled.mix.cutmix_ppm = 500000;
        pcri_choose_mixture(&filled, m->epoch, m->indices[o->mix.each ? i : 0], &x);
        const bool mixed = x.mixed && m->sample_count > 1 && m->indices[i] % 11;
        check_labels(m, i);
        ck_assert_uint_eq(m->partners[i], !mixed ? i : i ? i - 1 : m->sample_count - 1);
        ck_assert(mixed || m->lam[i] == 1);
        seen->whole += !mixed;
        seen->mixup += mixed && !x.cut;
        seen->cutmix += mixed && x.cut;
        for (uint32_t v = 0; v < m->view_count; v++) {
            size_t n = (size_t) m->views[v].height * m->views[v].width * m->channels;
            if (mixed && x.cut)
                check_cut(m, plain, v, i, n);
            else
                check_sum(m, plain, v, i, n);
        }
    }
}

static uint8_t augment[MADE_SAMPLES];

static struct seen compare_epochs(const struct pcr_loader_options *o)
{
    struct pcr_loader_options plain = *o;
    struct seen seen = { 0 };
    memset(&plain.mix, 0, sizeof(plain.mix));
    struct pcr_loader *l = create(o), *p = create(&plain);
    for (uint64_t epoch = 0; epoch < 4; epoch++) {
        struct pcr_batch *b, *c;
        start(l, epoch);
        start(p, epoch);
        while ((b = next(l))) {
            c = next(p);
            compare(o, b, c, &seen);
            pcr_batch_release(&b);
            pcr_batch_release(&c);
        }
    }
    pcr_loader_destroy(&l);
    pcr_loader_destroy(&p);
    return seen;
}

static const struct pcr_loader_view two_views[2] = {
    { 24, 20, 0, 0, { .flip_ppm = 500000 } },
    { 40, 40, 0, 0, { .hue_ppm = 300000 } },
};

/* Every type, layout and number of channels, of whole and of mixed samples. */
START_TEST(as_defined)
{
    struct pcr_loader_options o = options();
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        augment[i] = i % 11 != 0;
    o.samples.augment = augment;
    o.samples.count = MADE_SAMPLES;
    o.output.dtype = 1 + (uint32_t) _i % 4;
    o.output.layout = _i & 1 ? PCR_LAYOUT_NCHW : PCR_LAYOUT_NHWC;
    o.output.color = _i == 2 ? PCR_COLOR_GRAY : PCR_COLOR_RGB;
    o.mix.each = _i >= 4;
    o.mix.chance_ppm = _i & 2 ? 700000 : 0;
    if (o.output.dtype > 1)
        o.output.mean[0] = 0.45f;
    if (_i == 3 || _i == 4) {
        o.output.height = o.output.width = 0;
        o.transform.flip_ppm = 0;
        o.views = two_views;
        o.view_count = 2;
    }
    struct seen s = compare_epochs(&o);
    ck_assert_uint_eq(s.batches, 4 * 13);
    ck_assert(s.mixup > 80 && s.cutmix > 80 && s.whole >= 4 * 9);
}
END_TEST

/* Threads, interruptions and workers change nothing. */
START_TEST(repeatable)
{
    struct pcr_loader_options o = options(), p = options();
    struct pcr_batch *b, *c;
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    struct pcr_error err;
    o.shard.world = p.shard.world = 2;
    o.shard.rank = p.shard.rank = 1;
    p.threads.count = 5;
    p.memory.batches_ahead = 1;
    p.mix.each = o.mix.each = (uint32_t) _i;
    struct pcr_loader *l = create(&o), *m = create(&p);
    start(l, 6);
    start(m, 6);
    for (uint32_t k = 0; (b = next(l)); k++) {
        if (k == 2) {
            made_check(pcr_loader_state(m, state, &err), &err);
            pcr_loader_destroy(&m);
            m = create(&p);
            made_check(pcr_loader_resume(m, state, sizeof(state), &err), &err);
        }
        c = next(m);
        size_t n = (size_t) b->sample_count * b->height * b->width * 3;
        ck_assert(!memcmp(b->pixels, c->pixels, n));
        ck_assert_mem_eq(b->soft_labels, c->soft_labels,
                         b->sample_count * CLASSES * sizeof(float));
        pcr_batch_release(&b);
        pcr_batch_release(&c);
    }
    ck_assert_ptr_null(next(m));
    pcr_loader_destroy(&l);
    pcr_loader_destroy(&m);
}
END_TEST

static void refused(const struct pcr_loader_options *o, const char *words)
{
    struct pcr_loader *l = NULL;
    struct pcr_error err = { 0 };
    int rc = pcr_loader_create(dataset, o, &l, &err);
    ck_assert_msg(rc == PCR_ERR_INVAL && strstr(err.message, words), "%d: %s", rc,
                  err.message);
}

START_TEST(wrong_options)
{
    struct pcr_loader_options o = options();
    o.mix.class_count = 0; /* labels are integers without classes */
    refused(&o, "is needed by mix");
    o = options();
    o.mix.mixup_alpha = -1;
    refused(&o, "mixup_alpha is -1");
    o.mix.mixup_alpha = NAN;
    refused(&o, "mixup_alpha is");
    o = options();
    o.mix.cutmix_alpha = 1001;
    refused(&o, "cutmix_alpha is 1001");
    o = options();
    o.mix.chance_ppm = 1000001;
    refused(&o, "mix.chance_ppm is 1000001");
    o = options();
    o.mix.each = 2;
    refused(&o, "mix.each is 2");
    o = options();
    o.mix.class_count = 1 << 25;
    refused(&o, "class_count is");
    o = options();
    o.mix.mixup_alpha = o.mix.cutmix_alpha = 0;
    refused(&o, "neither mixup_alpha nor");
    o = options();
    o.flags = PCR_LOADER_RAW;
    refused(&o, "flag RAW");
    o.flags = PCR_LOADER_EXACT;
    refused(&o, "flag EXACT");
}
END_TEST

/* A label that is no column is an error of the batch, at its sample; without soft labels, none. */
START_TEST(labels_beyond_the_columns)
{
    struct pcr_loader_options o = options();
    struct pcr_batch *b = NULL;
    struct pcr_error err;
    o.mix.class_count = 4;
    struct pcr_loader *l = create(&o);
    start(l, 0);
    ck_assert_int_eq(pcr_loader_next(l, &b, &err), PCR_ERR_INVAL);
    ck_assert_msg(strstr(err.message, "soft labels have 4 columns") != NULL, "%s",
                  err.message);
    ck_assert_int_eq(pcr_loader_next(l, &b, &err), PCR_ERR_INVAL);
    pcr_loader_destroy(&l);
    o.mix.class_count = PCR_NO_SOFT_LABELS;
    l = create(&o);
    start(l, 0);
    b = next(l);
    ck_assert(b->lam && b->partners && !b->soft_labels && !b->class_count);
    pcr_batch_release(&b);
    pcr_loader_destroy(&l);
}
END_TEST

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

/* The distribution function of Beta(alpha, alpha), summed up. */
static double beta_below(double x, double alpha)
{
    double part = 0, all = 0;
    enum { STEPS = 4000 };
    /* In t with u = sin^2(t), where the density has no poles for alpha of 0.2 and more. */
    for (int i = 0; i < STEPS; i++) {
        double t = (i + 0.5) / STEPS * 1.57079632679489662;
        double density = pow(sin(t) * cos(t), 2 * alpha - 1);
        all += density;
        part += sin(t) * sin(t) <= x ? density : 0;
    }
    return part / all;
}

START_TEST(lam_is_beta)
{
    enum { COUNT = 20000 };
    static const double alphas[] = { 0.5, 1, 2, 0.8, 30 };
    static double lams[COUNT];
    struct pcr_loader_options o = { .seed = 5, .mix = { .chance_ppm = 1000000 } };
    double worst = 0, area = 0;
    uint32_t mixed = 0;
    o.mix.cutmix_alpha = alphas[_i];
    for (uint64_t i = 0; i < COUNT; i++) {
        struct pcri_mixture x;
        pcri_choose_mixture(&o, 3, i, &x);
        ck_assert(x.mixed && x.cut && x.lam >= 0 && x.lam <= 1);
        lams[i] = x.lam;
        struct pcri_rectangle r = pcri_cut(&x, 37, 61);
        ck_assert(r.x + r.width <= 37 && r.y + r.height <= 61);
        area += (double) r.width * r.height / (37 * 61) / COUNT;
    }
    qsort(lams, COUNT, sizeof(double), by_value);
    for (uint32_t i = 0; i < COUNT; i += 500)
        worst = fmax(worst, fabs(beta_below(lams[i], alphas[_i]) - (double) i / COUNT));
    ck_assert_msg(worst < 0.015, "alpha %g: %g off", alphas[_i], worst);
    ck_assert(area > 0.2 && area < 0.5);
    o.mix.chance_ppm = 300000;
    o.mix.mixup_alpha = 1;
    o.mix.cutmix_ppm = 800000;
    uint32_t cuts = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        struct pcri_mixture x;
        pcri_choose_mixture(&o, 3, i, &x);
        mixed += x.mixed;
        cuts += x.cut;
    }
    ck_assert_double_eq_tol((double) mixed / COUNT, 0.3, 0.012);
    ck_assert_double_eq_tol((double) cuts / COUNT, 0.8, 0.012);
}
END_TEST

/* Tiny alphas: all or nothing, and no NaN. */
START_TEST(extreme_alphas)
{
    static const double alphas[] = { 1e-300, 1e-3, 1000 };
    for (size_t k = 0; k < 3; k++)
        for (uint64_t i = 0; i < 1000; i++) {
            struct pcr_loader_options o = {
                .seed = i, .mix = { .mixup_alpha = alphas[k], .chance_ppm = 1000000 }
            };
            struct pcri_mixture x;
            pcri_choose_mixture(&o, 0, 7, &x);
            ck_assert(x.lam >= 0 && x.lam <= 1);
            ck_assert(k || x.lam == 0 || x.lam == 1);
            ck_assert(k < 2 || fabs(x.lam - 0.5) < 0.1);
        }
}
END_TEST

/* All values of 16 bits are blended as numbers and rounded as normalisation rounds. */
START_TEST(sixteen_bits)
{
    static uint16_t own[65536], partner[65536], exact[65536];
    const struct pcri_pixel_loops *sets[2] = { &pcri_pixel_loops_portable,
                                               pcri_pixel_loops_choose() };
    for (size_t s = 0; s < 2; s++) {
        size_t wrong = 0;
        for (uint32_t i = 0; i < 65536; i++)
            own[i] = exact[i] = (uint16_t) i;
        sets[s]->blend_halves(own, partner, 65536, 1, 1);
        for (uint32_t i = 0; i < 65536; i++) /* -0 + 0 is 0; NaNs become one */
            if ((i & 0x7FFF) <= 0x7C00 && i != 0x8000)
                wrong += own[i] != exact[i];
        /* Halves of odd numbers lie between two: rounding is to the even one. */
        for (uint32_t i = 0; i < 65536; i++)
            own[i] = (uint16_t) i;
        sets[s]->blend_halves(own, partner, 65536, 0.3f, 0);
        for (uint32_t i = 0; i < 0x7C00; i++) {
            const struct pcr_batch b = { .dtype = PCR_DTYPE_FLOAT16 };
            uint16_t half = (uint16_t) i;
            float value = (float) value_of(&b, &half, 0);
            wrong += own[i] != pcri_to_float16(value * 0.3f);
        }
        for (uint32_t i = 0; i < 65536; i++)
            own[i] = (uint16_t) i;
        sets[s]->blend_bfloats(own, partner, 65536, 0.3f, 0);
        for (uint32_t i = 1; i < 0x7F80; i++) {
            uint32_t bits = i << 16;
            float value;
            memcpy(&value, &bits, sizeof(value));
            wrong += own[i] != pcri_to_bfloat16(value * 0.3f);
        }
        ck_assert_uint_eq(wrong, 0);
    }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("mixing");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, as_defined, 0, 8);
    tcase_add_loop_test(t, repeatable, 0, 2);
    tcase_add_test(t, wrong_options);
    tcase_add_test(t, labels_beyond_the_columns);
    tcase_add_loop_test(t, lam_is_beta, 0, 5);
    tcase_add_test(t, extreme_alphas);
    tcase_add_test(t, sixteen_bits);
    return tests_run();
}
