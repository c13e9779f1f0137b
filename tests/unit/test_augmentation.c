/* SPDX-License-Identifier: BSD-2-Clause */
/* augmentation: colours and rotation against a slow control in floating point; what is drawn. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "../../loaders/transform/augmentation.h"
#include "suite.h"

enum { W = 61, H = 43, N = W * H };

static uint8_t noise[3 * N];
static struct pcri_augmenter augmenter;

static void set_up(void)
{
    uint64_t random = 3;
    for (size_t i = 0; i < sizeof(noise); i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        noise[i] = (uint8_t) (random >> 40);
        if (i % 7 == 0)
            noise[i] = random >> 63 ? 255 : 0;
        if (i >= N && i % 11 == 0)
            noise[i] = noise[i % N]; /* channels that are equal */
    }
    pcri_augmenter_init(&augmenter);
}

static void tear_down(void)
{
    pcri_augmenter_free(&augmenter);
}

static struct pcr_loader_options options(void)
{
    return (struct pcr_loader_options) { .size = sizeof(struct pcr_loader_options),
                                         .seed = 5,
                                         .output.height = H,
                                         .output.width = W,
                                         .output.color = PCR_COLOR_RGB,
                                         .output.layout = PCR_LAYOUT_NCHW,
                                         .transform.color_ppm = 1000000 };
}

static struct pcri_augmentation one_step(enum pcri_augmentation_kind kind, double value)
{
    struct pcri_augmentation c = { .step_count = 1 };
    c.steps[0].kind = kind;
    c.steps[0].value = value;
    return c;
}

static void run(const struct pcr_loader_options *o, const struct pcri_augmentation *c,
                uint8_t *out)
{
    size_t channels = o->output.color == PCR_COLOR_GRAY ? 1 : 3;
    memcpy(out, noise, channels * N);
    ck_assert_int_eq(pcri_augmenter_run(&augmenter, o, c, out, out, NULL), 0);
}

/* --- the control --- */

static double cut(double v)
{
    return fmin(fmax(v, 0), 255);
}

static double luma_of(const uint8_t *p)
{
    return 0.299 * p[0] + 0.587 * p[N] + 0.114 * p[2 * N];
}

/* HSV by its textbook (Smith 1978), the hue in sixths of the circle. */
static void turned_hue(const uint8_t *p, double turn, double out[3])
{
    double r = p[0], g = p[N], b = p[2 * N], v = fmax(r, fmax(g, b));
    double c = v - fmin(r, fmin(g, b)), h = 0;
    if (c > 0)
        h = v == r ? (g - b) / c : v == g ? (b - r) / c + 2 : (r - g) / c + 4;
    h = fmod(h + 6 * turn + 12, 6);
    double x = c * (1 - fabs(fmod(h, 2) - 1)), least = v - c;
    const double sextants[6][3] = { { c, x, 0 }, { x, c, 0 }, { 0, c, x },
                                    { 0, x, c }, { x, 0, c }, { c, 0, x } };
    for (int i = 0; i < 3; i++)
        out[i] = sextants[(int) h][i] + least;
}

static void control(enum pcri_augmentation_kind kind, double f, size_t i, double mean,
                    double out[3])
{
    for (size_t c = 0; c < 3; c++) {
        double p = noise[c * N + i];
        out[c] = kind == PCRI_AUGMENT_BRIGHTNESS ? f * p
                 : kind == PCRI_AUGMENT_CONTRAST ? f * p + (1 - f) * mean
                                                 : f * p + (1 - f) * luma_of(noise + i);
    }
    if (kind == PCRI_AUGMENT_HUE)
        turned_hue(noise + i, f, out);
}

/* --- tests --- */

START_TEST(colors_equal_the_control)
{
    static const double factors[] = { 0, 0.3, 0.75, 1, 1.4, 2.2, 3.9 };
    static const double turns[] = { -0.5, -0.31, -0.1, 0, 0.02, 0.25, 0.5 };
    static uint8_t got[3 * N];
    struct pcr_loader_options o = options();
    double mean = 0, worst = 0;
    for (size_t i = 0; i < N; i++)
        mean += luma_of(noise + i) / N;
    for (size_t k = 0; k < 7; k++) {
        double value = _i == PCRI_AUGMENT_HUE ? turns[k] : factors[k];
        struct pcri_augmentation c = one_step((enum pcri_augmentation_kind) _i, value);
        run(&o, &c, got);
        for (size_t i = 0; i < N; i++) {
            double wanted[3];
            control((enum pcri_augmentation_kind) _i, value, i, mean, wanted);
            for (size_t ch = 0; ch < 3; ch++)
                worst = fmax(worst, fabs(got[ch * N + i] - cut(wanted[ch])));
        }
        ck_assert(value != (_i == PCRI_AUGMENT_HUE ? 0 : 1) || !memcmp(got, noise, 3 * N));
    }
    /* Saturation multiplies the error of a luma that is rounded, by up to 2.9. */
    ck_assert_double_le(worst, _i == PCRI_AUGMENT_SATURATION ? 2 : 0.55);
}
END_TEST

START_TEST(gray_has_no_colour)
{
    static uint8_t got[N];
    struct pcr_loader_options o = options();
    double mean = 0, worst = 0;
    o.output.color = PCR_COLOR_GRAY;
    for (size_t i = 0; i < N; i++)
        mean += (double) noise[i] / N;
    for (int kind = 0; kind < PCRI_AUGMENT_KINDS; kind++) {
        struct pcri_augmentation c = one_step((enum pcri_augmentation_kind) kind, 0.4);
        run(&o, &c, got);
        for (size_t i = 0; i < N; i++) {
            double wanted = kind == PCRI_AUGMENT_BRIGHTNESS ? 0.4 * noise[i]
                            : kind == PCRI_AUGMENT_CONTRAST ? 0.4 * noise[i] + 0.6 * mean
                                                            : noise[i];
            worst = fmax(worst, fabs(got[i] - wanted));
        }
    }
    ck_assert_double_le(worst, 0.55);
}
END_TEST

/* Bilinear between the centres of the four nearest; those beyond the edge are as the edge. */
static double turned(const uint8_t *plane, double degrees, uint32_t x, uint32_t y, double fill)
{
    double a = degrees * acos(-1) / 180, u = x + 0.5 - W / 2.0, v = y + 0.5 - H / 2.0, sum = 0;
    double px = cos(a) * u - sin(a) * v + W / 2.0, py = sin(a) * u + cos(a) * v + H / 2.0;
    if (px < 0 || py < 0 || px >= W || py >= H)
        return fill;
    double left = floor(px - 0.5), top = floor(py - 0.5);
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++) {
            double cx = left + i, cy = top + j;
            double weight = (1 - fabs(px - 0.5 - cx)) * (1 - fabs(py - 0.5 - cy));
            cx = fmin(fmax(cx, 0), W - 1);
            cy = fmin(fmax(cy, 0), H - 1);
            sum += weight * plane[(size_t) cy * W + (size_t) cx];
        }
    return sum;
}

START_TEST(rotation_equals_the_control)
{
    static const double angles[] = { 0.01, 1, -7.3, 30, 45, -89.99, 123.4, 180 };
    static uint8_t got[3 * N];
    struct pcr_loader_options o = options();
    memcpy(o.transform.fill, "\x10\x80\xff", 3);
    for (size_t k = 0; k < sizeof(angles) / sizeof(angles[0]); k++) {
        struct pcri_augmentation c = { .degrees = angles[k] };
        double worst = 0;
        size_t filled = 0;
        run(&o, &c, got);
        for (size_t ch = 0; ch < 3; ch++)
            for (uint32_t y = 0; y < H; y++)
                for (uint32_t x = 0; x < W; x++) {
                    double wanted = turned(noise + ch * N, angles[k], x, y, -1);
                    uint8_t found = got[ch * N + y * W + x];
                    filled += wanted < 0;
                    if (wanted < 0)
                        wanted = o.transform.fill[ch];
                    worst = fmax(worst, fabs(found - wanted));
                }
        ck_assert_msg(worst <= 0.8, "%g degrees: %g levels off", angles[k], worst);
        ck_assert(angles[k] < 1 || angles[k] > 170 || filled > 0);
    }
}
END_TEST

START_TEST(tiny_pictures_turn)
{
    uint8_t p[3] = { 7, 9, 11 };
    struct pcr_loader_options o = options();
    struct pcri_augmentation c = { .degrees = 33 };
    o.output.width = o.output.height = 1;
    ck_assert_int_eq(pcri_augmenter_run(&augmenter, &o, &c, p, p, NULL), 0);
    ck_assert_mem_eq(p, "\x07\x09\x0b", 3);
}
END_TEST

START_TEST(packed_and_planar_are_alike)
{
    static uint8_t packed[3 * N], planar[3 * N];
    struct pcr_loader_options o = options();
    struct pcri_augmentation c = one_step(PCRI_AUGMENT_HUE, 0.2);
    static uint8_t planes[3 * N];
    size_t wrong = 0;
    c.degrees = 20;
    run(&o, &c, planar);
    o.output.layout = PCR_LAYOUT_NHWC;
    ck_assert(pcri_augments_planes_apart(&o));
    memcpy(planes, noise, 3 * N);
    ck_assert_int_eq(pcri_augmenter_run(&augmenter, &o, &c, planes, packed, NULL), 0);
    for (size_t i = 0; i < N; i++)
        for (size_t ch = 0; ch < 3; ch++)
            wrong += packed[3 * i + ch] != planar[ch * N + i];
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

static const float blur_weights[6] = { .2f, .16f, .11f, .07f, .04f, .02f };
static float blur_line[200];

/* Rows to floats, as bytes; and a line of floats for the next loop. */
static void blur_row(const struct pcri_pixel_loops *loops, size_t n, uint8_t *out)
{
    const uint8_t *rows[11];
    for (size_t k = 0; k < 11; k++)
        rows[k] = noise + 13 * k;
    loops->blur_down(rows, blur_weights, 5, n, (float *) (void *) out);
    for (size_t i = 0; i < 200; i++)
        blur_line[i] = (float) noise[i] + (float) noise[i + 1] / 300;
}

/* Each set gives the same bytes, at any length, and writes no more of them. */
START_TEST(sets_are_equal)
{
    const struct pcri_pixel_loops *sets[2] = { &pcri_pixel_loops_portable, augmenter.loops };
    static uint8_t out[2][3 * 512];
    for (size_t n = 0; n < 140; n++)
        for (int what = 0; what < 10; what++) {
            for (int s = 0; s < 2; s++) {
                int32_t offsets[140] = { 0 };
                uint32_t fractions[140] = { 0 };
                const uint64_t x = noise[n] * UINT64_C(0x812345679), dy = -UINT64_C(77777777);
                uint8_t *o = out[s], *rgb[3] = { o, o + 512, o + 1024 };
                const uint8_t *const in[3] = { noise + n, noise + N, noise + 2 * N };
                int16_t factor = (int16_t) (noise[n] * 257 & 0x7FFF);
                memcpy(o, noise + what, sizeof(out[s]));
                for (size_t i = 0; i < n; i++) {
                    offsets[i] = noise[i] * 5;
                    fractions[i] = (noise[i] << 3 | 5) | (uint32_t) noise[i + 1] << 19;
                }
                if (what == 0)
                    sets[s]->scale(o, n, factor, (int16_t) (noise[n + 1] * 100 - 20000));
                else if (what == 1)
                    sets[s]->mix(o, in[1], n, factor, (int16_t) (8192 - factor));
                else if (what == 2)
                    sets[s]->luma(in, n, o);
                else if (what == 3)
                    sets[s]->turn_hue(rgb, n, (float) noise[n] / 43 - 3);
                else if (what == 4)
                    sets[s]->sample(noise, W, offsets, fractions, n, o);
                else if (what == 5)
                    sets[s]->pack(in, n, o);
                else if (what == 7)
                    sets[s]->solarize(o, n);
                else if (what == 8)
                    blur_row(sets[s], n, o);
                else if (what == 9)
                    sets[s]->blur_across((const float *) blur_line, blur_weights, 5, n, o);
                else
                    sets[s]->places(x, UINT64_C(9) << 35, x / 200, dy, W, n, offsets,
                                    fractions);
                if (what == 6) {
                    memcpy(o, offsets, sizeof(offsets));
                    memcpy(o + sizeof(offsets), fractions, sizeof(fractions));
                }
            }
            ck_assert_msg(!memcmp(out[0], out[1], sizeof(out[0])), "%s: loop %d, %zu pixels",
                          sets[1]->name, what, n);
        }
}
END_TEST

/* Turns by right angles move pixels; turns by degrees, which interpolate, agree with them. */
START_TEST(right_angles)
{
    static uint8_t turned[3 * N], again[3 * N];
    struct pcr_loader_options o = options();
    o.output.width = o.output.height = H;
    for (unsigned quarters = 1; quarters < 4; quarters++) {
        struct pcri_augmentation c = { .quarters = quarters };
        struct pcri_augmentation by_degrees = { .degrees = 90 * quarters };
        run(&o, &c, turned);
        run(&o, &by_degrees, again);
        ck_assert(!memcmp(turned, again, (size_t) 3 * H * H));
        c.quarters = 4 - quarters;
        ck_assert_int_eq(pcri_augmenter_run(&augmenter, &o, &c, turned, turned, NULL), 0);
        ck_assert(!memcmp(turned, noise, (size_t) 3 * H * H));
    }
    /* Pictures that are not square change places of their sides. */
    o = options();
    o.output.width = H;
    o.output.height = W;
    for (unsigned quarters = 1; quarters < 4; quarters += 2) {
        const struct pcri_augmentation c = { .quarters = quarters };
        run(&o, &c, turned);
        for (size_t y = 0; y < W; y++)
            for (size_t x = 0; x < H; x++)
                ck_assert_uint_eq(turned[2 * N + y * H + x],
                                  noise[2 * N + (quarters == 1 ? x * W + (W - 1 - y)
                                                               : (H - 1 - x) * W + y)]);
    }
    /* Half a turn fits any picture. */
    o = options();
    const struct pcri_augmentation half = { .quarters = 2 };
    run(&o, &half, turned);
    for (size_t i = 0; i < N; i++)
        ck_assert_uint_eq(turned[i], noise[N - 1 - i]);
}
END_TEST

static size_t reflected(long i, long n)
{
    while (i < 0 || i >= n)
        i = i < 0 ? -i : 2 * (n - 1) - i;
    return (size_t) i;
}

/* A Gaussian over the whole picture, in doubles. */
static double blurred(const uint8_t *p, long x, long y, double sigma)
{
    double sum = 0, total = 0;
    const long radius = (long) ceil(4 * sigma);
    for (long v = -radius; v <= radius; v++)
        for (long u = -radius; u <= radius; u++) {
            double w = exp(-(double) (u * u + v * v) / (2 * sigma * sigma));
            sum += w * p[reflected(y + v, H) * W + reflected(x + u, W)];
            total += w;
        }
    return sum / total;
}

START_TEST(blurs)
{
    static const double sigmas[] = { 0.1, 0.5, 1.3, 2, 16 };
    static uint8_t got[3 * N];
    struct pcr_loader_options o = options();
    const struct pcri_augmentation c = { .blur = sigmas[_i] };
    run(&o, &c, got);
    for (size_t i = 0; i < N; i += _i == 4 ? 211 : 7)
        for (size_t ch = 0; ch < 3; ch += 2)
            ck_assert_double_eq_tol(
                got[ch * N + i],
                blurred(noise + ch * N, (long) (i % W), (long) (i / W), sigmas[_i]), 0.501);
    o.output.width = o.output.height = 1;
    uint8_t one[3] = { 7, 9, 255 };
    ck_assert_int_eq(pcri_augmenter_run(&augmenter, &o, &c, one, one, NULL), 0);
    ck_assert_mem_eq(one, "\x07\x09\xff", 3);
}
END_TEST

START_TEST(gray_solarize_erase)
{
    static uint8_t got[3 * N];
    struct pcr_loader_options o = options();
    struct pcri_augmentation c = { .gray = true };
    run(&o, &c, got);
    for (size_t i = 0; i < N; i++) {
        ck_assert_double_eq_tol(got[i], luma_of(noise + i), 0.51);
        ck_assert(got[N + i] == got[i] && got[2 * N + i] == got[i]);
    }
    c = (struct pcri_augmentation) { .solarize = true };
    run(&o, &c, got);
    for (size_t i = 0; i < sizeof(got); i++)
        ck_assert_uint_eq(got[i], noise[i] < 128 ? noise[i] : 255 - noise[i]);
    c = (struct pcri_augmentation) { .erase = { 3, 5, 20, 11 } };
    memcpy(o.transform.fill, "\x01\x02\x03", 3);
    run(&o, &c, got);
    for (size_t i = 0; i < sizeof(got); i++) {
        size_t x = i % N % W, y = i % N / W;
        bool inside = x >= 3 && x < 23 && y >= 5 && y < 16;
        ck_assert_uint_eq(got[i], inside ? i / N + 1 : noise[i]);
    }
    o.output.color = PCR_COLOR_GRAY;
    c = (struct pcri_augmentation) { .gray = true };
    run(&o, &c, got);
    ck_assert(!memcmp(got, noise, N));
}
END_TEST

/* Chances, and the rectangles of erasing. */
START_TEST(effects_have_their_chances)
{
    enum { COUNT = 20000 };
    struct pcr_loader_options o = options();
    uint32_t counts[8] = { 0 }, quarters[4] = { 0 };
    double blur = 0, area = 0, ratio = 0;
    o.transform = (struct pcr_loader_transform) {
        .color_ppm = 800000,
        .brightness_ppm = 1,
        .gray_ppm = 200000,
        .solarize_ppm = 100000,
        .blur_ppm = 500000,
        .blur_min = 100,
        .blur_max = 2000,
        .erase_ppm = 250000,
        .erase_area_min_ppm = 20000,
        .erase_area_max_ppm = 333333,
        .erase_ratio_min_ppm = 300000,
        .erase_ratio_max_ppm = 3300000,
        .flip_down_ppm = 300000,
        .turn_ppm = 600000,
    };
    for (uint64_t i = 0; i < COUNT; i++) {
        struct pcri_augmentation c;
        pcri_choose_augmentation(&o, 3, i, &c);
        counts[0] += c.step_count;
        counts[1] += c.gray;
        counts[2] += c.solarize;
        counts[3] += c.blur > 0;
        counts[4] += c.erase.width > 0;
        counts[5] += c.mirror;
        counts[6] += c.gray && c.solarize;
        quarters[c.quarters]++;
        blur += c.blur;
        if (!c.erase.width)
            continue;
        const uint32_t across = c.quarters % 2 ? H : W, down = c.quarters % 2 ? W : H;
        ck_assert(c.erase.x + c.erase.width <= across && c.erase.y + c.erase.height <= down);
        area += (double) c.erase.width * c.erase.height / N;
        if (c.quarters % 2 == 0)
            ratio += log((double) c.erase.width / c.erase.height);
    }
    static const double wanted[] = { .8, .2, .1, .5, .25, .3, .02 };
    for (size_t k = 0; k < 7; k++)
        ck_assert_double_eq_tol((double) counts[k] / COUNT, wanted[k], .012);
    /* Of .3 that stand on their heads and .7 that do not, .6 are turned on. */
    ck_assert_double_eq_tol((double) quarters[0] / COUNT, .7 * .4 + .3 * .2, .012);
    ck_assert_double_eq_tol((double) quarters[1] / COUNT, .2, .012);
    ck_assert_double_eq_tol((double) quarters[2] / COUNT, .3 * .4 + .7 * .2, .012);
    ck_assert_double_eq_tol(blur / counts[3], 1.05, .02);
    ck_assert_double_eq_tol(area / counts[4], .17, .01);
    /* Wide ones fit better: 61 x 43. Three of five are not turned on their sides. */
    ck_assert_double_eq_tol(ratio / counts[4] / .6, .1, .1);
}
END_TEST

START_TEST(draws_are_even_and_repeatable)
{
    enum { COUNT = 20000 };
    struct pcr_loader_options o = options();
    double sums[PCRI_AUGMENT_KINDS] = { 0 }, least[PCRI_AUGMENT_KINDS],
           most[PCRI_AUGMENT_KINDS];
    double degrees = 0, size = 0;
    uint32_t first[PCRI_AUGMENT_KINDS] = { 0 };
    o.transform.brightness_ppm = 400000;
    o.transform.contrast_ppm = 1500000;
    o.transform.saturation_ppm = 100000;
    o.transform.hue_ppm = 300000;
    o.transform.rotate_mdeg = 30000;
    ck_assert(pcri_augmentation_wanted(&o));
    for (int k = 0; k < PCRI_AUGMENT_KINDS; k++) {
        least[k] = 9;
        most[k] = -9;
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        struct pcri_augmentation c, again;
        pcri_choose_augmentation(&o, i % 2, i / 2, &c);
        pcri_choose_augmentation(&o, i % 2, i / 2, &again);
        ck_assert(!memcmp(&c, &again, sizeof(c)) && c.step_count == 4);
        first[c.steps[0].kind]++;
        for (int k = 0; k < 4; k++) {
            sums[c.steps[k].kind] += c.steps[k].value / COUNT;
            least[c.steps[k].kind] = fmin(least[c.steps[k].kind], c.steps[k].value);
            most[c.steps[k].kind] = fmax(most[c.steps[k].kind], c.steps[k].value);
        }
        degrees += c.degrees / COUNT;
        size = fmax(size, fabs(c.degrees));
    }
    static const double ranges[][2] = {
        { 0.6, 1.4 }, { 0, 2.5 }, { 0.9, 1.1 }, { -0.3, 0.3 }
    };
    for (int k = 0; k < PCRI_AUGMENT_KINDS; k++) {
        double middle = (ranges[k][0] + ranges[k][1]) / 2, width = ranges[k][1] - ranges[k][0];
        ck_assert_double_eq_tol(sums[k], middle, width * 0.01);
        ck_assert_double_eq_tol(least[k], ranges[k][0], width * 0.001);
        ck_assert_double_eq_tol(most[k], ranges[k][1], width * 0.001);
        ck_assert(least[k] >= ranges[k][0] && most[k] <= ranges[k][1]);
        ck_assert_uint_gt(first[k], COUNT / 4 - 400);
    }
    ck_assert_double_eq_tol(degrees, 0, 0.5);
    ck_assert(size > 29.9 && size <= 30);
}
END_TEST

/* What one sample gets of one kind does not depend on the others. */
START_TEST(kinds_are_independent)
{
    struct pcr_loader_options o = options(), p = options();
    ck_assert(!pcri_augmentation_wanted(&o));
    o.transform.hue_ppm = p.transform.hue_ppm = 100000;
    p.transform.brightness_ppm = p.transform.contrast_ppm = 500000;
    for (uint64_t i = 0; i < 50; i++) {
        struct pcri_augmentation a, b;
        pcri_choose_augmentation(&o, 1, i, &a);
        pcri_choose_augmentation(&p, 1, i, &b);
        ck_assert_uint_eq(a.step_count, 1);
        ck_assert_uint_eq(b.step_count, 3);
        ck_assert(a.degrees == 0);
        for (int k = 0; k < 3; k++)
            if (b.steps[k].kind == PCRI_AUGMENT_HUE)
                ck_assert(b.steps[k].value == a.steps[0].value);
    }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("augmentation");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, colors_equal_the_control, 0, PCRI_AUGMENT_KINDS);
    tcase_add_test(t, gray_has_no_colour);
    tcase_add_test(t, rotation_equals_the_control);
    tcase_add_test(t, tiny_pictures_turn);
    tcase_add_test(t, packed_and_planar_are_alike);
    tcase_add_test(t, sets_are_equal);
    tcase_add_test(t, draws_are_even_and_repeatable);
    tcase_add_test(t, right_angles);
    tcase_add_loop_test(t, blurs, 0, 5);
    tcase_add_test(t, gray_solarize_erase);
    tcase_add_test(t, effects_have_their_chances);
    tcase_add_test(t, kinds_are_independent);
    return tests_run();
}
