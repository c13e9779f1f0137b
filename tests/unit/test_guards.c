/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels between pages that cannot be touched: each set reads and writes no more
 * than its contract says, and gives what the portable set gives. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "image/pixels/kernels.h"
#include "suite.h"

enum { MAX_N = 70, MAX_BLOCKS = 9, PAD = PCRI_KERNEL_PADDING, BUFFERS = 6 };

/* --- buffers --- */

/* Accessible bytes between two pages that are not. */
struct guarded {
    uint8_t *begin, *end;
};

static struct guarded guarded[BUFFERS];

static void map_buffers(void)
{
    size_t page = (size_t) sysconf(_SC_PAGESIZE);
    size_t middle = (64 * 1024 + page - 1) / page * page;
    for (int i = 0; i < BUFFERS; i++) {
        uint8_t *p = mmap(NULL, middle + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                          0);
        ck_assert_ptr_ne(p, MAP_FAILED);
        ck_assert_int_eq(mprotect(p + page, middle, PROT_READ | PROT_WRITE), 0);
        guarded[i] = (struct guarded) { p + page, p + page + middle };
    }
    unsigned seed = (unsigned) time(NULL);
    printf("portable and %s, seed %u\n", pcri_kernels_choose()->name, seed);
    srand(seed);
}

static void *noise(void *p, size_t nbytes)
{
    uint8_t *bytes = p;
    for (size_t i = 0; i < nbytes; i++)
        bytes[i] = (uint8_t) (rand() % 4 ? rand() : rand() % 2 ? 255 : 0);
    return p;
}

/* Buffer i, nbytes of it at its begin or its end. */
static void *place(int i, size_t nbytes, bool at_end)
{
    ck_assert_uint_le(nbytes, (size_t) (guarded[i].end - guarded[i].begin));
    return noise(at_end ? guarded[i].end - nbytes : guarded[i].begin, nbytes);
}

static void check_same(const void *a, const void *b, size_t nbytes, const char *what, size_t n)
{
    ck_assert_msg(!memcmp(a, b, nbytes), "%s of %zu", what, n);
}

/* --- rows --- */

START_TEST(rows)
{
    const struct pcri_kernels *k = pcri_kernels_choose(), *plain = &pcri_kernels_portable;
    static uint16_t want_sums[MAX_N + PAD];
    static uint8_t want[2 * MAX_N + PAD];
    for (size_t n = 1; n <= MAX_N; n++) {
        const uint16_t bias[2] = { (uint16_t) (rand() % 16), (uint16_t) (rand() % 16) };
        const uint8_t *near = place(0, n + PAD, _i), *far = place(1, n + PAD, _i);
        uint8_t *out = place(2, n + PAD, _i), *wide = place(3, 2 * n + PAD, _i);
        uint16_t *sums = place(4, (n + PAD) * sizeof(*sums), _i);
        k->mix_rows(near, far, n, sums);
        plain->mix_rows(near, far, n, want_sums);
        check_same(sums, want_sums, n * sizeof(*sums), "mix_rows", n);
        k->upsample_v2(near, far, n, 1 + n % 2, out);
        plain->upsample_v2(near, far, n, 1 + n % 2, want);
        check_same(out, want, n, "upsample_v2", n);
        sums = place(4, (1 + n + PAD) * sizeof(*sums), _i);
        for (size_t i = 0; i <= n + 1; i++)
            sums[i] %= 4 * 255 + 1;
        k->upsample_h2(sums + 1, n, bias, wide);
        plain->upsample_h2(sums + 1, n, bias, want);
        check_same(wide, want, 2 * n, "upsample_h2", n);
    }
}
END_TEST

static void both_colours(const struct pcri_kernels *k, size_t n, bool at_end, bool planar)
{
    static const uint16_t bias[2] = { 8, 7 };
    static uint8_t want[3][MAX_N * 3];
    const struct pcri_rgb_row plain = { { want[0], want[1], want[2] }, planar };
    const size_t channels = planar ? 3 : 1, row = planar ? n : 3 * n;
    struct pcri_rgb_row out = { .planar = planar };
    const uint8_t *y = place(0, n + PAD, at_end), *cb = place(1, n + PAD, at_end);
    const uint8_t *cr = place(2, n + PAD, at_end);
    for (size_t c = 0; c < channels; c++)
        out.plane[c] = place(3 + (int) c, row, at_end);
    k->ycc_to_rgb(y, cb, cr, n, &out);
    pcri_kernels_portable.ycc_to_rgb(y, cb, cr, n, &plain);
    for (size_t c = 0; c < channels; c++)
        check_same(out.plane[c], want[c], row, "ycc_to_rgb", n);

    const size_t half = (n + 1) / 2, count = 1 + half + PAD;
    uint16_t *sums[2];
    for (int c = 0; c < 2; c++) {
        sums[c] = place(1 + c, count * sizeof(*sums[c]), at_end);
        for (size_t i = 0; i <= half + 1; i++)
            sums[c][i] %= 4 * 255 + 1;
    }
    k->ycc_h2_to_rgb(y, sums[0] + 1, sums[1] + 1, bias, n, &out);
    pcri_kernels_portable.ycc_h2_to_rgb(y, sums[0] + 1, sums[1] + 1, bias, n, &plain);
    for (size_t c = 0; c < channels; c++)
        check_same(out.plane[c], want[c], row, "ycc_h2_to_rgb", n);
}

START_TEST(colour)
{
    for (size_t n = 1; n <= MAX_N; n++) {
        both_colours(pcri_kernels_choose(), n, _i, false);
        both_colours(pcri_kernels_choose(), n, _i, true);
    }
}
END_TEST

/* --- inverse DCT --- */

/* Any numbers at all in the coefficients that `allowed` has, some of them the extremes. */
static uint64_t fill_block(int16_t *coef, uint64_t allowed)
{
    static const int16_t extremes[] = { INT16_MIN, INT16_MIN + 1, -1, 1, INT16_MAX };
    uint64_t mask = 0;
    memset(coef, 0, 64 * sizeof(*coef));
    coef[0] = (int16_t) rand();
    int odds = 1 + rand() % 6;
    for (int k = 1; k < 64; k++) {
        if (!(allowed >> k & 1) || rand() % odds)
            continue;
        coef[k] = rand() % 3 ? (int16_t) rand() : extremes[rand() % 5];
        mask |= (uint64_t) (coef[k] != 0) << k;
    }
    return mask;
}

/* Numbers small enough for samples that nothing cuts. */
static void make_small(int16_t *coef, uint64_t *mask, struct pcri_dequant *q)
{
    *mask = 0;
    for (int k = 0; k < 64; k++) {
        coef[k] %= 8;
        *mask |= (uint64_t) (k && coef[k]) << k;
        q->quant[k] = (uint16_t) (1 + q->quant[k] % 4);
        q->offset[k] %= 3;
    }
}

struct row_of_blocks {
    size_t count;
    int16_t *coef;
    uint64_t *mask;
    struct pcri_dequant dequant;
};

static void fill_row(struct row_of_blocks *b, bool at_end)
{
    /* None, one of the first, the top left corner, the first half, all. */
    static const uint64_t classes[] = { 0, 2, UINT64_C(0x1063BFE), 0xFFFFFFFF, UINT64_MAX };
    b->count = 1 + (size_t) rand() % MAX_BLOCKS;
    b->coef = place(0, b->count * 64 * sizeof(*b->coef), at_end);
    b->mask = place(1, b->count * sizeof(*b->mask), at_end);
    int most = rand() % 5;
    for (size_t i = 0; i < b->count; i++)
        b->mask[i] = fill_block(b->coef + 64 * i, classes[rand() % (most + 1)]);
    b->dequant.has_offsets = rand() % 2;
    int range = 1 << rand() % 16;
    for (int k = 0; k < 64; k++) {
        b->dequant.quant[k] = (uint16_t) (1 + rand() % (rand() % 2 ? 255 : 65535));
        b->dequant.offset[k] = (int16_t) (b->dequant.has_offsets && k ? rand() % range : 0);
    }
}

/* An output of `size` rows a block, with any stride, for a kernel or for the portable one. */
static uint8_t *place_samples(int i, const struct row_of_blocks *b, size_t size, size_t stride,
                              bool at_end)
{
    return place(i, (size - 1) * stride + size * b->count + PAD, at_end);
}

START_TEST(idct)
{
    const struct pcri_kernels *k = pcri_kernels_choose();
    struct row_of_blocks b;
    for (int round = 0; round < 6000; round++) {
        fill_row(&b, _i);
        size_t stride = 8 * b.count + PAD + (size_t) rand() % 70;
        uint8_t *got = place_samples(2, &b, 8, stride, _i);
        uint8_t *want = place_samples(3, &b, 8, stride, _i);
        k->idct(b.coef, b.mask, b.count, &b.dequant, got, stride);
        pcri_kernels_portable.idct(b.coef, b.mask, b.count, &b.dequant, want, stride);
        for (size_t y = 0; y < 8; y++)
            check_same(got + y * stride, want + y * stride, 8 * b.count, "idct", b.count);
    }
}
END_TEST

START_TEST(idct_scaled)
{
    static const uint8_t sizes[] = { 1, 2, 3, 4, 5, 6, 7, 10, 12, 14 };
    const struct pcri_kernels *k = pcri_kernels_choose();
    struct row_of_blocks b;
    for (int round = 0; round < 3000; round++) {
        /* Sets differ where samples overflow, by whether a neighbour is flat. */
        fill_row(&b, _i);
        for (size_t i = 0; i < b.count; i++)
            make_small(b.coef + 64 * i, &b.mask[i], &b.dequant);
        size_t size = sizes[(size_t) round % sizeof(sizes)];
        size_t stride = size * b.count + PAD + (size_t) rand() % 70;
        uint8_t *got = place_samples(2, &b, size, stride, _i);
        uint8_t *want = place_samples(3, &b, size, stride, _i);
        k->idct_scaled(b.coef, b.mask, b.count, &b.dequant, (uint32_t) size, got, stride);
        pcri_kernels_portable.idct_scaled(b.coef, b.mask, b.count, &b.dequant, (uint32_t) size,
                                          want, stride);
        for (size_t y = 0; y < size; y++)
            check_same(got + y * stride, want + y * stride, size * b.count, "idct_scaled",
                       size);
    }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("guards");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, map_buffers, NULL);
    /* The buffers' first bytes, then their last ones, are beside the guards. */
    tcase_add_loop_test(t, rows, 0, 2);
    tcase_add_loop_test(t, colour, 0, 2);
    tcase_add_loop_test(t, idct, 0, 2);
    tcase_add_loop_test(t, idct_scaled, 0, 2);
    return tests_run();
}
