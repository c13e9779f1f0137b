/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporting a dataset: the table of exporters, options, and samples written in order. */
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/io/spool.h"
#include "../libpcr/io/tree.h"
#include "export_queue.h"
#include "exporter.h"

const struct pcri_exporter *const pcri_exporters[] = {
    &pcri_export_folder, &pcri_export_tar, &pcri_export_tfrecord,
    &pcri_export_mds,    &pcri_export_zip, NULL,
};

const char *pcr_export_format(uint32_t index)
{
    uint32_t i = 0;
    while (pcri_exporters[i] && i < index)
        i++;
    return pcri_exporters[i] ? pcri_exporters[i]->name : NULL;
}

/* --- options --- */

static bool ends_with(const char *path, const char *ending)
{
    size_t n = path ? strlen(path) : 0, m = ending ? strlen(ending) : 0;
    return m && n > m && !strcmp(path + n - m, ending);
}

/* The one that is named, or by the path. */
static int find_exporter(struct pcri_export *x, struct pcr_error *err)
{
    const char *name = x->o.format;
    for (size_t i = 0; pcri_exporters[i] && !x->exporter; i++) {
        const struct pcri_exporter *e = pcri_exporters[i];
        if (name ? !strcmp(e->name, name) : ends_with(x->path, e->ending))
            x->exporter = e;
    }
    if (!x->exporter && name)
        return pcri_fail(err, PCR_ERR_INVAL, "there is no exporter '%s'", name);
    if (!x->exporter)
        x->exporter = &pcri_export_folder;
    return 0;
}

/* What only some exporters can do. */
static int check_abilities(const struct pcri_export *x, struct pcr_error *err)
{
    const struct pcr_export_options *o = &x->o;
    uint32_t able = x->exporter->abilities;
    bool shards = o->shard_nbytes || o->shard_samples;
    const char *what = o->write && !(able & PCRI_EXPORT_STREAM)                    ? "a stream"
                       : shards && !(able & PCRI_EXPORT_SHARDS)                    ? "shards"
                       : o->flags & PCR_EXPORT_LIST && !(able & PCRI_EXPORT_LISTS) ? "a list"
                       : o->flags & PCR_EXPORT_ZSTD && !(able & PCRI_EXPORT_ZSTDS) ? "zstd"
                                                                                   : NULL;
    if (what)
        return pcri_fail(err, PCR_ERR_INVAL, "the format %s cannot be written as %s",
                         x->exporter->name, what);
    if (shards && o->write)
        return pcri_fail(err, PCR_ERR_INVAL, "shards are files, and not a stream");
    if (!x->path == !o->write)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_export: give either a path or write()");
    return 0;
}

static int check_options(struct pcri_export *x, const struct pcr_export_options *opts,
                         struct pcr_error *err)
{
    struct pcr_export_options *o = &x->o;
    int rc = pcri_options_copy(o, sizeof(*o), opts, "pcr_export_options", err);
    if (!rc)
        rc = pcri_flags_check("pcr_export_options", o->flags,
                              PCR_EXPORT_REPLACE | PCR_EXPORT_LIST | PCR_EXPORT_ZSTD, err);
    if (!rc && (o->jpeg > PCR_EXPORT_JPEG_SOURCE || o->damage > PCR_EXPORT_DAMAGE_DEGRADE))
        rc = pcri_fail(err, PCR_ERR_INVAL, "pcr_export_options: jpeg is %u, damage is %u",
                       (unsigned) o->jpeg, (unsigned) o->damage);
    if (!rc && o->jpeg == PCR_EXPORT_JPEG_SOURCE &&
        (o->fidelity || o->damage == PCR_EXPORT_DAMAGE_DEGRADE))
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "source files have no fidelity, and cannot be degraded");
    if (!rc)
        rc = find_exporter(x, err);
    if (!rc)
        rc = check_abilities(x, err);
    if (rc)
        return rc;
    if (!o->damage)
        o->damage = PCR_EXPORT_DAMAGE_FAIL;
    if (!o->thread_count)
        o->thread_count = pcri_cpu_count();
    return 0;
}

static bool classes_are_numbers(const struct pcri_export *x)
{
    char number[16];
    bool same = x->info.class_count > 0;
    for (uint32_t i = 0; same && i < x->info.class_count; i++) {
        snprintf(number, sizeof(number), "%u", (unsigned) i);
        same = !strcmp(pcr_dataset_class_name(x->ds, i), number);
    }
    return same;
}

static int examine_dataset(struct pcri_export *x, struct pcr_error *err)
{
    x->info.size = sizeof(x->info);
    x->limits.size = sizeof(x->limits);
    int rc = pcr_dataset_describe(x->ds, &x->info, err);
    if (!rc)
        rc = pcr_dataset_limits(x->ds, &x->limits, err);
    if (!rc && x->o.fidelity > x->info.group_count)
        rc = pcri_fail(err, PCR_ERR_INVAL, "fidelity %u, but the highest is %u",
                       (unsigned) x->o.fidelity, (unsigned) x->info.group_count);
    for (uint64_t i = 0; x->o.indices && i < x->o.index_count && !rc; i++)
        if (x->o.indices[i] >= x->info.sample_count)
            rc = pcri_fail(err, PCR_ERR_INVAL, "sample %llu, but there are %llu",
                           (unsigned long long) x->o.indices[i],
                           (unsigned long long) x->info.sample_count);
    if (rc)
        return rc;
    if (!x->o.fidelity)
        x->o.fidelity = x->info.group_count;
    x->numbered = classes_are_numbers(x);
    x->blobs = x->exporter->refuse && pcr_dataset_blob_name(x->ds, 0);
    x->report.fidelity = x->o.fidelity;
    x->report.sample_count = x->o.indices ? x->o.index_count : x->info.sample_count;
    return 0;
}

/* --- writing, in the calling thread --- */

/* Hashes of the names that were given, so that none is given twice. */
struct names {
    uint64_t *slots; /* 0: free */
    size_t count, capacity;
};

static void place(struct names *n, uint64_t hash)
{
    size_t i = (size_t) hash & (n->capacity - 1);
    while (n->slots[i] && n->slots[i] != hash)
        i = (i + 1) & (n->capacity - 1);
    n->slots[i] = hash;
}

static int grow(struct names *n, struct pcr_error *err)
{
    struct names wider = { .capacity = n->capacity ? 2 * n->capacity : 1024,
                           .count = n->count };
    wider.slots = pcri_calloc(wider.capacity, sizeof(*wider.slots), err);
    if (!wider.slots)
        return PCR_ERR_NOMEM;
    for (size_t i = 0; i < n->capacity; i++)
        if (n->slots[i])
            place(&wider, n->slots[i]);
    free(n->slots);
    *n = wider;
    return 0;
}

/* Takes a name. *taken: it was given before (or, once in 2^64, one like it). */
static int take_name(struct names *n, uint64_t hash, bool *taken, struct pcr_error *err)
{
    int rc = n->count < n->capacity / 2 ? 0 : grow(n, err);
    if (rc)
        return rc;
    hash += !hash;
    size_t i = (size_t) hash & (n->capacity - 1);
    while (n->slots[i] && n->slots[i] != hash)
        i = (i + 1) & (n->capacity - 1);
    *taken = n->slots[i] == hash;
    n->slots[i] = hash;
    n->count += !*taken;
    return 0;
}

struct writing {
    struct pcri_export *x;
    struct names names;
    struct pcri_export_tools tools; /* for samples that get another name */
    uint64_t lost_record;           /* the last one that cannot be read */
    bool has_lost;
};

static void tell(const struct pcri_export *x, uint32_t finding, uint64_t index,
                 const char *key, const char *what)
{
    if (x->o.left_out)
        x->o.left_out(x->o.context, finding, index, key, what);
}

static void count_finding(struct pcr_export_report *r, uint32_t finding)
{
    r->unsafe_count += finding == PCR_EXPORT_UNSAFE || finding == PCR_EXPORT_UNLISTED;
    r->damaged_count += finding == PCR_EXPORT_DAMAGED;
    r->degraded_count += finding == PCR_EXPORT_DEGRADED;
    r->unrestorable_count += finding == PCR_EXPORT_UNRESTORABLE;
}

/* What the file system does not take for a name is left out, as other unsafe names are. */
static bool is_of_name(int rc, const struct pcr_error *err)
{
    return rc == PCR_ERR_IO && (err->sys_errno == ENAMETOOLONG || err->sys_errno == EILSEQ);
}

static int add(struct pcri_export *x, const struct pcri_export_chunk *c,
               const struct pcri_export_item *item, struct pcr_error *err)
{
    const char *key = (const char *) c->texts.data + item->key;
    struct pcr_error why;
    int rc = x->exporter->add(x, c, item, &why);
    if (x->exporter->abilities & PCRI_EXPORT_NAMES && is_of_name(rc, &why)) {
        tell(x, PCR_EXPORT_UNSAFE, item->index, key,
             why.sys_errno == EILSEQ ? "left out: this file system does not accept the name"
                                     : "left out: the name, or a part of it, is too long");
        x->report.unsafe_count++;
        return 0;
    }
    if (rc)
        return pcri_hand_on(err, rc, &why);
    x->report.written_count++;
    if (item->finding == PCR_EXPORT_UNLISTED)
        return 0;
    return pcri_tape_append(&x->list, c->texts.data + item->row, item->row_nbytes, err);
}

/* Those of the lists. */
static int take_own_names(struct writing *w, struct pcr_error *err)
{
    static const char *const own[] = { "list.jsonl", "classes.txt" };
    bool taken;
    int rc = 0;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && !rc; i++)
        rc = take_name(&w->names, pcri_siphash(&w->x->hash_key, own[i], strlen(own[i])),
                       &taken, err);
    return rc;
}

static int take_blob_names(struct writing *w, const struct pcri_export_chunk *c,
                           const struct pcri_export_item *item, struct pcr_error *err)
{
    bool taken = false;
    int rc = 0;
    for (uint32_t i = 0; i < item->hash_count && !rc; i++) {
        rc = take_name(&w->names, pcri_load64(c->texts.data + item->hashes + 8 * (size_t) i),
                       &taken, err);
        if (!rc && taken)
            rc = pcri_fail(err, PCR_ERR_INVAL,
                           "%s: a blob of it would have another file's name",
                           (const char *) c->texts.data + item->key);
    }
    return rc;
}

static int write_item(struct writing *w, struct pcri_export_chunk *c,
                      struct pcri_export_item *item, struct pcr_error *err)
{
    struct pcri_export *x = w->x;
    bool taken = false;
    int rc = 0;
    x->report.samples_done++;
    count_finding(&x->report, item->finding);
    if (item->is_written && x->exporter->abilities & PCRI_EXPORT_DIFFER)
        rc = take_name(&w->names, item->name_hash, &taken, err);
    if (!rc && taken)
        rc = pcri_export_rename(x, &w->tools, c, item, err);
    if (!rc)
        rc = take_blob_names(w, c, item, err);
    if (!rc && item->lost_blobs)
        tell(x, PCR_EXPORT_BLOBS, item->index, (const char *) c->texts.data + item->key,
             (const char *) c->texts.data + item->blob_what);
    x->report.lost_blob_count += item->lost_blobs;
    if (item->finding && !rc)
        tell(x, item->finding, item->index, (const char *) c->texts.data + item->key,
             (const char *) c->texts.data + item->what);
    return rc || !item->is_written ? rc : add(x, c, item, err);
}

static int write_chunk(void *context, struct pcri_export_chunk *c, struct pcr_error *err)
{
    struct writing *w = context;
    struct pcri_export *x = w->x;
    int rc = 0;
    if (c->is_lost) {
        if (!w->has_lost || w->lost_record != c->record)
            tell(x, PCR_EXPORT_DAMAGED, c->index, NULL,
                 (const char *) c->texts.data + c->items[0].what);
        w->has_lost = true;
        w->lost_record = c->record;
        x->report.samples_done += c->count;
        x->report.damaged_count += c->count;
    }
    for (uint32_t i = 0; i < c->count && !c->is_lost && !rc; i++)
        rc = write_item(w, c, &c->items[i], err);
    return rc;
}

static int tell_progress(void *context, struct pcr_error *err)
{
    const struct pcri_export *x = ((const struct writing *) context)->x;
    if (x->o.progress && x->o.progress(x->o.context, &x->report))
        return pcri_fail(err, PCR_ERR_CANCELLED, "the export was stopped");
    return 0;
}

/* --- the whole --- */

static int write_list(struct pcri_export *x, struct pcr_error *err)
{
    struct pcri_tape classes = { 0 };
    int rc = x->exporter->put(x, "list.jsonl", &x->list, err);
    if (!rc && x->info.class_count && !x->numbered) {
        rc = pcri_export_classes(x, &classes, err);
        rc = rc ? pcri_prefix(err, rc, "classes.txt")
                : x->exporter->put(x, "classes.txt", &classes, err);
    }
    pcri_tape_free(&classes);
    return rc;
}

static int run(struct pcri_export *x, struct pcr_error *err)
{
    struct writing w = { .x = x };
    int rc = x->exporter->open(x, err);
    if (!rc && x->o.flags & PCR_EXPORT_LIST)
        rc = take_own_names(&w, err);
    if (!rc)
        rc = pcri_export_run(x, write_chunk, tell_progress, &w, err);
    if (!rc && x->o.flags & PCR_EXPORT_LIST)
        rc = write_list(x, err);
    if (!rc)
        rc = x->exporter->finish(x, err);
    x->exporter->close(x);
    free(w.names.slots);
    pcri_export_tools_free(&w.tools);
    pcri_tape_free(&x->list);
    pcri_tape_free(&x->index);
    return rc;
}

int pcr_export(struct pcr_dataset *ds, const char *path, const struct pcr_export_options *opts,
               struct pcr_export_report *report, struct pcr_error *err)
{
    struct pcri_export x = { .ds = ds, .path = path, .report = { .size = sizeof(x.report) } };
    x.list.arena.folder = x.index.arena.folder = pcri_spool_folder(NULL);
    int rc = report ? pcri_info_check(report, "pcr_export_report", err) : 0;
    if (!rc && !ds)
        rc = pcri_fail(err, PCR_ERR_INVAL, "pcr_export: the dataset is NULL");
    if (rc)
        return rc;
    rc = check_options(&x, opts, err);
    if (!rc)
        rc = examine_dataset(&x, err);
    pcri_siphash_key(&x.hash_key);
    if (!rc)
        rc = run(&x, err);
    pcri_info_fill(report, &x.report, sizeof(x.report));
    return rc;
}
