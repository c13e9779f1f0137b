/* SPDX-License-Identifier: BSD-2-Clause */
/* What kind of file bytes begin like, for messages and notes. */
#ifndef PCRI_SNIFF_H
#define PCRI_SNIFF_H

#include "base.h"

/* A name for what the bytes begin like: "WebP", "HEIC", "HTML", "an empty file"; of JPEG also
 * its process where few decoders know it ("arithmetic-coded JPEG", "12-bit JPEG"). "unknown"
 * where nothing is recognised. Static storage. Looks at the beginning alone (of JPEG: at the
 * marker segments before the first scan), and proves nothing: no decision hangs on it. */
const char *pcri_sniff(const void *data, size_t nbytes);

/* FORMAT: "neither JPEG nor PNG (it begins like WebP)". */
int pcri_fail_no_image(struct pcr_error *err, const void *data, size_t nbytes);

#endif
