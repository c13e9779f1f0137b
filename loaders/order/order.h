/* SPDX-License-Identifier: BSD-2-Clause */
/* In which order an epoch reads and delivers its samples. */
#ifndef PCRI_ORDER_H
#define PCRI_ORDER_H

#include "catalog.h"
#include "contents.h"

/* Entries of one record that are read together: a slice. */
struct pcri_span {
    uint64_t record;       /* in its dataset */
    uint64_t first_number; /* of the record's first sample */
    uint64_t entry;        /* the first one in the contents */
    uint64_t row;          /* of the contents */
    uint32_t dataset;
    uint32_t first; /* the place of the first one in the record */
    uint32_t count;
    uint32_t extent; /* samples of the record from the first to the last; at least `count` */
    uint32_t copy;
    uint32_t sample_nbytes; /* mean at full fidelity */
};

/* Spans whose samples are delivered together, mixed or not: positions [position, position +
 * sample_count) of the epoch. */
struct pcri_order_window {
    uint64_t position;
    uint64_t first_span; /* number of its first span among the epoch's, in reading order */
    uint32_t sample_count, span_count;
    struct pcri_span *spans;
    uint32_t *span_first; /* span_count + 1: samples of the spans before */
    uint32_t *mixed;      /* the order of the window's samples; NULL: as they are */
};

/* How far the planning of an epoch has come. Start from { .epoch = epoch }. */
struct pcri_order_plan {
    uint64_t epoch;
    uint64_t next_span, next_window, next_position;
};

/* The order of an epoch is a pure function of the catalog, its options and the epoch. The
 * contents must be those of the epoch. */
struct pcri_order {
    const struct pcri_catalog *catalog;
    const struct pcri_contents *contents;
};

/* The span that is read as the i-th in an epoch. */
struct pcri_span pcri_order_span(const struct pcri_order *order, uint64_t epoch, uint64_t i);

/* Plans the next window of plan->epoch. Returns PCR_END after the last. */
int pcri_order_next(const struct pcri_order *order, struct pcri_order_plan *plan,
                    struct pcri_order_window *out, struct pcr_error *err);
void pcri_order_window_free(struct pcri_order_window *w);

/* Moves a plan from the beginning of its epoch to the window that holds a position, or to the
 * end. */
void pcri_order_seek(const struct pcri_order *order, struct pcri_order_plan *plan,
                     uint64_t position);

/* The sample at place `i` (below sample_count) of the window: its span, and its index among
 * the span's samples. */
void pcri_order_window_sample(const struct pcri_order_window *w, uint32_t i,
                              uint32_t *span_out, uint32_t *entry_out);

/* The place in its record of a span's n-th sample. */
static inline uint32_t pcri_span_place(const struct pcri_order *order,
                                       const struct pcri_span *span, uint32_t n)
{
    return pcri_contents_place(order->contents, &order->contents->rows[span->row],
                               span->entry + n);
}

#endif
