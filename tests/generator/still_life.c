/* SPDX-License-Identifier: BSD-2-Clause */
/* Ray-traces a still life: what a photograph has of gradients, textures, blur and small print. */
#include "still_life.h"

#include <stdbool.h>
#include <string.h>

#include "base/random.h"
#include "vector.h"

/* Fruit, a glazed mug and a printed card on wood and cloth, by the light of a window. Each pixel
 * has SIDE * SIDE rays through a lens; where one ends, one ray goes to the window and one to
 * anywhere, for light that other things reflect. Square roots are the only functions called. */

enum { SIDE = 4, GRAPES = 15, SPHERES = GRAPES + 4 };

enum material { WALL, WOOD, CLOTH, CARD, GLAZE, ORANGE, PEACH, PLUM, GRAPE };

struct ball {
    vector centre;
    double radius;
    enum material material;
};

struct sheet { /* a parallelogram */
    vector corner, u, v;
    enum material material;
};

struct mug {
    vector foot;
    double radius, height;
};

struct scene {
    uint64_t seed;
    struct ball balls[SPHERES];
    struct sheet sheets[4]; /* wall, table, cloth, card */
    struct mug mug;
    struct sheet window;
};

struct ray {
    vector from, to; /* a point, a direction of length 1 */
};

struct hit {
    double distance, s, t; /* s, t: where on a sheet */
    vector at, normal;     /* towards the ray's origin */
    vector local;          /* on a ball or the mug: from its centre */
    enum material material;
};

struct dice {
    uint64_t key, count;
};

static double roll(struct dice *d)
{
    return pcri_unit(d->key + d->count++);
}

static void hit_ball(const struct ball *b, const struct ray *r, struct hit *h)
{
    vector from = add(r->from, b->centre, -1);
    double half = dot(from, r->to);
    double inside = half * half - dot(from, from) + b->radius * b->radius;
    double t = inside > 0 ? -half - sqrt(inside) : -1;
    if (t < 1e-4 || t >= h->distance)
        return;
    h->distance = t;
    h->local = add(from, r->to, t);
    h->normal = scaled(h->local, 1 / b->radius);
    h->material = b->material;
}

static void hit_sheet(const struct sheet *p, const struct ray *r, struct hit *h)
{
    vector n = cross(p->u, p->v), from = add(r->from, p->corner, -1);
    double slope = dot(n, r->to), t = -dot(n, from) / slope;
    if (!(t > 1e-4 && t < h->distance))
        return;
    vector at = add(from, r->to, t);
    double s = dot(at, p->u) / dot(p->u, p->u), q = dot(at, p->v) / dot(p->v, p->v);
    if (s < 0 || s > 1 || q < 0 || q > 1)
        return;
    h->distance = t;
    h->s = s;
    h->t = q;
    h->normal = scaled(unit(n), slope < 0 ? 1 : -1);
    h->material = p->material;
}

/* The mug is open above: a ray may pass its near side and end at the inside of the far one. */
static void hit_mug(const struct mug *m, const struct ray *r, struct hit *h)
{
    vector from = add(r->from, m->foot, -1);
    double a = r->to.x * r->to.x + r->to.z * r->to.z;
    double half = from.x * r->to.x + from.z * r->to.z;
    double c = from.x * from.x + from.z * from.z - m->radius * m->radius;
    double inside = half * half - a * c;
    if (inside <= 0)
        return;
    for (int side = -1; side <= 1; side += 2) {
        double t = (-half + side * sqrt(inside)) / a, y = from.y + r->to.y * t;
        if (t < 1e-4 || t >= h->distance || y < 0 || y > m->height)
            continue;
        h->distance = t;
        h->local = add(from, r->to, t);
        h->normal = scaled(vec(h->local.x, 0, h->local.z), -side / m->radius);
        h->material = GLAZE;
    }
}

static bool trace(const struct scene *s, const struct ray *r, double limit, struct hit *h)
{
    h->distance = limit;
    for (size_t i = 0; i < SPHERES; i++)
        hit_ball(&s->balls[i], r, h);
    for (size_t i = 0; i < sizeof(s->sheets) / sizeof(s->sheets[0]); i++)
        hit_sheet(&s->sheets[i], r, h);
    hit_mug(&s->mug, r, h);
    h->at = add(r->from, r->to, h->distance);
    return h->distance < limit;
}

/* The columns of letters of 5 by 7 dots, the lowest bit above. */
static const char letters[] = "abcdefghijklmnopqrstuvwxyz.,PROGESIVCMDNT0123456789";
static const uint8_t columns[] = {
    32,  84,  84, 84,  120, 127, 72, 68,  68,  56,  56, 68, 68,  68,  32,  56, 68,  68, 72,
    127, 56,  84, 84,  84,  24,  8,  126, 9,   1,   2,  12, 82,  82,  82,  62, 127, 8,  4,
    4,   120, 0,  68,  125, 64,  0,  32,  64,  68,  61, 0,  127, 16,  40,  68, 0,   0,  65,
    127, 64,  0,  124, 4,   24,  4,  120, 124, 8,   4,  4,  120, 56,  68,  68, 68,  56, 124,
    20,  20,  20, 8,   8,   20,  20, 24,  124, 124, 8,  4,  4,   8,   72,  84, 84,  84, 32,
    4,   63,  68, 64,  32,  60,  64, 64,  32,  124, 28, 32, 64,  32,  28,  60, 64,  48, 64,
    60,  68,  40, 16,  40,  68,  12, 80,  80,  80,  60, 68, 100, 84,  76,  68, 0,   96, 96,
    0,   0,   0,  80,  48,  0,   0,  127, 9,   9,   9,  6,  127, 9,   25,  41, 70,  62, 65,
    65,  65,  62, 62,  65,  73,  73, 122, 127, 73,  73, 73, 65,  70,  73,  73, 73,  49, 0,
    65,  127, 65, 0,   31,  32,  64, 32,  31,  62,  65, 65, 65,  34,  127, 2,  12,  2,  127,
    127, 65,  65, 34,  28,  127, 4,  8,   16,  127, 1,  1,  127, 1,   1,   62, 81,  73, 69,
    62,  0,   66, 127, 64,  0,   66, 97,  81,  73,  70, 33, 65,  69,  75,  49, 24,  20, 18,
    127, 16,  39, 69,  69,  69,  57, 60,  74,  73,  73, 48, 1,   113, 9,   5,  3,   54, 73,
    73,  73,  54, 6,   73,  73,  41, 30
};

/* Whether there is ink at (x, y) dots of the card, which has 6 by 11 of them for a letter. */
static bool has_ink(double x, double y)
{
    static const char *const lines[] = {
        "",
        "PROGRESSIVE",
        "COMPRESSED RECORDS",
        "",
        "the first bytes of a record hold a",
        "coarse version of all its images, the",
        "next bytes the next finer step, and so",
        "on. read a prefix, and every picture is",
        "there at a lower fidelity. read all of",
        "it, and each is the original, bit by",
        "bit. one dataset, many fidelities, no",
        "copies. 0123456789",
        "",
    };
    size_t line = (size_t) (y / 11);
    double row = y - 11 * (double) line;
    if (line == 1 || line == 2) /* the title is larger */
        x /= 2 - 0.4 * (double) (line - 1);
    x -= 6 * 1.5;
    if (x < 0 || row >= 8 || line >= sizeof(lines) / sizeof(lines[0]))
        return false;
    size_t letter = (size_t) (x / 6), column = (size_t) (x - 6 * (double) letter);
    if (column > 4 || letter >= strlen(lines[line]))
        return false;
    const char *found = strchr(letters, lines[line][letter]);
    return found && columns[5 * (size_t) (found - letters) + column] >> (int) row & 1;
}

/* Threads over and under each other. */
static vector weave(double x, double y)
{
    int64_t i = (int64_t) floor(x), j = (int64_t) floor(y);
    double u = 2 * (x - (double) i) - 1, v = 2 * (y - (double) j) - 1;
    bool over = (i + j) & 1;
    double across = over ? 1 - u * u : 1 - v * v, along = over ? 1 - v * v : 1 - u * u;
    double height = across * (0.6 + 0.4 * along);
    int64_t stripe = (over ? i : j) % 36;
    double worn = noise(vec(x / 3, y / 40, over)) * 0.2;
    vector color = stripe > 27 ? vec(0.12, 0.2, 0.42) : vec(0.78, 0.74, 0.66);
    return scaled(color, 0.5 + 0.4 * height + worn);
}

static vector orange_peel(struct hit *h)
{
    vector fine = scaled(h->local, 34), pores;
    pores.x = noise(fine) - 0.5;
    pores.y = noise(add(fine, vec(7, 7, 7), 1)) - 0.5;
    pores.z = noise(add(fine, vec(3, 9, 5), 1)) - 0.5;
    h->normal = unit(add(h->normal, pores, 0.22));
    double n = turbulence(scaled(h->local, 3), 3);
    return scaled(mix(vec(0.82, 0.235, 0.010), vec(0.86, 0.27, 0.013), n),
                  0.9 + 0.25 * pores.x);
}

/* The colour of what a ray has hit; tilts the normal by the surface's relief. */
static vector color_of(const struct scene *s, struct hit *h, double *gloss)
{
    vector p = h->at, q = h->local;
    double t, n;

    *gloss = 0;
    switch (h->material) {
    case WALL:
        n = turbulence(scaled(p, 1.3), 6);
        return scaled(mix(vec(0.26, 0.30, 0.29), vec(0.38, 0.37, 0.32), n), 0.75 + 0.3 * n);
    case WOOD:
        n = turbulence(vec(p.x * 0.9, p.z * 5, 3), 4) * 9;
        t = n - floor(n);
        t = step(0, 0.7, t) - step(0.8, 1, t);
        n = turbulence(vec(p.x * 9, p.z * 130, 1), 3);
        *gloss = 0.25;
        return scaled(mix(vec(0.36, 0.19, 0.09), vec(0.56, 0.34, 0.17), t), 0.55 + 0.7 * n);
    case CLOTH:
        return weave(h->s * 150, h->t * 95);
    case CARD:
        if (has_ink(h->s * 258, h->t * 158))
            return vec(0.06, 0.05, 0.06);
        return scaled(vec(0.84, 0.81, 0.73), 0.93 + 0.1 * turbulence(scaled(p, 20), 3));
    case GLAZE:
        *gloss = 0.9;
        t = q.y / s->mug.height;
        n = turbulence(scaled(q, 6), 4);
        t += 0.12 * (n - 0.5);
        if (t > 0.93)
            return vec(0.30, 0.18, 0.10);
        n = noise(scaled(q, 60)) > 0.83 ? 0.6 : 1;
        return scaled(mix(vec(0.05, 0.22, 0.26), vec(0.42, 0.62, 0.58), step(0.1, 0.9, t)), n);
    case ORANGE:
        *gloss = 0.5;
        return orange_peel(h);
    case PEACH:
        n = turbulence(scaled(q, 4), 5);
        t = step(-0.5, 0.45, q.x * 0.9 + q.y * 0.5 + (n - 0.5) * 0.9);
        n = 0.9 + 0.2 * turbulence(scaled(q, 60), 2);
        return scaled(mix(vec(0.85, 0.50, 0.24), vec(0.62, 0.11, 0.08), t), n);
    case PLUM:
        *gloss = 0.35;
        n = turbulence(scaled(q, 5), 5);
        return mix(vec(0.09, 0.02, 0.06), vec(0.24, 0.21, 0.34), step(0.42, 0.75, n));
    default:
        *gloss = 0.6;
        n = turbulence(scaled(q, 9), 4);
        return mix(vec(0.22, 0.30, 0.04), vec(0.50, 0.54, 0.18), n);
    }
}

/* Light from where nothing is: of the room. */
static vector room(const struct ray *r)
{
    double t = step(-0.2, 1, r->to.y) * (0.75 - 0.5 * r->to.x);
    return mix(vec(0.10, 0.08, 0.07), vec(0.30, 0.33, 0.38), t);
}

/* The room with its window, as things reflect it. */
static vector reflected(const struct scene *s, const struct ray *r)
{
    struct hit h = { .distance = 1e9 };
    hit_sheet(&s->window, r, &h);
    bool bar = (h.s > 0.46 && h.s < 0.54) || (h.t > 0.46 && h.t < 0.54);
    return h.distance < 1e9 && !bar ? vec(24, 25, 27) : room(r);
}

static vector any_direction(struct dice *d)
{
    for (;;) {
        vector v; /* not as arguments, whose order is open */
        v.z = 2 * roll(d) - 1;
        v.y = 2 * roll(d) - 1;
        v.x = 2 * roll(d) - 1;
        if (dot(v, v) <= 1 && dot(v, v) > 1e-6)
            return unit(v);
    }
}

/* The light on h: the window's, by a ray to a place in it, and what comes from one direction. */
static vector light_on(const struct scene *s, const struct hit *h, struct dice *d)
{
    struct hit other;
    double unused;
    vector light = vec(0, 0, 0), place = add(s->window.corner, s->window.u, roll(d));
    vector way = add(add(place, s->window.v, roll(d)), h->at, -1);
    double far = sqrt(dot(way, way)), soft = h->material == PEACH ? 0.25 : 0;
    struct ray out = { add(h->at, h->normal, 1e-3), scaled(way, 1 / far) };
    double facing = (dot(h->normal, out.to) + soft) / (1 + soft);

    if (facing > 0 && !trace(s, &out, far, &other))
        light = scaled(vec(1.0, 0.95, 0.86), 95 * facing / (far * far));
    out.to = unit(add(h->normal, any_direction(d), 0.999));
    if (!trace(s, &out, 1e6, &other))
        return add(light, room(&out), 1);
    return add(light, color_of(s, &other, &unused), 0.16);
}

static vector see(const struct scene *s, const struct ray *r, struct dice *d, bool first)
{
    struct hit h;
    double gloss;
    if (!trace(s, r, 1e6, &h))
        return first ? room(r) : reflected(s, r);
    vector color = color_of(s, &h, &gloss);
    color = times(color, light_on(s, &h, d));
    if (!first || gloss <= 0)
        return color;
    /* Schlick's approximation of what a surface reflects. */
    double cosine = 1 + dot(h.normal, r->to), square = cosine * cosine;
    struct ray out = { add(h.at, h.normal, 1e-3),
                       add(r->to, h.normal, -2 * dot(h.normal, r->to)) };
    out.to = unit(add(out.to, any_direction(d), 0.25 * (1 - gloss)));
    return mix(color, see(s, &out, d, false),
               gloss * (0.04 + 0.96 * square * square * cosine));
}

static void put(struct scene *s, size_t i, enum material m, double x, double y, double z,
                double r)
{
    struct dice d = { pcri_key(s->seed, 1, i), 0 };
    double dx = roll(&d) - 0.5, dz = roll(&d) - 0.5, size = 0.95 + 0.1 * roll(&d);
    s->balls[i] = (struct ball) { vec(x + 0.1 * dx, y + r * size, z + 0.1 * dz), r * size, m };
}

static void arrange(struct scene *s)
{
    s->sheets[0] = (struct sheet) { vec(-9, -1, 2.6), vec(18, 0, 0), vec(0, 9, 0), WALL };
    s->sheets[1] = (struct sheet) { vec(-9, 0, -9), vec(18, 0, 0), vec(0, 0, 12), WOOD };
    s->sheets[2] = (struct sheet) { vec(-2.1, 0.012, -1.9), vec(3.1, 0, -0.5),
                                    vec(0.3, 0, 1.86), CLOTH };
    s->sheets[3] = (struct sheet) { vec(0.2, 1.72, 0.80), vec(1.85, 0, -0.3),
                                    vec(0.0, -1.7, 0.0), CARD };
    s->window = (struct sheet) { vec(-5.2, 2.2, 0.6), vec(0.5, 0, -2.6), vec(0, 2.4, 0),
                                 WALL };
    s->mug = (struct mug) { vec(-1.55, 0, 0.55), 0.52, 1.15 };
    put(s, 0, ORANGE, -0.45, 0, -0.15, 0.5);
    put(s, 1, PEACH, 0.55, 0, -0.75, 0.44);
    put(s, 2, PLUM, -1.1, 0, -1.0, 0.30);
    put(s, 3, PLUM, 1.95, 0, -0.15, 0.31);
    for (size_t i = 0; i < GRAPES; i++) {
        static const double x[5] = { 0, 0.27, -0.27, 0.14, -0.13 };
        double up = i < 5 ? 0.0 : i < 10 ? 0.2 : 0.4, wide = i < 10 ? 1 : 0.6;
        put(s, 4 + i, GRAPE, 1.3 + x[i % 5] * wide + 0.05 * (double) (i / 5), up,
            -1.05 + (i % 5 > 2 ? 0.23 : 0) * wide + 0.06 * (double) (i / 5), 0.14);
    }
}

/* A pixel's light: an even mean over its area and the lens. */
static vector expose(const struct scene *s, double x, double y, double pixel, struct dice *d)
{
    const double focus = 6.0, aperture = 0.028;
    vector eye = vec(0.1, 2.0, -6.2), aim = unit(add(vec(0.08, 0.62, 0), eye, -1));
    vector right = unit(cross(vec(0, 1, 0), aim)), up = cross(aim, right), sum = vec(0, 0, 0);

    for (int i = 0; i < SIDE * SIDE; i++) {
        double px = x + (i % SIDE + roll(d)) / SIDE, py = y - (i / SIDE + roll(d)) / SIDE;
        vector to = add(add(aim, right, px * pixel), up, py * pixel), lens = any_direction(d);
        struct ray r = { add(add(eye, right, aperture * lens.x), up, aperture * lens.y),
                         vec(0, 0, 0) };
        r.to = unit(add(add(eye, to, focus), r.from, -1));
        sum = add(sum, see(s, &r, d, true), 1.0 / (SIDE * SIDE));
    }
    return sum;
}

void gen_paint_still_life(uint64_t seed, uint32_t width, uint32_t height, uint8_t *rgb_out)
{
    struct scene s = { .seed = seed };
    arrange(&s);
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            struct dice d = { pcri_key(seed, y, x), 0 };
            vector light = expose(&s, x - width / 2.0, height / 2.0 - y, 0.72 / width, &d);
            const double rgb[3] = { light.x, light.y, light.z };
            for (int c = 0; c < 3; c++) { /* a shoulder, gamma, grain */
                double v = 1.25 * rgb[c];
                v = sqrt(v * (1 + 0.16 * v) / (1 + v)) * 262 + 4 * (roll(&d) - 0.5);
                *rgb_out++ = (uint8_t) clamp(v + 0.5, 0, 255);
            }
        }
    }
}
