/* SPDX-License-Identifier: BSD-2-Clause */
/* Loaders on a dataset with bad samples, for the tests of what they deliver in their place. */
#ifndef MADE_BAD_H
#define MADE_BAD_H

#include "base/random.h"
#include "made_loader.h"

static bool bad[MADE_SAMPLES];

/* Damages group 1 of a sample, or undoes it. */
static inline void damage(uint32_t index)
{
    uint32_t r = 0, place = index;
    while (place >= made_counts[r])
        place -= made_counts[r++];
    made_damage(r, place, 1);
    bad[index] = !bad[index];
}

static inline void repair(void)
{
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        if (bad[i])
            damage(i);
}

static inline void damage_at_random(uint32_t count, uint64_t seed)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = (uint32_t) (pcri_mix(seed * 1000 + i) % MADE_SAMPLES);
        if (!bad[index])
            damage(index);
    }
}

static inline uint32_t bad_count(void)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < MADE_SAMPLES; i++)
        n += bad[i];
    return n;
}

#endif
