/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of pixels: what is drawn, and how it is applied to planes of bytes.
 *
 * Colours change as by torchvision's ColorJitter: brightness multiplies, contrast moves from
 * or to the mean luma, saturation from or to each pixel's luma, hue turns in HSV; the order is
 * drawn too. Each step's result is rounded and clamped to 8 bits. Pictures are rotated as by
 * Pillow's Image.rotate(): about the centre, keeping the size, bilinear or, if pictures are
 * resized so, by the nearest pixel; at the edge the outermost pixels are repeated. Blur,
 * solarisation, gray and erasing are those of torchvision's transforms of these names. */
#include <math.h>

#include "augmentation.h"

static const uint32_t *factor_field(const struct pcr_loader_options *o, unsigned kind)
{
    const uint32_t *const fields[PCRI_AUGMENT_KINDS] = {
        [PCRI_AUGMENT_BRIGHTNESS] = &o->transform.brightness_ppm,
        [PCRI_AUGMENT_CONTRAST] = &o->transform.contrast_ppm,
        [PCRI_AUGMENT_SATURATION] = &o->transform.saturation_ppm,
        [PCRI_AUGMENT_HUE] = &o->transform.hue_ppm,
    };
    return fields[kind];
}

bool pcri_augmentation_wanted(const struct pcr_loader_options *o)
{
    return o->transform.brightness_ppm || o->transform.contrast_ppm ||
           o->transform.saturation_ppm || o->transform.hue_ppm || o->transform.rotate_mdeg ||
           o->transform.flip_down_ppm || o->transform.turn_ppm || o->transform.gray_ppm ||
           o->transform.solarize_ppm || o->transform.blur_ppm || o->transform.erase_ppm ||
           o->transform.randaugment_ops || o->transform.trivialaugment_bins;
}

/* Each has a number of its own, whether or not the others are wanted. */
enum effect {
    EFFECT_FLIP_DOWN,
    EFFECT_TURN,
    EFFECT_QUARTERS,
    EFFECT_COLOR,
    EFFECT_GRAY,
    EFFECT_SOLARIZE,
    EFFECT_BLUR,
    EFFECT_SIGMA,
    EFFECT_ERASE,
    EFFECT_RECTANGLE, /* and those after it */
};

static double drawn(uint64_t key, unsigned effect)
{
    return pcri_unit(pcri_key(key, 1, effect));
}

static bool happens(uint64_t key, enum effect effect, uint32_t chance_ppm)
{
    return chance_ppm && drawn(key, effect) < chance_ppm / 1e6;
}

/* A rectangle within the picture, not all of it in either direction; none if ten do not fit. */
static void choose_rectangle(const struct pcr_loader_options *o, uint64_t key,
                             struct pcri_augmentation *out)
{
    const struct pcr_loader_transform *t = &o->transform;
    const bool turned = out->quarters % 2;
    const uint32_t width = turned ? o->output.height : o->output.width;
    const uint32_t height = turned ? o->output.width : o->output.height;
    const double low = log(t->erase_ratio_min_ppm / 1e6);
    const double high = log(t->erase_ratio_max_ppm / 1e6);
    for (unsigned n = EFFECT_RECTANGLE; n < EFFECT_RECTANGLE + 40; n += 4) {
        double part = t->erase_area_min_ppm +
                      drawn(key, n) * (t->erase_area_max_ppm - t->erase_area_min_ppm);
        double area = part / 1e6 * width * height;
        double ratio = exp(low + drawn(key, n + 1) * (high - low));
        double w = rint(sqrt(area * ratio)), h = rint(sqrt(area / ratio));
        if (w < 1 || h < 1 || w >= width || h >= height)
            continue;
        out->erase.width = (uint32_t) w;
        out->erase.height = (uint32_t) h;
        out->erase.x = (uint32_t) (drawn(key, n + 2) * (width - w + 1));
        out->erase.y = (uint32_t) (drawn(key, n + 3) * (height - h + 1));
        return;
    }
}

static void choose_effects(const struct pcr_loader_options *o, uint64_t key,
                           struct pcri_augmentation *out)
{
    const struct pcr_loader_transform *t = &o->transform;
    if (happens(key, EFFECT_FLIP_DOWN, t->flip_down_ppm)) {
        out->mirror = true;
        out->quarters = 2;
    }
    if (happens(key, EFFECT_TURN, t->turn_ppm))
        out->quarters = (out->quarters + 1 + (unsigned) (3 * drawn(key, EFFECT_QUARTERS))) % 4;
    if (!happens(key, EFFECT_COLOR, t->color_ppm))
        out->step_count = 0;
    out->gray = happens(key, EFFECT_GRAY, t->gray_ppm);
    out->solarize = happens(key, EFFECT_SOLARIZE, t->solarize_ppm);
    if (happens(key, EFFECT_BLUR, t->blur_ppm))
        out->blur = (t->blur_min + drawn(key, EFFECT_SIGMA) * (t->blur_max - t->blur_min)) /
                    1e3;
    if (happens(key, EFFECT_ERASE, t->erase_ppm))
        choose_rectangle(o, key, out);
}

void pcri_choose_augmentation(const struct pcr_loader_options *o, uint64_t epoch,
                              uint64_t identity, struct pcri_augmentation *out)
{
    uint64_t colors = pcri_stream_key(o->seed, PCRI_STREAM_COLORS, epoch, identity);
    uint64_t turn = pcri_stream_key(o->seed, PCRI_STREAM_ROTATION, epoch, identity);
    memset(out, 0, sizeof(*out));
    for (uint64_t i = 0; i < PCRI_AUGMENT_KINDS; i++) {
        unsigned kind = (unsigned) pcri_permute(colors, PCRI_AUGMENT_KINDS, i);
        double range = *factor_field(o, kind) / 1e6;
        if (range == 0)
            continue;
        double low = kind == PCRI_AUGMENT_HUE ? -range : fmax(1 - range, 0);
        double high = kind == PCRI_AUGMENT_HUE ? range : 1 + range;
        /* Each kind has its own number, whether or not the others are requested. */
        double value = low + (high - low) * pcri_unit(pcri_key(colors, 1, kind));
        out->steps[out->step_count].kind = kind;
        out->steps[out->step_count++].value = value;
    }
    out->degrees = (2 * pcri_unit(turn) - 1) * o->transform.rotate_mdeg / 1e3;
    choose_effects(o, pcri_stream_key(o->seed, PCRI_STREAM_EFFECTS, epoch, identity), out);
    const bool turned = out->quarters % 2;
    out->operation_count = pcri_choose_operations(
        o, turned ? o->output.height : o->output.width,
        turned ? o->output.width : o->output.height, epoch, identity, out->operations);
}

struct pcri_affine pcri_augmentation_moves(const struct pcri_augmentation *a, double width,
                                           double height)
{
    const double new_width = a->quarters % 2 ? height : width;
    const double new_height = a->quarters % 2 ? width : height;
    struct pcri_affine all = pcri_affine_turn(90.0 * a->quarters, width, height, new_width,
                                              new_height);
    for (uint32_t i = 0; i < a->operation_count; i++) {
        const struct pcri_affine one = pcri_operation_moves(&a->operations[i], new_width,
                                                            new_height);
        all = pcri_affine_then(&all, &one);
    }
    const struct pcri_affine turn = pcri_affine_turn(a->degrees, new_width, new_height,
                                                     new_width, new_height);
    return pcri_affine_then(&all, &turn);
}

void pcri_augmenter_init(struct pcri_augmenter *c)
{
    c->loops = pcri_pixel_loops_choose();
}

void pcri_augmenter_free(struct pcri_augmenter *c)
{
    pcr_buffer_free(&c->luma);
    pcr_buffer_free(&c->lines);
    pcr_buffer_free(&c->operations.plane);
    pcri_warper_free(&c->warper);
}

static uint32_t channels_of(const struct pcr_loader_options *o)
{
    return o->output.color == PCR_COLOR_GRAY ? 1 : 3;
}

bool pcri_augments_planes_apart(const struct pcr_loader_options *o)
{
    return channels_of(o) > 1 && o->output.layout == PCR_LAYOUT_NHWC;
}

/* --- colours --- */

/* Both as pixel_loops.h has them; factors are below 4, levels within 255 times that. */
static int16_t factor_number(double factor)
{
    return (int16_t) fmin(lrint(factor * (1 << PCRI_FACTOR_BITS)), INT16_MAX);
}

static int16_t level_number(double level)
{
    return (int16_t) lrint(level * (1 << PCRI_LEVEL_BITS));
}

/* The luma of all pixels; a gray picture is its own. */
static int find_luma(struct pcri_augmenter *c, uint8_t *const *planes, uint32_t channels,
                     size_t n, const uint8_t **out, struct pcr_error *err)
{
    *out = planes[0];
    if (channels == 1)
        return 0;
    int rc = pcri_buffer_reserve(&c->luma, n, err);
    if (rc)
        return rc;
    const uint8_t *const rgb[3] = { planes[0], planes[1], planes[2] };
    c->loops->luma(rgb, n, c->luma.data);
    *out = c->luma.data;
    return 0;
}

static double mean_of(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    return (double) sum / (double) n;
}

static int change_color(struct pcri_augmenter *c, enum pcri_augmentation_kind kind,
                        double value, uint8_t *const *planes, uint32_t channels, size_t n,
                        struct pcr_error *err)
{
    const struct pcri_pixel_loops *loops = c->loops;
    const uint8_t *luma = NULL;
    double level = 0;
    int rc = 0;
    if (kind >= PCRI_AUGMENT_SATURATION && channels == 1)
        return 0; /* gray has no colour */
    if (kind == PCRI_AUGMENT_HUE) {
        loops->turn_hue(planes, n, (float) (6 * value));
        return 0;
    }
    if (kind != PCRI_AUGMENT_BRIGHTNESS &&
        (rc = find_luma(c, planes, channels, n, &luma, err)))
        return rc;
    if (kind == PCRI_AUGMENT_CONTRAST)
        level = (1 - value) * mean_of(luma, n);
    for (uint32_t i = 0; i < channels; i++)
        if (kind == PCRI_AUGMENT_SATURATION)
            loops->mix(planes[i], luma, n, factor_number(value), factor_number(1 - value));
        else
            loops->scale(planes[i], n, factor_number(value), level_number(level));
    return 0;
}

/* --- others --- */

/* Turns the picture about its centre. */
static int turn(struct pcri_augmenter *c, const struct pcr_loader_options *o, double degrees,
                uint8_t *const *planes, uint32_t channels, struct pcr_error *err)
{
    const double width = o->output.width, height = o->output.height;
    const struct pcri_affine from = pcri_affine_turn(-degrees, width, height, width, height);
    return pcri_warp(&c->warper, c->loops, o, &from, planes, channels, err);
}

static int drop_color(struct pcri_augmenter *c, uint8_t *const *planes, uint32_t channels,
                      size_t n, struct pcr_error *err)
{
    const uint8_t *luma;
    int rc = find_luma(c, planes, channels, n, &luma, err);
    for (uint32_t i = 0; i < channels && !rc && channels > 1; i++)
        memcpy(planes[i], luma, n);
    return rc;
}

/* Exactly: pixels only change their places. The options' size is that of the result. */
static int turn_quarters(struct pcri_augmenter *c, const struct pcr_loader_options *o,
                         unsigned quarters, uint8_t *const *planes, uint32_t channels,
                         struct pcr_error *err)
{
    const size_t width = o->output.width, height = o->output.height, n = width * height;
    int rc = quarters == 2 ? 0 : pcri_buffer_reserve(&c->lines, n, err);
    for (uint32_t i = 0; i < channels && !rc; i++) {
        uint8_t *p = planes[i];
        for (size_t k = 0; k < n / 2 && quarters == 2; k++) {
            uint8_t other = p[n - 1 - k];
            p[n - 1 - k] = p[k];
            p[k] = other;
        }
        if (quarters == 2)
            continue;
        memcpy(c->lines.data, p, n);
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++)
                p[y * width + x] = quarters == 1 ? c->lines.data[x * height + (height - 1 - y)]
                                                 : c->lines.data[(width - 1 - x) * height + y];
    }
    return rc;
}

/* The place of row or column i, which may lie outside of 0..n-1, in a picture that is mirrored at
 * its edges without repeating the outermost ones. */
static size_t mirrored(int64_t i, int64_t n)
{
    if (n == 1)
        return 0;
    i %= 2 * (n - 1);
    i = i < 0 ? -i : i;
    return (size_t) (i < n ? i : 2 * (n - 1) - i);
}

enum { BLUR_RADIUS = 64 }; /* at most: 4 sigma */

/* One half of a Gaussian and its middle, which add up to 1 with the other half. Returns the
 * radius. */
static uint32_t gaussian(double sigma, float weights[BLUR_RADIUS + 1])
{
    const uint32_t radius = (uint32_t) fmin(ceil(4 * sigma), BLUR_RADIUS);
    double sum = 0, exact[BLUR_RADIUS + 1];
    for (uint32_t k = 0; k <= radius; k++) {
        exact[k] = exp(-(double) k * k / (2 * sigma * sigma));
        sum += k ? 2 * exact[k] : exact[k];
    }
    for (uint32_t k = 0; k <= radius; k++)
        weights[k] = (float) (exact[k] / sum);
    return radius;
}

/* Columns first, each row of them then across. */
static int blur(struct pcri_augmenter *c, const struct pcr_loader_options *o, double sigma,
                uint8_t *const *planes, uint32_t channels, struct pcr_error *err)
{
    const uint32_t width = o->output.width, height = o->output.height;
    const size_t n = (size_t) width * height;
    float weights[BLUR_RADIUS + 1];
    const uint32_t radius = gaussian(sigma, weights);
    const size_t line_nbytes = (width + 2 * (size_t) radius) * sizeof(float);
    int rc = pcri_buffer_reserve(&c->lines, line_nbytes + n, err);
    if (rc)
        return rc;
    float *line = (float *) (void *) c->lines.data, *inside = line + radius;
    uint8_t *from = c->lines.data + line_nbytes;
    for (uint32_t i = 0; i < channels; i++) {
        memcpy(from, planes[i], n);
        for (uint32_t y = 0; y < height; y++) {
            const uint8_t *rows[2 * BLUR_RADIUS + 1];
            for (int64_t k = -(int64_t) radius; k <= radius; k++)
                rows[k + radius] = from + mirrored(y + k, height) * width;
            c->loops->blur_down(rows, weights, radius, width, inside);
            for (int64_t k = 1; k <= radius; k++) {
                inside[-k] = inside[mirrored(-k, width)];
                inside[width - 1 + k] = inside[mirrored(width - 1 + k, width)];
            }
            c->loops->blur_across(line, weights, radius, width,
                                  planes[i] + (size_t) y * width);
        }
    }
    return 0;
}

static void erase(const struct pcr_loader_options *o, const struct pcri_augmentation *a,
                  uint8_t *const *planes, uint32_t channels)
{
    for (uint32_t i = 0; i < channels; i++)
        for (uint32_t y = a->erase.y; y < a->erase.y + a->erase.height; y++)
            memset(planes[i] + (size_t) y * o->output.width + a->erase.x, o->transform.fill[i],
                   a->erase.width);
}

int pcri_augmenter_run(struct pcri_augmenter *c, const struct pcr_loader_options *o,
                       const struct pcri_augmentation *changes, uint8_t *planes, uint8_t *dst,
                       struct pcr_error *err)
{
    uint32_t channels = channels_of(o);
    size_t n = (size_t) o->output.width * o->output.height;
    uint8_t *each[3] = { planes, planes + (channels > 1 ? n : 0),
                         planes + (channels > 1 ? 2 * n : 0) };
    int rc = 0;
    if (changes->quarters)
        rc = turn_quarters(c, o, changes->quarters, each, channels, err);
    for (uint32_t i = 0; i < changes->operation_count && !rc; i++)
        rc = pcri_operate(&c->operations, &c->warper, c->loops, o, &changes->operations[i],
                          each, channels, err);
    for (uint32_t i = 0; i < changes->step_count && !rc; i++)
        rc = change_color(c, changes->steps[i].kind, changes->steps[i].value, each, channels,
                          n, err);
    if (!rc && changes->gray)
        rc = drop_color(c, each, channels, n, err);
    if (!rc && changes->blur > 0)
        rc = blur(c, o, changes->blur, each, channels, err);
    for (uint32_t i = 0; i < channels && !rc && changes->solarize; i++)
        c->loops->solarize(each[i], n);
    if (!rc && changes->degrees != 0)
        rc = turn(c, o, changes->degrees, each, channels, err);
    if (!rc && changes->erase.width)
        erase(o, changes, each, channels);
    if (!rc && pcri_augments_planes_apart(o)) {
        const uint8_t *const rgb[3] = { each[0], each[1], each[2] };
        c->loops->pack(rgb, n, dst);
    }
    return rc;
}
