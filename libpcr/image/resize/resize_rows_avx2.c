/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops of a resize for x86-64 with AVX2. Two rows, or two pixels of a row, make one
 * 16-bit multiplication and addition in pairs. */
#include "resize_rows.h"

#ifdef PCRI_HAVE_RESIZE_AVX2
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum { BYTE_SHIFT = PCRI_WEIGHT_BITS + PCRI_FRACTION_BITS };

/* Two neighbouring weights in each 32 bits. */
INLINE __m256i load_weights(const int16_t *w)
{
    int32_t both;
    memcpy(&both, w, sizeof(both));
    return _mm256_set1_epi32(both);
}

/* Sixteen numbers of 16 bits, or bytes made such. */
INLINE __m256i load_16(const uint8_t *p, bool bytes)
{
    return bytes ? _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) (const void *) p))
                 : _mm256_loadu_si256((const __m256i *) (const void *) p);
}

INLINE __m256i weigh_16(const void *src, size_t stride_nbytes, bool bytes,
                        const int16_t *weights, uint32_t count, int shift)
{
    const uint8_t *p = src;
    __m256i low = _mm256_set1_epi32(1 << (shift - 1)), high = low;
    for (uint32_t k = 0; k < count; k += 2, p += 2 * stride_nbytes) {
        __m256i a = load_16(p, bytes), b = _mm256_setzero_si256();
        if (k + 1 < count)
            b = load_16(p + stride_nbytes, bytes);
        __m256i w = load_weights(weights + k);
        low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), w));
        high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), w));
    }
    return _mm256_packs_epi32(_mm256_srai_epi32(low, shift), _mm256_srai_epi32(high, shift));
}

TARGET static void blend(const uint8_t *src, size_t stride, const int16_t *weights,
                         uint32_t count, uint16_t *out, size_t n)
{
    enum { SHIFT = PCRI_WEIGHT_BITS - PCRI_FRACTION_BITS };
    if (n < 16) {
        pcri_resize_rows_portable.blend(src, stride, weights, count, out, n);
        return;
    }
    for (size_t i = 0; i < n; i += 16) {
        size_t at = i + 16 <= n ? i : n - 16; /* the last, some of them a second time */
        _mm256_storeu_si256((__m256i *) (void *) (out + at),
                            weigh_16(src + at, stride, true, weights, count, SHIFT));
    }
}

TARGET static void blend_wide(const uint16_t *src, size_t stride, const int16_t *weights,
                              uint32_t count, uint8_t *out, size_t n)
{
    if (n < 16) {
        pcri_resize_rows_portable.blend_wide(src, stride, weights, count, out, n);
        return;
    }
    for (size_t i = 0; i < n; i += 16) {
        size_t at = i + 16 <= n ? i : n - 16;
        __m256i v = weigh_16(src + at, 2 * stride, false, weights, count, BYTE_SHIFT);
        _mm_storeu_si128(
            (__m128i *) (void *) (out + at),
            _mm_packus_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
    }
}

/* The sums of one pixel's three channels, and of nothing. */
INLINE __m128i sum_pixel(const struct pcri_filter *f, const struct pcri_tap *t,
                         const uint16_t *src, uint32_t most, int shift)
{
    const __m128i pairs = _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1);
    const int16_t *w = f->weights + t->first;
    const uint16_t *p = src + (size_t) (t->begin - f->begin) * 3;
    __m128i sum = _mm_set1_epi32(1 << (shift - 1));
    for (uint32_t k = 0; k < most; k += 2, p += 6) {
        __m128i two = _mm_loadu_si128((const __m128i *) (const void *) p);
        __m128i weights = _mm256_castsi256_si128(load_weights(w + k));
        two = _mm_madd_epi16(_mm_shuffle_epi8(two, pairs), weights);
        sum = _mm_add_epi32(sum, two);
    }
    return _mm_srai_epi32(sum, shift);
}

INLINE void store_packed(__m128i four, uint8_t *out)
{
    const __m128i order = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1,
                                        -1);
    four = _mm_shuffle_epi8(four, order);
    int32_t last = _mm_extract_epi32(four, 2);
    _mm_storel_epi64((__m128i *) (void *) out, four);
    memcpy(out + 8, &last, sizeof(last));
}

INLINE void store_planes(__m128i four, uint8_t *out, size_t plane_nbytes)
{
    const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, -1, -1, -1,
                                        -1);
    four = _mm_shuffle_epi8(four, order);
    int32_t planes[3] = { _mm_extract_epi32(four, 0), _mm_extract_epi32(four, 1),
                          _mm_extract_epi32(four, 2) };
    for (size_t c = 0; c < 3; c++)
        memcpy(out + c * plane_nbytes, &planes[c], sizeof(planes[c]));
}

/* most: f->most, as a constant if that pays. */
INLINE void shrink_row(const struct pcri_filter *f, const uint16_t *src, bool flip,
                       uint8_t *out, size_t plane_nbytes, uint32_t width, uint32_t most)
{
    const struct pcri_tap *t = flip ? f->taps + width - 1 : f->taps;
    ptrdiff_t step = flip ? -1 : 1;
    uint32_t x = 0;
    for (; x + 4 <= width; x += 4, t += 4 * step) {
        __m128i a = sum_pixel(f, t, src, most, BYTE_SHIFT);
        __m128i b = sum_pixel(f, t + step, src, most, BYTE_SHIFT);
        __m128i c = sum_pixel(f, t + 2 * step, src, most, BYTE_SHIFT);
        __m128i d = sum_pixel(f, t + 3 * step, src, most, BYTE_SHIFT);
        __m128i four = _mm_packus_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));
        if (plane_nbytes)
            store_planes(four, out + x, plane_nbytes);
        else
            store_packed(four, out + 3 * (size_t) x);
    }
    for (; x < width; x++, t += step) {
        __m128i sum = sum_pixel(f, t, src, most, BYTE_SHIFT);
        uint8_t *at = plane_nbytes ? out + x : out + 3 * (size_t) x;
        size_t channel = plane_nbytes ? plane_nbytes : 1;
        sum = _mm_packs_epi32(sum, sum);
        sum = _mm_packus_epi16(sum, sum);
        at[0] = (uint8_t) _mm_extract_epi8(sum, 0);
        at[channel] = (uint8_t) _mm_extract_epi8(sum, 1);
        at[2 * channel] = (uint8_t) _mm_extract_epi8(sum, 2);
    }
}

TARGET static void shrink_rgb(const struct pcri_shrink *s, const uint16_t *src, uint8_t *out,
                              size_t plane_nbytes)
{
    const struct pcri_filter *f = s->filter;
    if (f->most == 2)
        shrink_row(f, src, s->flip, out, plane_nbytes, s->width, 2);
    else if (f->most == 4)
        shrink_row(f, src, s->flip, out, plane_nbytes, s->width, 4);
    else
        shrink_row(f, src, s->flip, out, plane_nbytes, s->width, f->most);
}

/* One pixel of 16 bits a channel. */
INLINE void store_wide(__m128i sum, uint16_t *out, size_t plane)
{
    const __m128i most = _mm_set1_epi16(255 << PCRI_FRACTION_BITS);
    sum = _mm_packs_epi32(sum, sum);
    sum = _mm_min_epi16(_mm_max_epi16(sum, _mm_setzero_si128()), most);
    if (!plane) {
        _mm_storel_epi64((__m128i *) (void *) out, sum);
        return;
    }
    out[0] = (uint16_t) _mm_extract_epi16(sum, 0);
    out[plane] = (uint16_t) _mm_extract_epi16(sum, 1);
    out[2 * plane] = (uint16_t) _mm_extract_epi16(sum, 2);
}

TARGET static void shrink_rgb_wide(const struct pcri_shrink *s, const uint16_t *src,
                                   uint16_t *out, size_t plane)
{
    const struct pcri_filter *f = s->filter;
    const struct pcri_tap *t = s->flip ? f->taps + s->width - 1 : f->taps;
    ptrdiff_t step = s->flip ? -1 : 1;
    for (uint32_t x = 0; x < s->width; x++, t += step, out += plane ? 1 : 3)
        store_wide(sum_pixel(f, t, src, f->most, PCRI_WEIGHT_BITS), out, plane);
}

const struct pcri_resize_rows pcri_resize_rows_avx2 = {
    .name = "avx2",
    .blend = blend,
    .blend_wide = blend_wide,
    .shrink_rgb = shrink_rgb,
    .shrink_rgb_wide = shrink_rgb_wide,
};
#else
typedef int pcri_no_resize_avx2; /* ISO C wants something in each file */
#endif
