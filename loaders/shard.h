/* SPDX-License-Identifier: BSD-2-Clause */
/* Which positions of an epoch's order are this rank's, and which of its batches holds them.
 *
 * The order is the world's. A step takes batch_size positions for each rank, so that the
 * positions delivered after any step are the first ones, whatever the world's size: training
 * can go on from there in another world. Which rank has which of a step's samples is another
 * matter: one rank's positions after the other's, or dealt by spans. */
#ifndef PCRI_SHARD_H
#define PCRI_SHARD_H

#include "options.h"

/* One rank's part of positions [first, end) of an epoch: samples 0, 1, ... of its own. */
struct pcri_shard {
    uint64_t first, end;
    uint64_t batch_size, rank, world;
    bool dealt;          /* steps are dealt out span by span: see deal.c */
    uint64_t full_count; /* batches of batch_size */
    uint64_t last_first; /* of the last, smaller batch: its first position, */
    uint64_t last_count; /* and its samples; 0: there is none */
};

/* The part of options o->rank and o->world. */
void pcri_shard_init(const struct pcr_loader_options *o, uint64_t first, uint64_t end,
                     struct pcri_shard *out);

/* Batches, the same on each rank. */
uint64_t pcri_shard_batch_count(const struct pcri_shard *s);
/* Samples of this rank, the same on each. */
uint64_t pcri_shard_sample_count(const struct pcri_shard *s);

/* Where sample n of the rank is in the epoch, if steps are not dealt. It grows with n. */
uint64_t pcri_shard_position(const struct pcri_shard *s, uint64_t n);
/* How many samples of the rank are before a position. Where steps are dealt, this is so for
 * parts of them which pcri_shard_deal() divides. */
uint64_t pcri_shard_before(const struct pcri_shard *s, uint64_t position);

/* Where the positions end that are dealt: `first`, if steps are not. */
uint64_t pcri_shard_dealt_end(const struct pcri_shard *s);
/* Of positions [from, end), all in one step, put in the order of their spans: the rank has
 * those from *low_out to *high_out - 1. All ranks have as many, but for one. Returns whether
 * the rank needs one more, any of these, for as many samples as the other ranks. */
bool pcri_shard_deal(const struct pcri_shard *s, uint64_t from, uint64_t end,
                     uint64_t *low_out, uint64_t *high_out);

/* Positions that are delivered when each rank has delivered so many batches. */
uint64_t pcri_shard_delivered(const struct pcri_shard *s, uint64_t batch_count);

/* Fills in o->rank and o->world from the launcher's variables; one process where there are
 * none. INVAL. */
int pcri_shard_environment(struct pcr_loader_options *o, struct pcr_error *err);

#endif
