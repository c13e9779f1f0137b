/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels for x86-64 with SSSE3. */
#include "kernels.h"

#ifdef PCRI_HAVE_SSSE3
#include <string.h>
#include <tmmintrin.h>

#define TARGET __attribute__((target("ssse3")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define BLOCKS 1

enum { STEP = 8 };

typedef __m128i vec;

#define SIMD(name) _mm_##name
#define SIMD_WHOLE(name) _mm_##name##_si128
#define SIMD_FLOATS _mm_castsi128_ps
#include "simd_x86.h"

INLINE vec load(const void *p)
{
    return _mm_loadu_si128(p);
}

INLINE void store(void *p, vec v)
{
    _mm_storeu_si128(p, v);
}

/* --- inverse DCT --- */

INLINE void store_2_rows(vec v, uint8_t *dst, size_t stride_nbytes)
{
    _mm_storel_epi64((vec *) (void *) dst, v);
    _mm_storel_epi64((vec *) (void *) (dst + stride_nbytes), _mm_unpackhi_epi64(v, v));
}
#define STORE_2_ROWS store_2_rows

/* Coefficients 8 i to 8 i + 7, dequantised, for each i below `parts`. */
INLINE void load_parts(const int16_t *const coef[1], const struct pcri_dequant *q,
                       bool offsets, int parts, vec z[8])
{
    for (int i = 0; i < parts; i++) {
        const vec v = load(coef[0] + 8 * i);
        z[i] = _mm_mullo_epi16(v, load(q->quant + 8 * i));
        if (offsets)
            z[i] = _mm_adds_epi16(z[i], _mm_sign_epi16(load(q->offset + 8 * i), v));
    }
}

#define W(i) (char) ((i) < 0 ? -128 : 2 * (i)), (char) ((i) < 0 ? -128 : 2 * (i) + 1)
#define PICK(z, a, b, c, d, e, f, g, h) \
    _mm_shuffle_epi8(z, _mm_setr_epi8(W(a), W(b), W(c), W(d), W(e), W(f), W(g), W(h)))
#define _ (-1)

#include "idct_load.h"
#include "idct_load_scaled.h"

#include "idct_body.h"
#include "idct_row.h"
#include "idct_scaled_body.h"

/* --- upsampling and colour --- */

/* STEP bytes to 16 bits. */
INLINE vec widen(const uint8_t *p)
{
    return _mm_unpacklo_epi8(_mm_loadl_epi64((const vec *) (const void *) p),
                             _mm_setzero_si128());
}

INLINE void store_narrow(uint8_t *p, vec v)
{
    _mm_storel_epi64((vec *) (void *) p, _mm_packus_epi16(v, v));
}

#include "color_body.h"

/* Byte k of 48 is channel k % 3 of pixel k / 3. The channels hold the even pixels of 16, then the
 * odd ones. */
#define FROM(c, k) (char) ((k) % 3 == (c) ? (k) / 3 % 2 * 8 + (k) / 6 : -128)
#define FOUR(c, k) FROM(c, k), FROM(c, k + 1), FROM(c, k + 2), FROM(c, k + 3)
#define PART(c, k) \
    _mm_shuffle_epi8(channel[c], _mm_setr_epi8(FOUR(c, k), FOUR(c, k + 4), FOUR(c, k + 8), \
                                               FOUR(c, k + 12)))
#define SIXTEEN(k) OR(OR(PART(0, k), PART(1, k)), PART(2, k))

/* Sixteen pixels. */
INLINE void store_pixels(const vec channel[3], bool planar, uint8_t *const plane[3])
{
    const vec order = _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    if (planar) {
        for (int i = 0; i < 3; i++)
            store(plane[i], _mm_shuffle_epi8(channel[i], order));
        return;
    }
    store(plane[0], SIXTEEN(0));
    store(plane[0] + 16, SIXTEEN(16));
    store(plane[0] + 32, SIXTEEN(32));
}

#include "color_row_body.h"

const struct pcri_kernels pcri_kernels_ssse3 = {
    .name = "ssse3",
    .idct = idct,
    .idct_scaled = idct_scaled,
    .mix_rows = mix_rows,
    .upsample_v2 = upsample_v2,
    .upsample_h2 = upsample_h2,
    .ycc_to_rgb = ycc_to_rgb,
    .ycc_h2_to_rgb = ycc_h2_to_rgb,
};
#else
typedef int pcri_no_ssse3; /* ISO C wants something in each file */
#endif
