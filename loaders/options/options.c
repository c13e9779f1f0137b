/* SPDX-License-Identifier: BSD-2-Clause */
/* Loader options: defaults and checks. */
#include <math.h>
#include <stdlib.h>

#include "options.h"
#include "rank.h"

enum {
    MILLION = 1000000,
    MOST_FACTOR_PPM = 2900000,
    MOST_ALPHA = 1000,
    READER_COUNT = 8, /* to begin with: docs/PERFORMANCE.md, "Threads that read" */
};

static void set(uint32_t *field, uint32_t value)
{
    if (!*field)
        *field = value;
}

static int check_max(const char *name, uint32_t value, uint32_t max, struct pcr_error *err)
{
    if (value <= max)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL, "loader option %s is %u, the limit is %u", name,
                     (unsigned) value, (unsigned) max);
}

static int check_order(const char *low, uint32_t a, const char *high, uint32_t b,
                       struct pcr_error *err)
{
    if (a <= b)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL, "loader option %s is %u, but %s is %u", low,
                     (unsigned) a, high, (unsigned) b);
}

/* Of one view. */
static void fill_view(struct pcr_loader_options *o)
{
    struct pcr_loader_transform *t = &o->transform;
    set(&t->kind, PCR_TRANSFORM_RANDOM_CROP);
    if (t->kind != PCR_TRANSFORM_RESIZE && t->kind != PCR_TRANSFORM_NONE) {
        set(&o->output.height, 224);
        set(&o->output.width, o->output.height);
        uint64_t side = o->output.height > o->output.width ? o->output.height
                                                           : o->output.width;
        set(&t->resize_px, (uint32_t) (side * 8 / 7));
    }
    set(&t->area_min_ppm, 80000);
    set(&t->area_max_ppm, MILLION);
    set(&t->ratio_min_ppm, 750000);
    set(&t->ratio_max_ppm, 1333333);
    set(&t->color_ppm, MILLION);
    set(&t->blur_min, 100);
    set(&t->blur_max, 2000);
    set(&t->erase_area_min_ppm, 20000);
    set(&t->erase_area_max_ppm, 333333);
    set(&t->erase_ratio_min_ppm, 300000);
    set(&t->erase_ratio_max_ppm, 3300000);
    set(&t->randaugment_bins, 31);
}

static void fill(struct pcr_loader_options *o, uint32_t group_count)
{
    set(&o->batch_size, 64);
    set(&o->output.layout, PCR_LAYOUT_NHWC);
    set(&o->output.color, PCR_COLOR_RGB);
    if (!(o->fidelity.quality != 0))
        set(&o->fidelity.level, group_count);
    set(&o->fidelity.minimum, 1);
    set(&o->fidelity.maximum, group_count);
    set(&o->order.shuffle, PCR_SHUFFLE_BLOCK);
    set(&o->threads.reader_count, READER_COUNT);
    if (o->threads.reader_count == PCR_NO_READERS)
        o->threads.reader_count = 0;
    set(&o->threads.count, pcri_cpu_count());
    set(&o->bad_sample, PCR_SAMPLE_ERROR);
    set(&o->order.block_samples, 64);
    set(&o->order.window_samples, 4096);
    set(&o->memory.batches_ahead, 4);
    set(&o->shard.worker_count, 1);
    set(&o->output.dtype, PCR_DTYPE_UINT8);
    for (int c = 0; c < 3; c++)
        if (o->output.dtype != PCR_DTYPE_UINT8 && o->output.std[c] == 0)
            o->output.std[c] = 1;
    if (!o->order.window_nbytes)
        o->order.window_nbytes = UINT64_C(256) << 20;
}

/* After fill(): all zero for UINT8, which has no normalisation. */
static int check_channel(const struct pcr_loader_options *o, int c, struct pcr_error *err)
{
    double mean = o->output.mean[c], std = o->output.std[c];
    bool ok = o->output.dtype == PCR_DTYPE_UINT8 ? mean == 0 && std == 0
                                                 : isfinite(mean) && isfinite(std) && std > 0;
    if (ok)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "loader options mean[%d] and std[%d] are %g and %g, expected %s", c, c,
                     mean, std,
                     o->output.dtype == PCR_DTYPE_UINT8 ? "0 with dtype UINT8"
                                                        : "finite numbers, std above 0");
}

static int check_memory(const struct pcr_loader_options *o, struct pcr_error *err)
{
    if (!o->memory.allocate != !o->memory.release)
        return pcri_fail(err, PCR_ERR_INVAL, "loader option %s is set, but %s is NULL",
                         o->memory.allocate ? "allocate" : "release",
                         o->memory.allocate ? "release" : "allocate");
    return 0;
}

static int check_reserved(const struct pcr_loader_options *o, struct pcr_error *err)
{
    const struct {
        const char *name;
        const uint64_t *words;
        size_t count;
    } groups[] = {
        { "order", o->order.reserved, 4 },     { "shard", o->shard.reserved, 2 },
        { "samples", o->samples.reserved, 3 }, { "threads", o->threads.reserved, 2 },
        { "memory", o->memory.reserved, 2 },
    };
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
        for (size_t i = 0; i < groups[g].count; i++)
            if (groups[g].words[i])
                return pcri_fail(err, PCR_ERR_INVAL, "loader option %s.reserved is not 0",
                                 groups[g].name);
    return 0;
}

static int check(const struct pcr_loader_options *o, uint32_t group_count,
                 struct pcr_error *err)
{
    const struct {
        const char *name;
        uint32_t value, max;
    } bounds[] = {
        { "dtype", o->output.dtype, PCR_DTYPE_BFLOAT16 },
        { "batch_size", o->batch_size, 1 << 20 },
        { "layout", o->output.layout, PCR_LAYOUT_NCHW },
        { "color", o->output.color, PCR_COLOR_GRAY },
        { "fidelity", o->fidelity.level, group_count },
        { "fidelity_min", o->fidelity.minimum, group_count },
        { "fidelity_max", o->fidelity.maximum, group_count },
        { "shuffle", o->order.shuffle, PCR_SHUFFLE_FULL },
        { "thread_count", o->threads.count, 1024 },
        { "reader_count", o->threads.reader_count, 1024 },
        { "order.reserved32", o->order.reserved32, 0 },
        { "memory.reserved32", o->memory.reserved32, 0 },
        { "output.reserved32", o->output.reserved32, 0 },
        { "background[3]", o->output.background[3], 0 },
        { "bad_sample", o->bad_sample, PCR_SAMPLE_DEGRADE },
        { "block_samples", o->order.block_samples, 1 << 20 },
        { "window_samples", o->order.window_samples, 1 << 24 },
        { "batches_ahead", o->memory.batches_ahead, 1 << 12 },
        { "worker_count", o->shard.worker_count, 1 << 12 },
        { "worker", o->shard.worker, o->shard.worker_count - 1 },
        { "fidelity_step_count", o->fidelity.step_count, 1 << 20 },
        { "view_count", o->view_count, PCRI_MOST_VIEWS },
        { "reserved", o->reserved, 0 },
    };
    int rc = pcri_flags_check("pcr_loader_options", o->flags, PCR_LOADER_PAD_ZERO * 2 - 1,
                              err);
    for (size_t i = 0; !rc && i < sizeof(bounds) / sizeof(bounds[0]); i++)
        rc = check_max(bounds[i].name, bounds[i].value, bounds[i].max, err);
    if (rc)
        return rc;
    if (o->flags & PCR_LOADER_EXACT &&
        o->flags & (PCR_LOADER_DROP_LAST | PCR_LOADER_DROP_UNEVEN))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader flags EXACT and %s: one keeps all samples, the other drops "
                         "some",
                         o->flags & PCR_LOADER_DROP_LAST ? "DROP_LAST" : "DROP_UNEVEN");
    if (o->flags & PCR_LOADER_BASELINE && !(o->flags & PCR_LOADER_RAW))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader flag BASELINE without RAW: there are no files to write");
    for (int c = 0; c < 3; c++)
        if ((rc = check_channel(o, c, err)))
            return rc;
    if (!o->views != !o->view_count)
        return pcri_fail(err, PCR_ERR_INVAL, "loader option view_count is %u, but views is %s",
                         (unsigned) o->view_count, o->views ? "set" : "NULL");
    return 0;
}

static int check_indices(const struct pcr_loader_options *o, uint64_t sample_count,
                         struct pcr_error *err)
{
    if (!o->order.indices && o->order.index_count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option index_count is %llu, but indices is NULL",
                         (unsigned long long) o->order.index_count);
    for (uint64_t i = 0; o->order.indices && i < o->order.index_count; i++) {
        uint64_t index = o->order.indices[i];
        if (index >= sample_count)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option indices[%llu] is %llu, there are %llu samples",
                             (unsigned long long) i, (unsigned long long) index,
                             (unsigned long long) sample_count);
        if (i && index <= o->order.indices[i - 1])
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option indices[%llu] is %llu, expected more than %llu, "
                             "the one before it",
                             (unsigned long long) i, (unsigned long long) index,
                             (unsigned long long) o->order.indices[i - 1]);
    }
    return 0;
}

/* A number that says how much of something there should be. */
static int check_part(const char *name, uint64_t i, double value, struct pcr_error *err)
{
    if (isfinite(value) && value >= 0)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "loader option %s[%llu] is %g, expected a finite number, 0 or more", name,
                     (unsigned long long) i, value);
}

/* A sum of such numbers. */
static int check_sum(const char *name, double sum, struct pcr_error *err)
{
    if (isfinite(sum) && sum > 0)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL, "loader option %s: they add up to %g", name, sum);
}

/* Arrays by sample and by dataset. */
static int check_arrays(const struct pcr_loader_options *o, const struct pcri_extent *extent,
                        struct pcr_error *err)
{
    bool any = o->samples.weights || o->samples.fidelities || o->samples.qualities ||
               o->samples.augment;
    double weights = 0, proportions = 0;
    int rc = 0;
    if (o->samples.count != (any ? extent->sample_count : 0))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option sample_count is %llu, expected %llu",
                         (unsigned long long) o->samples.count,
                         (unsigned long long) (any ? extent->sample_count : 0));
    for (uint64_t i = 0; !rc && o->samples.weights && i < o->samples.count; i++) {
        rc = check_part("weights", i, o->samples.weights[i], err);
        weights += o->samples.weights[i];
    }
    if (!rc && o->samples.weights && o->samples.count)
        rc = check_sum("weights", weights, err);
    for (uint32_t k = 0; !rc && o->order.proportions && k < extent->dataset_count; k++) {
        rc = check_part("proportions", k, o->order.proportions[k], err);
        proportions += o->order.proportions[k];
    }
    if (!rc && o->order.proportions)
        rc = check_sum("proportions", proportions, err);
    if (!rc && o->fidelity.quality != 0 && o->fidelity.level)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "loader options fidelity, %u, and quality, %g, exclude each other",
                       (unsigned) o->fidelity.level, o->fidelity.quality);
    if (!rc && o->fidelity.step_count && !o->fidelity.steps)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "loader option fidelity_step_count is %u, but fidelity_steps is NULL",
                       (unsigned) o->fidelity.step_count);
    if (!rc && o->order.epoch_samples > UINT32_MAX)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "loader option epoch_samples is %llu, expected below 2^32",
                       (unsigned long long) o->order.epoch_samples);
    return rc;
}

static int check_alpha(const char *name, double alpha, struct pcr_error *err)
{
    if (alpha >= 0 && alpha <= MOST_ALPHA)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL, "loader option %s is %g, expected 0 to %d", name,
                     alpha, MOST_ALPHA);
}

/* How many columns soft labels have. */
static int set_class_count(struct pcr_loader_mix *mix, const struct pcri_extent *extent,
                           struct pcr_error *err)
{
    const bool floats = extent->label_kind == PCR_LABEL_FLOATS;
    if (mix->class_count == PCR_NO_SOFT_LABELS) {
        mix->class_count = 0;
        return 0;
    }
    if (extent->label_kind == PCR_LABEL_NONE)
        return pcri_fail(
            err, PCR_ERR_INVAL,
            "loader option mix: samples have no labels that could be mixed; class_count "
            "PCR_NO_SOFT_LABELS (in Python num_classes=0) mixes pictures alone");
    if (floats && mix->class_count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option class_count is %u, but labels are floats, not classes",
                         (unsigned) mix->class_count);
    set(&mix->class_count, floats ? 1 : extent->class_count);
    if (!mix->class_count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option class_count (in Python num_classes) is needed by mix: "
                         "the labels are integers without a list of classes");
    return check_max("class_count", mix->class_count, 1 << 24, err);
}

/* Fills in and checks what is said about mixing. */
static int fill_mix(struct pcr_loader_options *o, const struct pcri_extent *extent,
                    struct pcr_error *err)
{
    struct pcr_loader_mix *mix = &o->mix;
    int rc = check_alpha("mixup_alpha", mix->mixup_alpha, err);
    if (rc || (rc = check_alpha("cutmix_alpha", mix->cutmix_alpha, err)) ||
        (rc = check_max("mix.chance_ppm", mix->chance_ppm, MILLION, err)) ||
        (rc = check_max("cutmix_ppm", mix->cutmix_ppm, MILLION, err)) ||
        (rc = check_max("mix.each", mix->each, 1, err)))
        return rc;
    if (!pcri_mixes(o)) {
        if (mix->chance_ppm || mix->cutmix_ppm || mix->each || mix->class_count)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option mix is set, but neither mixup_alpha nor "
                             "cutmix_alpha");
        return 0;
    }
    if (o->flags & (PCR_LOADER_RAW | PCR_LOADER_EXACT))
        return pcri_fail(err, PCR_ERR_INVAL, "loader option mix with flag %s",
                         o->flags & PCR_LOADER_RAW ? "RAW: there are no pixels"
                                                   : "EXACT, which is for validation");
    set(&mix->chance_ppm, MILLION);
    set(&mix->cutmix_ppm, MILLION / 2);
    return set_class_count(mix, extent, err);
}

/* Which of how many processes this is. */
static int place(struct pcr_loader_options *o, struct pcr_error *err)
{
    if (!(o->flags & PCR_LOADER_RANK_FROM_ENVIRONMENT))
        return pcri_rank_set(o, o->shard.rank, o->shard.world ? o->shard.world : 1, err);
    if (o->shard.rank || o->shard.world)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader options rank and world are %u and %u, expected 0 if they "
                         "come from the environment",
                         (unsigned) o->shard.rank, (unsigned) o->shard.world);
    return pcri_rank_from_environment(o, err);
}

int pcri_loader_options_fill(const struct pcri_extent *extent,
                             const struct pcr_loader_options *opts,
                             struct pcr_loader_options *out, bool *tunes_out,
                             struct pcr_error *err)
{
    int rc = pcri_options_copy(out, sizeof(*out), opts, "pcr_loader_options", err);
    if (rc || (rc = check_reserved(out, err)) ||
        (rc = check_indices(out, extent->sample_count, err)) ||
        (rc = check_arrays(out, extent, err)) || (rc = check_memory(out, err)) ||
        (rc = fill_mix(out, extent, err)) || (rc = place(out, err)))
        return rc;
    *tunes_out = !out->threads.reader_count;
    fill(out, extent->group_count);
    return check(out, extent->group_count, err);
}

/* --- views --- */

/* What only some transforms have. */
static int check_sizes(const struct pcr_loader_options *o, struct pcr_error *err)
{
    const struct pcr_loader_transform *t = &o->transform;
    const bool differ = pcri_sizes_differ(o), resize = t->kind == PCR_TRANSFORM_RESIZE;
    const bool whole = resize || t->kind == PCR_TRANSFORM_NONE;
    if (whole && (o->output.height || o->output.width))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option height x width is %u x %u, expected 0: the transform "
                         "gives each picture a size of its own",
                         (unsigned) o->output.height, (unsigned) o->output.width);
    if (resize && !t->resize_px && !t->longest_px)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader options resize_px and longest_px are 0: RESIZE needs one");
    if (!resize && t->longest_px)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option longest_px is %u, but only RESIZE has it",
                         (unsigned) t->longest_px);
    if (t->multiple && (!differ || (whole && o->flags & PCR_LOADER_RAGGED)))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option multiple is %u, but nothing is padded",
                         (unsigned) t->multiple);
    if (t->multiple && (o->output.height % t->multiple || o->output.width % t->multiple))
        return pcri_fail(
            err, PCR_ERR_INVAL, "loader option multiple is %u, but height x width is %u x %u",
            (unsigned) t->multiple, (unsigned) o->output.height, (unsigned) o->output.width);
    if (t->turn_ppm && !differ && o->output.height != o->output.width)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option turn_ppm: only squares are turned, not %u x %u pixels",
                         (unsigned) o->output.height, (unsigned) o->output.width);
    if (!resize)
        return 0;
    int rc = check_max("resize_px", t->resize_px, 1 << 16, err);
    return rc || !t->longest_px
               ? rc
               : check_order("resize_px", t->resize_px, "longest_px", t->longest_px, err);
}

/* RandAugment and TrivialAugment. */
static int check_operations(const struct pcr_loader_transform *t, struct pcr_error *err)
{
    if (t->randaugment_ops && t->trivialaugment_bins)
        return pcri_fail(
            err, PCR_ERR_INVAL,
            "loader options randaugment_ops and trivialaugment_bins are %u and %u: "
            "they exclude each other",
            (unsigned) t->randaugment_ops, (unsigned) t->trivialaugment_bins);
    if (t->randaugment_bins < 2 || t->trivialaugment_bins == 1)
        return pcri_fail(err, PCR_ERR_INVAL, "loader option %s is 1, expected at least 2",
                         t->randaugment_bins < 2 ? "randaugment_bins" : "trivialaugment_bins");
    return check_max("randaugment_magnitude", t->randaugment_magnitude,
                     t->randaugment_bins - 1, err);
}

static int check_view(const struct pcr_loader_options *o, struct pcr_error *err)
{
    const struct {
        const char *name;
        uint32_t value, max;
    } bounds[] = {
        { "height", o->output.height, 1 << 16 },
        { "width", o->output.width, 1 << 16 },
        { "transform", o->transform.kind, PCR_TRANSFORM_NONE },
        { "filter", o->transform.filter, PCR_FILTER_NEAREST },
        { "brightness_ppm", o->transform.brightness_ppm, MOST_FACTOR_PPM },
        { "contrast_ppm", o->transform.contrast_ppm, MOST_FACTOR_PPM },
        { "saturation_ppm", o->transform.saturation_ppm, MOST_FACTOR_PPM },
        { "hue_ppm", o->transform.hue_ppm, MILLION / 2 },
        { "rotate_mdeg", o->transform.rotate_mdeg, 180000 },
        { "area_max_ppm", o->transform.area_max_ppm, MILLION },
        { "flip_ppm", o->transform.flip_ppm, MILLION },
        { "flip_down_ppm", o->transform.flip_down_ppm, MILLION },
        { "turn_ppm", o->transform.turn_ppm, MILLION },
        { "color_ppm", o->transform.color_ppm, MILLION },
        { "gray_ppm", o->transform.gray_ppm, MILLION },
        { "solarize_ppm", o->transform.solarize_ppm, MILLION },
        { "blur_ppm", o->transform.blur_ppm, MILLION },
        { "blur_max", o->transform.blur_max, 16000 },
        { "erase_ppm", o->transform.erase_ppm, MILLION },
        { "erase_area_max_ppm", o->transform.erase_area_max_ppm, MILLION },
        { "longest_px", o->transform.longest_px, 1 << 16 },
        { "multiple", o->transform.multiple, 1 << 12 },
        { "randaugment_ops", o->transform.randaugment_ops, 16 },
        { "randaugment_bins", o->transform.randaugment_bins, 1000 },
        { "trivialaugment_bins", o->transform.trivialaugment_bins, 1000 },
        { "geometric_only", o->transform.geometric_only, 1 },
    };
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof(bounds) / sizeof(bounds[0]); i++)
        rc = check_max(bounds[i].name, bounds[i].value, bounds[i].max, err);
    if (rc ||
        (rc = check_order("area_min_ppm", o->transform.area_min_ppm, "area_max_ppm",
                          o->transform.area_max_ppm, err)) ||
        (rc = check_order("ratio_min_ppm", o->transform.ratio_min_ppm, "ratio_max_ppm",
                          o->transform.ratio_max_ppm, err)) ||
        (rc = check_order("blur_min", o->transform.blur_min, "blur_max", o->transform.blur_max,
                          err)) ||
        (rc = check_order("erase_area_min_ppm", o->transform.erase_area_min_ppm,
                          "erase_area_max_ppm", o->transform.erase_area_max_ppm, err)) ||
        (rc = check_order("erase_ratio_min_ppm", o->transform.erase_ratio_min_ppm,
                          "erase_ratio_max_ppm", o->transform.erase_ratio_max_ppm, err)) ||
        (rc = check_sizes(o, err)) || (rc = check_operations(&o->transform, err)))
        return rc;
    for (size_t i = 0; i < sizeof(o->transform.reserved) / sizeof(uint64_t); i++)
        if (o->transform.reserved[i])
            return pcri_fail(err, PCR_ERR_INVAL, "loader option transform.reserved is not 0");
    if (o->transform.rotate_mdeg && (uint64_t) o->output.height * o->output.width > 1 << 30)
        return pcri_fail(
            err, PCR_ERR_INVAL,
            "loader option rotate_mdeg: %u x %u pixels, at most 2^30 can be rotated",
            (unsigned) o->output.height, (unsigned) o->output.width);
    if ((o->transform.kind == PCR_TRANSFORM_CENTER_CROP || o->samples.augment) &&
        ((rc = check_order("height", o->output.height, "resize_px", o->transform.resize_px,
                           err)) ||
         (rc = check_order("width", o->output.width, "resize_px", o->transform.resize_px,
                           err))))
        return rc;
    return 0;
}

static struct pcr_loader_options make_plain(const struct pcr_loader_options *o)
{
    struct pcr_loader_options plain = *o;
    if (plain.transform.kind == PCR_TRANSFORM_RANDOM_CROP)
        plain.transform.kind = PCR_TRANSFORM_CENTER_CROP;
    struct pcr_loader_transform *t = &plain.transform;
    t->flip_ppm = t->rotate_mdeg = t->brightness_ppm = t->contrast_ppm = t->saturation_ppm =
        t->hue_ppm = t->flip_down_ppm = t->turn_ppm = t->gray_ppm = t->solarize_ppm =
            t->blur_ppm = t->erase_ppm = t->randaugment_ops = t->trivialaugment_bins = 0;
    return plain;
}

static int make_view(const struct pcr_loader_options *o, uint32_t index,
                     struct pcri_loader_view *out, struct pcr_error *err)
{
    struct pcr_loader_options *own = &out->options;
    *own = *o;
    if (o->views) {
        own->output.height = o->views[index].height;
        own->output.width = o->views[index].width;
        own->transform = o->views[index].transform;
    }
    out->crop_of = index;
    if (o->views && o->views[index].crop_of)
        out->crop_of = o->views[index].crop_of - 1;
    if (out->crop_of > index)
        return pcri_fail(err, PCR_ERR_INVAL, "view %u: crop_of is %u, expected 0 to %u",
                         (unsigned) index, (unsigned) out->crop_of + 1, (unsigned) index);
    if (o->views && o->views[index].reserved)
        return pcri_fail(err, PCR_ERR_INVAL, "view %u: reserved is not 0", (unsigned) index);
    fill_view(own);
    int rc = check_view(own, err);
    if (rc)
        return o->views ? pcri_prefix(err, rc, "view %u", (unsigned) index) : rc;
    out->plain = make_plain(own);
    if (pcri_sizes_differ(own))
        return 0;
    /* At most 2^16 x 2^16 x 3 x 4. */
    const uint64_t nbytes = (uint64_t) own->output.height * own->output.width *
                            pcri_channels_of(own) * pcri_value_nbytes(own);
    if (nbytes > SIZE_MAX >> 1)
        return pcri_fail_nomem(err, SIZE_MAX);
    out->nbytes = (size_t) nbytes;
    return 0;
}

/* What depends on whether pictures have sizes of their own. */
static int check_batches(const struct pcr_loader_options *o, bool differ,
                         struct pcr_error *err)
{
    const uint32_t padding = o->flags & (PCR_LOADER_RAGGED | PCR_LOADER_PAD_ZERO);
    if (differ && pcri_mixes(o))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option mix: pictures have sizes of their own, and only those "
                         "of one size can be mixed");
    if ((padding && !differ) || padding == (PCR_LOADER_RAGGED | PCR_LOADER_PAD_ZERO))
        return pcri_fail(err, PCR_ERR_INVAL, "loader flag %s, but %s",
                         padding & PCR_LOADER_PAD_ZERO ? "PAD_ZERO" : "RAGGED",
                         differ ? "RAGGED batches are not padded"
                                : "all pictures have the same size");
    return 0;
}

int pcri_loader_views_make(const struct pcr_loader_options *o, struct pcri_loader_view **out,
                           uint32_t *count_out, struct pcr_error *err)
{
    static const struct pcr_loader_transform none;
    const uint32_t count = o->view_count ? o->view_count : 1;
    if (o->views && (o->output.height || o->output.width ||
                     memcmp(&o->transform, &none, sizeof(none)) != 0))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader options of the size and the transform are set, but `views` "
                         "has those of each view");
    struct pcri_loader_view *views = pcri_calloc(count, sizeof(*views), err);
    int rc = views ? 0 : PCR_ERR_NOMEM;
    bool differ = false;
    for (uint32_t i = 0; i < count && !rc; i++) {
        rc = make_view(o, i, &views[i], err);
        differ |= pcri_sizes_differ(&views[i].options);
    }
    if (!rc)
        rc = check_batches(o, differ, err);
    if (rc) {
        free(views);
        return rc;
    }
    *out = views;
    *count_out = count;
    return 0;
}
