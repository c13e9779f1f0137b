/* SPDX-License-Identifier: BSD-2-Clause */
/* Fidelities and qualities: an array, a number set at run time, a schedule of numbers and
 * mixtures. */
#include <math.h>
#include <stdlib.h>

#include "fidelity.h"

uint32_t pcri_wish_for(double quality)
{
    if (!(quality > 0 && quality < 1))
        return 0;
    uint32_t millionths = (uint32_t) (quality * PCRI_QUALITY_ONE + 0.5);
    if (millionths >= PCRI_QUALITY_ONE)
        millionths = PCRI_QUALITY_ONE - 1;
    return PCRI_BY_QUALITY + (millionths ? millionths : 1);
}

bool pcri_wish_is_good(uint32_t wish, uint32_t group_count)
{
    return pcri_by_quality(wish) ? wish > PCRI_BY_QUALITY && pcri_quality_of(wish) < 1
                                 : wish && wish <= group_count;
}

static int bad_quality(double quality, const char *of, uint64_t i, struct pcr_error *err)
{
    return pcri_fail(err, PCR_ERR_INVAL,
                     "loader option %s[%llu]: a quality is %g, expected above 0 and below 1",
                     of, (unsigned long long) i, quality);
}

/* A mixture: what it is of, and the sums of the chances; a step that has none gets no sums. */
static int mix(const struct pcri_fidelity_plan *r, uint32_t step,
               const struct pcr_fidelity_step *s, struct pcr_error *err)
{
    double *sums = r->sums + (size_t) step * r->width, sum = 0;
    uint32_t *wishes = r->wishes + (size_t) step * r->width;
    const uint32_t count = s->quality_count ? s->quality_count : r->group_count;
    for (uint32_t g = 0; s->chances && g < r->width; g++) {
        const double chance = g < count ? s->chances[g] : 0;
        wishes[g] = !s->quality_count ? g + 1
                    : g < count       ? pcri_wish_for(s->qualities[g])
                                      : wishes[0];
        if (!wishes[g])
            return bad_quality(s->qualities[g], "fidelity_steps", step, err);
        if (!(isfinite(chance) && chance >= 0))
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option fidelity_steps[%u]: chance of %s %u is %g",
                             (unsigned) step, s->quality_count ? "quality" : "fidelity",
                             (unsigned) g + 1, chance);
        sums[g] = sum += chance;
    }
    if (s->chances && !(isfinite(sum) && sum > 0))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option fidelity_steps[%u]: the chances add up to %g",
                         (unsigned) step, sum);
    return 0;
}

static int check_step(const struct pcri_fidelity_plan *r, uint32_t i,
                      const struct pcr_fidelity_step *s, struct pcr_error *err)
{
    if (s->fidelity > r->group_count || (s->fidelity && s->chances) ||
        (i && s->epoch <= r->steps[i - 1].epoch))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option fidelity_steps[%u]: fidelity %u from epoch %llu "
                         "on, expected 0 to %u (0 with chances), and rising epochs",
                         (unsigned) i, (unsigned) s->fidelity, (unsigned long long) s->epoch,
                         (unsigned) r->group_count);
    if ((s->quality != 0 && (s->fidelity || s->chances)) ||
        (s->quality_count && (!s->qualities || !s->chances)))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option fidelity_steps[%u]: fidelity, quality and a mixture "
                         "exclude each other, and qualities of a mixture have chances",
                         (unsigned) i);
    if (s->quality != 0 && !pcri_wish_for(s->quality))
        return bad_quality(s->quality, "fidelity_steps", i, err);
    return 0;
}

static int copy_steps(struct pcri_fidelity_plan *r, const struct pcr_loader_options *o,
                      struct pcr_error *err)
{
    const uint32_t count = o->fidelity.step_count;
    r->width = r->group_count;
    for (uint32_t i = 0; i < count; i++)
        if (o->fidelity.steps[i].quality_count > r->width)
            r->width = o->fidelity.steps[i].quality_count;
    r->steps = pcri_calloc(count, sizeof(*r->steps), err);
    r->sums = pcri_calloc((uint64_t) count * r->width, sizeof(double), err);
    r->wishes = pcri_calloc((uint64_t) count * r->width, sizeof(*r->wishes), err);
    if (!r->steps || !r->sums || !r->wishes)
        return PCR_ERR_NOMEM;
    r->step_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct pcr_fidelity_step s = o->fidelity.steps[i];
        int rc = check_step(r, i, &s, err);
        if (!rc)
            rc = mix(r, i, &s, err);
        if (rc)
            return rc;
        if (s.quality != 0)
            s.fidelity = pcri_wish_for(s.quality);
        else if (!s.fidelity && !s.chances)
            s.fidelity = r->group_count;
        r->steps[i] = s;
    }
    return 0;
}

/* The samples' own wishes. */
static int copy_own(struct pcri_fidelity_plan *r, const struct pcr_loader_options *o,
                    struct pcr_error *err)
{
    const uint8_t *fidelities = o->samples.fidelities;
    const double *qualities = o->samples.qualities;
    if (!fidelities && !qualities)
        return 0;
    r->own = pcri_calloc(o->samples.count, sizeof(*r->own), err);
    if (!r->own)
        return PCR_ERR_NOMEM;
    for (uint64_t i = 0; i < o->samples.count; i++) {
        const uint32_t g = fidelities ? fidelities[i] : 0;
        const double quality = qualities ? qualities[i] : 0;
        r->own[i] = quality != 0 ? pcri_wish_for(quality) : g;
        if (quality != 0 && !r->own[i])
            return bad_quality(quality, "qualities", i, err);
        if (quality != 0 && g)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option fidelities[%llu] is %u, and qualities has one too",
                             (unsigned long long) i, (unsigned) g);
        if (g > r->group_count)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option fidelities[%llu] is %u, the limit is %u",
                             (unsigned long long) i, (unsigned) g, (unsigned) r->group_count);
    }
    return 0;
}

static int copy_augment(struct pcri_fidelity_plan *r, const struct pcr_loader_options *o,
                        struct pcr_error *err)
{
    if (!o->samples.augment)
        return 0;
    r->augment = pcri_malloc(o->samples.count, 1, err);
    if (!r->augment)
        return PCR_ERR_NOMEM;
    memcpy(r->augment, o->samples.augment, o->samples.count);
    return 0;
}

int pcri_fidelity_plan_init(struct pcri_fidelity_plan *r, const struct pcr_loader_options *o,
                            uint32_t group_count, struct pcr_error *err)
{
    const double quality = o->fidelity.quality;
    *r = (struct pcri_fidelity_plan) {
        .seed = o->seed,
        .group_count = group_count,
        .wish = quality != 0 ? pcri_wish_for(quality) : o->fidelity.level,
        .minimum = o->fidelity.minimum,
        .maximum = o->fidelity.maximum,
    };
    if (!r->wish)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option quality is %g, expected above 0 and below 1", quality);
    if (r->minimum > r->maximum)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option fidelity_min is %u, above fidelity_max, %u",
                         (unsigned) r->minimum, (unsigned) r->maximum);
    int rc = copy_steps(r, o, err);
    if (!rc)
        rc = copy_own(r, o, err);
    return rc ? rc : copy_augment(r, o, err);
}

void pcri_fidelity_plan_free(struct pcri_fidelity_plan *r)
{
    free(r->steps);
    free(r->sums);
    free(r->wishes);
    free(r->own);
    free(r->augment);
}

/* --- changes at run time --- */

/* A change from the same position on takes the place of the last: nothing from there on has
 * been begun. Earlier ones may already have been decoded by. */
bool pcri_changes_add(struct pcri_changes *c, uint64_t position, uint32_t fidelity)
{
    bool same = c->count && c->items[c->count - 1].position == position;
    if (!same && c->count == PCRI_CHANGES_MAX)
        return false;
    c->count += !same;
    c->items[c->count - 1].position = position;
    c->items[c->count - 1].fidelity = fidelity;
    return true;
}

void pcri_changes_pass(struct pcri_changes *c, uint64_t position)
{
    while (c->count && c->items[0].position <= position) {
        c->fidelity = c->items[0].fidelity;
        c->count--;
        memmove(c->items, c->items + 1, c->count * sizeof(c->items[0]));
    }
}

void pcri_changes_begin(struct pcri_changes *c, const struct pcri_fidelity_plan *r,
                        uint64_t from, uint64_t next)
{
    pcri_changes_pass(c, UINT64_MAX);
    for (uint32_t i = 0; i < r->step_count; i++)
        if (r->steps[i].epoch >= from && r->steps[i].epoch <= next)
            c->fidelity = 0;
}

static uint32_t set_fidelity(const struct pcri_changes *c, uint64_t position)
{
    uint32_t g = c->fidelity;
    for (uint32_t i = 0; i < c->count && c->items[i].position <= position; i++)
        g = c->items[i].fidelity;
    return g;
}

/* --- a sample's --- */

static uint32_t draw(const struct pcri_fidelity_plan *r, uint32_t step,
                     const struct pcri_fidelity_case *s)
{
    const double *sums = r->sums + (size_t) step * r->width;
    double at = sums[r->width - 1] * pcri_unit(pcri_stream_key(r->seed, PCRI_STREAM_FIDELITY,
                                                               s->epoch, s->identity));
    uint32_t g = 1;
    while (g < r->width && sums[g - 1] <= at)
        g++;
    return r->wishes[(size_t) step * r->width + g - 1];
}

uint32_t pcri_fidelity_at(const struct pcri_fidelity_plan *r, const struct pcri_changes *c,
                          const struct pcri_fidelity_case *s)
{
    if (r->own && r->own[s->number])
        return r->own[s->number];
    uint32_t wish = set_fidelity(c, s->position), i = r->step_count;
    if (wish)
        return wish;
    while (i && r->steps[i - 1].epoch > s->epoch)
        i--;
    if (!i)
        return r->wish;
    return r->steps[i - 1].fidelity ? r->steps[i - 1].fidelity : draw(r, i - 1, s);
}
