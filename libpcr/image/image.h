/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of image decoding share: the table of functions that each codec fills in,
 * orientation, and the decoder object. */
#ifndef PCRI_IMAGE_H
#define PCRI_IMAGE_H

#include <pcr/image.h>

#include "../base/base.h"
#include "resize_rows.h"

enum { PCRI_COLOR_INKS = PCR_COLOR_GRAY + 1 }; /* C, M, Y and K; 255: all ink */

/* What the caller of a codec wants; color is RGB or GRAY, and limits are filled in. */
struct pcri_decode_params {
    uint32_t color; /* or PCRI_COLOR_INKS for JPEG of four components */
    bool alpha;     /* of PNG that has it: a channel more, behind the others */
    uint32_t scale; /* 1 to 8, in eighths */
    bool identical; /* as PCR_DECODE_IDENTICAL */
    const struct pcr_ladder *ladder;
    struct pcr_limits limits;
};

/* What a codec finds in an image's headers. */
struct pcri_stored_info {
    uint32_t width, height; /* pixels as stored and scaled, before orientation */
    uint32_t orientation;   /* 1..8, of the image's own metadata */
    uint32_t component_count; /* 1: gray, 3: colour, 4: inks */
    bool has_alpha;
};

/* A part of a picture as it is stored and scaled; not empty. */
struct pcri_window {
    uint32_t x, y, width, height;
};

/* Where pixels go. */
struct pcri_target {
    uint8_t *data;
    size_t stride_nbytes; /* from row to row */
    size_t plane_nbytes;  /* from plane to plane; 0: packed pixels */
};

/* Takes the next row of a window, packed pixels that last till it returns. */
typedef void pcri_row_fn(void *opaque, const uint8_t *pixels);

/* One implementation of one file format. A state decodes one image after another, in one
 * thread at a time: begin, perhaps rows, end. */
struct pcri_codec {
    const char *name;
    uint8_t magic[8]; /* what every such file begins with */
    uint32_t magic_nbytes;
    bool in_pieces; /* it takes more than one span, and more of them between two rows() */
    int (*create)(void **state_out, struct pcr_error *err);
    void (*destroy)(void *state); /* accepts NULL */
    /* Parses the headers of a file, which begins with the magic; list and bytes must stay till
     * end. Checks the limits but for pixels; takes no memory that grows with these. */
    int (*begin)(void *state, const struct pcr_spans *file,
                 const struct pcri_decode_params *params, struct pcri_stored_info *info_out,
                 struct pcr_error *err);
    /* Bytes that rows() will hold in proportion to the picture, beside what it delivers. */
    uint64_t (*held)(void *state, const struct pcri_window *window);
    /* Decodes a window that lies within the picture, to 3 (RGB), 1 (GRAY) or 4 (INKS) bytes a
     * pixel, or one more with alpha (both of the latter packed), and reads the file to its end. */
    int (*rows)(void *state, const struct pcri_window *window,
                const struct pcri_target *target, struct pcr_error *err);
    /* As rows(), row by row, from the window's first on, holding few of them. PCR_END, with nothing
     * read: this picture does not come so. NULL: none does. */
    int (*stream)(void *state, const struct pcri_window *window, pcri_row_fn *row, void *opaque,
                  struct pcr_error *err);
    /* Frees what the image took; also after a failure. */
    void (*end)(void *state);
};

extern const struct pcri_codec pcri_codec_native; /* JPEG, our own (native.c) */
extern const struct pcri_codec pcri_codec_turbo; /* JPEG by libjpeg-turbo (turbo.c) */
extern const struct pcri_codec pcri_codec_png;   /* PNG by libpng (png.c) */

enum { PCRI_CODEC_COUNT = 3 };

/* What is done to pixels as a codec gives them; chosen for an image. */
struct pcri_stage {
    bool on;            /* else the rest is without effect */
    bool alpha;         /* is the last of the channels */
    uint32_t color, channels; /* that the codec is to give */
    const void *transform; /* to sRGB, or NULL */
    uint8_t background[3];
};

/* An image between begin and end. */
struct pcri_decode_job {
    const struct pcri_codec *codec; /* NULL: there is nothing to end */
    void *state;
    size_t index; /* of the codec */
    struct pcri_decode_params params;
    struct pcri_stored_info stored;
    struct pcri_window window; /* of the stored picture */
    uint32_t turn;             /* orientation to apply, 1: none */
    struct pcri_stage stage;
    struct pcr_image_info info;
};

struct pcr_decoder {
    void *states[PCRI_CODEC_COUNT];
    struct pcr_spans spans;      /* the file as it was given */
    struct pcr_spans one;        /* the file in one piece, for codecs that need that, */
    struct pcr_buffer joined;    /* and its bytes if they had to be joined */
    bool may_continue;           /* the job below is open for more pieces */
    struct pcri_decode_job job;
    struct pcr_decode_options options; /* of that job */
    struct pcr_buffer stored;    /* pixels before orientation */
    struct pcri_icc *icc;        /* NULL till it is needed */
    struct pcr_buffer profile;   /* of the image */
    uint32_t profile_use;        /* enum pcr_profile_use */
    struct pcr_buffer raw, line; /* pixels as the codec gives them, and a row of them after that */
    struct pcr_buffer source;    /* pixels to be resized */
    struct pcr_buffer taps[2];   /* resize: the filters of rows and of columns */
    struct pcr_buffer table;     /* resize: how rows are made */
    struct pcr_buffer between;   /* resize: what one pass hands to the next */
    const struct pcri_resize_rows *resize_rows;
};

/* Row y of the target, of n packed pixels: copied, or cut into planes. */
void pcri_store_row(const struct pcri_target *target, uint32_t y, const uint8_t *pixels,
                    uint32_t n, uint32_t channels);

/* The orientation of a PNG file that begins with the magic, 1 to 8. `scratch` is overwritten.
 * NOMEM. */
int pcri_png_orientation(const uint8_t *data, size_t nbytes, struct pcr_buffer *scratch,
                         uint32_t *orientation_out, struct pcr_error *err);

/* The luma of one pixel: ITU-R BT.601 in 16 bits, as JPEG's own conversion. */
static inline uint8_t pcri_luma(unsigned r, unsigned g, unsigned b)
{
    return (uint8_t) ((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
}

/* --- stage.c --- */

/* Decides for an image in d->spans, and notes what becomes of its profile. NOMEM. */
int pcri_stage_choose(struct pcr_decoder *d, const struct pcr_decode_options *o,
                      const struct pcri_stored_info *stored, struct pcri_stage *out,
                      struct pcr_error *err);
/* n pixels as the codec gives them, to RGB or luma by `channels`; `row` has room for 3 n bytes. */
void pcri_stage_run(const struct pcri_stage *s, const uint8_t *pixels, uint32_t n,
                    uint32_t channels, uint8_t *row);

/* --- resize.c --- */

/* What a resize of a picture of `width` x `height` does; memory is the decoder's. */
struct pcri_resize_plan {
    struct pcri_filter across, down;
    uint32_t flags, filter, channels, dst_width, dst_height;
};

int pcri_resize_plan(struct pcr_decoder *d, const struct pcr_resize_options *opts,
                     uint32_t width, uint32_t height, uint32_t channels, uint32_t dst_width,
                     uint32_t dst_height, struct pcri_resize_plan *out,
                     struct pcr_error *err);

/* What a resize that is being carried out works with. */
struct pcri_resize_job {
    const struct pcri_resize_plan *plan;
    const struct pcri_resize_rows *rows;
    struct pcri_shrink shrink;
    uint16_t *between, *wide; /* one row; and, with a cubic, all rows of the result's width */
    size_t columns;           /* numbers in `between`, without what lies behind them */
    uint8_t *dst;
};

/* A resize whose source comes row by row: those that the next row of the result may take. */
struct pcri_resize_feed {
    struct pcri_resize_job job;
    uint8_t *held;
    size_t row_nbytes;
    uint32_t first, count, capacity; /* source rows held: from `first` on */
    uint32_t next;                   /* row of the result, or (cubic) of `wide` */
};

/* Begins one. The rows to come are the plan's: from down.begin to down.end, each from across.begin
 * to across.end; with the last one the result is complete. */
int pcri_resize_feed(struct pcr_decoder *d, const struct pcri_resize_plan *plan, uint8_t *dst,
                     struct pcri_resize_feed *out, struct pcr_error *err);
/* The next row. */
void pcri_resize_row(struct pcri_resize_feed *f, const uint8_t *pixels);

/* Carries it out at once. `src` holds the pixels of columns from `x` on and rows from `y` on, which
 * are at most the plan's across.begin and down.begin. */
int pcri_resize_run(struct pcr_decoder *d, const struct pcri_resize_plan *plan,
                    const uint8_t *src, size_t stride_nbytes, uint32_t x, uint32_t y,
                    uint8_t *dst, struct pcr_error *err);

/* --- orient.c --- */
static inline bool pcri_orientation_swaps(uint32_t orientation)
{
    return orientation >= 5; /* width and height change places */
}
/* Where a window of the upright picture lies in the stored one of `width` x `height`. */
struct pcri_window pcri_orient_window(struct pcri_window upright, uint32_t width,
                                      uint32_t height, uint32_t orientation);
/* Writes the upright picture of `width` x `height` stored, packed pixels of `channels`
 * bytes. Stored and upright pixels must not overlap. */
void pcri_orient(const uint8_t *src, uint32_t width, uint32_t height, uint32_t channels,
                 uint32_t orientation, uint8_t *dst, size_t dst_stride_nbytes);

#endif
