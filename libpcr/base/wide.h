/* SPDX-License-Identifier: BSD-2-Clause */
/* Products of two 64-bit numbers, and their quotients; computed step by step if the compiler
 * has no 128-bit numbers, as on 32-bit machines. */
#ifndef PCRI_WIDE_H
#define PCRI_WIDE_H

#include <stdint.h>

#if defined(__SIZEOF_INT128__) && !defined(PCR_PORTABLE)
#define PCRI_HAVE_INT128 1
__extension__ typedef unsigned __int128 pcri_uint128;
#endif

/* The upper half of a * b; the lower is in *low. */
static inline uint64_t pcri_wide_mul(uint64_t a, uint64_t b, uint64_t *low)
{
#ifdef PCRI_HAVE_INT128
    pcri_uint128 product = (pcri_uint128) a * b;
    *low = (uint64_t) product;
    return (uint64_t) (product >> 64);
#else
    uint64_t a0 = (uint32_t) a, a1 = a >> 32, b0 = (uint32_t) b, b1 = b >> 32;
    uint64_t m = a1 * b0 + (a0 * b0 >> 32), n = a0 * b1 + (uint32_t) m;
    *low = a * b;
    return a1 * b1 + (m >> 32) + (n >> 32);
#endif
}

/* (high * 2^64 + low) / d, where d is above `high`; the remainder is in *rest. */
static inline uint64_t pcri_wide_div(uint64_t high, uint64_t low, uint64_t d, uint64_t *rest)
{
#ifdef PCRI_HAVE_INT128
    pcri_uint128 n = (pcri_uint128) high << 64 | low;
    *rest = (uint64_t) (n % d);
    return (uint64_t) (n / d);
#else
    for (int i = 0; i < 64; i++) {
        uint64_t carry = high >> 63;
        high = high << 1 | low >> 63;
        low <<= 1;
        if (carry || high >= d) {
            high -= d;
            low |= 1;
        }
    }
    *rest = high;
    return low;
#endif
}

#endif
