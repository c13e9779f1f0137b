/* SPDX-License-Identifier: BSD-2-Clause */
/* What fault-system_calls does while a system call fails, and what its trials have in common. */
#ifndef PCR_TESTS_FAULT_SYSTEM_CALLS_H
#define PCR_TESTS_FAULT_SYSTEM_CALLS_H

#include <pcr/writer.h>

#include "calls.h"
#include "fault.h"
#include "folders.h"
#include "write_source.h"

enum { SAMPLES = 6 };

/* The fault of the trial. */
struct call_plan {
    enum call call;
    int fault;
    long at;
    bool lasting;
};
extern struct call_plan plan;

extern const char *made;          /* the dataset that is read */
extern struct test_source source; /* what is converted */

/* Calls between the two may have the fault. */
void go(void);
void rest(void);
/* What the fault is called where it is told. */
int expected_errno(void);
/* Something is wrong after the fault. */
void blame(const char *what);
/* What could not be removed, or was said not to be there, is left, of course; other temporary files
 * are blamed. */
void look_for_temps(const char *dir);

struct pcr_write_options write_options(uint32_t threads, uint32_t policy);

/* One use. *sum becomes a sum of the results. */
struct call_scenario {
    const char *name;
    int (*run)(uint64_t *sum, struct pcr_error *err);
};
struct call_scenarios {
    const struct call_scenario *items;
    size_t count;
};
#define CALL_SCENARIOS(list) \
    { \
        list, sizeof(list) / sizeof((list)[0]) \
    }
extern const struct call_scenarios calls_of_reading, calls_of_writing, calls_of_tool;

#endif
