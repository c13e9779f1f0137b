/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8 x 8 inverse DCT, written once on vectors of 16-bit lanes (simd_*.h) and compiled for
 * each kind of CPU. The including file defines TARGET, INLINE, the vector operations, and
 * load_pairs() and load_corner(). A vector holds BLOCKS rows of 8: one of each block, in
 * parts of 128 bits, and no operation crosses the parts.
 *
 * The transform is that of Loeffler, Ligtenberg and Moschytz (1989), in 13-bit fixed point
 * with 2 more bits between the passes, as libjpeg's ISLOW has it; its rotations are written
 * out as sums of two products, for which CPUs have an instruction. Sums that libjpeg-turbo's
 * SIMD code takes in 16 bits wrap here too, and its saturation between the passes is
 * repeated, so that damaged or extreme coefficients give the same samples. */

enum { PASS1_SHIFT = 11, PASS2_SHIFT = 18 };

/* The zigzag indices of the top left 4 x 4 coefficients, without DC. */
#define CORNER_MASK UINT64_C(0x1063BFE)

/* The last step of a pass, on four columns or rows of 32 bits: a and b are the even and odd
 * parts; the results are in order. */
INLINE void butterfly(const vec a[4], const vec b[4], int shift, vec out[8])
{
    for (int i = 0; i < 4; i++) {
        out[i] = SRA32(ADD32(a[i], b[3 - i]), shift);
        out[7 - i] = SRA32(SUB32(a[i], b[3 - i]), shift);
    }
}

/* Half a pass, over four columns of eight rows, which are interleaved in pairs: (0, 4),
 * (2, 6), (7, 1), (3, 5). */
INLINE void half_pass(const vec p[4], int shift, vec out[8])
{
    vec round = SET32(1 << (shift - 1)), a[4], b[4];
    vec r0 = RAISE_FIRST(p[0]), r4 = RAISE_SECOND(p[0]); /* times 2^16: sums wrap */
    vec even0 = ADD32(SRA32(ADD32(r0, r4), 3), round);
    vec even1 = ADD32(SRA32(SUB32(r0, r4), 3), round);
    vec even3 = MADD(p[1], PAIR(10703, 4433)), even2 = MADD(p[1], PAIR(4433, -10704));
    a[0] = ADD32(even0, even3);
    a[1] = ADD32(even1, even2);
    a[2] = SUB32(even1, even2);
    a[3] = SUB32(even0, even3);
    vec z = ADD16(p[2], p[3]); /* rows 7 + 3, 1 + 5 */
    vec z3 = MADD(z, PAIR(-6436, 9633)), z4 = MADD(z, PAIR(9633, 6437));
    b[0] = ADD32(MADD(p[2], PAIR(-4927, -7373)), z3);
    b[1] = ADD32(MADD(p[3], PAIR(-20995, -4176)), z4);
    b[2] = ADD32(MADD(p[3], PAIR(4177, -20995)), z3);
    b[3] = ADD32(MADD(p[2], PAIR(-7373, 4926)), z4);
    butterfly(a, b, shift, out);
}

/* Half a pass where rows 4 to 7 are zero: pairs of rows (0, 2) and (1, 3). */
INLINE void corner_half_pass(vec p02, vec p13, int shift, vec out[8])
{
    vec round = SET32(1 << (shift - 1)), a[4], b[4];
    a[0] = ADD32(MADD(p02, PAIR(8192, 10703)), round);
    a[1] = ADD32(MADD(p02, PAIR(8192, 4433)), round);
    a[2] = ADD32(MADD(p02, PAIR(8192, -4433)), round);
    a[3] = ADD32(MADD(p02, PAIR(8192, -10703)), round);
    b[0] = MADD(p13, PAIR(2260, -6436));
    b[1] = MADD(p13, PAIR(6437, -11362));
    b[2] = MADD(p13, PAIR(9633, -2259));
    b[3] = MADD(p13, PAIR(11363, 9633));
    butterfly(a, b, shift, out);
}

/* Columns of differences from 128 become rows of samples, two a vector part. */
INLINE void store_columns(const vec c[8], uint8_t *dst, size_t stride_nbytes)
{
    vec p0 = PACK16(c[0], c[2]), p1 = PACK16(c[1], c[3]);
    vec p2 = PACK16(c[4], c[6]), p3 = PACK16(c[5], c[7]);
    vec a = LOW8(p0, p1), b = HIGH8(p0, p1), e = LOW8(p2, p3), f = HIGH8(p2, p3);
    vec left0 = LOW16(a, b), left1 = HIGH16(a, b);
    vec right0 = LOW16(e, f), right1 = HIGH16(e, f);
    STORE_2_ROWS(LOW32(left0, right0), dst, stride_nbytes);
    STORE_2_ROWS(HIGH32(left0, right0), dst + 2 * stride_nbytes, stride_nbytes);
    STORE_2_ROWS(LOW32(left1, right1), dst + 4 * stride_nbytes, stride_nbytes);
    STORE_2_ROWS(HIGH32(left1, right1), dst + 6 * stride_nbytes, stride_nbytes);
}

/* The first pass takes columns 2 6 7 1 and 3 5 0 4, so that the pairs of the second are side
 * by side after it. */
INLINE void idct_full(const int16_t *const coef[BLOCKS], const uint64_t mask[BLOCKS],
                      const struct pcri_dequant *q, bool offsets, int parts, uint8_t *dst,
                      size_t stride_nbytes)
{
    static const uint8_t first[2] = { 1, 3 }, second[2] = { 2, 0 }; /* of the halves */
    vec p[2][4], r[8], top[4], bottom[4], low[8], high[8];
    load_pairs(coef, mask, q, offsets, parts, p);
    for (int half = 0; half < 2; half++) {
        half_pass(p[half], PASS1_SHIFT, r);
        for (int i = 0; i < 4; i++)
            r[i] = PACK32(r[2 * i], r[2 * i + 1]);
        top[first[half]] = EVEN32(r[0], r[1]);
        top[second[half]] = ODD32(r[0], r[1]);
        bottom[first[half]] = EVEN32(r[2], r[3]);
        bottom[second[half]] = ODD32(r[2], r[3]);
    }
    half_pass(top, PASS2_SHIFT, low);
    half_pass(bottom, PASS2_SHIFT, high);
    for (int i = 0; i < 8; i++)
        r[i] = PACK32(low[i], high[i]);
    store_columns(r, dst, stride_nbytes);
}

/* The columns are in the order 0 2 1 3, so that after the first pass the pairs of the
 * second are side by side. */
INLINE void idct_corner(const int16_t *const coef[BLOCKS], const uint64_t mask[BLOCKS],
                        const struct pcri_dequant *q, bool offsets, uint8_t *dst,
                        size_t stride_nbytes)
{
    vec p02, p13, r[8], low[8], high[8];
    load_corner(coef, mask, q, offsets, &p02, &p13);
    corner_half_pass(p02, p13, PASS1_SHIFT, r);
    for (int i = 0; i < 4; i++)
        r[i] = PACK32(r[2 * i], r[2 * i + 1]);
    corner_half_pass(EVEN32(r[0], r[1]), ODD32(r[0], r[1]), PASS2_SHIFT, low);
    corner_half_pass(EVEN32(r[2], r[3]), ODD32(r[2], r[3]), PASS2_SHIFT, high);
    for (int i = 0; i < 8; i++)
        r[i] = PACK32(low[i], high[i]);
    store_columns(r, dst, stride_nbytes);
}

INLINE uint64_t flat_samples(int16_t coef, uint16_t quant)
{
    int dc = (int16_t) (uint16_t) ((unsigned) coef * quant);
    int v = ((dc * 4 + 16) >> 5) + 128;
    return (uint64_t) (v < 0 ? 0 : v > 255 ? 255 : v) * UINT64_C(0x0101010101010101);
}

INLINE void idct_row(const int16_t *coef, const uint64_t *mask, size_t count,
                     const struct pcri_dequant *q, bool offsets, uint8_t *dst,
                     size_t stride_nbytes)
{
    for (size_t i = 0; i < count; i += BLOCKS, dst += 8 * BLOCKS) {
        const int16_t *at[BLOCKS];
        uint64_t m[BLOCKS], any = 0;
        for (size_t k = 0; k < BLOCKS; k++) { /* beyond the last block, the last again */
            size_t j = i + k < count ? i + k : count - 1;
            at[k] = coef + 64 * j;
            any |= m[k] = mask[j];
        }
        if (any >> 32) {
            idct_full(at, m, q, offsets, 8, dst, stride_nbytes);
        } else if (any & ~CORNER_MASK) {
            idct_full(at, m, q, offsets, 4, dst, stride_nbytes);
        } else if (any) {
            idct_corner(at, m, q, offsets, dst, stride_nbytes);
        } else {
            uint64_t v[BLOCKS];
            for (size_t k = 0; k < BLOCKS; k++)
                v[k] = flat_samples(*at[k], q->quant[0]);
            for (size_t y = 0; y < 8; y++)
                memcpy(dst + y * stride_nbytes, v, sizeof(v));
        }
    }
}

TARGET static void idct(const int16_t *coef, const uint64_t *mask, size_t count,
                        const struct pcri_dequant *q, uint8_t *dst, size_t stride_nbytes)
{
    if (q->has_offsets)
        idct_row(coef, mask, count, q, true, dst, stride_nbytes);
    else
        idct_row(coef, mask, count, q, false, dst, stride_nbytes);
}
