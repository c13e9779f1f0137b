/* SPDX-License-Identifier: BSD-2-Clause */
/* Upsampling and colour conversion for x86-64 with AVX-512 (BW, VBMI, VNNI). */
#include "kernels.h"

#ifdef PCRI_HAVE_AVX512
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vbmi,avx512vnni,bmi2")))
#define INLINE TARGET static inline __attribute__((always_inline))

INLINE __m512i load(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* Thirty-two bytes to 16 bits. */
INLINE __m512i widen(const uint8_t *p)
{
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *) (const void *) p));
}

INLINE __m512i triple(__m512i v)
{
    return _mm512_add_epi16(v, _mm512_add_epi16(v, v));
}

/* --- upsampling --- */

TARGET static void mix_rows(const uint8_t *near, const uint8_t *far, size_t n, uint16_t *sums)
{
    for (size_t i = 0; i < n; i += 32)
        _mm512_storeu_si512(sums + i,
                            _mm512_add_epi16(triple(widen(near + i)), widen(far + i)));
}

TARGET static void upsample_v2(const uint8_t *near, const uint8_t *far, size_t n,
                               unsigned bias, uint8_t *out)
{
    __m512i b = _mm512_set1_epi16((short) bias);
    for (size_t i = 0; i < n; i += 32) {
        __m512i v = _mm512_add_epi16(triple(widen(near + i)), widen(far + i));
        v = _mm512_srli_epi16(_mm512_add_epi16(v, b), 2);
        _mm256_storeu_si256((__m256i *) (void *) (out + i), _mm512_cvtepi16_epi8(v));
    }
}

/* The samples at the left and right of each sum's middle. */
INLINE void two_samples(const uint16_t *sums, __m512i bias0, __m512i bias1, __m512i out[2])
{
    __m512i here = triple(load(sums));
    out[0] = _mm512_add_epi16(_mm512_add_epi16(here, bias0), load(sums - 1));
    out[1] = _mm512_add_epi16(_mm512_add_epi16(here, bias1), load(sums + 1));
}

TARGET static void upsample_h2(const uint16_t *sums, size_t n, const uint16_t bias[2],
                               uint8_t *out)
{
    __m512i bias0 = _mm512_set1_epi16((short) bias[0]), v[2];
    __m512i bias1 = _mm512_set1_epi16((short) bias[1]);
    for (size_t i = 0; i < n; i += 32) {
        two_samples(sums + i, bias0, bias1, v);
        v[0] = _mm512_srli_epi16(v[0], 4);
        v[1] = _mm512_slli_epi16(_mm512_srli_epi16(v[1], 4), 8);
        _mm512_storeu_si512(out + 2 * i, _mm512_or_si512(v[0], v[1]));
    }
}

/* --- colour --- */

/* Thirty-two pixels; y: 0 to 255, cb and cr: -128 to 127. As kernels_avx2.c has it. */
INLINE void convert(__m512i y, __m512i cb, __m512i cr, __m512i rgb[3])
{
    __m512i r = _mm512_mulhrs_epi16(_mm512_add_epi16(cr, cr), _mm512_set1_epi16(22971));
    __m512i b = _mm512_mulhrs_epi16(_mm512_add_epi16(cb, cb), _mm512_set1_epi16(29033));
    rgb[0] = _mm512_add_epi16(y, r);
    rgb[2] = _mm512_add_epi16(y, b);

    /* -0.71414 = 0.28586 - 1, so that the factor fits 16 bits. */
    const __m512i factors = _mm512_set1_epi32((int) (18734u << 16 | (uint16_t) -22554));
    const __m512i half = _mm512_set1_epi32(32768);
    __m512i low = _mm512_dpwssd_epi32(half, _mm512_unpacklo_epi16(cb, cr), factors);
    __m512i high = _mm512_dpwssd_epi32(half, _mm512_unpackhi_epi16(cb, cr), factors);
    low = _mm512_packs_epi32(_mm512_srai_epi32(low, 16), _mm512_srai_epi32(high, 16));
    rgb[1] = _mm512_add_epi16(_mm512_sub_epi16(y, cr), low);
}

/* Sixty-four pixels of a channel: in each 16 bytes the even pixels, then the odd ones.
 * AT(x) is where pixel x is. */
#define AT(x) ((x) / 16 * 16 + (x) % 2 * 8 + (x) % 16 / 2)
#define EIGHT(f, k) \
    f((k)), f((k) + 1), f((k) + 2), f((k) + 3), f((k) + 4), f((k) + 5), f((k) + 6), f((k) + 7)
#define ALL(f, k) \
    EIGHT(f, k), EIGHT(f, k + 8), EIGHT(f, k + 16), EIGHT(f, k + 24), EIGHT(f, k + 32), \
        EIGHT(f, k + 40), EIGHT(f, k + 48), EIGHT(f, k + 56)
#define AT_THIRD(k) AT((k) / 3)

static const _Alignas(64) uint8_t in_order[64] = { ALL(AT, 0) };
/* Of each byte of 64 packed pixels the place in its channel, which is byte number % 3. */
static const _Alignas(64) uint8_t packed_order[3][64] = {
    { ALL(AT_THIRD, 0) },
    { ALL(AT_THIRD, 64) },
    { ALL(AT_THIRD, 128) },
};
#define EVERY_THIRD UINT64_C(0x9249249249249249)
static const uint64_t second_channel[3] = { EVERY_THIRD << 1, EVERY_THIRD, EVERY_THIRD << 2 };
static const uint64_t third_channel[3] = { EVERY_THIRD << 2, EVERY_THIRD << 1, EVERY_THIRD };

/* The first n of 64 bytes; none where n is not above 0. */
INLINE void store_bytes(uint8_t *at, __m512i v, ptrdiff_t n)
{
    if (n >= 64)
        _mm512_storeu_si512(at, v);
    else if (n > 0)
        _mm512_mask_storeu_epi8(at, _bzhi_u64(~UINT64_C(0), (unsigned) n), v);
}

/* n of sixty-four pixels, the even and the odd ones apart. */
INLINE void store_64(const __m512i even[3], const __m512i odd[3], bool planar, ptrdiff_t n,
                     size_t at, uint8_t *const plane[3])
{
    __m512i channel[3];
    for (int c = 0; c < 3; c++)
        channel[c] = _mm512_packus_epi16(even[c], odd[c]);
    for (int i = 0; i < 3; i++) {
        if (planar) {
            store_bytes(plane[i] + at, _mm512_permutexvar_epi8(load(in_order), channel[i]), n);
            continue;
        }
        __m512i order = load(packed_order[i]);
        __m512i v = _mm512_permutexvar_epi8(order, channel[0]);
        v = _mm512_mask_permutexvar_epi8(v, second_channel[i], order, channel[1]);
        v = _mm512_mask_permutexvar_epi8(v, third_channel[i], order, channel[2]);
        store_bytes(plane[0] + 3 * at + 64 * i, v, 3 * n - 64 * i);
    }
}

struct chroma_avx512 {
    const void *cb, *cr;
    bool h2; /* sums of half the width; else bytes */
    __m512i bias[2];
};

/* Chroma of pixels `at` to `at` + 63, even and odd ones apart, less 128. */
INLINE void chroma_64(const void *from, size_t at, const struct chroma_avx512 *c,
                      __m512i out[2])
{
    if (c->h2) {
        two_samples((const uint16_t *) from + at / 2, c->bias[0], c->bias[1], out);
        out[0] = _mm512_srai_epi16(out[0], 4);
        out[1] = _mm512_srai_epi16(out[1], 4);
        return;
    }
    const __m512i middle = _mm512_set1_epi16(128);
    __m512i v = load((const uint8_t *) from + at);
    out[0] = _mm512_sub_epi16(_mm512_and_si512(v, _mm512_set1_epi16(255)), middle);
    out[1] = _mm512_sub_epi16(_mm512_srli_epi16(v, 8), middle);
}

INLINE void convert_64(const uint8_t *y, size_t at, const struct chroma_avx512 *c, bool planar,
                       ptrdiff_t n, uint8_t *const plane[3])
{
    __m512i luma = load(y + at), cb[2], cr[2], rgb[2][3];
    chroma_64(c->cb, at, c, cb);
    chroma_64(c->cr, at, c, cr);
    convert(_mm512_and_si512(luma, _mm512_set1_epi16(255)), cb[0], cr[0], rgb[0]);
    convert(_mm512_srli_epi16(luma, 8), cb[1], cr[1], rgb[1]);
    store_64(rgb[0], rgb[1], planar, n, at, plane);
}

INLINE void convert_row(const uint8_t *y, const struct chroma_avx512 *c, size_t n, bool planar,
                        uint8_t *const plane[3])
{
    size_t at = 0;
    for (; at + 64 <= n; at += 64)
        convert_64(y, at, c, planar, 64, plane);
    if (at < n)
        convert_64(y, at, c, planar, (ptrdiff_t) (n - at), plane);
}

TARGET static void ycc_to_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                              const struct pcri_rgb_row *out)
{
    struct chroma_avx512 c = { .cb = cb, .cr = cr, .h2 = false };
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
    struct chroma_avx512 c = { .cb = cb_sums,
                               .cr = cr_sums,
                               .h2 = true,
                               .bias = { _mm512_set1_epi16((short) (bias[0] - 2048)),
                                         _mm512_set1_epi16((short) (bias[1] - 2048)) } };
    if (out->planar)
        convert_row(y, &c, n, true, out->plane);
    else
        convert_row(y, &c, n, false, out->plane);
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
