/* SPDX-License-Identifier: BSD-2-Clause */
/* The set of loops for this CPU. */
#include "../../libpcr/base/base.h"
#include "pixel_loops.h"

const struct pcri_pixel_loops *pcri_pixel_loops_choose(void)
{
#ifdef PCRI_HAVE_PIXEL_LOOPS_AVX2
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        return &pcri_pixel_loops_avx2;
#endif
    return &pcri_pixel_loops_portable;
}
