/* SPDX-License-Identifier: BSD-2-Clause */
/* A file read through a window that moves over it: a local file at any place, or, forward only, a
 * pipe or what is decompressed. */
#ifndef PCRI_STREAM_H
#define PCRI_STREAM_H

#include "../base/base.h"

/* The most bytes that can be asked for at once: LIMIT beyond. */
enum { PCRI_STREAM_MOST = 1 << 30 };

struct pcri_file_stream;

/* packing: NULL for a regular file as it is, at any place and in any order; else as
 * pcri_sequential_open() has it, forward only. IO, NOMEM. Messages name the path, which must live
 * as long. */
int pcri_stream_open(const char *path, const char *packing, struct pcri_file_stream **out,
                     struct pcr_error *err);

/* The bytes from `offset` on, up to `nbytes` of them: *have are fewer only at the end. They are
 * valid until the next call. Forward only: INVAL for an offset below an earlier one; CORRUPT or
 * TRUNCATED, with err->offset in the file, if compressed data is damaged before all of these
 * bytes. The window takes a little more memory than the largest `nbytes` of which there were as
 * many. */
int pcri_stream_get(struct pcri_file_stream *s, uint64_t offset, size_t nbytes,
                    const uint8_t **out, size_t *have, struct pcr_error *err);

/* The size of a file that is read at any place; else UINT64_MAX. */
uint64_t pcri_stream_nbytes(const struct pcri_file_stream *s);

/* Its time of change in ns; else 0. */
uint64_t pcri_stream_revision(const struct pcri_file_stream *s);

/* Accepts NULL. */
void pcri_stream_close(struct pcri_file_stream **s);

#endif
