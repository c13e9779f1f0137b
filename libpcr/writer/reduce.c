/* SPDX-License-Identifier: BSD-2-Clause */
/* What the options max_side, target_nbytes and pictures ask for: images become JPEGs before they
 * are coded. Nothing else in a conversion loses anything, but salvaging. */
#include <math.h>

#include "../image/judge.h"
#include "../image/profile.h"
#include "write.h"

/* Sizes are kept to a pixel in proportion. */
static uint32_t shorten(uint32_t side, uint32_t longest, uint32_t limit)
{
    double v = rint((double) side * limit / longest);
    return v < 1 ? 1 : (uint32_t) v;
}

/* Decodes t->file to t->pixels of width x height, upright. */
static int make_pixels(struct pcri_worker *t, bool gray, uint32_t width, uint32_t height,
                       struct pcr_error *err)
{
    struct pcr_decode_options o = { .size = sizeof(o),
                                    .limits = t->write->opts.limits,
                                    .scale = 8,
                                    .color = gray ? PCR_COLOR_GRAY : PCR_COLOR_RGB };
    const struct pcr_resize_options how = { .size = sizeof(how),
                                            .filter = PCR_FILTER_BICUBIC };
    struct pcr_span file = { t->file.data, t->file.nbytes };
    const struct pcr_spans spans = { .items = &file, .count = 1 };
    size_t nbytes;
    if (!pcri_mul(width, height, &nbytes) || !pcri_mul(nbytes, gray ? 1 : 3, &nbytes))
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_reserve(&t->pixels, nbytes, err);
    return rc ? rc
              : pcr_decoder_decode_resized(t->decoder, &spans, &o, &how, t->pixels.data, width,
                                           height, err);
}

/* Whether a pixel is not opaque: over black it is another colour than over white. */
static int find_transparency(struct pcri_worker *t, uint64_t pixel_count, bool *found,
                             struct pcr_error *err)
{
    struct pcr_decode_options o = { .size = sizeof(o),
                                    .flags = PCR_DECODE_BACKGROUND,
                                    .limits = t->write->opts.limits };
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_buffer over_white = { 0 };
    uint64_t nbytes;
    int rc = pcri_decoder_measure(t->decoder, t->file.data, t->file.nbytes, &o, &info, &nbytes,
                                  err);
    if (!rc)
        rc = pcri_memory_take(t, nbytes + 6 * pixel_count, err);
    if (!rc)
        rc = pcr_decoder_decode_alloc(t->decoder, t->file.data, t->file.nbytes, &o, &t->pixels,
                                      NULL, err);
    memset(o.background, 255, 3);
    if (!rc)
        rc = pcr_decoder_decode_alloc(t->decoder, t->file.data, t->file.nbytes, &o,
                                      &over_white, NULL, err);
    *found = !rc && memcmp(t->pixels.data, over_white.data, over_white.nbytes) != 0;
    pcr_buffer_free(&over_white);
    return rc;
}

/* The highest quality up to the options' in which it has at most target_nbytes; any, if that is 0.
 * LIMIT: none. */
static int encode(struct pcri_worker *t, bool gray, uint32_t width, uint32_t height,
                  const struct pcr_buffer *profile, struct pcr_buffer *out,
                  struct pcr_error *err)
{
    const struct pcr_write_options *opts = &t->write->opts;
    const uint32_t most = opts->target_nbytes ? opts->target_nbytes : UINT32_MAX;
    struct pcr_buffer tried = { 0 };
    uint32_t quality = opts->quality, fits = 0, above = quality + 1;
    int rc = 0;
    for (; !rc && fits + 1 < above; quality = fits + (above - fits) / 2) {
        rc = pcri_jpeg_encode(t->pixels.data, width, height, gray ? 1 : 3, quality, profile,
                              &tried, err);
        if (rc || tried.nbytes > most) {
            above = quality;
            continue;
        }
        struct pcr_buffer last = *out;
        *out = tried;
        tried = last;
        fits = quality;
    }
    if (!rc && !fits)
        rc = pcri_fail(err, PCR_ERR_LIMIT,
                       "a JPEG of its %u x %u pixels has %zu bytes in quality 1, more than "
                       "%u (target_nbytes)",
                       (unsigned) width, (unsigned) height, tried.nbytes, (unsigned) most);
    pcr_buffer_free(&tried);
    return rc;
}

/* Makes t->file a JPEG of this size. */
static int make_jpeg(struct pcri_worker *t, uint32_t component_count, uint32_t width,
                     uint32_t height, uint64_t nbytes, struct pcri_reduction *out,
                     struct pcr_error *err)
{
    const bool gray = component_count == 1;
    struct pcr_buffer made = { 0 }, profile = { 0 };
    struct pcr_error why;
    bool limited = false;
    int rc = pcri_memory_take(t, nbytes, &why);
    if (!rc)
        rc = pcri_profile_find(t->file.data, t->file.nbytes, component_count, &profile, &why);
    if (!rc)
        rc = make_pixels(t, gray, width, height, &why);
    if (!rc) {
        rc = encode(t, gray, width, height, &profile, &made, &why);
        limited = rc == PCR_ERR_LIMIT;
    }
    if (!rc) {
        struct pcr_buffer file = t->file;
        t->file = made;
        made = file;
        out->made = true;
    }
    pcr_buffer_free(&profile);
    pcr_buffer_free(&made);
    /* What cannot be decoded is judged as it is. */
    return limited || pcri_is_ours(rc) ? pcri_hand_on(err, rc, &why) : 0;
}

int pcri_sample_reduce(struct pcri_worker *t, struct pcri_reduction *out,
                       struct pcr_error *err)
{
    const struct pcr_write_options *opts = &t->write->opts;
    const bool heavy = opts->target_nbytes && t->file.nbytes > opts->target_nbytes;
    const char *picture = pcri_decoder_format(t->file.data, t->file.nbytes);
    const bool foreign = picture && opts->pictures == PCR_PICTURES_JPEG;
    struct pcr_decode_options o = { .size = sizeof(o), .limits = opts->limits };
    struct pcr_image_info info = { .size = sizeof(info) };
    uint32_t component_count = 0;
    uint64_t nbytes;
    bool has_alpha = false, transparent = false;
    *out = (struct pcri_reduction) { 0 };
    if (!t->file.nbytes || !(opts->max_side || heavy || foreign))
        return 0;
    int rc = pcri_decoder_measure(t->decoder, t->file.data, t->file.nbytes, &o, &info, &nbytes,
                                  err);
    if (rc)
        return pcri_is_ours(rc) ? rc : 0;
    uint32_t longest = info.width > info.height ? info.width : info.height, limit = longest;
    if (opts->max_side && longest > opts->max_side)
        limit = opts->max_side;
    const bool smaller = heavy || limit < longest;
    if (!smaller && !foreign)
        return 0;
    rc = pcri_decoder_look(t->decoder, t->file.data, t->file.nbytes, &o, &component_count,
                           &has_alpha, err);
    if (!rc && !smaller && has_alpha)
        rc = find_transparency(t, (uint64_t) info.width * info.height, &transparent, err);
    if (rc || transparent || (!smaller && longest > PCRI_JPEG_MOST_SIDE))
        return pcri_is_ours(rc) ? rc : 0;
    rc = make_jpeg(t, component_count, shorten(info.width, longest, limit),
                   shorten(info.height, longest, limit), nbytes, out, err);
    out->smaller = smaller && out->made;
    out->picture = out->made ? picture : NULL;
    return rc;
}
