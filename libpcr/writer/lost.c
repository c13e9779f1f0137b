/* SPDX-License-Identifier: BSD-2-Clause */
/* Inputs that could not be loaded when the survey looked at them. */
#include "write.h"

void pcri_lost_add(struct pcri_write *w, uint64_t index, const struct pcr_error *why)
{
    pthread_mutex_lock(&w->lock);
    w->lost[w->lost_count++] = (struct pcri_lost) { index, *why };
    pthread_mutex_unlock(&w->lock);
}

const struct pcri_lost *pcri_lost_find(const struct pcri_write *w, uint64_t index)
{
    for (size_t i = 0; i < w->lost_count; i++)
        if (w->lost[i].index == index)
            return &w->lost[i];
    return NULL;
}
