/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of slices is used again: a bounded list of buffers, of which the oldest leave. */
#include "dataset.h"

/* Which buffer fits best; s->count if none does. One that is much too large stays for those
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
    struct pcri_block b = { 0 };
    pthread_mutex_lock(&s->mutex);
    uint32_t i = find_fit(s, nbytes);
    if (i < s->count)
        b = take_at(s, i);
    pthread_mutex_unlock(&s->mutex);
    /* An eighth more, so that a somewhat longer slice will fit. It may fail: whoever reads
     * then tells so. */
    if (!b.data && nbytes < SIZE_MAX / 2 && pcri_block_reserve(&b, nbytes + nbytes / 8, NULL))
        return (struct pcri_block) { 0 };
    return b;
}

void pcri_spare_give(struct pcri_spare *s, struct pcri_block *b)
{
    struct pcri_block gone[PCRI_SPARE_COUNT + 1];
    uint32_t n = 0;
    if (!b->data)
        return;
    /* Small ones the allocator keeps itself, and they would take the places of large ones. */
    if (b->capacity > PCRI_SPARE_NBYTES || b->capacity < PCRI_BLOCK_MAPPED) {
        pcri_block_free(b);
        return;
    }
    pthread_mutex_lock(&s->mutex);
    while (s->count == PCRI_SPARE_COUNT || s->nbytes + b->capacity > PCRI_SPARE_NBYTES)
        gone[n++] = take_at(s, 0);
    s->buffers[s->count++] = *b;
    s->nbytes += b->capacity;
    pthread_mutex_unlock(&s->mutex);
    *b = (struct pcri_block) { 0 };
    while (n)
        pcri_block_free(&gone[--n]);
}

void pcri_spare_free(struct pcri_spare *s)
{
    while (s->count)
        pcri_block_free(&s->buffers[--s->count]);
    pthread_mutex_destroy(&s->mutex);
}
