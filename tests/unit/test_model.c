/* SPDX-License-Identifier: BSD-2-Clause */
/* pcrtool's model: predictions, and what it advises. */
#include <check.h>
#include <string.h>

#include "../../pcrtool/model.h"
#include "suite.h"

static char advice[2048];

/* Six fidelities on slow storage: images/s from it fall faster than those decoded. */
static const double nbytes[] = { 0, 4000, 5000, 9000, 10000, 17000, 26000 };

static void advise(double storage_mb, double consumer, uint32_t fidelity, bool fits)
{
    struct pcrtool_stages stages[7] = { { 0 } };
    for (uint32_t g = 1; g <= 6; g++)
        stages[g] = (struct pcrtool_stages) { 7000 - 1000 * (double) g,
                                              storage_mb * 1e6 / nbytes[g], consumer };
    const struct pcrtool_diagnosis d = { 6, fidelity, 2, stages, nbytes, fits };
    memset(advice, 1, sizeof(advice));
    pcrtool_explain(&d, advice, sizeof(advice));
}

#define SAYS(text) ck_assert_msg(strstr(advice, text) != NULL, "no '%s' in: %s", text, advice)
#define SAYS_NOT(text) ck_assert_msg(!strstr(advice, text), "'%s' in: %s", text, advice)

START_TEST(the_slowest_stage_counts)
{
    static const struct {
        struct pcrtool_stages stages;
        double rate;
        enum pcrtool_limit limit;
    } cases[] = {
        { { 0, 0, 0 }, 0, PCRTOOL_LIMIT_DECODE },
        { { 0, 50, 0 }, 50, PCRTOOL_LIMIT_STORAGE },
        { { 100, 0, 0 }, 100, PCRTOOL_LIMIT_DECODE },
        { { 100, 50, 0 }, 50, PCRTOOL_LIMIT_STORAGE },
        { { 100, 200, 0 }, 100, PCRTOOL_LIMIT_DECODE },
        { { 100, 50, 60 }, 50, PCRTOOL_LIMIT_STORAGE },
        { { 100, 50, 40 }, 40, PCRTOOL_LIMIT_CONSUMER },
        { { 100, 0, 100 }, 100, PCRTOOL_LIMIT_CONSUMER },
        { { 100, 0, 101 }, 100, PCRTOOL_LIMIT_DECODE },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum pcrtool_limit limit;
        ck_assert(pcrtool_predict(&cases[i].stages, &limit) == cases[i].rate);
        ck_assert_int_eq(limit, cases[i].limit);
        ck_assert(pcrtool_predict(&cases[i].stages, NULL) == cases[i].rate);
    }
}
END_TEST

START_TEST(storage)
{
    advise(13, 900, 6, false); /* 500 images/s at fidelity 6 */
    SAYS("Storage limits: its 13.0 MB/s are enough for 500 images/s");
    SAYS("Fidelity 4 delivers 900 images/s");
    SAYS("storage with 23.4 MB/s");
    SAYS_NOT("CPUs");
    advise(13, 0, 6, false); /* decoding could do 1000 */
    SAYS("Fidelity 4 delivers 1300 images/s");
    advise(1, 900, 6, false);
    SAYS("No lower fidelity delivers that; fidelity 1 has 250 images/s, 6.5 times");
    advise(1, 900, 1, false);
    SAYS_NOT("fidelity 1 has");
}
END_TEST

START_TEST(decoding)
{
    advise(1000, 2500, 6, false); /* 1000 images/s decoded by 2 threads */
    SAYS("Decoding limits: 2 threads make 1000 images/s; the consumer could do 2500");
    SAYS("Fidelity 4 delivers 2500 images/s");
    SAYS("about 5 CPUs");
    advise(1000, 9000, 6, false);
    SAYS("No lower fidelity");
    SAYS("fidelity 1 has 6000 images/s, 6.0 times");
    advise(1000, 0, 6, true);
    SAYS("Give --consumer");
    SAYS("Fidelity 5 delivers 2000");
}
END_TEST

START_TEST(nothing_to_do)
{
    advise(1000, 500, 6, false);
    SAYS("Change nothing: the consumer takes 500 images/s");
    SAYS_NOT("CPUs");
    advise(2, 500, 6, true);
    SAYS("The first epoch comes from storage, at 77 images/s");
    SAYS("Change nothing");
}
END_TEST

START_TEST(short_of_room)
{
    struct pcrtool_stages stages[2] = { { 0 }, { 10, 0, 0 } };
    const struct pcrtool_diagnosis d = { 1, 1, 1, stages, nbytes, false };
    char text[20];
    memset(text, 'x', sizeof(text));
    pcrtool_explain(&d, text, 10);
    ck_assert(memchr(text, '\0', 10) != NULL);
    ck_assert(!memcmp(text + 10, "xxxxxxxxxx", 10));
}
END_TEST

int main(void)
{
    TCase *t = tests_case("model");
    tcase_add_test(t, the_slowest_stage_counts);
    tcase_add_test(t, storage);
    tcase_add_test(t, decoding);
    tcase_add_test(t, nothing_to_do);
    tcase_add_test(t, short_of_room);
    return tests_run();
}
