/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that fails as asked: the program's malloc() and its kin, which all libraries of the
 * process get, and the library's mmap(). */
#ifndef PCR_TESTS_FAULT_MEMORY_H
#define PCR_TESTS_FAULT_MEMORY_H

#include <stdbool.h>

/* The n-th call from now on fails, and with `lasting` all that follow it; 0: none does. Counts
 * calls from 0. */
void memory_fail(long n, bool lasting);
/* Calls since then. */
long memory_calls(void);
/* Calls of a forked child, which began with this process's count, and failed as this one. */
void memory_add_calls(long more);
/* What is between the two, which may nest, is the test's own: it neither counts nor fails. */
void memory_pause(void);
void memory_resume(void);
/* Blocks and mappings that are held now; 0 where a sanitizer keeps count of them. */
long memory_held(void);

#endif
