/* SPDX-License-Identifier: BSD-2-Clause */
/* In which order an epoch reads and delivers the samples of a dataset. */
#ifndef PCRI_ORDER_H
#define PCRI_ORDER_H

#include "options.h"

/* Samples of one record that are read at once. A sample's ordinal is its number among those
 * that the order has: its index in the dataset, unless there is an index list. */
struct pcri_span {
    uint64_t record;
    uint64_t ordinal; /* of the first sample */
    uint32_t first;   /* its place in the record */
    uint32_t count;
    uint32_t extent;  /* samples of the record from the first to the last; `count` or more */
};

/* Some spans whose samples are delivered together, mixed or not: positions
 * [position, position + sample_count) of the epoch. */
struct pcri_window {
    uint64_t position;
    uint64_t key; /* of the mixing */
    uint32_t sample_count, span_count;
    struct pcri_span *spans;
    uint32_t *span_first; /* span_count + 1: samples of the spans before */
    bool mixed;
};

/* Where the planning of an epoch stands. Start from { .epoch = epoch }. */
struct pcri_plan {
    uint64_t epoch;
    uint64_t next_span, next_window, next_position;
};

/* The order of all epochs: a pure function of the dataset, seed and shuffle options. It is
 * immutable, and may be used by several threads. */
struct pcri_order;
int pcri_order_create(const struct pcr_dataset *ds, const struct pcr_loader_options *o,
                      struct pcri_order **out, struct pcr_error *err);
/* The same from its parts: an order with room for so many records, which are then added one
 * by one, in the dataset's order. nbytes: a record's groups. */
int pcri_order_create_empty(const struct pcr_loader_options *o, uint64_t record_count,
                            struct pcri_order **out, struct pcr_error *err);
void pcri_order_add(struct pcri_order *order, uint32_t sample_count, uint64_t nbytes);
void pcri_order_destroy(struct pcri_order **order);

uint64_t pcri_order_sample_count(const struct pcri_order *order);
/* A sample's index in the dataset. */
uint64_t pcri_order_index(const struct pcri_order *order, uint64_t ordinal);
/* Digests of all that the order depends on beside seed and epoch. */
uint64_t pcri_order_dataset_digest(const struct pcri_order *order);
uint64_t pcri_order_options_digest(const struct pcri_order *order);

/* Plans the next window of plan->epoch. Returns PCR_END after the last. */
int pcri_order_next(const struct pcri_order *order, struct pcri_plan *plan,
                    struct pcri_window *out, struct pcr_error *err);
void pcri_window_free(struct pcri_window *w);

/* Moves a plan from its epoch's beginning to the window that holds a position, or to the
 * end. */
void pcri_order_seek(const struct pcri_order *order, struct pcri_plan *plan,
                     uint64_t position);

/* The sample at place `i` (below sample_count) of the window: its span, and which of the
 * span's samples it is. */
void pcri_window_sample(const struct pcri_window *w, uint32_t i, uint32_t *span_out,
                        uint32_t *place_out);

#endif
