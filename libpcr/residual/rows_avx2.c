/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows for x86-64 with AVX2. */
#define LANES 16
#include "rows_loops.h"

#if defined(__x86_64__) && !defined(PCR_PORTABLE)
KERNELS(avx2, __attribute__((target("avx2"))))
#endif
