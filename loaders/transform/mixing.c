/* SPDX-License-Identifier: BSD-2-Clause */
/* Mixing of pictures, which takes place once all of a batch are made.
 *
 * A sample's partner is the one before it. So samples are mixed from the last to the first, each
 * with a partner that is still whole; only the first one's, the last, is kept aside. */
#include <math.h>

#include "../deliver/batch.h"
#include "mixing.h"

/* --- what is drawn --- */

/* Each has a number of its own, whether or not the others are wanted. */
enum draw {
    DRAW_MIXED,
    DRAW_CUT,
    DRAW_BETA, /* and the one after it */
    DRAW_X = DRAW_BETA + 2,
    DRAW_Y,
};

static double drawn(uint64_t key, unsigned draw)
{
    return pcri_unit(pcri_key(key, 1, draw));
}

/* From Beta(alpha, alpha): a one-liner of Devroye, "Random variate generation in one line of
 * code", 1996, by way of Student's distribution (Bailey 1994). */
static double draw_beta(uint64_t key, double alpha)
{
    double across = cos(2 * 3.14159265358979323846 * drawn(key, DRAW_BETA + 1));
    double q = (pow(drawn(key, DRAW_BETA), -1 / alpha) - 1) * across * across;
    return 0.5 + copysign(0.5 / sqrt(1 + 1 / q), across);
}

void pcri_choose_mixture(const struct pcr_loader_options *o, uint64_t epoch, uint64_t identity,
                         struct pcri_mixture *out)
{
    const struct pcr_loader_mix *mix = &o->mix;
    const uint64_t key = pcri_stream_key(o->seed, PCRI_STREAM_MIXING, epoch, identity);
    const bool both = mix->mixup_alpha > 0 && mix->cutmix_alpha > 0;
    *out = (struct pcri_mixture) {
        .mixed = drawn(key, DRAW_MIXED) < mix->chance_ppm / 1e6,
        .cut = both ? drawn(key, DRAW_CUT) < mix->cutmix_ppm / 1e6 : mix->cutmix_alpha > 0,
        .x = drawn(key, DRAW_X),
        .y = drawn(key, DRAW_Y),
    };
    out->lam = draw_beta(key, out->cut ? mix->cutmix_alpha : mix->mixup_alpha);
}

/* Around `middle`, `half` to both sides, within 0..size. */
static void span(double middle, double half, uint32_t size, uint32_t *first_out,
                 uint32_t *count_out)
{
    const int64_t at = (int64_t) (middle * size), reach = (int64_t) (half * size);
    const int64_t first = at > reach ? at - reach : 0;
    const int64_t end = at + reach < size ? at + reach : size;
    *first_out = (uint32_t) first;
    *count_out = (uint32_t) (end - first);
}

struct pcri_rectangle pcri_cut(const struct pcri_mixture *m, uint32_t width, uint32_t height)
{
    struct pcri_rectangle r;
    const double half = 0.5 * sqrt(1 - m->lam);
    span(m->x, half, width, &r.x, &r.width);
    span(m->y, half, height, &r.y, &r.height);
    return r;
}

/* --- labels --- */

/* The sample's labels are columns. */
static int check_labels(const struct pcri_batch *b, uint32_t slot, struct pcr_error *err)
{
    const uint64_t index = b->indices[slot];
    const unsigned dataset = b->datasets[slot];
    if (!b->label_counts[slot])
        return pcri_fail(err, PCR_ERR_INVAL,
                         "sample %llu of dataset %u has no label, which mixing needs",
                         (unsigned long long) index, dataset);
    for (uint32_t i = 0; b->labels && i < b->label_counts[slot]; i++) {
        const int64_t label = ((const int64_t *) b->all_labels[slot])[i];
        if (label < 0 || label >= b->view.class_count)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "sample %llu of dataset %u has label %lld, but soft labels have "
                             "%u columns (class_count, in Python num_classes)",
                             (unsigned long long) index, dataset, (long long) label,
                             (unsigned) b->view.class_count);
    }
    return 0;
}

static bool has_label(const struct pcri_batch *b, uint32_t slot, int64_t label)
{
    const int64_t *labels = b->all_labels[slot];
    uint32_t i = 0;
    while (i < b->label_counts[slot] && labels[i] != label)
        i++;
    return i < b->label_counts[slot];
}

/* Writes a sample's soft labels. `lam` is a double, as what is added up to 1 should be 1. */
static void soften(struct pcri_batch *b, uint32_t slot, uint32_t partner, double lam)
{
    const float part = (float) lam, rest = (float) (1 - lam);
    float *row = b->soft_labels + (size_t) slot * b->view.class_count;
    if (b->float_labels) {
        *row = (float) (b->float_labels[slot] * lam);
        *row += lam < 1 ? (float) (b->float_labels[partner] * (1 - lam)) : 0;
        return;
    }
    const int64_t *own = b->all_labels[slot], *others = b->all_labels[partner];
    memset(row, 0, b->view.class_count * sizeof(*row));
    for (uint32_t i = 0; i < b->label_counts[slot]; i++)
        row[own[i]] = part;
    for (uint32_t i = 0; i < b->label_counts[partner] && lam < 1; i++)
        row[others[i]] = has_label(b, slot, others[i]) ? part + rest : rest;
}

/* --- pixels --- */

struct picture {
    uint8_t *own;
    const uint8_t *partner;
    const struct pcri_loader_view *view;
};

static void blend(const struct pcri_pixel_loops *loops, const struct picture *p, double lam)
{
    const float part = (float) lam, rest = (float) (1 - lam);
    const size_t n = p->view->nbytes / pcri_value_nbytes(&p->view->options);
    void *own = p->own;
    const void *partner = p->partner;
    const int16_t weight = (int16_t) lrint(lam * (1 << PCRI_FACTOR_BITS));
    switch (p->view->options.output.dtype) {
    case PCR_DTYPE_UINT8:
        loops->mix(own, partner, n, weight, (int16_t) ((1 << PCRI_FACTOR_BITS) - weight));
        break;
    case PCR_DTYPE_FLOAT32:
        loops->blend_floats(own, partner, n, part, rest);
        break;
    case PCR_DTYPE_FLOAT16:
        loops->blend_halves(own, partner, n, part, rest);
        break;
    default:
        loops->blend_bfloats(own, partner, n, part, rest);
        break;
    }
}

static void cut(const struct picture *p, const struct pcri_mixture *m)
{
    const struct pcr_loader_output *o = &p->view->options.output;
    const size_t value_nbytes = pcri_value_nbytes(&p->view->options);
    const size_t channels = pcri_channels_of(&p->view->options);
    const size_t planes = o->layout == PCR_LAYOUT_NCHW ? channels : 1;
    const size_t each = channels / planes * value_nbytes; /* bytes of a pixel */
    const struct pcri_rectangle r = pcri_cut(m, o->width, o->height);
    for (size_t i = 0; i < planes; i++)
        for (size_t y = r.y; y < r.y + r.height; y++) {
            size_t at = ((i * o->height + y) * o->width + r.x) * each;
            memcpy(p->own + at, p->partner + at, r.width * each);
        }
}

/* Mixes one view of all samples. */
static int mix_view(struct pcri_maker *m, const struct pcri_loader_view *view, uint32_t number,
                    const struct pcri_mixture *mixtures, bool each, struct pcri_batch *b,
                    struct pcr_error *err)
{
    const uint32_t last = b->slot_count - 1;
    int rc = pcri_buffer_reserve(&m->bytes, view->nbytes, err);
    if (rc)
        return rc;
    memcpy(m->bytes.data, pcri_batch_slot(b, number, last), view->nbytes);
    for (uint32_t i = b->slot_count; i--;) {
        const struct pcri_mixture *x = &mixtures[each ? i : 0];
        const struct picture p = {
            .own = pcri_batch_slot(b, number, i),
            .partner = i ? pcri_batch_slot(b, number, i - 1) : m->bytes.data,
            .view = view,
        };
        if (b->partners[i] == i)
            continue;
        if (x->cut)
            cut(&p, x);
        else
            blend(m->augmenter.loops, &p, x->lam);
    }
    return 0;
}

/* How much of its first view is its own. */
static double own_part(const struct pcri_mixture *m, const struct pcr_loader_output *o)
{
    if (!m->cut)
        return m->lam;
    const struct pcri_rectangle r = pcri_cut(m, o->width, o->height);
    return 1 - (double) r.width * r.height / ((double) o->width * o->height);
}

int pcri_mix_batch(struct pcri_maker *m, const struct pcr_loader_options *o,
                   const struct pcri_loader_view *views, uint32_t view_count,
                   struct pcri_batch *b, uint32_t *slot_out, struct pcr_error *err)
{
    const uint32_t count = b->slot_count;
    struct pcri_mixture *mixtures;
    int rc = pcri_buffer_reserve(&m->planes, count * sizeof(*mixtures), err);
    *slot_out = 0;
    for (uint32_t i = 0; i < count && !rc && b->soft_labels; i++)
        if ((rc = check_labels(b, i, err)))
            *slot_out = i;
    if (rc)
        return rc;
    mixtures = (struct pcri_mixture *) (void *) m->planes.data;
    for (uint32_t i = 0; i < count; i++) {
        struct pcri_mixture *x = &mixtures[o->mix.each ? i : 0];
        const uint32_t partner = i ? i - 1 : count - 1;
        if (!i || o->mix.each)
            pcri_choose_mixture(o, b->view.epoch, b->mix_slots[i].identity, x);
        const bool mixed = x->mixed && !b->mix_slots[i].whole && partner != i;
        const double lam = mixed ? own_part(x, &views->options.output) : 1;
        b->lam[i] = (float) lam;
        b->partners[i] = mixed ? partner : i;
        if (b->soft_labels)
            soften(b, i, b->partners[i], lam);
    }
    for (uint32_t v = 0; v < view_count && !rc; v++)
        rc = mix_view(m, &views[v], v, mixtures, o->mix.each, b, err);
    return rc;
}
