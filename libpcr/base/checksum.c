/* SPDX-License-Identifier: BSD-2-Clause */
/* XXH3-64. */
#include <xxhash.h>

#include "base.h"

uint64_t pcri_xxh3(const void *p, size_t nbytes)
{
    return XXH3_64bits(nbytes ? p : "", nbytes);
}
