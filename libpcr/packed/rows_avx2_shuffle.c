/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows' masks for x86-64 with AVX2, but with a slow bit deposit. */
#include "rows.h"

#ifdef PCRI_PK_HAVE_X86
#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#define KERNEL(type, name) type pcri_pk_avx2_##name
#include "rows_x86.h"
#include "rows_deposit.h"

TARGET size_t pcri_pk_avx2_place(const struct pcri_pk_row *row, uint64_t band,
                                 const uint8_t *t, const uint8_t *b)
{
    const uint8_t *begin = b;
    const uint32_t last = row->listed - 1;
    memset(row->found, 0, row->blocks * sizeof(*row->found));
    for (uint32_t j = 0; j < row->listed; j += 2) { /* for an odd one, it and nothing */
        const size_t i0 = row->list[j], i1 = row->list[j < last ? j + 1 : j];
        const unsigned t0 = t[i0], t1 = j < last ? t[i1] : 0;
        const vec known = { row->known[i0], row->known[i1] };
        const vec v = gained(&b, t0, t1, known, band);
        row->found[i1] = v[1];
        row->found[i0] = v[0];
    }
    return (size_t) (b - begin);
}
#endif
