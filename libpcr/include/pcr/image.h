/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding one image to pixels. */
#ifndef PCR_IMAGE_H
#define PCR_IMAGE_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Colour of decoded pixels. */
enum pcr_color {
    PCR_COLOR_DEFAULT = 0, /* means RGB */
    PCR_COLOR_RGB = 1,     /* 3 bytes per pixel: R, G, B */
    PCR_COLOR_GRAY = 2,    /* 1 byte per pixel: luma */
};

/* Flags of struct pcr_decode_options. */
enum {
    /* Leave the pixels as they are stored. Without this flag they are turned upright, as
     * Pillow's ImageOps.exif_transpose() does it. The orientation is that of the first EXIF
     * block (JPEG: APP1; PNG: eXIf, else the text "Raw profile type exif"); if that has none,
     * it is XMP's tiff:Orientation. */
    PCR_DECODE_KEEP_ORIENTATION = 1 << 0,
    /* At a fidelity below full, take each coefficient at the lower end of its interval, as
     * libjpeg-turbo does; the pixels then equal libjpeg-turbo's bit for bit. Without this flag
     * coefficients lie nearer to the middle, which is closer to the original. At full fidelity
     * both modes give the same pixels. */
    PCR_DECODE_IDENTICAL = 1 << 1,
    /* Write one plane per channel (CHW) instead of HWC. A plane is height * stride_nbytes. */
    PCR_DECODE_PLANAR = 1 << 2,
    /* Lay pixels that are not opaque over options.background. Without this flag the alpha of a
     * PNG is dropped, and so is the transparency that tRNS gives to colours. */
    PCR_DECODE_BACKGROUND = 1 << 3,
    /* Convert an image with an ICC profile to sRGB, by Little CMS with perceptual intent,
     * before the background is applied. Handles RGB, gray and CMYK profiles of JPEG (APP2) and
     * PNG (iCCP). A profile that changes nothing by more than a level costs nothing. A profile
     * that is damaged, or made for other pixels, is ignored. pcr_decoder_profile() tells
     * which. */
    PCR_DECODE_TO_SRGB = 1 << 4,
};

/* The decoder to use. */
enum pcr_decoder_kind {
    PCR_DECODER_AUTO = 0,  /* the library's own, and libjpeg-turbo for what that declines */
    PCR_DECODER_TURBO = 1, /* libjpeg-turbo; for JPEG it implies PCR_DECODE_IDENTICAL */
};

struct pcr_ladder; /* ladder.h */

/* How to decode. */
struct pcr_decode_options {
    uint32_t size;                   /* sizeof(struct pcr_decode_options) */
    uint32_t flags;                  /* PCR_DECODE_* */
    uint32_t color;                  /* enum pcr_color */
    uint32_t orientation;            /* 1..8, as in EXIF; 0: that of the image's metadata */
    const struct pcr_limits *limits; /* NULL: the defaults */
    uint32_t decoder;                /* enum pcr_decoder_kind */
    /* Decode to scale/8 of the size, 1 to 8; 0 means 8, or where the picture is resized
     * (pcr_decoder_decode_resized()) as little as that needs. Width and height are rounded up.
     * JPEG is scaled in the inverse DCT, as by libjpeg-turbo; for other formats a scale below 8
     * is UNSUPPORTED. */
    uint32_t scale;
    /* The window to deliver, in pixels of the picture as it would be delivered without it
     * (scaled, upright). Only what the window touches is decoded, and its pixels are those of
     * the whole picture. All four 0: the whole picture. A window that is empty or reaches
     * beyond the picture is INVAL. */
    uint32_t crop_x, crop_y, crop_width, crop_height;
    /* The ladder that the image was coded with, or NULL. With a ladder, a JPEG with other
     * scans is CORRUPT, and libjpeg-turbo is not asked about damage. */
    const struct pcr_ladder *ladder;
    uint8_t background[4]; /* R, G, B for PCR_DECODE_BACKGROUND; background[3] is 0 */
    /* Decode one image by up to so many threads, 1 to 64; 0 means 1, the calling thread alone.
     * Divides large images of the coding "packed", which can be entered every so many rows;
     * others are decoded by the calling thread. Where a thread cannot be started, its part is
     * the calling thread's. The pixels are the same. */
    uint32_t threads;
};

/* Size and orientation of an image. */
struct pcr_image_info {
    uint32_t size;        /* set by the caller */
    uint32_t width;       /* in pixels, as delivered: scaled, upright, cropped */
    uint32_t height;      /* in pixels, as delivered */
    uint32_t channels;    /* 3 or 1 */
    uint32_t orientation; /* the one found or given, 1..8 */
    uint32_t reserved;    /* 0 */
};

/* A decoder holds scratch memory that it reuses from image to image. Use a decoder from one
 * thread at a time; different decoders are independent. */
struct pcr_decoder;

/* What was done with an image's ICC profile. */
enum pcr_profile_use {
    PCR_PROFILE_NONE = 0,      /* there is none, or PCR_DECODE_TO_SRGB was not set */
    PCR_PROFILE_SRGB = 1,      /* pixels already are sRGB, to within a level */
    PCR_PROFILE_CONVERTED = 2, /* pixels were converted to sRGB */
    PCR_PROFILE_UNUSABLE = 3,  /* damaged, or made for other pixels: pixels are unchanged */
};

/* Creates a decoder. Codes: NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_decoder_create(struct pcr_decoder **out, struct pcr_error *err);

/* Destroys *d and sets it to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_decoder_destroy(struct pcr_decoder **d);

/* Reads the size and orientation of an encoded image without decoding it. The picture may have
 * any size. `opts` may be NULL. Codes: FORMAT (not JPEG, PNG, WebP, TIFF, GIF, BMP, PBM, PGM, PPM),
 * CORRUPT, TRUNCATED, UNSUPPORTED (the file's contents; a scale for others than JPEG), LIMIT,
 * INVAL (options), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_decoder_inspect(struct pcr_decoder *d, const void *data,
                                               size_t nbytes,
                                               const struct pcr_decode_options *opts,
                                               struct pcr_image_info *info_out,
                                               struct pcr_error *err);

/* What was done with the profile of the image that was decoded or inspected last: enum
 * pcr_profile_use. */
PCR_API uint32_t pcr_decoder_profile(const struct pcr_decoder *d);

/* Decodes a whole image (JPEG at any fidelity, or another format) to uint8 rows, top to bottom.
 *
 * data, nbytes: the encoded image; not kept.
 * opts: NULL means RGB, turned upright.
 * pixels: the destination, `stride_nbytes` from row to row (at least width * channels, or
 *   width if planar) and `capacity_nbytes` in all. It must hold height * stride_nbytes (times
 *   channels if planar) for the size that pcr_decoder_inspect() gives. On failure its contents
 *   are unspecified.
 *
 * JPEG: YCbCr and RGB give RGB. CMYK and YCCK are converted without a profile: R = C*K/255 of
 *   the stored values, which are 255 less the inks, as Adobe writes them. Files without
 *   Adobe's marker are read in the same way, as in Pillow. The inverse DCT is the accurate
 *   integer one, with triangle-filter chroma upsampling and no block smoothing. At full
 *   fidelity, and at any with PCR_DECODE_IDENTICAL, pixels equal libjpeg-turbo's, with one
 *   exception: flat blocks whose DC times its step is 4,096 or more, where 8-bit samples give
 *   at most 1,024. Those are white or black here; libjpeg-turbo's C code wraps around there,
 *   and its SIMD code at 8,192.
 * PNG: alpha is dropped unless there is a background; 16 bits are cut to 8.
 * Damage: a damaged image is CORRUPT, never a gray or half-filled picture. Damage in parts
 *   that the requested pixels do not need (rows below a window, chroma for gray) may go
 *   unnoticed.
 *
 * Codes: as pcr_decoder_inspect(), and INVAL if the destination is too small. */
PCR_API PCR_MUST_CHECK int pcr_decoder_decode(
    struct pcr_decoder *d, const void *data, size_t nbytes,
    const struct pcr_decode_options *opts, uint8_t *pixels, size_t stride_nbytes,
    size_t capacity_nbytes, struct pcr_image_info *info_out, struct pcr_error *err);

/* As pcr_decoder_decode(), into a buffer that grows as needed, without gaps between rows
 * (the stride is width * channels, or width if planar). It parses the image once, where
 * pcr_decoder_inspect() and pcr_decoder_decode() parse it twice. */
PCR_API PCR_MUST_CHECK int pcr_decoder_decode_alloc(struct pcr_decoder *d, const void *data,
                                                    size_t nbytes,
                                                    const struct pcr_decode_options *opts,
                                                    struct pcr_buffer *pixels,
                                                    struct pcr_image_info *info_out,
                                                    struct pcr_error *err);

/* As pcr_decoder_decode_alloc(), for an image in pieces, such as pcr_slice_spans() gives. The
 * pieces are not copied. Each ends at the end of a marker segment or of a scan's data; EOI is
 * not needed. A list of one span is a whole file. The pieces must stay valid as long as
 * pcr_decoder_continue() may follow. */
PCR_API PCR_MUST_CHECK int pcr_decoder_decode_spans(struct pcr_decoder *d,
                                                    const struct pcr_spans *spans,
                                                    const struct pcr_decode_options *opts,
                                                    struct pcr_buffer *pixels,
                                                    struct pcr_image_info *info_out,
                                                    struct pcr_error *err);

/* Decodes the image of the last pcr_decoder_decode_spans() again, at a higher fidelity: `more`
 * are the pieces that follow those it had. Only these are decoded, for the library's own
 * decoder has kept the coefficients; the pixels are made from all pieces, with the same
 * options. May be called repeatedly. Codes: as pcr_decoder_decode(), and INVAL if the last
 * call failed or something else was decoded since. */
PCR_API PCR_MUST_CHECK int pcr_decoder_continue(struct pcr_decoder *d,
                                                const struct pcr_spans *more,
                                                struct pcr_buffer *pixels,
                                                struct pcr_image_info *info_out,
                                                struct pcr_error *err);

/* --- pcr_decoder_baseline: Writing a JPEG of the kind that hardware decodes --- */

/* pcr_baseline_options.restart_rows: no restart markers */
#define PCR_NO_RESTARTS UINT32_MAX

/* How to write a baseline JPEG. */
struct pcr_baseline_options {
    uint32_t size;                   /* sizeof(struct pcr_baseline_options) */
    uint32_t flags;                  /* 0 */
    const struct pcr_limits *limits; /* NULL: the defaults */
    const struct pcr_ladder *ladder; /* as in struct pcr_decode_options */
    /* Rows of MCUs from one restart marker to the next, fewer if an interval would be longer
     * than the 65,535 MCUs that JPEG allows; default 1; or PCR_NO_RESTARTS. */
    uint32_t restart_rows;
    uint32_t reserved; /* 0 */
};

/* Writes the coefficients of a JPEG image, of any coding and fidelity, as a baseline JPEG file:
 * sequential, with the Huffman tables of the standard's annex K and restart markers, as hardware
 * decoders need it. Coefficients and quantisation, and therefore the pixels, are the image's; no
 * pixels are made. Metadata before the first scan is copied.
 *
 * spans: as for pcr_decoder_decode_spans(); a whole file is a list of one span.
 * opts: NULL means the defaults.
 * out: the file; replaced.
 *
 * One scan holds all components, or each has its own if an MCU would have more than ten blocks.
 * Quantisation steps above 255 make the file extended sequential (SOF1).
 *
 * Codes: FORMAT (not a JPEG), CORRUPT, TRUNCATED, UNSUPPORTED (what the library's own decoder
 * declines; coefficients beyond what 8-bit JPEG codes), LIMIT, INVAL (options), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_decoder_baseline(struct pcr_decoder *d,
                                                const struct pcr_spans *spans,
                                                const struct pcr_baseline_options *opts,
                                                struct pcr_buffer *out, struct pcr_error *err);

/* Encodes packed uint8 pixels, RGB or gray, as a baseline JPEG file, by libjpeg. Colours have half
 * the resolution (4:2:0). The bytes do not depend on the CPU.
 *
 * pixels: height rows of width * channels bytes; channels is 1 or 3.
 * quality: libjpeg's, 1 to 100.
 * out: the file; replaced.
 *
 * Codes: INVAL, LIMIT (a side above 65,500 pixels), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_jpeg_encode(const uint8_t *pixels, uint32_t width,
                                           uint32_t height, uint32_t channels,
                                           uint32_t quality, struct pcr_buffer *out,
                                           struct pcr_error *err);

/* --- pcr_resize: Resizing an image, or a window of it --- */

/* The filter that makes the result's pixels from the source's, in Pillow's terms. BILINEAR and
 * BICUBIC are antialiased: they widen with the reduction, as in Pillow's Image.resize(). */
enum pcr_filter {
    PCR_FILTER_DEFAULT = 0,  /* means BILINEAR */
    PCR_FILTER_BILINEAR = 1, /* a triangle */
    PCR_FILTER_BICUBIC = 2,  /* a cubic with a = -1/2: sharper, and up to half again as slow */
    PCR_FILTER_NEAREST = 3,  /* the pixel under the centre: not antialiased */
};

/* A window of an image, and how it becomes width x height output pixels. Coordinates are in
 * pixels of the source, turned upright; they may be fractions (x0 = 1.5). */
struct pcr_resize_options {
    uint32_t size;         /* sizeof(struct pcr_resize_options) */
    uint32_t flags;        /* PCR_RESIZE_* */
    double x0, y0, x1, y1; /* the window; all 0: the whole image */
    uint32_t filter;       /* enum pcr_filter */
    /* Resize the window to grid_width x grid_height pixels, then deliver the part of them that
     * begins at grid_x, grid_y, as by a resize followed by a crop. Only what that part needs
     * is decoded. All 0: no grid, the whole window is the result. INVAL if the result reaches
     * beyond the grid. */
    uint32_t grid_width, grid_height, grid_x, grid_y;
    uint32_t reserved; /* 0 */
};

/* Flags of struct pcr_resize_options. */
enum {
    PCR_RESIZE_FLIP = 1 << 0,   /* mirror left to right */
    PCR_RESIZE_PLANAR = 1 << 1, /* write one plane per channel (CHW) instead of HWC */
};

/* Resizes a window of packed uint8 pixels. The result equals that of Pillow's resize() with a
 * box and the same filter within 1 level, with NEAREST exactly. With a grid it equals Pillow's
 * crop() of that. Rows are resized first, then columns; Pillow 13 begins with columns where the
 * height shrinks and the width grows, and BICUBIC, which is cut to 0 to 255 in between, can then
 * differ by more.
 *
 * d: lends scratch memory.
 * src: src_height rows of src_width * channels bytes; channels is 1 or 3.
 * opts: NULL means the whole image, bilinear.
 * dst: dst_height x dst_width x channels bytes, packed.
 *
 * Codes: INVAL (a window that is empty or reaches outside), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_resize(struct pcr_decoder *d, const uint8_t *src,
                                      uint32_t src_width, uint32_t src_height,
                                      uint32_t channels, const struct pcr_resize_options *opts,
                                      uint8_t *dst, uint32_t dst_width, uint32_t dst_height,
                                      struct pcr_error *err);

/* Decodes an image and resizes a window of it. Only what the window needs is decoded. With a
 * scale in `opts` the result equals that of pcr_decoder_decode_spans() followed by
 * pcr_resize(), bit for bit.
 *
 * With scale 0 it does so, too, unless a JPEG shrinks to a quarter or less in both directions, by
 * a filter other than NEAREST. It is then decoded to 4/8, 2/8 or 1/8 of its size, the least that
 * leaves two pixels or more for each of the result, and resized from there: less to decode, and
 * an SSIM of .999 on average, .995 at worst, against the result of scale 8.
 *
 * spans: as for pcr_decoder_decode_spans(); a whole file is a list of one span.
 * opts: without a crop window and PCR_DECODE_PLANAR; set PCR_RESIZE_PLANAR in `resize`
 * instead.
 * resize: its window is in pixels of the whole picture (upright; scaled if `opts` has a scale,
 * with 0 not); NULL: all of it.
 * dst: dst_height x dst_width x channels bytes, packed.
 *
 * Codes: as those two functions. */
PCR_API PCR_MUST_CHECK int pcr_decoder_decode_resized(
    struct pcr_decoder *d, const struct pcr_spans *spans,
    const struct pcr_decode_options *opts, const struct pcr_resize_options *resize,
    uint8_t *dst, uint32_t dst_width, uint32_t dst_height, struct pcr_error *err);

/* One of several pictures that are made of one image. */
struct pcr_decode_view {
    const struct pcr_resize_options *resize; /* NULL: the whole picture */
    uint8_t *dst;                            /* height x width x channels bytes, packed */
    uint32_t width, height;                  /* of the result */
};

/* As pcr_decoder_decode_resized() for each of `count` views (at least 1), but the image is read
 * and decoded once, as far as any of them needs. All are made from the same pixels, of the size
 * that the one that shrinks least needs; so with scale 0 and views that shrink to a quarter or
 * less, the pixels of the others are those of a larger scale. */
PCR_API PCR_MUST_CHECK int pcr_decoder_decode_views(struct pcr_decoder *d,
                                                    const struct pcr_spans *spans,
                                                    const struct pcr_decode_options *opts,
                                                    const struct pcr_decode_view *views,
                                                    uint32_t count, struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
