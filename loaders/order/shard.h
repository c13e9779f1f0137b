/* SPDX-License-Identifier: BSD-2-Clause */
/* Which positions of an epoch's order are this rank's, and which of its batches holds them.
 *
 * The order is the world's. A step takes batch_size positions for each rank, so that the
 * positions delivered after any step are the first ones, whatever the world's size: training
 * can go on from there in another world. Which rank has which of a step's samples is another
 * matter: one rank's positions after the other's, or divided by spans.
 *
 * Where each rank has several workers, a rank's loaders that take turns, a step is one of all
 * ranks' workers: each has a lane. The last, short step is cut as steps without workers are:
 * the first workers have whole batches, one of them has what is left, the others nothing, so
 * that a rank has as many batches as without workers. */
#ifndef PCRI_SHARD_H
#define PCRI_SHARD_H

#include "../options/options.h"

/* Positions [first, end) that lanes share: in each run of batch_size * lanes of them they have
 * batch_size each, of a last, shorter one an even part. */
struct pcri_lanes {
    uint64_t first, end;
    uint64_t lane, lanes; /* this loader's, from 0; lane >= lanes: it has none */
};

/* One loader's part of positions [first, end) of an epoch: samples 0, 1, ... of its own. */
struct pcri_shard {
    uint64_t first, end;
    uint64_t batch_size;
    bool divided;        /* steps are divided out span by span: see assignment.c */
    uint64_t full_count; /* batches of batch_size in whole steps */
    uint64_t last_first; /* of the batch in the last, short step: its first position, */
    uint64_t last_count; /* and its samples; 0: there is none. */
    uint64_t last_own; /* Of these, those that no other rank has; the others fill the batch */
    bool exact;        /* what fills it repeats the epoch's last position */
    /* Whole steps; of the last one, whole batches of the first workers; what is left of it. */
    struct pcri_lanes parts[3];
};

/* The part of options o->rank and o->world, o->worker and o->worker_count. */
void pcri_shard_init(const struct pcr_loader_options *o, uint64_t first, uint64_t end,
                     struct pcri_shard *out);

/* Batches, the same on each rank, if not for each worker. */
uint64_t pcri_shard_batch_count(const struct pcri_shard *s);
/* Samples of this loader, the same on each rank. */
uint64_t pcri_shard_sample_count(const struct pcri_shard *s);

/* Where sample n of the loader is in the epoch, if steps are not divided. It does not fall. */
uint64_t pcri_shard_position(const struct pcri_shard *s, uint64_t n);
/* Does sample n only fill its batch, if steps are not divided? */
bool pcri_shard_fills(const struct pcri_shard *s, uint64_t n);
/* How many samples of the loader are before a position. Where steps are divided, this is so for
 * parts of them which pcri_shard_divide() divides. */
uint64_t pcri_shard_before(const struct pcri_shard *s, uint64_t position);

/* Where the positions end that are divided: `first`, if steps are not. */
uint64_t pcri_shard_divided_end(const struct pcri_shard *s);
/* Where the step ends that a position, which is divided, is in. */
uint64_t pcri_shard_step_end(const struct pcri_shard *s, uint64_t position);
/* Of positions [from, end), all in one step, put in the order of their spans: the loader has
 * those from *low_out to *high_out - 1. All that share the step have as many, but for one.
 * Returns whether it needs one more, any of these, for as many samples as the others. Where all
 * is exact, what fills the last batch is not among them. */
bool pcri_shard_divide(const struct pcri_shard *s, uint64_t from, uint64_t end,
                       uint64_t *low_out, uint64_t *high_out);

/* Positions that are delivered when each rank, and worker, has delivered so many batches. */
uint64_t pcri_shard_delivered(const struct pcri_shard *s, uint64_t batch_count);

#endif
