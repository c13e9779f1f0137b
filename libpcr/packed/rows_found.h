/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of blocks and of coefficients, with vectors of 16 bytes. */
#ifndef PCRI_PK_ROWS_FOUND_H
#define PCRI_PK_ROWS_FOUND_H

#include "rows_vec.h"

TARGET static uint32_t list(const uint8_t *v, size_t n, uint16_t *out)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 8) {
        uint64_t bytes = pcri_load64(v + i);
        if (n - i < 8)
            bytes &= (UINT64_C(1) << 8 * (n - i)) - 1;
        const unsigned some = pcri_some_bytes(bytes);
        const vec numbers = LOW8(((vec) { numbers_of[some] }), ((vec) { 0 }));
        store_16(out + count, (vec) ((vec16) numbers + (uint16_t) i));
        count += count_of[some];
    }
    return count;
}

/* --- bytes that gain coefficients --- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_AT(n) (n)
#else
#define BYTE_AT(n) ((n) ^ 7)
#endif

INLINE uint32_t places_of(const struct pcri_pk_row *row, const uint8_t *in_part, uint32_t from,
                          uint32_t to, uint16_t *out)
{
    const uint8_t *found = (const uint8_t *) row->found;
    const uint16_t *named = row->named, *end = named + to;
    uint16_t *at = out;
    for (named += from; named < end; named++) {
        const size_t byte = *named;
        const unsigned mask = found[BYTE_AT(byte)] & (in_part ? in_part[byte % 8] : 255u);
        const vec numbers = LOW8(((vec) { numbers_of[mask] }), ((vec) { 0 }));
        store_16(at, (vec) ((vec16) numbers + (uint16_t) (8 * byte)));
        at += count_of[mask];
    }
    return (uint32_t) (at - out);
}

TARGET static uint32_t places(const struct pcri_pk_row *row, uint64_t part, uint32_t from,
                              uint32_t to, uint16_t *out)
{
    uint8_t in_part[8];
    if (!~part)
        return places_of(row, NULL, from, to, out);
    pcri_store64(in_part, part);
    return places_of(row, in_part, from, to, out);
}

/* Of each of eight numbers all bits, where a byte's bit is set. */
INLINE vec16 of_bits(unsigned byte)
{
    const vec16 bits = { 1, 2, 4, 8, 16, 32, 64, 128 };
    return (vec16) ((((vec16) { 0 } + (uint16_t) byte) & bits) == bits);
}

/* v, negative where all bits of a number are set. */
INLINE vec16 with_sign(vec16 v, vec16 negative)
{
    return (v ^ negative) - negative;
}

/* Values are taken in words of 32 bits; those beyond the last may be anything. */
TARGET static void fresh(const uint8_t *data, uint64_t bit, size_t n, int weight,
                         int16_t *values)
{
    const uint8_t *p = data + bit / 8;
    const vec16 plus = (vec16) { 0 } + (uint16_t) weight;
    for (size_t i = 0; i < n; i += 32, p += 4) {
        uint64_t word = pcri_load64(p) >> bit % 8;
        for (int k = 0; k < 32; k += 8, word >>= 8)
            store(values + i + k, (vec) with_sign(plus, of_bits(word & 255)));
    }
}

TARGET static void signs(const uint8_t *data, uint64_t bit, size_t n, int16_t *values)
{
    const uint8_t *p = data + bit / 8;
    for (size_t i = 0; i < n; i += 32, p += 4) {
        uint64_t word = pcri_load64(p) >> bit % 8;
        for (int k = 0; k < 32; k += 8, word >>= 8) {
            const vec16 v = (vec16) load(values + i + k);
            store(values + i + k, (vec) with_sign(v, of_bits(word & 255)));
        }
    }
}

TARGET static void refine(const uint8_t *data, uint64_t bit, size_t n, int weight,
                          int16_t *values)
{
    const uint8_t *p = data + bit / 8;
    const vec16 more = (vec16) { 0 } + (uint16_t) weight;
    for (size_t i = 0; i < n; i += 32, p += 4) {
        uint64_t word = pcri_load64(p) >> bit % 8;
        for (int k = 0; k < 32; k += 8, word >>= 8) {
            const vec16 v = (vec16) load(values + i + k);
            const vec16 negative = (vec16) ((vec_s16) v < 0);
            store(values + i + k, (vec) (v + with_sign(of_bits(word & 255) & more, negative)));
        }
    }
}

TARGET static void blank(const struct pcri_pk_row *row, const int16_t *dc, int16_t *out)
{
    for (size_t x = 0; x < row->blocks; x++, out += 64) {
        const vec_s16 first = { dc[x] };
        store(out, (vec) first);
        for (int k = 8; k < 64; k += 8)
            store(out + k, (vec) { 0 });
    }
}

#endif
