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
    if (out->flags & ~(uint32_t) PCR_DECODE_KEEP_ORIENTATION)
        return pcri_fail(err, PCR_ERR_INVAL, "unknown decode flags 0x%x",
                         (unsigned) out->flags);
    if (out->color == PCR_COLOR_DEFAULT)
        out->color = PCR_COLOR_RGB;
    if (out->color > PCR_COLOR_GRAY)
        return pcri_fail(err, PCR_ERR_INVAL, "unknown color %u", (unsigned) out->color);
    if (out->orientation > 8)
        return pcri_fail(err, PCR_ERR_INVAL, "orientation is %u, expected 0 to 8",
                         (unsigned) out->orientation);
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

static void describe(struct job *j, const struct pcr_decode_options *o)
{
    bool keep = o->flags & PCR_DECODE_KEEP_ORIENTATION;
    j->info.orientation = o->orientation ? o->orientation : j->stored.orientation;
    bool swap = !keep && pcri_orientation_swaps(j->info.orientation);
    j->info.width = swap ? j->stored.height : j->stored.width;
    j->info.height = swap ? j->stored.width : j->stored.height;
    j->info.channels = o->color == PCR_COLOR_GRAY ? 1 : 3;
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
    *j = (struct job) { .index = i, .data = data, .nbytes = nbytes,
                        .params = { o->color, o->limits } };
    /* What our own decoder says of a file that it declines is not the last word. */
    rc = begin_codec(d, j, i, is_last(i) ? err : NULL);
    if (rc && !is_last(i))
        rc = begin_codec(d, j, i + 1, err);
    if (!rc)
        describe(j, o);
    return rc;
}

static void end(struct job *j)
{
    if (j->codec)
        j->codec->end(j->state);
}

/* Decodes the stored picture. Files that our own decoder finds damaged may be of those that
 * break a rule in a way that libjpeg passes over: libjpeg has the last word. */
static int decode_stored(struct pcr_decoder *d, struct job *j, uint8_t *dst,
                         size_t stride_nbytes, struct pcr_error *err)
{
    struct pcri_stored_info stored = j->stored;
    struct pcr_error first;
    if (is_last(j->index))
        return j->codec->rows(j->state, dst, stride_nbytes, err);
    int rc = j->codec->rows(j->state, dst, stride_nbytes, &first);
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
    return j->codec->rows(j->state, dst, stride_nbytes, err);
}

/* Decodes to pixels that are large enough. */
static int decode(struct pcr_decoder *d, struct job *j, const struct pcr_decode_options *o,
                  uint8_t *pixels, size_t stride_nbytes, struct pcr_error *err)
{
    uint32_t channels = j->info.channels;
    if ((o->flags & PCR_DECODE_KEEP_ORIENTATION) || j->info.orientation == 1)
        return decode_stored(d, j, pixels, stride_nbytes, err);

    size_t row = (size_t) j->stored.width * channels, total;
    if (!pcri_mul(row, j->stored.height, &total))
        return pcri_fail_nomem(err, row);
    int rc = pcri_buffer_reserve(&d->stored, total, err);
    if (rc || (rc = decode_stored(d, j, d->stored.data, row, err)))
        return rc;
    pcri_orient(d->stored.data, j->stored.width, j->stored.height, channels,
                j->info.orientation, pixels, stride_nbytes);
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
    size_t row = (size_t) j.info.width * j.info.channels;
    if (!pixels || stride_nbytes < row ||
        !pcri_mul(stride_nbytes, j.info.height, &needed) || capacity_nbytes < needed)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "%u x %u x %u pixels do not fit rows of %zu bytes in %zu bytes",
                       (unsigned) j.info.width, (unsigned) j.info.height,
                       (unsigned) j.info.channels, stride_nbytes, capacity_nbytes);
    else
        rc = decode(d, &j, &o, pixels, stride_nbytes, err);
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
    size_t row = (size_t) j.info.width * j.info.channels;
    if (!pcri_mul(row, j.info.height, &total))
        rc = pcri_fail_nomem(err, row);
    else if (!(rc = pcri_buffer_reserve(pixels, total, err)))
        rc = decode(d, &j, &o, pixels->data, row, err);
    end(&j);
    pixels->nbytes = rc ? 0 : total;
    if (!rc && info_out)
        *info_out = j.info;
    return rc;
}
