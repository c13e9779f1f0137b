/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of blocks by the passes of idct_body.h, where a vector has one block. The including file
 * defines also load_line(). */

/* The zigzag indices of the first four coefficients of the first row and column, without DC. */
#define ROW_MASK UINT64_C(0x62)
#define COLUMN_MASK UINT64_C(0x20C)

/* --- blocks that have only a row or a column of coefficients --- */

/* What four numbers become, whose pairs (0, 2) and (1, 3) are in all lanes: eight sums. */
INLINE void line_sums(vec even, vec odd, int bias, vec out[2])
{
    static const int16_t even_factors[8] = {
        8192, 10703, 8192, 4433, 8192, -4433, 8192, -10703
    };
    static const int16_t odd_factors[8] = {
        11363, 9633, 9633, -2259, 6437, -11362, 2260, -6436
    };
    const vec a = ADD_PAIRS(SET32(bias), even, load(even_factors));
    const vec b = MADD(odd, load(odd_factors));
    out[0] = ADD32(a, b);
    out[1] = REVERSE32(SUB32(a, b));
}

/* Of each column the first pass makes four times its only number: all rows are the same. */
INLINE void row_alone(vec even, vec odd, uint8_t *dst, size_t stride_nbytes)
{
    vec sums[2];
    for (int i = 0; i < 2; i++) {
        even = ADDS16(even, even);
        odd = ADDS16(odd, odd);
    }
    line_sums(even, odd, PASS2_BIAS, sums);
    vec v = PACK32(SRA32(sums[0], PASS2_SHIFT), SRA32(sums[1], PASS2_SHIFT));
    v = PACK_BYTES(v, v);
    for (size_t y = 0; y < 8; y += 2)
        STORE_2_ROWS(v, dst + y * stride_nbytes, stride_nbytes);
}

/* All columns are the same, and the second pass divides by 32. */
INLINE void column_alone(vec even, vec odd, uint8_t *dst, size_t stride_nbytes)
{
    vec sums[2];
    line_sums(even, odd, PASS1_BIAS, sums);
    vec v = PACK32(SRA32(sums[0], PASS1_SHIFT), SRA32(sums[1], PASS1_SHIFT));
    v = SRA16(ADD16(SRA16(v, 4), SET16(1)), 1);
    v = ADD16(v, SET16(128));
    v = PACK_BYTES(v, v);
    v = LOW8(v, v);
    const vec top = LOW16(v, v), bottom = HIGH16(v, v);
    STORE_2_ROWS(LOW32(top, top), dst, stride_nbytes);
    STORE_2_ROWS(HIGH32(top, top), dst + 2 * stride_nbytes, stride_nbytes);
    STORE_2_ROWS(LOW32(bottom, bottom), dst + 4 * stride_nbytes, stride_nbytes);
    STORE_2_ROWS(HIGH32(bottom, bottom), dst + 6 * stride_nbytes, stride_nbytes);
}

/* --- blocks by what they have --- */

INLINE void idct_full(const int16_t *const coef[1], const struct pcri_dequant *q, bool offsets,
                      int parts, uint8_t *dst, size_t stride_nbytes)
{
    vec p[2][4], top[4], bottom[4];
    load_pairs(coef, q, offsets, parts, p);
    first_pass(p, top, bottom);
    second_pass(top, bottom, dst, stride_nbytes);
}

INLINE void idct_corner(const int16_t *const coef[1], const struct pcri_dequant *q,
                        bool offsets, uint8_t *dst, size_t stride_nbytes)
{
    vec p02, p13, rows[4];
    load_corner(coef, q, offsets, &p02, &p13);
    corner_first_pass(p02, p13, rows);
    corner_second_pass(rows, dst, stride_nbytes);
}

INLINE void idct_line(const int16_t *const coef[1], const struct pcri_dequant *q, bool offsets,
                      bool row, uint8_t *dst, size_t stride_nbytes)
{
    vec even, odd;
    load_line(coef, q, offsets, row, &even, &odd);
    if (row)
        row_alone(even, odd, dst, stride_nbytes);
    else
        column_alone(even, odd, dst, stride_nbytes);
}

INLINE void idct_flat(int16_t coef, uint16_t quant, uint8_t *dst, size_t stride_nbytes)
{
    int dc = (int16_t) (uint16_t) ((unsigned) coef * quant);
    int sample = ((dc * 4 + 16) >> 5) + 128;
    sample = sample < 0 ? 0 : sample > 255 ? 255 : sample;
    const uint64_t row = (uint64_t) sample * UINT64_C(0x0101010101010101);
    for (size_t y = 0; y < 8; y++)
        memcpy(dst + y * stride_nbytes, &row, sizeof(row));
}

INLINE void idct_row(const int16_t *coef, const uint64_t *mask, size_t count,
                     const struct pcri_dequant *q, bool offsets, uint8_t *dst,
                     size_t stride_nbytes)
{
    for (size_t i = 0; i < count; i++, dst += 8) {
        const int16_t *const at[1] = { coef + 64 * i };
        if (!mask[i])
            idct_flat(*at[0], q->quant[0], dst, stride_nbytes);
        else if (!(mask[i] & ~ROW_MASK))
            idct_line(at, q, offsets, true, dst, stride_nbytes);
        else if (!(mask[i] & ~COLUMN_MASK))
            idct_line(at, q, offsets, false, dst, stride_nbytes);
        else if (!(mask[i] & ~CORNER_MASK))
            idct_corner(at, q, offsets, dst, stride_nbytes);
        else if (!(mask[i] >> 32))
            idct_full(at, q, offsets, 4, dst, stride_nbytes);
        else
            idct_full(at, q, offsets, 8, dst, stride_nbytes);
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
