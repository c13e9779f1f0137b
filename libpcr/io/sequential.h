/* SPDX-License-Identifier: BSD-2-Clause */
/* Files, standard input and pipes read once from beginning to end, and decompressed on the
 * way. */
#ifndef PCRI_SEQUENTIAL_H
#define PCRI_SEQUENTIAL_H

#include "../base/base.h"

struct pcri_sequential;

/* path: "-" is standard input. Messages name it.
 * packing: "plain", "gzip" (of any number of members), "zlib", "zstd" or "xz"; or "?": as the first
 * bytes say, plain unless they are those of gzip, zstd, xz or another compression of files.
 * IO, NOMEM; UNSUPPORTED: compressed by something that this build lacks. */
int pcri_sequential_open(const char *path, const char *packing, struct pcri_sequential **out,
                         struct pcr_error *err);
void pcri_sequential_close(struct pcri_sequential **s);

/* Fills `dst` unless the stream ends or fails before: *got says how much there was. IO, NOMEM;
 * CORRUPT, TRUNCATED: what was compressed is damaged; err->offset is where in the file, and the
 * message does not name it. */
int pcri_sequential_read(struct pcri_sequential *s, void *dst, size_t nbytes, size_t *got,
                         struct pcr_error *err);

/* Passes over bytes; *passed is less where the stream ends before. Codes as above. */
int pcri_sequential_skip(struct pcri_sequential *s, uint64_t nbytes, uint64_t *passed,
                         struct pcr_error *err);

/* The beginning of what `data` is compressed of, as much as it tells, up to `room` bytes. 0 if it
 * is not compressed so. packing: "gzip", "zlib". Takes no memory. */
size_t pcri_sequential_peek(const char *packing, const void *data, size_t nbytes, void *out,
                            size_t room);

/* How many (decompressed) bytes were read or passed over. */
uint64_t pcri_sequential_position(const struct pcri_sequential *s);

/* Whether its bytes are those of a file that can be read again, at the same places. */
bool pcri_sequential_is_plain(const struct pcri_sequential *s);

#endif
