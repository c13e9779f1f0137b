/* SPDX-License-Identifier: BSD-2-Clause */
/* A zstd frame from its begin to its end, in parts. */
#ifndef PCRI_ZSTD_H
#define PCRI_ZSTD_H

#include "base.h"

/* A frame of a larger window is not read in parts: LIMIT. */
enum { PCRI_ZSTD_WINDOW_LOG = 23 };

struct pcri_unpacker;

/* Begins a frame whose size must be raw_nbytes; p must live as long. CORRUPT, NOMEM. */
int pcri_unpacker_create(const void *p, size_t nbytes, size_t raw_nbytes,
                         struct pcri_unpacker **out, struct pcr_error *err);
/* The next nbytes, into dst, or passed over where that is NULL. CORRUPT, LIMIT, NOMEM. */
int pcri_unpacker_read(struct pcri_unpacker *u, void *dst, size_t nbytes,
                       struct pcr_error *err);
/* All has been read. CORRUPT where the frame goes on. */
int pcri_unpacker_finish(struct pcri_unpacker *u, struct pcr_error *err);
void pcri_unpacker_destroy(struct pcri_unpacker **u);

#endif
