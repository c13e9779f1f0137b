/* SPDX-License-Identifier: BSD-2-Clause */
/* What a loader can be asked for, and which one to choose. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "choices.h"

/* 5th percentiles that are enough, and that are needed at least. */
static const double ENOUGH = 0.95, NEEDED = 0.90;

static int compare(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

/* The 5th percentile, interpolated; sorts. */
static double find_low(double *values, uint64_t count)
{
    qsort(values, (size_t) count, sizeof(*values), compare);
    const double at = 0.05 * (double) (count - 1);
    const uint64_t i = (uint64_t) at;
    const double next = values[i + 1 < count ? i + 1 : i];
    return values[i] + (at - (double) i) * (next - values[i]);
}

static void sum_up(struct pcrtool_choice *choice, const struct pcrtool_crops *crops,
                   uint32_t t, double *values)
{
    double nbytes = 0, full = 0, sum = 0, missed = 0;
    for (uint64_t i = 0; i < crops->count; i++) {
        const struct pcrtool_crop *crop = &crops->items[i];
        const uint32_t g = choice->fidelity ? choice->fidelity : crop->fidelities[t];
        nbytes += (double) crop->nbytes[g];
        full += (double) crop->nbytes[crops->group_count];
        sum += values[i] = crop->ssim[g];
        missed += crop->ssim[g] < choice->quality - 0.02;
    }
    const double count = (double) crops->count;
    choice->nbytes = nbytes / count;
    choice->part = full > 0 ? nbytes / full : 1;
    choice->ssim = sum / count;
    choice->missed = missed / count;
    choice->low = find_low(values, crops->count);
}

int pcrtool_choices_make(struct pcrtool_choices *c, const struct pcrtool_crops *crops)
{
    double *values = calloc((size_t) crops->count, sizeof(*values));
    *c = (struct pcrtool_choices) { .group_count = crops->group_count,
                                    .count = crops->group_count + PCRTOOL_TARGETS };
    if (!values) {
        errno = ENOMEM;
        return -1;
    }
    for (uint32_t i = 0; i < c->count; i++) {
        const uint32_t t = i < c->group_count ? 0 : i - c->group_count;
        if (i < c->group_count)
            c->items[i].fidelity = i + 1;
        else
            c->items[i].quality = pcrtool_targets[t];
        sum_up(&c->items[i], crops, t, values);
    }
    free(values);
    return 0;
}

bool pcrtool_choices_differ(const struct pcrtool_choices *c)
{
    return c->items[0].part < 1;
}

const char *pcrtool_choice_name(char buf[PCRTOOL_CHOICE_NBYTES],
                                const struct pcrtool_choices *c, uint32_t i)
{
    const struct pcrtool_choice *choice = &c->items[i];
    if (!choice->fidelity)
        snprintf(buf, PCRTOOL_CHOICE_NBYTES, "quality %.2f", choice->quality);
    else if (choice->fidelity < c->group_count)
        snprintf(buf, PCRTOOL_CHOICE_NBYTES, "fidelity %" PRIu32, choice->fidelity);
    else
        snprintf(buf, PCRTOOL_CHOICE_NBYTES, "full fidelity");
    return buf;
}

/* --- choosing --- */

/* Whether the second of two choices that are good enough is better. Of equal ones a quality is, and
 * among qualities the higher. */
static bool fewer_bytes(const struct pcrtool_choice *a, const struct pcrtool_choice *b)
{
    return b->nbytes < a->nbytes || (b->nbytes == a->nbytes && b->quality > a->quality);
}

static bool higher_quality(const struct pcrtool_choice *a, const struct pcrtool_choice *b)
{
    return b->low > a->low || (b->low == a->low && fewer_bytes(a, b));
}

/* The best choice, by `better`, of those that deliver so much and are so good; full fidelity, the
 * G-th, is where there is none. */
static bool choose(struct pcrtool_choices *c, double rate, double low,
                   bool (*better)(const struct pcrtool_choice *,
                                  const struct pcrtool_choice *))
{
    bool found = false;
    c->best = c->group_count - 1;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct pcrtool_choice *choice = &c->items[i];
        if (choice->rate < rate || choice->low < low)
            continue;
        if (!found || better(&c->items[c->best], choice))
            c->best = i;
        found = true;
    }
    return found;
}

static void judge_alone(struct pcrtool_choices *c)
{
    const bool found = choose(c, 0, ENOUGH, fewer_bytes);
    const struct pcrtool_choice *best = &c->items[c->best];
    const struct pcrtool_choice *full = &c->items[c->group_count - 1];
    if (!found) {
        snprintf(c->reason, sizeof(c->reason),
                 "No choice shows 95%% of the crops with SSIM %.2f or more.", ENOUGH);
        return;
    }
    int n = snprintf(
        c->reason, sizeof(c->reason),
        "The fewest bytes, %.0f%% of full fidelity's, that show 95%% of the crops "
        "with SSIM %.2f or more (%.3f).",
        100 * best->part, ENOUGH, best->low);
    if (best->rate > 0)
        snprintf(c->reason + n, sizeof(c->reason) - (size_t) n,
                 " It delivers %.0f images/s, full fidelity %.0f%s.", best->rate, full->rate,
                 best->stages.storage > 0 ? "" : ", as far as the CPUs decide");
}

static void judge_fed(struct pcrtool_choices *c, double consumer)
{
    const struct pcrtool_choice *best = &c->items[c->best];
    if (c->items[c->group_count - 1].rate >= consumer)
        snprintf(
            c->reason, sizeof(c->reason),
            "Full fidelity feeds the consumer's %.0f images/s: less would save bytes, but no "
            "time. These are the best crops, in the fewest bytes.",
            consumer);
    else
        snprintf(
            c->reason, sizeof(c->reason),
            "The best crops (95%% of them have SSIM %.3f or more) that feed the consumer's "
            "%.0f images/s, in %.0f%% of full fidelity's bytes. Full fidelity delivers "
            "%.0f.",
            best->low, consumer, 100 * best->part, c->items[c->group_count - 1].rate);
}

static void judge_starved(struct pcrtool_choices *c, double consumer)
{
    const struct pcrtool_choice *best = &c->items[c->best];
    double most = 0;
    for (uint32_t i = 0; i < c->count; i++)
        most = fmax(most, c->items[i].rate);
    snprintf(
        c->reason, sizeof(c->reason),
        "No choice with SSIM %.2f or more for 95%% of the crops feeds the consumer's %.0f "
        "images/s. This one has the fewest bytes; it delivers %.0f, and %s limits. %s",
        NEEDED, consumer, best->rate, pcrtool_limit_name(best->limit),
        most >= consumer ? "Worse crops would feed it: see the table."
                         : "Nor do worse crops: see `pcrtool doctor`.");
}

void pcrtool_choices_judge(struct pcrtool_choices *c, double storage_nbytes, double consumer)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct pcrtool_choice *choice = &c->items[i];
        if (storage_nbytes > 0 && choice->nbytes > 0)
            choice->stages.storage = storage_nbytes / choice->nbytes;
        choice->stages.consumer = consumer;
        choice->rate = pcrtool_predict(&choice->stages, &choice->limit);
    }
    if (!pcrtool_choices_differ(c)) {
        c->best = c->group_count - 1;
        snprintf(c->reason, sizeof(c->reason),
                 "All images are kept whole: each fidelity takes the same bytes.");
    } else if (consumer <= 0) {
        judge_alone(c);
    } else if (choose(c, consumer, NEEDED, higher_quality)) {
        judge_fed(c, consumer);
    } else {
        choose(c, 0, NEEDED, fewer_bytes);
        judge_starved(c, consumer);
    }
}
