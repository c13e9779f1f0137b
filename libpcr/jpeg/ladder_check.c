/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a script is a legal and complete progression for every kind of image. */
#include "ladder.h"

bool pcri_part_has(enum pcri_part part, enum pcri_component_class class)
{
    switch (part) {
    case PCRI_PART_LUMA:
        return class == PCRI_LUMA;
    case PCRI_PART_CHROMA:
        return class != PCRI_LUMA;
    case PCRI_PART_CHROMA1:
        return class == PCRI_CHROMA1;
    case PCRI_PART_CHROMA2:
        return class == PCRI_CHROMA2;
    case PCRI_PART_ALL:
        break;
    }
    return true;
}

static int check_scan(const struct pcri_ladder_scan *s, int bits[64], const char *script,
                      struct pcr_error *err)
{
    if (s->ss > 0 && bits[0] < 0)
        return pcri_fail(err, PCR_ERR_INVAL, "script %s: %u-%u comes before DC", script, s->ss,
                         s->se);
    for (int k = s->ss; k <= s->se; k++) {
        bool first = bits[k] < 0;
        if (first ? s->ah != 0 : s->ah != bits[k] || s->al != s->ah - 1)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "script %s: %u-%u %u %u does not continue coefficient %d, "
                             "which is at %s%d",
                             script, s->ss, s->se, s->ah, s->al, k,
                             first ? "nothing yet, " : "bit ", first ? 0 : bits[k]);
        bits[k] = s->al;
    }
    return 0;
}

static int check_class(const struct pcri_script *script, enum pcri_component_class class,
                       struct pcr_error *err)
{
    static const char *const names[] = { "luma", "chroma1", "chroma2" };
    int bits[64]; /* the lowest bit sent so far, -1: nothing */
    for (int k = 0; k < 64; k++)
        bits[k] = -1;

    bool in_first = false;
    for (uint32_t i = 0; i < script->scan_count; i++) {
        const struct pcri_ladder_scan *s = &script->scans[i];
        if (!pcri_part_has(s->part, class))
            continue;
        in_first |= s->group == 0;
        int rc = check_scan(s, bits, script->name, err);
        if (rc)
            return rc;
    }
    for (int k = 0; k < 64; k++)
        if (bits[k] != 0)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "script %s: coefficient %d of %s is not sent down to bit 0",
                             script->name, k, names[class]);
    if (!in_first)
        return pcri_fail(err, PCR_ERR_INVAL, "script %s: group 1 has no scan of %s",
                         script->name, names[class]);
    return 0;
}

int pcri_ladder_check(const struct pcr_ladder *ladder, struct pcr_error *err)
{
    for (uint32_t i = 0; i < ladder->script_count; i++) {
        const struct pcri_script *s = &ladder->scripts[i];
        bool last = i + 1 == ladder->script_count;
        if (last != (s->below_step == 0))
            return pcri_fail(
                err, PCR_ERR_INVAL,
                last ? "script %s: the last script must fit all images (no `below`)"
                     : "script %s: needs `below STEP`, it is not the last",
                s->name);
        for (int c = PCRI_LUMA; c <= PCRI_CHROMA2; c++) {
            int rc = check_class(s, (enum pcri_component_class) c, err);
            if (rc)
                return rc;
        }
    }
    return 0;
}
