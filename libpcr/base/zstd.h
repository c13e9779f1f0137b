/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a zstd frame in parts. */
#ifndef PCRI_ZSTD_H
#define PCRI_ZSTD_H

#include "base.h"

/* A frame with a larger window is not read in parts: LIMIT. */
enum { PCRI_ZSTD_WINDOW_LOG = 23 };

struct pcri_unpacker;

/* Begins a frame whose size must be raw_nbytes; p must live as long. CORRUPT, NOMEM. */
int pcri_unpacker_create(const void *p, size_t nbytes, size_t raw_nbytes,
                         struct pcri_unpacker **out, struct pcr_error *err);
/* Reads the next nbytes into dst, or skips them if that is NULL. CORRUPT, LIMIT, NOMEM. */
int pcri_unpacker_read(struct pcri_unpacker *u, void *dst, size_t nbytes,
                       struct pcr_error *err);
/* Ends reading. CORRUPT if the frame continues. */
int pcri_unpacker_finish(struct pcri_unpacker *u, struct pcr_error *err);
void pcri_unpacker_destroy(struct pcri_unpacker **u);

#endif
