/* SPDX-License-Identifier: BSD-2-Clause */
/* The set of pixel kernels for this CPU. */
#include "../../base/base.h"
#include "kernels.h"

const struct pcri_kernels *pcri_kernels_choose(void)
{
#ifdef PCRI_HAVE_AVX512
    if (pcri_cpu_features() & PCRI_CPU_AVX512)
        return &pcri_kernels_avx512;
#endif
#ifdef PCRI_HAVE_AVX2
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        return &pcri_kernels_avx2;
#endif
#ifdef PCRI_HAVE_SSSE3
    if (pcri_cpu_features() & PCRI_CPU_SSSE3)
        return &pcri_kernels_ssse3;
#endif
#ifdef PCRI_HAVE_NEON
    if (pcri_cpu_features() & PCRI_CPU_NEON)
        return &pcri_kernels_neon;
#endif
    return &pcri_kernels_portable;
}
