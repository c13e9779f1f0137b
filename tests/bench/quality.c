/* SPDX-License-Identifier: BSD-2-Clause */
/* PSNR and SSIM. */
#include "quality.h"

#include <math.h>
#include <stdlib.h>

enum { RADIUS = 5, TAPS = 2 * RADIUS + 1 };

/* The five moments that SSIM needs of each window. */
enum { MEAN_A, MEAN_B, SQUARE_A, SQUARE_B, PRODUCT, MOMENTS };

double quality_psnr(const uint8_t *a, const uint8_t *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum > 0 ? fmin(10 * log10(255.0 * 255 * (double) n / sum), QUALITY_EXACT)
                   : QUALITY_EXACT;
}

static void make_window(double window[TAPS])
{
    double sum = 0;
    for (int i = 0; i < TAPS; i++)
        sum += window[i] = exp(-(i - RADIUS) * (i - RADIUS) / (2 * 1.5 * 1.5));
    for (int i = 0; i < TAPS; i++)
        window[i] /= sum;
}

/* Weighted sums of TAPS rows from `a` and `b` on, column by column. */
static void sum_columns(const uint8_t *a, const uint8_t *b, uint32_t width,
                        const double window[TAPS], double *sums)
{
    double *restrict m[MOMENTS];
    for (int k = 0; k < MOMENTS; k++) {
        m[k] = sums + (size_t) k * width;
        for (uint32_t x = 0; x < width; x++)
            m[k][x] = 0;
    }
    for (int i = 0; i < TAPS; i++, a += width, b += width) {
        for (uint32_t x = 0; x < width; x++) {
            double va = a[x], vb = b[x], w = window[i];
            m[MEAN_A][x] += w * va;
            m[MEAN_B][x] += w * vb;
            m[SQUARE_A][x] += w * va * va;
            m[SQUARE_B][x] += w * vb * vb;
            m[PRODUCT][x] += w * va * vb;
        }
    }
}

static double ssim_of(const double m[MOMENTS])
{
    const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
    double aa = m[MEAN_A] * m[MEAN_A], bb = m[MEAN_B] * m[MEAN_B];
    double ab = m[MEAN_A] * m[MEAN_B];
    return (2 * ab + c1) * (2 * (m[PRODUCT] - ab) + c2) /
           ((aa + bb + c1) * (m[SQUARE_A] - aa + m[SQUARE_B] - bb + c2));
}

double quality_ssim(const uint8_t *a, const uint8_t *b, uint32_t width, uint32_t height)
{
    double window[TAPS], total = 0;
    double *sums = calloc(width, MOMENTS * sizeof(*sums));
    if (!sums)
        return -1;
    make_window(window);
    uint32_t rows = height - 2 * RADIUS, columns = width - 2 * RADIUS;
    for (uint32_t y = 0; y < rows; y++) {
        sum_columns(a + (size_t) y * width, b + (size_t) y * width, width, window, sums);
        for (uint32_t x = 0; x < columns; x++) {
            double m[MOMENTS] = { 0 };
            for (int k = 0; k < MOMENTS; k++)
                for (int i = 0; i < TAPS; i++)
                    m[k] += window[i] * sums[(size_t) k * width + x + (uint32_t) i];
            total += ssim_of(m);
        }
    }
    free(sums);
    return total / ((double) rows * columns);
}
