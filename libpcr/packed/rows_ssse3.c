/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows for x86-64 with SSSE3 and POPCNT: without AVX2. */
#include "rows.h"

#ifdef PCRI_PK_HAVE_X86
#define TARGET __attribute__((target("ssse3,popcnt")))
#include "rows_x86.h"
#include "rows_128.h"

const struct pcri_pk_kernels pcri_pk_ssse3 = ROWS_128("SSSE3");
#endif
