/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations that fail, once or from then on, give the right result or NOMEM, and leave nothing
 * after.
 *
 * usage: fault-allocations [STEP [NAME]]
 * Every STEP-th allocation of each scenario fails, one trial each; 1: all of them; 0 or nothing:
 * a few of each. NAME: only the scenarios whose names begin so. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "memory.h"
#include "scenarios.h"

#if defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
/* ThreadSanitizer has an allocator of its own. */
int main(void)
{
    return 77;
}
#else

#ifdef __SANITIZE_ADDRESS__
int __lsan_do_recoverable_leak_check(void);
enum { FEW = 3 };
#else
static int __lsan_do_recoverable_leak_check(void)
{
    return 0;
}
enum { FEW = 5 };
#endif

static const struct scenarios *const all[] = {
    &read_scenarios, &verify_scenarios, &decode_scenarios, &code_scenarios,
    &load_scenarios, &write_scenarios,  &import_scenarios, &tool_scenarios,
};

/* --- what is left behind --- */

struct held {
    long blocks, files;
};

static struct held held_now(void)
{
    struct held h = { memory_held(), 0 };
    for (int fd = 0; fd < 128; fd++)
        h.files += fcntl(fd, F_GETFD) >= 0;
    return h;
}

/* Does the trial leave more each time? Threads, and buffers that are kept, come and go. */
static struct held run_held(const struct scenario *s, long n, bool lasting, uint64_t *sum,
                            struct pcr_error *err, int *rc, long *calls)
{
    *sum = 0;
    *err = (struct pcr_error) { .message = "" };
    memory_fail(n, lasting);
    *rc = s->run(s->what, sum, err);
    *calls = memory_calls();
    memory_fail(0, false);
    return held_now();
}

/* --- trials --- */

struct trial {
    const struct scenario *scenario;
    char name[80];
    uint64_t right;
    struct held base;
};

static bool leaks(struct trial *t, long n, bool lasting, struct held h)
{
    struct pcr_error err;
    uint64_t sum;
    long calls;
    int rc;
    for (int again = 0; again < 3; again++) {
        if (h.blocks <= t->base.blocks && h.files <= t->base.files)
            return false;
        t->base = h;
        h = run_held(t->scenario, n, lasting, &sum, &err, &rc, &calls);
    }
    t->base = h;
    return true;
}

/* Want of memory, told as such. */
static bool is_told(int rc, const struct pcr_error *err)
{
    return rc == PCR_ERR_NOMEM && err->code == rc &&
           (strstr(err->message, "emory") || strstr(err->message, "allocate"));
}

/* One trial: 1 wrong, 0 not, -1 past the last allocation. */
static int try_one(struct trial *t, long n, bool lasting, struct fault_row *row)
{
    struct pcr_error err;
    uint64_t sum;
    long calls;
    int rc;
    struct held h = run_held(t->scenario, n, lasting, &sum, &err, &rc, &calls);
    if (calls < n)
        return -1;
    bool leaking = leaks(t, n, lasting, h);
    row->trials++;
    if (!leaking && is_told(rc, &err)) {
        row->errors++;
        return 0;
    }
    if (!leaking && !rc && sum == t->right) {
        row->results++;
        return 0;
    }
    row->wrong++;
    fprintf(stderr, "%s, allocation %ld: %d %s\n", t->name, n, rc,
            leaking ? "memory or a file is left behind"
            : rc    ? err.message
                    : "another result");
    return 1;
}

/* The first time in a process: what is made once is made later, where it could not be. */
static long try_first(const struct scenario *s)
{
    char name[80];
    struct fault_row row = { .name = name };
    struct pcr_error err;
    uint64_t sum;
    long calls;
    int rc;
    snprintf(name, sizeof(name), "%s, the first time", s->name);
    for (long n = 1;; n++, row.trials++) {
        (void) run_held(s, n, false, &sum, &err, &rc, &calls);
        if (calls < n)
            break;
        if (is_told(rc, &err))
            row.errors++;
        else if (rc && ++row.wrong)
            fprintf(stderr, "%s, allocation %ld: %d %s\n", name, n, rc, err.message);
        else
            row.results++;
    }
    fault_print(&row);
    return row.wrong;
}

/* Lets allocations of a scenario fail; prints a line. Returns what is wrong. */
static long try_scenario(const struct scenario *s, size_t number, long step, bool lasting)
{
    struct trial t = { .scenario = s };
    struct fault_row row = { .name = t.name };
    struct pcr_error err;
    long calls = 0;
    int rc = 0;
    snprintf(t.name, sizeof(t.name), "%s, %s", s->name, lasting ? "for ever" : "once");
    for (int again = 0; again < 2 && !rc; again++) /* what is kept is there after the first */
        t.base = run_held(s, 0, false, &t.right, &err, &rc, &calls);
    if (rc) {
        fprintf(stderr, "%s: fails by itself: %s\n", s->name, err.message);
        return 1;
    }
    step *= fault_every(s->name);
    if (!step)
        step = calls / FEW + 1;
    /* What scenarios have in common fails at another place in each. */
    long first = 1 + ((long) number + lasting) % step;
    for (long n = first; try_one(&t, n, lasting, &row) >= 0; n += step) {
    }
    fault_print(&row);
    return row.wrong;
}

static long step;
static const char *chosen = "";

/* The sanitizer looks for leaks once: it names the functions. */
static long try_scenarios(const struct scenarios *some)
{
    long wrong = 0;
    for (size_t i = 0; i < some->count; i++)
        for (int lasting = 0; lasting < 2; lasting++)
            if (!strncmp(some->items[i].name, chosen, strlen(chosen)))
                wrong += try_scenario(&some->items[i], i, step, lasting);
    if (__lsan_do_recoverable_leak_check()) {
        fprintf(stderr, "%s to %s: leaks\n", some->items[0].name,
                some->items[some->count - 1].name);
        wrong++;
    }
    return wrong;
}

START_TEST(allocations)
{
    long wrong = 0;
    datasets_begin();
    wrong += try_first(&read_scenarios.items[0]);
    wrong += try_first(&load_scenarios.items[0]);
    datasets_make();
    for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
        wrong += try_scenarios(all[k]);
    datasets_free();
    pictures_free();
    trees_free();
    lists_free();
    ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(int argc, char **argv)
{
    step = argc > 1 ? atol(argv[1]) : 0;
    chosen = argc > 2 ? argv[2] : "";
    return fault_run("allocations", allocations);
}

#endif
