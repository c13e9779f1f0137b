/* SPDX-License-Identifier: BSD-2-Clause */
/* Loader options with defaults filled in, and the keys of its random choices. */
#ifndef PCRI_LOADER_OPTIONS_H
#define PCRI_LOADER_OPTIONS_H

#include <pcr/ladder.h>
#include <pcr/loader.h>

#include "../../libpcr/base/base.h"
#include "../../libpcr/base/random.h"

/* A dataset, as it was when the loader was made, and what decoding its samples needs. */
struct pcri_loader_dataset {
    struct pcr_dataset *ds;
    struct pcr_dataset_info info;
    struct pcr_ladder *ladder; /* NULL if it has none */
    uint64_t first_number;     /* samples of the datasets before it */
    struct pcr_limits limits;  /* of decoding its samples */
};

/* Everything there is to load. */
struct pcri_extent {
    uint64_t sample_count; /* of all datasets */
    uint32_t group_count;  /* the most that any dataset has */
    bool float_labels;     /* labels are floats */
    uint32_t dataset_count;
};

/* Fills *out with the caller's options (may be NULL), replaces zero by defaults, and checks
 * them. Then only epoch_samples may be "default"; fidelity is 1..G. *tunes_out: reader_count
 * is only the number to begin with. INVAL, UNSUPPORTED. */
int pcri_loader_options_fill(const struct pcri_extent *extent,
                             const struct pcr_loader_options *opts,
                             struct pcr_loader_options *out, bool *tunes_out,
                             struct pcr_error *err);

/* The same options, for samples that are not augmented. */
struct pcr_loader_options pcri_loader_options_plain(const struct pcr_loader_options *o);

/* Values in one sample's pixels, and their bytes; SIZE_MAX if memory cannot hold them. */
size_t pcri_loader_sample_values(const struct pcr_loader_options *o);
size_t pcri_loader_sample_nbytes(const struct pcr_loader_options *o);

/* Independent streams of random numbers from one seed. */
enum pcri_stream {
    PCRI_STREAM_SPANS = 1,  /* which samples are read together, and when */
    PCRI_STREAM_WINDOW = 2, /* mixing in a window */
    PCRI_STREAM_CROP = 3,
    PCRI_STREAM_DRAW = 4,     /* what an epoch has */
    PCRI_STREAM_FIDELITY = 5, /* mixtures */
    PCRI_STREAM_COLORS = 6,
    PCRI_STREAM_ROTATION = 7,
};

static inline uint64_t pcri_stream_key(uint64_t seed, enum pcri_stream stream, uint64_t epoch,
                                       uint64_t n)
{
    return pcri_key(pcri_mix(seed) + stream, epoch, n);
}

#endif
