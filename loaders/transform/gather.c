/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches of pictures whose sizes differ: how large a batch is, and where each picture lies in it,
 * is known with the last one, which may replace a bad one. So they are made by themselves. */
#include "gather.h"

/* One plane of a picture in its place, or all channels, side by side. */
struct plane {
    const struct pcri_normalisation *normalisation; /* NULL: bytes stay bytes */
    uint32_t number;
    size_t channels;     /* of a pixel in it */
    size_t pixel_nbytes; /* as delivered */
    uint8_t fill[3 * 4]; /* a pixel of padding, as delivered */
};

static void put(const struct plane *p, const uint8_t *src, size_t n, uint8_t *dst)
{
    if (p->normalisation)
        pcri_normalise_plane(p->normalisation, p->number, src, n, dst);
    else
        memcpy(dst, src, n * p->channels);
}

/* n pixels of padding, twice as many at a time. */
static void pad(const struct plane *p, size_t n, uint8_t *dst)
{
    const size_t nbytes = n * p->pixel_nbytes;
    if (!n)
        return;
    memcpy(dst, p->fill, p->pixel_nbytes);
    for (size_t done = p->pixel_nbytes; done < nbytes; done *= 2)
        memcpy(dst + done, dst, done < nbytes - done ? done : nbytes - done);
}

/* width x height pixels at the top left of across x down. */
static void put_plane(const struct plane *p, const uint8_t *src, size_t width, size_t height,
                      size_t across, size_t down, uint8_t *dst)
{
    if (width == across) {
        put(p, src, width * height, dst);
    } else {
        for (size_t y = 0; y < height; y++) {
            uint8_t *row = dst + y * across * p->pixel_nbytes;
            put(p, src + y * width * p->channels, width, row);
            pad(p, across - width, row + width * p->pixel_nbytes);
        }
    }
    pad(p, across * (down - height), dst + across * height * p->pixel_nbytes);
}

/* across x down: what a picture's place has; 0: no more than the picture. */
static void put_picture(const struct pcr_loader_options *o,
                        const struct pcri_normalisation *normalisation, const uint8_t *src,
                        const struct pcr_batch_picture *at, size_t across, size_t down,
                        uint8_t *dst)
{
    const uint32_t channels = pcri_channels_of(o);
    const uint32_t planes = o->output.layout == PCR_LAYOUT_NCHW ? channels : 1;
    struct plane p = {
        .normalisation = o->output.dtype == PCR_DTYPE_UINT8 ? NULL : normalisation,
        .channels = channels / planes,
    };
    p.pixel_nbytes = p.channels * pcri_value_nbytes(o);
    across = across ? across : at->width;
    down = down ? down : at->height;
    for (; p.number < planes; p.number++) {
        if (!(o->flags & PCR_LOADER_PAD_ZERO))
            put(&p, o->transform.fill + p.number, 1, p.fill);
        put_plane(&p, src, at->width, at->height, across, down, dst);
        src += (size_t) at->width * at->height * p.channels;
        dst += across * down * p.pixel_nbytes;
    }
}

int pcri_gather(struct pcri_batch *b, const struct pcri_loader_view *views,
                const struct pcri_normalisation *normalisation, struct pcr_error *err)
{
    int rc = pcri_batch_lay_out(b, err);
    for (uint32_t v = 0; v < b->view.view_count && !rc; v++) {
        const struct pcr_batch_view *view = &b->views[v];
        for (uint32_t i = 0; i < b->slot_count; i++) {
            const struct pcr_batch_picture *at = &view->pictures[i];
            const uint8_t *src = pcri_batch_loose(b, v, i);
            if (src) /* not where nobody waits for it any more */
                put_picture(&views[v].options, normalisation, src, at, view->width,
                            view->height, view->pixels + at->offset);
            pcri_batch_drop_loose(b, v, i);
        }
    }
    return rc;
}
