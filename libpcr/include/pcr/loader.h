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

struct pcr_loader_options; /* below */
struct pcr_batch;          /* below */

/* A loader makes the batches of one epoch after another, ahead of the program that takes them.
 *
 * Threads of the library work for it. All loaders of a process share them, and each gets its
 * turns. There are never more decoding threads than the largest threads.count of these
 * loaders. The threads end with the last loader.
 *
 * Call pcr_loader_next(), pcr_loader_next_within() and pcr_loader_start_epoch() from one
 * thread at a time. The other functions may be called from any thread at any time.
 *
 * The order of samples depends only on the datasets, the seed, the epoch, and the options in
 * `order` and `samples`. The pixels depend on these and on the options of the image. Neither
 * depends on threads, batch_size, rank or world; only pictures that are mixed depend on which
 * samples meet in a batch.
 *
 * A loader belongs to the process that made it. In a forked child its functions return INVAL
 * and never wait; destroying it there and releasing its batches does nothing, and the contents
 * of its batches can still be read. A child may make loaders of its own on the same
 * datasets. */
struct pcr_loader;

/* Creates a loader on `ds`, which must outlive it, and starts its threads. Begin an epoch with
 * pcr_loader_start_epoch(). `opts` may be NULL. Codes: INVAL, NOMEM, IO. */
PCR_API PCR_MUST_CHECK int pcr_loader_create(struct pcr_dataset *ds,
                                             const struct pcr_loader_options *opts,
                                             struct pcr_loader **out, struct pcr_error *err);

/* As pcr_loader_create(), on one or more datasets. They may differ in classes and in their
 * number of groups. Either all datasets that have labels have float labels, or none has. */
PCR_API PCR_MUST_CHECK int pcr_loader_create_mix(struct pcr_dataset *const *datasets,
                                                 uint32_t dataset_count,
                                                 const struct pcr_loader_options *opts,
                                                 struct pcr_loader **out,
                                                 struct pcr_error *err);

/* Stops the loader's work within the time that one image takes to decode, frees everything but
 * the batches that the caller still holds (they stay valid until released), and sets *loader
 * to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_loader_destroy(struct pcr_loader **loader);

/* Sets rank and world in place of those of the options and the environment, for programs that
 * learn them only after they made the loader. They take effect with the next
 * pcr_loader_start_epoch() or pcr_loader_resume(); an epoch that has begun is not changed.
 * Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_set_shard(struct pcr_loader *loader, uint32_t rank,
                                                uint32_t world, struct pcr_error *err);

/* The number of batches that this rank gets in a whole epoch that begins now. It is the same
 * for all ranks. */
PCR_API uint64_t pcr_loader_batch_count(const struct pcr_loader *loader);

/* Begins epoch `epoch`, which may be any number, also the current one again. Reading and
 * decoding start at once, with the current fidelity and rank. Drops what is left of another
 * epoch, an earlier error and an earlier pcr_loader_cancel(); batches that the caller holds
 * stay valid. Waits for threads that are at work for the loader, no longer than one task
 * takes, but reads nothing itself. Draws the epoch's samples if the options say so.
 * Codes: INVAL, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_loader_start_epoch(struct pcr_loader *loader, uint64_t epoch,
                                                  struct pcr_error *err);

/* Sets the fidelity of samples to come; 0 means G. It takes effect at the first sample that is
 * batches_ahead batches after the last batch that pcr_loader_next() returned. That is the same
 * sample on all ranks that call this after the same number of batches. If the epoch ends
 * before, and between epochs, it takes effect at the first sample of the next epoch. It holds
 * until an epoch begins that fidelity.steps names, else for ever. Data read ahead is used if
 * it has this fidelity, and is read again if not. Codes: INVAL (also with four changes under
 * way, which only a batches_ahead above 4 allows: take a batch first). */
PCR_API PCR_MUST_CHECK int pcr_loader_set_fidelity(struct pcr_loader *loader,
                                                   uint32_t fidelity, struct pcr_error *err);

/* The same with a quality in place of a fidelity: "Fidelity of a sample". quality: above 0 and
 * below 1. */
PCR_API PCR_MUST_CHECK int pcr_loader_set_quality(struct pcr_loader *loader, double quality,
                                                  struct pcr_error *err);

/* Waits for the next batch in order. Release it with pcr_batch_release(). Returns PCR_END
 * after the last batch of the epoch. After an error (that of the first bad sample in order)
 * the loader is stopped: it repeats the error until the next pcr_loader_start_epoch() or
 * pcr_loader_resume(). Codes: those of pcr_slice_read() and pcr_decoder_decode(), CANCELLED
 * (pcr_loader_cancel()). */
PCR_API PCR_MUST_CHECK int pcr_loader_next(struct pcr_loader *loader, struct pcr_batch **out,
                                           struct pcr_error *err);

/* As pcr_loader_next(), but waits at most wait_ns nanoseconds; 0 does not wait. Returns
 * PCR_AGAIN if the batch is not ready by then; a later call returns it. */
PCR_API PCR_MUST_CHECK int pcr_loader_next_within(struct pcr_loader *loader, uint64_t wait_ns,
                                                  struct pcr_batch **out,
                                                  struct pcr_error *err);

/* Makes a pcr_loader_next() that waits in another thread return CANCELLED, and all later ones
 * until the next pcr_loader_start_epoch() or pcr_loader_resume(). A state taken then still
 * says what was delivered. It has no effect on an epoch that has not begun, or that another
 * thread is just beginning. A wait before a read is tried again (retry_count) ends within a
 * few milliseconds; pcr_loader_destroy() and the next epoch end such waits too. */
PCR_API void pcr_loader_cancel(struct pcr_loader *loader);

/* Bad samples
 *
 * With PCR_SAMPLE_SKIP, and with PCR_SAMPLE_DEGRADE if no fidelity verifies, another sample of
 * the epoch is delivered in place of a bad one. So all batches of all ranks keep their size,
 * and no rank needs to know about bad samples of another. The replacement is a neighbour in
 * the bad sample's slice, which usually is in memory; if three neighbours are bad too, it
 * comes from one of the slices that are read next, and so on. The choice depends only on the
 * order and on which samples are bad. The replacement's crop, flip and colours are drawn anew
 * for the new place. It also keeps its own place in the epoch. If a thousand others are bad
 * too, or all there are, the loader fails with the bad sample's error. */

/* A sample that was bad, and was replaced or degraded. */
struct pcr_bad_sample {
    uint32_t size;                    /* set by the caller */
    int32_t code;                     /* the sample's error at `fidelity` */
    uint64_t epoch;                   /* in which it was found */
    uint64_t index;                   /* in its dataset as opened */
    uint32_t dataset;                 /* index of its dataset in the loader's, from 0 */
    uint32_t fidelity;                /* the one that was wanted */
    uint32_t delivered;               /* the one it was delivered at; 0: it was replaced */
    uint32_t replacement_dataset;     /* dataset of the replacement, if delivered is 0 */
    uint64_t replacement;             /* index of the replacement in its dataset as opened;
                                       * UINT64_MAX: none */
    char message[PCR_MESSAGE_NBYTES]; /* of the error: record, key, what is wrong */
};

enum { PCR_LOADER_BAD_SAMPLES = 64 }; /* how many bad samples a loader remembers */

/* Describes the i-th last bad sample; 0 is the latest. Fills *sample_out up to its .size.
 * Returns PCR_END if there are fewer. Their order depends on the timing of threads.
 * Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_bad_sample(const struct pcr_loader *loader, uint64_t i,
                                                 struct pcr_bad_sample *sample_out,
                                                 struct pcr_error *err);

/* --- pcr_loader_options: What a loader delivers, and with what means --- */

/* What an epoch has
 *
 * Without weights and proportions an epoch has each sample once. If epoch_samples is another
 * number, it has each sample as often as that makes on average, rounded up or down at random.
 *
 * With weights it has each sample as often as its part of their sum makes on average, rounded
 * in the same way (low-variance sampling with replacement). With PCR_LOADER_ONCE it has
 * epoch_samples different samples, drawn one after another from those left, by weight.
 *
 * With proportions this holds within each dataset, and the datasets take turns: a window of
 * BLOCK has nearly the given proportions, any run of samples under FULL and NONE has them
 * exactly (to one sample).
 *
 * Each epoch is drawn anew. Copies of a sample are spread over the epoch, each with a random
 * crop of its own. Drawing takes about 0.3 us per sample when an epoch begins, and memory of 8
 * bytes per sample for weights and 4 per entry of the epoch. */

/* Fidelity of a sample
 *
 * It is the first of these that there is: the sample's own in samples.fidelities or
 * samples.qualities; the one set by pcr_loader_set_fidelity() or pcr_loader_set_quality(); that of
 * the last of fidelity.steps whose epoch has come; fidelity.quality; fidelity.level.
 *
 * Each of these is a number, or a quality: the SSIM of luma, above 0 and below 1, that the sample's
 * pixels are to have at least, compared with those of full fidelity at the size of the output.
 * Then the sample has the least fidelity whose predicted quality (pcr_sample_quality()) reaches it
 * for its crop, from fidelity.minimum to fidelity.maximum. A smaller crop needs more. The crop is
 * drawn before anything is read, so that only those bytes are read. With RAW it is the crop that
 * would be made. Samples whose qualities are not known have fidelity.maximum. */

/* Views
 *
 * A loader can make several pictures of each sample from one read and one decode, each with its
 * own size, crop and augmentation: two for contrastive learning (SimCLR), or two large and eight
 * small ones (DINO). The first view is what a loader with its options alone would deliver;
 * others draw their crops, flips and colours independently of it and of each other. output.height,
 * output.width and `transform` are then 0. A quality holds for the view that needs most. A JPEG
 * is decoded at the size that the view which shrinks least needs. */

/* Mixed batches
 *
 * A loader can mix the pictures of a batch with each other: by mixup (Zhang et al. 2018), where a
 * picture becomes a weighted mean of itself and its partner, or by CutMix (Yun et al. 2019), where
 * a rectangle of it is its partner's. Its partner is the sample before it in the batch, that of
 * the first the last, as in torchvision's MixUp and CutMix. Its own part, lam, is drawn from the
 * distribution Beta(alpha, alpha); for CutMix it is then what the rectangle, cut off at the
 * edges, leaves of the first view. All views are mixed in the same way, at their own sizes.
 *
 * A batch's `lam`, `partners` and `soft_labels` say what became of each sample. What is drawn for
 * a batch depends on the seed, the epoch and its first sample; with mix.each, what is drawn for a
 * sample on the seed, the epoch and itself. So the same samples in the same batches are mixed in
 * the same way, whatever threads, ranks and interruptions there are. Samples that are not
 * augmented (samples.augment) stay whole, but may be partners; a batch of one sample is as it
 * is. */

/* Pictures of different sizes
 *
 * With the transforms RESIZE and NONE, and with LETTERBOX and a `multiple`, each picture of a view
 * has a size of its own; height and width of RESIZE and NONE are 0. Batches have such pictures
 *
 * padded: each at the top left of H x W pixels, the largest height and the largest width of the
 * batch's pictures, each rounded up to a multiple of `multiple`. Beside it is `fill`, or with
 * PCR_LOADER_PAD_ZERO 0 of the batch's type, which is the mean after normalisation; or
 *
 * ragged (PCR_LOADER_RAGGED): each packed by itself, one after another, each at a multiple of 64
 * bytes. H and W are then 0.
 *
 * pcr_batch_view.pictures says where each is, and its size. A sample whose picture would have more
 * than max_pixels or 2^30 pixels, or a side above 65,536, is bad: LIMIT. A batch grows to the
 * memory that it needs; its pictures are kept as bytes by themselves until the last one is made. */

/* Memory of batches
 *
 * The pixels or files of batches can be in the program's own memory, for example pinned for a
 * GPU. allocate() returns nbytes aligned to 64 bytes, or NULL; release() takes them back. Both
 * are called from any thread, and after the loader is gone for batches that were still held. A
 * loader makes batches_ahead + 1 batches, and as many as its consumer holds, and reuses them.
 * A batch of files (PCR_LOADER_RAW) or of pictures of different sizes gets larger memory when it
 * needs it. */

/* Several processes
 *
 * All processes make a loader with the same options except `rank`. Each step takes
 * world x batch_size samples of the epoch's order, which does not depend on `world`, and gives
 * batch_size of them to each rank.
 *
 * Under BLOCK a rank gets samples of the same slices at every step of a window, so that it
 * reads 1 / world of the slices, whole. Its batch mixes window_samples / block_samples / world
 * slices, and it holds 1 / world of a window. With many ranks set window_samples and
 * window_nbytes to the size that the windows of all ranks have together. Under NONE and FULL
 * rank 0 gets the first samples of the step, rank 1 the next, and so on.
 *
 * If fewer samples are left for the last step, they are divided evenly, ceil(left / world) to
 * each rank, so that fewer than `world` samples are given twice; PCR_LOADER_DROP_LAST,
 * PCR_LOADER_DROP_UNEVEN and PCR_LOADER_EXACT choose otherwise. A batch's `valid` is 0 for the
 * second copy, so that sums over valid samples of all ranks count each sample once.
 *
 * All ranks have the same number of batches, and batch n has the same size on all ranks,
 * whatever samples are bad. */

/* Several loaders in each process
 *
 * Worker processes of a framework, for example, each make a loader with their own `worker`,
 * and the program takes batches from one after the other. The loaders share the process's
 * samples as processes do, but the last step is divided as for a single loader: the first
 * workers have full batches, one has what is left, the others none. All workers together
 * deliver as many batches as one loader would, and with one process no sample is given twice.
 * A state then belongs to one worker, and to the same worker_count. */

/* Order of samples. */
enum pcr_shuffle {
    PCR_SHUFFLE_DEFAULT = 0, /* means BLOCK */
    PCR_SHUFFLE_NONE = 1,    /* dataset order */
    PCR_SHUFFLE_BLOCK = 2,   /* slices in random order, mixed in a window: large reads */
    PCR_SHUFFLE_FULL = 3,    /* a true permutation; each sample is read by itself */
};

/* Order of a batch's dimensions: N samples, C channels, H rows, W columns. */
enum pcr_layout {
    PCR_LAYOUT_DEFAULT = 0, /* means NHWC */
    PCR_LAYOUT_NHWC = 1,    /* channels last */
    PCR_LAYOUT_NCHW = 2,    /* one plane per channel */
};

/* Type of a batch's pixels. All but UINT8 are (pixel / 255 - mean) / std, rounded to the
 * nearest number of the type. */
enum pcr_dtype {
    PCR_DTYPE_DEFAULT = 0,  /* means UINT8 */
    PCR_DTYPE_UINT8 = 1,    /* 0 to 255, as decoded */
    PCR_DTYPE_FLOAT32 = 2,  /* IEEE 754 binary32 */
    PCR_DTYPE_FLOAT16 = 3,  /* IEEE 754 binary16 */
    PCR_DTYPE_BFLOAT16 = 4, /* the upper half of a float32 */
};

/* How the window of a picture is chosen that becomes the output. */
enum pcr_transform {
    PCR_TRANSFORM_DEFAULT = 0,     /* means RANDOM_CROP */
    PCR_TRANSFORM_RANDOM_CROP = 1, /* random area and aspect ratio (Szegedy et al. 2015) */
    /* Resize the shorter side to resize_px, then take the centre: the pixels of torchvision's
     * Resize and CenterCrop. */
    PCR_TRANSFORM_CENTER_CROP = 2,
    PCR_TRANSFORM_STRETCH = 3, /* the whole image to height x width */
    /* The whole image in proportion, as large as it fits, in the middle; `fill` around it: the
     * pixels of Pillow's ImageOps.pad(). With a `multiple` the bars are only what makes each side
     * a multiple of it, which height and width are, too: "Pictures of different sizes". */
    PCR_TRANSFORM_LETTERBOX = 4,
    /* The whole image in proportion, in a size of its own: the shorter side becomes resize_px, but
     * the longer one at most longest_px; without resize_px the longer side becomes longest_px. The
     * sizes are those of torchvision's Resize(resize_px, max_size=longest_px), and at least 1. */
    PCR_TRANSFORM_RESIZE = 5,
    PCR_TRANSFORM_NONE = 6, /* the whole image, in its own size */
};

/* What to do about a bad sample: one that is damaged or missing. If the system fails (IO,
 * NOMEM) the epoch ends under all policies. */
enum pcr_sample_policy {
    PCR_SAMPLE_DEFAULT = 0, /* means ERROR */
    PCR_SAMPLE_ERROR = 1,   /* pcr_loader_next() fails with the sample's error */
    PCR_SAMPLE_SKIP = 2,    /* replace it, and count it: "Bad samples" in pcr_loader(3) */
    PCR_SAMPLE_DEGRADE = 3, /* deliver it at the highest fidelity that still verifies, and
                             * count it; as SKIP if there is none */
};

/* Flags of struct pcr_loader_options. */
enum {
    /* Leave out a short batch at the end of an epoch. */
    PCR_LOADER_DROP_LAST = 1 << 0,
    /* If the last, short step cannot be divided evenly among `world` ranks, leave out the
     * remaining samples, fewer than `world`, instead of giving as few twice. */
    PCR_LOADER_DROP_UNEVEN = 1 << 1,
    /* Take rank and world from the environment: RANK and WORLD_SIZE, else SLURM_PROCID and
     * SLURM_NTASKS, else OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE; 0 of 1 if none is set.
     * Those of the options must be 0. The environment is read again when the first epoch
     * begins, and that reading counts. */
    PCR_LOADER_RANK_FROM_ENVIRONMENT = 1 << 2,
    /* Draw without replacement: an epoch has no sample twice. */
    PCR_LOADER_ONCE = 1 << 3,
    /* Deliver batches of files instead of pixels, for other decoders, such as a GPU's. Each
     * sample is what pcr_sample_read() gives at its fidelity. Options about pixels then have
     * no effect. */
    PCR_LOADER_RAW = 1 << 4,
    /* Put batches into huge pages if the kernel has some (madvise). Not with `allocate`. */
    PCR_LOADER_HUGE_PAGES = 1 << 5,
    /* Read nothing of an epoch before it is started. Without this flag, once an epoch was
     * started that follows the one before it, the first window of the next is read while the
     * last one is decoded, up to an eighth of window_nbytes. Until that epoch begins, its
     * bytes are counted separately (ahead_nbytes). */
    PCR_LOADER_NO_READ_AHEAD = 1 << 6,
    /* Leave pictures as they are stored, for boxes and masks that were made for stored pixels.
     * Without this flag they are turned upright: see PCR_DECODE_KEEP_ORIENTATION. */
    PCR_LOADER_KEEP_ORIENTATION = 1 << 7,
    /* For validation: each sample is `valid` in one batch of one rank, and the last batches
     * are filled up, so that all batches of all ranks have batch_size samples. Not with
     * DROP_LAST or DROP_UNEVEN. */
    PCR_LOADER_EXACT = 1 << 8,
    /* As PCR_DECODE_BACKGROUND, with output.background. */
    PCR_LOADER_BACKGROUND = 1 << 9,
    /* As PCR_DECODE_TO_SRGB; struct pcr_loader_stats counts such samples. */
    PCR_LOADER_TO_SRGB = 1 << 10,
    /* With RAW: coded samples are baseline JPEG files, made as by pcr_sample_baseline(), for
     * decoders in hardware. Opaque samples are their files. */
    PCR_LOADER_BASELINE = 1 << 11,
    /* Decode JPEGs at their full size before they are resized, however small they become.
     * Without this flag they are decoded at the size that this needs:
     * pcr_decoder_decode_resized() with scale 0 instead of 8. */
    PCR_LOADER_FULL_SIZE_DECODING = 1 << 12,
    /* Pictures of different sizes are not padded to one: "Pictures of different sizes". */
    PCR_LOADER_RAGGED = 1 << 13,
    /* They are padded with 0 in place of `fill`. */
    PCR_LOADER_PAD_ZERO = 1 << 14,
};

#define PCR_NO_READERS UINT32_MAX /* threads.reader_count: no threads that only read */

/* A fidelity that takes effect at an epoch. */
struct pcr_fidelity_step {
    uint64_t epoch; /* samples have this fidelity from this epoch on */
    const double
        *chances;      /* NULL, or a mixture: the relative chance of each fidelity from 1 to
                        * G, or of each of `qualities`, drawn for each sample and epoch */
    uint32_t fidelity; /* without a mixture: 1..G; 0: G, or by quality */
    /* Entries of `qualities`. 0: a mixture is of fidelities */
    uint32_t quality_count;
    const double *qualities; /* with a mixture: what `chances` has the chances of */
    double quality;          /* without a mixture, with fidelity 0: a quality; 0: none */
};

/* Which samples an epoch has, and in which order: "What an epoch has". */
struct pcr_loader_order {
    uint32_t shuffle;        /* enum pcr_shuffle */
    uint32_t block_samples;  /* BLOCK: samples per slice; default 64 */
    uint32_t window_samples; /* BLOCK: samples mixed together; default 4096 */
    uint32_t reserved32;     /* 0 */
    uint64_t window_nbytes;  /* approximate bound on the encoded bytes held, and so on the
                              * window; default 256 MiB. The dataset keeps that memory until
                              * the loader is destroyed */
    const uint64_t *indices; /* the samples to use: index_count sample numbers, rising;
                              * copied. NULL: all */
    uint64_t index_count;    /* entries of `indices` */
    uint64_t epoch_samples;  /* samples in an epoch, below 2^32; default: the number of samples
                              * to use (ONCE: of those with a weight) */
    const double
        *proportions;     /* each dataset's part of an epoch; copied. NULL: all samples are
                           * equal, whatever their dataset */
    uint64_t reserved[4]; /* 0 */
};

/* Which part of each epoch this loader has: "Several processes", "Several loaders in each
 * process". */
struct pcr_loader_shard {
    uint32_t rank;         /* which of `world` processes this is, from 0 */
    uint32_t world;        /* processes that share each epoch; default 1 */
    uint32_t worker;       /* which of worker_count loaders of this process it is, from 0 */
    uint32_t worker_count; /* loaders of each process that take turns; at most 4096; default
                            * 1 */
    uint64_t reserved[2];  /* 0 */
};

/* Arrays with one entry per sample, by sample number: the samples of the dataset, or of all
 * datasets, those of one after those of another. Arrays are copied; NULL if not wanted. */
struct pcr_loader_samples {
    uint64_t count;            /* entries in each of these arrays; 0 if all are NULL */
    const double *weights;     /* how often a sample is taken, relative to others; 0: never */
    const uint8_t *fidelities; /* the sample's own fidelity, 1..G; 0: the loader's */
    const double *qualities;   /* the sample's own quality; 0: the loader's. Not with its own
                                * fidelity */
    const uint8_t *augment;    /* 0: CENTER_CROP in place of RANDOM_CROP, and nothing random */
    uint64_t reserved[3];      /* 0 */
};

/* At which fidelity samples are read: "Fidelity of a sample". */
struct pcr_loader_fidelity {
    uint32_t level;      /* 1..G; 0: G. With several datasets G is the largest of theirs; a
                          * dataset with fewer groups is read at its own G */
    uint32_t step_count; /* entries of `steps` */
    const struct pcr_fidelity_step *steps; /* by rising epoch; copied. `level` holds before the
                                            * first */
    double quality;   /* in place of `level`, which is 0: a quality; 0: none */
    uint32_t minimum; /* the least fidelity that a quality may choose; default 1 */
    uint32_t maximum; /* and the highest; default G */
};

/* Size, type and layout of a batch's pixels. */
struct pcr_loader_output {
    uint32_t height; /* in pixels; default 224. 0 with RESIZE and NONE */
    uint32_t width;  /* in pixels; default: height. 0 with RESIZE and NONE */
    uint32_t layout; /* enum pcr_layout */
    uint32_t color;  /* enum pcr_color */
    uint32_t dtype;  /* enum pcr_dtype */
    float mean[3];   /* per channel, on a scale where white is 1; default 0; must be 0 with
                      * UINT8 */
    float std[3];    /* as mean; default 1 */
    uint8_t background[4]; /* R, G, B for PCR_LOADER_BACKGROUND; background[3] is 0 */
    uint32_t column_count; /* entries of `columns` */
    uint32_t reserved32;   /* 0 */
    /* Names of attributes that batches have as arrays (pcr_dataset_column()), copied; also with
     * RAW. Datasets that have one must agree about its type; samples of others lack it. NULL:
     * none */
    const char *const *columns;
};

/* How a picture becomes height x width pixels. */
struct pcr_loader_transform {
    uint32_t kind;         /* enum pcr_transform */
    uint32_t filter;       /* enum pcr_filter */
    uint32_t resize_px;    /* CENTER_CROP: the shorter side after resizing, at least height and
                            * width; default: the larger of them * 8 / 7. RESIZE: the shorter
                            * side, at most 65,536; 0: as longest_px says */
    uint32_t area_min_ppm; /* RANDOM_CROP: least area, in millionths; default 80,000 */
    uint32_t area_max_ppm; /* RANDOM_CROP: largest area; default 1,000,000 */
    uint32_t ratio_min_ppm; /* RANDOM_CROP: least width / height, in millionths; default
                             * 750,000 */
    uint32_t ratio_max_ppm; /* RANDOM_CROP: largest width / height; default 1,333,333 */
    uint32_t flip_ppm;      /* chance of a mirror image, in millionths; default 0 */
    /* Random colour changes, as by torchvision's ColorJitter, in millionths. Each of the first
     * three is multiplied by a factor drawn evenly from [1 - x, 1 + x], not below 0; x is at
     * most 2,900,000. Hue turns by up to x of its circle, at most 500,000. They are applied in
     * a random order. 0: no change. Hue and saturation of gray pictures do not change. */
    uint32_t brightness_ppm, contrast_ppm, saturation_ppm, hue_ppm;
    /* After the colours, the result is turned about its centre by an angle drawn evenly from
     * [-rotate_mdeg, rotate_mdeg], in thousandths of a degree, at most 180,000. Pixels are
     * interpolated bilinearly, or with filter NEAREST taken from the nearest one, as by
     * Pillow's rotate(). height x width is then at most 2^30. */
    uint32_t rotate_mdeg;
    uint8_t fill[4]; /* R, G, B of places that the picture does not cover, and of erased ones;
                      * gray: the first. fill[3] is 0 */
    /* Changes that a part of the samples has, each with its chance in millionths; default 0.
     * They are made in this order: turns, RandAugment's operations, colours, gray, blur,
     * solarisation, rotation, erasing. */
    uint32_t flip_down_ppm; /* upside down: a mirror image, turned by 180 degrees */
    uint32_t
        turn_ppm; /* by 90, 180 or 270 degrees, with equal chances; height is width then, unless
                   * pictures have sizes of their own */
    uint32_t color_ppm;          /* of the colour changes above; default 1,000,000 */
    uint32_t gray_ppm;           /* no colour: R, G and B are the luma */
    uint32_t solarize_ppm;       /* values from 128 on become 255 - value */
    uint32_t blur_ppm;           /* Gaussian blur, at edges with mirrored pixels */
    uint32_t blur_min, blur_max; /* its sigma is drawn evenly from these, in thousandths of a
                                  * pixel, at most 16,000; default 100 and 2,000 */
    uint32_t erase_ppm;          /* a rectangle is filled: Zhong et al. 2020 */
    uint32_t erase_area_min_ppm, erase_area_max_ppm; /* its part of the picture; default 20,000
                                                      * and 333,333 */
    uint32_t erase_ratio_min_ppm, erase_ratio_max_ppm; /* its width / height, drawn evenly by
                                                        * logarithm; default 300,000 and
                                                        * 3,300,000 */
    uint32_t
        longest_px;    /* RESIZE: the longer side at most, at least resize_px, at most 65,536;
                           * 0: any */
    uint32_t multiple; /* of which a letterbox's sides, or H and W of a padded batch, are
                           * multiples; at most 4,096; 0: of none */
    /* RandAugment (Cubuk et al. 2020), as torchvision has it: after the turns by right angles, so
     * many operations, at most 16, are drawn from fourteen: none, shear, translation and rotation
     * of pixels, brightness, colour, contrast, sharpness, posterisation, solarisation,
     * autocontrast, equalisation. Each is as strong as the magnitude says, counted from 0 to
     * randaugment_bins - 1, and results are Pillow's. Pixels that move are interpolated as those
     * of rotate_mdeg. 0: none */
    uint32_t randaugment_ops;
    uint32_t randaugment_magnitude; /* below randaugment_bins */
    uint32_t randaugment_bins;      /* default 31, at least 2 */
    uint32_t
        trivialaugment_bins; /* TrivialAugmentWide (Mueller and Hutter 2021) in place of it:
                                     * one operation of a random one of so many strengths, at least
                                     * 2; torchvision's are 31. 0: none */
    uint32_t geometric_only; /* 1: of the operations drawn only those are made that move
                                     * pixels, for masks beside pictures */
    uint64_t reserved[4];    /* 0 */
};

/* One of several pictures of each sample: "Views". */
struct pcr_loader_view {
    uint32_t height; /* as output.height */
    uint32_t width;  /* as output.width */
    /* n: crop and flip are drawn as those of view n - 1, an earlier one; what is drawn equally for
     * the same options of `transform` is the same. 0: they are its own. */
    uint32_t crop_of;
    uint32_t reserved;                     /* 0 */
    struct pcr_loader_transform transform; /* how a picture becomes them */
};

#define PCR_NO_SOFT_LABELS UINT32_MAX /* mix.class_count: batches have none */

/* Pictures of a batch that are mixed with each other: "Mixed batches". Not with RAW, EXACT and
 * pictures of different sizes. */
struct pcr_loader_mix {
    double mixup_alpha;  /* of mixup's Beta(alpha, alpha), at most 1,000; 0: no mixup */
    double cutmix_alpha; /* of CutMix's; 0: no CutMix. With both, one of the two is drawn */
    uint32_t chance_ppm; /* chance of a batch to be mixed, in millionths; default 1,000,000 */
    uint32_t cutmix_ppm; /* with both: chance that it is by CutMix; default 500,000 */
    uint32_t each; /* 1: chance, kind, lam and rectangle are drawn for each sample; 0: for
                          * each batch */
    /* Columns of soft_labels; default: the number of classes, of several datasets the largest.
     * Samples without a label, and with one that is no column, are then an error (INVAL).
     * PCR_NO_SOFT_LABELS: there are none */
    uint32_t class_count;
};

/* How many threads work for the loader. */
struct pcr_loader_threads {
    uint32_t count; /* threads that decode for the loader at a time; default: one for each
                     * CPU that this process may use */
    uint32_t reader_count; /* additional threads that only read slices; default 8, and up to
                            * 128 while decoding waits for them and more of them help.
                            * PCR_NO_READERS: none; the decoding threads also read */
    uint64_t reserved[2];  /* 0 */
};

/* Batches made ahead, and their memory: "Memory of batches". */
struct pcr_loader_memory {
    uint32_t batches_ahead; /* batches made before they are asked for; default 4 */
    uint32_t reserved32;    /* 0 */
    uint64_t ring_nbytes;   /* bound on the bytes of batches made ahead; lowers batches_ahead,
                             * but not below 1. RAW: estimated from the mean file; pictures of
                             * different sizes: from resize_px and longest_px, NONE from the mean
                             * file. Default: none */
    void *(*allocate)(void *context, size_t nbytes); /* NULL: the library's own memory */
    void (*release)(void *context, void *memory, size_t nbytes); /* goes with allocate */
    void *context;        /* passed to allocate() and release() */
    uint64_t reserved[2]; /* 0 */
};

/* All options of a loader, in groups. */
struct pcr_loader_options {
    uint32_t size;                         /* sizeof(struct pcr_loader_options) */
    uint32_t flags;                        /* PCR_LOADER_* */
    uint64_t seed;                         /* of order and augmentation */
    uint32_t batch_size;                   /* samples; default 64 */
    uint32_t bad_sample;                   /* enum pcr_sample_policy */
    const struct pcr_limits *limits;       /* for decoding. NULL, or 0 in a member: as
                                            * pcr_dataset_limits() says */
    struct pcr_loader_order order;         /* which samples, in which order */
    struct pcr_loader_shard shard;         /* which part of them */
    struct pcr_loader_samples samples;     /* settings of single samples */
    struct pcr_loader_fidelity fidelity;   /* at which fidelity */
    struct pcr_loader_output output;       /* size and type of the pixels */
    struct pcr_loader_transform transform; /* crop, resize, augmentation */
    struct pcr_loader_mix mix;             /* mixup and CutMix */
    struct pcr_loader_threads threads;     /* how many threads */
    struct pcr_loader_memory memory;       /* how many batches, and where */
    const struct pcr_loader_view *views;   /* copied; NULL: one view, of `output` and
                                            * `transform` */
    uint32_t view_count;                   /* entries of `views`, at most 64 */
    uint32_t reserved;                     /* 0 */
};

/* --- pcr_batch: A batch of samples, as a loader delivers it --- */

/* Which part of a picture a sample shows, in pixels of the picture at its full size: upright,
 * or as stored with PCR_LOADER_KEEP_ORIENTATION. `affine` says all of it at once. */
struct pcr_crop {
    uint32_t width, height; /* of the picture */
    float x0, y0, x1, y1;   /* the window that became the batch's height x width; with
                             * LETTERBOX it reaches beyond the picture */
    uint32_t flipped;       /* 1: the window was then mirrored, left to right */
    float degrees; /* by how much it was then turned about its centre, anticlockwise, from -180
                    * to 180 */
    uint32_t
        quarters; /* the part of this that was a turn by right angles, 0 to 3: after an odd
                        * number the picture's width is what was its height */
    uint32_t reserved; /* 0 */
    /* Where all this takes places: (x, y) in the picture, in pixels from its top left corner, goes
     * to (affine[0] x + affine[1] y + affine[2], affine[3] x + affine[4] y + affine[5]) in what is
     * delivered. Operations of RandAugment are in here alone. */
    double affine[6];
};

/* Where a picture is in a batch. */
struct pcr_batch_picture {
    uint64_t offset;        /* of its first byte from the view's `pixels` */
    uint32_t height, width; /* in pixels, without what is padded */
};

/* One of the pictures of each sample in a batch. */
struct pcr_batch_view {
    uint8_t *pixels;              /* N pictures, as in struct pcr_batch */
    const struct pcr_crop *crops; /* N entries */
    uint32_t height, width; /* H, W in pixels: of each picture; padded: of the largest, or a
                                   * multiple; 0 if they are ragged */
    const struct pcr_batch_picture *pictures; /* N entries */
};

/* One batch. The caller may change the bytes at `pixels` and `data`, and nothing else. */
struct pcr_batch {
    uint32_t size;              /* of the struct, as the library knows it */
    uint32_t sample_count;      /* N, the number of samples */
    uint8_t *pixels;            /* N x H x W x C or N x C x H x W of dtype, 64-byte aligned:
                                 * float for FLOAT32, uint16_t (bits) for FLOAT16 and
                                 * BFLOAT16. Ragged: N times H x W x C or C x H x W, of each
                                 * picture's H and W. NULL with RAW */
    const int64_t *labels;      /* N entries: the first label, -1 for a sample without
                                 * labels. NULL if the datasets' labels are floats */
    const uint64_t *indices;    /* N entries: index in its dataset as opened */
    const uint32_t *fidelities; /* N entries: the fidelity a sample was decoded at */
    uint32_t height, width, channels; /* H, W (0 if ragged), C; 0 with RAW */
    uint32_t layout;                  /* enum pcr_layout: NHWC or NCHW; 0 with RAW */
    uint32_t dtype;                   /* enum pcr_dtype, not DEFAULT; 0 with RAW */
    uint32_t column_count;            /* entries of `columns` */
    uint64_t epoch;                   /* the batch's epoch */
    uint64_t number;                  /* of the batch in its epoch, from 0 */
    const uint32_t *datasets;         /* N entries: index of its dataset in the loader's */
    uint8_t *data;                    /* RAW: the files, one after another; else NULL */
    const uint64_t *offsets;      /* RAW: N + 1 entries: where each file begins in data, and
                                   * where the last one ends; else NULL */
    const struct pcr_crop *crops; /* N entries; NULL with RAW */
    /* N entries: 1 if the sample is in its own place, 0 if it only fills the batch, replaces a
     * bad sample, or has its place in another batch too. To measure a whole dataset, sum over
     * the samples with 1 of all ranks, and divide by their number. */
    const uint8_t *valid;
    const double *float_labels; /* N entries: the first label, NaN for a sample without labels.
                                 * NULL unless the datasets' labels are floats */
    const uint32_t *label_counts;     /* N entries: how many labels a sample has */
    const int64_t *const *all_labels; /* N entries: all label_counts[i] labels of a sample.
                                       * NULL if labels is */
    const double *const *all_float_labels; /* as all_labels. NULL if float_labels is */
    const struct pcr_batch_view *views; /* view_count entries; `pixels`, `height`, `width` and
                                         * `crops` are those of the first. NULL with RAW */
    uint32_t view_count;                /* 1 without several views; 0 with RAW */
    uint32_t class_count;               /* K, the columns of soft_labels; 0: there are none */
    const struct pcr_column *const
        *columns;     /* those that the options name, in their order; each
                                              * of N samples. They are the batch's */
    const float *lam; /* of mixed batches, else NULL. N entries: how much of a sample is its
                       * own, 0 to 1 */
    const uint32_t
        *partners; /* as lam: the sample of the batch that the rest is of; itself, with
                               * lam 1, where it was not mixed */
    /* Of mixed batches, N x K: lam at the sample's labels, and 1 - lam at its partner's, added
     * where they are the same. Of float labels, K is 1: both first labels, weighted so. NULL if
     * class_count is 0 */
    const float *soft_labels;
};

/* Gives *batch back and sets it to NULL. May be called from any thread, also after the batch's
 * loader is gone. Accepts NULL and a NULL object. */
PCR_API void pcr_batch_release(struct pcr_batch **batch);

/* --- pcr_loader_state: Saving where training stands, and resuming it --- */

enum { PCR_LOADER_STATE_NBYTES = 128 }; /* size of a state */

/* Writes PCR_LOADER_STATE_NBYTES bytes that say where training stands: after the last batch
 * that pcr_loader_next() returned, whatever was made ahead. After the last batch of an epoch
 * that is the beginning of the next epoch. The states of ranks that took the same number of
 * batches are equal; one is enough for all.
 *
 * All numbers are little-endian, at these offsets:
 *
 *    0  "PCRS"
 *    4  uint32  version, 1
 *    8  uint64  epoch
 *   16  uint64  position: samples of the order delivered, by all ranks
 *   24  uint64  samples in an epoch's order
 *   32  uint64  seed
 *   40  uint64  digest of the datasets' records: their order, samples, sizes
 *   48  uint64  digest of the order's options: shuffle (BLOCK:
 *               block_samples, window_samples, window_nbytes), indices,
 *               weights, epoch_samples, proportions, ONCE
 *   56  uint32  fidelity set by pcr_loader_set_fidelity(), 0: none; or 2^31 + the
 *               quality set by pcr_loader_set_quality(), in millionths
 *   60  uint32  changes of it under way, 0 to 4
 *   64  4 uint64  positions in the epoch's order at which the changes take
 *               effect, rising; 0 beyond their number
 *   96  4 uint32  their fidelities; 0 beyond their number
 *  112  uint64  0
 *  120  uint64  XXH3-64 of the bytes before
 *
 * Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_state(const struct pcr_loader *loader, void *state_out,
                                            struct pcr_error *err);

/* Writes the state as one line of JSON, with a NUL after it. *out is replaced. The members are
 * `version`, `epoch`, `position`, `sample_count`, `seed`, `dataset` and `order` (the digests,
 * as strings of 16 hexadecimal digits), `fidelity` (null: none; as in bytes) and
 * `fidelity_changes` (pairs of position and fidelity). There is no checksum, so that it can be
 * edited. Codes: INVAL, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_loader_state_json(const struct pcr_loader *loader,
                                                 struct pcr_buffer *out,
                                                 struct pcr_error *err);

/* Continues from a state, in bytes or JSON, in place of pcr_loader_start_epoch(): the samples
 * not yet delivered follow, in the same order and with the same pixels, at the fidelity that
 * the state says, or if it says none, at that of this loader's options.
 *
 * Seed, options of order and datasets must be those of the state. Threads, batch size, rank
 * and world may differ. A batch's number is then that of the step its first sample falls into
 * when the epoch is cut into steps of this loader. Takes about a microsecond for each slice
 * that is passed over (none under FULL), and the time of drawing if the epoch is drawn.
 *
 * Codes: FORMAT, TRUNCATED, CORRUPT, UNSUPPORTED (a newer version), INVAL (the state of
 * another dataset, seed or order; the message says which), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_loader_resume(struct pcr_loader *loader, const void *state,
                                             size_t nbytes, struct pcr_error *err);

/* --- pcr_loader_stats: What a loader does, in numbers --- */

/* Counts since the loader was made; members that say "now" are current values. Times of
 * threads are sums over all threads. */
struct pcr_loader_stats {
    uint32_t size;             /* set by the caller */
    uint32_t thread_count;     /* threads that decode, and also read if reader_count is 0 */
    uint64_t sample_count;     /* samples delivered into batches */
    uint64_t batch_count;      /* batches handed to the consumer */
    uint64_t replaced_count;   /* bad samples that were replaced */
    uint64_t degraded_count;   /* bad samples delivered at a lower fidelity */
    uint64_t read_nbytes;      /* image bytes read, for the epochs that have begun */
    uint64_t read_ns;          /* thread time spent reading */
    uint64_t decode_ns;        /* thread time spent in decode, crop, resize, normalisation */
    uint64_t idle_ns;          /* time that the thread_count threads waited, for any reason */
    uint64_t consumer_wait_ns; /* time that pcr_loader_next() waited, and that the start of an
                                * epoch waited for reads under way */
    uint64_t room_wait_ns;   /* part of idle_ns: batches_ahead batches were made or in work */
    uint64_t bytes_wait_ns;  /* part of idle_ns: needed bytes were still being read */
    uint64_t read_count;     /* slices and single samples read */
    uint64_t elapsed_ns;     /* time since the loader was made */
    uint64_t held_nbytes;    /* now: encoded bytes in memory or being read, approximately */
    uint32_t reading_count;  /* now: threads reading a slice */
    uint32_t decoding_count; /* now: threads making a sample */
    uint32_t batches_open;   /* now: batches begun and not handed over */
    uint32_t batches_ready;  /* now: complete ones among batches_open */
    uint32_t batches_held;   /* now: batches that the consumer has not released */
    uint32_t reader_count;   /* now: threads that only read */
    /* now: image bytes read that read_nbytes does not count: those for the next epoch, until
     * it begins, and those for epochs that never began */
    uint64_t ahead_nbytes;
    uint64_t profile_converted_count; /* TO_SRGB: samples whose colours were converted */
    uint64_t profile_unusable_count;  /* TO_SRGB: samples with a profile that cannot be used */
    uint64_t fidelity_counts[32];     /* samples delivered at fidelity i + 1 */
    uint64_t delivered_nbytes; /* stored bytes of the samples delivered, at their fidelity */
    uint64_t full_nbytes;     /* the same at full fidelity: the difference is what was saved */
    uint64_t quality_count;   /* samples delivered whose quality is known */
    uint64_t quality_sum_ppm; /* sum of their predicted qualities, in millionths */
    uint64_t quality_least_ppm; /* now: the least of these since the loader was made */
};

/* Fills *stats_out up to its .size. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_stats(const struct pcr_loader *loader,
                                            struct pcr_loader_stats *stats_out,
                                            struct pcr_error *err);

/* The difference between two calls of pcr_loader_stats() for one loader; members that say
 * "now" are those of the later call, `now`. All structs have their .size set; *out may be
 * *now.
 * Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_loader_stats_since(const struct pcr_loader_stats *now,
                                                  const struct pcr_loader_stats *before,
                                                  struct pcr_loader_stats *out,
                                                  struct pcr_error *err);

/* Text forms of the stats. */
enum pcr_stats_form {
    PCR_STATS_TABLE = 0,      /* for people: rates, shares, and what limits the loader */
    PCR_STATS_JSON = 1,       /* one object on one line, with the members of the struct */
    PCR_STATS_PROMETHEUS = 2, /* text exposition format: pcr_loader_..., times in seconds */
};

/* Writes the stats as text into *out, which is replaced, with a NUL after it.
 *
 * form: enum pcr_stats_form.
 * labels: PROMETHEUS: what tells this loader's lines from those of others, as it stands
 *   between the braces, for example "split=\"train\""; NULL for the other forms.
 *
 * Codes: INVAL, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_loader_stats_text(const struct pcr_loader_stats *stats,
                                                 uint32_t form, const char *labels,
                                                 struct pcr_buffer *out,
                                                 struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
