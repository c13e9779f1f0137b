/* SPDX-License-Identifier: BSD-2-Clause */
/* What a ladder's lines make of an image: its scans, in their order. */
#include "ladder_scans.h"

enum pcri_component_class pcri_class_of(const struct pcri_jpeg_file *f, uint32_t i)
{
    if (f->ycc && (i == 1 || i == 2))
        return i == 1 ? PCRI_CHROMA1 : PCRI_CHROMA2;
    return PCRI_LUMA;
}

static bool can_interleave(const struct pcri_jpeg_file *f)
{
    unsigned sum = 0;
    for (uint32_t i = 0; i < f->component_count; i++)
        sum += (unsigned) f->components[i].h * f->components[i].v;
    return sum <= 10;
}

void pcri_line_scans(const struct pcri_jpeg_file *f, const struct pcri_ladder_scan *line,
                     struct pcri_line_scans *out)
{
    bool together = line->part == PCRI_PART_ALL && can_interleave(f);
    out->count = 0;
    for (uint32_t i = 0; i < f->component_count; i++) {
        enum pcri_component_class class = pcri_class_of(f, i);
        if (!pcri_part_has(line->part, class))
            continue;
        bool join = together && out->count;
        struct pcri_scan *s = &out->scans[join ? 0 : out->count];
        if (!join) {
            *s = (struct pcri_scan) {
                .ss = line->ss, .se = line->se, .ah = line->ah, .al = line->al
            };
            out->piece[out->count++] = line->part == PCRI_PART_CHROMA && class == PCRI_CHROMA2;
        }
        s->components[s->component_count] = (uint8_t) i;
        s->chroma[s->component_count++] = class != PCRI_LUMA;
    }
}

static bool same_scan(const struct pcri_scan *a, const struct pcri_scan *b)
{
    return a->component_count == b->component_count && a->ss == b->ss && a->se == b->se &&
           a->ah == b->ah && a->al == b->al &&
           !memcmp(a->components, b->components, a->component_count);
}

/* The next scan of script i is this one. */
static bool step_in(struct pcri_ladder_walk *w, const struct pcri_script *script, uint32_t i,
                    const struct pcri_jpeg_file *f, const struct pcri_scan *scan)
{
    struct pcri_line_scans line;
    for (; w->line[i] < script->scan_count; w->line[i]++, w->scan[i] = 0) {
        pcri_line_scans(f, &script->scans[w->line[i]], &line);
        if (w->scan[i] < line.count)
            return same_scan(&line.scans[w->scan[i]++], scan);
    }
    return false;
}

bool pcri_ladder_step(struct pcri_ladder_walk *w, const struct pcr_ladder *ladder,
                      const struct pcri_jpeg_file *f, const struct pcri_scan *scan)
{
    bool found = false;
    for (uint32_t i = 0; i < ladder->script_count; i++) {
        if (!w->left[i])
            w->left[i] = !step_in(w, &ladder->scripts[i], i, f, scan);
        found |= !w->left[i];
    }
    return found;
}
