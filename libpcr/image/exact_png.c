/* SPDX-License-Identifier: BSD-2-Clause */
/* Exact pictures as PNG files, by libpng. */
#include <setjmp.h>
#include <stdlib.h>

#include <png.h>

#include "codecs/codec.h"
#include "exact.h"
#include "exif_block.h"
#include "profile.h"

/* What must outlive the jump out of libpng. */
struct png_writing {
    png_structp write;
    png_infop info;
    struct pcr_buffer *out;
    int rc;
    struct pcr_error *err;
};

static _Noreturn void on_png_error(png_structp write, png_const_charp message)
{
    struct png_writing *p = png_get_error_ptr(write);
    if (!p->rc) /* libpng gives up for lack of memory alone */
        p->rc = pcri_fail(p->err, PCR_ERR_NOMEM, "PNG: %s", message);
    png_longjmp(write, 1);
}

static void on_png_warning(png_structp write, png_const_charp message)
{
    (void) write, (void) message;
}

static void on_png_write(png_structp write, png_bytep data, size_t nbytes)
{
    struct png_writing *p = png_get_io_ptr(write);
    p->rc = pcri_buffer_append(p->out, data, nbytes, p->err);
    if (p->rc)
        png_longjmp(write, 1);
}

static void on_png_flush(png_structp write)
{
    (void) write;
}

static void write_png(struct png_writing *p, const struct pcri_stored_info *s,
                      const struct pcr_buffer *profile, const uint8_t *pixels)
{
    const size_t stride = (size_t) s->width * s->component_count;
    png_set_write_fn(p->write, p, on_png_write, on_png_flush);
    png_set_user_limits(p->write, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(p->write, p->info, s->width, s->height, 8,
                 s->component_count == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_benign_errors(p->write, 1); /* a profile that libpng does not like is left out */
    if (profile->nbytes)
        png_set_iCCP(p->write, p->info, "ICC profile", PNG_COMPRESSION_TYPE_DEFAULT,
                     profile->data, (png_uint_32) profile->nbytes);
    if (s->orientation > 1) {
        uint8_t exif[PCRI_EXIF_NBYTES] = PCRI_EXIF(s->orientation);
        png_set_eXIf_1(p->write, p->info, PCRI_EXIF_NBYTES - PCRI_EXIF_NAME_NBYTES,
                       exif + PCRI_EXIF_NAME_NBYTES);
    }
    png_write_info(p->write, p->info);
    for (uint32_t y = 0; y < s->height; y++)
        png_write_row(p->write, pixels + y * stride);
    png_write_end(p->write, p->info);
}

static int encode_png(const struct pcri_stored_info *s, const struct pcr_buffer *profile,
                      const uint8_t *pixels, struct pcr_buffer *out, struct pcr_error *err)
{
    struct png_writing p = { .out = out, .err = err };
    out->nbytes = 0;
    p.write = png_create_write_struct(PNG_LIBPNG_VER_STRING, &p, on_png_error, on_png_warning);
    p.info = p.write ? png_create_info_struct(p.write) : NULL;
    if (!p.info)
        p.rc = pcri_fail(err, PCR_ERR_NOMEM, "PNG: no memory for an encoder");
    else if (!setjmp(png_jmpbuf(p.write)))
        write_png(&p, s, profile, pixels);
    png_destroy_write_struct(&p.write, &p.info);
    return p.rc;
}

/* Decodes the whole picture in its own colours. */
static int decode_all(void *state, const struct pcr_spans *spans, struct pcri_stored_info *s,
                      struct pcr_buffer *pixels, struct pcr_error *err)
{
    const struct pcri_codec *codec = &pcri_codec_exact;
    struct pcri_decode_params params = { .color = PCR_COLOR_RGB, .scale = 8 };
    size_t total = 0;
    pcri_limits_fill(&params.limits);
    int rc = codec->begin(state, spans, &params, s, err);
    if (!rc && s->component_count == 1) {
        params.color = PCR_COLOR_GRAY;
        codec->end(state);
        rc = codec->begin(state, spans, &params, s, err);
    }
    if (rc)
        return rc;
    const struct pcri_rect all = { 0, 0, s->width, s->height };
    const size_t stride = (size_t) s->width * s->component_count;
    rc = pcri_mul(stride, s->height, &total) ? pcri_buffer_renew(pixels, total, err)
                                             : pcri_fail_nomem(err, SIZE_MAX);
    const struct pcri_target target = { .data = pixels->data, .stride_nbytes = stride };
    if (!rc)
        rc = codec->rows(state, &all, &target, err);
    codec->end(state);
    return rc;
}

int pcri_exact_png(const struct pcr_spans *spans, struct pcr_buffer *out,
                   struct pcr_error *err)
{
    struct pcr_buffer pixels = { 0 }, profile = { 0 };
    struct pcri_stored_info stored = { 0 };
    void *state = NULL;
    bool any;
    int rc = pcri_codec_exact.create(&state, err);
    if (!rc)
        rc = decode_all(state, spans, &stored, &pixels, err);
    if (!rc)
        rc = pcri_profile_read(spans, &profile, &any, err);
    if (!rc)
        rc = encode_png(&stored, &profile, pixels.data, out, err);
    pcri_codec_exact.destroy(state);
    pcr_buffer_free(&pixels);
    pcr_buffer_free(&profile);
    return rc;
}
