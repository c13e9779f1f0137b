/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8: names of files are any bytes, but JSON holds UTF-8 alone. */
#ifndef PCRI_UTF8_H
#define PCRI_UTF8_H

#include "base.h"

/* Bytes of the UTF-8 sequence that p begins with (RFC 3629: no overlong forms, surrogates
 * or values above U+10FFFF), 0 if it is none. left is at least 1. */
size_t pcri_utf8_sequence(const void *p, size_t left);

bool pcri_utf8_valid(const void *p, size_t nbytes);

/* Appends text to out with each byte that is no UTF-8 replaced by U+FFFD. */
int pcri_utf8_replace(const void *text, size_t nbytes, struct pcr_buffer *out,
                      struct pcr_error *err);

/* The same, but each such byte as the four characters \xHH, so that different bytes stay
 * different. */
int pcri_utf8_escape(const void *text, size_t nbytes, struct pcr_buffer *out,
                     struct pcr_error *err);

#endif
