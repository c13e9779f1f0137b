/* SPDX-License-Identifier: BSD-2-Clause */
/* What training sees of some samples, and what it costs. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crops.h"
#include "output.h"
#include "part.h"

const double pcrtool_targets[PCRTOOL_TARGETS] = { 0.80, 0.85, 0.90, 0.95, 0.97, 0.98, 0.99 };

/* Pixels held at a time, in the reference and in a batch. */
enum { REFERENCE_NBYTES = 64 << 20, BATCH_NBYTES = 16 << 20, BATCH = 64 };

/* A run of samples that are measured together. */
struct chunk {
    const struct pcrtool_input *in;
    const struct pcrtool_crops_plan *plan;
    struct pcrtool_crop *crops;
    uint64_t *indices; /* theirs */
    uint64_t count;
    uint8_t *reference; /* their crops at full fidelity */
};

static size_t plane_nbytes(const struct pcrtool_crops_plan *plan)
{
    return (size_t) plan->size_px * plan->size_px;
}

/* Takes sample i of a batch, which is the chunk's sample `n`, of a run at fidelity g; 0: the
 * reference. */
static int take_sample(struct chunk *c, uint64_t n, const struct pcr_batch *b, uint32_t i,
                       uint32_t g, struct pcr_error *err)
{
    struct pcrtool_crop *crop = &c->crops[n];
    const size_t nbytes = plane_nbytes(c->plan);
    const uint8_t *pixels = b->pixels + i * nbytes;
    uint8_t *reference = c->reference + n * nbytes;
    if (!b->valid[i]) {
        crop->bad = true;
    } else if (!g) {
        const struct pcr_crop *window = &b->crops[i];
        memcpy(reference, pixels, nbytes);
        crop->scale = sqrt((double) (window->x1 - window->x0) *
                           (double) (window->y1 - window->y0)) /
                      c->plan->size_px;
    } else if (!crop->bad) {
        crop->ssim[g] = pcrtool_ssim(reference, pixels, c->plan->size_px, c->plan->size_px);
        if (crop->ssim[g] < -1) {
            *err = (struct pcr_error) { .code = PCR_ERR_NOMEM, .offset = PCR_NO_OFFSET };
            snprintf(err->message, sizeof(err->message), "out of memory");
            return PCR_ERR_NOMEM;
        }
    }
    return 0;
}

/* In the order of the dataset, so that the n-th sample is the chunk's n-th. The reference is of
 * whole pictures, however small they become. */
static int make_loader(const struct chunk *c, uint32_t g, struct pcr_loader **out,
                       struct pcr_error *err)
{
    const size_t fits = BATCH_NBYTES / plane_nbytes(c->plan);
    const struct pcr_loader_options options = {
        .size = sizeof(options),
        .flags = PCR_LOADER_NO_READ_AHEAD | (g ? 0 : PCR_LOADER_FULL_SIZE_DECODING),
        .batch_size = fits < 1       ? 1
                      : fits < BATCH ? (uint32_t) fits
                                     : BATCH,
        .bad_sample = PCR_SAMPLE_SKIP,
        .order = { .shuffle = PCR_SHUFFLE_NONE,
                   .indices = c->indices,
                   .index_count = c->count },
        .fidelity.level = g,
        .output = { .height = c->plan->size_px, .color = PCR_COLOR_GRAY },
        .transform.kind = c->plan->transform,
        .threads.count = c->plan->threads,
        .memory.ring_nbytes = 2 * BATCH_NBYTES,
    };
    return pcr_loader_create(c->in->dataset, &options, out, err);
}

static int run_loader(struct chunk *c, uint32_t g, struct pcr_error *err)
{
    struct pcr_loader *loader = NULL;
    struct pcr_batch *b = NULL;
    uint64_t n = 0;
    int rc = make_loader(c, g, &loader, err);
    if (!rc)
        rc = pcr_loader_start_epoch(loader, 0, err);
    while (!rc && !(rc = pcr_loader_next(loader, &b, err))) {
        for (uint32_t i = 0; !rc && i < b->sample_count; i++, n++)
            rc = take_sample(c, n, b, i, g, err);
        pcr_batch_release(&b);
    }
    pcr_loader_destroy(&loader);
    return rc == PCR_END ? 0 : rc;
}

/* What the loader's choices would be, and the bytes. */
static int look_up(const struct chunk *c, struct pcrtool_crop *crop, struct pcr_error *err)
{
    const uint32_t groups = c->in->info.group_count;
    struct pcr_sample *sample = NULL;
    struct pcr_sample_info info;
    int rc = pcrtool_input_sample(c->in, crop->index, &sample, &info, err);
    if (rc)
        return rc;
    for (uint32_t g = 1; g <= groups; g++)
        crop->nbytes[g] = pcr_sample_nbytes(sample, g);
    for (uint32_t t = 0; t < PCRTOOL_TARGETS; t++) {
        uint32_t g = pcr_sample_fidelity(&info, pcrtool_targets[t], crop->scale);
        crop->fidelities[t] = g ? g : groups;
    }
    pcr_sample_release(&sample);
    return 0;
}

static int measure_chunk(struct chunk *c, uint64_t done, uint64_t total, struct pcr_error *err)
{
    char line[96];
    for (uint64_t i = 0; i < c->count; i++)
        c->indices[i] = c->crops[i].index;
    for (uint32_t g = 0; g <= c->in->info.group_count; g++) {
        snprintf(line, sizeof(line), "comparing crops: %" PRIu64 " of %" PRIu64, done, total);
        if (g)
            snprintf(line + strlen(line), sizeof(line) - strlen(line),
                     ", fidelity %" PRIu32 " of %" PRIu32, g, c->in->info.group_count);
        pcrtool_progress(line);
        int rc = run_loader(c, g, err);
        if (rc)
            return rc;
    }
    for (uint64_t i = 0; i < c->count; i++) {
        int rc = c->crops[i].bad ? 0 : look_up(c, &c->crops[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

static int measure_all(struct pcrtool_crops *crops, struct chunk *c, uint64_t most,
                       struct pcr_error *err)
{
    const uint64_t total = c->in->info.sample_count;
    for (uint64_t i = 0; i < crops->count; i++)
        crops->items[i].index = (uint64_t) ((double) i * (double) total /
                                            (double) crops->count);
    for (uint64_t done = 0; done < crops->count; done += c->count) {
        c->crops = crops->items + done;
        c->count = crops->count - done < most ? crops->count - done : most;
        int rc = measure_chunk(c, done, crops->count, err);
        if (rc)
            return rc;
    }
    return 0;
}

static void drop_bad(struct pcrtool_crops *crops)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < crops->count; i++)
        if (!crops->items[i].bad)
            crops->items[kept++] = crops->items[i];
    crops->bad_count = crops->count - kept;
    crops->count = kept;
}

int pcrtool_crops_measure(struct pcrtool_crops *crops, const struct pcrtool_input *in,
                          const struct pcrtool_crops_plan *plan)
{
    struct pcr_error err;
    const uint64_t samples = in->info.sample_count;
    const uint64_t count = plan->count < samples ? plan->count : samples;
    const uint64_t fits = REFERENCE_NBYTES / plane_nbytes(plan) + 1;
    const uint64_t most = fits < count ? fits : count;
    struct chunk c = { .in = in, .plan = plan };
    *crops = (struct pcrtool_crops) { .count = count, .group_count = in->info.group_count };
    crops->items = pcrtool_calloc(count, sizeof(*crops->items));
    c.indices = pcrtool_calloc(most, sizeof(*c.indices));
    c.reference = pcrtool_calloc(most, plane_nbytes(plan));
    int rc = PCRTOOL_DONE;
    if (!crops->items || !c.indices || !c.reference) {
        pcrtool_error(in->command, "out of memory");
        rc = PCRTOOL_FAILED;
    } else if (measure_all(crops, &c, most, &err)) {
        rc = pcrtool_failed(in->command, &err);
    }
    pcrtool_progress(NULL);
    drop_bad(crops);
    free(c.indices);
    free(c.reference);
    if (rc)
        pcrtool_crops_free(crops);
    return rc;
}

void pcrtool_crops_free(struct pcrtool_crops *crops)
{
    free(crops->items);
    crops->items = NULL;
}
