/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients from planes, and lists of blocks, with vectors of 16 bytes. */
#ifndef PCRI_PK_ROWS_EXPAND_H
#define PCRI_PK_ROWS_EXPAND_H

#include "rows_vec.h"

/* Of a matrix of 8 x 8 bytes, whose rows come as 0 and 4, 2 and 6, 1 and 5, 3 and 7 in turn: its
 * columns, two a vector. */
INLINE void transpose_bytes(const vec v[4], vec out[4])
{
    const vec even = LOW8(v[0], v[1]), odd = LOW8(v[2], v[3]);
    const vec even_high = HIGH8(v[0], v[1]), odd_high = HIGH8(v[2], v[3]);
    out[0] = LOW8(even, odd);
    out[1] = HIGH8(even, odd);
    out[2] = LOW8(even_high, odd_high);
    out[3] = HIGH8(even_high, odd_high);
}

/* Each half is a matrix of 8 x 8 bits. */
INLINE vec transpose(vec v)
{
    vec t = (v ^ v >> 7) & UINT64_C(0x00AA00AA00AA00AA);
    v ^= t ^ t << 7;
    t = (v ^ v >> 14) & UINT64_C(0x0000CCCC0000CCCC);
    v ^= t ^ t << 14;
    t = (v ^ v >> 28) & UINT64_C(0x00000000F0F0F0F0);
    return v ^ t ^ t << 28;
}

/* 16 coefficients from a magnitude and a sign in each byte. */
INLINE void expand_16(vec v, int16_t *out)
{
    const vec negative = ABOVE(((vec) { 0 }), v);
    v = SUB((v & EACH(127)) ^ negative, negative);
    const vec sign = ABOVE(((vec) { 0 }), v);
    store_16(out, LOW8(v, sign));
    store_16(out + 8, HIGH8(v, sign));
}

/* Where eight masks of a block are for transpose_bytes(). */
static const uint8_t mask_order[4][2] = { { 0, 4 }, { 2, 6 }, { 1, 5 }, { 3, 7 } };

TARGET static void expand(const struct pcri_pk_row *row, const int16_t *dc, int16_t *out)
{
    const uint64_t *masks[8];
    for (int p = 0; p < PCRI_PK_IN_BYTES; p++)
        masks[p] = row->plane[p];
    masks[PCRI_PK_IN_BYTES] = row->sign;
    for (size_t i = 0; i < row->blocks; i++, out += 64) {
        const uint64_t known = row->known[i];
        if (known) {
            vec v[4];
            for (int j = 0; j < 4; j++) {
                const vec a = { masks[mask_order[j][0]][i] },
                          b = { masks[mask_order[j][1]][i] };
                v[j] = LOW8(a, b);
            }
            transpose_bytes(v, v);
            expand_16(transpose(v[0]), out);
            expand_16(transpose(v[1]), out + 16);
            if (known >> 32) {
                expand_16(transpose(v[2]), out + 32);
                expand_16(transpose(v[3]), out + 48);
            }
        }
        if (!known)
            memset(out, 0, 64);
        if (!(known >> 32))
            memset(out + 32, 0, 64);
        if (UNLIKELY(row->planes >> PCRI_PK_IN_BYTES))
            pcri_pk_expand_large(row, i, out);
        out[0] = dc[i];
    }
}

TARGET static uint32_t list(const uint8_t *v, size_t n, uint16_t *out)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t bytes = pcri_load64(v + i);
        if (n - i < 8)
            bytes &= (UINT64_C(1) << 8 * (n - i)) - 1;
        const unsigned some = some_bytes(bytes);
        const vec numbers = LOW8(((vec) { numbers_of[some] }), ((vec) { 0 }));
        store_16(out + count, (vec) ((vec16) numbers + (uint16_t) i));
        count += count_of[some];
    }
    return count;
}

#endif
