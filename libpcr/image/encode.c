/* SPDX-License-Identifier: BSD-2-Clause */
/* Pixels to JPEG, by libjpeg. */
#include <pcr/image.h>

#include "../jpeg/turbo.h"
#include "exif_block.h"
#include "profile.h"

/* What must outlive the jump out of libjpeg. */
struct encoding {
    struct jpeg_compress_struct cinfo;
    struct pcri_turbo errors;
    struct jpeg_destination_mgr place;
    struct pcr_buffer *out;
};

/* --- where libjpeg writes ---
 *
 * libjpeg's own way to memory says where the file is only at its end: after an error before that,
 * what it has allocated would be lost, and what it has freed be freed again. */

enum { FIRST_NBYTES = 1 << 14 };

/* Makes room after the bytes that are there, at least as much as they take. */
static void make_room(struct encoding *e)
{
    struct pcr_buffer *out = e->out;
    const size_t nbytes = 2 * out->nbytes > FIRST_NBYTES ? 2 * out->nbytes : FIRST_NBYTES;
    struct pcr_error why;
    if (pcri_buffer_reserve(out, nbytes, &why))
        pcri_turbo_fail(&e->errors, why.code, "no memory for a file of %zu bytes", nbytes);
    e->place.next_output_byte = out->data + out->nbytes;
    e->place.free_in_buffer = out->capacity - out->nbytes;
}

static void begin_file(j_compress_ptr c)
{
    struct encoding *e = c->client_data;
    e->out->nbytes = 0;
    make_room(e);
}

static boolean fill_file(j_compress_ptr c)
{
    struct encoding *e = c->client_data;
    e->out->nbytes = e->out->capacity; /* whatever is said to be free */
    make_room(e);
    return TRUE;
}

static void end_file(j_compress_ptr c)
{
    struct encoding *e = c->client_data;
    e->out->nbytes = e->out->capacity - e->place.free_in_buffer;
}

/* --- encoding --- */

static void compress(struct encoding *e, const uint8_t *pixels, uint32_t channels,
                     const struct pcri_jpeg_style *style)
{
    struct jpeg_compress_struct *c = &e->cinfo;
    size_t stride = (size_t) c->image_width * channels;
    jpeg_start_compress(c, TRUE);
    if (style->orientation > 1) {
        const uint8_t exif[PCRI_EXIF_NBYTES] = PCRI_EXIF(style->orientation);
        jpeg_write_marker(c, JPEG_APP0 + 1, exif, sizeof(exif));
    }
    if (style->profile && style->profile->nbytes)
        jpeg_write_icc_profile(c, style->profile->data, (unsigned) style->profile->nbytes);
    while (c->next_scanline < c->image_height) {
        JSAMPROW row = (JSAMPROW) (uintptr_t) (pixels + c->next_scanline * stride);
        (void) jpeg_write_scanlines(c, &row, 1);
    }
    jpeg_finish_compress(c);
}

int pcri_jpeg_encode_as(const uint8_t *pixels, uint32_t width, uint32_t height,
                        uint32_t channels, const struct pcri_jpeg_style *style,
                        struct pcr_buffer *out, struct pcr_error *err)
{
    struct encoding e = {
        .place = { .init_destination = begin_file,
                   .empty_output_buffer = fill_file,
                   .term_destination = end_file },
        .out = out,
    };
    e.cinfo.err = pcri_turbo_errors(&e.errors, NULL, 0, err);
    int rc = 0;
    if (setjmp(e.errors.jump)) {
        rc = e.errors.code;
    } else {
        jpeg_create_compress(&e.cinfo);
        e.cinfo.client_data = &e;
        e.cinfo.dest = &e.place;
        e.cinfo.image_width = width;
        e.cinfo.image_height = height;
        e.cinfo.input_components = (int) channels;
        e.cinfo.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
        jpeg_set_defaults(&e.cinfo);
        jpeg_set_quality(&e.cinfo, (int) style->quality, TRUE);
        if (style->full_chroma)
            e.cinfo.comp_info[0].h_samp_factor = e.cinfo.comp_info[0].v_samp_factor = 1;
        compress(&e, pixels, channels, style);
    }
    jpeg_destroy_compress(&e.cinfo);
    if (rc)
        out->nbytes = 0;
    return rc;
}

int pcri_jpeg_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                     uint32_t quality, const struct pcr_buffer *profile,
                     struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcri_jpeg_style style = { .quality = quality, .profile = profile };
    return pcri_jpeg_encode_as(pixels, width, height, channels, &style, out, err);
}

int pcr_jpeg_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                    uint32_t quality, struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcr_buffer none = { 0 };
    if (!pixels || !out || !width || !height)
        return pcri_fail(err, PCR_ERR_INVAL, "no pixels, or no place for the file");
    if (channels != 1 && channels != 3)
        return pcri_fail(err, PCR_ERR_INVAL, "%u channels, expected 1 or 3", channels);
    if (quality < 1 || quality > 100)
        return pcri_fail(err, PCR_ERR_INVAL, "quality is %u, expected 1 to 100", quality);
    return pcri_jpeg_encode(pixels, width, height, channels, quality, &none, out, err);
}
