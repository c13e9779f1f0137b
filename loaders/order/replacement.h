/* SPDX-License-Identifier: BSD-2-Clause */
/* Which samples of an epoch may replace a bad one. */
#ifndef PCRI_REPLACEMENT_H
#define PCRI_REPLACEMENT_H

#include "order.h"

/* A sample's place in the order: its span, in reading order, and its index in the span. */
struct pcri_seat {
    uint64_t turn;
    uint32_t entry;
};

/* A search through an epoch's samples for one to put into a seat. Start from { .seat = seat
 * }. */
struct pcri_search {
    struct pcri_seat seat;
    uint32_t count; /* samples found so far */
    uint32_t round;
    uint64_t step;   /* of the round */
    uint32_t before; /* `count` when the round began */
    bool own;        /* the last one found is of the seat's own span */
};

/* The next sample to try, with its span. A pure function of the order, the epoch and the seat,
 * whatever the rank, batch or thread. False if there are no more, or too many were tried. */
bool pcri_search_next(const struct pcri_order *order, uint64_t epoch, struct pcri_search *s,
                      struct pcri_span *span_out, uint32_t *entry_out);

#endif
