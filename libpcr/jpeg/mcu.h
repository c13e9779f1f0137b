/* SPDX-License-Identifier: BSD-2-Clause */
/* The blocks of a scan's MCUs, one row of MCUs after another. */
#ifndef PCRI_MCU_H
#define PCRI_MCU_H

#include "scan_decode.h"

/* A block of an MCU. */
struct pcri_mcu_unit {
    int16_t *coef; /* of the next MCU in this row, or its DC if there is only DC */
    uint64_t *mask;
    uint32_t step;           /* blocks from MCU to MCU */
    uint32_t stride;         /* numbers of `coef` from block to block */
    uint32_t inside;         /* MCUs of this row in which the block is kept, and not padding */
    uint8_t number;          /* of its component in the scan */
    uint8_t component, h, v; /* where it is in the MCU */
};

struct pcri_mcus {
    const struct pcri_scan_job *job;
    uint32_t rows; /* rows of MCUs to decode */
    unsigned unit_count;
    struct pcri_mcu_unit units[10];
};

/* Points the units to the blocks of MCU row `my`. */
static inline void pcri_mcus_row(struct pcri_mcus *m, uint32_t my)
{
    const struct pcri_scan_job *job = m->job;
    for (unsigned i = 0; i < m->unit_count; i++) {
        struct pcri_mcu_unit *u = &m->units[i];
        const struct pcri_blocks *p = &job->planes[u->component];
        uint32_t v = job->component_count == 1 ? 1 : job->file->components[u->component].v;
        uint32_t y = my * v + u->v;
        u->inside = 0;
        if (y < p->row_begin || y >= p->row_end || u->h >= p->blocks_x)
            continue;
        size_t block = (size_t) y * p->blocks_x + u->h;
        u->stride = p->has_ac ? 64 : 1;
        u->coef = (p->has_ac ? p->coef : p->dc) + u->stride * (block - pcri_kept_begin(p));
        u->mask = p->mask + block;
        u->inside = (p->blocks_x - u->h + u->step - 1) / u->step;
    }
}

/* The scan's units, at the first row. */
static inline void pcri_mcus_start(struct pcri_mcus *m, const struct pcri_scan_job *job)
{
    bool single = job->component_count == 1;
    *m = (struct pcri_mcus) { .job = job };
    for (uint8_t i = 0; i < job->component_count; i++) {
        const struct pcri_component *c = &job->file->components[job->components[i]];
        uint8_t h = single ? 1 : c->h, v = single ? 1 : c->v;
        uint32_t rows = (job->planes[job->components[i]].row_end + v - 1) / v;
        m->rows = rows > m->rows ? rows : m->rows;
        for (uint8_t y = 0; y < v; y++)
            for (uint8_t x = 0; x < h; x++)
                m->units[m->unit_count++] = (struct pcri_mcu_unit) {
                    .step = h,
                    .number = i,
                    .component = job->components[i],
                    .h = x,
                    .v = y,
                };
    }
    pcri_mcus_row(m, 0);
}

#endif
