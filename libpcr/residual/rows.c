/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows for any CPU, with vectors of 16 bytes, which all have or compilers imitate; the choice. */
#define LANES 8
#include "rows_loops.h"

KERNELS(portable, )

const struct pcri_rs_kernels *pcri_rs_kernels_choose(void)
{
#if defined(__x86_64__) && !defined(PCR_PORTABLE)
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        return &pcri_rs_avx2;
#endif
    return &pcri_rs_portable;
}
