/* SPDX-License-Identifier: BSD-2-Clause */
/* The contexts of coding 2: how many there are of each family of symbols, and how the rare
 * ones among them are formed. Those of whole rows are in rows_body.h. */
#ifndef PCRI_PK_CONTEXTS_H
#define PCRI_PK_CONTEXTS_H

#include "plan.h"

/* Kinds of symbols. Each context of a family is given one of the family's tables. */
enum pcri_pk_family {
    PCRI_PK_T,  /* the bytes of a block's mask that gain coefficients */
    PCRI_PK_B,  /* which of a byte's free coefficients these are */
    PCRI_PK_M,  /* a new coefficient's bit length above the plane, in a first pass */
    PCRI_PK_DC, /* the bit length of a difference of DC */
    PCRI_PK_R,  /* eight bits of the first refinement of coefficients */
    PCRI_PK_FAMILIES,
};

enum {
    PCRI_PK_T_CONTEXTS = 7 * 4 * 7 * 7,     /* of a kind */
    PCRI_PK_B_CONTEXTS = 3 * 7 * 4 * 8 * 8, /* of a kind */
    PCRI_PK_M_CONTEXTS = 7 * 6,             /* of a level */
    PCRI_PK_DC_CONTEXTS = 10 * 10,          /* of a class */
};

static inline unsigned pcri_bit_length(uint32_t v)
{
    return 31 - (unsigned) __builtin_clz(2 * v + 1); /* v below 2^31 */
}

/* v by thresholds: how many of 0, 1, 2, 4, 7, 12 it exceeds. */
static inline unsigned pcri_pk_q7(unsigned v)
{
    return (unsigned) (v > 0) + (v > 1) + (v > 2) + (v > 4) + (v > 7) + (v > 12);
}

/* Where the contexts of M of a block begin of which `found` coefficients are new, */
static inline unsigned pcri_pk_m_begin(unsigned level, unsigned found)
{
    return level * PCRI_PK_M_CONTEXTS + pcri_pk_q7(found) * 6;
}

/* and that of coefficient k among them. */
static inline unsigned pcri_pk_m_zone(unsigned k)
{
    static const uint8_t zones[64] = {
        0, 0, 0, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5,
        5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
        5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
    };
    return zones[k];
}

/* DC of the row above, of which the first has none. `residual`: what the prediction missed it by,
 * at most 65535. Both have an element after the row's end: the last again, and 0. */
struct pcri_pk_dc {
    bool any;
    int16_t *value;
    uint16_t *residual;
};

static inline unsigned pcri_pk_dc_context(const struct pcri_pk_dc *up, unsigned class,
                                          uint32_t x)
{
    if (!up->any)
        return (class + 1) * PCRI_PK_DC_CONTEXTS - 1;
    int a = up->value[x], left = up->value[x ? x - 1 : 0], right = up->value[x + 1];
    unsigned e = pcri_bit_length((uint32_t) up->residual[x] + up->residual[x + 1]);
    unsigned g = pcri_bit_length((uint32_t) ((a > left ? a - left : left - a) +
                                             (a > right ? a - right : right - a)));
    return class * PCRI_PK_DC_CONTEXTS + (e < 9 ? e : 9) * 10 + (g < 9 ? g : 9);
}

/* The median of left, above, and left + above - above left (as in JPEG-LS). */
static inline int pcri_pk_dc_predict(const struct pcri_pk_dc *up, int left, uint32_t x)
{
    if (!up->any)
        return x ? left : 0;
    int a = up->value[x];
    if (!x)
        return a;
    const int low = left < a ? left : a, high = left < a ? a : left;
    const int v = left + a - up->value[x - 1];
    return v < low ? low : v > high ? high : v;
}

#endif
