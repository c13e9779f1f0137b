/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder object, and the stage for pixels after a codec. */
#ifndef PCRI_IMAGE_H
#define PCRI_IMAGE_H

#include "../coding/codings.h"
#include "../jpeg/baseline.h"
#include "../jpeg/restore.h"
#include "codecs/codec.h"
#include "resize/resize.h"

enum { PCRI_CODEC_COUNT = 9 };

/* What is done to a codec's pixels; chosen for each image. */
struct pcri_stage {
    bool on;                  /* false: the rest has no effect */
    bool alpha;               /* is the last of the channels */
    uint32_t color, channels; /* that the codec must deliver */
    const void *transform;    /* to sRGB, or NULL */
    uint8_t background[3];
};

/* An image between begin and end. */
struct pcri_decode_job {
    const struct pcri_coding *coding; /* NULL: the file has no coding */
    const struct pcri_codec *codec;   /* NULL: there is nothing to end */
    void *state;
    size_t index; /* of the codec */
    struct pcri_decode_params params;
    struct pcri_stored_info stored;
    struct pcri_rect window; /* of the stored picture */
    uint32_t turn;           /* orientation to apply, 1: none */
    struct pcri_stage stage;
    struct pcr_image_info info;
};

/* One of the pictures that are made of a decode. */
struct pcri_view {
    struct pcri_resizer resizer;
    struct pcri_resize_plan plan;
    struct pcri_resize_feed feed;
    uint8_t *dst;
};

struct pcr_decoder {
    void *states[PCRI_CODEC_COUNT];
    struct pcr_spans spans;    /* the file as it was given */
    struct pcr_spans one;      /* the file in one piece, for codecs that need that */
    struct pcr_buffer joined;  /* its bytes if they had to be joined */
    struct pcr_buffer written; /* and those that its coding had to generate */
    bool may_continue;         /* the job below is open for more pieces */
    struct pcri_decode_job job;
    struct pcr_decode_options options; /* of that job */
    struct pcr_buffer stored;          /* pixels before orientation */
    struct pcri_icc *icc;              /* NULL until needed */
    struct pcr_buffer profile;         /* of the image */
    uint32_t profile_use;              /* enum pcr_profile_use */
    struct pcr_buffer raw, line;       /* the codec's pixels, and a row of them after that */
    struct pcr_buffer source;          /* pixels before resizing */
    struct pcri_view *views; /* resizers of view_count pictures, the first of them in use */
    uint32_t view_count;
    struct pcri_baseline baseline;
    struct pcri_restorer restorer;
};

/* --- stage.c --- */

/* Chooses the stage for an image in d->spans (coding NULL: none), and notes what is done with
 * its profile. NOMEM. */
int pcri_stage_choose(struct pcr_decoder *d, const struct pcri_coding *coding,
                      const struct pcr_decode_options *o,
                      const struct pcri_stored_info *stored, struct pcri_stage *out,
                      struct pcr_error *err);
/* Converts n of the codec's pixels to RGB or luma, depending on `channels`; `row` has room for
 * 3 n bytes. */
void pcri_stage_run(const struct pcri_stage *s, const uint8_t *pixels, uint32_t n,
                    uint32_t channels, uint8_t *row);

/* --- orient.c --- */
static inline bool pcri_orientation_swaps(uint32_t orientation)
{
    return orientation >= 5; /* width and height are swapped */
}
/* Whether the upright picture's left or top edge is the other edge of the stored one. */
static inline bool pcri_orientation_mirrors(uint32_t orientation, bool top)
{
    const bool across = orientation == 2 || orientation == 3 || orientation >= 7;
    const bool down = orientation == 3 || orientation == 4 || orientation == 6 ||
                      orientation == 7;
    return top != pcri_orientation_swaps(orientation) ? down : across;
}
/* Where a window of the upright picture lies in the stored one of `width` x `height`. */
struct pcri_rect pcri_orient_window(struct pcri_rect upright, uint32_t width, uint32_t height,
                                    uint32_t orientation);
/* Writes the upright picture of `width` x `height` stored, packed pixels of `channels`
 * bytes, after which a byte must be readable, by up to so many threads, if they start. Stored and
 * upright pixels must not overlap. */
void pcri_orient(const uint8_t *src, uint32_t width, uint32_t height, uint32_t channels,
                 uint32_t orientation, uint32_t threads, uint8_t *dst,
                 size_t dst_stride_nbytes);

#endif
