/* SPDX-License-Identifier: BSD-2-Clause */
/* Test images made by code: photographs, and JPEG and PNG files of every kind. */
#ifndef PCR_GENERATOR_H
#define PCR_GENERATOR_H

#include <stdbool.h>

#include <pcr/base.h>

/* All functions are deterministic: integer arithmetic makes the pixels (of still lifes sums,
 * products and square roots of doubles), and libjpeg (or libpng, or this code byte by byte)
 * writes them, so that one version of these libraries gives the same bytes on each machine. All
 * are thread-safe. They return 0, or a negative pcr_code with *err (may be NULL) filled. */

enum pcr_gen_subsampling {
    PCR_GEN_420 = 0,
    PCR_GEN_444,
    PCR_GEN_422,
    PCR_GEN_440,
    PCR_GEN_411,
    PCR_GEN_410,
    PCR_GEN_GRAY,
    PCR_GEN_SUBSAMPLINGS, /* how many there are */
};

/* Classes that are none. */
enum {
    PCR_GEN_NO_CLASS = -1,
    PCR_GEN_STILL_LIFE = -2,
};

/* Pixels that look like a photograph to a codec: shaded and textured shapes with soft and
 * hard edges before a background, 1/f noise, sensor grain.
 *
 * klass: pictures of a class share colours, shape and texture, so that a classifier can
 *   tell classes apart; PCR_GEN_NO_CLASS: anything. PCR_GEN_STILL_LIFE: a ray-traced still
 *   life of 3 to 2, which people take for a photograph too, in some 10 us a pixel. The seed
 *   says where things lie.
 * rgb_out: width * height * 3 bytes, owned by the caller. width, height: 1 to 65535.
 * Codes: INVAL, NOMEM. */
int pcr_gen_pixels(uint64_t seed, int klass, uint32_t width, uint32_t height, uint8_t *rgb_out,
                   struct pcr_error *err);

/* A baseline JPEG file of such pixels with the standard Huffman tables.
 * quality: 1 to 100. out: replaced; free it with pcr_buffer_free().
 * Codes: INVAL, NOMEM. */
int pcr_gen_photo(uint64_t seed, uint32_t width, uint32_t height, int quality,
                  enum pcr_gen_subsampling subsampling, struct pcr_buffer *out);

/* As pcr_gen_photo(), of a class, with optimised Huffman tables if asked, with details of
 * a failure. */
int pcr_gen_photo_of(uint64_t seed, int klass, uint32_t width, uint32_t height, int quality,
                     enum pcr_gen_subsampling subsampling, bool optimise,
                     struct pcr_buffer *out, struct pcr_error *err);

/* What a reader must make of a case. */
enum pcr_gen_kind {
    PCR_GEN_GOOD_JPEG = 0,    /* JPEG scans hold it without loss */
    PCR_GEN_UNSUPPORTED_JPEG, /* an intact JPEG that they cannot hold */
    PCR_GEN_ODD_JPEG,         /* either held without loss or refused; see the case */
    PCR_GEN_BAD,              /* damaged, or no image */
    PCR_GEN_GOOD_PNG,
    PCR_GEN_BAD_PNG,
};

struct pcr_gen_case {
    const char *name; /* unique; a file name without its ending */
    enum pcr_gen_kind kind;
    uint32_t orientation; /* EXIF orientation that the file names, else 1 */
    bool no_pixels;       /* libjpeg reads its coefficients, but makes no pixels of it */
    bool passed_over; /* libjpeg may warn of it, and what is packed of it has other segments
                             (docs/FORMAT.md section 4) */
    int (*make)(const struct pcr_gen_case *c, struct pcr_buffer *out,
                struct pcr_error *err); /* replaces *out */
    const void *spec;                   /* for make() */
};

/* Case number `index`; NULL past the last. The order is fixed. */
const struct pcr_gen_case *pcr_gen_case(size_t index);

/* The case of that name; NULL if there is none. */
const struct pcr_gen_case *pcr_gen_find(const char *name);

/* Makes a case's file: c->make(). Codes: NOMEM; INVAL if libjpeg or libpng refuses. */
int pcr_gen_make(const struct pcr_gen_case *c, struct pcr_buffer *out, struct pcr_error *err);

/* The folder's name for a kind: "good", "unsupported", "odd", "bad" (PNGs too), "png". */
const char *pcr_gen_folder(enum pcr_gen_kind kind);

/* The file name's ending for a kind: "jpg" or "png". */
const char *pcr_gen_ending(enum pcr_gen_kind kind);

#endif
