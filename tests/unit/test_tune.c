/* SPDX-License-Identifier: BSD-2-Clause */
/* tune: how many threads read, on made-up storage. */
#include <check.h>

#include "made.h"
#include "../../loaders/schedule/tune.h"
#include "suite.h"

/* Storage that takes 10 ms for each read of 1 MB, and does no more than `most` of them at once. */
struct storage {
    uint32_t most;
    uint64_t now_ns, nbytes;
    struct pcri_tune tune;
    uint32_t count, highest, trials;
};

enum { STEP_NS = 7000000, START_NS = 1234567 };

/* Threads that decode wait all the time. */
static void run(struct storage *s, uint64_t seconds)
{
    uint64_t end = s->now_ns + seconds * 1000000000;
    while (s->now_ns < end) {
        uint32_t busy = s->count < s->most ? s->count : s->most;
        s->now_ns += STEP_NS;
        s->nbytes += (uint64_t) busy * STEP_NS / 10;
        uint32_t count = pcri_tune(&s->tune, s->now_ns, s->nbytes, s->count, s->count);
        s->trials += count > s->count;
        s->count = count;
        s->highest = count > s->highest ? count : s->highest;
    }
}

static struct storage begin(uint32_t most)
{
    return (struct storage) { .most = most, .now_ns = START_NS, .count = 8 };
}

START_TEST(as_many_as_help)
{
    static const uint32_t most[] = { 1, 8, 9, 16, 60, 64, 120, 1000 };
    static const uint32_t expected[] = { 8, 8, 8, 16, 64, 64, 128, 128 };
    struct storage s = begin(most[_i]);
    run(&s, 2);
    ck_assert_uint_eq(s.count, expected[_i]);
    ck_assert_uint_le(s.highest, 128);
    run(&s, 60);
    ck_assert_uint_eq(s.count, expected[_i]);
}
END_TEST

/* What was of no use is not tried again for a while, but it is again. */
START_TEST(tries_again)
{
    struct storage s = begin(8);
    run(&s, 5);
    ck_assert_uint_eq(s.trials, 1);
    ck_assert_uint_eq(s.count, 8);
    s.most = 100;
    run(&s, 4);
    ck_assert_uint_eq(s.count, 8);
    run(&s, 10);
    ck_assert_uint_eq(s.count, 128);
}
END_TEST

/* No more threads where those that there are have nothing to read, or nobody has waited. */
START_TEST(only_if_they_are_waited_for)
{
    struct pcri_tune t = { 0 };
    uint64_t now = START_NS, nbytes = 0;
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(pcri_tune(&t, now += STEP_NS, nbytes += 1000, 7, 8), 8);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(pcri_tune(&t, now += 500000000, nbytes += 1000, 8, 8), 8);
    struct storage s = begin(16);
    run(&s, 0);
    while (s.count == 8)
        run(&s, 1);
    s.now_ns += 10000000000; /* in a trial: it cannot be judged, and stays */
    ck_assert_uint_eq(pcri_tune(&s.tune, s.now_ns, s.nbytes, 16, 16), 16);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("tune");
    tcase_add_loop_test(t, as_many_as_help, 0, 8);
    tcase_add_test(t, tries_again);
    tcase_add_test(t, only_if_they_are_waited_for);
    return tests_run();
}
