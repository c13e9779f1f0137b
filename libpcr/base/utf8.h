/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8: file names are any bytes, but JSON holds only UTF-8. */
#ifndef PCRI_UTF8_H
#define PCRI_UTF8_H

#include "base.h"

/* Bytes of the UTF-8 sequence that p begins with (RFC 3629: no overlong forms, surrogates or
 * values above U+10FFFF), 0 if there is none. left is at least 1. */
size_t pcri_utf8_sequence(const void *p, size_t left);

/* Writes the sequence of a character, at most U+10FFFF; its bytes. */
size_t pcri_utf8_put(uint32_t v, char out[4]);

bool pcri_utf8_valid(const void *p, size_t nbytes);

/* Appends text to out, with U+FFFD for each byte that is not UTF-8. */
int pcri_utf8_replace(const void *text, size_t nbytes, struct pcr_buffer *out,
                      struct pcr_error *err);

/* The same, but with the four characters \xHH for each such byte, so that different bytes stay
 * different. */
int pcri_utf8_escape(const void *text, size_t nbytes, struct pcr_buffer *out,
                     struct pcr_error *err);

#endif
