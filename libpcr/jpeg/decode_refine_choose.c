/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of refinement for this CPU. */
#include "refine_queue.h"

const struct pcri_refine_way *pcri_refine_choose(void)
{
#ifdef PCRI_HAVE_PDEP
    const unsigned wanted = PCRI_CPU_FAST_PDEP | PCRI_CPU_AVX2;
    unsigned features = pcri_cpu_features();
    if ((features & wanted) == wanted)
        return features & PCRI_CPU_AVX512 ? &pcri_refine_avx512 : &pcri_refine_pdep;
#endif
    return &pcri_refine_portable;
}
