/* SPDX-License-Identifier: BSD-2-Clause */
/* Upsampling and colour conversion for x86-64 with AVX2. */
#include "kernels.h"

#ifdef PCRI_HAVE_AVX2
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,bmi")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum { STEP = 16 };

typedef __m256i vec;

#define SIMD(name) _mm256_##name
#define SIMD_WHOLE(name) _mm256_##name##_si256
#define SIMD_FLOATS _mm256_castsi256_ps
#include "simd_x86.h"

INLINE vec load(const void *p)
{
    return _mm256_loadu_si256(p);
}

INLINE void store(void *p, vec v)
{
    _mm256_storeu_si256(p, v);
}

/* STEP bytes to 16 bits. */
INLINE vec widen(const uint8_t *p)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) (const void *) p));
}

INLINE void store_narrow(uint8_t *p, vec v)
{
    v = _mm256_permute4x64_epi64(_mm256_packus_epi16(v, v), 0xD8);
    _mm_storeu_si128((__m128i *) (void *) p, _mm256_castsi256_si128(v));
}

#include "color_body.h"

/* Byte i of 48 is channel i % 3 of pixel i / 3. Each channel is shuffled once, so that its
 * bytes are in the right place modulo 16 of every third position; blends pick them. The
 * channels hold the even pixels of 16, then the odd ones; so do both halves of the vectors. */
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

/* Thirty-two pixels; each channel has the even and the odd ones separately. */
INLINE void store_pixels(const __m256i channel[3], bool planar, uint8_t *const plane[3])
{
    __m256i out[3];
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

#include "color_row_body.h"

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
