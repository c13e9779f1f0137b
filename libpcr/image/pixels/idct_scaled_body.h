/* SPDX-License-Identifier: BSD-2-Clause */
/* Inverse DCTs to blocks of other sizes than 8 x 8 (the picture scaled by N/8), written once
 * on vectors of 16-bit lanes, as idct_body.h. The including file defines also
 * load_scaled_pairs().
 *
 * libjpeg has a factorised transform for each size, which adds products of integers without
 * a rounding between them. So each is a matrix of integers (below), and one
 * routine does them all, to the bit. 1 x 1 is the DC alone; 2 x 2 and 4 x 4 are those of
 * libjpeg-turbo's SIMD code, which saturates; the others wrap at 10 bits as its C code. */

enum { MAX_SIZE = 14 };

/* A row for each output n of the first half: factors of inputs 0 2 4 6, whose sum both n and
 * size - 1 - n take, and of 1 3 5 7, which the latter takes negated. */
static const int16_t matrices[][8] = {
    /* 3 */
    { 8192, 5793, 0, 0, 10033, 0, 0, 0 },
    { 8192, -11586, 0, 0, 0, 0, 0, 0 },
    /* 4 */
    { 16384, 15137, 0, -6270, 20995, 7373, -4926, -4176 },
    { 16384, -15137, 0, 6270, 8697, -17799, 11893, -1730 },
    /* 5 */
    { 8192, 9372, 3580, 0, 11019, 6810, 0, 0 },
    { 8192, -3580, -9372, 0, 6810, -11018, 0, 0 },
    { 8192, -11584, 11584, 0, 0, 0, 0, 0 },
    /* 6 */
    { 8192, 10033, 5793, 0, 11190, 8192, 2998, 0 },
    { 8192, 0, -11586, 0, 8192, -8192, -8192, 0 },
    { 8192, -10033, 5793, 0, 2998, -8192, 11190, 0 },
    /* 7 */
    { 8192, 10438, 7223, 2578, 11295, 9058, 5027, 0 },
    { 8192, 2578, -10438, -7223, 9058, -5027, -11295, 0 },
    { 8192, -7223, -2578, 10438, 5027, -11295, 9058, 0 },
    { 8192, -11585, 11585, -11585, 0, 0, 0, 0 },
    /* 10 */
    { 8192, 11019, 9373, 6810, 11443, 10322, 8192, 5260 },
    { 8192, 6810, -3580, -11018, 10323, 1812, -8192, -11442 },
    { 8192, 0, -11586, 0, 8192, -8192, -8192, 8192 },
    { 8192, -6810, -3580, 11018, 5260, -11442, 8192, 1812 },
    { 8192, -11019, 9373, -6810, 1812, -5260, 8192, -10322 },
    /* 12 */
    { 8192, 11190, 10033, 8192, 11487, 10703, 9192, 7053 },
    { 8192, 8192, 0, -8192, 10703, 4433, -4433, -10703 },
    { 8192, 2998, -10033, -8192, 9192, -4433, -11485, -1512 },
    { 8192, -2998, -10033, 8192, 7053, -10703, -1512, 11486 },
    { 8192, -8192, 0, 8192, 4433, -10704, 10704, -4433 },
    { 8192, -11190, 10033, -8192, 1513, -4433, 7053, -9191 },
    /* 14 */
    { 8192, 11295, 10438, 9058, 11513, 10935, 9810, 8192 },
    { 8192, 9058, 2578, -5026, 10935, 6164, -1297, -8192 },
    { 8192, 5027, -7223, -11295, 9810, -1297, -10934, -8192 },
    { 8192, 0, -11586, 0, 8192, -8192, -8192, 8192 },
    { 8192, -5027, -7223, 11295, 6164, -11512, 3826, 8192 },
    { 8192, -9058, 2578, 5026, 3826, -9809, 11512, -8192 },
    { 8192, -11295, 10438, -9058, 1297, -3826, 6164, -8192 },
};
static const uint8_t first_row[MAX_SIZE + 1] = {
    [3] = 0, [4] = 2, [5] = 4, [6] = 7, [7] = 10, [10] = 14, [12] = 19, [14] = 25
};

/* How a size is computed. */
struct scaling {
    int size;
    bool wraps;
    int bits; /* of the factors */
};

INLINE vec factors(const int16_t *pair)
{
    int32_t both;
    memcpy(&both, pair, sizeof(both));
    return SET32(both);
}

/* Four columns of one pair of outputs, n and size - 1 - n. */
INLINE void output_pair(const vec p[4], const int16_t *m, int shift, bool wrap, vec out[2])
{
    vec even = ADD32(MADD(p[0], factors(m)), MADD(p[1], factors(m + 2)));
    vec odd = ADD32(MADD(p[2], factors(m + 4)), MADD(p[3], factors(m + 6)));
    even = ADD32(even, SET32(1 << (shift - 1)));
    out[0] = SRA32(ADD32(even, odd), shift);
    out[1] = SRA32(SUB32(even, odd), shift);
    for (int i = 0; wrap && i < 2; i++)
        out[i] = SUB32(ADD32(out[i], SET32(512)) & SET32(1023), SET32(512));
}

INLINE void scaled_pass(vec p[2][4], const struct scaling *s, int shift, bool wrap, vec *out)
{
    for (int n = 0; 2 * n < s->size; n++) {
        const int16_t *m = matrices[first_row[s->size] + n];
        vec low[2], high[2];
        output_pair(p[0], m, shift, wrap, low);
        output_pair(p[1], m, shift, wrap, high);
        out[s->size - 1 - n] = PACK32(low[1], high[1]);
        out[n] = PACK32(low[0], high[0]);
    }
}

/* Four rows, each of pairs of columns, become pairs of rows' lanes. */
INLINE void turn_pairs(const vec r[4], vec p[4])
{
    vec a = LOW32(r[0], r[1]), b = LOW32(r[2], r[3]);
    vec c = HIGH32(r[0], r[1]), d = HIGH32(r[2], r[3]);
    p[0] = LOW64(a, b);
    p[1] = HIGH64(a, b);
    p[2] = LOW64(c, d);
    p[3] = HIGH64(c, d);
}

/* Eight columns of differences from 128 become `count` rows of `width` samples in each block;
 * blocks are `size` samples apart. */
INLINE void store_scaled(const vec c[8], int count, size_t width, size_t size, uint8_t *dst,
                         size_t stride_nbytes)
{
    vec a = PACK16(c[0], c[2]), b = PACK16(c[1], c[3]);
    vec e = PACK16(c[4], c[6]), f = PACK16(c[5], c[7]);
    vec left0 = LOW8(a, b), left1 = HIGH8(a, b), right0 = LOW8(e, f), right1 = HIGH8(e, f);
    vec top = LOW16(left0, left1), bottom = HIGH16(left0, left1);
    vec top_right = LOW16(right0, right1), bottom_right = HIGH16(right0, right1);
    vec rows[4] = { LOW32(top, top_right), HIGH32(top, top_right), LOW32(bottom, bottom_right),
                    HIGH32(bottom, bottom_right) };
    uint64_t samples[4][BLOCKS][2];
    memcpy(samples, rows, sizeof(samples));
    for (int y = 0; y < count; y++)
        for (size_t k = 0; k < BLOCKS; k++) {
            uint64_t row = samples[y / 2][k][y % 2] ^ UINT64_C(0x8080808080808080);
            memcpy(dst + (size_t) y * stride_nbytes + k * size, &row, width);
        }
}

/* Up to 8 samples are written even if there are fewer: those beyond belong to another block,
 * which is written later, or are padding. */
INLINE void scaled_block(vec p[2][4], const struct scaling *s, uint8_t *dst,
                         size_t stride_nbytes)
{
    vec rows[16], columns[16];
    size_t size = (size_t) s->size;
    for (int i = 0; i < 16; i++)
        rows[i] = columns[i] = SET32(0);
    scaled_pass(p, s, s->bits - 2, false, rows);
    for (int y = 0; y < s->size; y += 8) {
        turn_pairs(rows + y, p[0]);
        turn_pairs(rows + y + 4, p[1]);
        scaled_pass(p, s, s->bits + 5, s->wraps, columns);
        int count = s->size - y < 8 ? s->size - y : 8;
        uint8_t *at = dst + (size_t) y * stride_nbytes;
        store_scaled(columns, count, 8, size, at, stride_nbytes);
        if (s->size > 8)
            store_scaled(columns + 8, count, size - 8, size, at + 8, stride_nbytes);
    }
}

/* One sample of a 2 x 2 block: DC's part times 2^15, and the odd columns' part. */
INLINE uint8_t sample_2x2(uint32_t even, uint32_t odd)
{
    int v = ((int32_t) (even + odd + (1 << 19)) >> 20) + 128;
    return (uint8_t) (v < 0 ? 0 : v > 255 ? 255 : v);
}

/* To 2 x 2 samples: the factors are of 15 bits, and the first column is not cut to 16 bits
 * between the passes. */
INLINE void block_2x2(vec p[2][4], uint8_t *dst, size_t stride_nbytes)
{
    const vec odd0 = PAIR(29692, -10426), odd1 = PAIR(6967, -5906), round = SET32(1 << 12);
    vec top[2], bottom[2];
    for (int half = 0; half < 2; half++) {
        vec even = ADD32(SRA32(RAISE_FIRST(p[half][0]), 1), round);
        vec odd = ADD32(MADD(p[half][2], odd0), MADD(p[half][3], odd1));
        top[half] = SRA32(ADD32(even, odd), 13);
        bottom[half] = SRA32(SUB32(even, odd), 13);
    }
    vec odd_columns = PACK32(top[1], bottom[1]);
    vec parts[4] = { top[0], bottom[0], MADD(odd_columns, odd0), MADD(odd_columns, odd1) };
    uint32_t v[4][BLOCKS][4];
    memcpy(v, parts, sizeof(v));
    for (int k = 0; k < BLOCKS; k++)
        for (int y = 0; y < 2; y++) {
            uint32_t even = v[y][k][0] << 15, odd = v[2][k][2 * y] + v[3][k][2 * y + 1];
            uint8_t *at = dst + (size_t) y * stride_nbytes + 2 * k;
            at[0] = sample_2x2(even, odd);
            at[1] = sample_2x2(even, 0 - odd);
        }
}

/* The sample of a flat block: the result of the passes for only DC. */
INLINE uint8_t flat_sample(int16_t coef, uint16_t quant, const struct scaling *s)
{
    int dc = (int16_t) (uint16_t) ((unsigned) coef * quant), v = dc * 4;
    if (s->size == 2)
        return sample_2x2((uint32_t) v << 15, 0);
    if (s->size > 1)
        v = v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v;
    v = (v + 16) >> 5;
    if (s->wraps)
        v = ((v + 512) & 1023) - 512;
    v += 128;
    return (uint8_t) (v < 0 ? 0 : v > 255 ? 255 : v);
}

INLINE void scaled_row(const int16_t *coef, const uint64_t *mask, size_t count,
                       const struct pcri_dequant *q, const struct scaling *s, uint8_t *dst,
                       size_t stride_nbytes)
{
    for (size_t i = 0; i < count; i += BLOCKS, dst += BLOCKS * s->size) {
        const int16_t *at[BLOCKS];
        uint64_t any = 0;
        vec p[2][4];
        for (size_t k = 0; k < BLOCKS; k++) { /* beyond the last block, the last again */
            size_t j = i + k < count ? i + k : count - 1;
            at[k] = coef + 64 * j;
            any |= mask[j];
        }
        if (any && s->size > 1) {
            load_scaled_pairs(at, q, p);
            if (s->size == 2)
                block_2x2(p, dst, stride_nbytes);
            else
                scaled_block(p, s, dst, stride_nbytes);
            continue;
        }
        for (int k = 0; k < BLOCKS; k++) {
            uint8_t v = flat_sample(*at[k], q->quant[0], s);
            for (int y = 0; y < s->size; y++)
                memset(dst + (size_t) y * stride_nbytes + k * s->size, v, (size_t) s->size);
        }
    }
}

TARGET static void idct_scaled(const int16_t *coef, const uint64_t *mask, size_t count,
                               const struct pcri_dequant *q, uint32_t size, uint8_t *dst,
                               size_t stride_nbytes)
{
    static const struct scaling one = { 1, true, 13 }, two = { 2, false, 15 },
                                four = { 4, false, 14 };
    const struct scaling other = { (int) size, true, 13 };
    switch (size) {
    case 1:
        scaled_row(coef, mask, count, q, &one, dst, stride_nbytes);
        break;
    case 2:
        scaled_row(coef, mask, count, q, &two, dst, stride_nbytes);
        break;
    case 4:
        scaled_row(coef, mask, count, q, &four, dst, stride_nbytes);
        break;
    default:
        scaled_row(coef, mask, count, q, &other, dst, stride_nbytes);
    }
}
