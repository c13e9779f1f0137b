/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios of reading datasets. */
#include <pthread.h>
#include <stdio.h>

#include <pcr/dataset.h>
#include <pcr/image.h>
#include <pcr/system.h>

#include "memory.h"
#include "scenarios.h"

/* --- opening --- */

static int describe_all(const char *path, const struct pcr_dataset_options *o, uint64_t *sum,
                        struct pcr_error *err)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_limits limits = { .size = sizeof(limits) };
    struct pcr_dataset *ds = NULL;
    size_t nbytes;
    int rc = pcr_dataset_open(path, o, &ds, err);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, err);
    if (!rc)
        rc = pcr_dataset_limits(ds, &limits, err);
    add(sum, &info, sizeof(info));
    add(sum, &limits, sizeof(limits));
    for (uint32_t g = 0; ds && g <= info.group_count; g++)
        add_number(sum, pcr_dataset_prefix_nbytes(ds, g));
    for (uint32_t i = 0; ds && i < info.class_count; i++) {
        add_text(sum, pcr_dataset_class_name(ds, i));
        add_number(sum, pcr_dataset_class_count(ds, i));
    }
    for (uint64_t r = 0; !rc && r < info.record_count; r++) {
        struct pcr_record_info one = { .size = sizeof(one) };
        rc = pcr_dataset_record(ds, r, &one, err);
        add_number(sum, one.total_nbytes);
        add_text(sum, one.path);
    }
    if (ds) {
        add_text(sum, pcr_dataset_ladder(ds));
        add_text(sum, pcr_dataset_manifest(ds, &nbytes));
    }
    pcr_dataset_close(&ds);
    return rc;
}

static int open_folder(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return describe_all(datasets.made.path, what, sum, err);
}

static int open_record(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return describe_all(datasets.record, what, sum, err);
}

/* Not there, none of ours, and without such a split. */
static int open_wrong(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_dataset_options o = { .size = sizeof(o), .split = "no such split" };
    (void) what;
    int rc = add_error(sum, describe_all("/nowhere", NULL, sum, err), err);
    if (!rc)
        rc = add_error(sum, describe_all("/proc/self/maps", NULL, sum, err), err);
    if (!rc)
        rc = add_error(sum, describe_all(datasets.made.path, &o, sum, err), err);
    return rc;
}

/* --- samples --- */

static int read_sample(struct pcr_dataset *ds, uint64_t i, struct pcr_buffer *out,
                       uint64_t *sum, struct pcr_error *err)
{
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_sample *s = NULL;
    int rc = pcr_sample_acquire(ds, i, &s, err);
    if (!rc)
        rc = pcr_sample_describe(s, &info, err);
    if (!rc) {
        add(sum, info.key, info.key_nbytes);
        add_number(sum, info.label_count);
        if (info.labels)
            add(sum, info.labels, info.label_count * sizeof(*info.labels));
        if (info.float_labels)
            add(sum, info.float_labels, info.label_count * sizeof(*info.float_labels));
    }
    if (!rc && !(rc = pcr_sample_attributes(s, out, err)))
        add(sum, out->data, out->nbytes);
    const char *name;
    for (uint32_t b = 0; rc >= 0 && (name = pcr_dataset_blob_name(ds, b)); b++)
        if (!(rc = pcr_sample_blob(s, name, out, err)))
            add(sum, out->data, out->nbytes);
    rc = rc == PCR_END ? 0 : rc;
    for (uint32_t g = 0; !rc && g < 5; g += 2) {
        rc = pcr_sample_read(s, g, out, err);
        if (!rc)
            add(sum, out->data, out->nbytes);
        rc = add_error(sum, rc, err);
    }
    pcr_sample_release(&s);
    return rc;
}

static int read_samples(struct pcr_dataset *ds, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_buffer out = { 0 };
    int rc = 0;
    for (uint64_t i = 0; !rc && i < 6; i++)
        rc = read_sample(ds, i, &out, sum, err);
    pcr_buffer_free(&out);
    return rc;
}

static int read_from(const char *path, const struct pcr_dataset_options *o, uint64_t *sum,
                     struct pcr_error *err)
{
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(path, o, &ds, err);
    if (!rc)
        rc = read_samples(ds, sum, err);
    pcr_dataset_close(&ds);
    return rc;
}

static int read_made(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return read_from(datasets.made.path, what, sum, err);
}

static int read_floats(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return read_from(datasets.floats.path, what, sum, err);
}

static int read_scans(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return read_from(datasets.scans.path, what, sum, err);
}

static int read_exact(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return read_from(datasets.exact.path, what, sum, err);
}

/* At full fidelity, and below. */
static int decode_exact(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    struct pcr_decoder *d = NULL;
    struct pcr_buffer pixels = { 0 };
    int rc = pcr_dataset_open(datasets.exact.path, what, &ds, err);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, err);
    if (!rc)
        rc = pcr_decoder_create(&d, err);
    add_number(sum, info.exact_count);
    for (uint64_t i = 0; !rc && i < 12; i++) {
        struct pcr_sample *s = NULL;
        rc = pcr_sample_acquire(ds, i / 2, &s, err);
        if (!rc)
            rc = pcr_sample_decode(s, i % 2 ? info.group_count - 1 : PCR_FIDELITY_FULL, d,
                                   NULL, &pixels, NULL, err);
        add(sum, pixels.data, rc ? 0 : pixels.nbytes);
        pcr_sample_release(&s);
    }
    pcr_buffer_free(&pixels);
    pcr_decoder_destroy(&d);
    pcr_dataset_close(&ds);
    return rc;
}

static int read_damaged(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return read_from(datasets.damaged.path, what, sum, err);
}

static int read_cut(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return read_from(datasets.cut.path, what, sum, err);
}

static int read_cached(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_dataset_options o = { .size = sizeof(o), .cache_dir = what };
    if (what == datasets.out.path)
        folder_empty(what);
    return read_from(datasets.made.path, &o, sum, err);
}

/* Threads read the same samples. */
struct reader {
    struct pcr_dataset *ds;
    uint64_t sum;
    int rc;
    struct pcr_error err;
};

static void *read_in_thread(void *context)
{
    struct reader *r = context;
    r->rc = read_samples(r->ds, &r->sum, &r->err);
    return NULL;
}

static int read_by_threads(const void *what, uint64_t *sum, struct pcr_error *err)
{
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    struct reader readers[THREADS] = { { 0 } };
    struct pcr_dataset *ds = NULL;
    int started = 0, rc = pcr_dataset_open(datasets.made.path, what, &ds, err);
    for (; !rc && started < THREADS; started++) {
        readers[started].ds = ds;
        memory_pause();
        int failed = pthread_create(&threads[started], NULL, read_in_thread,
                                    &readers[started]);
        memory_resume();
        if (failed)
            break;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        if (readers[i].rc && !rc) {
            rc = readers[i].rc;
            *err = readers[i].err;
        }
        add_number(sum, readers[i].sum);
    }
    pcr_dataset_close(&ds);
    return rc;
}

/* --- keys, labels, slices --- */

static int find(const void *what, uint64_t *sum, struct pcr_error *err)
{
    static const char *const keys[] = { "images/003.jpg", "images/000.jpg", "no such key" };
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(datasets.made.path, what, &ds, err);
    for (int i = 0; rc >= 0 && i < 3; i++) {
        uint64_t index = 99;
        rc = pcr_dataset_find(ds, keys[i], strlen(keys[i]), &index, err);
        add_number(sum, (uint64_t) rc);
        add_number(sum, index);
    }
    pcr_dataset_close(&ds);
    return rc < 0 ? rc : 0;
}

static int labels(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_dataset *ds = NULL;
    int64_t ints[6] = { 0 };
    double floats[6] = { 0 };
    uint64_t offsets[7];
    struct pcr_buffer values = { 0 };
    int rc = pcr_dataset_open(what, NULL, &ds, err);
    if (!rc && what == datasets.floats.path)
        rc = pcr_dataset_labels(ds, 0, 6, NULL, floats, err);
    else if (!rc)
        rc = pcr_dataset_labels(ds, 0, 6, ints, NULL, err);
    if (!rc)
        rc = pcr_dataset_all_labels(ds, 0, 6, offsets, &values, err);
    add(sum, values.data, rc ? 0 : values.nbytes);
    pcr_buffer_free(&values);
    add(sum, ints, sizeof(ints));
    add(sum, floats, sizeof(floats));
    pcr_dataset_close(&ds);
    return rc;
}

static int column(struct pcr_dataset *ds, const char *name, uint64_t *sum,
                  struct pcr_error *err)
{
    struct pcr_column *c = NULL;
    int rc = pcr_dataset_column(ds, name, 0, 6, &c, err);
    if (rc)
        return rc;
    add(sum, c->states, c->sample_count);
    if (c->offsets)
        add(sum, c->offsets, (c->sample_count + 1) * sizeof(*c->offsets));
    if (c->values)
        add(sum, c->values, c->element_count * sizeof(double));
    if (c->texts)
        add(sum, c->texts, c->text_offsets[c->element_count]);
    pcr_column_free(&c);
    return 0;
}

static int columns(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_dataset *ds = NULL;
    struct pcr_column_info info = { .size = sizeof(info) };
    int rc = pcr_dataset_open(what, NULL, &ds, err);
    for (uint32_t i = 0; !rc && !pcr_dataset_column_info(ds, i, &info, NULL); i++)
        rc = column(ds, info.name, sum, err);
    pcr_dataset_close(&ds);
    return rc;
}

static int use_slice(const struct pcr_slice *sl, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_buffer out = { 0 };
    struct pcr_spans spans = { 0 };
    int rc = 0;
    add_number(sum, pcr_slice_nbytes(sl));
    for (uint32_t i = 0; !rc && i < pcr_slice_count(sl); i++) {
        struct pcr_sample_info info = { .size = sizeof(info) };
        rc = pcr_slice_describe(sl, i, &info, err);
        if (!rc)
            rc = pcr_slice_get(sl, i, 0, &out, err);
        if (!rc)
            rc = pcr_slice_spans(sl, i, 0, 0, &spans, err);
        add(sum, out.data, rc ? 0 : out.nbytes);
        add_number(sum, rc ? 0 : spans.count);
    }
    pcr_buffer_free(&out);
    pcr_spans_free(&spans);
    return rc;
}

static int slices(const void *what, uint64_t *sum, struct pcr_error *err)
{
    static const uint8_t fidelities[] = { 1, 3 };
    struct pcr_dataset *ds = NULL;
    struct pcr_slice *sl = NULL;
    int rc = pcr_dataset_open(datasets.made.path, what, &ds, err);
    for (int k = 0; !rc && k < 3; k++) {
        rc = k == 0   ? pcr_slice_read(ds, 1, 0, 3, 2, &sl, err)
             : k == 1 ? pcr_slice_read(ds, 1, 1, 1, 0, &sl, err)
                      : pcr_slice_read_each(ds, 1, 1, 2, fidelities, &sl, err);
        if (!rc)
            rc = use_slice(sl, sum, err);
        pcr_slice_release(&sl);
    }
    pcr_dataset_close(&ds);
    return rc;
}

static int of_system(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_system_info info = { .size = sizeof(info) };
    (void) what;
    int rc = pcr_system_describe(&info, err);
    add_text(sum, info.jpeg_library);
    add_text(sum, info.json_library);
    add_text(sum, info.zlib_library);
    add_text(sum, info.lcms_library);
    return rc;
}

#define OPTIONS(...) \
    &(const struct pcr_dataset_options) \
    { \
        .size = sizeof(struct pcr_dataset_options), __VA_ARGS__ \
    }

static const struct scenario list[] = {
    { "open", open_folder, NULL },
    { "open a split", open_folder, OPTIONS(.split = "train") },
    { "open a record", open_record, NULL },
    { "open what is not one", open_wrong, NULL },
    { "describe the system", of_system, NULL },
    { "read", read_made, NULL },
    { "read float labels", read_floats, NULL },
    { "columns", columns, datasets.made.path },
    { "columns of lists", columns, datasets.floats.path },
    { "read scans", read_scans, NULL },
    { "read exact pictures", read_exact, NULL },
    { "decode exact pictures", decode_exact, NULL },
    { "read of damage", read_damaged, NULL },
    { "read what was cut off", read_cut, NULL },
    { "read by mmap", read_made, OPTIONS(.io_backend = PCR_IO_MMAP) },
    { "read by io_uring", read_made, OPTIONS(.io_backend = PCR_IO_URING) },
    { "read around the page cache", read_made, OPTIONS(.io_backend = PCR_IO_DIRECT) },
    { "read with one record open", read_made, OPTIONS(.open_records = 1) },
    { "read unverified", read_made, OPTIONS(.flags = PCR_DATASET_NO_VERIFY) },
    { "read by threads", read_by_threads, OPTIONS(.open_records = 1) },
    { "read, cached in memory", read_made, OPTIONS(.cache_nbytes = 1 << 20) },
    { "read, an empty cache", read_cached, datasets.out.path },
    { "read, a full cache", read_cached, datasets.cache.path },
    { "read, throttled and delayed", read_made,
      OPTIONS(.throttle_nbytes_s = 1 << 30, .delay_us = 1) },
    { "read, failing at times", read_made, OPTIONS(.fault_interval = 20) },
    { "read from a program's storage", read_made, OPTIONS(.storage = &program_storage) },
    { "read from a program's storage, cached", slices,
      OPTIONS(.storage = &program_storage, .cache_nbytes = 1 << 20) },
    { "find", find, NULL },
    { "labels of classes", labels, datasets.made.path },
    { "labels of floats", labels, datasets.floats.path },
    { "slices", slices, NULL },
    { "slices, cached in memory", slices, OPTIONS(.cache_nbytes = 1 << 20) },
};
const struct scenarios read_scenarios = SCENARIOS(list);
