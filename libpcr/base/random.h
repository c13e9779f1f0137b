/* SPDX-License-Identifier: BSD-2-Clause */
/* Stateless random numbers and bijections: order and augmentation are pure functions. */
#ifndef PCRI_RANDOM_H
#define PCRI_RANDOM_H

#include <stdint.h>

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a good mix of 64 bits. */
static inline uint64_t pcri_mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* A key from a seed and two counters. */
static inline uint64_t pcri_key(uint64_t seed, uint64_t a, uint64_t b)
{
    return pcri_mix(pcri_mix(pcri_mix(seed) ^ a) ^ b);
}

/* The image of i (below n) under a pseudo-random permutation of 0..n-1 that `key` picks: a
 * six-round Feistel network on the next even number of bits, walked until the value falls
 * below n (Black and Rogaway 2002), at most four steps on average. */
static inline uint64_t pcri_permute(uint64_t key, uint64_t n, uint64_t i)
{
    if (n < 2)
        return 0;
    unsigned bits = 64 - (unsigned) __builtin_clzll(n - 1);
    unsigned half = (bits + 1) / 2;
    uint64_t mask = half == 32 ? 0xFFFFFFFFu : (UINT64_C(1) << half) - 1;

    do {
        uint64_t l = i >> half, r = i & mask;
        for (unsigned round = 0; round < 6; round++) {
            uint64_t t = l ^ (pcri_mix(key ^ (r << 3 | round)) & mask);
            l = r;
            r = t;
        }
        i = l << half | r;
    } while (i >= n);
    return i;
}

/* A number in [0, 1) from a key. */
static inline double pcri_unit(uint64_t key)
{
    return (double) (pcri_mix(key) >> 11) * 0x1p-53;
}

#endif
