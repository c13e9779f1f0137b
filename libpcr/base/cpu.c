/* SPDX-License-Identifier: BSD-2-Clause */
/* How many CPUs this process may use (affinity, then the cgroup's quota), and what they
 * can do. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"

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
    uint32_t quota = pcri_cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup");
    return (uint32_t) n < quota ? (uint32_t) n : quota;
}

#if !defined(PCR_PORTABLE) && defined(__x86_64__)
#include <cpuid.h>

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512bitalg");
}

static unsigned detect(void)
{
    unsigned a, b, c, d, found = 0;
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("ssse3") || !__builtin_cpu_supports("popcnt"))
        return 0;
    found |= PCRI_CPU_SSSE3;
    if (!__builtin_cpu_supports("bmi"))
        return found;
    if (__builtin_cpu_supports("avx2"))
        found |= has_avx512() ? PCRI_CPU_AVX2 | PCRI_CPU_AVX512 : PCRI_CPU_AVX2;
    if (!__builtin_cpu_supports("bmi2"))
        return found;
    /* AMD family 17h (Zen 1, 2) runs pdep in microcode, about 18 cycles and more. */
    unsigned family = 0;
    if (__builtin_cpu_is("amd") && __get_cpuid(1, &a, &b, &c, &d))
        family = (a >> 8 & 15) + (a >> 20 & 255);
    return family == 0x17 || family == 0x18 ? found : found | PCRI_CPU_FAST_PDEP;
}
#elif !defined(PCR_PORTABLE) && defined(__aarch64__) && defined(__ARM_NEON)
static unsigned detect(void)
{
    return PCRI_CPU_NEON;
}
#else
static unsigned detect(void)
{
    return 0;
}
#endif

unsigned pcri_cpu_features(void)
{
    const unsigned known = 1u << 31;
    static atomic_uint cache;
    unsigned f = atomic_load_explicit(&cache, memory_order_relaxed);
    if (!f) {
        const char *most = getenv("PCR_CPU");
        f = known | (most && !strcmp(most, "portable") ? 0 : detect());
        if (most && !strcmp(most, "avx2"))
            f &= ~(unsigned) PCRI_CPU_AVX512;
        if (most && !strcmp(most, "ssse3"))
            f &= ~(unsigned) (PCRI_CPU_AVX512 | PCRI_CPU_AVX2 | PCRI_CPU_FAST_PDEP);
        atomic_store_explicit(&cache, f, memory_order_relaxed);
    }
    return f & ~known;
}
