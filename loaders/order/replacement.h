/* SPDX-License-Identifier: BSD-2-Clause */
/* Which samples of an epoch may take the place of a bad one. */
#ifndef PCRI_REPLACEMENT_H
#define PCRI_REPLACEMENT_H

#include "order.h"

/* A sample's place in the order: which of the spans, as they are read, and which of its
 * samples. */
struct pcri_seat {
    uint64_t turn;
    uint32_t entry;
};

/* Goes through an epoch's samples in search of one for a seat. Start from { .seat = seat }. */
struct pcri_search {
    struct pcri_seat seat;
    uint32_t count; /* samples found so far */
    uint32_t round;
    uint64_t step;   /* of the round */
    uint32_t before; /* `count` when the round began */
    bool own;        /* the last one is of the seat's own span */
};

/* The next sample to be tried, with its span. It is a pure function of the order, the epoch and
 * the seat: no rank, batch or thread changes it. False if there are no more, or too many were
 * tried. */
bool pcri_search_next(const struct pcri_order *order, uint64_t epoch, struct pcri_search *s,
                      struct pcri_span *span_out, uint32_t *entry_out);

#endif
