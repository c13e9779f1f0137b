/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes one sample's pixels: read, decode, crop, resize; and what is done where that fails. */
#ifndef PCRI_SAMPLE_H
#define PCRI_SAMPLE_H

#include "augmentation.h"
#include "../deliver/batch.h"

/* A thread's scratch memory, for whatever loader it works. Start from { 0 }. */
struct pcri_maker {
    struct pcr_decoder *decoder;
    struct pcr_spans spans;
    struct pcr_buffer written; /* what of them is not in a slice */
    struct pcri_augmenter augmenter;
    struct pcr_buffer bytes; /* pixels not yet converted */
};
int pcri_maker_init(struct pcri_maker *m, struct pcr_error *err);
void pcri_maker_free(struct pcri_maker *m);

/* What is to be made. */
struct pcri_request {
    const struct pcri_loader_dataset *dataset;
    const struct pcr_loader_options *options;
    uint64_t epoch;
    uint64_t index;                /* in the dataset */
    uint64_t identity;             /* that its random choices go by */
    const struct pcr_slice *slice; /* that holds it, or NULL: it is read by itself */
    uint32_t place;                /* in the slice */
    uint32_t fidelity;
    uint8_t *dst;             /* pixels */
    struct pcri_batch *files; /* in place of dst: the batch that gets the sample's file */
};

struct pcri_made {
    bool filled;   /* else the sample is bad, and the options want another */
    bool degraded; /* its fidelity is lower than was asked for */
    bool replaced; /* it is another than the one whose turn it was */
    uint32_t fidelity;
    const struct pcri_loader_dataset *dataset;
    uint64_t index;     /* in the dataset */
    int64_t label;      /* the first, -1 where there is none */
    double float_label; /* the first, NaN where there is none */
    uint32_t label_count;
    void *labels;         /* where there are several: all, in memory for who takes them over */
    struct pcr_crop crop; /* of pixels */
    uint32_t profile_use; /* enum pcr_profile_use */
    uint64_t read_count, read_nbytes, read_ns, decode_ns;
    struct pcr_error error; /* why it is replaced or degraded; elsewhere not set */
};

/* Fails where the options want bad samples to be errors, and where it is not the sample's
 * fault. The message names the record and the sample. */
int pcri_make_sample(struct pcri_maker *m, const struct pcri_request *q, struct pcri_made *out,
                     struct pcr_error *err);

#endif
