/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of blocks by the passes of idct_body.h, where a vector has one block. */
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
        if (mask[i] >> 32)
            idct_full(at, q, offsets, 8, dst, stride_nbytes);
        else if (mask[i] & ~CORNER_MASK)
            idct_full(at, q, offsets, 4, dst, stride_nbytes);
        else if (mask[i])
            idct_corner(at, q, offsets, dst, stride_nbytes);
        else
            idct_flat(*at[0], q->quant[0], dst, stride_nbytes);
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
