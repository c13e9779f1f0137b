/* SPDX-License-Identifier: BSD-2-Clause */
/* Loader options: defaults and checks. */
#include <math.h>

#include "options.h"
#include "rank.h"

enum {
    MILLION = 1000000,
    MOST_FACTOR_PPM = 2900000,
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
    return pcri_fail(err, PCR_ERR_INVAL, "loader option %s is %u, at most %u allowed", name,
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

static void fill(struct pcr_loader_options *o, uint32_t group_count)
{
    set(&o->batch_size, 64);
    set(&o->height, 224);
    set(&o->width, o->height);
    set(&o->layout, PCR_LAYOUT_NHWC);
    set(&o->color, PCR_COLOR_RGB);
    set(&o->fidelity, group_count);
    set(&o->shuffle, PCR_SHUFFLE_BLOCK);
    set(&o->reader_count, READER_COUNT);
    if (o->reader_count == PCR_NO_READERS)
        o->reader_count = 0;
    set(&o->thread_count, pcri_cpu_count());
    set(&o->transform, PCR_TRANSFORM_RANDOM_CROP);
    uint64_t side = o->height > o->width ? o->height : o->width;
    set(&o->resize_px, (uint32_t) (side * 8 / 7));
    set(&o->area_min_ppm, 80000);
    set(&o->area_max_ppm, MILLION);
    set(&o->ratio_min_ppm, 750000);
    set(&o->ratio_max_ppm, 1333333);
    set(&o->bad_sample, PCR_SAMPLE_ERROR);
    set(&o->block_samples, 64);
    set(&o->window_samples, 4096);
    set(&o->batches_ahead, 4);
    set(&o->worker_count, 1);
    set(&o->dtype, PCR_DTYPE_UINT8);
    for (int c = 0; c < 3; c++)
        if (o->dtype != PCR_DTYPE_UINT8 && o->std[c] == 0)
            o->std[c] = 1;
    if (!o->window_nbytes)
        o->window_nbytes = UINT64_C(256) << 20;
}

/* After fill(): all zero for UINT8, which has no normalisation. */
static int check_channel(const struct pcr_loader_options *o, int c, struct pcr_error *err)
{
    double mean = o->mean[c], std = o->std[c];
    bool ok = o->dtype == PCR_DTYPE_UINT8 ? mean == 0 && std == 0
                                          : isfinite(mean) && isfinite(std) && std > 0;
    if (ok)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "loader options mean[%d] and std[%d] are %g and %g, expected %s", c, c,
                     mean, std,
                     o->dtype == PCR_DTYPE_UINT8 ? "0 with dtype UINT8"
                                                 : "finite numbers, std above 0");
}

static int check_memory(const struct pcr_loader_options *o, struct pcr_error *err)
{
    if (!o->allocate != !o->release)
        return pcri_fail(err, PCR_ERR_INVAL, "loader option %s is set, but %s is NULL",
                         o->allocate ? "allocate" : "release",
                         o->allocate ? "release" : "allocate");
    return 0;
}

static int check(const struct pcr_loader_options *o, uint32_t group_count,
                 struct pcr_error *err)
{
    const struct {
        const char *name;
        uint32_t value, max;
    } bounds[] = {
        { "dtype", o->dtype, PCR_DTYPE_BFLOAT16 },
        { "batch_size", o->batch_size, 1 << 20 },
        { "height", o->height, 1 << 16 },
        { "width", o->width, 1 << 16 },
        { "layout", o->layout, PCR_LAYOUT_NCHW },
        { "color", o->color, PCR_COLOR_GRAY },
        { "fidelity", o->fidelity, group_count },
        { "shuffle", o->shuffle, PCR_SHUFFLE_FULL },
        { "thread_count", o->thread_count, 1024 },
        { "reader_count", o->reader_count, 1024 },
        { "reserved", o->reserved, 0 },
        { "reserved2", o->reserved2, 0 },
        { "background[3]", o->background[3], 0 },
        { "transform", o->transform, PCR_TRANSFORM_STRETCH },
        { "filter", o->filter, PCR_FILTER_NEAREST },
        { "brightness_ppm", o->brightness_ppm, MOST_FACTOR_PPM },
        { "contrast_ppm", o->contrast_ppm, MOST_FACTOR_PPM },
        { "saturation_ppm", o->saturation_ppm, MOST_FACTOR_PPM },
        { "hue_ppm", o->hue_ppm, MILLION / 2 },
        { "rotate_mdeg", o->rotate_mdeg, 180000 },
        { "area_max_ppm", o->area_max_ppm, MILLION },
        { "flip_ppm", o->flip_ppm, MILLION },
        { "bad_sample", o->bad_sample, PCR_SAMPLE_DEGRADE },
        { "block_samples", o->block_samples, 1 << 20 },
        { "window_samples", o->window_samples, 1 << 24 },
        { "batches_ahead", o->batches_ahead, 1 << 12 },
        { "worker_count", o->worker_count, 1 << 12 },
        { "worker", o->worker, o->worker_count - 1 },
        { "fidelity_step_count", o->fidelity_step_count, 1 << 20 },
    };
    int rc = pcri_flags_check("pcr_loader_options", o->flags, PCR_LOADER_TO_SRGB * 2 - 1, err);
    for (size_t i = 0; !rc && i < sizeof(bounds) / sizeof(bounds[0]); i++)
        rc = check_max(bounds[i].name, bounds[i].value, bounds[i].max, err);
    if (rc || (rc = check_order("area_min_ppm", o->area_min_ppm, "area_max_ppm",
                                o->area_max_ppm, err)) ||
        (rc = check_order("ratio_min_ppm", o->ratio_min_ppm, "ratio_max_ppm",
                          o->ratio_max_ppm, err)))
        return rc;
    if (o->flags & PCR_LOADER_EXACT && o->flags & (PCR_LOADER_DROP_LAST | PCR_LOADER_DROP_UNEVEN))
        return pcri_fail(err, PCR_ERR_INVAL, "loader flags EXACT and %s: the one has all samples, "
                         "the other drops some",
                         o->flags & PCR_LOADER_DROP_LAST ? "DROP_LAST" : "DROP_UNEVEN");
    for (int c = 0; c < 3; c++)
        if ((rc = check_channel(o, c, err)))
            return rc;
    if (pcri_loader_sample_nbytes(o) == SIZE_MAX)
        return pcri_fail_nomem(err, SIZE_MAX);
    if (o->rotate_mdeg && (uint64_t) o->height * o->width > 1 << 30)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option rotate_mdeg: %u x %u pixels, at most 2^30 can turn",
                         (unsigned) o->height, (unsigned) o->width);
    if ((o->transform == PCR_TRANSFORM_CENTER_CROP || o->augment) &&
        ((rc = check_order("height", o->height, "resize_px", o->resize_px, err)) ||
         (rc = check_order("width", o->width, "resize_px", o->resize_px, err))))
        return rc;
    return 0;
}

static int check_indices(const struct pcr_loader_options *o, uint64_t sample_count,
                         struct pcr_error *err)
{
    if (!o->indices && o->index_count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option index_count is %llu, but indices is NULL",
                         (unsigned long long) o->index_count);
    for (uint64_t i = 0; o->indices && i < o->index_count; i++) {
        uint64_t index = o->indices[i];
        if (index >= sample_count)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option indices[%llu] is %llu, there are %llu samples",
                             (unsigned long long) i, (unsigned long long) index,
                             (unsigned long long) sample_count);
        if (i && index <= o->indices[i - 1])
            return pcri_fail(err, PCR_ERR_INVAL,
                             "loader option indices[%llu] is %llu, expected more than %llu, "
                             "which is before it", (unsigned long long) i,
                             (unsigned long long) index,
                             (unsigned long long) o->indices[i - 1]);
    }
    return 0;
}

/* A number that says how much of something there is to be. */
static int check_part(const char *name, uint64_t i, double value, struct pcr_error *err)
{
    if (isfinite(value) && value >= 0)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "loader option %s[%llu] is %g, expected a finite number, 0 or more",
                     name, (unsigned long long) i, value);
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
    bool any = o->weights || o->fidelities || o->augment;
    double weights = 0, proportions = 0;
    int rc = 0;
    if (o->sample_count != (any ? extent->sample_count : 0))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader option sample_count is %llu, expected %llu",
                         (unsigned long long) o->sample_count,
                         (unsigned long long) (any ? extent->sample_count : 0));
    for (uint64_t i = 0; !rc && o->weights && i < o->sample_count; i++) {
        rc = check_part("weights", i, o->weights[i], err);
        weights += o->weights[i];
    }
    if (!rc && o->weights && o->sample_count)
        rc = check_sum("weights", weights, err);
    for (uint32_t k = 0; !rc && o->proportions && k < extent->dataset_count; k++) {
        rc = check_part("proportions", k, o->proportions[k], err);
        proportions += o->proportions[k];
    }
    if (!rc && o->proportions)
        rc = check_sum("proportions", proportions, err);
    if (!rc && o->fidelity_step_count && !o->fidelity_steps)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "loader option fidelity_step_count is %u, but fidelity_steps is NULL",
                       (unsigned) o->fidelity_step_count);
    if (!rc && o->epoch_samples > UINT32_MAX)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "loader option epoch_samples is %llu, expected below 2^32",
                       (unsigned long long) o->epoch_samples);
    return rc;
}

/* Which of how many processes this is. */
static int place(struct pcr_loader_options *o, struct pcr_error *err)
{
    if (!(o->flags & PCR_LOADER_RANK_FROM_ENVIRONMENT))
        return pcri_rank_set(o, o->rank, o->world ? o->world : 1, err);
    if (o->rank || o->world)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader options rank and world are %u and %u, expected 0 where "
                         "they come from the environment", (unsigned) o->rank,
                         (unsigned) o->world);
    return pcri_rank_from_environment(o, err);
}

int pcri_loader_options_fill(const struct pcri_extent *extent,
                             const struct pcr_loader_options *opts,
                             struct pcr_loader_options *out, bool *tunes_out,
                             struct pcr_error *err)
{
    int rc = pcri_options_copy(out, sizeof(*out), opts, "pcr_loader_options", err);
    if (rc || (rc = check_indices(out, extent->sample_count, err)) ||
        (rc = check_arrays(out, extent, err)) || (rc = check_memory(out, err)) ||
        (rc = place(out, err)))
        return rc;
    *tunes_out = !out->reader_count;
    fill(out, extent->group_count);
    return check(out, extent->group_count, err);
}

struct pcr_loader_options pcri_loader_options_plain(const struct pcr_loader_options *o)
{
    struct pcr_loader_options plain = *o;
    if (plain.transform == PCR_TRANSFORM_RANDOM_CROP)
        plain.transform = PCR_TRANSFORM_CENTER_CROP;
    plain.flip_ppm = plain.rotate_mdeg = 0;
    plain.brightness_ppm = plain.contrast_ppm = plain.saturation_ppm = plain.hue_ppm = 0;
    return plain;
}

size_t pcri_loader_sample_values(const struct pcr_loader_options *o)
{
    size_t size = o->dtype == PCR_DTYPE_UINT8 ? 1 : o->dtype == PCR_DTYPE_FLOAT32 ? 4 : 2;
    return pcri_loader_sample_nbytes(o) / size;
}

size_t pcri_loader_sample_nbytes(const struct pcr_loader_options *o)
{
    size_t size = o->dtype == PCR_DTYPE_UINT8 ? 1 : o->dtype == PCR_DTYPE_FLOAT32 ? 4 : 2;
    /* At most 2^16 x 2^16 x 3 x 4, by check(). */
    uint64_t nbytes = (uint64_t) o->height * o->width * size *
                      (o->color == PCR_COLOR_GRAY ? 1 : 3);
    return nbytes < SIZE_MAX ? (size_t) nbytes : SIZE_MAX;
}
