/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample's pictures: all views are made from one decode. */
#include <stdlib.h>

#include "crop.h"
#include "sample.h"

/* A view of the sample at hand. */
struct pcri_picture {
    const struct pcr_loader_options *options;
    struct pcr_resize_options window;
    struct pcri_augmentation augmentation;
    bool augmented;
    uint8_t *bytes; /* its pixels as bytes */
};

/* Size of the picture as it is decoded. A coded sample's is in the head; an opaque one is a
 * whole file that speaks for itself. */
static int find_size(struct pcri_maker *m, const struct pcr_sample_info *sample,
                     const struct pcr_decode_options *d, struct pcr_image_info *out,
                     struct pcr_error *err)
{
    if (sample->coding == PCR_CODING_OPAQUE) {
        const struct pcr_span *file = &m->spans.items[0];
        return pcr_decoder_inspect(m->decoder, m->spans.count ? file->data : NULL,
                                   m->spans.count ? file->nbytes : 0, d, out, err);
    }
    pcri_decoded_size(sample, d->flags & PCR_DECODE_KEEP_ORIENTATION, &out->width,
                      &out->height);
    return 0;
}

/* How the request's options say to decode it. */
static struct pcr_decode_options decode_options(const struct pcri_request *q,
                                                const struct pcr_sample_info *sample)
{
    const struct pcr_loader_options *o = q->options;
    struct pcr_decode_options d = { .size = sizeof(d),
                                    .color = o->output.color,
                                    .limits = &q->dataset->limits };
    if (o->flags & PCR_LOADER_FULL_SIZE_DECODING)
        d.scale = 8;
    if (o->flags & PCR_LOADER_KEEP_ORIENTATION)
        d.flags |= PCR_DECODE_KEEP_ORIENTATION;
    if (o->flags & PCR_LOADER_TO_SRGB)
        d.flags |= PCR_DECODE_TO_SRGB;
    if (o->flags & PCR_LOADER_BACKGROUND) {
        d.flags |= PCR_DECODE_BACKGROUND;
        memcpy(d.background, o->output.background, sizeof(d.background));
    }
    if (sample->coding != PCR_CODING_OPAQUE)
        /* Its metadata may be left out of what was read; the head has its orientation. */
        d.orientation = sample->orientation;
    if (sample->coding == PCR_CODING_SCANS)
        d.ladder = q->dataset->ladder;
    return d;
}

static int reserve_pictures(struct pcri_maker *m, uint32_t count, struct pcr_error *err)
{
    if (count <= m->picture_count)
        return 0;
    struct pcri_picture *pictures = pcri_malloc(count, sizeof(*pictures), err);
    struct pcr_decode_view *decoded = pcri_malloc(count, sizeof(*decoded), err);
    free(m->pictures);
    free(m->decoded);
    m->pictures = pictures;
    m->decoded = decoded;
    m->picture_count = pictures && decoded ? count : 0;
    return m->picture_count ? 0 : PCR_ERR_NOMEM;
}

/* Memory for the bytes of pictures that are converted, and for the planes of those that are
 * augmented and delivered as pixels. */
static int reserve_bytes(struct pcri_maker *m, const struct pcri_request *q, bool convert,
                         struct pcr_error *err)
{
    size_t bytes = 0, planes = 0;
    bool ok = true;
    for (uint32_t v = 0; v < q->view_count && ok; v++) {
        const struct pcri_picture *p = &m->pictures[v];
        if (convert)
            ok = pcri_add(bytes, q->views[v].values, &bytes);
        if (ok && p->augmented && pcri_augments_planes_apart(p->options))
            ok = pcri_add(planes, q->views[v].values, &planes);
    }
    if (!ok)
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_reserve(&m->bytes, bytes, err);
    return rc ? rc : pcri_buffer_reserve(&m->planes, planes, err);
}

/* Chooses what each view shows of a picture of this size. */
static void choose(struct pcri_maker *m, const struct pcri_request *q, uint32_t width,
                   uint32_t height)
{
    for (uint32_t v = 0; v < q->view_count; v++) {
        struct pcri_picture *p = &m->pictures[v];
        struct pcr_crop *crop = pcri_batch_crop(q->batch, v, q->slot);
        const uint64_t identity = pcri_view_identity(q->identity, v);
        p->options = q->plain ? &q->views[v].plain : &q->views[v].options;
        p->augmented = pcri_augmentation_wanted(p->options);
        pcri_choose_window(p->options, q->epoch, identity, width, height, &p->window);
        *crop = pcri_shown(p->options, width, height, &p->window);
        if (p->augmented) {
            pcri_choose_augmentation(p->options, q->epoch, identity, &p->augmentation);
            crop->degrees = (float) p->augmentation.degrees;
            p->window.flags |= PCR_RESIZE_PLANAR;
        }
    }
}

/* Says where each view is decoded to. */
static void place(struct pcri_maker *m, const struct pcri_request *q, bool convert)
{
    uint8_t *bytes = m->bytes.data, *planes = m->planes.data;
    for (uint32_t v = 0; v < q->view_count; v++) {
        struct pcri_picture *p = &m->pictures[v];
        p->bytes = convert ? bytes : pcri_batch_slot(q->batch, v, q->slot);
        bytes += convert ? q->views[v].values : 0;
        m->decoded[v] = (struct pcr_decode_view) { &p->window, p->bytes,
                                                   p->options->output.width,
                                                   p->options->output.height };
        if (p->augmented && pcri_augments_planes_apart(p->options)) {
            m->decoded[v].dst = planes;
            planes += q->views[v].values;
        }
    }
}

int pcri_make_pictures(struct pcri_maker *m, const struct pcri_request *q,
                       const struct pcr_sample_info *sample, struct pcr_error *err)
{
    const struct pcr_decode_options d = decode_options(q, sample);
    const bool convert = q->options->output.dtype != PCR_DTYPE_UINT8;
    struct pcr_image_info image = { .size = sizeof(image) };
    int rc = find_size(m, sample, &d, &image, err);
    if (rc || (rc = reserve_pictures(m, q->view_count, err)))
        return rc;
    choose(m, q, image.width, image.height);
    if ((rc = reserve_bytes(m, q, convert, err)))
        return rc;
    place(m, q, convert);
    rc = pcr_decoder_decode_views(m->decoder, &m->spans, &d, m->decoded, q->view_count, err);
    for (uint32_t v = 0; v < q->view_count && !rc; v++) {
        const struct pcri_picture *p = &m->pictures[v];
        const size_t px = (size_t) p->options->output.width * p->options->output.height;
        if (p->augmented)
            rc = pcri_augmenter_run(&m->augmenter, p->options, &p->augmentation,
                                    m->decoded[v].dst, p->bytes, err);
        if (convert && !rc)
            pcri_normalise(q->normalisation, p->bytes, px,
                           pcri_batch_slot(q->batch, v, q->slot));
    }
    return rc;
}
