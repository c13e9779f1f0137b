/* SPDX-License-Identifier: BSD-2-Clause */
/* A keyed hash: nobody can choose bytes that collide in a table. */
#ifndef PCRI_SIPHASH_H
#define PCRI_SIPHASH_H

#include "base.h"

struct pcri_siphash_key {
    uint64_t k0, k1;
};

/* A key from the system's randomness, or from the clock if there is none. */
void pcri_siphash_key(struct pcri_siphash_key *k);

/* SipHash-1-3 of nbytes at p; p may be NULL if nbytes is 0. */
uint64_t pcri_siphash(const struct pcri_siphash_key *k, const void *p, size_t nbytes);

#endif
