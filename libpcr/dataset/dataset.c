/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening and describing datasets. */
#include <errno.h>
#include <stdlib.h>

#include "dataset.h"

enum { OPEN_RECORDS = 64 };
#define CACHE_NBYTES (UINT64_C(16) << 30)

/* --- opening --- */

static int parse_manifest(struct pcr_dataset *ds, const char *path, struct pcr_error *err)
{
    int rc = pcri_buffer_append(&ds->text, "", 1, err); /* callers get it as a C string */
    if (rc)
        return rc;
    ds->text.nbytes--;
    rc = pcri_manifest_parse(ds->text.data, ds->text.nbytes, &ds->limits, pcri_parse_flags(ds),
                             &ds->manifest, err);
    return rc ? pcri_prefix(err, rc, "%s", path) : 0;
}

/* *absent: nothing has the manifest's name. */
static int read_manifest(struct pcr_dataset *ds, const char *folder, bool *absent,
                         struct pcr_error *err)
{
    struct pcr_error why;
    char *path = pcri_join(folder, PCRI_MANIFEST_NAME, err);
    *absent = false;
    if (!path)
        return PCR_ERR_NOMEM;
    struct pcr_limits limits = ds->limits;
    pcri_limits_fill(&limits);
    int rc = pcri_storage_read(ds->storage, path, limits.max_manifest_nbytes,
                               ds->layers->options.retry_count, &ds->text, &why);
    *absent = rc && pcri_is_absent(rc, &why);
    if (!pcri_hand_on(err, rc, &why))
        rc = parse_manifest(ds, path, err);
    free(path);
    return rc;
}

/* Makes the manifest that a dataset of this one record would have. */
static int describe_record(struct pcri_manifest *m, const char *name,
                           const struct pcri_record *r, struct pcr_error *err)
{
    const struct pcri_head *h = r->head;
    int rc = pcri_manifest_init(m, h->group_count, h->ladder ? h->ladder : "", err);
    if (!rc)
        rc = pcri_manifest_add_split(m, "all", err);
    if (!rc)
        rc = pcri_manifest_add_record(m, name, &r->header, err);
    if (rc)
        return rc;
    m->major = r->header.major;
    m->minor = r->header.minor;
    m->label_kind = h->float_labels                   ? PCR_LABEL_FLOATS
                    : h->label_first[h->sample_count] ? PCR_LABEL_INTS
                                                      : PCR_LABEL_NONE;
    for (uint32_t i = 0; h->attributes && i < h->attributes->count; i++) {
        const struct pcri_attribute *a = &h->attributes->columns[i];
        bool added;
        if ((rc = pcri_schema_add(&m->schema, a->name, &a->type, &added, err)))
            return rc;
    }
    for (uint32_t i = 0; h->blobs && i < h->blobs->count; i++) {
        static const struct pcri_type any = { PCR_ELEMENT_JSON, 0, 0, 1 };
        bool added;
        if ((rc = pcri_schema_add(&m->blobs, h->blobs->names[i], &any, &added, err)))
            return rc;
    }
    for (uint32_t i = 0; i < h->sample_count; i++) {
        pcri_coding_count(&m->codings, h->coding[i], h->exact[i]);
        if (__builtin_add_overflow(m->source_nbytes, h->source_nbytes[i], &m->source_nbytes))
            return pcri_fail(err, PCR_ERR_CORRUPT, "%s: source sizes overflow", r->file->path);
    }
    m->splits[0].source_nbytes = m->source_nbytes;
    return 0;
}

/* Reading samples does not need the tail: a damaged one is a matter for verifying. */
static int count_notes(struct pcri_manifest *m, const struct pcri_record *r,
                       const struct pcr_limits *limits, struct pcr_error *err)
{
    struct pcri_note_counts sums = { 0 };
    int rc = pcri_record_notes(r, limits, &sums, NULL, err);
    if (!rc)
        m->notes = sums;
    return rc == PCR_ERR_NOMEM ? rc : 0;
}

static int read_single(struct pcr_dataset *ds, const char *path, struct pcr_error *err)
{
    struct pcri_record *r = NULL;
    const char *slash = strrchr(path, '/');
    int rc = pcri_record_open(path, ds->layers->top, 0, &ds->limits, pcri_parse_flags(ds), &r,
                              err);
    if (rc)
        return rc;
    rc = describe_record(&ds->manifest, slash ? slash + 1 : path, r, err);
    if (!rc)
        rc = count_notes(&ds->manifest, r, &ds->limits, err);
    pcri_record_close(&r);
    return rc;
}

/* Says which splits there are, or the first of them. */
static int fail_split(const struct pcri_manifest *m, const char *name, struct pcr_error *err)
{
    char found[256] = "";
    size_t n = 0;
    uint32_t i = 0;
    for (; i < m->split_count && n + 48 < sizeof(found); i++)
        n += (size_t) snprintf(found + n, sizeof(found) - n, "%s%.40s", i ? ", " : "",
                               m->splits[i].name);
    return pcri_fail(err, PCR_ERR_INVAL, "there is no split named '%.80s'; there %s %s%s",
                     name, m->split_count == 1 ? "is" : "are", found,
                     i < m->split_count ? ", ..." : "");
}

static int choose_split(struct pcr_dataset *ds, const char *name, struct pcr_error *err)
{
    const struct pcri_manifest *m = &ds->manifest;
    uint32_t first = 0, end = m->split_count;
    ds->class_counts = pcri_calloc(m->class_count, sizeof(*ds->class_counts), err);
    if (!ds->class_counts)
        return PCR_ERR_NOMEM;
    while (name && first < end && strcmp(name, m->splits[first].name) != 0)
        first++;
    if (first < end && name) {
        end = first + 1;
        ds->split = m->splits[first].name;
    } else if (name && !strcmp(name, "all")) {
        first = 0;
    } else if (name) {
        return fail_split(m, name, err);
    }
    ds->first_record = first < end ? m->splits[first].first_record : 0;
    for (uint32_t i = first; i < end; i++) {
        const struct pcri_split *s = &m->splits[i];
        ds->record_count += s->record_count;
        ds->source_nbytes += s->source_nbytes;
        for (uint32_t c = 0; c < m->class_count; c++)
            ds->class_counts[c] += s->class_counts[c];
    }
    return 0;
}

/* Adds up what the opened records hold. The manifest's check keeps the sums below 2^63. */
static int sum_records(struct pcr_dataset *ds, struct pcr_error *err)
{
    const struct pcri_manifest *m = &ds->manifest;
    ds->first_samples = pcri_calloc(ds->record_count + 1, sizeof(*ds->first_samples), err);
    if (!ds->first_samples)
        return PCR_ERR_NOMEM;
    for (uint64_t k = 0; k < ds->record_count; k++) {
        uint64_t r = ds->first_record + k;
        ds->first_samples[k + 1] = ds->first_samples[k] + m->sample_counts[r];
        ds->head_nbytes += m->head_ends[r];
        ds->total_nbytes += m->nbytes[r];
        for (uint32_t g = 0; g < m->group_count; g++)
            ds->prefix_nbytes[g] += m->ends[r * m->group_count + g];
    }
    return 0;
}

/* A folder without a manifest; *why says so. */
static int fail_folder(const struct pcr_dataset *ds, const char *path,
                       const struct pcr_error *why, struct pcr_error *err)
{
    struct pcri_found state = { 0 };
    int rc = pcri_storage_find(ds->storage, path, PCRI_STATE_NAME, &state, err);
    if (rc)
        return rc;
    rc = pcri_hand_on(err, why->code, why);
    if (err && state.exists)
        snprintf(err->message, sizeof(err->message),
                 "%s: an unfinished conversion; the command that began it continues it", path);
    else if (err)
        snprintf(err->message, sizeof(err->message),
                 "%s: no dataset, as it has no " PCRI_MANIFEST_NAME "; pcrtool convert makes "
                 "one of a folder of images",
                 path);
    return rc;
}

/* What is at the path: a folder with a manifest, or else a record. */
static int read_contents(struct pcr_dataset *ds, const char *path, struct pcr_error *err)
{
    struct pcr_error missing, why;
    bool absent;
    int rc = pcri_hand_on(err, read_manifest(ds, path, &absent, &missing), &missing);
    if (!absent || !*path) {
        ds->folder = pcri_strndup(path, strlen(path), rc ? NULL : err);
        return rc || ds->folder ? rc : PCR_ERR_NOMEM;
    }
    const char *slash = strrchr(path, '/');
    ds->folder = pcri_strndup(path, slash ? (size_t) (slash + 1 - path) : 0, err);
    if (!ds->folder)
        return PCR_ERR_NOMEM;
    int single = read_single(ds, path, &why);
    if (single == PCR_ERR_IO && why.sys_errno == EISDIR)
        return fail_folder(ds, path, &missing, err);
    return pcri_hand_on(err, single, &why);
}

static int load(struct pcr_dataset *ds, const char *path, const char *split,
                uint32_t open_records, struct pcr_error *err)
{
    int rc = read_contents(ds, path, err);
    pcri_needs_raise(&ds->manifest.needs, &ds->limits); /* those that the user did not set */
    pcri_limits_fill(&ds->limits);
    if (rc)
        return rc;
    if ((rc = choose_split(ds, split, err)))
        return pcri_prefix(err, rc, "%s", path);
    rc = sum_records(ds, err);
    return rc ? rc : pcri_cache_init(&ds->cache, ds->record_count, open_records, err);
}

static int choose_storage(struct pcr_dataset *ds, const struct pcr_dataset_options *o,
                          struct pcr_error *err)
{
    if (!o->storage) {
        ds->storage = pcri_storage_local(o->io_backend);
        return ds->storage ? 0
                           : pcri_fail(err, PCR_ERR_INVAL, "there is no I/O backend %u",
                                       o->io_backend);
    }
    if (o->io_backend)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "io_backend applies to files: a storage of the program's own reads "
                         "by itself");
    int rc = pcri_storage_custom(o->storage, &ds->storage, err);
    if (!rc && o->cache_dir && ds->storage->is_anonymous)
        rc = pcri_fail(err, PCR_ERR_INVAL, "a cache folder needs a storage with an identity");
    return rc;
}

static int create_layers(struct pcr_dataset *ds, const struct pcr_dataset_options *o,
                         struct pcr_error *err)
{
    const struct pcri_layer_options layers = {
        .cache_dir = o->cache_dir,
        .cache_nbytes = o->cache_nbytes || !o->cache_dir ? o->cache_nbytes : CACHE_NBYTES,
        .throttle_nbytes_s = o->throttle_nbytes_s,
        .delay_us = o->delay_us,
        .retry_count = o->retry_count == PCR_RETRY_NEVER ? 0
                       : o->retry_count                  ? o->retry_count
                                                         : PCRI_TRIES_AGAIN,
        .fault_interval = o->fault_interval,
    };
    int rc = choose_storage(ds, o, err);
    return rc ? rc : pcri_layers_create(ds->storage->backend, &layers, &ds->layers, err);
}

int pcr_dataset_open(const char *path, const struct pcr_dataset_options *opts,
                     struct pcr_dataset **out, struct pcr_error *err)
{
    struct pcr_dataset_options o;
    int rc = pcri_options_copy(&o, sizeof(o), opts, "pcr_dataset_options", err);
    if (rc)
        return rc;
    if (!path || !out)
        return pcri_fail(err, PCR_ERR_INVAL, "path or out is NULL");
    if (!*path && !o.storage)
        return pcri_fail_sys(err, ENOENT, "an empty path: cannot open");
    if ((rc = pcri_flags_check("pcr_dataset_options", o.flags, PCR_DATASET_NO_VERIFY, err)))
        return rc;
    if (o.flags & PCR_DATASET_NO_VERIFY && (o.cache_nbytes || o.cache_dir))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "a cache needs verification: only the dataset's checksums tell "
                         "whether its contents are right");
    if (o.retry_count > 1000 && o.retry_count != PCR_RETRY_NEVER)
        return pcri_fail(err, PCR_ERR_INVAL, "retry_count is %u, the limit is 1000",
                         o.retry_count);
    struct pcr_limits limits;
    if ((rc = pcri_limits_take(o.limits, &limits, err)))
        return rc;
    struct pcr_dataset *ds = pcri_calloc(1, sizeof(*ds), err);
    if (!ds)
        return PCR_ERR_NOMEM;
    ds->flags = o.flags;
    ds->limits = limits;
    /* With default attributes these cannot fail on any supported system. */
    pthread_mutex_init(&ds->cache.mutex, NULL);
    pcri_cond_init(&ds->cache.opened);
    pthread_mutex_init(&ds->keys.mutex, NULL);
    pcri_cond_init(&ds->keys.built);
    pthread_mutex_init(&ds->spare.mutex, NULL);
    rc = create_layers(ds, &o, err);
    if (!rc)
        rc = load(ds, path, o.split, o.open_records ? o.open_records : OPEN_RECORDS, err);
    if (!rc)
        rc = pcri_registry_add(ds, err);
    if (rc) {
        pcr_dataset_close(&ds);
        return rc;
    }
    *out = ds;
    return 0;
}

void pcr_dataset_keep_memory(struct pcr_dataset *ds, uint64_t more_nbytes,
                             uint64_t less_nbytes)
{
    pcri_spare_expect(&ds->spare, more_nbytes, less_nbytes);
}

void pcr_dataset_close(struct pcr_dataset **dataset)
{
    struct pcr_dataset *ds = dataset ? *dataset : NULL;
    if (!ds)
        return;
    pcri_registry_remove(ds);
    pcri_cache_free(&ds->cache);
    pcri_layers_destroy(&ds->layers);
    pcri_storage_destroy(&ds->storage);
    pcri_key_index_free(&ds->keys);
    pcri_spare_free(&ds->spare);
    pthread_mutex_destroy(&ds->cache.mutex);
    pthread_cond_destroy(&ds->cache.opened);
    pthread_mutex_destroy(&ds->keys.mutex);
    pthread_cond_destroy(&ds->keys.built);
    pcri_manifest_free(&ds->manifest);
    pcr_buffer_free(&ds->text);
    free(ds->folder);
    free(ds->first_samples);
    free(ds->class_counts);
    free(ds);
    *dataset = NULL;
}

/* --- describing --- */

int pcr_dataset_describe(const struct pcr_dataset *ds, struct pcr_dataset_info *info_out,
                         struct pcr_error *err)
{
    const struct pcri_manifest *m = &ds->manifest;
    struct pcr_dataset_info info = {
        .group_count = m->group_count,
        .sample_count = ds->first_samples[ds->record_count],
        .record_count = ds->record_count,
        .class_count = m->class_count,
        .split_count = m->split_count,
        .source_nbytes = ds->source_nbytes,
        .head_nbytes = ds->head_nbytes,
        .total_nbytes = ds->total_nbytes,
        .opaque_count = m->codings.opaque,
        .version_major = m->major,
        .version_minor = m->minor,
        .max_side = m->max_side,
        .quality = m->quality,
        .undecodable_count = m->notes.undecodable,
        .salvaged_count = m->notes.salvaged,
        .originals = m->originals,
        .unrestorable_count = m->notes.unrestorable,
        .tail_nbytes = m->tail_nbytes,
        .dropped_count = m->notes.dropped,
        .dropped_nbytes = m->notes.dropped_nbytes,
        .skipped_count = m->skipped_count,
        .label_kind = m->label_kind,
        .column_count = m->schema.count,
        .scans_count = m->codings.scans,
        .packed_count = m->codings.packed,
        .coding = m->coding,
        .encoded_count = m->notes.encoded,
        .pictures = m->pictures,
        .target_nbytes = m->target_nbytes,
        .exact_count = m->codings.exact,
    };
    return pcri_info_copy(info_out, "pcr_dataset_info", &info, sizeof(info), err);
}

int pcr_dataset_limits(const struct pcr_dataset *ds, struct pcr_limits *limits_out,
                       struct pcr_error *err)
{
    return pcri_info_copy(limits_out, "pcr_limits", &ds->limits, sizeof(ds->limits), err);
}

int pcr_dataset_io_stats(const struct pcr_dataset *ds, struct pcr_io_stats *stats_out,
                         struct pcr_error *err)
{
    struct pcri_layer_counts *c = &ds->layers->counts;
    struct pcr_io_stats stats = {
        .open_count = atomic_load(&c->open_count),
        .read_count = atomic_load(&c->read_count),
        .range_count = atomic_load(&c->range_count),
        .read_nbytes = atomic_load(&c->read_nbytes),
        .read_ns = atomic_load(&c->read_ns),
        .error_count = atomic_load(&c->error_count),
        .retry_count = atomic_load(&c->retry_count),
        .fault_count = atomic_load(&c->fault_count),
        .throttle_ns = atomic_load(&c->throttle_ns),
        .cache_hit_nbytes = atomic_load(&c->cache_hit_nbytes),
        .cache_miss_nbytes = atomic_load(&c->cache_miss_nbytes),
        .cache_stored_nbytes = atomic_load(&c->cache_stored_nbytes),
        .cache_bad_count = atomic_load(&c->cache_bad_count),
        .cache_failed_count = atomic_load(&c->cache_failed_count),
    };
    return pcri_info_copy(stats_out, "pcr_io_stats", &stats, sizeof(stats), err);
}

uint64_t pcr_dataset_prefix_nbytes(const struct pcr_dataset *ds, uint32_t fidelity)
{
    uint32_t g = 0;
    return pcri_fidelity(fidelity, ds->manifest.group_count, &g, NULL)
               ? 0
               : ds->prefix_nbytes[g - 1];
}

const char *pcr_dataset_class_name(const struct pcr_dataset *ds, uint32_t index)
{
    return index < ds->manifest.class_count ? ds->manifest.classes[index] : NULL;
}

uint64_t pcr_dataset_class_count(const struct pcr_dataset *ds, uint32_t index)
{
    return index < ds->manifest.class_count ? ds->class_counts[index] : 0;
}

const char *pcr_dataset_split(const struct pcr_dataset *ds)
{
    return ds->split;
}

const char *pcr_dataset_split_name(const struct pcr_dataset *ds, uint32_t index,
                                   uint64_t *sample_count_out)
{
    if (index >= ds->manifest.split_count)
        return NULL;
    if (sample_count_out)
        *sample_count_out = ds->manifest.splits[index].sample_count;
    return ds->manifest.splits[index].name;
}

const char *pcr_dataset_blob_name(const struct pcr_dataset *ds, uint32_t index)
{
    const struct pcri_schema *s = &ds->manifest.blobs;
    return index < s->count ? s->columns[index].name : NULL;
}

const char *pcr_dataset_ladder(const struct pcr_dataset *ds)
{
    return ds->manifest.ladder;
}

const char *pcr_dataset_manifest(const struct pcr_dataset *ds, size_t *nbytes_out)
{
    if (nbytes_out)
        *nbytes_out = ds->text.nbytes;
    return ds->text.data ? (const char *) ds->text.data : "";
}

int pcri_check_record(const struct pcr_dataset *ds, uint64_t record, struct pcr_error *err)
{
    return record < ds->record_count
               ? 0
               : pcri_fail(err, PCR_ERR_INVAL, "record %llu of %llu",
                           (unsigned long long) record, (unsigned long long) ds->record_count);
}

int pcr_dataset_record(const struct pcr_dataset *ds, uint64_t record,
                       struct pcr_record_info *info_out, struct pcr_error *err)
{
    const struct pcri_manifest *m = &ds->manifest;
    int rc = pcri_check_record(ds, record, err);
    if (rc)
        return rc;
    uint64_t r = ds->first_record + record;
    struct pcr_record_info info = {
        .sample_count = m->sample_counts[r],
        .first_sample = ds->first_samples[record],
        .total_nbytes = m->nbytes[r],
        .head_end = m->head_ends[r],
        .path = pcri_manifest_file(m, r),
    };
    return pcri_info_copy(info_out, "pcr_record_info", &info, sizeof(info), err);
}

int pcr_dataset_record_notes(const struct pcr_dataset *ds, uint64_t record,
                             struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcri_record *r = NULL;
    struct pcri_note_counts sums = { 0 };
    out->nbytes = 0;
    int rc = pcri_check_record(ds, record, err);
    if (!rc)
        rc = pcri_dataset_open_record(ds, record, pcri_parse_flags(ds), &r, err);
    if (!rc)
        rc = pcri_record_notes(r, &ds->limits, &sums, out, err);
    pcri_record_close(&r);
    return rc;
}

uint64_t pcr_dataset_record_prefix(const struct pcr_dataset *ds, uint64_t record,
                                   uint32_t fidelity)
{
    const struct pcri_manifest *m = &ds->manifest;
    uint32_t g = 0;
    if (record >= ds->record_count || pcri_fidelity(fidelity, m->group_count, &g, NULL))
        return 0;
    return m->ends[(ds->first_record + record) * m->group_count + g - 1];
}
