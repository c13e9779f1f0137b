/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of a block by a mask of eight. */
#ifndef PCRI_PK_ROWS_BYTES_H
#define PCRI_PK_ROWS_BYTES_H

#include "../base/bytes.h"
#include "rows.h"

#define BIT(t, k) ((uint64_t) ((t) >> (k) &1))
#define BELOW(t, k) (unsigned) __builtin_popcount((t) & ((1u << (k)) - 1))
#define NUMBER(t, k) (BIT(t, k) * (k) << 8 * BELOW(t, k) % 64)
#define RANK(t, k) ((BIT(t, k) ? BELOW(t, k) : UINT64_C(128)) << 8 * (k))
#define PLACE(t, k) (BIT(t, k) << BELOW(t, k) << 8 * (k))
#define COUNT(t, k) ((k) ? 0 : __builtin_popcount(t))
#define ALL_OF(F, t) \
    (F(t, 0) | F(t, 1) | F(t, 2) | F(t, 3) | F(t, 4) | F(t, 5) | F(t, 6) | F(t, 7))
#define FOUR(F, t) ALL_OF(F, t), ALL_OF(F, t + 1), ALL_OF(F, t + 2), ALL_OF(F, t + 3)
#define FOUR_2(F, t) FOUR(F, t), FOUR(F, t + 4), FOUR(F, t + 8), FOUR(F, t + 12)
#define FOUR_3(F, t) FOUR_2(F, t), FOUR_2(F, t + 16), FOUR_2(F, t + 32), FOUR_2(F, t + 48)
#define FOUR_4(F) FOUR_3(F, 0), FOUR_3(F, 64), FOUR_3(F, 128), FOUR_3(F, 192)

/* How many bits a mask has. */
static const uint8_t count_of[256] = { FOUR_4(COUNT) };
/* Byte k: one bit, above as many as there are below bit k; 0 where it is not set. */
static const uint64_t bits_of[256] = { FOUR_4(PLACE) };
/* Byte i: the number of the mask's bit i. */
static const uint64_t numbers_of[256] = { FOUR_4(NUMBER) };
/* Byte k: how many bits are below bit k; 128 where it is not set. */
static const uint64_t ranks_of[256] = { FOUR_4(RANK) };

#define ONES PCRI_EACH_BYTE(1)

#endif
