/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done to pixels between a codec and their destination: conversion to sRGB, and laying
 * what is transparent over a background. Without either a codec writes to the destination. */
#include "icc.h"
#include "image.h"
#include "profile.h"

static enum pcri_icc_pixels kind_of(const struct pcri_stored_info *stored, bool alpha)
{
    if (stored->component_count == 1)
        return alpha ? PCRI_ICC_GRAY_ALPHA : PCRI_ICC_GRAY;
    if (stored->component_count == 3)
        return alpha ? PCRI_ICC_RGB_ALPHA : PCRI_ICC_RGB;
    return PCRI_ICC_INKS;
}

/* The conversion for the image's profile, if it has one that can be used and changes colours. */
static int find_transform(struct pcr_decoder *d, const struct pcri_coding *coding,
                          const struct pcri_stored_info *stored, struct pcri_stage *s,
                          struct pcr_error *err)
{
    enum pcr_profile_use use = PCR_PROFILE_UNUSABLE;
    struct pcr_spans header = d->spans; /* a part of the list */
    bool any = false;
    if (coding && coding->header_spans)
        header.count = coding->header_spans(&d->spans);
    int rc = d->icc ? 0 : pcri_icc_create(&d->icc, err);
    if (!rc)
        rc = pcri_profile_read(&header, &d->profile, &any, err);
    if (!rc && d->profile.nbytes)
        rc = pcri_icc_find(d->icc, d->profile.data, d->profile.nbytes,
                           kind_of(stored, s->alpha), &use, &s->transform, err);
    if (!rc && any)
        d->profile_use = use;
    return rc;
}

int pcri_stage_choose(struct pcr_decoder *d, const struct pcri_coding *coding,
                      const struct pcr_decode_options *o,
                      const struct pcri_stored_info *stored, struct pcri_stage *out,
                      struct pcr_error *err)
{
    struct pcri_stage s = { .alpha = stored->has_alpha && o->flags & PCR_DECODE_BACKGROUND };
    int rc = o->flags & PCR_DECODE_TO_SRGB ? find_transform(d, coding, stored, &s, err) : 0;
    memcpy(s.background, o->background, sizeof(s.background));
    s.color = stored->component_count == 1   ? PCR_COLOR_GRAY
              : stored->component_count == 3 ? PCR_COLOR_RGB
                                             : PCRI_COLOR_INKS;
    s.channels = stored->component_count + s.alpha;
    s.on = s.alpha || s.transform;
    *out = s;
    return rc;
}

/* Copies the colours; gray ones become three alike. */
static void copy_colors(const struct pcri_stage *s, const uint8_t *pixels, uint32_t n,
                        uint8_t *rgb)
{
    uint32_t green = s->color == PCR_COLOR_GRAY ? 0 : 1, blue = 2 * green;
    for (uint32_t x = 0; x < n; x++, pixels += s->channels, rgb += 3) {
        rgb[0] = pixels[0];
        rgb[1] = pixels[green];
        rgb[2] = pixels[blue];
    }
}

/* (c * alpha + background * (255 - alpha)) / 255, rounded. */
static void lay_over(const struct pcri_stage *s, const uint8_t *pixels, uint32_t n,
                     uint8_t *rgb)
{
    for (uint32_t x = 0; x < n; x++, pixels += s->channels, rgb += 3) {
        unsigned alpha = pixels[s->channels - 1];
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t) ((rgb[c] * alpha + s->background[c] * (255 - alpha) + 127) /
                                255);
    }
}

void pcri_stage_run(const struct pcri_stage *s, const uint8_t *pixels, uint32_t n,
                    uint32_t channels, uint8_t *row)
{
    if (s->transform)
        pcri_icc_run(s->transform, pixels, n, row);
    else
        copy_colors(s, pixels, n, row);
    if (s->alpha)
        lay_over(s, pixels, n, row);
    for (uint32_t x = 0; channels == 1 && x < n; x++)
        row[x] = pcri_luma(row[3 * x], row[3 * x + 1], row[3 * x + 2]);
}
