/* SPDX-License-Identifier: BSD-2-Clause */
/* The range of coefficients in which decoders are exact. */
#include "in_range.h"

#include <math.h>
#include <stdlib.h>

#include "jpeg/coefs.h"
#include "jpeg/prefix.h"

enum {
    /* Of the magnitudes of a block's coefficients, dequantised, so that the sums of the
     * inverse DCT stay within 16 bits. Noise at the largest contrast is below. */
    MAX_SUM = 16384,
    /* Each coefficient moves a sample by at most a quarter of itself. */
    MAX_SAMPLE = 480, /* libjpeg's C code takes -512 to 511 and wraps beyond */
    SAFE_SUM = 4 * MAX_SAMPLE,
};

static double basis[8][8]; /* [x][u] */

static void make_basis(void)
{
    for (int x = 0; x < 8; x++)
        for (int u = 0; u < 8; u++)
            basis[x][u] = (u ? 0.5 : 0.35355339059327376) *
                          cos((2 * x + 1) * u * 0.19634954084936207);
}

/* The inverse DCT by its definition (ISO/IEC 10918-1 A.3.3). */
static bool samples_in_range(const double in[64])
{
    double rows[64] = { 0 };
    for (int v = 0; v < 8; v++)
        for (int x = 0; x < 8; x++)
            for (int u = 0; u < 8; u++)
                rows[8 * v + x] += in[8 * v + u] * basis[x][u];
    for (int y = 0; y < 8; y++) {
        for (int x = 0; x < 8; x++) {
            double sample = 0;
            for (int v = 0; v < 8; v++)
                sample += rows[8 * v + x] * basis[y][v];
            if (fabs(sample) > MAX_SAMPLE)
                return false;
        }
    }
    return true;
}

static bool block_in_range(const int16_t *coef, const uint16_t *quant)
{
    double in[64];
    int64_t sum = 0;
    for (int k = 0; k < 64; k++) {
        int32_t v = coef[k] * quant[k];
        sum += abs(v);
        in[pcri_zigzag_order[k]] = v;
    }
    return sum <= SAFE_SUM || (sum <= MAX_SUM && samples_in_range(in));
}

bool fuzz_in_range(const void *data, size_t nbytes)
{
    static struct pcri_prefix prefix;
    struct pcr_limits limits = { .size = sizeof(limits) };
    pcri_limits_fill(&limits);
    if (basis[0][0] == 0)
        make_basis();
    if (pcri_prefix_decode(&prefix, data, nbytes, &limits, NULL))
        return false;
    pcri_prefix_settle(&prefix);
    const struct pcri_jpeg_file *f = &prefix.file;
    for (uint32_t c = 0; c < f->component_count; c++) {
        const struct pcri_blocks *p = &prefix.planes[c];
        const uint16_t *quant = f->quant[f->components[c].quant_slot];
        for (size_t b = 0; b < (size_t) p->blocks_x * p->blocks_y; b++)
            if (!block_in_range(p->coef + 64 * b, quant))
                return false;
    }
    return true;
}
