/* SPDX-License-Identifier: BSD-2-Clause */
/* Modes and times of source files: column 4 of a record's tail (docs/FORMAT.md 3.8). */
#ifndef PCRI_FILE_INFOS_H
#define PCRI_FILE_INFOS_H

#include "../base/base.h"

/* Appends what a column has of so many files. NOMEM. */
int pcri_file_infos_render(const struct pcr_file_info *infos, uint32_t count,
                           struct pcr_buffer *out, struct pcr_error *err);

/* Reads it; *out, `count` of them, are the caller's to free. CORRUPT, NOMEM. */
int pcri_file_infos_parse(struct pcri_cursor c, uint32_t count, struct pcr_file_info **out,
                          struct pcr_error *err);

#endif
