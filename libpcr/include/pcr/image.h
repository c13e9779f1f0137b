/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding one image to pixels. */
#ifndef PCR_IMAGE_H
#define PCR_IMAGE_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pcr_color {
    PCR_COLOR_DEFAULT = 0, /* means RGB */
    PCR_COLOR_RGB = 1,     /* 3 bytes a pixel: R, G, B */
    PCR_COLOR_GRAY = 2,    /* 1 byte a pixel: luma */
};

enum {
    /* Leave the pixels as they are stored. Without it they are turned upright, as by Pillow's
     * ImageOps.exif_transpose(): as the first EXIF block says (JPEG: APP1; PNG: eXIf, else the
     * text "Raw profile type exif"); where that has no orientation, tiff:Orientation of XMP. */
    PCR_DECODE_KEEP_ORIENTATION = 1 << 0,
    /* At an incomplete fidelity take each coefficient at the lower end of its interval, as
     * libjpeg-turbo does, and give its pixels bit for bit. Without it coefficients stand
     * nearer to the middle, which is closer to the original; at full fidelity both modes
     * are the same. */
    PCR_DECODE_IDENTICAL = 1 << 1,
    /* Write one plane a channel (CHW) instead of HWC. A plane is height * stride_nbytes. */
    PCR_DECODE_PLANAR = 1 << 2,
    /* Lay pixels that are not opaque over options.background, in place of dropping a PNG's
     * alpha (and the transparency that tRNS gives to colours). */
    PCR_DECODE_BACKGROUND = 1 << 3,
    /* Convert an image with an ICC profile to sRGB, by Little CMS with perceptual intent: RGB,
     * gray and CMYK profiles, of JPEG (APP2) and PNG (iCCP). One that changes nothing by more
     * than a level costs nothing, and one that is damaged or for other pixels than these is
     * passed over: pcr_decoder_profile() tells. Before the background comes in. */
    PCR_DECODE_TO_SRGB = 1 << 4,
};

enum pcr_decoder_kind {
    PCR_DECODER_AUTO = 0,  /* our own decoder, and libjpeg-turbo for what it declines */
    PCR_DECODER_TURBO = 1, /* libjpeg-turbo; for JPEG it implies PCR_DECODE_IDENTICAL */
};

struct pcr_ladder; /* ladder.h */

struct pcr_decode_options {
    uint32_t size;  /* sizeof(struct pcr_decode_options) */
    uint32_t flags; /* PCR_DECODE_* */
    uint32_t color; /* enum pcr_color */
    uint32_t
        orientation; /* 1..8, as EXIF numbers them; 0: read it from the image's metadata */
    const struct pcr_limits *limits; /* NULL: the defaults */
    uint32_t decoder;                /* enum pcr_decoder_kind */
    /* Decode to scale/8 of the size, 1 to 8; 0 means 8. Width and height are rounded up.
     * JPEG does it in the inverse DCT, as libjpeg-turbo; other formats are UNSUPPORTED. */
    uint32_t scale;
    /* The window to deliver, in pixels of the picture as it would be delivered without it
     * (scaled, upright): just what it touches is decoded, and its pixels are those of the
     * whole picture. All four 0: the whole picture. A window that is empty or reaches
     * beyond the picture is INVAL. */
    uint32_t crop_x, crop_y, crop_width, crop_height;
    /* NULL, or the ladder that the image was coded by: a JPEG with other scans is then
     * CORRUPT, and libjpeg-turbo is not asked about damage. */
    const struct pcr_ladder *ladder;
    uint8_t background[4]; /* R, G, B with PCR_DECODE_BACKGROUND; background[3]: 0 */
    uint32_t reserved;     /* 0 */
};

struct pcr_image_info {
    uint32_t size;  /* set by the caller */
    uint32_t width; /* pixels, as they are delivered: scaled, upright, cropped */
    uint32_t height;
    uint32_t channels;    /* 3 or 1 */
    uint32_t orientation; /* what was found or given, 1..8 */
    uint32_t reserved;
};

/* A decoder holds scratch memory that it reuses from image to image. One thread at a
 * time; different decoders are independent. */
struct pcr_decoder;

/* What became of an image's ICC profile. */
enum pcr_profile_use {
    PCR_PROFILE_NONE = 0, /* it has none, or PCR_DECODE_TO_SRGB was not asked for */
    PCR_PROFILE_SRGB = 1, /* pixels are sRGB as they are, to within a level */
    PCR_PROFILE_CONVERTED = 2,
    PCR_PROFILE_UNUSABLE = 3, /* damaged, or not for such pixels: they are as they were */
};

/* Creates a decoder. Codes: NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_decoder_create(struct pcr_decoder **out, struct pcr_error *err);

/* Destroys *d and sets it to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_decoder_destroy(struct pcr_decoder **d);

/* Reads the size and orientation of an encoded image (JPEG or PNG) without decoding it; a
 * picture of any size.
 * `opts` may be NULL. Codes: FORMAT (neither JPEG nor PNG), CORRUPT, TRUNCATED,
 * UNSUPPORTED (what the file holds; a scale for PNG), LIMIT, INVAL (options), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_decoder_inspect(struct pcr_decoder *d, const void *data,
                                               size_t nbytes,
                                               const struct pcr_decode_options *opts,
                                               struct pcr_image_info *info_out,
                                               struct pcr_error *err);

/* What became of the profile of the image that was decoded or inspected last: enum
 * pcr_profile_use. */
PCR_API uint32_t pcr_decoder_profile(const struct pcr_decoder *d);

/* Decodes a whole image (JPEG at any fidelity, or PNG) to uint8 rows, top to bottom.
 *
 * data, nbytes: the encoded image; not kept.
 * opts: NULL for RGB with orientation applied.
 * pixels: the destination, `stride_nbytes` from row to row (at least width * channels, or
 *   width if planar), `capacity_nbytes` in all; it must hold height * stride_nbytes (times
 *   channels if planar), as pcr_decoder_inspect() gives the size. On failure its contents
 *   are unspecified.
 * JPEG colour: YCbCr and RGB give RGB; CMYK and YCCK are converted without a profile
 *   (R = C*K/255 of the stored values, which are 255 less the inks, as Adobe writes them;
 *   files without Adobe's marker are taken so too, as Pillow takes them). The inverse DCT is
 *   the accurate integer one with triangle-filter chroma upsampling and no block smoothing; at
 *   full fidelity, and with PCR_DECODE_IDENTICAL at any, pixels equal libjpeg-turbo's. The
 *   exception: flat blocks whose DC times its step is 4,096 or more, where samples of 8 bits make
 *   1,024 at most. They are white or black here; libjpeg-turbo's C code wraps there, and its
 *   SIMD code at 8,192.
 * A PNG's alpha is dropped if there is no background, 16 bits are cut to 8.
 * A damaged image is CORRUPT, never a gray or half-filled picture. Of damage in what the
 * pixels asked for do not need (rows below a window, chroma for gray) it may say nothing.
 * Codes: as pcr_decoder_inspect(), and INVAL where the destination is too small. */
PCR_API PCR_MUST_CHECK int pcr_decoder_decode(
    struct pcr_decoder *d, const void *data, size_t nbytes,
    const struct pcr_decode_options *opts, uint8_t *pixels, size_t stride_nbytes,
    size_t capacity_nbytes, struct pcr_image_info *info_out, struct pcr_error *err);

/* As pcr_decoder_decode(), into a buffer that is grown as needed, without gaps between rows
 * (the stride is width * channels, or width if planar). One parse instead of inspect and
 * decode. */
PCR_API PCR_MUST_CHECK int pcr_decoder_decode_alloc(struct pcr_decoder *d, const void *data,
                                                    size_t nbytes,
                                                    const struct pcr_decode_options *opts,
                                                    struct pcr_buffer *pixels,
                                                    struct pcr_image_info *info_out,
                                                    struct pcr_error *err);

/* The same, of an image in pieces, which stay where they are: what pcr_slice_spans() gives.
 * A piece ends with a marker segment or with a scan's data; EOI is not needed. A list of one
 * span is a whole file. The pieces must stay as long as pcr_decoder_continue() may follow. */
PCR_API PCR_MUST_CHECK int pcr_decoder_decode_spans(struct pcr_decoder *d,
                                                    const struct pcr_spans *spans,
                                                    const struct pcr_decode_options *opts,
                                                    struct pcr_buffer *pixels,
                                                    struct pcr_image_info *info_out,
                                                    struct pcr_error *err);

/* The image that pcr_decoder_decode_spans() decoded last, and successfully, at a higher
 * fidelity: `more` are the pieces that follow. Only those are decoded (our own decoder has
 * kept the coefficients), and pixels made of all, by the same options. May be called again.
 * Codes: as above, and INVAL where something else was decoded in between or failed. */
PCR_API PCR_MUST_CHECK int pcr_decoder_continue(struct pcr_decoder *d,
                                                const struct pcr_spans *more,
                                                struct pcr_buffer *pixels,
                                                struct pcr_image_info *info_out,
                                                struct pcr_error *err);

/* Pixels of a result out of those of its source, in Pillow's terms. BILINEAR and BICUBIC grow
 * with the reduction (they are antialiased), as in Pillow's Image.resize(). */
enum pcr_filter {
    PCR_FILTER_DEFAULT = 0,  /* means BILINEAR */
    PCR_FILTER_BILINEAR = 1, /* a triangle */
    PCR_FILTER_BICUBIC = 2,  /* a cubic with a = -1/2: sharper, and up to half again as slow */
    PCR_FILTER_NEAREST = 3,  /* the pixel under the centre: not antialiased */
};

/* A window of an image and how it becomes width x height output pixels. Coordinates are
 * in source pixels, after orientation; fractions are allowed (x0 = 1.5). */
struct pcr_resize_options {
    uint32_t size;         /* sizeof(struct pcr_resize_options) */
    uint32_t flags;        /* PCR_RESIZE_* */
    double x0, y0, x1, y1; /* the window; all zero: the whole image */
    uint32_t filter;       /* enum pcr_filter */
    /* The window becomes grid_width x grid_height pixels, of which those from grid_x, grid_y
     * on are delivered, as by a resize and then a crop; just what they take is decoded. All 0:
     * all are delivered. INVAL where the result reaches beyond the grid. */
    uint32_t grid_width, grid_height, grid_x, grid_y;
    uint32_t reserved; /* 0 */
};

enum {
    PCR_RESIZE_FLIP = 1 << 0,   /* mirror left to right */
    PCR_RESIZE_PLANAR = 1 << 1, /* write one plane a channel (CHW) instead of HWC */
};

/* Resizes a window of packed uint8 pixels. Equal to Pillow's resize() with a box and the same
 * filter, within 1 level; NEAREST exactly. With a grid, to its crop() of that.
 *
 * src: src_height rows of src_width * channels bytes; channels 1 or 3.
 * dst: dst_height x dst_width x channels bytes, packed.
 * The decoder `d` lends scratch memory. Codes: INVAL (empty or outside window), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_resize(struct pcr_decoder *d, const uint8_t *src,
                                      uint32_t src_width, uint32_t src_height,
                                      uint32_t channels, const struct pcr_resize_options *opts,
                                      uint8_t *dst, uint32_t dst_width, uint32_t dst_height,
                                      struct pcr_error *err);

/* Decodes an image and resizes a window of it, as pcr_decoder_decode_spans() and pcr_resize()
 * one after the other would, bit for bit; but only what the window needs is decoded.
 *
 * spans: as for pcr_decoder_decode_spans(); a whole file is a list of one span.
 * opts: no crop window, and not PCR_DECODE_PLANAR; resize->flags has that for the result.
 * resize: its window is in pixels of the whole picture (scaled, upright); NULL: all of it.
 * dst: dst_height x dst_width x channels bytes, packed.
 * Codes: as those two. */
PCR_API PCR_MUST_CHECK int pcr_decoder_decode_resized(
    struct pcr_decoder *d, const struct pcr_spans *spans,
    const struct pcr_decode_options *opts, const struct pcr_resize_options *resize,
    uint8_t *dst, uint32_t dst_width, uint32_t dst_height, struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
