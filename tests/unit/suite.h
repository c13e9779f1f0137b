/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests of a program: cases of one suite, and the exit status that says whether all passed. */
#ifndef PCR_TEST_SUITE_H
#define PCR_TEST_SUITE_H

#include <check.h>

static Suite *tests_suite; /* named after its first case */

static inline TCase *tests_case(const char *name)
{
    TCase *t = tcase_create(name);
    if (!tests_suite)
        tests_suite = suite_create(name);
    suite_add_tcase(tests_suite, t);
    return t;
}

static inline int tests_run_as(enum fork_status fork_status)
{
    SRunner *r = srunner_create(tests_suite);
    srunner_set_fork_status(r, fork_status);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

static inline int tests_run(void)
{
    return tests_run_as(CK_FORK_GETENV);
}

#endif
