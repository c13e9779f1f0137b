/* SPDX-License-Identifier: BSD-2-Clause */
/* A script's lines for an image: steps of passes, and which rows go together. */
#include "plan.h"

int pcri_pk_check(const struct pcri_script *script, struct pcr_error *err)
{
    const struct pcri_ladder_scan *s = &script->scans[0];
    if (!script->scan_count || s->group || s->part != PCRI_PART_ALL || s->ss || s->se ||
        s->ah || s->al)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "the first line of script %s is not whole DC, `all 0-0 0 0`",
                         script->name);
    for (uint32_t i = 1; i < script->scan_count; i++)
        if (script->scans[i].al >= PCRI_PK_PLANES)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                             "script %s has plane %u, the last is %d", script->name,
                             script->scans[i].al, PCRI_PK_PLANES - 1);
    return 0;
}

static void plan_rows(struct pcri_pk_plan *p, const struct pcri_jpeg_file *f)
{
    p->max_v = f->max_v;
    p->mcu_rows = (f->height + 8 * f->max_v - 1) / (8 * f->max_v);
    memset(p->slot, -1, sizeof(p->slot));
    for (uint32_t c = 0; c < f->component_count; c++) {
        p->class[c] = (uint8_t) pcri_class_of(f, c);
        p->blocks_x[c] = pcri_blocks_x(f, c);
        p->blocks_y[c] = pcri_blocks_y(f, c);
        p->v[c] = f->components[c].v;
        uint32_t late = c == 2 ? f->max_v / 2 : 0;
        for (uint32_t r = 0; r < p->v[c]; r++)
            p->slot[c][(r * f->max_v + late) / p->v[c]] = (int8_t) r;
    }
}

static struct pcri_pk_pass make_pass(const struct pcri_pk_plan *p, uint32_t c,
                                     const struct pcri_ladder_scan *line)
{
    struct pcri_pk_pass pass = { .component = (uint8_t) c, .al = line->al };
    unsigned level = line->al < PCRI_PK_LEVELS ? line->al : PCRI_PK_LEVELS - 1;
    pass.first = !line->ah;
    pass.level = (uint8_t) (level + (p->class[c] ? PCRI_PK_LEVELS : 0));
    pass.kind = (uint8_t) (pass.first ? 2 * PCRI_PK_LEVELS + !!p->class[c] : pass.level);
    pass.band = (UINT64_MAX << line->ss) & (UINT64_MAX >> (63 - line->se));
    return pass;
}

/* Does a pass of the component belong to the plan's last step? */
static bool has_component(const struct pcri_pk_step *s, uint32_t c)
{
    for (uint32_t i = 0; i < s->pass_count; i++)
        if (s->passes[i].component == c)
            return true;
    return false;
}

/* A line joins the last step if that is of its group and has none of its components. */
static void add_line(struct pcri_pk_plan *p, const struct pcri_ladder_scan *line, bool begin)
{
    struct pcri_pk_step *s = p->step_count ? &p->steps[p->step_count - 1] : NULL;
    bool fits = s && !begin;
    for (uint32_t c = 0; fits && c < p->component_count; c++)
        fits = !(pcri_part_has(line->part, p->class[c]) && has_component(s, c));
    for (uint32_t c = 0; c < p->component_count; c++) {
        if (!pcri_part_has(line->part, p->class[c]))
            continue;
        if (!fits) {
            s = &p->steps[p->step_count++];
            *s = (struct pcri_pk_step) { .dc = !line->se, .group = line->group };
            fits = true;
        }
        s->passes[s->pass_count++] = make_pass(p, c, line);
    }
}

/* A part ends where a pass's band begins or ends. */
static void plan_parts(struct pcri_pk_plan *p)
{
    uint64_t begins[4] = { 0 };
    for (uint32_t i = 0; i < p->step_count; i++)
        for (uint32_t j = 0; j < p->steps[i].pass_count && !p->steps[i].dc; j++) {
            const struct pcri_pk_pass *pass = &p->steps[i].passes[j];
            begins[pass->component] |= pass->band ^ pass->band << 1;
        }
    for (uint32_t c = 0; c < p->component_count; c++)
        for (uint64_t left = begins[c] | 2, rest; left; left = rest) {
            rest = left & (left - 1);
            const uint64_t first = left & -left, next = rest & -rest;
            p->parts[c][p->part_count[c]++] = next - first;
        }
}

int pcri_pk_plan(const struct pcri_script *script, uint32_t group_count,
                 const struct pcri_jpeg_file *f, struct pcri_pk_plan *out,
                 struct pcr_error *err)
{
    int rc = pcri_pk_check(script, err);
    if (rc)
        return rc;
    *out = (struct pcri_pk_plan) { .component_count = f->component_count,
                                   .group_count = group_count };
    plan_rows(out, f);
    uint32_t line = 0;
    for (uint32_t g = 0; g < group_count; g++) {
        out->first_step[g] = out->step_count;
        bool begin = true;
        for (; line < script->scan_count && script->scans[line].group == g; line++) {
            add_line(out, &script->scans[line], begin);
            begin = out->first_step[g] == out->step_count;
        }
    }
    out->first_step[group_count] = out->step_count;
    plan_parts(out);
    return 0;
}

void pcri_pk_batch_rows(const struct pcri_pk_plan *plan, uint32_t b, uint32_t rows[4])
{
    const uint32_t mcu_row = b / plan->max_v, slot = b % plan->max_v;
    for (uint32_t c = 0; c < 4; c++) {
        const int r = c < plan->component_count ? plan->slot[c][slot] : -1;
        const uint32_t row = mcu_row * plan->v[c] + (uint32_t) r;
        rows[c] = r >= 0 && row < plan->blocks_y[c] ? row : UINT32_MAX;
    }
}

void pcri_pk_bits(const struct pcri_pk_plan *plan, uint32_t groups, int8_t bits[4][64])
{
    memset(bits, -1, 4 * 64);
    for (uint32_t i = 0; i < plan->first_step[groups]; i++)
        for (uint32_t j = 0; j < plan->steps[i].pass_count; j++) {
            const struct pcri_pk_pass *pass = &plan->steps[i].passes[j];
            for (int k = 0; k < 64; k++)
                if (pass->band >> k & 1)
                    bits[pass->component][k] = (int8_t) pass->al;
        }
}
