/* SPDX-License-Identifier: BSD-2-Clause */
/* Large blocks of memory that are used again: fresh memory costs more than reading into it from the
 * page cache, or copying. */
#ifndef PCRI_SPARE_H
#define PCRI_SPARE_H

#include <pthread.h>

#include "base.h"

enum { PCRI_SPARE_NBYTES = 32 << 20 };

/* Start from { 0 } with a mutex. Thread-safe. */
struct pcri_spare {
    pthread_mutex_t mutex;
    struct pcri_block *buffers; /* oldest first */
    uint32_t count;
    size_t capacity;
    size_t nbytes;     /* at most PCRI_SPARE_NBYTES, or as much as is expected */
    uint64_t expected; /* pcri_spare_expect() */
};

/* A block with room for nbytes; an empty one, to be grown, if there is no memory. */
struct pcri_block pcri_spare_take(struct pcri_spare *s, size_t nbytes);
/* Keeps a block's memory, or frees it, and empties the block. */
void pcri_spare_give(struct pcri_spare *s, struct pcri_block *b);
/* So much more and less is expected to be in use at a time, and kept. */
void pcri_spare_expect(struct pcri_spare *s, uint64_t more_nbytes, uint64_t less_nbytes);
void pcri_spare_free(struct pcri_spare *s);

#endif
