/* SPDX-License-Identifier: BSD-2-Clause */
/* What each sample is to be: its fidelity, and whether it is augmented. */
#ifndef PCRI_FIDELITY_H
#define PCRI_FIDELITY_H

#include "../options/options.h"

/* What the options say. Immutable. Start from { 0 }. */
struct pcri_fidelity_plan {
    uint64_t seed;
    uint32_t group_count, fidelity;
    uint32_t step_count;
    struct pcr_fidelity_step *steps; /* their `chances` are not to be used, */
    double *sums;                    /* but these: of chances 1 to G, for each step */
    uint8_t *fidelities, *augment;   /* by the sample's number; or NULL */
};
int pcri_fidelity_plan_init(struct pcri_fidelity_plan *r, const struct pcr_loader_options *o,
                            uint32_t group_count, struct pcr_error *err);
void pcri_fidelity_plan_free(struct pcri_fidelity_plan *r);

enum { PCRI_CHANGES_MAX = 4 };

/* Fidelities set while the loader runs. */
struct pcri_changes {
    uint32_t fidelity; /* set before; 0: none */
    uint32_t count;
    struct {
        uint64_t position; /* of the epoch, from which the fidelity holds */
        uint32_t fidelity;
    } items[PCRI_CHANGES_MAX]; /* by position */
};
/* False where as many as there may be are on the way. */
bool pcri_changes_add(struct pcri_changes *c, uint64_t position, uint32_t fidelity);
/* Those that have happened before a position are no longer on the way. */
void pcri_changes_pass(struct pcri_changes *c, uint64_t position);
/* What they are at the beginning of epoch `next`, if those before `from` have begun. */
void pcri_changes_begin(struct pcri_changes *c, const struct pcri_fidelity_plan *r,
                        uint64_t from, uint64_t next);

/* A sample of an epoch. */
struct pcri_fidelity_case {
    uint64_t epoch, position;
    uint64_t number;   /* among all datasets' samples */
    uint64_t identity; /* the same, but that copies differ */
};

/* 1..G, pure functions of their arguments. */
uint32_t pcri_fidelity_at(const struct pcri_fidelity_plan *r, const struct pcri_changes *c,
                          const struct pcri_fidelity_case *sample);

#endif
