/* SPDX-License-Identifier: BSD-2-Clause */
/* loader: order, pixels, batches, fidelity, bad samples, and the lives of its threads. */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <pcr/loader.h>

#include "../../loaders/transform/crop.h"
#include "made_loader.h"
#include "suite.h"

static uint64_t batch_hash(const struct pcr_batch *b)
{
    size_t pixels = (size_t) b->sample_count * b->height * b->width * b->channels;
    return pcri_xxh3(b->pixels, pixels) ^ pcri_xxh3(b->labels, b->sample_count * 8) * 3 ^
           pcri_xxh3(b->indices, b->sample_count * 8) * 5 ^
           pcri_xxh3(b->fidelities, b->sample_count * 4) * 7 ^ b->number << 32 ^ b->epoch;
}

/* One epoch: a hash of all of it; `seen` (may be NULL) counts each sample. */
static uint64_t run_epoch(struct pcr_loader *l, uint64_t epoch, uint8_t *seen)
{
    uint64_t hash = 0;
    start(l, epoch);
    for (struct pcr_batch *b; (b = next(l));) {
        hash = hash * 31 + batch_hash(b);
        ck_assert_uint_eq(b->epoch, epoch);
        ck_assert_uint_eq((uintptr_t) b->pixels % 64, 0);
        for (uint32_t i = 0; i < b->sample_count; i++) {
            ck_assert_uint_lt(b->indices[i], MADE_SAMPLES);
            ck_assert_int_eq(b->labels[i], made_label(b->indices[i]));
            if (seen)
                seen[b->indices[i]]++;
        }
        pcr_batch_release(&b);
    }
    ck_assert_ptr_null(next(l)); /* the end stays the end */
    return hash;
}

/* --- order and contents --- */

START_TEST(every_sample_once_for_any_thread_count)
{
    struct pcr_loader_options o = small_windows();
    o.order.shuffle = (uint32_t) _i;
    uint64_t hash[3][2];
    for (uint32_t k = 0; k < 3; k++) {
        o.threads.count = 1u << k;
        o.threads.reader_count = made_readers(k * 3);
        struct pcr_loader *l = create(&o);
        ck_assert_uint_eq(pcr_loader_batch_count(l), 13);
        for (uint64_t epoch = 0; epoch < 2; epoch++) {
            uint8_t seen[MADE_SAMPLES] = { 0 };
            hash[k][epoch] = run_epoch(l, epoch, seen);
            for (uint32_t i = 0; i < MADE_SAMPLES; i++)
                ck_assert_uint_eq(seen[i], 1);
        }
        ck_assert_uint_eq(run_epoch(l, 0, NULL), hash[k][0]);
        ck_assert_uint_ne(hash[k][0], hash[k][1]);
        pcr_loader_destroy(&l);
        ck_assert_ptr_null(l);
    }
    ck_assert_mem_eq(hash[0], hash[1], sizeof(hash[0]));
    ck_assert_mem_eq(hash[0], hash[2], sizeof(hash[0]));
}
END_TEST

/* What the sample must be at fidelity g with the crop of sample `identity`, step by step through
 * the public functions. */
static void by_hand(const struct pcr_loader_options *o, uint64_t epoch, uint64_t index,
                    uint64_t identity, uint32_t g, uint8_t *out, struct pcr_crop *crop_out)
{
    struct pcr_sample *s = NULL;
    struct pcr_decoder *d = NULL;
    struct pcr_buffer file = { 0 }, pixels = { 0 };
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_image_info image = { .size = sizeof(image) };
    struct pcr_resize_options window;
    struct pcr_error err;
    made_check(pcr_sample_acquire(dataset, index, &s, &err), &err);
    made_check(pcr_sample_describe(s, &info, &err), &err);
    made_check(pcr_sample_read(s, g, &file, &err), &err);
    made_check(pcr_decoder_create(&d, &err), &err);
    struct pcr_decode_options decode = {
        .size = sizeof(decode),
        .color = o->output.color,
        .orientation = index == MADE_PNG ? 0 : info.orientation,
    };
    made_check(
        pcr_decoder_decode_alloc(d, file.data, file.nbytes, &decode, &pixels, &image, &err),
        &err);
    pcri_choose_window(o, epoch, identity, image.width, image.height, &window);
    made_check(pcr_resize(d, pixels.data, image.width, image.height, image.channels, &window,
                          out, o->output.width, o->output.height, &err),
               &err);
    *crop_out = pcri_shown(o, image.width, image.height, &window);
    pcr_sample_release(&s);
    pcr_decoder_destroy(&d);
    pcr_buffer_free(&file);
    pcr_buffer_free(&pixels);
}

/* Where places of the picture go that are only cut out, mirrored and resized. */
static void map_by_hand(const struct pcr_loader_options *o, struct pcr_crop *c)
{
    const double x0 = c->x0, y0 = c->y0;
    const double x = o->output.width / (c->x1 - x0), y = o->output.height / (c->y1 - y0);
    c->affine[0] = c->flipped ? -x : x;
    c->affine[2] = c->flipped ? o->output.width + x * x0 : -x * x0;
    c->affine[4] = y;
    c->affine[5] = -y * y0;
}

/* stand_ins: the sample that stands in the place of each bad one; NULL: there are none. */
static void check_pixels(const struct pcr_loader_options *o, const struct pcr_batch *b,
                         const uint64_t *stand_ins)
{
    size_t n = (size_t) b->height * b->width * b->channels;
    uint8_t *want = malloc(n);
    ck_assert_ptr_nonnull(want);
    for (uint32_t i = 0; i < b->sample_count; i++) {
        struct pcr_crop crop;
        uint64_t identity = b->indices[i];
        for (uint64_t k = 0; stand_ins && !b->valid[i] && k < MADE_SAMPLES; k++)
            if (stand_ins[k] == b->indices[i])
                identity = k;
        ck_assert(b->valid[i] == (identity == b->indices[i]));
        by_hand(o, b->epoch, b->indices[i], identity, b->fidelities[i], want, &crop);
        ck_assert_mem_eq(b->pixels + i * n, want, n);
        map_by_hand(o, &crop);
        ck_assert_mem_eq(&b->crops[i], &crop, sizeof(crop));
    }
    free(want);
}

START_TEST(pixels_are_right)
{
    static const uint32_t transforms[] = { PCR_TRANSFORM_RANDOM_CROP,
                                           PCR_TRANSFORM_CENTER_CROP, PCR_TRANSFORM_STRETCH };
    struct pcr_loader_options o = small_windows();
    o.transform.kind = transforms[_i];
    o.output.layout = _i == 1 ? PCR_LAYOUT_NCHW : PCR_LAYOUT_NHWC;
    o.output.color = _i == 2 ? PCR_COLOR_GRAY : PCR_COLOR_RGB;
    o.fidelity.level = _i == 0 ? 2 : group_count;
    o.transform.resize_px = 30;
    o.transform.area_min_ppm = 80000;
    o.transform.area_max_ppm = 1000000;
    o.transform.ratio_min_ppm = 750000;
    o.transform.ratio_max_ppm = 1333333;
    struct pcr_loader *l = create(&o);
    start(l, 9);
    for (struct pcr_batch *b; (b = next(l));) {
        ck_assert_uint_eq(b->height, 24);
        ck_assert_uint_eq(b->width, 20);
        ck_assert_uint_eq(b->channels, _i == 2 ? 1 : 3);
        ck_assert_uint_eq(b->layout, o.output.layout);
        for (uint32_t i = 0; i < b->sample_count; i++)
            ck_assert_uint_eq(b->fidelities[i], o.fidelity.level);
        check_pixels(&o, b, NULL);
        pcr_batch_release(&b);
    }
    pcr_loader_destroy(&l);
}
END_TEST

START_TEST(last_batch)
{
    struct pcr_loader_options o = small_windows();
    for (int drop = 0; drop < 2; drop++) {
        o.flags = drop ? PCR_LOADER_DROP_LAST : 0;
        struct pcr_loader *l = create(&o);
        uint32_t batches = 0, samples = 0;
        ck_assert_uint_eq(pcr_loader_batch_count(l), drop ? 12 : 13);
        start(l, 0);
        for (struct pcr_batch *b; (b = next(l)); batches++) {
            ck_assert_uint_eq(b->number, batches);
            ck_assert_uint_eq(b->sample_count, batches < 12 ? 8 : 4);
            samples += b->sample_count;
            pcr_batch_release(&b);
        }
        ck_assert_uint_eq(batches, drop ? 12 : 13);
        ck_assert_uint_eq(samples, drop ? 96 : 100);
        pcr_loader_destroy(&l);
    }
    o.flags = PCR_LOADER_DROP_LAST;
    o.batch_size = 101; /* more than there is */
    struct pcr_loader *l = create(&o);
    ck_assert_uint_eq(pcr_loader_batch_count(l), 0);
    start(l, 0);
    ck_assert_ptr_null(next(l));
    pcr_loader_destroy(&l);
}
END_TEST

/* --- ends --- */

START_TEST(early_ends)
{
    struct pcr_loader_options o = small_windows();
    struct pcr_batch *kept[8] = { 0 };
    uint32_t random = (uint32_t) _i + 1;
    for (int round = 0; round < 30; round++) {
        random = random * 1664525 + 1013904223;
        o.threads.count = 1 + (random >> 28) % 4;
        o.threads.reader_count = made_readers((random >> 26) % 4);
        o.memory.batches_ahead = 1 + (random >> 24) % 3;
        struct pcr_loader *l = create(&o);
        uint64_t epoch = random >> 8 & 3;
        start(l, epoch);
        for (uint32_t i = 0; i < (random >> 16) % 14; i++) {
            struct pcr_batch *b = next(l);
            uint32_t place = random >> 12 & 7;
            pcr_batch_release(&kept[place]);
            kept[place] = b;
        }
        if (random & 0x100) { /* another epoch, begun in the middle of one */
            start(l, epoch + 1);
            pass(l);
        }
        if (random & 0x200)
            nanosleep(&(struct timespec) { 0, (long) (random >> 10 & 0xFFFFF) }, NULL);
        pcr_loader_destroy(&l);
    }
    for (int i = 0; i < 8; i++)
        pcr_batch_release(&kept[i]);
}
END_TEST

static void *release_thread(void *context)
{
    struct pcr_batch *batch = context;
    pcr_batch_release(&batch);
    return NULL;
}

START_TEST(batches_outlive_the_loader)
{
    struct pcr_loader_options o = small_windows();
    struct pcr_loader *l = create(&o);
    struct pcr_batch *held[13];
    uint64_t hash[13];
    pthread_t thread;
    start(l, 4);
    for (int i = 0; i < 13; i++) { /* all of the epoch at once: more than batches_ahead */
        held[i] = next(l);
        hash[i] = batch_hash(held[i]);
    }
    ck_assert_ptr_null(next(l));
    pcr_loader_destroy(&l);
    close_dataset();
    for (int i = 0; i < 13; i++) {
        ck_assert_uint_eq(batch_hash(held[i]), hash[i]);
        memset(held[i]->pixels, i, (size_t) held[i]->sample_count * 24 * 20 * 3);
        ck_assert_int_eq(pthread_create(&thread, NULL, release_thread, held[i]), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
    pcr_batch_release(NULL);
}
END_TEST

/* The batches are those of pcr_loader_next(), whatever the time. */
START_TEST(next_within)
{
    struct pcr_loader_options o = small_windows();
    struct pcr_batch *b;
    struct pcr_error err;
    uint64_t hash[13];
    int again = 0;
    struct pcr_loader *l = create(&o);
    start(l, 2);
    for (int i = 0; i < 13; i++) {
        hash[i] = batch_hash(b = next(l));
        pcr_batch_release(&b);
    }
    start(l, 2);
    for (int i = 0, rc; i < 13; i++) {
        while ((rc = pcr_loader_next_within(l, i % 3 ? 200000 : 0, &b, &err)) == PCR_AGAIN) {
            ck_assert_ptr_null(b);
            again++;
        }
        ck_assert_int_eq(rc, 0);
        ck_assert_uint_eq(batch_hash(b), hash[i]);
        pcr_batch_release(&b);
    }
    ck_assert_int_gt(again, 0);
    ck_assert_int_eq(pcr_loader_next_within(l, UINT64_MAX, &b, &err), PCR_END);
    ck_assert_int_eq(pcr_loader_next_within(l, 0, NULL, &err), PCR_ERR_INVAL);
    pcr_loader_cancel(l);
    ck_assert_int_eq(pcr_loader_next_within(l, UINT64_MAX, &b, &err), PCR_ERR_CANCELLED);
    pcr_loader_destroy(&l);
}
END_TEST

static void *cancel_thread(void *loader)
{
    nanosleep(&(struct timespec) { 0, 3000000 }, NULL);
    pcr_loader_cancel(loader);
    return NULL;
}

/* The consumer waits for a batch that takes longer than the other thread takes to cancel; where
 * that one was late, once more. */
START_TEST(cancel)
{
    struct pcr_loader_options o = small_windows();
    struct pcr_batch *b;
    struct pcr_error err;
    o.output.height = o.output.width = 600;
    o.batch_size = 100;
    struct pcr_loader *l = create(&o);
    for (int cancelled = 0; cancelled < 3;) {
        pthread_t thread;
        start(l, 1);
        ck_assert_int_eq(pthread_create(&thread, NULL, cancel_thread, l), 0);
        int rc = pcr_loader_next(l, &b, &err);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        pcr_batch_release(&b);
        if (!rc)
            continue;
        cancelled++;
        ck_assert_int_eq(rc, PCR_ERR_CANCELLED);
        ck_assert_ptr_null(b);
        ck_assert_int_eq(err.code, PCR_ERR_CANCELLED);
        ck_assert_int_eq(pcr_loader_next(l, &b, &err), PCR_ERR_CANCELLED);
    }
    run_epoch(l, 1, NULL); /* a new epoch goes on as if nothing had been */
    pcr_loader_destroy(&l);
    pcr_loader_cancel(NULL);
    pcr_loader_destroy(&l);
    pcr_loader_destroy(NULL);
}
END_TEST

START_TEST(many_lives)
{
    struct pcr_loader_options o = small_windows();
    for (uint32_t i = 0; i < 2000; i++) {
        o.threads.count = 1 + i % 3;
        o.threads.reader_count = made_readers(i % 4);
        struct pcr_loader *l = create(&o);
        if (i % 4)
            start(l, i);
        if (i % 16 == 1)
            pass(l);
        pcr_loader_destroy(&l);
    }
}
END_TEST

/* --- fidelity --- */

START_TEST(fidelity_changes)
{
    struct pcr_loader_options o = small_windows();
    o.transform.kind = PCR_TRANSFORM_STRETCH;
    o.output.layout = PCR_LAYOUT_NHWC;
    o.output.color = PCR_COLOR_RGB;
    o.batch_size = 4;
    o.memory.batches_ahead = 3;
    o.fidelity.level = 1;
    o.threads.reader_count = made_readers((uint32_t) _i * 3);
    struct pcr_loader *l = create(&o);
    struct pcr_error err;
    uint8_t seen[MADE_SAMPLES] = { 0 };
    uint32_t want[MADE_SAMPLES] = { 1, 1, 1, 1 }, set = 1;
    start(l, 0);
    for (struct pcr_batch *b; (b = next(l));) {
        for (uint32_t i = 0; i < b->sample_count; i++) {
            ck_assert_uint_eq(b->fidelities[i], want[b->number]);
            seen[b->indices[i]]++;
        }
        check_pixels(&o, b, NULL);
        if (b->number % 6 >= 3) { /* three at a time are on the way */
            set = 1 + b->number % group_count;
            ck_assert_int_eq(pcr_loader_set_fidelity(l, set % group_count, &err), 0);
        }
        want[b->number + 1 + o.memory.batches_ahead] = set;
        pcr_batch_release(&b);
    }
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        ck_assert_uint_eq(seen[i], 1);
    ck_assert_int_eq(pcr_loader_set_fidelity(l, group_count + 1, &err), PCR_ERR_INVAL);
    pcr_loader_destroy(&l);
}
END_TEST

/* A lower fidelity reads fewer bytes: the prefixes' and no more, but that chunks of the first
 * batch, which is read before the rest, are gaps of less than a page later on. */
START_TEST(bytes_read)
{
    struct pcr_loader_options o = small_windows();
    uint64_t before = 0;
    for (uint32_t g = 1; g <= group_count; g++) {
        struct pcr_loader_stats stats = { .size = sizeof(stats) };
        struct pcr_error err;
        uint64_t want = 0;
        for (uint32_t r = 0; r < MADE_RECORDS; r++) {
            struct pcr_record_info info = { .size = sizeof(info) };
            made_check(pcr_dataset_record(dataset, r, &info, &err), &err);
            want += pcr_dataset_record_prefix(dataset, r, g) - info.head_end;
        }
        o.fidelity.level = g;
        struct pcr_loader *l = create(&o);
        run_epoch(l, 0, NULL);
        made_check(pcr_loader_stats(l, &stats, &err), &err);
        ck_assert_uint_ge(stats.read_nbytes, want);
        ck_assert_uint_le(stats.read_nbytes,
                          want + want * o.batch_size * 3 / 2 / MADE_SAMPLES);
        ck_assert_uint_gt(want, before);
        ck_assert_uint_eq(stats.sample_count, MADE_SAMPLES);
        ck_assert_uint_eq(stats.batch_count, 13);
        ck_assert_uint_eq(stats.replaced_count + stats.degraded_count, 0);
        ck_assert_uint_eq(stats.thread_count, 2);
        ck_assert_uint_gt(stats.decode_ns, 0);
        before = want;
        pcr_loader_destroy(&l);
    }
}
END_TEST

/* --- bad samples --- */

enum { BAD_LATE = 13 + 17, BAD_EARLY = 64 + 5 }; /* dataset indices: in records 1 and 3 */

static void damage(void)
{
    made_damage(1, 17, 3);
    made_damage(3, 5, 1);
}

/* The loader says which samples were bad, in any order, and which took their places. */
static void check_faults(const struct pcr_loader *l, bool degrade, uint64_t *stand_ins)
{
    struct pcr_bad_sample f = { .size = sizeof(f) };
    struct pcr_error err;
    bool early = false, late = false;
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        stand_ins[i] = UINT64_MAX;
    for (uint64_t i = 0; i < 2; i++) {
        made_check(pcr_loader_bad_sample(l, i, &f, &err), &err);
        ck_assert_int_eq(f.code, PCR_ERR_CORRUPT);
        ck_assert_uint_eq(f.epoch + f.dataset, 0);
        ck_assert_uint_eq(f.fidelity, group_count);
        bool is_late = f.index == BAD_LATE;
        ck_assert(is_late || f.index == BAD_EARLY);
        ck_assert_uint_eq(f.delivered, is_late && degrade ? 2 : 0);
        ck_assert_msg(strstr(f.message, is_late ? "sample-30" : "sample-69"), "%s", f.message);
        ck_assert_uint_eq(f.replacement_dataset, 0);
        ck_assert((f.replacement < MADE_SAMPLES) == !f.delivered);
        stand_ins[f.index] = f.replacement;
        *(is_late ? &late : &early) = true;
    }
    ck_assert(early && late);
    ck_assert_int_eq(pcr_loader_bad_sample(l, 2, &f, &err), PCR_END);
    ck_assert_int_eq(pcr_loader_bad_sample(l, PCR_LOADER_BAD_SAMPLES, &f, &err), PCR_END);
    ck_assert_int_eq(pcr_loader_bad_sample(l, 0, NULL, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_bad_sample(NULL, 0, &f, &err), PCR_ERR_INVAL);
}

/* More than are remembered: the last ones. */
START_TEST(faults_are_bounded)
{
    struct pcr_loader_options o = small_windows();
    struct pcr_bad_sample f = { .size = sizeof(f) };
    o.bad_sample = PCR_SAMPLE_SKIP;
    o.threads.count = 1;
    damage();
    struct pcr_loader *l = create(&o);
    for (uint64_t epoch = 0; epoch < PCR_LOADER_BAD_SAMPLES; epoch++)
        run_epoch(l, epoch, NULL);
    ck_assert_int_eq(pcr_loader_bad_sample(l, 0, &f, NULL), 0);
    ck_assert_uint_eq(f.epoch, PCR_LOADER_BAD_SAMPLES - 1);
    ck_assert_int_eq(pcr_loader_bad_sample(l, PCR_LOADER_BAD_SAMPLES - 1, &f, NULL), 0);
    ck_assert_uint_eq(f.epoch, PCR_LOADER_BAD_SAMPLES / 2);
    ck_assert_int_eq(pcr_loader_bad_sample(l, PCR_LOADER_BAD_SAMPLES, &f, NULL), PCR_END);
    pcr_loader_destroy(&l);
    damage();
}
END_TEST

/* One bad chunk costs only its sample, in whose place another one stands. */
START_TEST(bad_samples_replaced_or_degraded)
{
    struct pcr_loader_options o = small_windows();
    bool degrade = _i / 3;
    uint64_t hash[2];
    o.order.shuffle = (uint32_t) (1 + _i % 3);
    o.bad_sample = degrade ? PCR_SAMPLE_DEGRADE : PCR_SAMPLE_SKIP;
    o.transform.kind = PCR_TRANSFORM_STRETCH;
    o.output.layout = PCR_LAYOUT_NHWC;
    o.output.color = PCR_COLOR_RGB;
    damage();
    for (uint32_t k = 0; k < 2; k++) {
        struct pcr_loader_stats stats = { .size = sizeof(stats) };
        uint8_t seen[MADE_SAMPLES] = { 0 };
        uint64_t stand_ins[MADE_SAMPLES];
        o.threads.count = 1 + 2 * k;
        o.threads.reader_count = made_readers(k);
        struct pcr_loader *l = create(&o);
        hash[k] = run_epoch(l, 0, seen);
        check_faults(l, degrade, stand_ins);
        for (uint32_t i = 0; i < MADE_SAMPLES; i++)
            ck_assert_uint_eq(seen[i], (i != BAD_EARLY && (i != BAD_LATE || degrade)) +
                                           (i == stand_ins[BAD_EARLY]) +
                                           (i == stand_ins[BAD_LATE]));
        ck_assert_int_eq(pcr_loader_stats(l, &stats, NULL), 0);
        ck_assert_uint_eq(stats.replaced_count, degrade ? 1 : 2);
        ck_assert_uint_eq(stats.degraded_count, degrade);
        start(l, 0);
        for (struct pcr_batch *b; (b = next(l));) {
            ck_assert_uint_eq(b->sample_count, b->number < 12 ? 8 : 4);
            check_pixels(&o, b, stand_ins);
            for (uint32_t i = 0; i < b->sample_count; i++)
                ck_assert_uint_eq(b->fidelities[i],
                                  b->indices[i] == BAD_LATE ? 2 : group_count);
            pcr_batch_release(&b);
        }
        pcr_loader_destroy(&l);
    }
    ck_assert_uint_eq(hash[0], hash[1]);
    damage();
}
END_TEST

START_TEST(bad_samples_are_errors)
{
    struct pcr_loader_options o = small_windows();
    o.order.shuffle = (uint32_t) _i;
    struct pcr_error err[2];
    uint32_t good[2] = { 0 };
    damage();
    for (uint32_t k = 0; k < 2; k++) {
        struct pcr_batch *b;
        int rc;
        o.threads.count = 1 + 2 * k;
        struct pcr_loader *l = create(&o);
        start(l, 0);
        while (!(rc = pcr_loader_next(l, &b, &err[k]))) {
            good[k]++;
            pcr_batch_release(&b);
        }
        ck_assert_int_eq(rc, PCR_ERR_CORRUPT);
        bool late = strstr(err[k].message, "sample-30");
        ck_assert_msg(late || strstr(err[k].message, "sample-69"), "%s", err[k].message);
        ck_assert_msg(strstr(err[k].message, late ? "record-1.pcr" : "record-3.pcr"), "%s",
                      err[k].message);
        ck_assert_int_eq(pcr_loader_next(l, &b, &err[k]), rc); /* and stays so */
        pcr_loader_destroy(&l);
    }
    ck_assert_uint_eq(good[0], good[1]);
    ck_assert_str_eq(err[0].message, err[1].message);
    damage();

    struct pcr_loader *l = create(&o); /* all is well again */
    run_epoch(l, 0, NULL);
    pcr_loader_destroy(&l);
}
END_TEST

/* --- arguments --- */

static void *get_memory(void *context, size_t nbytes)
{
    return NULL;
}

START_TEST(bad_options)
{
    struct pcr_loader_options good = small_windows(), bad[60];
    size_t n = 0;
    for (size_t i = 0; i < 60; i++)
        bad[i] = good;
    bad[n++].flags = UINT32_C(1) << 31;
    bad[n++].output.layout = 3;
    bad[n++].output.color = 3;
    bad[n++].fidelity.level = group_count + 1;
    bad[n++].order.shuffle = 4;
    bad[n++].transform.kind = 5;
    bad[n++].bad_sample = 4;
    bad[n++].output.dtype = 5;
    bad[n++].output.mean[1] = 0.5f; /* with dtype UINT8 */
    bad[n++].output.std[2] = 1;
    bad[n].output.dtype = PCR_DTYPE_FLOAT16;
    bad[n++].output.std[0] = -1;
    bad[n].output.dtype = PCR_DTYPE_FLOAT32;
    bad[n++].output.mean[0] = NAN;
    bad[n++].transform.flip_ppm = 1000001;
    bad[n++].transform.area_max_ppm = 1000001;
    bad[n++].transform.area_max_ppm = 70000; /* below the default least */
    bad[n++].transform.ratio_min_ppm = 2000000;
    bad[n++].threads.count = 5000;
    bad[n++].threads.reader_count = 5000;
    bad[n++].output.height = 100000;
    bad[n++].memory.batches_ahead = 5000;
    bad[n].transform.kind = PCR_TRANSFORM_CENTER_CROP;
    bad[n++].transform.resize_px = 23; /* below the height */
    bad[n++].size = 4;
    bad[n].shard.world = 4;
    bad[n++].shard.rank = 4;
    bad[n++].shard.rank = 1; /* of one */
    bad[n++].shard.world = (1 << 20) + 1;
    bad[n].flags = PCR_LOADER_RANK_FROM_ENVIRONMENT;
    bad[n++].shard.world = 1;
    static const uint64_t twice[] = { 3, 5, 5 }, beyond[] = { 3, MADE_SAMPLES };
    bad[n++].memory.allocate = get_memory; /* and no release */
    bad[n].order.indices = twice;
    bad[n++].order.index_count = 3;
    bad[n].order.indices = beyond;
    bad[n++].order.index_count = 2;
    bad[n++].order.index_count = 1; /* of NULL */
    static const double weights[MADE_SAMPLES] = { 0, -1 }, none[MADE_SAMPLES] = { 0 };
    static const uint8_t fidelities[MADE_SAMPLES] = { 0, 99 };
    static const struct pcr_fidelity_step falling[] = { { .epoch = 3 }, { .epoch = 2 } },
                                          mixture[] = { { .chances = none } },
                                          high[] = { { .fidelity = 99 } };
    bad[n++].samples.count = 1; /* of no array */
    bad[n].samples.weights = weights;
    bad[n++].samples.count = 3;
    bad[n].samples.weights = weights;
    bad[n++].samples.count = MADE_SAMPLES;
    bad[n].samples.weights = none;
    bad[n++].samples.count = MADE_SAMPLES;
    bad[n].samples.fidelities = fidelities;
    bad[n++].samples.count = MADE_SAMPLES;
    bad[n].flags = PCR_LOADER_ONCE;
    bad[n++].order.epoch_samples = MADE_SAMPLES + 1;
    bad[n++].order.epoch_samples = UINT64_C(1) << 32;
    bad[n++].order.proportions = none;
    bad[n++].fidelity.step_count = 1; /* of NULL */
    bad[n].fidelity.steps = falling;
    bad[n++].fidelity.step_count = 2;
    bad[n].fidelity.steps = mixture;
    bad[n++].fidelity.step_count = 1;
    bad[n].fidelity.steps = high;
    bad[n++].fidelity.step_count = 1;
    for (size_t i = 0; i < n; i++) {
        struct pcr_loader *l = (struct pcr_loader *) &good;
        struct pcr_error err;
        ck_assert_msg(pcr_loader_create(dataset, &bad[i], &l, &err) == PCR_ERR_INVAL,
                      "options %zu", i);
        ck_assert_ptr_null(l);
    }
    struct pcr_loader *l = NULL;
    struct pcr_batch *b = NULL;
    struct pcr_error err;
    ck_assert_int_eq(pcr_loader_create(NULL, &good, &l, &err), PCR_ERR_INVAL);
    made_check(pcr_loader_create(dataset, NULL, &l, &err), &err); /* all defaults */
    ck_assert_uint_eq(pcr_loader_batch_count(l), 2);
    ck_assert_int_eq(pcr_loader_next(l, &b, &err), PCR_ERR_INVAL); /* no epoch yet */
    start(l, 0);
    b = next(l);
    ck_assert_uint_eq(b->sample_count, 64);
    ck_assert_uint_eq(b->height, 224);
    pcr_batch_release(&b);
    pcr_loader_destroy(&l);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 110);
    tcase_add_loop_test(t, every_sample_once_for_any_thread_count, PCR_SHUFFLE_NONE,
                        PCR_SHUFFLE_FULL + 1);
    tcase_add_loop_test(t, pixels_are_right, 0, 3);
    tcase_add_test(t, last_batch);
    tcase_add_loop_test(t, early_ends, 0, 2);
    tcase_add_test(t, batches_outlive_the_loader);
    tcase_add_test(t, cancel);
    tcase_add_test(t, next_within);
    tcase_add_test(t, many_lives);
    tcase_add_loop_test(t, fidelity_changes, 0, 2);
    tcase_add_test(t, bytes_read);
    tcase_add_loop_test(t, bad_samples_replaced_or_degraded, 0, 6);
    tcase_add_test(t, faults_are_bounded);
    tcase_add_loop_test(t, bad_samples_are_errors, PCR_SHUFFLE_NONE, PCR_SHUFFLE_FULL + 1);
    tcase_add_test(t, bad_options);
    return tests_run();
}
