/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of pcrtool in these programs: a thousand times as fast, so that what is measured for a
 * second takes a millisecond. */
#undef clock_gettime /* which pcrtool's files know as fault_clock */
#include <stdint.h>
#include <time.h>

int fault_clock(clockid_t id, struct timespec *out);

int fault_clock(clockid_t id, struct timespec *out)
{
    enum { PACE = 1000, SECOND = 1000000000 };
    int rc = clock_gettime(id, out);
    uint64_t ns = (uint64_t) out->tv_nsec * PACE;
    out->tv_sec = out->tv_sec * PACE + (time_t) (ns / SECOND);
    out->tv_nsec = (long) (ns % SECOND);
    return rc;
}
