/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops over a row's pixels. A file for one kind of CPU defines LANES, how many numbers are in
 * a vector of that CPU: of wider ones compilers make comparisons one by one. Vectors reach into the
 * margins; what they make there means nothing. */
#ifndef PCRI_RS_LOOPS_H
#define PCRI_RS_LOOPS_H

#include "rows.h"

#define INLINE static inline __attribute__((always_inline))

typedef int16_t lanes __attribute__((vector_size(2 * LANES)));

INLINE lanes load(const int16_t *p)
{
    lanes v;
    memcpy(&v, p, sizeof(v));
    return v;
}

INLINE void store(void *p, lanes v)
{
    memcpy(p, &v, sizeof(v));
}

INLINE lanes magnitude(lanes v)
{
    const lanes sign = v >> 15;
    return (v ^ sign) - sign;
}

/* How many of the numbers v reaches, from 0. */
INLINE lanes reached(lanes v, const int16_t *numbers, int count)
{
    lanes n = { 0 };
    for (int i = 0; i < count; i++)
        n -= v >= numbers[i];
    return n;
}

/* Across, and twice up. */
INLINE lanes activity(const struct pcri_rs_row *row, size_t x, lanes at)
{
    return magnitude(load(row->jpeg + x + 1) - at) + magnitude(load(row->jpeg + x - 1) - at) +
           2 * magnitude(load(row->above + x) - at);
}

INLINE lanes limit(lanes v, int16_t least, int16_t most)
{
    const lanes low = v<least, high = v> most;
    return (v & ~(low | high)) | (low & least) | (high & most);
}

INLINE void contexts_of(const struct pcri_rs_row *row, size_t width, bool first, uint16_t *out)
{
    static const int16_t sizes[7] = { 1, 2, 4, 8, 16, 32, 64 };
    static const int16_t active[5] = { 3, 8, 16, 32, 64 };
    static const int16_t curved[2][4] = { { -6, -1, 2, 7 }, { -11, -2, 3, 12 } };
    for (size_t x = 0; x < width; x += LANES) {
        const lanes at = load(row->jpeg + x);
        const lanes size = 2 * load(row->sizes[0] + x) + load(row->sizes[0] + x - 1) +
                           load(row->sizes[0] + x + 1) + load(row->sizes[1] + x);
        const lanes curve = 4 * at - load(row->above + x) - load(row->below + x) -
                            load(row->jpeg + x - 1) - load(row->jpeg + x + 1);
        const lanes sign = load(row->signs + x);
        const lanes other = first ? reached(activity(row, x, at), active, 5)
                                  : limit(load(row->other + x), -2, 2) + 2;
        lanes c = reached(size, sizes, 7) * 6 + other;
        c = c * 3 + 1 + (sign < 0) - (sign > 0);
        store(out + x, c * 5 + reached(curve, curved[first], 4));
    }
}

INLINE void contexts(const struct pcri_rs_row *row, size_t width, uint16_t *out)
{
    if (row->other)
        contexts_of(row, width, false, out);
    else
        contexts_of(row, width, true, out);
}

INLINE void split(const uint8_t *pixels, size_t width, uint32_t channels,
                  int16_t *const out[PCRI_RS_CHANNELS])
{
    int16_t *restrict a = out[0], *restrict b = out[1], *restrict c = out[2];
    for (size_t x = 0; channels == 1 && x < width; x++)
        a[x] = pixels[x];
    for (size_t x = 0; channels == 3 && x < width; x++) {
        const int16_t green = pixels[3 * x + 1];
        a[x] = green;
        b[x] = (int16_t) (pixels[3 * x] - green);
        c[x] = (int16_t) (pixels[3 * x + 2] - green);
    }
}

INLINE void values(const uint8_t *restrict symbols, size_t width, int16_t *restrict residual,
                   int16_t *restrict sizes)
{
    for (size_t x = 0; x < width; x++) {
        const int16_t half = (int16_t) (symbols[x] >> 1), odd = (int16_t) (symbols[x] & 1);
        residual[x] = (int16_t) (half ^ -odd);
        sizes[x] = (int16_t) (half + odd);
    }
}

INLINE void symbols_of(const int16_t *restrict exact, const int16_t *restrict jpeg,
                       size_t width, int16_t *restrict residual, int16_t *restrict sizes,
                       uint8_t *restrict symbols)
{
    for (size_t x = 0; x < width; x++) {
        const int16_t d = (int8_t) (uint8_t) (exact[x] - jpeg[x]);
        residual[x] = d;
        sizes[x] = (int16_t) (d < 0 ? -d : d);
        symbols[x] = (uint8_t) (d < 0 ? -2 * d - 1 : 2 * d);
    }
}

INLINE void join(const int16_t *const jpeg[PCRI_RS_CHANNELS],
                 const int16_t *const residual[PCRI_RS_CHANNELS], size_t width,
                 uint32_t channels, uint8_t *restrict pixels)
{
    const int16_t *restrict a = jpeg[0], *restrict b = jpeg[1], *restrict c = jpeg[2];
    const int16_t *restrict da = residual[0], *restrict db = residual[1],
                            *restrict dc = residual[2];
    for (size_t x = 0; channels == 1 && x < width; x++)
        pixels[x] = (uint8_t) (a[x] + da[x]);
    for (size_t x = 0; channels == 3 && x < width; x++) {
        const int green = a[x] + da[x];
        pixels[3 * x] = (uint8_t) (green + b[x] + db[x]);
        pixels[3 * x + 1] = (uint8_t) green;
        pixels[3 * x + 2] = (uint8_t) (green + c[x] + dc[x]);
    }
}

/* All of them as functions for one kind of CPU. */
#define KERNELS(cpu, target) \
    target static void cpu##_split(const uint8_t *pixels, size_t width, uint32_t channels, \
                                   int16_t *const out[PCRI_RS_CHANNELS]) \
    { \
        split(pixels, width, channels, out); \
    } \
    target static void cpu##_contexts(const struct pcri_rs_row *row, size_t width, \
                                      uint16_t *out) \
    { \
        contexts(row, width, out); \
    } \
    target static void cpu##_values(const uint8_t *symbols, size_t width, int16_t *residual, \
                                    int16_t *sizes) \
    { \
        values(symbols, width, residual, sizes); \
    } \
    target static void cpu##_symbols(const int16_t *exact, const int16_t *jpeg, size_t width, \
                                     int16_t *residual, int16_t *sizes, uint8_t *symbols) \
    { \
        symbols_of(exact, jpeg, width, residual, sizes, symbols); \
    } \
    target static void cpu##_join(const int16_t *const jpeg[PCRI_RS_CHANNELS], \
                                  const int16_t *const residual[PCRI_RS_CHANNELS], \
                                  size_t width, uint32_t channels, uint8_t *pixels) \
    { \
        join(jpeg, residual, width, channels, pixels); \
    } \
    const struct pcri_rs_kernels pcri_rs_##cpu = { cpu##_split, cpu##_contexts, cpu##_values, \
                                                   cpu##_symbols, cpu##_join };

#endif
