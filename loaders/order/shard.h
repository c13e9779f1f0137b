/* SPDX-License-Identifier: BSD-2-Clause */
/* Which positions of an epoch's order belong to this rank, and to which of its batches.
 *
 * All ranks share one order. A step takes batch_size positions for each rank, so that the
 * positions delivered after any step are the first ones, whatever the number of ranks:
 * training can continue from there with another number. Which rank gets which of a step's
 * samples is a separate matter: one rank's positions after another's, or divided by spans.
 *
 * A rank may have several workers: loaders that take turns. A step is then one step of all
 * workers of all ranks, and each worker is a lane. The last, short step is cut like steps
 * without workers: the first workers have full batches, one has what is left, the others
 * nothing. So a rank has as many batches as without workers. */
#ifndef PCRI_SHARD_H
#define PCRI_SHARD_H

#include "../options/options.h"

/* Positions [first, end) that lanes share. In each run of batch_size * lanes positions each
 * lane has batch_size; a last, shorter run is divided evenly. */
struct pcri_lanes {
    uint64_t first, end;
    uint64_t lane, lanes; /* this loader's, from 0; if lane >= lanes, it has no positions */
};

/* One loader's part of positions [first, end) of an epoch. The loader's own samples are
 * numbered 0, 1, ... */
struct pcri_shard {
    uint64_t first, end;
    uint64_t batch_size;
    bool divided;        /* steps are divided by spans: see assignment.c */
    uint64_t full_count; /* batches of batch_size in full steps */
    uint64_t last_first; /* first position of the batch in the last, short step, */
    uint64_t last_count; /* and its number of samples; 0: no such batch */
    uint64_t last_own;   /* of these, the samples that no other rank has; the others fill the
                          * batch */
    bool exact;          /* samples that fill it repeat the epoch's last position */
    /* Full steps; the full batches that the first workers have of the last step; what is left
     * of it. */
    struct pcri_lanes parts[3];
};

/* Sets the part that belongs to o->rank of o->world and o->worker of o->worker_count. */
void pcri_shard_init(const struct pcr_loader_options *o, uint64_t first, uint64_t end,
                     struct pcri_shard *out);

/* The number of batches: the same for each rank, not for each worker. */
uint64_t pcri_shard_batch_count(const struct pcri_shard *s);
/* The number of samples of this loader: the same on each rank. */
uint64_t pcri_shard_sample_count(const struct pcri_shard *s);

/* The position of the loader's sample n in the epoch, if steps are not divided. It does not
 * decrease with n. */
uint64_t pcri_shard_position(const struct pcri_shard *s, uint64_t n);
/* Whether sample n only fills its batch, if steps are not divided. */
bool pcri_shard_fills(const struct pcri_shard *s, uint64_t n);
/* How many samples of the loader come before a position. If steps are divided, this holds at
 * the ends of the parts that pcri_shard_divide() divides. */
uint64_t pcri_shard_before(const struct pcri_shard *s, uint64_t position);

/* The end of the positions that are divided; `first` if steps are not. */
uint64_t pcri_shard_divided_end(const struct pcri_shard *s);
/* The end of the step that holds a position, which must be a divided one. */
uint64_t pcri_shard_step_end(const struct pcri_shard *s, uint64_t position);
/* Divides positions [from, end), all in one step and sorted by span: the loader gets those
 * from *low_out to *high_out - 1. All lanes that share the step get the same number, or one
 * fewer. Returns true if this loader is one short: it then needs one more sample, any of
 * these, to have as many as the others. With EXACT, positions that only fill the last batch
 * are not among these. */
bool pcri_shard_divide(const struct pcri_shard *s, uint64_t from, uint64_t end,
                       uint64_t *low_out, uint64_t *high_out);

/* The number of positions delivered after each rank, and worker, has delivered so many
 * batches. */
uint64_t pcri_shard_delivered(const struct pcri_shard *s, uint64_t batch_count);

#endif
