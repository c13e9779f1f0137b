/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder object, and what is done to pixels after a codec has made them. */
#ifndef PCRI_IMAGE_H
#define PCRI_IMAGE_H

#include "../coding/codings.h"
#include "../jpeg/baseline.h"
#include "codecs/codec.h"
#include "resize/resize.h"

enum { PCRI_CODEC_COUNT = 3 };

/* What is done to pixels as a codec gives them; chosen for an image. */
struct pcri_stage {
    bool on;                  /* else the rest is without effect */
    bool alpha;               /* is the last of the channels */
    uint32_t color, channels; /* that the codec is to give */
    const void *transform;    /* to sRGB, or NULL */
    uint8_t background[3];
};

/* An image between begin and end. */
struct pcri_decode_job {
    const struct pcri_coding *coding; /* NULL: the file is of none */
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

struct pcr_decoder {
    void *states[PCRI_CODEC_COUNT];
    struct pcr_spans spans;    /* the file as it was given */
    struct pcr_spans one;      /* the file in one piece, for codecs that need that, */
    struct pcr_buffer joined;  /* its bytes if they had to be joined, */
    struct pcr_buffer written; /* and those that its coding had to write */
    bool may_continue;         /* the job below is open for more pieces */
    struct pcri_decode_job job;
    struct pcr_decode_options options; /* of that job */
    struct pcr_buffer stored;          /* pixels before orientation */
    struct pcri_icc *icc;              /* NULL until it is needed */
    struct pcr_buffer profile;         /* of the image */
    uint32_t profile_use;              /* enum pcr_profile_use */
    struct pcr_buffer raw,
        line; /* pixels as the codec gives them, and a row of them after that */
    struct pcr_buffer source; /* pixels to be resized */
    struct pcri_resizer resizer;
    struct pcri_baseline baseline;
};

/* --- stage.c --- */

/* Decides for an image in d->spans (coding NULL: of none), and notes what becomes of its profile.
 * NOMEM. */
int pcri_stage_choose(struct pcr_decoder *d, const struct pcri_coding *coding,
                      const struct pcr_decode_options *o,
                      const struct pcri_stored_info *stored, struct pcri_stage *out,
                      struct pcr_error *err);
/* n pixels as the codec gives them, to RGB or luma by `channels`; `row` has room for 3 n bytes. */
void pcri_stage_run(const struct pcri_stage *s, const uint8_t *pixels, uint32_t n,
                    uint32_t channels, uint8_t *row);

/* --- orient.c --- */
static inline bool pcri_orientation_swaps(uint32_t orientation)
{
    return orientation >= 5; /* width and height change places */
}
/* Where a window of the upright picture lies in the stored one of `width` x `height`. */
struct pcri_rect pcri_orient_window(struct pcri_rect upright, uint32_t width, uint32_t height,
                                    uint32_t orientation);
/* Writes the upright picture of `width` x `height` stored, packed pixels of `channels`
 * bytes. Stored and upright pixels must not overlap. */
void pcri_orient(const uint8_t *src, uint32_t width, uint32_t height, uint32_t channels,
                 uint32_t orientation, uint8_t *dst, size_t dst_stride_nbytes);

#endif
