/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of rows, and the operations for this CPU. */
#include <stdlib.h>

#include "rows.h"

const struct pcri_pk_kernels *pcri_pk_kernels_choose(void)
{
    const unsigned features = pcri_cpu_features();
    (void) features;
#if defined(PCRI_PK_HAVE_X86)
    if (features & PCRI_CPU_AVX2)
        return !(features & PCRI_CPU_FAST_PDEP) ? &pcri_pk_avx2_shuffle
               : features & PCRI_CPU_AVX512     ? &pcri_pk_avx512
                                                : &pcri_pk_avx2;
    if (features & PCRI_CPU_SSSE3)
        return &pcri_pk_ssse3;
#elif defined(PCRI_PK_HAVE_NEON)
    if (features & PCRI_CPU_NEON)
        return &pcri_pk_neon;
#endif
    return &pcri_pk_portable;
}

/* Deals out memory; with base NULL it only counts. */
struct dealer {
    uint8_t *base;
    size_t used;
};

static void *deal(struct dealer *d, size_t count, size_t size, size_t edge)
{
    size_t at = d->used, padding = size == 8 ? PCRI_PK_MASK_PADDING : PCRI_PK_PADDING;
    d->used += ((count + edge + padding) * size + 63) & ~(size_t) 63;
    return d->base ? d->base + at + edge * size : NULL;
}

/* Of all rows above, which a restart zeroes. */
static void deal_above(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t steps,
                       struct dealer *d)
{
    for (uint32_t i = 0; i < steps; i++)
        for (uint32_t j = 0; j < plan->steps[i].pass_count && !plan->steps[i].dc; j++) {
            size_t n = plan->blocks_x[plan->steps[i].passes[j].component];
            struct pcri_pk_above a = {
                .bytes = deal(d, n, 8, PCRI_PK_EDGE),
                .count = deal(d, n, 1, PCRI_PK_EDGE),
                .gain = deal(d, n, 1, PCRI_PK_EDGE),
            };
            if (d->base)
                r->above[4 * i + j] = a;
        }
}

static uint32_t window_count(size_t blocks)
{
    return (uint32_t) ((blocks + PCRI_PK_WINDOW - 1) / PCRI_PK_WINDOW);
}

/* Of what is found in a row of n blocks. Each pass of a part has a plane of its own. */
static void deal_found(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t c,
                       size_t n, struct dealer *d)
{
    const uint32_t parts = plan->part_count[c];
    struct pcri_pk_found *found = deal(d, parts, sizeof(*found), 0);
    for (uint32_t i = 0; i < parts; i++) {
        const size_t most = n * (size_t) __builtin_popcountll(plan->parts[c][i]);
        struct pcri_pk_found f = {
            .places = deal(d, most, 2, 0),
            .values = deal(d, most, 2, 0),
            .ends = deal(d, (size_t) PCRI_PK_PLANES * window_count(n), 4, 0),
        };
        if (d->base)
            found[i] = f;
    }
    r->found[c] = found;
}

static void deal_planes(struct pcri_pk_row *row, size_t n, struct dealer *d)
{
    row->mask = deal(d, n, 8, 0);
    for (uint32_t p = 0; p < PCRI_PK_PLANES; p++)
        row->plane[p] = deal(d, n, 8, 0);
}

static void deal_row(struct pcri_pk_rows *r, uint32_t c, size_t n, struct dealer *d)
{
    struct pcri_pk_row *row = &r->rows[c];
    row->planes = 0;
    row->found = deal(d, n, 8, 0);
    row->sign = deal(d, n, 8, 0);
    row->list = deal(d, n, 2, 0);
    row->named = deal(d, 8 * n, 2, 0);
    /* What a row begins with zeros is side by side. */
    row->bytes = deal(d, n, 8, PCRI_PK_EDGE);
    row->count = deal(d, n, 1, PCRI_PK_EDGE);
    row->low = deal(d, n, 1, 0);
    row->known = deal(d, n, 8, 0);
    r->dc[c].value = deal(d, n, 2, PCRI_PK_EDGE);
    r->dc[c].residual = deal(d, n, 2, 0);
    r->dc_now[c] = deal(d, n, 2, PCRI_PK_EDGE);
}

/* Returns the bytes that it takes. */
static size_t deal_all(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t steps,
                       bool planes, uint8_t *base)
{
    struct dealer d = { base, 0 };
    r->above = deal(&d, 4 * (size_t) steps, sizeof(*r->above), 0);
    r->block_count = 0;
    deal_above(r, plan, steps, &d);
    r->zeroed = d.used;
    for (uint32_t c = 0; c < plan->component_count; c++) {
        r->rows[c].blocks = plan->blocks_x[c];
        r->block_count += plan->blocks_x[c];
        deal_row(r, c, plan->blocks_x[c], &d);
        if (planes)
            deal_planes(&r->rows[c], plan->blocks_x[c], &d);
    }
    r->cleared = d.used;
    for (uint32_t c = 0; c < plan->component_count; c++)
        deal_found(r, plan, c, plan->blocks_x[c], &d);
    return d.used;
}

int pcri_pk_rows_reserve(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan,
                         uint32_t steps, bool planes, struct pcr_error *err)
{
    size_t nbytes = deal_all(r, plan, steps, planes, NULL);
    if (nbytes > r->capacity) {
        free(r->memory);
        r->capacity = 0;
        r->memory = aligned_alloc(64, nbytes);
        if (!r->memory)
            return pcri_fail_nomem(err, nbytes);
        r->capacity = nbytes;
    }
    memset(r->memory, 0, r->cleared);
    deal_all(r, plan, steps, planes, r->memory);
    r->above_count = 4 * steps;
    for (uint32_t c = 0; c < 4; c++)
        r->dc[c].any = false;
    return 0;
}

void pcri_pk_rows_restart(struct pcri_pk_rows *r)
{
    size_t head = (size_t) ((uint8_t *) (r->above + r->above_count) - r->memory);
    memset(r->memory + head, 0, r->zeroed - head);
    for (uint32_t c = 0; c < 4; c++)
        r->dc[c].any = false;
}

void pcri_pk_rows_dc(const struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t c,
                     const struct pcri_pk_kernels *kernels, uint16_t *out)
{
    const uint32_t n = r->rows[c].blocks;
    const unsigned class = plan->class[c];
    if (r->dc[c].any)
        kernels->dc_contexts(&r->dc[c], class, n, out);
    for (uint32_t x = 0; !r->dc[c].any && x < n; x++)
        out[x] = (uint16_t) pcri_pk_dc_context(class);
}

static void clear(uint64_t *begin, const uint64_t *end)
{
    memset(begin, 0, (size_t) ((const uint8_t *) end - (const uint8_t *) begin));
}

void pcri_pk_row_begin(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t c)
{
    struct pcri_pk_row *row = &r->rows[c];
    clear(row->bytes, row->known + row->blocks);
    if (row->planes)
        clear(row->plane[__builtin_ctz(row->planes)],
              row->plane[pcri_bit_length(row->planes) - 1] + row->blocks);
    row->planes = 0;
    for (uint32_t i = 0; i < plan->part_count[c]; i++) {
        struct pcri_pk_found *f = &r->found[c][i];
        f->count = f->settled = f->end_count = 0;
    }
}

void pcri_pk_dc_end(struct pcri_pk_rows *r, uint32_t c)
{
    struct pcri_pk_dc *up = &r->dc[c];
    uint32_t n = r->rows[c].blocks;
    int16_t *now = r->dc_now[c];
    r->dc_now[c] = up->value;
    up->value = now;
    now[n] = now[n - 1];
    now[-1] = now[0];
    up->residual[n] = 0;
    up->any = true;
}

uint32_t pcri_pk_active(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t step,
                        const uint32_t y[4], struct pcri_pk_active out[4])
{
    const struct pcri_pk_step *s = &plan->steps[step];
    uint32_t n = 0;
    for (uint32_t j = 0; j < s->pass_count; j++) {
        const struct pcri_pk_pass *pass = &s->passes[j];
        if (y[pass->component] != UINT32_MAX)
            out[n++] = (struct pcri_pk_active) {
                pass,
                y[pass->component],
                &r->rows[pass->component],
                s->dc ? NULL : &r->above[4 * step + j],
            };
    }
    return n;
}

struct pcri_pk_found *pcri_pk_next_part(const struct pcri_pk_rows *r,
                                        const struct pcri_pk_plan *plan,
                                        const struct pcri_pk_pass *pass, uint32_t *at)
{
    const uint32_t c = pass->component;
    while (*at < plan->part_count[c]) {
        const uint32_t i = (*at)++;
        if (plan->parts[c][i] & pass->band)
            return &r->found[c][i];
    }
    return NULL;
}

/* What a pass found in a window is what ends here. */
static uint32_t window_end(const struct pcri_pk_found *f, uint32_t windows, uint32_t w)
{
    return f->ends[f->end_count - windows + w];
}

void pcri_pk_join(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan,
                  const struct pcri_pk_active *a, const struct pcri_pk_kernels *kernels)
{
    const struct pcri_pk_row *row = a->row;
    const bool by_bytes = kernels->by_bytes;
    const uint16_t *list = by_bytes ? row->named : row->list;
    const uint32_t n = by_bytes ? row->named_count : row->listed;
    const uint32_t count = window_count(row->blocks);
    const uint32_t window = PCRI_PK_WINDOW * (by_bytes ? 8 : 1);
    struct pcri_pk_found *f;
    for (uint32_t at = 0; (f = pcri_pk_next_part(r, plan, a->pass, &at));) {
        uint64_t part = plan->parts[a->pass->component][at - 1];
        part |= a->pass->band & ~part ? 0 : ~part; /* the only one */
        f->settled = f->count;
        for (uint32_t w = 1, from = 0, to; w <= count; w++, from = to) {
            to = w < count ? from : n;
            while (to < n && list[to] < w * window)
                to++;
            f->count += kernels->places(row, part, from, to, f->places + f->count);
            f->ends[f->end_count++] = f->count;
        }
    }
}

size_t pcri_pk_m_contexts(const struct pcri_pk_rows *r, const struct pcri_pk_plan *plan,
                          const struct pcri_pk_active *a, uint16_t *out)
{
    const uint32_t count = window_count(a->row->blocks);
    const struct pcri_pk_found *f;
    size_t n = 0;
    for (uint32_t at = 0; (f = pcri_pk_next_part(r, plan, a->pass, &at));)
        for (uint32_t w = 0, i = f->settled; w < count; w++) {
            const uint8_t *gain = a->above->gain + w * PCRI_PK_WINDOW;
            for (const uint32_t end = window_end(f, count, w); i < end; i++) {
                const unsigned place = f->places[i];
                out[n++] = (uint16_t) (pcri_pk_m_begin(a->pass->level, gain[place / 64]) +
                                       pcri_pk_m_zone(place % 64));
            }
        }
    return n;
}

void pcri_pk_gather(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan,
                    const struct pcri_pk_active *a, const int16_t *coef)
{
    const uint32_t count = window_count(a->row->blocks);
    struct pcri_pk_found *f;
    for (uint32_t at = 0; (f = pcri_pk_next_part(r, plan, a->pass, &at));)
        for (uint32_t w = 0, i = f->settled; w < count; w++) {
            const int16_t *from = coef + (size_t) 64 * PCRI_PK_WINDOW * w;
            for (const uint32_t end = window_end(f, count, w); i < end; i++)
                f->values[i] = from[f->places[i]];
        }
}

static void scatter(const uint16_t *places, const int16_t *values, size_t n, int16_t *coef)
{
    for (size_t i = 0; i < n; i++)
        coef[places[i]] = values[i];
}

void pcri_pk_scatter(const struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t c,
                     int16_t *coef)
{
    const uint32_t count = window_count(r->rows[c].blocks);
    for (uint32_t i = 0; i < plan->part_count[c]; i++) {
        const struct pcri_pk_found *f = &r->found[c][i];
        if (count == 1)
            scatter(f->places, f->values, f->count, coef);
        for (uint32_t k = 0, from = 0; count > 1 && k < f->end_count; from = f->ends[k++])
            scatter(f->places + from, f->values + from, f->ends[k] - from,
                    coef + (size_t) 64 * PCRI_PK_WINDOW * (k % count));
    }
}

void pcri_pk_rows_free(struct pcri_pk_rows *r)
{
    free(r->memory);
    *r = (struct pcri_pk_rows) { 0 };
}
