/* SPDX-License-Identifier: BSD-2-Clause */
/* The pixel kernels of each set: nanoseconds a block, or a pixel, on data in the first cache;
 * and the whole stage from coefficients to RGB, 400 x 400 pixels of 4:2:0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "image/pixels/pixels.h"

enum { BLOCKS = 50, WIDTH = 8 * BLOCKS, PAD = PCRI_KERNEL_PADDING, RUNS = 30 };

static int16_t coef[BLOCKS * 64];
static uint64_t mask[BLOCKS];
static struct pcri_dequant dequant;
static uint8_t samples[8 * (WIDTH + PAD)], rows[3][2 * WIDTH + PAD], rgb[3 * WIDTH];
static uint16_t sums[2][WIDTH + PAD];

/* What a row of blocks can hold: nothing but DC, coefficients of the top left corner, a few
 * of all, or one kind after another. */
enum kind { FLAT, CORNER, FULL, MIXED, KINDS };

static const char *const kind_names[KINDS] = { "DC", "corner", "full", "mixed" };

static void fill_block(int16_t *c, uint64_t *m, enum kind kind)
{
    static const uint8_t corner[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 18, 24 };
    memset(c, 0, 64 * sizeof(*c));
    *m = 0;
    c[0] = (int16_t) (rand() % 800 - 400);
    for (int i = 0; i < (kind == FLAT ? 0 : kind == CORNER ? 5 : 12); i++) {
        int k = kind == CORNER ? corner[rand() % 15] : 1 + rand() % 63;
        c[k] = (int16_t) (1 + rand() % 20);
        *m |= UINT64_C(1) << k;
    }
}

static void fill(enum kind kind)
{
    for (int i = 0; i < BLOCKS; i++) {
        int r = rand() % 100;
        enum kind of = kind < MIXED ? kind : r < 35 ? FLAT : r < 60 ? CORNER : FULL;
        fill_block(coef + 64 * i, &mask[i], of);
    }
}

/* Nanoseconds of one of `count` things, the least of several runs. */
#define TIME(count, call) \
    do { \
        double best_ = 1e9; \
        for (int run_ = 0; run_ < RUNS; run_++) { \
            double t_ = bench_cpu(); \
            for (int i_ = 0; i_ < 200; i_++) \
                call; \
            t_ = bench_cpu() - t_; \
            best_ = t_ < best_ ? t_ : best_; \
        } \
        printf("  %7.2f", 1e9 * best_ / 200 / (count)); \
    } while (0)

static void bench_rows(const struct pcri_kernels *k)
{
    static const uint16_t bias[2] = { 8, 7 };
    const struct pcri_rgb_row packed = { { rgb }, false };
    const struct pcri_rgb_row planar = { { rgb, rgb + WIDTH, rgb + 2 * WIDTH }, true };
    printf("\n%-9s ns/pixel: mix", k->name);
    TIME(WIDTH / 2, k->mix_rows(rows[0], rows[1], WIDTH / 2, sums[0]));
    printf("  v2");
    TIME(WIDTH, k->upsample_v2(rows[0], rows[1], WIDTH, 1, rows[2]));
    printf("  h2");
    TIME(WIDTH, k->upsample_h2(sums[0] + 1, WIDTH / 2, bias, rows[2]));
    printf("  ycc");
    TIME(WIDTH, k->ycc_to_rgb(rows[0], rows[1], rows[2], WIDTH, &packed));
    printf("  ycc planar");
    TIME(WIDTH, k->ycc_to_rgb(rows[0], rows[1], rows[2], WIDTH, &planar));
    printf("  ycc h2");
    TIME(WIDTH, k->ycc_h2_to_rgb(rows[0], sums[0] + 1, sums[1] + 1, bias, WIDTH, &packed));
}

static void bench_idct(const struct pcri_kernels *k)
{
    printf("\n%-9s ns/block: 8x8", k->name);
    for (enum kind kind = FLAT; kind < KINDS; kind++) {
        fill(kind);
        printf("  %s", kind_names[kind]);
        TIME(BLOCKS, k->idct(coef, mask, BLOCKS, &dequant, samples, WIDTH + PAD));
    }
    dequant.has_offsets = true;
    printf("  with offsets");
    TIME(BLOCKS, k->idct(coef, mask, BLOCKS, &dequant, samples, WIDTH + PAD));
    dequant.has_offsets = false;
}

/* --- the whole stage --- */

static int make_planes(const struct pcri_jpeg_file *f, struct pcri_blocks *planes,
                       enum kind kind)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct pcri_blocks *b = &planes[i];
        b->blocks_x = pcri_blocks_x(f, i);
        b->blocks_y = b->row_end = pcri_blocks_y(f, i);
        b->has_ac = true;
        size_t count = (size_t) b->blocks_x * b->blocks_y;
        free(b->coef);
        free(b->mask);
        b->coef = malloc(count * 64 * sizeof(*b->coef));
        b->mask = malloc(count * sizeof(*b->mask));
        if (!b->coef || !b->mask)
            return 1;
        for (size_t at = 0; at < count; at++) {
            if (at % BLOCKS == 0)
                fill(kind);
            memcpy(b->coef + 64 * at, coef + at % BLOCKS * 64, 64 * sizeof(*coef));
            b->mask[at] = mask[at % BLOCKS];
        }
    }
    return 0;
}

static int bench_stage(const struct pcri_kernels *k)
{
    static uint8_t out[3 * WIDTH * WIDTH];
    static struct pcri_blocks planes[4];
    static const int8_t bits[4][64];
    static const struct pcri_rect all = { 0, 0, WIDTH, WIDTH };
    const struct pcri_decode_params params = { .color = PCR_COLOR_RGB, .scale = 8 };
    const struct pcri_target target = { out, 3 * WIDTH, 0 };
    struct pcri_pixels pixels = { .kernels = k };
    struct pcri_pixel_plan plan;
    struct pcri_jpeg_file file = {
        .width = WIDTH,
        .height = WIDTH,
        .component_count = 3,
        .has_jfif = true,
        .ycc = true,
        .components = { { 1, 2, 2, 0 }, { 2, 1, 1, 0 }, { 3, 1, 1, 0 } },
        .max_h = 2,
        .max_v = 2,
    };
    const struct pcri_block_source source = { .file = &file, .planes = planes, .bits = bits };
    memcpy(file.quant[0], dequant.quant, sizeof(dequant.quant));
    printf("\n%-9s ns/block: stage", k->name);
    int rc = pcri_pixels_plan(&file, &params, &all, &plan, NULL);
    for (enum kind kind = FLAT; !rc && kind < KINDS; kind++) {
        rc = make_planes(&file, planes, kind);
        printf("  %s", kind_names[kind]);
        double best = 1e9;
        for (int run = 0; !rc && run < RUNS; run++) {
            double t = bench_cpu();
            rc = pcri_pixels_make(&pixels, &plan, &source, &target, NULL);
            t = bench_cpu() - t;
            best = t < best ? t : best;
        }
        printf("  %7.2f", 1e9 * best / (1.5 * BLOCKS * BLOCKS));
    }
    pcri_pixels_free(&pixels);
    return rc;
}

int main(void)
{
    const struct pcri_kernels *sets[3] = { &pcri_kernels_portable },
                              *best = pcri_kernels_choose();
    int count = 1;
#ifdef PCRI_HAVE_AVX512
    if (best == &pcri_kernels_avx512)
        sets[count++] = &pcri_kernels_avx2;
#endif
    if (best != sets[0])
        sets[count++] = best;
    for (int k = 0; k < 64; k++)
        dequant.quant[k] = (uint16_t) (2 + k / 4);
    for (int i = 0; i < 3; i++)
        for (size_t x = 0; x < sizeof(rows[i]); x++)
            rows[i][x] = (uint8_t) rand();
    int rc = 0;
    for (int i = 0; i < count; i++) {
        bench_idct(sets[i]);
        bench_rows(sets[i]);
        rc |= bench_stage(sets[i]);
    }
    printf("\n");
    return rc != 0;
}
