/* SPDX-License-Identifier: BSD-2-Clause */
/* Crops and mirror images: pure functions of seed, epoch and sample. */
#include <math.h>

#include "crop.h"

/* Numbers in [0, 1), one after another. */
struct draws {
    uint64_t key, count;
};

static double draw(struct draws *d)
{
    return pcri_unit(d->key + 0x9E3779B97F4A7C15u * d->count++);
}

static double between(struct draws *d, double low, double high)
{
    return low + (high - low) * draw(d);
}

static void set_window(struct pcr_resize_options *out, double x, double y, double w, double h)
{
    out->x0 = x;
    out->y0 = y;
    out->x1 = x + w;
    out->y1 = y + h;
}

/* The largest centred window whose aspect ratio is within the bounds. */
static void fallback(double low, double high, double width, double height,
                     struct pcr_resize_options *out)
{
    double w = width, h = height;
    if (width / height < low)
        h = fmax(rint(width / low), 1);
    else if (width / height > high)
        w = fmax(rint(height * high), 1);
    set_window(out, floor((width - w) / 2), floor((height - h) / 2), w, h);
}

/* Szegedy et al., "Going Deeper with Convolutions", 2015, section 6, as torchvision's
 * RandomResizedCrop carries it out: area even between its bounds, aspect ratio even between
 * the logarithms of its bounds, ten tries to fit that into the image. */
static void random_crop(const struct pcr_loader_options *o, struct draws *d, double width,
                        double height, struct pcr_resize_options *out)
{
    double ratio_low = o->transform.ratio_min_ppm / 1e6,
           ratio_high = o->transform.ratio_max_ppm / 1e6;
    for (int i = 0; i < 10; i++) {
        double area = width * height *
                      between(d, o->transform.area_min_ppm / 1e6,
                              o->transform.area_max_ppm / 1e6);
        double ratio = exp(between(d, log(ratio_low), log(ratio_high)));
        double w = rint(sqrt(area * ratio)), h = rint(sqrt(area / ratio));
        if (w < 1 || h < 1 || w > width || h > height)
            continue;
        double y = floor(draw(d) * (height - h + 1)), x = floor(draw(d) * (width - w + 1));
        set_window(out, x, y, w, h);
        return;
    }
    fallback(ratio_low, ratio_high, width, height, out);
}

/* What to leave out on the left of `more` pixels too many: half, rounded to even. */
static uint32_t half(uint32_t more)
{
    return more / 2 + (more % 4 == 3);
}

/* The middle of the picture whose shorter side has become resize_px pixels: torchvision's
 * Resize and CenterCrop, with their roundings. */
static void center_crop(const struct pcr_loader_options *o, uint32_t width, uint32_t height,
                        struct pcr_resize_options *out)
{
    uint64_t shorter = width < height ? width : height, longest = UINT32_MAX;
    uint64_t across = (uint64_t) o->transform.resize_px * width / shorter;
    uint64_t down = (uint64_t) o->transform.resize_px * height / shorter;
    set_window(out, 0, 0, width, height);
    out->grid_width = (uint32_t) (across < longest ? across : longest);
    out->grid_height = (uint32_t) (down < longest ? down : longest);
    out->grid_x = half(out->grid_width - o->output.width);
    out->grid_y = half(out->grid_height - o->output.height);
}

void pcri_choose_window(const struct pcr_loader_options *o, uint64_t epoch, uint64_t identity,
                        uint32_t width, uint32_t height, struct pcr_resize_options *out)
{
    struct draws d = { pcri_stream_key(o->seed, PCRI_STREAM_CROP, epoch, identity), 0 };
    *out = (struct pcr_resize_options) { .size = sizeof(*out), .filter = o->transform.filter };
    if (draw(&d) < o->transform.flip_ppm / 1e6)
        out->flags |= PCR_RESIZE_FLIP;
    if (o->output.layout == PCR_LAYOUT_NCHW)
        out->flags |= PCR_RESIZE_PLANAR;
    if (o->transform.kind == PCR_TRANSFORM_RANDOM_CROP)
        random_crop(o, &d, width, height, out);
    else if (o->transform.kind == PCR_TRANSFORM_CENTER_CROP)
        center_crop(o, width, height, out);
    else
        set_window(out, 0, 0, width, height);
}

/* a * b / c, rounded down, but at least 1 and at most the largest number. */
static uint32_t scaled(uint32_t a, uint32_t b, uint32_t c)
{
    const uint64_t found = (uint64_t) a * b / c;
    return found < 1 ? 1 : found < UINT32_MAX ? (uint32_t) found : UINT32_MAX;
}

/* torchvision's Resize, with its roundings: the longer side follows from the shorter one; if it is
 * too long the shorter one follows from that. */
static void resized(const struct pcr_loader_transform *t, uint32_t width, uint32_t height,
                    struct pcri_frame *f)
{
    const uint32_t shorter = width < height ? width : height;
    const uint32_t longer = width < height ? height : width;
    uint32_t new_shorter = t->resize_px, new_longer = t->longest_px;
    if (new_shorter) {
        new_longer = scaled(new_shorter, longer, shorter);
        if (t->longest_px && new_longer > t->longest_px) {
            new_shorter = scaled(t->longest_px, new_shorter, new_longer);
            new_longer = t->longest_px;
        }
    } else {
        new_shorter = scaled(new_longer, shorter, longer);
    }
    f->width = width < height ? new_shorter : new_longer;
    f->height = width < height ? new_longer : new_shorter;
}

/* As ImageOps.pad(): the shorter way is rounded, and so is half of what is left. */
static void letterbox(const struct pcr_loader_options *o, uint32_t width, uint32_t height,
                      struct pcri_frame *f)
{
    const uint32_t across = o->output.width, down = o->output.height;
    const uint32_t multiple = o->transform.multiple;
    f->width = f->out_width = across;
    f->height = f->out_height = down;
    if ((uint64_t) width * down > (uint64_t) across * height)
        f->height = (uint32_t) fmax(rint((double) height / width * across), 1);
    else if ((uint64_t) width * down < (uint64_t) across * height)
        f->width = (uint32_t) fmax(rint((double) width / height * down), 1);
    if (multiple) {
        f->out_width = (f->width + multiple - 1) / multiple * multiple;
        f->out_height = (f->height + multiple - 1) / multiple * multiple;
    }
    f->x = (uint32_t) rint((f->out_width - f->width) * 0.5);
    f->y = (uint32_t) rint((f->out_height - f->height) * 0.5);
}

struct pcri_frame pcri_frame_of(const struct pcr_loader_options *o, uint32_t width,
                                uint32_t height)
{
    struct pcri_frame f = { 0, 0, o->output.width, o->output.height, 0, 0 };
    if (o->transform.kind == PCR_TRANSFORM_LETTERBOX) {
        letterbox(o, width, height, &f);
        return f;
    }
    if (o->transform.kind == PCR_TRANSFORM_RESIZE) {
        resized(&o->transform, width, height, &f);
    } else if (o->transform.kind == PCR_TRANSFORM_NONE) {
        f.width = width;
        f.height = height;
    }
    f.out_width = f.width;
    f.out_height = f.height;
    return f;
}

/* A whole picture with bars beside it: the window reaches beyond it. */
static struct pcr_crop letterboxed(const struct pcr_loader_options *o, uint32_t width,
                                   uint32_t height, bool flipped)
{
    const struct pcri_frame f = pcri_frame_of(o, width, height);
    const double x = (double) width / f.width, y = (double) height / f.height;
    /* Mirrored, what is left of the picture in the output is to its right in the window. */
    const uint32_t after = f.out_width - f.width - f.x, left = flipped ? after : f.x;
    return (struct pcr_crop) {
        .width = width,
        .height = height,
        .x0 = (float) -(left * x),
        .y0 = (float) -(f.y * y),
        .x1 = (float) ((f.out_width - left) * x),
        .y1 = (float) ((f.out_height - f.y) * y),
        .flipped = flipped,
    };
}

struct pcr_crop pcri_shown(const struct pcr_loader_options *o, uint32_t width, uint32_t height,
                           const struct pcr_resize_options *how)
{
    double x = 1, y = 1, left = 0, top = 0, across = 1, down = 1; /* of the grid, in parts */
    if (o->transform.kind == PCR_TRANSFORM_LETTERBOX)
        return letterboxed(o, width, height, how->flags & PCR_RESIZE_FLIP);
    if (how->grid_width) {
        x = how->grid_width;
        y = how->grid_height;
        left = how->grid_x;
        top = how->grid_y;
        across = o->output.width;
        down = o->output.height;
    }
    x = (how->x1 - how->x0) / x;
    y = (how->y1 - how->y0) / y;
    return (struct pcr_crop) {
        .width = width,
        .height = height,
        .x0 = (float) (how->x0 + left * x),
        .y0 = (float) (how->y0 + top * y),
        .x1 = (float) (how->x0 + (left + across) * x),
        .y1 = (float) (how->y0 + (top + down) * y),
        .flipped = how->flags & PCR_RESIZE_FLIP ? 1 : 0,
    };
}

void pcri_decoded_size(const struct pcr_sample_info *info, bool keep_orientation,
                       uint32_t *width_out, uint32_t *height_out)
{
    const bool swap = info->orientation >= 5 && !keep_orientation;
    *width_out = swap ? info->height : info->width;
    *height_out = swap ? info->width : info->height;
}

double pcri_scale_of(const struct pcri_loader_view *views, uint32_t view_count, bool plain,
                     uint64_t epoch, uint64_t identity, const struct pcr_sample_info *info)
{
    double least = INFINITY;
    uint32_t width, height;
    pcri_decoded_size(info, views->options.flags & PCR_LOADER_KEEP_ORIENTATION, &width,
                      &height);
    if (!width || !height)
        return 1;
    for (uint32_t v = 0; v < view_count; v++) {
        const struct pcr_loader_options *o = plain ? &views[v].plain : &views[v].options;
        struct pcr_resize_options window;
        pcri_choose_window(o, epoch, pcri_view_identity(identity, views[v].crop_of), width,
                           height, &window);
        const struct pcr_crop c = pcri_shown(o, width, height, &window);
        const struct pcri_frame f = pcri_frame_of(o, width, height);
        const double out = (double) f.out_width * f.out_height;
        least = fmin(least, (double) (c.x1 - c.x0) * (double) (c.y1 - c.y0) / out);
    }
    return sqrt(least);
}

uint32_t pcri_fidelity_for(const struct pcr_loader_options *o,
                           const struct pcr_sample_info *info, double scale, uint32_t wish,
                           uint32_t group_count)
{
    uint32_t g = wish;
    if (pcri_by_quality(wish)) {
        g = pcr_sample_fidelity(info, pcri_quality_of(wish), scale);
        if (!g || g > o->fidelity.maximum)
            g = o->fidelity.maximum;
        if (g < o->fidelity.minimum)
            g = o->fidelity.minimum;
    }
    return g < group_count ? g : group_count;
}
