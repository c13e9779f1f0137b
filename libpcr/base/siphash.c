/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-1-3 (Aumasson and Bernstein 2012): a hash for tables of bytes that strangers chose. */
#define _DEFAULT_SOURCE /* getentropy() */
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

#include "random.h"
#include "siphash.h"

void pcri_siphash_key(struct pcri_siphash_key *k)
{
    if (!getentropy(k, sizeof(*k)))
        return;
    /* If the system has none: values that a stranger does not easily know. */
    struct timespec now = { 0 };
    (void) clock_gettime(CLOCK_REALTIME, &now);
    k->k0 = pcri_key((uint64_t) now.tv_nsec, (uint64_t) now.tv_sec, (uint64_t) getpid());
    k->k1 = pcri_key(k->k0, (uint64_t) (uintptr_t) k, 1);
}

static inline uint64_t turn(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void mix(uint64_t v[4])
{
    v[0] += v[1], v[1] = turn(v[1], 13) ^ v[0], v[0] = turn(v[0], 32);
    v[2] += v[3], v[3] = turn(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = turn(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = turn(v[1], 17) ^ v[2], v[2] = turn(v[2], 32);
}

uint64_t pcri_siphash(const struct pcri_siphash_key *k, const void *p, size_t nbytes)
{
    uint64_t v[4] = { k->k0 ^ 0x736f6d6570736575u, k->k1 ^ 0x646f72616e646f6du,
                      k->k0 ^ 0x6c7967656e657261u, k->k1 ^ 0x7465646279746573u };
    const uint8_t *at = p;
    uint64_t word = 0;
    size_t left = nbytes;
    for (; left >= 8; left -= 8, at += 8) {
        word = pcri_load64(at);
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
    }
    word = (uint64_t) nbytes << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t) at[i] << 8 * i;
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
