/* SPDX-License-Identifier: BSD-2-Clause */
/* loader: the threads that all loaders of the process share. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <pcr/loader.h>

#include "made_loader.h"
#include "suite.h"

static struct pcr_loader_options options(uint32_t threads, uint32_t readers)
{
    return (struct pcr_loader_options) {
        .size = sizeof(struct pcr_loader_options),
        .seed = 3,
        .batch_size = 8,
        .output.height = 16,
        .output.width = 20,
        .order.block_samples = 5,
        .order.window_samples = 30,
        .threads.count = threads,
        .threads.reader_count = made_readers(readers),
    };
}

/* A loader whose epoch 0 has begun. */
static struct pcr_loader *begin(const struct pcr_loader_options *o)
{
    struct pcr_loader *l = create(o);
    start(l, 0);
    return l;
}

/* Runs the epoch that was begun to its end. */
static uint64_t hash_of(struct pcr_loader *l)
{
    struct pcr_batch *b;
    struct pcr_error err;
    uint64_t hash = 0;
    int rc;
    for (; !(rc = pcr_loader_next(l, &b, &err)); pcr_batch_release(&b))
        hash = hash * 31 + pcri_xxh3(b->pixels, (size_t) b->sample_count * 16 * 20 * 3);
    ck_assert_msg(rc == PCR_END, "%s", err.message);
    return hash;
}

static uint64_t hash_alone(const struct pcr_loader_options *o)
{
    struct pcr_loader *l = begin(o);
    uint64_t hash = hash_of(l);
    pcr_loader_destroy(&l);
    return hash;
}

/* A number of /proc/self/status; -1 if it is not there. */
static long status(const char *format)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[200];
    long value = -1;
    while (f && value < 0 && fgets(line, sizeof(line), f))
        sscanf(line, format, &value);
    if (f)
        fclose(f);
    return value;
}

/* Threads of this process. One that was joined may be listed for a moment. */
static int thread_count(void)
{
    return (int) status("Threads: %ld");
}

static void check_threads(int expected)
{
    for (int i = 0; i < 1000 && thread_count() > expected; i++)
        nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
    ck_assert_int_eq(thread_count(), expected);
}

/* Threads that decode are as many as one loader wants, those that read as many as all do; and
 * they go with those who wanted them. */
START_TEST(no_more_threads_than_wanted)
{
    static const uint32_t threads[] = { 2, 3, 1, 3 }, readers[] = { 1, 0, 2, 0 };
    static const int after_create[] = { 3, 4, 6, 6 }, after_destroy[] = { 5, 5, 3, 0 };
    struct pcr_loader_options first = options(1, 0);
    struct pcr_loader *l[4];
    hash_alone(&first); /* a sanitizer may start a thread of its own with the first */
    int before = thread_count();
    for (int i = 0; i < 4; i++) {
        struct pcr_loader_options o = options(threads[i], readers[i]);
        l[i] = begin(&o);
        check_threads(before + after_create[i]);
    }
    for (int i = 0; i < 4; i++) {
        pcr_loader_destroy(&l[i]);
        check_threads(before + after_destroy[i]);
    }
}
END_TEST

struct job {
    struct pcr_loader_options options;
    uint64_t hash;
    pthread_t thread;
};

static void *consume(void *arg)
{
    struct job *j = arg;
    struct pcr_loader *l = begin(&j->options);
    ck_assert_uint_eq(hash_of(l), j->hash);
    pcr_loader_destroy(&l);
    return NULL;
}

/* Loaders of all kinds at once give what each gives alone. */
START_TEST(same_batches_side_by_side)
{
    struct job jobs[6];
    for (uint32_t i = 0; i < 6; i++) {
        jobs[i] = (struct job) { .options = options(1 + i % 3, i % 4) };
        jobs[i].options.seed = i;
        jobs[i].options.output.dtype = i % 2 ? PCR_DTYPE_FLOAT32 : PCR_DTYPE_UINT8;
        jobs[i].options.transform.rotate_mdeg = i == 4 ? 10000 : 0;
        jobs[i].options.order.shuffle = i % 3 + 1;
        jobs[i].hash = hash_alone(&jobs[i].options);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 6; i++)
            ck_assert_int_eq(pthread_create(&jobs[i].thread, NULL, consume, &jobs[i]), 0);
        for (int i = 0; i < 6; i++)
            ck_assert_int_eq(pthread_join(jobs[i].thread, NULL), 0);
    }
}
END_TEST

/* One thread, and a loader that has work for it for long: the epochs of others end before it has
 * done that. */
START_TEST(none_starves)
{
    struct pcr_loader_options greedy = options(1, 0), o = options(1, (uint32_t) _i);
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    struct pcr_error err;
    greedy.memory.batches_ahead = 4096;
    greedy.order.epoch_samples = 8 * 4096;
    struct pcr_loader *l = begin(&greedy);
    for (int i = 0; i < 3; i++)
        hash_alone(&o);
    made_check(pcr_loader_stats(l, &stats, &err), &err);
    ck_assert_uint_gt(stats.batches_ready, 0);
    ck_assert_uint_lt(stats.batches_ready, 4000);
    pcr_loader_destroy(&l);
}
END_TEST

/* No more of the threads work for a loader than it may have, and their time adds up. */
START_TEST(its_own_limit)
{
    struct pcr_loader_options many = options(4, 0), one = options(1, 0);
    struct pcr_loader *a = begin(&many), *b = begin(&one);
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    struct pcr_batch *batch;
    struct pcr_error err;
    int rc = 0;
    for (uint64_t epoch = 1; epoch < 6; epoch++) {
        while (!(rc = pcr_loader_next(b, &batch, &err))) {
            made_check(pcr_loader_stats(b, &stats, &err), &err);
            ck_assert_uint_le(stats.decoding_count + stats.reading_count, 1);
            ck_assert_uint_le(stats.idle_ns, stats.elapsed_ns);
            ck_assert_uint_le(stats.decode_ns, stats.elapsed_ns);
            pcr_batch_release(&batch);
            if (pcr_loader_next(a, &batch, &err) == PCR_END)
                made_check(pcr_loader_start_epoch(a, epoch, &err), &err);
            else
                pcr_batch_release(&batch);
        }
        ck_assert_int_eq(rc, PCR_END);
        made_check(pcr_loader_start_epoch(b, epoch, &err), &err);
    }
    ck_assert_uint_eq(stats.thread_count, 1);
    pcr_loader_destroy(&a);
    pcr_loader_destroy(&b);
}
END_TEST

/* Storage that is slow to answer gets more threads that read; the batches stay the same. */
START_TEST(more_readers)
{
    const struct pcr_dataset_options slow = { .size = sizeof(slow), .delay_us = 20000 };
    struct pcr_loader_options o = options(2, 0);
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    struct pcr_dataset *fast = dataset;
    struct pcr_error err;
    o.order.shuffle = PCR_SHUFFLE_FULL;
    uint64_t hash = hash_alone(&o);
    o.threads.reader_count = 0;
    made_check(pcr_dataset_open(made_folder.path, &slow, &dataset, &err), &err);
    struct pcr_loader *l = begin(&o);
    made_check(pcr_loader_stats(l, &stats, &err), &err);
    ck_assert_uint_eq(stats.reader_count, 8);
    for (;;) {
        ck_assert_uint_eq(hash_of(l), hash);
        made_check(pcr_loader_stats(l, &stats, &err), &err);
        if (stats.reader_count > 8) /* the test's time limit is for when it never is */
            break;
        made_check(pcr_loader_start_epoch(l, 0, &err), &err);
    }
    pcr_loader_destroy(&l);
    pcr_dataset_close(&dataset);
    dataset = fast;
}
END_TEST

/* Address space for some threads' stacks only; sanitizers need much of it themselves. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define LIMITED 1
START_TEST(threads_that_do_not_start)
{
    struct pcr_loader_options o = options(2, 1), large = options(1000, 0);
    uint64_t hash = hash_alone(&o);
    int before = thread_count();
    struct pcr_loader *l = begin(&o), *failed = NULL;
    struct pcr_error err;
    struct rlimit all, few;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &all), 0);
    few = all;
    few.rlim_cur = ((rlim_t) status("VmSize: %ld") << 10) + (100 << 20);
    large.threads.count = _i ? 2 : 1000;
    large.threads.reader_count = made_readers(_i ? 1000 : 0);
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &few), 0);
    int rc = pcr_loader_create(dataset, &large, &failed, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &all), 0);
    ck_assert_msg(rc == PCR_ERR_NOMEM || (rc && strstr(err.message, "cannot start a thread")),
                  "%d: %s", rc, rc ? err.message : "");
    ck_assert_ptr_null(failed);
    ck_assert_uint_eq(hash_of(l), hash); /* the other goes on, with its own threads alone */
    check_threads(before + 3);
    pcr_loader_destroy(&l);
    check_threads(before);
}
END_TEST
#endif

int main(void)
{
    TCase *t = tests_case("loader_threads");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_add_checked_fixture(t, open_dataset, close_dataset);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, no_more_threads_than_wanted);
    tcase_add_test(t, same_batches_side_by_side);
    tcase_add_loop_test(t, none_starves, 0, 2);
    tcase_add_test(t, its_own_limit);
    tcase_add_test(t, more_readers);
#ifdef LIMITED
    tcase_add_loop_test(t, threads_that_do_not_start, 0, 2);
#endif
    return tests_run();
}
