/* SPDX-License-Identifier: BSD-2-Clause */
/* Sequential scans for any CPU: the mask of a block's nonzero coefficients is walked from bit to
 * bit, the distance is the run, and a table has the code and the bits of small values together. */
#include "sequential_put.h"

PCRI_ALWAYS_INLINE void put_entry(struct pcri_bit_sink *w, uint32_t entry)
{
    pcri_put_bits(w, entry >> PCRI_CODE_SHIFT, entry & ((1 << PCRI_CODE_SHIFT) - 1));
}

PCRI_ALWAYS_INLINE void put_block(struct pcri_sequential_part *p, struct pcri_bit_sink *w,
                                  struct pcri_put_block b)
{
    const struct pcri_ac_codes *t = p->ac;
    int before = 0;
    put_entry(w, pcri_value_entry(w, p->dc->by_category, PCRI_DC_MOST, b.dc - p->last_dc));
    p->last_dc = b.dc;
    for (uint64_t mask = b.mask; mask; mask &= mask - 1) {
        int k = __builtin_ctzll(mask), v = b.coef[k], run = k - before - 1;
        before = k;
        for (; run > 15; run -= 16)
            put_entry(w, t->by_category[15][0]);
        put_entry(w, v >= -32 && v < 32
                         ? t->small[run][v & 63]
                         : pcri_value_entry(w, t->by_category[run], PCRI_AC_MOST, v));
    }
    if (before != 63)
        put_entry(w, t->by_category[0][0]);
}

void pcri_put_mcus_portable(struct pcri_sequential_scan *s, uint32_t from, uint32_t to)
{
    PCRI_PUT_EACH(s, from, to, put_block);
}

#ifdef PCRI_SEQUENTIAL_X86
/* The same code: shifts and bit counts are other instructions. */
__attribute__((target("bmi,bmi2,lzcnt"))) void pcri_put_mcus_bmi2(
    struct pcri_sequential_scan *s, uint32_t from, uint32_t to)
{
    PCRI_PUT_EACH(s, from, to, put_block);
}
#endif
