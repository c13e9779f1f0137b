/* SPDX-License-Identifier: BSD-2-Clause */
/* The contexts of T, and what those of B are made of, with vectors of 16 bytes. Who includes this
 * defines q7(), q10() and q_near(): how many of their thresholds each byte exceeds. */
#ifndef PCRI_PK_ROWS_CONTEXTS_H
#define PCRI_PK_ROWS_CONTEXTS_H

#include "rows_vec.h"

/* 0 to 3, by how a block's coefficients are split at number 16. */
INLINE vec split_class(vec all, vec low)
{
    const vec high = SUB(all, low), any = ABOVE(high, EACH(0));
    const vec fewer = ABOVE(low, ADD(high, high)), less = ABOVE(ADD(low, low), high);
    return ADD(ADD(EACH(3), fewer), less) & any;
}

TARGET static void t_contexts(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                              const struct pcri_pk_pass *pass, uint16_t *out)
{
    const uint8_t *up = above->count, *side = pass->first ? up : row->count;
    const vec16 begin = (vec16) { 0 } + (uint16_t) (pass->kind * PCRI_PK_T_CONTEXTS);
    const vec none = { 0 };
    for (size_t i = 0; i < row->blocks; i += 16) {
        const vec own = load_bytes(row->count + i), o = q10(own);
        vec near = ADD(load_bytes(side + i - 1), load_bytes(side + i + 1)) >> 1 & EACH(127);
        near = ADD(near, load_bytes(up + i)) >> 1 & EACH(63);
        vec a = q7(load_bytes(above->gain + i));
        a = ADD(a, a);
        a = ADD(ADD(a, a), split_class(own, load_bytes(row->low + i)));
        const vec b = ADD(SUB(o << 3, o), q10(near)); /* o is below 8: no bit moves on */
        const vec16 even = (vec16) LOW8(a, none) * 49 + (vec16) LOW8(b, none);
        const vec16 odd = (vec16) HIGH8(a, none) * 49 + (vec16) HIGH8(b, none);
        store_16(out + i, (vec) (even + begin));
        store_16(out + i + 8, (vec) (odd + begin));
    }
}

/* Of each byte of two blocks the parts of its context: what is multiplied by 256, and the rest
 * without what T adds. near: the coefficients of blocks around. */
INLINE void b_parts(vec own, vec near, vec *high_out, vec *low_out)
{
    const uint64_t number = UINT64_C(0x0706050403020100);
    const vec beside = ADD(own << 8, own >> 8), twice = ADD(own, own);
    const vec x7 = ADD(ABOVE(beside, twice) & EACH(7),
                       ABOVE(beside, ADD(twice, EACH(2))) & EACH(7));
    *high_out = ADD(q_near(near), x7);
    *low_out = (own & EACH(7)) << 3 | (vec) { number, number };
}

#endif
