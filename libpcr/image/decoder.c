/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes an image of any known format: options, limits, dispatch, orientation. */
#include <stdlib.h>

#include "image.h"

static const struct pcri_codec *const codecs[PCRI_CODEC_COUNT] = {
    &pcri_codec_native, /* what it declines, the next one with its magic takes */
    &pcri_codec_turbo,
    &pcri_codec_png,
};

/* An image between begin and end. */
struct job {
    const struct pcri_codec *codec; /* NULL: there is nothing to end */
    void *state;
    size_t index; /* of the codec */
    const uint8_t *data;
    size_t nbytes;
    struct pcri_decode_params params;
    struct pcri_stored_info stored;
    struct pcri_window window; /* of the stored picture */
    uint32_t turn;             /* orientation to apply, 1: none */
    struct pcr_image_info info;
};

int pcri_check_pixels(uint32_t width, uint32_t height, const struct pcr_limits *limits,
                      struct pcr_error *err)
{
    if ((uint64_t) width * height > limits->max_pixels)
        return pcri_fail(err, PCR_ERR_LIMIT, "%u x %u pixels, at most %llu allowed",
                         (unsigned) width, (unsigned) height,
                         (unsigned long long) limits->max_pixels);
    return 0;
}

void pcri_store_row(const struct pcri_target *target, uint32_t y, const uint8_t *pixels,
                    uint32_t n, uint32_t channels)
{
    uint8_t *dst = target->data + y * target->stride_nbytes;
    if (!target->plane_nbytes) {
        memcpy(dst, pixels, (size_t) n * channels);
        return;
    }
    for (uint32_t c = 0; c < channels; c++, dst += target->plane_nbytes)
        for (uint32_t x = 0; x < n; x++)
            dst[x] = pixels[(size_t) x * channels + c];
}

int pcr_decoder_create(struct pcr_decoder **out, struct pcr_error *err)
{
    if (!out)
        return pcri_fail(err, PCR_ERR_INVAL, "no place for the decoder");
    *out = NULL;
    struct pcr_decoder *d = pcri_calloc(1, sizeof(*d), err);
    if (!d)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < PCRI_CODEC_COUNT; i++) {
        int rc = codecs[i]->create(&d->states[i], err);
        if (rc) {
            pcr_decoder_destroy(&d);
            return rc;
        }
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
    pcr_buffer_free(&(*d)->stored);
    pcr_buffer_free(&(*d)->taps[0]);
    pcr_buffer_free(&(*d)->taps[1]);
    pcr_buffer_free(&(*d)->between);
    free(*d);
    *d = NULL;
}

static int take_options(const struct pcr_decode_options *opts,
                        struct pcr_decode_options *out, struct pcr_error *err)
{
    int rc = pcri_options_copy(out, sizeof(*out), opts, "pcr_decode_options", err);
    if (rc)
        return rc;
    if (out->flags & ~(uint32_t) (PCR_DECODE_KEEP_ORIENTATION | PCR_DECODE_IDENTICAL
                                  | PCR_DECODE_PLANAR))
        return pcri_fail(err, PCR_ERR_INVAL, "unknown decode flags 0x%x",
                         (unsigned) out->flags);
    if (out->with > PCR_DECODE_TURBO)
        return pcri_fail(err, PCR_ERR_INVAL, "unknown decoder %u", (unsigned) out->with);
    if (out->scale > 8)
        return pcri_fail(err, PCR_ERR_INVAL, "scale is %u, expected 1 to 8 eighths",
                         (unsigned) out->scale);
    if (out->color == PCR_COLOR_DEFAULT)
        out->color = PCR_COLOR_RGB;
    if (out->color > PCR_COLOR_GRAY)
        return pcri_fail(err, PCR_ERR_INVAL, "unknown color %u", (unsigned) out->color);
    if (out->orientation > 8)
        return pcri_fail(err, PCR_ERR_INVAL, "orientation is %u, expected 0 to 8",
                         (unsigned) out->orientation);
    if (!out->scale)
        out->scale = 8;
    pcri_limits_fill(&out->limits);
    return 0;
}

/* The codec whose magic the data begin with. Data shorter than a magic that they match are
 * a file cut off. */
static int find_codec(const uint8_t *data, size_t nbytes, size_t *index_out,
                      struct pcr_error *err)
{
    for (size_t i = 0; i < PCRI_CODEC_COUNT; i++) {
        size_t n = codecs[i]->magic_nbytes < nbytes ? codecs[i]->magic_nbytes : nbytes;
        if (n && memcmp(data, codecs[i]->magic, n) != 0)
            continue;
        if (n < codecs[i]->magic_nbytes)
            return pcri_fail_at(err, PCR_ERR_TRUNCATED, nbytes,
                                "image of %zu bytes: too short to be one", nbytes);
        *index_out = i;
        return 0;
    }
    return pcri_fail_at(err, PCR_ERR_FORMAT, 0,
                        "neither JPEG nor PNG: begins with bytes %02X %02X", data[0],
                        nbytes > 1 ? data[1] : 0);
}

static int check_crop(const struct pcr_decode_options *o, uint32_t width, uint32_t height,
                      struct pcr_error *err)
{
    if (o->crop_width && o->crop_height && o->crop_x < width && o->crop_y < height
        && o->crop_width <= width - o->crop_x && o->crop_height <= height - o->crop_y)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL, "a window of %u x %u at %u, %u in a picture of "
                     "%u x %u", (unsigned) o->crop_width, (unsigned) o->crop_height,
                     (unsigned) o->crop_x, (unsigned) o->crop_y, (unsigned) width,
                     (unsigned) height);
}

/* The size that is delivered, and the stored pixels that it takes. */
static int describe(struct job *j, const struct pcr_decode_options *o, struct pcr_error *err)
{
    bool keep = o->flags & PCR_DECODE_KEEP_ORIENTATION;
    j->info.orientation = o->orientation ? o->orientation : j->stored.orientation;
    j->turn = keep ? 1 : j->info.orientation;
    bool swap = pcri_orientation_swaps(j->turn);
    struct pcri_window w = { 0, 0, swap ? j->stored.height : j->stored.width,
                             swap ? j->stored.width : j->stored.height };
    if (o->crop_x || o->crop_y || o->crop_width || o->crop_height) {
        int rc = check_crop(o, w.width, w.height, err);
        if (rc)
            return rc;
        w = (struct pcri_window) { o->crop_x, o->crop_y, o->crop_width, o->crop_height };
    }
    j->info.width = w.width;
    j->info.height = w.height;
    j->info.channels = o->color == PCR_COLOR_GRAY ? 1 : 3;
    j->window = pcri_orient_window(w, j->stored.width, j->stored.height, j->turn);
    return 0;
}

static bool is_last(size_t index)
{
    return codecs[index] != &pcri_codec_native;
}

/* On failure the codec has nothing to end. */
static int begin_codec(struct pcr_decoder *d, struct job *j, size_t index,
                       struct pcr_error *err)
{
    const struct pcri_codec *codec = codecs[index];
    int rc = codec->begin(d->states[index], j->data, j->nbytes, &j->params, &j->stored, err);
    if (rc)
        codec->end(d->states[index]);
    j->index = index;
    j->codec = rc ? NULL : codec;
    j->state = d->states[index];
    return rc;
}

static void end(struct job *j)
{
    if (j->codec)
        j->codec->end(j->state);
}

/* On success the job must be ended; on failure it is. */
static int begin(struct pcr_decoder *d, const void *data, size_t nbytes,
                 const struct pcr_decode_options *opts, struct pcr_decode_options *o,
                 struct job *j, struct pcr_error *err)
{
    size_t i = 0;
    if (!d || (!data && nbytes))
        return pcri_fail(err, PCR_ERR_INVAL, "no decoder or no data");
    int rc = take_options(opts, o, err);
    if (rc)
        return rc;
    if (nbytes > o->limits.max_sample_nbytes)
        return pcri_fail(err, PCR_ERR_LIMIT, "image of %zu bytes, at most %llu allowed",
                         nbytes, (unsigned long long) o->limits.max_sample_nbytes);
    if ((rc = find_codec(data, nbytes, &i, err)))
        return rc;
    if (codecs[i] == &pcri_codec_native && o->with == PCR_DECODE_TURBO)
        i++;
    *j = (struct job) { .index = i, .data = data, .nbytes = nbytes,
                        .params = { .color = o->color, .scale = o->scale,
                                    .identical = o->flags & PCR_DECODE_IDENTICAL,
                                    .limits = o->limits } };
    /* What our own decoder says of a file that it declines is not the last word. */
    rc = begin_codec(d, j, i, is_last(i) ? err : NULL);
    if (rc && !is_last(i))
        rc = begin_codec(d, j, i + 1, err);
    if (!rc && (rc = describe(j, o, err)))
        end(j);
    return rc;
}

/* Decodes the stored window. Files that our own decoder finds damaged may be of those that
 * break a rule in a way that libjpeg passes over: libjpeg has the last word. */
static int decode_stored(struct pcr_decoder *d, struct job *j,
                         const struct pcri_target *target, struct pcr_error *err)
{
    struct pcri_stored_info stored = j->stored;
    struct pcr_error first;
    if (is_last(j->index))
        return j->codec->rows(j->state, &j->window, target, err);
    int rc = j->codec->rows(j->state, &j->window, target, &first);
    if (rc != PCR_ERR_CORRUPT && rc != PCR_ERR_TRUNCATED) {
        if (rc && err)
            *err = first;
        return rc;
    }
    j->codec->end(j->state);
    rc = begin_codec(d, j, j->index + 1, err);
    if (rc)
        return rc;
    if (stored.width != j->stored.width || stored.height != j->stored.height)
        return pcri_fail(err, PCR_ERR_CORRUPT, "JPEG: sizes that contradict each other");
    return j->codec->rows(j->state, &j->window, target, err);
}

/* Decodes to pixels that are large enough. */
static int decode(struct pcr_decoder *d, struct job *j, const struct pcri_target *target,
                  struct pcr_error *err)
{
    uint32_t channels = j->info.channels, planes = target->plane_nbytes ? channels : 1;
    if (j->turn == 1)
        return decode_stored(d, j, target, err);

    const struct pcri_window *w = &j->window;
    struct pcri_target stored = { .stride_nbytes = (size_t) w->width * (channels / planes) };
    size_t total;
    if (!pcri_mul(stored.stride_nbytes * planes, w->height, &total))
        return pcri_fail_nomem(err, stored.stride_nbytes);
    int rc = pcri_buffer_reserve(&d->stored, total, err);
    stored.data = d->stored.data;
    stored.plane_nbytes = planes > 1 ? total / planes : 0;
    if (rc || (rc = decode_stored(d, j, &stored, err)))
        return rc;
    for (uint32_t p = 0; p < planes; p++)
        pcri_orient(stored.data + p * stored.plane_nbytes, w->width, w->height,
                    channels / planes, j->turn, target->data + p * target->plane_nbytes,
                    target->stride_nbytes);
    return 0;
}

int pcr_decoder_inspect(struct pcr_decoder *d, const void *data, size_t nbytes,
                        const struct pcr_decode_options *opts,
                        struct pcr_image_info *info_out, struct pcr_error *err)
{
    struct pcr_decode_options o;
    struct job j;
    int rc = begin(d, data, nbytes, opts, &o, &j, err);
    if (rc)
        return rc;
    end(&j);
    if (info_out)
        *info_out = j.info;
    return 0;
}

/* Bytes of a row without a gap, and how many rows there are, planes after one another. */
static size_t row_nbytes(const struct job *j, const struct pcr_decode_options *o)
{
    return (size_t) j->info.width * (o->flags & PCR_DECODE_PLANAR ? 1 : j->info.channels);
}

static size_t row_count(const struct job *j, const struct pcr_decode_options *o)
{
    return (size_t) j->info.height * (o->flags & PCR_DECODE_PLANAR ? j->info.channels : 1);
}

static struct pcri_target make_target(const struct job *j, const struct pcr_decode_options *o,
                                      uint8_t *pixels, size_t stride_nbytes)
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
    struct job j;
    size_t needed;
    int rc = begin(d, data, nbytes, opts, &o, &j, err);
    if (rc)
        return rc;
    if (!pixels || stride_nbytes < row_nbytes(&j, &o)
        || !pcri_mul(stride_nbytes, row_count(&j, &o), &needed) || capacity_nbytes < needed) {
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "%u x %u x %u pixels do not fit rows of %zu bytes in %zu bytes",
                       (unsigned) j.info.width, (unsigned) j.info.height,
                       (unsigned) j.info.channels, stride_nbytes, capacity_nbytes);
    } else {
        struct pcri_target target = make_target(&j, &o, pixels, stride_nbytes);
        rc = decode(d, &j, &target, err);
    }
    end(&j);
    if (!rc && info_out)
        *info_out = j.info;
    return rc;
}

int pcr_decoder_decode_alloc(struct pcr_decoder *d, const void *data, size_t nbytes,
                             const struct pcr_decode_options *opts,
                             struct pcr_buffer *pixels, struct pcr_image_info *info_out,
                             struct pcr_error *err)
{
    struct pcr_decode_options o;
    struct job j;
    size_t total;
    if (!pixels)
        return pcri_fail(err, PCR_ERR_INVAL, "no buffer for the pixels");
    int rc = begin(d, data, nbytes, opts, &o, &j, err);
    if (rc)
        return rc;
    size_t row = row_nbytes(&j, &o);
    if (!pcri_mul(row, row_count(&j, &o), &total)) {
        rc = pcri_fail_nomem(err, row);
    } else if (!(rc = pcri_buffer_reserve(pixels, total, err))) {
        struct pcri_target target = make_target(&j, &o, pixels->data, row);
        rc = decode(d, &j, &target, err);
    }
    end(&j);
    pixels->nbytes = rc ? 0 : total;
    if (!rc && info_out)
        *info_out = j.info;
    return rc;
}
