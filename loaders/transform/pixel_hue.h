/* SPDX-License-Identifier: BSD-2-Clause */
/* Rotation of hues, compiled by each set of loops for its CPU: without branches and library
 * functions, so that compilers vectorise it. TARGET is the set's. */
#include <stdint.h>

#define HUE_INLINE TARGET static inline __attribute__((always_inline))

HUE_INLINE float smaller(float a, float b)
{
    return a < b ? a : b;
}

HUE_INLINE float larger(float a, float b)
{
    return a > b ? a : b;
}

/* A channel `distance` sixths of the circle away from the colour opposite to its own. */
HUE_INLINE uint8_t channel(float value, float chroma, float distance)
{
    float part = smaller(larger(2 - distance, 0), 1);
    return (uint8_t) (int) (value - chroma * part + 0.5f);
}

HUE_INLINE float size_of(float x)
{
    return x < 0 ? -x : x;
}

TARGET static void turn_hue(uint8_t *const rgb[3], size_t n, float turn)
{
    uint8_t *restrict pr = rgb[0], *restrict pg = rgb[1], *restrict pb = rgb[2];
    for (size_t i = 0; i < n; i++) {
        float r = pr[i], g = pg[i], b = pb[i];
        float value = larger(r, larger(g, b));
        float chroma = value - smaller(r, smaller(g, b));
        float scale = 1 / (chroma + (chroma == 0 ? 1.f : 0.f));
        /* All three at once, for nothing may be computed conditionally. */
        float from_red = (g - b) * scale, from_green = (b - r) * scale + 2;
        float from_blue = (r - g) * scale + 4;
        float hue = value == g ? from_green : from_blue;
        hue = value == r ? from_red : hue;
        hue += turn; /* sixths of the circle from red, -4 to 8 */
        hue += hue < 0 ? 6.f : 0.f;
        hue -= hue >= 6 ? 6.f : 0.f;
        pr[i] = channel(value, chroma, size_of(hue - 3));
        pg[i] = channel(value, chroma, smaller(hue + 1, size_of(hue - 5)));
        pb[i] = channel(value, chroma, smaller(size_of(hue - 1), 7 - hue));
    }
}
