/* SPDX-License-Identifier: BSD-2-Clause */
/* Weighted sums of two pictures whose values are floating point numbers, compiled by each set of
 * loops for its CPU: without branches, so that compilers vectorise them. Sums are in one order
 * everywhere. TARGET is the set's. */
#include <stdint.h>
#include <string.h>

#define BLEND_INLINE TARGET static inline __attribute__((always_inline))

BLEND_INLINE float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

BLEND_INLINE uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* Binary16, also its infinities and small numbers, which are whole multiples of 2^-24. */
BLEND_INLINE float float_of_half(uint16_t half)
{
    uint32_t size = half & 0x7FFFu, sign = (uint32_t) (half & 0x8000) << 16;
    uint32_t normal = (size << 13) + (size >= 0x7C00 ? 224u << 23 : 112u << 23);
    uint32_t small = bits_of_float((float) (int32_t) size * 0x1p-24f);
    return float_of_bits(sign | (size < 0x400 ? small : normal));
}

/* To the nearest, halfway cases to the even one, as pcri_to_float16(). */
BLEND_INLINE uint16_t half_of_float(float value)
{
    uint32_t bits = bits_of_float(value), size = bits & 0x7FFFFFFF;
    uint32_t normal = (size - (112u << 23) + 0xFFF + (size >> 13 & 1)) >> 13;
    /* The sum's last bit is worth 1. */
    uint32_t small = bits_of_float(float_of_bits(size) * 0x1p24f + 0x1p23f) - 0x4B000000;
    uint32_t found = size < 0x38800000 ? small : normal;
    found = size < 0x47800000 ? found : 0x7C00;
    found = size <= 0x7F800000 ? found : 0x7E00;
    return (uint16_t) (found | (bits >> 16 & 0x8000));
}

TARGET static void blend_floats(float *restrict p, const float *restrict q, size_t n,
                                float part, float rest)
{
    for (size_t i = 0; i < n; i++)
        p[i] = q[i] * rest + p[i] * part;
}

TARGET static void blend_halves(uint16_t *restrict p, const uint16_t *restrict q, size_t n,
                                float part, float rest)
{
    for (size_t i = 0; i < n; i++)
        p[i] = half_of_float(float_of_half(q[i]) * rest + float_of_half(p[i]) * part);
}

TARGET static void blend_bfloats(uint16_t *restrict p, const uint16_t *restrict q, size_t n,
                                 float part, float rest)
{
    for (size_t i = 0; i < n; i++) {
        float a = float_of_bits((uint32_t) p[i] << 16),
              b = float_of_bits((uint32_t) q[i] << 16);
        uint32_t bits = bits_of_float(b * rest + a * part);
        uint32_t found = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
        p[i] = (uint16_t) ((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >> 16 | 0x40 : found);
    }
}
