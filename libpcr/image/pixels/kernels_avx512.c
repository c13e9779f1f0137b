/* SPDX-License-Identifier: BSD-2-Clause */
/* Upsampling and colour conversion for x86-64 with AVX-512 (BW, VBMI, VNNI). */
#include "kernels.h"

#ifdef PCRI_HAVE_AVX512
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vbmi,avx512vnni,bmi2")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum { STEP = 32 };

typedef __m512i vec;

#define SIMD(name) _mm512_##name
#define SIMD_WHOLE(name) _mm512_##name##_si512
#define SIMD_FLOATS _mm512_castsi512_ps
#define ADD_PAIRS _mm512_dpwssd_epi32
#include "simd_x86.h"

INLINE vec load(const void *p)
{
    return _mm512_loadu_si512(p);
}

INLINE void store(void *p, vec v)
{
    _mm512_storeu_si512(p, v);
}

/* STEP bytes to 16 bits. */
INLINE vec widen(const uint8_t *p)
{
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *) (const void *) p));
}

INLINE void store_narrow(uint8_t *p, vec v)
{
    _mm256_storeu_si256((__m256i *) (void *) p, _mm512_cvtepi16_epi8(v));
}

/* Upper halves, by parts of 128 bits: four of `low`, four of `high`. */
#define PART(k) \
    8 * (k) + 1, 8 * (k) + 3, 8 * (k) + 5, 8 * (k) + 7, 8 * (k) + 33, 8 * (k) + 35, \
        8 * (k) + 37, 8 * (k) + 39
static const _Alignas(64) uint16_t upper_halves[32] = { PART(0), PART(1), PART(2), PART(3) };
#define UPPER16(low, high) _mm512_permutex2var_epi16(low, load(upper_halves), high)

#include "color_body.h"

/* Sixty-four pixels of a channel: in each 16 bytes the even pixels, then the odd ones.
 * AT(x) is where pixel x is. */
#define AT(x) ((x) / 16 * 16 + (x) % 2 * 8 + (x) % 16 / 2)
#define EIGHT(f, k) \
    f((k)), f((k) + 1), f((k) + 2), f((k) + 3), f((k) + 4), f((k) + 5), f((k) + 6), f((k) + 7)
#define ALL(f, k) \
    EIGHT(f, k), EIGHT(f, k + 8), EIGHT(f, k + 16), EIGHT(f, k + 24), EIGHT(f, k + 32), \
        EIGHT(f, k + 40), EIGHT(f, k + 48), EIGHT(f, k + 56)
#define AT_THIRD(k) (AT((k) / 3) + (k) % 3 % 2 * 64)

static const _Alignas(64) uint8_t in_order[64] = { ALL(AT, 0) };
/* Of each byte of 64 packed pixels the place in its channel, which is byte number % 3; the second
 * channel's after those of the first. */
static const _Alignas(64) uint8_t packed_order[3][64] = {
    { ALL(AT_THIRD, 0) },
    { ALL(AT_THIRD, 64) },
    { ALL(AT_THIRD, 128) },
};
#define EVERY_THIRD UINT64_C(0x9249249249249249)
static const uint64_t third_channel[3] = { EVERY_THIRD << 2, EVERY_THIRD << 1, EVERY_THIRD };

/* The first n of 64 bytes; none where n is not above 0. */
INLINE void store_bytes(uint8_t *at, __m512i v, ptrdiff_t n)
{
    if (n >= 64)
        _mm512_storeu_si512(at, v);
    else if (n > 0)
        _mm512_mask_storeu_epi8(at, _bzhi_u64(~UINT64_C(0), (unsigned) n), v);
}

/* n of sixty-four pixels; each channel has the even and the odd ones separately. */
INLINE void store_64(const __m512i channel[3], bool planar, ptrdiff_t n, size_t at,
                     uint8_t *const plane[3])
{
    for (int i = 0; i < 3; i++) {
        if (planar) {
            store_bytes(plane[i] + at, _mm512_permutexvar_epi8(load(in_order), channel[i]), n);
            continue;
        }
        __m512i order = load(packed_order[i]);
        __m512i v = _mm512_permutex2var_epi8(channel[0], order, channel[1]);
        v = _mm512_mask_permutexvar_epi8(v, third_channel[i], order, channel[2]);
        store_bytes(plane[0] + 3 * at + 64 * i, v, 3 * n - 64 * i);
    }
}

INLINE void convert_row(const uint8_t *y, const struct chroma *c, size_t n, bool planar,
                        uint8_t *const plane[3])
{
    __m512i channel[3];
    for (size_t at = 0; at < n; at += 64) {
        channels_at(y, at, c, channel);
        store_64(channel, planar, (ptrdiff_t) (n - at), at, plane);
    }
}

const struct pcri_kernels pcri_kernels_avx512 = {
    .name = "avx512",
    .idct = pcri_idct_avx512,
    .idct_scaled = pcri_idct_scaled_avx2,
    .mix_rows = mix_rows,
    .upsample_v2 = upsample_v2,
    .upsample_h2 = upsample_h2,
    .ycc_to_rgb = ycc_to_rgb,
    .ycc_h2_to_rgb = ycc_h2_to_rgb,
};
#else
typedef int pcri_no_avx512; /* ISO C wants something in each file */
#endif
