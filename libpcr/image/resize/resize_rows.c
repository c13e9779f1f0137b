/* SPDX-License-Identifier: BSD-2-Clause */
/* The set of a resize's loops for this CPU. */
#include "../../base/base.h"
#include "resize_rows.h"

const struct pcri_resize_rows *pcri_resize_rows_choose(void)
{
#ifdef PCRI_HAVE_RESIZE_AVX512
    if (pcri_cpu_features() & PCRI_CPU_AVX512)
        return &pcri_resize_rows_avx512;
#endif
#ifdef PCRI_HAVE_RESIZE_AVX2
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        return &pcri_resize_rows_avx2;
#endif
    return &pcri_resize_rows_portable;
}
