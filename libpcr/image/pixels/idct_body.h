/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8 x 8 inverse DCT, written once on vectors of 16-bit lanes (simd_*.h) and compiled for
 * each kind of CPU: its passes, for idct_row.h or idct_lists.h, which go through a row of blocks.
 * The including file defines TARGET, INLINE, the vector operations, and load_pairs() and
 * load_corner(). A vector holds BLOCKS rows of 8: one of each block, in parts of 128 bits.
 *
 * The transform is that of Loeffler, Ligtenberg and Moschytz (1989), in 13-bit fixed point
 * with 2 more bits between the passes, as libjpeg's ISLOW has it; its rotations are written
 * out as sums of two products, for which CPUs have an instruction. Sums that libjpeg-turbo's
 * SIMD code takes in 16 bits wrap here too, and its saturation between the passes is
 * repeated, so that damaged or extreme coefficients give the same samples. */

enum {
    PASS1_SHIFT = 11,
    PASS2_SHIFT = 18,
    PASS1_BIAS = 1 << (PASS1_SHIFT - 1), /* rounds */
    /* The middle of samples, too: no sum is so large that it would overflow. */
    PASS2_BIAS = (1 << (PASS2_SHIFT - 1)) + (128 << PASS2_SHIFT),
};

/* The zigzag indices of the top left 4 x 4 coefficients, without DC. */
#define CORNER_MASK UINT64_C(0x1063BFE)

/* The last step of a pass, on four columns or rows of 32 bits: a and b are the even and odd
 * parts; the results are in order, and still to be shifted. */
INLINE void butterfly(const vec a[4], const vec b[4], vec out[8])
{
    for (int i = 0; i < 4; i++) {
        out[i] = ADD32(a[i], b[3 - i]);
        out[7 - i] = SUB32(a[i], b[3 - i]);
    }
}

#ifndef EVEN_SUMS
/* Sums and differences of rows 0 and 4, which wrap at 16 bits, times 8192. */
INLINE void even_sums(vec p, vec bias, vec *sum, vec *difference)
{
    const vec r0 = RAISE_FIRST(p), r4 = RAISE_SECOND(p); /* times 2^16 */
    *sum = ADD32(SRA32(ADD32(r0, r4), 3), bias);
    *difference = ADD32(SRA32(SUB32(r0, r4), 3), bias);
}
#define EVEN_SUMS even_sums
#endif

/* Half a pass, over four columns of eight rows, which are interleaved in pairs: (0, 4),
 * (2, 6), (7, 1), (3, 5). `bias` comes to each sum. */
INLINE void half_pass(const vec p[4], int bias, vec out[8])
{
    vec a[4], b[4], even0, even1;
    EVEN_SUMS(p[0], SET32(bias), &even0, &even1);
    vec even3 = MADD(p[1], PAIR(10703, 4433)), even2 = MADD(p[1], PAIR(4433, -10704));
    a[0] = ADD32(even0, even3);
    a[1] = ADD32(even1, even2);
    a[2] = SUB32(even1, even2);
    a[3] = SUB32(even0, even3);
    vec z = ADD16(p[2], p[3]); /* rows 7 + 3, 1 + 5 */
    vec z3 = MADD(z, PAIR(-6436, 9633)), z4 = MADD(z, PAIR(9633, 6437));
    b[0] = ADD_PAIRS(z3, p[2], PAIR(-4927, -7373));
    b[1] = ADD_PAIRS(z4, p[3], PAIR(-20995, -4176));
    b[2] = ADD_PAIRS(z3, p[3], PAIR(4177, -20995));
    b[3] = ADD_PAIRS(z4, p[2], PAIR(-7373, 4926));
    butterfly(a, b, out);
}

/* Half a pass where rows 4 to 7 are zero: pairs of rows (0, 2) and (1, 3). */
INLINE void corner_half_pass(vec p02, vec p13, int bias, vec out[8])
{
    vec a[4], b[4];
    a[0] = ADD_PAIRS(SET32(bias), p02, PAIR(8192, 10703));
    a[1] = ADD_PAIRS(SET32(bias), p02, PAIR(8192, 4433));
    a[2] = ADD_PAIRS(SET32(bias), p02, PAIR(8192, -4433));
    a[3] = ADD_PAIRS(SET32(bias), p02, PAIR(8192, -10703));
    b[0] = MADD(p13, PAIR(2260, -6436));
    b[1] = MADD(p13, PAIR(6437, -11362));
    b[2] = MADD(p13, PAIR(9633, -2259));
    b[3] = MADD(p13, PAIR(11363, 9633));
    butterfly(a, b, out);
}

/* The first pass's sums of eight rows, by two rows a vector. */
INLINE void narrow_rows(const vec sums[8], vec out[4])
{
    for (int i = 0; i < 4; i++)
        out[i] = PACK32(SRA32(sums[2 * i], PASS1_SHIFT), SRA32(sums[2 * i + 1], PASS1_SHIFT));
}

#ifndef STORE_SUMS
/* The second pass's sums of eight columns, of rows 0 to 3 and 4 to 7, become rows of samples,
 * two a vector part. */
INLINE void store_sums(const vec top[8], const vec bottom[8], uint8_t *dst,
                       size_t stride_nbytes)
{
    vec c[8];
    for (int i = 0; i < 8; i++)
        c[i] = PACK32(SRA32(top[i], PASS2_SHIFT), SRA32(bottom[i], PASS2_SHIFT));
    vec p0 = PACK_BYTES(c[0], c[2]), p1 = PACK_BYTES(c[1], c[3]);
    vec p2 = PACK_BYTES(c[4], c[6]), p3 = PACK_BYTES(c[5], c[7]);
    vec a = LOW8(p0, p1), b = HIGH8(p0, p1), e = LOW8(p2, p3), f = HIGH8(p2, p3);
    vec left0 = LOW16(a, b), left1 = HIGH16(a, b);
    vec right0 = LOW16(e, f), right1 = HIGH16(e, f);
    STORE_2_ROWS(LOW32(left0, right0), dst, stride_nbytes);
    STORE_2_ROWS(HIGH32(left0, right0), dst + 2 * stride_nbytes, stride_nbytes);
    STORE_2_ROWS(LOW32(left1, right1), dst + 4 * stride_nbytes, stride_nbytes);
    STORE_2_ROWS(HIGH32(left1, right1), dst + 6 * stride_nbytes, stride_nbytes);
}
#define STORE_SUMS store_sums
#endif

/* The first pass takes columns 2 6 7 1 and 3 5 0 4, so that the pairs of the second are side
 * by side after it. */
INLINE void first_pass(vec p[2][4], vec top[4], vec bottom[4])
{
    static const uint8_t first[2] = { 1, 3 }, second[2] = { 2, 0 }; /* of the halves */
    vec sums[8], r[4];
    for (int half = 0; half < 2; half++) {
        half_pass(p[half], PASS1_BIAS, sums);
        narrow_rows(sums, r);
        top[first[half]] = EVEN32(r[0], r[1]);
        top[second[half]] = ODD32(r[0], r[1]);
        bottom[first[half]] = EVEN32(r[2], r[3]);
        bottom[second[half]] = ODD32(r[2], r[3]);
    }
}

INLINE void second_pass(const vec top[4], const vec bottom[4], uint8_t *dst,
                        size_t stride_nbytes)
{
    vec low[8], high[8];
    half_pass(top, PASS2_BIAS, low);
    half_pass(bottom, PASS2_BIAS, high);
    STORE_SUMS(low, high, dst, stride_nbytes);
}

/* The columns are in the order 0 2 1 3, so that after the first pass the pairs of the
 * second are side by side. */
INLINE void corner_first_pass(vec p02, vec p13, vec rows[4])
{
    vec sums[8];
    corner_half_pass(p02, p13, PASS1_BIAS, sums);
    narrow_rows(sums, rows);
}

INLINE void corner_second_pass(const vec rows[4], uint8_t *dst, size_t stride_nbytes)
{
    vec low[8], high[8];
    corner_half_pass(EVEN32(rows[0], rows[1]), ODD32(rows[0], rows[1]), PASS2_BIAS, low);
    corner_half_pass(EVEN32(rows[2], rows[3]), ODD32(rows[2], rows[3]), PASS2_BIAS, high);
    STORE_SUMS(low, high, dst, stride_nbytes);
}
