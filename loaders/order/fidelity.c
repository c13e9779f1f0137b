/* SPDX-License-Identifier: BSD-2-Clause */
/* Fidelities: an array, a number set at run time, a schedule of numbers and mixtures. */
#include <math.h>
#include <stdlib.h>

#include "fidelity.h"

/* Sums of a step's chances; a step that has none gets no sums. */
static int add_up(const struct pcri_fidelity_plan *r, uint32_t step, const double *chances,
                  struct pcr_error *err)
{
    double *sums = r->sums + (size_t) step * r->group_count, sum = 0;
    for (uint32_t g = 0; chances && g < r->group_count; g++) {
        if (!(isfinite(chances[g]) && chances[g] >= 0))
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option fidelity_steps[%u]: chance of fidelity %u is %g",
                             (unsigned) step, (unsigned) g + 1, chances[g]);
        sums[g] = sum += chances[g];
    }
    if (chances && !(isfinite(sum) && sum > 0))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option fidelity_steps[%u]: the chances add up to %g",
                         (unsigned) step, sum);
    return 0;
}

static int copy_steps(struct pcri_fidelity_plan *r, const struct pcr_loader_options *o,
                      struct pcr_error *err)
{
    r->steps = pcri_calloc(o->fidelity.step_count, sizeof(*r->steps), err);
    r->sums = pcri_calloc((uint64_t) o->fidelity.step_count * r->group_count, sizeof(double),
                          err);
    if (!r->steps || !r->sums)
        return PCR_ERR_NOMEM;
    r->step_count = o->fidelity.step_count;
    for (uint32_t i = 0; i < r->step_count; i++) {
        struct pcr_fidelity_step s = o->fidelity.steps[i];
        if (s.fidelity > r->group_count || s.reserved || (s.fidelity && s.chances) ||
            (i && s.epoch <= r->steps[i - 1].epoch))
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option fidelity_steps[%u]: fidelity %u from epoch %llu "
                             "on, expected 0 to %u (0 with chances), and rising epochs",
                             (unsigned) i, (unsigned) s.fidelity, (unsigned long long) s.epoch,
                             (unsigned) r->group_count);
        if (!s.fidelity && !s.chances)
            s.fidelity = r->group_count;
        int rc = add_up(r, i, s.chances, err);
        if (rc)
            return rc;
        r->steps[i] = s;
    }
    return 0;
}

static int copy_bytes(const uint8_t *from, uint64_t count, uint8_t **out,
                      struct pcr_error *err)
{
    if (!from)
        return 0;
    *out = pcri_malloc(count, 1, err);
    if (!*out)
        return PCR_ERR_NOMEM;
    memcpy(*out, from, count);
    return 0;
}

int pcri_fidelity_plan_init(struct pcri_fidelity_plan *r, const struct pcr_loader_options *o,
                            uint32_t group_count, struct pcr_error *err)
{
    *r = (struct pcri_fidelity_plan) {
        .seed = o->seed,
        .group_count = group_count,
        .fidelity = o->fidelity.level,
    };
    int rc = copy_steps(r, o, err);
    if (!rc)
        rc = copy_bytes(o->samples.fidelities, o->samples.count, &r->fidelities, err);
    if (!rc)
        rc = copy_bytes(o->samples.augment, o->samples.count, &r->augment, err);
    for (uint64_t i = 0; !rc && r->fidelities && i < o->samples.count; i++)
        if (r->fidelities[i] > group_count)
            rc = pcri_fail(
                err, PCR_ERR_INVAL, "loader option fidelities[%llu] is %u, the limit is %u",
                (unsigned long long) i, (unsigned) r->fidelities[i], (unsigned) group_count);
    return rc;
}

void pcri_fidelity_plan_free(struct pcri_fidelity_plan *r)
{
    free(r->steps);
    free(r->sums);
    free(r->fidelities);
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
    const double *sums = r->sums + (size_t) step * r->group_count;
    double at = sums[r->group_count - 1] *
                pcri_unit(
                    pcri_stream_key(r->seed, PCRI_STREAM_FIDELITY, s->epoch, s->identity));
    uint32_t g = 1;
    while (g < r->group_count && sums[g - 1] <= at)
        g++;
    return g;
}

uint32_t pcri_fidelity_at(const struct pcri_fidelity_plan *r, const struct pcri_changes *c,
                          const struct pcri_fidelity_case *s)
{
    if (r->fidelities && r->fidelities[s->number])
        return r->fidelities[s->number];
    uint32_t g = set_fidelity(c, s->position), i = r->step_count;
    if (g)
        return g;
    while (i && r->steps[i - 1].epoch > s->epoch)
        i--;
    if (!i)
        return r->fidelity;
    return r->steps[i - 1].fidelity ? r->steps[i - 1].fidelity : draw(r, i - 1, s);
}
