/* SPDX-License-Identifier: BSD-2-Clause */
/* write_memory: pictures at work take no more memory together than the options allow. */
#include <check.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "generator.h"
#include "suite.h"
#include "write_source.h"

#include "writer/write.h"

static struct pcr_error error;

/* --- turns --- */

static struct pcri_write job;

static void begin(uint64_t max, uint32_t threads)
{
    struct pcr_error err;
    memset(&job, 0, sizeof(job));
    job.coding = &pcri_coding_scans;
    job.opts.max_memory_nbytes = max;
    job.opts.thread_count = threads;
    pcri_write_threads_init(&job);
    ck_assert_int_eq(
        pcr_ladder_create("bitplane", (struct pcr_ladder **) (void *) &job.ladder, &err), 0);
}

static void end(void)
{
    pcr_ladder_destroy((struct pcr_ladder **) (void *) &job.ladder);
    pcri_write_threads_free(&job);
}

struct turn {
    struct pcri_worker worker;
    uint64_t nbytes;
    atomic_bool taken, give;
};

static void *take_and_give(void *context)
{
    struct turn *t = context;
    struct pcr_error err;
    t->worker.write = &job;
    if (pcri_memory_take(&t->worker, t->nbytes, &err))
        return t;
    atomic_store(&t->taken, true);
    while (!atomic_load(&t->give))
        sched_yield();
    bool failed = pcri_worker_rest(&t->worker, &err);
    pcri_worker_free(&t->worker);
    return failed ? t : NULL;
}

static void start(struct turn *t)
{
    ck_assert_int_eq(pthread_create(&t->worker.thread, NULL, take_and_give, t), 0);
}

static void join(struct turn *t)
{
    void *failed;
    atomic_store(&t->give, true);
    ck_assert_int_eq(pthread_join(t->worker.thread, &failed), 0);
    ck_assert_ptr_null(failed);
}

static void wait_for_tickets(uint64_t waiting)
{
    for (bool done = false; !done; sched_yield()) {
        pthread_mutex_lock(&job.lock);
        done = job.memory_tickets - job.memory_served == waiting;
        pthread_mutex_unlock(&job.lock);
    }
}

static void wait_for(atomic_bool *state)
{
    while (!atomic_load(state))
        sched_yield();
}

/* What does not fit waits, and what comes after it too, although it would fit. */
START_TEST(first_come_first_served)
{
    struct turn a = { .nbytes = 60 }, b = { .nbytes = 50 }, c = { .nbytes = 10 };
    begin(100, 3);
    start(&a);
    wait_for(&a.taken);
    start(&b);
    wait_for_tickets(1);
    start(&c);
    wait_for_tickets(2);
    ck_assert(!atomic_load(&b.taken) && !atomic_load(&c.taken));
    ck_assert_uint_eq(job.memory_taken, 60);
    join(&a);
    wait_for(&b.taken);
    wait_for(&c.taken);
    ck_assert_uint_eq(job.memory_taken, 60);
    join(&b);
    join(&c);
    ck_assert_uint_eq(job.memory_taken, 0);
    end();
}
END_TEST

START_TEST(more_than_all)
{
    struct pcri_worker t = { .write = &job };
    begin(100, 1);
    ck_assert_int_eq(pcri_memory_take(&t, 101, &error), PCR_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "101 bytes"));
    ck_assert_int_eq(pcri_memory_take(&t, 60, &error), 0);
    ck_assert_int_eq(pcri_memory_take(&t, 100, &error), 0); /* more for the same picture */
    ck_assert_uint_eq(job.memory_taken, 100);
    ck_assert_int_eq(pcri_memory_take(&t, 7, &error), 0);
    ck_assert_uint_eq(job.memory_taken, 100);
    ck_assert_int_eq(pcri_worker_rest(&t, &error), 0);
    ck_assert_uint_eq(job.memory_taken, 0);
    pcri_worker_free(&t);
    end();
}
END_TEST

/* The coder, which keeps its memory, stays where that is within the thread's share. */
START_TEST(tools_are_renewed)
{
    struct pcri_worker t = { .write = &job };
    begin(100, 2);
    ck_assert_int_eq(pcri_worker_equip(&t, &error), 0);
    t.file.data = malloc(8);
    t.file.capacity = 8;
    ck_assert_int_eq(pcri_memory_take(&t, 50, &error), 0);
    ck_assert_int_eq(pcri_worker_rest(&t, &error), 0);
    ck_assert_uint_eq(t.file.capacity, 8);
    ck_assert_int_eq(pcri_memory_take(&t, 51, &error), 0);
    ck_assert_int_eq(pcri_worker_rest(&t, &error), 0);
    ck_assert_uint_eq(t.file.capacity, 0);
    ck_assert_ptr_nonnull(t.coder);
    ck_assert_ptr_nonnull(t.decoder);
    pcri_worker_free(&t);
    end();
}
END_TEST

/* --- conversions --- */

/* A picture of the source, with three full planes: 144 blocks, each twice and with 6 masks. */
enum { COUNT = 24, TOO_LARGE = 7, PICTURE_NBYTES = 144 * (2 * 128 + 6 * 8) };

static struct test_source src;
static struct test_folder a, b;

static void setup(void)
{
    test_folder_make(&a);
    test_folder_make(&b);
    test_source_init(&src, COUNT);
}

static void teardown(void)
{
    test_source_free(&src);
    test_folder_free(&a);
    test_folder_free(&b);
}

static void write_to(const char *path, const struct pcr_write_options *o)
{
    int rc = pcr_dataset_write(path, &src.source, o, NULL, &error);
    ck_assert_msg(!rc, "%s", error.message);
}

/* Room for one picture at a time or for all: records are the same. */
START_TEST(same_bytes)
{
    struct pcr_write_options o = { .size = sizeof(o), .thread_count = 4 };
    struct pcr_buffer x = { 0 }, y = { 0 };
    write_to(a.path, &o);
    o.max_memory_nbytes = PICTURE_NBYTES;
    write_to(b.path, &o);
    const char *names[] = { "train-00000.pcr", "test-00000.pcr" };
    for (size_t i = 0; i < 2; i++) {
        test_read(a.path, names[i], &x);
        test_read(b.path, names[i], &y);
        ck_assert_uint_eq(x.nbytes, y.nbytes);
        ck_assert_mem_eq(x.data, y.data, x.nbytes);
    }
    pcr_buffer_free(&x);
    pcr_buffer_free(&y);
}
END_TEST

/* One that takes more than all may is a bad input, in each of the ways to take one; whether it is
 * packed, reduced, or decoded to see if it is whole. */
START_TEST(larger_is_bad)
{
    struct pcr_write_options o = { .size = sizeof(o),
                                   .max_memory_nbytes = PICTURE_NBYTES,
                                   .bad_policy = PCR_BAD_SKIP,
                                   .max_side = _i & 1 ? 32 : 0 };
    struct pcr_write_progress report = { .size = sizeof(report) };
    struct pcr_buffer large = { 0 }, text = { 0 };
    if (_i < 2) {
        ck_assert_int_eq(pcr_gen_photo(3, 200, 160, 85, 0, &large), 0);
        test_source_set(&src, TOO_LARGE, large.data, large.nbytes);
    } else {
        o.max_memory_nbytes = 7000;
        for (uint32_t i = 0; i < COUNT;
             i++) /* the first one comes by rows, which take nothing */
            test_source_set_case(&src, i, i ? "png-rgb-interlaced" : "png-rgb");
    }
    ck_assert_int_eq(pcr_dataset_write(a.path, &src.source, &o, &report, &error), 0);
    ck_assert_uint_eq(report.samples_bad, _i < 2 ? 1 : COUNT - 1);
    test_read(a.path, "errors.jsonl", &text);
    ck_assert_int_eq(pcr_buffer_reserve(&text, text.nbytes + 1, &error), 0);
    text.data[text.nbytes] = 0;
    ck_assert_ptr_nonnull(strstr((char *) text.data, "max_memory_nbytes"));
    pcr_buffer_free(&large);
    pcr_buffer_free(&text);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("write_memory");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, first_come_first_served);
    tcase_add_test(t, more_than_all);
    tcase_add_test(t, tools_are_renewed);
    t = tests_case("conversions");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, same_bytes);
    tcase_add_loop_test(t, larger_is_bad, 0, 4);
    return tests_run();
}
