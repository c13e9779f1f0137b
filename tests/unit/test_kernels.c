/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels: each set against plain C, on random and extreme numbers. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "image/pixels/kernels.h"
#include "suite.h"

enum { MAX_N = 200, PAD = PCRI_KERNEL_PADDING };

static const struct pcri_kernels *sets[2];

static void choose_sets(void)
{
    unsigned seed = (unsigned) time(NULL);
    sets[0] = &pcri_kernels_portable;
    sets[1] = pcri_kernels_choose();
    printf("%s and %s, seed %u\n", sets[0]->name, sets[1]->name, seed);
    srand(seed);
}

/* --- plain C --- */

static int wrap16(int v)
{
    return (int16_t) (uint16_t) v;
}

static int saturate16(int v)
{
    return v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v;
}

static int multiply(int a, int b)
{
    return (int) ((unsigned) a * (unsigned) b);
}

static int add(int a, int b)
{
    return (int) ((unsigned) a + (unsigned) b);
}

/* One pass over a column or row of 8: libjpeg's ISLOW, with libjpeg-turbo's 16-bit sums. */
static void pass(int *v, int step, int shift)
{
    int *r[8];
    for (int i = 0; i < 8; i++)
        r[i] = v + i * step;
    int z1 = multiply(*r[2] + *r[6], 4433);
    int even2 = add(z1, multiply(*r[6], -15137)), even3 = add(z1, multiply(*r[2], 6270));
    int even0 = wrap16(*r[0] + *r[4]) * 8192, even1 = wrap16(*r[0] - *r[4]) * 8192;
    int z3 = wrap16(*r[7] + *r[3]), z4 = wrap16(*r[5] + *r[1]), z5 = multiply(z3 + z4, 9633);
    z3 = add(z5, multiply(z3, -16069));
    z4 = add(z5, multiply(z4, -3196));
    int z17 = multiply(*r[7] + *r[1], -7373), z35 = multiply(*r[5] + *r[3], -20995);
    int a[4] = { add(even0, even3), add(even1, even2), add(even1, multiply(even2, -1)),
                 add(even0, multiply(even3, -1)) };
    int b[4] = { add(add(multiply(*r[1], 12299), z17), z4),
                 add(add(multiply(*r[3], 25172), z35), z3),
                 add(add(multiply(*r[5], 16819), z35), z4),
                 add(add(multiply(*r[7], 2446), z17), z3) };
    for (int i = 0; i < 4; i++) {
        int half = add(a[i], 1 << (shift - 1));
        *r[i] = saturate16(add(half, b[i]) >> shift);
        *r[7 - i] = saturate16(add(half, multiply(b[i], -1)) >> shift);
    }
}

static const uint8_t zigzag[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

static void plain_natural(const int16_t *coef, const struct pcri_dequant *q, int v[64])
{
    for (int k = 0; k < 64; k++) {
        int offset = coef[k] > 0 ? q->offset[k] : coef[k] < 0 ? -q->offset[k] : 0;
        v[zigzag[k]] = saturate16(wrap16(multiply(coef[k], q->quant[k])) + offset);
    }
}

static void plain_idct(const int16_t *coef, const struct pcri_dequant *q, uint8_t *dst,
                       size_t stride)
{
    int v[64];
    plain_natural(coef, q, v);
    for (int x = 0; x < 8; x++)
        pass(v + x, 8, 11);
    for (int y = 0; y < 8; y++) {
        pass(v + 8 * y, 1, 18);
        for (int x = 0; x < 8; x++) {
            int s = v[8 * y + x] + 128;
            dst[(size_t) y * stride + (size_t) x] = (uint8_t) (s < 0 ? 0 : s > 255 ? 255 : s);
        }
    }
}

/* --- inverse DCT --- */

enum { FEW_BLOCKS = 5, MAX_BLOCKS = 600 };

struct blocks {
    int16_t coef[MAX_BLOCKS * 64];
    uint64_t mask[MAX_BLOCKS];
    struct pcri_dequant dequant;
};

/* Coefficients below zigzag index `end`, of a magnitude up to `range`; now and then only those of
 * the first row or column. */
static void fill_block(struct blocks *b, int at, int end, int range)
{
    const int line = rand() % 8; /* 0: the row, 1: the column */
    int16_t *coef = b->coef + 64 * at;
    memset(coef, 0, 64 * sizeof(*coef));
    b->mask[at] = 0;
    coef[0] = (int16_t) (rand() % (2 * range) - range);
    for (int i = end > 1 ? rand() % end : 0; i > 0; i--) {
        int k = 1 + rand() % (end - 1);
        if (line < 2 && (line ? zigzag[k] % 8 : zigzag[k] / 8))
            continue;
        coef[k] = (int16_t) (rand() % 9   ? rand() % (2 * range) - range
                             : rand() % 2 ? range - 1
                                          : -range);
        b->mask[at] &= ~(UINT64_C(1) << k);
        b->mask[at] |= (uint64_t) (coef[k] != 0) << k;
    }
}

/* How many blocks: few, or now and then a row that is long. */
static size_t fill_blocks(struct blocks *b, int round)
{
    static const int ends[] = { 1, 2, 4, 10, 14, 26, 64 };
    const int count = 1 + rand() % (rand() % 100 ? FEW_BLOCKS : MAX_BLOCKS);
    for (int i = 0; i < count; i++)
        fill_block(b, i, ends[rand() % 7], 1 << rand() % 16);
    b->dequant.has_offsets = round % 2;
    for (int k = 0; k < 64; k++) {
        b->dequant.quant[k] = (uint16_t) (1 + rand() % (round % 3 ? 255 : 65535));
        b->dequant.offset[k] = (int16_t) (round % 2 && k ? rand() % (1 << rand() % 16) : 0);
    }
    return (size_t) count;
}

START_TEST(idct)
{
    enum { STRIDE = 8 * MAX_BLOCKS + PAD, SIZE = 8 * STRIDE };
    static struct blocks b;
    static uint8_t want[SIZE], got[SIZE + PAD];
    for (int round = 0; round < 20000; round++) {
        const size_t count = fill_blocks(&b, round);
        sets[_i]->idct(b.coef, b.mask, count, &b.dequant, got, STRIDE);
        for (size_t i = 0; i < count; i++)
            plain_idct(b.coef + 64 * i, &b.dequant, want + 8 * i, STRIDE);
        for (size_t y = 0; y < 8; y++)
            ck_assert_msg(!memcmp(want + y * STRIDE, got + y * STRIDE, 8 * count),
                          "round %d, row %zu of %zu blocks", round, y, count);
    }
}
END_TEST

/* All sets give the same; libjpeg's samples are test_decode.c's to compare. */
START_TEST(idct_scaled)
{
    enum { STRIDE = 14 * (MAX_BLOCKS + 1) + PAD, SIZE = 14 * STRIDE };
    static const uint32_t sizes[] = { 1, 2, 3, 4, 5, 6, 7, 10, 12, 14 };
    static struct blocks b;
    static uint8_t outputs[2][SIZE + PAD];
    for (int round = 0; round < 20000; round++) {
        uint32_t size = sizes[round % 10];
        const size_t count = fill_blocks(&b, round / 10);
        for (int i = 0; i < 2; i++)
            sets[i]->idct_scaled(b.coef, b.mask, count, &b.dequant, size, outputs[i], STRIDE);
        for (size_t y = 0; y < size; y++)
            ck_assert_msg(
                !memcmp(outputs[0] + y * STRIDE, outputs[1] + y * STRIDE, size * count),
                "round %d, size %u, row %zu of %zu blocks", round, (unsigned) size, y, count);
    }
}
END_TEST

/* Rows of blocks with only DC, of each value that it can have, are those of the transform. */
START_TEST(flat_row)
{
    enum { COUNT = 37, STRIDE = 14 * COUNT + PAD };
    static const uint32_t sizes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14 };
    static int16_t coef[64 * COUNT], dc[COUNT];
    static uint8_t want[14 * STRIDE], got[2][STRIDE];
    static const uint64_t mask[COUNT];
    const uint32_t size = sizes[_i];
    const struct pcri_dequant q = { .quant = { 1 + rand() % 2 * (rand() % 65535) } };
    for (int value = INT16_MIN; value <= INT16_MAX;) {
        const size_t count = 1 + (size_t) rand() % COUNT;
        for (size_t i = 0; i < count; i++)
            coef[64 * i] = dc[i] = (int16_t) (value < INT16_MAX ? value++ : value);
        value += value == INT16_MAX;
        if (size == 8)
            pcri_kernels_portable.idct(coef, mask, count, &q, want, STRIDE);
        else
            pcri_kernels_portable.idct_scaled(coef, mask, count, &q, size, want, STRIDE);
        pcri_flat_row(dc, 1, count, &q, size, got[0]);
        pcri_flat_row(coef, 64, count, &q, size, got[1]);
        for (int i = 0; i < 2; i++)
            ck_assert_msg(!memcmp(want, got[i], size * count), "size %u, DC to %d times %u",
                          (unsigned) size, value, q.quant[0]);
    }
}
END_TEST

/* --- rows --- */

static uint8_t noise[3][2 * MAX_N + PAD];

static void fill_noise(void)
{
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < sizeof(noise[i]); k++)
            noise[i][k] = (uint8_t) (rand() % 4 ? rand() : rand() % 2 ? 255 : 0);
}

START_TEST(upsampling)
{
    static uint16_t sums[MAX_N + PAD + 2];
    static uint8_t out[2 * MAX_N + PAD];
    for (size_t n = 1; n <= MAX_N; n++) {
        const uint16_t bias[2] = { (uint16_t) (rand() % 9), (uint16_t) (rand() % 9) };
        size_t wrong = 0;
        fill_noise();
        const uint8_t *near = noise[0], *far = noise[1];
        sets[_i]->mix_rows(near, far, n, sums + 1);
        for (size_t i = 0; i < n; i++)
            wrong += sums[i + 1] != 3 * near[i] + far[i];
        sums[0] = sums[1];
        sums[n + 1] = sums[n];
        sets[_i]->upsample_h2(sums + 1, n, bias, out);
        for (size_t i = 1; i <= n; i++) {
            wrong += out[2 * i - 2] != (uint8_t) ((3 * sums[i] + sums[i - 1] + bias[0]) >> 4);
            wrong += out[2 * i - 1] != (uint8_t) ((3 * sums[i] + sums[i + 1] + bias[1]) >> 4);
        }
        sets[_i]->upsample_v2(near, far, n, 1 + n % 2, out);
        for (size_t i = 0; i < n; i++)
            wrong += out[i] != (3 * near[i] + far[i] + 1 + n % 2) >> 2;
        ck_assert_uint_eq(wrong, 0);
    }
}
END_TEST

static uint8_t clamp8(double v)
{
    return (uint8_t) (v < 0 ? 0 : v > 255 ? 255 : v);
}

/* One pixel: libjpeg's 16-bit fixed point. */
static void plain_rgb(int y, int cb, int cr, uint8_t rgb[3])
{
    rgb[0] = clamp8(y + ((91881 * (cr - 128) + 32768) >> 16));
    rgb[1] = clamp8(y + ((-22554 * (cb - 128) - 46802 * (cr - 128) + 32768) >> 16));
    rgb[2] = clamp8(y + ((116130 * (cb - 128) + 32768) >> 16));
}

/* Rows of just the right size; what stands around them must stay. */
struct rows {
    uint8_t bytes[3 * MAX_N + 2];
};

static size_t count_wrong(const struct rows *r, uint8_t (*want)[3], size_t n, bool planar)
{
    size_t wrong = (r->bytes[0] != 0xA5) + (size_t) (r->bytes[3 * n + 1] != 0xA5);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            wrong += r->bytes[1 + (planar ? c * n + i : 3 * i + c)] != want[i][c];
    return wrong;
}

START_TEST(colour)
{
    static uint16_t sums[2][MAX_N + PAD];
    static uint8_t up[2][2 * MAX_N + PAD], want[MAX_N][3];
    static const uint16_t bias[2] = { 8, 7 };
    const struct pcri_kernels *k = sets[_i];
    for (size_t n = 1; n <= MAX_N; n++) {
        struct rows rows;
        uint8_t *at = rows.bytes + 1;
        fill_noise();
        for (int planar = 0; planar < 2; planar++) {
            const struct pcri_rgb_row out = { { at, at + n, at + 2 * n }, planar };
            for (size_t i = 0; i < n; i++)
                plain_rgb(noise[0][i], noise[1][i], noise[2][i], want[i]);
            memset(&rows, 0xA5, sizeof(rows));
            k->ycc_to_rgb(noise[0], noise[1], noise[2], n, &out);
            ck_assert_uint_eq(count_wrong(&rows, want, n, planar), 0);
            for (int c = 0; c < 2; c++) {
                k->mix_rows(noise[1 + c], noise[2 - c], MAX_N / 2 + 2, sums[c]);
                k->upsample_h2(sums[c] + 1, MAX_N / 2, bias, up[c]);
            }
            for (size_t i = 0; i < n; i++)
                plain_rgb(noise[0][i], up[0][i], up[1][i], want[i]);
            memset(&rows, 0xA5, sizeof(rows));
            k->ycc_h2_to_rgb(noise[0], sums[0] + 1, sums[1] + 1, bias, n, &out);
            ck_assert_uint_eq(count_wrong(&rows, want, n, planar), 0);
        }
    }
}
END_TEST

/* All 2^16 pairs of chroma. */
START_TEST(all_chroma)
{
    uint8_t y[256 + PAD], cb[256 + PAD] = { 0 }, cr[256 + PAD], rgb[768], want[3];
    const struct pcri_rgb_row out = { { rgb }, false };
    size_t wrong = 0;
    memset(y, 0, sizeof(y));
    for (int i = 0; i < 256; i++)
        cb[i] = (uint8_t) i;
    for (int i = 0; i < 256; i++) {
        memset(cr, i, sizeof(cr));
        memset(y, 90 + i % 64, 256);
        sets[_i]->ycc_to_rgb(y, cb, cr, 256, &out);
        for (int k = 0; k < 256; k++) {
            plain_rgb(y[0], k, i, want);
            wrong += memcmp(rgb + 3 * k, want, 3) != 0;
        }
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("kernels");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, choose_sets, NULL);
    tcase_add_loop_test(t, idct, 0, 2);
    tcase_add_test(t, idct_scaled);
    tcase_add_loop_test(t, flat_row, 0, 11);
    tcase_add_loop_test(t, upsampling, 0, 2);
    tcase_add_loop_test(t, colour, 0, 2);
    tcase_add_loop_test(t, all_chroma, 0, 2);
    return tests_run();
}
