/* SPDX-License-Identifier: BSD-2-Clause */
/* Eight bytes in a number of 64 bits. */
#ifndef PCRI_BYTES_H
#define PCRI_BYTES_H

#include <stdint.h>

/* A byte eight times. */
#define PCRI_EACH_BYTE(x) ((x) *UINT64_C(0x0101010101010101))

/* Which bytes are not 0: bit i tells of bits 8 i to 8 i + 7. */
static inline unsigned pcri_some_bytes(uint64_t v)
{
    const uint64_t low = PCRI_EACH_BYTE(127);
    v = (((v & low) + low) | v) & ~low;
    return (unsigned) ((v * UINT64_C(0x0002040810204081)) >> 56);
}

#endif
