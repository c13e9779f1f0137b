/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as an encoded image, at options that follow from the bytes: inspect and decode
 * agree, and give what they say; and our own decoder makes the pixels that libjpeg-turbo
 * makes, of the whole picture or of a window, at any scale. What is written of it as baseline JPEG
 * has its coefficients. */
#include "fuzz.h"

#include "image/image.h"
#include "in_range.h"
#include "jpeg/prefix.h"

static struct pcr_decoder *decoder;
static struct pcr_buffer pixels, planes[2];
static void *states[2];
static struct pcri_prefix prefixes[2];
static struct pcr_buffer written;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    int rc = pcr_decoder_create(&decoder, NULL);
    if (!rc)
        rc = pcri_codec_native.create(&states[0], NULL);
    return rc ? rc : pcri_codec_turbo.create(&states[1], NULL);
}

/* Numbers that follow from the bytes. */
static uint32_t pick(const uint8_t *data, size_t nbytes, uint32_t which, uint32_t below)
{
    uint32_t h = 2166136261u + which * 97;
    for (size_t i = nbytes > 64 ? nbytes - 64 : 0; i < nbytes; i++)
        h = (h ^ data[i]) * 16777619u;
    return (h >> 8) % below;
}

/* A window of a picture of w x h; every second time all of it. */
static struct pcri_rect pick_window(const uint8_t *data, size_t nbytes, uint32_t w, uint32_t h)
{
    if (pick(data, nbytes, 0, 2))
        return (struct pcri_rect) { 0, 0, w, h };
    struct pcri_rect out = { .x = pick(data, nbytes, 1, w), .y = pick(data, nbytes, 2, h) };
    out.width = 1 + pick(data, nbytes, 3, w - out.x);
    out.height = 1 + pick(data, nbytes, 4, h - out.y);
    return out;
}

/* Decodes by one codec into planes[which]; its code. */
static int decode_by(const struct pcri_codec *codec, int which, const uint8_t *data,
                     size_t nbytes, const struct pcri_decode_params *params,
                     struct pcri_stored_info *info, struct pcr_error *err)
{
    struct pcr_buffer *b = &planes[which];
    struct pcr_span span = { data, nbytes };
    const struct pcr_spans file = { .items = &span, .count = 1 };
    int rc = codec->begin(states[which], &file, params, info, err);
    if (!rc) {
        struct pcri_rect w = pick_window(data, nbytes, info->width, info->height);
        size_t stride = (size_t) w.width * (params->color == PCR_COLOR_RGB ? 3 : 1);
        b->nbytes = stride * w.height;
        rc = pcri_buffer_reserve(b, b->nbytes, err);
        const struct pcri_target target = { b->data, stride, 0 };
        if (!rc)
            rc = codec->rows(states[which], &w, &target, err);
    }
    codec->end(states[which]);
    return rc;
}

static void compare_codecs(const uint8_t *data, size_t nbytes,
                           const struct pcr_decode_options *o)
{
    struct pcri_decode_params params = {
        .color = o->color, .scale = o->scale, .identical = true, .limits = *o->limits
    };
    struct pcri_stored_info a = { 0 }, b = { 0 };
    struct pcr_error err = { 0 };
    pcri_limits_fill(&params.limits);
    if (decode_by(&pcri_codec_native, 0, data, nbytes, &params, &a, NULL))
        return;
    FUZZ_CHECK_WRITTEN(planes[0].data, planes[0].nbytes);
    if (FUZZ_OWN_CODE_ALONE)
        return;
    int rc = decode_by(&pcri_codec_turbo, 1, data, nbytes, &params, &b, &err);
    if (!fuzz_in_range(data, nbytes)) /* or damaged where the pixels do not need it */
        return;
    FUZZ_CHECK(!rc || rc == PCR_ERR_NOMEM, "%s", err.message);
    if (rc)
        return;
    FUZZ_CHECK(a.width == b.width && a.height == b.height && a.orientation == b.orientation,
               "%ux%u", a.width, a.height);
    for (size_t i = 0; i < planes[0].nbytes; i++)
        FUZZ_CHECK(planes[0].data[i] == planes[1].data[i],
                   "%ux%u, color %u, scale %u, byte "
                   "%zu: %u, libjpeg %u",
                   a.width, a.height, o->color, o->scale, i, planes[0].data[i],
                   planes[1].data[i]);
}

static void check_public(const uint8_t *data, size_t nbytes, struct pcr_decode_options o)
{
    struct pcr_image_info info = { .size = sizeof(info) }, decoded = info;
    struct pcr_error err = { 0 };
    int rc = pcr_decoder_inspect(decoder, data, nbytes, &o, &info, &err);
    if (!rc) {
        struct pcri_rect w = pick_window(data, nbytes, info.width, info.height);
        o.crop_x = w.x;
        o.crop_y = w.y;
        info.width = o.crop_width = w.width;
        info.height = o.crop_height = w.height;
    }
    int rc2 = pcr_decoder_decode_alloc(decoder, data, nbytes, &o, &pixels, &decoded, &err);
    FUZZ_CHECK(rc <= 0 && rc2 <= 0, "%d %d", rc, rc2);
    FUZZ_CHECK(!rc || rc2, "decoded what inspect refuses with %s", pcr_code_name(rc));
    if (rc2) {
        FUZZ_CHECK(err.code == rc2 && err.message[0], "%d %d", err.code, rc2);
        return;
    }
    FUZZ_CHECK(info.width == decoded.width && info.height == decoded.height, "%ux%u",
               info.width, info.height);
    FUZZ_CHECK(pixels.nbytes == (size_t) info.width * info.height * info.channels, "%zu bytes",
               pixels.nbytes);
    FUZZ_CHECK((uint64_t) info.width * info.height <= o.limits->max_pixels, "%ux%u",
               info.width, info.height);
}

static void compare_planes(uint32_t c)
{
    const struct pcri_blocks *a = &prefixes[0].planes[c], *b = &prefixes[1].planes[c];
    FUZZ_CHECK(a->blocks_x == b->blocks_x && a->blocks_y == b->blocks_y, "component %u", c);
    size_t n = 64 * sizeof(*a->coef) * a->blocks_x * a->blocks_y;
    FUZZ_CHECK(!memcmp(a->coef, b->coef, n), "component %u: other coefficients", c);
}

static void check_baseline(const uint8_t *data, size_t nbytes, const struct pcr_limits *limits)
{
    const struct pcr_baseline_options o = { .size = sizeof(o),
                                            .limits = limits,
                                            .restart_rows = pick(data, nbytes, 10, 4) };
    struct pcr_span span = { data, nbytes };
    const struct pcr_spans file = { .items = &span, .count = 1 };
    struct pcr_limits filled = *limits;
    struct pcr_error err = { 0 };
    int rc = pcr_decoder_baseline(decoder, &file, &o, &written, &err);
    FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d %d", rc, err.code);
    if (rc)
        return;
    FUZZ_CHECK_WRITTEN(written.data, written.nbytes);
    pcri_limits_fill(&filled);
    rc = pcri_prefix_decode(&prefixes[1], written.data, written.nbytes, &filled, &err);
    FUZZ_CHECK(!rc, "what was written: %s", err.message);
    if (pcri_prefix_decode(&prefixes[0], data, nbytes, &filled, &err)) /* of another coding */
        return;
    pcri_prefix_settle(&prefixes[0]);
    pcri_prefix_settle(&prefixes[1]);
    for (uint32_t c = 0; c < prefixes[0].file.component_count; c++)
        compare_planes(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcr_decode_options o = { .size = sizeof(o) };
    const struct pcr_limits limits = { .size = sizeof(limits),
                                       .max_pixels = 1 << 20,
                                       .max_scans = 20 };
    o.limits = &limits;
    o.color = nbytes & 1 ? PCR_COLOR_RGB : PCR_COLOR_GRAY;
    o.scale = pick(data, nbytes, 5, 2) ? 8 : 1 + pick(data, nbytes, 6, 7);
    o.flags = pick(data, nbytes, 7, 2) ? PCR_DECODE_PLANAR : 0;
    o.flags |= pick(data, nbytes, 8, 2) ? PCR_DECODE_TO_SRGB : 0;
    o.flags |= pick(data, nbytes, 9, 2) ? PCR_DECODE_BACKGROUND : 0;
    if (!FUZZ_OWN_CODE_ALONE)
        check_public(data, nbytes, o);
    if (nbytes > 2 && data[0] == 0xFF)
        compare_codecs(data, nbytes, &o);
    if (nbytes > 2 && data[0] == 0xFF)
        check_baseline(data, nbytes, &limits);
    return 0;
}
