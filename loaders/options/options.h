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
    uint32_t label_kind;   /* enum pcr_label_kind, of those that have labels */
    uint32_t class_count;  /* the most that any dataset has */
    uint32_t dataset_count;
};

/* Fills *out with the caller's options (may be NULL), replaces zero by defaults, and checks
 * them. Then only epoch_samples may be "default"; fidelity is 1..G, mix.class_count the columns
 * of soft labels. *tunes_out: reader_count
 * is only the number to begin with. INVAL, UNSUPPORTED. */
int pcri_loader_options_fill(const struct pcri_extent *extent,
                             const struct pcr_loader_options *opts,
                             struct pcr_loader_options *out, bool *tunes_out,
                             struct pcr_error *err);

/* Whether the options ask for mixup or CutMix. */
static inline bool pcri_mixes(const struct pcr_loader_options *o)
{
    return o->mix.mixup_alpha > 0 || o->mix.cutmix_alpha > 0;
}

enum {
    PCRI_MOST_VIEWS = 64,
    PCRI_VIEW_KEY = 0x76696577, /* of random numbers */
};

/* Whether each picture that these options make has a size of its own. */
static inline bool pcri_sizes_differ(const struct pcr_loader_options *o)
{
    return o->transform.kind == PCR_TRANSFORM_RESIZE ||
           o->transform.kind == PCR_TRANSFORM_NONE ||
           (o->transform.kind == PCR_TRANSFORM_LETTERBOX && o->transform.multiple);
}

static inline uint32_t pcri_channels_of(const struct pcr_loader_options *o)
{
    return o->output.color == PCR_COLOR_GRAY ? 1 : 3;
}

/* Bytes of one channel of a delivered pixel. */
static inline uint32_t pcri_value_nbytes(const struct pcr_loader_options *o)
{
    return o->output.dtype == PCR_DTYPE_UINT8     ? 1
           : o->output.dtype == PCR_DTYPE_FLOAT32 ? 4
                                                  : 2;
}

/* What one of the pictures of a sample is made with: the loader's options, with its size and
 * transform in place of theirs. */
struct pcri_loader_view {
    struct pcr_loader_options options;
    struct pcr_loader_options plain; /* for samples that are not augmented */
    uint32_t crop_of;                /* the view as whose its crop is drawn */
    size_t nbytes;                   /* of its pixels; 0 if sizes differ */
};

/* Makes the views of filled options, of which there is at least one; free() them. INVAL, NOMEM. */
int pcri_loader_views_make(const struct pcr_loader_options *o, struct pcri_loader_view **out,
                           uint32_t *count_out, struct pcr_error *err);

/* What seeds the random choices of a sample's view number `view`. */
static inline uint64_t pcri_view_identity(uint64_t identity, uint32_t view)
{
    return view ? pcri_key(identity, PCRI_VIEW_KEY, view) : identity;
}

/* Independent streams of random numbers from one seed. */
enum pcri_stream {
    PCRI_STREAM_SPANS = 1,  /* which samples are read together, and when */
    PCRI_STREAM_WINDOW = 2, /* mixing in a window */
    PCRI_STREAM_CROP = 3,
    PCRI_STREAM_DRAW = 4,     /* what an epoch has */
    PCRI_STREAM_FIDELITY = 5, /* mixtures */
    PCRI_STREAM_COLORS = 6,
    PCRI_STREAM_ROTATION = 7,
    PCRI_STREAM_EFFECTS = 8,
    PCRI_STREAM_MIXING = 9,
    PCRI_STREAM_OPERATIONS = 10,
};

static inline uint64_t pcri_stream_key(uint64_t seed, enum pcri_stream stream, uint64_t epoch,
                                       uint64_t n)
{
    return pcri_key(pcri_mix(seed) + stream, epoch, n);
}

#endif
