/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of RandAugment: which are drawn, and what they do.
 *
 * Strengths are those of torchvision's RandAugment and TrivialAugmentWide, and results those of
 * Pillow, which these call for images: its arithmetic is repeated with its truncations. */
#include "randaugment.h"

/* --- what is drawn --- */

/* How strong an operation is at `level`, 0 to 1. */
struct strength {
    double narrow, wide; /* RandAugment's, TrivialAugmentWide's: at level 1 */
    bool is_signed;
};

static const struct strength strengths[PCRI_OPERATION_KINDS] = {
    [PCRI_OPERATION_SHEAR_X] = { 0.3, 0.99, true },
    [PCRI_OPERATION_SHEAR_Y] = { 0.3, 0.99, true },
    [PCRI_OPERATION_TRANSLATE_X] = { 150.0 / 331, 32, true }, /* of the width; pixels */
    [PCRI_OPERATION_TRANSLATE_Y] = { 150.0 / 331, 32, true },
    [PCRI_OPERATION_ROTATE] = { 30, 135, true },
    [PCRI_OPERATION_BRIGHTNESS] = { 0.9, 0.99, true },
    [PCRI_OPERATION_COLOR] = { 0.9, 0.99, true },
    [PCRI_OPERATION_CONTRAST] = { 0.9, 0.99, true },
    [PCRI_OPERATION_SHARPNESS] = { 0.9, 0.99, true },
    [PCRI_OPERATION_POSTERIZE] = { 4, 6, false }, /* bits that are dropped */
    [PCRI_OPERATION_SOLARIZE] = { 255, 255, false },
};

/* `across`: pixels in the direction of a translation. */
static double value_of(enum pcri_operation_kind kind, bool wide, double level, bool negative,
                       uint32_t across)
{
    const struct strength *s = &strengths[kind];
    double value = level * (wide ? s->wide : s->narrow);
    if (kind == PCRI_OPERATION_TRANSLATE_X || kind == PCRI_OPERATION_TRANSLATE_Y)
        value = floor(wide ? value : value * across);
    if (kind == PCRI_OPERATION_POSTERIZE)
        value = 8 - rint(value);
    if (kind == PCRI_OPERATION_SOLARIZE)
        value = 255 - value;
    return s->is_signed && negative ? -value : value;
}

/* Each has a number of its own. */
enum operation_draw { DRAW_KIND, DRAW_SIGN, DRAW_LEVEL };

uint32_t pcri_choose_operations(const struct pcr_loader_options *o, uint32_t width,
                                uint32_t height, uint64_t epoch, uint64_t identity,
                                struct pcri_operation out[PCRI_MOST_OPERATIONS])
{
    const struct pcr_loader_transform *t = &o->transform;
    const bool wide = t->trivialaugment_bins;
    const uint32_t bins = wide ? t->trivialaugment_bins : t->randaugment_bins;
    const uint32_t count = wide ? 1 : t->randaugment_ops;
    const uint64_t key = pcri_stream_key(o->seed, PCRI_STREAM_OPERATIONS, epoch, identity);
    for (uint32_t i = 0; i < count; i++) {
        double kind = pcri_unit(pcri_key(key, i, DRAW_KIND)) * PCRI_OPERATION_KINDS;
        double bin = wide ? floor(pcri_unit(pcri_key(key, i, DRAW_LEVEL)) * bins)
                          : t->randaugment_magnitude;
        out[i].kind = (enum pcri_operation_kind) kind;
        out[i].value = value_of(out[i].kind, wide, bin / (bins - 1.0),
                                pcri_unit(pcri_key(key, i, DRAW_SIGN)) < 0.5,
                                out[i].kind == PCRI_OPERATION_TRANSLATE_X ? width : height);
        if (t->geometric_only && out[i].kind > PCRI_OPERATION_ROTATE)
            out[i].kind = PCRI_OPERATION_IDENTITY;
    }
    return count;
}

struct pcri_affine pcri_operation_moves(const struct pcri_operation *op, double width,
                                        double height)
{
    struct pcri_affine a = { { 1, 0, 0, 0, 1, 0 } };
    switch (op->kind) {
    case PCRI_OPERATION_SHEAR_X:
        a.m[1] = -op->value;
        break;
    case PCRI_OPERATION_SHEAR_Y:
        a.m[3] = -op->value;
        break;
    case PCRI_OPERATION_TRANSLATE_X:
        a.m[2] = op->value;
        break;
    case PCRI_OPERATION_TRANSLATE_Y:
        a.m[5] = op->value;
        break;
    case PCRI_OPERATION_ROTATE:
        a = pcri_affine_turn(op->value, width, height, width, height);
        break;
    default:
        break;
    }
    return a;
}

/* --- what is done by tables --- */

/* ImageOps.autocontrast(): from the least to the largest value. */
static void stretch(const uint32_t histogram[256], uint8_t table[256])
{
    int low = 0, high = 255;
    while (low < 255 && !histogram[low])
        low++;
    while (high > 0 && !histogram[high])
        high--;
    if (high <= low)
        return;
    const double scale = 255.0 / (high - low), offset = -low * scale;
    for (int i = 0; i < 256; i++) {
        int value = (int) (i * scale + offset);
        table[i] = (uint8_t) (value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

/* ImageOps.equalize(): equal numbers of each value. */
static void equalize(const uint32_t histogram[256], uint8_t table[256])
{
    uint64_t sum = 0, last = 0;
    for (int i = 0; i < 256; i++) {
        sum += histogram[i];
        last = histogram[i] ? histogram[i] : last;
    }
    const uint64_t step = (sum - last) / 255;
    if (!step)
        return;
    uint64_t n = step / 2;
    for (int i = 0; i < 256; n += histogram[i++])
        table[i] = (uint8_t) (n / step < 255 ? n / step : 255);
}

static void make_table(const struct pcri_operation *op, const uint8_t *p, size_t n,
                       uint8_t table[256])
{
    uint32_t histogram[256] = { 0 };
    const unsigned bits = op->kind == PCRI_OPERATION_POSTERIZE ? (unsigned) op->value : 8;
    for (unsigned i = 0; i < 256; i++) {
        table[i] = (uint8_t) (i >> (8 - bits) << (8 - bits));
        if (op->kind == PCRI_OPERATION_SOLARIZE && i >= op->value)
            table[i] = (uint8_t) (255 - i);
    }
    if (op->kind != PCRI_OPERATION_AUTOCONTRAST && op->kind != PCRI_OPERATION_EQUALIZE)
        return;
    for (size_t i = 0; i < n; i++)
        histogram[p[i]]++;
    if (op->kind == PCRI_OPERATION_AUTOCONTRAST)
        stretch(histogram, table);
    else
        equalize(histogram, table);
}

static void look_up(const struct pcri_operation *op, uint8_t *p, size_t n)
{
    uint8_t table[256];
    make_table(op, p, n, table);
    for (size_t i = 0; i < n; i++)
        p[i] = table[p[i]];
}

/* --- enhancers --- */

/* The picture's gray level as Pillow has it. */
static double mean_level(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    return floor((double) sum / (double) n + 0.5);
}

/* ImageFilter.SMOOTH, which leaves the edges as they are. */
static void smooth_plane(const struct pcri_pixel_loops *loops, const uint8_t *p,
                         uint32_t width, uint32_t height, uint8_t *out)
{
    memcpy(out, p, (size_t) width * height);
    for (size_t y = 1; y + 1 < height && width > 2; y++) {
        const uint8_t *const rows[3] = { p + (y - 1) * width, p + y * width,
                                         p + (y + 1) * width };
        loops->smooth(rows, width, out + y * width);
    }
}

static int enhance(struct pcri_operator *c, const struct pcri_pixel_loops *loops,
                   const struct pcr_loader_options *o, const struct pcri_operation *op,
                   uint8_t *const *planes, uint32_t channels, struct pcr_error *err)
{
    const uint32_t width = o->output.width, height = o->output.height;
    const size_t n = (size_t) width * height;
    const float factor = (float) (1 + op->value);
    const uint8_t *luma = planes[0];
    int rc = pcri_buffer_reserve(&c->plane, n, err);
    if (rc || (op->kind == PCRI_OPERATION_COLOR && channels == 1))
        return rc; /* gray has no colour */
    if (channels > 1 &&
        (op->kind == PCRI_OPERATION_COLOR || op->kind == PCRI_OPERATION_CONTRAST)) {
        const uint8_t *const rgb[3] = { planes[0], planes[1], planes[2] };
        loops->luma(rgb, n, c->plane.data);
        luma = c->plane.data;
    }
    const double level = op->kind == PCRI_OPERATION_CONTRAST ? mean_level(luma, n) : 0;
    for (uint32_t i = 0; i < channels; i++) {
        if (op->kind == PCRI_OPERATION_SHARPNESS)
            smooth_plane(loops, planes[i], width, height, c->plane.data);
        if (op->kind == PCRI_OPERATION_SHARPNESS || op->kind == PCRI_OPERATION_COLOR)
            loops->enhance(planes[i], c->plane.data, n, factor);
        else
            loops->enhance_from(planes[i], n, (float) level, factor);
    }
    return 0;
}

int pcri_operate(struct pcri_operator *c, struct pcri_warper *w,
                 const struct pcri_pixel_loops *loops, const struct pcr_loader_options *o,
                 const struct pcri_operation *op, uint8_t *const *planes, uint32_t channels,
                 struct pcr_error *err)
{
    const size_t n = (size_t) o->output.width * o->output.height;
    if (op->kind == PCRI_OPERATION_IDENTITY)
        return 0;
    if (op->kind <= PCRI_OPERATION_ROTATE) {
        struct pcri_affine to = pcri_operation_moves(op, o->output.width, o->output.height);
        const struct pcri_affine from = pcri_affine_inverse(&to);
        return op->value == 0 ? 0 : pcri_warp(w, loops, o, &from, planes, channels, err);
    }
    if (op->kind <= PCRI_OPERATION_SHARPNESS)
        return enhance(c, loops, o, op, planes, channels, err);
    for (uint32_t i = 0; i < channels; i++)
        look_up(op, planes[i], n);
    return 0;
}
