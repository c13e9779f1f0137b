/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded list of blocks, from which the oldest are dropped.
 *
 * A loader releases a window of slices all at once and then reads the next, or begins its next
 * epoch. So as much as it may hold is kept as long as the loader exists; otherwise every window
 * would be fresh memory. */
#include <stdlib.h>

#include "spare.h"

enum { LEAST = 64 << 10 }; /* smaller ones the allocator keeps itself */

/* Which buffer fits best; s->count if none does. One that is much too large is left for those
 * who need it. */
static uint32_t find_fit(const struct pcri_spare *s, size_t nbytes)
{
    uint32_t best = s->count;
    for (uint32_t i = 0; i < s->count; i++) {
        size_t capacity = s->buffers[i].capacity;
        if (capacity >= nbytes && capacity / 2 <= nbytes &&
            (best == s->count || capacity <= s->buffers[best].capacity))
            best = i;
    }
    return best;
}

static struct pcri_block take_at(struct pcri_spare *s, uint32_t i)
{
    struct pcri_block b = s->buffers[i];
    s->count--;
    s->nbytes -= b.capacity;
    memmove(&s->buffers[i], &s->buffers[i + 1], (s->count - i) * sizeof(b));
    return b;
}

struct pcri_block pcri_spare_take(struct pcri_spare *s, size_t nbytes)
{
    struct pcri_block b = { 0 }, oldest = { 0 };
    pthread_mutex_lock(&s->mutex);
    uint32_t i = find_fit(s, nbytes);
    if (i < s->count)
        b = take_at(s, i);
    else if (s->count && nbytes >= LEAST) /* sizes have changed: make room */
        oldest = take_at(s, 0);
    pthread_mutex_unlock(&s->mutex);
    pcri_block_free(&oldest);
    /* An eighth more, so that slightly more will fit. It may fail: whoever grows the block then
     * reports it. */
    if (!b.data && nbytes < SIZE_MAX / 2 && pcri_block_reserve(&b, nbytes + nbytes / 8, NULL))
        return (struct pcri_block) { 0 };
    return b;
}

static size_t limit(const struct pcri_spare *s)
{
    uint64_t most = s->expected < SIZE_MAX ? s->expected : SIZE_MAX;
    return most > PCRI_SPARE_NBYTES ? (size_t) most : PCRI_SPARE_NBYTES;
}

/* Frees what is above the limit; with the mutex held before and after. */
static void shrink(struct pcri_spare *s)
{
    while (s->nbytes > limit(s)) {
        struct pcri_block oldest = take_at(s, 0);
        pthread_mutex_unlock(&s->mutex);
        pcri_block_free(&oldest);
        pthread_mutex_lock(&s->mutex);
    }
}

void pcri_spare_give(struct pcri_spare *s, struct pcri_block *b)
{
    if (!b->data)
        return;
    pthread_mutex_lock(&s->mutex);
    if (b->capacity >= LEAST && b->capacity <= limit(s) &&
        !PCRI_GROW(s->buffers, s->capacity, s->count + 1, NULL)) {
        s->buffers[s->count++] = *b;
        s->nbytes += b->capacity;
        *b = (struct pcri_block) { 0 };
    }
    shrink(s);
    pthread_mutex_unlock(&s->mutex);
    pcri_block_free(b);
}

void pcri_spare_expect(struct pcri_spare *s, uint64_t more_nbytes, uint64_t less_nbytes)
{
    pthread_mutex_lock(&s->mutex);
    s->expected += more_nbytes - less_nbytes;
    shrink(s);
    pthread_mutex_unlock(&s->mutex);
}

void pcri_spare_free(struct pcri_spare *s)
{
    while (s->count)
        pcri_block_free(&s->buffers[--s->count]);
    free(s->buffers);
    pthread_mutex_destroy(&s->mutex);
}
