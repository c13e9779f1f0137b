/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes one sample's pixels: read, decode, crop, resize; and handles failures. */
#ifndef PCRI_SAMPLE_H
#define PCRI_SAMPLE_H

#include "augmentation.h"
#include "../deliver/columns.h"
#include "normalisation.h"

/* A thread's scratch memory, whichever loader it works for. Start from { 0 }. */
struct pcri_maker {
    struct pcr_decoder *decoder;
    struct pcr_spans spans;
    struct pcr_buffer written; /* the bytes of them that are not in a slice */
    struct pcri_augmenter augmenter;
    struct pcri_picture *pictures; /* one for each view, picture_count of them */
    struct pcr_decode_view *decoded;
    uint32_t picture_count;
    struct pcr_buffer bytes;  /* pixels before conversion */
    struct pcr_buffer planes; /* and before they are augmented */
};
int pcri_maker_init(struct pcri_maker *m, struct pcr_error *err);
void pcri_maker_free(struct pcri_maker *m);

/* What to make. */
struct pcri_request {
    const struct pcri_loader_dataset *dataset;
    const struct pcr_loader_options *options;
    const struct pcri_loader_view *views;
    uint32_t view_count;
    bool plain; /* it is not augmented */
    const struct pcri_normalisation *normalisation;
    uint64_t epoch;
    uint64_t index;                /* in the dataset */
    uint64_t identity;             /* seeds its random choices */
    const struct pcr_slice *slice; /* the slice that holds it; NULL: it is read by itself */
    uint32_t place;                /* in the slice */
    uint32_t wish;                 /* a fidelity, or a quality */
    struct pcri_batch *batch;      /* receives the sample's pixels, or its file */
    uint32_t slot;                 /* for pixels */
};

struct pcri_made {
    bool filled;   /* false: the sample is bad, and the options ask for another */
    bool degraded; /* its fidelity is lower than requested */
    bool replaced; /* it replaces the sample whose turn it was */
    bool plain;    /* it is not augmented */
    uint32_t fidelity;
    uint32_t wanted;              /* the fidelity that was wished for */
    uint64_t nbytes, full_nbytes; /* stored, at `fidelity` and at full fidelity */
    double quality;               /* predicted; below 0: not known */
    const struct pcri_loader_dataset *dataset;
    uint64_t index;     /* in the dataset */
    int64_t label;      /* the first; -1: none */
    double float_label; /* the first; NaN: none */
    uint32_t label_count;
    void *labels; /* all of them if there are several, in memory that the receiver
                           * takes over */
    struct pcr_column **columns; /* its attributes, as of pcri_sample_columns(); the receiver
                                  * takes them over */
    uint32_t profile_use;        /* enum pcr_profile_use */
    uint64_t read_count, read_nbytes, read_ns, decode_ns;
    struct pcr_error error; /* why it is replaced or degraded; otherwise not set */
};

/* Decodes what the sample's windows need of m->spans, and fills its slot of the batch: pixels
 * and crops of all views. (pictures.c) */
int pcri_make_pictures(struct pcri_maker *m, const struct pcri_request *q,
                       const struct pcr_sample_info *sample, struct pcr_error *err);

/* Fails if the options make bad samples errors, and if the failure is not the sample's fault.
 * The message names the record and the sample. */
int pcri_make_sample(struct pcri_maker *m, const struct pcri_request *q, struct pcri_made *out,
                     struct pcr_error *err);

#endif
