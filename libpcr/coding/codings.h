/* SPDX-License-Identifier: BSD-2-Clause */
/* The codings that this library knows. */
#ifndef PCRI_CODINGS_H
#define PCRI_CODINGS_H

#include "../jpeg/coding.h"

enum { PCRI_MOST_CODINGS = 8 };

extern const struct pcri_coding *const pcri_codings[]; /* ends with NULL */

/* The coding with this number, as records have it; NULL: none. */
const struct pcri_coding *pcri_coding_numbered(uint32_t number);
/* UNSUPPORTED if a number in a record is not that of a known coding. */
int pcri_coding_find(uint8_t number, const struct pcri_coding **out, struct pcr_error *err);
/* The index in the table of the coding whose samples' spans begin with these bytes; -1: none.
 * If the bytes are a part of several magics, the last of these. A magic that begins with
 * another one comes before it in the table. */
int pcri_coding_of_bytes(const uint8_t *p, size_t nbytes);

#endif
