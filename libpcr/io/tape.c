/* SPDX-License-Identifier: BSD-2-Clause */
/* Tapes: pieces of one size in an arena. */
#include <stdlib.h>

#include "tape.h"

enum { PIECE = 64 << 10 };

int pcri_tape_append(struct pcri_tape *t, const void *data, size_t nbytes,
                     struct pcr_error *err)
{
    const uint8_t *p = data;
    while (nbytes) {
        const size_t used = (size_t) (t->nbytes % PIECE);
        if (!used && t->nbytes / PIECE == t->count) {
            uint8_t *piece = PCRI_GROW(t->pieces, t->capacity, t->count + 1, err)
                                 ? NULL
                                 : pcri_arena_alloc(&t->arena, PIECE, 1, err);
            if (!piece)
                return PCR_ERR_NOMEM;
            t->pieces[t->count++] = piece;
        }
        const size_t n = nbytes < PIECE - used ? nbytes : PIECE - used;
        memcpy(t->pieces[t->count - 1] + used, p, n);
        t->nbytes += n;
        p += n;
        nbytes -= n;
    }
    return 0;
}

int pcri_tape_play(const struct pcri_tape *t,
                   int (*take)(void *context, const void *data, size_t nbytes,
                               struct pcr_error *err),
                   void *context, struct pcr_error *err)
{
    int rc = 0;
    for (uint64_t at = 0; at < t->nbytes && !rc; at += PIECE) {
        const uint64_t left = t->nbytes - at;
        const uint8_t *piece = t->pieces[at / PIECE];
        pcri_arena_touch(&t->arena, piece);
        rc = take(context, piece, left < PIECE ? (size_t) left : PIECE, err);
    }
    return rc;
}

void pcri_tape_free(struct pcri_tape *t)
{
    const char *folder = t->arena.folder;
    pcri_arena_free(&t->arena);
    free(t->pieces);
    *t = (struct pcri_tape) { .arena.folder = folder };
}
