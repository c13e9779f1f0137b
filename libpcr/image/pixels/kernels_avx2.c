/* SPDX-License-Identifier: BSD-2-Clause */
/* Upsampling and colour conversion for x86-64 with AVX2. */
#include "kernels.h"

#ifdef PCRI_HAVE_AVX2
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,bmi")))
#define INLINE TARGET static inline __attribute__((always_inline))

INLINE __m256i load(const void *p)
{
    return _mm256_loadu_si256(p);
}

/* Sixteen bytes to 16 bits. */
INLINE __m256i widen(const uint8_t *p)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) (const void *) p));
}

INLINE __m256i triple(__m256i v)
{
    return _mm256_add_epi16(v, _mm256_add_epi16(v, v));
}

/* --- upsampling --- */

TARGET static void mix_rows(const uint8_t *near, const uint8_t *far, size_t n, uint16_t *sums)
{
    for (size_t i = 0; i < n; i += 16)
        _mm256_storeu_si256((__m256i *) (void *) (sums + i),
                            _mm256_add_epi16(triple(widen(near + i)), widen(far + i)));
}

TARGET static void upsample_v2(const uint8_t *near, const uint8_t *far, size_t n,
                               unsigned bias, uint8_t *out)
{
    __m256i b = _mm256_set1_epi16((short) bias);
    for (size_t i = 0; i < n; i += 16) {
        __m256i v = _mm256_add_epi16(triple(widen(near + i)), widen(far + i));
        v = _mm256_srli_epi16(_mm256_add_epi16(v, b), 2);
        v = _mm256_permute4x64_epi64(_mm256_packus_epi16(v, v), 0xD8);
        _mm_storeu_si128((__m128i *) (void *) (out + i), _mm256_castsi256_si128(v));
    }
}

/* The samples at the left and right of each sum's middle. */
INLINE void two_samples(const uint16_t *sums, __m256i bias0, __m256i bias1, __m256i out[2])
{
    __m256i here = triple(load(sums));
    out[0] = _mm256_add_epi16(_mm256_add_epi16(here, bias0), load(sums - 1));
    out[1] = _mm256_add_epi16(_mm256_add_epi16(here, bias1), load(sums + 1));
}

TARGET static void upsample_h2(const uint16_t *sums, size_t n, const uint16_t bias[2],
                               uint8_t *out)
{
    __m256i bias0 = _mm256_set1_epi16((short) bias[0]), v[2];
    __m256i bias1 = _mm256_set1_epi16((short) bias[1]);
    for (size_t i = 0; i < n; i += 16) {
        two_samples(sums + i, bias0, bias1, v);
        v[0] = _mm256_srli_epi16(v[0], 4);
        v[1] = _mm256_slli_epi16(_mm256_srli_epi16(v[1], 4), 8);
        _mm256_storeu_si256((__m256i *) (void *) (out + 2 * i), _mm256_or_si256(v[0], v[1]));
    }
}

/* --- colour --- */

/* Sixteen pixels; y: 0 to 255, cb and cr: -128 to 127. Factors are those of BT.601, and the
 * roundings those of 16-bit fixed point in 32-bit sums: 1.402 = 22971 / 2^14, and
 * 1.772 = 29033 / 2^14 give the same for all 256 values. */
INLINE void convert(__m256i y, __m256i cb, __m256i cr, __m256i rgb[3])
{
    __m256i r = _mm256_mulhrs_epi16(_mm256_add_epi16(cr, cr), _mm256_set1_epi16(22971));
    __m256i b = _mm256_mulhrs_epi16(_mm256_add_epi16(cb, cb), _mm256_set1_epi16(29033));
    rgb[0] = _mm256_add_epi16(y, r);
    rgb[2] = _mm256_add_epi16(y, b);

    /* -0.71414 = 0.28586 - 1, so that the factor fits 16 bits. */
    const __m256i factors = _mm256_set1_epi32((int) (18734u << 16 | (uint16_t) -22554));
    const __m256i half = _mm256_set1_epi32(32768);
    __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi16(cb, cr), factors);
    __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi16(cb, cr), factors);
    low = _mm256_srai_epi32(_mm256_add_epi32(low, half), 16);
    high = _mm256_srai_epi32(_mm256_add_epi32(high, half), 16);
    rgb[1] = _mm256_add_epi16(_mm256_sub_epi16(y, cr), _mm256_packs_epi32(low, high));
}

/* Byte i of 48 is channel i % 3 of pixel i / 3. Each channel is shuffled once, so that its
 * bytes stand in the right place modulo 16 of every third position; blends pick them. The
 * channels hold the even pixels of 16, then the odd ones; both halves of the vectors do. */
INLINE void interleave(const __m256i channel[3], __m256i out[3])
{
#define P(i) ((i) % 2 * 8 + (i) / 2)
    __m256i r = _mm256_shuffle_epi8(
        channel[0], _mm256_broadcastsi128_si256(
                        _mm_setr_epi8(P(0), P(11), P(6), P(1), P(12), P(7), P(2), P(13), P(8),
                                      P(3), P(14), P(9), P(4), P(15), P(10), P(5))));
    __m256i g = _mm256_shuffle_epi8(
        channel[1], _mm256_broadcastsi128_si256(
                        _mm_setr_epi8(P(5), P(0), P(11), P(6), P(1), P(12), P(7), P(2), P(13),
                                      P(8), P(3), P(14), P(9), P(4), P(15), P(10))));
    __m256i b = _mm256_shuffle_epi8(
        channel[2], _mm256_broadcastsi128_si256(
                        _mm_setr_epi8(P(10), P(5), P(0), P(11), P(6), P(1), P(12), P(7), P(2),
                                      P(13), P(8), P(3), P(14), P(9), P(4), P(15))));
#undef P
    const __m256i third1 = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0));
    const __m256i third2 = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0));
    out[0] = _mm256_blendv_epi8(_mm256_blendv_epi8(r, g, third1), b, third2);
    out[1] = _mm256_blendv_epi8(_mm256_blendv_epi8(g, b, third1), r, third2);
    out[2] = _mm256_blendv_epi8(_mm256_blendv_epi8(b, r, third1), g, third2);
}

/* Thirty-two pixels, the even and the odd ones apart. */
INLINE void store_32(const __m256i even[3], const __m256i odd[3], bool planar,
                     uint8_t *const plane[3])
{
    __m256i channel[3], out[3];
    for (int c = 0; c < 3; c++)
        channel[c] = _mm256_packus_epi16(even[c], odd[c]);
    if (planar) {
        const __m256i order = _mm256_broadcastsi128_si256(
            _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
        for (int c = 0; c < 3; c++)
            _mm256_storeu_si256((__m256i *) (void *) plane[c],
                                _mm256_shuffle_epi8(channel[c], order));
        return;
    }
    interleave(channel, out);
    for (int i = 0; i < 3; i++) {
        __m128i *at = (__m128i *) (void *) (plane[0] + 16 * i);
        _mm_storeu_si128(at, _mm256_castsi256_si128(out[i]));
        _mm_storeu_si128(at + 3, _mm256_extracti128_si256(out[i], 1));
    }
}

struct chroma_avx2 {
    const void *cb, *cr;
    bool h2; /* sums of half the width; else bytes */
    __m256i bias[2];
};

/* Chroma of pixels `at` to `at` + 31, even and odd ones apart, less 128. */
INLINE void chroma_32(const void *from, size_t at, const struct chroma_avx2 *c, __m256i out[2])
{
    if (c->h2) {
        two_samples((const uint16_t *) from + at / 2, c->bias[0], c->bias[1], out);
        out[0] = _mm256_srai_epi16(out[0], 4);
        out[1] = _mm256_srai_epi16(out[1], 4);
        return;
    }
    const __m256i middle = _mm256_set1_epi16(128);
    __m256i v = load((const uint8_t *) from + at);
    out[0] = _mm256_sub_epi16(_mm256_and_si256(v, _mm256_set1_epi16(255)), middle);
    out[1] = _mm256_sub_epi16(_mm256_srli_epi16(v, 8), middle);
}

INLINE void convert_32(const uint8_t *y, size_t at, const struct chroma_avx2 *c, bool planar,
                       uint8_t *const plane[3])
{
    __m256i luma = load(y + at), cb[2], cr[2], rgb[2][3];
    chroma_32(c->cb, at, c, cb);
    chroma_32(c->cr, at, c, cr);
    convert(_mm256_and_si256(luma, _mm256_set1_epi16(255)), cb[0], cr[0], rgb[0]);
    convert(_mm256_srli_epi16(luma, 8), cb[1], cr[1], rgb[1]);
    store_32(rgb[0], rgb[1], planar, plane);
}

INLINE void convert_row(const uint8_t *y, const struct chroma_avx2 *c, size_t n, bool planar,
                        uint8_t *const out[3])
{
    size_t at = 0, step = planar ? 1 : 3;
    uint8_t *plane[3] = { out[0], planar ? out[1] : NULL, planar ? out[2] : NULL };
    for (; at + 32 <= n; at += 32) {
        convert_32(y, at, c, planar, plane);
        for (int i = 0; i < (planar ? 3 : 1); i++)
            plane[i] += 32 * step;
    }
    if (at < n) {
        uint8_t tail[96];
        uint8_t *const tails[3] = { tail, tail + 32, tail + 64 };
        convert_32(y, at, c, planar, tails);
        for (int i = 0; i < (planar ? 3 : 1); i++)
            memcpy(plane[i], tails[i], (n - at) * step);
    }
}

TARGET static void ycc_to_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                              const struct pcri_rgb_row *out)
{
    struct chroma_avx2 c = { .cb = cb, .cr = cr, .h2 = false };
    if (out->planar)
        convert_row(y, &c, n, true, out->plane);
    else
        convert_row(y, &c, n, false, out->plane);
}

TARGET static void ycc_h2_to_rgb(const uint8_t *y, const uint16_t *cb_sums,
                                 const uint16_t *cr_sums, const uint16_t bias[2], size_t n,
                                 const struct pcri_rgb_row *out)
{
    /* 128 less than 0 to 255: 2048 before the division by 16. */
    struct chroma_avx2 c = { .cb = cb_sums,
                             .cr = cr_sums,
                             .h2 = true,
                             .bias = { _mm256_set1_epi16((short) (bias[0] - 2048)),
                                       _mm256_set1_epi16((short) (bias[1] - 2048)) } };
    if (out->planar)
        convert_row(y, &c, n, true, out->plane);
    else
        convert_row(y, &c, n, false, out->plane);
}

const struct pcri_kernels pcri_kernels_avx2 = {
    .name = "avx2",
    .idct = pcri_idct_avx2,
    .idct_scaled = pcri_idct_scaled_avx2,
    .mix_rows = mix_rows,
    .upsample_v2 = upsample_v2,
    .upsample_h2 = upsample_h2,
    .ycc_to_rgb = ycc_to_rgb,
    .ycc_h2_to_rgb = ycc_h2_to_rgb,
};
#else
typedef int pcri_no_avx2; /* ISO C wants something in each file */
#endif
