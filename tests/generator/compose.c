/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes JPEG files by description, through libjpeg. */
#include "compose.h"

#include <setjmp.h>
#include <stdlib.h>

#include "base/random.h"

struct session {
    jvirt_barray_ptr arrays[MAX_COMPONENTS]; /* libjpeg reads them until it has finished */
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    jmp_buf on_error;
    char message[JMSG_LENGTH_MAX];
    uint8_t *pixels;
    unsigned char *file; /* libjpeg's, from malloc */
    unsigned long file_nbytes;
};

static void on_libjpeg_error(j_common_ptr cinfo)
{
    struct session *s = cinfo->client_data;
    cinfo->err->format_message(cinfo, s->message);
    longjmp(s->on_error, 1);
}

static void ignore_message(j_common_ptr cinfo)
{
    (void) cinfo; /* no message on standard error; a writer gives no warning */
}

static int components_of(const struct compose *spec)
{
    switch (spec->space) {
    case JCS_GRAYSCALE:
        return 1;
    case JCS_CMYK:
    case JCS_YCCK:
        return 4;
    default:
        return spec->component_count ? spec->component_count : 3;
    }
}

/* What libjpeg is given: it converts no more than RGB to YCbCr and CMYK to YCCK. */
static J_COLOR_SPACE input_space(const struct compose *spec)
{
    if (spec->component_count)
        return JCS_UNKNOWN;
    switch (components_of(spec)) {
    case 1:
        return JCS_GRAYSCALE;
    case 4:
        return JCS_CMYK;
    default:
        return JCS_RGB;
    }
}

static void paint_pattern(const struct compose *spec, uint8_t *rgb)
{
    for (uint32_t y = 0; y < spec->height; y++) {
        for (uint32_t x = 0; x < spec->width; x++) {
            uint64_t at = (uint64_t) y * spec->width + x;
            for (unsigned c = 0; c < 3; c++, rgb++) {
                if (spec->picture == PICTURE_CONSTANT)
                    *rgb = (uint8_t) (200 - 70 * c);
                else if (spec->picture == PICTURE_CHECKER)
                    *rgb = (x ^ y) & 1 ? 255 : 0;
                else if (spec->picture == PICTURE_BLOCKS)
                    *rgb = (x / 8 ^ y / 8) & 1 ? 255 : 0;
                else
                    *rgb = (uint8_t) (pcri_key(spec->seed, at, c) >> 40);
            }
        }
    }
}

/* RGB rows to rows of n components. All beyond the third are the picture's darkness, as a
 * black plate is; two are red and blue. */
static void spread_components(uint8_t *dst, const uint8_t *rgb, size_t count, int n)
{
    for (size_t i = 0; i < count; i++, rgb += 3) {
        unsigned luma = (rgb[0] * 77u + rgb[1] * 150u + rgb[2] * 29u) >> 8;
        if (n == 1) {
            *dst++ = (uint8_t) luma;
            continue;
        }
        *dst++ = rgb[0];
        if (n > 2)
            *dst++ = rgb[1];
        *dst++ = rgb[2];
        for (int c = 3; c < n; c++)
            *dst++ = (uint8_t) (luma / 2 + 100);
    }
}

static int make_pixels(const struct compose *spec, uint8_t **out, struct pcr_error *err)
{
    size_t count = (size_t) spec->width * spec->height;
    int n = components_of(spec), rc = 0;
    uint8_t *rgb = pcri_malloc(count, 3, err), *mixed = NULL;

    *out = NULL;
    if (!rgb)
        return PCR_ERR_NOMEM;
    if (spec->picture == PICTURE_PHOTO)
        rc = pcr_gen_pixels(spec->seed, spec->klass - 1, spec->width, spec->height, rgb, err);
    else
        paint_pattern(spec, rgb);
    if (rc || n == 3) {
        *out = rgb;
        return rc;
    }
    mixed = pcri_malloc(count, (size_t) n, err);
    if (mixed)
        spread_components(mixed, rgb, count, n);
    free(rgb);
    *out = mixed;
    return mixed ? 0 : PCR_ERR_NOMEM;
}

static void set_components(const struct compose *spec, struct jpeg_compress_struct *cinfo)
{
    for (int i = 0; i < cinfo->num_components; i++) {
        jpeg_component_info *info = &cinfo->comp_info[i];
        if (spec->sampling[0]) {
            info->h_samp_factor = spec->sampling[i] >> 4;
            info->v_samp_factor = spec->sampling[i] & 15;
        }
        if (spec->ids[0])
            info->component_id = spec->ids[i];
        if (spec->flags & COMPOSE_HIGH_TABLES)
            info->dc_tbl_no = info->ac_tbl_no = 2 + (i > 0);
        if (spec->flags & COMPOSE_FOUR_QUANT) {
            unsigned table[DCTSIZE2];
            for (unsigned k = 0; k < DCTSIZE2; k++)
                table[k] = 3 + (unsigned) i + k / 2;
            jpeg_add_quant_table(cinfo, i, table, 100, TRUE);
            info->quant_tbl_no = i;
        }
    }
}

static void set_parameters(const struct compose *spec, struct jpeg_compress_struct *cinfo)
{
    J_COLOR_SPACE space = spec->space;

    cinfo->image_width = spec->width;
    cinfo->image_height = spec->height;
    cinfo->input_components = components_of(spec);
    cinfo->in_color_space = input_space(spec);
    jpeg_set_defaults(cinfo);
    if (space == JCS_UNKNOWN)
        space = spec->component_count ? JCS_UNKNOWN : JCS_YCbCr;
    jpeg_set_colorspace(cinfo, space);
    jpeg_set_quality(cinfo, spec->quality ? spec->quality : 75,
                     !(spec->flags & COMPOSE_WIDE_QUANT));
    cinfo->dct_method = JDCT_ISLOW;
    cinfo->optimize_coding = (spec->flags & COMPOSE_OPTIMISE) != 0;
    cinfo->arith_code = (spec->flags & COMPOSE_ARITHMETIC) != 0;
    cinfo->restart_interval = spec->restart_mcus;
    set_components(spec, cinfo);
    if (spec->flags & COMPOSE_NO_JFIF)
        cinfo->write_JFIF_header = FALSE;
    if (spec->flags & COMPOSE_NO_ADOBE)
        cinfo->write_Adobe_marker = FALSE;
    if (spec->scans) {
        cinfo->scan_info = spec->scans;
        cinfo->num_scans = spec->scan_count;
    } else if (spec->flags & COMPOSE_PROGRESSIVE) {
        jpeg_simple_progression(cinfo);
    }
}

static void write_segments(const struct compose *spec, struct jpeg_compress_struct *cinfo)
{
    for (uint32_t i = 0; i < spec->segment_count; i++)
        jpeg_write_marker(cinfo, spec->segments[i].marker, spec->segments[i].data,
                          spec->segments[i].nbytes);
}

static void write_pixels(const struct compose *spec, struct session *s)
{
    size_t stride = (size_t) spec->width * (size_t) s->cinfo.input_components;

    jpeg_start_compress(&s->cinfo, TRUE);
    write_segments(spec, &s->cinfo);
    while (s->cinfo.next_scanline < s->cinfo.image_height) {
        JSAMPROW row = s->pixels + s->cinfo.next_scanline * stride;
        jpeg_write_scanlines(&s->cinfo, &row, 1);
    }
}

/* Coefficients of 8-bit samples reach +-1023, DC differences +-2047 (ISO/IEC 10918-1
 * F.1.2). Values at and near these ends, by turns with zeros, in every place. */
static JCOEF extreme_value(uint64_t key, int k)
{
    uint64_t v = pcri_mix(key ^ (uint64_t) k);
    if (!k)
        return (JCOEF) (v & 1 ? 1023 : -1024);
    switch (v % 5) {
    case 0:
        return 1023;
    case 1:
        return -1023;
    case 2:
        return (JCOEF) (512 >> (v >> 8) % 10);
    default:
        return 0;
    }
}

static JCOEF sparse_value(uint64_t key, int k)
{
    uint64_t v = pcri_mix(key ^ (uint64_t) k);
    if (!k)
        return (JCOEF) ((int) (v % 401) - 200);
    if (v % 64 < (unsigned) k)
        return 0;
    return (JCOEF) ((int) (v >> 8) % (130 / (k + 1) + 2) - 65 / (k + 1));
}

static void fill_blocks(const struct compose *spec, const jpeg_component_info *info,
                        JBLOCKARRAY rows, JDIMENSION first, JDIMENSION count)
{
    for (JDIMENSION r = 0; r < count; r++) {
        for (JDIMENSION x = 0; x < info->width_in_blocks; x++) {
            uint64_t key = pcri_key(spec->seed, first + r, x);
            for (int k = 0; k < DCTSIZE2; k++)
                rows[r][x][k] = spec->flags & COMPOSE_EXTREME ? extreme_value(key, k)
                                                              : sparse_value(key, k);
        }
    }
}

static void write_coefficients(const struct compose *spec, struct session *s)
{
    struct jpeg_compress_struct *c = &s->cinfo;
    j_common_ptr common = (j_common_ptr) c;
    jvirt_barray_ptr *arrays = s->arrays;

    for (int i = 0; i < c->num_components; i++) {
        JDIMENSION h = (JDIMENSION) c->comp_info[i].h_samp_factor;
        JDIMENSION v = (JDIMENSION) c->comp_info[i].v_samp_factor;
        JDIMENSION across = (c->image_width + 7) / 8, down = (c->image_height + 7) / 8;
        arrays[i] = c->mem->request_virt_barray(common, JPOOL_IMAGE, TRUE, across * h + h,
                                                down * v + v, v);
    }
    jpeg_write_coefficients(c, arrays);
    write_segments(spec, c);
    for (int i = 0; i < c->num_components; i++) {
        jpeg_component_info *info = &c->comp_info[i];
        JDIMENSION step = (JDIMENSION) info->v_samp_factor;
        for (JDIMENSION y = 0; y < info->height_in_blocks; y += step) {
            JDIMENSION left = info->height_in_blocks - y, n = left < step ? left : step;
            fill_blocks(spec, info, c->mem->access_virt_barray(common, arrays[i], y, n, TRUE),
                        y, n);
        }
    }
}

static int compress(const struct compose *spec, struct session *s, struct pcr_error *err)
{
    if (setjmp(s->on_error)) {
        if (s->cinfo.dest) /* sets s->file to the memory that is now in use */
            s->cinfo.dest->term_destination(&s->cinfo);
        return pcri_fail(err, PCR_ERR_INVAL, "libjpeg: %s", s->message);
    }
    jpeg_create_compress(&s->cinfo);
    s->cinfo.client_data = s;
    jpeg_mem_dest(&s->cinfo, &s->file, &s->file_nbytes);
    set_parameters(spec, &s->cinfo);
    if (spec->flags & (COMPOSE_EXTREME | COMPOSE_SPARSE))
        write_coefficients(spec, s);
    else
        write_pixels(spec, s);
    jpeg_finish_compress(&s->cinfo);
    return 0;
}

int gen_compose(const struct compose *spec, struct pcr_buffer *out, struct pcr_error *err)
{
    struct session *s = pcri_calloc(1, sizeof(*s), err);
    if (!s)
        return PCR_ERR_NOMEM;
    s->cinfo.err = jpeg_std_error(&s->errors);
    s->errors.error_exit = on_libjpeg_error;
    s->errors.output_message = ignore_message;
    s->cinfo.client_data = s;

    out->nbytes = 0;
    int rc = make_pixels(spec, &s->pixels, err);
    if (!rc) {
        rc = compress(spec, s, err);
        jpeg_destroy_compress(&s->cinfo);
    }
    if (!rc)
        rc = pcri_buffer_append(out, s->file, s->file_nbytes, err);
    free(s->file);
    free(s->pixels);
    free(s);
    return rc;
}
