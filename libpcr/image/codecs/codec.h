/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of functions that each codec fills in. */
#ifndef PCRI_CODEC_H
#define PCRI_CODEC_H

#include "../pixels/target.h"

/* What a codec finds in an image's headers. */
struct pcri_stored_info {
    uint32_t width, height;   /* pixels as stored and scaled, before orientation */
    uint32_t orientation;     /* 1..8, of the image's own metadata */
    uint32_t component_count; /* 1: gray, 3: colour, 4: inks */
    bool has_alpha;
    bool is_exact; /* no JPEG: gray or RGB of 8 bits, and rows() lose nothing of it */
};

/* Takes the next row of a window, packed pixels that last until it returns. */
typedef void pcri_row_fn(void *context, const uint8_t *pixels);

/* One implementation of one file format. A state decodes one image after another, in one
 * thread at a time: begin, perhaps rows, end. */
struct pcri_codec {
    const char *name;
    /* What every such file begins with: magic_count strings of magic_nbytes, one after another; of
     * JPEG the codings say it. */
    const char *magics;
    uint32_t magic_nbytes, magic_count;
    bool in_pieces; /* it takes more than one span, and more of them between two rows() */
    bool scales;    /* it decodes to eighths of the size */
    int (*create)(void **state_out, struct pcr_error *err);
    void (*destroy)(void *state); /* accepts NULL */
    /* Parses the headers of a file, which begins with the magic; list and bytes must stay until
     * end. Checks the limits but for pixels; takes no memory that grows with these. */
    int (*begin)(void *state, const struct pcr_spans *file,
                 const struct pcri_decode_params *params, struct pcri_stored_info *info_out,
                 struct pcr_error *err);
    /* Bytes that rows() will use in proportion to the picture, besides its result. */
    uint64_t (*held)(void *state, const struct pcri_rect *window);
    /* Decodes a window that lies within the picture, to 3 (RGB), 1 (GRAY) or 4 (INKS) bytes a
     * pixel, or one more with alpha (both of the latter packed), and reads the file to its end. */
    int (*rows)(void *state, const struct pcri_rect *window, const struct pcri_target *target,
                struct pcr_error *err);
    /* As rows(), row by row from the window's first, holding few of them. PCR_END, with
     * nothing read: this picture cannot be read that way. NULL: none can. */
    int (*stream)(void *state, const struct pcri_rect *window, pcri_row_fn *row, void *context,
                  struct pcr_error *err);
    /* Frees the image's memory; also after a failure. */
    void (*end)(void *state);
};

extern const struct pcri_codec pcri_codec_native; /* JPEG, libpcr's own (native.c) */
/* Only the coefficients, by a state of that codec: the decoder of the image's coding, with its
 * header parsed. The caller checks limits on pixels. */
struct pcri_native_blocks {
    const struct pcri_block_decoder *decoder;
    void *state;
    const struct pcri_block_source *source;
};
int pcri_native_open(void *state, const struct pcr_spans *file,
                     const struct pcri_decode_params *params, struct pcri_native_blocks *out,
                     struct pcr_error *err);
extern const struct pcri_codec pcri_codec_exact; /* JPEG and residual (exact.c) */
extern const struct pcri_codec pcri_codec_turbo; /* JPEG by libjpeg-turbo (turbo.c) */
extern const struct pcri_codec pcri_codec_png;   /* PNG by libpng (png.c) */
extern const struct pcri_codec pcri_codec_webp;  /* WebP by libwebp (webp.c, no_webp.c) */
/* TIFF by libtiff (tiff.c, no_tiff.c); also BigTIFF. */
extern const struct pcri_codec pcri_codec_tiff;
#define PCRI_TIFF_MAGICS "II*\0MM\0*II+\0MM\0+"
extern const struct pcri_codec pcri_codec_gif; /* GIF (gif.c) */
extern const struct pcri_codec pcri_codec_bmp; /* BMP (bmp.c) */
extern const struct pcri_codec pcri_codec_pnm; /* PBM, PGM, PPM (pnm.c) */

/* The orientation of a PNG file that begins with the magic, 1 to 8. `scratch` is overwritten.
 * NOMEM. */
int pcri_png_orientation(const uint8_t *data, size_t nbytes, struct pcr_buffer *scratch,
                         uint32_t *orientation_out, struct pcr_error *err);

#endif
