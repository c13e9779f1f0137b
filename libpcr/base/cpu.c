/* SPDX-License-Identifier: BSD-2-Clause */
/* How many CPUs this process may use: affinity, then the cgroup's quota. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base.h"

/* CPUs that a cgroup quota of `quota` microseconds in `period` allows, rounded up. */
static uint32_t quota_cpus(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return UINT32_MAX;
    long long n = (quota + period - 1) / period;
    return n < 1 ? 1 : n > UINT32_MAX ? UINT32_MAX : (uint32_t) n;
}

static uint32_t cgroup_cpus(void)
{
    long long quota = 0, period = 0;
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (f) {
        int n = fscanf(f, "%lld %lld", &quota, &period);
        fclose(f);
        return n == 2 ? quota_cpus(quota, period) : UINT32_MAX;
    }
    static const char *const names[] = { "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
                                         "/sys/fs/cgroup/cpu/cpu.cfs_period_us" };
    long long v[2] = { 0, 0 };
    for (int i = 0; i < 2; i++) {
        if (!(f = fopen(names[i], "re")))
            return UINT32_MAX;
        if (fscanf(f, "%lld", &v[i]) != 1)
            v[i] = 0;
        fclose(f);
    }
    return quota_cpus(v[0], v[1]);
}

uint32_t pcri_cpu_count(void)
{
    cpu_set_t set;
    long n = 0;
    if (!sched_getaffinity(0, sizeof(set), &set))
        n = CPU_COUNT(&set);
    if (n < 1) /* more CPUs than cpu_set_t holds, or no such call */
        n = sysconf(_SC_NPROCESSORS_ONLN);
    if (n < 1)
        n = 1;
    uint32_t quota = cgroup_cpus();
    return (uint32_t) n < quota ? (uint32_t) n : quota;
}
