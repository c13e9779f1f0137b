/* SPDX-License-Identifier: BSD-2-Clause */
/* The JPEG file to encode, as every coding takes it: coefficients read by libjpeg, and the
 * header items of its sample. */
#ifndef PCRI_ORIGINAL_H
#define PCRI_ORIGINAL_H

#include "coding.h"
#include "coefs.h"
#include "ladder.h"
#include "prefix.h"
#include "quality.h"
#include "restore.h"

/* Scratch memory, and the last file. */
struct pcri_original {
    const struct pcr_ladder *ladder;
    struct pcr_limits limits;
    struct pcri_coder_memory memory;
    struct pcri_jpeg_file file; /* its header is normalised (docs/FORMAT.md section 4) */
    struct pcri_coefs coefs;    /* with the masks of the script's planes */
    uint32_t script;            /* of the ladder */
    struct pcri_quality quality;
    struct pcri_prefix prefix; /* settles doubts; may also be used for other files */
    bool restorable;           /* set by the owner: files are to be restored */
    struct pcri_restorer restorer;
};

void pcri_original_init(struct pcri_original *o, const struct pcr_ladder *ladder,
                        const struct pcr_limits *limits,
                        const struct pcri_coder_memory *memory);
void pcri_original_free(struct pcri_original *o);

/* Parses the file and reads its coefficients; salvage: of a damaged file. Codes: as
 * pcri_coder_encode() and pcri_coder_salvage(). */
int pcri_original_load(struct pcri_original *o, const void *data, size_t nbytes, bool salvage,
                       struct pcr_error *err);

/* Marker segments between SOI and the file's own segments, by which a coding's samples are
 * recognised. The first makes an item together with SOI, each other one an item of its own. */
struct pcri_marks {
    uint32_t count;
    struct pcr_span items[3];
};

/* Fills in everything but coding, pieces, bytes and quality; *out is { 0 }. The strings begin
 * with the items'. marks: NULL for none. */
int pcri_original_describe(const struct pcri_original *o, const struct pcri_marks *marks,
                           struct pcri_coded *out, struct pcr_error *err);

/* Fills in the program that restores the file of a sample that is filled in, and its check; what
 * follows the image is then kept, and not noted. The owner must have set `restorable` before the
 * file was loaded. A program that is there already, of the file of which this one was made, is
 * only proven. UNSUPPORTED: that takes too many bytes, or fails; NOMEM. */
int pcri_original_restore(struct pcri_original *o, struct pcri_coded *out,
                          struct pcr_error *err);

/* Fills in the quality of its prefixes. NOMEM. */
int pcri_original_measure(struct pcri_original *o, struct pcri_coded *out,
                          struct pcr_error *err);

/* The number of levels of masks that coding a script's scans takes. */
uint32_t pcri_script_levels(const struct pcri_script *script);

/* Checks that this is the same picture: geometry, quantisation, every coefficient. Reads the
 * source to its end. CORRUPT if not; `what` names the source in the message. */
int pcri_original_compare(const struct pcri_original *o, const struct pcri_block_source *b,
                          const char *what, struct pcr_error *err);

#endif
