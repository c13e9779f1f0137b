/* SPDX-License-Identifier: BSD-2-Clause */
/* Normalisation of pixels, by tables. */
#include "normalisation.h"

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* bits / 2^shift, to the nearest, halfway to the even; shift is 1 to 31. */
static uint32_t round_shift(uint32_t bits, unsigned shift)
{
    uint32_t half = UINT32_C(1) << (shift - 1), rest = bits & (2 * half - 1);
    uint32_t kept = bits >> shift;
    return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t pcri_to_float16(float value)
{
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, size = bits & 0x7FFFFFFF;
    if (size > 0x7F800000) /* not a number */
        return (uint16_t) (sign | 0x7E00);
    if (size >= 0x47800000) /* 65536 */
        return (uint16_t) (sign | 0x7C00);
    if (size >= 0x38800000) /* 2^-14; a carry goes into the exponent, up to infinity */
        return (uint16_t) (sign | (round_shift(size, 13) - (112 << 10)));
    unsigned exponent = size >> 23; /* of multiples of 2^-24 */
    if (exponent < 102)
        return (uint16_t) sign;
    uint32_t digits = (size & 0x7FFFFF) | 0x800000;
    return (uint16_t) (sign | round_shift(digits, 126 - exponent));
}

uint16_t pcri_to_bfloat16(float value)
{
    uint32_t bits = bits_of(value);
    if ((bits & 0x7FFFFFFF) > 0x7F800000)
        return (uint16_t) (bits >> 16 | 0x40);
    return (uint16_t) round_shift(bits, 16);
}

void pcri_normalisation_init(const struct pcr_loader_options *o,
                             struct pcri_normalisation *out)
{
    uint32_t channels = o->output.color == PCR_COLOR_GRAY ? 1 : 3;
    bool planar = o->output.layout == PCR_LAYOUT_NCHW;
    *out = (struct pcri_normalisation) {
        .dtype = o->output.dtype,
        .plane_count = planar ? channels : 1,
        .channels = planar ? 1 : channels,
    };
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t v = 0; v < 256; v++) {
            float value = (float) ((v / 255.0 - o->output.mean[c]) / o->output.std[c]);
            if (o->output.dtype == PCR_DTYPE_FLOAT32)
                out->table.floats[c][v] = value;
            else
                out->table.halves[c][v] = o->output.dtype == PCR_DTYPE_FLOAT16
                                              ? pcri_to_float16(value)
                                              : pcri_to_bfloat16(value);
        }
}

static void plane_32(const float *restrict table, const uint8_t *restrict src, size_t n,
                     float *restrict dst)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = table[src[i]];
}

static void plane_16(const uint16_t *restrict table, const uint8_t *restrict src, size_t n,
                     uint16_t *restrict dst)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = table[src[i]];
}

static void triples_32(const float (*restrict table)[256], const uint8_t *restrict src,
                       size_t n, float *restrict dst)
{
    for (size_t i = 0; i < 3 * n; i += 3) {
        dst[i] = table[0][src[i]];
        dst[i + 1] = table[1][src[i + 1]];
        dst[i + 2] = table[2][src[i + 2]];
    }
}

static void triples_16(const uint16_t (*restrict table)[256], const uint8_t *restrict src,
                       size_t n, uint16_t *restrict dst)
{
    for (size_t i = 0; i < 3 * n; i += 3) {
        dst[i] = table[0][src[i]];
        dst[i + 1] = table[1][src[i + 1]];
        dst[i + 2] = table[2][src[i + 2]];
    }
}

void pcri_normalise_plane(const struct pcri_normalisation *p, uint32_t plane,
                          const uint8_t *src, size_t n, void *dst)
{
    const bool wide = p->dtype == PCR_DTYPE_FLOAT32;
    if (p->channels == 3 && wide)
        triples_32(p->table.floats, src, n, dst);
    else if (p->channels == 3)
        triples_16(p->table.halves, src, n, dst);
    else if (wide)
        plane_32(p->table.floats[plane], src, n, dst);
    else
        plane_16(p->table.halves[plane], src, n, dst);
}

void pcri_normalise(const struct pcri_normalisation *p, const uint8_t *src, size_t n,
                    void *dst)
{
    const size_t values = n * p->channels; /* of a plane */
    const size_t nbytes = values * (p->dtype == PCR_DTYPE_FLOAT32 ? 4 : 2);
    for (uint32_t i = 0; i < p->plane_count; i++)
        pcri_normalise_plane(p, i, src + i * values, n, (uint8_t *) dst + i * nbytes);
}
