/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a progressive file's scans, and its end. */
#ifndef PCRI_SCAN_FILE_H
#define PCRI_SCAN_FILE_H

#include "coefs.h"
#include "ladder.h"

/* Appends the scans of groups 1..groups of the script, each with its tables, and EOI. c has masks
 * of pcri_script_levels(). Codes: NOMEM; UNSUPPORTED (what 8-bit JPEG cannot code). */
int pcri_scans_append(const struct pcri_coefs *c, const struct pcri_jpeg_file *f,
                      const struct pcri_script *script, uint32_t groups,
                      struct pcr_buffer *out, struct pcr_error *err);

#endif
