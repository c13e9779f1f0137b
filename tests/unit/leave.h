/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a forked child. */
#ifndef PCR_TEST_LEAVE_H
#define PCR_TEST_LEAVE_H

#include <unistd.h>

#ifdef PCR_COVERAGE
void __gcov_dump(void);
#endif

/* _exit() alone would leave out of the coverage what the child has run. */
static inline _Noreturn void leave(int status)
{
#ifdef PCR_COVERAGE
    __gcov_dump();
#endif
    _exit(status);
}

#endif
