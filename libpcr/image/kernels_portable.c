/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels for any CPU, and the choice among the sets. */
#include "../base/base.h"
#include "kernels.h"

#define KERNELS pcri_kernels_portable
#define KERNELS_NAME "portable"
#define TARGET
#include "kernels_body.h"

const struct pcri_kernels *pcri_kernels_choose(void)
{
#ifdef PCRI_HAVE_AVX2
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        return &pcri_kernels_avx2;
#endif
    return &pcri_kernels_portable;
}
