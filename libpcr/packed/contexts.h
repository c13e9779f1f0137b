/* SPDX-License-Identifier: BSD-2-Clause */
/* The contexts of coding 2: how many there are of each family of symbols, and how the rare
 * ones among them are formed. Those of whole rows are in rows_*. */
#ifndef PCRI_PK_CONTEXTS_H
#define PCRI_PK_CONTEXTS_H

#include "plan.h"

/* Kinds of symbols. Each context of a family is given one of the family's tables. */
enum pcri_pk_family {
    PCRI_PK_T,  /* the bytes of a block's mask that gain coefficients */
    PCRI_PK_B,  /* which of a byte's free coefficients these are */
    PCRI_PK_M,  /* a new coefficient's bit length above the plane, in a first pass */
    PCRI_PK_DC, /* the bit length of a difference of DC */
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

/* The same of 0 to 2^24 by the exponent of a float, which vectors have. */
static inline int pcri_float_length(int v)
{
    const float f = (float) v;
    int bits;
    memcpy(&bits, &f, sizeof(bits));
    bits = (bits >> 23) - 126;
    return bits > 0 ? bits : 0;
}

/* How many of 0, 1, 2, 4, 7, 12 a number of coefficients exceeds. */
static inline unsigned pcri_pk_q7(unsigned v)
{
    static const uint8_t of[64] = {
        0, 1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6,
        6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
        6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
    };
    return of[v];
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
 * at most 65535. Values have the first and the last again before and after the row, residuals 0
 * after it. */
struct pcri_pk_dc {
    bool any;
    int16_t *value;
    uint16_t *residual;
};

/* The contexts of n blocks of a class, where there is a row above; compilers make vectors of it. */
static inline void pcri_pk_dc_contexts(const struct pcri_pk_dc *up, unsigned class, size_t n,
                                       uint16_t *out)
{
    const int16_t *value = up->value;
    const uint16_t *residual = up->residual;
    for (size_t x = 0; x < n; x++) {
        int a = value[x], l = a - (value - 1)[x], r = a - value[x + 1];
        int e = pcri_float_length(residual[x] + residual[x + 1]);
        int g = pcri_float_length((l < 0 ? -l : l) + (r < 0 ? -r : r));
        out[x] = (uint16_t) ((int) class * PCRI_PK_DC_CONTEXTS + (e < 9 ? e : 9) * 10 +
                             (g < 9 ? g : 9));
    }
}

/* The context where there is none. */
static inline unsigned pcri_pk_dc_context(unsigned class)
{
    return (class + 1) * PCRI_PK_DC_CONTEXTS - 1;
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
