/* SPDX-License-Identifier: BSD-2-Clause */
/* The fidelity of each sample, and whether it is augmented. */
#ifndef PCRI_FIDELITY_H
#define PCRI_FIDELITY_H

#include "../options/options.h"
#include "../options/wish.h"

/* 0: it is not above 0 and below 1. */
uint32_t pcri_wish_for(double quality);
/* Whether a sample can be wished for so. */
bool pcri_wish_is_good(uint32_t wish, uint32_t group_count);

/* What the options ask for. Immutable. Start from { 0 }. */
struct pcri_fidelity_plan {
    uint64_t seed;
    uint32_t group_count, wish;
    uint32_t minimum, maximum; /* of what qualities choose */
    uint32_t step_count;
    struct pcr_fidelity_step *steps; /* their `chances` must not be used; */
    double *sums;                    /* use these: running sums of the chances, and */
    uint32_t *wishes;                /* what they are of; each `width` numbers for a step */
    uint32_t width;
    uint32_t *own;    /* wishes by the sample's number; or NULL */
    uint8_t *augment; /* the same */
};
int pcri_fidelity_plan_init(struct pcri_fidelity_plan *r, const struct pcr_loader_options *o,
                            uint32_t group_count, struct pcr_error *err);
void pcri_fidelity_plan_free(struct pcri_fidelity_plan *r);

enum { PCRI_CHANGES_MAX = 4 };

/* Wishes set while the loader runs. */
struct pcri_changes {
    uint32_t fidelity; /* the one set before; 0: none */
    uint32_t count;
    struct {
        uint64_t position; /* of the epoch, at which the fidelity takes effect */
        uint32_t fidelity;
    } items[PCRI_CHANGES_MAX]; /* by position */
};
/* Adds a change. False if the most allowed are under way. */
bool pcri_changes_add(struct pcri_changes *c, uint64_t position, uint32_t fidelity);
/* Drops the changes that took effect before a position. */
void pcri_changes_pass(struct pcri_changes *c, uint64_t position);
/* Moves the changes to the beginning of epoch `next`: those before position `from` took
 * effect. */
void pcri_changes_begin(struct pcri_changes *c, const struct pcri_fidelity_plan *r,
                        uint64_t from, uint64_t next);

/* A sample of an epoch. */
struct pcri_fidelity_case {
    uint64_t epoch, position;
    uint64_t number;   /* among all datasets' samples */
    uint64_t identity; /* the same, except that copies differ */
};

/* A wish, not 0; a pure function of its arguments. */
uint32_t pcri_fidelity_at(const struct pcri_fidelity_plan *r, const struct pcri_changes *c,
                          const struct pcri_fidelity_case *sample);

#endif
