/* SPDX-License-Identifier: BSD-2-Clause */
/* Paints pictures whose statistics are like those of photographs, in integers alone. */
#include <stdlib.h>

#include "base/base.h"
#include "base/random.h"
#include "generator.h"
#include "still_life.h"

/* A picture is built in three int16 planes (R, G, B) in steps of 1/16 level: a background
 * gradient, then shapes with a blend mask each, then noise whose power is about equal in
 * each octave (the 1/f spectrum of natural scenes), then fine grain. */

enum { SCALE = 16, MAX_OCTAVE = 9, EDGE = 4096 };

struct random {
    uint64_t key, count;
};

struct canvas {
    uint32_t width, height;
    int16_t *rgb;     /* width * height * 3 */
    int16_t *texture; /* width * height: what shapes are filled with, -512..511 */
    int32_t *rows;    /* scratch of the noise: three of width + 2 */
};

enum shape_kind { ELLIPSE, BOX, DIAMOND, STRIPES, SHAPE_KINDS };

struct shape {
    enum shape_kind kind;
    int32_t cx, cy;       /* centre */
    int32_t a, b;         /* half axes */
    int32_t cosine, sine; /* of the rotation, times 256 */
    int32_t softness;     /* width of the edge, pixels */
    int32_t color[3];     /* 0..255 */
    int32_t shade;        /* brightness from one side to the other, levels */
    int32_t texture;      /* its strength, 0..256 */
};

/* What pictures of a class have in common. */
struct style {
    int32_t hue; /* 0..1535 */
    enum shape_kind kind;
    int32_t finest, coarsest; /* octaves of the texture */
    int32_t strength;
};

static int32_t draw(struct random *r, int32_t low, int32_t high)
{
    uint64_t v = pcri_key(r->key, r->count++, 0x5049) >> 33;
    return low + (int32_t) (v % (uint64_t) (high - low + 1));
}

static int32_t clamp(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* C leaves open in which order the arguments of a call, or a list of initial values, are
 * computed. So draw() stands in statements of its own. */

/* Hue 0..1535, saturation and value 0..255. */
static void color_from_hue(int32_t hue, int32_t saturation, int32_t value, int32_t out[3])
{
    for (int c = 0; c < 3; c++) {
        int32_t h = (hue + 1536 - 512 * c) % 1536;
        int32_t distance = h < 768 ? h : 1536 - h;
        int32_t pure = clamp(512 - distance, 0, 255);
        out[c] = value * (255 * 255 - saturation * (255 - pure)) / (255 * 255);
    }
}

/* The noise's values at row `y` of the lattice. */
static void fill_lattice(uint64_t key, uint32_t y, uint32_t columns, int32_t *out)
{
    for (uint32_t i = 0; i < columns; i++)
        out[i] = (int32_t) (pcri_mix(key ^ ((uint64_t) y << 32 | i)) >> 55) - 256;
}

/* Adds value noise of lattice step 2^octave and amplitude `strength` to a plane. */
static void add_octave(const struct canvas *cv, int16_t *plane, uint32_t stride, uint64_t key,
                       unsigned octave, int32_t strength)
{
    uint32_t step = 1u << octave, columns = cv->width / step + 2;
    int32_t weights[1 << MAX_OCTAVE];
    int32_t *above = cv->rows, *below = above + columns, *row = below + columns;

    for (uint32_t k = 0; k < step; k++) {
        int32_t f = (int32_t) (k << (10 - octave));
        weights[k] = f * f / 1024 * (3 * 1024 - 2 * f) / 1024;
    }
    fill_lattice(key, 0, columns, below);
    for (uint32_t y = 0; y < cv->height; y++) {
        if (y % step == 0) {
            int32_t *free_row = above;
            above = below;
            below = free_row;
            fill_lattice(key, y / step + 1, columns, below);
        }
        int32_t wy = weights[y % step];
        for (uint32_t i = 0; i < columns; i++)
            row[i] = (above[i] * (1024 - wy) + below[i] * wy) / 1024;
        int16_t *out = plane + (size_t) y * cv->width * stride;
        for (uint32_t x = 0; x < cv->width; x++, out += stride) {
            int32_t wx = weights[x & (step - 1)], *v = row + (x >> octave);
            int32_t n = (v[0] * (1024 - wx) + v[1] * wx) / 1024;
            *out = (int16_t) clamp(*out + n * strength / 256, INT16_MIN, INT16_MAX);
        }
    }
}

static void draw_color(struct random *r, int32_t hue, int32_t least_saturation,
                       int32_t most_saturation, int32_t least_value, int32_t most_value,
                       int32_t out[3])
{
    int32_t saturation = draw(r, least_saturation, most_saturation);
    int32_t value = draw(r, least_value, most_value);
    color_from_hue(hue, saturation, value, out);
}

static void paint_background(const struct canvas *cv, struct random *r, const struct style *st)
{
    int32_t top[3], bottom[3];
    int32_t turn = draw(r, 500, 1000);
    draw_color(r, (st->hue + turn) % 1536, 20, 130, 120, 250, top);
    turn = draw(r, 0, 1535);
    draw_color(r, (st->hue + turn) % 1536, 20, 110, 40, 170, bottom);
    int32_t slant = draw(r, -256, 256);
    int64_t w = cv->width, h = cv->height;

    int16_t *out = cv->rgb;
    for (int64_t y = 0; y < h; y++) {
        for (int64_t x = 0; x < w; x++) {
            int32_t t = (int32_t) (y * 1024 / h + slant * (2 * x - w) / (2 * w));
            t = clamp(t, 0, 1024);
            for (int c = 0; c < 3; c++)
                *out++ = (int16_t) ((top[c] * (1024 - t) + bottom[c] * t) * SCALE / 1024);
        }
    }
}

/* How much of the pixel at (u, v) along the shape's axes the shape covers, 0..256. */
static int32_t shape_cover(const struct shape *s, int64_t u, int64_t v)
{
    int64_t un = u * EDGE / (256 * (int64_t) s->a);
    int64_t vn = v * EDGE / (256 * (int64_t) s->b);
    int64_t distance; /* EDGE on the edge */
    un = un < 0 ? -un : un;
    vn = vn < 0 ? -vn : vn;
    switch (s->kind) {
    case ELLIPSE:
        distance = (un * un + vn * vn) / (2 * EDGE) + EDGE / 2;
        break;
    case DIAMOND:
        distance = un + vn;
        break;
    case STRIPES:
        distance = un > vn ? un : vn;
        if (un % (EDGE / 2) > EDGE / 4)
            return 0;
        break;
    default:
        distance = un > vn ? un : vn;
        break;
    }
    int64_t smaller = s->a < s->b ? s->a : s->b;
    int64_t inside = (EDGE - distance) * smaller * 256 / EDGE; /* of a pixel */
    int64_t cover = 128 + inside / s->softness;
    return cover < 0 ? 0 : cover > 256 ? 256 : (int32_t) cover;
}

static void paint_shape(const struct canvas *cv, const struct shape *s)
{
    int32_t reach = s->a + s->b + s->softness;
    int32_t x0 = clamp(s->cx - reach, 0, (int32_t) cv->width);
    int32_t x1 = clamp(s->cx + reach, 0, (int32_t) cv->width);
    int32_t y0 = clamp(s->cy - reach, 0, (int32_t) cv->height);
    int32_t y1 = clamp(s->cy + reach, 0, (int32_t) cv->height);

    for (int32_t y = y0; y < y1; y++) {
        for (int32_t x = x0; x < x1; x++) {
            int32_t dx = x - s->cx, dy = y - s->cy;
            int32_t u = dx * s->cosine + dy * s->sine, v = dy * s->cosine - dx * s->sine;
            int32_t cover = shape_cover(s, u, v);
            if (!cover)
                continue;
            size_t at = (size_t) y * cv->width + (size_t) x;
            int32_t light = s->shade * u / (256 * s->a) * SCALE;
            light += cv->texture[at] * s->texture / 256;
            int16_t *p = cv->rgb + 3 * at;
            for (int c = 0; c < 3; c++) {
                int32_t fill = s->color[c] * SCALE + light;
                p[c] = (int16_t) ((p[c] * (256 - cover) + fill * cover) / 256);
            }
        }
    }
}

static struct shape draw_shape(const struct canvas *cv, struct random *r,
                               const struct style *st)
{
    static const int16_t cosines[9] = { 256, 251, 237, 213, 181, 142, 98, 50, 0 };
    int32_t w = (int32_t) cv->width, h = (int32_t) cv->height;
    int32_t size = w < h ? w : h, angle = draw(r, 0, 8);
    struct shape s = { .cosine = cosines[angle], .sine = cosines[8 - angle] };

    s.kind = st->kind;
    if (!draw(r, 0, 3))
        s.kind = (enum shape_kind) draw(r, 0, SHAPE_KINDS - 1);
    s.cx = draw(r, -size / 8, w + size / 8);
    s.cy = draw(r, -size / 8, h + size / 8);
    int32_t longest = draw(r, size / 12, size / 3);
    s.a = draw(r, size / 30, longest) + 1;
    longest = draw(r, size / 12, size / 4);
    s.b = draw(r, size / 30, longest) + 1;
    bool sharp = draw(r, 0, 2);
    s.softness = sharp ? draw(r, 1, 2) : draw(r, 2, 12);
    s.shade = draw(r, -60, 60);
    if (draw(r, 0, 3))
        s.texture = draw(r, 32, 256) * st->strength / 256;
    int32_t hue = st->hue + draw(r, -110, 110);
    if (!draw(r, 0, 4))
        hue += 700;
    draw_color(r, (hue + 1536) % 1536, 60, 255, 30, 255, s.color);
    return s;
}

static struct style draw_style(struct random *r, int klass)
{
    struct style st;
    if (klass < 0) {
        st.hue = draw(r, 0, 1535);
        st.kind = (enum shape_kind) draw(r, 0, SHAPE_KINDS - 1);
        st.finest = draw(r, 0, 3);
        st.coarsest = draw(r, 4, 7);
        st.strength = draw(r, 80, 400);
        return st;
    }
    /* The golden section of the circle keeps the hues of any number of classes apart. */
    st.hue = (int32_t) ((uint64_t) klass * 949 % 1536);
    st.hue = (st.hue + draw(r, 0, 80)) % 1536;
    st.kind = (enum shape_kind)(klass % SHAPE_KINDS);
    st.finest = klass / 4 % 3;
    st.coarsest = 4 + klass / 2 % 3;
    st.strength = 100 + klass % 5 * 60;
    return st;
}

static void paint(const struct canvas *cv, struct random *r, int klass)
{
    struct style st = draw_style(r, klass);
    for (int32_t o = st.finest; o <= st.coarsest; o++)
        add_octave(cv, cv->texture, 1, pcri_key(r->key, 7, (uint64_t) o), (unsigned) o,
                   3 * (64 + 12 * o));
    paint_background(cv, r, &st);
    int32_t count = draw(r, 10, 30);
    for (int32_t i = 0; i < count; i++) {
        struct shape s = draw_shape(cv, r, &st);
        paint_shape(cv, &s);
    }
    int32_t contrast = draw(r, 6, 30) * SCALE;
    for (unsigned o = 1; o <= MAX_OCTAVE; o++)
        for (unsigned c = 0; c < 3; c++) /* mostly the same light in all, some colour */
            add_octave(cv, cv->rgb + c, 3, pcri_key(r->key, o % 3 ? 11 : 12 + c, o), o,
                       contrast * (int32_t) (o + 2) / 12);
    int32_t grain = draw(r, 1, 4) * SCALE;
    for (unsigned c = 0; c < 3; c++)
        add_octave(cv, cv->rgb + c, 3, pcri_key(r->key, 20, c), 0, grain);
}

int pcr_gen_pixels(uint64_t seed, int klass, uint32_t width, uint32_t height, uint8_t *rgb_out,
                   struct pcr_error *err)
{
    if (!width || !height || width > 65535 || height > 65535)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "size of a picture: expected 1 to 65535, "
                         "got %ux%u",
                         width, height);
    if (klass == PCR_GEN_STILL_LIFE) {
        gen_paint_still_life(seed, width, height, rgb_out);
        return 0;
    }
    size_t count = (size_t) width * height;
    struct canvas cv = { width, height, pcri_calloc(count, 3 * sizeof(int16_t), err),
                         pcri_calloc(count, sizeof(int16_t), err),
                         pcri_calloc(3 * ((size_t) width + 2), sizeof(int32_t), err) };
    int rc = PCR_ERR_NOMEM;
    if (cv.rgb && cv.texture && cv.rows) {
        struct random r = { pcri_key(seed, (uint64_t) (klass + 1), 0x706963), 0 };
        paint(&cv, &r, klass);
        for (size_t i = 0; i < 3 * count; i++)
            rgb_out[i] = (uint8_t) clamp((cv.rgb[i] + SCALE / 2) / SCALE, 0, 255);
        rc = 0;
    }
    free(cv.rgb);
    free(cv.texture);
    free(cv.rows);
    return rc;
}
