/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows' masks for x86-64 with AVX2, but with a slow bit deposit. */
#include "rows.h"

#ifdef PCRI_PK_HAVE_X86
#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#define KERNEL(type, name) type pcri_pk_avx2_##name
#include "rows_x86.h"
#include "rows_deposit.h"
#endif
