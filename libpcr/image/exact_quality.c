/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a JPEG is from the exact pixels: SSIM of luma (docs/FORMAT.md 3.6), by windows of 8 x 8
 * pixels of both pictures, which are halved from scale to scale. */
#include <stdlib.h>

#include "exact.h"
#include "pixels/target.h"

#ifdef __clang__
#pragma clang fp contract(off)
#endif

/* A picture and its JPEG, in one channel. */
struct lumas {
    uint32_t width, height;
    uint8_t *of[2];
};

/* 10^(-1 / 40): what a step of quality leaves of the loss. */
static const double step = 0.944060876285923362;

static uint8_t level_of(double loss)
{
    unsigned quarters = 0;
    for (double least = step; quarters < 255 && loss <= least; least *= step)
        quarters++;
    return (uint8_t) quarters;
}

static double loss_of(uint8_t level)
{
    double loss = level < 255; /* 255: none */
    for (unsigned i = 0; i < level; i++)
        loss *= step;
    return loss;
}

/* 1 - SSIM of one window. */
static double window_loss(const struct lumas *l, uint32_t x0, uint32_t y0)
{
    const uint32_t x1 = l->width - x0 < 8 ? l->width : x0 + 8;
    const uint32_t y1 = l->height - y0 < 8 ? l->height : y0 + 8;
    uint32_t x_sum = 0, y_sum = 0, xx = 0, yy = 0, xy = 0;
    for (uint32_t y = y0; y < y1; y++)
        for (uint32_t x = x0; x < x1; x++) {
            const size_t at = (size_t) y * l->width + x;
            const uint32_t a = l->of[0][at], b = l->of[1][at];
            x_sum += a;
            y_sum += b;
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }
    const double n = (double) (x1 - x0) * (y1 - y0), c1 = 6.5025, c2 = 58.5225;
    const double mx = x_sum / n, my = y_sum / n;
    const double vx = xx / n - mx * mx, vy = yy / n - my * my, cov = xy / n - mx * my;
    return 1 -
           (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2));
}

static double loss_of_all(const struct lumas *l)
{
    double sum = 0;
    uint64_t count = 0;
    for (uint32_t y = 0; y < l->height; y += 8)
        for (uint32_t x = 0; x < l->width; x += 8, count++)
            sum += window_loss(l, x, y);
    return sum / (double) count;
}

static void halve(struct lumas *l)
{
    const uint32_t width = (l->width + 1) / 2, height = (l->height + 1) / 2;
    for (int i = 0; i < 2; i++)
        for (uint32_t y = 0; y < height; y++)
            for (uint32_t x = 0; x < width; x++) {
                const uint32_t right = 2 * x + 1 < l->width, below = 2 * y + 1 < l->height;
                const uint8_t *p = l->of[i] + (size_t) 2 * y * l->width + 2 * x;
                const uint8_t *q = p + (below ? l->width : 0);
                l->of[i][(size_t) y * width + x] =
                    (uint8_t) ((p[0] + p[right] + q[0] + q[right] + 2) / 4);
            }
    l->width = width;
    l->height = height;
}

static void fill(const struct pcr_buffer *pixels, uint32_t channels, size_t n, uint8_t *out)
{
    const uint8_t *p = pixels->data;
    for (size_t i = 0; i < n; i++, p += channels)
        out[i] = channels == 1 ? *p : pcri_luma(p[0], p[1], p[2]);
}

int pcri_exact_measure(struct pcri_exact *e, struct pcr_error *err)
{
    const size_t n = (size_t) e->width * e->height;
    uint8_t *memory = pcri_malloc(n, 2, err);
    if (!memory)
        return PCR_ERR_NOMEM;
    struct lumas l = { e->width, e->height, { memory, memory + n } };
    fill(&e->pixels, e->channels, n, l.of[0]);
    fill(&e->decoded, e->channels, n, l.of[1]);
    for (unsigned s = 0; s < PCRI_EXACT_SCALES; s += 2) {
        e->quality[s] = level_of(loss_of_all(&l));
        if (s) /* between scales 1, 2, 4, 8 */
            e->quality[s - 1] = (uint8_t) ((e->quality[s - 2] + e->quality[s]) / 2);
        halve(&l);
    }
    free(memory);
    return 0;
}

/* Losses add up, as the errors of JPEG and prefix have little to do with each other. */
void pcri_exact_qualities(const struct pcri_exact *e, uint32_t prefixes, uint8_t *quality)
{
    for (uint32_t i = 0; i < prefixes * PCRI_EXACT_SCALES; i++)
        quality[i] = level_of(loss_of(quality[i]) +
                              loss_of(e->quality[i % PCRI_EXACT_SCALES]));
}
