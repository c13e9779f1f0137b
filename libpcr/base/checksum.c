/* SPDX-License-Identifier: BSD-2-Clause */
/* XXH3-64, as the CPU does it best. */
#include <xxhash.h>

#include "checksum.h"

uint64_t pcri_xxh3(const void *p, size_t nbytes)
{
    if (!nbytes)
        p = "";
#ifdef PCRI_HAVE_XXH3_AVX2
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        return pcri_xxh3_avx2(p, nbytes);
#endif
    return XXH3_64bits(p, nbytes);
}
