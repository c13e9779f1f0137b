/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels for 64-bit ARM with NEON, which all such CPUs have. */
#include "kernels.h"

#ifdef PCRI_HAVE_NEON
#include <arm_neon.h>
#include <string.h>

#define TARGET
#define INLINE static inline __attribute__((always_inline))
#define BLOCKS 1

/* --- inverse DCT: the operations of idct_body.h --- */

typedef int32x4_t vec;

#define AS8(x) vreinterpretq_s8_s32(x)
#define AS16(x) vreinterpretq_s16_s32(x)
#define FROM8(x) vreinterpretq_s32_s8(x)
#define FROM16(x) vreinterpretq_s32_s16(x)

#define SET32(x) vdupq_n_s32(x)
#define PAIR(a, b) vdupq_n_s32((int) ((uint32_t) (uint16_t) (b) << 16 | (uint16_t) (a)))
#define ADD16(a, b) FROM16(vaddq_s16(AS16(a), AS16(b)))
#define ADD32 vaddq_s32
#define SUB32 vsubq_s32
#define SET16(x) FROM16(vdupq_n_s16(x))
#define ADDS16(a, b) FROM16(vqaddq_s16(AS16(a), AS16(b)))
#define SRA16(a, n) FROM16(AS16(a) >> (n))
#define SRA32(a, n) ((a) >> (n)) /* n is a constant only after inlining */
#define PACK32(a, b) FROM16(vqmovn_high_s32(vqmovn_s32(a), b))
#define PACK_BYTES(a, b) vreinterpretq_s32_u8(vqmovun_high_s16(vqmovun_s16(AS16(a)), AS16(b)))
#define LOW8(a, b) FROM8(vzip1q_s8(AS8(a), AS8(b)))
#define HIGH8(a, b) FROM8(vzip2q_s8(AS8(a), AS8(b)))
#define LOW16(a, b) FROM16(vzip1q_s16(AS16(a), AS16(b)))
#define HIGH16(a, b) FROM16(vzip2q_s16(AS16(a), AS16(b)))
#define LOW32 vzip1q_s32
#define HIGH32 vzip2q_s32
#define REVERSE32(v) vrev64q_s32(vextq_s32(v, v, 2))
#define EVEN32 vuzp1q_s32
#define ODD32 vuzp2q_s32
#define RAISE_FIRST(p) vshlq_n_s32(p, 16)
#define RAISE_SECOND(p) vandq_s32(p, vdupq_n_s32(-65536))

/* Sums of products of neighbours. */
INLINE vec madd(vec a, vec b)
{
    int32x4_t low = vmull_s16(vget_low_s16(AS16(a)), vget_low_s16(AS16(b)));
    return vpaddq_s32(low, vmull_high_s16(AS16(a), AS16(b)));
}
#define MADD madd

INLINE vec load(const int16_t *p)
{
    return FROM16(vld1q_s16(p));
}
#define ADD_PAIRS(sum, a, b) ADD32(sum, MADD(a, b))

/* Two rows of samples. */
INLINE void store_2_rows(vec v, uint8_t *dst, size_t stride_nbytes)
{
    const uint8x16_t samples = vreinterpretq_u8_s32(v);
    vst1_u8(dst, vget_low_u8(samples));
    vst1_u8(dst + stride_nbytes, vget_high_u8(samples));
}
#define STORE_2_ROWS store_2_rows

/* Coefficients 8 i to 8 i + 7, dequantised. */
INLINE uint8x16_t load_8(const int16_t *coef, const struct pcri_dequant *q, bool offsets,
                         int i)
{
    int16x8_t v = vld1q_s16(coef + 8 * i);
    int16x8_t product = vmulq_s16(v, vreinterpretq_s16_u16(vld1q_u16(q->quant + 8 * i)));
    if (offsets) {
        int16x8_t sign = vshrq_n_s16(v, 15);
        int16x8_t offset = vsubq_s16(veorq_s16(vld1q_s16(q->offset + 8 * i), sign), sign);
        offset = vandq_s16(offset, vreinterpretq_s16_u16(vtstq_s16(v, v)));
        product = vqaddq_s16(product, offset);
    }
    return vreinterpretq_u8_s16(product);
}

/* The bytes of eight coefficients by their zigzag indices. */
#define B(k) 2 * (k), 2 * (k) + 1
#define PICK(a, b, c, d, e, f, g, h) \
    { \
        B(a), B(b), B(c), B(d), B(e), B(f), B(g), B(h) \
    }
static const uint8_t pair_source[8][16] = {
    PICK(5, 23, 27, 52, 28, 54, 1, 19),  PICK(12, 37, 41, 59, 43, 61, 8, 34),
    PICK(48, 7, 62, 29, 63, 42, 36, 4),  PICK(18, 33, 44, 55, 53, 60, 11, 22),
    PICK(6, 32, 15, 45, 0, 10, 14, 39),  PICK(17, 47, 30, 56, 3, 21, 25, 50),
    PICK(49, 13, 58, 26, 35, 2, 57, 16), PICK(24, 38, 40, 51, 9, 20, 31, 46),
};
static const uint8_t corner_source[2][16] = {
    PICK(0, 3, 5, 12, 1, 8, 6, 17),
    PICK(2, 9, 7, 18, 4, 11, 13, 24),
};

/* Zigzag order to idct_body.h's pairs of rows. parts: 4 where coefficients beyond zigzag
 * index 31 are zero, else 8. */
INLINE void load_pairs(const int16_t *const coef[1], const struct pcri_dequant *q,
                       bool offsets, int parts, vec p[2][4])
{
    uint8x16x4_t low, high;
    for (int i = 0; i < 4; i++)
        low.val[i] = load_8(coef[0], q, offsets, i);
    for (int i = 0; i < 4 && parts == 8; i++)
        high.val[i] = load_8(coef[0], q, offsets, 4 + i);
    for (int i = 0; i < 8; i++) {
        uint8x16_t from = vld1q_u8(pair_source[i]);
        uint8x16_t v = vqtbl4q_u8(low, from); /* 0 if the index is above 63 */
        if (parts == 8)
            v = vqtbx4q_u8(v, high, vsubq_u8(from, vdupq_n_u8(64)));
        p[i / 4][i % 4] = vreinterpretq_s32_u8(v);
    }
}

/* Rows 0 and 2, 1 and 3 interleaved, columns 0 2 1 3. */
INLINE void load_corner(const int16_t *const coef[1], const struct pcri_dequant *q,
                        bool offsets, vec *p02, vec *p13)
{
    uint8x16x4_t z;
    for (int i = 0; i < 4; i++)
        z.val[i] = load_8(coef[0], q, offsets, i);
    *p02 = vreinterpretq_s32_u8(vqtbl4q_u8(z, vld1q_u8(corner_source[0])));
    *p13 = vreinterpretq_s32_u8(vqtbl4q_u8(z, vld1q_u8(corner_source[1])));
}

/* The first four numbers of the first row or column, in all lanes: pairs (0, 2) and (1, 3). */
INLINE void load_line(const int16_t *const coef[1], const struct pcri_dequant *q, bool offsets,
                      bool row, vec *even, vec *odd)
{
    static const uint8_t source[2][2][16] = {
        { PICK(0, 3, 0, 3, 0, 3, 0, 3), PICK(2, 9, 2, 9, 2, 9, 2, 9) },
        { PICK(0, 5, 0, 5, 0, 5, 0, 5), PICK(1, 6, 1, 6, 1, 6, 1, 6) },
    };
    const uint8x16x2_t z = { { load_8(coef[0], q, offsets, 0),
                               load_8(coef[0], q, offsets, 1) } };
    *even = vreinterpretq_s32_u8(vqtbl2q_u8(z, vld1q_u8(source[row][0])));
    *odd = vreinterpretq_s32_u8(vqtbl2q_u8(z, vld1q_u8(source[row][1])));
}

#include "idct_body.h"
#include "idct_row.h"

/* --- upsampling --- */

INLINE uint16x8_t mix_8(const uint8_t *near, const uint8_t *far)
{
    return vmlal_u8(vmovl_u8(vld1_u8(far)), vld1_u8(near), vdup_n_u8(3));
}

static void mix_rows(const uint8_t *near, const uint8_t *far, size_t n, uint16_t *sums)
{
    for (size_t i = 0; i < n; i += 8)
        vst1q_u16(sums + i, mix_8(near + i, far + i));
}

static void upsample_v2(const uint8_t *near, const uint8_t *far, size_t n, unsigned bias,
                        uint8_t *out)
{
    uint16x8_t b = vdupq_n_u16((uint16_t) bias);
    for (size_t i = 0; i < n; i += 8)
        vst1_u8(out + i, vshrn_n_u16(vaddq_u16(mix_8(near + i, far + i), b), 2));
}

/* The samples at the left and right of each sum's middle, times 16. */
INLINE void two_samples(const uint16_t *sums, const uint16_t bias[2], uint16x8_t out[2])
{
    uint16x8_t here = vmulq_n_u16(vld1q_u16(sums), 3);
    out[0] = vaddq_u16(vaddq_u16(here, vdupq_n_u16(bias[0])), vld1q_u16(sums - 1));
    out[1] = vaddq_u16(vaddq_u16(here, vdupq_n_u16(bias[1])), vld1q_u16(sums + 1));
}

/* Sixteen samples of eight sums, in order. */
INLINE uint8x16_t upsample_8(const uint16_t *sums, const uint16_t bias[2])
{
    uint16x8_t v[2];
    two_samples(sums, bias, v);
    uint8x8_t left = vshrn_n_u16(v[0], 4), right = vshrn_n_u16(v[1], 4);
    return vcombine_u8(vzip1_u8(left, right), vzip2_u8(left, right));
}

static void upsample_h2(const uint16_t *sums, size_t n, const uint16_t bias[2], uint8_t *out)
{
    for (size_t i = 0; i < n; i += 8)
        vst1q_u8(out + 2 * i, upsample_8(sums + i, bias));
}

/* --- colour --- */

/* Eight pixels; cb and cr less 128. Factors are those of BT.601, and the roundings those of
 * 16-bit fixed point in 32-bit sums: 1.402 = 22971 / 2^14, and 1.772 = 29033 / 2^14 give the
 * same for all 256 values. */
INLINE void convert_8(uint8x8_t luma, int16x8_t cb, int16x8_t cr, uint8x8_t rgb[3])
{
    int16x8_t y = vreinterpretq_s16_u16(vmovl_u8(luma));
    int16x8_t r = vqrdmulhq_n_s16(vshlq_n_s16(cr, 1), 22971);
    int16x8_t b = vqrdmulhq_n_s16(vshlq_n_s16(cb, 1), 29033);
    /* -0.71414 = 0.28586 - 1, so that the factor fits 16 bits. */
    int32x4_t low = vmull_n_s16(vget_low_s16(cb), -22554);
    int32x4_t high = vmull_n_s16(vget_high_s16(cb), -22554);
    low = vmlal_n_s16(low, vget_low_s16(cr), 18734);
    high = vmlal_n_s16(high, vget_high_s16(cr), 18734);
    int16x8_t g = vcombine_s16(vrshrn_n_s32(low, 16), vrshrn_n_s32(high, 16));
    rgb[0] = vqmovun_s16(vaddq_s16(y, r));
    rgb[1] = vqmovun_s16(vaddq_s16(vsubq_s16(y, cr), g));
    rgb[2] = vqmovun_s16(vaddq_s16(y, b));
}

INLINE int16x8_t centre(uint8x8_t v)
{
    return vreinterpretq_s16_u16(vsubl_u8(v, vdup_n_u8(128)));
}

INLINE void convert_16(const uint8_t *y, uint8x16_t cb, uint8x16_t cr, bool planar,
                       uint8_t *const plane[3])
{
    uint8x16_t luma = vld1q_u8(y);
    uint8x8_t low[3], high[3];
    convert_8(vget_low_u8(luma), centre(vget_low_u8(cb)), centre(vget_low_u8(cr)), low);
    convert_8(vget_high_u8(luma), centre(vget_high_u8(cb)), centre(vget_high_u8(cr)), high);
    uint8x16x3_t rgb;
    for (int c = 0; c < 3; c++)
        rgb.val[c] = vcombine_u8(low[c], high[c]);
    if (planar)
        for (int c = 0; c < 3; c++)
            vst1q_u8(plane[c], rgb.val[c]);
    else
        vst3q_u8(plane[0], rgb);
}

/* Where a row's chroma is: bytes, or sums of half the width. */
struct chroma_neon {
    const uint8_t *cb, *cr;
    const uint16_t *cb_sums, *cr_sums, *bias;
};

INLINE void convert_at(const uint8_t *y, const struct chroma_neon *c, size_t at, bool planar,
                       uint8_t *const plane[3])
{
    if (c->bias)
        convert_16(y + at, upsample_8(c->cb_sums + at / 2, c->bias),
                   upsample_8(c->cr_sums + at / 2, c->bias), planar, plane);
    else
        convert_16(y + at, vld1q_u8(c->cb + at), vld1q_u8(c->cr + at), planar, plane);
}

INLINE void convert_row(const uint8_t *y, const struct chroma_neon *c, size_t n, bool planar,
                        uint8_t *const out[3])
{
    size_t at = 0, step = planar ? 1 : 3;
    uint8_t *plane[3] = { out[0], planar ? out[1] : NULL, planar ? out[2] : NULL };
    for (; at + 16 <= n; at += 16) {
        convert_at(y, c, at, planar, plane);
        for (int i = 0; i < (planar ? 3 : 1); i++)
            plane[i] += 16 * step;
    }
    if (at < n) {
        uint8_t tail[48];
        uint8_t *const tails[3] = { tail, tail + 16, tail + 32 };
        convert_at(y, c, at, planar, tails);
        for (int i = 0; i < (planar ? 3 : 1); i++)
            memcpy(plane[i], tails[i], (n - at) * step);
    }
}

static void ycc_to_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                       const struct pcri_rgb_row *out)
{
    const struct chroma_neon c = { .cb = cb, .cr = cr };
    if (out->planar)
        convert_row(y, &c, n, true, out->plane);
    else
        convert_row(y, &c, n, false, out->plane);
}

static void ycc_h2_to_rgb(const uint8_t *y, const uint16_t *cb_sums, const uint16_t *cr_sums,
                          const uint16_t bias[2], size_t n, const struct pcri_rgb_row *out)
{
    const struct chroma_neon c = { .cb_sums = cb_sums, .cr_sums = cr_sums, .bias = bias };
    if (out->planar)
        convert_row(y, &c, n, true, out->plane);
    else
        convert_row(y, &c, n, false, out->plane);
}

const struct pcri_kernels pcri_kernels_neon = {
    .name = "neon",
    .idct = idct,
    .idct_scaled = pcri_idct_scaled_portable,
    .mix_rows = mix_rows,
    .upsample_v2 = upsample_v2,
    .upsample_h2 = upsample_h2,
    .ycc_to_rgb = ycc_to_rgb,
    .ycc_h2_to_rgb = ycc_h2_to_rgb,
};
#else
typedef int pcri_no_neon; /* ISO C wants something in each file */
#endif
