/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for padding blocks. */
#include <stdlib.h>

#include "padding.h"

int pcri_padding_reserve(struct pcri_padding_set *s, const struct pcri_jpeg_file *f,
                         struct pcr_error *err)
{
    const uint32_t mcus_x = (f->width + 8 * f->max_h - 1) / (8 * f->max_h);
    const uint32_t mcus_y = (f->height + 8 * f->max_v - 1) / (8 * f->max_v);
    size_t blocks = 0, at = 0;
    for (uint32_t c = 0; c < f->component_count; c++) {
        s->planes[c] = (struct pcri_padding) { .blocks_x = pcri_blocks_x(f, c),
                                               .blocks_y = pcri_blocks_y(f, c),
                                               .padded_x = mcus_x * f->components[c].h,
                                               .padded_y = mcus_y * f->components[c].v };
        blocks += pcri_padding_count(&s->planes[c]);
    }
    if (PCRI_GROW(s->memory, s->capacity, 64 * blocks, err))
        return PCR_ERR_NOMEM;
    if (!blocks)
        return 0;
    memset(s->memory, 0, 64 * blocks * sizeof(*s->memory));
    for (uint32_t c = 0; c < f->component_count; c++) {
        s->planes[c].coef = s->memory + at;
        at += 64 * pcri_padding_count(&s->planes[c]);
    }
    return 0;
}

void pcri_padding_free(struct pcri_padding_set *s)
{
    free(s->memory);
    *s = (struct pcri_padding_set) { 0 };
}
