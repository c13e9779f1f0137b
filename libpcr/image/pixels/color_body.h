/* SPDX-License-Identifier: BSD-2-Clause */
/* Upsampling and colour conversion for vectors of any size: of 16-bit numbers, STEP at a time. The
 * file that includes it defines what a vector is, its operations, and convert_row(),
 * which stores pixels. */
struct chroma {
    const void *cb, *cr;
    bool h2; /* sums of half the width; else bytes */
    vec bias[2];
};

INLINE void convert_row(const uint8_t *y, const struct chroma *c, size_t n, bool planar,
                        uint8_t *const out[3]);

#ifndef UPPER16
/* The upper halves of sums, by the order that LOW16 and HIGH16 have changed. */
#define UPPER16(low, high) PACK32(SRA32(low, 16), SRA32(high, 16))
#endif

INLINE vec triple(vec v)
{
    return ADD16(v, ADD16(v, v));
}

/* --- upsampling --- */

TARGET static void mix_rows(const uint8_t *near, const uint8_t *far, size_t n, uint16_t *sums)
{
    for (size_t i = 0; i < n; i += STEP)
        store(sums + i, ADD16(triple(widen(near + i)), widen(far + i)));
}

TARGET static void upsample_v2(const uint8_t *near, const uint8_t *far, size_t n,
                               unsigned bias, uint8_t *out)
{
    vec b = SET16((short) bias);
    for (size_t i = 0; i < n; i += STEP)
        store_narrow(out + i,
                     SRL16(ADD16(ADD16(triple(widen(near + i)), widen(far + i)), b), 2));
}

/* The samples at the left and right of each sum's middle. */
INLINE void two_samples(const uint16_t *sums, vec bias0, vec bias1, vec out[2])
{
    vec here = triple(load(sums));
    out[0] = ADD16(ADD16(here, bias0), load(sums - 1));
    out[1] = ADD16(ADD16(here, bias1), load(sums + 1));
}

TARGET static void upsample_h2(const uint16_t *sums, size_t n, const uint16_t bias[2],
                               uint8_t *out)
{
    vec bias0 = SET16((short) bias[0]), bias1 = SET16((short) bias[1]), v[2];
    for (size_t i = 0; i < n; i += STEP) {
        two_samples(sums + i, bias0, bias1, v);
        store(out + 2 * i, IN_TURN(SRL16(v[0], 4), SRL16(v[1], 4)));
    }
}

/* --- colour --- */

/* STEP pixels; y: 0 to 255, cb and cr: twice -128 to 127. Factors are those of BT.601, and the
 * roundings those of 16-bit fixed point in 32-bit sums: 1.402 = 22971 / 2^14, and
 * 1.772 = 29033 / 2^14 give the same for all 256 values; green's, halved, fit 16 bits. */
INLINE void convert(vec y, vec cb, vec cr, vec rgb[3])
{
    const vec factors = PAIR(-11277, -23401), half = SET32(32768);
    const vec low = ADD_PAIRS(half, LOW16(cb, cr), factors);
    const vec high = ADD_PAIRS(half, HIGH16(cb, cr), factors);
    rgb[0] = ADD16(y, MULHRS(cr, SET16(22971)));
    rgb[1] = ADD16(y, UPPER16(low, high));
    rgb[2] = ADD16(y, MULHRS(cb, SET16(29033)));
}

/* Chroma of pixels `at` to `at` + 2 STEP - 1, even and odd ones apart, less 128, and twice. */
INLINE void chroma_at(const void *from, size_t at, const struct chroma *c, vec out[2])
{
    if (c->h2) {
        two_samples((const uint16_t *) from + at / 2, c->bias[0], c->bias[1], out);
        for (int i = 0; i < 2; i++) {
            out[i] = SRA16(out[i], 4);
            out[i] = ADD16(out[i], out[i]);
        }
        return;
    }
    const vec middle = SET16(256);
    const vec v = load((const uint8_t *) from + at);
    const vec even = EVEN_BYTES(v), odd = ODD_BYTES(v);
    out[0] = SUB16(ADD16(even, even), middle);
    out[1] = SUB16(ADD16(odd, odd), middle);
}

/* Those pixels, each channel in a vector of even and one of odd ones, made bytes. */
INLINE void channels_at(const uint8_t *y, size_t at, const struct chroma *c, vec out[3])
{
    vec luma = load(y + at), cb[2], cr[2], rgb[2][3];
    chroma_at(c->cb, at, c, cb);
    chroma_at(c->cr, at, c, cr);
    convert(EVEN_BYTES(luma), cb[0], cr[0], rgb[0]);
    convert(ODD_BYTES(luma), cb[1], cr[1], rgb[1]);
    for (int i = 0; i < 3; i++)
        out[i] = PACK_BYTES(rgb[0][i], rgb[1][i]);
}

INLINE void convert_either(const uint8_t *y, const struct chroma *c, size_t n,
                           const struct pcri_rgb_row *out)
{
    if (out->planar)
        convert_row(y, c, n, true, out->plane);
    else
        convert_row(y, c, n, false, out->plane);
}

TARGET static void ycc_to_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                              const struct pcri_rgb_row *out)
{
    const struct chroma c = { .cb = cb, .cr = cr, .h2 = false };
    convert_either(y, &c, n, out);
}

TARGET static void ycc_h2_to_rgb(const uint8_t *y, const uint16_t *cb_sums,
                                 const uint16_t *cr_sums, const uint16_t bias[2], size_t n,
                                 const struct pcri_rgb_row *out)
{
    /* 128 less than 0 to 255: 2048 before the division by 16. */
    const struct chroma c = { .cb = cb_sums,
                              .cr = cr_sums,
                              .h2 = true,
                              .bias = { SET16((short) (bias[0] - 2048)),
                                        SET16((short) (bias[1] - 2048)) } };
    convert_either(y, &c, n, out);
}
