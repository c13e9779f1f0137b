/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample's pictures: all views are made from one decode. */
#include <stdlib.h>

#include "crop.h"
#include "sample.h"

/* A view of the sample at hand. */
struct pcri_picture {
    struct pcr_loader_options options; /* the output's size is this picture's own */
    struct pcr_resize_options window;
    struct pcri_augmentation augmentation;
    struct pcri_frame frame;
    size_t values; /* of the output */
    bool augmented;
    bool framed;    /* the frame is not all of it */
    uint8_t *bytes; /* its pixels as bytes */
    uint8_t *plain; /* and before they are augmented */
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

static bool has_planes_apart(const struct pcri_picture *p)
{
    return p->augmented && pcri_augments_planes_apart(&p->options);
}

/* Memory for the bytes of pictures that are converted, for the planes of those that are augmented
 * and delivered as pixels, and for what is put into a frame. */
static int reserve_bytes(struct pcri_maker *m, const struct pcri_request *q, bool convert,
                         struct pcr_error *err)
{
    size_t bytes = 0, planes = 0;
    bool ok = true;
    for (uint32_t v = 0; v < q->view_count && ok; v++) {
        const struct pcri_picture *p = &m->pictures[v];
        if (convert)
            ok = pcri_add(bytes, p->values, &bytes);
        if (ok && has_planes_apart(p))
            ok = pcri_add(planes, p->values, &planes);
        if (ok && p->framed)
            ok = pcri_add(planes, p->values, &planes);
    }
    if (!ok)
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_reserve(&m->bytes, bytes, err);
    return rc ? rc : pcri_buffer_reserve(&m->planes, planes, err);
}

/* The largest side and area that a picture of a size of its own can have, whatever the limits. */
enum { MOST_SIDE = 1 << 16, MOST_PIXELS = 1 << 30 };

/* Gives the picture its size, before it is turned. */
static int choose_size(struct pcri_picture *p, const struct pcri_request *q, uint32_t width,
                       uint32_t height, struct pcr_error *err)
{
    const uint32_t across = p->frame.out_width, down = p->frame.out_height;
    const uint64_t limit = q->dataset->limits.max_pixels;
    const uint64_t most = limit < MOST_PIXELS ? limit : MOST_PIXELS;
    p->options.output.width = across;
    p->options.output.height = down;
    if (pcri_sizes_differ(&p->options) &&
        (across > MOST_SIDE || down > MOST_SIDE || (uint64_t) across * down > most))
        return pcri_fail(err, PCR_ERR_LIMIT,
                         "%u x %u pixels would become %u x %u, the limit is %llu and sides of "
                         "%u",
                         (unsigned) width, (unsigned) height, (unsigned) across,
                         (unsigned) down, (unsigned long long) most, (unsigned) MOST_SIDE);
    if (!pcri_mul(across, down, &p->values) ||
        !pcri_mul(p->values, pcri_channels_of(&p->options), &p->values))
        return pcri_fail_nomem(err, SIZE_MAX);
    return 0;
}

/* Draws how its pixels change. */
static void choose_changes(struct pcri_picture *p, const struct pcri_request *q,
                           uint64_t identity)
{
    struct pcr_loader_output *out = &p->options.output;
    pcri_choose_augmentation(&p->options, q->epoch, identity, &p->augmentation);
    p->window.flags |= PCR_RESIZE_PLANAR;
    p->window.flags ^= p->augmentation.mirror ? PCR_RESIZE_FLIP : 0;
    if (p->augmentation.quarters % 2) {
        const uint32_t width = out->width;
        out->width = out->height;
        out->height = width;
    }
}

/* Says where the picture's places go: into the window, and from there as pixels are moved. */
static void map_crop(const struct pcri_picture *p, struct pcr_crop *crop)
{
    const double width = p->frame.out_width, height = p->frame.out_height;
    const double x = width / ((double) crop->x1 - (double) crop->x0);
    const double y = height / ((double) crop->y1 - (double) crop->y0);
    struct pcri_affine all = { { x, 0, -x * (double) crop->x0, 0, y,
                                 -y * (double) crop->y0 } };
    if (crop->flipped) {
        all.m[0] = -x;
        all.m[2] = width + x * (double) crop->x0;
    }
    if (p->augmented) {
        const struct pcri_affine moves = pcri_augmentation_moves(&p->augmentation, width,
                                                                 height);
        all = pcri_affine_then(&all, &moves);
    }
    memcpy(crop->affine, all.m, sizeof(crop->affine));
}

/* Chooses what each view shows of a picture of this size. */
static int choose(struct pcri_maker *m, const struct pcri_request *q, uint32_t width,
                  uint32_t height, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t v = 0; v < q->view_count && !rc; v++) {
        struct pcri_picture *p = &m->pictures[v];
        struct pcr_crop *crop = pcri_batch_crop(q->batch, v, q->slot);
        const struct pcr_loader_options *o = q->plain ? &q->views[v].plain
                                                      : &q->views[v].options;
        p->options = *o;
        p->augmented = pcri_augmentation_wanted(o);
        pcri_choose_window(o, q->epoch, pcri_view_identity(q->identity, q->views[v].crop_of),
                           width, height, &p->window);
        p->frame = pcri_frame_of(o, width, height);
        p->framed = p->frame.width < p->frame.out_width ||
                    p->frame.height < p->frame.out_height;
        if ((rc = choose_size(p, q, width, height, err)))
            break;
        if (p->augmented)
            choose_changes(p, q, pcri_view_identity(q->identity, v));
        *crop = pcri_shown(o, width, height, &p->window);
        if (p->augmented) {
            double degrees = p->augmentation.degrees + 90 * p->augmentation.quarters;
            crop->degrees = (float) (degrees > 180 ? degrees - 360 : degrees);
            crop->quarters = p->augmentation.quarters;
        }
        map_crop(p, crop);
    }
    return rc;
}

/* Says where each view is decoded to. */
static int place(struct pcri_maker *m, const struct pcri_request *q, bool convert,
                 struct pcr_error *err)
{
    uint8_t *bytes = m->bytes.data, *planes = m->planes.data;
    int rc = 0;
    for (uint32_t v = 0; v < q->view_count && !rc; v++) {
        struct pcri_picture *p = &m->pictures[v];
        if (pcri_batch_is_loose(q->batch))
            rc = pcri_batch_loosen(q->batch, v, q->slot, p->options.output.width,
                                   p->options.output.height, p->values, &p->bytes, err);
        else
            p->bytes = convert ? bytes : pcri_batch_slot(q->batch, v, q->slot);
        bytes += convert ? p->values : 0;
        p->plain = p->bytes;
        if (has_planes_apart(p)) {
            p->plain = planes;
            planes += p->values;
        }
        m->decoded[v] = (struct pcr_decode_view) { &p->window, p->plain, p->frame.width,
                                                   p->frame.height };
        if (p->framed) {
            m->decoded[v].dst = planes;
            planes += p->values;
        }
    }
    return rc;
}

/* Puts the decoded picture into its frame, with `fill` around it. */
static void put_in_frame(const struct pcri_picture *p, const uint8_t *from)
{
    const struct pcr_loader_options *o = &p->options;
    const struct pcri_frame *f = &p->frame;
    const uint32_t width = f->out_width, height = f->out_height;
    const uint32_t channels = pcri_channels_of(o);
    const uint32_t planes = p->window.flags & PCR_RESIZE_PLANAR ? channels : 1;
    const uint32_t each = channels / planes; /* bytes of a pixel */
    uint8_t *to = p->plain;
    for (uint32_t i = 0; i < planes; i++)
        for (uint32_t y = 0; y < height; y++, to += (size_t) width * each) {
            const bool inside = y >= f->y && y < f->y + f->height;
            for (uint32_t x = 0; x < width; x++)
                for (uint32_t c = 0; c < each; c++)
                    to[(size_t) x * each + c] = o->transform.fill[i + c];
            if (inside)
                memcpy(to + (size_t) f->x * each,
                       from + ((size_t) i * f->height + y - f->y) * f->width * each,
                       (size_t) f->width * each);
        }
}

int pcri_make_pictures(struct pcri_maker *m, const struct pcri_request *q,
                       const struct pcr_sample_info *sample, struct pcr_error *err)
{
    const struct pcr_decode_options d = decode_options(q, sample);
    const bool convert = q->options->output.dtype != PCR_DTYPE_UINT8 &&
                         !pcri_batch_is_loose(q->batch);
    struct pcr_image_info image = { .size = sizeof(image) };
    int rc = find_size(m, sample, &d, &image, err);
    if (rc || (rc = reserve_pictures(m, q->view_count, err)))
        return rc;
    if ((rc = choose(m, q, image.width, image.height, err)) ||
        (rc = reserve_bytes(m, q, convert, err)) || (rc = place(m, q, convert, err)))
        return rc;
    rc = pcr_decoder_decode_views(m->decoder, &m->spans, &d, m->decoded, q->view_count, err);
    for (uint32_t v = 0; v < q->view_count && !rc; v++) {
        const struct pcri_picture *p = &m->pictures[v];
        if (p->framed)
            put_in_frame(p, m->decoded[v].dst);
        if (p->augmented)
            rc = pcri_augmenter_run(&m->augmenter, &p->options, &p->augmentation, p->plain,
                                    p->bytes, err);
        if (convert && !rc)
            pcri_normalise(q->normalisation, p->bytes,
                           p->values / pcri_channels_of(&p->options),
                           pcri_batch_slot(q->batch, v, q->slot));
    }
    return rc;
}
