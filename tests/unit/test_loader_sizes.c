/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders whose pictures have sizes of their own, in padded and in ragged batches. */
#include <check.h>
#include <stdlib.h>

#include <pcr/loader.h>

#include "made_loader.h"
#include "suite.h"

enum { VIEWS = 5, MULTIPLE = 16 };

/* The shorter side with a bound, the longer side, as they are with all changes, letterboxes, and a
 * view of one size. */
static const struct pcr_loader_view all_views[VIEWS] = {
    { 0, 0, 0, 0, { .kind = PCR_TRANSFORM_RESIZE, .resize_px = 20, .longest_px = 26 } },
    { 0, 0, 0, 0, { .kind = PCR_TRANSFORM_RESIZE, .longest_px = 31, .flip_ppm = 500000 } },
    { 0,
      0,
      0,
      0,
      { .kind = PCR_TRANSFORM_NONE,
        .turn_ppm = 700000,
        .hue_ppm = 100000,
        .blur_ppm = 500000,
        .rotate_mdeg = 20000,
        .erase_ppm = 500000,
        .flip_down_ppm = 500000 } },
    { 64,
      48,
      0,
      0,
      { .kind = PCR_TRANSFORM_LETTERBOX, .multiple = MULTIPLE, .turn_ppm = 500000 } },
    { 12, 0, 0, 0, { .kind = PCR_TRANSFORM_CENTER_CROP } },
};

static struct pcr_loader_options options(uint32_t flags)
{
    struct pcr_loader_options o = small_windows();
    o.output.height = o.output.width = 0;
    o.transform = (struct pcr_loader_transform) { 0 };
    o.flags = flags;
    o.views = all_views;
    o.view_count = VIEWS;
    return o;
}

static size_t pixel_nbytes(const struct pcr_batch *b)
{
    const size_t channels = b->layout == PCR_LAYOUT_NCHW ? 1 : b->channels;
    return channels * (b->dtype == PCR_DTYPE_UINT8     ? 1
                       : b->dtype == PCR_DTYPE_FLOAT32 ? 4
                                                       : 2);
}

static size_t plane_count(const struct pcr_batch *b)
{
    return b->layout == PCR_LAYOUT_NCHW ? b->channels : 1;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The same picture in a ragged batch and in a padded one, and `fill` beside it: a pixel for each
 * plane, as delivered. */
static void same(const struct pcr_batch *r, const struct pcr_batch *b, uint32_t view,
                 uint32_t i, const uint8_t *fill)
{
    const size_t each = pixel_nbytes(b);
    const struct pcr_batch_view *v = &b->views[view];
    const struct pcr_batch_picture *at = &v->pictures[i], *of = &r->views[view].pictures[i];
    const uint8_t *p = v->pixels + at->offset, *q = r->views[view].pixels + of->offset;
    ck_assert_uint_eq(at->height, of->height);
    ck_assert_uint_eq(at->width, of->width);
    ck_assert_uint_eq(at->offset, i * plane_count(b) * v->height * v->width * each);
    bool equal = true;
    for (size_t plane = 0; plane < plane_count(b); plane++)
        for (uint32_t y = 0; y < v->height; y++, p += v->width * each) {
            const size_t inside = y < at->height ? at->width : 0;
            equal &= !memcmp(p, q, inside * each);
            q += inside * each;
            for (size_t x = inside; x < v->width; x++)
                equal &= !memcmp(p + x * each, fill + plane * each, each);
        }
    ck_assert(equal);
}

/* Sizes of the first two views: torchvision's. */
static void has_size(const struct pcr_batch_view *v, uint32_t view, uint32_t i)
{
    const struct pcr_crop *c = &v->crops[i];
    const bool upright = c->width < c->height;
    uint32_t shorter = upright ? c->width : c->height, longer = upright ? c->height : c->width;
    if (view == 0) {
        uint32_t found = 20 * longer / shorter;
        shorter = found > 26 ? 26 * 20 / found : 20;
        longer = found > 26 ? 26 : found;
    } else {
        shorter = 31 * shorter / longer;
        longer = 31;
    }
    ck_assert_uint_eq(v->pictures[i].width, upright ? shorter : longer);
    ck_assert_uint_eq(v->pictures[i].height, upright ? longer : shorter);
}

/* Checks two batches of the same samples. */
static void compare(const struct pcr_batch *r, const struct pcr_batch *b, const uint8_t *fill)
{
    const uint32_t n = b->sample_count;
    ck_assert_uint_eq(r->sample_count, n);
    ck_assert_uint_eq(r->height, 0);
    ck_assert_ptr_eq(b->views->pixels, b->pixels);
    ck_assert_uint_eq(b->views->height, b->height);
    for (uint32_t view = 0; view < VIEWS; view++) {
        const struct pcr_batch_view *v = &b->views[view];
        uint32_t height = 0, width = 0;
        ck_assert_uint_eq((uintptr_t) v->pixels % 64, 0);
        ck_assert_mem_eq(v->crops, r->views[view].crops, n * sizeof(struct pcr_crop));
        for (uint32_t i = 0; i < n; i++) {
            same(r, b, view, i, fill);
            height = larger(height, v->pictures[i].height);
            width = larger(width, v->pictures[i].width);
            if (view < 2)
                has_size(v, view, i);
            if (view == 2)
                ck_assert_uint_eq(v->pictures[i].width, v->crops[i].quarters % 2
                                                            ? v->crops[i].height
                                                            : v->crops[i].width);
            ck_assert(view == 4 || r->views[view].pictures[i].offset % 64 == 0);
        }
        ck_assert_uint_eq(v->height, height);
        ck_assert_uint_eq(v->width, width);
        ck_assert_uint_eq(r->views[view].height, view == 4 ? 12 : 0);
    }
}

/* Padded and ragged batches have the same pictures, with any number of threads. */
START_TEST(padded_and_ragged)
{
    static const uint32_t dtypes[] = { PCR_DTYPE_UINT8, PCR_DTYPE_FLOAT32, PCR_DTYPE_FLOAT16 };
    static const uint8_t zeros[12];
    struct pcr_loader_options o = options(_i == 2 ? 0 : PCR_LOADER_PAD_ZERO);
    o.output.dtype = dtypes[_i];
    o.output.layout = _i ? PCR_LAYOUT_NCHW : PCR_LAYOUT_NHWC;
    o.fidelity.level = 1 + (uint32_t) _i;
    struct pcr_loader *padded = create(&o);
    o.flags = PCR_LOADER_RAGGED;
    o.threads.count = 1;
    o.memory.batches_ahead = 1;
    struct pcr_loader *ragged = create(&o);
    struct pcr_batch *b, *r;
    uint32_t count = 0;
    start(padded, 2);
    start(ragged, 2);
    for (; (b = next(padded)); count++) {
        r = next(ragged);
        compare(r, b, zeros); /* 0 is `fill`, too, and stays 0 */
        pcr_batch_release(&b);
        pcr_batch_release(&r);
    }
    ck_assert_ptr_null(next(ragged));
    ck_assert_uint_eq(count, pcr_loader_batch_count(padded));
    pcr_loader_destroy(&padded);
    pcr_loader_destroy(&ragged);
}
END_TEST

/* A padded batch's sides are multiples, and what is padded has the colour. */
START_TEST(filled)
{
    struct pcr_loader_options o = small_windows();
    o.output.height = o.output.width = 0;
    o.transform = (struct pcr_loader_transform) { .kind = PCR_TRANSFORM_NONE,
                                                  .multiple = MULTIPLE,
                                                  .fill = { 7, 77, 177 } };
    struct pcr_loader *l = create(&o);
    struct pcr_batch *b;
    start(l, 0);
    while ((b = next(l))) {
        ck_assert_uint_eq(b->height % MULTIPLE + b->width % MULTIPLE, 0);
        for (uint32_t i = 0; i < b->sample_count; i++) {
            const struct pcr_batch_picture *p = &b->views->pictures[i];
            const uint8_t *row = b->pixels + p->offset;
            bool equal = true;
            for (uint32_t y = 0; y < b->height; y++, row += 3 * (size_t) b->width)
                for (uint32_t x = y < p->height ? p->width : 0; x < b->width; x++)
                    equal &= !memcmp(row + 3 * (size_t) x, o.transform.fill, 3);
            ck_assert(equal);
        }
        pcr_batch_release(&b);
    }
    pcr_loader_destroy(&l);
}
END_TEST

/* A batch that is held keeps its pictures while others are made in memory of other sizes. */
START_TEST(held)
{
    const struct pcr_loader_options o = options(0);
    struct pcr_loader *l = create(&o);
    struct pcr_batch *kept[8] = { NULL }, *again;
    uint32_t count = 0;
    start(l, 0);
    while (count < 8 && (kept[count] = next(l)))
        count++;
    start(l, 0);
    for (uint32_t i = 0; i < count; i++) {
        again = next(l);
        ck_assert_mem_eq(kept[i]->pixels, again->pixels,
                         (size_t) again->sample_count * again->height * again->width * 3);
        pcr_batch_release(&again);
    }
    pcr_loader_destroy(&l);
    for (uint32_t i = 0; i < count; i++)
        pcr_batch_release(&kept[i]);
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
    struct pcr_loader_options o = { .size = sizeof(o), .flags = PCR_LOADER_RAGGED };
    refused(&o, "RAGGED, but all pictures have the same size");
    o.flags = PCR_LOADER_PAD_ZERO;
    refused(&o, "PAD_ZERO, but all pictures have the same size");
    o.transform.kind = PCR_TRANSFORM_NONE;
    o.flags |= PCR_LOADER_RAGGED;
    refused(&o, "PAD_ZERO, but RAGGED batches are not padded");
    o.flags = 0;
    o.mix.mixup_alpha = 1;
    o.mix.class_count = PCR_NO_SOFT_LABELS;
    refused(&o, "mix: pictures have sizes of their own");
    o.mix = (struct pcr_loader_mix) { 0 };
    o.flags = PCR_LOADER_RAGGED;
    o.transform.multiple = 8;
    refused(&o, "multiple is 8, but nothing is padded");
    o.flags = 0;
    o.transform.multiple = 4097;
    refused(&o, "multiple is 4097, the limit is 4096");
    o.transform.multiple = 0;
    o.output.height = 5;
    refused(&o, "height x width is 5 x 0, expected 0");
    o.output.height = 0;
    o.transform.longest_px = 9;
    refused(&o, "longest_px is 9, but only RESIZE has it");
    o.transform.kind = PCR_TRANSFORM_RESIZE;
    o.transform.resize_px = 10;
    refused(&o, "resize_px is 10, but longest_px is 9");
    o.transform.resize_px = 65537;
    refused(&o, "resize_px is 65537, the limit is 65536");
    o.transform.resize_px = o.transform.longest_px = 0;
    refused(&o, "resize_px and longest_px are 0: RESIZE needs one");
    o.transform.kind = PCR_TRANSFORM_LETTERBOX;
    o.transform.multiple = 10;
    refused(&o, "multiple is 10, but height x width is 224 x 224");
    o.transform.kind = PCR_TRANSFORM_STRETCH;
    refused(&o, "multiple is 10, but nothing is padded");
}
END_TEST

/* A picture beyond a limit is bad. */
START_TEST(too_large)
{
    const struct pcr_limits limits = { .size = sizeof(limits), .max_pixels = 40000 };
    struct pcr_loader_options o = options(0);
    o.limits = &limits;
    struct pcr_loader *l = create(&o);
    start(l, 0);
    struct pcr_batch *b = next(l);
    pcr_batch_release(&b);
    pcr_loader_destroy(&l);
    o.views = NULL;
    o.view_count = 0;
    o.transform.kind = PCR_TRANSFORM_RESIZE;
    o.transform.resize_px = 300;
    l = create(&o);
    start(l, 0);
    struct pcr_error err;
    ck_assert_int_eq(pcr_loader_next(l, &b, &err), PCR_ERR_LIMIT);
    ck_assert_msg(strstr(err.message, "pixels would become") != NULL, "%s", err.message);
    pcr_loader_destroy(&l);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_sizes");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_add_loop_test(t, padded_and_ragged, 0, 3);
    tcase_add_test(t, filled);
    tcase_add_test(t, held);
    tcase_add_test(t, wrong_options);
    tcase_add_test(t, too_large);
    return tests_run();
}
