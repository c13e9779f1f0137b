/* SPDX-License-Identifier: BSD-2-Clause */
/* A picture of choices. SSIM is in decibels, -10 log10(1 - SSIM), so that .9 to .99 takes as much
 * room as 0 to .9. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "output.h"
#include "plot.h"

enum { WIDTH = 760, HEIGHT = 500, LEFT = 76, RIGHT = 736, TOP = 92, BOTTOM = 440 };

/* Lines of SSIM that may be shown. 1 is the upper edge, and what is between it and the last of
 * these has no scale. */
static const double levels[] = { 0,   0.2,  0.3,  0.4,  0.5,  0.6,  0.7,   0.8,   0.85,
                                 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999 };
enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

struct plot {
    struct pcr_buffer *out;
    const struct pcrtool_choices *c;
    double low_db, high_db; /* lower edge; last level below the upper edge */
    int rc;
};

/* A kind of choices. */
struct series {
    const char *name, *color;
    uint32_t first, end;
    double label_dy; /* of the labels: above or below the points */
};

static double decibels(double ssim)
{
    return ssim < 1 ? -10 * log10(1 - fmax(ssim, 0)) : INFINITY;
}

static double find_x(double part)
{
    return LEFT + part * (RIGHT - LEFT);
}

/* The upper edge, which is 1, is a tenth of the height above the last level. */
static double find_y(const struct plot *p, double ssim)
{
    const double at = (decibels(ssim) - p->low_db) / (p->high_db - p->low_db);
    return BOTTOM - fmin(fmax(at, 0) * 0.9, 1) * (BOTTOM - TOP);
}

#define DRAW(p, ...) \
    do { \
        if (!(p)->rc) \
            (p)->rc = pcrtool_append((p)->out, __VA_ARGS__); \
    } while (0)

static void draw_text(struct plot *p, const char *text)
{
    for (size_t i = 0, left = strlen(text), n; i < left; i += n ? n : 1) {
        n = pcrtool_harmless(text + i, left - i);
        if (n == 1 && strchr("&<>\"", text[i]))
            DRAW(p, "&#%d;", text[i]);
        else if (n)
            DRAW(p, "%.*s", (int) n, text + i);
        else
            DRAW(p, "?");
    }
}

static void draw_head(struct plot *p, const char *title)
{
    DRAW(
        p,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
        "height=\"%d\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222\">\n"
        "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<text x=\"%d\" y=\"28\" "
        "font-size=\"16\" font-weight=\"600\">",
        WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT);
    draw_text(p, title);
    DRAW(p, "</text>\n");
}

static void find_range(struct plot *p)
{
    double low = 1, high = 0;
    for (uint32_t i = 0; i < p->c->count; i++) {
        low = fmin(low, p->c->items[i].low);
        if (p->c->items[i].ssim < 1)
            high = fmax(high, p->c->items[i].ssim);
    }
    int first = LEVELS - 2, last = 1;
    while (first > 0 && levels[first] > low)
        first--;
    while (last < LEVELS - 1 && levels[last] < high)
        last++;
    p->low_db = decibels(levels[first]);
    p->high_db = decibels(levels[last > first ? last : first + 1]);
}

static void draw_level(struct plot *p, double level, double *last_y)
{
    const double y = find_y(p, level), db = decibels(level);
    if ((level < 1 && (db < p->low_db - 1e-9 || db > p->high_db + 1e-9)) || *last_y - y < 17)
        return;
    DRAW(p,
         "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" "
         "text-anchor=\"end\" fill=\"#555\">%.4g</text>\n",
         LEFT, y, RIGHT, LEFT - 8, y + 4, level);
    *last_y = y;
}

static void draw_axes(struct plot *p)
{
    double last_y = HEIGHT;
    for (int i = 0; i < LEVELS; i++)
        draw_level(p, levels[i], &last_y);
    draw_level(p, 1, &last_y);
    for (int percent = 0; percent <= 100; percent += 10)
        DRAW(p,
             "<path d=\"M%.1f %dv5\" stroke=\"#888\"/><text x=\"%.1f\" y=\"%d\" "
             "text-anchor=\"middle\" fill=\"#555\">%d</text>\n",
             find_x(percent / 100.0), BOTTOM, find_x(percent / 100.0), BOTTOM + 20, percent);
    DRAW(p,
         "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#888\"/>\n"
         "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">bytes, %% of full fidelity</text>\n"
         "<text transform=\"translate(22 %d) rotate(-90)\" text-anchor=\"middle\">SSIM of the "
         "crops</text>\n",
         LEFT, TOP, BOTTOM, RIGHT, (LEFT + RIGHT) / 2, BOTTOM + 44, (TOP + BOTTOM) / 2);
}

/* The mean, or the 5th percentile, of a kind of choices: a line, and points. */
static void draw_line(struct plot *p, const struct series *s, bool mean)
{
    const char *begin = "M";
    DRAW(p, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s d=\"", s->color,
         mean ? "2" : "1.5", mean ? "" : " stroke-dasharray=\"5 4\"");
    for (uint32_t i = s->first; i < s->end; i++, begin = "L") {
        const struct pcrtool_choice *choice = &p->c->items[i];
        DRAW(p, "%s%.1f %.1f", begin, find_x(choice->part),
             find_y(p, mean ? choice->ssim : choice->low));
    }
    DRAW(p, "\"/>\n");
    for (uint32_t i = s->first; i < s->end; i++) {
        const struct pcrtool_choice *choice = &p->c->items[i];
        DRAW(p,
             "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\" stroke=\"%s\" "
             "stroke-width=\"1.5\"/>\n",
             find_x(choice->part), find_y(p, mean ? choice->ssim : choice->low),
             mean ? s->color : "#fff", s->color);
    }
}

/* The numbers of a kind of choices, the highest first, where there is room. */
static void draw_labels(struct plot *p, const struct series *s)
{
    double last_x = -100, last_y = 0;
    for (uint32_t i = s->end; i-- > s->first;) {
        const struct pcrtool_choice *choice = &p->c->items[i];
        const double at = find_y(p, choice->fidelity ? choice->low : choice->ssim);
        const bool beside = at + s->label_dy > BOTTOM - 2;
        const double x = find_x(choice->part) + (beside ? -13 : 0);
        const double y = at + (beside ? 4 : s->label_dy);
        if (hypot(x - last_x, y - last_y) < 26)
            continue;
        DRAW(p,
             "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"%s\" "
             "font-size=\"12\">",
             x, y, s->color);
        if (choice->fidelity)
            DRAW(p, "%" PRIu32 "</text>\n", choice->fidelity);
        else
            DRAW(p, "%.2f</text>\n", choice->quality);
        last_x = x;
        last_y = y;
    }
}

static void draw_legend(struct plot *p, const struct series *s, double x)
{
    DRAW(p,
         "<path d=\"M%.0f 48h26\" stroke=\"%s\" stroke-width=\"2\"/><circle cx=\"%.0f\" "
         "cy=\"48\" r=\"4\" fill=\"%s\"/><text x=\"%.0f\" y=\"52\">%s: mean</text>\n",
         x, s->color, x + 13, s->color, x + 34, s->name);
    DRAW(
        p,
        "<path d=\"M%.0f 68h26\" stroke=\"%s\" stroke-width=\"1.5\" stroke-dasharray=\"5 4\"/>"
        "<circle cx=\"%.0f\" cy=\"68\" r=\"4\" fill=\"#fff\" stroke=\"%s\" "
        "stroke-width=\"1.5\"/><text x=\"%.0f\" y=\"72\">%s: 5th percentile</text>\n",
        x, s->color, x + 13, s->color, x + 34, s->name);
}

static void draw_best(struct plot *p)
{
    const struct pcrtool_choice *best = &p->c->items[p->c->best];
    const double x = find_x(best->part), y = find_y(p, best->low);
    char name[PCRTOOL_CHOICE_NBYTES];
    DRAW(p,
         "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"9\" fill=\"none\" stroke=\"#1a7f37\" "
         "stroke-width=\"2.5\"/>\n<circle cx=\"516\" cy=\"48\" r=\"7\" fill=\"none\" "
         "stroke=\"#1a7f37\" stroke-width=\"2.5\"/><text x=\"530\" y=\"52\" fill=\"#1a7f37\" "
         "font-weight=\"600\">advised: %s</text>\n",
         x, y, pcrtool_choice_name(name, p->c, p->c->best));
}

int pcrtool_plot(struct pcr_buffer *out, const struct pcrtool_choices *c, const char *title)
{
    struct plot p = { .out = out, .c = c };
    const struct series series[] = {
        { "fixed fidelity", "#b35900", 0, c->group_count, 20 },
        { "by quality", "#0b57d0", c->group_count, c->count, -11 },
    };
    find_range(&p);
    draw_head(&p, title);
    draw_axes(&p);
    for (int i = 0; i < 2; i++) {
        draw_line(&p, &series[i], false);
        draw_line(&p, &series[i], true);
        draw_labels(&p, &series[i]);
        draw_legend(&p, &series[i], LEFT + 220 * (1 - i));
    }
    draw_best(&p);
    DRAW(&p, "</svg>\n");
    return p.rc;
}
