/* SPDX-License-Identifier: BSD-2-Clause */
/* loader statistics: what is counted when, differences, and the three texts. */
#include <check.h>
#include <sched.h>
#include <stdlib.h>

#include <pcr/loader.h>

#include "made_images.h"
#include "suite.h"

static struct pcr_loader_stats made_stats(void)
{
    return (struct pcr_loader_stats) {
        .size = sizeof(struct pcr_loader_stats),
        .thread_count = 2,
        .sample_count = 1000,
        .batch_count = 16,
        .replaced_count = 3,
        .degraded_count = 4,
        .read_nbytes = 20500000,
        .read_ns = 1000000000,
        .decode_ns = 6000000000,
        .idle_ns = 1000000000,
        .consumer_wait_ns = 2000000000,
        .room_wait_ns = 400000000,
        .bytes_wait_ns = 200000000,
        .read_count = 50,
        .elapsed_ns = 4000000000,
        .held_nbytes = 1500000,
        .reading_count = 1,
        .decoding_count = 7,
        .batches_open = 6,
        .batches_ready = 5,
        .batches_held = 9,
        .ahead_nbytes = 2500000,
        .profile_converted_count = 70,
        .profile_unusable_count = 8,
        .fidelity_counts = { 250, 0, 750 },
        .delivered_nbytes = 20000000,
        .full_nbytes = 80000000,
        .quality_count = 500,
        .quality_sum_ppm = 475000000,
        .quality_least_ppm = 900100,
    };
}

static void check_text(const struct pcr_loader_stats *s, uint32_t form, const char *expected)
{
    struct pcr_buffer out = { 0 };
    struct pcr_error err;
    made_check(pcr_loader_stats_text(s, form, NULL, &out, &err), &err);
    ck_assert_str_eq((const char *) out.data, expected);
    ck_assert_uint_eq(out.nbytes, strlen(expected));
    pcr_buffer_free(&out);
}

START_TEST(json)
{
    const struct pcr_loader_stats s = made_stats();
    check_text(&s, PCR_STATS_JSON,
               "{\"thread_count\": 2, \"reader_count\": 0, \"sample_count\": 1000, "
               "\"batch_count\": 16, "
               "\"replaced_count\": 3, \"degraded_count\": 4, \"read_nbytes\": 20500000, "
               "\"read_ns\": 1000000000, \"decode_ns\": 6000000000, \"idle_ns\": 1000000000, "
               "\"consumer_wait_ns\": 2000000000, \"room_wait_ns\": 400000000, "
               "\"bytes_wait_ns\": 200000000, \"read_count\": 50, "
               "\"elapsed_ns\": 4000000000, \"held_nbytes\": 1500000, \"reading_count\": 1, "
               "\"decoding_count\": 7, \"batches_open\": 6, \"batches_ready\": 5, "
               "\"batches_held\": 9, \"ahead_nbytes\": 2500000, "
               "\"profile_converted_count\": 70, \"profile_unusable_count\": 8, "
               "\"delivered_nbytes\": 20000000, \"full_nbytes\": 80000000, "
               "\"quality_count\": 500, \"quality_sum_ppm\": 475000000, "
               "\"quality_least_ppm\": 900100, \"fidelity_counts\": [250, 0, 750]}\n");
}
END_TEST

START_TEST(table)
{
    struct pcr_loader_stats s = made_stats();
    static const char text[] =
        "time      4.0 s\n"
        "samples   1000, 250.0 per second; 3 replaced, 4 degraded\n"
        "batches   16 handed out; 5 ready, 1 begun, 9 held by the consumer\n"
        "read      20.5 MB, 5.1 MB/s; 20500 bytes per sample, 50 reads; 1.5 MB in memory; "
        "2.5 MB more for the next epoch\n"
        "threads   2: 75.0% decoding, waiting 5.0% for room, 2.5% for bytes, 5.0% for other "
        "work\n"
        "readers   2, the same threads: 12.5% reading\n"
        "consumer  waited 2.0 s, 50.0% of the time\n"
        "fidelity  1: 25.0% 3: 75.0%; 25.0% of the bytes of full fidelity\n"
        "quality   0.9500 predicted on average, 0.9001 at least\n"
        "profiles  70 samples converted to sRGB, 8 with one that cannot be used\n"
        "limit     ";
    char expected[sizeof(text) + 100];
    snprintf(expected, sizeof(expected), "%s%s", text,
             "decoding: a lower fidelity or more CPUs help\n");
    check_text(&s, PCR_STATS_TABLE, expected);

    s = (struct pcr_loader_stats) { .size = sizeof(s) }; /* nothing is divided by 0 */
    struct pcr_buffer out = { 0 };
    struct pcr_error err;
    made_check(pcr_loader_stats_text(&s, PCR_STATS_TABLE, NULL, &out, &err), &err);
    ck_assert_ptr_null(strstr((const char *) out.data, "nan"));
    ck_assert_ptr_nonnull(strstr((const char *) out.data, "limit     nothing"));
    pcr_buffer_free(&out);
}
END_TEST

static void check_limit(const struct pcr_loader_stats *s, const char *word)
{
    struct pcr_buffer out = { 0 };
    struct pcr_error err;
    made_check(pcr_loader_stats_text(s, PCR_STATS_TABLE, NULL, &out, &err), &err);
    const char *line = strstr((const char *) out.data, "limit     ");
    ck_assert_ptr_nonnull(line);
    ck_assert_msg(!strncmp(line + 10, word, strlen(word)), "%s, expected %s", line, word);
    pcr_buffer_free(&out);
}

START_TEST(limits)
{
    struct pcr_loader_stats s = made_stats();
    check_limit(&s, "decoding:");
    s.bytes_wait_ns = 7000000000;
    check_limit(&s, "storage:");
    s.reader_count = 4;
    s.read_ns = 24000000000;
    check_limit(&s, "storage:");
    s.bytes_wait_ns = 200000000; /* readers that wait for storage do not limit by themselves */
    check_limit(&s, "decoding:");
    s.consumer_wait_ns = 100000000;
    check_limit(&s, "the consumer:");
}
END_TEST

START_TEST(prometheus)
{
    const struct pcr_loader_stats s = made_stats();
    static const char *const lines[] = {
        "# HELP pcr_loader_threads Threads that decode.\n# TYPE pcr_loader_threads gauge\n"
        "pcr_loader_threads{split=\"a\"} 2\n",
        "\n# TYPE pcr_loader_samples_total counter\n"
        "pcr_loader_samples_total{split=\"a\"} 1000\n",
        "\npcr_loader_idle_seconds_total{split=\"a\"} 1.000000000\n",
        "\npcr_loader_bytes_wait_seconds_total{split=\"a\"} 0.200000000\n",
        "\n# TYPE pcr_loader_held_bytes gauge\npcr_loader_held_bytes{split=\"a\"} 1500000\n",
    };
    struct pcr_buffer out = { 0 };
    struct pcr_error err;
    made_check(pcr_loader_stats_text(&s, PCR_STATS_PROMETHEUS, "split=\"a\"", &out, &err),
               &err);
    const char *text = (const char *) out.data;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_msg(strstr(text, lines[i]) != NULL, "%s is not in %s", lines[i], text);
    made_check(pcr_loader_stats_text(&s, PCR_STATS_PROMETHEUS, NULL, &out, &err), &err);
    ck_assert_ptr_nonnull(strstr((const char *) out.data, "\npcr_loader_threads 2\n"));
    pcr_buffer_free(&out);
}
END_TEST

START_TEST(differences)
{
    struct pcr_loader_stats before = made_stats(), now = before, out = { .size = sizeof(out) };
    struct pcr_error err;
    now.sample_count += 7;
    now.elapsed_ns += 5;
    now.held_nbytes = 1;
    now.batches_ready = 2;
    made_check(pcr_loader_stats_since(&now, &before, &out, &err), &err);
    ck_assert_uint_eq(out.sample_count, 7);
    ck_assert_uint_eq(out.elapsed_ns, 5);
    ck_assert_uint_eq(out.read_nbytes, 0);
    ck_assert_uint_eq(out.thread_count, 2);
    ck_assert_uint_eq(out.held_nbytes, 1);
    ck_assert_uint_eq(out.batches_ready, 2);
    ck_assert_int_eq(pcr_loader_stats_since(&before, &now, &out, &err), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(err.message, "sample_count is 1000, but was 1007"));
    made_check(pcr_loader_stats_since(&now, &before, &now, &err), &err); /* in place */
    ck_assert_uint_eq(now.sample_count, 7);
}
END_TEST

START_TEST(wrong_calls)
{
    struct pcr_loader_stats s = made_stats(), none = { 0 };
    struct pcr_buffer out = { 0 };
    struct pcr_error err;
    ck_assert_int_eq(pcr_loader_stats_text(NULL, 0, NULL, &out, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_stats_text(&s, 0, NULL, NULL, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_stats_text(&s, 3, NULL, &out, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_stats_text(&s, 1, "a=\"b\"", &out, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_stats_text(&none, 0, NULL, &out, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_stats_since(&s, NULL, &s, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_stats_since(&s, &s, NULL, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_loader_stats(NULL, &s, &err), PCR_ERR_INVAL);
    /* A caller of an older version has a shorter struct, and gets as much. */
    s.size = offsetof(struct pcr_loader_stats, room_wait_ns);
    made_check(pcr_loader_stats_text(&s, PCR_STATS_JSON, NULL, &out, &err), &err);
    ck_assert_ptr_nonnull(strstr((const char *) out.data, "\"room_wait_ns\": 0,"));
    ck_assert_ptr_nonnull(strstr((const char *) out.data, "\"idle_ns\": 1000000000,"));
    pcr_buffer_free(&out);
}
END_TEST

static struct pcr_loader_stats stats_of(const struct pcr_loader *l)
{
    struct pcr_loader_stats s = { .size = sizeof(s) };
    struct pcr_error err;
    made_check(pcr_loader_stats(l, &s, &err), &err);
    return s;
}

/* Waits until all batches ahead are made, no thread works, and something of what comes next is
 * read: a window that ends with a batch leaves nothing for a moment. */
static struct pcr_loader_stats wait_full(const struct pcr_loader *l)
{
    struct pcr_loader_stats s;
    do {
        sched_yield();
        s = stats_of(l);
    } while (s.batches_ready < 3 || s.reading_count || s.decoding_count || !s.held_nbytes);
    return s;
}

/* Where a loader stands when its consumer does nothing. */
START_TEST(queues)
{
    const struct pcr_loader_options o = {
        .size = sizeof(o),
        .batch_size = 8,
        .output.height = 16,
        .threads.count = 2,
        .order.block_samples = 5,
        .memory.batches_ahead = 3,
        .order.shuffle = (uint32_t) _i / 2,
        .threads.reader_count = made_readers(_i % 2 * 3),
    };
    struct pcr_dataset *ds = NULL;
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    made_check(pcr_dataset_open(made_folder.path, NULL, &ds, &err), &err);
    made_check(pcr_loader_create(ds, &o, &l, &err), &err);
    struct pcr_loader_stats s = stats_of(l);
    ck_assert_uint_eq(s.batches_open + s.batches_held + s.reading_count + s.read_count, 0);
    made_check(pcr_loader_start_epoch(l, 0, &err), &err);
    struct pcr_batch *first = next(l), *second = next(l);
    s = wait_full(l);
    ck_assert_uint_eq(s.batches_open, 3);
    ck_assert_uint_eq(s.batches_held, 2);
    ck_assert_uint_eq(s.batch_count, 2);
    ck_assert_uint_eq(s.thread_count, 2);
    ck_assert_uint_eq(s.reader_count, _i % 2 * 3);
    ck_assert_uint_eq(s.sample_count, 5 * 8);
    pcr_batch_release(&first);
    ck_assert_uint_eq(stats_of(l).batches_held, 1);
    pcr_batch_release(&second);
    for (struct pcr_batch *b; (b = next(l));)
        pcr_batch_release(&b);
    s = stats_of(l);
    ck_assert_uint_eq(s.batches_open + s.batches_held + s.batches_ready, 0);
    ck_assert_uint_eq(s.sample_count, MADE_SAMPLES);
    ck_assert_uint_le(s.room_wait_ns + s.bytes_wait_ns, s.idle_ns);
    ck_assert_uint_gt(s.elapsed_ns, s.decode_ns / 2);
    /* Slices of records of 13, 50, 1 and 36; and what the first batch has of one that is then
     * read to its end, or of as many as it has samples. */
    const uint32_t slices = 3 + 10 + 1 + 8;
    ck_assert_uint_eq(s.read_count, o.order.shuffle == PCR_SHUFFLE_FULL   ? MADE_SAMPLES
                                    : o.order.shuffle == PCR_SHUFFLE_NONE ? slices + 1
                                                                          : slices + 8);
    pcr_loader_destroy(&l);
    pcr_dataset_close(&ds);
}
END_TEST

/* Bytes read when the first batch had come, and all of the epoch's. */
static void read_slowly(uint64_t nbytes_s, uint32_t readers, uint64_t *first, uint64_t *all)
{
    const struct pcr_dataset_options slow = { .size = sizeof(slow),
                                              .throttle_nbytes_s = nbytes_s };
    const struct pcr_loader_options o = { .size = sizeof(o),
                                          .batch_size = 8,
                                          .output.height = 16,
                                          .threads.count = 2,
                                          .order.block_samples = 5,
                                          .threads.reader_count = readers };
    struct pcr_dataset *ds = NULL;
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    made_check(pcr_dataset_open(made_folder.path, &slow, &ds, &err), &err);
    made_check(pcr_loader_create(ds, &o, &l, &err), &err);
    made_check(pcr_loader_start_epoch(l, 0, &err), &err);
    struct pcr_batch *b = next(l);
    *first = stats_of(l).read_nbytes;
    do
        pcr_batch_release(&b);
    while ((b = next(l)));
    *all = stats_of(l).read_nbytes;
    pcr_loader_destroy(&l);
    pcr_dataset_close(&ds);
}

/* The first batch comes when just its samples are there, although the window, which is mixed,
 * is the whole dataset: storage that takes a second for that shows it. Where the consumer was late
 * to look, slower storage. */
START_TEST(first_batch_first)
{
    uint64_t first = 0, all = 0;
    for (uint64_t nbytes_s = 200000; nbytes_s > 10000 && first >= all / 2; nbytes_s /= 2)
        read_slowly(nbytes_s, made_readers(_i), &first, &all);
    ck_assert_uint_gt(first, 0);
    ck_assert_uint_lt(first, all / 2);
}
END_TEST

/* A consumer that lets the threads wait. They may be late to begin waiting: until one was
 * seen. */
START_TEST(waiting_for_room)
{
    const struct pcr_loader_options o = { .size = sizeof(o),
                                          .batch_size = 8,
                                          .output.height = 16,
                                          .threads.count = 2,
                                          .memory.batches_ahead = 3 };
    struct pcr_dataset *ds = NULL;
    struct pcr_loader *l = NULL;
    struct pcr_error err;
    made_check(pcr_dataset_open(made_folder.path, NULL, &ds, &err), &err);
    made_check(pcr_loader_create(ds, &o, &l, &err), &err);
    while (!stats_of(l).room_wait_ns) {
        made_check(pcr_loader_start_epoch(l, 0, &err), &err);
        for (uint32_t i = 0; i < 5; i++) {
            wait_full(l);
            pass(l);
        }
    }
    pcr_loader_destroy(&l);
    pcr_dataset_close(&ds);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("loader_stats");
    tcase_add_unchecked_fixture(t, set_up_folder, made_dir_remove);
    tcase_set_timeout(t, 110);
    tcase_add_test(t, json);
    tcase_add_test(t, table);
    tcase_add_test(t, limits);
    tcase_add_test(t, prometheus);
    tcase_add_test(t, differences);
    tcase_add_test(t, wrong_calls);
    tcase_add_test(t, waiting_for_room);
    tcase_add_loop_test(t, first_batch_first, 0, 3);
    tcase_add_loop_test(t, queues, 2 * PCR_SHUFFLE_NONE, 2 * PCR_SHUFFLE_FULL + 2);
    return tests_run();
}
