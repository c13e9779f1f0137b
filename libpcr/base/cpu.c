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

#if !defined(PCR_PORTABLE) && (defined(__x86_64__) || defined(__i386__))
#include <cpuid.h>

enum { EAX, EBX, ECX, EDX };
enum { YMM = 0x6, ZMM = 0xe6 }; /* bits of XCR0: what the system keeps for a process */

/* Where cpuid tells of each feature: the bit of a leaf's register. By cpuid itself, since
 * not every compiler's library has the table behind __builtin_cpu_supports. */
static const struct feature {
    const char *name;
    unsigned leaf, reg, bit, kept;
} features[] = {
    { "sse2", 1, EDX, 26, 0 },
    { "ssse3", 1, ECX, 9, 0 },
    { "sse4.1", 1, ECX, 19, 0 },
    { "sse4.2", 1, ECX, 20, 0 },
    { "popcnt", 1, ECX, 23, 0 },
    { "avx", 1, ECX, 28, YMM },
    { "avx2", 7, EBX, 5, YMM },
    { "lzcnt", 0x80000001, ECX, 5, 0 },
    { "bmi", 7, EBX, 3, 0 },
    { "bmi2", 7, EBX, 8, 0 },
    { "avx512f", 7, EBX, 16, ZMM },
    { "avx512bw", 7, EBX, 30, ZMM },
    { "avx512vl", 7, EBX, 31, ZMM },
    { "avx512vbmi", 7, ECX, 1, ZMM },
    { "avx512vbmi2", 7, ECX, 6, ZMM },
    { "avx512vnni", 7, ECX, 11, ZMM },
    { "avx512bitalg", 7, ECX, 12, ZMM },
};

/* The register of a leaf; 0 if this CPU has no such leaf. */
static unsigned leaf_register(unsigned leaf, unsigned reg)
{
    unsigned r[4] = { 0 };
    return __get_cpuid_count(leaf, 0, &r[EAX], &r[EBX], &r[ECX], &r[EDX]) ? r[reg] : 0;
}

static unsigned xcr0(void)
{
    unsigned low = 0, high;
    if (leaf_register(1, ECX) >> 27 & 1) /* OSXSAVE: the instruction may be used */
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

bool pcri_cpu_has(const char *name)
{
    for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++) {
        const struct feature *f = &features[i];
        if (!strcmp(f->name, name))
            return leaf_register(f->leaf, f->reg) >> f->bit & 1 &&
                   (!f->kept || (xcr0() & f->kept) == f->kept);
    }
    return false;
}
#else
bool pcri_cpu_has(const char *name)
{
    (void) name;
    return false;
}
#endif

#if !defined(PCR_PORTABLE) && defined(__x86_64__)
static bool has_avx512(void)
{
    return pcri_cpu_has("avx512f") && pcri_cpu_has("avx512bw") && pcri_cpu_has("avx512vl") &&
           pcri_cpu_has("avx512vbmi") && pcri_cpu_has("avx512vbmi2") &&
           pcri_cpu_has("avx512vnni") && pcri_cpu_has("avx512bitalg");
}

static unsigned detect(void)
{
    unsigned found = pcri_cpu_has("sse4.2") ? PCRI_CPU_CRC32C : 0;
    if (!pcri_cpu_has("ssse3") || !pcri_cpu_has("popcnt"))
        return found;
    found |= PCRI_CPU_SSSE3;
    if (!pcri_cpu_has("avx2") || !pcri_cpu_has("bmi") || !pcri_cpu_has("bmi2") ||
        !pcri_cpu_has("lzcnt"))
        return found;
    found |= has_avx512() ? PCRI_CPU_AVX2 | PCRI_CPU_AVX512 : PCRI_CPU_AVX2;
    /* AMD's family 17h (Zen 1, 2) and Hygon's 18h run pdep in microcode, about 18 cycles
     * and more. Intel has no such families. */
    unsigned signature = leaf_register(1, EAX);
    unsigned family = (signature >> 8 & 15) + (signature >> 20 & 255);
    return family == 0x17 || family == 0x18 ? found : found | PCRI_CPU_FAST_PDEP;
}
#elif !defined(PCR_PORTABLE) && defined(__aarch64__) && defined(__ARM_NEON)
#include <asm/hwcap.h>
#include <sys/auxv.h>

static unsigned detect(void)
{
    return PCRI_CPU_NEON | (getauxval(AT_HWCAP) & HWCAP_CRC32 ? PCRI_CPU_CRC32C : 0);
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
        if (most && !strcmp(most, "zen2"))
            f &= ~(unsigned) (PCRI_CPU_AVX512 | PCRI_CPU_FAST_PDEP);
        if (most && !strcmp(most, "ssse3"))
            f &= ~(unsigned) (PCRI_CPU_AVX512 | PCRI_CPU_AVX2 | PCRI_CPU_FAST_PDEP);
        atomic_store_explicit(&cache, f, memory_order_relaxed);
    }
    return f & ~known;
}
