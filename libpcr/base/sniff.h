/* SPDX-License-Identifier: BSD-2-Clause */
/* What kind of file bytes look like, for messages and notes. */
#ifndef PCRI_SNIFF_H
#define PCRI_SNIFF_H

#include "base.h"

/* A name for what the bytes look like: "WebP", "HEIC", "HTML", "an empty file"; for JPEG also
 * its process if few decoders support it ("arithmetic-coded JPEG", "12-bit JPEG"). "unknown"
 * if nothing is recognised. Static storage. It looks only at the beginning (of JPEG: at the
 * marker segments before the first scan) and proves nothing: no decision depends on it. */
const char *pcri_sniff(const void *data, size_t nbytes);

/* FORMAT: "no image that can be decoded (it begins like GIF)". */
int pcri_fail_no_image(struct pcr_error *err, const void *data, size_t nbytes);

#endif
