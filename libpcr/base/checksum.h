/* SPDX-License-Identifier: BSD-2-Clause */
/* XXH3-64 as compiled for particular CPUs. */
#ifndef PCRI_CHECKSUM_H
#define PCRI_CHECKSUM_H

#include "base.h"

#if defined(__x86_64__) && !defined(PCR_PORTABLE)
#define PCRI_HAVE_XXH3_AVX2 1
/* Only if the CPU has AVX2. */
uint64_t pcri_xxh3_avx2(const void *p, size_t nbytes);
#endif

#endif
