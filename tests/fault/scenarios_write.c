/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios of converting. */
#include <stdio.h>
#include <stdlib.h>

#include <pcr/dataset.h>
#include <pcr/ladder.h>

#include "memory.h"
#include "scenarios.h"

/* What is converted, and how. */
struct writing {
    const struct test_source *source; /* NULL: datasets.source */
    struct pcr_write_options options;
    const char *ladder; /* NULL: the default */
    const char *before; /* what stands there before; NULL: nothing */
};

static void on_bad(void *context, const char *path, const char *format,
                   const struct pcr_error *err)
{
    uint64_t *bad = context, one = 0;
    add_text(&one, path);
    add_text(&one, format);
    add_text(&one, err->message);
    *bad += one; /* in any order */
}

/* Where memory was short for a moment, the same command goes on, and ends with the same. */
static int go_on(const struct test_source *source, const struct pcr_write_options *o,
                 uint64_t right, struct pcr_error *err)
{
    struct pcr_error why;
    uint64_t sum = 0;
    memory_pause();
    int rc = pcr_dataset_write(datasets.out.path, &source->source, o, NULL, &why);
    memory_resume();
    if (!rc)
        folder_add(datasets.out.path, &sum);
    if (rc || sum != right)
        return pcri_fail(err, PCR_ERR_INVAL, "going on: %s", rc ? why.message : "other files");
    return PCR_ERR_NOMEM;
}

static int convert(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct writing *c = what;
    const struct test_source *source = c->source ? c->source : &datasets.source;
    struct pcr_write_options o = c->options;
    struct pcr_write_progress report = { .size = sizeof(report) };
    struct pcr_ladder *ladder = NULL;
    static const void *last; /* what was converted last, */
    static uint64_t right;   /* and its files */
    uint64_t bad = 0, files = 0;
    if (last != what)
        right = 0;
    last = what;
    folder_empty(datasets.out.path);
    if (c->before)
        folder_copy(c->before, datasets.out.path);
    o.size = sizeof(o);
    o.context = &bad;
    o.bad_input = on_bad;
    if (!o.thread_count)
        o.thread_count = 1;
    if (!o.record_samples)
        o.record_samples = 3;
    int rc = c->ladder ? pcr_ladder_create(c->ladder, &ladder, err) : 0;
    o.ladder = ladder;
    if (!rc)
        rc = pcr_dataset_write(datasets.out.path, &source->source, &o, &report, err);
    if (!rc) {
        folder_add(datasets.out.path, &files);
        add_number(sum, files);
        add(sum, &report, sizeof(report));
        add_number(sum, bad);
    }
    right = right ? right : files;
    if (rc == PCR_ERR_NOMEM && right && !(o.flags & PCR_WRITE_DRY_RUN) &&
        !c->ladder == !ladder)
        rc = go_on(source, &o, right, err);
    rc = add_error(sum, rc, err);
    pcr_ladder_destroy(&ladder);
    return rc;
}

static int convert_dry(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct writing c = *(const struct writing *) what;
    struct pcr_buffer manifest = { 0 };
    c.options.flags |= PCR_WRITE_DRY_RUN;
    c.options.manifest_out = &manifest;
    int rc = convert(&c, sum, err);
    add(sum, manifest.data, rc ? 0 : manifest.nbytes);
    pcr_buffer_free(&manifest);
    return rc;
}

/* Float labels, and integers that become classes. */
static int describe_floats(void *context, uint64_t i, struct pcr_source_sample *out,
                           struct pcr_error *err)
{
    static const double values[] = { 0.5, -1e300, 3 };
    int rc = datasets.source.source.describe(context, i, out, err);
    out->labels = NULL;
    out->float_labels = values;
    out->label_count = (uint32_t) (i % 4);
    return rc;
}

static int convert_labels(const void *what, uint64_t *sum, struct pcr_error *err)
{
    static struct test_source sources[2];
    static struct writing both[2];
    struct test_source *s = &sources[what != NULL];
    struct writing *c = &both[what != NULL];
    c->source = s;
    s->source = datasets.source.source;
    s->source.class_count = 0;
    s->source.class_names = NULL;
    if (what)
        s->source.describe = describe_floats;
    return convert(c, sum, err);
}

/* Two pairs of duplicates; the labels of one pair may differ. */
static int convert_duplicates(const void *what, uint64_t *sum, struct pcr_error *err)
{
    static struct test_source source;
    static struct writing both[2]; /* convert() tells conversions apart by their places */
    const bool differ = ((const struct writing *) what)->options.bad_policy == PCR_BAD_SKIP;
    struct writing *c = &both[differ];
    source = datasets.source;
    source.source.context = &source;
    source.samples[4].file = source.samples[1].file;
    source.samples[5].file = source.samples[2].file;
    source.samples[5].label += differ;
    source.samples[5].label %= 3;
    *c = *(const struct writing *) what;
    c->source = &source;
    c->options.flags = PCR_WRITE_DEDUPE;
    return convert(c, sum, err);
}

static int push_all(struct pcr_writer *w, struct pcr_error *err)
{
    const struct pcr_source *source = &datasets.source.source;
    struct pcr_buffer file = { 0 };
    int rc = 0;
    for (uint64_t i = 0; i < source->sample_count && !rc; i++) {
        struct pcr_source_sample s = { .size = sizeof(s) };
        file.nbytes = 0;
        if (!(rc = source->describe(source->context, i, &s, err)) &&
            !(rc = source->load(source->context, i, UINT64_MAX, &file, err)))
            rc = pcr_writer_add(w, i, &s, file.data, file.nbytes, err);
    }
    pcr_buffer_free(&file);
    return rc;
}

/* Where memory was short for a moment, the same writer can be finished. */
static int finish_later(struct pcr_writer *w, struct pcr_error *err)
{
    struct pcr_error why;
    memory_pause();
    int rc = pcr_writer_finish(w, NULL, &why);
    memory_resume();
    return rc ? pcri_fail(err, PCR_ERR_INVAL, "going on: %s", why.message) : PCR_ERR_NOMEM;
}

static int push(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_source *source = &datasets.source.source;
    const struct pcr_write_options write = { .size = sizeof(write),
                                             .thread_count = 1,
                                             .record_samples = 3 };
    const struct pcr_writer_options o = {
        .size = sizeof(o),
        .write = &write,
        .class_count = source->class_count,
        .class_names = source->class_names,
        .split_count = source->split_count,
        .split_names = source->split_names,
    };
    struct pcr_writer *w = NULL;
    uint64_t files = 0;
    folder_empty(datasets.out.path);
    int rc = pcr_writer_open(datasets.out.path, &o, &w, err);
    if (!rc)
        rc = push_all(w, err);
    if (!rc && (rc = pcr_writer_finish(w, NULL, err)) == PCR_ERR_NOMEM)
        rc = finish_later(w, err);
    pcr_writer_close(&w);
    if (!rc)
        folder_add(datasets.out.path, &files);
    add_number(sum, files);
    return add_error(sum, rc, err);
}

/* What is recoded, and how. */
struct recoding {
    const char *from;
    uint32_t coding, threads;
    const char *ladder; /* NULL: the default */
    bool dry;
};

static int recode_to(const struct recoding *r, const char *path, struct pcr_error *err)
{
    struct pcr_write_options o = { .size = sizeof(o),
                                   .coding = r->coding,
                                   .thread_count = r->threads ? r->threads : 1,
                                   .flags = r->dry ? PCR_WRITE_DRY_RUN : 0 };
    struct pcr_dataset *ds = NULL;
    struct pcr_ladder *ladder = NULL;
    int rc = pcr_dataset_open(r->from, NULL, &ds, err);
    if (!rc && r->ladder)
        rc = pcr_ladder_create(r->ladder, &ladder, err);
    o.ladder = ladder;
    if (!rc)
        rc = pcr_dataset_recode(ds, path, &o, NULL, err);
    pcr_dataset_close(&ds);
    pcr_ladder_destroy(&ladder);
    return rc;
}

static int recode(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct recoding *r = what;
    static const void *last; /* what was recoded last, */
    static uint64_t right;   /* and its files */
    uint64_t files = 0;
    if (last != what)
        right = 0;
    last = what;
    folder_empty(datasets.out.path);
    int rc = recode_to(r, datasets.out.path, err);
    bool goes_on = rc == PCR_ERR_NOMEM && right;
    if (goes_on) {
        struct pcr_error why;
        memory_pause();
        rc = recode_to(r, datasets.out.path, &why);
        memory_resume();
        if (rc)
            return pcri_fail(err, PCR_ERR_INVAL, "going on: %s", why.message);
    }
    if (!rc)
        folder_add(datasets.out.path, &files);
    if (goes_on)
        return files == right ? PCR_ERR_NOMEM
                              : pcri_fail(err, PCR_ERR_INVAL, "going on: other files");
    right = right ? right : files;
    add_number(sum, files);
    return add_error(sum, rc, err);
}

#define RECODING(...) \
    &(const struct recoding) \
    { \
        .from = __VA_ARGS__ \
    }
#define WRITING(...) \
    &(const struct writing) \
    { \
        .options = { __VA_ARGS__ } \
    }
#define WRITING_ODD(...) \
    &(const struct writing) \
    { \
        &datasets.odd, { __VA_ARGS__ }, NULL, NULL \
    }
#define WRITING_OVER(before, ...) \
    &(const struct writing) \
    { \
        NULL, { __VA_ARGS__ }, NULL, before \
    }

static const struct scenario list[] = {
    { "convert", convert, WRITING(.flags = 0) },
    { "convert to scans", convert, WRITING(.coding = PCR_CODING_SCANS) },
    { "convert in order", convert,
      WRITING(.flags = PCR_WRITE_NO_SHUFFLE, .record_samples = 1) },
    { "convert by bytes", convert, WRITING(.record_nbytes = 3000) },
    { "convert, nothing written", convert_dry, WRITING(.flags = 0) },
    { "convert, reduced", convert, WRITING(.max_side = 20) },
    { "convert, pictures", convert,
      WRITING_ODD(.bad_policy = PCR_BAD_SKIP, .pictures = PCR_PICTURES_JPEG,
                  .target_nbytes = 3000) },
    { "convert to exact pictures", convert,
      &(const struct writing) {
          &datasets.pixels, { .pictures = PCR_PICTURES_PROGRESSIVE }, NULL, NULL } },
    { "convert, some reduced", convert, WRITING(.max_side = 60, .quality = 70) },
    { "convert by threads", convert, WRITING(.thread_count = 3) },
    { "convert, another ladder", convert,
      &(const struct writing) { NULL, { .flags = 0 }, "classic", NULL } },
    { "convert over a stopped one", convert, WRITING_OVER(datasets.stopped.path, .flags = 0) },
    { "convert over a finished one", convert, WRITING_OVER(datasets.made.path, .flags = 0) },
    { "convert over another", convert, WRITING_OVER(datasets.floats.path, .flags = 0) },
    { "convert bad ones", convert, WRITING_ODD(.flags = 0) },
    { "convert, bad ones left out", convert, WRITING_ODD(.bad_policy = PCR_BAD_SKIP) },
    { "convert, bad ones kept", convert, WRITING_ODD(.bad_policy = PCR_BAD_OPAQUE) },
    { "convert, bad ones salvaged", convert, WRITING_ODD(.bad_policy = PCR_BAD_SALVAGE) },
    { "convert, bad ones salvaged by threads", convert,
      WRITING_ODD(.bad_policy = PCR_BAD_SALVAGE, .thread_count = 2, .max_side = 50) },
    { "convert, originals kept", convert, WRITING(.originals = PCR_ORIGINALS_ON) },
    { "convert, PNG refused", convert, WRITING(.opaque_policy = PCR_OPAQUE_REFUSE) },
    { "convert, PNG left out", convert,
      WRITING(.opaque_policy = PCR_OPAQUE_REFUSE, .bad_policy = PCR_BAD_SKIP) },
    { "convert into a program's storage", convert, WRITING(.storage = &program_storage) },
    { "convert over a stopped one in a program's storage", convert,
      WRITING_OVER(datasets.stopped.path, .storage = &program_storage) },
    { "convert without duplicates", convert_duplicates, WRITING(.flags = 0) },
    { "convert, duplicates with other labels left out", convert_duplicates,
      WRITING(.bad_policy = PCR_BAD_SKIP, .thread_count = 2) },
    { "convert float labels", convert_labels, "floats" },
    { "convert labels to classes", convert_labels, NULL },
    { "push", push, NULL },
    { "recode", recode, RECODING(datasets.made.path, .coding = PCR_CODING_SCANS) },
    { "recode scans", recode, RECODING(datasets.scans.path, .coding = PCR_CODING_PACKED) },
    { "recode exact pictures", recode,
      RECODING(datasets.exact.path, .coding = PCR_CODING_SCANS) },
    { "recode by threads", recode,
      RECODING(datasets.salvaged.path, .coding = PCR_CODING_SCANS, .threads = 2) },
    { "recode to scans, nothing written", recode,
      RECODING(datasets.floats.path, .coding = PCR_CODING_SCANS, .ladder = "classic",
               .dry = true) },
    { "recode what is damaged", recode,
      RECODING(datasets.damaged.path, .coding = PCR_CODING_SCANS) },
};
const struct scenarios write_scenarios = SCENARIOS(list);
