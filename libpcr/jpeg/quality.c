/* SPDX-License-Identifier: BSD-2-Clause */
/* Quality from coefficients alone: SSIM (Wang et al., "Image Quality Assessment: From Error
 * Visibility to Structural Similarity", 2004) of luma, with blocks as its windows, after both
 * pictures were made smaller by a triangle filter.
 *
 * By Parseval's theorem the sums over a block's coefficients are those over its pixels: the
 * variance of a block is the sum of its squared AC coefficients over 64, the covariance of two
 * blocks that of their products. A picture that is made smaller loses each frequency by the
 * filter's response there, known in advance. So variances and covariances for all scales are
 * weighted sums over the coefficients that are not 0, and a prefix differs from the next one only
 * in the coefficients that get bits. Where output pixels are larger than source pixels, windows
 * are cells of 2 x 2, 4 x 4 or 8 x 8 blocks, so that they have about as many pixels as those of
 * SSIM; the means of their blocks then count as variance, too.
 *
 * Vectors hold the scales. Operations are those of IEEE 754 in a fixed order, so that all machines
 * compute the same that do not keep more bits than they were told (x87 does). */
#include <stdlib.h>

#include "dequant.h"
#include "ladder_scans.h"
#include "quality.h"

enum {
    LANES = 8,      /* scales, and one that is not used */
    LEVELS = 4,     /* cells of 1, 2, 4, 8 blocks across */
    CELL_FIRST = 2, /* fields of a cell before those of the prefixes: */
    /* the sums of mean and of square; then for each prefix: */
    MEAN = 0,
    SQUARE = 1,
    PRODUCT = 2,
    PREFIX_FIELDS = 3,
};

#ifdef __clang__
#pragma clang fp contract(off)
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * LANES)));
_Static_assert((int) PCRI_QUALITY_SCALES <= (int) LANES, "a vector has all scales");

/* Of a triangle filter for scales sqrt(2)^i and frequencies u: sinc(u scale / 16)^2. None for
 * scale 1, which does not resize. */
static const float response[PCRI_QUALITY_SCALES][8] = {
    { 1, 1, 1, 1, 1, 1, 1, 1 },
    { 1, 0.974560694F, 0.90132757F, 0.789055627F, 0.650765644F, 0.501696697F, 0.356992178F,
      0.229534366F },
    { 1, 0.949641204F, 0.810569469F, 0.614990506F, 0.405284735F, 0.221396582F, 0.0900632743F,
      0.0193804327F },
    { 1, 0.90132757F, 0.650765644F, 0.356992178F, 0.12829849F, 0.0165062206F, 0.00323140194F,
      0.0304756075F },
    { 1, 0.810569469F, 0.405284735F, 0.0900632743F, 0, 0.0324227788F, 0.0450316372F,
      0.0165422341F },
    { 1, 0.650765644F, 0.12829849F, 0.00323140194F, 0.0470691658F, 0.0144054189F,
      0.00311546169F, 0.0164393738F },
    { 1, 0.405284735F, 0, 0.0450316372F, 0, 0.0162113894F, 0, 0.00827111703F },
};

/* The level of cells at each scale. */
static const uint8_t level_of[PCRI_QUALITY_SCALES] = { 0, 0, 1, 1, 2, 2, 3 };

/* A group that brings bits of a coefficient. */
struct change {
    uint8_t group; /* from 0 */
    uint8_t bits;  /* the lowest that is known then */
    float offset;
};

struct component {
    vec weight[64]; /* of a squared coefficient in a variance */
    float quant[64];
    uint32_t prefixes;
    uint8_t change_count[64];
    struct change changes[64][PCRI_LADDER_MAX_GROUPS];
    vec *cells[LEVELS]; /* of the row in work; [0] is one cell */
    size_t fields;      /* of a cell */
    double loss[PCRI_LADDER_MAX_GROUPS][PCRI_QUALITY_SCALES]; /* sums of 1 - SSIM */
};

/* --- the script --- */

static void plan_coefficient(struct component *c, unsigned k, uint32_t group,
                             const int8_t bits[64], const struct pcri_dequant *d)
{
    uint8_t n = c->change_count[k];
    if (bits[k] < 0 || (n && c->changes[k][n - 1].bits == bits[k]))
        return;
    c->changes[k][n] = (struct change) { (uint8_t) group, (uint8_t) bits[k],
                                         (float) d->offset[k] };
    c->change_count[k]++;
}

static void plan(struct component *c, const struct pcri_jpeg_file *f, uint32_t index,
                 const struct pcri_script *script)
{
    const uint16_t *quant = f->quant[f->components[index].quant_slot];
    int8_t bits[64];
    struct pcri_dequant d;
    uint32_t line = 0;
    memset(bits, -1, sizeof(bits));
    memset(c->change_count, 0, sizeof(c->change_count));
    memset(c->loss, 0, sizeof(c->loss));
    for (uint32_t g = 0; g < c->prefixes; g++) {
        for (; line < script->scan_count && script->scans[line].group == g; line++) {
            const struct pcri_ladder_scan *s = &script->scans[line];
            if (pcri_part_has(s->part, pcri_class_of(f, index)))
                memset(bits + s->ss, s->al, s->se - s->ss + 1u);
        }
        pcri_dequant_fill(quant, bits, &d);
        for (unsigned k = 0; k < 64; k++)
            plan_coefficient(c, k, g, bits, &d);
    }
    for (unsigned k = 0; k < 64; k++) {
        const unsigned at = pcri_zigzag_order[k];
        c->quant[k] = quant[k];
        for (unsigned s = 0; s < LANES; s++) {
            const float r = s < PCRI_QUALITY_SCALES ? response[s][at % 8] * response[s][at / 8]
                                                    : 0;
            c->weight[k][s] = r * r / 64;
        }
    }
}

/* --- blocks and cells --- */

/* What the first bits of a coefficient's magnitude are taken for. */
INLINE float value_of(unsigned magnitude, float quant, const struct change *ch)
{
    const unsigned top = magnitude >> ch->bits << ch->bits;
    return top ? (float) top * quant + ch->offset : 0;
}

/* The fields of one block, as those of a cell. */
INLINE void measure_block(const struct component *c, const int16_t *coef, uint64_t mask,
                          vec *cell)
{
    const vec zero = { 0 };
    vec square = zero, squares[PCRI_LADDER_MAX_GROUPS], products[PCRI_LADDER_MAX_GROUPS];
    float means[PCRI_LADDER_MAX_GROUPS];
    for (uint32_t g = 0; g < c->prefixes; g++)
        squares[g] = products[g] = zero, means[g] = 128;
    for (uint64_t left = mask & ~UINT64_C(1); left; left &= left - 1) {
        const int k = __builtin_ctzll(left);
        const unsigned magnitude = (unsigned) abs(coef[k]);
        const float x = (float) magnitude * c->quant[k];
        const vec w = c->weight[k], wx = w * x;
        float before = 0;
        square += wx * x;
        for (unsigned i = 0; i < c->change_count[k]; i++) {
            const struct change *ch = &c->changes[k][i];
            const float y = value_of(magnitude, c->quant[k], ch);
            if (!(y > 0))
                continue;
            squares[ch->group] += w * (y * y - before * before);
            products[ch->group] += wx * (y - before);
            before = y;
        }
    }
    for (unsigned i = 0; i < c->change_count[0]; i++) {
        const struct change *ch = &c->changes[0][i];
        for (uint32_t g = ch->group; g < c->prefixes; g++)
            means[g] = (float) (coef[0] & -(1 << ch->bits)) * c->quant[0] / 8 + 128;
    }
    const float mean = coef[0] * c->quant[0] / 8 + 128;
    vec ys = zero, xys = zero;
    cell[MEAN] = zero + mean;
    cell[SQUARE] = square + mean * mean;
    cell += CELL_FIRST;
    for (uint32_t g = 0; g < c->prefixes; g++, cell += PREFIX_FIELDS) {
        ys += squares[g];
        xys += products[g];
        cell[MEAN] = zero + means[g];
        cell[SQUARE] = ys + means[g] * means[g];
        cell[PRODUCT] = xys + mean * means[g];
    }
}

/* Adds what a cell of n blocks lacks of SSIM 1 to the losses at its level's scales, n times. */
INLINE void settle_cell(struct component *c, const vec *cell, unsigned level, uint32_t n)
{
    const float c1 = 6.5025F, c2 = 58.5225F, part = 1.0F / (float) n;
    const vec mx = cell[MEAN] * part, vx = cell[SQUARE] * part - mx * mx;
    cell += CELL_FIRST;
    for (uint32_t g = 0; g < c->prefixes; g++, cell += PREFIX_FIELDS) {
        const vec my = cell[MEAN] * part, vy = cell[SQUARE] * part - my * my;
        const vec cov = cell[PRODUCT] * part - mx * my;
        const vec most = (mx * mx + my * my + c1) * (vx + vy + c2);
        const vec loss = (most - (2 * mx * my + c1) * (2 * cov + c2)) / most;
        for (unsigned s = 0; s < PCRI_QUALITY_SCALES; s++)
            if (level_of[s] == level)
                c->loss[g][s] += (double) (loss[s] * (float) n);
    }
}

/* Ends a row of cells of a level, `rows` blocks high, and adds them to those of the next. */
INLINE void settle_row(struct component *c, unsigned level, uint32_t blocks_x, uint32_t rows)
{
    const uint32_t across = 1u << level;
    vec *cell = c->cells[level];
    for (uint32_t x = 0; x < blocks_x; x += across, cell += c->fields) {
        const uint32_t width = blocks_x - x < across ? blocks_x - x : across;
        settle_cell(c, cell, level, width * rows);
        if (level + 1 < LEVELS) {
            vec *next = c->cells[level + 1] + (x >> (level + 1)) * c->fields;
            for (size_t i = 0; i < c->fields; i++)
                next[i] += cell[i];
        }
    }
    memset(c->cells[level], 0, sizeof(vec) * c->fields * ((blocks_x + across - 1) >> level));
}

INLINE void measure_row_of(struct component *c, const struct pcri_plane *p, uint32_t y)
{
    const size_t first = (size_t) y * p->blocks_x;
    for (uint32_t x = 0; x < p->blocks_x; x++) {
        vec *next = c->cells[1] + (x >> 1) * c->fields;
        measure_block(c, p->coef + 64 * (first + x), p->mask[first + x], c->cells[0]);
        settle_cell(c, c->cells[0], 0, 1);
        for (size_t i = 0; i < c->fields; i++)
            next[i] += c->cells[0][i];
    }
    for (unsigned level = 1; level < LEVELS; level++) {
        const uint32_t down = 1u << level, rows = y % down + 1;
        if (rows == down || y + 1 == p->blocks_y)
            settle_row(c, level, p->blocks_x, rows);
    }
}

static void measure_row(struct component *c, const struct pcri_plane *p, uint32_t y)
{
    measure_row_of(c, p, y);
}

#if defined(__x86_64__) && !defined(PCR_PORTABLE)
__attribute__((target("avx2"))) static void measure_row_avx2(struct component *c,
                                                             const struct pcri_plane *p,
                                                             uint32_t y)
{
    measure_row_of(c, p, y);
}
#endif

/* --- an image --- */

/* The scratch memory: a component, and its cells. */
static struct component *reserve(struct pcri_quality *q, uint32_t prefixes, uint32_t blocks_x,
                                 struct pcr_error *err)
{
    const size_t fields = CELL_FIRST + PREFIX_FIELDS * prefixes;
    size_t cells = 1, nbytes = sizeof(struct component) + sizeof(vec);
    for (unsigned level = 1; level < LEVELS; level++)
        cells += (blocks_x >> level) + 1u;
    nbytes += cells * fields * sizeof(vec);
    if (nbytes > q->capacity) {
        free(q->memory);
        q->capacity = 0;
        if (!(q->memory = pcri_malloc(nbytes, 1, err)))
            return NULL;
        q->capacity = nbytes;
    }
    const size_t over = (uintptr_t) q->memory % sizeof(vec);
    struct component *c = (void *) (q->memory + (over ? sizeof(vec) - over : 0));
    vec *at = (vec *) (void *) ((uint8_t *) c + sizeof(*c));
    memset(at, 0, cells * fields * sizeof(vec));
    c->prefixes = prefixes;
    c->fields = fields;
    for (unsigned level = 0; level < LEVELS; level++) {
        c->cells[level] = at;
        at += (level ? (blocks_x >> level) + 1u : 1) * fields;
    }
    return c;
}

/* -10 log10(loss) in quarters of a decibel, rounded down, by a loop that all machines take in the
 * same way. */
static uint8_t level_in_quarters(double loss)
{
    const double step = 0.944060876285923362; /* 10^(-1 / 40) */
    unsigned quarters = 0;
    for (double least = step; quarters < 255 && loss <= least; least *= step)
        quarters++;
    return (uint8_t) quarters;
}

int pcri_quality_measure(struct pcri_quality *q, const struct pcri_jpeg_file *f,
                         const struct pcri_coefs *coefs, const struct pcri_script *script,
                         uint32_t group_count, uint8_t *out, struct pcr_error *err)
{
    const uint32_t prefixes = group_count - 1;
    void (*measure)(struct component * c, const struct pcri_plane *p,
                    uint32_t y) = measure_row;
#if defined(__x86_64__) && !defined(PCR_PORTABLE)
    if (pcri_cpu_features() & PCRI_CPU_AVX2)
        measure = measure_row_avx2;
#endif
    memset(out, 255, (size_t) prefixes * PCRI_QUALITY_SCALES);
    for (uint32_t i = 0; i < f->component_count; i++) {
        const struct pcri_plane *p = &coefs->planes[i];
        if (pcri_class_of(f, i) != PCRI_LUMA)
            continue;
        struct component *c = reserve(q, prefixes, p->blocks_x, err);
        if (!c)
            return PCR_ERR_NOMEM;
        plan(c, f, i, script);
        for (uint32_t y = 0; y < p->blocks_y; y++)
            measure(c, p, y);
        const double blocks = (double) p->blocks_x * p->blocks_y;
        for (uint32_t g = 0; g < prefixes; g++)
            for (unsigned s = 0; s < PCRI_QUALITY_SCALES; s++) {
                const uint8_t level = level_in_quarters(c->loss[g][s] / blocks);
                uint8_t *least = &out[PCRI_QUALITY_SCALES * g + s];
                *least = level < *least ? level : *least;
            }
    }
    return 0;
}

void pcri_quality_free(struct pcri_quality *q)
{
    free(q->memory);
    *q = (struct pcri_quality) { 0 };
}
