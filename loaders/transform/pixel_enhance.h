/* SPDX-License-Identifier: BSD-2-Clause */
/* Pillow's Image.blend() and its filter SMOOTH, byte for byte, compiled by each set of loops for
 * its CPU: simple loops, so that compilers vectorise them. TARGET is the set's. */
#include <stddef.h>
#include <stdint.h>

/* Away from `base`, or to it, and truncated. */
TARGET static inline __attribute__((always_inline)) uint8_t moved(float base, float value,
                                                                  float factor)
{
    float v = base + factor * (value - base);
    v = v < 0 ? 0 : v;
    return (uint8_t) (int) (v < 255 ? v : 255);
}

TARGET static void enhance(uint8_t *restrict p, const uint8_t *restrict q, size_t n,
                           float factor)
{
    for (size_t i = 0; i < n; i++)
        p[i] = moved(q[i], p[i], factor);
}

TARGET static void enhance_from(uint8_t *p, size_t n, float level, float factor)
{
    for (size_t i = 0; i < n; i++)
        p[i] = moved(level, p[i], factor);
}

TARGET static void smooth(const uint8_t *const rows[3], size_t n, uint8_t *restrict out)
{
    const uint8_t *a = rows[0], *b = rows[1], *c = rows[2];
    for (size_t i = 1; i + 1 < n; i++) {
        unsigned sum = a[i - 1] + a[i] + a[i + 1] + b[i - 1] + 5 * b[i] + b[i + 1] + c[i - 1] +
                       c[i] + c[i + 1];
        out[i] = (uint8_t) ((uint16_t) (sum + 6) / 13); /* thirteenths are never halves */
    }
}
