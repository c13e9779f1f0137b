/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes one sample's pixels: read, decode, crop, resize; and what is done where that fails. */
#ifndef PCRI_SAMPLE_H
#define PCRI_SAMPLE_H

#include "options.h"

/* A worker's scratch memory. Start from { 0 }. */
struct pcri_maker {
    struct pcr_dataset *ds;
    const struct pcr_loader_options *options;
    struct pcr_decoder *decoder;
    struct pcr_ladder *ladder; /* the dataset's */
    struct pcr_spans spans;
};
int pcri_maker_init(struct pcri_maker *m, struct pcr_dataset *ds,
                    const struct pcr_loader_options *o, struct pcr_error *err);
void pcri_maker_free(struct pcri_maker *m);

/* What is to be made. */
struct pcri_request {
    uint64_t epoch;
    uint64_t index;               /* in the dataset */
    const struct pcr_slice *slice; /* that holds it, or NULL: it is read by itself */
    uint32_t place;               /* in the slice */
    uint32_t fidelity;
    uint8_t *dst;                 /* pixels */
};

struct pcri_made {
    bool filled;       /* else the sample is left out, as the options want it */
    bool degraded;     /* its fidelity is lower than was asked for */
    uint32_t fidelity;
    int64_t label;
    uint64_t read_count, read_nbytes, read_ns, decode_ns;
};

/* Fails where the options want bad samples to be errors, and where it is not the sample's
 * fault. The message names the record and the sample. */
int pcri_make_sample(struct pcri_maker *m, const struct pcri_request *q,
                     struct pcri_made *out, struct pcr_error *err);

/* Nanoseconds of a clock that only goes forward. */
uint64_t pcri_now_ns(void);

#endif
