/* SPDX-License-Identifier: BSD-2-Clause */
/* SSIM: windows are summed down the columns, then along the rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ssim.h"

enum { TAPS = PCRTOOL_SSIM_SIDE, RADIUS = TAPS / 2 };

/* The five moments that SSIM needs of each window. */
enum { MEAN_A, MEAN_B, SQUARE_A, SQUARE_B, PRODUCT, MOMENTS };

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
    for (int k = 0; k < MOMENTS; k++)
        m[k] = memset(sums + (size_t) k * width, 0, width * sizeof(*sums));
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

/* Weighted sums of TAPS neighbours each: `count` of them. */
static void sum_row(const double *restrict in, uint32_t count, const double window[TAPS],
                    double *restrict out)
{
    memset(out, 0, count * sizeof(*out));
    for (int i = 0; i < TAPS; i++)
        for (uint32_t x = 0; x < count; x++)
            out[x] += window[i] * in[x + (uint32_t) i];
}

/* The sum of `count` windows' SSIM; moment k of window x is m[k * stride + x]. */
static double sum_ssim(const double *m, uint32_t stride, uint32_t count)
{
    const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
    double sum = 0;
    for (uint32_t x = 0; x < count; x++, m++) {
        double a = m[(size_t) MEAN_A * stride], b = m[(size_t) MEAN_B * stride];
        double variances = m[(size_t) SQUARE_A * stride] - a * a +
                           m[(size_t) SQUARE_B * stride] - b * b;
        double covariance = m[(size_t) PRODUCT * stride] - a * b;
        sum += (2 * a * b + c1) * (2 * covariance + c2) /
               ((a * a + b * b + c1) * (variances + c2));
    }
    return sum;
}

double pcrtool_ssim(const uint8_t *a, const uint8_t *b, uint32_t width, uint32_t height)
{
    double window[TAPS], total = 0;
    if (!memcmp(a, b, (size_t) width * height))
        return 1;
    double *sums = calloc(width, 2 * MOMENTS * sizeof(*sums));
    if (!sums)
        return -2;
    double *means = sums + (size_t) MOMENTS * width;
    make_window(window);
    uint32_t rows = height - 2 * RADIUS, columns = width - 2 * RADIUS;
    for (uint32_t y = 0; y < rows; y++, a += width, b += width) {
        sum_columns(a, b, width, window, sums);
        for (int k = 0; k < MOMENTS; k++)
            sum_row(sums + (size_t) k * width, columns, window, means + (size_t) k * width);
        total += sum_ssim(means, width, columns);
    }
    free(sums);
    return total / ((double) rows * columns);
}
