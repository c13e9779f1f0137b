/* SPDX-License-Identifier: BSD-2-Clause */
/* Images above the limit of pcr_write_options.max_side become smaller JPEGs before they are
 * coded. Nothing else in a conversion loses anything. */
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

int pcri_sample_reduce(struct pcri_worker *t, bool *reduced, struct pcr_error *err)
{
    const struct pcr_write_options *opts = &t->write->opts;
    struct pcr_decode_options o = { .size = sizeof(o), .limits = opts->limits };
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_buffer small = { 0 }, profile = { 0 };
    uint64_t nbytes;
    bool gray = false;
    *reduced = false;
    if (!opts->max_side || !t->file.nbytes)
        return 0;
    int rc = pcri_decoder_measure(t->decoder, t->file.data, t->file.nbytes, &o, &info, &nbytes,
                                  err);
    if (rc)
        return pcri_is_ours(rc) ? rc : 0;
    uint32_t longest = info.width > info.height ? info.width : info.height;
    if (longest <= opts->max_side)
        return 0;
    uint32_t width = shorten(info.width, longest, opts->max_side);
    uint32_t height = shorten(info.height, longest, opts->max_side);
    rc = pcri_memory_take(t, nbytes, err);
    if (!rc)
        rc = pcri_profile_find(t->file.data, t->file.nbytes, &gray, &profile, err);
    if (!rc)
        rc = make_pixels(t, gray, width, height, err);
    if (!rc)
        rc = pcri_jpeg_encode(t->pixels.data, width, height, gray ? 1 : 3, opts->quality,
                              &profile, &small, err);
    if (!rc) {
        struct pcr_buffer file = t->file;
        t->file = small;
        small = file;
        *reduced = true;
    }
    pcr_buffer_free(&profile);
    pcr_buffer_free(&small);
    return pcri_is_ours(rc) ? rc : 0; /* what cannot be decoded is judged as it is */
}
