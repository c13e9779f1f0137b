/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes an image of any known format: options, limits, dispatch, orientation. */
#include <stdlib.h>

#include "../base/sniff.h"
#include "../residual/residual.h"
#include "icc.h"
#include "image.h"
#include "judge.h"

static const struct pcri_codec *const codecs[PCRI_CODEC_COUNT] = {
    &pcri_codec_native, /* of any coding; what it declines, the next one takes */
    &pcri_codec_turbo,  &pcri_codec_exact, /* of any coding, with a residual */
    &pcri_codec_png,    &pcri_codec_webp,  &pcri_codec_tiff,
    &pcri_codec_gif,    &pcri_codec_bmp,   &pcri_codec_pnm,
};
enum { EXACT = 2, FIRST_OTHER = 3 }; /* of those that have a magic */

/* Makes sure that there are resizers for so many pictures. */
static int reserve_views(struct pcr_decoder *d, uint32_t count, struct pcr_error *err)
{
    if (count <= d->view_count)
        return 0;
    struct pcri_view *views = pcri_malloc(count, sizeof(*views), err);
    if (!views)
        return PCR_ERR_NOMEM;
    if (d->view_count)
        memcpy(views, d->views, d->view_count * sizeof(*views));
    free(d->views);
    d->views = views;
    for (; d->view_count < count; d->view_count++)
        pcri_resizer_init(&views[d->view_count].resizer);
    return 0;
}

int pcr_decoder_create(struct pcr_decoder **out, struct pcr_error *err)
{
    if (!out)
        return pcri_fail(err, PCR_ERR_INVAL, "out is NULL");
    *out = NULL;
    struct pcr_decoder *d = pcri_calloc(1, sizeof(*d), err);
    if (!d)
        return PCR_ERR_NOMEM;
    int rc = reserve_views(d, 1, err);
    for (size_t i = 0; i < PCRI_CODEC_COUNT && !rc; i++)
        rc = codecs[i]->create(&d->states[i], err);
    if (rc) {
        pcr_decoder_destroy(&d);
        return rc;
    }
    *out = d;
    return 0;
}

void pcr_decoder_destroy(struct pcr_decoder **d)
{
    if (!d || !*d)
        return;
    for (size_t i = 0; i < PCRI_CODEC_COUNT; i++)
        codecs[i]->destroy((*d)->states[i]);
    pcr_spans_free(&(*d)->spans);
    pcr_spans_free(&(*d)->one);
    pcr_buffer_free(&(*d)->joined);
    pcr_buffer_free(&(*d)->written);
    pcr_buffer_free(&(*d)->stored);
    pcri_icc_destroy((*d)->icc);
    pcr_buffer_free(&(*d)->profile);
    pcr_buffer_free(&(*d)->raw);
    pcr_buffer_free(&(*d)->line);
    pcr_buffer_free(&(*d)->source);
    for (uint32_t i = 0; i < (*d)->view_count; i++)
        pcri_resizer_free(&(*d)->views[i].resizer);
    free((*d)->views);
    pcri_baseline_free(&(*d)->baseline);
    pcri_restorer_free(&(*d)->restorer);
    free(*d);
    *d = NULL;
}

static int take_options(const struct pcr_decode_options *opts, struct pcr_decode_options *out,
                        struct pcr_error *err)
{
    int rc = pcri_options_copy(out, sizeof(*out), opts, "pcr_decode_options", err);
    if (rc || (rc = pcri_flags_check("pcr_decode_options", out->flags,
                                     PCR_DECODE_TO_SRGB * 2 - 1, err)))
        return rc;
    if (out->decoder > PCR_DECODER_TURBO)
        return pcri_fail(err, PCR_ERR_INVAL, "unknown decoder %u", (unsigned) out->decoder);
    if (out->scale > 8)
        return pcri_fail(err, PCR_ERR_INVAL, "scale is %u, expected 0 to 8 eighths",
                         (unsigned) out->scale);
    if (out->color == PCR_COLOR_DEFAULT)
        out->color = PCR_COLOR_RGB;
    if (out->color > PCR_COLOR_GRAY)
        return pcri_fail(err, PCR_ERR_INVAL, "unknown color %u", (unsigned) out->color);
    if (out->background[3])
        return pcri_fail(err, PCR_ERR_INVAL, "background[3] is %u, expected 0",
                         out->background[3]);
    if (out->threads > PCRI_MOST_THREADS)
        return pcri_fail(err, PCR_ERR_INVAL, "threads is %u, expected 0 to %d",
                         (unsigned) out->threads, PCRI_MOST_THREADS);
    if (out->orientation > 8)
        return pcri_fail(err, PCR_ERR_INVAL, "orientation is %u, expected 0 to 8",
                         (unsigned) out->orientation);
    return 0;
}

/* The codec, but for JPEG, of which data of this size begin; PCRI_CODEC_COUNT: none. */
static size_t find_other(const uint8_t *data, size_t nbytes)
{
    size_t i = FIRST_OTHER;
    for (; i < PCRI_CODEC_COUNT; i++) {
        const size_t n = codecs[i]->magic_nbytes;
        for (uint32_t k = 0; k < codecs[i]->magic_count; k++)
            if (!memcmp(data, codecs[i]->magics + k * n, n < nbytes ? n : nbytes))
                return i;
    }
    return i;
}

const char *pcri_decoder_format(const void *data, size_t nbytes)
{
    size_t i = nbytes ? find_other(data, nbytes) : PCRI_CODEC_COUNT;
    return i < PCRI_CODEC_COUNT && nbytes >= codecs[i]->magic_nbytes ? codecs[i]->name : NULL;
}

/* Data shorter than a magic that they match are a file cut off. */
static int check_magic(size_t nbytes, size_t magic_nbytes, struct pcr_error *err)
{
    if (nbytes >= magic_nbytes)
        return 0;
    return pcri_fail_at(err, PCR_ERR_TRUNCATED, nbytes,
                        "image of %zu bytes: too short to be an image", nbytes);
}

/* The coding that the data are of, or NULL, and the codec. */
static int find_codec(const uint8_t *data, size_t nbytes, struct pcri_decode_job *j,
                      struct pcr_error *err)
{
    if (!nbytes)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, 0, "image of 0 bytes: an empty file");
    int of = pcri_coding_of_bytes(data, nbytes);
    j->coding = of < 0 ? NULL : pcri_codings[of];
    j->index = 0;
    if (j->coding)
        return check_magic(nbytes, j->coding->magic_nbytes, err);
    j->index = find_other(data, nbytes);
    if (j->index == PCRI_CODEC_COUNT)
        return pcri_fail_no_image(err, data, nbytes);
    return check_magic(nbytes, codecs[j->index]->magic_nbytes, err);
}

static int check_crop(const struct pcr_decode_options *o, uint32_t width, uint32_t height,
                      struct pcr_error *err)
{
    if (o->crop_width && o->crop_height && o->crop_x < width && o->crop_y < height &&
        o->crop_width <= width - o->crop_x && o->crop_height <= height - o->crop_y)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "a window of %u x %u at %u, %u in a picture of "
                     "%u x %u",
                     (unsigned) o->crop_width, (unsigned) o->crop_height, (unsigned) o->crop_x,
                     (unsigned) o->crop_y, (unsigned) width, (unsigned) height);
}

/* The size that is delivered, and the stored pixels that it takes. */
static int describe(struct pcri_decode_job *j, const struct pcr_decode_options *o,
                    struct pcr_error *err)
{
    bool keep = o->flags & PCR_DECODE_KEEP_ORIENTATION;
    j->info.orientation = o->orientation ? o->orientation : j->stored.orientation;
    j->turn = keep ? 1 : j->info.orientation;
    bool swap = pcri_orientation_swaps(j->turn);
    struct pcri_rect w = { 0, 0, swap ? j->stored.height : j->stored.width,
                           swap ? j->stored.width : j->stored.height };
    if (o->crop_x || o->crop_y || o->crop_width || o->crop_height) {
        int rc = check_crop(o, w.width, w.height, err);
        if (rc)
            return rc;
        w = (struct pcri_rect) { o->crop_x, o->crop_y, o->crop_width, o->crop_height };
    }
    j->info.width = w.width;
    j->info.height = w.height;
    j->info.channels = o->color == PCR_COLOR_GRAY ? 1 : 3;
    j->window = pcri_orient_window(w, j->stored.width, j->stored.height, j->turn);
    return 0;
}

/* Bytes for each of max_pixels: what is delivered, and what decoding may hold meanwhile (four
 * components' coefficients). Part of a picture, a smaller one or gray takes less than its pixels
 * would. */
enum { DELIVERED_NBYTES = 3, HELD_NBYTES = 8 };

/* Before memory is taken that grows with the pixels. */
static int check_pixels(const struct pcri_decode_job *j, struct pcr_error *err)
{
    const struct pcr_image_info *p = &j->info;
    uint64_t max = j->params.limits.max_pixels;
    uint64_t delivered = (uint64_t) p->width * p->height * p->channels;
    uint64_t held = j->codec->held(j->state, &j->window);
    if (delivered / DELIVERED_NBYTES + (delivered % DELIVERED_NBYTES != 0) > max)
        return pcri_fail(err, PCR_ERR_LIMIT, "%u x %u pixels, the limit is %llu",
                         (unsigned) p->width, (unsigned) p->height, (unsigned long long) max);
    if (held / HELD_NBYTES + (held % HELD_NBYTES != 0) > max)
        return pcri_fail(err, PCR_ERR_LIMIT,
                         "%u x %u pixels of it take %llu bytes to decode, more than is "
                         "allowed for the %llu pixels allowed",
                         (unsigned) p->width, (unsigned) p->height, (unsigned long long) held,
                         (unsigned long long) max);
    return 0;
}

static bool is_last(size_t index)
{
    return codecs[index] != &pcri_codec_native;
}

/* The file as the codec takes it. */
static int make_input(struct pcr_decoder *d, const struct pcri_codec *codec,
                      const struct pcri_coding *coding, const struct pcr_spans **out,
                      struct pcr_error *err)
{
    *out = &d->spans;
    if (codec->in_pieces)
        return 0;
    int rc = 0;
    d->one.count = 0;
    for (uint32_t i = 0; !rc && i < d->spans.count; i++)
        rc = pcri_spans_add(&d->one, d->spans.items[i].data, d->spans.items[i].nbytes, err);
    if (!rc && coding)
        rc = coding->to_jpeg(&d->one, &d->written, err);
    *out = &d->one;
    if (rc || d->one.count == 1)
        return rc;
    rc = pcri_spans_join(&d->one, &d->joined, err);
    d->one.count = 0;
    return rc ? rc : pcri_spans_add(&d->one, d->joined.data, d->joined.nbytes, err);
}

/* On failure the codec has nothing to end. */
static int begin_codec(struct pcr_decoder *d, struct pcri_decode_job *j, size_t index,
                       struct pcr_error *err)
{
    const struct pcri_codec *codec = codecs[index];
    const struct pcr_spans *file;
    j->codec = NULL;
    j->index = index;
    j->state = d->states[index];
    int rc = make_input(d, codec, j->coding, &file, err);
    if (rc)
        return rc;
    rc = codec->begin(j->state, file, &j->params, &j->stored, err);
    if (rc)
        codec->end(j->state);
    else
        j->codec = codec;
    return rc;
}

static void end(struct pcri_decode_job *j)
{
    if (j->codec)
        j->codec->end(j->state);
    j->codec = NULL;
}

/* The file becomes d->spans. */
static int take_spans(struct pcr_decoder *d, const struct pcr_span *spans, uint32_t count,
                      const struct pcr_limits *limits, struct pcr_error *err)
{
    uint64_t total = 0;
    int rc = 0;
    for (uint32_t i = 0; i < d->spans.count; i++)
        total += d->spans.items[i].nbytes;
    for (uint32_t i = 0; !rc && i < count; i++) {
        if (!spans[i].data && spans[i].nbytes)
            return pcri_fail(err, PCR_ERR_INVAL, "no data");
        total += spans[i].nbytes;
        if (total > limits->max_sample_nbytes || spans[i].nbytes > limits->max_sample_nbytes)
            return pcri_fail(err, PCR_ERR_LIMIT, "image of %llu bytes, the limit is %llu",
                             (unsigned long long) total,
                             (unsigned long long) limits->max_sample_nbytes);
        rc = pcri_spans_add(&d->spans, spans[i].data, spans[i].nbytes, err);
    }
    return rc;
}

static bool is_damage(int rc)
{
    return rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED;
}

/* The verdict of libpcr's decoder on a file that it declines is not final, except for damage
 * in one of its own codings. Beyond a limit or without memory, another decoder would only find
 * that out later. */
static bool declines(const struct pcri_decode_job *j, int rc)
{
    return rc != PCR_ERR_LIMIT && rc != PCR_ERR_NOMEM && !(j->params.ladder && is_damage(rc));
}

/* Hands on why no codec takes the image. A JPEG of a process that nothing here decodes is named,
 * for libjpeg's words are hard to read. */
static int tell(const uint8_t *data, size_t nbytes, const struct pcr_error *why,
                struct pcr_error *err)
{
    const char *name = why->code == PCR_ERR_UNSUPPORTED ? pcri_sniff(data, nbytes) : "JPEG";
    if (strcmp(name, "JPEG") != 0 && strcmp(name, "PNG") != 0)
        return pcri_fail_at(err, why->code, why->offset,
                            "%s, which no decoder here can show (%s)", name, why->message);
    return pcri_hand_on(err, why->code, why);
}

/* Begins with the codec that is first to try, or with the next if that one declines. `why`: of
 * a failure. */
static int begin_any_codec(struct pcr_decoder *d, struct pcri_decode_job *j, size_t index,
                           struct pcr_error *why)
{
    int rc = begin_codec(d, j, index, why);
    return rc && !is_last(index) && declines(j, rc) ? begin_codec(d, j, index + 1, why) : rc;
}

/* Makes the codec deliver what the stage needs, if there is something to do. */
static int begin_stage(struct pcr_decoder *d, struct pcri_decode_job *j,
                       const struct pcr_decode_options *o, struct pcr_error *err)
{
    int rc = pcri_stage_choose(d, j->coding, o, &j->stored, &j->stage, err);
    if (rc || !j->stage.on)
        return rc;
    j->params.color = j->stage.color;
    j->params.alpha = j->stage.alpha;
    end(j);
    return begin_codec(d, j, j->index, err);
}

/* On success the job must be ended; on failure it is. */
static int begin(struct pcr_decoder *d, const struct pcr_span *spans, uint32_t count,
                 const struct pcr_decode_options *opts, struct pcr_decode_options *o,
                 struct pcri_decode_job *j, struct pcr_error *err)
{
    if (!d || (count && !spans))
        return pcri_fail(err, PCR_ERR_INVAL, "no decoder or no spans");
    d->may_continue = false;
    d->profile_use = PCR_PROFILE_NONE;
    struct pcr_limits limits;
    int rc = take_options(opts, o, err);
    if (rc || (rc = pcri_limits_take(o->limits, &limits, err)))
        return rc;
    pcri_limits_fill(&limits);
    o->limits = NULL; /* the caller's, who may not keep it */
    d->spans.count = 0;
    if ((rc = take_spans(d, spans, count, &limits, err)))
        return rc;
    const uint8_t *first = d->spans.count ? d->spans.items[0].data : NULL;
    *j = (struct pcri_decode_job) { .params = { .color = o->color,
                                                .scale = o->scale ? o->scale : 8,
                                                .identical = o->flags & PCR_DECODE_IDENTICAL,
                                                .ladder = o->ladder,
                                                .threads = o->threads,
                                                .limits = limits } };
    if ((rc = find_codec(first, first ? d->spans.items[0].nbytes : 0, j, err)))
        return rc;
    size_t i = j->coding && pcri_rs_find(&d->spans).data
                   ? EXACT
                   : j->index + (j->coding && o->decoder == PCR_DECODER_TURBO);
    struct pcr_error why;
    rc = begin_any_codec(d, j, i, &why);
    if (rc)
        return tell(first, d->spans.items[0].nbytes, &why, err);
    if (o->flags & (PCR_DECODE_TO_SRGB | PCR_DECODE_BACKGROUND))
        rc = begin_stage(d, j, o, err);
    if (rc || (rc = describe(j, o, err)))
        end(j);
    return rc;
}

/* Decodes the stored window. Files that our own decoder finds damaged may be of those that
 * break a rule in a way that libjpeg passes over: libjpeg has the last word, unless the file
 * is one of ours. */
static int decode_stored(struct pcr_decoder *d, struct pcri_decode_job *j,
                         const struct pcri_target *target, struct pcr_error *err)
{
    struct pcri_stored_info stored = j->stored;
    struct pcr_error first;
    if (is_last(j->index))
        return j->codec->rows(j->state, &j->window, target, err);
    int rc = j->codec->rows(j->state, &j->window, target, &first);
    if (!is_damage(rc) || j->params.ladder)
        return pcri_hand_on(err, rc, &first);
    end(j);
    rc = begin_codec(d, j, j->index + 1, err);
    if (rc)
        return rc;
    if (stored.width != j->stored.width || stored.height != j->stored.height)
        return pcri_fail(err, PCR_ERR_CORRUPT, "JPEG: sizes that contradict each other");
    rc = check_pixels(j, err);
    return rc ? rc : j->codec->rows(j->state, &j->window, target, err);
}

/* The same, and the stage for the pixels. */
static int decode_staged(struct pcr_decoder *d, struct pcri_decode_job *j,
                         const struct pcri_target *target, struct pcr_error *err)
{
    uint32_t width = j->window.width;
    struct pcri_target raw = { .stride_nbytes = (size_t) width * j->stage.channels };
    size_t total;
    if (!j->stage.on)
        return decode_stored(d, j, target, err);
    if (!pcri_mul(raw.stride_nbytes, j->window.height, &total))
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_renew(&d->raw, total, err);
    if (!rc)
        rc = pcri_buffer_reserve(&d->line, (size_t) width * 3, err);
    raw.data = d->raw.data;
    if (rc || (rc = decode_stored(d, j, &raw, err)))
        return rc;
    for (uint32_t y = 0; y < j->window.height; y++) {
        pcri_stage_run(&j->stage, raw.data + y * raw.stride_nbytes, width, j->info.channels,
                       d->line.data);
        pcri_store_row(target, y, d->line.data, width, j->info.channels);
    }
    return 0;
}

/* Decodes to pixels that are large enough. */
static int decode(struct pcr_decoder *d, struct pcri_decode_job *j,
                  const struct pcri_target *target, struct pcr_error *err)
{
    uint32_t channels = j->info.channels, planes = target->plane_nbytes ? channels : 1;
    if (j->turn == 1)
        return decode_staged(d, j, target, err);

    const struct pcri_rect *w = &j->window;
    struct pcri_target stored = { .stride_nbytes = (size_t) w->width * (channels / planes) };
    size_t total, slack; /* with the byte that may be read after them */
    if (!pcri_mul(stored.stride_nbytes * planes, w->height, &total) ||
        !pcri_add(total, 1, &slack))
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_renew(&d->stored, slack, err);
    stored.data = d->stored.data;
    stored.plane_nbytes = planes > 1 ? total / planes : 0;
    if (rc || (rc = decode_staged(d, j, &stored, err)))
        return rc;
    for (uint32_t p = 0; p < planes; p++)
        pcri_orient(stored.data + p * stored.plane_nbytes, w->width, w->height,
                    channels / planes, j->turn, j->params.threads,
                    target->data + p * target->plane_nbytes, target->stride_nbytes);
    return 0;
}

static int check_info(const struct pcr_image_info *info_out, struct pcr_error *err)
{
    return pcri_info_check(info_out, "pcr_image_info", err);
}

static void give_info(struct pcr_image_info *info_out, const struct pcri_decode_job *j)
{
    pcri_info_fill(info_out, &j->info, sizeof(j->info));
}

int pcr_decoder_inspect(struct pcr_decoder *d, const void *data, size_t nbytes,
                        const struct pcr_decode_options *opts, struct pcr_image_info *info_out,
                        struct pcr_error *err)
{
    struct pcr_decode_options o;
    struct pcri_decode_job j;
    const struct pcr_span file = { data, nbytes };
    int rc = check_info(info_out, err);
    if (rc || (rc = begin(d, &file, 1, opts, &o, &j, err)))
        return rc;
    end(&j);
    give_info(info_out, &j);
    return 0;
}

uint32_t pcr_decoder_profile(const struct pcr_decoder *d)
{
    return d ? d->profile_use : PCR_PROFILE_NONE;
}

/* Bytes of a row without a gap, and how many rows there are, planes after one another. */
static size_t row_nbytes(const struct pcri_decode_job *j, const struct pcr_decode_options *o)
{
    return (size_t) j->info.width * (o->flags & PCR_DECODE_PLANAR ? 1 : j->info.channels);
}

static size_t row_count(const struct pcri_decode_job *j, const struct pcr_decode_options *o)
{
    return (size_t) j->info.height * (o->flags & PCR_DECODE_PLANAR ? j->info.channels : 1);
}

static struct pcri_target make_target(const struct pcri_decode_job *j,
                                      const struct pcr_decode_options *o, uint8_t *pixels,
                                      size_t stride_nbytes)
{
    bool planes = o->flags & PCR_DECODE_PLANAR && j->info.channels > 1;
    return (struct pcri_target) { pixels, stride_nbytes,
                                  planes ? stride_nbytes * j->info.height : 0 };
}

int pcr_decoder_decode(struct pcr_decoder *d, const void *data, size_t nbytes,
                       const struct pcr_decode_options *opts, uint8_t *pixels,
                       size_t stride_nbytes, size_t capacity_nbytes,
                       struct pcr_image_info *info_out, struct pcr_error *err)
{
    struct pcr_decode_options o;
    struct pcri_decode_job j;
    size_t needed;
    const struct pcr_span file = { data, nbytes };
    int rc = check_info(info_out, err);
    if (rc || (rc = begin(d, &file, 1, opts, &o, &j, err)))
        return rc;
    if (!pixels || stride_nbytes < row_nbytes(&j, &o) ||
        !pcri_mul(stride_nbytes, row_count(&j, &o), &needed) || capacity_nbytes < needed) {
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "%u x %u x %u pixels do not fit rows of %zu bytes in %zu bytes",
                       (unsigned) j.info.width, (unsigned) j.info.height,
                       (unsigned) j.info.channels, stride_nbytes, capacity_nbytes);
    } else if (!(rc = check_pixels(&j, err))) {
        struct pcri_target target = make_target(&j, &o, pixels, stride_nbytes);
        rc = decode(d, &j, &target, err);
    }
    end(&j);
    if (!rc)
        give_info(info_out, &j);
    return rc;
}

/* Decodes into a buffer that is grown as needed. The job stays open. */
static int decode_alloc(struct pcr_decoder *d, struct pcri_decode_job *j,
                        const struct pcr_decode_options *o, struct pcr_buffer *pixels,
                        struct pcr_image_info *info_out, struct pcr_error *err)
{
    size_t row = row_nbytes(j, o), total = 0;
    int rc = check_pixels(j, err);
    if (!rc && !pcri_mul(row, row_count(j, o), &total)) {
        rc = pcri_fail_nomem(err, SIZE_MAX);
    } else if (!rc && !(rc = pcri_buffer_renew(pixels, total, err))) {
        struct pcri_target target = make_target(j, o, pixels->data, row);
        rc = decode(d, j, &target, err);
    }
    pixels->nbytes = rc ? 0 : total;
    if (!rc)
        give_info(info_out, j);
    return rc;
}

int pcr_decoder_decode_alloc(struct pcr_decoder *d, const void *data, size_t nbytes,
                             const struct pcr_decode_options *opts, struct pcr_buffer *pixels,
                             struct pcr_image_info *info_out, struct pcr_error *err)
{
    const struct pcr_span file = { data, nbytes };
    const struct pcr_spans spans = { .items = (struct pcr_span *) &file, .count = 1 };
    int rc = pcr_decoder_decode_spans(d, &spans, opts, pixels, info_out, err);
    if (d)
        d->may_continue = false;
    return rc;
}

int pcr_decoder_decode_spans(struct pcr_decoder *d, const struct pcr_spans *spans,
                             const struct pcr_decode_options *opts, struct pcr_buffer *pixels,
                             struct pcr_image_info *info_out, struct pcr_error *err)
{
    if (!pixels || !spans)
        return pcri_fail(err, PCR_ERR_INVAL, "no buffer for the pixels, or no spans");
    int rc = check_info(info_out, err);
    if (rc || (rc = begin(d, spans->items, spans->count, opts, &d->options, &d->job, err)))
        return rc;
    rc = decode_alloc(d, &d->job, &d->options, pixels, info_out, err);
    end(&d->job);
    d->may_continue = !rc;
    return rc;
}

int pcr_decoder_continue(struct pcr_decoder *d, const struct pcr_spans *more,
                         struct pcr_buffer *pixels, struct pcr_image_info *info_out,
                         struct pcr_error *err)
{
    if (!d || !more || !pixels || !d->may_continue)
        return pcri_fail(err, PCR_ERR_INVAL, "no image to continue, or no buffer");
    struct pcri_decode_job *j = &d->job;
    int rc = check_info(info_out, err);
    if (rc)
        return rc;
    d->may_continue = false;
    rc = take_spans(d, more->items, more->count, &j->params.limits, err);
    if (rc)
        return rc;
    if (j->coding && j->index != EXACT && pcri_rs_find(&d->spans).data)
        rc = begin_codec(d, j, EXACT, err);
    else if (codecs[j->index]->in_pieces)
        j->codec = codecs[j->index]; /* it continues where it was */
    else
        rc = begin_codec(d, j, j->index, err);
    if (rc)
        return rc;
    rc = decode_alloc(d, j, &d->options, pixels, info_out, err);
    end(j);
    d->may_continue = !rc;
    return rc;
}

/* --- resizing --- */

/* A decode with each row resized as it comes. */
struct streaming {
    struct pcr_decoder *d;
    const struct pcri_decode_job *job;
    uint32_t view_count;
    uint32_t x, y; /* of the picture: the first column of all rows, and the next row */
};

static void on_row(void *context, const uint8_t *pixels)
{
    struct streaming *s = context;
    const struct pcri_decode_job *j = s->job;
    const uint32_t y = s->y++;
    if (j->stage.on) {
        pcri_stage_run(&j->stage, pixels, j->window.width, j->info.channels, s->d->line.data);
        pixels = s->d->line.data;
    }
    for (uint32_t i = 0; i < s->view_count; i++) {
        struct pcri_view *v = &s->d->views[i];
        if (y >= v->plan.down.begin && y < v->plan.down.end)
            pcri_resize_row(&v->feed, pixels + (size_t) (v->plan.across.begin - s->x) *
                                                   j->info.channels);
    }
}

/* Row by row. PCR_END: the picture is not to be had so. */
static int decode_streaming(struct pcr_decoder *d, struct pcri_decode_job *j,
                            const struct pcr_decode_options *o, uint32_t count,
                            struct pcr_error *err)
{
    struct streaming s = { d, j, count, o->crop_x, o->crop_y };
    if (!j->codec->stream || j->turn != 1)
        return PCR_END;
    int rc = check_pixels(j, err);
    for (uint32_t i = 0; i < count && !rc; i++) {
        struct pcri_view *v = &d->views[i];
        rc = pcri_resize_feed(&v->resizer, &v->plan, v->dst, &v->feed, err);
    }
    if (!rc)
        rc = pcri_buffer_reserve(&d->line, (size_t) j->window.width * 3, err);
    return rc ? rc : j->codec->stream(j->state, &j->window, on_row, &s, err);
}

/* Plans all views at a scale of at least from->least_scale; *most: the largest that one needs. */
static int plan_views(struct pcr_decoder *d, const struct pcr_decode_view *views,
                      uint32_t count, const struct pcri_resize_source *from, uint32_t *most,
                      struct pcr_error *err)
{
    int rc = 0;
    *most = from->least_scale;
    for (uint32_t i = 0; i < count && !rc; i++) {
        struct pcri_view *v = &d->views[i];
        v->dst = views[i].dst;
        rc = v->dst ? pcri_resize_plan(&v->resizer, views[i].resize, from, views[i].width,
                                       views[i].height, &v->plan, err)
                    : pcri_fail(err, PCR_ERR_INVAL, "no destination");
        if (!rc && v->plan.scale > *most)
            *most = v->plan.scale;
    }
    return rc;
}

/* Plans resizes of the picture, and decoding it to a smaller size where that is enough and
 * nobody asked for a size. */
static int plan_resized(struct pcr_decoder *d, struct pcri_decode_job *j,
                        const struct pcr_decode_options *o,
                        const struct pcr_decode_view *views, uint32_t count,
                        struct pcr_error *err)
{
    struct pcri_resize_source from = {
        .width = j->info.width,
        .height = j->info.height,
        .channels = j->info.channels,
        .least_scale = !o->scale && j->codec->scales ? 1 : 8,
        .mirror_x = pcri_orientation_mirrors(j->turn, false),
        .mirror_y = pcri_orientation_mirrors(j->turn, true),
    };
    uint32_t most;
    int rc = plan_views(d, views, count, &from, &most, err);
    bool differ = false;
    for (uint32_t i = 0; i < count && !rc; i++)
        differ |= d->views[i].plan.scale != most;
    from.least_scale = most;
    if (!rc && differ)
        rc = plan_views(d, views, count, &from, &most, err);
    if (rc || most == 8)
        return rc;
    j->params.scale = most;
    end(j);
    return begin_any_codec(d, j, j->index, err);
}

/* The pixels that the plans read become the window to decode. */
static void join_windows(const struct pcr_decoder *d, uint32_t count,
                         struct pcr_decode_options *o)
{
    uint32_t x0 = UINT32_MAX, y0 = UINT32_MAX, x1 = 0, y1 = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct pcri_filter *across = &d->views[i].plan.across;
        const struct pcri_filter *down = &d->views[i].plan.down;
        x0 = across->begin < x0 ? across->begin : x0;
        y0 = down->begin < y0 ? down->begin : y0;
        x1 = across->end > x1 ? across->end : x1;
        y1 = down->end > y1 ? down->end : y1;
    }
    o->crop_x = x0;
    o->crop_y = y0;
    o->crop_width = x1 - x0;
    o->crop_height = y1 - y0;
}

static int decode_planned(struct pcr_decoder *d, struct pcri_decode_job *j,
                          struct pcr_decode_options *o, uint32_t count, struct pcr_error *err)
{
    join_windows(d, count, o);
    int rc = describe(j, o, err);
    if (rc || (rc = decode_streaming(d, j, o, count, err)) != PCR_END)
        return rc;
    rc = decode_alloc(d, j, o, &d->source, NULL, err);
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = pcri_resize_run(&d->views[i].resizer, &d->views[i].plan, d->source.data,
                             (size_t) o->crop_width * j->info.channels, o->crop_x, o->crop_y,
                             d->views[i].dst, err);
    return rc;
}

int pcr_decoder_decode_views(struct pcr_decoder *d, const struct pcr_spans *spans,
                             const struct pcr_decode_options *opts,
                             const struct pcr_decode_view *views, uint32_t count,
                             struct pcr_error *err)
{
    struct pcr_decode_options o;
    struct pcri_decode_job j;
    if (!spans || !views || !count)
        return pcri_fail(err, PCR_ERR_INVAL, "no spans or no destination");
    int rc = begin(d, spans->items, spans->count, opts, &o, &j, err);
    if (rc)
        return rc;
    if (o.crop_x || o.crop_y || o.crop_width || o.crop_height || o.flags & PCR_DECODE_PLANAR)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "options for resizing have a crop window or planes");
    else
        rc = reserve_views(d, count, err);
    if (!rc)
        rc = plan_resized(d, &j, &o, views, count, err);
    if (!rc)
        rc = decode_planned(d, &j, &o, count, err);
    end(&j);
    return rc;
}

int pcr_decoder_decode_resized(struct pcr_decoder *d, const struct pcr_spans *spans,
                               const struct pcr_decode_options *opts,
                               const struct pcr_resize_options *resize, uint8_t *dst,
                               uint32_t dst_width, uint32_t dst_height, struct pcr_error *err)
{
    const struct pcr_decode_view view = { resize, dst, dst_width, dst_height };
    return pcr_decoder_decode_views(d, spans, opts, &view, 1, err);
}

/* --- decoding without delivering pixels --- */

int pcri_decoder_measure(struct pcr_decoder *d, const void *data, size_t nbytes,
                         const struct pcr_decode_options *opts,
                         struct pcr_image_info *info_out, uint64_t *nbytes_out,
                         struct pcr_error *err)
{
    struct pcr_decode_options o;
    struct pcri_decode_job j;
    const struct pcr_span file = { data, nbytes };
    int rc = begin(d, &file, 1, opts, &o, &j, err);
    if (rc)
        return rc;
    uint64_t held = j.codec->held(j.state, &j.window);
    bool by_rows = j.codec->stream && !held && j.turn == 1;
    *info_out = j.info;
    *nbytes_out = by_rows ? 0
                          : held + (uint64_t) j.info.width * j.info.height * j.info.channels;
    end(&j);
    return 0;
}

/* What a file's headers say. */
static int look(struct pcr_decoder *d, const void *data, size_t nbytes,
                const struct pcr_decode_options *opts, struct pcri_stored_info *out,
                struct pcr_error *err)
{
    struct pcr_decode_options o;
    struct pcri_decode_job j;
    const struct pcr_span file = { data, nbytes };
    int rc = begin(d, &file, 1, opts, &o, &j, err);
    if (rc)
        return rc;
    *out = j.stored;
    end(&j);
    return 0;
}

int pcri_decoder_look(struct pcr_decoder *d, const void *data, size_t nbytes,
                      const struct pcr_decode_options *opts, uint32_t *component_count,
                      bool *has_alpha, struct pcr_error *err)
{
    struct pcri_stored_info stored = { 0 };
    int rc = look(d, data, nbytes, opts, &stored, err);
    *component_count = stored.component_count;
    *has_alpha = stored.has_alpha;
    return rc;
}

int pcri_decoder_exact_channels(struct pcr_decoder *d, const void *data, size_t nbytes,
                                const struct pcr_decode_options *opts, uint32_t *out,
                                struct pcr_error *err)
{
    struct pcri_stored_info stored = { 0 };
    int rc = look(d, data, nbytes, opts, &stored, err);
    *out = stored.is_exact ? stored.component_count : 0;
    return rc;
}

void pcri_decoder_close(struct pcr_decoder *d)
{
    d->may_continue = false;
}

static void drop_row(void *context, const uint8_t *pixels)
{
    (void) context, (void) pixels;
}

int pcri_decoder_judge(struct pcr_decoder *d, const void *data, size_t nbytes,
                       const struct pcr_decode_options *opts, struct pcr_error *err)
{
    struct pcr_decode_options o;
    struct pcri_decode_job j;
    const struct pcr_span file = { data, nbytes };
    int rc = begin(d, &file, 1, opts, &o, &j, err);
    if (rc)
        return rc;
    rc = check_pixels(&j, err);
    if (!rc)
        rc = j.codec->stream ? j.codec->stream(j.state, &j.window, drop_row, NULL, err)
                             : PCR_END;
    if (rc == PCR_END)
        rc = decode_alloc(d, &j, &o, &d->source, NULL, err);
    end(&j);
    return rc;
}

int pcr_resize(struct pcr_decoder *d, const uint8_t *src, uint32_t src_width,
               uint32_t src_height, uint32_t channels, const struct pcr_resize_options *opts,
               uint8_t *dst, uint32_t dst_width, uint32_t dst_height, struct pcr_error *err)
{
    struct pcri_resize_plan plan;
    if (!d || !src || !dst)
        return pcri_fail(err, PCR_ERR_INVAL, "no decoder, source or destination");
    const struct pcri_resize_source from = {
        .width = src_width, .height = src_height, .channels = channels, .least_scale = 8
    };
    struct pcri_resizer *r = &d->views->resizer;
    int rc = pcri_resize_plan(r, opts, &from, dst_width, dst_height, &plan, err);
    return rc ? rc
              : pcri_resize_run(r, &plan, src, (size_t) src_width * channels, 0, 0, dst, err);
}
