/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of this folder count and print: a fault is let happen at each place where
 * it can, one trial each, and what comes of it is the right result, the right error, or wrong. */
#ifndef PCR_TESTS_FAULT_H
#define PCR_TESTS_FAULT_H

#include <stdio.h>
#include <string.h>

#include "suite.h"

struct fault_row {
    const char *name; /* of the scenario and the fault */
    long trials;
    long results; /* equal to the one without a fault */
    long errors;  /* the code that the fault calls for, with a message */
    long wrong;   /* anything else: each is told by a line of its own on stderr */
};

/* Of the places of a scenario that has far too many, all alike, every so-manieth is tried. */
static inline long fault_every(const char *name)
{
    return strncmp(name, "pcrtool doctor DATASET", 22) == 0 ? 41 : 1;
}

/* One line that run.sh reads: fields are separated by tabs. */
static inline void fault_print(const struct fault_row *r)
{
    printf("fault\t%s\t%ld\t%ld\t%ld\t%ld\n", r->name, r->trials, r->results, r->errors,
           r->wrong);
    fflush(stdout);
}

/* Runs a program's one test in this process; returns its exit status. */
static inline int fault_run(const char *name, const TTest *test)
{
    TCase *t = tests_case(name);
    tcase_set_timeout(t, 3600);
    tcase_add_test(t, test);
    return tests_run_as(CK_NOFORK);
}

#endif
