/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios of loaders. */
#include <stdlib.h>

#include <pcr/loader.h>

#include "memory.h"
#include "scenarios.h"

enum { SIDE = 16, BATCH = 4, MOST_DATASETS = 2 };

/* What is loaded, and how. */
struct loading {
    const char *paths[MOST_DATASETS]; /* NULL: `made`, alone */
    struct pcr_loader_options options;
    int epochs; /* 0: one */
};

/* A loader and what it stands on. */
struct stand {
    struct pcr_dataset *datasets[MOST_DATASETS];
    struct pcr_loader *loader;
};

static int stand_up(const struct loading *c, struct stand *s, struct pcr_error *err)
{
    struct pcr_loader_options o = c->options;
    uint32_t n = 0;
    int rc = 0;
    *s = (struct stand) { .loader = NULL };
    for (; !rc && n < MOST_DATASETS && (!n || c->paths[n]); n++)
        rc = pcr_dataset_open(c->paths[n] ? c->paths[n] : datasets.made.path, NULL,
                              &s->datasets[n], err);
    o.size = sizeof(o);
    o.batch_size = BATCH;
    if (!o.views)
        o.output.height = o.output.width = SIDE;
    if (!o.threads.reader_count)
        o.threads.reader_count = PCR_NO_READERS;
    if (!o.threads.count)
        o.threads.count = 1;
    return rc ? rc : pcr_loader_create_mix(s->datasets, n, &o, &s->loader, err);
}

static void tear_down(struct stand *s)
{
    pcr_loader_destroy(&s->loader);
    for (int i = 0; i < MOST_DATASETS; i++)
        pcr_dataset_close(&s->datasets[i]);
}

static void add_batch(const struct pcr_batch *b, uint64_t *sum)
{
    size_t element = b->dtype == PCR_DTYPE_UINT8 ? 1 : b->dtype == PCR_DTYPE_FLOAT32 ? 4 : 2;
    add_number(sum, b->number);
    element *= b->channels;
    for (uint32_t v = 0; v < b->view_count; v++) {
        const struct pcr_batch_view *view = &b->views[v];
        const struct pcr_batch_picture *p = view->pictures;
        add(sum, view->pixels,
            (size_t) b->sample_count * view->height * view->width * element);
        for (uint32_t i = 0; i < b->sample_count && !view->height; i++)
            add(sum, view->pixels + p[i].offset, p[i].height * p[i].width * element);
    }
    if (b->data)
        add(sum, b->data, b->offsets[b->sample_count]);
    if (b->labels)
        add(sum, b->labels, b->sample_count * sizeof(*b->labels));
    if (b->float_labels)
        add(sum, b->float_labels, b->sample_count * sizeof(*b->float_labels));
    if (b->crops)
        add(sum, b->crops, b->sample_count * sizeof(*b->crops));
    add(sum, b->indices, b->sample_count * sizeof(*b->indices));
    add(sum, b->datasets, b->sample_count * sizeof(*b->datasets));
    add(sum, b->fidelities, b->sample_count * sizeof(*b->fidelities));
    add(sum, b->valid, b->sample_count);
    for (uint32_t i = 0; i < b->column_count; i++) {
        const struct pcr_column *c = b->columns[i];
        add(sum, c->states, c->sample_count);
        if (c->values)
            add(sum, c->values, c->element_count * sizeof(double));
        if (c->texts)
            add(sum, c->texts, c->text_offsets[c->element_count]);
    }
}

/* At most `most` batches of the epoch that has begun; 0 when it has ended too. */
static int take(struct pcr_loader *l, unsigned most, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_batch *b;
    int rc = 0;
    while (most-- && !(rc = pcr_loader_next(l, &b, err))) {
        add_batch(b, sum);
        pcr_batch_release(&b);
    }
    return rc == PCR_END ? 0 : rc;
}

static int load(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct loading *c = what;
    struct pcr_loader_stats stats = { .size = sizeof(stats) };
    struct stand s;
    int rc = stand_up(c, &s, err);
    for (int epoch = 0; !rc && epoch < (c->epochs ? c->epochs : 1); epoch++) {
        rc = pcr_loader_start_epoch(s.loader, (uint64_t) epoch, err);
        if (!rc)
            rc = take(s.loader, UINT32_MAX, sum, err);
    }
    if (!rc)
        rc = pcr_loader_stats(s.loader, &stats, err);
    add_number(sum, stats.replaced_count);
    add_number(sum, stats.degraded_count);
    add_number(sum, stats.sample_count);
    rc = add_error(sum, rc, err);
    tear_down(&s);
    return rc;
}

/* What was skipped is remembered. */
static int load_faults(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct stand s;
    uint64_t all = 0;
    int rc = stand_up(what, &s, err);
    if (!rc)
        rc = pcr_loader_start_epoch(s.loader, 0, err);
    if (!rc)
        rc = take(s.loader, UINT32_MAX, sum, err);
    for (uint64_t i = 0; !rc; i++) {
        struct pcr_bad_sample fault = { .size = sizeof(fault) };
        uint64_t one = 0;
        rc = pcr_loader_bad_sample(s.loader, i, &fault, err);
        add_number(&one, fault.index);
        add_number(&one, (uint64_t) fault.code);
        add_text(&one, fault.message);
        all += rc ? 0 : one; /* in any order */
    }
    add_number(sum, all);
    tear_down(&s);
    return rc == PCR_END ? 0 : rc;
}

/* One batch, then the rest by another loader that goes on from the state. */
static int load_resumed(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_buffer json = { 0 };
    uint8_t state[PCR_LOADER_STATE_NBYTES] = { 0 };
    struct stand s;
    int rc = stand_up(what, &s, err);
    if (!rc)
        rc = pcr_loader_start_epoch(s.loader, 3, err);
    if (!rc)
        rc = take(s.loader, 1, sum, err);
    if (!rc)
        rc = pcr_loader_state_json(s.loader, &json, err);
    if (!rc)
        rc = pcr_loader_state(s.loader, state, err);
    tear_down(&s);
    add(sum, json.data, rc ? 0 : json.nbytes);
    add(sum, state, sizeof(state));
    if (!rc)
        rc = stand_up(what, &s, err);
    if (!rc)
        rc = pcr_loader_resume(s.loader, json.data, json.nbytes, err);
    if (!rc)
        rc = take(s.loader, UINT32_MAX, sum, err);
    tear_down(&s);
    pcr_buffer_free(&json);
    return rc;
}

/* A state that is none. */
static int load_wrong_state(const void *what, uint64_t *sum, struct pcr_error *err)
{
    static const char bad[] = "{\"version\":1,\"epoch\":";
    struct stand s;
    int rc = stand_up(what, &s, err);
    if (!rc)
        rc = add_error(sum, pcr_loader_resume(s.loader, bad, sizeof(bad) - 1, err), err);
    tear_down(&s);
    return rc;
}

static int load_cancelled(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct stand s;
    int rc = stand_up(what, &s, err);
    if (!rc)
        rc = pcr_loader_start_epoch(s.loader, 0, err);
    if (!rc)
        rc = take(s.loader, 1, sum, err);
    if (!rc) {
        pcr_loader_cancel(s.loader);
        rc = take(s.loader, 1, sum, err);
        rc = rc == PCR_ERR_CANCELLED ? 0 : rc ? rc : PCR_ERR_INVAL;
    }
    if (!rc)
        rc = pcr_loader_start_epoch(s.loader, 1, err);
    if (!rc)
        rc = take(s.loader, UINT32_MAX, sum, err);
    tear_down(&s);
    return rc;
}

/* Fidelity changes on the way. */
static int load_changing(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct stand s;
    int rc = stand_up(what, &s, err);
    if (!rc)
        rc = pcr_loader_set_fidelity(s.loader, 1, err);
    if (!rc)
        rc = pcr_loader_set_shard(s.loader, 1, 2, err);
    if (!rc)
        rc = pcr_loader_start_epoch(s.loader, 0, err);
    if (!rc)
        rc = take(s.loader, 1, sum, err);
    if (!rc)
        rc = pcr_loader_set_fidelity(s.loader, 2, err);
    if (!rc)
        rc = take(s.loader, UINT32_MAX, sum, err);
    tear_down(&s);
    return rc;
}

static int print_stats(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_loader_stats stats = { .size = sizeof(stats),
                                      .sample_count = 7,
                                      .batch_count = 2,
                                      .elapsed_ns = 1000000,
                                      .read_nbytes = 12345 };
    struct pcr_buffer text = { 0 };
    int rc = 0;
    (void) what;
    for (uint32_t form = 0; !rc && form <= PCR_STATS_PROMETHEUS; form++) {
        rc = pcr_loader_stats_text(
            &stats, form, form == PCR_STATS_PROMETHEUS ? "a=\"b\"" : NULL, &text, err);
        add(sum, text.data, rc ? 0 : text.nbytes);
    }
    pcr_buffer_free(&text);
    return rc;
}

/* The caller's memory; its want is want of memory. */
static void *allocate(void *context, size_t nbytes)
{
    (void) context;
    return aligned_alloc(64, (nbytes + 63) / 64 * 64);
}

static void release(void *context, void *memory, size_t nbytes)
{
    (void) context, (void) nbytes;
    free(memory);
}

static const double weights[6] = { 1, 2, 0, 1, 0.5, 1 }, chances[32] = { 1, 1, 0, 1 },
                    halves[] = { 1, 1 };
static const uint64_t indices[] = { 0, 3, 4 };
static const uint8_t fidelities[6] = { 1, 0, 2, 3, 0, 1 }, augment[6] = { 1, 0, 1, 1, 0, 1 };
static const struct pcr_fidelity_step steps[] = { { .epoch = 0, .fidelity = 1 },
                                                  { .epoch = 1, .chances = chances } };

/* All that can be done to pixels. */
static const struct pcr_loader_view views[] = {
    { .height = SIDE,
      .transform = { .kind = PCR_TRANSFORM_LETTERBOX,
                     .turn_ppm = 1000000,
                     .gray_ppm = 1000000,
                     .blur_ppm = 1000000,
                     .solarize_ppm = 1000000,
                     .randaugment_ops = 16,
                     .randaugment_magnitude = 20,
                     .erase_ppm = 1000000 } },
    { .height = 5,
      .width = 9,
      .transform = { .flip_down_ppm = 500000, .rotate_mdeg = 90000 } },
};

/* Pictures in sizes of their own, and one that is not. */
static const struct pcr_loader_view loose[] = {
    { .transform = { .kind = PCR_TRANSFORM_RESIZE, .longest_px = SIDE, .turn_ppm = 500000 } },
    { .height = 5 },
    { .transform = { .kind = PCR_TRANSFORM_NONE, .multiple = 8 } },
};

#define LOADING(...) \
    &(const struct loading) \
    { \
        .options = { __VA_ARGS__ } \
    }
#define LOADING_OF(path, ...) \
    &(const struct loading) \
    { \
        { path }, { __VA_ARGS__ }, 0 \
    }
#define LOADING_MIX(...) \
    &(const struct loading) \
    { \
        { datasets.made.path, datasets.made.path }, { __VA_ARGS__ }, 0 \
    }
#define LOADING_EPOCHS(n, ...) \
    &(const struct loading) \
    { \
        { NULL }, { __VA_ARGS__ }, n \
    }

static const char *const names[] = { "boxes", "n", "s" };

static const struct scenario list[] = {
    { "load", load, LOADING(.transform.kind = PCR_TRANSFORM_CENTER_CROP) },
    { "load files", load, LOADING(.flags = PCR_LOADER_RAW) },
    { "load baseline files", load, LOADING(.flags = PCR_LOADER_RAW | PCR_LOADER_BASELINE) },
    { "load random crops", load,
      LOADING(.transform.flip_ppm = 500000, .transform.filter = PCR_FILTER_BICUBIC) },
    { "load as float16", load,
      LOADING(.transform.kind = PCR_TRANSFORM_STRETCH, .output.dtype = PCR_DTYPE_FLOAT16,
              .output.layout = PCR_LAYOUT_NCHW, .output.std = { 1, 1, 1 }) },
    { "load gray as float32", load,
      LOADING(.output.color = PCR_COLOR_GRAY, .output.dtype = PCR_DTYPE_FLOAT32,
              .fidelity.level = 1) },
    { "load as masks", load,
      LOADING(.transform.filter = PCR_FILTER_NEAREST, .transform.rotate_mdeg = 30000,
              .flags = PCR_LOADER_KEEP_ORIENTATION) },
    { "load with jitter", load,
      LOADING(.transform.brightness_ppm = 100000, .transform.contrast_ppm = 100000,
              .transform.saturation_ppm = 100000, .transform.hue_ppm = 100000) },
    { "load views", load,
      LOADING(.views = views, .view_count = 2, .output.dtype = PCR_DTYPE_FLOAT16,
              .output.std = { 1, 1, 1 }) },
    { "load mixed", load,
      LOADING(.mix = { .mixup_alpha = 1, .cutmix_alpha = 1, .class_count = 100 }) },
    { "load padded", load,
      LOADING(.views = loose, .view_count = 3, .output.dtype = PCR_DTYPE_FLOAT16,
              .output.std = { 1, 1, 1 }, .flags = PCR_LOADER_PAD_ZERO) },
    { "load ragged", load,
      LOADING(.views = loose, .view_count = 2, .flags = PCR_LOADER_RAGGED,
              .memory.allocate = allocate, .memory.release = release) },
    { "load in sRGB", load, LOADING(.flags = PCR_LOADER_TO_SRGB | PCR_LOADER_BACKGROUND) },
    { "load scans", load, LOADING_OF(datasets.scans.path, .flags = 0) },
    { "load files of scans", load,
      LOADING_OF(datasets.scans.path, .flags = PCR_LOADER_RAW, .fidelity.level = 2) },
    { "load columns", load,
      LOADING_OF(datasets.floats.path, .output.columns = names, .output.column_count = 3) },
    { "load float labels", load, LOADING_OF(datasets.floats.path, .fidelity.level = 1) },
    { "load a mixture", load,
      LOADING_MIX(.order.proportions = halves, .order.epoch_samples = 9) },
    { "load chosen ones", load, LOADING(.order.indices = indices, .order.index_count = 3) },
    { "load by weight", load,
      LOADING(.samples.weights = weights, .samples.count = 6, .order.epoch_samples = 8) },
    { "load by weight, once", load,
      LOADING(.samples.weights = weights, .samples.count = 6, .order.epoch_samples = 3,
              .flags = PCR_LOADER_ONCE) },
    { "load at fidelities of their own", load,
      LOADING(.samples.fidelities = fidelities, .samples.augment = augment,
              .samples.count = 6) },
    { "load by steps of fidelity", load,
      LOADING_EPOCHS(2, .fidelity.steps = steps, .fidelity.step_count = 2) },
    { "load a permutation", load, LOADING(.order.shuffle = PCR_SHUFFLE_FULL) },
    { "load in order", load, LOADING(.order.shuffle = PCR_SHUFFLE_NONE) },
    { "load by windows", load,
      LOADING_EPOCHS(3, .order.block_samples = 1, .order.window_samples = 2,
                     .fidelity.level = 1) },
    { "load without reading ahead", load,
      LOADING_EPOCHS(3, .flags = PCR_LOADER_NO_READ_AHEAD, .fidelity.level = 1) },
    { "load a shard", load,
      LOADING(.shard.rank = 1, .shard.world = 2, .shard.worker = 0, .shard.worker_count = 2) },
    { "load exactly", load,
      LOADING(.flags = PCR_LOADER_EXACT, .shard.rank = 1, .shard.world = 2) },
    { "load into huge pages", load, LOADING(.flags = PCR_LOADER_HUGE_PAGES) },
    { "load into memory of one's own", load,
      LOADING(.memory.allocate = allocate, .memory.release = release) },
    { "load by threads", load,
      LOADING_EPOCHS(2, .threads.count = 3, .order.block_samples = 2) },
    { "load with readers", load,
      LOADING_EPOCHS(2, .threads.count = 2, .threads.reader_count = 2,
                     .order.block_samples = 1) },
    { "load files by threads", load,
      LOADING_EPOCHS(2, .threads.count = 2, .threads.reader_count = 1,
                     .flags = PCR_LOADER_RAW) },
    { "load, bad ones are errors", load, LOADING_OF(datasets.damaged.path, .flags = 0) },
    { "load, bad ones replaced", load_faults,
      LOADING_OF(datasets.damaged.path, .bad_sample = PCR_SAMPLE_SKIP) },
    { "load, bad ones degraded", load_faults,
      LOADING_OF(datasets.damaged.path, .bad_sample = PCR_SAMPLE_DEGRADE) },
    { "load what was cut off", load_faults,
      LOADING_OF(datasets.cut.path, .bad_sample = PCR_SAMPLE_DEGRADE, .threads.count = 2) },
    { "load and resume", load_resumed, LOADING(.transform.flip_ppm = 500000) },
    { "load, resume by nonsense", load_wrong_state, LOADING(.flags = 0) },
    { "load and cancel", load_cancelled, LOADING(.threads.count = 2) },
    { "load, fidelity changing", load_changing, LOADING(.memory.batches_ahead = 1) },
    { "print stats", print_stats, NULL },
};
const struct scenarios load_scenarios = SCENARIOS(list);
