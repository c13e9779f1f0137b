/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders with several views of each sample. */
#include <check.h>
#include <stdlib.h>

#include <pcr/loader.h>

#include "made_loader.h"
#include "suite.h"

enum { VIEWS = 4, MOST = 48 * 48 * 3 * 4 };

/* A random crop with all changes, the same again, a centred crop, and the whole picture. */
static const struct pcr_loader_view all_views[VIEWS] = {
    { 24, 20, 0, 0, { .flip_ppm = 500000, .hue_ppm = 100000, .rotate_mdeg = 20000 } },
    { 24, 20, 0, 0, { .flip_ppm = 500000, .hue_ppm = 100000, .rotate_mdeg = 20000 } },
    { 17, 0, 0, 0, { .kind = PCR_TRANSFORM_CENTER_CROP } },
    { 48, 32, 0, 0, { .kind = PCR_TRANSFORM_STRETCH, .filter = PCR_FILTER_BICUBIC } },
};

static struct pcr_loader_options options(void)
{
    struct pcr_loader_options o = small_windows();
    o.output.height = o.output.width = 0;
    o.transform = (struct pcr_loader_transform) { 0 };
    o.flags = PCR_LOADER_FULL_SIZE_DECODING; /* views are decoded at one size */
    o.views = all_views;
    o.view_count = VIEWS;
    return o;
}

/* The same loader with only one of the views. */
static struct pcr_loader_options alone(const struct pcr_loader_options *o, uint32_t view)
{
    struct pcr_loader_options one = *o;
    one.output.height = o->views[view].height;
    one.output.width = o->views[view].width;
    one.transform = o->views[view].transform;
    one.views = NULL;
    one.view_count = 0;
    return one;
}

static size_t picture_nbytes(const struct pcr_batch *b, const struct pcr_batch_view *v)
{
    size_t value = b->dtype == PCR_DTYPE_UINT8 ? 1 : b->dtype == PCR_DTYPE_FLOAT32 ? 4 : 2;
    return (size_t) v->height * v->width * b->channels * value;
}

/* A batch's view holds the pictures and crops of another loader's batch. */
static void same(const struct pcr_batch *b, uint32_t view, const struct pcr_batch *other)
{
    const struct pcr_batch_view *v = &b->views[view];
    ck_assert_uint_eq(other->view_count, 1);
    ck_assert_ptr_eq(other->views->pixels, other->pixels);
    ck_assert_uint_eq(v->height, other->height);
    ck_assert_uint_eq(v->width, other->width);
    ck_assert_uint_eq((uintptr_t) v->pixels % 64, 0);
    ck_assert_uint_eq(b->sample_count, other->sample_count);
    ck_assert_mem_eq(b->indices, other->indices, b->sample_count * sizeof(uint64_t));
    ck_assert_mem_eq(v->crops, other->crops, b->sample_count * sizeof(struct pcr_crop));
    ck_assert_mem_eq(v->pixels, other->pixels, b->sample_count * picture_nbytes(b, v));
}

static void compare(const struct pcr_loader_options *o, uint32_t view)
{
    const struct pcr_loader_options one = alone(o, view);
    struct pcr_loader *l = create(o), *m = create(&one);
    struct pcr_batch *b, *c;
    uint32_t count = 0;
    start(l, 5);
    start(m, 5);
    for (; (b = next(l)); count++) {
        c = next(m);
        ck_assert_uint_eq(b->view_count, o->view_count);
        ck_assert_ptr_eq(b->views->pixels, b->pixels);
        same(b, view, c);
        pcr_batch_release(&b);
        pcr_batch_release(&c);
    }
    ck_assert_ptr_null(next(m));
    ck_assert_uint_eq(count, pcr_loader_batch_count(l));
    pcr_loader_destroy(&l);
    pcr_loader_destroy(&m);
}

/* The first view is that of a loader of its own, and so is one that draws nothing. */
START_TEST(as_if_alone)
{
    static const uint32_t dtypes[] = { PCR_DTYPE_UINT8, PCR_DTYPE_FLOAT32, PCR_DTYPE_FLOAT16 };
    struct pcr_loader_options o = options();
    o.output.dtype = dtypes[_i];
    o.output.layout = _i == 1 ? PCR_LAYOUT_NHWC : PCR_LAYOUT_NCHW;
    o.fidelity.level = 1 + (uint32_t) _i;
    compare(&o, 0);
    compare(&o, 2);
    compare(&o, 3);
    o.output.color = PCR_COLOR_GRAY;
    compare(&o, 3);
}
END_TEST

/* Others differ from it, for they draw by themselves. */
START_TEST(draw_by_themselves)
{
    const struct pcr_loader_options o = options();
    struct pcr_loader *l = create(&o);
    struct pcr_batch *b;
    uint32_t count = 0, flips = 0, crops = 0, angles = 0;
    start(l, 0);
    while ((b = next(l))) {
        const struct pcr_batch_view *v = b->views;
        for (uint32_t i = 0; i < b->sample_count; i++, count++) {
            flips += v[0].crops[i].flipped != v[1].crops[i].flipped;
            crops += v[0].crops[i].x0 != v[1].crops[i].x0;
            angles += v[0].crops[i].degrees != v[1].crops[i].degrees;
        }
        pcr_batch_release(&b);
    }
    ck_assert_uint_eq(angles, count);
    ck_assert_uint_gt(crops, count * 3 / 4);
    ck_assert_uint_gt(flips, count / 4);
    ck_assert_uint_lt(flips, count * 3 / 4);
    pcr_loader_destroy(&l);
}
END_TEST

/* A view may show the part that another one shows. */
START_TEST(same_crops)
{
    static const struct pcr_loader_view views[3] = {
        { 24, 20, 0, 0, { .flip_ppm = 500000, .hue_ppm = 100000 } },
        { 24, 20, 0, 0, { .flip_ppm = 500000 } },
        { 12, 10, 1, 0, { .flip_ppm = 500000, .hue_ppm = 100000 } },
    };
    struct pcr_loader_options o = options();
    o.views = views;
    o.view_count = 3;
    struct pcr_loader *l = create(&o);
    struct pcr_batch *b;
    start(l, 0);
    while ((b = next(l))) {
        for (uint32_t i = 0; i < b->sample_count; i++) /* into outputs of other sizes */
            ck_assert_mem_eq(&b->views[0].crops[i], &b->views[2].crops[i],
                             offsetof(struct pcr_crop, affine));
        ck_assert(memcmp(b->views[0].crops, b->views[1].crops,
                         b->sample_count * sizeof(struct pcr_crop)) != 0);
        pcr_batch_release(&b);
    }
    pcr_loader_destroy(&l);
}
END_TEST

/* Samples that are not augmented. */
START_TEST(plain)
{
    static uint8_t augment[MADE_SAMPLES];
    struct pcr_loader_options o = options();
    o.samples.augment = augment;
    o.samples.count = MADE_SAMPLES;
    struct pcr_loader *l = create(&o);
    struct pcr_batch *b;
    start(l, 0);
    while ((b = next(l))) {
        ck_assert_mem_eq(b->views[0].pixels, b->views[1].pixels,
                         b->sample_count * picture_nbytes(b, b->views));
        pcr_batch_release(&b);
    }
    pcr_loader_destroy(&l);
}
END_TEST

/* A quality is that of the view which needs most. */
START_TEST(by_quality)
{
    struct pcr_loader_options o = options();
    o.fidelity.quality = .9;
    struct pcr_loader *l = create(&o), *of[VIEWS];
    struct pcr_batch *b;
    start(l, 1);
    for (uint32_t v = 0; v < VIEWS; v++) {
        const struct pcr_loader_options one = alone(&o, v);
        of[v] = create(&one);
        start(of[v], 1);
    }
    while ((b = next(l))) {
        uint32_t most[64] = { 0 };
        for (uint32_t v = 0; v < VIEWS; v++) {
            struct pcr_batch *c = next(of[v]);
            for (uint32_t i = 0; i < c->sample_count && v != 1; i++)
                most[i] = c->fidelities[i] > most[i] ? c->fidelities[i] : most[i];
            pcr_batch_release(&c);
        }
        for (uint32_t i = 0; i < b->sample_count; i++)
            ck_assert_uint_ge(b->fidelities[i], most[i]);
        pcr_batch_release(&b);
    }
    pcr_loader_destroy(&l);
    for (uint32_t v = 0; v < VIEWS; v++)
        pcr_loader_destroy(&of[v]);
}
END_TEST

START_TEST(files_have_none)
{
    struct pcr_loader_options o = options();
    o.flags = PCR_LOADER_RAW;
    struct pcr_loader *l = create(&o);
    start(l, 0);
    struct pcr_batch *b = next(l);
    ck_assert_uint_eq(b->view_count, 0);
    ck_assert_ptr_null(b->views);
    ck_assert_ptr_nonnull(b->data);
    pcr_batch_release(&b);
    pcr_loader_destroy(&l);
}
END_TEST

static void refused(const struct pcr_loader_options *o, const char *why)
{
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    ck_assert_int_eq(pcr_loader_create(dataset, o, &l, &err), PCR_ERR_INVAL);
    ck_assert_msg(strstr(err.message, why) != NULL, "%s", err.message);
}

START_TEST(wrong_options)
{
    struct pcr_loader_view views[65] = { { 0 } };
    struct pcr_loader_options o = options();
    o.view_count = 0;
    refused(&o, "view_count is 0, but views is set");
    o = options();
    o.views = NULL;
    refused(&o, "view_count is 4, but views is NULL");
    o = options();
    o.output.height = 5;
    refused(&o, "has those of each view");
    o = options();
    o.transform.flip_ppm = 5;
    refused(&o, "has those of each view");
    o = options();
    o.views = views;
    o.view_count = 65;
    refused(&o, "view_count is 65, the limit is 64");
    o.view_count = 3;
    views[2].transform.kind = PCR_TRANSFORM_CENTER_CROP;
    views[2].transform.resize_px = 100;
    refused(&o, "view 2: loader option height is 224, but resize_px is 100");
    views[1].crop_of = 3;
    refused(&o, "view 1: crop_of is 3, expected 0 to 1");
    views[1].crop_of = 2; /* its own */
    views[2].transform.reserved[1] = 1;
    refused(&o, "view 2: loader option transform.reserved is not 0");
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_views");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_add_loop_test(t, as_if_alone, 0, 3);
    tcase_add_test(t, draw_by_themselves);
    tcase_add_test(t, same_crops);
    tcase_add_test(t, plain);
    tcase_add_test(t, by_quality);
    tcase_add_test(t, files_have_none);
    tcase_add_test(t, wrong_options);
    return tests_run();
}
