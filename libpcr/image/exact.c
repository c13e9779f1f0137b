/* SPDX-License-Identifier: BSD-2-Clause */
/* A file's pixels as a JPEG and its residual. */
#include "exact.h"

#include "../residual/residual.h"
#include "judge.h"
#include "profile.h"

void pcri_exact_free(struct pcri_exact *e)
{
    pcr_buffer_free(&e->pixels);
    pcr_buffer_free(&e->jpeg);
    pcr_buffer_free(&e->residual);
    pcr_buffer_free(&e->decoded);
    pcr_buffer_free(&e->other_jpeg);
    pcr_buffer_free(&e->other_residual);
    pcr_buffer_free(&e->profile);
    *e = (struct pcri_exact) { 0 };
}

uint64_t pcri_exact_held(uint32_t width, uint32_t height)
{
    /* Pixels, those of the JPEG, its coefficients, two files of each. */
    enum { EACH = 3 + 3 + 6 + 2 * (3 + 4) };
    return (uint64_t) width * height * EACH;
}

/* One decoding of pixels as they are stored. */
static struct pcr_decode_options options(const struct pcri_exact *e,
                                         const struct pcr_limits *limits)
{
    return (struct pcr_decode_options) { .size = sizeof(struct pcr_decode_options),
                                         .flags = PCR_DECODE_KEEP_ORIENTATION,
                                         .color = e->channels == 1 ? PCR_COLOR_GRAY
                                                                   : PCR_COLOR_RGB,
                                         .limits = limits };
}

static int make_one(struct pcr_decoder *d, struct pcri_exact *e,
                    const struct pcri_jpeg_style *style, const struct pcr_limits *limits,
                    struct pcr_buffer *jpeg, struct pcr_buffer *residual,
                    struct pcr_error *err)
{
    const struct pcr_decode_options o = options(e, limits);
    int rc = pcri_jpeg_encode_as(e->pixels.data, e->width, e->height, e->channels, style, jpeg,
                                 err);
    if (!rc)
        rc = pcr_decoder_decode_alloc(d, jpeg->data, jpeg->nbytes, &o, &e->decoded, NULL, err);
    residual->nbytes = 0;
    return rc ? rc
              : pcri_rs_make(e->pixels.data, e->decoded.data, e->width, e->height, e->channels,
                             residual, err);
}

/* Also measures the quality of what is kept. */
static int make_both(struct pcr_decoder *d, struct pcri_exact *e,
                     struct pcri_jpeg_style *style, const struct pcr_limits *limits,
                     struct pcr_error *err)
{
    int rc = make_one(d, e, style, limits, &e->jpeg, &e->residual, err);
    if (!rc)
        rc = pcri_exact_measure(e, err);
    if (rc || e->channels == 1)
        return rc;
    style->full_chroma = false;
    rc = make_one(d, e, style, limits, &e->other_jpeg, &e->other_residual, err);
    if (rc ||
        e->other_jpeg.nbytes + e->other_residual.nbytes >= e->jpeg.nbytes + e->residual.nbytes)
        return rc;
    const struct pcr_buffer jpeg = e->jpeg, residual = e->residual;
    e->jpeg = e->other_jpeg;
    e->residual = e->other_residual;
    e->other_jpeg = jpeg;
    e->other_residual = residual;
    return pcri_exact_measure(e, err);
}

int pcri_exact_make(struct pcr_decoder *d, const struct pcr_buffer *file, uint32_t quality,
                    const struct pcr_limits *limits, struct pcri_exact *e,
                    struct pcr_error *err)
{
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_decode_options o = { .size = sizeof(o), .limits = limits };
    int rc = pcri_decoder_exact_channels(d, file->data, file->nbytes, &o, &e->channels, err);
    if (rc || !e->channels)
        return rc ? rc : PCR_END;
    o = options(e, limits);
    rc = pcr_decoder_decode_alloc(d, file->data, file->nbytes, &o, &e->pixels, &info, err);
    if (rc)
        return rc;
    if (info.width > PCRI_JPEG_MOST_SIDE || info.height > PCRI_JPEG_MOST_SIDE)
        return PCR_END;
    e->width = info.width;
    e->height = info.height;
    rc = pcri_profile_find(file->data, file->nbytes, e->channels, &e->profile, err);
    struct pcri_jpeg_style style = { .quality = quality,
                                     .full_chroma = true,
                                     .orientation = info.orientation,
                                     .profile = &e->profile };
    return rc ? rc : make_both(d, e, &style, limits, err);
}

int pcri_exact_prove(struct pcr_decoder *d, const struct pcr_spans *spans,
                     const struct pcr_limits *limits, struct pcri_exact *e,
                     struct pcr_error *err)
{
    struct pcr_image_info info = { .size = sizeof(info) };
    const struct pcr_decode_options o = options(e, limits);
    int rc = pcr_decoder_decode_spans(d, spans, &o, &e->decoded, &info, err);
    pcri_decoder_close(d);
    if (!rc && (info.width != e->width || info.height != e->height ||
                e->decoded.nbytes != e->pixels.nbytes ||
                memcmp(e->decoded.data, e->pixels.data, e->pixels.nbytes) != 0))
        rc = pcri_fail(err, PCR_ERR_CORRUPT,
                       "what was packed has other pixels than the source");
    return rc;
}
