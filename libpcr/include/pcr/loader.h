/* SPDX-License-Identifier: BSD-2-Clause */
/* Training batches of a dataset: shuffled, decoded, cropped, at a fidelity set at run time. */
#ifndef PCR_LOADER_H
#define PCR_LOADER_H

#include <pcr/base.h>
#include <pcr/dataset.h>
#include <pcr/image.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pcr_shuffle {
    PCR_SHUFFLE_DEFAULT = 0, /* means BLOCK */
    PCR_SHUFFLE_NONE = 1,    /* dataset order */
    PCR_SHUFFLE_BLOCK = 2,   /* slices in random order, mixed in a window: large reads */
    PCR_SHUFFLE_FULL = 3,    /* a true permutation; each sample is a read of its own */
};

enum pcr_layout {
    PCR_LAYOUT_DEFAULT = 0, /* means NHWC */
    PCR_LAYOUT_NHWC = 1,
    PCR_LAYOUT_NCHW = 2,
};

/* Type of a batch's pixels. All but UINT8 are (pixel / 255 - mean) / std, rounded to the
 * nearest number of the type. */
enum pcr_dtype {
    PCR_DTYPE_DEFAULT = 0, /* means UINT8 */
    PCR_DTYPE_UINT8 = 1,
    PCR_DTYPE_FLOAT32 = 2,
    PCR_DTYPE_FLOAT16 = 3,  /* IEEE 754 binary16 */
    PCR_DTYPE_BFLOAT16 = 4, /* the upper half of a float32 */
};

enum pcr_transform {
    PCR_TRANSFORM_DEFAULT = 0,     /* means RANDOM_CROP */
    PCR_TRANSFORM_RANDOM_CROP = 1, /* random area and aspect ratio (Szegedy et al. 2015) */
    /* Shorter side to resize_px, then the centre: the pixels of torchvision's Resize and
     * CenterCrop. */
    PCR_TRANSFORM_CENTER_CROP = 2,
    PCR_TRANSFORM_STRETCH = 3, /* the whole image to height x width */
};

enum pcr_sample_policy {
    PCR_SAMPLE_DEFAULT = 0, /* means ERROR */
    PCR_SAMPLE_ERROR = 1,   /* pcr_loader_next() fails with the sample's error */
    /* Another takes its place, counted: "Bad samples" below. Bad is what is damaged, or not
     * there; where the system fails (IO, NOMEM) the epoch ends. */
    PCR_SAMPLE_SKIP = 2,
    PCR_SAMPLE_DEGRADE = 3, /* the highest fidelity that still verifies, counted; else skip */
};

enum {
    PCR_LOADER_DROP_LAST = 1 << 0, /* no short batch at the end of an epoch */
    /* A last, short step that does not divide by `world` loses the samples left over, less
     * than `world`, rather than repeating as few. */
    PCR_LOADER_DROP_UNEVEN = 1 << 1,
    /* rank and world are those of RANK and WORLD_SIZE, else SLURM_PROCID and SLURM_NTASKS,
     * else OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE, in the environment; 0 of 1 where
     * none is set. The options' own must then be 0. It is read again when the first epoch
     * begins, and counts as it is then. */
    PCR_LOADER_RANK_FROM_ENVIRONMENT = 1 << 2,
    /* Drawn samples are not put back: an epoch has none twice. */
    PCR_LOADER_ONCE = 1 << 3,
    /* Batches of JPEG files instead of pixels, for decoders elsewhere, such as a GPU's: each
     * sample as pcr_sample_read() gives it at its fidelity, an opaque one as it was. All
     * options of pixels are then without effect. */
    PCR_LOADER_RAW = 1 << 4,
    /* Batches are in huge pages, where the kernel has some (madvise); not with `allocate`. */
    PCR_LOADER_HUGE_PAGES = 1 << 5,
    /* Nothing is read of an epoch before it is started. Without this, as soon as one epoch was
     * started after the one before it, the first window of the next is read while the last of
     * this one is decoded, up to an eighth of window_nbytes; until that epoch begins its bytes are
     * counted apart (ahead_nbytes). */
    PCR_LOADER_NO_READ_AHEAD = 1 << 6,
    /* Pictures are not turned upright (PCR_DECODE_KEEP_ORIENTATION says how they are without
     * this): for boxes and masks that were made for the pixels as stored. */
    PCR_LOADER_KEEP_ORIENTATION = 1 << 7,
    /* For validation: each sample is valid once over all ranks, in a batch's `valid`, and the
     * last batches are filled to batch_size, so that all batches of all ranks have that size. Not
     * with DROP_LAST or DROP_UNEVEN. */
    PCR_LOADER_EXACT = 1 << 8,
    PCR_LOADER_BACKGROUND = 1 << 9, /* as PCR_DECODE_BACKGROUND, with output.background */
    PCR_LOADER_TO_SRGB = 1 << 10,   /* as PCR_DECODE_TO_SRGB; counted in the stats */
};

#define PCR_NO_READERS UINT32_MAX

/* From epoch `epoch` on, samples have this fidelity. */
struct pcr_fidelity_step {
    uint64_t epoch;
    const double *chances; /* NULL, or a mixture: the chance of each fidelity from 1 to G, in
                            * proportion; drawn for each sample and epoch */
    uint32_t fidelity;     /* without a mixture: 1..G; 0: G */
    uint32_t reserved;     /* 0 */
};

/* The groups of struct pcr_loader_options. Each `reserved` is room for members to come, and 0. */

/* Which samples an epoch has, in which order: "What an epoch has" below. */
struct pcr_loader_order {
    uint32_t shuffle;        /* enum pcr_shuffle */
    uint32_t block_samples;  /* BLOCK: samples a slice; default 64 */
    uint32_t window_samples; /* BLOCK: samples mixed together; default 4096 */
    uint32_t reserved32;     /* 0 */
    uint64_t
        window_nbytes; /* encoded bytes held, about; bounds the window; default 256 MiB. The
                              * dataset keeps that memory until the loader is destroyed */
    const uint64_t *indices; /* the samples to use: index_count numbers of samples, each
                              * larger than the one before; copied. NULL: all */
    uint64_t index_count;
    uint64_t epoch_samples; /* samples in an epoch, below 2^32; default: as many as there are
                              * to use (ONCE: that have a weight) */
    const double *proportions; /* of an epoch, one for each dataset; NULL: all samples are
                                * treated alike, whatever dataset they are of. Copied */
    uint64_t reserved[4];
};

/* Which part of each epoch this loader has: "Several processes" below. */
struct pcr_loader_shard {
    uint32_t rank;   /* which of `world` processes this is, from 0 */
    uint32_t world;  /* processes that share each epoch; default 1 */
    uint32_t worker; /* which of worker_count loaders of this process it is, from 0 */
    uint32_t
        worker_count; /* loaders of each process that take turns; at most 4096; default 1 */
    uint64_t reserved[2];
};

/* Arrays with an entry for each sample of the dataset (of all datasets, one after the other: a
 * sample's number); copied. NULL where not wanted. */
struct pcr_loader_samples {
    uint64_t count;            /* entries of each of these arrays; 0 where there are none */
    const double *weights;     /* how often a sample is taken, in proportion; 0: never */
    const uint8_t *fidelities; /* the sample's own fidelity, 1..G; 0: as the loader's */
    const uint8_t *augment;    /* 0: CENTER_CROP in place of RANDOM_CROP, and nothing random */
    uint64_t reserved[4];
};

/* "Fidelity of a sample" below. */
struct pcr_loader_fidelity {
    uint32_t level; /* 1..G; 0: G. Of several datasets G is the most that one has; what has
                          * less is read at its own G */
    uint32_t step_count;
    const struct pcr_fidelity_step *steps; /* by rising epoch; `level` holds before the first.
                                            * Copied */
    uint64_t reserved[2];
};

/* What a batch's pixels are. */
struct pcr_loader_output {
    uint32_t height;       /* pixels; default 224 */
    uint32_t width;        /* default: height */
    uint32_t layout;       /* enum pcr_layout */
    uint32_t color;        /* enum pcr_color */
    uint32_t dtype;        /* enum pcr_dtype */
    float mean[3];         /* by channel, where 1 is white; 0 with dtype UINT8; default 0 */
    float std[3];          /* the same; default 1 */
    uint8_t background[4]; /* R, G, B with PCR_LOADER_BACKGROUND; background[3]: 0 */
    uint64_t reserved[2];
};

/* How a picture becomes height x width pixels. */
struct pcr_loader_transform {
    uint32_t kind;          /* enum pcr_transform */
    uint32_t filter;        /* enum pcr_filter */
    uint32_t resize_px;     /* CENTER_CROP: shorter side, at least height and width; default
                             * the larger of them * 8 / 7 */
    uint32_t area_min_ppm;  /* RANDOM_CROP: least area, millionths; default 80,000 */
    uint32_t area_max_ppm;  /* default 1,000,000 */
    uint32_t ratio_min_ppm; /* aspect ratio width / height; default 750,000 */
    uint32_t ratio_max_ppm; /* default 1,333,333 */
    uint32_t flip_ppm;      /* chance of a mirror image, millionths; default 0 */
    /* Colours change at random, as by torchvision's ColorJitter: each of the first three is
     * multiplied by a factor even in [1 - x, 1 + x], not below 0; hue turns by up to x of its
     * circle. They come in a random order; 0: not. Of gray pictures hue and saturation do
     * not change. Millionths; at most 2,900,000, of hue 500,000. */
    uint32_t brightness_ppm, contrast_ppm, saturation_ppm, hue_ppm;
    /* After that, what is delivered turns about its centre by an angle even in
     * [-rotate_mdeg, rotate_mdeg], thousandths of a degree, at most 180,000; bilinear, or with
     * filter NEAREST by the nearest pixel, as by Pillow's rotate(). height x width then is
     * at most 2^30. */
    uint32_t rotate_mdeg;
    uint8_t fill[4]; /* R, G, B where a turned picture has nothing; gray: the first.
                             * fill[3]: 0 */
    uint64_t reserved[4];
};

struct pcr_loader_threads {
    uint32_t count; /* that decode for the loader at a time; default: one for each CPU that
                            * this process may use */
    uint32_t reader_count; /* that only read slices, beside `count`; default 8, and while those
                            * that decode wait for them and it helps, up to 128.
                            * PCR_NO_READERS: none, `count` threads do both */
    uint64_t reserved[2];
};

/* Batches that are made ahead, and their memory: "Memory of batches" below. */
struct pcr_loader_memory {
    uint32_t batches_ahead; /* batches made before they are asked for; default 4 */
    uint32_t reserved32;    /* 0 */
    uint64_t ring_nbytes;   /* bound on the bytes of batches made ahead; lowers batches_ahead,
                             * but not below 1. RAW: by the mean file. Default: none */
    void *(*allocate)(void *context, size_t nbytes);             /* NULL: the library's own */
    void (*release)(void *context, void *memory, size_t nbytes); /* with allocate */
    void *context;
    uint64_t reserved[2];
};

struct pcr_loader_options {
    uint32_t size;       /* sizeof(struct pcr_loader_options) */
    uint32_t flags;      /* PCR_LOADER_* */
    uint64_t seed;       /* of order and augmentation */
    uint32_t batch_size; /* samples; default 64 */
    uint32_t bad_sample; /* enum pcr_sample_policy */
    const struct pcr_limits
        *limits; /* of decoding; what is 0, or all where this is NULL, is as
                                      * pcr_dataset_limits() has it */
    struct pcr_loader_order order;
    struct pcr_loader_shard shard;
    struct pcr_loader_samples samples;
    struct pcr_loader_fidelity fidelity;
    struct pcr_loader_output output;
    struct pcr_loader_transform transform;
    struct pcr_loader_threads threads;
    struct pcr_loader_memory memory;
};

/* What an epoch has. Without weights and proportions, each sample once; if epoch_samples is
 * another number, each as often as that makes on average, rounded up or down at random. With
 * weights, each as often as its part of their sum makes on average, rounded the same way
 * (low-variance sampling with replacement); with ONCE, epoch_samples different ones, drawn
 * one after another from what is left, by weight. With proportions, this holds within each
 * dataset, and the datasets take turns: a window of BLOCK has nearly its proportions, any run
 * of FULL and NONE exactly (to one sample). All is drawn anew in each epoch. Copies of a
 * sample are spread over the epoch, each with a random crop of its own. Drawing takes about
 * 0.3 us a sample at an epoch's beginning, and memory 8 bytes a sample for weights, 4 an entry
 * of the epoch. */

/* Fidelity of a sample: its own if `samples.fidelities` has one; else the number that
 * pcr_loader_set_fidelity() has set; else that of the last of fidelity.steps whose epoch has
 * come; else `fidelity.level`. */

/* Memory of batches: of their pixels or files, for example pinned for a GPU. allocate() returns
 * nbytes aligned to 64 bytes, or NULL; release() gives them back. Both are called from any thread,
 * also after the loader is gone, for batches that were still held. A loader makes
 * batches_ahead + 1 batches and as many as its consumer holds, and uses them again and again;
 * one of files (RAW) gets larger memory where it needs it. */

/* Several processes. All of them make a loader with the same options but for `rank`. Each
 * step takes world x batch_size samples of the epoch's order, which does not depend on
 * `world`, and gives each rank batch_size of them. Under BLOCK a rank gets the samples of the
 * same slices at every step of a window, so that it reads 1 / world of the slices, whole; under
 * NONE and FULL rank 0 gets the first samples of the step, rank 1 the next. If fewer are left
 * for the last step, they are divided evenly, ceil(left / world) to each, so that less than
 * `world` samples are given twice; the flags choose otherwise. A batch's `valid` is 0 for the
 * second of them, so that sums over valid samples of all ranks count each sample once. Each rank
 * has the same number of batches, and batch n the same number of samples on each rank, whatever
 * samples are bad. A batch of one rank then mixes window_samples / block_samples / world slices:
 * with many ranks, give window_samples and window_nbytes the size that all ranks' windows have
 * together. A rank holds 1 / world of a window. */

/* Several loaders of each process, such as those of a framework's worker processes: each is made
 * with its `worker`, and batches are taken from one after the other. They share the process's
 * samples as processes do, but the last step is divided as without them: the first workers
 * have whole batches, one has what is left, the others none. The batches of all workers together
 * are as many as one loader would have, and with one process no sample is given twice. A state
 * is then one worker's, for the same number of them. */

/* Bad samples. With SKIP (and DEGRADE, where no fidelity verifies) another sample of the epoch
 * is delivered in the place of a bad one, so that all batches have their size, on all ranks,
 * and no rank has to know of another's. It is a neighbour in the bad one's slice, as a rule
 * already in memory; where three of these are bad too, one of the slices that are read next,
 * and so on. Which it is goes by the order and by what is bad alone, as all of the order does;
 * its crop, flip and colours are drawn anew for its new place. It also has its own place in the
 * epoch. Where a thousand others are bad too, or all there are, the loader fails with the bad
 * sample's error. */

/* Threads of the library work for a loader; all loaders of a process share them, and each gets
 * its turns: of those that decode there are no more than the loader with the largest
 * threads.count may have. They end with the last loader. pcr_loader_next(),
 * pcr_loader_next_within() and pcr_loader_start_epoch() are for one thread at a time; the other
 * functions may be called from any thread meanwhile. The order depends on (datasets, seed, epoch,
 * and the options of shuffling and of what an epoch has) alone, the pixels on these and the
 * options of the image; neither on threads, batch_size, rank or world. */
struct pcr_loader;

/* A loader belongs to the process that made it. In a forked child its functions return INVAL
 * and never wait; destroying it there, and releasing its batches, does nothing, and what the
 * batches hold can still be read. A child may make loaders of its own, on the same datasets. */

/* Creates a loader on `ds`, which must outlive it, and starts its threads; an epoch begins
 * with pcr_loader_start_epoch(). `opts` may be NULL. Codes: INVAL, NOMEM, IO. */
PCR_API PCR_MUST_CHECK int pcr_loader_create(struct pcr_dataset *ds,
                                             const struct pcr_loader_options *opts,
                                             struct pcr_loader **out, struct pcr_error *err);

/* The same on several datasets, at least one, which may differ in classes and in groups; either
 * all have float labels or none has, but for those without labels. */
PCR_API PCR_MUST_CHECK int pcr_loader_create_mix(struct pcr_dataset *const *datasets,
                                                 uint32_t dataset_count,
                                                 const struct pcr_loader_options *opts,
                                                 struct pcr_loader **out,
                                                 struct pcr_error *err);

/* Stops the threads within the decoding time of one image, frees all but the batches that
 * are still held (they stay valid until released), sets *loader to NULL. Accepts NULL. */
PCR_API void pcr_loader_destroy(struct pcr_loader **loader);

/* Sets rank and world, in place of the options' and the environment's, for programs that learn
 * them after they have made the loader. They hold from the next pcr_loader_start_epoch() or
 * pcr_loader_resume() on; an epoch that has begun goes on as it is. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_set_shard(struct pcr_loader *loader, uint32_t rank,
                                                uint32_t world, struct pcr_error *err);

/* Batches of this rank in a whole epoch that begins now; each rank has as many. */
PCR_API uint64_t pcr_loader_batch_count(const struct pcr_loader *loader);

/* Begins epoch `epoch`, any number, also the same again: reading and decoding start at once, at
 * the fidelity and with the rank that hold now. What was left of another epoch is dropped, as is
 * an error or a pcr_loader_cancel() from before; batches that the caller holds stay valid. It
 * waits for threads that are at work for the loader, no longer than one task takes, but reads
 * nothing itself. Draws what the epoch has, if it is to be drawn. Codes: INVAL, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_loader_start_epoch(struct pcr_loader *loader, uint64_t epoch,
                                                  struct pcr_error *err);

enum {
    PCR_LOADER_STATE_NBYTES = 128,
};

/* Writes PCR_LOADER_STATE_NBYTES bytes: where training stands. What counts are the batches
 * that pcr_loader_next() has returned, not those made ahead; after an epoch's last it is the
 * beginning of the next epoch. If all ranks have taken as many batches, their states are
 * equal: one is enough for all. Little-endian, at these offsets:
 *    0  "PCRS"
 *    4  uint32  version, 1
 *    8  uint64  epoch
 *   16  uint64  position: samples of the epoch's order that are delivered, by all ranks
 *   24  uint64  samples in an epoch's order
 *   32  uint64  seed
 *   40  uint64  digest of the datasets' records: their order, samples and sizes
 *   48  uint64  digest of the order's options: shuffle (BLOCK: block_samples,
 *               window_samples, window_nbytes), indices, weights, epoch_samples,
 *               proportions, ONCE
 *   56  uint32  fidelity that pcr_loader_set_fidelity() has set, 0: none
 *   60  uint32  changes of it on the way, 0 to 4
 *   64  4 uint64  positions of the epoch's order from which the changes hold, rising; 0 beyond
 *               their number
 *   96  4 uint32  their fidelities; 0 beyond
 *  112  uint64  0
 *  120  uint64  XXH3-64 of the bytes before
 * Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_state(const struct pcr_loader *loader, void *state_out,
                                            struct pcr_error *err);

/* The same as one line of JSON, with a NUL after it. *out is replaced. Its members have the
 * names version, epoch, position, sample_count, seed, dataset and order (the digests, as
 * strings of 16 hexadecimal digits), fidelity (null: none) and fidelity_changes (pairs of
 * position and fidelity). It has no checksum, so that it can be edited. Codes: INVAL, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_loader_state_json(const struct pcr_loader *loader,
                                                 struct pcr_buffer *out,
                                                 struct pcr_error *err);

/* Goes on from a state, its bytes or its JSON, in place of pcr_loader_start_epoch(): the rest
 * of its epoch follows, the samples not yet delivered, in the same order and with the same
 * pixels, at the fidelity that it says, or where it says none, that this loader's options
 * say. The loader may be another one, with other threads, batch size, rank and world. Seed,
 * order's options and datasets must be the state's. A batch's number then is that of the step
 * that its first sample is in when an epoch is cut into steps of this loader. Time grows with
 * the slices to be passed over (FULL: it does not), about a microsecond each, and where the
 * epoch is drawn with its samples.
 * Codes: FORMAT, TRUNCATED, CORRUPT, UNSUPPORTED (a newer version), INVAL (the state of
 * another dataset, seed or order; the message says which), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_loader_resume(struct pcr_loader *loader, const void *state,
                                             size_t nbytes, struct pcr_error *err);

/* Sets the fidelity from the first sample on that is batches_ahead batches behind the last
 * batch that pcr_loader_next() has returned; it is the same sample on all ranks that call this
 * after as many batches. Where the epoch ends before, and between epochs: from the next one's
 * first sample. It holds until an epoch begins that fidelity.steps names, or for ever. What was
 * read ahead is used where it has that fidelity, and read again where it has not. 0 means G.
 * Codes: INVAL (also with four changes on the way, which only batches_ahead above 4 allows:
 * take a batch first). */
PCR_API PCR_MUST_CHECK int pcr_loader_set_fidelity(struct pcr_loader *loader,
                                                   uint32_t fidelity, struct pcr_error *err);

/* What of a picture a sample shows, in pixels of the picture at its full size; upright, or with
 * PCR_LOADER_KEEP_ORIENTATION as it is stored. */
struct pcr_crop {
    uint32_t width, height; /* of the picture */
    float x0, y0, x1, y1;   /* the window, which became the batch's height x width */
    uint32_t flipped;       /* 1: then mirrored, left to right */
    float degrees;          /* then turned about its centre, anticlockwise */
};

/* One batch. Read-only for the caller but for `pixels` and `data`, which it may change. */
struct pcr_batch {
    uint32_t size; /* of the struct, as the library knows it */
    uint32_t sample_count;
    uint8_t *pixels;       /* sample_count x H x W x C or x C x H x W, 64-byte aligned;
                              * of another dtype than UINT8: float or uint16_t (bits) there */
    const int64_t *labels; /* sample_count: the first label, -1 where there is none; NULL where
                              * the datasets' labels are floats */
    const uint64_t *indices;    /* sample_count: index in its dataset as opened */
    const uint32_t *fidelities; /* sample_count: what each sample was decoded at */
    uint32_t height, width, channels;
    uint32_t layout; /* enum pcr_layout: NHWC or NCHW */
    uint32_t dtype;  /* enum pcr_dtype, not DEFAULT */
    uint32_t reserved;
    uint64_t epoch;
    uint64_t number;          /* of the batch in its epoch, from 0 */
    const uint32_t *datasets; /* sample_count: which of the loader's datasets, from 0 */
    uint8_t *data;            /* RAW: the files, one after the other; pixels is then NULL, and
                              * height to dtype are 0 */
    const uint64_t *offsets;  /* RAW: sample_count + 1: where in data each file begins, and the
                              * last ends */
    const struct pcr_crop *crops; /* sample_count; NULL with RAW */
    /* sample_count: 1 where the sample has its own place, 0 where one only fills the batch, in the
     * place of a bad one, or as it has its place in another batch too. Measures of a whole
     * dataset sum over those with 1 alone, on all ranks, and divide by their number. */
    const uint8_t *valid;
    const double *float_labels; /* sample_count: the first label, NaN where there is none; NULL
                              * where the datasets' labels are integers, or they have none */
    const uint32_t *label_counts; /* sample_count: how many labels each sample has */
    /* sample_count: all of a sample's labels, label_counts[i] of them; one of the two is NULL, as
     * of `labels` and `float_labels`. */
    const int64_t *const *all_labels;
    const double *const *all_float_labels;
};

/* Waits for the next batch in order. The caller owns it until pcr_batch_release().
 * Returns PCR_END after the epoch's last. After an error (of the first bad sample in order) the
 * loader is stopped, and repeats it, until the next start_epoch.
 * Codes: those of pcr_slice_read() and pcr_decoder_decode(), CANCELLED
 * (pcr_loader_cancel()). */
PCR_API PCR_MUST_CHECK int pcr_loader_next(struct pcr_loader *loader, struct pcr_batch **out,
                                           struct pcr_error *err);

/* The same, but waits no longer than wait_ns nanoseconds, with 0 not at all. Returns PCR_AGAIN
 * where the batch is not there by then: it comes with a later call. */
PCR_API PCR_MUST_CHECK int pcr_loader_next_within(struct pcr_loader *loader, uint64_t wait_ns,
                                                  struct pcr_batch **out,
                                                  struct pcr_error *err);

/* Gives *batch back and sets it to NULL; from any thread, also after its loader is gone. Accepts
 * NULL and a NULL object. */
PCR_API void pcr_batch_release(struct pcr_batch **batch);

/* Makes a pcr_loader_next() that waits in another thread, and all later ones until the next
 * start_epoch or resume, return CANCELLED; a state then still says what was delivered. Where no
 * epoch has begun it has no effect on the one that will, and none on the one that another thread
 * is just beginning (start_epoch, resume). Threads that wait to read again what
 * could not be read (retry_count) stop that within a few milliseconds, as they do for
 * pcr_loader_destroy() and the next start_epoch. */
PCR_API void pcr_loader_cancel(struct pcr_loader *loader);

/* A sample that could not be made as it was wanted, and was replaced or degraded. */
struct pcr_bad_sample {
    uint32_t size; /* set by the caller */
    int32_t code;  /* the error that it had at `fidelity` */
    uint64_t epoch;
    uint64_t index;                   /* in its dataset as opened */
    uint32_t dataset;                 /* of the loader's datasets, from 0 */
    uint32_t fidelity;                /* that was wanted */
    uint32_t delivered;               /* fidelity that it was delivered at; 0: another was, */
    uint32_t replacement_dataset;     /* of this dataset, */
    uint64_t replacement;             /* with this index in it as opened. UINT64_MAX: none */
    char message[PCR_MESSAGE_NBYTES]; /* of the error: record, key, what is wrong */
};

enum { PCR_LOADER_BAD_SAMPLES = 64 }; /* that a loader remembers */

/* The i-th last of them: 0 is the latest. Fills *sample_out up to its .size; PCR_END where there
 * are fewer. In what order they come depends on the threads. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_bad_sample(const struct pcr_loader *loader, uint64_t i,
                                                 struct pcr_bad_sample *sample_out,
                                                 struct pcr_error *err);

/* Counters since the loader was made, and, where it says "now", how things stand. Times of
 * threads are sums over them. */
struct pcr_loader_stats {
    uint32_t size;           /* set by the caller */
    uint32_t thread_count;   /* that decode, and read if reader_count is 0 */
    uint64_t sample_count;   /* delivered to batches */
    uint64_t batch_count;    /* handed to the consumer */
    uint64_t replaced_count; /* bad samples, another in the place of each */
    uint64_t degraded_count;
    uint64_t read_nbytes;      /* image bytes read, for the epochs that have begun */
    uint64_t read_ns;          /* thread time spent reading */
    uint64_t decode_ns;        /* thread time spent in decode, crop, resize, normalisation */
    uint64_t idle_ns;          /* thread_count threads' time of waiting, whatever for */
    uint64_t consumer_wait_ns; /* time pcr_loader_next() waited */
    uint64_t room_wait_ns;     /* of idle_ns: batches_ahead batches were made or in work */
    uint64_t bytes_wait_ns;    /* of idle_ns: other threads had yet to read what was needed */
    uint64_t read_count;       /* slices and single samples read */
    uint64_t elapsed_ns;       /* time since the loader was made */
    uint64_t held_nbytes;      /* now: encoded bytes in memory or being read, about */
    uint32_t reading_count;    /* now: threads that read a slice */
    uint32_t decoding_count;   /* now: threads that make a sample */
    uint32_t batches_open;     /* now: batches begun and not handed over */
    uint32_t batches_ready;    /* now: those of them that are complete */
    uint32_t batches_held;     /* now: batches that the consumer has not released */
    uint32_t reader_count;     /* now: threads that only read */
    uint64_t ahead_nbytes; /* now: image bytes read besides read_nbytes: for the next epoch, of
                               * whose read_nbytes they are once it begins, and for such as never
                               * did */
    uint64_t profile_converted_count; /* TO_SRGB: samples whose colours were converted */
    uint64_t profile_unusable_count;  /* and those with a profile that cannot be used */
};

/* Fills *stats_out up to its .size. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_stats(const struct pcr_loader *loader,
                                            struct pcr_loader_stats *stats_out,
                                            struct pcr_error *err);

/* What was counted between two calls of pcr_loader_stats() for one loader; "now" is the
 * later one's. All have their .size set; *out may be `now`. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_stats_since(const struct pcr_loader_stats *now,
                                                  const struct pcr_loader_stats *before,
                                                  struct pcr_loader_stats *out,
                                                  struct pcr_error *err);

enum pcr_stats_form {
    PCR_STATS_TABLE = 0,      /* for people: lines with rates and shares, and what limits */
    PCR_STATS_JSON = 1,       /* one object in one line; its members are the struct's */
    PCR_STATS_PROMETHEUS = 2, /* text exposition format: pcr_loader_..., times in seconds */
};

/* Writes the stats as text into `out`, which is replaced (and a NUL stands after it).
 * labels: PROMETHEUS: what tells this loader's lines from others', for example
 * "split=\"train\"" (as it stands between the braces); else NULL. Codes: INVAL, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_loader_stats_text(const struct pcr_loader_stats *stats,
                                                 uint32_t form, const char *labels,
                                                 struct pcr_buffer *out,
                                                 struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
