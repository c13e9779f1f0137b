/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that are put one after another, and read from the beginning: of any number, for they lie in
 * an arena. */
#ifndef PCRI_TAPE_H
#define PCRI_TAPE_H

#include "arena.h"

/* Start from {0}, with the arena's folder. */
struct pcri_tape {
    struct pcri_arena arena;
    uint8_t **pieces;
    size_t count, capacity; /* of pieces; all but the last are full */
    uint64_t nbytes;
};

int pcri_tape_append(struct pcri_tape *t, const void *data, size_t nbytes,
                     struct pcr_error *err);

/* Calls take() with all bytes, piece by piece; what it returns ends that if it is not 0. */
int pcri_tape_play(const struct pcri_tape *t,
                   int (*take)(void *context, const void *data, size_t nbytes,
                               struct pcr_error *err),
                   void *context, struct pcr_error *err);

/* Makes it empty, and keeps the arena's folder. */
void pcri_tape_free(struct pcri_tape *t);

#endif
