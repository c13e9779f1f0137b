/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding without delivering pixels: what it would take, and whether it works; and ending a
 * job. */
#ifndef PCRI_JUDGE_H
#define PCRI_JUDGE_H

#include <pcr/image.h>

#include "../base/base.h"

/* As pcr_decoder_inspect(). *nbytes_out: the memory in proportion to its pixels that decoding
 * the whole image takes, without the result of pcr_decoder_decode_resized(). */
int pcri_decoder_measure(struct pcr_decoder *d, const void *data, size_t nbytes,
                         const struct pcr_decode_options *opts,
                         struct pcr_image_info *info_out, uint64_t *nbytes_out,
                         struct pcr_error *err);

/* What colours a file's headers say that there are: 1 component is gray, 3 are colour, 4 inks.
 * Codes as pcr_decoder_inspect(). */
int pcri_decoder_look(struct pcr_decoder *d, const void *data, size_t nbytes,
                      const struct pcr_decode_options *opts, uint32_t *component_count,
                      bool *has_alpha, struct pcr_error *err);

/* How many channels the pixels have of a file that is no JPEG, if gray (1) or RGB (3) of 8 bits is
 * all that it holds, by its headers; else 0. Codes as pcr_decoder_inspect(). */
int pcri_decoder_exact_channels(struct pcr_decoder *d, const void *data, size_t nbytes,
                                const struct pcr_decode_options *opts, uint32_t *out,
                                struct pcr_error *err);

/* Decodes the whole image and delivers nothing; row by row if the format allows it. Codes as
 * pcr_decoder_decode(). */
int pcri_decoder_judge(struct pcr_decoder *d, const void *data, size_t nbytes,
                       const struct pcr_decode_options *opts, struct pcr_error *err);

/* The format of data that begin like a file that is decoded but has no coding ("PNG", "WebP");
 * NULL: another. */
const char *pcri_decoder_format(const void *data, size_t nbytes);

/* Restores the file of which a coded image was made: its spans at full fidelity, and the program
 * and the size that its record has. limits: filled in. *out is replaced. Codes: CORRUPT,
 * TRUNCATED, UNSUPPORTED, LIMIT, NOMEM. (restore.c) */
int pcri_decoder_restore(struct pcr_decoder *d, const struct pcr_spans *spans,
                         const struct pcr_limits *limits, const struct pcr_span *program,
                         uint64_t nbytes, struct pcr_buffer *out, struct pcr_error *err);

/* Ends the last job, so that it cannot be continued: its bytes are gone. */
void pcri_decoder_close(struct pcr_decoder *d);

#endif
