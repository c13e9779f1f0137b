/* SPDX-License-Identifier: BSD-2-Clause */
/* JPEG to pixels through libjpeg-turbo, with damage turned into an error.
 *
 * libjpeg fills what it cannot read with gray and warns. Here a warning that means damage ends
 * the decode. If libjpeg skips bytes, or the file has no EOI, libpcr's decoder must find every
 * coefficient without them (jpeg/turbo.h). What a prefix of a progressive file lacks (whole
 * scans) is not damage, and libjpeg does not warn about it. */
#include <stdlib.h>

#include "../../base/exif.h"
#include "../../jpeg/prefix.h"
#include "../../jpeg/turbo.h"
#include "codec.h"

struct turbo {
    struct jpeg_decompress_struct cinfo; /* client_data points back here */
    struct pcri_turbo errors; /* in_doubt: our own decoder must find the picture complete */
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    bool live; /* cinfo is made */
    uint32_t color;
    struct pcr_limits limits;
    struct pcri_orientation orientation;
    struct pcri_prefix prefix;
    struct pcr_buffer row, converted; /* one row of libjpeg's, of CMYK made RGB or gray */
};

static void on_progress(j_common_ptr cinfo)
{
    struct turbo *t = cinfo->client_data;
    int scans = t->cinfo.input_scan_number;
    if (scans > 0 && (uint32_t) scans > t->limits.max_scans)
        pcri_turbo_fail(&t->errors, PCR_ERR_LIMIT, "more than %u scans",
                        (unsigned) t->limits.max_scans);
}

/* --- the source of bytes --- */

static void source_nothing(j_decompress_ptr cinfo)
{
    (void) cinfo;
}

/* Makes up an EOI: after a scan the picture may be complete. */
static boolean source_end(j_decompress_ptr cinfo)
{
    static const JOCTET eoi[2] = { 0xFF, JPEG_EOI };
    struct turbo *t = cinfo->client_data;
    if (!cinfo->input_scan_number)
        pcri_turbo_fail(&t->errors, PCR_ERR_TRUNCATED,
                        "ends after %zu bytes without an end of image", t->errors.nbytes);
    t->source.next_input_byte = eoi;
    t->source.bytes_in_buffer = sizeof(eoi);
    t->errors.no_end = t->errors.in_doubt = true;
    return TRUE;
}

static void source_skip(j_decompress_ptr cinfo, long nbytes)
{
    struct turbo *t = cinfo->client_data;
    if (nbytes <= 0)
        return;
    if ((unsigned long) nbytes > t->source.bytes_in_buffer) {
        source_end(cinfo);
        return;
    }
    t->source.next_input_byte += nbytes;
    t->source.bytes_in_buffer -= (size_t) nbytes;
}

/* Reads the orientation from an APP1 segment in place; libjpeg's own way would copy all such
 * segments. */
static boolean on_app1(j_decompress_ptr cinfo)
{
    struct turbo *t = cinfo->client_data;
    if (t->source.bytes_in_buffer < 2)
        return source_end(cinfo);
    const uint8_t *p = t->source.next_input_byte;
    long nbytes = (long) p[0] << 8 | p[1];
    if (nbytes < 2) /* as libjpeg does for all such segments */
        nbytes = 2;
    source_skip(cinfo, nbytes);
    if (!t->errors.no_end)
        pcri_orientation_add_app1(&t->orientation, p + 2, (size_t) nbytes - 2);
    return TRUE;
}

/* --- headers --- */

static void set_up(struct turbo *t, const uint8_t *data, size_t nbytes, struct pcr_error *err)
{
    memset(&t->cinfo, 0, sizeof(t->cinfo));
    t->cinfo.err = pcri_turbo_errors(&t->errors, data, nbytes, err);
    t->errors.name = "JPEG";
    t->errors.source = &t->source;
    t->cinfo.client_data = t;
    t->source = (struct jpeg_source_mgr) {
        .next_input_byte = data,
        .bytes_in_buffer = nbytes,
        .init_source = source_nothing,
        .fill_input_buffer = source_end,
        .skip_input_data = source_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_nothing,
    };
    t->progress = (struct jpeg_progress_mgr) { .progress_monitor = on_progress };
    t->orientation = (struct pcri_orientation) { 0 };
}

/* A new object for each image: libjpeg keeps tables from one image to the next, and a file
 * that lacks its tables must not decode by those of another. */
static void make_object(struct turbo *t)
{
    t->live = true; /* also half-made: destroying it is safe */
    jpeg_create_decompress(&t->cinfo);
    t->cinfo.src = &t->source;
    t->cinfo.progress = &t->progress;
    jpeg_set_marker_processor(&t->cinfo, JPEG_APP0 + 1, on_app1);
}

/* A block takes at least one bit in its first scan (docs/FORMAT.md section 9). */
static void check_blocks(struct turbo *t)
{
    uint64_t blocks = 0;
    for (int i = 0; i < t->cinfo.comps_in_scan; i++) {
        const jpeg_component_info *c = t->cinfo.cur_comp_info[i];
        blocks += (uint64_t) c->width_in_blocks * c->height_in_blocks;
    }
    uint64_t left = t->source.bytes_in_buffer;
    if (blocks > 8 * left)
        pcri_turbo_fail(&t->errors, PCR_ERR_TRUNCATED,
                        "the %llu bytes left cannot hold %llu blocks",
                        (unsigned long long) blocks, (unsigned long long) left);
}

static void choose_output(struct turbo *t)
{
    struct jpeg_decompress_struct *c = &t->cinfo;
    switch (c->jpeg_color_space) {
    case JCS_GRAYSCALE:
    case JCS_YCbCr:
    case JCS_RGB:
        c->out_color_space = t->color == PCR_COLOR_GRAY ? JCS_GRAYSCALE : JCS_RGB;
        break;
    case JCS_CMYK:
    case JCS_YCCK:
        c->out_color_space = JCS_CMYK;
        break;
    default:
        pcri_turbo_fail(&t->errors, PCR_ERR_UNSUPPORTED,
                        "%d components of an unknown colour space", c->num_components);
    }
    c->dct_method = JDCT_ISLOW;
    c->do_fancy_upsampling = TRUE;
    c->do_block_smoothing = FALSE;
}

static void parse_headers(struct turbo *t)
{
    jpeg_read_header(&t->cinfo, TRUE);
    if (t->cinfo.arith_code)
        pcri_turbo_fail(&t->errors, PCR_ERR_UNSUPPORTED, "arithmetic coding");
    if (t->cinfo.data_precision != 8)
        pcri_turbo_fail(&t->errors, PCR_ERR_UNSUPPORTED, "%d bits per sample, 8 are supported",
                        t->cinfo.data_precision);
    choose_output(t);
}

/* The next marker from p that is neither stuffing nor RSTn; like libjpeg, skips what is in
 * between. `end` if there is none. */
static const uint8_t *find_marker(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (p = memchr(p, 0xFF, (size_t) (end - p)))) {
        if (end - p < 2)
            return end;
        if (p[1] && p[1] != 0xFF && (p[1] & 0xF8) != 0xD0)
            return p;
        p += p[1] == 0xFF ? 1 : 2;
    }
    return end;
}

/* Counts the scans before any is decoded: for each, however short, libjpeg makes a pass over
 * all coefficients. */
static int check_scans(const uint8_t *data, size_t nbytes, uint32_t max_scans,
                       struct pcr_error *err)
{
    const uint8_t *end = data + nbytes, *p = find_marker(data + 2, end);
    uint32_t count = 0;
    while (end - p >= 4 && p[1] != 0xD9) {
        size_t length = (size_t) p[2] << 8 | p[3];
        if (p[1] == 0xDA && ++count > max_scans)
            return pcri_fail_at(err, PCR_ERR_LIMIT, (uint64_t) (p - data),
                                "JPEG: more than %u scans", (unsigned) max_scans);
        p = length + 2 < (size_t) (end - p) ? find_marker(p + 2 + length, end) : end;
    }
    return 0;
}

static int turbo_begin(void *state, const struct pcr_spans *file,
                       const struct pcri_decode_params *params,
                       struct pcri_stored_info *info_out, struct pcr_error *err)
{
    struct turbo *t = state;
    t->color = params->color;
    t->limits = params->limits;
    set_up(t, file->items[0].data, file->items[0].nbytes, err);
    int rc = check_scans(file->items[0].data, file->items[0].nbytes, t->limits.max_scans, err);
    if (rc)
        return rc;
    if (setjmp(t->errors.jump))
        return t->errors.code;
    make_object(t);
    parse_headers(t);
    check_blocks(t);
    t->cinfo.scale_num = params->scale;
    t->cinfo.scale_denom = 8;
    jpeg_calc_output_dimensions(&t->cinfo);
    info_out->width = t->cinfo.output_width;
    info_out->height = t->cinfo.output_height;
    info_out->component_count = (uint32_t) t->cinfo.num_components;
    info_out->has_alpha = false;
    info_out->orientation = pcri_orientation_of(&t->orientation);
    return 0;
}

/* Coefficients, if there is more than one scan; else libjpeg holds some rows. */
static uint64_t turbo_held(void *state, const struct pcri_rect *window)
{
    struct turbo *t = state;
    uint64_t nbytes = 0;
    (void) window; /* all are read, whatever is delivered */
    if (!jpeg_has_multiple_scans(&t->cinfo))
        return 0;
    for (int i = 0; i < t->cinfo.num_components; i++) {
        const jpeg_component_info *c = &t->cinfo.comp_info[i];
        uint64_t h = (uint64_t) t->cinfo.max_h_samp_factor;
        uint64_t v = (uint64_t) t->cinfo.max_v_samp_factor;
        nbytes += (t->cinfo.image_width * (uint64_t) c->h_samp_factor + h - 1) / h *
                  ((t->cinfo.image_height * (uint64_t) c->v_samp_factor + v - 1) / v) *
                  sizeof(JCOEF);
    }
    return nbytes;
}

/* --- pixels --- */

/* A sequential image needs all its components; a prefix of a progressive one needs at least DC
 * of the first component. */
static void check_complete(struct turbo *t)
{
    const struct jpeg_decompress_struct *c = &t->cinfo;
    if (c->progressive_mode) {
        if (c->coef_bits[0][0] < 0)
            pcri_turbo_fail(&t->errors, PCR_ERR_TRUNCATED,
                            "no scan has the DC of the first component");
        return;
    }
    for (int i = 0; i < c->num_components; i++)
        if (!c->comp_info[i].quant_table) /* latched when a component's scan begins */
            pcri_turbo_fail(&t->errors, PCR_ERR_TRUNCATED, "no scan has component %d of %d",
                            i + 1, c->num_components);
}

/* One row of stored CMYK, which is 255 - ink, to what is wanted. */
static void convert_cmyk(const struct turbo *t, const uint8_t *src, uint8_t *dst)
{
    for (JDIMENSION x = 0; x < t->cinfo.output_width; x++, src += 4) {
        if (t->color == PCRI_COLOR_INKS) {
            for (int i = 0; i < 4; i++)
                *dst++ = (uint8_t) (255 - src[i]);
            continue;
        }
        unsigned rgb[3];
        for (int i = 0; i < 3; i++) /* rounded division by 255 */
            rgb[i] = ((unsigned) src[i] * src[3] * 2 + 255) / 510;
        if (t->color == PCR_COLOR_GRAY) {
            *dst++ = pcri_luma(rgb[0], rgb[1], rgb[2]);
        } else {
            *dst++ = (uint8_t) rgb[0];
            *dst++ = (uint8_t) rgb[1];
            *dst++ = (uint8_t) rgb[2];
        }
    }
}

static uint32_t channels_of(const struct turbo *t)
{
    return t->color == PCR_COLOR_GRAY ? 1 : t->color == PCRI_COLOR_INKS ? 4 : 3;
}

/* All rows, also those beyond the window: the file is read to its end. */
static void read_cut(struct turbo *t, const struct pcri_rect *w,
                     const struct pcri_target *target)
{
    struct jpeg_decompress_struct *c = &t->cinfo;
    uint32_t channels = channels_of(t);
    bool cmyk = c->out_color_space == JCS_CMYK;
    while (c->output_scanline < c->output_height) {
        JSAMPROW row = t->row.data;
        uint32_t y = c->output_scanline - w->y;
        bool wanted = c->output_scanline >= w->y && y < w->height;
        jpeg_read_scanlines(c, &row, 1);
        if (!wanted)
            continue;
        if (cmyk)
            convert_cmyk(t, row, t->converted.data);
        pcri_store_row(target, y, (cmyk ? t->converted.data : row) + (size_t) w->x * channels,
                       w->width, channels);
    }
}

static void read_direct(struct turbo *t, const struct pcri_target *target)
{
    enum { ROWS = 8 };
    struct jpeg_decompress_struct *c = &t->cinfo;
    while (c->output_scanline < c->output_height) {
        JSAMPROW rows[ROWS];
        JDIMENSION n = c->output_height - c->output_scanline;
        if (n > ROWS)
            n = ROWS;
        for (JDIMENSION i = 0; i < n; i++)
            rows[i] = target->data + (c->output_scanline + i) * target->stride_nbytes;
        jpeg_read_scanlines(c, rows, n);
    }
}

static int turbo_rows(void *state, const struct pcri_rect *window,
                      const struct pcri_target *target, struct pcr_error *err)
{
    struct turbo *t = state;
    bool direct = t->cinfo.out_color_space != JCS_CMYK && !target->plane_nbytes &&
                  window->width == t->cinfo.output_width &&
                  window->height == t->cinfo.output_height;
    t->errors.err = err;
    int rc = pcri_buffer_reserve(&t->row, (size_t) t->cinfo.output_width * 4, err);
    if (!rc)
        rc = pcri_buffer_reserve(&t->converted, (size_t) t->cinfo.output_width * 4, err);
    if (rc)
        return rc;
    if (setjmp(t->errors.jump))
        return t->errors.code;
    jpeg_start_decompress(&t->cinfo);
    check_complete(t);
    if (direct)
        read_direct(t, target);
    else
        read_cut(t, window, target);
    jpeg_finish_decompress(&t->cinfo);
    return t->errors.in_doubt ? pcri_prefix_decode(&t->prefix, t->errors.data,
                                                   t->errors.nbytes, &t->limits, err)
                              : 0;
}

static void turbo_end(void *state)
{
    struct turbo *t = state;
    if (t->live)
        jpeg_destroy_decompress(&t->cinfo);
    t->live = false;
}

static int turbo_create(void **state_out, struct pcr_error *err)
{
    *state_out = pcri_calloc(1, sizeof(struct turbo), err);
    return *state_out ? 0 : PCR_ERR_NOMEM;
}

static void turbo_destroy(void *state)
{
    struct turbo *t = state;
    if (!t)
        return;
    turbo_end(t);
    pcri_prefix_free(&t->prefix);
    pcr_buffer_free(&t->row);
    pcr_buffer_free(&t->converted);
    free(t);
}

const struct pcri_codec pcri_codec_turbo = {
    .name = "JPEG",
    .scales = true,
    .create = turbo_create,
    .destroy = turbo_destroy,
    .begin = turbo_begin,
    .held = turbo_held,
    .rows = turbo_rows,
    .end = turbo_end,
};
