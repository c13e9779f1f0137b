/* SPDX-License-Identifier: BSD-2-Clause */
/* What a loader will deliver, and what to change. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "output.h"

double pcrtool_predict(const struct pcrtool_stages *s, enum pcrtool_limit *limit_out)
{
    enum pcrtool_limit limit = PCRTOOL_LIMIT_DECODE;
    double rate = s->decode > 0 ? s->decode : INFINITY;
    if (s->storage > 0 && s->storage < rate) {
        rate = s->storage;
        limit = PCRTOOL_LIMIT_STORAGE;
    }
    if (s->consumer > 0 && s->consumer <= rate) {
        rate = s->consumer;
        limit = PCRTOOL_LIMIT_CONSUMER;
    }
    if (limit_out)
        *limit_out = limit;
    return isinf(rate) ? 0 : rate;
}

const char *pcrtool_limit_name(enum pcrtool_limit limit)
{
    static const char *const names[] = { "decoding", "storage", "the consumer" };
    return names[limit];
}

/* Text that is cut off if it does not fit. */
struct model_text {
    char *p;
    size_t left;
};

static void say(struct model_text *t, const char *fmt, ...) PCRTOOL_PRINTF(2, 3);
static void say(struct model_text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->p, t->left, fmt, args);
    va_end(args);
    if (n < 0 || (size_t) n >= t->left)
        return;
    t->p += n;
    t->left -= (size_t) n;
}

/* In memory there is no storage to wait for. */
static struct pcrtool_stages stages_of(const struct pcrtool_diagnosis *d, uint32_t g)
{
    struct pcrtool_stages s = d->stages[g];
    if (d->fits)
        s.storage = 0;
    return s;
}

/* The highest fidelity below the present one that delivers `rate`; 0: none does. */
static uint32_t find_fidelity(const struct pcrtool_diagnosis *d, double rate)
{
    for (uint32_t g = d->fidelity - 1; g >= 1; g--) {
        struct pcrtool_stages s = stages_of(d, g);
        if (pcrtool_predict(&s, NULL) >= rate)
            return g;
    }
    return 0;
}

static void advise_fidelity(const struct pcrtool_diagnosis *d, double target,
                            struct model_text *t)
{
    struct pcrtool_stages now = stages_of(d, d->fidelity);
    uint32_t g = find_fidelity(d, target);
    if (g) {
        struct pcrtool_stages s = stages_of(d, g);
        say(t, "Fidelity %u delivers %.0f images/s.\n", (unsigned) g,
            pcrtool_predict(&s, NULL));
    } else if (d->fidelity > 1) {
        struct pcrtool_stages s = stages_of(d, 1);
        double most = pcrtool_predict(&s, NULL);
        say(t,
            "No lower fidelity delivers that; fidelity 1 has %.0f images/s, %.1f times as "
            "many.\n",
            most, most / pcrtool_predict(&now, NULL));
    }
}

/* The rate that would be enough: the consumer's, or the next stage's. */
static double target_of(const struct pcrtool_stages *s, enum pcrtool_limit limit)
{
    if (s->consumer > 0)
        return s->consumer;
    return limit == PCRTOOL_LIMIT_STORAGE ? s->decode : s->storage;
}

static void advise_storage(const struct pcrtool_diagnosis *d, const struct pcrtool_stages *s,
                           struct model_text *t)
{
    double target = target_of(s, PCRTOOL_LIMIT_STORAGE);
    double mb = 1e-6 * d->nbytes[d->fidelity];
    say(t,
        "Storage limits: its %.1f MB/s are enough for %.0f images/s; the "
        "other stages could do %.0f.\n",
        s->storage * mb, s->storage, target);
    advise_fidelity(d, target, t);
    say(t, "Or keep the dataset in memory, or on storage with %.1f MB/s.\n", target * mb);
    say(t, "More decoding threads do not help.\n");
}

static void advise_decode(const struct pcrtool_diagnosis *d, const struct pcrtool_stages *s,
                          struct model_text *t)
{
    double target = target_of(s, PCRTOOL_LIMIT_DECODE);
    say(t, "Decoding limits: %u thread%s make%s %.0f images/s", (unsigned) d->threads,
        d->threads == 1 ? "" : "s", d->threads == 1 ? "s" : "", s->decode);
    if (target <= 0) {
        say(t, ". Give --consumer to know whether that is enough.\n");
        if (d->fidelity > 1)
            advise_fidelity(d, s->decode * 1.05, t);
        return;
    }
    say(t, "; %s could do %.0f.\n", s->consumer > 0 ? "the consumer" : "storage", target);
    advise_fidelity(d, target, t);
    say(t, "Or decode with about %.0f CPUs like these.\n",
        ceil(d->threads * target / s->decode));
    say(t, "Faster storage does not help.\n");
}

void pcrtool_explain(const struct pcrtool_diagnosis *d, char *out, size_t out_nbytes)
{
    struct pcrtool_stages s = stages_of(d, d->fidelity);
    struct model_text t = { out, out_nbytes };
    enum pcrtool_limit limit;
    double rate = pcrtool_predict(&s, &limit);
    *out = '\0';
    if (d->fits && d->stages[d->fidelity].storage > 0 && d->stages[d->fidelity].storage < rate)
        say(&t,
            "The first epoch comes from storage, at %.0f images/s; then the dataset "
            "is in memory.\n",
            d->stages[d->fidelity].storage);
    switch (limit) {
    case PCRTOOL_LIMIT_CONSUMER:
        say(&t, "Change nothing: the consumer takes %.0f images/s and gets them.\n", rate);
        break;
    case PCRTOOL_LIMIT_STORAGE:
        advise_storage(d, &s, &t);
        break;
    case PCRTOOL_LIMIT_DECODE:
        advise_decode(d, &s, &t);
        break;
    }
}
