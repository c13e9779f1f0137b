/* SPDX-License-Identifier: BSD-2-Clause */
/* loader: batches of files, and where batches' memory comes from. */
#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pcr/loader.h>

#include "leave.h"
#include "made_loader.h"
#include "suite.h"

static struct pcr_loader_options options(void)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .flags = PCR_LOADER_RAW,
        .seed = 3,
        .batch_size = 8,
        .order.block_samples = 5,
        .order.window_samples = 30,
        .threads.count = 2,
    };
}

/* A loader whose epoch 1 has begun. */
static struct pcr_loader *begin(const struct pcr_loader_options *o)
{
    struct pcr_loader *l = create(o);
    start(l, 1);
    return l;
}

static bool baseline; /* the loaders' files */
static struct pcr_decoder *decoder;

/* The batch's files are what reading each sample by itself gives. */
static void check_files(const struct pcr_batch *b)
{
    struct pcr_buffer expected = { 0 };
    struct pcr_error err;
    ck_assert_ptr_null(b->pixels);
    ck_assert_uint_eq(b->height | b->width | b->channels | b->layout | b->dtype, 0);
    ck_assert_uint_eq((uintptr_t) b->data % 64, 0);
    ck_assert_uint_eq(b->offsets[0], 0);
    for (uint32_t i = 0; i < b->sample_count; i++) {
        struct pcr_sample *s = NULL;
        uint64_t nbytes = b->offsets[i + 1] - b->offsets[i];
        made_check(pcr_sample_acquire(dataset, b->indices[i], &s, &err), &err);
        made_check(
            baseline ? pcr_sample_baseline(s, b->fidelities[i], decoder, NULL, &expected, &err)
                     : pcr_sample_read(s, b->fidelities[i], &expected, &err),
            &err);
        ck_assert_uint_eq(nbytes, expected.nbytes);
        ck_assert(!memcmp(b->data + b->offsets[i], expected.data, nbytes));
        ck_assert_int_eq(b->labels[i], made_label(b->indices[i]));
        pcr_sample_release(&s);
    }
    pcr_buffer_free(&expected);
}

/* Runs an epoch to its end or failure; returns its samples. */
static uint32_t run(struct pcr_loader *l, int *rc_out, uint64_t *hash_out)
{
    struct pcr_batch *b;
    struct pcr_error err;
    uint32_t count = 0;
    int rc;
    *hash_out = 0;
    while (!(rc = pcr_loader_next(l, &b, &err))) {
        check_files(b);
        count += b->sample_count;
        *hash_out = *hash_out * 31 + pcri_xxh3(b->data, b->offsets[b->sample_count]);
        pcr_batch_release(&b);
    }
    *rc_out = rc;
    return count;
}

START_TEST(files)
{
    struct pcr_loader_options o = options();
    o.order.shuffle = (uint32_t) _i % 3 + 1;
    o.fidelity.level = _i < 3 ? 0 : 2;
    uint64_t hash[3];
    int rc;
    for (uint32_t k = 0; k < 3; k++) {
        o.threads.count = 1 + k;
        o.memory.batches_ahead = 1 + k;
        struct pcr_loader *l = begin(&o);
        ck_assert_uint_eq(run(l, &rc, &hash[k]), MADE_SAMPLES);
        ck_assert_int_eq(rc, PCR_END);
        pcr_loader_destroy(&l);
    }
    ck_assert_uint_eq(hash[0], hash[1]);
    ck_assert_uint_eq(hash[0], hash[2]);
}
END_TEST

/* By one thread or several; of damaged ones those of lower fidelity, or others in their places. */
START_TEST(baseline_files)
{
    struct pcr_loader_options o = options();
    struct pcr_error err;
    struct pcr_loader *l = NULL;
    uint64_t hash[2];
    int rc;
    baseline = true;
    made_check(pcr_decoder_create(&decoder, &err), &err);
    o.flags |= PCR_LOADER_BASELINE;
    o.fidelity.level = _i % 2 ? 3 : 0;
    o.bad_sample = PCR_SAMPLE_DEGRADE;
    if (_i >= 2)
        made_damage(1, 17, 3);
    for (uint32_t k = 0; k < 2; k++) {
        o.threads.count = 1 + k;
        l = begin(&o);
        ck_assert_uint_eq(run(l, &rc, &hash[k]), MADE_SAMPLES);
        ck_assert_int_eq(rc, PCR_END);
        pcr_loader_destroy(&l);
    }
    ck_assert_uint_eq(hash[0], hash[1]);
    if (_i >= 2)
        made_damage(1, 17, 3);
    o.flags = PCR_LOADER_BASELINE;
    ck_assert_int_eq(pcr_loader_create(dataset, &o, &l, &err), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(err.message, "BASELINE without RAW"));
    pcr_decoder_destroy(&decoder);
    baseline = false;
}
END_TEST

/* One chunk of group 3 and one of group 1 are damaged. */
START_TEST(bad_samples)
{
    struct pcr_loader_options o = options();
    uint64_t hash;
    int rc;
    o.order.shuffle = (uint32_t) _i % 3 + 1;
    o.bad_sample = (uint32_t) _i / 3 + 1;
    made_damage(1, 17, 3);
    made_damage(3, 5, 1);
    struct pcr_loader *l = begin(&o);
    uint32_t count = run(l, &rc, &hash);
    if (o.bad_sample == PCR_SAMPLE_ERROR) {
        ck_assert_int_eq(rc, PCR_ERR_CORRUPT);
        ck_assert_uint_lt(count, MADE_SAMPLES - 1);
    } else {
        ck_assert_int_eq(rc, PCR_END);
        ck_assert_uint_eq(count, MADE_SAMPLES);
    }
    pcr_loader_destroy(&l);
    made_damage(1, 17, 3);
    made_damage(3, 5, 1);
}
END_TEST

/* Epochs that end at any point, with batches half gathered, leave nothing behind. */
START_TEST(early_ends)
{
    struct pcr_loader_options o = options();
    struct pcr_error err;
    o.order.shuffle = PCR_SHUFFLE_BLOCK;
    for (uint32_t round = 0; round < 24; round++) {
        struct pcr_batch *b = NULL;
        o.threads.count = 1 + round % 3;
        struct pcr_loader *l = begin(&o);
        for (uint32_t i = 0; i < round % 5; i++) {
            made_check(pcr_loader_next(l, &b, &err), &err);
            check_files(b);
            pcr_batch_release(&b);
        }
        if (round % 2) {
            made_check(pcr_loader_start_epoch(l, 5, &err), &err);
            made_check(pcr_loader_next(l, &b, &err), &err);
            check_files(b);
            pcr_batch_release(&b);
        }
        pcr_loader_destroy(&l);
    }
}
END_TEST

/* --- processes --- */

/* The thread sanitizer allows no threads in a child of a process with threads, and the address
 * sanitizer's allocator may have been locked by one of the parent's when it was forked. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define FORK 1
/* In a forked child, whose parent's threads are at work: what goes wrong, 0 if nothing. */
static int in_child(struct pcr_loader *l, struct pcr_batch *held, uint64_t hash)
{
    struct pcr_loader_options o = options();
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    struct pcr_error err = { .message = "" };
    struct pcr_loader *own = NULL;
    struct pcr_batch *b = NULL;
    uint8_t state[PCR_LOADER_STATE_NBYTES];
    uint32_t count = 0;
    signal(SIGALRM, SIG_DFL); /* Check has another use for it */
    alarm(60);                /* a child that hangs ends by a signal */
    if (pcr_loader_batch_count(l) || pcr_loader_next(l, &b, &err) != PCR_ERR_INVAL ||
        !strstr(err.message, "fork"))
        return 1;
    if (pcr_loader_start_epoch(l, 0, NULL) != PCR_ERR_INVAL ||
        pcr_loader_state(l, state, NULL) != PCR_ERR_INVAL ||
        pcr_loader_resume(l, state, sizeof(state), NULL) != PCR_ERR_INVAL ||
        pcr_loader_set_fidelity(l, 1, NULL) != PCR_ERR_INVAL ||
        pcr_loader_stats(l, &stats, NULL) != PCR_ERR_INVAL)
        return 2;
    if (pcri_xxh3(held->data, held->offsets[held->sample_count]) != hash)
        return 3;
    pcr_loader_cancel(l);
    pcr_batch_release(&held);
    pcr_loader_destroy(&l);
    if (l || pcr_loader_create(dataset, &o, &own, NULL) ||
        pcr_loader_start_epoch(own, 0, NULL))
        return 4;
    for (; !pcr_loader_next(own, &b, NULL); pcr_batch_release(&b))
        count += b->sample_count;
    pcr_loader_destroy(&own);
    pcr_dataset_close(&dataset);
    return count == MADE_SAMPLES ? 0 : 5;
}

START_TEST(forked)
{
    struct pcr_loader_options o = options();
    struct pcr_batch *b = NULL;
    struct pcr_error err;
    o.order.shuffle = _i ? PCR_SHUFFLE_FULL : PCR_SHUFFLE_BLOCK;
    for (int round = 0; round < 12; round++) {
        struct pcr_loader *l = begin(&o);
        made_check(pcr_loader_next(l, &b, &err), &err);
        uint64_t hash = pcri_xxh3(b->data, b->offsets[b->sample_count]);
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (!child)
            leave(in_child(l, b, hash));
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        pcr_batch_release(&b);
        uint32_t count = 8;
        for (; !pcr_loader_next(l, &b, &err); pcr_batch_release(&b))
            count += b->sample_count;
        ck_assert_uint_eq(count, MADE_SAMPLES);
        pcr_loader_destroy(&l);
        pcr_dataset_close(&dataset); /* opened anew, so that records are being opened */
        made_check(pcr_dataset_open(made_folder.path, NULL, &dataset, &err), &err);
    }
}
END_TEST
#endif

/* --- memory --- */

struct memory {
    atomic_uint out, given;
    atomic_size_t nbytes;
    unsigned fail_at, off;
};

static void *get_memory(void *context, size_t nbytes)
{
    struct memory *m = context;
    void *p = NULL;
    if (atomic_fetch_add(&m->given, 1) + 1 == m->fail_at ||
        posix_memalign(&p, 64, nbytes + 64))
        return NULL;
    atomic_fetch_add(&m->out, 1);
    atomic_fetch_add(&m->nbytes, nbytes);
    return (uint8_t *) p + m->off;
}

static void give_memory(void *context, void *memory, size_t nbytes)
{
    struct memory *m = context;
    atomic_fetch_sub(&m->out, 1);
    atomic_fetch_sub(&m->nbytes, nbytes);
    free((uint8_t *) memory - m->off);
}

/* The caller's memory is used again and again, and comes back with the same size. */
START_TEST(own_memory)
{
    struct memory m = { 0 };
    struct pcr_loader_options o = options();
    struct pcr_batch *held = NULL;
    struct pcr_error err;
    o.flags = _i ? PCR_LOADER_RAW : 0;
    o.fidelity.level = 1; /* files grow later on */
    o.memory.allocate = get_memory;
    o.memory.release = give_memory;
    o.memory.context = &m;
    struct pcr_loader *l = begin(&o);
    for (uint64_t epoch = 0; epoch < 4; epoch++) {
        made_check(pcr_loader_start_epoch(l, epoch, &err), &err);
        pcr_batch_release(&held);
        made_check(pcr_loader_next(l, &held, &err), &err);
        for (struct pcr_batch *b; !pcr_loader_next(l, &b, &err);)
            pcr_batch_release(&b);
        made_check(pcr_loader_set_fidelity(l, PCR_FIDELITY_FULL, &err), &err);
    }
    ck_assert_uint_le(m.out, 4 + 1 + 2);
    if (!_i)
        ck_assert_uint_le(m.given, 4 + 1 + 2);
    pcr_loader_destroy(&l);
    ck_assert_uint_eq(m.out, 1);
    pcr_batch_release(&held);
    ck_assert_uint_eq(m.out, 0);
    ck_assert_uint_eq(m.nbytes, 0);
}
END_TEST

START_TEST(memory_that_fails)
{
    struct memory m = { .fail_at = 3 };
    struct pcr_loader_options o = options();
    uint64_t hash;
    int rc;
    o.memory.allocate = get_memory;
    o.memory.release = give_memory;
    o.memory.context = &m;
    struct pcr_loader *l = begin(&o);
    (void) run(l, &rc, &hash);
    ck_assert_int_eq(rc, PCR_ERR_NOMEM);
    pcr_loader_destroy(&l);
    ck_assert_uint_eq(m.out, 0);
    m = (struct memory) { .off = 8 };
    l = begin(&o);
    (void) run(l, &rc, &hash);
    ck_assert_int_eq(rc, PCR_ERR_INVAL); /* not aligned */
    pcr_loader_destroy(&l);
    ck_assert_uint_eq(m.out, 0);
}
END_TEST

START_TEST(bounded_ring)
{
    struct pcr_loader_options o = options();
    struct memory m = { 0 };
    struct pcr_batch *b = NULL;
    struct pcr_error err;
    const size_t batch = (size_t) 8 * 100 * 100 * 3;
    o.flags = PCR_LOADER_HUGE_PAGES; /* has no effect on the caller's memory */
    o.output.height = 100;
    o.memory.allocate = get_memory;
    o.memory.release = give_memory;
    o.memory.context = &m;
    o.memory.batches_ahead = 5;
    o.memory.ring_nbytes = _i ? 2 * batch + 100 : 1; /* at least one batch */
    struct pcr_loader *l = begin(&o);
    while (!pcr_loader_next(l, &b, &err)) {
        ck_assert_uint_le(m.nbytes, (_i ? 2 + 1 : 1 + 1) * batch);
        pcr_batch_release(&b);
    }
    pcr_loader_destroy(&l);
}
END_TEST

START_TEST(huge_pages)
{
    struct pcr_loader_options o = options();
    struct pcr_batch *b = NULL;
    struct pcr_error err;
    o.flags = PCR_LOADER_HUGE_PAGES;
    o.output.height = 400;
    struct pcr_loader *l = begin(&o);
    made_check(pcr_loader_next(l, &b, &err), &err);
    ck_assert_uint_eq((uintptr_t) b->pixels % (2 << 20), 0);
    pcr_batch_release(&b);
    pcr_loader_destroy(&l);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_raw");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 110);
    tcase_add_loop_test(t, files, 0, 6);
    tcase_add_loop_test(t, baseline_files, 0, 4);
    tcase_add_loop_test(t, bad_samples, 0, 9);
    tcase_add_test(t, early_ends);
#ifdef FORK
    tcase_add_loop_test(t, forked, 0, 2);
#endif
    tcase_add_loop_test(t, own_memory, 0, 2);
    tcase_add_test(t, memory_that_fails);
    tcase_add_loop_test(t, bounded_ring, 0, 2);
    tcase_add_test(t, huge_pages);
    return tests_run();
}
